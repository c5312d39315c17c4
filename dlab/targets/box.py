"""Box target: compact support. Each coordinate is uniform on [-half, half], or a Gaussian of precision lam cut off there."""

import jax.numpy as jnp

from dlab import params
from dlab.params import Knob
from dlab.targets.base import Fact, Regions, TargetEntry, infinite
from dlab.targets.pieces import Pieces, PiecesLine

EDGE = "the density ends at an edge"
MIDPOINT = (
    "W₂ is infinite: the random midpoint takes the score at times t arbitrarily close to 0, where it is as large as "
    "(distance from the box)/t, and 1/t has no mean."
)


def from_spec(spec: dict) -> Pieces:
    params.require("target", spec, ("half",))
    half = params.number("target.half", spec["half"], 0.05, 50.0)
    lam = params.number("target.lam", spec.get("lam", 0.0), 0.0, 1e2)
    line = PiecesLine(jnp.asarray(lam), jnp.zeros(1), jnp.asarray([-half, half]))
    m0 = Fact(lam, "closed form, inside the box") if lam else Fact(0.0, "closed form: flat inside the box")
    regions = Regions(0, (-half, half), ("left of the box", "in the box", "right of the box"))
    return Pieces(line, m0, infinite(EDGE), infinite(EDGE), regions, MIDPOINT)


ENTRY = TargetEntry(
    name="box",
    title="Box (compact support)",
    formula=r"p_0 \propto \prod_i e^{-\frac{\lambda}{2} u_i^2}\,1_{[-b,b]}(u_i)",
    keys=("half", "lam"),
    from_spec=from_spec,
    knobs=(
        Knob("half", "Half width b", 1.0, 0.25, 6.0, 0.25, "The density is zero outside [−b, b]."),
        Knob("lam", "Curvature λ inside", 0.0, 0.0, 4.0, 0.1, "0: uniform; else a Gaussian cut off at the edges. m₀ = λ, L₀ = ∞."),
    ),
    from_knobs=lambda knobs: {"name": "box", "half": knobs["half"], "lam": knobs["lam"]},
    to_knobs=lambda spec: {"lam": 0.0, **spec},
    m0="λ",
    L0="∞",
)
