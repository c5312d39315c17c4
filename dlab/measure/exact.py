"""W2 of the exact law, no Monte Carlo: Gaussian target with an error affine in x, or product target with an
error that acts on each of its coordinates alone."""

import itertools
import math
from collections import Counter
from dataclasses import replace
from functools import lru_cache

import jax
import numpy as np
from numpy.polynomial import chebyshev

from dlab.errors.none import NoError
from dlab.laws import gaussian, levels, mixture, product, runs, shared
from dlab.look import Style
from dlab.measure.base import Case, Method, by_law, unsettled
from dlab.targets.gaussian import Gaussian
from dlab.targets.spectrum import Spectrum
from dlab.types import Estimate

TOO_NARROW = "the law is narrower than the finest grid tells; choose the projected estimator"
CLOSE = 0.02  # relative error of W2 up to which it is resolved
ROUGH = 0.25  # and above which there is a lower bound alone
PAIRS = 10  # pairs of coordinates whose joint law is carried
NODES = 48  # variances at which a law is carried where there are more
ROUNDING = 1e-11  # W2 in units of ||X_0|| below which the two laws are equal as far as doubles tell
# Particle-steps that cost as much as a law, a step of it, a Hessian in it, a midpoint in it, and a step of what a pair shares.
PRICE = 48_000, 360, 1_000, 2_800, 6_000


def applies(case: Case) -> str | None:
    if isinstance(case.target, (Gaussian, Spectrum)):
        if not case.error.affine:
            return "This score error is not affine in x, so the law does not stay Gaussian; choose the projected estimator."
        if isinstance(case.target, Spectrum) and case.error.along(np.eye(1, case.target.dim)[0]) is None:
            return "This score error couples the target's coordinates; choose a Gaussian target with a covariance."
        return None
    if case.target.factors is None:
        return "The exact law is known only for Gaussian and product targets; choose the projected estimator."
    if case.grid.stop:
        return "The exact law of a product target needs a run down to t = 0; choose the projected estimator."
    if case.scheme.asks & {"elsewhere", "earlier", "clock"} or (case.scheme.randomised and case.scheme.hessian_evals):
        return f"{case.scheme.name} evaluates the score at places that a law on a grid does not know; choose the projected estimator."
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
    law, step, hessian, midpoint, pair = PRICE
    step += hessian * (case.scheme.hessian_evals > 0) + midpoint * case.scheme.randomised
    keys = [key for key, _ in _coordinates(case)]
    pairs = len(_pairs(keys)) if case.scheme.randomised else 0
    return (law + case.grid.steps * step) * len(set(keys)) + case.grid.steps * pair * pairs * (pairs <= PAIRS)


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
    if isinstance(case.error, NoError) and case.error.second_order_free:
        with np.errstate(over="ignore", invalid="ignore"):
            return _alone(case, at), np.zeros(case.grid.steps)
    law = gaussian.propagate(case.scheme, case.target, case.error, grid=case.grid, start=case.start)
    found, joint = [], [None] * len(at)
    if case.scheme.randomised and law.mixed < mixture.EQUAL:
        joint = of_maps(case, at, law.maps, *law.begin(case.target), *case.target.along_axes)
    for n, t, known in zip(at, case.times(at), joint):
        if not (np.isfinite(law.mean[n]).all() and np.isfinite(law.cov[n]).all()):
            found.append(Estimate(None, None, "exact"))
            continue
        value = float(gaussian.bures(*gaussian.diffused(case.target.facts, t), law.mean[n], law.cov[n]))
        if known:
            found.append(replace(known, lower=value, value=value if known.method == "lower" else max(value, known.value)))
        else:
            found.append(_least(value, None, "the steps mix the target's axes") if case.scheme.randomised else stated(case, value))
    return found, law.error_square


