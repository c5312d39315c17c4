"""The Budget page without a browser: what it finds and says on a Gaussian, where the theorem is void, and where a run is needed."""

import re

import pytest
from apptest import WAIT, buttons, charts, opened, plain, silent, spec, visit, words

from dlab import engine, study
from dlab.ui import settings, studies

GAUSS = {"target": "gaussian", "schemes": "EM,SO", "distances": "0.5..0.05", "epsilon": "0.1"}
VOID = {"target": "mixture", "sep": "3", "schemes": "SO", "distances": "0.5..0.5"}
LOGISTIC = {"target": "logistic", "schemes": "EM", "distances": "0.5..0.2", "particles": "512", "T": "2", "rows": "10"}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(studies, "BUDGET_STEPS", (1.0, 0.5))  # the rows of sampled targets take time


def tables(at):
    return [frame.value for frame in at.table]


def run_it(at):
    button = buttons(at, "Run (")[0]
    assert charts(at) == 0
    button.click()
    at.run(timeout=WAIT)
    assert not buttons(at, "Run")
    return button


def test_a_gaussian_needs_no_run():
    at = visit("budget", GAUSS)
    assert charts(at) == 2
    assert not buttons(at, "Run")
    found, needs = tables(at)[0], re.search(r"For W₂ < 0\.1, EM needs (\d+) steps where its theorem asks for ([\d,]+)", words(at))
    em = found[found.scheme == "EM"].iloc[0]
    assert (em["found N"], em["theorem's N"]) == needs.groups()
    assert float(em["W₂ at N"]) < 0.1 <= float(em["W₂ at N − 1"])
    assert not silent(at)


def test_the_chosen_accuracy_and_the_counts_move_and_are_carried_by_the_address():
    at = visit("budget", GAUSS)
    at.select_slider(key="s:epsilon").set_value(0.05).run()
    assert "For W₂ < 0.05" in words(at)
    assert "epsilon" not in at.query_params  # the default, for which the address gave another
    at.select_slider(key="s:epsilon").set_value(0.2).run()
    assert "For W₂ < 0.2" in words(at)
    assert at.query_params["epsilon"] in ("0.2", ["0.2"])
    at.select_slider(key="s:epsilon").set_value(0.05).run()
    before = spec(at)
    at.button_group(key="s:cost").set_value("evals").run()
    assert spec(at) != before
    assert at.query_params["cost"] in ("evals", ["evals"])
    # Out of the stretch, the chosen accuracy goes to the nearest that is left.
    at.select_slider(key="s:distances").set_value((0.5, 0.2)).run()
    assert at.select_slider(key="s:epsilon").value == 0.2
    assert "For W₂ < 0.2" in words(at)


def test_one_accuracy_has_no_slope_and_no_second_slider():
    at = visit("budget", {**GAUSS, "distances": "0.2..0.2"})
    assert "no slope" in words(at)
    assert not [s for s in at.select_slider if s.label.startswith("Chosen")]


def test_measured_time_is_asked_for_once_and_stands_in_the_table(monkeypatch):
    monkeypatch.setattr(engine.cost, "_timed", {})
    measured = []
    monkeypatch.setattr(engine.cost, "particle_step", lambda s, name: measured.append(name) or 2e-7)
    at = visit("budget", GAUSS)
    assert not [c for c in tables(at)[0].columns if "machine" in c]
    at.button_group(key="s:cost").set_value("time").run()
    assert measured == ["EM", "SO"]
    assert [c for c in tables(at)[0].columns if "on this machine" in c]
    assert "200 ns" in words(opened(at, "measured-open"))
    assert "particle_step" not in study.run(studies.reaching_study(settings.defaults())).to_json()


def test_the_papers_start_shows_its_horizon_and_share():
    at = visit("budget", {**GAUSS, "start": "paper", "distances": "0.5..0.02"})
    opened(at, "theorem-open")
    derived = next(t for t in tables(at) if "s" in t.columns)
    assert 0 < float(derived["s"][0]) < 1
    assert int(derived["N with s = ½"][0].replace(",", "")) >= int(derived["N"][0].replace(",", ""))
    assert "T grows like ln" in words(at)


def test_a_score_error_that_no_step_removes_is_said():
    at = visit("budget", {**GAUSS, "error": "constant", "e_level": "0.3"})
    assert charts(at) == 2
    said = plain(at)
    assert re.search(r"W₂ < 0\.1 with up to \d{2,3}( and \d{2,3})? steps, where W₂ has levelled off", said)


def test_a_mixture_that_is_not_log_concave_has_a_law_on_a_grid_and_a_void_theorem():
    at = visit("budget", VOID)
    assert "not log-concave" in words(at)
    assert charts(at) == 2
    assert "it is void for" in words(at)
    assert tables(at)[0]["theorem's N"][0] == "void"
    assert tables(at)[0]["found N"][0].isdigit()


def test_a_logistic_posterior_waits_for_its_button_and_says_its_price():
    at = visit("budget", LOGISTIC)
    button = run_it(at)
    assert "512 Brownian paths" in button.help
    assert "2 accuracies" in button.help
    assert "on a grid" not in button.help
    assert charts(at) == 2
    assert re.search(r"EM needs \d+ steps? where its theorem asks for [\d,]+", words(at))
    assert "±" in tables(at)[0]["W₂ at N"][0]
