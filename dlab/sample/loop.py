"""The one loop: N steps of a scheme, fresh or along a given Brownian path, recorded or not.

The times, the error's level and the target's parameters are traced, so none of them recompiles;
what does is a new scheme, a new kind of target or error, or another number of particles.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import noise, process
from dlab.errors import perturb
from dlab.grid import Grid
from dlab.noise import StepNoise
from dlab.sample import control, growth

CHUNK = 64  # steps between two looks at the host: progress, cancellation, path input
DIVERGED = 1e3  # standard deviations from the mean beyond which a particle has diverged


@dataclass(frozen=True)
class Run:
    """x (n, d) at t = 0; error_square (N,) the mean |e|^2 over particles at each step; states
    (N + 1, n, d), the start first, and parts {name: (N, k, d)}, what each step of the first k particles was made of,
    where recorded; fluctuation (n, d), the z of `dlab.sample.control`, where asked for; spent, of an operator known by products."""

    x: np.ndarray
    error_square: np.ndarray
    states: np.ndarray | None = None
    parts: dict[str, np.ndarray] | None = None
    fluctuation: np.ndarray | None = None
    spent: growth.Spent | None = None


@partial(jax.jit, static_argnames=("record", "follow"))
def _advance(scheme, field, error, x, kept, beside, memory, span, first, count, drawn, path, limit=None, *, record, follow):
    """`count` <= CHUNK steps from step `first`; kept: the scheme's history; span: the grid's; drawn: `_draw`; path (CHUNK, MOMENTS, n,
    d) or None; beside: companion and shadow of `dlab.sample.control`, or None; memory: what the error keeps; limit and key of
    `dlab.sample.growth`, or None."""

    times, every = span.times, jnp.concatenate([span.earlier, span.times])

    def taken(i, x, kept, memory):
        """Time, noise, normals of the error, the error itself and parts of step i, and history and memory after it."""
        t, t_next = times[i], times[i + 1]
        now, memory = error.recall(memory, first + i, field, t, x)
        # Single precision is for drawing alone: residual variances are small differences.
        normals, u, wrong = (None if v is None else v[i].astype(x.dtype) for v in drawn)
        seen = StepNoise(t - t_next, normals, u, None if path is None else path[i], clock=span.clock[i])
        given = perturb(field, now, wrong)
        if limit is not None:
            parts = growth.parts(scheme, given, t, t_next, x, seen, limit[0], jax.random.fold_in(limit[1], first + i))
        else:
            earlier = [every[i + k] for k in range(len(span.earlier))]
            parts, kept = scheme.advance(given, t, t_next, x, seen, earlier, kept)
            parts = growth.tallied(parts, t - t_next)
        return t, seen, wrong, now, parts, kept, memory

    def body(i, carry):
        x, kept, beside, memory, squares, states, followed, spent = carry
        t, seen, wrong, now, parts, kept, memory = taken(i, x, kept, memory)
        if spent is not None:
            spent = spent.after(i, parts.pop("spent"))
        e = error.shift(t, x, field.score(t, x), wrong[0] if error.draws else None)
        squares = squares.at[i].set(jnp.mean(jnp.sum(e**2, -1)))
        if beside is not None:
            beside = control.step(scheme, field, now, t, times[i + 1], *beside, seen, wrong)
        x = scheme.total(x, parts)
        if record:
            states = states.at[i].set(x)
        followed = {name: seen.at[i].set(parts[name][:follow]) for name, seen in followed.items()}
        return x, kept, beside, memory, squares, states, followed, spent

    states = jnp.zeros((CHUNK if record else 0, *x.shape))
    names = jax.eval_shape(lambda x: taken(0, x, kept, memory)[4], x)
    spent = growth.Spent.none(CHUNK, x) if "spent" in names else None
    followed = {name: jnp.zeros((CHUNK, follow, x.shape[1])) for name in names if name != "spent"} if follow else {}
    return jax.lax.fori_loop(0, count, body, (x, kept, beside, memory, jnp.zeros(CHUNK), states, followed, spent))


def _draw(increments, rest, scheme, error, shape, path):
    """What the path leaves open in CHUNK steps of particles (n, d): normals of the scheme, midpoints U, normals of the
    error; the last two None where there are none. By NumPy, as the path is (see noise.path). The first normal is drawn by
    `increments`, all else by `rest`: without a path it is that of the increment, and of one key the same for all schemes."""

    def normals(generator, k):
        return generator.standard_normal((CHUNK, k, *shape), np.float32)

    count = scheme.normals(path is not None)
    first = normals(increments, min(count, 1))
    u = rest.random((CHUNK, shape[0], 1)) if scheme.randomised else None
    more = [normals(rest, count - 1)] if count > 1 else []
    return np.concatenate([first, *more], axis=1) if more else first, u, normals(rest, scheme.score_evals) if error.draws else None


def simulate(
    scheme,
    field,
    error,
    start,
    *,
    grid: Grid,
    key,
    path: np.ndarray | None = None,
    record: bool = False,
    follow: int = 0,
    controlled: bool = False,
    limit: float | None = None,
    tick: Callable[[int], None] = lambda steps: None,
) -> Run:
    """Run `scheme` from start (n, d) at the grid's first time to its last.

    path (N, MOMENTS, n, d): the Brownian path to follow, None for fresh noise; `key` draws what the
    path leaves open; without a path all schemes with one key meet the same increments. record: keep the states,
    and the parts of the steps of the first `follow` particles. controlled: also the particles' fluctuation round the
    path, where one is given. limit: of the growth in a step, see
    `dlab.sample.growth`. tick(k) is called after every k steps and may raise to cancel.
    """
    x, steps = jnp.asarray(start), grid.steps
    if limit is not None:
        limit = None if not scheme.hessian_evals or scheme.history else (limit, noise.stream(key, "growth"))
    beside, memory, spent = (x, x) if controlled else None, error.begin(field, grid.T, x), []
    kept = scheme.begin(x)
    # Along a path there is no increment to share, and the order of the draws is that of kept results.
    increments = noise.generator(key)
    rest = increments if path is not None else noise.generator(noise.stream(key, "rest"))
    squares, states, parts = [], [np.asarray(start)[None]], []
    for first in range(0, steps, CHUNK):
        count = min(CHUNK, steps - first)
        piece = None
        if path is not None:
            piece = path[first : first + count]
            if count < CHUNK:
                piece = np.concatenate([piece, np.zeros((CHUNK - count, *piece.shape[1:]), piece.dtype)])
        drawn = _draw(increments, rest, scheme, error, x.shape, path)
        x, kept, beside, memory, square, passed, followed, cost = _advance(
            scheme, field, error, x, kept, beside, memory, grid.span(first, CHUNK), first, count, drawn, piece, limit,
            record=record, follow=follow,
        )  # fmt: skip
        spent.append(cost)
        squares.append(np.asarray(square)[:count])
        if record:
            states.append(np.asarray(passed)[:count])
            parts.append({name: np.asarray(seen)[:count] for name, seen in followed.items()})
        tick(count)
    return Run(
        np.asarray(x),
        np.concatenate(squares),
        np.concatenate(states) if record else None,
        {name: np.concatenate([p[name] for p in parts]) for name in parts[0]} if record else None,
        np.asarray(beside[1] - beside[0]) if controlled else None,
        None if spent[0] is None else growth.merged(spent, steps),
    )


def starts(target, key, n: int, T: float, start: str) -> tuple[np.ndarray, np.ndarray]:
    """Start points of the scheme and of its reference, each (n, d), with the same Gaussian draw.

    The reference starts from p_T exactly, a_T X_0 + sigma_T Z; so does the scheme for start "exact", while `process.start_variance`
    says of the others what variance they give it: the difference is the initialisation error.
    """
    data_key, noise_key = jax.random.split(key)
    z = jax.random.normal(noise_key, (n, target.dim))
    exact = process.scale(T) * target.sample(data_key, n) + jnp.sqrt(process.variance(T)) * z
    return np.asarray(exact if start == "exact" else jnp.sqrt(process.start_variance(start, T)) * z), np.asarray(exact)


def diverged(x: np.ndarray, facts) -> np.ndarray:
    """Which particles are not finite or further than DIVERGED standard deviations from the mean, (n,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.linalg.norm(np.where(np.isfinite(x), x, np.inf) - facts.mean, axis=-1)
    return ~(distance <= DIVERGED * max(1.0, facts.std()))


def level_met(squares) -> float | None:
    """Largest L2 level of the score error over the steps; None where the iterates are not finite."""
    top = float(np.max(squares))
    return math.sqrt(max(top, 0.0)) if math.isfinite(top) else None
