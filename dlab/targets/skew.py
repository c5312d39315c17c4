"""Skew target: in rotated coordinates a product of exp(-lam u^2/2 - c log(1 + e^{-k u})).

Strongly log-concave, not Gaussian, with a bend of width 1/k: the smallest target on which sign errors,
a missing M and the difference between law and coupling all show.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from dlab import params
from dlab.params import Knob
from dlab.pytree import pytree
from dlab.targets.base import Fact, Factors, TargetEntry
from dlab.targets.quadrature_target import QuadratureTarget


@pytree(["lam", "c", "k"])
@dataclass(frozen=True)
class SkewLine:
    """log density of one coordinate, elementwise."""

    lam: jax.Array
    c: jax.Array
    k: jax.Array

    def __call__(self, u):
        return -self.lam * u**2 / 2 - self.c * jax.nn.softplus(-self.k * u)


@pytree(["line", "turn"])
@dataclass(frozen=True)
class SkewDensity:
    """line: the density of each coordinate; turn (2, 2), its columns the rotated axes."""

    line: SkewLine
    turn: jax.Array

    def __call__(self, x):
        return jnp.sum(self.line(x @ self.turn), -1)


def from_spec(spec: dict) -> QuadratureTarget:
    params.require("target", spec, ("lam", "c", "k"))
    lam = params.number("target.lam", spec["lam"], above=1e-3, high=1e3)
    c = params.number("target.c", spec["c"], 0.0, 1e3)
    k = params.number("target.k", spec["k"], -1e2, 1e2)
    angle = math.radians(params.number("target.angle", spec.get("angle", 0.0), -360, 360))
    turn = jnp.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    line = SkewLine(*map(jnp.asarray, (lam, c, k)))
    factors = Factors(np.asarray(turn), (line, line))
    L0 = lam + c * k**2 / 4
    return QuadratureTarget(SkewDensity(line, turn), Fact(lam, "closed form"), Fact(L0, "closed form"), factors)


def from_knobs(knobs: dict) -> dict:
    return {"name": "skew", **{key: knobs[key] for key in ("lam", "c", "k", "angle")}}


ENTRY = TargetEntry(
    name="skew",
    title="Skew",
    formula=r"p_0 \propto \prod_i \exp(-\tfrac{\lambda}{2} u_i^2 - c\log(1+e^{-k u_i}))",
    keys=("lam", "c", "k", "angle"),
    from_spec=from_spec,
    knobs=(
        Knob("lam", "Curvature λ", 0.8, 0.3, 4.0, 0.1, "The Gaussian part; m₀ = λ."),
        Knob("c", "Skewness c", 2.0, 0.0, 4.0, 0.25, "Weight of the one-sided part; 0 gives a Gaussian."),
        Knob("k", "Sharpness k", 2.0, 0.5, 4.0, 0.25, "The bend has width 1/k; L₀ = λ + ck²/4."),
        Knob("angle", "Rotation (degrees)", 0.0, 0.0, 180.0, 5.0, "Angle of the product's axes."),
    ),
    from_knobs=from_knobs,
    to_knobs=lambda spec: {"angle": 0.0, **spec},
    m0="λ",
    L0="λ + ck²/4",
)
