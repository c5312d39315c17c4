"""An operator known by its products alone: f(A) v by Lanczos to a stated tolerance, with no matrix anywhere.

After j products an orthonormal basis Q of span(v, A v, .., A^j v) is at hand, in which A is a tridiagonal T of size j + 1.
Its last entry would cost one more product and is taken from the one before (Saad's corrected scheme, SIAM J. Numer.
Anal. 29, 1992). Then f(A) v ~ |v| Q f(T) e_1, and the entry that the last vector brings in says how far off that is.
f(T) e_1 is a Chebyshev series on Gershgorin's interval: LAPACK inside compiled code deadlocks (see `eigenvalues2`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab.types import Points

TOLERANCE = 1e-4
MOST = 10  # products of one map, enough up to h lambda = 5, e^5 in a step; its basis is what the memory goes into
DEGREE = 32  # of the Chebyshev series: with a branch point at i pi/h, sqrt(phi1(2hA)) is right to 1e-7 of its largest value up to h |A| = 6
BISECTIONS = 30
INVARIANT = 1e-7  # couplings below this share of the entries of T: the products so far know all that v meets


@dataclass(frozen=True)
class Spent:
    """What one use of an operator cost: products (), a number; top (n,), the largest eigenvalue seen for each particle; missed (),
    the largest estimated error as a share of what it is compared with."""

    products: jax.Array
    top: jax.Array | None = None
    missed: jax.Array | float = 0.0


@dataclass(frozen=True)
class Residual:
    """base - A v, (n, d) each, its product not made: a drift rate M = x/4 - L gamma, to which SO adds L gamma."""

    base: jax.Array
    v: jax.Array

    def __add__(self, other):
        return replace(self, base=self.base + other)


@dataclass(frozen=True)
class Products:
    """A symmetric operator a particle, product (n, d) -> (n, d).

    tolerance   of a map, relative to `size`       most   products of one map at most
    size        what its error is compared with, a scalar or (n,); None: the norm of its own result
    spent       grows by one record with every use while code is traced: read it in the same trace
    begun       what `begin` has found of the vector that is mapped, or of a multiple of it
    """

    product: Callable[[Points], Points]
    tolerance: float = TOLERANCE
    size: jax.Array | None = None
    most: int = MOST
    spent: list = field(default_factory=list, compare=False)
    begun: "Begun | None" = None

    def apply(self, v):
        self.spent.append(Spent(jnp.asarray(1)))
        return self.product(v)

    def difference(self, v, residual: "Residual"):
        """A v + `residual`, (n, d): no product where the two vectors are one."""
        left = v - residual.v
        apart = jnp.any(left != 0)
        self.spent.append(Spent(apart.astype(int)))
        return residual.base + jax.lax.cond(apart, lambda: self.product(left), lambda: jnp.zeros_like(left))

    def plus(self, level, v):
        """This and level v v^T, v (d,)."""
        return replace(self, product=lambda u: self.product(u) + level * (u @ v)[:, None] * v)

    def map(self, f, v):
        """f(A) v for each particle, v (n, d), within the tolerance for all of them or after `most` products."""
        length = jnp.linalg.norm(v, axis=1)

        def told(used, diagonal, beside):
            """f(T) e_1 and its estimated error after so many products."""
            inside = _function(f, diagonal, beside)
            size = length * jnp.linalg.norm(inside, axis=1) if self.size is None else self.size
            error = length * jnp.abs(jnp.take_along_axis(inside, jnp.full((len(v), 1), used), 1)[:, 0])
            return inside, error / jnp.maximum(size, jnp.finfo(v.dtype).tiny)

        def unfinished(state):
            used, *_, error = state
            return (used < self.most) & jnp.any(error > self.tolerance)

        def body(state):
            used, basis, diagonal, beside, _, _ = state
            basis, diagonal, beside = _extended(self.product, used, basis, diagonal, beside)
            return used + 1, basis, diagonal, beside, *told(used + 1, diagonal, beside)

        start, paid = _begun(v, length, self.most), 0
        unknown = jnp.zeros_like(start[1]), jnp.full(len(v), jnp.inf, v.dtype)
        if self.begun is not None:
            same, paid = self.begun.same, jnp.where(self.begun.same, self.begun.products, 0)
            (kept, *knew), (fresh, *nothing) = self.begun.state, start
            # Its first row alone is written: the others count for nothing until they are, and a second basis is as much memory again.
            start = kept.at[0].set(jnp.where(same, kept[0], fresh[0])), *jax.tree.map(partial(jnp.where, same), knew, nothing)
            unknown = jax.lax.cond(same, lambda: told(paid, *start[1:]), lambda: unknown)
        used, basis, diagonal, beside, inside, error = jax.lax.while_loop(unfinished, body, (paid, *start, *unknown))
        self.spent.append(Spent(used - paid, _largest(diagonal, beside, used), jnp.max(error)))
        return length[:, None] * jnp.sum(inside.T[:, :, None] * basis, 0)

    def begin(self, v, products: int = 4) -> "tuple[jax.Array, Begun]":
        """The largest eigenvalue that so many products with v (n, d) show, (n,), never above the true one, and what a map of v
        begins with then."""
        start = _begun(v, jnp.linalg.norm(v, axis=1), self.most)
        state = jax.lax.fori_loop(0, products, lambda j, state: _extended(self.product, j, *state), start)
        top = _largest(*state[1:], products)
        self.spent.append(Spent(jnp.asarray(products), top))
        return top, Begun(state, products, True)


@dataclass(frozen=True)
class Begun:
    """The first products of a map: state as of `_begun`; same: whether they are of the vector that is mapped, after all."""

    state: tuple
    products: int
    same: jax.Array | bool


def _begun(v, length, most):
    """Basis (most + 1, n, d), diagonal and off-diagonal (n, most + 1) of T; beside[:, j] couples j - 1 and j."""
    basis = jnp.zeros((most + 1, *v.shape), v.dtype).at[0].set(v / jnp.where(length > 0, length, 1.0)[:, None])
    empty = jnp.zeros((len(v), most + 1), v.dtype)
    return basis, empty, empty


def _extended(product, j, basis, diagonal, beside):
    """The same with one product more."""
    q = basis[j]
    w = product(q)
    # Where the basis has ended, the guess stays: nothing must look like an eigenvalue 0.
    a = jnp.where(jnp.sum(q**2, 1) > 0, jnp.sum(w * q, 1), diagonal[:, j])
    # Twice, and against all of the basis: particles that are done go on with the others, where rounding is all that is left.
    w = jax.lax.fori_loop(0, 2 * (j + 1), lambda i, w: _without(w, basis[i % (j + 1)]), w)
    b = jnp.linalg.norm(w, axis=1)
    alive = b > INVARIANT * (jnp.max(jnp.abs(diagonal), 1) + jnp.abs(a) + jnp.max(beside, 1))
    basis = basis.at[j + 1].set(jnp.where(alive, 1 / jnp.where(alive, b, 1.0), 0.0)[:, None] * w)
    # The guess fills the rest of the diagonal: it is coupled to nothing and leaves Gershgorin's interval as it is.
    diagonal = jnp.where(jnp.arange(diagonal.shape[1]) >= j, a[:, None], diagonal)
    return basis, diagonal, beside.at[:, j + 1].set(jnp.where(alive, b, 0.0))


def _without(w, q):
    return w - jnp.sum(w * q, 1, keepdims=True) * q


def _function(f, diagonal, beside):
    """f(T) e_1 of tridiagonal T, each (n, m) -> (n, m)."""
    after = jnp.pad(beside[:, 1:], ((0, 0), (0, 1)))
    reach = beside + after
    low, high = jnp.min(diagonal - reach, 1, keepdims=True), jnp.max(diagonal + reach, 1, keepdims=True)
    centre, half = (low + high) / 2, jnp.maximum((high - low) / 2, 1e-6 * (1 + jnp.abs(low)))
    angles = np.pi * (np.arange(DEGREE) + 0.5) / DEGREE
    values = f(centre + half * np.cos(angles))
    cosines = np.cos(np.outer(np.arange(DEGREE), angles)) * (2 / DEGREE)
    cosines[0] /= 2
    weights = values @ jnp.asarray(cosines.T, diagonal.dtype)

    def turned(u):
        left = jnp.pad(u[:, :-1], ((0, 0), (1, 0))) * beside
        right = jnp.pad(u[:, 1:], ((0, 0), (0, 1))) * after
        return ((diagonal - centre) * u + left + right) / half

    def body(k, state):
        before, now, total = state
        before, now = now, 2 * turned(now) - before
        return before, now, total + weights[:, k][:, None] * now

    first = jnp.zeros_like(diagonal).at[:, 0].set(1.0)
    second = turned(first)
    total = weights[:, :1] * first + weights[:, 1:2] * second
    return jax.lax.fori_loop(2, DEGREE, body, (first, second, total))[2]


def _largest(diagonal, beside, products):
    """The largest eigenvalue of the part of T that so many products are known of, (n,), by bisection on the signs of pivots."""
    beside = beside.at[:, products].set(0.0)
    after = jnp.pad(beside[:, 1:], ((0, 0), (0, 1)))
    low, high = jnp.max(diagonal, 1), jnp.max(diagonal + beside + after, 1)

    def body(_, ends):
        low, high = ends
        middle, above, pivot = (low + high) / 2, False, jnp.ones_like(low)
        for i in range(diagonal.shape[1]):
            pivot = diagonal[:, i] - middle - beside[:, i] ** 2 / jnp.where(pivot == 0, 1e-30, pivot)
            above = above | (pivot > 0)
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    low, high = jax.lax.fori_loop(0, BISECTIONS, body, (low, high))
    return (low + high) / 2
