"""The stochastic Heun method: the drift's mean of both ends of a step, on the same noise."""

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    h, moved = t - t_next, noise.draw(Integral())
    first = drift(field, t, x)
    return {"drift": h / 2 * (first + drift(field, t_next, x + h * first + moved)), "noise": moved}


SCHEME = Scheme(
    name="SHEUN",
    title="Stochastic Heun",
    parts=parts,
    score_evals=2,
    strong_order=1.0,
    law_order=2.0,
    formula=Formula((
        r"y = x + «h»\,\gamma(t_n, x) + \noise{\Delta W}",
        r"x^+ = x + \drift{\tfrac{«h»}{2}\big(\gamma(t_n, x) + \gamma(t_{n+1}, y)\big)} + \noise{\Delta W}",
    )),
    style=Style(light="#EC489C", dark="#F04B9F", marker="pentagon", dash="solid"),
)  # fmt: skip
