"""Leading-term bounds of Theorems 1, 3 and 4 of [YY], their three contributions kept apart.

    W2 <~ exp(-m_min T) ||X_0|| + C1 * (h-factor) + C2 * (score errors),
    m_min = min(1, m0), L_max = 1 + L0.

The first term is absent for the exact start. "<~" hides O(h^2) terms, M1 and a step-size condition.
"""

import math
from dataclasses import dataclass

UNEVEN = "the printed theorems assume equal steps from T to 0."
OTHER_START = "the printed theorems assume the exact start or N(0, σ²I)."
NO_THEOREM = "no theorem of Yu & Yu covers this scheme."
VOID_M0 = "m0 = {m0:.3g} ≤ ½, so m_min − ½ is not positive: the theorem promises nothing."
TOO_LARGE = "the constants of {} are too large for double precision at h = {:g}."


@dataclass(frozen=True)
class Constants:
    """Constants of one theorem. The discretisation term is c1 * h_factor (c1 None: L_F unknown);
    the score term is c2 * eps + c2_hessian * eps_L + c2_drift * eps_M."""

    c1: float | None
    h_factor: float
    c2: float
    c2_hessian: float = 0.0
    c2_drift: float = 0.0
    footnote: str | None = None


@dataclass(frozen=True)
class Bound:
    """The theorem's bound on W2, or the reason why there is none.

    initialisation, discretisation, score   the three contributions; total is their sum
    void     a sentence, and every number None, where the theorem says nothing
    """

    initialisation: float | None = None
    discretisation: float | None = None
    score: float | None = None
    constants: Constants | None = None
    void: str | None = None

    @property
    def total(self) -> float | None:
        return None if self.void else self.initialisation + self.discretisation + self.score


def bound(scheme, facts, *, T, h, start, errors=(0.0, 0.0, 0.0)) -> Bound:
    """Bound of the scheme's theorem for a target with the given facts; void where no theorem covers it.

    errors = (eps_sc, eps_L, eps_M) as met along the iterates; start is "paper" or "exact". h None: the steps are not equal.
    """
    if (theorem := scheme.theorem) is None:
        return Bound(void=NO_THEOREM)
    if h is None:
        return Bound(void=UNEVEN)
    if start == "vp":
        return Bound(void=OTHER_START)
    m0, L0 = facts.m0.value, facts.L0.value
    if m0 is None or L0 is None:
        missing, fact = ("m0", facts.m0) if m0 is None else ("L0", facts.L0)
        what = fact.how if fact.infinite else "unknown"
        return Bound(void=f"{missing} of this target is {what}, so {theorem.name} gives no number.")
    if m0 <= 0.5:
        return Bound(void=VOID_M0.format(m0=m0))
    m_min, L_max = min(1.0, m0), 1.0 + L0
    try:
        constants = theorem.constants(m_min, L_max, facts.L_F.value, facts.dim, h)
    except OverflowError:
        return Bound(void=TOO_LARGE.format(theorem.name, h))
    if constants.c1 is None:
        what = facts.L_F.how if facts.L_F.infinite else "unknown"
        return Bound(void=f"L_F of this target is {what}, so {theorem.name} gives no number.")
    initial = 0.0 if start == "exact" else math.exp(-m_min * T) * facts.second_moment**0.5
    score = sum(c * e for c, e in zip((constants.c2, constants.c2_hessian, constants.c2_drift), errors))
    found = Bound(initial, constants.c1 * constants.h_factor, score, constants)
    return found if math.isfinite(found.total) else Bound(void=TOO_LARGE.format(theorem.name, h))
