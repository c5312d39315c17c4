"""The theory page: shown whole on every target, its sections when they are opened, and the game of the sign."""

import json
import re

import pytest
from apptest import EXACT, buttons, charts, plain, silent, spec, visit
from cases import long

SECTIONS = ("setting", "assumptions", "theorems", "recursion", "onestep", "signs", "table", "footnotes")
TARGETS = {
    "gaussian": {**EXACT, "T": "2"},
    "skew": {"target": "skew", "h": "0.5..0.25", "T": "1"},
    "mixture": {"target": "mixture", "sep": "3", "h": "0.5..0.25", "T": "1"},
    "logistic": {"target": "logistic", "rows": "10", "h": "0.5..0.25", "T": "1", "particles": "512", "seed": "31"},
}


def opened(at, *names):
    for name in SECTIONS:
        at.session_state[f"{name}-open"] = name in names
    return at.run()


@pytest.mark.parametrize("target", TARGETS)
def test_the_page_is_shown_on_every_target(target):
    at = visit("theory", TARGETS[target])
    assert not at.error
    assert at.title[0].value.endswith("?")
    assert charts(at) == 1
    assert len(at.table) == 1
    assert not silent(at)
    opened(at, "setting", "assumptions", "theorems", "table", "footnotes")
    assert len(at.table) + len(at.dataframe) == 3
    assert not silent(at)
    text = plain(at)
    assert "Assumption 7" in text
    assert "xi_n" in text
    if target == "mixture":
        assert "not log-concave" in text
        assert "Assumption 1: fails" in text
        assert "do not apply: Assumption 1" in text
    else:
        assert "do not apply" not in text
    if target == "logistic":
        assert "as far as was measured; Assumptions" in text
        opened(at)
        buttons(at, "Measure EM")[0].click().run()
        assert "EM's law is W₂" in plain(at)
        assert not buttons(at, "Measure")


def test_a_void_theorem_is_a_sentence():
    at = visit("theory", {**EXACT, "k2": "0.4", "T": "1"})
    assert re.search("Theorem 1.*m0 = 0.4 ≤ ½", plain(at))
    opened(at, "theorems")
    assert "for EM, EI, REM, REI and SO: m0 = 0.4" in plain(at)


def test_the_recursion_follows_the_step_size():
    at = opened(visit("theory", TARGETS["gaussian"]), "recursion")
    assert charts(at) == 4
    assert re.search("h = 1/4 .* exceeds 1", plain(at))
    at.select_slider(key="s:step").set_value(0.0078125).run()
    assert re.search("h = 1/128 .* below 1 at all 256 steps", plain(at))


def test_one_step_errors_are_drawn_and_summed():
    at = opened(visit("theory", TARGETS["gaussian"]), "onestep")
    assert charts(at) == 3
    assert "the theorem's order ½" in plain(at)
    assert not silent(at)


@pytest.mark.parametrize("target", ["gaussian", long("skew")])
def test_spot_the_sign(target):
    at = opened(visit("theory", TARGETS[target]), "signs")
    assert charts(at) == 2
    before = at.get("plotly_chart")[1].proto
    assert "slope" not in "".join(t["name"] for t in json.loads(before.spec)["data"] if t.get("showlegend"))
    assert "Not A" not in plain(at)
    for letter, answer in (("A", "Not A: that is M left out"), ("C", "Not C: that is the printed sign"), ("B", "Yes. B has M = x/4 − Lγ")):
        at.button_group(key="theory-guess").set_value(letter).run()
        assert answer in plain(at)
        assert spec(at, 1) != before.spec
    assert not silent(at)
