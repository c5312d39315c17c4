"""What several test files share: targets, the mark of a case that is left to the long run, the moments of a sample, memory of a step."""

import jax
import jax.numpy as jnp
import numpy as np
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


def has_moments(x, mean, cov, errors=4.5):
    """Mean and covariance of a sample (n, 2) are these within so many standard errors."""
    r = x - mean
    assert np.all(np.abs(r.mean(0)) < errors * x.std(0) / np.sqrt(len(x)))
    for i, j in ((0, 0), (0, 1), (1, 1)):
        product = r[:, i] * r[:, j]
        assert abs(product.mean() - cov[i, j]) < errors * product.std() / np.sqrt(len(x))


def memory(name, target, begin, limit=None) -> int:
    """Bytes that XLA sets aside for the compiled steps of a scheme from begin (n, d), beside what goes in and comes out."""
    key, scheme = jax.random.key(0), schemes.REGISTRY[name]
    lowered = _advance.lower(
        scheme, target.field, errors.NONE, jnp.asarray(begin), (), None, None, uniform(2.0, 10).span(0, CHUNK), 0, 10,
        _draw(generator(key), generator(key), scheme, errors.NONE, begin.shape, None), None, limit and (limit, key), record=False, follow=0,
    )  # fmt: skip
    return lowered.compile().memory_analysis().temp_size_in_bytes
