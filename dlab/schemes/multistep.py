"""What the two-step methods in x0 form share: the slope of the denoised point in lambda, from the step before."""

import jax.numpy as jnp

from dlab.schemes.coordinates import log_snr


def bend(t, t_next, old, x0, x0_old):
    """(x0 - x0_old) h / (2 h_old), (n, d): 0 in the first step and in one down to 0, where h is infinite and the method falls back to
    its first order."""
    ahead, behind = log_snr(t_next) - log_snr(t), log_snr(t) - log_snr(old)
    ratio = jnp.where(t_next > 0, jnp.where(jnp.isinf(ahead), 0.0, ahead) / behind, 0.0)
    return ratio / 2 * (x0 - x0_old)
