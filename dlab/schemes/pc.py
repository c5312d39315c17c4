"""A predictor and a corrector: a step of Euler-Maruyama in the VE coordinate, then one Langevin step at the new time with the fixed
size e = tau' (tau - tau') / (2 tau). (Song et al. 2021 set e by a signal-to-noise ratio, which makes the step no affine map.)"""

import jax.numpy as jnp

from dlab.look import Style
from dlab.noise import Integral, TimeIntegral
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import inside, pull, tau, towards, unless_last
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    h, gap, late = t - t_next, tau(t) - tau(t_next), inside(t_next, t)
    whole, area = noise.draw(Integral(), TimeIntegral())
    # Two independent normals of the path, turned so that the sum of both noises is a multiple of its increment: of other step
    # counts the same path then leads nearby.
    one, two = whole / jnp.sqrt(h), jnp.sqrt(12 / h) * (area / h - whole / 2)
    size = tau(t_next) * gap / (2 * tau(t))
    first, second = jnp.sqrt(gap), jnp.sqrt(2 * size)
    length = jnp.sqrt(gap + 2 * size)
    back = jnp.exp(-t_next / 2)
    moved = back * first * (first * one - second * two) / length
    y = x + towards(t, t_next, x, 1 - tau(t_next) / tau(t), pull(field, t, x)) + moved
    step = jnp.where(t_next > 0, size / tau(late), 0.0) * unless_last(t_next, pull(field, late, y), 0.0)
    added = back * second * (second * one + first * two) / length
    return {"drift": y - x - moved + step, "noise": moved + added}


SCHEME = Scheme(
    name="PC",
    title="Predictor–corrector",
    parts=parts,
    score_evals=2,
    strong_order=1.0,
    law_order=1.0,
    formula=Formula((
        r"y = z + (\tau-\tau')\,s_z(t_n, z) + \noise{\sqrt{\tau-\tau'}\;Z_1},\quad e = \tfrac{\tau'(\tau-\tau')}{2\tau}",
        r"z^+ = y + \drift{e\,s_z(t_{n+1}, y)} + \noise{\sqrt{2e}\;Z_2}",
    )),
    style=Style(light="#97045C", dark="#FFC3DB", marker="cross", dash="longdash"),
    dynamics="own",
)  # fmt: skip
