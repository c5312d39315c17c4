"""W2 of a random midpoint: values found by another discretisation (joint density carried on a grid, Monge-Ampère, primal and dual
within 1e-3), routes against each other, and samples of U."""

import numpy as np
import pytest
from scipy.special import gammainc
from scipy.stats import chi2

from dlab import errors, schemes, targets
from dlab.grid import uniform
from dlab.laws import mixture, product, shared
from dlab.study import Study, run

T = 4.0


def gaussian(variances, mean=None):
    return {"name": "gaussian", "mean": list(mean or [0.0] * len(variances)), "cov": np.diag(variances).tolist()}


def rows(target, names, steps, **rest):
    return run(Study.from_json({"target": target, "schemes": list(names), "steps": list(steps), "T": T, **rest})).rows


KNOWN = {((0.5, 0.5), 8): 0.0219, ((0.5, 0.5), 12): 0.00656, ((0.5, 0.5), 16): 0.00303,
         ((1.0, 0.5), 8): 0.0141, ((1.0, 0.5), 12): 0.00409, ((1.0, 0.5), 16): 0.00194}  # fmt: skip


@pytest.mark.parametrize("variances", [(0.5, 0.5), (1.0, 0.5)])
def test_the_values_of_another_solver(variances):
    for row in rows(gaussian(variances), ["REM"], [8, 12, 16]):
        assert row.w2 == pytest.approx(KNOWN[variances, row.steps], rel=5e-3)
        assert (row.method, row.resolved) == ("joint", True)
        assert row.lower < row.w2 < row.upper


def test_as_many_steps_as_the_joint_law_needs():
    study = {"target": gaussian((1.0, 0.5)), "schemes": ["REM"], "steps": [8], "T": T, "reach": [0.002, 0.001]}
    assert [a["steps"] for a in run(Study.from_json(study)).reach] == [16, 23]


@pytest.mark.parametrize("dim, times", [(256, 13), (4096, 25)])
def test_in_many_dimensions_the_moments_are_far_below(dim, times):
    (row,) = rows({"name": "spectrum", "dim": dim, "high": 0.5}, ["REM"], [16])
    assert row.w2 / row.lower == pytest.approx(times, rel=0.03)
    assert row.resolved


def variances(name, v, steps, paths=20_000):
    """The variance of a coordinate's law given the midpoints of all steps, for so many draws of them: the schemes written out."""
    draws, h = np.random.default_rng(0), T / steps
    at = lambda t: 1 + (v - 1) * np.exp(-t)  # noqa: E731
    V = np.full(paths, at(T))
    for k in range(steps):
        t, u = T - k * h, draws.random(paths)
        now, late = -1 / at(t), -1 / at(t - u * h)
        if name == "REM":
            slope = h * (0.5 + late)
            V = (1 + slope * (1 + u * h * (0.5 + now))) ** 2 * V + (1 + slope) ** 2 * u * h + (1 - u) * h
        else:
            part, weight = np.exp(u * h / 2), h * np.exp((1 - u) * h / 2) * late
            V = (np.exp(h / 2) + weight * (part + 2 * (part - 1) * now)) ** 2 * V
            V += (np.exp((1 - u) * h / 2) + weight) ** 2 * (part**2 - 1) + np.expm1((1 - u) * h)
    return V


def radial(V, v, d):
    """W2 between the mixture of N(0, V I) over V and N(0, v I) in d dimensions: that of the norms, both laws being radial."""
    groups = np.quantile(V, (np.arange(100) + 0.5) / 100)
    ends = np.sqrt(chi2.ppf(1e-8, d) * groups[0]), np.sqrt(chi2.isf(1e-8, d) * groups[-1])
    r = np.linspace(*ends, 3000)
    p = (np.arange(20_000) + 0.5) / 20_000
    mine = np.interp(p, gammainc(d / 2, r[:, None] ** 2 / (2 * groups)).mean(1), r)
    return np.sqrt(np.mean((mine - np.sqrt(v * chi2.ppf(p, d))) ** 2))


