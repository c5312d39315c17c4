"""The law of a scheme with a random midpoint U on a Gaussian target: a mixture over U, which all coordinates share.

Given U, a step is affine in each principal coordinate, x_i -> A_i(u) x_i + c_i(u) + N(0, B_i(u)), so that given all of them the
law is N(M, diag V) with V and M random through U alone. Its first two moments are no more than a bound. Three routes to W2:

  expansion   the density of the mixture is that of the Gaussian with its moments plus Hermite polynomials of higher order, whose
              coefficients are the moments of V and M over U; they close from step to step. With -div(q grad phi) = p - q and the
              Hermite polynomials as eigenfunctions, squares add. First order in the displacement, any dimension.
  radial      where all variances are one and nothing moves the mean, the law is a mixture of N(0, V I): Gauss quadrature of V from
              its moments, and W2 is that of the radii, by quantiles. Any dimension.
  joint       in the plane one step of the joint density is P -> sum_u w_u K_1(u) P K_2(u)^T with one-dimensional kernels, taken in
              the frequencies of a grid that follows the law's own size; W2 is the tangent distance (laws/plane.py).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from dlab.laws.plane import tangent

NEAR = 0.005  # W2 in standard deviations up to which the expansion is within 1 %
NODES = 6  # of the quadrature of V
RADII = 600  # nodes of the integral over the radius
GRID, REACH = 128, 7.5  # points a side of the joint density, and its ends in standard deviations
KEPT = 1e-3  # relative error of the variances beyond which a grid has lost the law


@dataclass(frozen=True)
class Maps:
    """Steps of a scheme on the principal axes: A, c, B (N, k, q) by step, axis and node for U; weights (q,)."""

    A: np.ndarray
    c: np.ndarray
    B: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Moments:
    """Of M and V over U, by axis: mean (k,), var (k,) = E V + Var M, the marginal variances; vv, mv, mm (k, k) the covariances of
    V and V, M and V, M and M."""

    mean: np.ndarray
    expected: np.ndarray
    vv: np.ndarray
    mv: np.ndarray
    mm: np.ndarray

    @property
    def var(self) -> np.ndarray:
        return self.expected + np.diag(self.mm)


def moments(maps: Maps, mean, var) -> list[Moments]:
    """After each step, the start first: a Gaussian with mean and var (k,)."""
    k = len(mean)
    now = Moments(np.array(mean, float), np.array(var, float), *np.zeros((3, k, k)))
    found, w = [now], maps.weights
    for A, c, B in zip(maps.A, maps.c, maps.B):
        a = A**2
        # What is random beside the state: V+ = a V + B, M+ = A M + c, a and A with u.
        v, m = a * now.expected[:, None] + B, A * now.mean[:, None] + c
        expected, mean = v @ w, m @ w
        dv, dm = v - expected[:, None], m - mean[:, None]

        def average(x, y, w=w):
            return (x * w) @ y.T

        now = Moments(
            mean, expected, average(a, a) * now.vv + average(dv, dv), average(A, a) * now.mv + average(dm, dv),
            average(A, A) * now.mm + average(dm, dm),
        )  # fmt: skip
        found.append(now)
    return found


def expansion(law: Moments, mean, var, counts=None) -> float:
    """W2 to N(mean, diag var) to first order in the displacement; counts (k,): how many coordinates each axis stands for."""
    n = np.ones(len(mean)) if counts is None else np.asarray(counts, float)
    both = n[:, None] * n
    shift, wide = law.mean - mean, law.var - var
    v, sums = var, var[:, None] + var
    # Marginals: a difference of roots, in which no digits cancel.
    square = n @ (shift**2 + (wide / (np.sqrt(law.var) + np.sqrt(v))) ** 2)
    # Order two between axes: the covariance of M. Each pair i < j has f = mm / sqrt(v_i v_j) on the eigenvalue 1/v_i + 1/v_j.
    cross = law.mm**2 / sums / 2
    own = np.diag(law.mm)
    square += np.sum(both * cross) - n @ np.diag(cross)
    # Coordinates that one axis stands for share M entirely.
    square += (n * (n - 1)) @ (own**2 / (4 * v)) - (n * (n - 1)) @ np.diag(cross)
    # Order three: E[dM_i dV_j]; the symbol is sum_ij mv_ij d_i d_jj / 2.
    third = law.mv / 2
    norms = third**2 * 2 / (v[:, None] * v**2) / (1 / v[:, None] + 2 / v)
    square += np.sum(both * norms) + n @ (np.diag(third) ** 2 * (6 - 2) / (3 * v**2))
    # Order four: sum_ij vv_ij d_ii d_jj / 8.
    square += np.sum(both * law.vv**2 / (16 * v[:, None] * v * sums)) + n @ (np.diag(law.vv) ** 2 / (16 * v**3))
    return float(np.sqrt(max(square, 0.0)))


def variances(maps: Maps, var: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss quadrature (nodes, weights) of V on the first axis after all steps, exact for its moments up to order 2 NODES - 1."""
    order, w = 2 * NODES, maps.weights
    m, central = var, np.array([1.0] + [0.0] * order)
    binomial = [[math.comb(k, j) for j in range(k + 1)] for k in range(order + 1)]
    for A, B in zip(maps.A[:, 0], maps.B[:, 0]):
        a = A**2
        new = w @ (a * m + B)
        b = a * m + B - new
        central = np.array([
            sum(binomial[k][j] * (w @ (a**j * b ** (k - j))) * central[j] for j in range(k + 1)) for k in range(order + 1)
        ])  # fmt: skip
        m = new
    scale = math.sqrt(max(central[2], 0.0))
    if not scale > 1e-9 * m:
        return np.array([m]), np.array([1.0])
    scaled = central / scale ** np.arange(order + 1)
    for n in range(NODES, 1, -1):
        hankel = np.array([[scaled[i + j] for j in range(n + 1)] for i in range(n + 1)])
        try:
            R = np.linalg.cholesky(hankel).T
        except np.linalg.LinAlgError:
            continue
        # Golub and Welsch (1969), sec. 4: the recurrence from the moments' Cholesky factor.
        up = np.diag(R, 1)[:n] / np.diag(R)[:n]
        alpha, beta = np.diff(np.concatenate([[0.0], up])), np.diag(R)[1:n] / np.diag(R)[: n - 1]
        nodes, vectors = np.linalg.eigh(np.diag(alpha) + np.diag(beta, 1) + np.diag(beta, -1))
        if (m + scale * nodes > 0).all():
            return m + scale * nodes, vectors[0] ** 2
    return np.array([m - scale, m + scale]), np.array([0.5, 0.5])


