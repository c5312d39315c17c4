"""What redrawing the noise of a rejected step does to the law of an isotropic Gaussian, in the limit of a small tolerance.

To leading order a try of length D has the error S = u |xi + b|/sqrt(d), u = D^{3/2} |L|/(2 e_abs), with xi its noise, L = 1/2 - 1/p_t the
slope of the drift, p_t the variance of p_t, and b = sqrt(D) (L + L'/L) x, ' along the reverse process: what the drift adds to E. The
controller makes log u a stationary chain, log u+ = 3/2 log(safety) + (1 - 3/2 power) log u - 3/2 power log(|xi|/sqrt(d)), whatever the
tolerance. So the noise that is accepted is a normal cut off at S <= 1. Per unit of time it has the variance

    c = E[D |xi|^2/d; S <= 1] / E[D; S <= 1] < 1,

and, since what is cut off is centred at -b and not at 0, the mean -(1 - c) (L + L'/L) x. In the limit the particles follow
dx = (c L - (1 - c) L'/L) x dtau + sqrt(c) dB, which does not depend on the tolerance.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import chdtr, digamma, loggamma, polygamma

REACH, NODES = 20, 601  # of the quadrature over log u: half width in standard deviations, nodes


def accepted(d: int, safety: float = 0.9, power: float = 0.9) -> tuple[float, float]:
    """(c, share of tries that are rejected) for d >= 1 dimensions. ValueError where the step sizes have no stationary law."""
    back = 1 - 1.5 * power
    if not 0 < power < 4 / 3:
        raise ValueError(f"power = {power:g}: the step sizes do not settle; give a power between 0 and 4/3.")
    # log u = sum over the past of back^k (shift - weight log |xi|^2/d), the noises independent.
    weight, shift = 0.75 * power, 1.5 * math.log(safety)
    lags = back ** np.arange(2 + (math.ceil(math.log(1e-12) / math.log(abs(back))) if back else 0))
    centre = (shift - weight * (math.log(2 / d) + digamma(d / 2))) / (1 - back)
    spread = weight * math.sqrt(polygamma(1, d / 2) / (1 - back**2))
    y = spread * np.linspace(-REACH, REACH, NODES)
    # The law of log u from its characteristic function, at points close enough for twice the width of y.
    s = np.arange(1, NODES) * np.pi / (2 * REACH * spread)
    q = -weight * np.outer(lags, s)
    chain = np.exp((loggamma(d / 2 + 1j * q) - loggamma(d / 2) - 1j * q * digamma(d / 2)).sum(0))
    law = 1 + 2 * (np.exp(-1j * np.outer(y, s)) @ chain).real
    law, y = law / law.sum(), centre + y
    cut = d * np.exp(-2 * y)
    inside, length = chdtr(d, cut), law * np.exp(2 * y / 3)
    return float(length @ chdtr(d + 2, cut) / (length @ inside)), float(1 - law @ inside)


def deviations(dims: Sequence[int], variance: float, T: float, safety: float = 0.9, power: float = 0.9) -> np.ndarray:
    """Standard deviation of a coordinate at t = 0, from the exact start at T > 0, of the target N(0, variance I) in each of the
    dimensions. ValueError where the slope of the drift does not keep its sign: the variance must be below 2 and not 1."""
    v = variance - 1
    if not 0 < variance < 2 or v == 0:
        raise ValueError(f"variance = {variance:g}: the slope of the drift must keep its sign and change; give one below 2 that is not 1.")
    c = np.array([accepted(d, safety, power)[0] for d in dims])

    def rate(tau, y):
        fall = v * np.exp(tau - T)
        p = 1 + fall
        L, turn = 0.5 - 1 / p, fall / p**2
        return 2 * (c * L - (1 - c) * turn / L) * y + c

    found = solve_ivp(rate, (0, T), np.full(len(c), 1 + v * np.exp(-T)), rtol=1e-8, atol=1e-10)
    return np.sqrt(found.y[:, -1])
