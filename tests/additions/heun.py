"""Stochastic Heun: the trapezoidal rule for the drift. No theorem of the paper covers it."""

import math

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula, digits


def parts(field, t, t_next, x, noise):
    h, first, moved = t - t_next, drift(field, t, x), noise.draw(Integral())
    return {"drift": h / 2 * (first + drift(field, t_next, x + h * first + moved)), "noise": moved}


SCHEME = Scheme(
    name="HEUN",
    title="Stochastic Heun",
    parts=parts,
    score_evals=2,
    strong_order=1.0,
    law_order=2.0,
    formula=Formula(
        (
            r"y = x + \drift{«h»\,\gamma(t_n, x)} + \noise{«I(0,1)»}",
            r"x^+ = x + \drift{«h/2»\,(\gamma(t_n, x) + \gamma(t_n - «h», y))} + \noise{«I(0,1)»}",
        ),
        {"h/2": lambda h: h / 2, "I(0,1)": lambda h: rf"{digits(math.sqrt(h))}\,Z"},
    ),
    style=Style("#8B5E00", "#C9A227", "star", "dot"),
)
