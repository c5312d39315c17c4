"""Exact laws of many runs of one scheme on a Gaussian target at once: of all its step counts, along the principal axes.

With an exact score a step acts on every axis alone, x -> A x + c + B Z, and A, c and B depend on the times alone. So all steps of all
runs are read off the scheme's own `advance` in few calls, without a loop, and a run's law is their product: factors and their products
where a step knows nothing of those before it, else maps that are joined two by two. `laws.gaussian` carries one run and any affine error,
from step to step, and finds the same.
"""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import process
from dlab.grid import Grid
from dlab.grid.base import PAST
from dlab.laws.mixture import Maps, carried, midpoints
from dlab.noise import StepNoise
from dlab.pytree import pytree
from dlab.targets.spectrum import AxesField

ROWS = 64  # steps that are read off together, by one compiled program
QUICK = {"xla_cpu_use_fusion_emitters": False}  # each scheme compiles once in a process, which takes half as long like this


@pytree(["values", "mean"])
@dataclass(frozen=True)
class Line(AxesField):
    """Score of N(a_t mean, a_t^2 diag(values) + sigma_t^2 I)."""

    mean: jax.Array

    def score(self, t, x):
        return -self._precision(t) * (x - process.scale(t) * self.mean)


@pytree(["values", "mean"], meta=["times"])
@dataclass(frozen=True)
class _Beside(Line):
    """`times` lines beside each other, whose precisions are found once."""

    times: int = 1

    def _precision(self, t):
        return jnp.tile(super()._precision(t), self.times)


@partial(jax.jit, compiler_options=QUICK)
def _steps(scheme, table):
    """x -> A x + c + N(0, S) of each step with k entries of the state, A, c and S beside each other, (R, d, k, 2 k + 1); with a random
    midpoint A, c and the variance of the noise for each node of U, (R, 3, d, q). table: rows of `_columns`, values and mean. Of one
    array in and one out, since each costs as much as a step."""
    times, after, clock, value, *earlier = table[:, : 4 + PAST].T
    values, mean = table[0, 4 + PAST :].reshape(2, -1)
    d, slots = len(values), scheme.history + 1
    nodes, _ = midpoints(scheme.randomised)
    rows = 1 + slots + scheme.normals()
    # What 0 and e_1, ..., e_k of the state and the normals are moved to. Coordinates are on their own, so that all these lie beside
    # each other as coordinates of one particle for each node: its functions of U are found once.
    field = _Beside(values, jnp.tile(mean, rows), rows)
    basis = jnp.broadcast_to(jnp.repeat(jnp.eye(rows), d, 1)[:, None], (rows, len(nodes), rows * d))
    x, *kept = (basis[1 + i] for i in range(slots))
    normals = [basis[1 + slots + i] for i in range(scheme.normals())]
    u = jnp.asarray(nodes)[:, None] if scheme.randomised else None

    def one(t, t_next, clock, value, *earlier):
        mine = replace(scheme, value=value) if scheme.option else scheme
        noise = StepNoise(t - t_next, normals, u, clock=clock)
        parts, after = mine.advance(field, t, t_next, x, noise, list(earlier), tuple(kept))
        moved = jnp.stack([mine.total(x, parts), *after]).reshape(slots, len(nodes), rows, d)
        constant = moved[:, :, 0]
        linear = moved[:, :, 1:] - moved[:, :, :1]
        A, B = linear[:, :, :slots], linear[:, :, slots:]
        if scheme.randomised:
            return jnp.swapaxes(jnp.stack([A[0, :, 0], constant[0], jnp.sum(B[0] ** 2, 1)]), 1, 2)
        A, B = (jnp.moveaxis(v[:, 0], 2, 0) for v in (A, B))
        return jnp.concatenate([A, constant[:, 0].T[..., None], B @ jnp.swapaxes(B, 1, 2)], 2)

    return jax.vmap(one)(times, after, clock, value, *earlier)


@dataclass(frozen=True)
class Run:
    """The law of a run at its end: mean and variances (d,) along the axes; maps of its steps where there is a random midpoint, whose
    law is a mixture over it, and mean and variances are then those of the start."""

    mean: np.ndarray
    var: np.ndarray
    maps: Maps | None = None


