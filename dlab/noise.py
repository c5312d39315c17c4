"""What a step sees of its Brownian path: any linear functionals of it with their exact joint law, fresh or along a given path.

A functional is int w dW with the weight w of an exponential integral I(A, u) = int_0^{uh} e^{A(uh-v)} dW_v (A = 0: the value
W(uh), and at u = 1 the increment) or of the time integral int_0^{uh} W_v dv. A Brownian path is carried as Legendre moments: per
interval of length l, m_k = int P_k(2v/l - 1) dW_v, k = 0 (the increment), 1, 2, independent N(0, l/(2k+1)). Moments of
neighbouring intervals merge exactly into those of their union. Given the moments, a functional is a short sum of them plus a
residual; residuals have the covariance that is missing, so the joint law is exact at every h, with any number of moments, none
included.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from dlab import linop
from dlab.linop import Operator, phi1, phi2
from dlab.types import Points

MOMENTS = 3
NODES = 24  # of the quadrature of a `Bridge` along a path


@dataclass(frozen=True)
class Integral:
    """I(A, u) = int_0^{uh} e^{A(uh-v)} dW_v: the increment by default, the value W(uh) for A = 0, (n, d).

    u in [0, 1] is a number, or an array that broadcasts against (n, 1). Raises ValueError for a number outside.
    """

    A: Operator = linop.ZERO
    u: "jax.Array | float" = 1.0

    def __post_init__(self):
        if isinstance(self.u, (int, float)) and not 0 <= self.u <= 1:
            raise ValueError(f"u = {self.u:g} lies outside of the step; give a number from 0 to 1.")

    @property
    def whole(self) -> bool:
        """It reaches to the end of the step."""
        return isinstance(self.u, (int, float)) and self.u == 1

    @property
    def told(self) -> bool:
        """The moments of a path determine it."""
        return self.whole and self.A is linop.ZERO


@dataclass(frozen=True)
class TimeIntegral(Integral):
    """int_0^{uh} W_v dv, which is int_0^{uh} (uh - v) dW_v, (n, d)."""

    def __post_init__(self):
        super().__post_init__()
        if self.A is not linop.ZERO:
            raise ValueError("The time integral is that of the Brownian path itself; leave A out.")


@dataclass(frozen=True)
class Bridge(Integral):
    """The noise of a step whose denoised x0 is frozen, in the part u of the step that starts at time t, (n, d).

    With tau = e^t - 1 and v >= 0, which may be infinite: e^{-t_end/2} int (v + tau_end)/(v + tau) dB_tau, B the Brownian motion
    of Z_tau = X_0 + B_tau. v = 0 is the posterior's noise, infinity that of the reverse SDE, I(1/2, u). Raises ValueError with A.
    """

    t: "jax.Array | float" = 1.0
    v: "jax.Array | float" = 0.0

    def __post_init__(self):
        super().__post_init__()
        if self.A is not linop.ZERO:
            raise ValueError("The noise of a frozen denoiser has no operator; leave A out.")

    @property
    def told(self) -> bool:
        return False

    def end(self, h):
        return self.t - self.u * h

    def share(self, t, end):
        """(v + tau_end)/(v + tau)."""
        v = jnp.where(jnp.isinf(self.v), 0.0, self.v)
        below = v + jnp.expm1(t)
        return jnp.where(jnp.isinf(self.v), 1.0, (v + jnp.expm1(end)) / jnp.where(below > 0, below, 1.0))

    def variance(self, h):
        return jnp.expm1(self.u * h) * self.share(self.t, self.end(h))

    def weights(self, h):
        """(2k + 1) int_0^u w(y) P_k(2y - 1) dy with its weight w at the share y of the step, k = 0..2, by quadrature in log(a + tau):
        w falls like 1 / (v + tau)."""
        end, (nodes, w) = self.end(h), np.polynomial.legendre.leggauss(NODES)
        a = jnp.minimum(self.v, 1.0) + 1e-12
        ends = jnp.log(a + jnp.expm1(end)), jnp.log(a + jnp.expm1(self.t))
        # One operation for all nodes: a loop over them takes XLA seconds to compile.
        low, high, start, end, v, a, h = (jnp.asarray(q)[..., None] for q in (*ends, self.t, end, self.v, a, h))
        risen = jnp.exp((low + high) / 2 + nodes * (high - low) / 2)
        t = jnp.log1p(jnp.maximum(risen - a, 0.0))
        inside = w * (high - low) / 2 * risen * jnp.exp(-t) / h * jnp.exp((t - end) / 2) * Bridge(t=start, v=v).share(t, end)
        y = 2 * (start - t) / h - 1
        return [(2 * k + 1) * jnp.sum(inside * p, -1) for k, p in enumerate((1.0, y, (3 * y**2 - 1) / 2))]


@dataclass(frozen=True)
class StepNoise:
    """What one step of a scheme sees of the Brownian motion.

    h        step size
    normals  independent standard normals, (n, d) each, as many as `needed` says: they make the part that `moments` leave open
    u        the random midpoint U in [0, 1], (n, 1), one per particle; None for a scheme without
    moments  Legendre moments of the path over the step, (MOMENTS, n, d); None for fresh noise
    clock    see `Grid.clock`
    forward  normals go to the functionals in the order of time, what comes before the end of the step first; else the other way
             round, so that all schemes with one first normal share their increment
    """

    h: "jax.Array | float"
    normals: "jax.Array | Sequence[Points]" = ()
    u: "jax.Array | None" = None
    moments: "jax.Array | None" = None
    forward: bool = False
    clock: "jax.Array | float" = 1.0
    _drawn: list = field(default_factory=list, init=False, repr=False, compare=False)

    def draw(self, *functionals: Integral):
        """The functionals with their joint law, (n, d) each: of one its array, of several a tuple.

        One call a step: a second one would be drawn from the same normals. Raises ValueError then, for operators that do not
        commute, and where there are too few normals.
        """
        if self._drawn:
            raise ValueError("The noise of this step has been drawn; ask for all that the step needs of it in one call of draw.")
        self._drawn.append(functionals)
        A, open_ = _operator(functionals), in_order(functionals, self.moments is not None, self.forward)
        if len(self.normals) < len(open_):
            raise ValueError(f"The step needs {len(open_)} normals for its noise and has {len(self.normals)}.")
        drawn = [self._of(A, functional, open_) for functional in functionals]
        return drawn[0] if len(drawn) == 1 else tuple(drawn)

    def _of(self, A, functional, open_):
        if self.moments is not None and functional.told and not isinstance(functional, TimeIntegral):
            return self.moments[0]
        parts = []
        if self.moments is not None:
            parts = [A.map(lambda a, k=k: self._weights(functional, A, a)[k], m) for k, m in enumerate(self.moments)]
        at = next((i for i, other in enumerate(open_) if other is functional), -1)
        parts += [A.map(lambda a, j=j: self._root(open_[: at + 1], A, a)[at][j], self.normals[j]) for j in range(at + 1)]
        return sum(parts[1:], parts[0])

    def _root(self, functionals, A, a):
        """Rows of the Cholesky factor of the covariance that the moments leave open, at the eigenvalue a of A."""
        rows = []
        for one in functionals:
            row, left = [], jnp.maximum(self._covariance(one, one, A, a), 0.0)
            for j, before in enumerate(rows):
                shared = self._covariance(one, functionals[j], A, a) - sum(x * y for x, y in zip(row, before))
                # The bound is Cauchy and Schwarz's: where U is next to 0 or 1, a rounding error is divided by nearly nothing.
                most = jnp.sqrt(left)
                row.append(jnp.clip(shared / jnp.maximum(before[j], jnp.finfo(most.dtype).tiny), -most, most))
                left = jnp.maximum(left - row[j] ** 2, 0.0)
            rows.append([*row, jnp.sqrt(left)])
        return rows

    def _covariance(self, one, other, A, a):
        """What the moments leave open of E[one other], all of it where there are none."""
        left, right = (_eigenvalue(f, A, a) for f in (one, other))
        total = _gram(one, left, other, right, self.h)
        if self.moments is not None:
            pairs = zip(self._weights(one, A, a), self._weights(other, A, a))
            total = total - self.h * sum(b * c / (2 * k + 1) for k, (b, c) in enumerate(pairs))
        return total

    def _weights(self, functional, A, a):
        """Of the moments, in the projection of a functional on them."""
        if isinstance(functional, Bridge):
            return functional.weights(self.h)
        a, z = _eigenvalue(functional, A, a), self.h * functional.u
        if isinstance(functional, TimeIntegral):
            inner = [z / 2, -z / 2, 0.0]
        else:
            inner = [linop.legendre(j, a * z) for j in range(MOMENTS)]
        if functional.whole:
            return inner
        rows = _restrict(functional.u - 1, functional.u)
        return [
            (2 * k + 1) * functional.u * sum(b * c / (2 * j + 1) for j, (b, c) in enumerate(zip(row, inner))) for k, row in enumerate(rows)
        ]


def needed(functionals: Sequence[Integral], along: bool) -> int:
    """Normals that a draw of the functionals consumes per particle and coordinate, along a path or fresh."""
    return len(in_order(functionals, along))


def in_order(functionals: Sequence[Integral], along: bool = False, forward: bool = False) -> list[Integral]:
    """Those that consume normals, in the order in which they do; see `StepNoise`."""
    found = [f for f in functionals if not (along and f.told)]
    return sorted(found, key=lambda f: f.whole if forward else not f.whole)


def _operator(functionals) -> Operator:
    """The operator whose functions all of them are; numbers commute with any."""
    matrices = [f.A for f in functionals if not isinstance(f.A, linop.Scalar)]
    if any(A is not matrices[0] for A in matrices):
        raise ValueError(
            "Integrals of two operators that need not commute have no joint law that is known here; draw them of one operator and numbers."
        )
    return matrices[0] if matrices else linop.ZERO


def _eigenvalue(functional, A, a):
    return jnp.asarray(functional.A.value, jnp.result_type(a)) if isinstance(functional.A, linop.Scalar) else a


def _gram(one, a, other, b, h):
    """E[one other] per eigenvalue, a and b of their operators."""
    if isinstance(one, Bridge) or isinstance(other, Bridge):
        return _bridged(one, other, h)
    if one is other or one.whole or one.u is other.u:
        shared = other.u
    else:
        shared = one.u if other.whole else jnp.minimum(one.u, other.u)
    # In tau = shared h - v the weights are (c + tau)^power e^{a(c + tau)}, c what each has of the step beyond what both share.
    length, s = shared * h, a + b
    beyond = [0.0 if f.u is shared else (f.u - shared) * h for f in (one, other)]
    powers = [isinstance(f, TimeIntegral) for f in (one, other)]
    if not any(powers) and all(f.u is shared for f in (one, other)):
        return length * phi1(s * length)
    grown = jnp.exp(a * beyond[0] + b * beyond[1])
    plain = length * phi1(s * length)
    if not any(powers):
        return grown * plain
    if all(powers):
        return beyond[0] * beyond[1] * length + (beyond[0] + beyond[1]) * length**2 / 2 + length**3 / 3
    c = beyond[powers.index(True)]
    return grown * (c * plain + length**2 * (phi1(s * length) - phi2(s * length)))


def _bridged(one, other, h):
    """E[one other] of two parts of one bridge: the later one is the earlier, shrunk, and noise of its own."""
    if not (isinstance(one, Bridge) and isinstance(other, Bridge) and one.v is other.v):
        raise ValueError("The noise of a frozen denoiser has a known joint law with that of the same v alone.")
    if one is other or one.u is other.u:
        return one.variance(h)
    early, late = (one, other) if other.whole else (other, one)
    if not late.whole:
        raise ValueError("Of two parts of a bridge one must be the whole step.")
    s, end = early.end(h), late.end(h)
    return early.variance(h) * jnp.exp((s - end) / 2) * late.share(s, end)


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


def path(key, lengths, n: int, d: int) -> np.ndarray:
    """Legendre moments of intervals of the given lengths (N,), in their order, (N, MOMENTS, n, d), single precision."""
    normals = generator(key).standard_normal((len(lengths), MOMENTS, n, d), np.float32)
    spread = np.sqrt(np.asarray(lengths)[:, None] / (2 * np.arange(MOMENTS) + 1))
    normals *= spread.astype(np.float32)[:, :, None, None]
    return normals


def merge(path: np.ndarray, m, lengths=None) -> np.ndarray:
    """Moments on unions of neighbouring intervals, exactly: (N, MOMENTS, n, d) -> (N / m, MOMENTS, n, d).

    m: how many make up one, a number or one for each union; lengths (N,) of the intervals where they differ. Raises ValueError
    if they do not add up to N.
    """
    count, _, n, d = path.shape
    if np.ndim(m) == 0:
        if m < 1 or count % m:
            raise ValueError(f"{count} intervals cannot be merged in groups of {m}: {m} must divide {count}.")
        m = np.full(count // m, m)
    m = np.asarray(m)
    if m.sum() != count or (m < 1).any():
        raise ValueError(f"{count} intervals cannot be merged in groups of {m.tolist()}: they must add up to {count}.")
    if (m == 1).all():
        return path
    lengths = np.ones(count) if lengths is None else np.asarray(lengths)
    ends = np.cumsum(m)
    whole = np.add.reduceat(lengths, ends - m)
    # Centres and half widths of the intervals in units of half their union, from its centre.
    after = np.cumsum(lengths) - np.repeat(np.cumsum(whole) - whole, m)
    centre, width = (2 * after - lengths) / np.repeat(whole, m) - 1, lengths / np.repeat(whole, m)
    weights = np.zeros((count, MOMENTS, MOMENTS), path.dtype)
    for k, row in enumerate(_restrict(centre, width)):
        for j, value in enumerate(row):
            weights[:, k, j] = value
    if len(set(m.tolist())) == 1:
        grouped = path.reshape(len(m), m[0] * MOMENTS, n * d)
        of = np.moveaxis(weights.reshape(len(m), m[0], MOMENTS, MOMENTS), 1, 2).reshape(len(m), MOMENTS, -1)
        return np.matmul(of, grouped).reshape(len(m), MOMENTS, n, d)
    moved = np.matmul(weights, path.reshape(count, MOMENTS, n * d))
    return np.add.reduceat(moved, ends - m).reshape(len(m), MOMENTS, n, d)
