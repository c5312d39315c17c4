"""The coupled L2 error: the distance that the theorems' proofs bound, an upper bound of W2."""

import numpy as np

from dlab.measure.base import Case, Estimator, Pairs, paired, root
from dlab.types import Estimate


def estimate(case: Case, pairs: Pairs) -> Estimate:
    """sqrt(mean |x_i - y_i|^2) with its standard error by the delta method."""
    square = np.sum((pairs.x - pairs.y) ** 2, -1)
    value, stderr = root(square.mean(), square.std(ddof=1) / np.sqrt(len(square)))
    return Estimate(value, stderr, "coupled", upper=value)


ENTRY = Estimator("coupled", "Coupled L² error", True, paired, estimate)
