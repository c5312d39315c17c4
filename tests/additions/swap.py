"""A score error that is linear in x and whose size nobody knows beforehand."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from dlab import params
from dlab.errors.base import LEVEL, ErrorEntry, ScoreError
from dlab.pytree import pytree


@pytree(["level", "hessian_level", "drift_level"])
@dataclass(frozen=True)
class SwapError(ScoreError):
    """e = level (x_d, ..., x_1)."""

    level: jax.Array
    hessian_level: jax.Array
    drift_level: jax.Array

    def shift(self, t, x, s, z):
        return self.level * x[:, ::-1]


def from_spec(spec, hessian_level, drift_level):
    level = params.number("score_error.level", spec["level"], 0.0, 2.0)
    return SwapError(jnp.asarray(level), hessian_level, drift_level)


ENTRY = ErrorEntry("swap", "Swapped coordinates", r"s^* = s + \varepsilon\,(x_d, \dots, x_1)", ("level",), from_spec, (LEVEL,))