def radial(nodes, weights, var: float, dim: int) -> float:
    """W2 between the mixture of N(0, V I) with V at nodes and N(0, var I), in dim dimensions: that of the radii."""
    chi = stats.chi2(dim)
    x, gauss = np.polynomial.legendre.leggauss(RADII)
    low, high = np.sqrt(chi.ppf(1e-14)), np.sqrt(chi.isf(1e-14))
    r = (high - low) * (x + 1) / 2 + low
    density = 2 * r * chi.pdf(r**2)
    s = nodes / var
    above = r**2 > dim
    below = np.where(above, chi.sf(r**2), chi.cdf(r**2))

    def gap(y):
        square = y[:, None] ** 2 / s
        level = np.where(above[:, None], chi.sf(square), chi.cdf(square)) @ weights
        slope = (2 * y[:, None] / s * chi.pdf(square)) @ weights
        return np.where(above, below - level, level - below), slope

    y = r * math.sqrt(weights @ s)
    for _ in range(12):
        error, slope = gap(y)
        y = np.clip(y - np.clip(error / np.maximum(slope, 1e-300), -0.2 * y, 0.2 * y), 1e-12, None)
    square = gauss @ ((y - r) ** 2 * density) * (high - low) / 2
    return float(math.sqrt(var * square))


def joint(maps: Maps, law: list[Moments], mean, var) -> float | None:
    """W2 to N(mean, diag var) in the plane by the joint density; None where the grid loses the law."""
    unit = np.linspace(-REACH, REACH, GRID)
    spacing = unit[1] - unit[0]
    k = 2 * np.pi * np.fft.fftfreq(GRID, spacing)
    back = np.exp(1j * np.outer(unit, k)) * spacing / (GRID * spacing)
    half = slice(0, GRID // 2 + 1)
    P = np.outer(*[np.exp(-(unit**2) / 2)] * 2) / (2 * np.pi)  # in units of the law's own deviations
    sizes = [np.sqrt(one.var) for one in law]
    for n, (A, c, B) in enumerate(zip(maps.A, maps.c, maps.B)):
        old, new = (law[n].mean, sizes[n]), (law[n + 1].mean, sizes[n + 1])
        waves = []
        for i in (0, 1):
            a, shift = A[i] * old[1][i] / new[1][i], (A[i] * old[0][i] + c[i] - new[0][i]) / new[1][i]
            kept = k[half] if i == 1 else k
            waves.append(
                np.exp(-1j * (a[:, None, None] * kept[:, None] * unit + shift[:, None, None] * kept[:, None])
                       - (B[i] / new[1][i] ** 2)[:, None, None] * kept[:, None] ** 2 / 2)
            )  # fmt: skip
        spectrum = np.einsum("q,qkl->kl", maps.weights, np.matmul(np.matmul(waves[0], P), np.swapaxes(waves[1], 1, 2)))
        first = back @ spectrum
        # The second axis by half its frequencies: the density is real.
        twice = np.full(GRID // 2 + 1, 2.0)
        twice[[0, -1]] = 1.0
        P = (first * twice @ back[:, half].T).real * spacing**2
    P /= P.sum() * spacing**2
    last = sizes[-1]
    seen = [np.sum(P * (np.expand_dims(unit, 1 - i)) ** 2) * spacing**2 for i in (0, 1)]
    if not (np.isfinite(P).all() and np.abs(np.array(seen) - 1).max() < KEPT):
        return None
    along = [(law[-1].mean[i] + last[i] * unit - mean[i]) / math.sqrt(var[i]) for i in (0, 1)]
    Q = np.outer(*[np.exp(-(v**2) / 2) for v in along])
    Q /= Q.sum() * spacing**2
    return tangent(P / np.prod(last), Q / np.prod(last), spacing * last)
