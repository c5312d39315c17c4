"""Euler-Maruyama in a schedule's own time, dt = beta(s) ds, with beta frozen at the step's start, as it is often programmed.

On a grid without a schedule of its own it is EM.
"""

import jax.numpy as jnp

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    rate = noise.clock
    return {"drift": rate * (t - t_next) * drift(field, t, x), "noise": jnp.sqrt(rate) * noise.draw(Integral())}


SCHEME = Scheme(
    name="EM-FROZEN",
    title="Euler–Maruyama, β frozen",
    parts=parts,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula((r"x^+ = x + \drift{\beta(s_n)\,\Delta s\;\gamma(t_n, x)} + \noise{\sqrt{\beta(s_n)\,\Delta s}\;Z}",)),
    style=Style(light="#05869B", dark="#06ABC6", marker="triangle-up", dash="longdash"),
)
