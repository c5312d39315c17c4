"""Euler's method for the probability-flow ODE x' = (x + s)/2 in t."""

from dlab.look import Style
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    return {"drift": (t - t_next) / 2 * (x + field.score(t, x))}


SCHEME = Scheme(
    name="PF-EULER",
    title="Probability flow, Euler",
    parts=parts,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula((r"x^+ = x + \drift{\tfrac{«h»}{2}\big(x + s(t_n, x)\big)}",)),
    style=Style(light="#6E9505", dark="#709805", marker="circle", dash="dash"),
    family="ODE",
    dynamics="ODE",
)
