"""OC, DDPM with the optimal covariance: the mean and the covariance of X_t' given X_t, both exact (Bao et al. 2022; arXiv 2406.10808).

The covariance of the posterior is (sigma/alpha)^2 (I + sigma^2 Hess log p_t), so a Gaussian target is sampled without any error.
"""

import jax.numpy as jnp

from dlab.look import Style
from dlab.noise import Integral
from dlab.process import variance
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import tau, towards
from dlab.schemes.formula import Formula


def parts(field, t, t_next, x, noise):
    h = t - t_next
    s, L, _ = field.local(t, x)
    share = 1 - tau(t_next) / tau(t)

    def root(a):
        """Of the covariance, over that of the increment, at an eigenvalue a of L = I/2 + H; H is at least -1/sigma^2."""
        spread = tau(t_next) + (tau(t) - tau(t_next)) * (1 + variance(t) * (a - 0.5))
        return jnp.sqrt(jnp.maximum(jnp.exp(-t_next) * share * spread, 0.0) / h)

    return {"drift": towards(t, t_next, x, share, variance(t) * s), "noise": L.map(root, noise.draw(Integral()))}


SCHEME = Scheme(
    name="OC",
    title="DDPM, optimal covariance",
    parts=parts,
    hessian_evals=1,
    strong_order=1.0,
    law_order=2.0,
    formula=Formula((
        r"z^+ = \drift{\tfrac{\tau'}{\tau}\,z + (1-\tfrac{\tau'}{\tau})\,x_0}"
        r" + \noise{\Big(\tfrac{\tau'(\tau-\tau')}{\tau} I + (1-\tfrac{\tau'}{\tau})^2\,\mathrm{Cov}(x_0\mid z)\Big)^{1/2} Z}",
    )),
    style=Style(light="#074955", dark="#A9EDFF", marker="diamond", dash="longdash"),
)  # fmt: skip
