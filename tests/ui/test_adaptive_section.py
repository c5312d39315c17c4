"""The section on adaptive steps without a browser: nothing runs unasked, a run is shown and kept."""

import time

import pytest
from apptest import EXACT, charts, opened, plain, pressed, silent, visit

from dlab import engine
from dlab.answers import adaptive
from dlab.study import place
from dlab.ui import runs


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(adaptive, "PARTICLES", {1: 256, 16: 64})
    monkeypatch.setattr(adaptive, "TOLERANCES", (0.3, 0.1))


def button(at):
    return next((b for b in at.button if b.key == "adaptive-button"), None)


def test_a_button_runs_it_and_the_numbers_stay(few):
    at = opened(visit("samplers", {**EXACT, "seed": "71"}), "adaptive-open")
    assert charts(at) == 1
    assert "20 s" in button(at).label
    assert not silent(at)
    pressed(at, "adaptive-button")
    assert button(at) is None
    assert charts(at) == 3
    assert "the target's is 0.707" in plain(at)
    assert len(at.table[-1].value) == 12
    again = opened(visit("samplers", {**EXACT, "seed": "71"}), "adaptive-open")
    assert charts(again) == 3
    assert button(again) is None


def test_what_a_cancelled_run_had_found_is_shown_with_a_button(few, monkeypatch):
    at = opened(visit("samplers", {**EXACT, "seed": "72"}), "adaptive-open")

    def cancel():
        if "adaptive-partial" in runs.st.session_state:
            runs.st.rerun()

    class Slow(place.Tick):
        """Gives and waits, so that the run cannot end before its page has looked."""

        def __init__(self, moved, give):
            super().__init__(moved, lambda value: (give(value), time.sleep(0.3)))

    monkeypatch.setattr(place, "Tick", Slow)
    monkeypatch.setattr(runs, "give_way", cancel)
    pressed(at, "adaptive-button")
    assert button(at).label.startswith("Run")
    assert charts(at) == 3
    assert 0 < len(at.table[-1].value) < 12
    assert "cancelled" in plain(at)
    assert not engine.places.runs().under_way()
