"""A control variate for a scheme's own noise: its random midpoint U, or a score error drawn afresh.

Beside each particle runs a companion on the same Brownian path that sees no such noise. Around the companion the
score is taken as linear. On this linear score the scheme's own step moves a shadow, with the particle's noise, and the
companion by its mean over U and the draws. So z = shadow - companion has mean zero given the path exactly, whatever
the linearisation leaves out, and is what the noise does to the particle to first order: of noise of order h a
part of order h^{3/2} is left.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from dlab import linop
from dlab.errors import perturb
from dlab.field import ExactField
from dlab.noise import StepNoise
from dlab.pytree import pytree

NODES = 3  # of the mean over U: in U the step of a linear score is a cubic for REM and nearly one for REI


@pytree(["t", "x", "s", "L", "rate"])
@dataclass(frozen=True)
class Linear(ExactField):
    """The score linearised at time t and points x (n, d): s, L there and `rate` (n, d), its mean change per unit of
    time run backwards, which is M."""

    t: jax.Array
    x: jax.Array
    s: jax.Array
    L: linop.Operator
    rate: jax.Array

    def score(self, t, x):
        gap = x - self.x
        return self.s + self.L.apply(gap) - gap / 2 + (self.t - t) * self.rate

    def local(self, t, x):
        s = self.score(t, x)
        return s, self.L, x / 4 - self.L.apply(x / 2 + s)


def step(scheme, field, error, t, t_next, companion, shadow, noise: StepNoise, normals):
    """companion and shadow (n, d) after one step; noise and normals are those of the particles' own step."""
    s, L, M = field.local(t, companion)
    linear = Linear(t, companion, s, L, M)
    given, mean = linear, linear
    if error.draws:
        given, mean = perturb(linear, error, normals), perturb(linear, error, jnp.zeros_like(normals))
    shadow = scheme.step(given, t, t_next, shadow, replace(noise))
    still = replace(noise, normals=jnp.zeros_like(noise.normals))
    if not scheme.randomised:
        return scheme.step(mean, t, t_next, companion, still), shadow
    u, weights = (np.reshape(v, (-1, 1, 1)) / 2 for v in np.polynomial.legendre.leggauss(NODES))
    moved = scheme.step(mean, t, t_next, companion, replace(still, u=jnp.asarray(u + 0.5)))
    return jnp.sum(weights * moved, 0), shadow
