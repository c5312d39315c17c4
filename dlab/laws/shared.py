"""What a random midpoint U that two coordinates of a product share does to their joint law.

Carried is P = P_1 x P_2 + R, R = sum_k a_k b_k^T of low rank, on the grids and by the kernels K(u) of laws/product.py: one step is
P -> sum_u w_u K_1(u) P K_2(u)^T. R has no marginals, so to first order in the displacement it is orthogonal to all that moves these,
and squares add: W2^2 = W2^2(P_1) + W2^2(P_2) + |R|^2, with |R| its norm dual to the gradients weighted by the densities. They
are a product, so the norm is a sum over pairs of eigenfunctions on the line. Of d coordinates every pair adds its own.

Where R or the displacement is not small, the coordinates are first moved to the target's by the monotone maps S_1, S_2 from it to
P_1, P_2. For any coupling of X with the target's marginals and Y of the target, E (S(X) - Y)^2 - E (S(Y) - Y)^2 = E S'(Y) (X - Y)^2 up
to the third order, so |R|^2 is the square of the tangent distance (laws/plane.py) in the coordinate z with dz = S'^(1/2) dx.
"""

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.interpolate import make_interp_spline

from dlab import process
from dlab.laws import diffused, product
from dlab.laws.plane import tangent

SMALL = 0.005  # relative error of W2 up to which the norm will do
RINGS = 30.0  # times the lowest value of a density, where negative
SIDE, TAIL = 80, 1e-6  # points a side of the grid that the tangent distance is taken on, and the mass beyond each of its ends
KEPT = 1e-7  # singular values of R, beside the largest, that are carried on
RANK = 24  # at most
VOID = 1e-11  # share of its maximum below which a density counts as this much, so that its eigenfunctions stay finite


class Coordinate:
    """One coordinate on the grid x: its kernels, step by step. nodes: as `product.nodes` has them."""

    def __init__(self, scheme, density, error, x, nodes, grid, start):
        midpoints, normals, order = nodes
        self.density, self.x, self.grid, self.spacing = density, x, grid, x[1] - x[0]
        self.tables = diffused.tables(density, x, grid.T, order)
        self.mass = self.target(grid.T) if start == "exact" else np.exp(-(x**2) / (2 * process.start_variance(start, grid.T)))
        self.mass = self.mass / self.mass.sum()
        self.mover = product._Mover(scheme, error, self.tables, x, midpoints, normals)
        self.frequency = 2 * np.pi * np.fft.rfftfreq(2 * len(x)) / self.spacing
        self.calm = np.exp(-product.CALM * (self.frequency * self.spacing / np.pi) ** 12)
        self.share = self.mover.weights[0] / self.mover.weights[0].sum()  # of the noise given U

    def target(self, t):
        """p_t on the grid, of mass 1."""
        p = diffused.on_grid(self.density, self.tables.logw, self.x, t)
        return p / p.sum()

    def kernels(self):
        """For each step a function that takes columns (G, r) to (M, G, r), one for each node for U."""
        size = len(self.x)
        for done in range(0, self.grid.steps, self.mover.window):
            count = min(self.mover.window, self.grid.steps - done)
            place, left, _ = self.mover(self.grid.chunk(done, self.mover.window), count)
            base, weights = product._laid(place, size)
            damped = np.exp(-(self.frequency**2) * left[..., None] / 2) * self.calm
            for i in range(count):
                yield self._kernel(base[i], weights[:, i] * self.share[:, None], damped[i])

    def _kernel(self, base, weights, damped):
        nodes, _, size = base.shape
        rows = base + np.arange(product.STENCIL)[:, None, None, None]
        columns = np.broadcast_to(np.arange(size), rows.shape)
        lay = scipy.sparse.csr_matrix((weights.ravel(), (rows.ravel(), columns.ravel())), (nodes * size, size))

        def moved(columns):
            laid = (lay @ columns).reshape(nodes, size, -1)
            return np.fft.irfft(damped[..., None] * np.fft.rfft(laid, 2 * size, axis=1), 2 * size, axis=1)[:, :size]

        return moved


def carried(first: Coordinate, second: Coordinate):
    """After each step the masses of two coordinates, which may be one object, and the factors of R: (G,), (G,), (G, r), (G, r)."""
    a, b, w = first.mass, second.mass, first.mover.weights.sum(1)
    left, right = (np.zeros((len(line.x), 0)) for line in (first, second))
    steps = zip(first.kernels(), second.kernels()) if second is not first else ((k, k) for k in first.kernels())
    for one, other in steps:
        one, other = one(np.column_stack([a, left])), other(np.column_stack([b, right]))
        a, b = (np.einsum("m,mg->g", w, v[..., 0]) for v in (one, other))
        one[..., 0] -= a
        other[..., 0] -= b
        left, right = _compressed(one * w[:, None, None], other)
        yield a, b, left, right


