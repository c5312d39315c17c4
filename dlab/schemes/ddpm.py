"""DDPM ancestral sampling: the exponential integrator with the denoised x0 frozen (Ho et al. 2020; Euler a, DDIM with eta = 1).

Its mean is E[X_t' | X_t], exact for every target, as the denoiser is a martingale along the reverse process; its noise is exact for a
point (v = 0), for N(0, vI), or that of the reverse SDE (v infinite), where the option `noise` is v.
"""

from dlab.look import Style
from dlab.noise import Bridge
from dlab.schemes.base import Option, Scheme
from dlab.schemes.coordinates import pull, tau, towards
from dlab.schemes.formula import Formula

NOISE = Option(
    "noise", 0.0, 0.0, float("inf"), "Noise v̂",
    "Variance of the data for which the noise of a step is exact: 0 is β̃ of DDPM, 1 is β, inf the reverse SDE's.",
    (0.0, 0.1, 0.3, 0.5, 1.0, 2.0, 5.0, float("inf")),
)  # fmt: skip


def parts(field, t, t_next, x, noise, value):
    share = 1 - tau(t_next) / tau(t)
    return {"drift": towards(t, t_next, x, share, pull(field, t, x)), "noise": noise.draw(Bridge(t=t, v=value))}


SCHEME = Scheme(
    name="DDPM",
    title="DDPM ancestral (Euler a)",
    parts=parts,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula((
        r"z^+ = \drift{\tfrac{\tau'}{\tau}\,z + (1-\tfrac{\tau'}{\tau})\,x_0(t_n, z)}"
        r" + \noise{\sqrt{(\tau-\tau')\tfrac{\hat v+\tau'}{\hat v+\tau}}\;Z}",
    )),
    style=Style(light="#1396AD", dark="#0899B1", marker="circle", dash="longdash"),
    option=NOISE,
)  # fmt: skip
