"""A score error without a level: the score is cut at a length."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from dlab import params
from dlab.errors.base import ErrorEntry, ScoreError
from dlab.params import Knob
from dlab.pytree import pytree


@pytree(["length", "hessian_level", "drift_level"])
@dataclass(frozen=True)
class CutError(ScoreError):
    """s* = s min(1, length/|s|)."""

    affine = False

    length: jax.Array
    hessian_level: jax.Array
    drift_level: jax.Array

    def shift(self, t, x, s, z):
        size = jnp.linalg.norm(s, axis=-1, keepdims=True)
        return s * (jnp.minimum(1.0, self.length / jnp.maximum(size, 1e-9)) - 1)


def from_spec(spec, hessian_level, drift_level):
    return CutError(jnp.asarray(params.number("score_error.length", spec["length"], 0.1, 100.0)), hessian_level, drift_level)


ENTRY = ErrorEntry(
    "cut", "Cut score", r"s^* = s\,\min(1, \ell/|s|)", ("length",), from_spec,
    (Knob("length", "Longest score", 3.0, 0.5, 20.0, 0.5, "Where the score is cut."),),
)  # fmt: skip
