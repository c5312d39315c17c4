"""Multilevel with trained networks: costs, EM as its limit, the mean of a step, and the speed-up; networks of a second's training."""

import json
import math

import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN

from dlab import learn, targets
from dlab.answers import network_levels as nl
from dlab.cache import dumps
from dlab.study import Study

STUDY = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "seed": 3})
SMALL = {
    "WIDTHS": (2, 4), "TRAINING": {"method": "denoising", "samples": 400, "depth": 2, "updates": 20, "seed": 0}, "STEPS": (8, 16),
    "FINE": 16, "PLANS": ((16, 320.0), (16, 400.0)), "BATCH": 64, "BATCHES": 4, "TIMES": 5, "PROBES": 128,
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLAB_CACHE", str(tmp_path_factory.mktemp("nets")))
        for name, value in SMALL.items():
            patch.setattr(nl, name, value)
        ticks = []
        answer = json.loads(dumps(nl.network_levels(STUDY, ticks.append)))
        assert ticks == sorted(ticks)
        return answer


def test_a_path_costs_what_its_plan_says(found):
    assert found["costs"] == [2 * 5 + 2 * 2 + 2 * 2, 4 * 5 + 4 * 4 + 4 * 2]
    many = [r for r in found["rows"] if r["method"] == "multilevel"]
    assert [r["cost"] for r in many] == pytest.approx([320.0, 400.0], rel=1e-6)
    for r in found["rows"]:
        assert r["cost"] == pytest.approx(np.dot(r["calls"], found["costs"]))
        if r["method"] != "multilevel":
            assert sum(r["calls"]) == r["steps"]
            assert r["speedup"] is None
        elif r["speedup"] is not None:
            assert r["low"] <= r["speedup"] <= r["high"]


@pytest.fixture(scope="module")
def nets():
    samples = np.asarray(targets.build(nl.RING).sample(nl.jax.random.key(0), 200))
    made = [learn.perceptron(samples, width=w, depth=2, seed=w) for w in (4, 8, 16)]
    random = np.random.default_rng(0)
    for net in made:
        net.weights[-1] = jnp.asarray(random.standard_normal(net.weights[-1].shape), jnp.float32)
    return made


def test_all_calls_make_em_with_the_widest_network_and_the_mean_of_a_step_is_its(nets):
    rng, n = np.random.default_rng(1), 16
    x, moved = rng.standard_normal((n, 2)), 0.3 * rng.standard_normal((8, n, 2))
    ones = np.ones((8, n, 2), np.float32)
    em = nl._run(nets[2:], x, jnp.asarray(moved), ones[..., :0])
    assert np.asarray(nl._run(nets, x, jnp.asarray(moved), ones)) == pytest.approx(np.asarray(em), abs=1e-4)
    p = np.array([0.6, 0.2])
    mean = 0.0
    for on in np.ndindex(2, 2):
        share = np.prod(np.where(on, p, 1 - p))
        weights = np.broadcast_to(np.array(on) / p, (1, n, 2)).astype(np.float32)
        mean += share * np.asarray(nl._run(nets, x, jnp.asarray(moved[:1]), weights))
    one = nl._run(nets[2:], x, jnp.asarray(moved[:1]), ones[:1, :, :0])
    assert mean == pytest.approx(np.asarray(one), abs=1e-4)


def test_the_speedup_is_against_the_cheapest_network_between_its_steps(monkeypatch):
    monkeypatch.setattr(nl, "WIDTHS", (2, 4))
    rows = [{"method": 2, "cost": 1.0}, {"method": 2, "cost": 2.0}, {"method": 4, "cost": 10.0}, {"method": 4, "cost": 40.0}]
    squares = np.array([0.5, 0.4, 0.2, 0.1]) ** 2
    assert nl._em_cost(rows, squares, 0.45) < 2
    assert nl._em_cost(rows, squares, 0.2) == pytest.approx(10)
    assert nl._em_cost(rows, squares, math.sqrt(0.02)) == pytest.approx(20)
    assert nl._em_cost(rows, squares, 0.05) == math.inf
