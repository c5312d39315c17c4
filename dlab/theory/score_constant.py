"""What a score error of level eps costs in the end, for all m0 > 0: integrated over t, where [YY] takes the worst rate of all t.

What is done to the reverse process at time t reaches t = 0 multiplied by at most exp(-int_0^t (m - 1/2)) = e^{t/2}/(1 + m0 (e^t - 1)),
m(t) = 1/(e^{-t}/m0 + 1 - e^{-t}). With w = e^{t/2} a score error of level eps costs at most eps C2,

    C2 = int_1^{e^{T/2}} 2 dw / (1 + m0 (w^2 - 1)),

for every m0 > 0, and N(0, I/m0) with a constant error attains it. The printed 1/(m_min - 1/2) bounds the same integral by that of
exp(-(m_min - 1/2) t): m0 > 1/2 is asked for by that step alone.
"""

import numpy as np


def integrated(m0, T=np.inf):
    """C2 for m0 > 0 and T > 0, scalars or arrays."""
    m0, T = np.broadcast_arrays(np.asarray(m0, float), np.asarray(T, float))
    c, low = 1 / m0 - 1, np.exp(-T / 2)  # 1 + m0 (w^2 - 1) = m0 (w^2 + c); with y = 1/w the integral is 2/m0 int dy/(1 + c y^2)
    root = np.sqrt(np.abs(c))
    safe = np.where(root > 1e-4, root, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        turn = np.where(c > 0, np.arctan(safe) - np.arctan(safe * low), np.arctanh(safe) - np.arctanh(safe * low)) / safe
    series = (1 - low) - c * (1 - low**3) / 3
    found = 2 / m0 * np.where(root > 1e-4, turn, series)
    return float(found) if found.ndim == 0 else found


def printed(m0):
    """1/(m_min - 1/2), infinite where m0 <= 1/2."""
    gap = np.minimum(1.0, np.asarray(m0, float)) - 0.5
    found = np.where(gap > 0, 1 / np.where(gap > 0, gap, 1.0), np.inf)
    return float(found) if found.ndim == 0 else found


def initialisation(m0, T):
    """What is left of the start's distance: e^{-int_0^T m} = 1/(1 + m0 (e^T - 1))."""
    return 1 / (1 + m0 * np.expm1(T))
