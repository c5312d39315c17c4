"""The Samplers page without a browser: names, grids, filters, simulation by its button, the dial."""

import json

import pytest
from apptest import EXACT, buttons, charts, opened, plain, silent, tables, visit

from dlab import schemes
from dlab.answers import samplers
from dlab.figures import samplers as figures
from dlab.schemes.names import NAMES
from dlab.ui import settings, state, studies

SHOWN, FRONT = "samplers-shown", "samplers-front"
SETTING = state.KEY


def rows(at):
    return tables(at, "a step costs")[0]


KARRAS = {**EXACT, "grid": "karras"}


def test_all_schemes_are_on_the_grid_of_the_page():
    at = visit("samplers", KARRAS)
    assert charts(at) == 1
    assert list(rows(at)["scheme"]) == list(schemes.REGISTRY)
    assert "= 80" in plain(at)
    assert not silent(at)
    assert not buttons(at, "Run")
    before = rows(at)
    at.selectbox(key=SETTING + "grid").set_value("log-snr").run()
    assert not rows(at).equals(before)
    at.selectbox(key=SHOWN).set_value("multistep").run()
    assert list(rows(at)["scheme"]) == ["2M-SDE", "2M", "UNIPC2"]


@pytest.mark.parametrize("name", ["DDPM fixed large", "DPM++ 2M Karras", "Euler a"])
def test_a_name_from_elsewhere_sets_schemes_grid_and_option(name):
    at, named = opened(visit("convergence", EXACT), "fold-grid-even"), NAMES[name]
    at.selectbox(key="add-schemes").set_value(name).run()
    assert named.scheme in at.button_group(key=SETTING + "schemes").value
    assert at.selectbox(key=SETTING + "grid").value == (named.grid["name"] if named.grid else "uniform")
    for key, value in named.options:
        assert at.select_slider(key=SETTING + key).value == value
    assert named.source in plain(at)
    assert at.selectbox(key="add-schemes").value is None
    at.selectbox(key=SETTING + "grid").set_value("cubic").run()
    assert (named.source in plain(at)) == (named.grid is None)


def test_a_fourth_panel_takes_the_place_of_the_last():
    at = visit("particles", {"panels": "EM,SO,REI", "h": "0.5"})
    at.selectbox(key="add-panels").set_value("Euler a").run()
    assert tuple(at.button_group(key=SETTING + "panels").value) == ("EM", "SO", "DDPM")


def test_an_option_enters_the_numbers():
    small, large = (rows(visit("samplers", {**KARRAS, "schemes": "EM,DDPM", "noise": v})) for v in ("0", "1"))
    small, large = (found.set_index("scheme")["W₂ at 48"] for found in (small, large))
    assert small["DDPM"] != large["DDPM"]
    assert small["EM"] == large["EM"]


@pytest.mark.parametrize("name", ["OC", "EM"])
def test_a_scheme_in_front_is_the_only_one_with_markers_where_it_has_values(name):
    at = visit("samplers", KARRAS)
    at.selectbox(key=FRONT).set_value(name).run()
    (chart,) = at.get("plotly_chart")
    curves = [t for t in json.loads(chart.proto.spec)["data"] if not t.get("showlegend")]
    marked = {t["name"] for t in curves if "markers" in t["mode"]}
    values = rows(at).set_index("scheme").loc[name]
    assert marked == {"EM"} if name == "EM" else len(marked) > 20
    assert (values["hollow because"] == "") == (name == "EM")


SKEW = {"grid": "quadratic", "target": "skew", "schemes": "EM", "h": "0.5", "particles": "64", "T": "1"}


def on_skew(monkeypatch, names):
    monkeypatch.setattr(samplers, "EVALUATIONS", (6, 12))
    monkeypatch.setattr(figures, "chosen", lambda shown: names)
    return visit("samplers", SKEW)


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
    values = settings.defaults() | {"target": "logistic", "logistic.score": "kernel", "grid": "karras", "noise": 1.0}
    parts, missing = studies.sampler_studies(values, ["EM", "SO", "DPM3"])
    assert {name: study.steps for name, study in parts.items()} == {
        f"{cost} a step": tuple(n // cost for n in samplers.EVALUATIONS) for cost in (1, 2, 3)
    }
    assert not missing
    assert not any(study.options for study in parts.values())
    assert "OC, SO. Why" in figures.missing({"OC": "Why.", "SO": "Why."}).replace(" and", ",")


def test_the_dial_follows_its_number_of_steps():
    at = opened(visit("samplers", EXACT), "dial-open")
    assert charts(at) == 2
    assert not silent(at)
    (few,) = tables(at, "N W₂, log σ")
    at.select_slider(key="dial-steps").set_value(1024).run()
    (many,) = tables(at, "N W₂, log σ")
    assert float(many.iloc[2]["order, best grid"]) == pytest.approx(1, abs=0.01)
    assert not many.equals(few)
