"""The recursion that Theorem 1 of [YY] is the leading term of (Proposition 9, EM), evaluated with nothing dropped.

    e_0 = 0,   e_{n+1} <= r_n e_n + h^2 C_n + h^{3/2} sqrt(d) C1(n) + h eps_sc,

    C1(n) = 1/2 + (1/h) int L,   C2(n) = exp(-int_0^{nh} (m - 1/2)) ||Y_0 - X_T||,
    C3(n) = (1/h) int (d L)^{1/2},   C4 = sup_t ||X_t||,
    r_n = exp(-int (m - 1/2)) + h^2 (C1^2 + M1),   C_n = C1 (C1 C2 + C4/2 + C3) + M1 (1 + C2 + C4),

integrals over the n-th step where no others are given, in reverse time. W2 <= e_N, plus exp(-int_0^T m) ||X_0|| for the
paper's start. Its Lemma 10 takes m(t) >= 1/2 within a step: for m0 < 1/2 the recursion is evaluated without that proof.
"""

from dataclasses import dataclass

import numpy as np

from dlab.grid import Grid
from dlab.theory import curvature


@dataclass(frozen=True)
class Recursion:
    """e (N + 1,), factor r_n, constants C1, C2, C3, C_n (N,) along the steps, C4, and the initialisation term.

    largest_step: (m_min - 1/2) / (max C1^2 + M1), above which the bound does not contract; None where m_min <= 1/2
    void: a sentence, and everything else None, where a fact of the target is missing
    """

    e: np.ndarray | None = None
    factor: np.ndarray | None = None
    C1: np.ndarray | None = None
    C2: np.ndarray | None = None
    C3: np.ndarray | None = None
    C: np.ndarray | None = None
    C4: float | None = None
    initialisation: float | None = None
    largest_step: float | None = None
    void: str | None = None

    @property
    def total(self) -> float | None:
        """The bound on W2; inf where it overflows."""
        return None if self.void else float(self.e[-1] + self.initialisation)


def missing(facts, names) -> str | None:
    """The sentence that says which fact of the target is unknown or not positive, None where none is."""
    for name in names:
        fact = getattr(facts, name)
        if fact.value is None:
            return f"{name} of this target is {fact.how if fact.infinite else 'unknown'}, so there is no number."
        if name == "m0" and fact.value <= 0:
            return f"m0 = {fact.value:.3g}: the target is not {'strongly ' if fact.value == 0 else ''}log-concave, so there is no number."
    return None


def recursion(facts, *, grid: Grid, start: str, error: float = 0.0) -> Recursion:
    """The recursion for EM on a target with the given facts; error is eps_sc along the iterates."""
    if void := missing(facts, ("m0", "L0", "M1")):
        return Recursion(void=void)
    m0, L0, M1, d = facts.m0.value, facts.L0.value, facts.M1.value, facts.dim
    T, h, first, last = grid.T, grid.h, grid.times[:-1], grid.times[1:]
    decay = curvature.lower_integral(last, first, m0) - h / 2
    so_far = np.concatenate([[0.0], np.cumsum(decay)[:-1]])
    far = np.exp(-T / 2) * facts.second_moment**0.5 if start == "paper" else 0.0
    C1 = 0.5 + curvature.upper_integral(last, first, L0) / h
    C2 = np.exp(-so_far) * far
    C3 = np.sqrt(d) * curvature.root_integral(last, first, L0) / h
    # E|X_t|^2 is between its values at t = 0 and t = T.
    C4 = max(moment(facts, 0.0), moment(facts, T)) ** 0.5
    C = C1 * (C1 * C2 + C4 / 2 + C3) + M1 * (1 + C2 + C4)
    factor = np.exp(-decay) + h**2 * (C1**2 + M1)
    added = h**2 * C + h**1.5 * np.sqrt(d) * C1 + h * error
    e = np.zeros(grid.steps + 1)
    with np.errstate(over="ignore"):
        for k in range(grid.steps):
            e[k + 1] = factor[k] * e[k] + added[k]
    initial = float(np.exp(-curvature.lower_integral(grid.stop, T, m0))) * facts.second_moment**0.5 if start == "paper" else 0.0
    gap = min(1.0, m0) - 0.5
    largest = gap / (float(np.max(C1)) ** 2 + M1) if gap > 0 else None
    return Recursion(e, factor, C1, C2, C3, C, float(C4), initial, largest)


def moment(facts, t):
    """E|X_t|^2."""
    return np.exp(-t) * facts.second_moment - facts.dim * np.expm1(-t)
