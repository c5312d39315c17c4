"""The fast path: s, H and log p_t of a 2-D density tabulated over (t, x) and interpolated.

In the standardised coordinates y of p_t (its own mean, principal axes and standard deviations) the
table holds what departs from a Gaussian with these moments, so it tends to zero with t, and a
coordinate beyond the box is continued linearly. Cubic B-splines in y, cubic Lagrange in
w = log(1 + t/t_0). A lattice of outputs makes both coordinates of the kernel matrix products, so the
whole table costs a fraction of a second.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy.ndimage import spline_filter1d

from dlab import process
from dlab.field import ExactField
from dlab.pytree import pytree
from dlab.targets.quadrature import LATTICE, REACH, gradient, hessian, in_pieces

TIMES = 49
SIDE = 105
BOX = 6.5  # half width in standard deviations of p_t
LAST = 16.0
NODES = (1 - np.cos(np.pi * (np.arange(4) + 0.5) / 4)) / 2  # Chebyshev's, in a step's span of times


@pytree(["mean", "axes", "var", "first", "scores", "slopes", "logs"])
@dataclass(frozen=True)
class TableField(ExactField):
    """mean (2,), axes (2, 2) columns, var (2,) of p_0; first: t_0. Spline coefficients of departures from the
    Gaussian: scores (TIMES, SIDE * SIDE, 2), slopes (..., 3) the Hessian's 11, 12, 22, logs (..., 1) the log density."""

    mean: jax.Array
    axes: jax.Array
    var: jax.Array
    first: jax.Array
    scores: jax.Array
    slopes: jax.Array
    logs: jax.Array

    def score(self, t, x):
        place = self._place(t, x)
        std, y, beyond, _ = place
        out = self._read(place, self.scores)
        # Hardly ever: the box holds all but the far tails.
        out += jax.lax.cond(
            jnp.any(beyond != 0), lambda: _along(self._read(place, self.slopes), beyond), lambda: jnp.zeros_like(out)
        )
        return ((out - y) / std) @ self.axes.T

    def hessian(self, t, x):
        place = self._place(t, x)
        return self._hessian(place, self._read(place, self.slopes))

    def score_and_hessian(self, t, x):
        place = self._place(t, x)
        std, y, beyond, _ = place
        slopes = self._read(place, self.slopes)
        out = self._read(place, self.scores) + _along(slopes, beyond)
        return ((out - y) / std) @ self.axes.T, self._hessian(place, slopes)

    def _hessian(self, place, slopes):
        std, y, *_ = place
        std = jnp.broadcast_to(std, y.shape)
        h11, h12, h22 = slopes.T
        inside = jnp.stack([jnp.stack([h11 - 1, h12], -1), jnp.stack([h12, h22 - 1], -1)], -2)
        inside = inside / (std[:, :, None] * std[:, None, :])
        return jnp.einsum("ik,nkl,jl->nij", self.axes, inside, self.axes)

    def log_density(self, t, x):
        place = self._place(t, x)
        _, y, beyond, _ = place
        linear = jnp.sum(self._read(place, self.scores) * beyond, -1)
        return self._read(place, self.logs)[:, 0] + linear - jnp.sum(y**2, -1) / 2

    def _place(self, t, x):
        """std, y, the part of y beyond the box, and where y lies in the table: time, corners and weights."""
        std = jnp.sqrt(jnp.exp(-t) * self.var + process.variance(t))
        y = ((x - process.scale(t) * self.mean) @ self.axes) / std
        held = jnp.clip(y, -BOX, BOX)
        w = jnp.log1p(jnp.minimum(t, LAST) / self.first) / jnp.log1p(LAST / self.first) * (TIMES - 1)
        place = (held + BOX) * ((SIDE - 1) / (2 * BOX))
        corner = jnp.clip(jnp.floor(place).astype(jnp.int32), 1, SIDE - 3) - 1
        one, two = _bspline((place - corner - 1).astype(self.scores.dtype)).transpose(1, 0, 2)
        rows = (corner[:, :1] + jnp.arange(4, dtype=jnp.int32)) * SIDE + corner[:, 1:]
        return std, y, y - held, (w, rows, one[:, :, None] * two[:, None, :])

    def _read(self, place, table):
        """The interpolated columns of a table at the points, (n, columns)."""
        w, rows, weights = place[-1]
        if w.ndim == 0:
            # All particles at one time: interpolate the whole slice once, then 16 taps each.
            first = _first(w)
            return _taps(_slices(table, first, _lagrange(w - first)[None]), rows[:, None], weights[:, None])
        low, high = jnp.min(w), jnp.max(w)

        def near():
            # Times within one cell, those of a small step: a cubic through four slices of its own.
            width = jnp.maximum(high - low, 1e-9)
            at = low + width * NODES
            first = jnp.minimum(_first(low), TIMES - 5)
            later = (_first(at) > first)[:, None]
            inside = _lagrange(at - _first(at))
            inside = jnp.where(later, jnp.pad(inside, ((0, 0), (1, 0))), jnp.pad(inside, ((0, 0), (0, 1))))
            return _slices(table, first, inside), jnp.arange(4), _barycentric((w - low) / width)

        def far():
            k = _first(w)
            return table.reshape(-1, table.shape[-1]), k.astype(jnp.int32) + jnp.arange(4), _lagrange(w[:, 0] - k[:, 0])

        def taps(flat, slices, in_time):
            slices = jnp.broadcast_to(slices, in_time.shape)[:, :, None] * SIDE**2
            return _taps(flat, slices + rows[:, None], in_time.astype(table.dtype)[:, :, None, None] * weights[:, None])

        return jax.lax.cond(high - low < 1, lambda: taps(*near()), lambda: taps(*far()))


