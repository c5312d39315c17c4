"""Distance of the means: a lower bound of W2."""

import numpy as np

from dlab.measure.base import Case, Estimator, Pairs, paired, root
from dlab.types import Estimate


def estimate(case: Case, pairs: Pairs) -> Estimate:
    gap = pairs.x - pairs.y
    error = gap.var(0, ddof=1).sum() / len(gap)
    value, stderr = root(float((gap.mean(0) ** 2).sum()) - error, 2 * error * float(np.linalg.norm(gap.mean(0))))
    return Estimate(value, stderr, "means")


ENTRY = Estimator("means", "Distance of the means", True, paired, estimate)
