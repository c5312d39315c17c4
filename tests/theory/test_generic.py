"""The bound from single steps: its recursion, what its steps measure, and that the truth lies below it."""

import math

import numpy as np
import pytest
from cases import GAUSSIAN, SKEW
from scipy.integrate import quad

from dlab import answers, schemes, targets
from dlab.answers import generic_bound as measured
from dlab.grid import of_times, uniform
from dlab.study import Study
from dlab.targets import Fact, Facts
from dlab.theory import all_at_once, generic

COVERED = [name for name in schemes.REGISTRY if measured.why_not(name) is None]


def facts(m0=0.8, L_F=0.0, d=2):
    known = [Fact(v, "given") for v in (m0, 3.0, L_F, 1.0)]
    return Facts(d, *known, mean=np.zeros(d), cov=np.eye(d), product=False)


def study(scheme, target=GAUSSIAN, steps=(8,), **more):
    return Study.from_json({"target": target, "schemes": [scheme], "steps": list(steps), "T": 4.0, "particles": 1024, **more})


def bound(given):
    *_, found = answers.find("generic_bound").stream(given)
    return found


@pytest.mark.parametrize("L_F", [0.0, 1.5])
def test_the_terms_bound_the_recursion_that_they_unroll(L_F):
    """Both fluctuations at once, step by step, for the very recursion of the proof."""
    known, grid, rng = facts(0.6, L_F), of_times([3.0, 2.5, 1.4, 0.9, 0.3, 0.0]), np.random.default_rng(1)
    b, f, s, v = rng.uniform(0.01, 0.1, (4, grid.steps))
    e = math.exp(-1.5) * math.sqrt(known.second_moment)
    for n, (high, low) in enumerate(zip(grid.times[:-1], grid.times[1:])):
        rho = math.exp(-quad(lambda t: 1 / (math.exp(-t) / 0.6 - math.expm1(-t)) - 0.5, low, high)[0])
        kappa, h = L_F / math.sqrt(3), high - low  # m0 > 1/2, so that nothing grows
        e = math.sqrt((rho * e + b[n] + s[n]) ** 2 + f[n] ** 2 + v[n] ** 2 + 2 * kappa * h**1.5 * e * f[n])
    found, void = generic.terms(known, grid=grid, start="paper", mean=b, spread=f, bias=s, fresh=v)
    assert void is None
    assert e <= found.total
    if not L_F:
        # Alone, each kind of error gives its term.
        for which, name in enumerate(("mean", "fluctuation", "bias", "fresh")):
            parts = [u if i == which else 0 * u for i, u in enumerate((b, f, s, v))]
            alone, _ = generic.terms(known, grid=grid, start="exact", mean=parts[0], spread=parts[1], bias=parts[2], fresh=parts[3])
            assert alone.total == getattr(alone, name) == pytest.approx(getattr(found, name))


def test_the_contraction_is_that_of_the_exact_flow_of_a_gaussian():
    grid, v = of_times([2.0, 1.0, 0.2, 0.0]), 1 / 0.3
    spread = 1 + (v - 1) * np.exp(-grid.times)
    assert generic.contraction(0.3, grid) == pytest.approx(np.exp(-grid.h / 2) * spread[1:] / spread[:-1], rel=1e-9)


@pytest.mark.parametrize("missing", ["m0", "L_F"])
def test_without_a_fact_there_is_a_sentence(missing):
    found, void = generic.terms(facts(**{missing: None}), grid=uniform(1.0, 4), start="exact", mean=0.1, spread=0.1)
    assert found is None
    assert missing in void


def test_ddpm_has_no_mean_error_and_the_fluctuation_of_its_own_theorem():
    its = study("DDPM", {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[0.5, 0.0], [0.0, 0.5]]}, (16,))
    row, grid = bound(its)["rows"][0], its.grid(16)
    assert row["mean"] < 1e-9
    exact = all_at_once.terms(its.built.facts, grid=grid, start="exact")[0].discretisation
    # Measured along a run whose iterates do not matter on a Gaussian: the same, but for the width of 99.9 % and the reference's own error.
    assert exact < row["fluctuation"] < 1.15 * exact


