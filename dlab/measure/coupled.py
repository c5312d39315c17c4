"""The coupled L2 error: the distance that the theorems' proofs bound, an upper bound of W2."""

import numpy as np

from dlab.look import Style
from dlab.measure.base import Case, Estimator, Method, Pairs, paired, root
from dlab.types import Estimate


def estimate(case: Case, pairs: Pairs) -> Estimate:
    """sqrt(mean |x_i - y_i|^2) with its standard error by the delta method."""
    # The reference is extrapolated in its step size on each path, as means over its law are in the other estimators.
    y = pairs.y if pairs.half is None else pairs.y + (pairs.y - pairs.half) / (2**pairs.order - 1)
    square = np.sum((pairs.x - y) ** 2, -1)
    value, stderr = root(square.mean(), square.std(ddof=1) / np.sqrt(len(square)))
    return Estimate(value, stderr, "coupled", upper=value)


ENTRY = Estimator(
    "coupled", "Coupled L² error", True, paired, estimate,
    methods=(
        Method(
            "coupled",
            "**Coupled.** Root mean square distance between scheme and reference on the same Brownian path: the quantity "
            "that the proofs bound, and an upper bound of $W_2$.",
            "of the coupled error: root mean square distance to a fine reference on the same {n} Brownian paths, an upper bound",
        ),
    ),
    style=Style("#5f6772", "#a3adba", "triangle-down", "dot"),
    automatic=True,
)  # fmt: skip
