"""Law of a scheme without midpoint on any 2-D target: its density, carried on a grid along the axes of p_0.

One step moves the mass of every grid point to where the scheme's own `step` sends it without noise, lays it down by
tensor Lagrange weights, which keep all moments up to the fifth, and adds the noise: the part of its covariance that all
points share by FFT, what a point has above that (SO) by Gauss-Hermite nodes before the mass is laid down. W2 is the
tangent distance: with -div(p grad phi) = rho - q and p the mean of the densities rho and q, W2^2 ~ int p |grad phi|^2
(Benamou-Brenier, linearised: Villani 2003, sec. 7.6). It is first order in the displacement; the symmetric p removes the
second. Of the other routes to a law it shares the scheme's step alone: its scores are quadratures of its own.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft
import scipy.linalg
import scipy.sparse
from scipy.sparse.linalg import spsolve

from dlab import process
from dlab.errors import perturb
from dlab.field import ExactField
from dlab.laws.levels import Levels
from dlab.noise import StepNoise
from dlab.pytree import pytree

SIZES = (96, 144, 216)  # points a side, in the order in which they are tried until W2 settles
LEAST = 3  # nodes a direction for what SO's noise has above the common part, at first; one more with each size
FINE = 0.75  # spacings above this share of the noise of one step, sqrt(h), are not tried: the law would ring
REACH = 7.5  # from mean and origin to the grid's ends, in standard deviations
STENCIL = 6  # grid points a side that share the mass of one arriving point
NODES = 448  # nodes a side of the quadrature over X_0
FAR = 10.0  # and its ends in standard deviations
BATCH = 4096  # points that are worked on together
TINY = 1e-13  # mass that is left behind
LOST = 1e-8  # mass that may lie outside the grid
WIDER = 3  # times the grid may grow by half
BANDED = 64  # points a side up to which a banded matrix is solved faster than a sparse one
VOID = 1e-11  # share of its maximum below which p counts as this much, so that the equation stays solvable


@dataclass(frozen=True)
class Plane:
    """Densities of mass 1 on the grid of `lines`, x and y (G,) along axes (2, 2) (columns): density (F, G, G) of the
    scheme's law after each step of `at` (F,), target (F, G, G) that of p_t there; error_square (N,) the mean |e|^2 met at
    each step; lost: the mass that lies outside."""

    at: np.ndarray
    axes: np.ndarray
    lines: list
    density: np.ndarray
    target: np.ndarray
    error_square: np.ndarray
    lost: float

    def w2(self, i: int = -1) -> float:
        """Tangent distance of the two densities at `at[i]`."""
        return tangent(self.density[i], self.target[i], [line[1] - line[0] for line in self.lines])


@pytree(["s", "H"])
@dataclass(frozen=True)
class _Held(ExactField):
    """Score (n, 2) and Hessian (n, 2, 2) at the points and the time of one step."""

    s: jax.Array
    H: jax.Array

    def score(self, t, x):
        return self.s

    def hessian(self, t, x):
        return self.H


@jax.jit
def _move(scheme, held, error, t, t_next, x):
    """Where the step sends x (n, 2) without noise, the covariance of the noise (n, 2, 2), and |e|^2 (n,)."""

    def moved(*normals):
        return scheme.step(perturb(held, error, None), t, t_next, x, StepNoise(t - t_next, normals))

    # A step that asks for the score at its start alone is affine in its normals.
    y, push = jax.linearize(moved, *[jnp.zeros_like(x)] * scheme.normals())
    units = [jnp.zeros_like(x).at[:, i].set(1.0) for i in (0, 1)]
    columns = [push(*[unit * (k == j) for k in range(scheme.normals())]) for j in range(scheme.normals()) for unit in units]
    cov = sum((c[:, :, None] * c[:, None, :] for c in columns), jnp.zeros((*x.shape, 2)))
    return y, cov, jnp.sum(error.shift(t, x, held.s, None) ** 2, -1)


class _Source:
    """p_0 on a lattice along its principal axes. p_t, its score and its Hessian on the grid of any `lines` are sums over it
    whose Gaussian kernel separates; see targets/quadrature.py."""

    def __init__(self, target):
        values, self.axes = np.linalg.eigh(target.facts.cov)
        self.target, self.mean, self.std = target, target.facts.mean @ self.axes, np.sqrt(values)
        m0 = target.facts.m0.value
        # A skew density can be narrower than its tail, which is at most as wide as N(., I/m0).
        tail = 0.85 / np.sqrt(m0) if m0 and m0 > 0 else 0.0
        self.nodes = np.maximum(self.std, tail)[:, None] * np.linspace(-FAR, FAR, NODES)
        log = self.log_density(self.nodes + self.mean[:, None])
        self.weights = np.exp(log - log.max())

    def points(self, lines):
        """The grid's points, (G^2, 2)."""
        return np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, 2) @ self.axes.T

    def log_density(self, lines):
        """log p_0 up to a constant, (G, G)."""
        x = self.points(lines)
        parts = [np.asarray(self.target.log_density(x[i : i + BATCH])) for i in range(0, len(x), BATCH)]
        return np.concatenate(parts).reshape(len(lines[0]), -1)

    def diffused(self, t, lines):
        """log p_t up to a constant (G, G), score (G^2, 2) and Hessian (G^2, 2, 2), t > 0."""
        a, var = float(process.scale(t)), float(process.variance(t))
        lift = [line[:, None] - a * m for line, m in zip(lines, self.mean)]
        log = [-((u - a * g) ** 2) / (2 * var) for u, g in zip(lift, self.nodes)]
        top = [v.max(1, keepdims=True) for v in log]
        first, second = (np.exp(v - m) for v, m in zip(log, top))
        g, q = self.nodes
        half = [(first * g**i) @ self.weights for i in range(3)]
        z, e01, e02 = (half[0] @ (second * q**j).T for j in range(3))
        e10, e11, e20 = half[1] @ second.T / z, half[1] @ (second * q).T / z, half[2] @ second.T / z
        e01, e02 = e01 / z, e02 / z
        mean = np.stack([e10, e01], -1)
        cov = np.stack([np.stack([e20 - e10**2, e11 - e10 * e01], -1), np.stack([e11 - e10 * e01, e02 - e01**2], -1)], -2)
        inside = np.stack(np.broadcast_arrays(lift[0], lift[1].T), -1)
        s = (a * mean - inside) / var @ self.axes.T
        H = self.axes @ ((a / var) ** 2 * cov - np.eye(2) / var) @ self.axes.T
        return np.log(z) + top[0] + top[1].T, s.reshape(-1, 2), H.reshape(-1, 2, 2)

    def density(self, t, lines):
        """p_t on the grid, (G, G), of mass 1."""
        log = self.diffused(t, lines)[0] if t > 0 else self.log_density(lines)
        p = np.exp(log - log.max())
        return p / (p.sum() * np.prod([line[1] - line[0] for line in lines]))


