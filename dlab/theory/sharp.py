"""A bound of order h for EM with every constant, where [YY] sums one-step errors by the triangle inequality and gets h^{1/2}.

Along the exact reverse process Y the drift is a semimartingale, because M = x/4 - L gamma (no third derivatives):

    d gamma = Y/4 dt + L dW,      L = I/2 + Hess log p_t.

So over one step EM misses R = int_0^h (h - s)(Y_s/4 ds + L dW_s). Split R into its mean given the past, at most
h^2/8 sup ||Y||, and a fluctuation of mean zero, at most (h^3/3)^{1/2} sup ||L||_F + d^{1/2} h^{5/2}/15 (the second part from Y_s
around its own mean given the past, whose variance grows by at most d a unit of time). The step contracts the difference of
scheme and process by rho = max |1 - h (lambda - 1/2)| over m <= lambda <= L; the fluctuation is orthogonal to everything known
before, so squares add:

    e_{n+1}^2 = (rho_n e_n + h^2/8 sup ||Y|| + h eps)^2 + ((h^3/3)^{1/2} sup ||L||_F + d^{1/2} g h^{5/2}/15)^2 + h^2 eps_noise^2,

with ||L||_F <= d^{1/2} max |lambda - 1/2|, g = exp(h max(0, 1/2 - m)) and e_0 = ||Y_0 - X_T||. W2 <= e_N for every step size and
every m0 > 0. As h -> 0 it is at most h (d^{1/2} (L_max - 1/2) / (6 (m_min - 1/2))^{1/2} + sup||Y|| / (8 (m_min - 1/2))), `limit`:
order h, and fresh noise in the score costs h^{1/2} eps_noise, not eps_noise.
"""

import numpy as np

from dlab.grid import Grid
from dlab.theory import curvature
from dlab.theory.recursion import missing, moment


def sharp(facts, *, grid: Grid, start: str, error: float = 0.0, noise: float = 0.0) -> tuple[np.ndarray | None, str | None]:
    """(e (N + 1,), None), or (None, why there is no number). error: L2 level of a score error that is a function of (t, x);
    noise: of one drawn afresh at each evaluation."""
    if void := missing(facts, ("m0", "L0")):
        return None, void
    m0, L0, d = facts.m0.value, facts.L0.value, facts.dim
    T, h, first, last = grid.T, grid.h, grid.times[:-1], grid.times[1:]
    high = curvature.largest_upper(last, first, L0)
    low = np.minimum(curvature.lower(last, m0), curvature.lower(first, m0))
    rho = np.maximum(
        np.abs(1 - h * (curvature.lower(first, m0) - 0.5)), np.abs(1 - h * (curvature.upper(first, L0) - 0.5))
    )
    size = np.sqrt(np.maximum(moment(facts, first), moment(facts, last)))
    frobenius = np.sqrt(d) * np.maximum(np.abs(low - 0.5), np.abs(high - 0.5))
    growth = np.exp(h * np.maximum(0.0, 0.5 - low))
    bias = h**2 / 8 * size + h * error
    spread = (np.sqrt(h**3 / 3) * frobenius + np.sqrt(d) * growth * h**2.5 / 15) ** 2 + (h * noise) ** 2
    e = np.zeros(grid.steps + 1)
    e[0] = np.exp(-T / 2) * facts.second_moment**0.5 if start == "paper" else 0.0
    with np.errstate(over="ignore"):
        for k in range(grid.steps):
            e[k + 1] = np.sqrt((rho[k] * e[k] + bias[k]) ** 2 + spread[k])
    return e, None


def limit(facts, *, T: float) -> float | None:
    """The K of e_N <= K h + o(h) without score error, exact start; None where m0 <= 1/2 or a fact is missing."""
    if missing(facts, ("m0", "L0")) or facts.m0.value <= 0.5:
        return None
    gap, size = min(1.0, facts.m0.value) - 0.5, max(moment(facts, 0.0), moment(facts, T)) ** 0.5
    return float(np.sqrt(facts.dim / (6 * gap)) * (facts.L0.value + 0.5) + size / (8 * gap))
