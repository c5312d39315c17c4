"""Kink target, a smoothed Laplace law: each coordinate has density exp(-lam u^2/2 - c sqrt(u^2 + delta^2)).

Its score turns by 2c over a width delta. For delta = 0 it jumps, and the diffused law is in closed form (pieces.py).
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from dlab import params
from dlab.params import BadInput, Knob
from dlab.pytree import pytree
from dlab.targets import quadrature
from dlab.targets.base import Fact, Factors, TargetEntry, infinite
from dlab.targets.pieces import Pieces, PiecesLine
from dlab.targets.quadrature_target import QuadratureTarget

NODES_A_BEND = 1.5  # of the quadrature's grid in a width delta: e^{-2 pi 1.5}, its error, is 1e-4 of the bend


@pytree(["lam", "c", "delta"])
@dataclass(frozen=True)
class KinkLine:
    """log density of one coordinate, elementwise, delta > 0."""

    lam: jax.Array
    c: jax.Array
    delta: jax.Array

    def __call__(self, u):
        # Less its value at 0, so that no digits are lost.
        return -self.lam * u**2 / 2 - self.c * u**2 / (jnp.sqrt(u**2 + self.delta**2) + self.delta)


@pytree(["line"])
@dataclass(frozen=True)
class KinkDensity:
    line: KinkLine

    def __call__(self, x):
        return jnp.sum(self.line(x), -1)


class Kink(QuadratureTarget):
    # About its mode the density falls at least like the Laplace law: no wider Gaussian tail needs room.
    _least = 0.0


def from_spec(spec: dict) -> Kink | Pieces:
    params.require("target", spec, ("c", "delta"))
    lam = params.number("target.lam", spec.get("lam", 0.0), 0.0, 1e2)
    c = params.number("target.c", spec["c"], 0.1, 1e2)
    delta = params.number("target.delta", spec["delta"], 0.0, 1e2)
    m0 = Fact(lam, "closed form") if lam else Fact(0.0, "closed form: the curvature tends to 0 in the tails")
    exact = PiecesLine(jnp.asarray(lam), jnp.asarray([c, -c]), jnp.asarray([-jnp.inf, 0.0, jnp.inf]))
    if delta == 0:
        jump = infinite("the score jumps")
        return Pieces(exact, m0, jump, jump)
    # In the wings the smoothed law is exp(-lam u^2/2 - c|u|), so it is at most about delta wider.
    reach = quadrature.REACH * (math.sqrt(exact.moments()[1]) + delta)
    if delta < (least := NODES_A_BEND * 2 * reach / quadrature.GRID):
        raise BadInput(
            f"target.delta = {delta:g} is narrower than quadrature resolves here; give 0, the exact kink, or at least {least:.2g}."
        )
    line = KinkLine(*map(jnp.asarray, (lam, c, delta)))
    L0 = Fact(lam + c / delta, "closed form")
    return Kink(KinkDensity(line), m0, L0, Factors(np.eye(2), (line, line)), box=(np.zeros(2), np.full(2, reach)))


ENTRY = TargetEntry(
    name="kink",
    title="Kink (smoothed Laplace)",
    formula=r"p_0 \propto \prod_i \exp(-\tfrac{\lambda}{2} u_i^2 - c\sqrt{u_i^2+\delta^2})",
    keys=("lam", "c", "delta"),
    from_spec=from_spec,
    knobs=(
        Knob("delta", "Width δ of the kink", 0.2, 0.0, 2.0, 0.1, "0: a true kink, where the score jumps by 2c. L₀ = λ + c/δ."),
        Knob("c", "Slope c", 1.0, 1.0, 4.0, 0.25, "The score tends to ∓c on either side."),
        Knob("lam", "Curvature λ", 1.0, 0.0, 4.0, 0.1, "The Gaussian part; m₀ = λ. 0 gives the Laplace law, flat in its tails."),
    ),
    from_knobs=lambda knobs: {"name": "kink", **{key: knobs[key] for key in ("delta", "c", "lam")}},
    to_knobs=lambda spec: {"lam": 0.0, **spec},
    m0="λ",
    L0="λ + c/δ, ∞ at δ = 0",
)
