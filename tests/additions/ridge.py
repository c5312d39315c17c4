"""A target known by its log-density alone."""

import jax.numpy as jnp

from dlab.params import Knob, number
from dlab.targets.base import TargetEntry
from dlab.targets.custom import target


def log_density(x):
    return -x @ x / 2 - jnp.log(jnp.cosh(2 * x[0] + x[1]))


def from_spec(spec):
    width = number("target.width", spec.get("width", 6.0), 5.0, 9.0)
    return target(log_density, box=((-width, width), (-width, width)), m0=1, L0=6)


ENTRY = TargetEntry(
    name="ridge",
    title="Ridge",
    formula=r"p_0 \propto e^{-|x|^2/2} / \cosh(2x_1 + x_2)",
    keys=("width",),
    from_spec=from_spec,
    knobs=(Knob("width", "Half width of its box", 6.0, 5.0, 9.0, 0.5, "Where its mass is looked for."),),
    from_knobs=lambda knobs: {"name": "ridge", "width": knobs["width"]},
)
