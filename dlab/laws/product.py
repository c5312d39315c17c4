"""Exact law of a scheme on a product target: the density of each coordinate, carried on a grid.

A scheme acts on the coordinates of a product (in its own axes) independently, but for the random midpoint U
that they share. One step moves the mass of every grid point to where the scheme's own `step` sends it, for
nodes of what is random inside the step (U by Gauss-Legendre, the midpoint's noise by Gauss-Hermite), lays it
down on the grid by Lagrange weights, which keep all moments up to the eleventh, and adds the noise that is
left, independent of all this, by an exact Gaussian convolution. W2 of two laws on the line is the L2 distance of
their quantile functions.
"""

from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import make_interp_spline

from dlab import process
from dlab.errors import perturb
from dlab.field import ExactField
from dlab.linop import phi1
from dlab.sample import CHUNK

# Points of the line, and nodes for U and for the noise inside a step: both half as many again until W2 settles.
LEVELS = ((192, 4), (288, 6), (432, 9), (648, 13))
SETTLED = 5e-3  # relative change of W2 from one level to the next
REACH = 10.0  # the grid's ends in standard deviations
HERMITE = 24  # nodes that follow a point where the kernel is narrower than the grid's spacing
STENCIL = 12  # grid points that share the mass of one arriving point
CALM = 2000.0  # damping of waves near the grid's shortest: below 1e-3 at a third of its frequency, total at 0.7
TAIL = 1e-10  # quantiles nearer to 0 and 1 are left out of W2
LOST = 1e-8  # mass that may leave the grid


@dataclass(frozen=True)
class Line:
    """One coordinate on a grid: x (G,) with its spacing, density (F, G) of the scheme's law after each step of
    `at` (F,), target (F, G) that of p_t there, both integrating to 1; error_square (N,) the mean e^2 met at each
    step; lost: the mass that left the grid."""

    at: np.ndarray
    x: np.ndarray
    density: np.ndarray
    target: np.ndarray
    error_square: np.ndarray
    lost: float

    def w2(self) -> np.ndarray:
        """W2 between the two densities at each of `at`, (F,)."""
        return np.array([w2_on_line(self.x, p, q) for p, q in zip(self.density, self.target)])


@partial(jax.tree_util.register_dataclass, data_fields=["low", "spacing", "tables", "which"], meta_fields=[])
@dataclass(frozen=True)
class _Tabled(ExactField):
    """Score and Hessian on the grid at the times of one step: tables (1 + K, 2, G), the step's own time first, then
    the midpoints; which (n,) the midpoint of each particle."""

    low: jax.Array
    spacing: jax.Array
    tables: jax.Array
    which: jax.Array

    def _at(self, t, x, row):
        index, weights = _stencil((x[:, 0] - self.low) / self.spacing, self.tables.shape[-1])
        table = self.tables[:, row]
        rows = 0 if jnp.ndim(t) == 0 else 1 + self.which[:, None]
        return jnp.sum(table[rows, index] * weights, -1)

    def score(self, t, x):
        return self._at(t, x, 0)[:, None]

    def hessian(self, t, x):
        return self._at(t, x, 1)[:, None, None]


@dataclass
class _NodeNoise:
    """What a step sees of the Brownian motion: nodes instead of draws.

    u (n, 1) midpoints or None; z (n, 1) normal nodes: of I(A, U) or, without midpoint, of what a noise that
    depends on the state has above `common` (n, 1), the variance that is added by convolution. `left` collects
    the variance of `whole` that the value it returns does not have.
    """

    h: jax.Array
    u: jax.Array | None
    z: jax.Array
    common: jax.Array | float
    left: list = field(default_factory=list)

    def part(self, A):
        return A.map(lambda a: jnp.sqrt(self.u * self.h * phi1(2 * a * self.u * self.h)), self.z)

    def whole(self, A):
        one = jnp.ones_like(self.z)
        if self.u is None:
            self.left.append(A.map(lambda a: self.h * phi1(2 * a * self.h), one))
            return jnp.sqrt(jnp.maximum(self.left[-1] - self.common, 0.0)) * self.z
        # I(A, 1) = e^{A(1-u)h} I(A, u) + an independent piece.
        self.left.append(A.map(lambda a: (1 - self.u) * self.h * phi1(2 * a * (1 - self.u) * self.h), one))
        return A.map(lambda a: jnp.exp(a * (1 - self.u) * self.h), self.part(A))


