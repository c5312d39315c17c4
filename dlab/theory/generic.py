"""A bound on every one-step scheme of the reverse SDE from the errors of its single steps, on any grid, for any m0 > 0.

X is the reverse process, Y the scheme, on one Brownian path; Phi is the exact flow over a step. Then

    X' - Y' = [Phi(X) - Phi(Y)] + [Phi(Y) - Psi(Y)] + [Psi(Y) - Psi^(Y)],     Psi the step with the exact score, Psi^ the scheme's.

The first bracket is at most rho |X - Y| on every path, rho = exp(-int (m - 1/2)), and fluctuates given the past by at most
kappa Delta^{3/2} |X - Y|, kappa = L_F G^2/sqrt(3), G = exp(int (1/2 - m)^+): its derivative with respect to the path at r is a
difference of two Jacobians, at most L_F G^2 (Delta - r) |X - Y|, and Poincare's inequality sums the squares. The second has given the
past the mean b and the fluctuation f in L2, the third the size s where its mean counts, or v where it is drawn afresh. With
a b <= (theta a^2 + b^2/theta)/2 for the one product of two fluctuations,

    e_{n+1}^2 <= (rho~ e_n + b + s)^2 + F^2 + v^2,   rho~^2 = rho^2 + theta kappa Delta^2,   F^2 = f^2 (1 + kappa Delta/theta)

for every theta > 0, and with w_n the product of rho~ over the steps after n

    W2 <= w_{-1} e_0 + sum w_n b_n + (sum w_n^2 F_n^2)^{1/2} + sum w_n s_n + (sum w_n^2 v_n^2)^{1/2} + |X_stop - X_0|.

For a scheme of strong order gamma b = K1 Delta^{gamma+1} and f = K2 Delta^{gamma+1/2}. docs/theory.md has the proof.
"""

from dataclasses import dataclass

import numpy as np

from dlab.grid import Grid
from dlab.theory import curvature
from dlab.theory.all_at_once import Contributions, start_distance, stop_distance
from dlab.theory.recursion import missing

THETAS = np.geomspace(1e-2, 1e2, 33)


@dataclass(frozen=True)
class Terms(Contributions):
    initialisation: float
    mean: float
    fluctuation: float
    bias: float
    fresh: float
    stop: float


def contraction(m0: float, grid: Grid):
    """rho of each step, (N,)."""
    return np.exp(grid.h / 2 - curvature.lower_integral(grid.times[1:], grid.times[:-1], m0))


def fluctuation(m0: float, L_F: float, grid: Grid):
    """kappa of each step, (N,)."""
    # m is monotone, so that its excess below 1/2 is largest at one of the ends.
    low = np.minimum(curvature.lower(grid.times[1:], m0), curvature.lower(grid.times[:-1], m0))
    return L_F / np.sqrt(3) * np.exp(2 * grid.h * np.maximum(0.5 - low, 0.0))


def terms(facts, *, grid: Grid, start: str, mean, spread, bias=0.0, fresh=0.0) -> tuple[Terms | None, str | None]:
    """(Terms, None), or (None, why there is no number), from the errors of the steps: b and f, s and v, numbers or (N,), in L2 over
    the scheme's iterates."""
    if void := missing(facts, ("m0", "L_F")):
        return None, void
    m0, d, size = facts.m0.value, facts.dim, facts.second_moment
    rho, kappa, h = contraction(m0, grid), fluctuation(m0, facts.L_F.value, grid), grid.h
    begun = np.exp(-grid.T / 2) * start_distance(size, d, grid.T, start)
    one = np.ones(grid.steps)

    def at(theta):
        grown = np.sqrt(rho**2 + theta * kappa * h**2)
        after = np.append(np.cumprod(grown[::-1])[::-1][1:], 1.0)
        square = (spread * one) ** 2 * (1 + kappa * h / theta)
        return Terms(
            float(after[0] * grown[0] * begun), float(after @ (mean * one)), float(np.sqrt(after**2 @ square)), float(after @ (bias * one)),
            float(np.sqrt(after**2 @ (fresh * one) ** 2)), stop_distance(size, d, grid.stop),
        )  # fmt: skip

    with np.errstate(over="ignore"):
        return min((at(theta) for theta in (THETAS if facts.L_F.value else (1.0,))), key=lambda t: t.total), None
