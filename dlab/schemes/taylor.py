"""The Ito-Taylor method of strong order 3/2. It needs no third derivative: along this reverse process the generator takes the drift to
x/4, and what is left of the fluctuation is L applied to the time integral of the Brownian motion."""

from dlab.look import Style
from dlab.noise import Integral, TimeIntegral
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    h = t - t_next
    s, L, M = field.local(t, x)
    whole, area = noise.draw(Integral(), TimeIntegral())
    gamma = x / 2 + s
    # M + L gamma is x/4 with an exact score; where errors are injected, L and M carry their own.
    return {"drift": h * gamma, "second order": L.apply(area + h**2 / 2 * gamma) + h**2 / 2 * M, "noise": whole}


SCHEME = Scheme(
    name="TAYLOR",
    title="Itô–Taylor 1.5",
    parts=parts,
    hessian_evals=1,
    strong_order=1.5,
    law_order=2.0,
    formula=Formula((
        r"x^+ = x + \drift{«h»\,\gamma(t_n, x)} + \second{L\,I_{10} + \tfrac{«h»^2}{8}\,x} + \noise{\Delta W}",
    )),
    style=Style(light="#0B7689", dark="#03BEDC", marker="x", dash="solid"),
)  # fmt: skip
