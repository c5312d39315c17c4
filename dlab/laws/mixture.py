"""The law of a scheme with a random midpoint U on a Gaussian target: a mixture over U, which all coordinates share.

Given U, a step is affine in each principal coordinate, x_i -> A_i(u) x_i + c_i(u) + N(0, B_i(u)), so that given all of them the
law is N(M, diag V) with M and V random through U alone. Its mean and covariance alone are no more than a bound.

For any two laws P and Q with deviations p_i and q_i along the axes, shrunk or stretched to deviations (p_i q_i)^(1/2) about 0,

    W2^2(P, Q) = |mean P - mean Q|^2 + sum_i (p_i - q_i)^2 + W2^2 of the two that are as wide as each other,

since sum_i E(p_i X_i - q_i Y_i)^2 = sum_i (p_i - q_i)^2 + p_i q_i E(X_i - Y_i)^2 for any coupling of standardised X and Y. What is
left, W2 of shapes, is found by one of

  expansion   the shape is a Gaussian plus Hermite polynomials whose coefficients are the moments of M and V; they close from step to
              step. With -div(q grad phi) = p - q and the polynomials as eigenfunctions, squares add. Any dimension, small shapes.
  radial      where all variances are one and nothing moves the mean: W2 of the radii, by quantiles. Any dimension, any shape.
  joint       in the plane, and wherever radii make it one: the density of the mixture on a grid, W2 by its tangent (laws/plane.py).
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import stats

from dlab.laws.plane import tangent

MIDPOINTS = 32
CROWDED = 6  # the nodes for U are 1 - w^CROWDED, see `midpoints`
DRAWS = 1 << 11  # midpoints drawn of each step, fewer where steps are many: ENTRIES of them in all
ENTRIES, FEWEST = 1 << 17, 256
MATRICES = 1 << 20  # entries of the matrices of steps that are worked on together
PIECE = 64  # draws whose densities are multiplied together
GROUPS = 64  # values of V that stand for all in `radial`
RADII = 200  # nodes of the integral over the radius
GRID, REACH = 48, 6.0  # points a side of the joint density, and its ends in standard deviations
SMALL = 0.005  # relative error up to which W2 of shapes is taken from the expansion
EQUAL = 1e-9  # relative difference of what is one


@lru_cache
def midpoints(randomised: bool = True):
    """Nodes and weights (q,) of the mean over U. They crowd at 1: in the last step a score on a variance v has a pole at
    U = 1 + v/h, which plain Gauss-Legendre nodes do not see where v is small beside h."""
    nodes, weights = np.polynomial.legendre.leggauss(MIDPOINTS if randomised else 1)
    w = (nodes + 1) / 2
    return (1 - w**CROWDED, weights / 2 * CROWDED * w ** (CROWDED - 1)) if randomised else (w, weights / 2)


@dataclass(frozen=True)
class Maps:
    """Steps of a scheme on the principal axes: A, c, B (N, k, q) by step, axis and node for U, those of `midpoints`."""

    A: np.ndarray
    c: np.ndarray
    B: np.ndarray


@dataclass(frozen=True)
class Moments:
    """Of M and V over U, by axis: mean (k,) = E M, expected (k,) = E V; vv, mv, mm (k, k) the covariances of V and V, M and V, M and
    M; var (k,) the marginal variances."""

    mean: np.ndarray
    expected: np.ndarray
    vv: np.ndarray
    mv: np.ndarray
    mm: np.ndarray

    @property
    def var(self) -> np.ndarray:
        return self.expected + self.mm.diagonal()

    @property
    def spread(self) -> float:
        """The largest share of V, in standard deviations squared, and of M that is random over U."""
        return float(max((self.vv.diagonal() / self.expected**2).max(), (self.mm.diagonal() / self.var).max()))


@dataclass(frozen=True)
class Distance:
    """W2 between the mixture and a Gaussian, the share by which it may be too large, and proven bounds: that of means and deviations,
    and the mean over U of that of the Gaussian given U."""

    value: float
    error: float
    lower: float
    upper: float


def distances(maps: Maps, mean, var, counts, at, targets, laws=None) -> list[Distance]:
    """W2 to N(mean, diag var) of `targets` after each of the steps `at`, from a Gaussian with mean and var (k,) along axes that stand
    for counts (k,) coordinates each; laws: their `moments`, where they are known."""
    laws, found, drawn = laws or moments(maps, mean, var, at), [], {}
    for n, (mean_there, var_there) in zip(at, targets):
        law = laws[int(n)]
        apart, shape = gaussian(law, mean_there, var_there, counts), expansion(law, var_there, counts)
        # First order in the shape, whose size in deviations is that for the target of the law's own inverse variances.
        error = shape / max(apart + shape, 1e-300) * (math.sqrt(expansion(law, 1 / law.var, counts)) + law.spread)
        if not math.isfinite(apart + shape):
            found.append(Distance(math.nan, math.inf, math.nan, math.nan))
            continue
        if error > SMALL and len(np.unique(np.round(var_there, 9))) <= 2:
            drawn = drawn or draws(maps, mean, var, at)
            M, V = drawn[int(n)]
            if len(parts := blocks(M, V, var_there, counts)) <= 2:
                # The draws' noise is that of their moments.
                shape *= of_blocks(parts) / expansion(of_draws(M, V), var_there, counts)
                error = 0.0
        found.append(Distance(math.sqrt(apart + shape), error, math.sqrt(apart), math.sqrt(most(law, mean_there, var_there, counts))))
    return found


def moments(maps: Maps, mean, var, at) -> dict[int, Moments]:
    """After each of the steps `at`, 0 the start: a Gaussian with mean and var (k,)."""
    k, (_, w), wanted = len(mean), midpoints(), set(map(int, at))
    now, seconds = np.array([mean, var], float), np.zeros((3, k, k))
    found, many = {0: Moments(*now, *seconds)}, max(1, MATRICES // k**2)
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, len(maps.A), many):
            A, c, B = (v[first : first + many] for v in (maps.A, maps.c, maps.B))
            a = A**2
            path = _path(np.stack([A @ w, a @ w], 1), np.stack([c @ w, B @ w], 1), now)
            # What is random beside the state: V+ = a V + B, M+ = A M + c, a and A with u.
            means, expected = np.moveaxis(path, 1, 0)[..., None]
            dv, dm = a * expected[:-1] + B - expected[1:], A * means[:-1] + c - means[1:]
            kept, added = (_pairs(*both, w) for both in ((a, A), (dv, dm)))
            done = 0
            for n in sorted(n - first for n in {*wanted, first + len(A)} if first < n <= first + len(A)):
                seconds, done = carried(kept[done:n], added[done:n], seconds), n
                found[first + n] = Moments(*path[n], *seconds)
            now = path[-1]
    return found


def carried(factor, more, now) -> np.ndarray:
    """now (...) after all of the steps x -> factor x + more, (N, ...) each."""
    later = np.cumprod(factor[::-1], 0)[::-1]  # of a step and those that follow
    return later[0] * now + (later[1:] * more[:-1]).sum(0) + more[-1]


def _path(factor, more, now) -> np.ndarray:
    """now (2, k) and what it is after each of the steps x -> factor x + more, (N, 2, k) each: (N + 1, 2, k)."""
    path = [now]
    for one, other in zip(factor, more):
        path.append(one * path[-1] + other)
    return np.array(path)


def _pairs(v, m, w) -> np.ndarray:
    """Means over U of products of v and v, m and v, m and m between all axes, (N, 3, k, k), each (N, k, q)."""
    return np.stack([(x * w) @ np.swapaxes(y, 1, 2) for x, y in ((v, v), (m, v), (m, m))], 1)


def draws(maps: Maps, mean, var, at) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """M and V (k, K) after each of the steps `at`: K midpoints in each step, one in each K-th of [0, 1], in random order (Latin
    hypercube: what each U does on its own has no noise)."""
    steps, _, q = maps.A.shape
    K = int(np.clip(ENTRIES // steps, FEWEST, DRAWS))
    between = _between(K, q)
    rng, M, V = np.random.default_rng(0), np.repeat(np.array(mean, float)[:, None], K, 1), np.repeat(np.array(var, float)[:, None], K, 1)
    wanted, seen = set(map(int, at)), {0: (M, V)}
    for n in range(steps):
        order = rng.permutation(K)
        A, c, B = (np.take(v[n] @ between, order, 1) for v in (maps.A, maps.c, maps.B))
        M, V = A * M + c, A**2 * V + np.maximum(B, 0)
        if n + 1 in wanted:
            seen[n + 1] = M, V
    return seen


@lru_cache(maxsize=8)
def _between(K, q) -> np.ndarray:
    """(q, K): values at the nodes for U to values at U = 1/2K, 3/2K, ..., by the polynomial through them."""
    u, place = (np.arange(K) + 0.5) / K, np.polynomial.legendre.leggauss(q)[0]
    values, there = (np.polynomial.legendre.legvander(x, q - 1) for x in (2 * (1 - u) ** (1 / CROWDED) - 1, place))
    return np.linalg.solve(there.T, values.T)


def of_draws(M, V) -> Moments:
    """The moments of a sample of M and V, (k, K)."""
    dm, dv = M - M.mean(1, keepdims=True), V - V.mean(1, keepdims=True)
    vv, mv, mm = (x @ y.T / M.shape[1] for x, y in ((dv, dv), (dm, dv), (dm, dm)))
    return Moments(M.mean(1), V.mean(1), vv, mv, mm)


def density(M, V, lines) -> np.ndarray:
    """The mixture's density in the plane on the grid of `lines`, two (G,), where M and V are (2, K)."""
    kernels = [np.exp(-((x[:, None] - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v) for x, m, v in zip(lines, M, V)]
    return kernels[0] @ kernels[1].T / M.shape[1]


def gaussian(law: Moments, mean, var, counts) -> float:
    """W2^2 of the means and deviations along the axes to those of N(mean, diag var), of which each stands for counts (k,)."""
    # A difference of roots, in which no digits cancel.
    return float(counts @ ((law.mean - mean) ** 2 + ((law.var - var) / (np.sqrt(law.var) + np.sqrt(var))) ** 2))


def expansion(law: Moments, var, counts) -> float:
    """W2^2 of the shapes to first order; counts as above: coordinates that one axis stands for share M and V."""
    own, n = np.sqrt(law.var), np.asarray(counts, float)
    v = own * np.sqrt(var)
    # Coefficients of the law's Hermite polynomials of order one to two in each of two coordinates, in its own deviations.
    mm, mv, vv = law.mm / np.outer(own, own), law.mv / np.outer(own, own**2), law.vv / np.outer(own**2, own**2)
    pair = 1 / (1 / v[:, None] + 1 / v)
    third = mv**2 / 2 / (1 / v[:, None] + 2 / v)
    # Between two coordinates; twice in the double sum but for the third order, which knows which is which.
    between = mm**2 * pair / 2 + third + vv**2 * pair / 16
    alone = mv.diagonal() ** 2 * v / 2 + 3 * vv.diagonal() ** 2 * v / 32
    return float(n @ between @ n - n @ between.diagonal() + n @ alone)


def most(law: Moments, mean, var, counts) -> float:
    """W2^2 at most: the mean over U of that of the Gaussian given U, with E V^(1/2) from below by (1 + x)^(1/2) >= 1 + x/2 - x^2/2."""
    root = np.sqrt(law.expected) * np.maximum(1 - law.vv.diagonal() / (2 * law.expected**2), 0)
    return max(0.0, float(counts @ ((law.mean - mean) ** 2 + law.var + var - 2 * np.sqrt(var) * root)))  # below 0 by rounding alone


def radial(V, dim: int) -> float:
    """W2^2 of the shapes of the mixture of N(0, V I) with V (K,) and N(0, I) in dim dimensions, where V has mean 1: that of the radii."""
    chi, s = stats.chi2(dim), np.sort(V / V.mean())
    s = np.array([part.mean() for part in np.array_split(s, min(GROUPS, len(s)))])
    x, gauss = np.polynomial.legendre.leggauss(RADII)
    low, high = np.sqrt(chi.ppf(1e-13) * s[0]), np.sqrt(chi.isf(1e-13) * s[-1])
    r = (high - low) * (x + 1) / 2 + low
    square = r[:, None] ** 2 / s
    density = (2 * r[:, None] / s * chi.pdf(square)).mean(1)
    below, above = chi.cdf(square).mean(1), chi.sf(square).mean(1)
    y = np.sqrt(np.where(below < above, chi.ppf(below), chi.isf(above)))
    return float(gauss @ ((y - r) ** 2 * density) * (high - low) / 2)


@dataclass(frozen=True)
class Block:
    """Coordinates of one V: one along which M may move, or the radius of `count` of which no M moves."""

    M: np.ndarray
    V: np.ndarray
    var: float
    count: int


def blocks(M, V, var, counts) -> list[Block]:
    """The fewest: coordinates of one V turned so that M moves along few of them."""
    groups, found, still = [], [], np.zeros(M.shape[1])
    for i in range(len(var)):
        own = next((g for g in groups if np.allclose([*V[i], var[i]], [*V[g[0]], var[g[0]]], EQUAL, 0)), None)
        own.append(i) if own else groups.append([i])
    for g in groups:
        centred = np.sqrt(np.asarray(counts, float)[g, None]) * (M[g] - M[g].mean(1, keepdims=True))
        _, size, along = np.linalg.svd(centred, full_matrices=False)
        live = size > EQUAL * np.sqrt(V[g[0]].sum())
        found += [Block(s * row, V[g[0]], var[g[0]], 1) for s, row in zip(size[live], along[live])]
        rest = round(float(np.sum(np.asarray(counts)[g]))) - int(live.sum())
        found += [Block(still, V[g[0]], var[g[0]], rest)] * (rest > 0)
    return found


def of_blocks(parts: list[Block]) -> float:
    """W2^2 of the shapes of the mixture and the Gaussian, where the law is that of one or two blocks."""
    if len(parts) == 2:
        return joint(*parts)
    (one,) = parts
    if one.M.any():
        return joint(one, replace(one, M=0 * one.M, V=np.full_like(one.V, one.var)))
    return radial(one.V, one.count) * math.sqrt(one.V.mean() * one.var)


def joint(*parts: Block) -> float:
    """W2^2 of the shapes by the density of two blocks."""
    kernels, shapes, spacing = [], [], []
    for b in parts:
        own = math.sqrt(b.V.mean() + b.M.var())
        s, m = np.sqrt(b.V) / own, (b.M - b.M.mean()) / own
        if b.count == 1:
            x = np.linspace(-REACH, REACH, GRID)
            # In single precision: what it rounds is nothing beside the grid's error.
            u, s, m = (v.astype(np.float32) for v in (x[:, None], s, m))
            kernel, shape = np.exp(-(((u - m) / s) ** 2) / 2) / s, np.exp(-(x**2) / 2)
        else:
            chi = stats.chi(b.count)
            low, high = (f(1, e) * chi.ppf(p) for f, e, p in ((min, s.min(), 1e-9), (max, s.max(), 1 - 1e-9)))
            x = low + (high - low) * (np.arange(GRID) + 0.5) / GRID
            kernel, shape = chi.pdf(x[:, None] / s) / s, chi.pdf(x)
        kernels.append(kernel)
        shapes.append(shape / shape.sum())
        spacing.append((x[1] - x[0]) * math.sqrt(own * math.sqrt(b.var)))
    # In pieces that BLAS takes on one thread: another one would spin while it waits for them.
    pieces = ([k[:, i : i + PIECE] for i in range(0, k.shape[1], PIECE)] for k in kernels)
    P, cell = sum(one @ other.T for one, other in zip(*pieces)), math.prod(spacing)
    return tangent(P / P.sum() / cell, np.outer(*shapes) / cell, spacing) ** 2