def _stencil(place, size):
    """Grid indices (n, STENCIL) and Lagrange weights of points at `place` (n,), in units of the spacing."""
    base = jnp.clip(jnp.floor(place).astype(int) - (STENCIL // 2 - 1), 0, size - STENCIL)
    local = (place - base)[:, None]
    j = np.arange(STENCIL)
    gaps = [np.prod(i - np.delete(j, i)) for i in j]
    weights = [jnp.prod(local - np.delete(j, i), -1) / gaps[i] for i in j]
    return base[:, None] + j, jnp.stack(weights, -1)


def _local(density, logw, t, x):
    """s, H and log p_t + constant on the grid x (G,), (3, G): quadrature over X_0 on the same grid, logw = log p_0
    there, or on nodes that follow each point, as in targets/quadrature.py."""
    a, var = process.scale(t), process.variance(t)

    def grid():
        lift = x - x[:, None] / a
        log = logw - lift**2 * a**2 / (2 * var)
        w = jax.nn.softmax(log, axis=1)
        mean = jnp.sum(w * lift, 1)
        cov = jnp.sum(w * (lift - mean[:, None]) ** 2, 1)
        log_z = jax.nn.logsumexp(log, axis=1) + jnp.log(x[1] - x[0]) - jnp.log(2 * jnp.pi * var) / 2
        return jnp.stack([a * mean / var, (a / var) ** 2 * cov - 1 / var, log_z])

    def follow():
        z, w = np.polynomial.hermite_e.hermegauss(HERMITE)
        sigma = jnp.sqrt(var)
        log = np.log(w) + density(x[:, None] / a + sigma / a * z)
        w = jax.nn.softmax(log, axis=1)
        mean = jnp.sum(w * z, 1)
        cov = jnp.sum(w * (z - mean[:, None]) ** 2, 1)
        log_z = jax.nn.logsumexp(log, axis=1) - jnp.log(2 * jnp.pi) / 2 - jnp.log(a)
        return jnp.stack([mean / sigma, (cov - 1) / var, log_z])

    return jax.lax.cond(var < (1.3 * (x[1] - x[0]) * a) ** 2, follow, grid)


@jax.jit
def _diffused(density, x, times):
    """p_t on the grid x (G,) at times (F,), (F, G), each integrating to 1."""
    logw = density(x)
    log = jax.lax.map(lambda t: _local(density, logw, t, x)[2], times)
    return jax.nn.softmax(log, axis=1) / (x[1] - x[0])


@partial(jax.jit, static_argnames=("scheme", "midpoints", "normals"))
def _advance(scheme, density, error, mass, low, spacing, h, T, first, count, *, midpoints, normals):
    size = mass.shape[0]
    x = low + spacing * jnp.arange(size)
    logw = density(x)
    z, wz = np.polynomial.hermite_e.hermegauss(normals)
    u, wu = np.polynomial.legendre.leggauss(midpoints)
    u, wu, wz = (u + 1) / 2, wu / 2, wz / wz.sum()
    # Particles in the order (midpoint, normal, grid point).
    shape = (midpoints, normals, size)
    each = [jnp.broadcast_to(v, shape).ravel() for v in (u[:, None, None], z[:, None], x, np.arange(midpoints)[:, None, None])]
    share = jnp.asarray(np.broadcast_to(wz[:, None], shape[1:]))
    own_u = each[0][:, None] if scheme.randomised else None
    frequency = jnp.asarray(2 * np.pi * np.fft.rfftfreq(2 * size))
    calm = jnp.exp(-CALM * (frequency / np.pi) ** 12)

    def body(i, carry):
        mass, lost, squares = carry
        t = T - (first + i) * h
        times = jnp.concatenate([jnp.array([t]), t - jnp.asarray(u) * h]) if scheme.randomised else jnp.array([t])
        tables = jax.lax.map(lambda at: _local(density, logw, at, x)[:2], times)
        held = _Tabled(low, spacing, tables, each[3])
        e = error.shift(t, x[:, None], tables[0, 0][:, None], None)
        squares = squares.at[i].set(jnp.sum(mass * e[:, 0] ** 2))

        def step(common):
            noise = _NodeNoise(h, own_u, each[1][:, None], common)
            y = scheme.step(perturb(held, error, None), t, h, each[2][:, None], noise)
            return y[:, 0].reshape(shape), noise.left[0][:, 0].reshape(shape)

        if scheme.hessian_evals:  # the noise depends on the state: the variance that all mass has in common
            common = jnp.min(jnp.where(jnp.abs(mass) > 1e-14, step(0.0)[1], jnp.inf), (1, 2))
            y, _ = step(jnp.broadcast_to(common[:, None, None], shape).reshape(-1, 1))
        else:
            y, left = step(jnp.inf)
            common = left[:, 0, 0]
        place = (y - low) / spacing
        inside = (place >= STENCIL) & (place <= size - 1 - STENCIL)
        moving = jnp.where(inside, mass * share, 0.0)
        lost = lost + jnp.sum(wu[:, None, None] * jnp.where(inside, 0.0, jnp.abs(mass * share)))
        index, weights = _stencil(jnp.where(inside, place, STENCIL).ravel(), size)
        index = index + each[3][:, None] * size
        laid = jnp.zeros(midpoints * size).at[index].add(weights * moving.ravel()[:, None]).reshape(midpoints, size)
        damped = jnp.exp(-(frequency**2) * common[:, None] / spacing**2 / 2) * calm
        wave = jnp.sum(wu[:, None] * damped * jnp.fft.rfft(laid, 2 * size), 0)
        return jnp.fft.irfft(wave, 2 * size)[:size], lost, squares

    return jax.lax.fori_loop(0, count, body, (mass, jnp.asarray(0.0), jnp.zeros(CHUNK)))


def _run(scheme, density, error, grid, inner, *, T, steps, start, at) -> Line:
    low, high, size = grid
    spacing, h = (high - low) / (size - 1), T / steps
    x = low + spacing * np.arange(size)
    if start == "exact":
        first = np.asarray(_diffused(density, jnp.asarray(x), jnp.array([T])))[0]
    else:
        first = np.exp(-(x**2) / (2 * -np.expm1(-T)))
        first /= first.sum() * spacing
    nodes = {
        "midpoints": inner if scheme.randomised else 1,
        "normals": inner if scheme.randomised or scheme.hessian_evals else 1,
    }
    mass, done, lost = jnp.asarray(first * spacing), 0, 0.0
    seen, squares = [], []
    for stop in at:
        while done < stop:
            count = min(CHUNK, int(stop) - done)
            mass, gone, square = _advance(scheme, density, error, mass, low, spacing, h, T, done, count, **nodes)
            squares.append(np.asarray(square)[:count])
            done, lost = done + count, lost + float(gone)
        seen.append(np.asarray(mass) / spacing)
    target = np.asarray(_diffused(density, jnp.asarray(x), jnp.asarray(T - np.asarray(at) * h)))
    return Line(np.asarray(at), x, np.array(seen), target, np.concatenate([*squares, np.zeros(0)]), lost)


def propagate(scheme, density, error, *, T: float, steps: int, start: str, mean: float, std: float, at) -> tuple[Line, float]:
    """The law of one coordinate after the steps `at` (ascending, the last one `steps`), and the relative change of its
    final W2 from the level before to the one used; infinite where the law does not fit on a grid.

    density: pytree, callable (G,) -> (G,), log p_0 along the coordinate; error: a ScoreError of one dimension; mean, std
    of p_0 along it.
    """
    half, before, change = REACH * np.maximum(1.0, std), None, np.inf
    low, high = min(0.0, mean) - half, max(0.0, mean) + half
    for size, inner in LEVELS:
        line = _run(scheme, density, error, (low, high, size), inner, T=T, steps=steps, start=start, at=at)
        if not line.lost <= LOST:
            # The law is wider than the target: the step is too large for it, or the score too wrong.
            low, high = low - (high - low) / 2, high + (high - low) / 2
            continue
        value = line.w2()[-1]
        if before is not None:
            change = abs(value - before) / max(value, 1e-300)
            if change < SETTLED:
                break
        before = value
    return line, float(change)


def w2_on_line(x: np.ndarray, p: np.ndarray, q: np.ndarray) -> float:
    """W2 of two densities on the uniform grid x (G,), nearly band-limited on it: the L2 norm under q of T - id, T the
    monotone map from q to p."""
    fine, (p, q) = _refined(x, np.array([p, q]))
    density = make_interp_spline(fine, p, 5)
    below = density.antiderivative()
    level = make_interp_spline(fine, q, 5).antiderivative()(fine)
    level /= level[-1]
    inside = (level > TAIL) & (level < 1 - TAIL)
    u, y = level[inside], fine[inside].copy()
    total = float(below(fine[-1]))
    for _ in range(60):
        step = (u - below(y) / total) / np.maximum(density(y) / total, 1e-14)
        step = np.clip(step, -0.3, 0.3)
        y = np.clip(y + step, fine[0], fine[-1])
        if np.abs(step).max() < 1e-13:
            break
    weight = q[inside]
    return float(np.sqrt(np.sum((y - fine[inside]) ** 2 * weight) / weight.sum()))


def _refined(x, rows, factor=4):
    """Values of band-limited rows (R, G) on a grid `factor` times as fine, by Fourier; both ends are at zero density."""
    size = len(x)
    wave = np.fft.rfft(rows, axis=1)
    if size % 2 == 0:
        wave[:, -1] /= 2
    padded = np.zeros((len(rows), size * factor // 2 + 1), complex)
    padded[:, : wave.shape[1]] = wave
    fine = np.fft.irfft(padded, size * factor, axis=1) * factor
    spacing = (x[1] - x[0]) / factor
    keep = (size - 1) * factor + 1
    return x[0] + spacing * np.arange(keep), fine[:, :keep]
