"""What the paper's figure measures: the surrogate's first coordinate by a recursion of its own, and each reading of the score."""

import jax.numpy as jnp
import numpy as np
import pytest

from dlab.answers import experiment
from dlab.answers.experiment import first_coordinate, readings
from dlab.targets import build, logistic, posterior
from dlab.ui import studies

LAM = 90.0


@pytest.fixture
def drawn(monkeypatch):
    """Independent draws of the Laplace approximation in the place of a sampler's chains."""

    def sample(density, centre, precision, seed):
        draws = np.random.default_rng(seed).multivariate_normal(centre, np.linalg.inv(precision), (32, 640))
        return posterior.Chains(draws, 1.0, 20480.0, 1.0, 0)

    logistic._chains.cache_clear()
    monkeypatch.setattr(posterior, "sample", sample)
    yield
    logistic._chains.cache_clear()


def recursion(scheme, steps, T):
    """W2 of the first coordinate of a scheme on the surrogate, started at p_T, from means and variances along its axes."""
    built = build({**studies.EXPERIMENT, "lam": LAM, "score": "laplace"})
    values, axes = np.linalg.eigh(built.cov)
    centre, first, h = axes.T @ np.asarray(built.mean), axes[0], T / steps
    mean, var = np.exp(-T / 2) * centre, np.exp(-T) * values - np.expm1(-T)
    for k in range(steps):
        a = np.exp(-(T - k * h) / 2)
        q = 1 / (a**2 * values + 1 - a**2)  # s = -q (x - a centre), gamma = L x + q a centre
        pull, L = q * a * centre, 0.5 - q
        one, two = np.expm1(h * L) / L, (np.expm1(h * L) - h * L) / L**2
        rate, shift, noise = {
            "EM": (1 + h * L, h * pull, h),
            "EI": (np.exp(h / 2) - 2 * np.expm1(h / 2) * q, 2 * np.expm1(h / 2) * pull, np.expm1(h)),
            "SO": (1 + one * L + two * (0.25 - L**2), (one - two * L) * pull, np.expm1(2 * h * L) / (2 * L)),
        }[scheme]
        mean, var = rate * mean + shift, rate**2 * var + noise
    return np.hypot(first @ (mean - centre), np.sqrt(first**2 @ var) - np.sqrt(built.cov[0, 0]))


def test_the_surrogates_first_coordinate_is_that_of_the_recursion_from_any_horizon(drawn):
    asked = studies.experiment(LAM, steps=[8, 32, 128], T=studies.SMALL_T, start="exact", schemes=["EM", "EI", "SO"])
    found = first_coordinate(asked)
    for r in found["rows"]:
        assert r["w2"] == pytest.approx(recursion(r["scheme"], r["steps"], studies.SMALL_T), rel=1e-9)
        # The page says that a horizon of 10 differs by less than a ten-thousandth part.
        assert r["w2"] == pytest.approx(recursion(r["scheme"], 4 * r["steps"], 10.0), rel=1e-4)
    near = found["near"]
    assert near["w2"] < 3 * near["floor"]
    assert near["sigma"] == pytest.approx(near["surrogate_sigma"], rel=0.03)


@pytest.mark.slow
def test_a_guard_caps_what_finitely_many_samples_do_to_a_random_midpoint(drawn, monkeypatch):
    few = ("laplace", "kernel 1000", "guarded", "frozen")  # each has a score of its own to compile
    monkeypatch.setattr(experiment, "READINGS", {name: experiment.READINGS[name] for name in few})
    asked = studies.experiment(LAM, steps=[10], T=2.0, start="exact", schemes=["EM", "REM"])
    found = {(r["reading"], r["scheme"]): r for r in readings(asked)["rows"]}
    exact = recursion("EM", 10, 2.0)
    for reading in few[:3]:
        em = found[reading, "EM"]
        assert em["w2"] == pytest.approx(exact, abs=4 * em["w2_stderr"]), reading
    ends = {reading: found[reading, "REM"]["w2"] for reading in ("kernel 1000", "laplace", "guarded")}
    assert ends["guarded"] < ends["laplace"] < ends["kernel 1000"]
    assert ends["guarded"] < 2 * found["guarded", "EM"]["w2"]
    assert found["frozen", "REM"]["w2"] < 1.3 * exact
    assert jnp.isfinite(jnp.asarray([r["w2"] for r in found.values()])).all()
