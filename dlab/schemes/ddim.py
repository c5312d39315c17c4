"""DDIM: Euler's method for the flow in sigma, x0 frozen (Song et al. 2021; Euler of Karras et al. 2022, DPM-Solver-1)."""

from dlab.look import Style
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import pull, sigma, towards
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    return {"drift": towards(t, t_next, x, 1 - sigma(t_next) / sigma(t), pull(field, t, x))}


SCHEME = Scheme(
    name="DDIM",
    title="DDIM (Euler in σ)",
    parts=parts,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula((r"z^+ = \drift{\tfrac{\sigma'}{\sigma}\,z + (1-\tfrac{\sigma'}{\sigma})\,x_0(t_n, z)}",)),
    style=Style(light="#506E01", dark="#98C52B", marker="square", dash="dash"),
    family="ODE",
    dynamics="ODE",
)