def _advance(case, source, lines, mass, n, nodes):
    """Step n of mass (G^2,); the mean |e|^2 and the mass that left the grid."""
    (t, t_next), live = case.grid.times[n : n + 2], np.flatnonzero(np.abs(mass) > TINY)
    padded = np.concatenate([live, np.repeat(live[:1], -len(live) % BATCH)])
    _, s, H = source.diffused(t, lines)
    x = source.points(lines)[padded]
    moved = _move(case.scheme, _Held(s[padded], H[padded]), case.error, t, t_next, x)
    y, cov, square = (np.asarray(v)[: len(live)] for v in moved)
    met, weight = float(mass[live] @ square), mass[live]
    if not (np.isfinite(y).all() and np.isfinite(cov).all()):
        return mass, met, np.inf
    values, vectors = np.linalg.eigh(cov)
    common = values.min()
    root = np.sqrt(values - common)
    if root.max() > 1e-9:
        z, w = np.polynomial.hermite_e.hermegauss(nodes)
        arms = [np.multiply.outer(z, vectors[:, :, i] * root[:, i, None]) for i in (0, 1)]
        y = (y + arms[0][:, None] + arms[1]).reshape(-1, 2)
        weight = np.multiply.outer(np.outer(w, w) / w.sum() ** 2, weight).ravel()
        kept = np.abs(weight) > TINY
        y, weight = y[kept], weight[kept]
    laid, lost = _lay(lines, y @ source.axes, weight)
    sizes = [(len(line), line[1] - line[0]) for line in lines]
    damp = [np.exp(-((2 * np.pi * f(*size)) ** 2) * common / 2) for f, size in zip((np.fft.fftfreq, np.fft.rfftfreq), sizes)]
    return scipy.fft.irfft2(scipy.fft.rfft2(laid) * damp[0][:, None] * damp[1], laid.shape).ravel(), met, lost


