"""Exact laws of many runs of one scheme on a Gaussian target at once: of all its step counts, along the principal axes.

With an exact score a step acts on every axis alone, x -> A x + c + B Z, and A, c and B depend on the times alone. So all steps of all
runs are read off the scheme's own `advance` in one call, without a loop, and a run's law is their product: steps are joined two by two.
`laws.gaussian` carries one run and any affine error, from step to step, and finds the same.
"""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import process
from dlab.grid import Grid
from dlab.grid.base import PAST
from dlab.laws.mixture import Maps, midpoints
from dlab.noise import StepNoise
from dlab.targets.spectrum import AxesField

ROWS = 1024  # steps that are read off together: one compiled program serves fewer
# The work is small and each scheme compiles once in a process, which takes half as long like this.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True, "xla_cpu_use_fusion_emitters": False}


@partial(jax.tree_util.register_dataclass, data_fields=["values", "mean"], meta_fields=[])
@dataclass(frozen=True)
class Line(AxesField):
    """Score of N(a_t mean, a_t^2 diag(values) + sigma_t^2 I)."""

    mean: jax.Array

    def score(self, t, x):
        return -self._precision(t) * (x - process.scale(t) * self.mean)


@partial(jax.jit, compiler_options=QUICK)
def _steps(scheme, field, times, after, earlier, clock, value):
    """What (1, e_1, ..., e_k) of the state and the normals are moved to, for each step and midpoint, (R, q, k + 1, slots, d)."""
    d, slots = field.values.shape[0], scheme.history + 1
    nodes, _ = midpoints(scheme.randomised)
    rows = 1 + slots + scheme.normals()
    basis = jnp.tile(jnp.eye(rows)[:, :, None] * jnp.ones(d), (len(nodes), 1, 1))
    x, *kept = (basis[:, 1 + i] for i in range(slots))
    normals = [basis[:, 1 + slots + i] for i in range(scheme.normals())]
    u = jnp.repeat(jnp.asarray(nodes), rows)[:, None] if scheme.randomised else None

    def one(t, t_next, earlier, clock, value):
        mine = replace(scheme, value=value) if scheme.option else scheme
        noise = StepNoise(t - t_next, normals, u, clock=clock)
        parts, after = mine.advance(field, t, t_next, x, noise, list(earlier), tuple(kept))
        moved = jnp.stack([mine.total(x, parts), *after], 1)
        return moved.reshape(len(nodes), rows, slots, d)

    return jax.vmap(one)(times, after, earlier, clock, value)


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
    scheme, field = runs[0][0], Line(jnp.asarray(values), jnp.asarray(mean))
    columns = [np.concatenate(column) for column in zip(*(_columns(scheme, grid) for scheme, grid in runs))]
    moved = np.concatenate([_read(scheme, field, columns, first) for first in range(0, len(columns[0]), ROWS)])
    found, first = [], 0
    for _, grid in runs:
        m0, v0 = begin(values, mean, grid.T, start)
        mine = np.moveaxis(moved[first : first + grid.steps], 4, 2)  # (N, q, d, k + 1, slots)
        first += grid.steps
        constant = mine[..., 0, :]
        linear = np.swapaxes(mine[..., 1:, :] - mine[..., :1, :], -1, -2)
        A, B = np.split(linear, [linear.shape[-2]], axis=-1)
        if scheme.randomised:
            A, c, B = (np.swapaxes(v, 1, 2) for v in (A[..., 0, 0], constant[..., 0], np.sum(B**2, (-1, -2))))
            found.append(Run(m0, v0, Maps(A, c, B)))
        else:
            found.append(_end(A[:, 0], constant[:, 0, :, :, None], B[:, 0] @ np.swapaxes(B[:, 0], -1, -2), m0, v0))
    return found


def begin(values, mean, T: float, start: str):
    """Mean and variances (d,) of a start at T on N(mean, diag values)."""
    if start == "exact":
        return np.exp(-T / 2) * mean, np.exp(-T) * values - np.expm1(-T)
    return np.zeros(len(values)), np.full(len(values), process.start_variance(start, T))


def _columns(scheme, grid: Grid):
    span = grid.span(0, grid.steps)
    every = np.concatenate([span.earlier, span.times])
    earlier = np.stack([every[i : i + grid.steps] for i in range(PAST)], 1)
    value = np.nan if scheme.value is None else scheme.value
    return span.times[:-1], span.times[1:], earlier, span.clock, np.full(grid.steps, float(value))


def _read(scheme, field, columns, first):
    count = min(ROWS, len(columns[0]) - first)
    # The last piece is filled up with its last step.
    chosen = np.minimum(np.arange(first, first + ROWS), first + count - 1)
    return np.asarray(_steps(scheme, field, *(column[chosen] for column in columns)))[:count]


def _end(A, c, S, mean, var) -> Run:
    """x -> A x + c + N(0, S), the first step first, (N, d, k, k), (N, d, k, 1), (N, d, k, k), after all steps, from no history."""
    with np.errstate(over="ignore", invalid="ignore"):
        while len(A) > 1:
            lone = [v[-1:] for v in (A, c, S)] if len(A) % 2 else None
            A1, c1, S1 = (v[0 : len(v) // 2 * 2 : 2] for v in (A, c, S))
            A2, c2, S2 = (v[1::2] for v in (A, c, S))
            A, c, S = A2 @ A1, A2 @ c1 + c2, A2 @ S1 @ np.swapaxes(A2, -1, -2) + S2
            if lone:
                A, c, S = (np.concatenate(pair) for pair in zip((A, c, S), lone))
        return Run(A[0, :, 0, 0] * mean + c[0, :, 0, 0], A[0, :, 0, 0] ** 2 * var + S[0, :, 0, 0])
