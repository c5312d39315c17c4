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

    low, high and constant_low, constant_high: 95 % intervals of slope and constant; None for two exact points,
    which leave nothing to judge them by. at_order = (C, low, high) of W2 = C h^order with the order given, where one
    is; its interval too is None for a single exact point.
    """

    slope: float | None
    low: float | None
    high: float | None
    constant: float | None
    used: tuple[float, ...]
    constant_low: float | None = None
    constant_high: float | None = None
    at_order: tuple[float, float | None, float | None] | None = None


def fit(h, w2, stderr, usable, order: float | None = None, window: tuple[float, float] | None = None) -> PowerLaw:
    """Weighted least squares in log-log with a 95 % interval.

    Points with a standard error weigh 1/(relative error)^2; the interval widens by sqrt(chi^2/dof) where
    the points scatter by more than their errors say. Exact points weigh the same and the interval is that
    of the residuals (Student's t). window = (coarsest, finest h) replaces the rule of the window.
    """
    keep = [i for i in np.argsort(h) if usable[i] and w2[i] is not None and w2[i] > 0]
    if window:
        coarsest, finest = max(window) * (1 + 1e-9), min(window) * (1 - 1e-9)
        keep = [i for i in keep if finest <= h[i] <= coarsest]
    x, y = (np.log([v[i] for i in keep]) for v in (h, w2))
    relative = np.array([stderr[i] / w2[i] for i in keep])
    size = len(keep)
    while size > 3 and not window:
        rest, error, *_ = _line(x[: size - 1], y[: size - 1], relative[: size - 1])
        run = x[size - 1] - x[size - 2]
        local = (y[size - 1] - y[size - 2]) / run
        doubt = np.hypot(error, np.hypot(*relative[size - 2 : size]) / run)
        if abs(local - rest) <= BEND + 2 * doubt:
            break
        size -= 1
    used, x, y, relative = tuple(h[i] for i in keep[:size]), x[:size], y[:size], relative[:size]
    at_order = None if order is None or not size else _level(y - order * x, relative)
    if size < 2:
        return PowerLaw(None, None, None, None, used, at_order=at_order)
    slope, error, intercept, level_error, quantile = _line(x, y, relative)
    known = size > 2 or error > 0  # two exact points have a slope and no interval
    return PowerLaw(
        float(slope),
        float(slope - quantile * error) if known else None,
        float(slope + quantile * error) if known else None,
        float(np.exp(intercept)),
        used,
        float(np.exp(intercept - quantile * level_error)) if known else None,
        float(np.exp(intercept + quantile * level_error)) if known else None,
        at_order,
    )


def _line(x, y, relative):
    """Slope, its standard error, intercept, its standard error, and the quantile that makes 95 % intervals of them."""
    weight, exact = _weights(relative)
    centre = np.average(x, weights=weight)
    spread = np.sum(weight * (x - centre) ** 2)
    slope = np.sum(weight * (x - centre) * y) / spread
    intercept = np.average(y, weights=weight) - slope * centre
    lever = spread**-0.5, np.sqrt(1 / weight.sum() + centre**2 / spread)
    residual = np.sum(weight * (y - intercept - slope * x) ** 2)
    scale, quantile = _scale(residual, len(x) - 2, exact)
    return slope, scale * lever[0], intercept, scale * lever[1], quantile


def _level(y, relative):
    """exp of the weighted mean of y with its 95 % interval."""
    weight, exact = _weights(relative)
    mean = np.average(y, weights=weight)
    scale, quantile = _scale(np.sum(weight * (y - mean) ** 2), len(y) - 1, exact)
    half = quantile * scale * weight.sum() ** -0.5
    ends = np.exp([mean - half, mean + half]) if half > 0 else (None, None)
    return float(np.exp(mean)), *(None if v is None else float(v) for v in ends)


def _weights(relative):
    exact = not np.any(relative > 0)
    return (np.ones_like(relative) if exact else 1 / np.maximum(relative, 1e-9) ** 2), exact


def _scale(residual, freedom, exact):
    """What a standard error is multiplied with, and the quantile that goes with it."""
    if freedom == 0:
        return (0.0 if exact else 1.0), ndtri((1 + LEVEL) / 2)
    scale = residual / freedom
    if exact:
        return np.sqrt(scale), stdtrit(freedom, (1 + LEVEL) / 2)
    return np.sqrt(max(scale, 1.0)), ndtri((1 + LEVEL) / 2)
