"""Exact mean and covariance of a scheme's law on a Gaussian target, and the Bures distance.

On a Gaussian target with an affine error one step is affine in x and in its normals, so the scheme's
own `step`, run on basis vectors, is its law: nothing about a scheme is written twice. With a random
midpoint the law is a Gaussian mixture over U (laws/mixture.py), whose first two moments close (Gauss-Legendre in U).
"""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import process
from dlab.errors import perturb
from dlab.grid import Grid
from dlab.laws.mixture import Maps, midpoints
from dlab.noise import StepNoise
from dlab.targets.spectrum import AxesField

CHUNK = 64  # steps between two looks at the host
PIECES = (4, 64)  # laws on the line that run together


@dataclass(frozen=True)
class Law:
    """Mean (N + 1, d) and covariance (N + 1, d, d) of the scheme's law, the start first;
    error_square (N,) the mean |e|^2 met at each step; maps: of the steps along the target's principal axes, where there is a
    random midpoint; mixed: how much of them, beside 1, goes from one axis to another."""

    mean: np.ndarray
    cov: np.ndarray
    error_square: np.ndarray
    maps: Maps | None = None
    mixed: float = 0.0

    def begin(self, target) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variances (d,) of the start along the target's principal axes."""
        axes = np.asarray(target.field.vectors)
        return self.mean[0] @ axes, np.diag(axes.T @ self.cov[0] @ axes)


