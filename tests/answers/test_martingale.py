"""The martingales of the reverse process on particles, and one score error under every assumption."""

import math

import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW, long

from dlab import answers
from dlab.answers import score_assumptions as assumed
from dlab.grid import Grid, read
from dlab.study import Study, run

MIXTURE = {"name": "mixture", "weights": [0.3, 0.7], "means": [[-1.5, 0.0], [1.5, 0.0]], "var": 0.3}


def asked(name, study, *which):
    *_, found = answers.find(name).stream(study, *which)
    return found


@pytest.mark.parametrize("target", [SKEW, MIXTURE, long(LOGISTIC)], ids=lambda t: t["name"])
def test_the_denoiser_and_the_grown_score_have_no_drift_on_targets_that_are_no_gaussian(target):
    found = asked("martingale", Study.from_json({"target": target}))
    assert not found["gaussian"]
    rows = found["rows"]
    for name in ("x0", "grown", "mean"):
        z = np.array([r[name] / r[f"{name}_stderr"] for r in rows])
        assert abs(z.sum()) < 4 * math.sqrt(len(z))
        assert z @ z < len(z) + 5 * math.sqrt(2 * len(z))
    z = np.array([(r["score"] - r["score_exact"]) / r["score_stderr"] for r in rows])
    assert abs(z.sum()) < 4 * math.sqrt(len(z))
    assert all(r["score"] < -0.2 for r in rows[:8])  # the score itself does move
    groups = found["groups"]
    for i in range(3):
        first, last = groups[0], groups[-1]
        stderr = math.hypot(first["x0_stderr"][i], last["x0_stderr"][i])
        assert abs(first["x0"][i] - last["x0"][i]) < 4 * stderr
        for g in groups:  # E[x] = cosh(u/2) x + 2 sinh(u/2) gamma, which is A gamma = x/4
            assert abs(g["x"][i] - g["x_exact"][i]) < 5 * max(g["x_stderr"][i], 1e-9) + 1e-9 + 5 * first["x_stderr"][i]


def test_a_score_that_is_wrong_by_a_twentieth_is_seen(monkeypatch):
    study = Study.from_json({"target": GAUSSIAN})

    class Wrong:
        def __init__(self, field):
            self.field = field

        def score(self, t, x):
            return 1.05 * self.field.score(t, x)

    monkeypatch.setitem(study.built.__dict__, "fast_field", Wrong(study.built.field))
    rows = asked("martingale", study)["rows"]
    z = np.array([r["x0"] / r["x0_stderr"] for r in rows])
    assert abs(z.sum()) > 6 * math.sqrt(len(z))


def test_constants_of_the_score():
    found = asked("score_constants", Study.from_json({"target": {**GAUSSIAN, "cov": [[4.0, 0.0], [0.0, 1.0]]}}))
    assert found["own"]["m0"] == pytest.approx(0.25)
    assert found["own"]["integrated"] == pytest.approx(4.837, abs=1e-3)
    assert found["own"]["printed"] is None
    assert found["start"][0]["integrated"] == 1
    apart = asked("score_constants", Study.from_json({"target": {**MIXTURE, "var": 0.2}}))
    assert apart["own"] is None
    assert apart["start"] is None


def ddpm(target, error, **more):
    return Study.from_json({"target": target, "schemes": ["DDPM"], "steps": [32], "score_error": error, "T": 4.0, **more})


@pytest.mark.parametrize("error", ["constant", "noise", "relative", long("field")])
@pytest.mark.parametrize("target", [GAUSSIAN, long(SKEW)], ids=lambda t: t["name"])
def test_every_assumption_bounds_what_the_error_moves(target, error):
    found = asked("score_assumptions", ddpm(target, {"name": error, "level": 0.1}), 32)
    rows = {r["name"]: r for r in found["rows"]}
    assert set(rows) == {"iterates", "average", "split", "relative", "forward", "loss", "one-sided"}
    for r in rows.values():
        if r["bound"] is not None:
            assert r["bound"] > found["moved"] - 4 * found["moved_stderr"]
    if error != "relative":
        assert rows["iterates"]["number"] == pytest.approx(0.1, rel=0.05)
        assert rows["iterates"]["bound"] >= rows["split"]["bound"] * (1 - 1e-9)
    if error == "noise":
        assert rows["split"]["bound"] < 0.3 * rows["iterates"]["bound"]
        assert rows["split"]["number"] == 0
    if error == "relative":
        assert rows["relative"]["number"] == pytest.approx(0.1, rel=1e-6)
    if error == "constant":
        assert rows["relative"]["bound"] is None  # the score vanishes somewhere
    assert found["moved_mean"] <= found["moved"] * (1 + 1e-9)


def test_an_exact_score_is_refused_and_so_are_runs_that_would_meet_other_noise():
    exact = ddpm(GAUSSIAN, {"name": "none"})
    assert "exact" in answers.find("score_assumptions").applies(exact, 32)
    assert "65 steps" in answers.find("score_assumptions").applies(ddpm(GAUSSIAN, {"name": "constant", "level": 0.1}), 65)


def test_a_score_whose_error_turns_has_no_contraction_to_speak_of():
    """The error under p_t alone promises nothing: the same level, many times the bound."""
    smooth, rough = (
        {r["name"]: r for r in asked("score_assumptions", ddpm(GAUSSIAN, {"name": name, "level": 0.1}), 32)["rows"]}
        for name in ("constant", "field")
    )
    assert rough["forward"]["number"] == pytest.approx(smooth["forward"]["number"], rel=1e-6)
    assert rough["forward"]["bound"] > 2 * smooth["forward"]["bound"]
    assert rough["iterates"]["bound"] == pytest.approx(smooth["iterates"]["bound"], rel=1e-6)


def test_fresh_noise_has_order_a_half_in_the_coupling_and_one_in_the_law():
    found = asked("fresh_noise", Study.from_json({"target": GAUSSIAN}))
    rows = found["rows"]
    for name, order in (("coupled", 0.5), ("law", 1.0)):
        assert found["slopes"][name] == pytest.approx(order, abs=0.03)
        fine = [r for r in rows if r["steps"] >= 512]
        slope = np.polyfit(np.log([r["steps"] for r in fine]), np.log([r[name] for r in fine]), 1)[0]
        assert slope == pytest.approx(-order, abs=0.03)
    assert all(math.sqrt(r["coupled"] ** 2 - r["own"] ** 2) >= 10 * r["own"] * (1 - 1e-9) for r in rows)


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_the_closed_forms_of_oc_are_those_of_the_lab_s_own_law_and_pairs(level):
    error = {"name": "noise", "level": level} if level else {"name": "none"}
    data = {"target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[0.5, 0.0], [0.0, 0.5]]}, "schemes": ["OC"], "steps": [16],
            "score_error": error, "grid": {"name": "log-snr"}, "particles": 4096}  # fmt: skip
    grid = Grid("log-snr", 16, read({"name": "log-snr"}, None, None))
    (law,) = run(Study.from_json(data)).rows
    assert law.w2 == pytest.approx(assumed.oc_law(grid, level), rel=1e-6, abs=1e-10)
    (pairs,) = run(Study.from_json(data | {"estimator": "coupled"})).rows
    assert pairs.w2 == pytest.approx(assumed.oc_coupled(grid, level), abs=4 * pairs.stderr + 5e-3 * pairs.w2)
