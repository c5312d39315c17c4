"""Steps that follow their error: every particle has its own time, and a step whose error is too large is tried again, shorter.

A try from x at time t of length D is a step of stochastic Heun with g the drift of the reverse SDE,

    K1 = D g(t, x) + dW,   K2 = D g(t - D, x + K1) + dW,   x' = x + (K1 + K2)/2,   E = (K2 - K1)/2,

with E the difference from the Euler step inside it. It is accepted where S = |E / max(e_abs, e_rel max(|x-|, |x + K1|))|/sqrt(d) <= 1,
x- the state before the last accepted step; accepted or not, the next length is min(what is left, 0.9 D S^-0.9). The METHODS differ in
dW, and the last in g and the power of S too:

- "redraw": a new one for every try, as "Gotta Go Fast" has it (Jolicoeur-Martineau et al., 2105.14080);
- "path": that of one Brownian path. What a rejected try has seen of it is kept, and shorter tries are filled in by Brownian bridges
  (as in Rackauckas and Nie, Discrete Contin. Dyn. Syst. B 22, 2017);
- "flow": none, and g the probability flow's drift (x + s)/2: Heun with Euler embedded.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import noise
from dlab.pytree import pytree

METHODS = ("redraw", "path", "flow")
CHUNK = 16  # tries between two looks at the host: progress, cancellation, normals
SEEN = 24  # points of its path ahead that a particle remembers
TRIES = 20_000  # after which a particle is given up
LEAST = 1e-9  # step below which it is


@pytree(["tol", "relative", "first", "most", "safety", "power"])
@dataclass(frozen=True)
class Controller:
    """tol > 0 and relative >= 0 are e_abs and e_rel; first and most: the first and the longest step; after S comes a step
    safety S^-power times as long."""

    tol: float
    relative: float = 0.0
    first: float = 0.01
    most: float = 0.5
    safety: float = 0.9
    power: float = 0.9


def controller(method: str, tol: float) -> Controller:
    """That of 2105.14080, with e_rel = 0 and no step above 1/2; for the flow, whose S grows like D^2, with the power 1/2."""
    return Controller(tol, power=0.5 if method == "flow" else 0.9)


@dataclass(frozen=True)
class Run:
    """x (n, d) at time `stop`; accepted, tried (n,): steps of each particle; lost (n,): given up, since its score is not finite or
    its steps came to nothing, its x is NaN; forgotten: points of paths ahead that found no room, 0 unless tries fail in long rows."""

    x: np.ndarray
    accepted: np.ndarray
    tried: np.ndarray
    lost: np.ndarray
    forgotten: int


@pytree(["x", "before", "left", "h", "accepted", "tried", "lost", "path", "ahead", "places", "forgotten"])
@dataclass(frozen=True)
class _State:
    """before (n, d): x before the last accepted step; left, h (n,): time to go, and length of the next try; path (n, d): the Brownian
    path so far; ahead (n, SEEN): where it is known, in time to go, -1 for a free place; places (n, SEEN, d): the path there."""

    x: jax.Array
    before: jax.Array
    left: jax.Array
    h: jax.Array
    accepted: jax.Array
    tried: jax.Array
    lost: jax.Array
    path: jax.Array
    ahead: jax.Array
    places: jax.Array
    forgotten: jax.Array

    @property
    def going(self):
        return (self.left > 0) & ~self.lost


def _bridged(state: _State, end, z):
    """The path of each particle where `end` (n,) is to go, given all that is known of it, (n, d), and whether it was known there."""
    def at(k):
        return jnp.take_along_axis(state.ahead, k[:, None], 1)[:, 0], jnp.take_along_axis(state.places, k[:, None, None], 1)[:, 0]

    earlier = jnp.where(state.ahead >= end[:, None], state.ahead, jnp.inf)
    begin, value = at(jnp.argmin(earlier, 1))
    some = jnp.isfinite(jnp.min(earlier, 1))
    begin, value = jnp.where(some, begin, state.left), jnp.where(some[:, None], value, state.path)
    later = jnp.where(state.ahead < end[:, None], state.ahead, -1.0)
    close, then = at(jnp.argmax(later, 1))
    bound = jnp.max(later, 1) >= 0
    share = jnp.where(bound, (begin - end) / jnp.where(bound, begin - close, 1.0), 0.0)
    spread = jnp.sqrt(jnp.maximum((begin - end) * (1 - share), 0.0))
    return value + share[:, None] * jnp.where(bound[:, None], then - value, 0.0) + spread[:, None] * z, begin == end


def _remembered(state: _State, end, there, missed):
    """Where the path is known after a try that ended at `end`, `there`: the points passed are dropped, that of a try that `missed` is
    added, instead of the farthest where none is free."""
    n = jnp.arange(len(end))
    ahead = jnp.where(state.ahead >= state.left[:, None], -1.0, state.ahead)
    slot = jnp.argmin(ahead, 1)
    worst = ahead[n, slot]
    new = missed & (end > worst)
    ahead = ahead.at[n, slot].set(jnp.where(new, end, worst))
    places = state.places.at[n, slot].set(jnp.where(new[:, None], there, state.places[n, slot]))
    return ahead, places, state.forgotten + jnp.sum(missed & ((worst >= 0) | ~new))


def attempt(field, control: Controller, state: _State, stop, z, method: str) -> _State:
    """One try of every particle that is not at its end; z (n, d): standard normals, not looked at by the flow."""
    h, going, t = state.h, state.going, stop + state.left
    end = jnp.where(h >= state.left, 0.0, state.left - h)
    pull = 1.0 if method == "flow" else 2.0

    def g(t, x):
        return (x + pull * field.score(t[:, None], x)) / 2

    if method == "path":
        there, known = _bridged(state, end, z)
        dW = there - state.path
    else:
        dW = 0.0 if method == "flow" else jnp.sqrt(h)[:, None] * z
    first = h[:, None] * g(t, state.x) + dW
    second = h[:, None] * g(stop + end, state.x + first) + dW
    error, x = (second - first) / 2, state.x + (first + second) / 2
    allowed = jnp.maximum(control.tol, control.relative * jnp.maximum(jnp.abs(state.before), jnp.abs(state.x + first)))
    size = jnp.sqrt(jnp.mean((error / allowed) ** 2, -1))
    fine = jnp.isfinite(size) & jnp.all(jnp.isfinite(x), -1)
    good, missed = going & fine & (size <= 1), going & ~(fine & (size <= 1))
    factor = jnp.where(fine, control.safety * jnp.maximum(size, 1e-30) ** -control.power, 0.1)
    left = jnp.where(good, end, state.left)
    grown = jnp.minimum(jnp.minimum(factor * h, control.most), left)
    keep = good[:, None]
    after = replace(
        state,
        x=jnp.where(keep, x, state.x), before=jnp.where(keep, state.x, state.before), left=left, h=jnp.where(going, grown, h),
        accepted=state.accepted + good, tried=state.tried + going,
        lost=state.lost | (going & (left > 0) & ((state.tried >= TRIES - 1) | (grown < jnp.minimum(LEAST, left)))),
    )  # fmt: skip
    if method != "path":
        return after
    after = replace(after, path=jnp.where(keep, there, state.path))
    ahead, places, forgotten = _remembered(after, end, there, missed & ~known)
    return replace(after, ahead=ahead, places=places, forgotten=forgotten)


@partial(jax.jit, static_argnames="method")
def _advance(field, control, state, stop, normals, *, method):
    """The state after CHUNK tries, or fewer where all particles are at their end, whether one is not, and the mean time to go;
    normals (CHUNK, n, d), None for the flow."""
    def open_(carry):
        return (carry[0] < CHUNK) & jnp.any(carry[1].going)

    def body(carry):
        i, state = carry
        z = None if normals is None else normals[i].astype(state.x.dtype)
        return i + 1, attempt(field, control, state, stop, z, method)

    _, state = jax.lax.while_loop(open_, body, (0, state))
    return state, jnp.any(state.going), jnp.mean(jnp.where(state.lost, 0.0, state.left))


def begin(start, span: float, control: Controller, method: str) -> _State:
    """The state at the start points (n, d), `span` before the end."""
    x = np.asarray(start, float)
    n, d = x.shape
    seen, zero = SEEN if method == "path" else 0, np.zeros(n, int)
    return _State(
        x, x, np.full(n, float(span)), np.full(n, min(control.first, control.most, span)), zero, zero, np.zeros(n, bool),
        np.zeros((n, d if seen else 0)), np.full((n, seen), -1.0), np.zeros((n, seen, d)), np.array(0),
    )  # fmt: skip


def simulate(
    field, start, *, T: float, key, control: Controller, method: str, stop: float = 0.0,
    tick: Callable[[float], None] = lambda done: None,
) -> Run:  # fmt: skip
    """Run from start (n, d) at time T to time stop >= 0 by one of METHODS.

    field: its score takes a time of each particle, (n, 1). tick(share of the time that is behind) is called after every CHUNK tries
    and may raise to cancel. ValueError for another method.
    """
    if method not in METHODS:
        raise ValueError(f"method = {method!r} is unknown; choose one of {', '.join(METHODS)}.")
    span, draws = T - stop, noise.generator(key)
    state, going = begin(start, span, control, method), True
    while going:
        normals = None if method == "flow" else draws.standard_normal((CHUNK, *state.x.shape), np.float32)
        state, going, left = _advance(field, control, state, stop, normals, method=method)
        tick(1 - float(left) / span)
    lost = np.asarray(state.lost)
    x = np.where(lost[:, None], np.nan, np.asarray(state.x))
    return Run(x, np.asarray(state.accepted), np.asarray(state.tried), lost, int(state.forgotten))