def excess(first: Coordinate, second: Coordinate, at, apart) -> np.ndarray:
    """What is added to W2^2 of two coordinates after each of the steps `at`; apart (F,): the sum of their own."""
    found, apart = {0: 0.0}, dict(zip(at, apart))
    for n, (a, b, left, right) in enumerate(carried(first, second), 1):
        if n in apart:
            goals, laws = [line.target(first.grid.times[n]) for line in (first, second)], [mass / mass.sum() for mass in (a, b)]
            found[n], size = norm(left, right, [p + q for p, q in zip(laws, goals)], (first.spacing, second.spacing))
            narrow = min(np.sqrt(q @ line.x**2 - (q @ line.x) ** 2) for line, q in zip((first, second), goals))
            if (2 * size + np.sqrt(apart[n]) / narrow) * found[n] > SMALL * (apart[n] + found[n]):
                found[n] = _by_tangent(first, second, laws, goals, left, right)
    return np.array([found[n] for n in apart])


def _by_tangent(first, second, laws, goals, left, right) -> float:
    ratios, densities, spacings = [], [], []
    for line, p, q, columns in zip((first, second), laws, goals, (left, right)):
        smooth = make_interp_spline(line.x, np.column_stack([p, q, columns]))
        fine = np.linspace(line.x[0], line.x[-1], 8 * len(line.x))
        level = np.maximum.accumulate(make_interp_spline(line.x, np.column_stack([p, q])).antiderivative()(fine))
        below, goal = (level / level[-1]).T
        x = fine[(goal > TAIL) & (goal < 1 - TAIL)]
        y = np.interp(np.interp(x, fine, goal), below, fine)
        slope = np.maximum(np.gradient(y, x), 1e-6)
        z = np.append(0, np.cumsum(np.sqrt((slope[1:] + slope[:-1]) / 2) * np.diff(x)))
        there = np.linspace(0, z[-1], SIDE)
        x, y, slope = (np.interp(there, z, v) for v in (x, y, slope))
        values = smooth(y)
        # Where the law is thinner than what rings on its grid nothing is known of R.
        known = values[:, 0] > max(VOID * p.max(), -RINGS * p.min())
        ratios.append(np.where(known, values[:, 2:].T / np.where(known, values[:, 0], 1.0), 0.0))
        densities.append(np.maximum(smooth(x)[:, 1], 0) / np.sqrt(slope))
        spacings.append(there[1])
    goal = np.outer(*densities)
    goal /= goal.sum() * np.prod(spacings)
    return tangent(goal * np.maximum(1 + np.tensordot(*ratios, (0, 0)), 0), goal, spacings) ** 2


def _compressed(left, right):
    """Factors (G, r) of sum_mk left_mk right_mk^T, each (M, G, k), of the rank that counts."""
    (Q1, R1), (Q2, R2) = (np.linalg.qr(np.moveaxis(v, 0, 1).reshape(v.shape[1], -1)) for v in (left, right))
    U, size, V = np.linalg.svd(R1 @ R2.T)
    r = min(RANK, int(np.sum(size > KEPT * size[0])))
    return Q1 @ (U[:, :r] * size[:r]), Q2 @ V[:r].T


def norm(left, right, densities, spacings) -> tuple[float, float]:
    """W2^2 to first order of left right^T, masses on two grids, beside the product of the densities (G,) given up to a factor; the
    root mean square of its ratio to the product."""
    rates, parts = [], []
    for p, spacing, columns in zip(densities, spacings, (left, right)):
        p = np.maximum(p / p.sum(), VOID * p.max() / p.sum())
        face = np.sqrt(p[1:] * p[:-1]) / spacing**2
        root = np.sqrt(p)
        rate, modes = scipy.linalg.eigh_tridiagonal(
            (np.append(face, 0) + np.append(0, face)) / p, -face / (root[1:] * root[:-1])
        )
        rates.append(np.maximum(rate, 0))
        parts.append((modes / root[:, None]).T @ columns)
    # No mass moves along an axis: the mode of rate 0 has no part in R.
    square = (parts[0][1:] @ parts[1][1:].T) ** 2
    return float(np.sum(square / (rates[0][1:, None] + rates[1][1:]))), float(np.sqrt(square.sum()))
