"""Targets that several test files share, and the mark of a case that is left to the long run."""

import pytest

SKEW = {"name": "skew", "lam": 0.8, "c": 1.5, "k": 3.0, "angle": 30.0}  # asymmetric: a Gaussian hides sign errors
LOGISTIC = {"name": "logistic", "x": [[4, 0], [1, 4]], "y": [1, 1], "lam": 0.8}
GAUSSIAN = {"name": "gaussian", "mean": [-0.4, 0.9], "cov": [[0.45, 0.42], [0.42, 1.45]]}


def long(*values):
    """A case of a parametrised test that a run by hand makes."""
    return pytest.param(*values, marks=pytest.mark.long)
