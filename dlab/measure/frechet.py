"""W2 of the Gaussians with a cloud's moments and with the target's: with full covariances, and with their diagonals alone.

Both are what image models are often judged by. The full one is Gelbrich's lower bound of W2, up to the sampling noise that its
floor shows. The diagonal one, sum of (mean difference)^2 + (sigma_i - sigma_i')^2, is a lower bound of that and sees no correlation
between pixels: turn a Gaussian so that its variances along the axes stay, and it reads zero.
"""

from functools import partial

import jax
import numpy as np

from dlab import noise
from dlab.laws.gaussian import bures
from dlab.look import Style
from dlab.measure.base import Case, Estimator, Method, Pairs, always, jackknife
from dlab.types import Estimate

BLOCKS = 8  # of the jackknife: each takes an eigenproblem of d dimensions
DRAWS = 2  # fresh clouds of the target behind the floor


def full(mean1, cov1, mean2, cov2) -> float:
    """W2 between two Gaussians; covariances (d, d), cov2 positive definite."""
    return float(bures(mean2, cov2, mean1, cov1))


def diagonal(mean1, cov1, mean2, cov2) -> float:
    """W2 between two Gaussians whose covariances' off-diagonal entries are left out."""
    gap = np.sqrt(np.diag(cov1)) - np.sqrt(np.diag(cov2))
    return float(np.sqrt(np.sum((mean1 - mean2) ** 2) + np.sum(gap**2)))


def _estimate(name, distance, case: Case, pairs: Pairs) -> Estimate:
    """Value, its standard error by the delete-a-block jackknife, and the floor: what as many fresh samples of p_0 read."""
    facts, n = case.target.facts, len(pairs.x)
    cov = np.diag(facts.cov) if facts.cov.ndim == 1 else facts.cov

    def of(x):
        return distance(x.mean(0), np.atleast_2d(np.cov(x.T, bias=True)), facts.mean, cov)

    value = of(pairs.x)
    blocks = np.array_split(np.arange(n), BLOCKS)
    stderr = jackknife([of(np.delete(pairs.x, block, 0)) for block in blocks]) ** 0.5
    key = noise.stream(jax.random.key(case.seed), "frechet")
    floor = float(np.mean([of(np.asarray(case.target.sample(jax.random.fold_in(key, i), n))) for i in range(DRAWS)]))
    flags = () if value > 2 * floor else (f"{name}: below twice its sampling floor of {floor:.3g}",)
    return Estimate(value, stderr, name, floor=floor, flags=flags)


def rotated(low: float, high: float, angle: float) -> tuple[float, float]:
    """Full and diagonal distance, exact, between two Gaussians of the plane with variances low and high along axes turned by
    +angle and by -angle degrees: their variances along the coordinates agree, their correlations have opposite signs."""
    turn = np.radians(angle) * np.array([1, -1])
    axes = [np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in turn]
    first, second = (a @ np.diag([high, low]) @ a.T for a in axes)
    zero = np.zeros(2)
    return full(zero, first, zero, second), diagonal(zero, first, zero, second)


def _entry(distance, title, style, method, automatic=False):
    return Estimator(
        method.name, title, True, always, partial(_estimate, method.name, distance),
        methods=(method,), style=style, uses_reference=False, automatic=automatic,
    )  # fmt: skip


ENTRIES = (
    _entry(
        full, "Fréchet, full covariance", Style("#009E73", "#009E73", "triangle-left", "dash"),
        Method(
            "frechet",
            "**Fréchet, full covariance.** $W_2$ of the Gaussians with the cloud's mean and covariance and with the "
            "target's, which are known exactly: a lower bound of $W_2$, up to the sampling noise that its floor shows.",
            "of W₂ between the Gaussians with the moments of {n} paths and of the target, with a sampling floor: a lower bound",
        ), automatic=True,
    ),
    _entry(
        diagonal, "Fréchet, diagonal covariance", Style("#7A4B1E", "#D9A066", "triangle-right", "dash"),
        Method(
            "frechet-diagonal",
            "**Fréchet, diagonal covariance.** The same with only the variances of the pixels: it sees no correlation.",
            "of W₂ between the Gaussians with the diagonal moments of {n} paths and of the target, with a sampling floor: blind"
            " to correlations",
        ),
    ),
)  # fmt: skip
