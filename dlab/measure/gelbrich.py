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
    scheme, fine = _raw(blocks, pairs.x, pairs.y, z), _raw(blocks, pairs.y)
    if pairs.half is not None:
        # The reference of `projected` too: means over its law, extrapolated in its step size.
        fine = [m + (m - rough) / (2**pairs.order - 1) for m, rough in zip(fine, _raw(blocks, pairs.half))]
    squares = bures(*_central(*scheme), *_central(*fine)) ** 2
    full, left = squares[0], squares[1:]
    bias = (blocks - 1) * (left.mean() - full)
    value, stderr = root(full - bias, jackknife(left) ** 0.5)
    return Estimate(value, stderr, "gelbrich", lower=value)


def _raw(blocks, x, y=None, z=None):
    """First and second moments of all blocks and of all but each one, (1 + blocks, d) and (1 + blocks, d, d); with y the products
    of y and z are taken off the second, and z off the first."""
    first, second = x if z is None else x - z, [a.T @ a for a in np.array_split(x, blocks)]
    if z is not None:
        cross = [b.T @ c for b, c in zip(np.array_split(y, blocks), np.array_split(z, blocks))]
        second = [s - m - m.T for s, m in zip(second, cross)]
    sums = [
        np.array([len(part) for part in np.array_split(x, blocks)]),
        np.array([part.sum(0) for part in np.array_split(first, blocks)]),
        np.array(second),
    ]
    n, first, second = (np.concatenate([[s.sum(0)], s.sum(0) - s]) for s in sums)
    return first / n[:, None], second / n[:, None, None]


def _central(first, second):
    """Mean and covariance from the moments."""
    return first, second - first[:, :, None] * first[:, None, :]


ENTRY = Estimator(
    "gelbrich", "Gelbrich lower bound", True, paired, estimate,
    methods=(
        Method(
            "gelbrich",
            "**Gelbrich.** Distance of the clouds' means and covariances: a lower bound of $W_2$.",
            "of Gelbrich's lower bound, from the means and covariances of {n} paths",
        ),
    ),
    style=Style("#5f6772", "#a3adba", "triangle-up", "dot"),
)  # fmt: skip
