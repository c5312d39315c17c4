"""What an error of the score costs the law on a Gaussian target, to leading order in its level and in h.

Along an eigenvector of the covariance, with v its variance, v_t = 1 + (v - 1) e^{-t}, what is done to the law at time t reaches
t = 0 multiplied by Phi(t) = (v / v_t) e^{-t/2} (variances by Phi^2). With n a unit vector and mu the mean, a step of size h adds

    e = eps n fixed              h eps n                                    to the mean
    e ~ N(0, eps^2/d I) fresh    h^2 eps^2/d I                              to the covariance, nothing to the mean
    L* = L + eps n n^T (SO)      h^2 eps/4 (n n^T V_t + V_t n n^T)          to the covariance, h^2 eps/4 a_t (n.mu) n to the mean
    M* = M + eps n (SO)          h^2 eps/2 n                                to the mean

and sums of steps become integrals: W2 = eps K, h eps^2 K, h eps K, h eps K. The covariance of the third line is that of the
drift, h^2/2 L* gamma with E[gamma X^T] = V_t/2 - I, and of the noise, h phi_1(2hL*). To first order
W2^2 = |dm|^2 + 1/2 sum_ij dV_ij^2 / (v_i + v_j) in the eigenvectors (Bures).
"""

from dataclasses import dataclass

import numpy as np

from dlab.theory.expansion import integrals

QUADRATURE = 64  # nodes in time


@dataclass(frozen=True)
class Costs:
    """The coefficients K of each error: W2 = constant eps, noise h eps^2, hessian h eps, drift h eps."""

    constant: float
    noise: float
    hessian: float
    drift: float


def gaussian(mean, cov, direction, T: float) -> Costs:
    """For N(mean (d,), cov (d, d)), errors along the unit vector direction (d,), and the horizon T."""
    v, axes = np.linalg.eigh(cov)
    n, mu = axes.T @ np.asarray(direction, float), axes.T @ np.asarray(mean, float)
    first, second, *_ = integrals(v, T)
    moved = np.linalg.norm(reach(v, T) * n)
    both = n[:, None] * n * v[:, None] * v * (first[:, None] + first) / 4
    shift = n * (n @ mu) * v * first / 4
    return Costs(
        constant=float(moved),
        noise=float(np.linalg.norm(v**1.5 * second) / (2 * len(v))),
        hessian=float(np.sqrt(np.sum(shift**2) + np.sum(both**2 / (v[:, None] + v)) / 2)),
        drift=float(moved / 2),
    )


def hessian(mean, cov, seen, T: float, rebuilt: bool = False) -> float:
    """K of W2 = h K for SO with a lasting error of its Hessian on N(mean (d,), cov (d, d)): seen(H (d, d)) is what it takes for H.

    With E = seen(H) - H a step adds h^2/4 (E V_t + V_t E) to the covariance and h^2/4 a_t E mu to the mean, as above; with M
    rebuilt from L*, h^2 E and nothing. The integral over t is a quadrature.
    """
    v, axes = np.linalg.eigh(cov)
    mu = axes.T @ np.asarray(mean, float)
    nodes, weights = np.polynomial.legendre.leggauss(QUADRATURE)
    moved, spread = np.zeros(len(v)), np.zeros((len(v), len(v)))
    for t, w in zip((nodes + 1) * T / 2, weights * T / 2):
        at = 1 + (v - 1) * np.exp(-t)
        phi = v / at * np.exp(-t / 2)
        H = -(axes / at) @ axes.T
        E = axes.T @ (seen(H) - H) @ axes
        spread += w * phi[:, None] * phi * (E if rebuilt else E * (at[:, None] + at) / 4)
        moved += w * phi * (0 if rebuilt else np.exp(-t / 2) / 4 * E @ mu)
    return float(np.sqrt(np.sum(moved**2) + np.sum(spread**2 / (v[:, None] + v)) / 2))


def reach(v, T: float):
    """int_0^T Phi(t) dt for variances v (d,): 2 v c^{-1/2} (arctan c^{1/2} - arctan (c e^{-T})^{1/2}), c = v - 1."""
    c, low = np.asarray(v, float) - 1, np.exp(-T / 2)
    root = np.sqrt(np.abs(c))
    safe = np.where(root > 1e-6, root, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        turn = np.where(c > 0, np.arctan(safe) - np.arctan(safe * low), np.arctanh(safe) - np.arctanh(safe * low))
    return 2 * v * np.where(root > 1e-6, turn / safe, 1 - low)


def coupled_noise(m0: float, h: float) -> float | None:
    """What coupling gives fresh noise of level 1 for m0-strongly log-concave targets: independent steps add squares, so the
    fixed point of `sharp` is (h / (2 (m_min - 1/2)))^{1/2}. None where m0 <= 1/2."""
    return (h / (2 * min(1.0, m0) - 1)) ** 0.5 if m0 > 0.5 else None
