"""SO, the second-order Hessian scheme ([YY] sec. 4, Theorem 4).

The long form is kept although with an exact score it collapses to x + h gamma + h^2/4 phi2(hL) x +
I(L,1): when an error is injected, L and M carry errors of their own and M must not be rebuilt from
a wrong score.
"""

import math
from dataclasses import replace

import jax.numpy as jnp

from dlab.linop import Products, phi1, phi2
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme, Theorem
from dlab.schemes.formula import Formula, digits
from dlab.theory import Constants


def parts(field, t, t_next, x, noise):
    h = t - t_next
    s, L, M = field.local(t, x)
    if isinstance(L, Products):
        return _by_products(h, x, s, L, M, noise)
    moved = L.map(lambda a: h * phi1(h * a), x / 2 + s)
    bent = L.map(lambda a: h**2 * phi2(h * a), M)
    return {"drift": moved, "second order": bent, "noise": noise.draw(Integral(L))}


def _by_products(h, x, s, L, M, noise):
    """The same step with one function of L instead of two, as phi1(z) = 1 + z phi2(z): the parts are then EM's drift and
    all that SO adds to it. Errors are measured by the step's own noise, the root of h d."""
    L = replace(L, size=jnp.sqrt(h * x.shape[-1]))
    gamma, moved = x / 2 + s, noise.draw(Integral(L))
    # One after the other, so that both have their basis in the same memory: XLA keeps no weaker order.
    bent = replace(L, begun=None).map(lambda a: h**2 * phi2(h * a), L.difference(gamma, M) + 0 * moved)
    return {"drift": h * gamma, "second order": bent, "noise": moved, "spent": L.spent}


def constants(m_min, L_max, L_F, d, h):
    gap = m_min - 0.5
    growth = math.exp((L_max - 0.5) * h)
    c2 = growth / gap
    return Constants(
        c1=None if L_F is None else growth * math.sqrt(d) * (L_max**1.5 + math.sqrt(2) * L_F / 4) / gap,
        h_factor=h,
        c2=c2,
        c2_hessian=c2 * 2 / 3 * math.sqrt(h * d),
        c2_drift=c2 * h / 2,
    )


def expansion(v, J1, J2, J3, J4):
    return -2 / 3 * v**2 * (J3 - J4), -v * J2 / 24


THEOREM = Theorem(
    "Theorem 4", 1.0, constants,
    printed=(
        r"e^{(L_{\max}-\frac12)h}\,\frac{\sqrt d\,(L_{\max}^{3/2}+\frac{\sqrt2}{4}L_F)}{m_{\min}-\frac12}",
        "h", r"\frac{e^{(L_{\max}-\frac12)h}}{m_{\min}-\frac12}",
    ),
    error=r"(\varepsilon + \tfrac23\sqrt{hd}\,\varepsilon_L + \tfrac12 h\,\varepsilon_M)",
)  # fmt: skip

SCHEME = Scheme(
    name="SO",
    title="Second order (Hessian)",
    family="paper",
    parts=parts,
    score_evals=1,
    hessian_evals=1,
    strong_order=1.5,
    law_order=2.0,
    formula=Formula(
        (
            r"x^+ = x + \drift{«h»\,\varphi_1(«h»L)\,\gamma(t_n, x)} + \second{«h^2»\,\varphi_2(«h»L)\,M} + \noise{«I(L,1)»}",
        ),
        {
            "h^2": lambda h: h**2,
            "I(L,1)": lambda h: rf"\sqrt{{{digits(h)}\,\varphi_1({digits(2 * h)}L)}}\,Z",
        },
    ),
    style=Style(light="#1F9A77", dark="#6FD0AB", marker="diamond", dash="solid"),
    theorem=THEOREM,
    expansion=expansion,
)
