"""The clocks and coordinates in which the samplers of practice are written, in terms of the lab's.

z = e^{t/2} x has noise of standard deviation sigma = sqrt(e^t - 1), tau = sigma^2, and lambda = -log sigma is half the log-SNR. The
denoised x0 = z + tau s_z = e^{t/2} (x + `pull`); eps = (z - x0) / sigma is the same number in x and in z.
"""

import jax.numpy as jnp

from dlab.process import variance


def tau(t):
    return jnp.expm1(t)


def sigma(t):
    return jnp.sqrt(jnp.expm1(t))


def log_snr(t):
    """lambda; minus infinity at t = infinity, where a history begins."""
    return -0.5 * jnp.log(jnp.where(jnp.isinf(t), jnp.inf, jnp.expm1(jnp.where(jnp.isinf(t), 1.0, t))))


def time(sigma):
    return jnp.log1p(sigma**2)


def pull(field, t, x):
    """e^{-t/2} (x0 - z): from x towards the denoised point, (n, d)."""
    return variance(t) * field.score(t, x)


def denoised(field, t, x):
    """x0, (n, d)."""
    return jnp.exp(t / 2) * (x + pull(field, t, x))


def towards(t, t_next, x, share, pulled):
    """The displacement of x where z goes this share of the way to x0: z' = z + share (x0 - z), (n, d)."""
    return jnp.expm1((t - t_next) / 2) * x + jnp.exp((t - t_next) / 2) * share * pulled


def mixed(t, t_next, x, share, x0):
    """x, (n, d), where z goes this share of the way to a point x0, which need not be its own denoised one: z' = z + share (x0 - z)."""
    return jnp.exp((t - t_next) / 2) * (1 - share) * x + jnp.exp(-t_next / 2) * share * x0


def inside(t_next, t):
    """t_next, or where that is 0 a time at which every target has a score, for a value that is then thrown away."""
    return jnp.where(t_next > 0, t_next, t / 2)


def unless_last(t_next, value, last):
    """value, or `last` in a step down to 0."""
    return jnp.where(t_next > 0, value, last)
