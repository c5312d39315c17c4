"""W2 of the exact law, no Monte Carlo: Gaussian target with an error affine in x, or product target with an
error that acts on each of its coordinates alone."""

import math
from functools import lru_cache

import jax
import numpy as np
from numpy.polynomial import chebyshev

from dlab import theory
from dlab.laws import gaussian, product
from dlab.look import Style
from dlab.measure.base import Case, Method, by_law, unsettled
from dlab.targets.gaussian import Gaussian
from dlab.targets.spectrum import Spectrum
from dlab.types import Estimate

MOMENTS_ONLY = (
    "{}: the law is a mixture over the random midpoint U, so the exact value shown is the distance of the "
    "first two moments, a lower bound of W₂."
)
MARGINALS_ONLY = (
    "{}: the coordinates share the random midpoint U, so the exact value shown, the root of the sum of their squared "
    "distances, is a lower bound of W₂."
)
FAR = 1.1  # times a lower bound that W2 may be, as far as is known, before the point is not fitted
NODES = 48  # variances at which a law is carried where there are more
ROUNDING = 1e-11  # W2 in units of ||X_0|| below which the two laws are equal as far as doubles tell
PRICE = 48_000, 360, 1_000, 2_800  # particle-steps that cost as much as a law, a step of it, a Hessian in it, a midpoint in it


def applies(case: Case) -> str | None:
    if isinstance(case.target, (Gaussian, Spectrum)):
        if not case.error.affine:
            return "This score error is not affine in x, so the law does not stay Gaussian; choose the projected estimator."
        if isinstance(case.target, Spectrum) and case.error.along(np.eye(1, case.target.dim)[0]) is None:
            return "This score error couples the target's coordinates; choose a Gaussian target with a covariance."
        return None
    if case.target.factors is None:
        return "The exact law is known for Gaussian and product targets alone; choose the projected estimator."
    if "elsewhere" in case.scheme.asks or (case.scheme.randomised and case.scheme.hessian_evals):
        return f"{case.scheme.name} asks for the score at places that the law on a grid does not know; choose the projected estimator."
    if case.error.draws:
        return "The exact law of a product target is not known under a random score error; choose the projected estimator."
    if case.error.carries:
        return "The exact law of a product target is not known under a stale Hessian; choose the projected estimator."
    if any(e is None for e in _errors(case)):
        return "This score error couples the target's coordinates, so the law is no product; choose the projected estimator."
    return None


def price(case: Case) -> int:
    """The cost in particle-steps; 0 for a law in closed form."""
    if isinstance(case.target, (Gaussian, Spectrum)):
        return 0
    law, step, hessian, midpoint = PRICE
    step += hessian * (case.scheme.hessian_evals > 0) + midpoint * case.scheme.randomised
    return (law + case.grid.steps * step) * len({key for key, _ in _coordinates(case)})


def follow(case: Case, at) -> tuple[list[Estimate], np.ndarray]:
    """W2 to p_t after each of the steps `at` (ascending, the last one the number of steps), and the mean |e|^2 met at
    each step, (N,)."""
    at = np.asarray(at)
    if isinstance(case.target, Spectrum):
        return _axes(case, at)
    if isinstance(case.target, Gaussian):
        return _gaussian(case, at)
    return of_lines(case, at, [] if case.scheme.randomised and case.target.unbounded else lines(case, at))


def _gaussian(case, at):
    law = gaussian.propagate(case.scheme, case.target, case.error, grid=case.grid, start=case.start)
    method = "exact-moments" if case.scheme.randomised else "exact"
    times = case.grid.times[at]
    found = []
    for n, t in zip(at, times):
        if not (np.isfinite(law.mean[n]).all() and np.isfinite(law.cov[n]).all()):
            found.append(Estimate(None, 0.0, "exact"))
            continue
        value = gaussian.bures(*gaussian.diffused(case.target.facts, t), law.mean[n], law.cov[n])
        found.append(_estimate(case, value, method))
    return found, law.error_square


def _axes(case, at):
    """Coordinates of one variance and error have one law, and among many variances it is a smooth function of the variance."""
    leaves, tree = jax.tree.flatten(_along_axes(case.error, case.target.dim))
    columns = np.stack([case.target.values, *map(np.asarray, leaves)])
    alike, group = np.unique(columns[1:], axis=1, return_inverse=True)
    weights = []  # of each law that is carried in the sum over coordinates
    for g in range(alike.shape[1]):
        values, counts = np.unique(columns[0, group.ravel() == g], return_counts=True)
        weights += [(g, *pair) for pair in zip(*_nodes(values, counts))]
    kinds, values, share = map(np.array, zip(*weights))
    leaves = tuple(map(tuple, alike[:, kinds].tolist()))
    law = _lines_once(case.scheme, tuple(values.tolist()), leaves, tree, case.grid, case.start)
    method = "exact-moments" if case.scheme.randomised else "exact"
    found = []
    for n, t in zip(at, case.grid.times[at]):
        true = np.exp(-t) * values - np.expm1(-t)
        # The difference of roots from that of variances: no digits cancel that the law itself still has.
        moved = (law.cov[n] - true) / (np.sqrt(law.cov[n]) + np.sqrt(true))
        square = share @ (moved**2 + law.mean[n] ** 2)
        if not np.isfinite(square):
            found.append(Estimate(None, 0.0, "exact"))
            continue
        value = math.sqrt(square)
        flags = _unseen(case, value, values, share) if n == case.grid.steps else ()
        found.append(_estimate(case, value, method, flags))
    return found, law.error_square @ share