def ends(runs, values, mean, start: str) -> list[Run]:
    """The laws of `runs`, pairs (Scheme, Grid) of one scheme that may differ in its option's value, on N(mean, diag values), (d,) each,
    from the start "exact", "paper" or "vp"."""
    steps, found, first = _read(runs, values, mean), [], 0
    for scheme, grid in runs:
        mine, first = [v[first : first + grid.steps] for v in steps], first + grid.steps
        begun = begin(values, mean, grid.T, start)
        if scheme.randomised:
            found.append(Run(*begun, Maps(*mine)))
        else:
            found.append(_moved(_joined(*mine), *begun) if scheme.history else Run(*_carried(*mine, *begun)))
    return found


def after(scheme, grid: Grid, values, mean, start: str, at) -> list[Run]:
    """As `ends` for one run without a random midpoint, after each of its steps `at` (ascending)."""
    steps, now, found, done = _read([(scheme, grid)], values, mean), begin(values, mean, grid.T, start), [], 0
    whole = None
    for n in at:
        part, done = [v[done:n] for v in steps], n
        if len(part[0]) and scheme.history:
            whole = _joined(*part) if whole is None else _then(whole, _joined(*part))
        elif len(part[0]):
            now = _carried(*part, *now)
        found.append(Run(*now) if whole is None else _moved(whole, *now))
    return found


def begin(values, mean, T: float, start: str):
    """Mean and variances (d,) of a start at T on N(mean, diag values)."""
    if start == "exact":
        return np.exp(-T / 2) * mean, np.exp(-T) * values - np.expm1(-T)
    return np.zeros(len(values)), np.full(len(values), process.start_variance(start, T))


def _columns(scheme, grid: Grid) -> np.ndarray:
    """Start, end, clock and option of each step, and the times before it, (N, 4 + PAST)."""
    span = grid.span(0, grid.steps)
    every = np.concatenate([span.earlier, span.times])
    value = np.full(grid.steps, np.nan if scheme.value is None else float(scheme.value))
    return np.column_stack([every[PAST:-1], every[PAST + 1 :], span.clock, value, *(every[i : i + grid.steps] for i in range(PAST))])


def _read(runs, values, mean) -> list[np.ndarray]:
    """A, c and S of all steps of all runs, one after the other, or A, c and B of `Maps` where there is a random midpoint."""
    scheme, table = runs[0][0], np.concatenate([_columns(*run) for run in runs])
    total, k, state = len(table), 1 + runs[0][0].history, np.concatenate([values, mean])
    # The last piece is filled up with its last step.
    table = table[np.minimum(np.arange(-(-total // ROWS) * ROWS), total - 1)]
    table = np.concatenate([table, np.broadcast_to(state, (len(table), len(state)))], 1)
    found = np.concatenate([_steps(scheme, table[first : first + ROWS]) for first in range(0, len(table), ROWS)])[:total]
    if scheme.randomised:
        return [found[:, i] for i in range(3)]
    return [found[..., :k], found[..., k : k + 1], found[..., k + 1 :]]


def _carried(A, c, S, mean, var) -> np.ndarray:
    """Mean and variances, (2, d), after all steps of a scheme without a history, as `_joined` has them."""
    A, c, S = A[..., 0, 0], c[..., 0, 0], S[..., 0, 0]
    with np.errstate(over="ignore", invalid="ignore"):
        return carried(np.stack([A, A**2], 1), np.stack([c, S], 1), np.array([mean, var]))


def _joined(A, c, S):
    """x -> A x + c + N(0, S), the first step first, (N, d, k, k), (N, d, k, 1), (N, d, k, k): all of them as one, (d, k, k), ..."""
    with np.errstate(over="ignore", invalid="ignore"):
        while len(A) > 1:
            lone = [v[-1:] for v in (A, c, S)] if len(A) % 2 else None
            both = ([v[i : len(v) // 2 * 2 : 2] for v in (A, c, S)] for i in (0, 1))
            A, c, S = _then(*both)
            if lone:
                A, c, S = (np.concatenate(pair) for pair in zip((A, c, S), lone))
    return A[0], c[0], S[0]


def _then(first, second):
    """One step and then another."""
    (A1, c1, S1), (A2, c2, S2) = first, second
    with np.errstate(over="ignore", invalid="ignore"):
        return A2 @ A1, A2 @ c1 + c2, A2 @ S1 @ np.swapaxes(A2, -1, -2) + S2


def _moved(step, mean, var) -> Run:
    """From a mean and variances (d,) without a history."""
    A, c, S = step
    with np.errstate(over="ignore", invalid="ignore"):
        return Run(A[:, 0, 0] * mean + c[:, 0, 0], A[:, 0, 0] ** 2 * var + S[:, 0, 0])