def _first(w):
    """The first of the four slices round w."""
    return jnp.clip(jnp.floor(w) - 1, 0, TIMES - 4)


def _slices(table, first, weights):
    """Combinations, weights (m, k), of the k slices from `first` on: (m * SIDE * SIDE, columns)."""
    near = jax.lax.dynamic_slice_in_dim(table, first.astype(jnp.int32), weights.shape[1])
    flat = weights.astype(table.dtype) @ near.reshape(weights.shape[1], -1)
    return flat.reshape(-1, table.shape[-1])


def _taps(flat, rows, weights):
    """Sums over runs of four neighbours from each of rows (n, times, 4) on, weights (n, times, 4, 4): (n, columns)."""
    along = jax.lax.GatherDimensionNumbers((3, 4), (), (0,))
    runs = jax.lax.gather(flat, rows[..., None], along, (4, flat.shape[1]), mode="clip")
    return jnp.einsum("ntij,ntijc->nc", weights, runs)


def _along(slopes, beyond):
    h11, h12, h22 = slopes.T
    beyond = beyond.astype(slopes.dtype)
    return jnp.stack([h11 * beyond[:, 0] + h12 * beyond[:, 1], h12 * beyond[:, 0] + h22 * beyond[:, 1]], -1)


def _barycentric(v):
    """Lagrange weights (n, 4) at v (n, 1) in [0, 1] on NODES."""
    others = [np.delete(NODES, i) for i in range(4)]
    return jnp.stack([jnp.prod((v - o) / (a - o), -1) for a, o in zip(NODES, others)], -1)


def _bspline(f):
    """The four uniform cubic B-spline weights at fraction f of the cell."""
    g = 1 - f
    return jnp.stack([g**3 / 6, (3 * f**3 - 6 * f**2 + 4) / 6, (3 * g**3 - 6 * g**2 + 4) / 6, f**3 / 6], -1)


def _lagrange(v):
    """Weights of cubic interpolation at 0 <= v <= 3 on the nodes 0, 1, 2, 3."""
    a, b, c = v - 1, v - 2, v - 3
    return jnp.stack([-a * b * c / 6, v * b * c / 2, -v * a * c / 2, v * a * b / 6], -1)


