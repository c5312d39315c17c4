"""W2 of the first coordinate between the scheme's particles and samples of the target, by quantiles: what [YY] plots.

It needs no reference and works in any dimension, but sees one coordinate, a lower bound of W2, and has a floor as every
distance of two clouds.
"""

import itertools

import jax
import numpy as np

from dlab import noise
from dlab.look import Style
from dlab.measure.base import Case, Estimator, Method, Pairs, always, jackknife, root
from dlab.types import Estimate

BLOCKS = 32
FLOORS = 8  # pairs of target clouds whose mean distance is the floor


def of_lines(x, y, power: int = 2) -> float:
    """W2^2 of two samples of one size on the line; W1 for power 1."""
    return float(np.mean(np.abs(np.sort(x) - np.sort(y)) ** power))


def jackknifed(x, y, power: int = 2) -> tuple[float, float]:
    """W2 (W1 for power 1) of two independent samples (n,) of one size with its standard error, by leaving out a block of
    either in turn."""
    variance, n = 0.0, len(x)
    blocks = min(BLOCKS, n // 8)
    order_x, order_y = np.argsort(x), np.argsort(y)
    for own, order, other in ((x, order_x, y[order_y]), (y, order_y, x[order_x])):
        block = np.arange(n) % blocks
        left = []
        for b in range(blocks):
            kept = own[order[block[order] != b]]
            # The other sample's quantiles at the ranks of what is left.
            at = (np.arange(len(kept)) + 0.5) * n / len(kept) - 0.5
            left.append(np.mean(np.abs(kept - np.interp(at, np.arange(n), other)) ** power))
        variance += jackknife(left)
    found = of_lines(x, y, power)
    return root(found, variance**0.5) if power == 2 else (found, float(variance**0.5))


def estimate(case: Case, pairs: Pairs) -> Estimate:
    """W2 of the first coordinate with a jackknife standard error; floor: what two target clouds of this size read."""
    n = len(pairs.x)
    key = noise.stream(jax.random.key(case.seed), "marginal")
    fresh = [np.asarray(case.target.sample(k, n))[:, 0] for k in jax.random.split(key, FLOORS + 1)]
    value, stderr = jackknifed(pairs.x[:, 0], fresh[0])
    floor = float(np.mean([of_lines(a, b) for a, b in itertools.pairwise(fresh)]) ** 0.5)
    flags = () if value > 2 * floor else (f"marginal: below twice its sampling floor of {floor:.3g}",)
    return Estimate(value, stderr, "marginal", floor=floor, flags=flags)


ENTRY = Estimator(
    "marginal", "First coordinate, by quantiles", True, always, estimate,
    methods=(
        Method(
            "marginal",
            "**First coordinate.** $W_2$ of one coordinate, from the sorted values of the particles and of as many samples of "
            "the target: the quantity that the paper plots, and a lower bound of $W_2$ in all coordinates. The error leaves "
            "out blocks of either sample in turn; the floor is the distance between two samples of the target.",
            "of the first coordinate alone, by sorted values of {n} paths and of as many samples of the target, with a "
            "sampling floor: a lower bound",
        ),
    ),
    style=Style("#4B3B8F", "#A79BE8", "x", "dash"),
    alone=True,
)  # fmt: skip
