"""Euler-Maruyama in the coordinate z = e^{t/2} x and its clock tau (VE): the mean of DDPM with the reverse SDE's own noise."""

from dlab import linop
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import pull, tau, towards
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    share = 1 - tau(t_next) / tau(t)
    return {"drift": towards(t, t_next, x, share, pull(field, t, x)), "noise": noise.draw(Integral(linop.HALF))}


SCHEME = Scheme(
    name="VE-EM",
    title="Euler–Maruyama, VE coordinate",
    parts=parts,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula((r"z^+ = z + \drift{(\tau-\tau')\,s_z(t_n, z)} + \noise{\sqrt{\tau-\tau'}\;Z}",)),
    style=Style(light="#006778", dark="#1CD0F0", marker="square", dash="solid"),
)
