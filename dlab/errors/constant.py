"""A constant vector added to the score: the direction that the theorems' C2 allows for."""

import math
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp

from dlab import params
from dlab.errors.base import LEVEL, ErrorEntry, ScoreError
from dlab.look import Style
from dlab.params import Knob
from dlab.pytree import pytree


@pytree(["level", "angle", "hessian_level", "drift_level"])
@dataclass(frozen=True)
class ConstantError(ScoreError):
    """e = level (cos angle, sin angle, 0, ...), angle in radians; on the line, where there are two directions, level times the sign of
    cos angle."""

    level: jax.Array
    angle: jax.Array
    hessian_level: jax.Array
    drift_level: jax.Array

    def direction(self, x):
        if x.shape[-1] == 1:
            return jnp.where(jnp.cos(self.angle) < 0, -1.0, 1.0)[None]
        return jnp.zeros(x.shape[-1]).at[0].set(jnp.cos(self.angle)).at[1].set(jnp.sin(self.angle))

    def shift(self, t, x, s, z):
        return jnp.broadcast_to(self.level * self.direction(x), x.shape)

    def along(self, axis):
        if not self.second_order_free:
            return None
        share = jnp.dot(axis, self.direction(axis[None]))
        return replace(self, level=self.level * share, angle=jnp.zeros_like(self.angle))


def from_spec(spec, hessian_level, drift_level):
    level = params.number("score_error.level", spec["level"], 0.0, 1e3)
    angle = math.radians(params.number("score_error.angle", spec.get("angle", 0.0), -360, 360))
    return ConstantError(jnp.asarray(level), jnp.asarray(angle), hessian_level, drift_level)


ENTRY = ErrorEntry(
    "constant",
    "Constant vector",
    r"s^* = s + \varepsilon(\cos\alpha, \sin\alpha)",
    ("level", "angle"),
    from_spec,
    (LEVEL, Knob("angle", "Direction α (degrees)", 0.0, 0.0, 360.0, 15.0, "Direction in which the score is wrong.")),
    level_is="norm",
    explanation="A **constant direction** pushes every step the same way, so the pushes add up: that is what $C_2$ allows for.",
    style=Style("#1d2733", "#e8edf3", "square", "solid"),
)