@pytest.mark.parametrize("name", ["REM", "REI"])
@pytest.mark.parametrize("v, steps, d", [(0.5, 64, 1024), (1.5, 16, 1024), (0.5, 8, 2), (0.2, 8, 16)])
def test_the_radii_of_draws_of_the_midpoints(name, v, steps, d):
    (row,) = rows({"name": "spectrum", "dim": d, "high": v}, [name], [steps])
    V = variances(name, v, steps)
    # The law's own mean variance, without the draws' noise.
    spread = np.sqrt(v) + row.lower * np.sign(V.mean() - v) / np.sqrt(d)
    assert row.w2 == pytest.approx(radial(V - V.mean() + spread**2, v, d), rel=0.03)


MEANS = ([1.0, -2.0], 0.5, {}), ([1.0, -2.0], 0.4, {"score_error": {"name": "relative", "level": 0.1}, "start": "paper"})


@pytest.mark.parametrize("mean, v, rest", MEANS)
def test_the_mixture_and_the_coordinates_that_share_the_midpoint_agree(mean, v, rest):
    """A Gaussian as a Gaussian, and as a product whose densities and what they share are carried on grids."""
    line = {"name": "mixture", "weights": [1.0], "means": [mean], "var": v}
    both = (rows(t, ["REM"], [8], **rest)[0] for t in (gaussian((v, v), mean), line))
    one, other = both
    assert one.w2 == pytest.approx(other.w2, rel=5e-3)
    assert other.method == "joint"
    assert other.w2 > other.lower


def test_turned_targets_are_as_far():
    c = np.cos(0.6), np.sin(0.6)
    turn = np.array([[c[0], -c[1]], [c[1], c[0]]])
    mean = np.array([1.0, 0.5])
    turned = {"name": "gaussian", "mean": (turn @ mean).tolist(), "cov": (turn @ np.diag([0.4, 0.9]) @ turn.T).tolist()}
    one, other = (rows(t, ["REM"], [8])[0].w2 for t in (gaussian((0.4, 0.9), mean.tolist()), turned))
    assert one == pytest.approx(other, rel=1e-6)


def test_equal_variances_in_space_are_a_line_and_a_radius():
    """A mean in any direction; the expansion is right where the shape is small."""
    for steps, rel in ((6, 0.1), (32, 2e-3)):
        along, across = (rows(gaussian((0.5,) * 3, m), ["REM"], [steps])[0] for m in ([1.5, 0, 0], [0.5, 1.0, 1.0]))
        assert along.w2 == pytest.approx(across.w2, rel=1e-3)
        nearly = rows(gaussian((0.5, 0.5001, 0.4999), [1.5, 0, 0]), ["REM"], [steps])[0]
        assert nearly.w2 == pytest.approx(along.w2, rel=rel)


def test_what_is_known_too_badly_is_hollow_and_a_bound_is_called_one():
    fine, rough, least = rows({"name": "spectrum", "dim": 64, "high": 1.5, "low": 0.3, "shape": "power"}, ["REM"], [64, 32, 8])[::-1]
    assert (fine.method, fine.resolved) == ("joint", True)
    assert (rough.method, rough.resolved) == ("joint", False)
    assert (least.method, least.resolved, least.w2) == ("lower", False, least.lower)
    assert least.lower < least.upper


def step(u):
    return np.array([0.7 + 0.3 * u, 0.9 - 0.2 * u**2]), np.array([0.2 * u, -0.1 * u]), np.array([0.1 + 0.2 * u, 0.3 - 0.1 * u])


