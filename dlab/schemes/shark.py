"""ShARK, the shifted additive-noise Runge-Kutta method of strong order 3/2 (Foster et al., arXiv 2210.17543)."""

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral, TimeIntegral
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    h = t - t_next
    whole, area = noise.draw(Integral(), TimeIntegral())
    levy = area / h - whole / 2
    first = drift(field, t, x + levy)
    second = drift(field, t - 5 / 6 * h, x + 5 / 6 * (h * first + whole) + levy)
    return {"drift": h * (0.4 * first + 0.6 * second), "noise": whole}


SCHEME = Scheme(
    name="SHARK",
    title="Shifted Runge–Kutta (ShARK)",
    parts=parts,
    score_evals=2,
    strong_order=1.5,
    law_order=2.0,
    formula=Formula((
        r"y_0 = x + \noise{H},\quad H = \tfrac1h I_{10} - \tfrac12\Delta W",
        r"y = x + \tfrac56\big(«h»\,\gamma(t_n, y_0) + \noise{\Delta W}\big) + \noise{H}",
        r"x^+ = x + \drift{«h»\big(\tfrac25\gamma(t_n, y_0) + \tfrac35\gamma(t_n - \tfrac56«h», y)\big)} + \noise{\Delta W}",
    )),
    style=Style(light="#83034F", dark="#FDD9E7", marker="hexagon", dash="solid"),
)  # fmt: skip
