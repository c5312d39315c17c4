"""Exact law of a scheme on a product target: the density of each coordinate, carried on a grid.

A scheme acts on the coordinates of a product (in its own axes) independently, but for the random midpoint U
that they share. One step moves the mass of every grid point to where the scheme's own `step` sends it, for
nodes of what is random inside the step (U by Gauss-Legendre, the midpoint's noise by Gauss-Hermite), lays it
down on the grid by Lagrange weights, which keep all moments up to the eleventh, and adds the noise that is
left, independent of all this, by an exact Gaussian convolution. W2 of two laws on the line is the L2 distance of
their quantile functions.

Where the points go does not depend on the mass that they carry: compiled code moves those of many steps at once,
always PIECE of them, so one small program per scheme serves every grid, number of nodes and step size, and NumPy
carries the mass. Score and Hessian on the grid are polynomials in t, found once for all schemes and step sizes.
"""

import itertools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import make_interp_spline

from dlab import process
from dlab.errors import perturb
from dlab.field import ExactField
from dlab.grid import Grid
from dlab.laws import diffused
from dlab.laws.levels import SETTLED, Levels
from dlab.noise import StepNoise

SIZES = (192, 288, 432, 648)  # points of the line, refined together with all nodes until W2 settles
# Nodes at the first size and small h: for U, for the midpoint's noise, for noise that depends on the state, in time.
MIDPOINTS, NORMALS, STATE_NORMALS, ORDER = 2, 4, 3, 8
SMALL = 0.1  # h up to which so few nodes will do inside a step: one more for each doubling beyond
NEGLIGIBLE = 1e-7  # W2 in standard deviations that counts as none
REACH = 10.0  # the grid's ends in standard deviations
CORE = 0.7  # middle part of the grid: nearer to its ends the posterior is cut off and the Hessian is wrong
STENCIL = 12  # grid points that share the mass of one arriving point
BEFORE = STENCIL // 2 - 1  # of them, those below the point's own cell
CALM = 2000.0  # damping of waves near the grid's shortest: below 1e-3 at a third of its frequency, total at 0.7
TAIL = 1e-10  # quantiles nearer to 0 and 1 are left out of W2
NEWTON = 4  # steps to a quantile from linear interpolation
EMPTY = 1e-12  # mass whose noise may be wrong
LOST = 1e-8  # mass that may leave the grid
SEEN = 1e-14  # mass on a point, as a share of the largest, that is more than rounding
TORN = 1e-3  # share of a density that may be below zero
NARROW = 4.0  # grid spacings that a mode is wide, at least, where its density is taken from the grid
PIECE = 1 << 14  # points moved in one call


@dataclass(frozen=True)
class Line:
    """One coordinate on a grid: x (G,) with its spacing, density (F, G) of the scheme's law after each step of
    `at` (F,), target (F, G) that of p_t there, both integrating to 1; error_square (N,) the mean e^2 met at each
    step; lost: the mass that left the grid, thrown: the root of its mean square distance beyond the ends; quantile: of p_0, where
    its density is too rough or too narrow for a grid."""

    at: np.ndarray
    x: np.ndarray
    density: np.ndarray
    target: np.ndarray
    error_square: np.ndarray
    lost: float
    thrown: float = 0.0
    quantile: Callable | None = None

    @property
    def torn(self) -> float:
        """The share of the law's density that is below zero: it is narrower than the grid resolves."""
        return float(-np.minimum(self.density[-1], 0.0).sum() / np.abs(self.density[-1]).sum())

    def w2(self) -> np.ndarray:
        """W2 between the two densities at each of `at`, (F,)."""
        return np.array([self.w2_at(i) for i in range(len(self.at))])

    def w2_at(self, i: int) -> float:
        if self.quantile and self.at[i] == len(self.error_square):
            return w2_to_quantiles(self.x, self.density[i], self.quantile)
        return w2_on_line(self.x, self.density[i], self.target[i])

    def masses(self, cuts, i: int = -1) -> np.ndarray:
        """Mass of the scheme's law in each interval between the cuts, (len(cuts) + 1,)."""
        fine, (p,) = _refined(self.x, self.density[i : i + 1 or None])
        below = make_interp_spline(fine, p, 5).antiderivative()
        ends = below(np.clip([fine[0], *cuts, fine[-1]], fine[0], fine[-1]))
        return np.diff(ends) / (ends[-1] - ends[0])


