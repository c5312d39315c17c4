"""Grids: their times by every maker, refinement and clock; steps that differ run through paths, schemes, laws and bounds."""

import itertools
import math

import jax
import numpy as np
import pytest
from cases import GAUSSIAN, SKEW, has_moments, long

from dlab import grid as grids
from dlab import noise, schemes, targets, theory
from dlab.errors import NONE
from dlab.grid import Grid, of_times, uniform
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


def test_a_grid_that_does_not_hold_anothers_times_says_so():
    with pytest.raises(ValueError, match="not all among"):
        uniform(4.0, 4).places(uniform(4.0, 3))


@pytest.mark.parametrize("times", [[1.0, 1.0, 0.0], [0.0, 1.0], [1.0, -0.1], [np.inf, 0.0]])
def test_times_that_do_not_fall_to_0_or_above_are_refused(times):
    with pytest.raises(ValueError, match="fall"):
        _ = of_times(times).times
    with pytest.raises(ValueError, match="fall"):
        _ = Grid("uniform", 4, (("T", -1.0),)).times


# ---------------------------------------------------------------- makers


def lay(spec, steps, T=None, stop=None) -> Grid:
    return Grid(spec["name"], steps, grids.read(spec, T, stop))


def between(first, last, n=10):
    return np.linspace(first, last, n + 1)


def B(s):
    """Of linear VP, beta from 0.1 to 20."""
    return 0.1 * s + 9.95 * s**2


def s_of(B):
    return (math.sqrt(0.01 + 39.8 * B) - 0.1) / 19.9


WHOLE, LOW = B(1.0), 1e-3
# Spec, T, stop, and the wanted sigma / alpha of 10 steps, None for what is given in t.
LAID = {
    "uniform": ({"name": "uniform"}, 3.0, LOW, np.sqrt(np.expm1(between(3.0, LOW)))),
    "quadratic": ({"name": "quadratic"}, 3.0, LOW, np.sqrt(np.expm1(between(math.sqrt(3.0), math.sqrt(LOW)) ** 2))),
    "quadratic to 0": ({"name": "quadratic"}, 3.0, None, np.sqrt(np.expm1(between(math.sqrt(3.0), 0) ** 2))),
    "log-snr": ({"name": "log-snr", "last": "sigma_min"}, None, None, 80 * (0.002 / 80) ** between(0, 1)),
    "log-snr to 0": ({"name": "log-snr", "sigma_max": 10}, None, None, [*(10 * (0.002 / 10) ** between(0, 1, 9)), 0]),
    "karras": (
        {"name": "karras", "rho": 5, "sigma_min": 0.01, "last": "sigma_min"}, None, None, between(80**0.2, 0.01**0.2) ** 5,
    ),
    "karras to 0": ({"name": "karras"}, None, None, [*(between(80 ** (1 / 7), 0.002 ** (1 / 7), 9) ** 7), 0]),
    "vp-linear": ({"name": "vp-linear"}, None, None, np.sqrt(np.expm1(B(between(1, 0))))),
    "vp-linear, cut": (
        {"name": "vp-linear", "sigma_max": 80}, None, LOW, np.sqrt(np.expm1(B(between(s_of(math.log1p(6400)), s_of(LOW))))),
    ),
    "vp-cosine": ({"name": "vp-cosine"}, None, None, np.tan(between(math.atan(80), 0))),
    "sub-vp": ({"name": "sub-vp"}, None, None, 2 * np.sinh(B(between(1, 0)) / 2)),
    "flow": ({"name": "flow", "sigma_max": 9}, None, None, (s := between(0.9, 0)) / (1 - s)),
    "geometric": (
        {"name": "geometric", "delta": 0.01, "last": "sigma_min"}, 5.0, None,
        np.sqrt(np.expm1([*between(5, 1, 5), *(0.01 ** between(0, 1, 5)[1:])])),
    ),
    "tangent": ({"name": "tangent", "v": 0.1}, None, None, math.sqrt(0.1) * np.tan(between(math.atan(80 / math.sqrt(0.1)), 0))),
    "inverse-root": ({"name": "inverse-root", "v": 0.1}, None, None, np.sqrt(np.maximum(between(6400.1**-0.5, 0.1**-0.5) ** -2 - 0.1, 0))),
    "cubic": (
        {"name": "cubic", "m0": 0.05}, None, None, np.sqrt((w := between((320 / 321) ** (1 / 3), 0) ** 3) / (0.05 * (1 - w))),
    ),
}  # fmt: skip


def test_every_maker_is_laid_out_here():
    assert {spec["name"] for spec, *_ in LAID.values()} == set(grids.MAKERS) - {"times"}


