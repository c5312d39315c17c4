"""Answers on time grids that are not uniform: they are given there, of that grid, and kept apart."""

import numpy as np
import pytest

from dlab import answers, engine, study
from dlab.params import BadInput
from dlab.study import Study

GAUSSIAN = {"name": "gaussian", "mean": [0.3, 0.0], "cov": [[1.0, 0.2], [0.2, 0.5]]}
SKEW = {"name": "skew", "lam": 1.0, "c": 3.0, "k": 3.0, "angle": 0.5}
KARRAS = {"grid": {"name": "karras"}}
CUBIC = {"grid": {"name": "cubic"}, "stop": 0.01}


def on(grid, target=GAUSSIAN, **more):
    return Study.from_json({"target": target, "schemes": ["EM", "DDIM"], "steps": [8, 16], "particles": 256, **grid, **more})


def given(name, asked, *which):
    *_, last = answers.find(name).stream(asked, *which)
    return last


@pytest.mark.parametrize("target, grid", [(GAUSSIAN, KARRAS), (GAUSSIAN, CUBIC), (SKEW, KARRAS)])
@pytest.mark.parametrize("scheme", ["EM", "DDIM"])
def test_a_law_is_the_one_that_the_curve_measures(grid, target, scheme):
    asked = on(grid, target)
    found = given("law", asked, scheme, 16)
    row = next(r for r in study.run(asked).to_json()["rows"] if (r["scheme"], r["steps"]) == (scheme, 16))
    assert found["h"] is None
    assert found["w2"] == pytest.approx(row["w2"], rel=1e-9)
    x, y = (np.asarray(found["map"][k]) for k in ("x", "y"))
    mass = np.asarray(found["map"]["law"]).sum() * (x[1] - x[0]) * (y[1] - y[0])
    assert mass == pytest.approx(1, abs=0.02)


def test_every_estimator_is_asked_at_every_number_of_steps():
    found = given("estimators", on(KARRAS), "DDIM")
    assert {r["steps"] for r in found["rows"]} == {8, 16}
    assert {r["h"] for r in found["rows"]} == {None}
    exact, plug = ({r["steps"]: r["w2"] for r in found["rows"] if r["method"] == m} for m in ("exact", "plugin"))
    assert exact[16] < exact[8] < plug[8]


def test_a_score_error_is_met_at_the_times_of_the_grid():
    found = given("error_levels", on(CUBIC, score_error={"name": "constant", "level": 0.1}), "EM", 16)
    assert found["variants"]["iterates"]["value"] == pytest.approx(0.1)
    assert np.allclose(found["curve"]["t"], on(CUBIC).grid(16).times[:-1])


def test_answers_on_different_times_are_kept_apart():
    names = {engine.answer_name("law", on(grid), "EM", 16) for grid in (KARRAS, CUBIC, {"grid": {"name": "cubic"}}, {"T": 4})}
    assert len(names) == 4
    more = on({"grid": {"name": "karras"}}), Study.from_json({**on(KARRAS).to_json(), "steps": [8]})
    assert len({engine.answer_name("estimators", asked, "EM") for asked in more}) == 2


@pytest.mark.parametrize("name", ["recursion", "drift_sign", "first_coordinate"])
def test_what_is_about_equal_steps_says_so(name):
    entry = answers.find(name)
    with pytest.raises(BadInput, match="equal steps"):
        entry.check(on(KARRAS), *[4 for _ in entry.arguments])
