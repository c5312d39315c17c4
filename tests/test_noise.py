"""The one stochastic integral: its joint law at every h, fresh and along a path, and the path's own algebra."""

import dataclasses

import independent as ind
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dlab import linop, noise

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
    normals = np.random.default_rng(seed).standard_normal((5, N, d))
    spread = np.sqrt(h / np.array([1, 3, 5.0]))[:, None, None]
    return {"normals": jnp.asarray(normals[:2]), "moments": jnp.asarray(spread * normals[2:]) if along else None}


def operator(A):
    return {0.0: linop.ZERO, 0.5: linop.HALF}.get(A, linop.Dense(jnp.full((N, 1, 1), A)))


@pytest.mark.parametrize("along", [False, True], ids=["fresh", "path"])
@pytest.mark.parametrize("A", [0.0, 0.5, -3.0])
@pytest.mark.parametrize("h", [2.0, 0.5, 1e-3])
def test_joint_law_of_the_integral_at_the_midpoint_and_at_the_end(A, h, along):
    for u in (0.02, 0.3, 0.97):
        sample = step(h, u, along)
        part, whole = (np.asarray(v)[:, 0] for v in (sample.part(operator(A)), sample.whole(operator(A))))
        C = ind.ito_covariance(A, u, h)
        within(part * part, C[0, 0])
        within(part * whole, C[0, 1])
        within(whole * whole, C[1, 1])
        within(part, 0.0)


@pytest.mark.parametrize("along", [False, True], ids=["fresh", "path"])
def test_integral_without_midpoint_has_its_variance_for_a_matrix_operator(along):
    h, A = 0.5, np.array([[-3.0, 1.2], [1.2, 0.4]])
    sample = noise.StepNoise(h=h, **draw(h, along, 2))
    I = np.asarray(sample.whole(linop.Dense(jnp.broadcast_to(jnp.asarray(A), (N, 2, 2)))))
    values, Q = np.linalg.eigh(A)
    want = Q @ np.diag([ind.ito_covariance(a, 1.0, h)[1, 1] for a in values]) @ Q.T
    for i, j in ((0, 0), (0, 1), (1, 1)):
        within(I[:, i] * I[:, j], want[i, j])


@pytest.mark.parametrize("h", [1.0, 0.25, 2.0**-9])
def test_the_correlation_is_the_papers_rho(h):
    for u in (0.1, 0.6):
        sample = step(h, u, along=False)
        part, whole = (np.asarray(v)[:, 0] for v in (sample.part(linop.HALF), sample.whole(linop.HALF)))
        rho = ind.rei_rho(u, h)
        assert abs(np.corrcoef(part, whole)[0, 1] - rho) < FOUR_SE * (1 - rho**2) / np.sqrt(N)


@pytest.mark.parametrize("A", [0.5, -3.0, -40.0])
def test_given_the_moments_the_integral_is_the_projection_with_the_right_residual(A):
    h = 0.5
    sample = step(h, None, along=True)
    weights, rest = ind.legendre_weights(A, h)
    moments = np.asarray(sample.moments)[:, :, 0]
    residual = np.asarray(sample.whole(operator(A)))[:, 0] - weights @ moments
    within(residual**2, rest)
    for m in moments:
        within(residual * m, 0.0)


def test_part_along_a_path_is_a_bridge_tied_to_the_moments():
    h, u = 0.7, 0.3
    sample = step(h, u, along=True)
    part, m = np.asarray(sample.part(linop.ZERO))[:, 0], np.asarray(sample.moments)[:, :, 0]
    # E[W(uh) m_k] = h int_0^u P_k(2s - 1) ds
    for mk, want in zip(m, (u, u**2 - u, 2 * u**3 - 3 * u**2 + u)):
        within(part * mk, h * want)


# ---------------------------------------------------------------- merging


@pytest.fixture(scope="module")
def path():
    return noise.path(jax.random.key(3), 12, 0.25, 2000, 2).astype(float)


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


def test_merged_moments_of_a_smooth_path_are_its_integrals():
    """A deterministic path w'(v) = v^2 has moments that quadrature knows; P_3 and higher of a fine interval vanish in m_k of the union."""

    def moments_of(a, b):
        z, w = np.polynomial.legendre.leggauss(20)
        v = a + (b - a) * (z + 1) / 2
        return [(b - a) / 2 * w @ (v**2 * np.polynomial.legendre.Legendre.basis(k)(z)) for k in range(3)]

    for m in (2, 3, 5):
        fine = np.array([moments_of(i / m, (i + 1) / m) for i in range(m)])[:, :, None, None]
        np.testing.assert_allclose(noise.merge(fine, m)[0, :, 0, 0], moments_of(0, 1), atol=1e-15)


def test_a_path_depends_on_its_key_alone(path):
    np.testing.assert_array_equal(path, noise.path(jax.random.key(3), 12, 0.25, 2000, 2))
    assert not np.array_equal(path, noise.path(jax.random.key(4), 12, 0.25, 2000, 2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("A", [linop.ZERO, linop.HALF], ids=["0", "half"])
def test_a_midpoint_next_to_an_end_of_the_step_keeps_the_noise_finite(A, dtype):
    """Rounding once divided by nothing: one particle in ten millions left the numbers."""
    u = np.array([0.0, 1e-12, 1e-7, 1 - 1.2e-7, 1 - 1e-12, 1.0], dtype)[:, None]
    u[3] = np.nextafter(dtype(1), dtype(0))
    given = noise.StepNoise(0.125, jnp.ones((2, 6, 1), dtype), jnp.asarray(u), jnp.full((3, 6, 1), 0.1, dtype))
    for drawn in (given, dataclasses.replace(given, moments=None)):
        both = np.array([drawn.part(A), drawn.whole(A)])
        assert np.isfinite(both).all()
        assert np.abs(both).max() < 2
