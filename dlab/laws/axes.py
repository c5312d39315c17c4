"""The laws of a scheme on N(means, diag(values)) as a function of its times that JAX differentiates, and where along t they go wrong.

On each axis a step is affine in the state (x and what a scheme with a history has kept) and in its normals, so the scheme's own
`advance`, run on basis vectors, is its law, as in laws/gaussian.py; here all steps are taken at once and all axes beside each other.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from dlab.grid import Grid
from dlab.grid.base import PAST
from dlab.laws.runs import Line, begin
from dlab.noise import StepNoise

NEXT_TO_NOTHING = 1e-13  # a time


class Steps(NamedTuple):
    """Of N steps with S entries of the state on d axes: linear (N, S, S, d), constant (N, S, d), noise (N, S, S, d), a covariance."""

    linear: jax.Array
    constant: jax.Array
    noise: jax.Array


def steps(scheme, values, means, times, clock, least=0.0) -> Steps:
    """The maps of a scheme without a random midpoint at the times (N + 1,), with the clock (N,) of the grid.

    The noise of a step ends at `least` at the earliest: the root of a variance that vanishes at 0 has no derivative there.
    """
    state, slots, d = 1 + scheme.history, scheme.normals(), len(values)
    basis = jnp.eye(1 + state + slots)[1:, :, None] * jnp.ones(d)  # of each entry, by particle: one is 0, each other has one entry 1
    basis = jnp.concatenate([jnp.zeros((state + slots, 1, d)), basis[:, 1:]], 1)
    before = jnp.concatenate([jnp.full(PAST, jnp.inf), times])
    earlier = jnp.stack([before[k : k + len(times) - 1] for k in range(PAST)], 1)

    def one(t, t_next, earlier, clock):
        noise = StepNoise(t - jnp.maximum(t_next, least), list(basis[state:]), None, clock=clock)
        parts, kept = scheme.advance(Line(values, means), t, t_next, basis[0], noise, list(earlier), tuple(basis[1:state]))
        out = jnp.stack([scheme.total(basis[0], parts), *kept])
        constant, moved = out[:, 0], out[:, 1:] - out[:, :1]
        own = moved[:, state:]
        return Steps(moved[:, :state], constant, jnp.einsum("ikd,jkd->ijd", own, own))

    return jax.vmap(one)(times[:-1], times[1:], earlier, clock)


def _end(found: Steps, mean, var):
    """Mean and variance (d,) after all steps."""
    size = found.constant.shape[1]
    m = jnp.zeros((size, len(mean))).at[0].set(mean)
    C = jnp.zeros((size, size, len(mean))).at[0, 0].set(var)

    def body(carry, step):
        m, C = carry
        m = step.constant + jnp.einsum("ijd,jd->id", step.linear, m)
        return (m, jnp.einsum("ijd,jkd,lkd->ild", step.linear, C, step.linear) + step.noise), None

    (m, C), _ = jax.lax.scan(body, (m, C), found)
    return m[0], C[0, 0]


@jax.jit
def square(scheme, values, means, times, clock, mean, var):
    """W2^2 on each axis, (d,), between p_0 and the law of a scheme that starts from N(mean, diag(var)); it may be differentiated."""
    m, V = _end(steps(scheme, values, means, times, clock, NEXT_TO_NOTHING), mean, var)
    return (jnp.sqrt(V) - jnp.sqrt(values)) ** 2 + (m - means) ** 2


@dataclass(frozen=True)
class Shares:
    """What W2 is made of, in shares that add up to it: of the start's law, of each step (N,), and of the stop before 0.

    w2 is None, and the shares are, where the law overflows.
    """

    w2: float | None
    start: float | None = None
    steps: np.ndarray | None = None
    stop: float | None = None


def shares(scheme, values, means, grid: Grid, start: str) -> Shares:
    """Where along the run W2 arises.

    Step n's share: its error on the exact law, carried to the end by the steps that follow. With e_n the law that is exact up to t_n
    and the scheme's afterwards, the variances telescope, V - v = sum_n (V(e_n) - V(e_{n+1})), and so do the means; W2 is their sum,
    weighted by what a change of each moves it. Kept values of a scheme with a history are those of the exact path.
    """
    values, means = np.asarray(values, float), np.asarray(means, float)
    found = Steps(*map(np.asarray, _compiled(scheme, values, means, grid.times, grid.clock)))
    size, d = found.constant.shape[1:]
    exact, kicked = _exact_steps(scheme, values, grid)
    # Of the last state back to each time: what one more in the state moves x at the end.
    weight = np.zeros((grid.steps + 1, size, d))
    weight[-1, 0] = 1.0
    for n in range(grid.steps - 1, -1, -1):
        weight[n] = np.einsum("id,ijd->jd", weight[n + 1], found.linear[n])
    a = np.exp(-grid.times / 2)[:, None]
    centre, spread = np.asarray(a * means), np.asarray(a**2 * values - np.expm1(-grid.times)[:, None])
    mean, C = np.zeros((size, d)), np.zeros((size, size, d))
    mean[0], C[0, 0] = centre[0], spread[0]
    first_mean, first = begin(values, means, grid.T, start)
    moved = np.zeros((grid.steps + 2, 2, d))  # by start, steps and stop: of the mean and of the variance
    moved[0] = weight[0, 0] * (first_mean - centre[0]), weight[0, 0] ** 2 * (first - spread[0])
    for n in range(grid.steps):
        own = found.linear[n], found.noise[n]
        true = own[0].copy(), own[1].copy()
        true[0][0], true[1][0], true[1][:, 0] = 0.0, 0.0, 0.0
        true[0][0, 0], true[1][0, 0] = exact[n], kicked[n]
        law, goal = (np.einsum("ijd,jkd,lkd->ild", A, C, A) + B for A, B in (own, true))
        led = found.constant[n] + np.einsum("ijd,jd->id", own[0], mean)
        mean = led.copy()
        mean[0] = centre[n + 1]
        moved[n + 1] = weight[n + 1, 0] * (led[0] - mean[0]), np.einsum("id,ijd,jd->d", weight[n + 1], law - goal, weight[n + 1])
        C = goal
    moved[-1] = centre[-1] - means, spread[-1] - values
    off, V = moved[:, 0].sum(0), values + moved[:, 1].sum(0)
    if not (np.isfinite(moved).all() and (V > 0).all()):
        return Shares(None)
    wide = moved[:, 1] / (np.sqrt(V) + np.sqrt(values))
    w2 = float(np.sqrt(np.sum(wide.sum(0) ** 2 + off**2)))
    parts = (wide @ wide.sum(0) + moved[:, 0] @ off) / max(w2, 1e-300)
    return Shares(w2, float(parts[0]), parts[1:-1], float(parts[-1]))


_compiled = jax.jit(steps)


def _exact_steps(scheme, values, grid):
    """Factor and noise variance (N, d) of the exact process from time to time about its mean: the flow for a scheme of the flow, else
    the reverse SDE."""
    tau = np.expm1(grid.times)[:, None] + values
    ratio, grown = tau[1:] / tau[:-1], np.exp(grid.h / 2)[:, None]
    if scheme.dynamics == "ODE":
        return grown * np.sqrt(ratio), np.zeros_like(ratio)
    return grown * ratio, np.exp(-grid.times[1:])[:, None] * tau[1:] * (1 - ratio)
