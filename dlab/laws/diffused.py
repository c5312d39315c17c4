"""Density, score and Hessian of p_t on the line, on a uniform grid: by quadrature over X_0, in t by interpolation.

NumPy but for the density itself: what is compiled depends on the kind of target alone, not on grid or time.
"""

import math
import threading
from dataclasses import dataclass

import jax
import numpy as np

HERMITE = 24  # nodes that follow a point where the kernel is narrower than the grid's spacing
BLOCK = 1 << 13  # values of the density found in one call
KEPT = 16  # tables kept for other schemes and step sizes, 3 MB each at most


@jax.jit
def _log_density(density, points):
    return density(points)


@jax.jit
def _closed(density, t, x):
    return density.diffused(t, x)


def _values(density, points) -> np.ndarray:
    """log p_0 at points of any shape, by one compiled program."""
    flat = np.resize(points, -(-points.size // BLOCK) * BLOCK).reshape(-1, BLOCK)
    return np.concatenate([_log_density(density, piece) for piece in flat])[: points.size].reshape(points.shape)


def _local(density, logw, t, x) -> np.ndarray:
    """s, H and log p_t + constant on the grid x (G,), (3, G), t > 0: quadrature over X_0 on the same grid, logw = log p_0
    there, or on nodes that follow each point where the kernel is too narrow for it, as in targets/quadrature.py."""
    if hasattr(density, "diffused"):  # a jump or a kink, for which no grid is fine enough
        return np.roll(_closed(density, t, x), -1, 0)
    a, var = math.exp(-t / 2), -math.expm1(-t)
    if var < (1.3 * (x[1] - x[0]) * a) ** 2:
        z, w = np.polynomial.hermite_e.hermegauss(HERMITE)
        lift = np.broadcast_to(z * math.sqrt(var) / a, (len(x), HERMITE))
        log, spacing = np.log(w) + _values(density, x[:, None] / a + lift), math.sqrt(var) / a
    else:
        lift, spacing = x - x[:, None] / a, x[1] - x[0]
        log = logw - lift**2 * a**2 / (2 * var)
    top = log.max(1, keepdims=True)
    w = np.exp(log - top)
    mass = w.sum(1)
    mean = np.einsum("ij,ij->i", w, lift) / mass
    cov = np.einsum("ij,ij->i", w, (lift - mean[:, None]) ** 2) / mass
    return np.stack([a * mean / var, (a / var) ** 2 * cov - 1 / var, np.log(mass * spacing / math.sqrt(var)) + top[:, 0]])


def on_grid(density, logw, x, t) -> np.ndarray:
    """p_t on the grid x (G,), integrating to 1, (G,)."""
    log = _local(density, logw, max(t, 1e-14), x)[2]
    p = np.exp(log - log.max())
    return p / p.sum() / (x[1] - x[0])


@dataclass(frozen=True)
class Tables:
    """s and H on a grid: polynomials in t between each two of `edges` (P + 1,), by their values (P, order, 2, G) at
    Chebyshev nodes; logw (G,): log p_0."""

    edges: np.ndarray
    values: np.ndarray
    logw: np.ndarray

    def at(self, times) -> np.ndarray:
        """(2, F, G) at times (F,) in [0, edges[-1]]."""
        panel = np.clip(np.searchsorted(self.edges, times) - 1, 0, len(self.values) - 1)
        order, found = self.values.shape[1], np.empty((2, len(times), len(self.logw)))
        k = np.arange(order)
        from_values = np.cos(np.outer(k, np.pi * (k + 0.5) / order)) * np.where(k, 2, 1)[:, None] / order
        for i in np.unique(panel):
            rows, (low, high) = panel == i, self.edges[i : i + 2]
            tau = (2 * times[rows] - low - high) / (high - low)
            weights = np.polynomial.chebyshev.chebvander(tau, order - 1) @ from_values
            found[:, rows] = np.tensordot(weights, self.values[i], 1).swapaxes(0, 1)
        return found


_kept, _lock = {}, threading.Lock()


def tables(density, x, T, order) -> Tables:
    """The tables of a density (a pytree) on the grid x (G,) for all t <= T."""
    # Panels double in length from the grid's own resolution on: s is analytic in t down to about -1/L0.
    finest = math.floor(2 * math.log2(x[1] - x[0]))
    longest = max(math.ceil(math.log2(T)), finest + 1)
    leaves, tree = jax.tree.flatten(density)
    key = tree, *(np.asarray(v).tobytes() for v in leaves), x[0], x[-1], len(x), order, longest
    with _lock:
        if key in _kept:
            return _kept[key]
    edges = np.concatenate([[0.0], 2.0 ** np.arange(finest, longest + 1)])
    nodes = np.cos(np.pi * (np.arange(order) + 0.5) / order)
    times = (edges[:-1, None] + edges[1:, None] + nodes * np.diff(edges)[:, None]) / 2
    logw = _values(density, x)
    found = Tables(edges, np.array([[_local(density, logw, t, x)[:2] for t in row] for row in times]), logw)
    with _lock:
        while len(_kept) >= KEPT:
            del _kept[next(iter(_kept))]
        _kept[key] = found
    return found
