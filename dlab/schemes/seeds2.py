"""SEEDS-2 with the stage at half the log-SNR step (arXiv 2305.14267): "DPM++ SDE" of k-diffusion with r = 1/2."""

import jax.numpy as jnp

from dlab.look import Style
from dlab.noise import Bridge
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import denoised, inside, mixed, pull, sigma, tau, time, towards, unless_last
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    stage = time(jnp.sqrt(sigma(t) * sigma(inside(t_next, t))))
    u, v = (t - stage) / (t - t_next), 0.0
    early, whole = noise.draw(Bridge(t=t, u=u, v=v), Bridge(t=t, v=v))
    pulled, share = pull(field, t, x), 1 - tau(t_next) / tau(t)
    y = x + towards(t, stage, x, 1 - tau(stage) / tau(t), pulled) + early
    late = mixed(t, t_next, x, share, denoised(field, stage, y)) - x
    return {"drift": unless_last(t_next, late, towards(t, t_next, x, share, pulled)), "noise": whole, "midpoint": y}


SCHEME = Scheme(
    name="SEEDS2",
    title="SEEDS-2 (DPM++ SDE)",
    parts=parts,
    score_evals=2,
    strong_order=1.0,
    law_order=2.0,
    formula=Formula((
        r"\midpoint{y} = \tfrac{\tau_m}{\tau}\,z + (1-\tfrac{\tau_m}{\tau})\,x_0(t_n, z) + \noise{Z_m},\quad \tau_m = \sqrt{\tau\tau'}",
        r"z^+ = \drift{\tfrac{\tau'}{\tau}\,z + (1-\tfrac{\tau'}{\tau})\,x_0(t_m, \midpoint{y})}"
        r" + \noise{\sqrt{\tau'(\tau-\tau')/\tau}\;Z}",
    )),
    style=Style(light="#DE388F", dark="#FF5DAD", marker="triangle-right", dash="longdash"),
)  # fmt: skip
