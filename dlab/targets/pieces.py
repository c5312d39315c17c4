"""Densities on the line that are exp(-lam u^2/2 + beta u) piece by piece, with jumps and kinks between: diffused in closed form.

With a = a_t, v = sigma_t^2 and V = lam v + a^2, a piece on [l, r] contributes to p_t(x)

    V^{-1/2} exp((beta^2 v + 2 a beta x - lam x^2) / (2V)) (Phi(z_r) - Phi(z_l)),   z_r = (r V - beta v - a x) / sqrt(v V),

in which nothing cancels as t -> 0 but the difference of Phi, taken in logarithms on the side where both are small.
"""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr

from dlab import process
from dlab.field import ExactField
from dlab.pytree import pytree
from dlab.targets.base import Factors, Facts, Target

NEAREST = 1e-14  # times t below are taken for this one: a jump has no derivative at t = 0
TABLE = 8193  # points a piece of the distribution function
FAR = 12.0  # where an infinite piece is cut off, in units of its own width


@pytree(["lam", "slopes", "ends"])
@dataclass(frozen=True)
class PiecesLine:
    """lam; slopes (k,): beta of each piece, continuous where they meet at 0; ends (k + 1,), ascending, maybe infinite."""

    lam: jax.Array
    slopes: jax.Array
    ends: jax.Array

    def __call__(self, u):
        """log p_0 up to a constant, elementwise; -inf outside of the ends."""
        slope = self.slopes[jnp.clip(jnp.searchsorted(self.ends, u, side="right") - 1, 0, len(self.slopes) - 1)]
        inside = (u >= self.ends[0]) & (u <= self.ends[-1])
        return jnp.where(inside, -self.lam * u**2 / 2 + slope * u, -jnp.inf)

    def diffused(self, t, x):
        """log p_t(x) up to a constant for each t, its first and second derivative, (3, *x.shape); t broadcasts against x."""
        t = jnp.maximum(t, NEAREST)
        a, v = process.scale(t), process.variance(t)
        V = self.lam * v + a**2
        logs, firsts, seconds = [], [], []
        for beta, low, high in zip(self.slopes, self.ends[:-1], self.ends[1:]):
            lift, root = beta * v + a * x, jnp.sqrt(v * V)
            low, high = (low * V - lift) / root, (high * V - lift) / root
            log_mass, near_low, near_high = _between(low, high)
            edge = (near_low - near_high) * a / root
            # z phi(z) vanishes at infinity.
            moment = (
                (jnp.where(near_low > 0, low, 0) * near_low - jnp.where(near_high > 0, high, 0) * near_high)
                * a**2
                / (v * V)
            )
            logs.append((beta**2 * v + 2 * a * beta * x - self.lam * x**2) / (2 * V) + log_mass - jnp.log(V) / 2)
            firsts.append((a * beta - self.lam * x) / V + edge)
            seconds.append(-self.lam / V + moment - edge**2)
        logs, firsts, seconds = (jnp.stack(jnp.broadcast_arrays(*v)) for v in (logs, firsts, seconds))
        weights = jax.nn.softmax(logs, 0)
        first = jnp.sum(weights * firsts, 0)
        second = jnp.sum(weights * (seconds + (firsts - first) ** 2), 0)
        return jnp.stack([jax.nn.logsumexp(logs, 0), first, second])

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """Points of the line and the distribution function of p_0 there, (k TABLE,) each."""
        width = 1 / np.sqrt(max(float(self.lam), float(np.max(np.abs(self.slopes))) ** 2 / 4, 1e-12))
        ends = np.clip(np.asarray(self.ends), -FAR * width, FAR * width)
        x, mass = [], []
        for beta, low, high in zip(np.asarray(self.slopes), ends[:-1], ends[1:]):
            u = np.linspace(low, high, TABLE)
            p = np.exp(-float(self.lam) * u**2 / 2 + beta * u)
            x.append(u)
            mass.append(np.concatenate([[0.0], _simpson(p, u[1] - u[0])]))
        below = np.cumsum([0.0] + [m[-1] for m in mass])
        cdf = np.concatenate([m + b for m, b in zip(mass, below)])
        return np.concatenate(x), cdf / cdf[-1]

    def quantile(self, u) -> np.ndarray:
        """The quantile function of p_0, in NumPy."""
        x, cdf = self.table()
        return np.interp(u, cdf, x)

    def moments(self) -> tuple[float, float]:
        """Mean and variance of p_0."""
        x, cdf = self.table()
        middle, mass = (x[1:] + x[:-1]) / 2, np.diff(cdf)
        mean = float(mass @ middle)
        return mean, float(mass @ ((middle - mean) ** 2 + np.diff(x) ** 2 / 12))


