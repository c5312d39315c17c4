"""A score too long or too short by a fixed share: an error that changes the curvature."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from dlab import params
from dlab.errors.base import ErrorEntry, ScoreError
from dlab.look import Style
from dlab.params import Knob
from dlab.pytree import pytree


@pytree(["level", "hessian_level", "drift_level"])
@dataclass(frozen=True)
class RelativeError(ScoreError):
    """s* = (1 + level) s."""

    level: jax.Array
    hessian_level: jax.Array
    drift_level: jax.Array

    def shift(self, t, x, s, z):
        return self.level * s

    def along(self, axis):
        return self if self.second_order_free else None


def from_spec(spec, hessian_level, drift_level):
    level = params.number("score_error.level", spec["level"], -0.9, 10.0)
    return RelativeError(jnp.asarray(level), hessian_level, drift_level)


ENTRY = ErrorEntry(
    "relative",
    "Relative error",
    r"s^* = (1+\varepsilon)\,s",
    ("level",),
    from_spec,
    (Knob("level", "Relative error ε", 0.05, -0.5, 1.0, 0.01, "Fraction by which the score is too long."),),
    level_is="share",
    explanation="A **relative error** $s^* = (1+\\varepsilon)s$ changes the curvature: the law becomes narrower.",
    style=Style("#5B4FB5", "#A79BF0", "triangle-up", "solid"),
)