def _lay(lines, y, weight):
    """Mass weight (n,) at y (n, 2) shared among the STENCIL x STENCIL points around, (G, G), and what lies outside."""
    size, j = len(lines[0]), np.arange(STENCIL)
    place = np.stack([(y[:, i] - line[0]) / (line[1] - line[0]) for i, line in enumerate(lines)])
    inside = ((place >= STENCIL // 2) & (place <= size - 1 - STENCIL // 2)).all(0)
    lost, laid = float(np.abs(weight[~inside]).sum()), np.zeros(size**2)
    place, weight = place[:, inside], weight[inside]
    for start in range(0, len(weight), 4 * BATCH):  # what stays in the processor's cache
        part = place[:, start : start + 4 * BATCH]
        base = np.floor(part).astype(np.int64) - (STENCIL // 2 - 1)
        rows, columns = ([np.prod([(v - k) / (i - k) for k in j if k != i], axis=0) for i in j] for v in part - base)
        index = base[0] * size + base[1]
        for i in j:
            share = weight[start : start + 4 * BATCH] * rows[i]
            for k in j:
                laid += np.bincount(index + (i * size + k), share * columns[k], size**2)
    return laid.reshape(size, size), lost


def _run(case, source, lines, nodes, at, tick) -> Plane:
    area, lost, squares, seen = np.prod([line[1] - line[0] for line in lines]), 0.0, [], []
    if case.start == "exact":
        mass = source.density(case.grid.T, lines).ravel()
    else:
        mass = np.exp(-np.sum(source.points(lines) ** 2, 1) / (2 * process.start_variance(case.start, case.grid.T)))
    mass /= mass.sum()
    for n in range(case.grid.steps + 1):
        if n in at:
            seen.append(mass.reshape(len(lines[0]), -1) / area)
        if n < case.grid.steps and lost <= LOST:
            tick()
            mass, met, gone = _advance(case, source, lines, mass, n, nodes)
            squares.append(met)
            lost += gone
    target = np.array([source.density(t, lines) for t in case.grid.times[list(at)]])
    edge = target[-1].sum() - target[-1][STENCIL:-STENCIL, STENCIL:-STENCIL].sum()
    squares += [0.0] * (case.grid.steps - len(squares))
    return Plane(np.asarray(at), source.axes, lines, np.array(seen), target, np.array(squares), max(lost, edge * area))


def finest(case) -> float:
    """The largest spacing at which the law does not ring; without noise none does."""
    return FINE * case.grid.largest**0.5 if case.scheme.normals() else np.inf


def propagate(case, at, tick=lambda: None) -> tuple[Plane, float]:
    """The law of case.scheme (no midpoint, an error that draws nothing, two dimensions) after the steps `at` (ascending, the
    last one the number of steps), and the relative error of its final W2, see levels.py.

    `lost` above LOST says that the law fits on no grid. tick() is called before every step and may raise to cancel.
    """
    source, grown = _Source(case.target), 0
    levels = Levels(rough=case.target.facts.L0.infinite)  # where p_0 jumps, its edge lies anywhere between two points
    half = REACH * np.maximum(1.0, source.std)
    low, high = np.minimum(0.0, source.mean) - half, np.maximum(0.0, source.mean) + half
    sizes = [n for n in SIZES if (high - low).max() / (n - 1) < finest(case)]
    left = list(enumerate(sizes if len(sizes) > 1 else SIZES[-2:], LEAST))
    while left:
        nodes, size = left[0]
        law = _run(case, source, list(np.linspace(low, high, size).T), nodes, list(at), tick)
        if not law.lost <= LOST:
            if grown == WIDER:
                break
            low, high, grown = low - (high - low) / 4, high + (high - low) / 4, grown + 1
            continue
        if levels.done(law, law.w2()):
            break
        left.pop(0)
    return levels.taken or law, levels.error


def tangent(rho, q, spacing) -> float:
    """Tangent distance of two densities (G, G) on a grid: finite volumes with p at the cells' faces, second order."""
    p = (rho + q) / 2
    log, faces = np.log(np.maximum(p, VOID * p.max())), []
    for axis, step in enumerate(spacing):
        along = np.moveaxis(log, axis, 0)
        face = (along[1:] + along[:-1]) / 2
        face[1:-1] += (along[1:-2] + along[2:-1] - along[:-3] - along[3:]) / 16
        faces.append(np.moveaxis(np.exp(face) / step**2, 0, axis))
    load = (rho / rho.sum() - q / q.sum()).ravel() / np.prod(spacing)
    phi = (_banded if len(p) <= BANDED else _sparse)(*faces, load, np.argmax(p))
    return float(np.sqrt(max(phi @ load * np.prod(spacing), 0.0)))


def _banded(down, right, load, free):
    """The potential (G^2,) of `load` where mass moves between neighbours with the weights down (G - 1, G) and right (G, G - 1). It is
    free up to a constant: it is 0 at the cell `free`."""
    size = len(right)
    rows = np.zeros((size + 1, size, size))
    for diagonal in (rows[0, :-1], rows[0, 1:]):
        diagonal += down
    for diagonal in (rows[0, :, :-1], rows[0, :, 1:]):
        diagonal += right
    rows[1, :, :-1], rows[size, :-1] = -right, -down
    rows = rows.reshape(size + 1, -1)
    # The load adds up to 0: what ties the cell down pulls at nothing.
    rows[0, free] *= 2
    return scipy.linalg.solveh_banded(rows, load, overwrite_ab=True, lower=True, check_finite=False)


def _sparse(down, right, load, free):
    """As `_banded`."""
    number, pairs = np.arange(len(load)).reshape(len(right), -1), []
    for axis, w in enumerate((down, right)):
        cells = np.moveaxis(number, axis, 0)
        pairs.append((cells[:-1].ravel(), cells[1:].ravel(), np.moveaxis(w, axis, 0).ravel()))
    i, j, w = map(np.concatenate, zip(*pairs))
    rows, columns = np.concatenate([i, j, i, j]), np.concatenate([i, j, j, i])
    laplace = scipy.sparse.coo_matrix((np.concatenate([w, w, -w, -w]), (rows, columns))).tocsc()
    kept, phi = np.delete(np.arange(len(load)), free), np.zeros(len(load))
    phi[kept] = spsolve(laplace[kept][:, kept], load[kept], permc_spec="MMD_AT_PLUS_A")
    return phi