def _simpson(p, spacing) -> np.ndarray:
    """The integral of p (n,), n odd, up to each point but the first, to fourth order: (n - 1,)."""
    half = spacing / 12 * (5 * p[:-2:2] + 8 * p[1:-1:2] - p[2::2])
    whole = spacing / 3 * (p[:-2:2] + 4 * p[1:-1:2] + p[2::2])
    out = np.empty(len(p) - 1)
    out[1::2] = np.cumsum(whole)
    out[::2] = np.concatenate([[0.0], out[1:-1:2]]) + half
    return out


def _between(low, high):
    """log(Phi(high) - Phi(low)), and phi(low), phi(high) divided by that difference, low < high."""
    flip = low + high > 0
    low, high = jnp.where(flip, -high, low), jnp.where(flip, -low, high)
    top = log_ndtr(high)
    below = jnp.where(jnp.isinf(low), -jnp.inf, log_ndtr(jnp.where(jnp.isinf(low), 0.0, low)))
    log_mass = top + jnp.log(-jnp.expm1(jnp.minimum(below - top, -1e-300)))
    near_low, near_high = (
        jnp.where(jnp.isinf(z), 0.0, jnp.exp(-(jnp.where(jnp.isinf(z), 0.0, z) ** 2) / 2 - log_mass))
        for z in (low, high)
    )
    near_low, near_high = (v / jnp.sqrt(2 * jnp.pi) for v in (near_low, near_high))
    return log_mass, jnp.where(flip, near_high, near_low), jnp.where(flip, near_low, near_high)


@pytree(["line"])
@dataclass(frozen=True)
class PiecesField(ExactField):
    """The product of one density with itself over the coordinates of the plane."""

    line: PiecesLine

    def score(self, t, x):
        return self.line.diffused(t, x)[1]

    def hessian(self, t, x):
        return self.score_and_hessian(t, x)[1]

    def score_and_hessian(self, t, x):
        _, first, second = self.line.diffused(t, x)
        return first, second[..., None] * jnp.eye(x.shape[-1])

    def log_density(self, t, x):
        return jnp.sum(self.line.diffused(t, x)[0], -1)


class Pieces(Target):
    """Two independent coordinates of one PiecesLine; m0, L0, rough: facts, the last one of L_F, M1 and M2."""

    dim = 2

    def __init__(self, line: PiecesLine, m0, L0, rough, regions=None, unbounded=None):
        self.line, self._known, self._regions, self._unbounded = line, (m0, L0, rough), regions, unbounded

    @cached_property
    def field(self):
        return PiecesField(self.line)

    def log_density(self, x):
        return jnp.sum(self.line(x), -1)

    def sample(self, key, n):
        x, cdf = map(jnp.asarray, self.line.table())
        return jnp.interp(jax.random.uniform(key, (n, 2)), cdf, x)

    @cached_property
    def factors(self):
        return Factors(np.eye(2), (self.line, self.line))

    @cached_property
    def regions(self):
        return self._regions

    @property
    def unbounded(self):
        return self._unbounded

    @cached_property
    def facts(self):
        m0, L0, rough = self._known
        mean, var = self.line.moments()
        return Facts(2, m0, L0, rough, rough, np.full(2, mean), var * np.eye(2), True, M2=rough)
