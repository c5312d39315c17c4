"""The all-at-once bound on DDPM: its integral, its terms, that it is attained, and that the truth lies below it."""

import itertools
import math

import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW
from scipy.integrate import quad

from dlab import answers, targets
from dlab.answers import all_at_once as answer
from dlab.grid import Grid, of_times, read, uniform
from dlab.measure import coupled as coupled_estimator
from dlab.study import Study, run
from dlab.theory import all_at_once as bound
from dlab.theory import cost, score_constant

COUNTS = (8, 16, 32, 64, 128, 256)


def grid(name, steps, **settings):
    return Grid(name, steps, read({"name": name, **settings}, None, None))


def isotropic(m0, d=2):
    return {"name": "gaussian", "mean": [0.0] * d, "cov": (np.eye(d) / m0).tolist()}


def ddpm(target, steps, name=None, **more):
    """DDPM on a grid whose scale is the target's, from the exact start if nothing else is said."""
    m0 = targets.build(target).facts.m0.value
    scale = {"cubic": {"m0": m0}, "tangent": {"v": 1 / m0}}.get(name, {})
    laid = {"grid": {"name": name, **scale}} if name else {"T": 4.0}
    return Study.from_json({"target": target, "schemes": ["DDPM"], "steps": list(steps), **laid, **more})


def of(study, steps, **more):
    found, void = bound.terms(study.built.facts, grid=study.grid(steps), start=study.start, **more)
    assert void is None
    return found


@pytest.mark.parametrize("low, high", [(0.0, 0.01), (0.0, 3.0), (1e-4, 1.1e-4), (0.3, 0.31), (0.2, 5.0), (2.0, 900.0)])
@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0, 2.5, math.inf])
@pytest.mark.parametrize("m0, L0", [(0.05, 0.3), (1.0, 1.0), (0.8, 6.0), (0.5, math.inf)])
def test_the_integral_of_a_step_is_that_of_a_quadrature(m0, L0, noise, low, high):
    def mine(r):
        return 1.0 if math.isinf(noise) else noise / (noise + r)

    def integrand(s):
        r = math.exp(s)
        far = max(abs(1 / (1 + m0 * r) - mine(r)), abs(1 / (1 + L0 * r) - mine(r)))
        return r * (1 - low / r) ** 2 * far**2

    expected = quad(integrand, math.log(max(low, 1e-13)), math.log(high), limit=400, epsrel=1e-10)[0]
    assert bound.largest_gap(m0, L0, noise, low, high) == pytest.approx(expected, rel=1e-6, abs=1e-16)


def test_steps_of_a_millionth_keep_their_digits():
    for apart in (1e-3, 1e-6, 1e-8):
        a, b = 0.7, 0.7 * (1 + apart)
        assert bound.largest_gap(1.0, 5.0, 0.0, a, b) == pytest.approx(((b - a) / a / (1 + a)) ** 2 * (b - a) / 3, rel=3 * apart)


@pytest.mark.parametrize("name", ["log-snr", "karras", "cubic", "tangent"])
@pytest.mark.parametrize("m0", [0.3, 1.0, 4.0])
def test_on_an_isotropic_gaussian_the_bound_is_close_to_the_truth(m0, name):
    study = ddpm(isotropic(m0), COUNTS, name)
    for row in run(study).rows:
        assert 1.2 < of(study, row.steps).total / row.w2 < 4


def test_on_equal_steps_the_ratio_grows_since_the_coupled_distance_has_order_a_half():
    study = ddpm(isotropic(1.0), COUNTS)
    rows = run(study).rows
    ratios = [of(study, r.steps).total / r.w2 for r in rows]
    assert ratios == sorted(ratios)
    assert ratios[-1] == pytest.approx(4.57, abs=0.02)
    far = [bound.terms(study.built.facts, grid=uniform(4.0, n), start="exact")[0].discretisation for n in (4096, 16384)]
    assert math.log(far[0] / far[1]) / math.log(4) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("name", ["log-snr", "karras", "cubic", "tangent", None])
