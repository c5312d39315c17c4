"""The one stochastic integral: its joint law at every h, fresh and along a path, and the path's own algebra."""

import itertools

import independent as ind
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dlab import linop, noise
from dlab.noise import Integral, TimeIntegral

N = 40_000
FOUR_SE = 4.5


def within(samples, want, errors=FOUR_SE):
    """The mean of `samples` equals `want` within its standard errors."""
    error = samples.std() / np.sqrt(len(samples))
    assert abs(samples.mean() - want) < errors * error + 1e-13, (samples.mean(), want, error)


def step(h, u, along, seed=0):
    """StepNoise of N particles in one dimension at midpoint u; along: from a path with its moments, or fresh."""
    u = None if u is None else jnp.full((N, 1), u)
    return noise.StepNoise(h=h, u=u, **draw(h, along, 1, seed))


def draw(h, along, d, seed=0):
    normals = np.random.default_rng(seed).standard_normal((7, N, d))
    spread = np.sqrt(h / np.array([1, 3, 5.0]))[:, None, None]
    return {"normals": jnp.asarray(normals[3:]), "moments": jnp.asarray(spread * normals[:3]) if along else None}


def both(sample, A):
    """I(A, U) and I(A, 1), (N,) each."""
    return (np.asarray(v)[:, 0] for v in sample.draw(Integral(A, sample.u), Integral(A)))


def operator(A):
    return {0.0: linop.ZERO, 0.5: linop.HALF}.get(A, linop.Dense(jnp.full((N, 1, 1), A)))


@pytest.mark.parametrize("along", [False, True], ids=["fresh", "path"])
@pytest.mark.parametrize("A", [0.0, 0.5, -3.0])
@pytest.mark.parametrize("h", [2.0, 0.5, 1e-3])
def test_joint_law_of_the_integral_at_the_midpoint_and_at_the_end(A, h, along):
    for u in (0.02, 0.3, 0.97):
        sample = step(h, u, along)
        part, whole = both(sample, operator(A))
        C = ind.ito_covariance(A, u, h)
        within(part * part, C[0, 0])
        within(part * whole, C[0, 1])
        within(whole * whole, C[1, 1])
        within(part, 0.0)


@pytest.mark.parametrize("along", [False, True], ids=["fresh", "path"])
def test_integral_without_midpoint_has_its_variance_for_a_matrix_operator(along):
    h, A = 0.5, np.array([[-3.0, 1.2], [1.2, 0.4]])
    sample = noise.StepNoise(h=h, **draw(h, along, 2))
    I = np.asarray(sample.draw(Integral(linop.Dense(jnp.broadcast_to(jnp.asarray(A), (N, 2, 2))))))
    values, Q = np.linalg.eigh(A)
    want = Q @ np.diag([ind.ito_covariance(a, 1.0, h)[1, 1] for a in values]) @ Q.T
    for i, j in ((0, 0), (0, 1), (1, 1)):
        within(I[:, i] * I[:, j], want[i, j])


@pytest.mark.parametrize("A", [0.5, -3.0, -40.0])
def test_given_the_moments_the_integral_is_the_projection_with_the_right_residual(A):
    h = 0.5
    sample = step(h, None, along=True)
    weights, rest = ind.legendre_weights(A, h)
    moments = np.asarray(sample.moments)[:, :, 0]
    residual = np.asarray(sample.draw(Integral(operator(A))))[:, 0] - weights @ moments
    within(residual**2, rest)
    for m in moments:
        within(residual * m, 0.0)


# ---------------------------------------------------------------- several functionals at once

L = linop.Dense(jnp.full((N, 1, 1), -3.0))
INNER = jnp.full((N, 1), 0.6)
SETS = {
    "two exponentials": (Integral(), Integral(linop.HALF)),
    "increment and matrix": (Integral(), Integral(L)),
    "increment and time integral": (Integral(), TimeIntegral()),
    "time integrals at an inner time": (TimeIntegral(u=0.4), TimeIntegral(), Integral(u=0.4), Integral()),
    "two stages of an exponential scheme": (Integral(L, 0.5), Integral(L)),
    "values at inner times": (Integral(u=0.25), Integral(u=INNER), Integral()),
    "a matrix, its number and the time integral": (
        Integral(L, INNER),
        Integral(linop.HALF),
        TimeIntegral(u=INNER),
        Integral(L),
    ),
}


