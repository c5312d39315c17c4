"""DPM-Solver++(2M): two-step Adams in x0 form for the flow ("DPM++ 2M"; Lu et al. 2022)."""

from dlab.look import Style
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import denoised, mixed, sigma
from dlab.schemes.formula import Formula
from dlab.schemes.multistep import bend


def parts(field, t, t_next, x, noise, history):
    x0, (old, *_), (x0_old,) = denoised(field, t, x), history.times, history.values
    led = mixed(t, t_next, x, 1 - sigma(t_next) / sigma(t), x0 + bend(t, t_next, old, x0, x0_old))
    return {"drift": led - x}, (x0,)


SCHEME = Scheme(
    name="2M",
    title="DPM-Solver++ (2M)",
    parts=parts,
    strong_order=2.0,
    law_order=2.0,
    formula=Formula((
        r"z^+ = \drift{\tfrac{\sigma'}{\sigma}\,z + (1-\tfrac{\sigma'}{\sigma})\big(x_0 + \tfrac{h}{2h_-}(x_0 - x_0^-)\big)}",
    )),
    style=Style(light="#FA4160", dark="#FD4463", marker="triangle-down", dash="dash"),
    family="ODE",
    dynamics="ODE",
    history=1,
)  # fmt: skip
