"""Diffused score and Hessian of any 2-D density by quadrature over X_0, and a table of them.

p_t(x) is the integral of p_0(x_0) N(x; a x_0, sigma^2 I). With posterior mean m and covariance C of
X_0 given X_t = x, s = (a m - x)/sigma^2 and H = (a/sigma^2)^2 C - I/sigma^2. Two routes to m and C:

- a trapezoid grid, spectrally accurate while its spacing stays below sigma/a; the Gaussian kernel
  separates over coordinates, so a particle costs two rows of exponentials and a matrix product;
- below that, Gauss-Hermite nodes x/a + (sigma/a) z that follow the particle. In the variable z
  s = E[z]/sigma and H = (Cov z - I)/sigma^2, which cancels only by the factor 1/sigma.

Below t = 1e-6 the value is interpolated to the derivatives of log p_0 itself.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from dlab import process
from dlab.field import ExactField
from dlab.params import BadInput
from dlab.pytree import pytree

GRID = 448  # oracle nodes a side: bends of width 1/15 in the widest box of the knobs, to 1e-10
LATTICE = 512  # nodes a side behind the table
REACH = 10.0  # half width of every box in standard deviations
HERMITE = 24  # nodes a side that follow a particle
FIRST = 1e-6
SETTLED = 1e-6  # relative change of the covariance between two grids


@pytree(["density", "centre", "axes", "unit", "weights"])
@dataclass(frozen=True)
class QuadratureField(ExactField):
    """The oracle. density: pytree, callable (n, 2) -> (n,); centre, axes, unit: mean, principal axes
    (columns) of p_0 and the grid's half widths over REACH; weights: p_0 on the grid, largest 1, (GRID, GRID)."""

    density: ExactField
    centre: jax.Array
    axes: jax.Array
    unit: jax.Array
    weights: jax.Array

    def _nodes(self):
        """Grid coordinates along each axis from the centre, (2, GRID)."""
        return self.unit[:, None] * jnp.linspace(-REACH, REACH, GRID)

    def _grid(self, t, x):
        a, var = process.scale(t), process.variance(t)
        inside = (x - a * self.centre) @ self.axes
        nodes = self._nodes()
        log = [-((inside[:, i : i + 1] - a * nodes[i]) ** 2) / (2 * var) for i in (0, 1)]
        top = [v.max(1, keepdims=True) for v in log]
        k1, k2 = (jnp.exp(v - m) for v, m in zip(log, top))
        g1, g2 = nodes

        half = [k1, k1 * g1, k1 * g1**2]
        mass, one, two = (h @ self.weights for h in half)
        z = jnp.sum(mass * k2, 1)
        e1, e2 = jnp.sum(one * k2, 1) / z, jnp.sum(mass * k2 * g2, 1) / z
        c11 = jnp.sum(two * k2, 1) / z - e1**2
        c22 = jnp.sum(mass * k2 * g2**2, 1) / z - e2**2
        c12 = jnp.sum(one * k2 * g2, 1) / z - e1 * e2
        mean = jnp.stack([e1, e2], -1)
        cov = jnp.stack([jnp.stack([c11, c12], -1), jnp.stack([c12, c22], -1)], -2)
        var = jnp.broadcast_to(var, (len(x), 1))
        a = jnp.broadcast_to(a, (len(x), 1))
        score = (a * mean - inside) / var @ self.axes.T
        hessian = (a / var)[..., None] ** 2 * cov - jnp.eye(2) / var[..., None]
        log_z = jnp.log(z) + (top[0] + top[1])[:, 0] - jnp.log(var[:, 0])
        return score, self._out(hessian), log_z

    def _follow(self, t, x):
        z, w = np.polynomial.hermite_e.hermegauss(HERMITE)
        nodes = jnp.asarray(np.stack(np.meshgrid(z, z, indexing="ij"), -1).reshape(-1, 2))
        logw = jnp.asarray(np.log(np.outer(w, w)).ravel())

        def one(tx):
            t, x = tx[0][0], tx[1]
            a, sigma = process.scale(t), jnp.sqrt(process.variance(t))
            log = logw + self.density(x / a + sigma / a * nodes)
            weights = jax.nn.softmax(log)
            mean = weights @ nodes
            spread = nodes - mean
            cov = (weights * spread.T) @ spread
            return mean / sigma, (cov - jnp.eye(2)) / sigma**2, jax.nn.logsumexp(log) - 2 * jnp.log(a)

        t = jnp.broadcast_to(t, (len(x), 1))
        return jax.lax.map(one, (t, x), batch_size=64)

    def _out(self, hessian):
        return jnp.einsum("ik,nkl,jl->nij", self.axes, hessian, self.axes)

    def _evaluate(self, t, x):
        t = jnp.asarray(t)
        near = jnp.maximum(t, FIRST)
        spacing = 2 * REACH * jnp.max(self.unit) / (GRID - 1)
        follow = process.variance(near) < (1.3 * spacing) ** 2 * jnp.exp(-near)
        if t.ndim == 0:
            s, H, log_z = jax.lax.cond(follow, self._follow, self._grid, near, x)
        else:
            close = jax.lax.cond(jnp.any(follow), self._follow, self._grid, near, x)
            far = self._grid(jnp.where(follow, 1.0, near), x)
            s, H, log_z = (jnp.where(follow.reshape(-1, *[1] * (f.ndim - 1)), c, f) for c, f in zip(close, far))
        return s, H, log_z

    def score(self, t, x):
        return self._to_zero(t, self._evaluate(t, x)[0], lambda: gradient(self.density, x))

    def hessian(self, t, x):
        return self._to_zero(t, self._evaluate(t, x)[1], lambda: hessian(self.density, x))

    def score_and_hessian(self, t, x):
        s, H, _ = self._evaluate(t, x)
        s = self._to_zero(t, s, lambda: gradient(self.density, x))
        return s, self._to_zero(t, H, lambda: hessian(self.density, x))

    def log_density(self, t, x):
        return self._evaluate(t, x)[2]

    def _to_zero(self, t, value, at_zero):
        t = jnp.asarray(t)
        share = jnp.minimum(t / FIRST, 1.0).reshape(t.shape + (1,) * (value.ndim - 2) * (t.ndim > 0))
        limit = jax.lax.cond(jnp.any(t < FIRST), at_zero, lambda: value)
        return share * value + (1 - share) * limit


