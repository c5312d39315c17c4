"""What a wrong Hessian costs SO, derived: beside what is measured."""

import jax.numpy as jnp
import numpy as np

from dlab import theory
from dlab.errors.hessian import HessianError
from dlab.linop import Dense
from dlab.study.spec import Study
from dlab.targets.gaussian import Gaussian


def derived(study: Study) -> float | None:
    """The limit of W2/h as h -> 0 for SO with the study's Hessian, on a Gaussian target from the exact start; 0 for a stale one,
    whose order is 2; None where it is not known."""
    error, target = study.error, study.built
    known = isinstance(target, Gaussian) and study.start == "exact" and study.score_error["name"] == "none"
    if not known or not isinstance(error, HessianError) or float(error.hessian_level) or float(error.drift_level):
        return None
    half = 0.5 * np.eye(target.dim)

    def seen(H):
        return np.asarray(error.seen(Dense(jnp.asarray(H + half)[None])).matrix[0]) - half

    return theory.hessian_cost(target.mean, target.cov, seen, study.T, error.rebuilt)
