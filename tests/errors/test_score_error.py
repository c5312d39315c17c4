"""What an error of the score costs: slopes in its level and in h by exact laws, the derived coefficients, and C2 above all."""

import numpy as np
import pytest
from cases import GAUSSIAN, SKEW

from dlab import errors, schemes, targets, theory
from dlab.answers import score_error
from dlab.grid import uniform
from dlab.laws import gaussian as laws
from dlab.study import Study, run

T = 4.0
LEVELS = (0.05, 0.1, 0.2, 0.4)
MILD = {"name": "gaussian", "mean": [0.5, -0.3], "cov": [[0.6875, 0.3247], [0.3247, 1.0625]]}  # m0 = 0.8: no theorem is void


def varied(target, name, scheme, h, values=LEVELS, **error):
    spec = {"target": target, "T": T, "score_error": {"name": name, **error}, "schemes": [scheme], "h": h,
            "vary": {"axis": "score_error.level", "values": [0.0, *values]}}  # fmt: skip
    return run(Study.from_json(spec)).to_json()


def moved(scheme, target, steps, **error):
    """W2 between the scheme's laws with and without the error."""
    pair = []
    for spec in ({"name": "none"}, {"name": "none", **error}):
        law = laws.propagate(schemes.REGISTRY[scheme], target, errors.build(spec), grid=uniform(T, steps), start="exact")
        pair.append((law.mean[-1], law.cov[-1]))
    return float(laws.bures(*pair[0], *pair[1]))


@pytest.mark.parametrize("target", [MILD, SKEW], ids=["gaussian", "skew"])
@pytest.mark.parametrize("scheme", ["EM", "SO"])
def test_a_constant_error_costs_in_proportion_and_less_than_c2(target, scheme):
    result = varied(target, "constant", scheme, [1 / 32], angle=30.0)
    (line,) = result["trends"]
    assert len(line["used"]) >= 3
    assert 0 not in line["used"]
    assert line["slope"] == pytest.approx(1.0, abs=0.05)
    for row in result["rows"]:
        if row["value"] in line["used"]:
            assert row["w2"] < row["bound_parts"]["score"]
            assert row["w2"] < row["bound"]


@pytest.mark.parametrize("scheme", schemes.PAPER)
def test_c2_is_the_inverse_gap_and_three_times_it_for_the_midpoint_schemes(scheme):
    (_, row) = varied(MILD, "constant", scheme, [1 / 64], values=[0.1])["rows"]
    c2, gap = row["bound_parts"]["score"] / 0.1, targets.build(MILD).facts.m0.value - 0.5
    times = 3 if schemes.REGISTRY[scheme].randomised else 1
    assert c2 == pytest.approx(times / gap, rel=0.1)  # SO: up to exp((L_max - 1/2) h)
    # The law does not see the factor.
    derived = score_error.costs(Study.from_json({"target": MILD, "T": T, "score_error": {"name": "constant", "level": 0.1}}))
    assert row["w2"] / 0.1 == pytest.approx(derived.constant, rel=0.02)
    assert derived.constant < 1 / gap


@pytest.mark.parametrize("scheme", ["EM", "EI", "REM", "REI", "SO"])
@pytest.mark.parametrize("spec", [GAUSSIAN, MILD], ids=["rotated", "mild"])
def test_the_costs_of_each_error_are_the_derived_ones_as_h_falls(scheme, spec):
    target = targets.build(spec)
    derived = theory.costs(target.mean, target.cov, [1.0, 0.0], T)
    gaps = []
    for steps in (256, 1024):
        h = T / steps
        found = {
            "constant": moved(scheme, target, steps, name="constant", level=0.01) / 0.01,
            "noise": moved(scheme, target, steps, name="noise", level=0.1) / (h * 0.01),
        }
        if scheme == "SO":
            found["hessian"] = moved(scheme, target, steps, hessian_level=0.01) / (h * 0.01)
            found["drift"] = moved(scheme, target, steps, drift_level=0.01) / (h * 0.01)
        gaps.append({k: abs(v / getattr(derived, k) - 1) for k, v in found.items()})
    assert max(gaps[0].values()) < 0.03
    assert max(gaps[1].values()) < 0.006  # first order in h


def test_fresh_noise_has_slope_two_in_its_level_and_one_in_h():
    target = targets.build(GAUSSIAN)

    def cost(level, steps):
        return moved("EM", target, steps, name="noise", level=level)

    in_level = np.polyfit(np.log(LEVELS), np.log([cost(e, 256) for e in LEVELS]), 1)[0]
    steps = np.array([128, 256, 512])
    in_h = np.polyfit(np.log(T / steps), np.log([cost(0.2, n) for n in steps]), 1)[0]
    assert in_level == pytest.approx(2.0, abs=0.01)
    assert in_h == pytest.approx(1.0, abs=0.02)


def test_a_constant_error_on_the_standard_gaussian_makes_c2_sharp():
    far = theory.costs([0, 0], np.eye(2), [1, 0], 40.0)
    assert far.constant == pytest.approx(2.0, rel=1e-8)
    # Through v = 1 nothing jumps.
    near = [theory.cost.reach(np.array([v]), T)[0] for v in (1 - 1e-9, 1.0, 1 + 1e-9)]
    assert np.ptp(near) < 1e-8


def test_the_coupling_of_fresh_noise_is_the_fixed_point_of_the_sharp_recursion():
    # On the standard Gaussian m = 1 at all times: rho is constant and the fixed point is exact up to O(h).
    facts, h, level = targets.build({"name": "gaussian", "mean": [0, 0], "cov": [[1, 0], [0, 1]]}).facts, 1 / 256, 50.0
    with_noise, _ = theory.sharp(facts, grid=uniform(32.0, int(32 / h)), start="exact", noise=level)
    without, _ = theory.sharp(facts, grid=uniform(32.0, int(32 / h)), start="exact")
    excess = np.sqrt(with_noise[-1] ** 2 - without[-1] ** 2)
    assert excess / level == pytest.approx(theory.coupled_noise(1.0, h), rel=0.02)
    assert theory.coupled_noise(0.5, h) is None
    assert theory.coupled_noise(0.8, h) == pytest.approx((h / 0.6) ** 0.5)


def test_errors_of_so_s_hessian_and_drift_cost_order_h_below_the_theorem_s_terms():
    given, results = {"L": 0.5, "M": 1.0}, {}
    for label, error in (("exact", {}), ("L", {"hessian_level": 0.5}), ("M", {"drift_level": 1.0})):
        spec = {"target": MILD, "T": T, "schemes": ["SO"], "h": [1 / 16, 1 / 32, 1 / 64], "score_error": {"name": "none", **error}}
        results[label] = run(Study.from_json(spec)).to_json()
    derived = score_error.costs(Study.from_json(results["exact"]["study"]))
    terms, (hessian, drift) = score_error.second_order(results, given, derived)
    for row, kind in ((hessian, "hessian"), (drift, "drift")):
        assert row["slope"] == pytest.approx(1.0, abs=0.05)
        assert row["cost"] == pytest.approx(getattr(derived, kind), rel=0.05)
        assert row["term"] > row["w2"]
    ratio = [terms["L"]["term"][h] / terms["M"]["term"][h] for h in (1 / 16, 1 / 64)]
    # (2/3) sqrt(h d) 0.5 beside h/2: the theorem's terms part like h^(-1/2).
    assert ratio[1] / ratio[0] == pytest.approx(2.0, rel=1e-9)