def _alone(case, at) -> list[Estimate]:
    """Under an exact score, which takes every principal axis on its own."""
    values, means = case.target.along_axes
    goals = _goals(case, at, values, means)
    if not case.scheme.randomised:
        laws = runs.after(case.scheme, case.grid, values, means, case.start, at)
        squares = [
            float(np.sum((law.mean - m) ** 2 + ((law.var - v) / (np.sqrt(law.var) + np.sqrt(v))) ** 2)) for law, (m, v) in zip(laws, goals)
        ]
        return [stated(case, math.sqrt(q)) if math.isfinite(q) else Estimate(None, None, "exact") for q in squares]
    (run,) = runs.ends([(case.scheme, case.grid)], values, means, case.start)
    laws = mixture.moments(run.maps, run.mean, run.var, at)
    found = of_maps(case, at, run.maps, run.mean, run.var, values, means, laws=laws)
    for i, (n, (m, v)) in enumerate(zip(at, goals)):
        if found[i].value is not None:
            # Gelbrich's bound knows that the random midpoint moves the means along all axes together.
            law = laws[int(n)]
            value = float(gaussian.bures(m, np.diag(v), law.mean, np.diag(law.expected) + law.mm))
            found[i] = replace(found[i], lower=value, value=value if found[i].method == "lower" else max(value, found[i].value))
    return found


def _goals(case, at, values, means):
    """Mean and variances of p_t along the axes at the times of `at`."""
    return [(np.exp(-t / 2) * means, np.exp(-t) * values - np.expm1(-t)) for t in case.times(at)]


def of_maps(case, at, maps, mean, var, values, means, counts=None, laws=None) -> list[Estimate]:
    """From a Gaussian with mean and var along axes on which the target has `means` and `values`, each counts times; laws: the moments
    where they are known."""
    counts = np.ones(len(var)) if counts is None else counts
    goals, found = _goals(case, at, values, means), []
    for one in mixture.distances(maps, mean, var, counts, at, goals, laws):
        if not np.isfinite(one.value):
            found.append(Estimate(None, None, "exact"))
        elif one.error > ROUGH or one.value > (1 + CLOSE) * one.upper:  # a grid has lost the shape
            why = f"to first order in the mixture's shape W₂ is {one.value:.2g}, which is too rough here"
            found.append(_least(one.lower, one.upper, why))
        else:
            found.append(stated(case, one.value, "joint", _rough(one.error), lower=one.lower, upper=one.upper))
    return found


def _rough(error) -> tuple[str, ...]:
    return (f"to first order in the mixture's shape, which may be {error:.0%} too large here",) if error > CLOSE else ()


def _least(value, upper, why) -> Estimate:
    return Estimate(float(value), 0.0, "lower", lower=float(value), upper=upper, flags=(f"a lower bound of W₂: {why}",))


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
    if case.scheme.randomised:
        return of_maps(case, at, law.maps, law.mean[0], law.cov[0], values, 0 * values, share), law.error_square @ share
    found = []
    for n, t in zip(at, case.times(at)):
        true = np.exp(-t) * values - np.expm1(-t)
        # The difference of roots from that of variances: no digits cancel that the law itself still has.
        moved = (law.cov[n] - true) / (np.sqrt(law.cov[n]) + np.sqrt(true))
        square = share @ (moved**2 + law.mean[n] ** 2)
        found.append(stated(case, math.sqrt(square)) if np.isfinite(square) else Estimate(None, None, "exact"))
    return found, law.error_square @ share


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
        return [Estimate(None, None, "exact", flags=(case.target.unbounded,))] * len(at), np.full(case.grid.steps, np.nan)
    met = sum(line.error_square for line, _ in found)
    if not all(line.lost <= product.LOST for line, _ in found):
        return [Estimate(None, None, "exact")] * len(at), met
    if not all(line.torn <= product.TORN for line, _ in found):
        return [Estimate(None, None, "exact", flags=(TOO_NARROW,))] * len(at), met
    own = [line.w2() ** 2 for line, _ in found]
    squares, changes = sum(own), sum(moved * square[-1] for (_, moved), square in zip(found, own))
    # Of the root of a sum: a coordinate that hardly counts may be known badly.
    change = float(changes / max(squares[-1], 1e-300))
    flags = ()
    if not change <= levels.SETTLED:
        flags = (unsettled("the exact law", change),)
    if not case.scheme.randomised:
        return [stated(case, math.sqrt(v), flags=flags, change=change) for v in squares], met
    together = _shared(case, at, found, own)
    if together is None:
        why = f"the joint law of {len(found)} coordinates that share the random midpoint is not carried"
        return [_least(math.sqrt(v), None, why) for v in squares], met
    narrow, estimates = min(std for _, (_, _, _, std) in _coordinates(case)), []
    for apart, more in zip(squares, together):
        # What binds three coordinates is of higher order.
        error = more / max(apart + more, 1e-300) * math.sqrt(more) / narrow * (len(found) > 2)
        estimates.append(stated(case, math.sqrt(apart + more), "joint", (*flags, *_rough(error)), change, lower=math.sqrt(apart)))
    return estimates, met


