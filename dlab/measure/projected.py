"""W2 of the laws from a coupling: the displacement projected onto gradient fields.

To first order W2 is the norm of the projection of x - y onto gradients. With functions psi_k,
b_k = mean(psi_k(x) - psi_k(y)) and A_kl = mean(grad psi_k . grad psi_l), W2^2 ~ b^T A^-1 b, from which the noise of b
is removed as tr(A^-1 Cov b). Where the reference is given with half of its steps too, its mean of psi_k is
extrapolated to step size 0; where the fluctuation z of x is given, grad psi_k(y) . z, of mean zero, is a control
variate. The basis is a tensor product of cubic B-splines with knots at quantiles along the principal axes, grown
until W2 stops rising (RISE).
"""

from dataclasses import replace

import numpy as np
from scipy.interpolate import BSpline

from dlab.measure.base import Case, Estimator, Pairs, root
from dlab.types import Estimate

SIDES = (6, 9, 12)  # basis functions a side, in the order in which they are tried
LEAST = 4  # and with fewer than CROWD paths a function even there
# A larger basis is taken where W2 rises by more than so many standard errors. Both values come from the same
# paths, so a quiet coupling shows a real rise well below one; a noisy one would only pick the larger noise.
RISE = {False: 0.5, True: 2.0}
CROWD = 8  # paths per basis function, at least
SMALLEST = 1e-6  # eigenvalues of A below this share of the largest are dropped
DISAGREE = 0.1  # relative gap between the two ways of taking A that flags a value


def applies(case: Case) -> str | None:
    if case.target.dim > 2:
        return f"The projected estimator works in one and two dimensions; this target has d = {case.target.dim}."
    return None


def estimate(case: Case, pairs: Pairs) -> Estimate:
    """The projected W2 with its standard error, grown over SIDES; flagged where A at midpoints and A
    averaged over both ends, on the smallest basis, differ by more than DISAGREE and two standard errors."""
    found = quick(case, pairs)
    other = _project(pairs, SIDES[0], ends=not case.noisy)
    gap, flags = abs(other.value - found.value), ()
    if gap > max(DISAGREE * found.value, 2 * found.stderr):
        flags = (
            f"projected: metric at midpoints and at endpoints differ by {gap / max(found.value, 1e-300):.0%}, "
            "so the displacement is too large or too noisy for the first-order projection",
        )
    rise = RISE[case.noisy]
    for side in SIDES[1:]:
        if side**case.target.dim * CROWD > len(pairs.y):
            break
        grown = _project(pairs, side, ends=case.noisy)
        if grown.value <= found.value + rise * max(grown.stderr, found.stderr):
            break
        found = grown
    return replace(found, flags=flags)


def quick(case: Case, pairs: Pairs) -> Estimate:
    """The estimate on the smallest basis, unchecked; with few paths on one that they can still fill."""
    side = SIDES[0] if len(pairs.y) >= CROWD * SIDES[0] ** case.target.dim else LEAST
    return _project(pairs, side, ends=case.noisy)


def _project(pairs: Pairs, side: int, ends: bool) -> Estimate:
    """One basis size, A at both ends or at midpoints."""
    rough = pairs.y if pairs.half is None else pairs.half
    both = np.concatenate([pairs.x, rough, pairs.y])
    centre, n = both.mean(0), len(pairs.y)
    _, axes = np.linalg.eigh(np.cov(both.T).reshape(len(centre), -1))
    turned = (both - centre) @ axes
    x, rough, y = turned[:n], turned[n:-n], turned[-n:]
    splines = [_splines(column, side) for column in turned.T]
    step = _values(splines, x) - _values(splines, y)
    if pairs.half is not None:
        step -= (_values(splines, y) - _values(splines, rough)) / 3
    at_y = _gradients(splines, y) if ends or pairs.fluctuation is not None else []
    # Gradients where the metric is taken, with their weights.
    places = [(_gradients(splines, x), 0.5), (at_y, 0.5)] if ends else [(_gradients(splines, (x + y) / 2), 1.0)]
    slopes = [(weight, g) for along, weight in places for g in along]
    A = sum(weight / n * (g.T @ g) for weight, g in slopes)
    values, vectors = np.linalg.eigh(A)
    keep = values > SMALLEST * values[-1]
    # In the whitened basis A is the identity: W2^2 = |b|^2 - tr Cov b.
    white = vectors[:, keep] / np.sqrt(values[keep])
    if pairs.fluctuation is not None:
        step -= _controlled(step, sum(g * z[:, None] for g, z in zip(at_y, (pairs.fluctuation @ axes).T)), white)
    b = white.T @ step.mean(0)
    direction = white @ b
    residual, length = step.copy(), np.zeros(n)
    for weight, g in slopes:
        along = g @ direction
        residual -= weight * along[:, None] * g
        length += weight * along**2
    residual -= residual.mean(0)
    covariance = white.T @ (residual.T @ residual) @ white / (n * (n - 1))
    # |b|^2 has variance 4 b^T C b + 2 tr C^2 with b's mean; the b at hand adds noise of its own, 4 tr C^2 in the mean.
    influence, own = (2 * step @ direction - length).var(ddof=1) / n, np.sum(covariance**2)
    value, stderr = root(b @ b - np.trace(covariance), np.sqrt(max(influence - 4 * own, 0.0) + 2 * own))
    return Estimate(value, stderr, "projected")


def _controlled(step, zero, white):
    """The multiple of `zero`, of mean zero, that takes most of the noise out of `step`, both (n, basis)."""
    a, c = step @ white, zero @ white
    a, c = a - a.mean(0), c - c.mean(0)
    return np.sum(a * c) / max(np.sum(c * c), 1e-300) * zero


def _splines(column, side):
    """Cubic B-spline basis with `side` functions, interior knots at quantiles, and its derivative."""
    inner = np.quantile(column, np.linspace(0, 1, side - 2)[1:-1])
    low, high = column.min(), column.max()
    knots = np.concatenate([[low] * 4, inner, [high] * 4])
    basis = BSpline(knots, np.eye(side), 3)
    return basis, basis.derivative()


def _values(splines, points):
    """The tensor basis at points (n, d): (n, side^d)."""
    return _product([basis(column) for (basis, _), column in zip(splines, points.T)])


def _gradients(splines, points):
    """Its partial derivatives, d arrays (n, side^d)."""
    plain = [basis(column) for (basis, _), column in zip(splines, points.T)]
    slope = [derivative(column) for (_, derivative), column in zip(splines, points.T)]
    return [_product([slope[i] if i == j else plain[i] for i in range(len(plain))]) for j in range(len(plain))]


def _product(rows):
    out = rows[0]
    for row in rows[1:]:
        out = (out[:, :, None] * row[:, None, :]).reshape(len(out), -1)
    return out


ENTRY = Estimator("projected", "Projected", True, applies, estimate, quick)
