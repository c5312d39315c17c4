"""The fast path: s, H and log p_t of a 2-D density tabulated over (t, x) and interpolated.

In the standardised coordinates y of p_t (its own mean, principal axes and standard deviations) the
table holds what departs from a Gaussian with these moments, so it tends to zero with t, and a
coordinate beyond the box is continued linearly. Cubic B-splines in y, cubic Lagrange in
w = log(1 + t/t_0). A lattice of outputs makes both coordinates of the kernel matrix products, so the
whole table costs a fraction of a second.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.ndimage import spline_filter1d

from dlab import process
from dlab.field import ExactField
from dlab.targets.quadrature import LATTICE, REACH, gradient, hessian, in_pieces

TIMES = 49
SIDE = 105
BOX = 6.5  # half width in standard deviations of p_t
LAST = 16.0


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["mean", "axes", "var", "first", "table"],
    meta_fields=[],
)
@dataclass(frozen=True)
class TableField(ExactField):
    """mean (2,), axes (2, 2) columns, var (2,) of p_0; first: t_0; table (TIMES * SIDE * SIDE, 6) of
    spline coefficients for (score, Hessian 11, 12, 22, log density), departures from the Gaussian."""

    mean: jax.Array
    axes: jax.Array
    var: jax.Array
    first: jax.Array
    table: jax.Array

    def score(self, t, x):
        return self._score(x, *self._look_up(t, x))

    def hessian(self, t, x):
        return self._hessian(x, *self._look_up(t, x))

    def score_and_hessian(self, t, x):
        found = self._look_up(t, x)
        return self._score(x, *found), self._hessian(x, *found)

    def _score(self, x, std, y, out, beyond):
        h11, h12, h22 = out[:, 2], out[:, 3], out[:, 4]
        along = [h11 * beyond[:, 0] + h12 * beyond[:, 1], h12 * beyond[:, 0] + h22 * beyond[:, 1]]
        return ((out[:, :2] + jnp.stack(along, -1) - y) / std) @ self.axes.T

    def _hessian(self, x, std, y, out, beyond):
        h11, h12, h22 = out[:, 2] - 1, out[:, 3], out[:, 4] - 1
        inside = jnp.stack([jnp.stack([h11, h12], -1), jnp.stack([h12, h22], -1)], -2)
        std = jnp.broadcast_to(std, x.shape)
        inside = inside / (std[:, :, None] * std[:, None, :])
        return jnp.einsum("ik,nkl,jl->nij", self.axes, inside, self.axes)

    def log_density(self, t, x):
        _, y, out, beyond = self._look_up(t, x)
        return out[:, 5] + jnp.sum(out[:, :2] * beyond, -1) - jnp.sum(y**2, -1) / 2

    def _look_up(self, t, x):
        std = jnp.sqrt(jnp.exp(-t) * self.var + process.variance(t))
        y = ((x - process.scale(t) * self.mean) @ self.axes) / std
        held = jnp.clip(y, -BOX, BOX)
        w = jnp.log1p(jnp.minimum(t, LAST) / self.first) / jnp.log1p(LAST / self.first) * (TIMES - 1)
        k = jnp.clip(jnp.floor(w).astype(jnp.int32) - 1, 0, TIMES - 4)
        in_time = _lagrange(w - k)
        place = (held + BOX) * ((SIDE - 1) / (2 * BOX))
        corner = jnp.clip(jnp.floor(place).astype(jnp.int32), 1, SIDE - 3) - 1
        weights = _bspline(place - corner - 1)
        plane = self.table.reshape(TIMES, -1)
        if w.ndim == 0:
            # All particles at one time: interpolate the whole slice once, then 16 taps each.
            near = jax.lax.dynamic_slice(plane, (k, jnp.int32(0)), (4, plane.shape[1]))
            flat, slices = (in_time.astype(plane.dtype) @ near).reshape(-1, 6), 0
            weights_in_time = jnp.ones((len(x), 1))
        else:
            flat, slices = self.table, (k + jnp.arange(4)) * SIDE**2
            weights_in_time = in_time[:, 0]
        # One gather of runs of four neighbours: (n, times, 4, 4, 6).
        rows = (corner[:, :1] + jnp.arange(4)) * SIDE + corner[:, 1:]
        starts = (jnp.broadcast_to(slices, weights_in_time.shape)[:, :, None] + rows[:, None, :])[..., None]
        along = jax.lax.GatherDimensionNumbers((3, 4), (), (0,))
        taps = jax.lax.gather(flat, starts, along, (4, 6), mode="clip")
        out = jnp.einsum("nt,ni,nj,ntijc->nc", weights_in_time, weights[:, 0], weights[:, 1], taps)
        return std, y, out, y - held


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
    return TableField(*map(jnp.asarray, (mean, axes, values, first, raw.reshape(-1, 6).astype(np.float32))))


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
