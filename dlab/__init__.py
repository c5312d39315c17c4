"""Diffusion convergence lab: how fast a sampler's law approaches its target, in W2.

[YY] in docstrings and comments is the paper whose schemes and theorems the lab measures: Yu and Yu, arXiv 2502.04849.
"""

import os

# With more threads XLA may take sums in another order: one, so that a number is the same wherever it is computed. It is read when the
# first program is compiled.
if "xla_cpu_multi_thread_eigen" not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=false {os.environ.get('XLA_FLAGS', '')}".strip()

import jax

# Double precision is what the exact laws and the oracle are worth; a step costs little more.
jax.config.update("jax_enable_x64", True)

from dlab._version import __version__  # noqa: E402, F401

NOTEBOOK = ("show", "arun", "rows")  # what `dlab.notebook` has for notebooks


def __getattr__(name):
    # Imported when it is asked for: a run in the shell or a worker draws nothing.
    if name in NOTEBOOK:
        from importlib import import_module

        return getattr(import_module("dlab.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
