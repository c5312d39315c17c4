"""A target of one's own, from Python: `dlab.targets.target(log_density, box=...)`."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

from dlab import params
from dlab.params import BadInput
from dlab.pytree import pytree
from dlab.targets.base import Fact
from dlab.targets.quadrature_target import QuadratureTarget


@pytree([], meta=["function"])
@dataclass(frozen=True)
class CustomDensity:
    function: Callable

    def __call__(self, x):
        return jax.vmap(self.function)(x)


def target(log_density: Callable, box, m0: float | None = None, L0: float | None = None) -> QuadratureTarget:
    """A 2-D target from its log-density.

    log_density(x) takes one point of shape (2,) and returns a scalar, written with jax.numpy, twice
    differentiable; an additive constant does not matter. box = ((low, high), (low, high)) holds all of
    the mass. m0 and L0 are used as given, measured on the box where None: then the theorems rest on
    a numerical fact, and `facts` says so.

    BadInput if the box is not two intervals or the density is not finite on it.
    """
    sides = np.asarray(params.array("box", np.asarray(box).tolist(), (2, 2)))
    if (sides[:, 0] >= sides[:, 1]).any():
        raise BadInput(f"box = {params.show(box)} is empty; give ((low, high), (low, high)) with low < high.")
    density = CustomDensity(log_density)
    centre, half = sides.mean(1), (sides[:, 1] - sides[:, 0]) / 2
    corners = centre + half * np.array([[0, 0], [1, 1], [1, -1], [-1, 1], [-1, -1]])
    if not np.isfinite(np.asarray(density(jax.numpy.asarray(corners)))).all():
        raise BadInput("log_density is not finite at the centre and corners of the box; give a box inside its domain.")
    return QuadratureTarget(
        density,
        None if m0 is None else Fact(params.number("m0", m0), "given"),
        None if L0 is None else Fact(params.number("L0", L0, 0.0), "given"),
        box=(centre, half),
    )
