"""SRA3, the stochastic Runge-Kutta method for additive noise of strong order 3/2, and of order 3 without noise (Roessler, SIAM J. Numer.
Anal. 48, 2010)."""

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral, TimeIntegral
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    h = t - t_next
    whole, area = noise.draw(Integral(), TimeIntegral())
    first = drift(field, t, x)
    second = drift(field, t_next, x + h * first)
    third = drift(field, t - h / 2, x + h / 4 * (first + second) + 1.5 * area / h)
    return {"drift": h * (first + second + 4 * third) / 6, "noise": whole}


SCHEME = Scheme(
    name="SRA3",
    title="Stochastic Runge–Kutta SRA3",
    parts=parts,
    score_evals=3,
    strong_order=1.5,
    law_order=2.0,
    formula=Formula((
        r"y_1 = x + «h»\,\gamma(t_n, x)",
        r"y_2 = x + \tfrac14«h»\big(\gamma(t_n, x) + \gamma(t_{n+1}, y_1)\big) + \noise{\tfrac{3}{2h} I_{10}}",
        r"x^+ = x + \drift{\tfrac{«h»}{6}\big(\gamma(t_n, x) + \gamma(t_{n+1}, y_1) + 4\,\gamma(t_n - \tfrac12«h», y_2)\big)}"
        r" + \noise{\Delta W}",
    )),
    style=Style(light="#AC0469", dark="#FFADCF", marker="triangle-down", dash="solid"),
)  # fmt: skip
