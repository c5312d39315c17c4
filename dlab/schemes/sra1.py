"""SRA1, the stochastic Runge-Kutta method of strong order 3/2 for additive noise (Roessler, SIAM J. Numer. Anal. 48, 2010)."""

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral, TimeIntegral
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    h = t - t_next
    whole, area = noise.draw(Integral(), TimeIntegral())
    first = drift(field, t, x)
    second = drift(field, t - 0.75 * h, x + 0.75 * h * first + 1.5 * area / h)
    return {"drift": h * (first + 2 * second) / 3, "noise": whole}


SCHEME = Scheme(
    name="SRA1",
    title="Stochastic Runge–Kutta SRA1",
    parts=parts,
    score_evals=2,
    strong_order=1.5,
    law_order=2.0,
    formula=Formula((
        r"y = x + \tfrac34«h»\,\gamma(t_n, x) + \noise{\tfrac{3}{2h} I_{10}}",
        r"x^+ = x + \drift{«h»\big(\tfrac13\gamma(t_n, x) + \tfrac23\gamma(t_n - \tfrac34«h», y)\big)} + \noise{\Delta W}",
    )),
    style=Style(light="#CF2683", dark="#FF7BB8", marker="star", dash="solid"),
)  # fmt: skip
