"""How log-concave p_t is when m0 I <= -Hess log p_0 <= L0 I: m(t) I <= -Hess log p_t <= L(t) I ([YY] sec. 2.2),

    m(t) = 1 / (e^{-t}/m0 + 1 - e^{-t}),      L(t) = min(1 / (1 - e^{-t}), e^t L0),

with their integrals in closed form. Arguments are times t >= 0, scalars or arrays; m0, L0 > 0.
"""

import numpy as np


def lower(t, m0):
    """m(t): between m0 and 1, monotone."""
    return 1 / (np.exp(-t) / m0 - np.expm1(-t))


def upper(t, L0):
    """L(t): rises to 1 + L0 at `crossing`, then falls to 1."""
    with np.errstate(divide="ignore"):
        return np.minimum(-1 / np.expm1(-np.asarray(t, float)), np.exp(t) * L0)


def crossing(L0: float) -> float:
    """The time at which L(t) is largest, 1 + L0."""
    return float(np.log1p(1 / L0))


def lower_integral(a, b, m0):
    """int_a^b m(t) dt."""
    return np.log((np.exp(b) + (1 / m0 - 1)) / (np.exp(a) + (1 / m0 - 1)))


def upper_integral(a, b, L0):
    """int_a^b L(t) dt."""
    return _pieces(a, b, L0, lambda t: L0 * np.exp(t), lambda t: t + np.log(-np.expm1(-t)))


def root_integral(a, b, L0):
    """int_a^b L(t)^(1/2) dt."""
    return _pieces(
        a, b, L0, lambda t: 2 * np.sqrt(L0) * np.exp(t / 2), lambda t: t + 2 * np.log1p(np.sqrt(-np.expm1(-t)))
    )


def _pieces(a, b, L0, before, after):
    """Difference of primitives, `before` up to the crossing and `after` from there."""
    top = crossing(L0)
    early = before(np.minimum(b, top)) - before(np.minimum(a, top))
    return early + after(np.maximum(b, top)) - after(np.maximum(a, top))


def largest_upper(a, b, L0):
    """max of L over [a, b]."""
    return upper(np.clip(crossing(L0), a, b), L0)
