"""SEA, the shifted Euler method with additive noise (Foster et al., arXiv 2210.17543): of the methods with one evaluation and strong
order 1 that with the least error."""

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral, TimeIntegral
from dlab.schemes.base import Scheme
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    h = t - t_next
    whole, area = noise.draw(Integral(), TimeIntegral())
    return {"drift": h * drift(field, t, x + area / h), "noise": whole}


SCHEME = Scheme(
    name="SEA",
    title="Shifted Euler (SEA)",
    parts=parts,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula((
        r"x^+ = x + \drift{«h»\,\gamma(t_n, x + \tfrac1h I_{10})} + \noise{\Delta W},\quad I_{10} = \textstyle\int_0^h W_u\,du",
    )),
    style=Style(light="#055866", dark="#5EE1FE", marker="triangle-left", dash="solid"),
)  # fmt: skip
