"""DPM-Solver++(2M SDE) of k-diffusion ("DPM++ 2M SDE"): two-step Adams in x0 form with the noise of DDPM (Lu et al. 2022)."""

from dlab.look import Style
from dlab.noise import Bridge
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import denoised, mixed, tau
from dlab.schemes.formula import Formula
from dlab.schemes.multistep import bend


def parts(field, t, t_next, x, noise, history):
    x0, (old, *_), (x0_old,) = denoised(field, t, x), history.times, history.values
    led = mixed(t, t_next, x, 1 - tau(t_next) / tau(t), x0 + bend(t, t_next, old, x0, x0_old))
    return {"drift": led - x, "noise": noise.draw(Bridge(t=t))}, (x0,)


SCHEME = Scheme(
    name="2M-SDE",
    title="DPM-Solver++ (2M SDE)",
    parts=parts,
    strong_order=1.0,
    law_order=2.0,
    formula=Formula((
        r"z^+ = \drift{\tfrac{\tau'}{\tau}\,z + (1-\tfrac{\tau'}{\tau})\big(x_0 + \tfrac{h}{2h_-}(x_0 - x_0^-)\big)}"
        r" + \noise{\sqrt{\tau'(\tau-\tau')/\tau}\;Z}",
    )),
    style=Style(light="#880329", dark="#FDDADA", marker="triangle-right", dash="solid"),
    history=1,
)  # fmt: skip