def weight(functional, h, v):
    """What dW_v is multiplied with at v in [0, h], by its definition."""
    a = functional.A.value if isinstance(functional.A, linop.Scalar) else float(functional.A.matrix[0, 0, 0])
    left = float(np.ravel(functional.u)[0]) * h - v
    value = left if isinstance(functional, TimeIntegral) else np.exp(a * left)
    return np.where(left > 0, value, 0.0)


def integrated(f, h, *ends):
    """int_0^h f by Gauss-Legendre between the ends of the functionals."""
    z, w = np.polynomial.legendre.leggauss(24)
    knots = sorted({0.0, h, *(float(np.ravel(u)[0]) * h for u in ends)})
    return sum((b - a) / 2 * w @ f(a + (b - a) * (z + 1) / 2) for a, b in itertools.pairwise(knots))


@pytest.mark.parametrize("forward", [False, True], ids=["end first", "forward"])
@pytest.mark.parametrize("along", [False, True], ids=["fresh", "path"])
@pytest.mark.parametrize("which", SETS)
def test_functionals_drawn_together_have_their_joint_law(which, along, forward):
    h, asked = 0.7, SETS[which]
    given = draw(h, along, 1)
    drawn = [
        np.asarray(v)[:, 0] for v in noise.StepNoise(h, given["normals"], INNER, given["moments"], forward).draw(*asked)
    ]
    for (f, x), (g, y) in itertools.combinations_with_replacement(zip(asked, drawn), 2):
        within(x * y, integrated(lambda v, f=f, g=g: weight(f, h, v) * weight(g, h, v), h, f.u, g.u))
    if along:
        for f, x in zip(asked, drawn):
            for k, m in enumerate(np.asarray(given["moments"])[:, :, 0]):
                legendre = np.polynomial.legendre.Legendre.basis(k)
                within(x * m, integrated(lambda v, f=f, p=legendre: weight(f, h, v) * p(2 * v / h - 1), h, f.u))


def test_along_a_path_increment_and_time_integral_are_read_off_it():
    given = draw(0.3, True, 2)
    assert noise.needed((Integral(), TimeIntegral()), along=True) == 0
    whole, area = noise.StepNoise(0.3, (), None, given["moments"]).draw(Integral(), TimeIntegral())
    np.testing.assert_array_equal(whole, given["moments"][0])
    np.testing.assert_allclose(area, 0.15 * (given["moments"][0] - given["moments"][1]), atol=1e-15)


def test_without_residuals_a_functional_is_its_mean_given_the_path():
    """The mean over the normals, which stand for a path's higher moments, is the projection."""
    h, u = 0.5, jnp.full((N, 1), 0.3)
    given = draw(h, True, 1)
    same = jnp.broadcast_to(given["moments"][:, :1], (3, N, 1))
    still, drawn = (
        noise.StepNoise(h, scale * given["normals"], u, same).draw(Integral(L, u), Integral(L)) for scale in (0.0, 1.0)
    )
    for x, mean in zip(drawn, still):
        within(np.asarray(x)[:, 0], float(mean[0, 0]))


