"""Multilevel Euler-Maruyama: its moments against a simulation and a density that know levels and calls alone, its slopes, its mean."""

import itertools
import json

import numpy as np
import pytest
from cases import GAUSSIAN, SKEW
from scipy.interpolate import CubicSpline
from scipy.stats import norm

from dlab import answers
from dlab.answers import multilevel as ml
from dlab.cache import dumps
from dlab.params import BadInput
from dlab.study import Study

WIDE = ml.Moving(np.array([0.5, 1.25]), np.array([0.5, -0.3]), 3.0)
LINE = ml.Moving(np.array([0.8]), np.array([0.0]), 4.0)


def study(target=GAUSSIAN, T=4.0):
    return Study.from_json({"target": target, "schemes": ["EM"], "h": [0.5], "T": T, "seed": 2})


@pytest.fixture(scope="module")
def cubic():
    return json.loads(dumps(ml.multilevel(study(), 3.0)))


def simulated(given, p, N, n, inner=64):
    """x and y at time 0, (n, d) each: levels, Bernoulli draws and the exact step in `inner` parts, along one Brownian path."""
    rng, d, K, h = np.random.default_rng(11), len(given.values), len(p) - 1, given.T / N
    var = lambda t: np.exp(-t) * given.values + 1 - np.exp(-t)  # noqa: E731
    x = np.exp(-given.T / 2) * given.mean + np.sqrt(var(given.T)) * rng.standard_normal((n, d))
    y = x.copy()
    for i in range(N):
        t = given.T - i * h
        off = x - np.exp(-t / 2) * given.mean
        error = (1 + off / np.sqrt(var(t))) / np.sqrt(2 * d)
        level = [-off / var(t) + 2.0**-k * error for k in range(K + 1)]
        drift = x / 2 + level[0]
        for k in range(1, K + 1):
            drift += (rng.random((n, 1)) < p[k]) / p[k] * (level[k] - level[k - 1])
        x = x + h * drift
        for j in range(inner):
            start, end = t - j * h / inner, t - (j + 1) * h / inner
            phi = np.exp((end - start) / 2) * var(end) / var(start)
            z = rng.standard_normal((n, d))
            y = np.exp(-end / 2) * given.mean + phi * (y - np.exp(-start / 2) * given.mean) + np.sqrt(var(end) - phi**2 * var(start)) * z
            x = x + np.sqrt(h / inner) * z
    return x, y


@pytest.mark.parametrize("C", [1.5, 4.0])
def test_second_moments_are_those_of_a_simulation(C):
    N, n, p = 12, 60_000, ml.chances(3.0, C, 3)
    x, y = simulated(WIDE, p, N, n)
    found = WIDE.moments(N, [p])
    D = x - y
    centred = y - WIDE.mean
    for sample, value in ((D, found.mean), (D**2, found.square), (D * centred, found.product), ((x - x.mean(0)) ** 2, found.variance)):
        assert np.all(np.abs(sample.mean(0) - value[0]) < 3 * sample.std(0) / np.sqrt(n)), (sample.mean(0), value[0])
    squares = (D**2).sum(1)
    assert abs(squares.mean() - found.coupled[0] ** 2) < 3 * squares.std() / np.sqrt(n)


def density(given, plan, nodes=4096, wide=12.0):
    """Places, density of the multilevel law on the line at time 0: pushed forward by each combination of calls, then blurred."""
    x = np.linspace(-wide, wide, nodes, endpoint=False)
    h, p = given.T / plan.steps, plan.p
    blur = np.exp(-((2 * np.pi * np.fft.rfftfreq(nodes, x[1] - x[0])) ** 2) * h / 2)
    chance = [k for k in range(1, plan.K + 1) if p[k] < 1]
    always = 1 - sum(2.0**-k for k in range(1, plan.K + 1) if p[k] == 1)
    calls = [
        (np.prod([p[k] if b else 1 - p[k] for k, b in zip(chance, on)]), always - sum(b * 2.0**-k / p[k] for k, b in zip(chance, on)))
        for on in itertools.product((0, 1), repeat=len(chance))
    ]
    v, here = given.values[0], norm.pdf(x, scale=np.sqrt(given.variance(given.T)[0]))
    for i in range(plan.steps):
        u, now, new = np.exp(-(given.T - i * h)) * (v - 1) + 1, CubicSpline(x, here), np.zeros(nodes)
        for share, zeta in calls:
            a, b = 1 + h / 2 - h / u + zeta * h / np.sqrt(2 * u), zeta * h / np.sqrt(2)
            at = (x - b) / a
            new += share * np.where(np.abs(at) < wide - 0.1, now(np.clip(at, -wide, wide - 0.1)), 0.0) / abs(a)
        here = np.maximum(np.fft.irfft(np.fft.rfft(new) * blur, nodes), 0.0)
    return x, here