def test_moments_of_a_moved_mean_are_those_of_samples():
    """A mean that the random midpoint moves, and its covariances with the variance; with it the draws that are no plain samples."""
    rng, u, begin = np.random.default_rng(1), mixture.midpoints()[0], (np.array([0.5, -0.2]), np.array([1.0, 0.4]))
    maps = mixture.Maps(*(np.repeat(v[None], 3, 0) for v in step(u)))
    law = mixture.moments(maps, *begin, [3])[3]
    M, V = (np.repeat(v[:, None], 400_000, 1) for v in begin)
    for _ in range(3):
        A, c, B = step(rng.random(M.shape[1]))
        M, V = A * M + c, A**2 * V + B
    for m, v, noise in ((M, V, 6 / np.sqrt(M.shape[1])), (*mixture.draws(maps, *begin, [3])[3], 0.06)):
        both = np.cov(np.concatenate([m, v]))
        np.testing.assert_allclose(law.mean, m.mean(1), atol=noise * M.std())
        np.testing.assert_allclose(law.mm, both[:2, :2], atol=noise * M.var())
        np.testing.assert_allclose(law.mv, both[:2, 2:], atol=noise * M.std() * V.std())
        np.testing.assert_allclose(law.vv, both[2:, 2:], atol=noise * V.var())


def test_a_small_mixture_of_means_and_variances_is_as_far_as_its_density_says():
    u, mean, var = mixture.midpoints()[0], np.zeros(2), np.ones(2)
    A = np.array([[0.8 + 0.02 * u, 0.7 - 0.03 * u]])
    c, B = np.array([[0.02 * u - 0.01, 0.01 * u - 0.005]]), np.array([[0.36 - 0.01 * u, 0.51 + 0.02 * u]])
    maps = mixture.Maps(A, c, B)
    law, (M, V) = mixture.moments(maps, mean, var, [1])[1], mixture.draws(maps, mean, var, [1])[1]
    parts = mixture.blocks(M, V, var, np.ones(2))
    assert [b.count for b in parts] == [1, 1]
    assert mixture.expansion(law, var, np.ones(2)) == pytest.approx(mixture.of_blocks(parts), rel=0.03)


def test_what_two_coordinates_share_is_that_of_the_whole_density():
    """The factors of R beside the density of the plane, carried whole by the same kernels, with other densities on the axes."""
    scheme, grid, nodes = schemes.REGISTRY["REM"], uniform(2.0, 4), product.nodes(schemes.REGISTRY["REM"], 0.5, 0)
    first = targets.build({"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0, "angle": 0.0}).factors.densities[0]
    second = targets.build({"name": "wells", "a": -1.0}).factors.densities[1]
    lines = [
        shared.Coordinate(scheme, density, errors.NONE, np.linspace(-half, half, 192), nodes, grid, "exact")
        for density, half in ((first, 9.0), (second, 10.0))
    ]
    *_, (a, b, left, right) = shared.carried(*lines)
    P, w = np.outer(*(line.mass for line in lines)), lines[0].mover.weights.sum(1)
    for one, other in zip(*(line.kernels() for line in lines)):
        half = one(P)
        P = sum(w[m] * other(half[m].T)[m].T for m in range(len(w)))
    R = left @ right.T
    np.testing.assert_allclose(np.outer(a, b) + R, P, atol=1e-6 * P.max())
    assert np.abs(R).max() > 1e-4 * P.max()
    np.testing.assert_allclose(R.sum(0), 0, atol=1e-8)


def test_a_law_that_is_the_target_is_no_distance_from_it():
    """Where rounding may fall below zero."""
    for var in np.random.default_rng(0).uniform(0.1, 2, (50, 2)):
        law = mixture.Moments(np.zeros(2), var, *np.zeros((3, 2, 2)))
        assert 0 <= mixture.most(law, np.zeros(2), var, np.ones(2)) < 1e-12


def test_a_value_above_what_is_proven_is_a_bound():
    """Means that the midpoint moves by thousands of the deviations given U: no grid holds the shape."""
    target = {"name": "gaussian", "mean": [1e6, 0.0], "cov": [[1.0, 0.0], [0.0, 1e-6]]}
    (row,) = rows(target, ["REM"], [8])
    assert (row.method, row.resolved) == ("lower", False)
    assert row.w2 == row.lower < row.upper
