"""Which slopes are shown, and with which interval: one rule for pictures, sentences, tables and print.

The fits of a result file are weighted lines through log W2 (`measure.fit`). Their intervals know how the points scatter, and neither
that two or three points always lie near a line, nor that an error is a power of h in the limit alone. Here:

- no slope from fewer than LEAST resolved points;
- none where the points bend: between their coarser and their finer half the slope changes by more than BENT of itself and by more
  than chance makes likely, as it does where a curve runs into a floor;
- else the interval is widened by what the bend leaves open. With W = C h^p (1 + a h^q) the fitted slope is off by about
  D / (2 sinh(q Δ/2)), where D is the difference of the slopes of the two halves and Δ that of their mean log h: the more, the smaller
  q is. A term with q = ½ as large as the first one looks like q = 0.3, which is taken. `tests/figures/test_slopes.py` has the coverage.
"""

import math

from dlab.figures.numbers import fixed

LEAST = 4
BENT = 0.5
Q = 0.3


def shown(fit: dict, points) -> dict:
    """The fit as a reader sees it, a copy; points: (x, value, standard error) of those that it uses.

    Without a slope that may be shown it has neither slope nor constant, and `unsaid` is the reason, "" where nothing was fitted.
    """
    if fit.get("slope") is None:
        return {**fit, "unsaid": ""}
    points = sorted(p for p in points if p[1] > 0)
    count = len(fit.get("used") or ())
    if count < LEAST:
        return _without(fit, f"from {count} point{'s' * (count > 1)}: no slope")
    if len(points) != count:  # a fit without its points
        return {**fit, "unsaid": ""}
    half = count // 2
    (fine, fine_error, low), (coarse, coarse_error, high) = _line(points[:half]), _line(points[-half:])
    change, chance = coarse - fine, 2 * math.hypot(fine_error, coarse_error)
    if abs(change) > max(BENT * abs(fit["slope"]), chance):
        return _without(fit, f"bends: slope {fixed(coarse)} at the coarse end, {fixed(fine)} at the fine one")
    if fit.get("slope_low") is None:
        return {**fit, "unsaid": ""}
    open_end = abs(change) / (2 * math.sinh(Q * (high - low) / 2))
    low, high = sorted((fit["slope_low"], fit["slope_high"]))
    return {**fit, "slope_low": low - open_end, "slope_high": high + open_end, "unsaid": ""}


def _without(fit, reason) -> dict:
    return {**fit, "slope": None, "slope_low": None, "slope_high": None, "constant": None, "unsaid": reason}


def _line(points) -> tuple[float, float, float]:
    """Slope, its standard error and the mean of log x of a weighted line through points in log-log; an error of 0 for exact ones."""
    exact = not all(e > 0 for *_, e in points)
    x, y = ([math.log(p[k]) for p in points] for k in (0, 1))
    weights = [1.0 if exact else (v / e) ** 2 for _, v, e in points]
    total = sum(weights)
    centre = sum(w * a for w, a in zip(weights, x)) / total
    spread = sum(w * (a - centre) ** 2 for w, a in zip(weights, x))
    slope = sum(w * (a - centre) * b for w, a, b in zip(weights, x, y)) / spread
    return slope, 0.0 if exact else spread**-0.5, centre
