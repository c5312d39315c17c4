"""The forward process dX = -X/2 dt + dB and the time grid of its reversal ([YY] sec. 2).

X_t = a_t X_0 + sigma_t Z with a_t = exp(-t/2), sigma_t^2 = 1 - exp(-t). The reverse SDE runs from
t = T down to 0 in N = T/h equal steps with drift gamma(t, x) = x/2 + s(t, x).
"""

import math

import jax.numpy as jnp

from dlab.types import Time


def scale(t: Time):
    """a_t = exp(-t/2), the factor by which the data have shrunk at time t >= 0."""
    return jnp.exp(-t / 2)


def variance(t: Time):
    """sigma_t^2 = 1 - exp(-t), the variance of the added noise at time t >= 0."""
    return -jnp.expm1(-t)


def start_variance(start: str, T: float) -> float:
    """The variance of a start that knows nothing of the data: "paper" is sigma_T^2, which is N(0, sigma_max^2 I) in z; "vp" is 1."""
    return 1.0 if start == "vp" else -math.expm1(-T)


def step_count(T: float, h: float) -> int:
    """Number of steps N with N h = T.

    Raises ValueError unless T/h is whole to 1e-9: a remainder would leave noise of that
    variance in the samples.
    """
    ratio = T / h
    count = max(1, round(ratio))
    if abs(ratio - count) > 1e-9 * max(1.0, ratio):
        raise ValueError(
            f"h = {h:.12g} does not divide T = {T:.12g}: T/h = {ratio:.12g} is not whole; "
            f"the nearest valid step size is h = {T / count:.12g} (T/{count}), or give steps = [{count}] instead of h."
        )
    return count