@jax.jit
def _advance(scheme, field, error, axes, mean, cov, memory, span, first, count):
    times, every = span.times, jnp.concatenate([span.earlier, span.times])
    d = axes.shape[0]
    state = mean.shape[0]  # of x and of what a scheme with a history has kept
    own = scheme.normals()
    slots = own + (scheme.score_evals if error.draws else 0)
    batch = 1 + state + slots * d
    nodes, weights = midpoints(scheme.randomised)
    # One particle per basis direction of (x, history, normals), repeated for every midpoint.
    basis = jnp.tile(jnp.eye(batch), (len(nodes), 1))
    x, *parted = (basis[:, 1 + s * d : 1 + (s + 1) * d] for s in range(state // d + slots))
    kept, normals = tuple(parted[: scheme.history]), parted[scheme.history :]
    u = jnp.repeat(jnp.asarray(nodes), batch)[:, None] if scheme.randomised else None
    weights = jnp.asarray(weights)[:, None]

    def read(out):
        """Constant (q, k), linear part (q, k, state) and noise part (q, k, slots d) of an affine map to k dimensions."""
        out = out.reshape(len(nodes), batch, -1)
        linear = jnp.swapaxes(out[:, 1:] - out[:, :1], 1, 2)
        return out[:, 0], linear[:, :, :state], linear[:, :, state:]

    def along(constant, linear, noise):
        """A, c and B of `Maps`, each (d, q), and what lies beside the diagonals."""
        A, B = axes.T @ linear @ axes, axes.T @ noise @ jnp.swapaxes(noise, 1, 2) @ axes
        kept = [jnp.diagonal(v, axis1=1, axis2=2) for v in (A, B)]
        beside = [jnp.max(jnp.abs(v - k[:, :, None] * jnp.eye(d))) for v, k in zip((A, B), kept)]
        return jnp.stack([kept[0], constant @ axes, kept[1]]).swapaxes(1, 2), jnp.maximum(*beside)

    def body(i, carry):
        mean, cov, memory, means, covs, squares, maps = carry
        t, t_next = times[i], times[i + 1]
        now, memory = error.recall(memory, first + i, field, t, x)
        e = error.shift(t, x, field.score(t, x), normals[own] if error.draws else None)
        constant, linear, noise = (v[0] for v in read(e))
        met = jnp.sum((constant + linear @ mean) ** 2) + jnp.sum(noise**2)
        squares = squares.at[i].set(met + jnp.trace(linear @ cov @ linear.T))

        step_noise = StepNoise(t - t_next, normals[:own], u, clock=span.clock[i])
        extra = jnp.stack(normals[own:]) if error.draws else None
        earlier = [every[i + k] for k in range(len(span.earlier))]
        parts, after = scheme.advance(perturb(field, now, extra), t, t_next, x, step_noise, earlier, kept)
        constant, linear, noise = read(jnp.concatenate([scheme.total(x, parts), *after], 1))
        if scheme.randomised:
            maps = [seen.at[i].set(value) for seen, value in zip(maps, along(constant, linear, noise))]
        centres = constant + linear @ mean
        mean = jnp.sum(weights * centres, 0)
        spread = centres - mean
        cov = jnp.einsum(
            "qx,qij->ij",
            weights,
            linear @ cov @ jnp.swapaxes(linear, 1, 2)
            + noise @ jnp.swapaxes(noise, 1, 2)
            + spread[:, :, None] * spread[:, None, :],
        )
        return mean, cov, memory, means.at[i].set(mean[:d]), covs.at[i].set(cov[:d, :d]), squares, maps

    memory = error.begin(field, times[0], x) if memory is None else memory
    maps = [jnp.zeros((CHUNK, 3, d, len(nodes))), jnp.zeros(CHUNK)] if scheme.randomised else []
    start = (mean, cov, memory, jnp.zeros((CHUNK, d)), jnp.zeros((CHUNK, d, d)), jnp.zeros(CHUNK), maps)
    return jax.lax.fori_loop(0, count, body, start)


def propagate(scheme, target, error, *, grid: Grid, start: str) -> Law:
    """The law of `scheme` on a Gaussian target after each of its steps.

    Exact up to rounding; REM and REI: the first two moments by quadrature over U, to 1e-8 of the covariance's largest entry
    while no variance is below 1/100 h, and to 1e-5 down to 1/100,000 h.
    """
    facts = target.facts
    a, var = np.exp(-grid.T / 2), -np.expm1(-grid.T)
    exact = start == "exact"
    mean = a * facts.mean if exact else np.zeros(target.dim)
    cov = var * np.eye(target.dim) + a**2 * facts.cov if exact else process.start_variance(start, grid.T) * np.eye(target.dim)
    law = _law(partial(_advance, scheme, target.field, error, target.field.vectors), mean, cov, grid, scheme.history)
    if not scheme.randomised:
        return law
    return replace(law, maps=Maps(*np.moveaxis(law.maps[0], 1, 0)), mixed=float(law.maps[1].max()))


def _law(advance, mean, cov, grid, history) -> Law:
    """mean (..., d) and cov (..., d, d) at the start, where nothing has been kept yet."""
    seen, d = [(mean[None], cov[None])], mean.shape[-1]
    more = [(0, 0)] * (mean.ndim - 1) + [(0, history * d)]
    mean, cov = np.pad(mean, more), np.pad(cov, [*more, more[-1]])
    squares, maps, memory = [], [], None
    for first in range(0, grid.steps, CHUNK):
        count = min(CHUNK, grid.steps - first)
        mean, cov, memory, *after, met, along = advance(mean, cov, memory, grid.span(first, CHUNK), first, count)
        seen.append([np.asarray(v)[:count] for v in after])
        squares.append(np.asarray(met)[:count])
        maps.append([np.asarray(v)[:count] for v in along])
    return Law(*map(np.concatenate, zip(*seen)), np.concatenate(squares), list(map(np.concatenate, zip(*maps))))


@jax.jit
def _advance_lines(scheme, values, errors, mean, cov, memory, span, first, count):
    def one(value, error, mean, cov, memory):
        return _advance(scheme, AxesField(value[None]), error, jnp.eye(1), mean, cov, memory, span, first, count)

    return jax.vmap(one, out_axes=(0, 0, 0, 1, 1, 1, 1))(values, errors, mean, cov, memory)


def propagate_lines(scheme, values, errors, *, grid: Grid, start: str) -> Law:
    """As `propagate` for n laws on the line at once: N(0, values) with an error for each, a pytree whose leaves are (n,).
    mean, cov (N + 1, n), error_square (N, n)."""
    laws, size = [], next((s for s in PIECES if s >= len(values)), PIECES[-1])
    for first in range(0, len(values), size):
        # The last piece is filled up with copies, so that every number of lines runs the same compiled code.
        chosen = np.minimum(np.arange(first, first + size), len(values) - 1)
        v = values[chosen]
        cov = np.exp(-grid.T) * v - np.expm1(-grid.T) if start == "exact" else np.full(size, process.start_variance(start, grid.T))
        advance = partial(_advance_lines, scheme, v, jax.tree.map(lambda leaf, at=chosen: leaf[at], errors))
        laws.append(_law(advance, np.zeros((size, 1)), cov[:, None, None], grid, scheme.history))
    n = len(values)
    mean, cov, met = (
        np.concatenate([getattr(law, k).reshape(-1, size) for law in laws], 1)[:, :n] for k in ("mean", "cov", "error_square")
    )
    # (N, size, 3, 1, q) of each piece.
    maps = [np.concatenate([law.maps[0][:, :, i, 0] for law in laws], 1)[:, :n] for i in range(3)] if scheme.randomised else None
    return Law(mean, cov, met, maps and Maps(*maps))


def diffused(facts, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of p_t."""
    a, var = float(process.scale(t)), float(process.variance(t))
    return a * facts.mean, a**2 * facts.cov + var * np.eye(facts.dim)


def bures(mean1, cov1, mean2, cov2):
    """W2 between two Gaussians (Gelbrich 1990; Bures distance of the covariances), means (..., d), covariances (..., d, d).

    With the optimal map A from N(., cov1), W2^2 = |mean1 - mean2|^2 + |(A - I) cov1^(1/2)|_F^2, which
    keeps its digits where the usual trace formula cancels. cov1 must be positive definite.
    """
    values, vectors = np.linalg.eigh(cov1)
    scale = np.sqrt(values)[..., None, :]
    root, inverse = ((v @ np.swapaxes(vectors, -1, -2)) for v in (vectors * scale, vectors / scale))
    square, frame = np.linalg.eigh(root @ cov2 @ root)
    # middle - cov1 from the small difference: middle X + X cov1 = middle^2 - cov1^2 for X = middle - cov1, in the
    # eigenvectors of middle and cov1 a division.
    middle = np.sqrt(np.maximum(square, 0.0))
    gap = np.swapaxes(frame, -1, -2) @ (root @ (cov2 - cov1) @ root) @ vectors
    excess = frame @ (gap / (middle[..., :, None] + values[..., None, :])) @ np.swapaxes(vectors, -1, -2)
    moved = inverse @ excess @ inverse @ root
    return np.sqrt(np.sum((np.asarray(mean1) - mean2) ** 2, -1) + np.sum(moved**2, (-1, -2)))