def test_w2_of_the_law_falls_like_the_distance_of_its_moments():
    last = None
    for K in (3, 4, 5):
        plan = LINE.plan(3.0, K, "law")
        x, here = density(LINE, plan)
        dx, found = x[1] - x[0], LINE.moments(plan.steps, [plan.p])
        mean = (x * here).sum() * dx
        assert here.sum() * dx == pytest.approx(1, abs=1e-6)
        assert mean == pytest.approx(found.mean[0, 0], abs=1e-4)
        assert ((x - mean) ** 2 * here).sum() * dx == pytest.approx(found.variance[0, 0], rel=1e-4)
        q = (np.arange(200_000) + 0.5) / 200_000
        w2 = np.sqrt(np.mean((np.interp(q, (np.cumsum(here) - here / 2) * dx, x) - np.sqrt(0.8) * norm.ppf(q)) ** 2))
        assert 1 <= w2 / found.law[0] < 1.1
        assert last is None or 1.9 < last / w2 < 2.8
        last = w2


@pytest.mark.parametrize("g", [1.5, 2.0, 3.0, 4.0])
def test_the_estimator_is_unbiased_and_its_variance_is_the_one_asked_for(g):
    for variance in (0.01, 0.5, 30.0):
        p = ml.balanced(g, 6, variance)
        mean, found = ml.coefficient(p)
        assert mean == 2.0**-6
        assert found == pytest.approx(variance, rel=1e-6)
        assert list(p) == sorted(p, reverse=True)
    on = np.array(list(itertools.product((0, 1), repeat=3)))
    p = ml.chances(g, 2.0, 3)
    weight = np.prod(np.where(on, p[1:], 1 - p[1:]), axis=1)
    zeta = 1 - (on * 2.0 ** -np.arange(1, 4) / p[1:]).sum(1)
    assert weight @ zeta == pytest.approx(2.0**-3)
    assert weight @ (zeta - 2.0**-3) ** 2 == pytest.approx(ml.coefficient(p)[1])
    both = np.column_stack([np.ones(len(on)), on / p[1:]])
    used = np.abs(both - np.column_stack([on / p[1:], np.zeros(len(on))])) > 0
    assert weight @ used == pytest.approx(ml.calls(p))


def test_where_every_level_is_called_the_method_is_em():
    one = ml.chances(3.0, 2.0**40, 5)
    assert (one == 1).all()
    assert ml.cost(one, 3.0) == 2.0**15
    N, h = 24, WIDE.T / 24
    found = WIDE.moments(N, [one])
    mean, var = np.exp(-WIDE.T / 2) * WIDE.mean, WIDE.variance(WIDE.T)
    for t in WIDE.T - h * np.arange(N):
        u, centre = WIDE.variance(t), np.exp(-t / 2) * WIDE.mean
        a = 1 + h / 2 - h / u + 2.0**-5 * h / (2 * np.sqrt(u))
        mean = a * mean + h * centre / u + 2.0**-5 * h / 2 * (1 - centre / np.sqrt(u))
        var = a**2 * var + h
    assert found.mean[0] + WIDE.mean == pytest.approx(mean, abs=1e-12)
    assert found.variance[0] == pytest.approx(var, abs=1e-12)


def test_measured_slopes_for_g_3(cubic):
    assert cubic["gaussian"]
    slopes = {name: v["slope"] for name, v in cubic["slopes"].items()}
    assert slopes == pytest.approx({"em": 4, "em-law": 4, "coupled": 3, "law": 2}, abs=0.2)
    assert cubic["speedup"]["coupled"] > 100
    for r in cubic["rows"]:
        reached = r["error"] if r["method"] != "law" else None
        assert reached is None or r["level"] < 4 or 0.6 < reached / r["target"] < 1.05


@pytest.mark.parametrize("g", [1.5, 2.5, 4.0])
def test_measured_slopes_of_other_g_are_near_the_theory(g):
    for v in ml.multilevel(study(SKEW), g)["slopes"].values():
        assert v["slope"] == pytest.approx(v["theory"], abs=0.25)


def test_the_path_is_one_of_its_law_and_calls_what_its_plan_says(cubic):
    path = cubic["path"]
    called, p, N = [len(c) for c in path["calls"]], np.array(path["p"]), path["steps"]
    rare = (p < 1).nonzero()[0]
    assert len(rare)
    for k in rare:
        assert abs(called[k] - N * p[k]) < 3 * np.sqrt(N * p[k] * (1 - p[k]))
    assert not any(called[k] for k in range(len(p)) if p[k] == 1)
    given = ml.moving(study())
    ends = np.array([ml.path(given, ml.Plan(3, 12, ml.chances(3.0, 2.0, 3)), seed)["distance"][-1] ** 2 for seed in range(400)])
    square = given.moments(12, [ml.chances(3.0, 2.0, 3)]).square.sum()
    assert abs(ends.mean() - square) < 3 * ends.std() / 20


@pytest.mark.parametrize("g", [0.5, 9.0, "x", None])
def test_a_g_out_of_range_is_refused(g):
    with pytest.raises(BadInput, match="g = "):
        answers.find("multilevel").check(study(), g)
