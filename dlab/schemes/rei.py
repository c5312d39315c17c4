"""REI, the randomised midpoint exponential integrator ([YY] sec. 3.2, Theorem 3)."""

import math

import jax.numpy as jnp

from dlab import linop
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme, Theorem
from dlab.schemes.formula import Formula, digits
from dlab.theory import Constants


def parts(field, t, t_next, x, noise):
    h = t - t_next
    part = noise.u * h
    early, whole = noise.draw(Integral(linop.HALF, noise.u), Integral(linop.HALF))
    y = jnp.exp(part / 2) * x + 2 * jnp.expm1(part / 2) * field.score(t, x) + early
    late = h * jnp.exp((h - part) / 2) * field.score(t - part, y)
    return {"drift": jnp.expm1(h / 2) * x + late, "noise": whole, "midpoint": y}


def constants(m_min, L_max, L_F, d, h):
    gap = m_min - 0.5
    return Constants(c1=math.sqrt(d / 3) * L_max / gap, h_factor=math.sqrt(h), c2=3 / gap)


THEOREM = Theorem(
    "Theorem 3", 0.5, constants,
    printed=(r"\frac{\sqrt{d/3}\,L_{\max}}{m_{\min}-\frac12}", r"\sqrt h", r"\frac{3}{m_{\min}-\frac12}"),
)  # fmt: skip

SCHEME = Scheme(
    name="REI",
    title="Randomised midpoint (exponential)",
    family="paper",
    parts=parts,
    score_evals=2,
    randomised=True,
    strong_order=1.0,
    law_order=2.0,
    formula=Formula(
        (
            r"\midpoint{y} = \midpoint{e^{«Uh/2»}\,x + 2(e^{«Uh/2»}-1)\,s(t_n, x)} + \noise{«I(\tfrac12,U)»}",
            r"x^+ = \drift{«e^{h/2}»\,x + «h»\,e^{«(1-U)h/2»}\,s(t_n - «Uh», \midpoint{y})} + \noise{«I(\tfrac12,1)»}",
        ),
        {
            "Uh": lambda h: rf"{digits(h)}\,U",
            "Uh/2": lambda h: rf"{digits(h / 2)}\,U",
            "(1-U)h/2": lambda h: rf"{digits(h / 2)}\,(1-U)",
            "e^{h/2}": lambda h: math.exp(h / 2),
            r"I(\tfrac12,U)": lambda h: rf"\sqrt{{e^{{{digits(h)}\,U}}-1}}\,Z_1",
            r"I(\tfrac12,1)": lambda h: rf"e^{{{digits(h / 2)}\,(1-U)}}\,\sqrt{{e^{{{digits(h)}\,U}}-1}}\,Z_1"
            rf" + \sqrt{{e^{{{digits(h)}\,(1-U)}}-1}}\,Z_2",
        },
    ),
    style=Style(light="#6E4E00", dark="#F0C84A", marker="triangle-down", dash="longdash"),
    theorem=THEOREM,
)
