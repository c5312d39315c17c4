"""No error in the score; L and M may still carry theirs."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from dlab.errors.base import ErrorEntry, ScoreError
from dlab.pytree import pytree


@pytree(["hessian_level", "drift_level"])
@dataclass(frozen=True)
class NoError(ScoreError):
    hessian_level: jax.Array
    drift_level: jax.Array

    def shift(self, t, x, s, z):
        return jnp.zeros_like(x)

    def along(self, axis):
        return self if self.second_order_free else None


def from_spec(spec, hessian_level, drift_level):
    return NoError(hessian_level, drift_level)


ENTRY = ErrorEntry("none", "Exact score", r"s^* = s", (), from_spec, ())