def _shared(case, at, found, squares):
    """What the random midpoint that all coordinates share adds to the sum of their W2^2, squares [(F,)], (F,); None where pairs are too
    many."""
    keys = [key for key, _ in _coordinates(case)]
    pairs, more = _pairs(keys), np.zeros(len(at))
    if len(pairs) > PAIRS:
        return None
    for kinds, count in pairs.items():
        i = keys.index(kinds[0])
        j = keys.index(kinds[1], i + 1 if kinds[0] == kinds[1] else 0)
        more += count * shared.excess(*pair(case, found, (i, j)), at, squares[i] + squares[j])
    return more


def pair(case, found, which=(0, 1)) -> list[shared.Coordinate]:
    """Two coordinates, one object if equal, on grids of as many points, one refinement before their lines': they share little."""
    own, xs = list(_coordinates(case)), [found[i][0].x for i in which]
    level = max(max(product.SIZES.index(len(x)) for x in xs) - 1, 0)
    made, nodes = {}, product.nodes(case.scheme, case.grid.largest, level)
    for i, x in zip(which, xs):
        key, (density, error, *_) = own[i]
        if key not in made:
            x = np.linspace(x[0], x[-1], product.SIZES[level])
            made[key] = shared.Coordinate(case.scheme, density, error, x, nodes, case.grid, case.start)
    return [made[own[i][0]] for i in which]


def _pairs(keys) -> Counter:
    return Counter(tuple(sorted(pair)) for pair in itertools.combinations(keys, 2))


def stated(case, value, method="exact", flags=(), change=0.0, lower=None, upper=None):
    if value < ROUNDING * case.target.facts.second_moment**0.5:
        flags = (*flags, "the laws are equal up to rounding")
    if method == "exact":
        lower = upper = value
    return Estimate(value, 0.0, method, lower=lower, upper=upper, flags=flags, grid_change=change)


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
            "joint",
            "**Joint law.** With a random midpoint $U$, which all coordinates share, the law is neither Gaussian nor a "
            "product. On a Gaussian target it is a mixture of Gaussians over $U$: $W_2$ of means and deviations is exact, and "
            "$W_2$ of the shapes comes from the radii, from the density in the plane or from a Hermite expansion. On a product the "
            "density of each coordinate is carried, together with what two of them share. "
            "The value is within 2 %, or the point is hollow and says by how much it may be off. No sampling, no error bars.",
            "of the scheme's joint law, a mixture over the random midpoint, carried without sampling",
        ),
        Method(
            "lower",
            "**Lower bound.** Where the joint law of coordinates that share the random midpoint is not known well enough, $W_2$ of their "
            "means and deviations, or of their marginals along the axes, is shown instead, hollow: a lower bound.",
            "of marginals along the target's axes, without sampling: a lower bound",
            note="of the marginals, so a lower bound of W₂",
            lower=True,
        ),
    ),
    style=Style("#1d2733", "#e8edf3", "", "solid"),
    automatic=True,
)  # fmt: skip
estimate = ENTRY.estimate
