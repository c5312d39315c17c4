"""Functions f(A) of a symmetric operator A, and the scalar functions the schemes need.

An operator offers one thing, `map(f, v)` = f(A) v for a function f of its eigenvalues, so a scheme
is written once for numbers, dense matrices and, later, operators known by products alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from typing import Protocol

import jax
import jax.numpy as jnp

from dlab.pytree import pytree
from dlab.types import Matrices, Points


class Operator(Protocol):
    def map(self, f: Callable, v: Points) -> Points:
        """f(A) v, f acting on eigenvalues of a shape that broadcasts against v, (n, d)."""


@dataclass(frozen=True)
class Scalar:
    """The operator value * I."""

    value: float

    def map(self, f, v):
        return f(jnp.asarray(self.value, v.dtype)) * v

    def apply(self, v):
        return self.value * v


ZERO = Scalar(0.0)
HALF = Scalar(0.5)


@pytree(["values"])
@dataclass(frozen=True)
class Diagonal:
    """A diagonal matrix per particle, its entries of a shape that broadcasts against (n, d)."""

    values: jax.Array

    def plus(self, level, v):
        """This and level v v^T, v (d,) along an axis."""
        return Diagonal(self.values + level * v**2)

    def apply(self, v):
        return self.values * v

    def map(self, f, v):
        return f(self.values) * v


@pytree(["matrix"])
@dataclass(frozen=True)
class Dense:
    """A symmetric matrix per particle, shape (n, d, d), or one for all of them, (d, d)."""

    matrix: Matrices

    def plus(self, level, v):
        """This and level v v^T, v (d,)."""
        return Dense(self.matrix + level * jnp.outer(v, v))

    def apply(self, v):
        return jnp.einsum("...ij,...j->...i", self.matrix, v)

    def map(self, f, v):
        if self.matrix.shape[-1] == 1:
            return f(self.matrix[..., 0]) * v
        if self.matrix.shape[-1] == 2:
            return self._map2(f, v)
        values, vectors = jnp.linalg.eigh(self.matrix)
        inside = jnp.einsum("...ji,...j->...i", vectors, v)
        return jnp.einsum("...ij,...j->...i", vectors, f(values) * inside)

    def _map2(self, f, v):
        # A = mean I + radius N with N^2 = I, so f(A) needs f at two points and no eigenvectors:
        # a batched eigh of 2x2 matrices costs fifty times this on a CPU.
        a, b, c = self.matrix[..., 0, 0], self.matrix[..., 0, 1], self.matrix[..., 1, 1]
        mean, half = (a + c) / 2, (a - c) / 2
        radius = jnp.hypot(half, b)
        safe = jnp.where(radius > 0, radius, 1.0)
        cos, sin = half / safe, b / safe
        high, low = f((mean + radius)[..., None]), f((mean - radius)[..., None])
        x, y = v[..., 0], v[..., 1]
        reflected = jnp.stack([cos * x + sin * y, sin * x - cos * y], axis=-1)
        return (high + low) / 2 * v + (high - low) / 2 * reflected


def eigenvalues2(matrix):
    """Smallest and largest eigenvalue of symmetric 2x2 matrices, (..., 2, 2) -> two arrays (...).

    In closed form: LAPACK calls inside compiled code deadlock XLA's CPU threads when two sessions make
    them at once on a machine of two cores (seen with jax 0.10.2).
    """
    a, b, c = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    mean, radius = (a + c) / 2, jnp.hypot((a - c) / 2, b)
    return mean - radius, mean + radius


def phi1(z):
    """(e^z - 1)/z, continued by 1 at 0."""
    safe = jnp.where(z == 0, 1.0, z)
    return jnp.where(z == 0, 1.0, jnp.expm1(safe) / safe)


def phi2(z):
    """(e^z - 1 - z)/z^2, continued by 1/2 at 0."""
    small = jnp.abs(z) < 0.1
    safe = jnp.where(small, 1.0, z)
    series = _horner([1 / factorial(j + 2) for j in range(9)], jnp.where(small, z, 0.0))
    return jnp.where(small, series, (jnp.expm1(safe) - safe) / safe**2)


def legendre(k: int, z):
    """(2k+1) int_0^1 e^{z(1-s)} P_k(2s-1) ds for k = 0, 1, 2.

    The coefficient of the k-th Legendre moment in the projection of int e^{A(h-v)} dW_v, z = A h.
    Equals (2k+1)(-1)^k e^{z/2} i_k(z/2), i_k the modified spherical Bessel function; the series
    serves |z| < 1.5, where the closed form cancels.
    """
    if k == 0:
        return phi1(z)
    small = jnp.abs(z) < 1.5
    safe = jnp.where(small, 2.0, z)
    terms = [factorial(j) / (factorial(j - k) * factorial(j + k + 1)) for j in range(k, k + 18)]
    inner = jnp.where(small, z, 0.0)
    series = (2 * k + 1) * (-1) ** k * inner**k * _horner(terms, inner)
    grown = jnp.exp(safe)
    plus, minus = (grown + 1) / safe, (grown - 1) / safe
    closed = {1: -3 * (plus - 2 * minus / safe), 2: 5 * (minus - 6 * plus / safe + 12 * minus / safe**2)}
    return jnp.where(small, series, closed[k])


def _horner(coefficients, z):
    total = jnp.full_like(z, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = total * z + c
    return total
