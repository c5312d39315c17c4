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


_of_jax = jax.tree_util.register_dataclass


def _register_dataclass(nodetype, data_fields=None, meta_fields=None, drop_fields=()):
    """As JAX's, with the class in the structure of its objects.

    jaxlib 0.10 takes the structures of two registered dataclasses for equal where their fields are, whatever their classes. Compiled code
    is looked up by structure, so about every hundredth time that of one class runs for another: fresh noise as a relative error.
    """
    if data_fields is None or meta_fields is None or drop_fields:  # none of the lab's
        return _of_jax(nodetype, data_fields, meta_fields, drop_fields)
    data, meta = tuple(data_fields), tuple(meta_fields)
    keys = [jax.tree_util.GetAttrKey(name) for name in data]

    def flatten(node):
        return [getattr(node, name) for name in data], tuple(getattr(node, name) for name in meta)

    def flatten_with_keys(node):
        children, rest = flatten(node)
        return list(zip(keys, children)), rest

    def unflatten(rest, children):
        return nodetype(**dict(zip(meta, rest)), **dict(zip(data, children)))

    jax.tree_util.register_pytree_with_keys(nodetype, flatten_with_keys, unflatten, flatten)
    return nodetype


# Here, before any module of the lab is read, so that each registers its classes by it.
jax.tree_util.register_dataclass = _register_dataclass

from dlab._version import __version__  # noqa: E402, F401

NOTEBOOK = ("show", "arun", "rows")  # what `dlab.notebook` has for notebooks


def __getattr__(name):
    # Imported when it is asked for: a run in the shell or a worker draws nothing.
    if name in NOTEBOOK:
        from importlib import import_module

        return getattr(import_module("dlab.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
