"""Multilevel Monte Carlo: variance of the levels, their sum against the truth, and an actual run at an accuracy."""

import json

import numpy as np
import pytest
from cases import GAUSSIAN, SKEW

from dlab.answers import step_levels
from dlab.cache import dumps
from dlab.study import Study


def study(target, seed=0):
    return Study.from_json({"target": target, "schemes": ["EM"], "h": [0.5], "T": 2.0, "seed": seed})


@pytest.fixture(scope="module", params=[GAUSSIAN, SKEW], ids=["gaussian", "skew"])
def found(request):
    ticks = []
    answer = json.loads(dumps(step_levels.step_levels(study(request.param), ticks.append)))
    assert ticks == sorted(ticks)
    assert 0 <= ticks[-1] < 1
    return answer


def test_variance_falls_as_the_square_of_the_step_and_cost_as_the_square_of_the_accuracy(found):
    fits = found["fits"]
    assert fits["variance"]["slope"] == pytest.approx(2, abs=0.2)
    assert fits["mean"]["slope"] == pytest.approx(1, abs=0.2)
    assert found["slopes"] == pytest.approx({"multilevel": 2, "plain": 3}, abs=0.2)
    assert found["costs"][-1]["plain"] > 8 * found["costs"][-1]["multilevel"]


def test_all_levels_together_give_the_mean(found):
    bias = abs(found["rows"][-1]["mean"])
    assert abs(found["estimate"] - found["truth"]) < bias + 3 * found["stderr"]


def test_a_differences_mean_is_that_of_two_gaussian_recursions():
    one = step_levels.step_levels(study(GAUSSIAN))
    values, vectors = np.linalg.eigh(np.array(GAUSSIAN["cov"]))
    centre = vectors.T @ np.array(GAUSSIAN["mean"])

    def square(N, T=2.0):
        h, mean, var = T / N, np.exp(-T / 2) * centre, np.exp(-T) * values + 1 - np.exp(-T)
        for t in T - T / N * np.arange(N):
            u = np.exp(-t) * values + 1 - np.exp(-t)
            a = 1 + h / 2 - h / u
            mean, var = a * mean + h * np.exp(-t / 2) * centre / u, a**2 * var + h
        return (mean**2 + var).sum()

    for r in one["rows"]:
        true = square(r["steps"]) - (square(r["steps"] // 2) if r["level"] else 0)
        assert abs(r["mean"] - true) < 3.5 * r["stderr"], r