@dataclass(frozen=True)
class _Point(ExactField):
    """Score and Hessian as one point sees them: x (1, 1) its start; own and late (s, H), each (PIECE,): on the grid
    at the steps' times and at their midpoints, one row after the other; here: its start in own, row: the first
    entry of its midpoint's row in late; grid: low end, spacing, size."""

    x: jax.Array
    own: tuple
    late: tuple
    here: jax.Array
    row: jax.Array
    grid: tuple

    def _at(self, x, which):
        if x is self.x:
            return self.own[which][self.here]
        # The midpoint: `Scheme.asks` knows of no other place.
        low, spacing, size = self.grid
        place = (x[0, 0] - low) / spacing
        base = jnp.clip(jnp.floor(place).astype(jnp.int32) - BEFORE, 0, size - STENCIL)
        # Single look-ups: XLA takes six times as long for one of STENCIL entries.
        return sum(self.late[which][self.row + base + j] * w for j, w in enumerate(_lagrange(place - base)))

    def score(self, t, x):
        return jnp.reshape(self._at(x, 0), (1, 1))

    def hessian(self, t, x):
        return jnp.reshape(self._at(x, 1), (1, 1, 1))


GAPS = [math.prod(i - j for j in range(STENCIL) if j != i) for i in range(STENCIL)]


def _lagrange(local):
    """Weights of the values at 0, 1, ..., STENCIL - 1 in the interpolant at `local`."""
    to = [local - j for j in range(STENCIL)]
    below = itertools.accumulate(to[:-1], operator.mul, initial=1.0)
    above = reversed(list(itertools.accumulate(to[:0:-1], operator.mul, initial=1.0)))
    return [b * a / gap for b, a, gap in zip(below, above, GAPS)]


@jax.jit
def _moved(scheme, error, times, grid, own, late, common, step, x, here, row, u, z):
    """Where one step takes PIECE points, in spacings from the grid's low end; the variance of the noise that this leaves out, and
    the squared score error at the start, each (PIECE,). times (PIECE + 1,) of the steps, common (PIECE,) by step.

    u, z: nodes for the midpoint and for the noise that the score's places depend on, or, where they depend on none, for what a
    noise that depends on the state has above `common`, the variance that is added by convolution."""
    low, spacing, _ = grid
    inner = scheme.inner_normals

    def one(step, x, here, row, u, z):
        x, z, t, t_next = jnp.reshape(x, (1, 1)), jnp.reshape(z, (1, 1)), times[step], times[step + 1]
        field, node = _Point(x, own, late, here, row, grid), [z] * inner

        def moved(*rest):
            noise = StepNoise(t - t_next, (*node, *rest), jnp.reshape(u, (1, 1)) if scheme.randomised else None, forward=True)
            return scheme.step(perturb(field, error, None), t, t_next, x, noise)

        # The step is affine in the normals on which no place depends.
        y, push = jax.linearize(moved, *[jnp.zeros_like(z)] * (scheme.normals() - inner))
        rest = range(scheme.normals() - inner)
        left = sum((push(*[jnp.full_like(z, k == j) for k in rest]) ** 2 for j in rest), jnp.zeros_like(z))
        if not inner:
            y += jnp.sqrt(jnp.maximum(left - common[step], 0.0)) * z
        e = error.shift(t, x, jnp.reshape(own[0][here], (1, 1)), None)
        return (y[0, 0] - low) / spacing, left[0, 0], e[0, 0] ** 2

    return jax.vmap(one)(step, x, here, row, u, z)


