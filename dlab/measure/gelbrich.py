"""Gelbrich's lower bound: W2 of the Gaussians with the clouds' means and covariances."""

import numpy as np

from dlab.laws.gaussian import bures
from dlab.look import Style
from dlab.measure.base import Case, Estimator, Method, Pairs, jackknife, paired, root
from dlab.types import Estimate

BLOCKS = 32


def estimate(case: Case, pairs: Pairs) -> Estimate:
    """Gelbrich distance of the paired clouds, its noise bias and standard error on W2^2 by the
    delete-a-block jackknife over paths."""
    blocks = min(BLOCKS, len(pairs.y) // 8)
    z = 0 * pairs.y if pairs.fluctuation is None else pairs.fluctuation
    # Of mean zero given the path, z and the products of y with it change the moments' noise alone.
    clouds = (pairs.x, pairs.y, z), (pairs.y, pairs.y, 0 * pairs.y)
    moments = [_moments(*(np.array_split(v, blocks) for v in cloud)) for cloud in clouds]
    squares = bures(*moments[0], *moments[1]) ** 2
    full, left = squares[0], squares[1:]
    bias = (blocks - 1) * (left.mean() - full)
    value, stderr = root(full - bias, jackknife(left) ** 0.5)
    return Estimate(value, stderr, "gelbrich", lower=value)


def _moments(x, y, z):
    """Mean and covariance of all blocks and of all but each one, (1 + blocks, d) and (1 + blocks, d, d)."""
    cross = [b.T @ c for b, c in zip(y, z)]
    sums = [
        np.array([len(a) for a in x]),
        np.array([(a - c).sum(0) for a, c in zip(x, z)]),
        np.array([a.T @ a - m - m.T for a, m in zip(x, cross)]),
    ]
    n, first, second = (np.concatenate([[s.sum(0)], s.sum(0) - s]) for s in sums)
    mean = first / n[:, None]
    return mean, second / n[:, None, None] - mean[:, :, None] * mean[:, None, :]


ENTRY = Estimator(
    "gelbrich", "Gelbrich lower bound", True, paired, estimate,
    methods=(
        Method(
            "gelbrich",
            "**Gelbrich.** Distance of the clouds' means and covariances: a lower bound of $W_2$.",
            "Gelbrich's lower bound from means and covariances of {n} paths",
        ),
    ),
    style=Style("#5f6772", "#a3adba", "triangle-up", "dot"),
)  # fmt: skip
