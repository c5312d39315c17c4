"""The law on a grid of the plane: against closed forms, against the laws of products, and the tangent distance itself."""

import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW, long

from dlab import errors, measure, schemes, targets
from dlab.grid import uniform
from dlab.laws import gaussian as laws
from dlab.laws import levels, plane
from dlab.measure import Case, density, exact
from dlab.study import Study, run

NONE = errors.build({"name": "none"})
CONSTANT = errors.build({"name": "constant", "level": 0.3, "angle": 50.0})


LINE = {"name": "mixture", "weights": [0.3, 0.7], "means": [[-0.5, -0.2], [0.7, 0.7]], "var": 0.45}  # a product along it
ROUND = {**LINE, "var": [[[0.5, 0.1], [0.1, 0.3]], [[0.3, 0.0], [0.0, 0.6]]]}


def case(target, name, h, error=NONE, T=2.0, start="exact"):
    target = target if isinstance(target, targets.Target) else targets.build(target)
    return Case(target, schemes.REGISTRY[name], error, uniform(T, round(T / h)), start)


@pytest.mark.parametrize(
    "name, h, error, start",
    [("EM", 0.5, NONE, "exact"), ("EI", 0.25, CONSTANT, "paper"), ("SO", 0.5, CONSTANT, "exact")],
)
def test_the_law_of_a_correlated_gaussian_is_the_closed_form(gaussian, name, h, error, start):
    c = case(gaussian, name, h, error, start=start)
    law, change = plane.propagate(c, [c.grid.steps])
    want = laws.propagate(c.scheme, gaussian, error, grid=c.grid, start=start)
    x = np.stack(np.meshgrid(*law.lines, indexing="ij"), -1).reshape(-1, 2) @ law.axes.T
    mass = law.density[-1].ravel() * np.prod([line[1] - line[0] for line in law.lines])
    mean = mass @ x
    np.testing.assert_allclose(mean, want.mean[-1], atol=1e-6)
    # Nodes for what SO's noise does not have in common: none is left over where the Hessian is constant.
    np.testing.assert_allclose(((x - mean).T * mass) @ (x - mean), want.cov[-1], atol=1e-5)
    assert law.w2() == pytest.approx(exact.estimate(c).value, rel=0.01)
    np.testing.assert_allclose(law.error_square, want.error_square, rtol=1e-6)
    assert change < levels.SETTLED


# W2 of laws.product, which takes longer than this law; the long cases compute it.
QUICK = [(LINE, "EM", 2, NONE, 0.2050254), (LINE, "SO", 4, CONSTANT, 0.3520641)]
FINE = [(SKEW, name, n, e, None) for name in ("EM", "EI", "SO") for n, e in ((2, CONSTANT), (8, NONE))]
FINE.append((SKEW, "EM", 32, NONE, None))


@pytest.mark.parametrize("spec, name, n, error, want", [*QUICK, *(long(*p) for p in FINE)])
def test_the_law_of_a_rotated_product_is_that_of_its_coordinates(spec, name, n, error, want):
    c = case(spec, name, 1 / n, error)
    found, want = density.ENTRY.estimate(c), want or exact.estimate(c).value
    assert found.value == pytest.approx(want, rel=0.01)
    assert found.method == "density"
    assert 0 < found.grid_change < levels.SETTLED
    # The distance is of first order, and says so where the displacement is large.
    assert bool(found.flags) == (want > density.NEAR * c.target.facts.std())


def test_scores_of_its_own_are_those_of_the_target():
    target = targets.build(ROUND)
    source = plane._Source(target)
    lines = [np.linspace(m - 4 * s, m + 4 * s, 9) for m, s in zip(source.mean, source.std)]
    for t in (1 / 64, 0.5, 4.0):
        log, s, H = source.diffused(t, lines)
        x = jnp.asarray(source.points(lines))
        np.testing.assert_allclose(s, target.field.score(t, x), atol=1e-9)
        np.testing.assert_allclose(H, target.field.hessian(t, x), atol=1e-8)
        want = np.asarray(target.field.log_density(t, x))
        np.testing.assert_allclose(log.ravel() - log[4, 4], want - want[40], atol=1e-9)


def test_mass_is_laid_down_with_its_moments():
    lines = [np.linspace(-3, 3, 31), np.linspace(-2, 4, 31)]
    y, weight = np.array([[0.123, 0.456], [-1.03, 1.21]]), np.array([0.25, 0.75])
    laid, lost = plane._lay(lines, y, weight)
    assert lost == 0.0
    for i, j in ((0, 0), (1, 0), (2, 1), (5, 5)):
        assert lines[0] ** i @ laid @ lines[1] ** j == pytest.approx(weight @ (y[:, 0] ** i * y[:, 1] ** j), rel=1e-10)
    assert plane._lay(lines, y + 5.0, weight)[1] == 1.0


@pytest.mark.parametrize("size", [0.02, 0.5])
def test_the_tangent_distance_of_two_gaussians(size):
    x = np.linspace(-7, 7, 97)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), -1)
    A, mean = np.eye(2) + size * np.array([[0.3, 0.2], [0.2, -0.4]]), size * np.array([0.5, -0.3])

    def normal(mean, cov):
        u = points - mean
        p = np.exp(-np.einsum("xyi,ij,xyj->xy", u, np.linalg.inv(cov), u) / 2)
        return p / p.sum() / (x[1] - x[0]) ** 2

    found = plane.tangent(normal(mean, A @ A), normal(np.zeros(2), np.eye(2)), [x[1] - x[0]] * 2)
    want = laws.bures(np.zeros(2), np.eye(2), mean, A @ A)
    assert found == pytest.approx(want, rel=0.003 if size < 0.1 else 0.01)


def test_where_it_has_nothing_to_say(skew):
    """None of this computes."""
    way = measure.REGISTRY["density"]
    assert "between the points" in way.applies(case(skew, "REM", 0.5))
    assert "random" in way.applies(case(skew, "EM", 0.5, errors.build({"name": "noise", "level": 0.1})))
    assert "d = 1" in way.applies(case({"name": "gaussian", "mean": [0.0], "cov": [[1.0]]}, "EM", 0.5))
    assert way.applies(case(LOGISTIC, "SO", 0.5, errors.build({"name": "field", "level": 0.1}))) is None
    assert measure.choose("auto", case(LOGISTIC, "EM", 0.5))[0].name == "projected"
    assert way.price(case(skew, "SO", 1 / 32)) > 5 * way.price(case(skew, "EM", 1 / 32)) > 0


def test_a_law_that_leaves_every_grid_has_diverged(gaussian):
    error = errors.build({"name": "relative", "level": 9.0})
    assert density.ENTRY.estimate(case(gaussian, "EM", 0.25, error)).value is None


def test_a_study_is_measured_by_it():
    spec = {"target": GAUSSIAN, "schemes": ["EM"], "h": [1.0, 0.5], "T": 1.0, "estimator": "density"}
    result = run(Study.from_json(spec)).to_json()
    assert {r["method"] for r in result["rows"]} == {"density"}
    assert all(0 < r["grid_change"] < levels.SETTLED for r in result["rows"])
    assert any("Laws on a grid" in note for note in result["notes"])


@pytest.mark.long
def test_projected_and_the_density_agree_on_the_logistic_posterior():
    common = {"target": LOGISTIC, "schemes": ["EM", "SO"], "h": [1 / 2, 1 / 4]}
    found, law = (run(Study.from_json({**common, "estimator": e})).rows for e in ("projected", "density"))
    for a, b in zip(found, law):
        assert abs(a.w2 - b.w2) < max(0.05 * b.w2, 3 * a.stderr), (a, b)
