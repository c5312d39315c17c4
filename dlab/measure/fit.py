"""Slopes of log W2 against log h, with intervals and a stated window.

Rule of the window: of the resolved points the coarsest is left out while the slope between it and its
finer neighbour differs from the slope fitted to the rest by more than 0.15 plus two standard errors, and
at least three points remain. What is left out stays in the figure, hollow, with this reason.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

BEND = 0.15
LEVEL = 0.95


@dataclass(frozen=True)
class PowerLaw:
    """W2 = constant * h^slope on the step sizes `used`; None where fewer than two points are usable.

    low, high: its 95 % interval; None for two exact points, which leave nothing to judge it by.
    """

    slope: float | None
    low: float | None
    high: float | None
    constant: float | None
    used: tuple[float, ...]


def fit(h, w2, stderr, usable) -> PowerLaw:
    """Weighted least squares in log-log with a 95 % interval.

    Points with a standard error weigh 1/(relative error)^2; the interval widens by sqrt(chi^2/dof) where
    the points scatter by more than their errors say. Exact points weigh the same and the interval is that
    of the residuals (Student's t).
    """
    keep = [i for i in np.argsort(h) if usable[i] and w2[i] is not None and w2[i] > 0]
    if len(keep) < 2:
        return PowerLaw(None, None, None, None, tuple(h[i] for i in keep))
    x = np.log([h[i] for i in keep])
    y = np.log([w2[i] for i in keep])
    relative = np.array([stderr[i] / w2[i] for i in keep])
    size = len(keep)
    while size > 3:
        rest, error, *_ = _line(x[: size - 1], y[: size - 1], relative[: size - 1])
        run = x[size - 1] - x[size - 2]
        local = (y[size - 1] - y[size - 2]) / run
        doubt = np.hypot(error, np.hypot(*relative[size - 2 : size]) / run)
        if abs(local - rest) <= BEND + 2 * doubt:
            break
        size -= 1
    slope, error, intercept, quantile = _line(x[:size], y[:size], relative[:size])
    known = size > 2 or error > 0  # two exact points have a slope and no interval
    return PowerLaw(
        float(slope),
        float(slope - quantile * error) if known else None,
        float(slope + quantile * error) if known else None,
        float(np.exp(intercept)),
        tuple(h[i] for i in keep[:size]),
    )


def _line(x, y, relative):
    """Slope, its standard error, intercept and the quantile that makes a 95 % interval of them."""
    exact = not np.any(relative > 0)
    weight = np.ones_like(x) if exact else 1 / np.maximum(relative, 1e-9) ** 2
    centre = np.average(x, weights=weight)
    spread = np.sum(weight * (x - centre) ** 2)
    slope = np.sum(weight * (x - centre) * y) / spread
    intercept = np.average(y, weights=weight) - slope * centre
    freedom = len(x) - 2
    residual = np.sum(weight * (y - intercept - slope * x) ** 2)
    if freedom == 0:
        return slope, 0.0 if exact else spread**-0.5, intercept, ndtri((1 + LEVEL) / 2)
    scale = residual / freedom
    if exact:
        return slope, np.sqrt(scale / spread), intercept, stdtrit(freedom, (1 + LEVEL) / 2)
    return slope, np.sqrt(max(scale, 1.0) / spread), intercept, ndtri((1 + LEVEL) / 2)
