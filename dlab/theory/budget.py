"""The cheapest T, h and N for which a theorem promises W2 <= epsilon (Corollaries 2 and 5 of [YY], constants kept).

The initialisation gets a share of epsilon, the step the rest; the corollaries share evenly, here the share that needs the
fewest steps is taken. The leading term is taken at its word: "<~" of the theorems is read as "<=".
"""

import math
from dataclasses import dataclass

from scipy.optimize import brentq, minimize_scalar

from dlab.theory.leading import bound


@dataclass(frozen=True)
class Plan:
    """Horizon T, step size h = T / steps and the number of steps; share of epsilon that the initialisation gets, 0 where it
    makes no error; void: a sentence where there is none."""

    T: float | None = None
    h: float | None = None
    steps: int | None = None
    share: float | None = None
    void: str | None = None


def plan(scheme, facts, epsilon: float, *, start: str, T: float, share: float | None = None, even: bool = True) -> Plan:
    """The fewest steps for which the scheme's theorem promises W2 <= epsilon > 0, with an exact score.

    start "exact": at the horizon T given. start "paper": T is chosen too, T = ln(||X_0|| / (share epsilon)) / m_min, and
    the share as well unless it is given; the corollaries have 1/2.
    """
    if void := bound(scheme, facts, T=T, h=1e-3 if even else None, start=start if start == "vp" else "exact").void:
        return Plan(void=void)
    if start == "exact":
        return _steps(scheme, facts, epsilon, T, 0.0)
    m_min, size = min(1.0, facts.m0.value), facts.second_moment**0.5

    def horizon(share):
        return max(math.log(size / (share * epsilon)) / m_min, 1e-6)

    def length(share):
        return horizon(share) / _largest(scheme, facts, (1 - share) * epsilon)

    best = share or float(minimize_scalar(length, bounds=(1e-6, 1 - 1e-6), method="bounded").x)
    return _steps(scheme, facts, epsilon, horizon(best), best)


def _steps(scheme, facts, epsilon, T, share) -> Plan:
    steps = max(1, math.ceil(T / _largest(scheme, facts, (1 - share) * epsilon) * (1 - 1e-12)))
    return Plan(T, T / steps, steps, share)


def _largest(scheme, facts, epsilon) -> float:
    """The step size at which the discretisation term is epsilon."""

    def excess(log_h):
        found = bound(scheme, facts, T=1.0, h=math.exp(log_h), start="exact")
        return math.inf if found.void else found.discretisation - epsilon

    high = 0.0
    while excess(high) < 0 and high < 50:
        high += 1.0
    low = high - 1.0
    while excess(low) > 0:
        low -= 1.0
    # Where the term overflows there is no sign to bracket with: halve down to a finite one.
    while excess(high) == math.inf:
        high = (low + high) / 2 if excess((low + high) / 2) > 0 else high - (high - low) / 4
    return math.exp(brentq(excess, low, high, xtol=1e-13))
