"""Gelbrich's lower bound: W2 of the Gaussians with the clouds' means and covariances."""

import numpy as np

from dlab.laws.gaussian import bures
from dlab.measure.base import Case, Estimator, Pairs, always, root
from dlab.types import Estimate

BLOCKS = 32


def estimate(case: Case, pairs: Pairs) -> Estimate:
    """Gelbrich distance of the paired clouds, its noise bias and standard error on W2^2 by the
    delete-a-block jackknife over paths."""
    blocks = min(BLOCKS, len(pairs.y) // 8)
    z = 0 * pairs.y if pairs.fluctuation is None else pairs.fluctuation
    # Of mean zero given the path, z and the products of y with it change the moments' noise alone.
    clouds = (pairs.x, pairs.y, z), (pairs.y, pairs.y, 0 * pairs.y)
    sums = [[_sums(*parts) for parts in zip(*(np.array_split(v, blocks) for v in cloud))] for cloud in clouds]
    whole = [tuple(sum(v) for v in zip(*cloud)) for cloud in sums]

    def square(drop):
        moments = []
        for cloud, total in zip(sums, whole):
            n, s, q = (t - p for t, p in zip(total, cloud[drop])) if drop is not None else total
            mean = s / n
            moments += [mean, q / n - np.outer(mean, mean)]
        return bures(*moments) ** 2

    full, left = square(None), np.array([square(b) for b in range(blocks)])
    bias = (blocks - 1) * (left.mean() - full)
    error = np.sqrt((blocks - 1) / blocks * np.sum((left - left.mean()) ** 2))
    value, stderr = root(full - bias, error)
    return Estimate(value, stderr, "gelbrich", lower=value)


def _sums(x, y, z):
    cross = y.T @ z
    return len(x), (x - z).sum(0), x.T @ x - cross - cross.T


ENTRY = Estimator("gelbrich", "Gelbrich lower bound", True, always, estimate)
