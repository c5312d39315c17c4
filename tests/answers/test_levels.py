"""The meanings of ε for one error against their closed forms, and what is read off results that vary its level."""

import numpy as np
import pytest
from cases import GAUSSIAN, SKEW

from dlab.answers import along, score_error
from dlab.study import Study, run

SIGMAS = 3.0


def met(error, target=GAUSSIAN, scheme="EM", steps=16):
    study = Study.from_json({"target": target, "score_error": error, "schemes": [scheme], "h": [2.0 / steps], "T": 2.0, "seed": 4})
    return score_error.met(study, scheme, steps)


def value(found, name):
    return found["variants"][name]["value"]


@pytest.mark.parametrize("target", [GAUSSIAN, SKEW])
def test_every_variant_of_a_constant_error_is_its_level(target):
    found = met({"name": "constant", "level": 0.3, "angle": 40.0}, target)
    for name in ("iterates", "forward", "average", "uniform", "bias"):
        assert value(found, name) == pytest.approx(0.3, rel=1e-9), name
        assert found["variants"][name]["stderr"] == 0.0
        assert found["variants"][name]["t"] is None
    assert value(found, "fresh") == 0


def test_a_field_of_constant_length_has_one_level_too():
    found = met({"name": "field", "level": 0.3, "seed": 2})
    for name in ("iterates", "forward", "average", "uniform", "bias"):
        assert value(found, name) == pytest.approx(0.3, rel=1e-9), name


def test_fresh_noise_has_no_bias_and_the_level_as_its_spread():
    found = met({"name": "noise", "level": 0.3})
    assert value(found, "bias") == 0
    for name in ("iterates", "forward", "average", "fresh"):
        v = found["variants"][name]
        assert 0 < v["stderr"] < 0.01
        assert abs(v["value"] - 0.3) < SIGMAS * v["stderr"], name
    assert value(found, "uniform") > 0.6  # a Gaussian has no largest value


def test_a_relative_error_along_p_t_is_the_level_times_the_root_of_the_trace_of_the_precision():
    found = met({"name": "relative", "level": 0.2}, steps=16)
    t = np.array(found["curve"]["t"])
    precision = [np.trace(np.linalg.inv(np.exp(-u) * np.array(GAUSSIAN["cov"]) - np.expm1(-u) * np.eye(2))) for u in t]
    truth = 0.2 * np.sqrt(precision)
    # The same particles serve every time, so all points are off together.
    assert np.all(np.abs(np.array(found["curve"]["forward"]) - truth) < SIGMAS * np.array(found["curve"]["forward_stderr"]))
    top = found["variants"]["forward"]
    assert top["t"] == t[np.argmax(truth)]
    assert abs(top["value"] - truth.max()) < SIGMAS * top["stderr"]
    mean = found["variants"]["average"]
    assert abs(mean["value"] - np.sqrt(np.mean(truth**2))) < SIGMAS * mean["stderr"]
    # The iterates meet less: the longer score has made their law narrower.
    assert value(found, "iterates") < value(found, "forward")
    assert value(found, "uniform") > value(found, "forward")


def test_a_run_is_followed_and_may_be_cancelled():
    error, seen = {"name": "constant", "level": 0.1}, []
    study = Study.from_json({"target": GAUSSIAN, "score_error": error, "schemes": ["EM"], "h": [0.01], "T": 1.0})
    found = score_error.met(study, "EM", 100, seen.append)
    assert seen[-1] == 1.0
    assert len(found["curve"]["t"]) == along.POINTS

    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_error.met(study, "EM", 100, stop)


def test_the_size_of_the_score_is_the_root_of_the_trace_of_the_precision():
    study = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"]})
    truth = np.sqrt(np.trace(np.linalg.inv(GAUSSIAN["cov"])))
    # |s|^2 of a Gaussian is a sum of weighted chi-squares.
    weights = 1 / np.linalg.eigvalsh(GAUSSIAN["cov"])
    spread = np.sqrt(2 * np.sum(weights**2) / 4096) / (2 * truth)
    assert abs(score_error.score_size(study.built) - truth) < SIGMAS * spread


def varied(name="constant", schemes=("EM",), h=(0.5, 0.25, 0.125, 0.0625, 0.03125), values=(0.0, 0.02, 0.1, 1.0), **more):
    spec = {"target": GAUSSIAN, "score_error": {"name": name}, "schemes": list(schemes), "h": list(h),
            "vary": {"axis": "score_error.level", "values": list(values)}, **more}  # fmt: skip
    return run(Study.from_json(spec)).to_json()


def test_a_curve_bends_where_the_schemes_own_error_equals_the_floor():
    result = varied()
    small, middle, large = score_error.bends(result, "EM")
    base = {r["h"]: r["w2"] for r in result["rows"] if r["value"] == 0}
    reach = score_error.costs(Study.from_json(result["study"])).constant
    for bend in (small, middle):
        assert bend["floor"] == pytest.approx(bend["value"] * reach, rel=0.05)
        below, above = max(h for h in base if h <= bend["h"]), min(h for h in base if h >= bend["h"])
        assert base[below] <= bend["floor"] <= base[above]
    assert large["h"] is None
    assert "outweighs" in large["why"]
    assert large["floor"] == pytest.approx(reach, rel=0.01)


def test_fresh_noise_has_no_floor():
    for bend in score_error.bends(varied("noise", ("SO",)), "SO"):
        assert bend["floor"] is bend["h"] is None
        assert "not levelled off" in bend["why"]


@pytest.mark.parametrize("order", [1.0, 2.0])
@pytest.mark.parametrize("angle", [0.0, 60.0, 120.0])
def test_the_limit_of_two_displacements_that_add_is_the_error_s(order, angle):
    def row(h, floor):
        return {"h": h, "w2": abs(floor + 0.3 * np.exp(1j * np.radians(angle)) * h**order), "resolved": True}

    rows, base = ([row(h, floor) for h in (0.125, 0.25)] for floor in (0.1, 0.0))
    assert score_error.limit(rows, base, order) == pytest.approx(0.1, rel=1e-12)
    assert score_error.limit(base, base, order) is None
    assert score_error.octave(base) == pytest.approx(order)


def test_contributions_stand_beside_the_bound_s():
    def one(scheme, h, start, error):
        spec = {"target": GAUSSIAN, "schemes": [scheme], "h": [h], "start": start, "score_error": error}
        return run(Study.from_json(spec)).to_json()

    error, none = {"name": "constant", "level": 0.1}, {"name": "none"}
    found = score_error.contributions(
        {"all": one("EM", 0.125, "paper", error), "initialisation": one("SO", 1 / 64, "paper", none),
         "discretisation": one("EM", 0.125, "exact", none), "score": one("SO", 1 / 64, "exact", error)}, "EM",
    )  # fmt: skip
    parts = [found["measured"][k] for k in ("initialisation", "discretisation", "score")]
    assert max(parts) < found["measured"]["total"] < sum(parts)
    assert found["theorem"]["total"] > found["measured"]["total"]
    assert found["theorem"]["total"] == pytest.approx(sum(found["theorem"][k] for k in ("initialisation", "discretisation", "score")))
