"""Fresh noise at every evaluation: the same L2 level as a constant error, and far cheaper."""

import math
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp

from dlab import params
from dlab.errors.base import LEVEL, ErrorEntry, ScoreError
from dlab.look import Style
from dlab.pytree import pytree


@pytree(["level", "hessian_level", "drift_level"])
@dataclass(frozen=True)
class NoiseError(ScoreError):
    """e ~ N(0, level^2/d I), independent at each evaluation: its total standard deviation is level."""

    draws = True

    level: jax.Array
    hessian_level: jax.Array
    drift_level: jax.Array

    def shift(self, t, x, s, z):
        return self.level / math.sqrt(x.shape[-1]) * z

    def along(self, axis):
        return replace(self, level=self.level / math.sqrt(len(axis))) if self.second_order_free else None


def from_spec(spec, hessian_level, drift_level):
    level = params.number("score_error.level", spec["level"], 0.0, 1e3)
    return NoiseError(jnp.asarray(level), hessian_level, drift_level)


ENTRY = ErrorEntry(
    "noise",
    "Fresh noise",
    r"s^* = s + \varepsilon\,\zeta/\sqrt d,\ \zeta\sim\mathcal N(0,I)",
    ("level",),
    from_spec,
    (LEVEL,),
    level_is="norm",
    phrase="fresh noise",
    explanation="**Fresh noise** is drawn independently in each step and averages out.",
    style=Style("#AA4499", "#CC79A7", "cross", "longdash"),
)
