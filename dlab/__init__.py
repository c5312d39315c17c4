"""Diffusion convergence lab: how fast a sampler's law approaches its target, in W2."""

import jax

# Double precision is what the exact laws and the oracle are worth; a step costs little more.
jax.config.update("jax_enable_x64", True)

from dlab._version import __version__  # noqa: E402, F401
