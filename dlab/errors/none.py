"""No error in the score; L and M may still carry theirs."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from dlab.errors.base import ErrorEntry, ScoreError


@partial(jax.tree_util.register_dataclass, data_fields=["hessian_level", "drift_level"], meta_fields=[])
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