def test_an_isotropic_gaussian_attains_it_in_the_coupling(name):
    study = ddpm(isotropic(0.7), (8, 64), name)
    for n in study.steps:
        exact = bound.coupled(*study.built.along_axes, grid=study.grid(n), start="exact")
        assert of(study, n).total == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("more", [{}, {"noise": 0.4}, {"start": "paper"}, {"score_error": {"name": "noise", "level": 0.3}}])
def test_the_coupled_distance_in_closed_form_is_that_of_simulated_pairs(more):
    """A second route: the lab's own scheme and reference on the same Brownian paths."""
    study = ddpm(GAUSSIAN, (8, 16), estimator="coupled", particles=4096, **more)
    values, means = study.built.along_axes
    for row in run(study).rows:
        noise, fresh = more.get("noise", 0.0), study.score_error.get("level", 0.0)
        exact = bound.coupled(values, means, grid=study.grid(row.steps), start=study.start, noise=noise, fresh=fresh)
        assert row.w2 == pytest.approx(exact, abs=4 * row.stderr + 2e-3 * exact)


def test_on_its_best_grid_it_is_at_most_three_over_n():
    one = {"name": "gaussian", "mean": [0.0], "cov": [[1.0]]}
    found = [n * of(ddpm(one, (n,), "cubic"), n).total for n in COUNTS]
    assert found == pytest.approx([2.344, 2.590, 2.752, 2.854, 2.915, 2.952], abs=1e-3)
    study = ddpm(one, (4096,), "cubic")
    assert 4096 * run(study).rows[0].w2 == pytest.approx(9 / 4, rel=0.01)
    for m0 in (0.2, 3.0):
        for n in COUNTS:
            assert of(ddpm(isotropic(m0), (n,), "cubic"), n).total < 3 * math.sqrt(2 / m0) / n
            for other in ("log-snr", "karras", "tangent"):
                assert of(ddpm(isotropic(m0), (n,), other), n).total > of(ddpm(isotropic(m0), (n,), "cubic"), n).total


def test_the_noise_has_its_best_place_at_the_scale_of_the_data():
    facts, its = targets.build(GAUSSIAN).facts, grid("log-snr", 32)
    size = {v: bound.terms(facts, grid=its, start="exact", noise=v)[0].total for v in (0.0, 0.02, 0.35, 0.6, 1.2, 40.0, math.inf)}
    best = min(size, key=size.get)
    assert 1 / facts.L0.value < best < 1 / facts.m0.value
    own = targets.build(isotropic(1 / 0.6)).facts
    assert bound.terms(own, grid=its, start="exact", noise=0.6)[0].total < 1e-12


def test_the_terms_are_those_of_a_sum_over_the_steps():
    """The same once more, step by step, with early stop, both kinds of error and a start that is off."""
    facts, its, m0 = targets.build(GAUSSIAN).facts, of_times([3.0, 2.0, 1.0, 0.4, 0.1]), targets.build(GAUSSIAN).facts.m0.value
    tau, size, d = np.expm1(its.times), facts.second_moment, 2
    alpha, e, squares, noise = math.exp(-0.05), math.sqrt(size), 0.0, 0.0
    first = alpha * e * np.prod([(1 + m0 * a) / (1 + m0 * b) for b, a in itertools.pairwise(tau)])
    bias = 0.0
    for n, (b, a) in enumerate(itertools.pairwise(tau)):
        rho, x0 = (1 + m0 * a) / (1 + m0 * b), (1 - a / b) * b * math.exp(-its.times[n] / 2)
        squares = rho**2 * squares + d * quad(lambda r, a=a: (1 - a / r) ** 2 / (1 + m0 * r) ** 2, a, b)[0]
        noise, bias = rho**2 * noise + (0.2 * x0) ** 2, rho * bias + 0.1 * x0
    stop = math.sqrt((1 - alpha) ** 2 * size + d * (1 - alpha**2))
    found, _ = bound.terms(facts, grid=its, start="paper", error=0.1, fresh=0.2)
    parts = first, alpha * math.sqrt(squares), alpha * bias, alpha * math.sqrt(noise), stop
    assert [found.initialisation, found.discretisation, found.bias, found.fresh, found.stop] == pytest.approx(parts, rel=1e-8)
    assert found.total == pytest.approx(sum(parts))


