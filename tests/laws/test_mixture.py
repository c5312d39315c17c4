"""W2 of a random midpoint on Gaussians: three routes against each other, against samples of U, and against values that were
found by another discretisation (joint density carried on a grid, Monge-Ampère, primal and dual within 1e-3)."""

import numpy as np
import pytest

from dlab.laws import mixture

T = 4.0


def maps(variances, steps, order=48):
    """REM on N(0, diag variances), written from the scheme's formula."""
    h, (x, w) = T / steps, np.polynomial.legendre.leggauss(order)
    u = (x + 1) / 2
    A, B = [], []
    for n in range(steps):
        t = T - n * h

        def slope(t):
            return 0.5 - 1 / (np.exp(-t) * np.array(variances)[:, None] - np.expm1(-t))

        late = slope(t - u * h)
        A.append(1 + h * late * (1 + u * h * slope(t)))
        B.append(u * h * (1 + h * late) ** 2 + (1 - u) * h)
    return mixture.Maps(np.array(A), np.zeros_like(A), np.array(B), w / 2)


def start(variances):
    return np.exp(-T) * np.array(variances) - np.expm1(-T)


KNOWN = {((0.5, 0.5), 8): 0.0219, ((0.5, 0.5), 12): 0.00656, ((0.5, 0.5), 16): 0.00303,
         ((1.0, 0.5), 8): 0.0141, ((1.0, 0.5), 12): 0.00409, ((1.0, 0.5), 16): 0.00194}  # fmt: skip


@pytest.mark.parametrize("variances, steps", KNOWN)
def test_the_joint_density_gives_the_values_of_another_solver(variances, steps):
    v, moved = np.array(variances), maps(variances, steps)
    law = mixture.moments(moved, np.zeros(2), start(v))
    true = KNOWN[variances, steps]
    assert mixture.joint(moved, law, np.zeros(2), v) == pytest.approx(true, rel=5e-3)
    assert mixture.expansion(law[-1], np.zeros(2), v) == pytest.approx(true, rel=0.08)
    if variances[0] == variances[1]:
        assert mixture.radial(*mixture.variances(moved, start(v)[0]), v[0], 2) == pytest.approx(true, rel=5e-3)


@pytest.mark.parametrize("dim, times", [(256, 13), (4096, 25)])
def test_in_many_dimensions_the_moments_are_far_below(dim, times):
    moved = maps((0.5,), 16)
    last = mixture.moments(moved, np.zeros(1), start((0.5,)))[-1]
    shown = np.sqrt(dim) * abs(np.sqrt(last.var[0]) - np.sqrt(0.5))
    assert mixture.radial(*mixture.variances(moved, start((0.5,))[0]), 0.5, dim) / shown == pytest.approx(times, rel=0.03)


def test_the_quadrature_of_the_variance_is_that_of_samples_of_u():
    rng, steps = np.random.default_rng(0), 8
    h, V = T / steps, np.full(200_000, start((0.5,))[0])
    for n in range(steps):
        t, u = T - n * h, rng.random(len(V))
        slope = [0.5 - 1 / (0.5 * np.exp(-s) - np.expm1(-s)) for s in (t, t - u * h)]
        A, B = 1 + h * slope[1] * (1 + u * h * slope[0]), u * h * (1 + h * slope[1]) ** 2 + (1 - u) * h
        V = A**2 * V + B
    nodes, weights = mixture.variances(maps((0.5,), steps), start((0.5,))[0])
    for k in (1, 2, 3):
        values = V**k
        assert abs(weights @ nodes**k - values.mean()) < 4 * values.std() / len(V) ** 0.5


def test_moments_of_a_moved_mean_are_those_of_samples():
    """A mean that the random midpoint moves, and its covariances with the variance."""
    rng, q = np.random.default_rng(1), 32
    x, w = np.polynomial.legendre.leggauss(q)
    u = (x + 1) / 2

    def step(u):
        return np.array([0.7 + 0.3 * u, 0.9 - 0.2 * u**2]), np.array([0.2 * u, -0.1 * u]), np.array([0.1 + 0.2 * u, 0.3 - 0.1 * u])

    A, c, B = (np.repeat(v[None], 3, 0) for v in step(u))
    law = mixture.moments(mixture.Maps(A, c, B, w / 2), np.array([0.5, -0.2]), np.array([1.0, 0.4]))[-1]
    M, V = np.repeat([[0.5], [-0.2]], 400_000, 1), np.repeat([[1.0], [0.4]], 400_000, 1)
    for _ in range(3):
        A, c, B = step(rng.random(M.shape[1]))
        M, V = A * M + c, A**2 * V + B
    both = np.cov(np.concatenate([M, V]))
    tolerance = 6 / np.sqrt(M.shape[1])
    np.testing.assert_allclose(law.mean, M.mean(1), atol=tolerance * M.std())
    np.testing.assert_allclose(law.mm, both[:2, :2], atol=tolerance * M.var())
    np.testing.assert_allclose(law.mv, both[:2, 2:], atol=tolerance * M.std() * V.std())
    np.testing.assert_allclose(law.vv, both[2:, 2:], atol=tolerance * V.var())


def test_a_small_mixture_of_means_and_variances_is_as_far_as_the_joint_density_says():
    x, w = np.polynomial.legendre.leggauss(24)
    u = (x + 1) / 2
    A = np.array([[0.8 + 0.02 * u, 0.7 - 0.03 * u]])
    c, B = np.array([[0.02 * u - 0.01, 0.01 * u - 0.005]]), np.array([[0.36 - 0.01 * u, 0.51 + 0.02 * u]])
    moved, mean, var = mixture.Maps(A, c, B, w / 2), np.zeros(2), np.ones(2)
    law = mixture.moments(moved, mean, var)
    assert mixture.expansion(law[-1], mean, var) == pytest.approx(mixture.joint(moved, law, mean, var), rel=0.02)