def test_of_a_fine_path_and_of_its_union_a_functional_is_the_same_up_to_residuals():
    """I(A, 1) over a step from two halves, e^{Ah/2} I_1 + I_2, is that from the merged moments and a residual of the right size."""
    h, A = 0.5, operator(-3.0)
    halves = (
        np.random.default_rng(2).standard_normal((2, 3, N, 1)) * np.sqrt(h / 2 / np.array([1, 3, 5.0]))[:, None, None]
    )
    zeros = jnp.zeros((1, N, 1))
    first, second = (np.asarray(noise.StepNoise(h / 2, zeros, None, jnp.asarray(m)).draw(Integral(A))) for m in halves)
    merged = np.asarray(noise.StepNoise(h, zeros, None, jnp.asarray(noise.merge(halves, 2)[0])).draw(Integral(A)))
    gap = (np.exp(-3 * h / 2) * first + second - merged)[:, 0]
    assert 0 < gap.var() <= ind.legendre_weights(-3.0, h)[1] * 1.05
    for m in noise.merge(halves, 2)[0][:, :, 0]:
        within(gap * m, 0.0)


def test_what_would_be_a_wrong_law_is_refused():
    given = draw(0.5, False, 1)
    sample = noise.StepNoise(0.5, **given)
    sample.draw(Integral())
    with pytest.raises(ValueError, match="one call"):
        sample.draw(Integral(linop.HALF))
    with pytest.raises(ValueError, match="commute"):
        noise.StepNoise(0.5, **given).draw(Integral(L), Integral(linop.Dense(L.matrix + 1)))
    with pytest.raises(ValueError, match="2 normals"):
        noise.StepNoise(0.5, given["normals"][:1]).draw(Integral(), TimeIntegral())
    for wrong in (lambda: Integral(u=1.2), lambda: Integral(u=-0.1), lambda: TimeIntegral(linop.HALF)):
        with pytest.raises(ValueError, match=r"u = |leave A out"):
            wrong()


# ---------------------------------------------------------------- merging


@pytest.fixture(scope="module")
def path():
    return noise.path(jax.random.key(3), np.full(12, 0.25), 2000, 2).astype(float)


def test_merging_is_associative_and_refuses_a_remainder(path):
    np.testing.assert_allclose(noise.merge(noise.merge(path, 2), 2), noise.merge(path, 4), atol=1e-14)
    np.testing.assert_allclose(noise.merge(noise.merge(path, 3), 2), noise.merge(noise.merge(path, 2), 3), atol=1e-14)
    assert noise.merge(path, 1) is path
    for m in (0, 5, 24):
        with pytest.raises(ValueError, match=f"groups of {m}"):
            noise.merge(path, m)


@pytest.mark.parametrize("m", [2, 3, 4, 12])
def test_merged_increments_are_sums_and_merged_moments_are_those_of_the_union(path, m):
    merged = noise.merge(path, m)
    np.testing.assert_allclose(merged[:, 0], path[:, 0].reshape(12 // m, m, 2000, 2).sum(1), atol=1e-14)
    flat = np.moveaxis(merged, 1, 0).reshape(3, -1)
    for k in range(3):
        within(flat[k] ** 2, 0.25 * m / (2 * k + 1))
        for j in range(k):
            within(flat[k] * flat[j], 0.0)


def test_a_path_depends_on_its_key_alone(path):
    np.testing.assert_array_equal(path, noise.path(jax.random.key(3), np.full(12, 0.25), 2000, 2))
    assert not np.array_equal(path, noise.path(jax.random.key(4), np.full(12, 0.25), 2000, 2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("A", [linop.ZERO, linop.HALF], ids=["0", "half"])
def test_a_midpoint_next_to_an_end_of_the_step_keeps_the_noise_finite(A, dtype):
    """Rounding once divided by nothing: one particle in ten million was not finite."""
    u = np.array([0.0, 1e-12, 1e-7, 1 - 1.2e-7, 1 - 1e-12, 1.0], dtype)[:, None]
    u[3] = np.nextafter(dtype(1), dtype(0))
    for moments in (jnp.full((3, 6, 1), 0.1, dtype), None):
        for forward in (False, True):
            given = noise.StepNoise(0.125, jnp.ones((2, 6, 1), dtype), jnp.asarray(u), moments, forward)
            drawn = np.array(given.draw(Integral(A, given.u), Integral(A)))
            assert np.isfinite(drawn).all()
            assert np.abs(drawn).max() < 2
