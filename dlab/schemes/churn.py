"""The stochastic sampler of EDM (Karras et al. 2022, algorithm 2): a little noise is added before each step of Heun's method in sigma.

Heat and the exact flow compose exactly, so the law has the order of the flow's step whatever the noise.
"""

import math

import jax.numpy as jnp

from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Option, Scheme
from dlab.schemes.coordinates import sigma, tau, time
from dlab.schemes.edm_heun import heun
from dlab.schemes.formula import Formula

CHURN = Option(
    "churn", 10.0, 0.0, 1000.0, "Churn S",
    "S_churn of EDM: before each of N steps σ grows by the factor 1 + min(S/N, √2 − 1). 0 is the flow.",
    (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0), of=lambda value, steps: min(value / steps, math.sqrt(2) - 1),
)  # fmt: skip


def parts(field, t, t_next, x, noise, value):
    raised = time(sigma(t) * (1 + value))
    # Per unit of the increment's own deviation, so that runs of other step counts may share a path.
    added = jnp.exp(-t / 2) * jnp.sqrt(tau(t) * (2 * value + value**2) / (t - t_next)) * noise.draw(Integral())
    y = jnp.exp((t - raised) / 2) * (x + added)
    return {"drift": y + heun(field, raised, t_next, y) - x - added, "noise": added}


SCHEME = Scheme(
    name="CHURN",
    title="EDM with churn",
    parts=parts,
    score_evals=2,
    strong_order=1.0,
    law_order=2.0,
    formula=Formula((
        r"\hat\sigma = (1+g)\,\sigma,\quad \hat z = z + \noise{\sqrt{\hat\sigma^2-\sigma^2}\;Z},\quad g = \min(S/N, \sqrt2-1)",
        r"z^+ = \drift{\text{a step of Heun's method from } (\hat\sigma, \hat z) \text{ to } \sigma'}",
    )),
    style=Style(light="#C00B76", dark="#FE96C3", marker="star", dash="longdash"),
    dynamics="own",
    option=CHURN,
)  # fmt: skip
