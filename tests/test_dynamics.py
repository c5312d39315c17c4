"""A scheme of the probability-flow ODE, without noise, is measured against the flow, by every route that its law has."""

import dataclasses

import jax
import numpy as np
import pytest
from cases import GAUSSIAN, SKEW

from dlab import schemes
from dlab.answers import one_step, trajectory
from dlab.errors import NONE
from dlab.grid import uniform
from dlab.laws import gaussian as laws
from dlab.measure import Case
from dlab.sample import reference, simulate, starts
from dlab.study import Study, run

MIXTURE = {"name": "mixture", "weights": [0.4, 0.6], "means": [[-0.6, 0.3], [0.8, -0.5]],
           "var": [[[0.6, 0.2], [0.2, 0.5]], [[0.4, 0.0], [0.0, 0.9]]]}  # fmt: skip


def _euler(field, t, t_next, x, noise):
    return {"drift": (t - t_next) / 2 * (x + field.score(t, x))}


@pytest.fixture(autouse=True)
def flow(monkeypatch):
    changed = {"parts": _euler, "dynamics": "ODE", "strong_order": 1.0, "law_order": 1.0, "expansion": None, "theorem": None}
    scheme = dataclasses.replace(schemes.REGISTRY["EM"], name="PF", **changed)
    monkeypatch.setitem(schemes.REGISTRY, "PF", scheme)
    return scheme


def rows(target, estimator, names=("PF",), **more):
    study = {"target": target, "schemes": list(names), "h": [0.25], "T": 2.0, "estimator": estimator, "particles": 2048, **more}
    return {row.scheme: row for row in run(Study.from_json(study)).rows}


def test_a_step_without_noise_is_seen_to_have_none(flow):
    assert flow.normals() == flow.normals(along=True) == 0
    assert flow.asks == {"start"}


def test_on_a_gaussian_its_law_is_an_affine_map_of_the_start(gaussian, flow):
    law = laws.propagate(flow, gaussian, NONE, grid=uniform(2.0, 8), start="exact")
    mean, cov = laws.diffused(gaussian.facts, 2.0)
    for t in 2.0 - 0.25 * np.arange(8):
        centre, spread = laws.diffused(gaussian.facts, t)
        A = np.eye(2) + 0.125 * (np.eye(2) - np.linalg.inv(spread))
        mean, cov = A @ mean + 0.125 * np.linalg.solve(spread, centre), A @ cov @ A.T
    np.testing.assert_allclose(law.mean[-1], mean, atol=1e-13)
    np.testing.assert_allclose(law.cov[-1], cov, atol=1e-13)
    exact, drawn = (rows(GAUSSIAN, e)["PF"] for e in ("exact", "projected"))
    assert drawn.w2 == pytest.approx(exact.w2, rel=0.02, abs=4 * drawn.stderr)
    assert drawn.stderr < 0.03 * drawn.w2


@pytest.mark.parametrize("target, law", [(SKEW, "exact"), (MIXTURE, "density")], ids=["skew", "mixture"])
def test_its_law_on_a_grid_and_its_particles_beside_the_flow_agree(target, law):
    """Beside the reverse SDE the particles read 0.0 with a standard error of 0.2."""
    exact, drawn = rows(target, law)["PF"], rows(target, "projected", ("EM", "PF"))["PF"]
    assert exact.w2 > 0.02
    assert exact.grid_change is None or exact.grid_change < 0.005
    assert drawn.w2 == pytest.approx(exact.w2, rel=0.03, abs=4 * drawn.stderr)
    assert drawn.stderr < 0.05 * drawn.w2
    assert drawn.lower * 0.97 <= drawn.w2 <= drawn.upper * 1.03
    assert not [flag for flag in drawn.flags if "reference" in flag]


def test_the_bracket_is_that_of_the_flow_with_the_papers_start_too():
    row = rows(SKEW, "coupled", start="paper")["PF"]
    assert row.lower < row.w2 < 1


def test_the_reference_has_its_order_and_ends_at_the_target(gaussian):
    start, _ = starts(gaussian, jax.random.key(0), 64, 2.0, "exact")

    def end(steps):
        return simulate(reference.FLOW, gaussian.field, NONE, start, grid=uniform(2.0, steps), key=jax.random.key(1)).x

    gaps = [np.abs(end(n) - end(2 * n)).max() for n in (32, 64)]
    assert np.log2(gaps[0] / gaps[1]) == pytest.approx(reference.FLOW.law_order, abs=0.3)
    case = Case(gaussian, schemes.REGISTRY["PF"], NONE, uniform(2.0, 8), "exact")
    assert case.reference is reference.FLOW
    # The flow maps p_T to p_0: on a Gaussian affinely along common axes, v^(1/2) standard deviations to v_T^(1/2).
    values, axes = np.linalg.eigh(gaussian.facts.cov)
    late = np.exp(-2.0) * values - np.expm1(-2.0)
    want = gaussian.facts.mean + (start - np.exp(-1.0) * gaussian.facts.mean) @ axes * np.sqrt(values / late) @ axes.T
    np.testing.assert_allclose(end(256), want, atol=1e-5)


def test_the_player_and_the_one_step_errors_take_the_flow(monkeypatch):
    study = Study.from_json({"target": MIXTURE, "schemes": ["EM", "PF"], "h": [0.25], "T": 1.0, "estimator": "projected"})
    tracks = {t.scheme: t for t in trajectory.motion(study, study.schemes, 4, 512).tracks}
    exact = rows(MIXTURE, "density", h=[0.25], T=1.0)["PF"]
    assert tracks["PF"].distance[-1] == pytest.approx(exact.w2, rel=0.2)
    monkeypatch.setattr(one_step, "PATHS", 256)
    found = {r["h"]: r for r in one_step.one_step(study)["rows"] if r["scheme"] == "PF"}
    assert all(r["fluctuation"] == 0 for r in found.values())
    assert np.log2(found[0.125]["mean"] / found[0.0625]["mean"]) == pytest.approx(2, abs=0.2)
