"""Functions of an operator against scipy, scalar series against mpmath."""

import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from scipy import linalg

from dlab import linop

Z = [-700.0, -40.0, -5.0, -1.6, -1.5001, -1.4999, -1.0, -0.1001, -0.0999, -1e-3, -1e-9, 0.0]
Z += [1e-9, 1e-3, 0.0999, 0.1001, 1.0, 1.4999, 1.5001, 5.0, 40.0, 300.0]


def exactly(f, z, limit):
    with mp.workdps(60):
        return float(f(mp.mpf(z))) if z else limit


@pytest.mark.parametrize("z", Z)
def test_phi_functions_across_the_switch_points(z):
    want = exactly(lambda v: mp.expm1(v) / v, z, 1.0), exactly(lambda v: (mp.exp(v) - 1 - v) / v**2, z, 0.5)
    assert float(linop.phi1(jnp.asarray(z))) == pytest.approx(want[0], rel=2e-14)
    assert float(linop.phi2(jnp.asarray(z))) == pytest.approx(want[1], rel=1e-13)


@pytest.mark.parametrize("z", Z)
@pytest.mark.parametrize("k", [0, 1, 2])
def test_legendre_coefficients_across_the_switch_points(k, z):
    with mp.workdps(80):
        v = mp.mpf(z)
        want = mp.mpf(1 if k == 0 else 0)
        if z:  # (2k+1) (-1)^k e^{v/2} i_k(v/2)
            half = v / 2
            bessel = {
                0: mp.sinh(half) / half,
                1: (half * mp.cosh(half) - mp.sinh(half)) / half**2,
                2: ((half**2 + 3) * mp.sinh(half) - 3 * half * mp.cosh(half)) / half**3,
            }[k]
            want = (2 * k + 1) * (-1) ** k * mp.exp(half) * bessel
    # Absolute in units of the largest coefficient, which is what an integral sees; relative where it is not tiny.
    assert float(linop.legendre(k, jnp.asarray(z))) == pytest.approx(float(want), rel=1e-11, abs=1e-15)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("size", [1e-9, 1e-3, 1.0, 60.0])
def test_dense_map_is_the_matrix_function(d, size):
    rng = np.random.default_rng(d)
    G = rng.standard_normal((6, d, d))
    A, v = size * (G + np.swapaxes(G, 1, 2)) / 2, rng.standard_normal((6, d))
    operator, h = linop.Dense(jnp.asarray(A)), 0.5
    np.testing.assert_allclose(operator.apply(v), np.einsum("nij,nj->ni", A, v), rtol=1e-12, atol=1e-14 * size)
    block = [linalg.expm(np.block([[h * a, np.eye(d)], [np.zeros((d, 2 * d))]])) for a in A]
    for f, want in (
        (lambda a: jnp.exp(h * a), [b[:d, :d] for b in block]),
        (lambda a: linop.phi1(h * a), [b[:d, d:] for b in block]),
    ):
        got = np.asarray(operator.map(f, jnp.asarray(v)))
        for g, w, x in zip(got, want, v):
            np.testing.assert_allclose(g, w @ x, rtol=1e-8, atol=1e-10 * np.abs(w).max())
    # The root of a covariance, applied twice, is the covariance.
    root = lambda v: operator.map(lambda a: jnp.sqrt(h * linop.phi1(2 * h * a)), v)  # noqa: E731
    for g, a, x in zip(np.asarray(root(root(jnp.asarray(v)))), A, v):
        C = h * phi1_of(2 * h * a)
        np.testing.assert_allclose(g, C @ x, rtol=1e-8, atol=1e-10 * np.abs(C).max())


def phi1_of(A):
    d = len(A)
    return linalg.expm(np.block([[A, np.eye(d)], [np.zeros((d, 2 * d))]]))[:d, d:]


def test_functions_of_a_2x2_matrix_are_even_in_the_degenerate_cases():
    A = jnp.asarray([[[2.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, -3.0]], [[0.0, 2.0], [2.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    v = jnp.asarray(np.tile([0.3, -0.7], (4, 1)))
    want = [linalg.expm(a) @ x for a, x in zip(np.asarray(A), np.asarray(v))]
    np.testing.assert_allclose(linop.Dense(A).map(jnp.exp, v), want, rtol=1e-13)


def test_a_scalar_operator_is_a_multiple_of_the_identity():
    v = jnp.ones((3, 2))
    np.testing.assert_allclose(linop.HALF.map(jnp.exp, v), np.exp(0.5) * v)
    np.testing.assert_allclose(linop.HALF.apply(v), 0.5 * v)