def test_the_score_term_tends_to_the_integrated_constant():
    for m0 in (0.25, 1.0, 3.0):
        c = bound.score_weights(m0, uniform(8.0, 4000)).sum()
        assert c == pytest.approx(score_constant.integrated(m0, 8.0), rel=2e-3)


@pytest.mark.parametrize("m0, value", [(0.25, 4.84), (0.5, math.pi), (0.75, 2.42), (1.0, 2.0), (2.0, 1.25), (5.0, 0.65)])
def test_the_score_constant(m0, value):
    assert score_constant.integrated(m0) == pytest.approx(value, abs=6e-3)
    assert score_constant.integrated(m0) == pytest.approx(quad(lambda w: 2 / (1 + m0 * (w * w - 1)), 1, np.inf)[0], rel=1e-8)
    # A second route: what a constant error does to the law of N(0, I/m0), from theory.cost.
    assert score_constant.integrated(m0, 6.0) == pytest.approx(float(cost.reach(np.array([1 / m0]), 6.0)[0]), rel=1e-9)
    assert score_constant.integrated(m0) <= score_constant.printed(m0) * (1 + 1e-12)


def test_the_score_constant_is_smooth_through_one():
    m0 = np.array([1 - 1e-6, 1 - 1e-8, 1.0, 1 + 1e-8, 1 + 1e-6])
    assert score_constant.integrated(m0) == pytest.approx(2 - 2 / 3 * 2 * (m0 - 1), abs=1e-9)
    assert score_constant.printed(np.array([0.4, 0.5, 0.75, 3.0])).tolist() == [math.inf, math.inf, 4.0, 2.0]
    rate = quad(lambda t: 1 / (np.exp(-t) / 0.4 - np.expm1(-t)), 0, 2)[0]
    assert score_constant.initialisation(0.4, 2.0) == pytest.approx(math.exp(-rate))


@pytest.mark.parametrize("m0, why", [(None, "unknown"), (-0.3, "not log-concave")])
def test_without_a_positive_m0_there_is_a_sentence(m0, why):
    facts = targets.Facts(2, targets.Fact(m0, "unknown" if m0 is None else "given"), *[targets.Fact(1.0, "given")] * 3,
                          mean=np.zeros(2), cov=np.eye(2), product=False)  # fmt: skip
    found, void = bound.terms(facts, grid=uniform(2.0, 4), start="exact")
    assert found is None
    assert why in void


def test_against_the_noise_truth_and_bound_have_their_least_value_at_the_scale_of_the_data():
    study = ddpm(isotropic(1 / 0.6), (16,), "log-snr")
    rows = answer.knob(study)
    for r in rows:
        assert r["w2"] <= r["coupled"] * (1 + 1e-9)
        assert r["coupled"] == pytest.approx(r["bound"], rel=1e-6)  # at the edge of its class, where all is equal
    assert abs(math.log(min(rows, key=lambda r: r["bound"])["noise"] / 0.6)) < 0.15
    assert rows[0]["w2"] == pytest.approx(run(study).rows[0].w2, rel=1e-9)
    wide = answer.knob(ddpm(GAUSSIAN, (16,), "log-snr"))
    assert all(r["w2"] <= r["coupled"] <= r["bound"] * (1 + 1e-9) for r in wide)
    assert answer.knob(ddpm(SKEW, (16,), "log-snr"))[3]["w2"] is None


# ---------------------------------------------------------------- above the truth


