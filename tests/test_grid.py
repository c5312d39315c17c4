"""Grids: their times, refinement and unions; steps that differ run through paths, schemes, laws and bounds."""

import itertools

import jax
import numpy as np
import pytest
from cases import GAUSSIAN, SKEW

from dlab import noise, schemes, targets, theory
from dlab.errors import NONE
from dlab.grid import Grid, of_times, uniform, union
from dlab.laws import gaussian as laws
from dlab.measure import Case, exact
from dlab.sample import simulate, starts

UNEVEN = of_times([3.0, 2.2, 1.7, 1.0, 0.55, 0.3, 0.12, 0.04, 0.0])
DECADES = of_times([0.0, *np.geomspace(4e-5, 4.0, 12)][::-1])


@pytest.mark.parametrize("T, steps", [(3.3, 7), (4.0, 64), (10.0, 1023)])
def test_a_uniform_grid_ends_at_0_and_is_among_its_refinements(T, steps):
    grid = uniform(T, steps)
    assert grid.times[0] == grid.T == T
    assert grid.times[-1] == grid.stop == 0
    assert grid.step == T / steps
    np.testing.assert_allclose(grid.h, T / steps, atol=1e-15 * T)
    for k in (2, 3, 5):
        assert grid.refined(k) == uniform(T, k * steps)
        np.testing.assert_array_equal(grid.refined(k).places(grid), k * np.arange(steps + 1))
    assert hash(grid) == hash(uniform(T, steps))


def test_a_grid_over_five_decades_is_refined_and_found_again():
    fine = DECADES.refined(4)
    assert fine.steps == 4 * DECADES.steps
    np.testing.assert_array_equal(fine.places(DECADES), 4 * np.arange(DECADES.steps + 1))
    assert DECADES.step is None
    assert DECADES.largest == pytest.approx(DECADES.h.max())


def test_grids_that_do_not_nest_meet_on_their_union():
    coarse, other = uniform(4.0, 3), uniform(4.0, 4)
    both = union(coarse, other)
    np.testing.assert_allclose(both.times, [4, 3, 8 / 3, 2, 4 / 3, 1, 0], atol=1e-14)
    np.testing.assert_array_equal(both.places(coarse), [0, 2, 4, 6])
    assert union(uniform(3.3, 7), uniform(3.3, 21)).steps == 21
    with pytest.raises(ValueError, match="union"):
        other.places(coarse)
    with pytest.raises(ValueError, match="different times"):
        union(coarse, uniform(3.0, 4))


@pytest.mark.parametrize("times", [[1.0, 1.0, 0.0], [0.0, 1.0], [1.0, -0.1], [np.inf, 0.0]])
def test_times_that_do_not_fall_to_0_or_above_are_refused(times):
    with pytest.raises(ValueError, match="fall"):
        _ = of_times(times).times
    with pytest.raises(ValueError, match="fall"):
        _ = Grid("uniform", 4, (("T", -1.0),)).times


# ---------------------------------------------------------------- steps that differ


def moments_of(f, a, b):
    z, w = np.polynomial.legendre.leggauss(20)
    v = a + (b - a) * (z + 1) / 2
    return [(b - a) / 2 * w @ (f(v) * np.polynomial.legendre.Legendre.basis(k)(z)) for k in range(noise.MOMENTS)]


@pytest.mark.parametrize("groups", [4, [1, 2, 5], [3, 3, 2]])
def test_unequal_intervals_merge_exactly(groups):
    """A deterministic path w'(v) = v^2 has moments that quadrature knows."""
    passed = UNEVEN.T - UNEVEN.times
    fine = np.array([moments_of(np.square, a, b) for a, b in itertools.pairwise(passed)])[:, :, None, None]
    m = np.full(2, 4) if groups == 4 else groups
    ends = passed[np.append(0, np.cumsum(m))]
    merged = noise.merge(fine, groups, UNEVEN.h)[:, :, 0, 0]
    np.testing.assert_allclose(merged, [moments_of(np.square, a, b) for a, b in itertools.pairwise(ends)], atol=1e-13)


