"""EM, Euler-Maruyama ([YY] sec. 3.1, Theorem 1)."""

import math

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme, Theorem
from dlab.schemes.formula import Formula, digits
from dlab.theory import Constants


def parts(field, t, t_next, x, noise):
    return {"drift": (t - t_next) * drift(field, t, x), "noise": noise.draw(Integral())}


def constants(m_min, L_max, L_F, d, h):
    gap = m_min - 0.5
    return Constants(c1=(L_max + 0.5) / gap, h_factor=math.sqrt(d * h), c2=1 / gap)


def expansion(v, J1, J2, J3, J4):
    return -(v**2) * (J1 / 4 + J2 / 2 - J3), -v * J1 / 8


THEOREM = Theorem(
    "Theorem 1", 0.5, constants,
    printed=(r"\frac{L_{\max}+\frac12}{m_{\min}-\frac12}", r"\sqrt{dh}", r"\frac{1}{m_{\min}-\frac12}"),
)  # fmt: skip

SCHEME = Scheme(
    name="EM",
    title="Euler–Maruyama",
    family="paper",
    parts=parts,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula(
        (r"x^+ = x + \drift{«h»\,\gamma(t_n, x)} + \noise{«I(0,1)»}",),
        {"I(0,1)": lambda h: rf"{digits(math.sqrt(h))}\,Z"},
    ),
    style=Style(light="#0B5AA0", dark="#3D8BFF", marker="circle", dash="solid"),
    theorem=THEOREM,
    expansion=expansion,
)
