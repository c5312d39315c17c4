"""The denoiser's error against its own definition, x0 with the wrong score less x0 with the exact one."""

import jax.numpy as jnp
import numpy as np
import pytest

from dlab import errors, targets
from dlab.answers import denoiser, score_error
from dlab.errors import perturb
from dlab.schemes.coordinates import denoised
from dlab.study import Study

GAUSSIAN = {"name": "gaussian", "mean": [0.5, -1.0], "cov": [[0.7, 0.3], [0.3, 0.6]]}
MIXTURE = {"name": "mixture", "weights": [0.7, 0.3], "means": [[-1.4, 0.0], [1.6, 0.5]], "var": 0.3}


@pytest.mark.parametrize("target", [GAUSSIAN, MIXTURE], ids=lambda t: t["name"])
@pytest.mark.parametrize("error", [{"name": "constant", "level": 0.3}, {"name": "relative", "level": 0.2}, {"name": "field", "level": 0.2}])
def test_a_wrong_score_makes_the_denoised_point_wrong_by_tau_alpha_times_it(target, error):
    built = targets.build(target)
    wrong = errors.build(error, built, target)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(64, 2)))
    for t in (0.01, 0.5, 1.0, 4.0, 8.0):
        gap = denoised(perturb(built.field, wrong, None), t, x) - denoised(built.field, t, x)
        e = wrong.shift(t, x, built.field.score(t, x), None)
        np.testing.assert_allclose(gap, denoiser.factor(t) * e, rtol=1e-9, atol=1e-11)
        assert denoiser.factor(t) == pytest.approx((np.exp(t) - 1) * np.exp(-t / 2), rel=1e-14)


def test_the_exact_score_denoises_to_the_posterior_mean():
    """Of a Gaussian E[X_0 | X_t = x] = m + a C (a^2 C + sigma^2)^{-1} (x - a m)."""
    built, t = targets.build(GAUSSIAN), 0.7
    mean, cov, a = np.array(GAUSSIAN["mean"]), np.array(GAUSSIAN["cov"]), np.exp(-0.35)
    x = np.random.default_rng(1).normal(size=(16, 2))
    want = mean + (x - a * mean) @ np.linalg.inv(a**2 * cov + (1 - a**2) * np.eye(2)) @ (a * cov)
    np.testing.assert_allclose(denoised(built.field, t, jnp.asarray(x)), want, rtol=1e-12)


def test_a_constant_error_is_largest_for_the_denoiser_at_the_start():
    spec = {"target": GAUSSIAN, "score_error": {"name": "constant", "level": 0.2}, "schemes": ["EM"], "h": [0.125], "T": 2.0}
    curve = score_error.met(Study.from_json(spec), "EM", 16)["curve"]
    found = denoiser.levels(curve["t"], curve["iterates"], curve["iterates_stderr"], since=1.0)
    assert found["top_t"] == 2.0
    assert found["top"] == pytest.approx(0.2 * 2 * np.sinh(1.0), rel=1e-6)
    late = np.array([t for t in curve["t"] if t >= 1])
    assert found["average"] == pytest.approx(0.2 * np.sqrt(np.mean(4 * np.sinh(late / 2) ** 2)), rel=1e-6)