def setting(number):
    """A study at random: target, grid, start, noise and score error; the truth is a law where one is known."""
    rng = np.random.default_rng(number)
    turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    kind = ("gaussian", "skew", "mixture", "logistic")[number % 4]
    target = {
        "gaussian": lambda: {"name": "gaussian", "mean": rng.normal(size=2).tolist(),
                             "cov": (turn @ np.diag(10 ** rng.uniform(-1.5, 0.7, 2)) @ turn.T).tolist()},
        "skew": lambda: {"name": "skew", "lam": rng.uniform(0.2, 2), "c": rng.uniform(0, 2), "k": rng.uniform(0.5, 4), "angle": 40.0},
        "mixture": lambda: {"name": "mixture", "weights": [0.4, 0.6], "var": (v := rng.uniform(0.3, 1.5)),
                            "means": [[0.0, 0.0], (1.8 * math.sqrt(v) * rng.uniform(0.1, 1) * turn[0]).tolist()]},
        "logistic": lambda: {"name": "logistic", "x": rng.normal(size=(4, 2)).tolist(), "y": [1, 1, -1, 1], "lam": rng.uniform(0.3, 1.5)},
    }[kind]()  # fmt: skip
    name = ("log-snr", "karras", "cubic", "tangent", "uniform", "quadratic")[rng.integers(6)]
    laid = {"T": rng.uniform(1, 5)} if name in ("uniform", "quadratic") else {}
    error = ({"name": "none"}, {"name": "constant", "level": 0.2}, {"name": "noise", "level": 0.4}, {"name": "relative", "level": -0.2})
    error = error[rng.integers(4)] if kind == "gaussian" else {"name": "none"}
    return Study.from_json({
        "target": target, "schemes": ["DDPM"], "steps": [int(rng.choice([3, 6, 12, 24]))], "grid": {"name": name}, **laid,
        "start": ("exact", "paper", "vp")[rng.integers(3)], "noise": float(rng.choice([0.0, 0.0, 0.3, 1.0])), "score_error": error,
        "particles": 1024,
    })  # fmt: skip


@pytest.mark.parametrize("number", [*range(10), *(pytest.param(k, marks=pytest.mark.long) for k in range(10, 300))])
def test_the_truth_lies_below_it(number):
    study = setting(number)
    *_, found = answers.find("all_at_once").stream(study)
    (row,) = found["rows"]
    assert found["void"] is None
    assert row["w2"] - 4 * (row["stderr"] or 0) <= row["bound"] * (1 + 1e-9), study.to_json()
    if row["coupled"] is not None and not row["coupled_flags"]:
        assert row["coupled"] - 4 * (row["coupled_stderr"] or 0) <= row["bound"] * (1.02 if study.sampled("DDPM") else 1 + 1e-9)


def test_pairs_that_share_less_than_the_path_are_flagged():
    """Three Legendre moments a step leave the noise at v > 0 open: simulated pairs are further apart than those of the proof."""
    study = ddpm(SKEW, (3,), "karras", noise=1.0, particles=1024)
    *_, found = answers.find("all_at_once").stream(study)
    assert found["rows"][0]["coupled_flags"][-1] == answer.LOOSE
    assert found["rows"][0]["w2"] < found["rows"][0]["bound"]
    near = ddpm(isotropic(1 / 0.95), (3,), "karras", noise=1.0, estimator="coupled")
    exact = bound.coupled(*near.built.along_axes, grid=near.grid(3), start="exact", noise=1.0)
    assert run(near).rows[0].w2 > 1.5 * exact


@pytest.mark.parametrize("target", [SKEW, LOGISTIC, GAUSSIAN], ids=lambda t: t["name"])
def test_the_answer_has_terms_that_add_up_beside_what_is_measured(target):
    study = ddpm(target, (4, 8), "log-snr", particles=1024)
    assert coupled_estimator.ENTRY.applies(study.case("DDPM", 4)) is None
    found = list(answers.find("all_at_once").stream(study))
    assert [f["done"] for f in found] == sorted(f["done"] for f in found)
    assert found[-1]["done"] == 1
    for row in found[-1]["rows"]:
        parts = [row[name] for name in ("initialisation", "discretisation", "bias", "fresh", "stop")]
        assert row["bound"] == pytest.approx(sum(parts))
        assert row["w2"] < row["coupled"] < row["bound"] * 1.02
