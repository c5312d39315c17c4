"""Distances between two point clouds, each with its floor: what it reads for one and the same law.

Here to show why the other estimators are needed. Clouds of independent target samples stand for p_0;
the sample is cut into groups of equal size, so the standard error comes from replicates; of one group alone it comes from
leaving out blocks where a distance is quick to find, and is unknown else.
"""

from functools import cache, lru_cache, partial
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np

from dlab import noise
from dlab.look import Style
from dlab.measure.base import Case, Estimator, Method, Pairs, always, jackknife
from dlab.types import Estimate

GROUP = 1000  # points a cloud
GROUPS = 4
BLOCKS = 8  # of the jackknife where there is one group
DIRECTIONS = 128
PIVOTS = 2_000_000
ITERATIONS = 1000
SETTLED = 3e-4  # relative error of the marginals at which Sinkhorn's iterations end
ACCEPTED = 3e-3  # and the most with which their value is taken
RELAXED = 1.8  # times an update of a potential is taken
FAR = 10.0  # times the least error of the marginals beyond which it is taken once


@cache
def _ot():
    # POT takes seconds to import, and most sessions never ask for a cloud distance.
    return import_module("ot")


class NotConverged(Exception):
    """An inner solver ended before its tolerance; the message is a sentence for the reader."""


def transport(x, y, seed) -> float:
    """W2 by exact optimal transport (POT's network simplex) between equal weights."""
    cost, log = _ot().emd2([], [], _ot().dist(x, y), numItermax=PIVOTS, log=True)
    if log["warning"]:
        raise NotConverged(f"the network simplex did not end within {PIVOTS:,} pivots")
    return float(np.sqrt(cost))


def sinkhorn(x, y, seed) -> float:
    """Root of the Sinkhorn divergence, regularisation 5 % of the mean squared distance of the cloud."""
    reg = 0.05 * 2 * float(np.trace(np.atleast_2d(np.cov(y.T))))
    # With squared distances a shift of a cloud is a change of the potentials and |shift|^2 of the cost, exactly.
    shift = x.mean(0) - y.mean(0)
    x, y = x - x.mean(0), y - y.mean(0)
    cross, own, other = (_entropic(*pair, reg) for pair in ((x, y), (x, x), (y, y)))
    return float(np.sqrt(max(cross - (own + other) / 2 + shift @ shift, 0.0)))


def _entropic(x, y, reg) -> float:
    """Transport cost of the entropic plan between two clouds."""
    found, error = map(float, _annealed(jnp.asarray(_ot().dist(x, y)), reg, x is y))
    if not (np.isfinite(found) and error <= ACCEPTED):
        raise NotConverged(f"Sinkhorn's iterations did not converge within {ITERATIONS:,} steps")
    return found


@partial(jax.jit, static_argnames="alone")
def _annealed(cost, reg, alone):
    """Cost of the entropic plan and the relative error of its marginals. Potentials in the log domain, where nothing underflows, from
    a large regularisation on, halved until it is `reg`. Of a cloud and itself (`alone`) both are one, and its averaged updates are quick
    (Feydy et al. 2019). Else updates alternate, at `reg` overrelaxed (Thibault et al. 2021), which takes a tenth of the iterations; that
    converges near the solution alone, so the first error that is far above the least ends it."""
    weights = -jnp.log(jnp.array(cost.shape, float))

    def soft(potential, cost, log, eps):
        return -eps * jax.nn.logsumexp((potential - cost) / eps + log, axis=1)

    def unfinished(state):
        return (state[0] < ITERATIONS) & (state[-1] > SETTLED)

    def body(state):
        k, f, g, least, omega, _ = state
        eps = jnp.maximum(reg, cost.max() * 0.5**k)
        last = eps <= reg
        own = soft(g, cost, weights[1], eps)
        gap = jnp.mean(jnp.abs(jnp.expm1((f - own) / eps)))
        if alone:
            mean = (f + own) / 2
            return k + 1, mean, mean, least, omega, jnp.where(last, 2 * gap, jnp.inf)
        f = f + jnp.where(last, omega, 1.0) * (own - f)
        other = soft(f, cost.T, weights[0], eps)
        gap = gap + jnp.mean(jnp.abs(jnp.expm1((g - other) / eps)))
        g = g + jnp.where(last, omega, 1.0) * (other - g)
        # Not `gap <= ...`: a NaN ends the relaxation too.
        omega = jnp.where(last & ~(gap <= FAR * least), 1.0, omega)
        return k + 1, f, g, jnp.where(last, jnp.minimum(least, gap), jnp.inf), omega, jnp.where(last, gap, jnp.inf)

    _, f, g, _, _, error = jax.lax.while_loop(unfinished, body, (0, *map(jnp.zeros, cost.shape), jnp.inf, RELAXED, jnp.inf))
    return jnp.sum(jnp.exp((f[:, None] + g - cost) / reg + weights.sum()) * cost), error


