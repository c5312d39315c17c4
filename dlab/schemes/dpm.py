"""DPM-Solver-2 and -3: exponential Runge-Kutta methods for the flow in lambda with eps interpolated (Lu et al. 2022).

A step down to sigma = 0 is infinitely long in lambda: there both fall back to their first order, DDIM.
"""

import jax.numpy as jnp

from dlab.look import Style
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import inside, sigma, time, unless_last
from dlab.schemes.formula import Formula


def _eps(field, t, z):
    """(z - x0)/sigma, (n, d)."""
    back = jnp.exp(-t / 2)
    return -sigma(t) * back * field.score(t, back * z)


def _in_z(step):
    """The parts of a step that is written in z."""

    def parts(field, t, t_next, x, noise):
        z, late, back = jnp.exp(t / 2) * x, inside(t_next, t), jnp.exp(-t_next / 2)
        first = _eps(field, t, z)
        moved = unless_last(t_next, step(field, t, late, z, first), z + (sigma(t_next) - sigma(t)) * first)
        return {"drift": back * moved - x}

    return parts


def _second(field, t, t_next, z, first):
    stage = jnp.sqrt(sigma(t) * sigma(t_next))
    middle = _eps(field, time(stage), z + (stage - sigma(t)) * first)
    return z + (sigma(t_next) - sigma(t)) * middle


def _third(field, t, t_next, z, first):
    h, a, b = jnp.log(sigma(t) / sigma(t_next)), 1 / 3, 2 / 3
    one, two = sigma(t) * jnp.exp(-a * h), sigma(t) * jnp.exp(-b * h)
    e1 = _eps(field, time(one), z + (one - sigma(t)) * first) - first
    e2 = _eps(field, time(two), z + (two - sigma(t)) * first - two * b / a * (jnp.expm1(b * h) / (b * h) - 1) * e1) - first
    return z + (sigma(t_next) - sigma(t)) * first - sigma(t_next) / b * (jnp.expm1(h) / h - 1) * e2


SECOND = Scheme(
    name="DPM2",
    title="DPM-Solver-2",
    parts=_in_z(_second),
    score_evals=2,
    strong_order=2.0,
    law_order=2.0,
    formula=Formula((
        r"u = z + (\sigma_m-\sigma)\,\epsilon(t_n, z),\quad \sigma_m = \sqrt{\sigma\sigma'}",
        r"z^+ = z + \drift{(\sigma'-\sigma)\,\epsilon(t_m, u)}",
    )),
    style=Style(light="#5F8101", dark="#82AF09", marker="pentagon", dash="dash"),
    family="ODE",
    dynamics="ODE",
)  # fmt: skip

THIRD = Scheme(
    name="DPM3",
    title="DPM-Solver-3",
    parts=_in_z(_third),
    score_evals=3,
    strong_order=3.0,
    law_order=3.0,
    formula=Formula((
        r"u_1,\ u_2:\ \text{stages at } \lambda+\tfrac h3,\ \lambda+\tfrac{2h}3,\quad D_2 = \epsilon(t_2, u_2) - \epsilon(t_n, z)",
        r"z^+ = z + \drift{(\sigma'-\sigma)\,\epsilon(t_n, z) - \tfrac32\sigma'\big(\tfrac{e^h-1}{h}-1\big) D_2}",
    )),
    style=Style(light="#425B02", dark="#AFDB44", marker="hexagon", dash="dash"),
    family="ODE",
    dynamics="ODE",
)  # fmt: skip