def in_pieces(density, x):
    """density(x) without a temporary of all points times all observations."""
    return jax.lax.map(lambda v: density(v[None])[0], x, batch_size=2048)


def gradient(density, x):
    return jax.vmap(jax.grad(lambda v: density(v[None])[0]))(x)


def hessian(density, x):
    return jax.vmap(jax.hessian(lambda v: density(v[None])[0]))(x)


@jax.jit
def _moments_on(density, centre, axes, half):
    """Mean and covariance of p_0 over a box by the trapezoid rule, and the grid's spacing (2,)."""
    line = jnp.linspace(-1.0, 1.0, GRID)
    plane = jnp.stack(jnp.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2) * half
    x = centre + plane @ axes.T
    weight = jax.nn.softmax(in_pieces(density, x))
    mean = weight @ x
    spacing = 2 * half / (GRID - 1)
    return mean, ((x - mean).T * weight) @ (x - mean), spacing


def moments(density, centre, half, least=0.0):
    """Mean (2,) and covariance (2, 2) of p_0, from a box centre +- half that holds its mass.

    The box shrinks onto the mass, never below what its own spacing resolves nor below REACH * least. BadInput where the grid
    does not settle: the density is too sharp for its width.
    """
    axes, centre, half = jnp.eye(2), jnp.asarray(centre, float), jnp.broadcast_to(jnp.asarray(half, float), (2,))
    last = None
    for _ in range(12):
        mean, cov, spacing = (np.asarray(v) for v in _moments_on(density, centre, axes, half))
        if not np.isfinite(cov).all():
            break
        if last is not None and np.allclose(cov, last, rtol=0, atol=SETTLED * cov.max()):
            return jnp.asarray(mean), jnp.asarray(cov)
        last = cov
        values, axes = np.linalg.eigh(cov)
        centre, half = mean, REACH * np.maximum(np.sqrt(np.maximum(values, 0.0)), max(spacing.max(), least))
    raise BadInput(
        "target is too sharp for its width: quadrature over it does not settle; standardise the features, or lower the sharpness."
    )


def oracle(density, mean, cov, least=0.0) -> QuadratureField:
    """The oracle of a density whose mean and covariance are known; see `moments` for least."""
    values, axes = np.linalg.eigh(np.asarray(cov))
    return _oracle(density, *map(jnp.asarray, (mean, axes, np.maximum(np.sqrt(values), least))))


@jax.jit
def _oracle(density, mean, axes, unit):
    line = jnp.linspace(-REACH, REACH, GRID)
    plane = jnp.stack(jnp.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2) * unit
    log = in_pieces(density, mean + plane @ axes.T).reshape(GRID, GRID)
    return QuadratureField(density, mean, axes, unit, jnp.exp(log - log.max()))
