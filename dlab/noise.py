"""The one stochastic integral I(A, u) = int_0^{uh} e^{A(uh-v)} dW_v, fresh or along a given path.

A Brownian path is carried as Legendre moments: per interval of length l,
m_k = int P_k(2v/l - 1) dW_v, k = 0 (the increment), 1, 2, independent N(0, l/(2k+1)). Moments of
neighbouring intervals merge exactly into those of their union. Given the moments, I(A, u) is a
short sum of them plus an independent residual with the covariance that is missing, so the joint law
of I(A, U) and I(A, 1) is exact at every h, with any number of moments, none included.
"""

import zlib
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import linop
from dlab.linop import Operator, phi1
from dlab.types import Points

MOMENTS = 3


@partial(jax.tree_util.register_dataclass, data_fields=["h", "normals", "u", "moments"], meta_fields=[])
@dataclass(frozen=True)
class StepNoise:
    """What one step of a scheme sees of the Brownian motion.

    h        step size
    normals  independent standard normals, (2, n, d), or (1, n, d) for a scheme without midpoint: they
             make the part that `moments` leave open
    u        the random midpoint U in [0, 1], (n, 1), one per particle; None for a scheme without
    moments  Legendre moments of the path over the step, (MOMENTS, n, d); None for fresh noise
    """

    h: jax.Array
    normals: jax.Array
    u: jax.Array | None = None
    moments: jax.Array | None = None

    def whole(self, A: Operator) -> Points:
        """I(A, 1), shape (n, d)."""
        if A is linop.ZERO and self.moments is not None:
            return self.moments[0]
        first = self.normals[0]
        known = self._known(A, lambda a: self._whole_coefficients(a))
        if self.u is None:
            return known + A.map(lambda a: jnp.sqrt(self._open_whole(a)), first)

        def shared(a):
            # The bound is Cauchy and Schwarz's: where U is next to 0 or 1, a rounding error is divided by nearly nothing.
            part, most = self._open_part(a), jnp.sqrt(self._open_whole(a))
            return jnp.clip(self._open_cross(a) / jnp.sqrt(jnp.maximum(part, jnp.finfo(part.dtype).tiny)), -most, most)

        def own(a):
            return jnp.sqrt(jnp.maximum(self._open_whole(a) - shared(a) ** 2, 0.0))

        return known + A.map(shared, first) + A.map(own, self.normals[1])

    def part(self, A: Operator) -> Points:
        """I(A, U), shape (n, d), jointly with `whole` of the same A as the process has it."""
        known = self._known(A, lambda a: self._part_coefficients(a))
        return known + A.map(lambda a: jnp.sqrt(self._open_part(a)), self.normals[0])

    def _known(self, A, coefficients):
        if self.moments is None:
            return jnp.zeros_like(self.normals[0])
        return sum(A.map(lambda a, k=k: coefficients(a)[k], m) for k, m in enumerate(self.moments))

    def _whole_coefficients(self, a):
        return [linop.legendre(k, a * self.h) for k in range(MOMENTS)]

    def _part_coefficients(self, a):
        inner = [linop.legendre(j, a * self.h * self.u) / (2 * j + 1) for j in range(MOMENTS)]
        rows = _restrict(self.u - 1, self.u)
        return [(2 * k + 1) * self.u * sum(b * c for b, c in zip(row, inner)) for k, row in enumerate(rows)]

    # Variances of what the moments leave open; the full variance where there are none.

    def _open_whole(self, a):
        full = phi1(2 * a * self.h)
        return jnp.maximum(self._open(full, self._whole_coefficients, self._whole_coefficients, a), 0.0)

    def _open_part(self, a):
        full = self.u * phi1(2 * a * self.u * self.h)
        return jnp.maximum(self._open(full, self._part_coefficients, self._part_coefficients, a), 0.0)

    def _open_cross(self, a):
        full = jnp.exp(a * (1 - self.u) * self.h) * self.u * phi1(2 * a * self.u * self.h)
        return self._open(full, self._part_coefficients, self._whole_coefficients, a)

    def _open(self, full, left, right, a):
        if self.moments is not None:
            pairs = zip(left(a), right(a))
            full = full - sum(b * c / (2 * k + 1) for k, (b, c) in enumerate(pairs))
        return self.h * full


def _restrict(centre, width):
    """P_k(centre + width y) in terms of P_j(y): the lower triangle of coefficients, k, j = 0..2."""
    return (
        (1.0,),
        (centre, width),
        ((3 * centre**2 - 1 + width**2) / 2, 3 * centre * width, width**2),
    )


def stream(key, *names: str):
    """The key of the stream that the names stand for: it depends on them alone, on no place in a registry or a study."""
    for name in names:
        key = jax.random.fold_in(key, zlib.crc32(name.encode()))
    return key


def generator(key) -> np.random.Generator:
    """NumPy's generator from a JAX key: several times as fast on a CPU as threefry, and a path is long."""
    return np.random.Generator(np.random.SFC64(np.asarray(jax.random.key_data(key)).ravel()))


def path(key, count: int, length: float, n: int, d: int) -> np.ndarray:
    """Legendre moments of `count` intervals of the given length, (count, MOMENTS, n, d), single precision."""
    normals = generator(key).standard_normal((count, MOMENTS, n, d), np.float32)
    normals *= np.sqrt(length / (2 * np.arange(MOMENTS, dtype=np.float32) + 1))[:, None, None]
    return normals


def merge(path: np.ndarray, m: int) -> np.ndarray:
    """Moments on intervals m times as long: (N, MOMENTS, n, d) -> (N/m, MOMENTS, n, d), exactly.

    Raises ValueError if m does not divide N.
    """
    count, _, n, d = path.shape
    if m < 1 or count % m:
        raise ValueError(f"{count} intervals cannot be merged in groups of {m}: {m} must divide {count}.")
    if m == 1:
        return path
    weights = np.zeros((MOMENTS, m, MOMENTS), path.dtype)
    for i in range(m):
        for k, row in enumerate(_restrict((2 * i + 1 - m) / m, 1 / m)):
            weights[k, i, : k + 1] = row
    grouped = path.reshape(count // m, m * MOMENTS, n * d)
    return np.matmul(weights.reshape(MOMENTS, -1), grouped).reshape(count // m, MOMENTS, n, d)
