"""Beyond the plane: schemes, the projected and the marginal estimator against exact laws in 3 to 20 dimensions."""

import jax
import numpy as np
import pytest
from cases import long

from dlab import errors, schemes, targets
from dlab.grid import uniform
from dlab.laws import gaussian
from dlab.measure import Case, Pairs, marginal, projected
from dlab.sample import diverged, simulate, starts
from dlab.study import Study, run

NAMES = list(schemes.PAPER)


def turned(d, low=0.4, high=1.6, seed=0):
    """A Gaussian with variances from low to high along axes at random."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
    cov = axes @ np.diag(np.geomspace(low, high, d)) @ axes.T
    return {"name": "gaussian", "mean": np.round(rng.normal(0, 0.3, d), 6).tolist(), "cov": ((cov + cov.T) / 2).tolist()}


def on_a_line(d, seed=1):
    """Two modes of one isotropic variance, apart along an axis at random: a rotated product, whose law is known."""
    way = np.random.default_rng(seed).standard_normal(d)
    way *= 0.55 / np.linalg.norm(way)
    return {"name": "mixture", "weights": [0.3, 0.7], "means": [(-way).tolist(), way.tolist()], "var": 0.6}


def check(target, names, h, particles, T=2.0):
    asked = {"target": target, "schemes": names, "h": h, "T": T, "particles": particles}
    found, known = (run(Study.from_json({**asked, "estimator": way})).rows for way in ("projected", "exact"))
    for row, exact in zip(found, known):
        assert row.method == "projected", row.method
        assert (row.scheme, row.h) == (exact.scheme, exact.h)
        assert abs(row.w2 - exact.w2) < max(0.05 * exact.w2, 3 * row.stderr), (row.scheme, row.h, row.w2, exact.w2, row.stderr)
        # The noise of a random midpoint may hide so small a distance; its interval says so.
        assert schemes.REGISTRY[row.scheme].randomised or row.stderr < 0.1 * exact.w2, (row.scheme, row.h, row.w2, row.stderr)


def test_projected_meets_the_exact_law_of_a_gaussian_beyond_the_plane():
    check(turned(3), ["EM", "SO"], [0.25], 512)


@pytest.mark.slow
@pytest.mark.parametrize("d, particles", [(3, 2048), long(8, 2048), long(20, 4096)])
def test_projected_meets_the_exact_law_of_a_gaussian_in_many_dimensions_for_every_scheme(d, particles):
    check(turned(d), NAMES, [0.25], particles)


@pytest.mark.parametrize("d", [long(3), long(5)])
def test_projected_meets_the_exact_law_of_two_modes_beyond_the_plane(d):
    check(on_a_line(d), ["EM", "EI", "SO"], [0.25], 4096)


def gaussian_case(d, scheme="EM"):
    return Case(targets.build(turned(d)), schemes.REGISTRY[scheme], errors.NONE, uniform(2.0, 8), "exact")


@pytest.mark.parametrize("d", [3, 20])
def test_a_gradient_map_is_measured_in_any_dimension_and_a_turn_that_keeps_the_law_is_not(d):
    rng = np.random.default_rng(d)
    y = rng.standard_normal((4096, d)) * np.geomspace(0.1, 1.0, d)
    K = rng.standard_normal((d, d)) * 0.02 / np.sqrt(d)
    K = K + K.T
    found = projected.estimate(gaussian_case(d), Pairs(y + y @ K, y))
    assert found.value == pytest.approx(np.sqrt(np.mean(np.sum((y @ K) ** 2, 1))), rel=0.05)
    z = rng.standard_normal((4096, d))
    still = projected.estimate(gaussian_case(d), Pairs(z + z @ (K - K.T + np.triu(K, 1) - np.triu(K, 1).T), z))
    moved = np.sqrt(np.mean(np.sum((z @ (np.triu(K, 1) - np.triu(K, 1).T)) ** 2, 1)))
    assert still.value < 0.35 * moved


def test_a_bend_in_two_coordinates_together_is_seen_beyond_the_plane():
    """The displacement of (u1^2 - 1) u2 is in no sum of functions of one coordinate and no bilinear form."""
    y = np.random.default_rng(5).standard_normal((4096, 3)) * np.array([0.8, 1.0, 1.3])
    push = 0.02 * np.stack([2 * y[:, 0] * y[:, 1], y[:, 0] ** 2 - 0.64, 0 * y[:, 2]], 1)
    found = projected.estimate(gaussian_case(3), Pairs(y + push, y))
    assert found.value == pytest.approx(np.sqrt(np.mean(np.sum(push**2, 1))), rel=0.05)


def test_projected_refuses_thousands_of_dimensions_in_a_sentence():
    case = Case(targets.build({"name": "spectrum", "dim": 65}), schemes.REGISTRY["EM"], errors.NONE, uniform(2.0, 8), "exact")
    assert projected.applies(case) == "The projected estimator works in up to 64 dimensions; this target has d = 65."


@pytest.mark.parametrize("name", ["EM", "REI"])
@pytest.mark.parametrize("start", ["exact", "paper"])
def test_a_scheme_in_twenty_dimensions_has_the_mean_and_covariance_of_its_exact_law(name, start):
    target, n = targets.build(turned(20)), 4096
    begin, _ = starts(target, jax.random.key(1), n, 1.0, start)
    assert begin.shape == (n, 20)
    x = simulate(schemes.REGISTRY[name], target.field, errors.NONE, begin, grid=uniform(1.0, 4), key=jax.random.key(2)).x
    law = gaussian.propagate(schemes.REGISTRY[name], target, errors.NONE, grid=uniform(1.0, 4), start=start)
    assert not diverged(x, target.facts).any()
    spread = np.sqrt(np.diag(law.cov[-1]))
    assert np.abs((x.mean(0) - law.mean[-1]) / spread).max() < 4.5 / np.sqrt(n)
    # Correlations and relative variances of a sample have standard errors near 1/sqrt(n) and sqrt(2/n).
    gap = (np.cov(x.T) - law.cov[-1]) / np.outer(spread, spread)
    assert np.abs(gap).max() < 5 * np.sqrt(2 / n)


def test_diverged_particles_are_counted_in_twenty_dimensions():
    target = targets.build(turned(20))
    x = np.zeros((5, 20))
    x[1, 7], x[2, 19] = np.nan, 1e7
    assert diverged(x, target.facts).tolist() == [False, True, True, False, False]


# ---------------------------------------------------------------- the first coordinate


def test_marginal_reads_a_shift_of_the_first_coordinate_and_nothing_of_the_others():
    target = targets.build(turned(5))
    case = Case(target, schemes.REGISTRY["EM"], errors.NONE, uniform(2.0, 8), "exact")
    x = np.asarray(target.sample(jax.random.key(3), 4096)) + np.array([0.5, 3.0, -2.0, 0.0, 9.0])
    found = marginal.estimate(case, Pairs(x, None))
    assert found.method == "marginal"
    assert found.value == pytest.approx(0.5, abs=4 * found.stderr + found.floor)
    still = marginal.estimate(case, Pairs(np.asarray(target.sample(jax.random.key(4), 4096)), None))
    assert still.value < 2 * still.floor
    assert "sampling floor" in still.flags[0]


def test_the_standard_error_of_the_marginal_distance_is_the_spread_over_samples():
    rng = np.random.default_rng(0)
    found = np.array([marginal.jackknifed(1.4 * rng.standard_normal(512), rng.standard_normal(512) + 0.2) for _ in range(60)])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(ddof=1), rel=0.3)
    assert found[:, 0].mean() == pytest.approx(np.hypot(0.4, 0.2), abs=0.02)


def test_w1_is_scipys():
    from scipy.stats import wasserstein_distance

    x, y = np.random.default_rng(1).standard_normal((2, 300)) * np.array([[1.0], [1.7]])
    assert marginal.of_lines(x, y, 1) == pytest.approx(wasserstein_distance(x, y), rel=1e-9)


def test_a_study_by_the_marginal_distance_meets_the_exact_law_and_runs_no_reference():
    asked = {"target": turned(5), "schemes": ["EM", "REM"], "h": [0.5], "T": 2.0, "particles": 2048, "start": "paper"}
    study = Study.from_json({**asked, "estimator": "marginal"})
    assert study.work == 2 * 2048 * 4
    found = run(study)
    target = study.built
    for row in found.rows:
        law = gaussian.propagate(schemes.REGISTRY[row.scheme], target, errors.NONE, grid=uniform(2.0, 4), start="paper")
        want = np.hypot(law.mean[-1, 0] - target.mean[0], np.sqrt(law.cov[-1, 0, 0]) - np.sqrt(target.cov[0, 0]))
        if row.scheme == "EM":
            assert row.w2 == pytest.approx(want, abs=4 * row.stderr + row.floor)
        assert row.floor > 0
        assert row.lower is None
        assert row.upper is None
    assert not [n for n in found.to_json()["notes"] if "control variate" in n]
    assert set(found.clouds) == {"EM_4", "REM_4"}
    wide = {"target": {"name": "spectrum", "dim": 65}, "score_error": {"name": "field", "level": 0.1}}
    with pytest.raises(ValueError, match="does not apply"):
        Study.from_json({**asked, **wide, "estimator": "projected"})