class _Mover:
    """The points of a grid under a scheme at all nodes of what is random inside a step; shape (F, M, Q, G):
    the steps of a window, nodes for U, for the noise, points."""

    def __init__(self, scheme, error, tables, x, midpoints, normals):
        self.scheme, self.error, self.tables, self.x = scheme, error, tables, x
        self.grid = x[0], x[1] - x[0], np.int32(len(x))
        u, wu = np.polynomial.legendre.leggauss(midpoints)
        z, wz = np.polynomial.hermite_e.hermegauss(normals)
        self.u, self.weights = (u + 1) / 2, (wu / 2)[:, None] * wz / wz.sum()
        self.window = max(1, PIECE // (self.weights.size * len(x)))
        self.shape = shape = self.window, len(self.u), len(z), len(x)
        step, m, q, j = (v.astype(np.int32) for v in np.ogrid[tuple(map(slice, shape))])
        size = self.grid[2]
        every = step, x[j], step * size + j, (step * np.int32(shape[1]) + m) * size, self.u[m], z[q]
        # Whole pieces: the last point fills up.
        whole = np.minimum(np.arange(-(-math.prod(shape) // PIECE) * PIECE), math.prod(shape) - 1)
        every = (np.broadcast_to(v, shape).ravel()[whole].reshape(-1, PIECE) for v in every)
        self.points = [list(map(jnp.asarray, v)) for v in every]

    def __call__(self, times, count, live=None):
        """For `count` <= F steps at the first of times (F + 1,), live (F, G) where there is mass, for a noise that depends on the
        state: places in spacings (count, M, Q, G), variance to convolve with
        (count, M), squared error of the score (count, G)."""
        t, h = times[:-1], -np.diff(times)
        own = late = self.tables.at(t)
        if self.scheme.randomised:
            late = self.tables.at(np.maximum(t[:, None] - self.u * h[:, None], 0).ravel())
        own, late = (tuple(np.pad(v.ravel(), (0, max(0, PIECE - v.size))) for v in table) for table in (own, late))
        common, times = np.zeros(PIECE), np.pad(times, (0, PIECE - self.window), "edge")
        if self.scheme.hessian_evals:  # the noise depends on the state: the variance that all points have in common
            _, left, _ = self._move(times, own, late, common)
            middle = live & (np.abs(self.x - self.x.mean()) <= CORE * (self.x[-1] - self.x[0]) / 2)
            common[: self.window] = np.where(middle, left[:, 0, 0], np.inf).min(1)
        place, left, squares = self._move(times, own, late, common)
        left = common[: self.window, None] if self.scheme.hessian_evals else left[:, :, 0, 0]
        return place[:count], left[:count], squares[:count, 0, 0]

    def _move(self, times, own, late, common):
        fixed = self.scheme, self.error, times, self.grid, own, late, common
        found = zip(*(_moved(*fixed, *piece) for piece in zip(*self.points)))
        return [np.concatenate(v)[: math.prod(self.shape)].reshape(self.shape) for v in found]


def _laid(place, size):
    """Grid points (..., M, Q, G) -> first index on M grids end to end, and weights (STENCIL, ..., M, Q, G); zero where
    the place is off the grid."""
    inside = (place >= STENCIL) & (place <= size - 1 - STENCIL)
    place = np.where(inside, place, STENCIL)
    first = np.floor(place).astype(int) - BEFORE
    to = place - first - np.arange(STENCIL).reshape(-1, *[1] * place.ndim)
    # Off a node by a rounding: the weights are a product over all nodes divided by one factor of it.
    to[BEFORE][to[BEFORE] == 0] = 1e-15
    product = np.multiply.reduce(to, 0) * inside
    weights = np.divide(1 / np.array(GAPS, float).reshape(-1, *[1] * place.ndim), to, out=to)
    return first + size * np.arange(place.shape[-3])[:, None, None], np.multiply(weights, product, out=weights)


def _run(scheme, density, error, x, midpoints, normals, order, *, grid, start, at) -> Line:
    size, spacing, T, steps = len(x), x[1] - x[0], grid.T, grid.steps
    tables = diffused.tables(density, x, T, order)
    first = diffused.on_grid(density, tables.logw, x, T) if start == "exact" else np.exp(-(x**2) / (2 * process.start_variance(start, T)))
    mass, lost, thrown = first / first.sum(), 0.0, 0.0
    mover = _Mover(scheme, error, tables, x, midpoints, normals)
    frequency = 2 * np.pi * np.fft.rfftfreq(2 * size) / spacing
    calm = np.exp(-CALM * (frequency * spacing / np.pi) ** 12)
    wanted, squares = set(map(int, at)), np.full(steps, np.inf)
    seen = dict.fromkeys(wanted & {0}, mass)
    share, reach = mover.weights[..., None], np.arange(STENCIL)[:, None, None, None]
    # Kept between steps: fresh memory costs more than what is done in it.
    moving, index = np.empty((STENCIL, *mover.shape[1:])), np.empty((STENCIL, *mover.shape[1:]), int)
    for done in range(0, steps, mover.window):
        if not lost <= LOST:
            break
        times, count = grid.chunk(done, mover.window), min(mover.window, steps - done)
        live = None
        if scheme.hessian_evals:
            # In light tails the noise is next to nothing: where nobody is they must not decide what all have in common.
            ends = [_ends(p, x) for p in (mass, diffused.on_grid(density, tables.logw, x, times[count]))]
            low, high = (np.interp(np.arange(mover.window), [0, count], v) for v in zip(*ends))
            live = (x >= low[:, None]) & (x <= high[:, None])
        place, left, square = mover(times, count, live)
        base, weights = _laid(place, size)
        damped = np.exp(-(frequency**2) * left[..., None] / 2) * calm
        for i in range(len(place)):
            squares[done + i] = mass @ square[i]
            np.multiply(weights[:, i], share * mass, out=moving)
            np.add(base[i], reach, out=index)
            laid = np.bincount(index.ravel(), moving.ravel(), midpoints * size).reshape(midpoints, size)
            lost += abs(mass.sum() - laid.sum())
            # Next to no mass may go so far that it counts.
            thrown += np.sum(share * np.where(mass > SEEN * mass.max(), mass * _outside(place[i], size) ** 2, 0.0))
            mass = np.fft.irfft(np.sum(damped[i] * np.fft.rfft(laid, 2 * size), 0), 2 * size)[:size]
            if done + i + 1 in wanted:
                seen[done + i + 1] = mass
    rough = not grid.stop and getattr(density, "width", 0.0) < NARROW * spacing
    density_seen = np.array([seen.get(n, np.full(size, np.nan)) for n in map(int, at)]) / spacing
    target = np.array([diffused.on_grid(density, tables.logw, x, t) for t in grid.times[list(at)]])
    quantile = getattr(density, "quantile", None) if rough else None
    return Line(np.asarray(at), x, density_seen, target, squares, float(lost), math.sqrt(thrown) * spacing, quantile)


def _outside(place, size):
    """How far beyond the grid's ends places in spacings lie; infinite where they are no numbers."""
    return np.where(np.isfinite(place), np.maximum(np.maximum(-place, place - size), 0.0), np.inf)


def _ends(mass, x) -> tuple[float, float]:
    """Between where all but a share EMPTY of the mass on each side lies."""
    below = np.cumsum(np.abs(mass)) / np.abs(mass).sum()
    return x[np.searchsorted(below, EMPTY)], x[min(np.searchsorted(below, 1 - EMPTY), len(x) - 1)]


def nodes(scheme, h, level) -> tuple[int, int, int]:
    """Nodes for U, for the noise inside a step, and in time between two edges of the tables."""
    more = level + min(max(0, math.ceil(math.log2(h / SMALL))), 5)
    if scheme.randomised:
        return MIDPOINTS + more, NORMALS + more, ORDER + 4 * level
    return 1, STATE_NORMALS + more if scheme.hessian_evals else 1, ORDER + 4 * level


def propagate(scheme, density, error, *, grid: Grid, start: str, mean: float, std: float, at) -> tuple[Line, float]:
    """The law of one coordinate after the steps `at` (ascending, the last one the number of steps), and the relative error of its
    final W2, see levels.py; infinite where no two levels hold the law.

    density: pytree, callable (G,) -> (G,), log p_0 along the coordinate; error: a ScoreError of one dimension; mean, std
    of p_0 along it.
    """
    half = REACH * np.maximum(1.0, std)
    low, high = min(0.0, mean) - half, max(0.0, mean) + half
    levels = Levels(rough=scheme.randomised or hasattr(density, "diffused"))  # which a jump or a kink has
    if hasattr(density, "span"):  # modes far apart make a law wide, not its tails
        near = density.span(REACH)
        low, high = max(low, min(0.0, near[0])), min(high, max(0.0, near[1]))
    for level, size in enumerate(SIZES):
        x, inside = np.linspace(low, high, size), nodes(scheme, grid.largest, level)
        line = _run(scheme, density, error, x, *inside, grid=grid, start=start, at=at)
        value = line.w2_at(-1) if line.lost <= LOST else 0.0
        if not line.lost <= LOST or (line.thrown and not line.thrown <= SETTLED * value):
            # The law is wider than the target: the step is too large for it, or the score too wrong.
            line, low, high = replace(line, lost=np.inf), low - (high - low) / 2, high + (high - low) / 2
            continue
        before = levels.before
        if levels.done(line, value, line.torn <= TORN):
            break
        if before is not None and max(value, before) < NEGLIGIBLE * std:  # rounding does not settle
            return line, 0.0
    return levels.taken or line, levels.error


def w2_on_line(x: np.ndarray, p: np.ndarray, q: np.ndarray) -> float:
    """W2 of two densities on the uniform grid x (G,), nearly band-limited on it: the L2 norm under q of T - id, T the
    monotone map from q to p."""
    fine, (p, q) = _refined(x, np.array([p, q]))
    density = make_interp_spline(fine, p, 5)
    below = density.antiderivative()
    level = make_interp_spline(fine, q, 5).antiderivative()(fine)
    level /= level[-1]
    inside = (level > TAIL) & (level < 1 - TAIL)
    u, weight, total = level[inside], q[inside], float(below(fine[-1]))
    y = np.interp(u, np.maximum.accumulate(below(fine) / total), fine)
    for _ in range(NEWTON):
        step = (u - below(y) / total) / np.maximum(density(y) / total, 1e-14)
        y = np.clip(y + np.clip(step, -0.3, 0.3), fine[0], fine[-1])
    return _root(np.sum((y - fine[inside]) ** 2 * weight) / weight.sum())


def w2_to_quantiles(x: np.ndarray, p: np.ndarray, quantile) -> float:
    """W2 of a density p on the grid x (G,), nearly band-limited on it, to the law with the quantile function given."""
    fine, (p,) = _refined(x, p[None])
    below = make_interp_spline(fine, p, 5).antiderivative()(fine)
    level = np.maximum.accumulate(below - below[0]) / (below[-1] - below[0])
    inside = (level > TAIL) & (level < 1 - TAIL)
    y, u, weight = fine[inside], level[inside], p[inside]
    return _root(np.sum((quantile(u) - y) ** 2 * weight) / weight.sum())


def _root(square) -> float:
    """NaN below zero: the weights are then those of no density."""
    return math.sqrt(square) if square >= 0 else math.nan


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
