"""W2 of the exact law, no Monte Carlo: Gaussian target, error affine in x."""

import numpy as np

from dlab.laws import gaussian
from dlab.measure.base import Case, Estimator
from dlab.targets.gaussian import Gaussian
from dlab.types import Estimate

ROUNDING = 1e-11  # W2 in units of ||X_0|| below which the two laws are equal as far as doubles tell
MOMENTS_ONLY = (
    "{}: the law is a mixture over the random midpoint U, so the exact value shown is the distance of the "
    "first two moments, a lower bound of W₂."
)


def applies(case: Case) -> str | None:
    if not isinstance(case.target, Gaussian):
        return "The exact law is known for Gaussian targets alone; choose the projected estimator."
    if not case.error.affine:
        return "This score error is not affine in x, so the law does not stay Gaussian; choose the projected estimator."
    return None


def law(case: Case) -> gaussian.Law:
    return gaussian.propagate(case.scheme, case.target, case.error, T=case.T, steps=case.steps, start=case.start)


def distance(case: Case, law: gaussian.Law) -> Estimate:
    facts = case.target.facts
    if not (np.isfinite(law.mean).all() and np.isfinite(law.cov).all()):
        return Estimate(None, 0.0, "exact")
    method = "exact-moments" if case.scheme.randomised else "exact"
    value = gaussian.bures(facts.mean, facts.cov, law.mean[-1], law.cov[-1])
    if value < ROUNDING * facts.second_moment**0.5:
        return Estimate(value, 0.0, method, flags=("the laws are equal up to rounding",))
    return Estimate(value, 0.0, method, lower=value, upper=None if case.scheme.randomised else value)


def estimate(case: Case, pairs=None) -> Estimate:
    return distance(case, law(case))


ENTRY = Estimator("exact", "Exact law", False, applies, estimate)
