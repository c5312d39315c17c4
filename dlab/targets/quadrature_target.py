"""A 2-D target known by its log-density alone: skew, logistic and a user's own share this route."""

from collections import defaultdict
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import process
from dlab.params import BadInput
from dlab.targets import quadrature, table
from dlab.targets.base import UNKNOWN, Fact, Factors, Facts, Target, measured_smoothness

LEAST_ACCEPTED = 0.01
ACCURATE = 0.003  # root mean square error of the tabulated score over p_t


class QuadratureTarget(Target):
    """density: pytree, callable (n, 2) -> (n,) log p_0; m0, L0: facts, or None where they are to be
    measured; factors: where it is a product; box: centre and half widths (2,) of a box that
    holds the mass, needed where no positive m0 is known.

    Sampling is exact rejection from N(mode, I/m0), which dominates a strongly log-concave density,
    where m0 is known and one draw in a hundred is accepted; otherwise it inverts the distribution
    function of a fine lattice.
    """

    dim = 2

    def __init__(self, density, m0: Fact | None, L0: Fact | None, factors: Factors | None = None, box=None):
        self.density, self._m0, self._L0, self.factors, self._box = density, m0, L0, factors, box

    @property
    def _least(self) -> float:
        """A skew density can be narrower than its Gaussian tail, N(., I/m0) at the widest; with this unit
        every box reaches 8.5 standard deviations of that tail."""
        known = self._m0 is not None and self._m0.value > 0
        return 8.5 / quadrature.REACH / float(np.sqrt(self._m0.value)) if known else 0.0

    @cached_property
    def _moments(self):
        if self._box is not None:
            return quadrature.moments(self.density, *self._box, self._least)
        # About its mode a strongly log-concave density falls at least as fast as N(mode, I/m0).
        return quadrature.moments(self.density, mode(self.density, jnp.zeros(2)), 9 / np.sqrt(self._m0.value), self._least)

    @cached_property
    def field(self):
        return quadrature.oracle(self.density, *self._moments, self._least)

    @cached_property
    def _tabulated(self):
        """The table, and the root mean square and the largest error of its score."""
        found = table.build(self.density, *self._moments, self._least)
        return found, *_table_error(self.field, found)

    @cached_property
    def fast_field(self):
        found, rms, _ = self._tabulated
        if not rms <= ACCURATE:
            raise BadInput(
                f"target bends too sharply for the table of its score, which departs from the quadrature by {rms:.2g} in the mean over p_t "
                f"where {ACCURATE:g} is promised; standardise the features, or lower the sharpness."
            )
        return found

    def log_density(self, x):
        return self.density(x)

    def sample(self, key, n):
        if self._accepted > LEAST_ACCEPTED:
            return _reject(self.density, mode(self.density, self._moments[0]), self._m0.value, key, n=n)
        return _invert(self.field, key, n=n)

    @cached_property
    def _accepted(self) -> float:
        """Share of draws from N(mode, I/m0) that rejection would accept."""
        if self._m0 is None or self._m0.value <= 0:
            return 0.0
        spacing = 2 * quadrature.REACH / (quadrature.GRID - 1)
        mass = float(self.field.weights.sum() * jnp.prod(self.field.unit)) * spacing**2
        return mass * self._m0.value / (2 * np.pi)

    @property
    def steepness(self):
        """Without the other facts, which take a quarter of a minute, where L0 is given: every study file that is read asks for it."""
        _ = self._moments  # what is too sharp to be measured is refused as the file is read
        return (self._L0 or self.facts.L0).value

    @cached_property
    def facts(self):
        mean, cov = (np.asarray(v) for v in self._moments)
        fast, rms, worst = self._tabulated
        # A table that is not accurate tells nothing, and by quadrature this would take minutes.
        measured = measured_smoothness(fast, mean, cov) if rms <= ACCURATE else defaultdict(lambda: UNKNOWN)
        return Facts(
            dim=2,
            m0=self._m0 or measured["m0"],
            L0=self._L0 or measured["L0"],
            L_F=measured["L_F"],
            M1=measured["M1"],
            M2=measured["M2"],
            mean=mean,
            cov=cov,
            product=self.factors is not None,
            field_error=f"The tabulated score differs from the quadrature by {rms:.1e} on average over pₜ "
            f"and by at most {worst:.1e} out to 5 standard deviations.",
        )


@jax.jit
def mode(density, start):
    """The maximiser of a strongly log-concave density by damped Newton steps, (2,)."""

    def newton(_, x):
        g, H = quadrature.gradient(density, x[None])[0], quadrature.hessian(density, x[None])[0]
        # Cramer's rule: no LAPACK inside compiled code (see linop.eigenvalues2).
        step = jnp.stack([H[0, 1] * g[1] - H[1, 1] * g[0], H[0, 1] * g[0] - H[0, 0] * g[1]])
        step = step / (H[0, 0] * H[1, 1] - H[0, 1] ** 2)
        trial = x + step * 0.5 ** jnp.arange(8)[:, None]
        return trial[jnp.argmax(density(trial))]

    return jax.lax.fori_loop(0, 30, newton, start)


@partial(jax.jit, static_argnames="n")
def _reject(density, centre, m0, key, *, n):
    top = density(centre[None])[0]

    def propose(state):
        x, done, key = state
        key, normal, uniform = jax.random.split(key, 3)
        jump = jax.random.normal(normal, (n, 2)) / jnp.sqrt(m0)
        trial = centre + jump
        ratio = density(trial) - top + m0 * jnp.sum(jump**2, 1) / 2
        accept = jnp.log(jax.random.uniform(uniform, (n,))) < ratio
        return jnp.where((accept & ~done)[:, None], trial, x), done | accept, key

    start = (jnp.zeros((n, 2)), jnp.zeros(n, bool), key)
    return jax.lax.while_loop(lambda s: ~jnp.all(s[1]), propose, start)[0]


@partial(jax.jit, static_argnames="n")
def _invert(field, key, *, n):
    cell, jitter = jax.random.split(key)
    mass = jnp.cumsum(field.weights.ravel())
    flat = jnp.searchsorted(mass, mass[-1] * jax.random.uniform(cell, (n,)))
    index = jnp.stack(jnp.unravel_index(flat, field.weights.shape), -1)
    # Tent weights reproduce the piecewise linear interpolant of the grid values.
    tent = jnp.sum(jax.random.uniform(jitter, (2, n, 2)), 0) - 1
    spacing = 2 * quadrature.REACH / (quadrature.GRID - 1)
    return field.centre + (((index + tent) * spacing - quadrature.REACH) * field.unit) @ field.axes.T


@jax.jit
def _errors(exact, fast, t, key):
    y = jax.random.normal(key, (64, 2))
    reach = jnp.linspace(0, 5, 64)[:, None] * y / jnp.linalg.norm(y, axis=1, keepdims=True)

    def at(t):
        a, noise = process.scale(t), process.variance(t)
        spread = jnp.sqrt(a**2 * fast.var + noise)
        x = a * fast.mean + (jnp.concatenate([y, reach]) * spread) @ fast.axes.T
        gap = jnp.linalg.norm(exact.score(t, x) - fast.score(t, x), axis=1)
        return jnp.mean(gap[: len(y)] ** 2), jnp.max(gap)

    square, worst = jax.lax.map(at, t)
    return jnp.sqrt(jnp.mean(square)), jnp.max(worst)


def _table_error(exact, fast):
    """Root mean square and largest difference of the scores over t in [1e-3, 8]."""
    rms, worst = _errors(exact, fast, jnp.geomspace(1e-3, 8.0, 12), jax.random.key(0))
    return float(rms), float(worst)