def test_a_path_of_unequal_intervals_and_its_union_have_their_variances():
    n = 20_000
    path = noise.path(jax.random.key(1), UNEVEN.h, n, 1)
    whole = noise.merge(path, [2, 6], UNEVEN.h)
    for moments, lengths in ((path, UNEVEN.h), (whole, np.add.reduceat(UNEVEN.h, [0, 2]))):
        want = lengths[:, None] / (2 * np.arange(noise.MOMENTS) + 1)
        assert np.abs(np.mean(moments[..., 0] ** 2, -1) / want - 1).max() < 5 * np.sqrt(2 / n)
    assert np.abs(np.mean(whole[:, 0] * whole[:, 1], 1)).max() < 5 / np.sqrt(n) * UNEVEN.T
    with pytest.raises(ValueError, match="add up"):
        noise.merge(path, [2, 5], UNEVEN.h)


@pytest.mark.parametrize("name", list(schemes.REGISTRY))
def test_along_a_path_over_decades_the_particles_have_the_exact_law(name, gaussian):
    """By the paths' moments and in the closed form alike a step has its own length."""
    n, scheme = 20_000, schemes.REGISTRY[name]
    fine = DECADES.refined(2)
    start, _ = starts(gaussian, jax.random.key(2), n, DECADES.T, "exact")
    path = noise.merge(noise.path(jax.random.key(3), fine.h, n, 2), 2, fine.h)
    x = simulate(scheme, gaussian.field, NONE, start, grid=DECADES, key=jax.random.key(4), path=path).x
    law = laws.propagate(scheme, gaussian, NONE, grid=DECADES, start="exact")
    centred = x - law.mean[-1]
    assert np.all(np.abs(centred.mean(0)) < 4.5 * x.std(0) / np.sqrt(n))
    for i, j in ((0, 0), (0, 1), (1, 1)):
        product = centred[:, i] * centred[:, j]
        assert abs(product.mean() - law.cov[-1][i, j]) < 4.5 * product.std() / np.sqrt(n)


@pytest.mark.parametrize("name", ["EM", "SO"])
def test_given_times_that_are_uniform_are_the_uniform_grid(name, gaussian, skew):
    """Laws in closed form and on a grid, and the bounds: the times alone count, not the maker."""
    even, given = uniform(2.0, 8), of_times(uniform(2.0, 8).times)
    for target in (gaussian, skew):
        case = [Case(target, schemes.REGISTRY[name], NONE, grid, "exact") for grid in (even, given)]
        assert exact.estimate(case[0]).value == pytest.approx(exact.estimate(case[1]).value, rel=1e-9)
    for bound in (lambda grid: theory.recursion(gaussian.facts, grid=grid, start="paper").total,
                  lambda grid: theory.sharp(gaussian.facts, grid=grid, start="paper")[0][-1]):  # fmt: skip
        assert bound(even) == pytest.approx(bound(given), rel=1e-12)


def test_laws_and_bounds_follow_steps_that_differ():
    """On a product the law on a grid of points is that of Gaussians where the target is one; EM stays below its bounds."""
    spread = {**GAUSSIAN, "cov": [[0.7, 0.0], [0.0, 1.2]], "mean": [0.0, 0.3]}
    target, fine = targets.build(spread), UNEVEN.refined(16)
    scheme = schemes.REGISTRY["EM"]
    found = exact.estimate(Case(target, scheme, NONE, UNEVEN, "exact")).value
    assert exact.estimate(Case(target, scheme, NONE, fine, "exact")).value == pytest.approx(found / 16, rel=0.3)
    assert found <= theory.sharp(target.facts, grid=UNEVEN, start="exact")[0][-1]
    skew = targets.build(SKEW)
    values = [exact.estimate(Case(skew, schemes.REGISTRY["SO"], NONE, grid, "exact")).value for grid in (UNEVEN, UNEVEN.refined(2))]
    assert 3 < values[0] / values[1] < 5
