"""The one loop: N steps of a scheme, fresh or along a given Brownian path, recorded or not.

Steps, h, T, the error's level and the target's parameters are traced, so none of them recompiles;
what does is a new scheme, a new kind of target or error, or another number of particles.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import process
from dlab.errors import perturb
from dlab.noise import StepNoise

CHUNK = 64  # steps between two looks at the host: progress, cancellation, path input
DIVERGED = 1e3  # standard deviations from the mean beyond which a particle has diverged


@dataclass(frozen=True)
class Run:
    """x (n, d) at t = 0; error_square (N,) the mean |e|^2 over particles at each step; states
    (N + 1, n, d), the start first, where recorded."""

    x: np.ndarray
    error_square: np.ndarray
    states: np.ndarray | None = None


@partial(jax.jit, static_argnames=("scheme", "record", "chains"))
def _advance(scheme, field, error, x, h, T, first, count, key, path, *, record, chains):
    """`count` <= CHUNK steps from step `first`; path (CHUNK, MOMENTS, n / chains, d) or None."""
    n, d = x.shape

    def body(i, carry):
        x, squares, states = carry
        t = T - (first + i) * h
        u_key, normal_key, error_key = jax.random.split(jax.random.fold_in(key, first + i), 3)
        u = _midpoints(u_key, chains, n // chains) if scheme.randomised else None
        noise = StepNoise(
            h=h,
            normals=jax.random.normal(normal_key, (scheme.normals, n, d)),
            u=u,
            moments=None if path is None else jnp.tile(path[i], (1, chains, 1)),
        )
        normals = jax.random.normal(error_key, (scheme.score_evals, n, d)) if error.draws else None
        e = error.shift(t, x, field.score(t, x), normals[0] if error.draws else None)
        squares = squares.at[i].set(jnp.mean(jnp.sum(e**2, -1)))
        x = scheme.step(perturb(field, error, normals), t, h, x, noise)
        if record:
            states = states.at[i].set(x)
        return x, squares, states

    states = jnp.zeros((CHUNK if record else 0, n, d))
    return jax.lax.fori_loop(0, count, body, (x, jnp.zeros(CHUNK), states))


def _midpoints(key, chains, paths):
    """U of each particle, uniform, (chains * paths, 1): a Latin hypercube across the chains of a path."""
    order, inside = jax.random.split(key)
    stratum = jnp.argsort(jax.random.uniform(order, (chains, paths)), axis=0)
    return ((stratum + jax.random.uniform(inside, (chains, paths))) / chains).reshape(-1, 1)


def simulate(
    scheme,
    field,
    error,
    start,
    *,
    T: float,
    steps: int,
    key,
    path: np.ndarray | None = None,
    record: bool = False,
    chains: int = 1,
    tick: Callable[[int], None] = lambda steps: None,
) -> Run:
    """Run `scheme` from start (n, d) at t = T to t = 0.

    path (steps, MOMENTS, n, d): the Brownian path to follow, None for fresh noise; `key` draws what the
    path leaves open. chains: so many particles follow each path, path (steps, MOMENTS, n / chains, d), chain by
    chain in `start`, their midpoints U stratified. tick(k) is called after every k steps and may raise to cancel.
    """
    x, h = jnp.asarray(start), T / steps
    squares, states = [], [np.asarray(start)[None]]
    for first in range(0, steps, CHUNK):
        count = min(CHUNK, steps - first)
        piece = None
        if path is not None:
            piece = path[first : first + count]
            if count < CHUNK:
                piece = np.concatenate([piece, np.zeros((CHUNK - count, *piece.shape[1:]), piece.dtype)])
        x, square, seen = _advance(
            scheme, field, error, x, h, T, first, count, key, piece, record=record, chains=chains
        )
        squares.append(np.asarray(square)[:count])
        if record:
            states.append(np.asarray(seen)[:count])
        tick(count)
    return Run(np.asarray(x), np.concatenate(squares), np.concatenate(states) if record else None)


def starts(target, key, n: int, T: float, start: str) -> tuple[np.ndarray, np.ndarray]:
    """Start points of the scheme and of its reference, each (n, d), with the same Gaussian draw.

    The reference starts from p_T exactly, a_T X_0 + sigma_T Z; so does the scheme for start "exact",
    while "paper" gives it N(0, sigma_T^2 I): the difference is the initialisation error.
    """
    data_key, noise_key = jax.random.split(key)
    noise = jnp.sqrt(process.variance(T)) * jax.random.normal(noise_key, (n, target.dim))
    exact = process.scale(T) * target.sample(data_key, n) + noise
    return np.asarray(noise if start == "paper" else exact), np.asarray(exact)


def diverged(x: np.ndarray, facts) -> np.ndarray:
    """Which particles are not finite or further than DIVERGED standard deviations from the mean, (n,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.linalg.norm(np.where(np.isfinite(x), x, np.inf) - facts.mean, axis=-1)
    return ~(distance <= DIVERGED * max(1.0, facts.std()))


def level_met(squares) -> float | None:
    """Largest L2 level of the score error over the steps; None where the iterates left the numbers."""
    top = float(np.max(squares))
    return math.sqrt(max(top, 0.0)) if math.isfinite(top) else None
