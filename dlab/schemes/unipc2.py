"""UniPC of order 2, B(h) = e^{-h} - 1, in x0 form (Zhao et al. 2023, as diffusers has it): the step of DPM-Solver++(2M), and in the
next one, when the score is known where it led, a correction at no further evaluation. With it the order is 3."""

import jax.numpy as jnp

from dlab.look import Style
from dlab.schemes.base import Scheme
from dlab.schemes.coordinates import denoised, log_snr, mixed, sigma
from dlab.schemes.formula import Formula
from dlab.schemes.multistep import bend


def _corrected(t, x, x0, history):
    """x (n, d) with what the score at it says of the step that led to it."""
    (old, older), (z_old, x0_old, x0_older) = history.times, history.values
    begun, second = ~jnp.isinf(old), ~jnp.isinf(older)
    old = jnp.where(begun, old, t + 1.0)
    older = jnp.where(second, older, old + 1.0)  # never old itself: what is not used may still be no NaN
    h, share = log_snr(t) - log_snr(old), 1 - sigma(t) / sigma(old)
    r = (log_snr(older) - log_snr(old)) / h
    # Both conditions of order 2; in the second step of a run the point before the last is not known and the first is met alone.
    one = -1 / h + 1 / share
    two = 2 * (-one / h + 1 / (2 * share))
    own = jnp.where(second, one - (one - two) / (1 - r), 0.5)
    past = jnp.where(second, (one - two) / (1 - r), 0.0)
    z = (1 - share) * z_old + share * (x0_old + past * (x0_older - x0_old) / r + own * (x0 - x0_old))
    return jnp.where(begun, jnp.exp(-t / 2) * z, x)


def parts(field, t, t_next, x, noise, history):
    x0, old = denoised(field, t, x), history.times[0]
    corrected, x0_old = _corrected(t, x, x0, history), history.values[1]
    moved = mixed(t, t_next, corrected, 1 - sigma(t_next) / sigma(t), x0 + bend(t, t_next, old, x0, x0_old))
    return {"drift": moved - x}, (jnp.exp(t / 2) * corrected, x0, x0_old)


SCHEME = Scheme(
    name="UNIPC2",
    title="UniPC, order 2",
    parts=parts,
    strong_order=3.0,
    law_order=3.0,
    formula=Formula((
        r"z \leftarrow \tfrac{\sigma}{\sigma_-}z_- + (1-\tfrac{\sigma}{\sigma_-})"
        r"\big(x_0^- + \rho_1\tfrac{x_0^{--}-x_0^-}{r} + \rho_2(x_0-x_0^-)\big)",
        r"z^+ = \drift{\tfrac{\sigma'}{\sigma}\,z + (1-\tfrac{\sigma'}{\sigma})\big(x_0 + \tfrac{h}{2h_-}(x_0 - x_0^-)\big)}",
    )),
    style=Style(light="#C80740", dark="#FE9A9F", marker="cross", dash="dash"),
    family="ODE",
    dynamics="ODE",
    history=3,
)  # fmt: skip