@pytest.mark.parametrize("scheme", ["EM", pytest.param("SO", marks=pytest.mark.slow)])
def test_the_constants_of_a_step_settle_as_steps_become_small(scheme):
    found, gamma = {}, schemes.REGISTRY[scheme].strong_order
    for n in (16, 32):
        given = study(scheme, SKEW, (n,))
        grid, its = given.grid(n), measured.steps_of(given, scheme, n)
        terms, _ = generic.terms(given.built.facts, grid=grid, start="exact", mean=its["mean"][:, 1], spread=its["fluctuation"][:, 1])
        found[n] = terms.total, float(np.max(its["mean"][:, 0] / grid.h ** (gamma + 1)))
    assert found[16][1] == pytest.approx(found[32][1], rel=0.3)
    assert found[32][0] < 0.62 * found[16][0]


def test_the_error_of_the_score_is_its_level_times_the_step():
    for error, name in (({"name": "constant", "level": 0.2}, "bias"), ({"name": "noise", "level": 0.2}, "fresh")):
        row = bound(study("EM", score_error=error))["rows"][0]
        rho, h = generic.contraction(targets.build(GAUSSIAN).facts.m0.value, uniform(4.0, 8)), 0.5
        w = np.append(np.cumprod(rho[::-1])[::-1][1:], 1.0)
        exact = 0.2 * h * w.sum() if name == "bias" else 0.2 * h * math.sqrt(w @ w)
        assert row[name] == pytest.approx(exact, rel=0.1)
        assert row["bias" if name == "fresh" else "fresh"] == 0


def test_schemes_that_it_does_not_speak_of_say_why():
    assert not {"2M-SDE", "DDIM", "CHURN", "PC"} & set(COVERED)
    assert set(COVERED) == {s.name for s in schemes.REGISTRY.values() if s.dynamics == "SDE" and not s.history}
    for name in set(schemes.REGISTRY) - set(COVERED):
        assert name in measured.applies(study(name))


def setting(number):
    """A study at random: scheme, target, grid and start."""
    rng = np.random.default_rng(1000 + number)
    turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    spread, apart = 10 ** rng.uniform(-1, 0.7, 2), rng.uniform(0.2, 1.5)
    target = (
        {"name": "gaussian", "mean": rng.normal(size=2).tolist(), "cov": (turn @ np.diag(spread) @ turn.T).tolist()},
        {"name": "skew", "lam": rng.uniform(0.2, 1.5), "c": rng.uniform(0, 2), "k": rng.uniform(0.5, 3), "angle": 40.0},
        {"name": "mixture", "weights": [0.4, 0.6], "var": 0.8, "means": [[0.0, 0.0], (apart * turn[0]).tolist()]},
        {"name": "logistic", "x": rng.normal(size=(4, 2)).tolist(), "y": [1, 1, -1, 1], "lam": rng.uniform(0.3, 1.5)},
    )[number % 4]
    scheme = COVERED[number % len(COVERED)] if number >= 10 else ("EM", "SO", "DDPM", "EI", "SEA")[number % 5]
    laid = (
        {"T": rng.uniform(1, 4)}, {"grid": {"name": "log-snr", "sigma_max": 10.0, "sigma_min": 0.02}},
        {"grid": {"name": "quadratic"}, "T": 4.0},
    )[rng.integers(3)]  # fmt: skip
    error = ({"name": "none"}, {"name": "constant", "level": 0.2}, {"name": "noise", "level": 0.3})[rng.integers(3)]
    return Study.from_json({
        "target": target, "schemes": [scheme], "steps": [int(rng.choice([6, 12, 24]))], "start": ("exact", "paper", "vp")[rng.integers(3)],
        "score_error": {"name": "none"} if number % 4 else error, "particles": 1024, **laid,
    })  # fmt: skip


def _marked(name, *ends):
    return [pytest.param(k, marks=getattr(pytest.mark, name)) for k in range(*ends)]


@pytest.mark.parametrize("number", [*range(3), *_marked("slow", 3, 6), *_marked("long", 6, 300)])
def test_the_truth_lies_below_it(number):
    given = setting(number)
    found = bound(given)
    (row,) = found["rows"]
    assert found["void"] is None
    if row["w2"] is None:  # diverged, or the random midpoint has no second moment there
        return
    assert row["w2"] - 4 * (row["stderr"] or 0) <= row["bound"] * (1 + 1e-9), given.to_json()
