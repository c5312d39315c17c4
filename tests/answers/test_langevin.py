"""Langevin beside diffusion: recursions against simulation and the lab's own law, their limits, and a score wrong in the tails."""

import numpy as np
import pytest
from scipy.stats import norm

from dlab import answers, study
from dlab.answers import langevin
from dlab.study import Study

EMPTY = Study.from_json({"target": {"name": "gaussian", "mean": [0, 0], "cov": [[1, 0], [0, 1]]}, "schemes": ["EM"], "h": [0.5]})
V = np.array([1.0, 0.2])


def test_langevin_s_recursion_is_that_of_particles():
    rng, step, N, n = np.random.default_rng(0), 0.1, 12, 200_000
    x = np.zeros((n, 2))
    for _ in range(N):
        x += -step * x / V + np.sqrt(2 * step) * rng.standard_normal(x.shape)
    found = langevin.langevin_variances(V, N, step)
    assert np.all(np.abs(x.var(0) - found) < 4 * found * np.sqrt(2 / n))


@pytest.mark.parametrize("N", [8, 32])
def test_the_diffusion_is_ve_em_of_the_lab(N):
    tau = langevin.geometric(N, *langevin.tuning(V, N)[1:])
    asked = Study.from_json({
        "target": {"name": "spectrum", "values": V.tolist()}, "schemes": ["VE-EM"], "start": "paper",
        "grid": {"name": "times", "sigmas": np.sqrt(tau).tolist()},
    })  # fmt: skip
    (row,) = study.run(asked).to_json()["rows"]
    assert row["method"] == "exact"
    in_x = langevin.diffusion_variances(V, tau) / (1 + tau[-1])  # the lab ends in x = alpha z
    assert langevin.distance(in_x, V) == pytest.approx(row["w2"], rel=1e-9)


def test_constants_of_the_diffusion_in_one_dimension_rise_to_their_limit():
    one = np.array([1.0])
    seen = []
    for N in (10**2, 10**3, 10**4, 10**5):
        V_N = langevin.diffusion_variances(one, langevin.geometric(N, *langevin.tuning(one, N)[1:]))
        seen.append(N * langevin.distance(V_N, one) / np.log(N))
    assert seen == pytest.approx([0.442, 0.522, 0.560, 0.578], abs=6e-4)


@pytest.mark.parametrize("condition", langevin.CONDITIONS)
def test_the_proven_bound_holds_and_only_langevin_feels_the_condition_number(condition):
    found = answers.find("langevin").compute(EMPTY, condition)
    assert all(r["diffusion"] < r["promised"] for r in found["rows"])
    assert all((r["langevin"] is None) == (r["step"] >= 2 / condition) for r in found["rows"])
    last = found["rows"][-1]
    for name, within in (("langevin", (0.6, 1.1)), ("diffusion", (0.6, 1.0))):
        assert within[0] < last[name] * last["steps"] / np.log(last["steps"]) / found["constants"][name] < within[1]


def test_langevin_s_limit_holds_at_many_steps():
    v, N = langevin.spectrum(30.0), 10**7
    step, *_ = langevin.tuning(v, N)
    share = langevin.distance(langevin.langevin_variances(v, N, step), v) * N / np.log(N) * 8 / v.max() / np.sqrt(np.sum(1 / v))
    assert share == pytest.approx(1, abs=0.08)


def test_a_score_wrong_in_the_tails_moves_langevin_and_not_the_diffusion():
    found = answers.find("small_error").compute(EMPTY)["rows"]
    small = found[-1]
    assert small["error"] < 0.01
    assert small["langevin"] > 1 > 20 * small["diffusion"]
    assert all(r["diffusion"] < 15 * r["error"] for r in found)


def test_densities_on_the_line_are_those_of_particles(monkeypatch):
    monkeypatch.setattr(langevin, "EDGES", (3.0,))
    (row,) = answers.find("small_error").compute(EMPTY)["rows"]
    rng, n = np.random.default_rng(1), 40_000
    x = langevin.WIDE * rng.standard_normal(n)
    for _ in range(round(langevin.TIMES / langevin.H)):
        drift = -x + np.where(np.abs(x) > 3, np.sign(x) * 5, 0.0)
        x += langevin.H * drift + np.sqrt(2 * langevin.H) * rng.standard_normal(n)
    levels = (np.arange(n) + 0.5) / n
    seen = np.sqrt(np.mean((np.sort(x) - norm.ppf(levels)) ** 2))
    assert seen == pytest.approx(row["langevin"], rel=0.02)  # the tails' share of 40,000 particles is known to 1 %
    wrong = np.abs(rng.standard_normal(10**6)) > 3
    assert row["error"] == pytest.approx(5 * np.sqrt(wrong.mean()), rel=4 / np.sqrt(wrong.sum()))
