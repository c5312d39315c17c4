"""The sections about samplers of the Convergence page without a browser: names, grids, filters, simulation by its button, the dial."""

import pytest
from test_helps import silent
from test_pages import EXACT, at_home, charts, opened, plain, visit

from dlab import schemes
from dlab.answers import samplers
from dlab.figures import samplers as figures
from dlab.schemes.names import NAMES
from dlab.ui import settings, studies

__all__ = ["at_home"]  # a fixture that every test here uses
NAME, GRID, SHOWN, FRONT = (f"samplers-{key}" for key in ("name", "grid", "shown", "scheme"))


def chosen(at, key, value):
    at.selectbox(key=key).set_value(value)
    at.run()
    assert not at.exception, at.exception
    return at


def tables(at, column):
    return [d.value for d in at.dataframe if column in d.value]


def rows(at):
    return tables(at, "a step costs")[0]


def test_a_name_sets_the_controls_and_another_control_forgets_the_name():
    at = opened(visit("convergence", EXACT), "samplers-open")
    assert charts(at) == 2
    assert list(rows(at)["scheme"]) == list(schemes.REGISTRY)
    assert "σ = 80" in plain(at)
    assert set(at.selectbox(key=NAME).options) >= set(NAMES)
    assert not silent(at)
    assert not [b for b in at.button if b.label.startswith("Run")]
    before = rows(at)
    chosen(at, NAME, "DDPM fixed large")
    assert (at.selectbox(key=GRID).value, at.selectbox(key=FRONT).value) == ("vp-linear", "DDPM")
    assert at.select_slider(key="samplers-option-noise").value == 1.0
    assert "DDPM comes to W₂" in plain(at)
    assert not silent(at)
    assert not rows(at).equals(before)
    small = rows(at).set_index("scheme").loc["DDPM", "W₂ at 48"]
    at.select_slider(key="samplers-option-noise").set_value(0.0).run()
    assert rows(at).set_index("scheme").loc["DDPM", "W₂ at 48"] != small
    chosen(at, GRID, "log-snr")
    assert at.selectbox(key=NAME).value is None
    chosen(at, SHOWN, "multistep")
    assert list(rows(at)["scheme"]) == ["2M-SDE", "2M", "UNIPC2"]
    assert at.selectbox(key=FRONT).value is None
    chosen(at, NAME, "Euler a")  # which is none of these, and leaves the grid
    assert (at.selectbox(key=SHOWN).value, at.selectbox(key=GRID).value) == ("all", "log-snr")


@pytest.mark.parametrize("name", ["OC", "EM"])
def test_a_scheme_in_front_is_the_only_one_with_markers(name):
    at = opened(visit("convergence", EXACT), "samplers-open")
    chosen(at, FRONT, name)
    assert f"{name} has no resolved value" in plain(at) or f"{name} comes to W₂" in plain(at)
    assert charts(at) == 2


SKEW = {"target": "skew", "schemes": "EM", "h": "0.5", "particles": "64", "T": "1"}


def on_skew(monkeypatch, names):
    monkeypatch.setattr(samplers, "EVALUATIONS", (6, 12))
    monkeypatch.setattr(figures, "chosen", lambda shown: names)
    at = visit("convergence", SKEW)
    at.session_state[GRID] = "quadratic"
    return opened(at, "samplers-open")


def test_elsewhere_schemes_with_an_exact_law_are_shown_at_once(monkeypatch):
    at = on_skew(monkeypatch, ["EM"])
    assert list(rows(at)["scheme"]) == ["EM"]
    assert [c for c in rows(at) if c.startswith("W₂")] == ["W₂ at 6", "W₂ at 12"]
    assert "simulated" not in plain(at)


def test_elsewhere_other_schemes_wait_for_a_button_that_says_what_it_does(monkeypatch):
    at = on_skew(monkeypatch, ["DDIM", "UNIPC2", "DPM2"])
    assert "simulated" in plain(at)
    assert not tables(at, "a step costs")
    (button,) = (b for b in at.button if b.label.startswith("Run"))
    assert "UNIPC2, DPM2" in button.help


def test_studies_pay_for_the_same_evaluations_and_name_what_cannot_run():
    values = settings.defaults() | {"target": "logistic", "logistic.score": "kernel"}
    parts, missing = studies.sampler_studies(values, ["EM", "SO", "DPM3"], "karras", {"noise": 1.0})
    assert {name: study.steps for name, study in parts.items()} == {
        f"{cost} a step": tuple(n // cost for n in samplers.EVALUATIONS) for cost in (1, 2, 3)
    }
    assert not missing
    assert not any(study.options for study in parts.values())
    assert "OC, SO. Why" in figures.missing({"OC": "Why.", "SO": "Why."}).replace(" and", ",")


def test_the_dial_follows_its_number_of_steps():
    at = opened(visit("convergence", EXACT), "dial-open")
    assert charts(at) == 2
    assert not silent(at)
    (few,) = tables(at, "N W₂, log σ")
    at.select_slider(key="dial-steps").set_value(1024).run()
    assert not at.exception
    (many,) = tables(at, "N W₂, log σ")
    assert float(many.iloc[2]["order, best grid"]) == pytest.approx(1, abs=0.01)
    assert not many.equals(few)
