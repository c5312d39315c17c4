"""EI, the exponential integrator ([YY] sec. 3.1, Theorem 1): exact in the linear part x/2."""

import math

import jax.numpy as jnp

from dlab import linop
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme, Theorem
from dlab.schemes.formula import Formula, digits
from dlab.theory import Constants


def parts(field, t, t_next, x, noise):
    grown = jnp.expm1((t - t_next) / 2)
    return {"drift": grown * (x + 2 * field.score(t, x)), "noise": noise.draw(Integral(linop.HALF))}


def constants(m_min, L_max, L_F, d, h):
    gap = m_min - 0.5
    return Constants(c1=L_max / gap, h_factor=math.sqrt(d * h), c2=1 / gap)


def expansion(v, J1, J2, J3, J4):
    return -(v**2) * (J2 / 2 - J3), 0.0


THEOREM = Theorem(
    "Theorem 1", 0.5, constants,
    printed=(r"\frac{L_{\max}}{m_{\min}-\frac12}", r"\sqrt{dh}", r"\frac{1}{m_{\min}-\frac12}"),
)  # fmt: skip

SCHEME = Scheme(
    name="EI",
    title="Exponential integrator",
    family="paper",
    parts=parts,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula(
        (r"x^+ = \drift{«e^{h/2}»\,x + «2(e^{h/2}-1)»\,s(t_n, x)} + \noise{«I(\tfrac12,1)»}",),
        {
            "e^{h/2}": lambda h: math.exp(h / 2),
            "2(e^{h/2}-1)": lambda h: 2 * math.expm1(h / 2),
            r"I(\tfrac12,1)": lambda h: rf"{digits(math.sqrt(math.expm1(h)))}\,Z",
        },
    ),
    style=Style(light="#9B63EE", dark="#D0AEFF", marker="square", dash="longdash"),
    theorem=THEOREM,
    expansion=expansion,
)