@pytest.mark.parametrize("name", LAID)
def test_a_maker_lays_the_published_sigmas(name):
    spec, T, stop, sigmas = LAID[name]
    grid = lay(spec, 10, T, stop)
    sigmas = np.asarray(sigmas)
    np.testing.assert_allclose(grid.sigmas, sigmas, rtol=1e-12, atol=2e-8)
    np.testing.assert_allclose(grid.times, np.log1p(sigmas**2), rtol=1e-12, atol=1e-14)
    assert grid.times[-1] == (0 if sigmas[-1] < 1e-7 else pytest.approx(grid.stop, rel=1e-15))


@pytest.mark.parametrize("name", LAID)
def test_refined_a_grid_keeps_its_times(name):
    """In the maker's own parameter where its grids nest; else the steps themselves are parted."""
    spec, T, stop, _ = LAID[name]
    grid = lay(spec, 10, T, stop)
    fine = grid.refined(3)
    assert fine.steps == 30
    np.testing.assert_array_equal(fine.places(grid), 3 * np.arange(11))
    assert grid.nests == (spec.get("last", "sigma_min" if not grids.MAKERS[spec["name"]].ends else "zero") != "zero")
    assert (fine == lay(spec, 30, T, stop)) == grid.nests
    if not grid.stop:
        assert grid.to_zero() is grid
    else:
        assert grid.to_zero().stop == 0
        np.testing.assert_array_equal(grid.to_zero().times[:11], grid.times)


@pytest.mark.parametrize("name", LAID)
def test_the_clock_is_beta_at_a_steps_start_over_its_mean(name):
    """dt = beta ds: what an Euler step with beta frozen takes for t_n - t_{n+1}, by a difference quotient in the maker's own parameter."""
    spec, T, stop, _ = LAID[name]
    grid, fine = lay(spec, 10, T, stop), 4096
    inner = 10 - grid.open_ended  # the step down to 0 is none of the parameter's
    ends = lay(spec, inner * fine + grid.open_ended, T, stop).times[: inner * fine + 1]
    start = ends[: inner * fine : fine]
    # Three points: the derivative where a step starts, to second order.
    slope = (3 * start - 4 * ends[1 : inner * fine : fine] + ends[2 : inner * fine : fine]) / 2 * fine
    np.testing.assert_allclose(grid.clock[:inner], slope / grid.h[:inner], rtol=5e-4)
    np.testing.assert_array_equal(grid.clock[inner:], 1)
    if spec["name"] == "uniform":
        np.testing.assert_array_equal(grid.clock, 1)


def test_one_step_and_many_fall_all_the_way():
    for spec, T, stop, _ in LAID.values():
        for steps in (1, 2, 1000):
            grid = lay(spec, steps, T, stop)
            assert len(grid.times) == steps + 1
            assert (grid.h > 0).all()


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


def test_a_path_of_unequal_intervals_and_of_their_unions_has_its_variances():
    n = 20_000
    path = noise.path(jax.random.key(1), UNEVEN.h, n, 1)
    whole = noise.merge(path, [2, 6], UNEVEN.h)
    for moments, lengths in ((path, UNEVEN.h), (whole, np.add.reduceat(UNEVEN.h, [0, 2]))):
        want = lengths[:, None] / (2 * np.arange(noise.MOMENTS) + 1)
        assert np.abs(np.mean(moments[..., 0] ** 2, -1) / want - 1).max() < 5 * np.sqrt(2 / n)
    assert np.abs(np.mean(whole[:, 0] * whole[:, 1], 1)).max() < 5 / np.sqrt(n) * UNEVEN.T
    with pytest.raises(ValueError, match="add up"):
        noise.merge(path, [2, 5], UNEVEN.h)


# One of each way to take noise from a path; SEEDS2 takes longest to compile.
@pytest.mark.parametrize("name", [*schemes.PAPER, "SHARK", "PC", *map(long, ("DDPM", "2M-SDE", "SEEDS2", "CHURN", "TAYLOR", "OC"))])
def test_along_a_path_over_decades_the_particles_have_the_exact_law(name, gaussian):
    """By the paths' moments and in the closed form alike a step has its own length."""
    n, scheme = 20_000, schemes.REGISTRY[name]
    fine = DECADES.refined(2)
    start, _ = starts(gaussian, jax.random.key(2), n, DECADES.T, "exact")
    path = noise.merge(noise.path(jax.random.key(3), fine.h, n, 2), 2, fine.h)
    x = simulate(scheme, gaussian.field, NONE, start, grid=DECADES, key=jax.random.key(4), path=path).x
    law = laws.propagate(scheme, gaussian, NONE, grid=DECADES, start="exact")
    has_moments(x, law.mean[-1], law.cov[-1])


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
