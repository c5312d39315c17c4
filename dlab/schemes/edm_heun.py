"""Heun's method for the flow in sigma (Karras et al. 2022, algorithm 1); its last step, down to 0, is Euler's: x0 is not known there."""

import jax.numpy as jnp

from dlab.look import Style
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import inside, pull, sigma, towards, unless_last
from dlab.schemes.formula import Formula


def heun(field, t, t_next, x):
    """The displacement of a step from t to t_next, (n, d)."""
    pulled, share = pull(field, t, x), 1 - sigma(t_next) / sigma(t)
    euler = towards(t, t_next, x, share, pulled)
    late = inside(t_next, t)
    y = x + towards(t, late, x, 1 - sigma(late) / sigma(t), pulled)
    second = (sigma(t) / sigma(late) - 1) * pull(field, late, y)
    half = jnp.expm1((t - t_next) / 2) * x + (jnp.exp((t - t_next) / 2) * share * pulled + second) / 2
    return unless_last(t_next, half, euler)


def parts(field, t, t_next, x, noise):
    return {"drift": heun(field, t, t_next, x)}


SCHEME = Scheme(
    name="EDM-HEUN",
    title="Heun in σ (EDM)",
    parts=parts,
    score_evals=2,
    strong_order=2.0,
    law_order=2.0,
    formula=Formula((
        r"y = z + (\sigma'-\sigma)\,d,\quad d = \tfrac{z - x_0(t_n, z)}{\sigma},\quad d' = \tfrac{y - x_0(t_{n+1}, y)}{\sigma'}",
        r"z^+ = z + \drift{\tfrac12(\sigma'-\sigma)(d + d')}",
    )),
    style=Style(light="#344902", dark="#C6F25B", marker="diamond", dash="dash"),
    family="ODE",
    dynamics="ODE",
)  # fmt: skip