def _unseen(case, value, values, share) -> tuple[str, ...]:
    """What to say of a value that is far below W2, since all coordinates share the random midpoint."""
    if case.grid.step is None:
        return ()
    more = theory.excess(case.scheme, values, share, case.grid.T, case.grid.step)
    if more is None or math.hypot(value, more) < FAR * value:
        return ()
    return (f"a lower bound far below W₂, which is about {math.hypot(value, more):.2g}: all coordinates share the random midpoint",)


@lru_cache(maxsize=64)
def _lines_once(scheme, values, leaves, tree, grid, start):
    """The laws on the line, kept: with one shape of spectrum those of d coordinates are those of 4 d, or close to all of them."""
    errors = jax.tree.unflatten(tree, list(map(np.array, leaves)))
    return gaussian.propagate_lines(scheme, np.array(values), errors, grid=grid, start=start)


def _along_axes(error, d):
    """The error of each coordinate, a pytree whose leaves are (d,)."""
    first = [error.along(axis) for axis in np.eye(min(d, 3), d)]
    return jax.tree.map(lambda *v: np.concatenate([v, np.full(d - len(v), v[-1])]), *first)


def _nodes(values, counts):
    """Few values with weights whose sums of a smooth function are those of the values with their counts: the values
    themselves, or Chebyshev nodes of log v where there are more."""
    if len(values) <= NODES:
        return values, counts
    low, high = np.log(values[[0, -1]])
    place = (2 * np.log(values) - low - high) / (high - low)
    nodes = chebyshev.chebpts1(NODES)
    # Interpolation through the nodes is linear in the function's values there.
    sums = chebyshev.chebvander(place, NODES - 1).T @ counts
    return np.exp((nodes * (high - low) + low + high) / 2), np.linalg.solve(chebyshev.chebvander(nodes, NODES - 1).T, sums)


def of_lines(case: Case, at, found) -> tuple[list[Estimate], np.ndarray]:
    """`follow` where the law of each coordinate is known already: found as `lines` gives it."""
    if case.scheme.randomised and case.target.unbounded:
        return [Estimate(None, 0.0, "exact", flags=(case.target.unbounded,))] * len(at), np.full(case.grid.steps, np.nan)
    method = "exact-marginals" if case.scheme.randomised else "exact"
    squares, met, changes, lost = np.zeros(len(at)), np.zeros(case.grid.steps), 0.0, 0.0
    for line, moved in found:
        own = line.w2() ** 2
        squares += own
        met += line.error_square
        changes, lost = changes + moved * own[-1], max(lost, line.lost)
    # Of the root of a sum: a coordinate that hardly counts may be known badly.
    change = float(changes / max(squares[-1], 1e-300))
    if not lost <= product.LOST:
        return [Estimate(None, 0.0, "exact")] * len(at), met
    flags = ()
    if change > product.SETTLED:
        flags = (unsettled("the exact law", change),)
    return [_estimate(case, math.sqrt(v), method, flags, change) for v in squares], met


def _estimate(case, value, method, flags=(), change=0.0):
    if value < ROUNDING * case.target.facts.second_moment**0.5:
        flags = (*flags, "the laws are equal up to rounding")
    upper = None if case.scheme.randomised else value
    return Estimate(value, 0.0, method, lower=value, upper=upper, flags=flags, grid_change=change)


def lines(case: Case, at) -> list[tuple[product.Line, float]]:
    """The law of each coordinate of a product target along its axes, with its grid's change; see laws.product."""
    found, run = {}, list(_coordinates(case))
    for key, (density, error, mean, std) in run:
        if key not in found:
            found[key] = product.propagate(
                case.scheme, density, error, grid=case.grid, start=case.start, mean=mean, std=std, at=at
            )
    return [found[key] for key, _ in run]


def _coordinates(case):
    """For each coordinate a key, equal for coordinates with one law, and its density, error, mean and deviation."""
    facts, axes = case.target.facts, case.target.factors.axes
    for density, axis, error in zip(case.target.factors.densities, axes.T, _errors(case)):
        key = (id(density), *map(float, jax.tree.leaves(error)))
        yield key, (density, error, float(axis @ facts.mean), float(np.sqrt(axis @ facts.cov @ axis)))


def _errors(case):
    return [case.error.along(axis) for axis in case.target.factors.axes.T]


ENTRY = by_law(
    "exact", "Exact law", applies, follow, price,
    methods=(
        Method(
            "exact",
            "**Exact law.** On a Gaussian target one step is affine, so mean and covariance of the scheme's law "
            "propagate in closed form and $W_2$ is the Bures distance. On a product target the density of each "
            "coordinate is carried through the steps on a grid and $W_2$ comes from quantiles. No sampling, no error "
            "bars.",
            "of the scheme's law, carried through the steps without sampling",
        ),
        Method(
            "exact-moments",
            "**Exact first two moments.** With a random midpoint the law is a mixture over $U$. Its mean and covariance"
            " are exact; their distance is a lower bound of $W_2$.",
            "of the law's first two moments, without sampling: a lower bound",
            note="exact for the first two moments, so a lower bound of W₂",
            lower=True,
        ),
        Method(
            "exact-marginals",
            "**Exact along the axes.** With a random midpoint the coordinates share $U$, so the law is no product. The "
            "law of each coordinate is exact; the root of the sum of their squared distances is a lower bound of $W_2$.",
            "of the law's marginals along the target's axes, without sampling: a lower bound",
            note="exact along the axes, which is a lower bound of W₂",
            lower=True,
        ),
    ),
    style=Style("#1d2733", "#e8edf3", "", "solid"),
    automatic=True,
)  # fmt: skip
estimate = ENTRY.estimate
