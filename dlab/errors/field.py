"""An error of the same length everywhere whose direction turns smoothly in space."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from dlab import params
from dlab.errors.base import LEVEL, ErrorEntry, ScoreError
from dlab.look import Style
from dlab.params import Knob
from dlab.pytree import pytree

FEATURES = 24


@pytree(["level", "waves", "phases", "hessian_level", "drift_level"])
@dataclass(frozen=True)
class FieldError(ScoreError):
    """e = level (cos phi(x), sin phi(x)), phi = pi sqrt(2/K) sum_k cos(w_k . x + b_k), w_k ~ N(0, I):
    a Gaussian random field of standard deviation pi and unit length scale. In the first two coordinates."""

    affine = False

    level: jax.Array
    waves: jax.Array
    phases: jax.Array
    hessian_level: jax.Array
    drift_level: jax.Array

    def shift(self, t, x, s, z):
        inside = x[:, :2] @ self.waves + self.phases
        phi = jnp.pi * jnp.sqrt(2 / FEATURES) * jnp.sum(jnp.cos(inside), -1)
        plane = self.level * jnp.stack([jnp.cos(phi), jnp.sin(phi)], -1)
        return jnp.zeros_like(x).at[:, :2].set(plane)


def from_spec(spec, hessian_level, drift_level):
    level = params.number("score_error.level", spec["level"], 0.0, 1e3)
    seed = params.integer("score_error.seed", spec.get("seed", 0), 0, 2**31 - 1)
    wave_key, phase_key = jax.random.split(jax.random.key(seed))
    return FieldError(
        jnp.asarray(level),
        jax.random.normal(wave_key, (2, FEATURES)),
        jax.random.uniform(phase_key, (FEATURES,), maxval=2 * jnp.pi),
        hessian_level,
        drift_level,
    )


ENTRY = ErrorEntry(
    "field",
    "Smooth random field",
    r"s^* = s + \varepsilon(\cos\phi(x), \sin\phi(x))",
    ("level", "seed"),
    from_spec,
    (LEVEL, Knob("seed", "Field seed", 0, 0, 999, 1, "Which random field of directions.")),
    min_dim=2,
    level_is="norm",
    explanation="A **smooth random field** points the same way at the same place and other ways elsewhere.",
    style=Style("#7A4B1E", "#D9A066", "diamond", "dash"),
)
