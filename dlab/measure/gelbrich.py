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
    both = (pairs.chains, pairs.y[None])
    sums = [[_sums(part) for part in np.array_split(cloud, blocks, axis=1)] for cloud in both]
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


def _sums(x):
    x = x.reshape(-1, x.shape[-1])
    return len(x), x.sum(0), x.T @ x


ENTRY = Estimator("gelbrich", "Gelbrich lower bound", True, always, estimate)
