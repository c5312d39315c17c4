"""All schemes at equal cost, the churned flow, and the names of samplers elsewhere."""

import itertools

import numpy as np
import pytest

from dlab import answers, engine, schemes
from dlab.answers import samplers
from dlab.grid import MAKERS
from dlab.params import BadInput
from dlab.schemes.names import NAMES
from dlab.study import Study, run

TARGET = {"name": "gaussian", "mean": [0.5, -0.3], "cov": [[1.0, 0.2], [0.2, 0.5]]}


def asked(**changed):
    return Study.from_json({"target": TARGET, "grid": {"name": "karras"}, **changed})


def test_its_values_are_those_of_a_study():
    names = ["EM", "REM", "2M-SDE"]
    rows = samplers.samplers(asked(schemes=names, start="paper"))["rows"]
    assert [r["evaluations"] for r in rows] == 3 * list(samplers.EVALUATIONS)
    for name in names:
        mine = [r for r in rows if r["scheme"] == name][:3]
        direct = run(asked(schemes=[name], steps=[r["steps"] for r in mine], start="paper")).rows
        got = {r.steps: r.w2 for r in direct}
        assert [r["w2"] for r in mine] == pytest.approx([got[r["steps"]] for r in mine], rel=1e-10)
        assert {r["method"] for r in mine} == {r.method for r in direct}


def test_a_spectrum_counts_equal_variances_and_an_option_enters():
    target = {"name": "spectrum", "values": [0.5] * 5}
    one, five = (samplers.samplers(asked(target={**target, "values": [0.5] * d}, schemes=["EM"]))["rows"] for d in (1, 5))
    assert [r["w2"] for r in five] == pytest.approx([r["w2"] * 5**0.5 for r in one], rel=1e-12)
    exact = samplers.samplers(asked(target=target, schemes=["DDPM"], noise=0.5))["rows"]  # the data's own variance
    assert all(r["flags"] == ["the laws are equal up to rounding"] for r in exact)


@pytest.mark.parametrize("changed", [
    {"target": {"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0}}, {"score_error": {"name": "constant", "level": 0.1}},
    {"target": {"name": "spectrum", "shape": "linear", "dim": 100, "low": 0.1, "high": 1.0}},
])  # fmt: skip
def test_it_says_where_it_cannot_be_given(changed):
    with pytest.raises(BadInput, match="samplers: "):
        next(answers.find("samplers").stream(asked(schemes=["EM"], **changed)))


# ---------------------------------------------------------------- the dial


def carried(e, tau):
    """W2 by the recursion of the variance on N(0, 1), one step after another."""
    var = 1 + tau[0]
    for here, there in itertools.pairwise(tau):
        A = 1 - (1 + e) / 2 * (here - there) / (1 + here)
        var = A * A * var + e * (here - there)
    return abs(var**0.5 - 1)


@pytest.mark.parametrize("e", [0.0, 0.3, 1.0, 2.5])
def test_the_dial_is_the_recursion_of_variances_and_tends_to_its_limit(e):
    tau = samplers._own(e, 40)
    assert samplers.churned(e, tau) == pytest.approx(carried(e, tau), rel=1e-9)
    assert samplers.churned(e, samplers._log(e, 40)) == pytest.approx(carried(e, samplers._log(e, 40)), rel=1e-9)
    many = 1 << 14
    assert many * samplers.churned(e, samplers._own(e, many)) == pytest.approx(samplers.limit(e), rel=2e-3)


def test_the_limit_is_the_printed_one_where_the_start_is_forgotten():
    for e in (2.0, 4.0):
        assert samplers.limit(e) == pytest.approx((1 + 1 / e) ** 2 / 2, rel=1e-3)
    rows = {r["churn"]: r for r in engine.answer("dial", asked(), 512)["rows"]}
    assert list(rows) == list(samplers.CHURNS)
    for e in (0.0, 0.5, 1.0):
        assert rows[e]["own_order"] == pytest.approx(1, abs=0.02)
        assert rows[e]["own"] < rows[e]["log"]
    # VE-EM is e = 1: on a grid of the registry its own law says the same.
    v = {"name": "spectrum", "values": [1.0]}
    ve = run(Study.from_json({"target": v, "schemes": ["VE-EM"], "grid": {"name": "inverse-root", "v": 1.0}, "steps": [512]})).rows[0]
    assert ve.w2 == pytest.approx(rows[1.0]["own"], rel=1e-9)


# ---------------------------------------------------------------- names


def test_every_name_stands_for_a_study_that_runs():
    assert len(NAMES) > 25
    groups = {}
    for name in NAMES.values():
        assert name.scheme in schemes.REGISTRY
        assert name.grid is None or name.grid["name"] in MAKERS
        key = (name.grid or {"name": "karras"})["name"], name.options
        groups.setdefault(key, set()).add(name.scheme)
    for (grid, options), names in groups.items():
        study = asked(schemes=sorted(names), grid={"name": grid}, **dict(options))
        for row in samplers.samplers(study)["rows"]:
            assert row["evaluations"] < 48 or row["w2"] < 0.6, row


def test_names_of_one_sampler_give_one_law():
    """"Euler a", DDIM with eta = 1 and DDPM with the small variance are one, and the large variance is another."""

    def w2(name):
        one = NAMES[name]
        return samplers.samplers(asked(schemes=[one.scheme], grid={"name": "vp-linear"}, **dict(one.options)))["rows"][2]["w2"]

    assert w2("Euler a") == w2("DDIM η = 1") == w2("DDPM fixed small")
    assert not np.isclose(w2("DDPM fixed large"), w2("DDPM fixed small"), rtol=0.1)