def build(density, mean, cov, least=0.0) -> TableField:
    """Tabulate the diffusion of a density (pytree callable) with the given mean and covariance; the lattice
    of X_0 reaches REACH * max(standard deviation, least)."""
    values, axes = np.linalg.eigh(np.asarray(cov))
    first = 0.05 * values.min()
    t = first * np.expm1(np.linspace(0, 1, TIMES) * np.log1p(LAST / first))
    raw = np.asarray(_tabulate(density, *map(jnp.asarray, (mean, axes, values, np.maximum(np.sqrt(values), least), t))))
    for axis in (1, 2):
        raw = spline_filter1d(raw, 3, axis=axis, mode="mirror")
    # Single precision halves what a step reads; its rounding is far below the interpolation error.
    parts = np.split(raw.reshape(TIMES, SIDE**2, 6).astype(np.float32), (2, 5), axis=-1)
    return TableField(*map(jnp.asarray, (mean, axes, values, first, *parts)))


@jax.jit
def _tabulate(density, mean, axes, var, unit, t):
    line = jnp.linspace(-BOX, BOX, SIDE)
    nodes = unit[:, None] * jnp.linspace(-REACH, REACH, LATTICE)
    plane = jnp.stack(jnp.meshgrid(*nodes, indexing="ij"), -1).reshape(-1, 2)
    log = in_pieces(density, mean + plane @ axes.T).reshape(LATTICE, LATTICE)
    top = log.max()
    weights = jnp.exp(log - top)
    y1, y2 = jnp.meshgrid(line, line, indexing="ij")

    def at(t):
        a, noise = process.scale(t), process.variance(t)
        std = jnp.sqrt(a**2 * var + noise)
        logs = [-((std[i] * line[:, None] - a * nodes[i]) ** 2) / (2 * noise) for i in (0, 1)]
        shift = [v.max(1, keepdims=True) for v in logs]
        k1, k2 = (jnp.exp(v - m) for v, m in zip(logs, shift))
        powers = [[k * g**p for p in range(3)] for k, g in ((k1, nodes[0]), (k2, nodes[1]))]
        half = [p @ weights for p in powers[0]]
        z = half[0] @ powers[1][0].T
        e1, e2 = half[1] @ powers[1][0].T / z, half[0] @ powers[1][1].T / z
        c11 = half[2] @ powers[1][0].T / z - e1**2
        c22 = half[0] @ powers[1][2].T / z - e2**2
        c12 = half[1] @ powers[1][1].T / z - e1 * e2
        # Standardised score + y and Hessian + I; log density + |y|^2/2.
        s1 = std[0] * (a * e1 - std[0] * y1) / noise + y1
        s2 = std[1] * (a * e2 - std[1] * y2) / noise + y2
        h11 = std[0] ** 2 * ((a / noise) ** 2 * c11 - 1 / noise) + 1
        h22 = std[1] ** 2 * ((a / noise) ** 2 * c22 - 1 / noise) + 1
        h12 = std[0] * std[1] * (a / noise) ** 2 * c12
        log_p = jnp.log(z) + shift[0] + shift[1].T + (y1**2 + y2**2) / 2
        return jnp.stack([s1, s2, h11, h12, h22, log_p - log_p[SIDE // 2, SIDE // 2]], -1)

    std = jnp.sqrt(var)
    x = mean + (jnp.stack([y1, y2], -1).reshape(-1, 2) * std) @ axes.T
    s = gradient(density, x) @ axes * std
    H = jnp.einsum("ik,nij,jl->nkl", axes, hessian(density, x), axes) * std[:, None] * std
    log_p = density(x) + (y1**2 + y2**2).ravel() / 2
    zero = jnp.stack(
        [
            s[:, 0] + y1.ravel(),
            s[:, 1] + y2.ravel(),
            H[:, 0, 0] + 1,
            H[:, 0, 1],
            H[:, 1, 1] + 1,
            log_p - log_p[SIDE * SIDE // 2],
        ],
        -1,
    ).reshape(1, SIDE, SIDE, 6)
    return jnp.concatenate([zero, jax.lax.map(at, t[1:])])