def sliced(x, y, seed) -> float:
    """Sliced W2 over DIRECTIONS random directions: at most W2/sqrt(d)."""
    return float(_ot().sliced_wasserstein_distance(x, y, n_projections=DIRECTIONS, seed=seed))


@lru_cache(maxsize=4)  # one for all rows of a study
def _fresh(distance, target, seed, groups, size):
    """Clouds of target samples (groups, size, d), and the floor: the mean distance of two such clouds, of further samples."""
    key = noise.stream(jax.random.key(seed), "clouds")
    fresh = np.asarray(target.sample(key, 3 * groups * size)).reshape(3, groups, size, -1)
    return fresh[0], float(np.mean([distance(x, y, g) for g, (x, y) in enumerate(zip(fresh[1], fresh[2]))]))


def _estimate(name, distance, quick, case: Case, pairs: Pairs) -> Estimate:
    groups = max(1, min(GROUPS, len(pairs.x) // GROUP))
    size = min(GROUP, len(pairs.x))
    clouds = pairs.x[: groups * size].reshape(groups, size, -1)
    try:
        fresh, floor = _fresh(distance, case.target, case.seed, groups, size)
        values = [distance(x, y, g) for g, (x, y) in enumerate(zip(clouds, fresh))]
    except NotConverged as why:
        return Estimate(None, None, name, flags=(f"{name}: no value, since {why}",))
    value = float(np.mean(values))
    flags = () if value > 2 * floor else (f"{name}: below twice its sampling floor of {floor:.3g}",)
    if groups > 1:
        stderr = np.std(values, ddof=1) / np.sqrt(groups)
    elif quick:
        stderr = _left_out(distance, clouds[0], fresh[0])
    else:
        stderr = floor
        flags = (*flags, f"{name}: too few paths for replicates, so the floor stands in for the standard error")
    return Estimate(value, float(stderr), name, floor=floor, flags=flags)


def _left_out(distance, x, y) -> float:
    """Standard error of distance(x, y) by leaving out a block of either cloud in turn; what that does to the floor, the same for
    all blocks, drops out."""
    parts = np.array_split(np.arange(len(x)), BLOCKS)
    variance = 0.0
    for own, other in ((x, y), (y, x)):
        # The other cloud loses as many, always the same: the clouds stay of one size.
        variance += jackknife([distance(np.delete(own, part, 0), other[: len(other) - len(part)], 0) for part in parts])
    return variance**0.5


def _entry(distance, title, style, method, quick=False):
    return Estimator(
        method.name, title, True, always, partial(_estimate, method.name, distance, quick),
        methods=(method,), style=style, uses_reference=False,
    )  # fmt: skip


ENTRIES = (
    _entry(
        transport, "Plug-in optimal transport", Style("#D55E00", "#D55E00", "square", "dash"),
        Method(
            "plugin",
            "**Plug-in.** Exact optimal transport between two clouds of 1000 points. The floor is the distance "
            "between two clouds from the same law; below twice the floor the number says nothing.",
            "by exact optimal transport between clouds of points out of {n} paths, with a sampling floor",
        ),
    ),
    _entry(
        sinkhorn, "Sinkhorn divergence", Style("#B57A00", "#E69F00", "diamond", "dash"),
        Method(
            "sinkhorn",
            "**Sinkhorn divergence.** Entropic transport with the entropic bias removed; the sampling floor stays.",
            "by the Sinkhorn divergence between clouds of points out of {n} paths, with a sampling floor",
        ),
    ),
    _entry(
        sliced, "Sliced W₂", Style("#AA4499", "#CC79A7", "cross", "dash"),
        Method(
            "sliced",
            "**Sliced.** Root mean square over directions of one-dimensional $W_2$: at most $W_2/\\sqrt d$, with a floor"
            " of its own.",
            "by sliced W₂ between clouds of points out of {n} paths, with a sampling floor",
        ), quick=True,
    ),
)  # fmt: skip
