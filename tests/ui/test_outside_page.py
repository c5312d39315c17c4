"""The page outside the assumptions without a browser: every case, the folded sections, and what it says where nothing fails."""

import re

import numpy as np
import pytest
from apptest import charts, opened, plain, silent, visit
from apptest import tables as tables_with
from cases import long

from dlab import answers, engine
from dlab.figures import tables
from dlab.ui import assumption_cases, links, settings, studies

FEW = {"schemes": "EM,SO", "h": "0.5..0.0625", "T": "2"}


def test_the_gaussian_case_is_shown_at_once_with_what_fails_and_what_is_measured():
    at = visit("outside", {**FEW, "outside.case": "wide"})
    assert charts(at) == 2
    assert not at.error
    assert all(part in plain(at) for part in ("m₀ = 0.400", "Theorem 1, Theorem 3 and Theorem 4", "EM C = "))
    assert any("line: no bound" in element.proto.body for element in at.get("html"))
    # The menu's list of pages, and a button that nobody sees.
    assert not silent(at)


def test_a_value_where_nothing_fails_is_not_called_a_failure():
    at = visit("outside", {**FEW, "outside.case": "wide", "outside.wide": "1.5"})
    assert "No assumption is known to fail here" in plain(at)


def test_every_case_has_a_control_of_its_own_in_the_link():
    for case in assumption_cases.CASES:
        values, notes = links.read({"outside.case": case.name, f"outside.{case.name}": f"{case.values[-1]:g}"})
        assert notes == []
        assert studies.case_of(values) is case
        assert values[f"outside.{case.name}"] == case.values[-1]
        assert case.default in case.values
        target = studies.case_study(values).target
        assert target["name"] == case.target
    _, notes = links.read({"outside.case": "elsewhere", "outside.kink": "7"})
    assert len(notes) == 2
    assert "elsewhere" in notes[0]
    assert "7" in notes[1]
    assert {settings.table()[name].short for name in settings.names_of("outside")} == {"case", "on", "drift", *assumption_cases.BY_NAME}


def test_the_box_says_that_a_random_midpoint_has_no_finite_distance():
    at = visit("outside", {**FEW, "schemes": "EM,REM,REI", "outside.case": "box"})
    said = plain(at)
    assert "L₀ = ∞" in said
    assert re.search("REM and REI.*infinite", said)
    # Its order is ¾: a constant at order 1 would say nothing.
    assert "C" in at.table[0].value.columns
    assert tables.AT_ORDER not in at.table[0].value.columns
    opened(at, "modes-open")
    assert "in the box" in plain(at)


@pytest.mark.long
def test_modes_and_laws_open_on_a_mixture():
    one = {**FEW, "schemes": "EM", "h": "0.5..0.25", "T": "1"}
    at = opened(visit("outside", one), "modes-open", "law-open", "measured-open", "theorem-open")
    said = plain(at)
    assert "of the mass where the target has" in said
    assert charts(at) == 5
    assert "void" in said
    assert not silent(at)


def test_wrong_hessians_are_shown_with_cost_order_and_the_derived_constant():
    at = opened(visit("outside", {**FEW, "outside.case": "wide"}), "hessians-open")
    assert charts(at) == 4
    said = plain(at)
    assert "Measured slopes:" in said
    assert "times at" in said
    assert "renewed every 4 steps" in said
    table = tables_with(at, "W₂/h derived, h → 0")[0].set_index("Hessian")
    # Few evaluations and an order less, or the order kept.
    assert float(table.loc["renewed every 16 steps", "Hessians"]) == 32
    assert float(table.loc["none", "Hessians"]) == 0
    for label in ("scaled by 1.2", "diagonal only", "stiffest direction only", "none"):
        derived, measured = (float(table.loc[label, c]) for c in ("W₂/h derived, h → 0", "W₂/h"))
        assert measured == pytest.approx(derived, rel=0.15)


@pytest.mark.parametrize("case", [c.name for c in assumption_cases.CASES])
def test_a_case_opens_with_its_masses_and_its_law_and_nothing_is_computed(case, tmp_path, monkeypatch):
    def none(*given, **more):
        raise AssertionError("something is computed")

    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    if case != "wide":  # in closed form
        monkeypatch.setattr(engine, "answer", none)
        monkeypatch.setattr(engine, "stream", none)
    engine.CACHE.forget()
    at = opened(visit("outside", {"outside.case": case}), "modes-open", "law-open")
    assert charts(at) == 5
    said = plain(at)
    assert "the law of EM is W₂ = " in said
    if case in ("modes", "wells", "box"):
        assert "of the mass where the target has" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wells-modes", *map(long, ("wells-law", "modes-modes", "modes-law", "kink-law", "box-modes", "box-law"))])
def test_prepared_masses_and_laws_are_what_the_command_makes(name):
    _, kind, study, which = next(asked for asked in studies.case_answers(settings.defaults()) if asked[0] == name)
    kept, made = engine.kept_answer(kind, study, *which), answers.find(kind).compute(study, *which)
    if kind == "law":
        assert made["w2"] == pytest.approx(kept["w2"], rel=1e-6)
        for name, values in made["map"].items():
            np.testing.assert_allclose(values, kept["map"][name], atol=1e-6)
        return
    assert [(r["scheme"], r["method"]) for r in made["rows"]] == [(r["scheme"], r["method"]) for r in kept["rows"]]
    for new, old in zip(made["rows"], kept["rows"]):
        # Of particles that go far one in thousands may cross an edge with another rounding.
        assert new["masses"] == (old["masses"] and pytest.approx(old["masses"], abs=1e-5 if new["method"] == "law" else 1e-3))
