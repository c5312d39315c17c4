"""Targets that several test files share, the mark of a case that is left to the long run, and what a step takes of memory."""

import jax
import jax.numpy as jnp
import pytest

from dlab import errors, schemes
from dlab.grid import uniform
from dlab.noise import generator
from dlab.sample import CHUNK
from dlab.sample.loop import _advance, _draw

SKEW = {"name": "skew", "lam": 0.8, "c": 1.5, "k": 3.0, "angle": 30.0}  # asymmetric: a Gaussian hides sign errors
LOGISTIC = {"name": "logistic", "x": [[4, 0], [1, 4]], "y": [1, 1], "lam": 0.8}
GAUSSIAN = {"name": "gaussian", "mean": [-0.4, 0.9], "cov": [[0.45, 0.42], [0.42, 1.45]]}


def long(*values):
    """A case of a parametrised test that a run by hand makes."""
    return pytest.param(*values, marks=pytest.mark.long)


def memory(name, target, begin, limit=None) -> int:
    """Bytes that XLA sets aside for the compiled steps of a scheme from begin (n, d), beside what goes in and comes out."""
    key, scheme = jax.random.key(0), schemes.REGISTRY[name]
    lowered = _advance.lower(
        scheme, target.field, errors.NONE, jnp.asarray(begin), (), None, None, uniform(2.0, 10).span(0, CHUNK), 0, 10,
        _draw(generator(key), scheme, errors.NONE, begin.shape, None), None, limit and (limit, key), record=False, follow=0,
    )  # fmt: skip
    return lowered.compile().memory_analysis().temp_size_in_bytes
