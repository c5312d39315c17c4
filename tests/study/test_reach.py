"""The smallest number of steps that comes below a distance: against brute force, against plain studies, and beside the theorem's."""

import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC

from dlab import engine, params, schemes, theory
from dlab.engine.cost import particle_step
from dlab.params import BadInput
from dlab.study import Study, run, stream
from dlab.study import reach as reaching
from dlab.ui import files, settings, studies

NAMES = list(schemes.PAPER)
SAMPLED = {"target": LOGISTIC, "schemes": ["EM", "SO"], "h": [0.5], "T": 2.0, "particles": 512, "reach": [0.5, 0.3]}


def study(**changes):
    return Study.from_json({"target": GAUSSIAN, "schemes": ["EM", "SO"], "h": [0.5, 0.25], "T": 2.0, "reach": [0.2, 0.05], **changes})


def by_name(result, scheme, epsilon):
    return next(a for a in result["reach"] if a["scheme"] == scheme and math.isclose(a["epsilon"], epsilon))


def at(answer, asked, steps):
    """W2 of a scheme in so many steps, from a plain study of its own."""
    changed = {"schemes": [answer["scheme"]], "T": answer["T"], "h": [answer["T"] / steps], "reach": None}
    return run(Study.from_json({**asked.to_json(), **changed})).rows[0].w2


def random_gaussian(r):
    angle, low, high = r.uniform(0, 180), r.uniform(0.2, 0.9), r.uniform(0.9, 1.9)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return {"name": "gaussian", "mean": [r.uniform(-1, 1), r.uniform(-1, 1)], "cov": (turn @ np.diag([low, high]) @ turn.T).tolist()}


# ---------------------------------------------------------------- the search


@pytest.mark.parametrize("block", range(4))
def test_the_found_number_is_that_of_brute_force(block):
    """20 random Gaussians, each with a scheme: the search tries a few numbers of steps, brute force every one."""
    for i in range(5):
        r = random.Random(100 * block + i)
        name, T = NAMES[(block + i) % len(NAMES)], float(r.randint(2, 6))
        asked = study(target=random_gaussian(r), schemes=[name], T=T, h=[1.0, 0.5], reach=[0.3, 0.08, 0.03])
        everything = Study.from_json({**asked.to_json(), "h": None, "reach": None} | {"h": [1.0]})
        found = run(asked).to_json()["reach"]
        for a in found:
            last = a["steps"] + 3
            w2 = {}
            for first in range(1, last + 1, 24):
                counts = tuple(range(first, min(first + 24, last + 1)))
                part = replace(everything, steps=counts)
                w2 |= {row.steps: math.inf if row.w2 is None else row.w2 for row in run(part).rows}
            assert a["steps"] == min(n for n in w2 if w2[n] < a["epsilon"]), (name, a)
            assert a["w2"] == pytest.approx(w2[a["steps"]], rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", ["exact", "paper"])
def test_running_the_found_number_is_below_and_one_step_fewer_is_not(name, start):
    asked = study(schemes=[name], start=start, reach=[0.3, 0.1, 0.03])
    for a in run(asked).reach:
        assert at(a, asked, a["steps"]) == pytest.approx(a["w2"], rel=1e-9)
        assert a["w2"] < a["epsilon"]
        assert a["score_evals"] == a["steps"] * schemes.REGISTRY[name].score_evals
        assert a["h"] == pytest.approx(a["T"] / a["steps"])
        if a["steps"] > 1:
            assert at(a, asked, a["steps"] - 1) == pytest.approx(a["w2_fewer"], rel=1e-9)
            assert a["w2_fewer"] >= a["epsilon"]
            assert a["steps"] - 1 <= a["crossing"] <= a["steps"]


def test_the_exact_start_keeps_the_horizon_and_the_papers_takes_the_theorems():
    for a in run(study()).reach:
        assert a["T"] == a["planned"]["T"] == 2.0
        assert a["planned"]["share"] == 0
    asked = study(start="paper")
    size, m_min = asked.built.facts.second_moment**0.5, min(1.0, asked.built.facts.m0.value)
    for a in run(asked).reach:
        plan = a["planned"]
        assert a["T"] == plan["T"] == pytest.approx(math.log(size / (plan["share"] * a["epsilon"])) / m_min)
        bound = theory.bound(schemes.REGISTRY[a["scheme"]], asked.built.facts, T=plan["T"], h=plan["h"], start="paper")
        assert bound.total <= a["epsilon"] * (1 + 1e-9)
        assert bound.initialisation == pytest.approx(plan["share"] * a["epsilon"])
        assert a["w2"] < a["epsilon"]


def test_the_best_share_asks_for_no_more_steps_than_the_corollaries_half():
    facts = study().built.facts
    for name in NAMES:
        best, half = (theory.plan(schemes.REGISTRY[name], facts, 0.05, start="paper", T=4.0, share=s) for s in (None, 0.5))
        assert half.share == 0.5
        assert best.steps <= half.steps


def test_a_horizon_beyond_the_labs_is_cut_and_said():
    target = {"name": "gaussian", "mean": [1e6, 0.0], "cov": [[1.9, 0.0], [0.0, 1.9]]}
    (a,) = run(study(target=target, start="paper", schemes=["EM"], reach=[1e-5])).reach
    assert a["planned"]["T"] > params.MAX_T == a["T"]
    assert "exceeds 50" in a["why"]


def test_not_reached_says_so():
    wrong = {"name": "constant", "level": 0.3, "angle": 0.0}
    result = run(study(score_error=wrong, reach=[0.5, 0.01])).to_json()
    for name in ("EM", "SO"):
        a = by_name(result, name, 0.01)
        assert a["steps"] is a["h"] is a["w2"] is a["score_evals"] is a["crossing"] is None
        assert "where it has levelled off" in a["why"]
        level = float(a["why"].split()[-1].rstrip("."))
        assert level == pytest.approx(at({**a, "T": 2.0}, Study.from_json(result["study"]), 4096), rel=0.05)
        assert f"{name}: W₂ = 0.01 is not reached." in result["notes"]
    assert any("exact score" in note for note in result["notes"])
    assert all(t["slope"] is None for t in result["reach_trends"])


def test_where_the_theorem_is_void_the_search_still_answers():
    target = {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[3.0, 0.0], [0.0, 1.0]]}
    for start in ("exact", "paper"):
        result = run(study(target=target, start=start, T=4.0 if start == "exact" else 12.0)).to_json()
        assert all(a["planned"] is None and "½" in a["why"] and a["steps"] for a in result["reach"])
        assert all(t["theory_slope"] is None and t["slope"] for t in result["reach_trends"])


def test_a_search_gives_up_where_the_curve_has_levelled_off_and_nowhere_else():
    seen = []

    def floored(n):
        seen.append(n)
        return 0.1 + 1 / n

    assert reaching._smallest(floored, 0.05, (), 4096, level=True) == (None, max(seen))
    assert max(seen) < 1000
    assert reaching._smallest(lambda n: 0.1 + 1 / n, 0.05, (), 4096) == (None, 4096)
    # Slow to fall, and just above its level: both are searched to the end.
    assert reaching._smallest(lambda n: n**-0.3, 0.1, (), 4096, level=True)[0] == 2155
    assert reaching._smallest(lambda n: 0.1 + 1 / n, 0.101, (), 4096, level=True)[0] == 1001


# ---------------------------------------------------------------- slopes


def test_slopes_are_those_of_the_orders_of_the_laws():
    result = run(study(schemes=NAMES, reach=[0.01, 0.005, 0.002, 0.001])).to_json()
    trends = {t["scheme"]: t for t in result["reach_trends"]}
    for name in NAMES:
        t = trends[name]
        assert t["law_slope"] == 1 / schemes.REGISTRY[name].law_order
        assert t["theory_slope"] == (1 if name == "SO" else 2)
        assert t["slope_low"] < t["slope"] < t["slope_high"]
    assert trends["EM"]["slope"] == pytest.approx(1, abs=0.05)
    assert trends["EI"]["slope"] == pytest.approx(1, abs=0.05)
    assert trends["SO"]["slope"] == pytest.approx(0.5, abs=0.1)


def test_one_distance_has_no_slope():
    result = run(study(reach=[0.1])).to_json()
    assert [t["slope"] for t in result["reach_trends"]] == [None, None]


# ---------------------------------------------------------------- sampled targets


@pytest.fixture(scope="module")
def sampled():
    asked, seen = Study.from_json(SAMPLED), []
    *_, last = ((seen.append(r), r)[1] for r in stream(asked))
    return asked, seen, last.to_json()


def test_a_sampled_target_is_searched_with_the_projected_estimator(sampled):
    asked, _, result = sampled
    for a in result["reach"]:
        assert a["w2"] < a["epsilon"] <= (math.inf if a["w2_fewer"] is None else a["w2_fewer"])
        assert a["stderr"] > 0
        assert at(a, asked, a["steps"]) == pytest.approx(a["w2"], rel=1e-6)
        if a["crossing"]:
            assert a["crossing_stderr"] > 0


def test_progress_never_falls_and_ends_at_one(sampled):
    _, seen, _ = sampled
    done = [r.done for r in seen]
    assert done == sorted(done)
    assert done[-1] == 1
    assert [len(r.reach) for r in seen] == sorted(len(r.reach) for r in seen)
    assert len(seen[-1].reach) == 4


def test_a_sampled_result_keeps_its_particles(sampled):
    _, seen, _ = sampled
    assert set(seen[-1].clouds) == {f"{prefix}{name}_4" for name in ("EM", "SO") for prefix in ("", "reference_")}


def test_the_price_grows_with_what_is_asked_for():
    prices = [Study.from_json({**SAMPLED, "reach": reach}).price for reach in (None, [0.5], [0.5, 0.3], [0.5, 0.3, 0.2])]
    assert prices == sorted(set(prices))
    assert study().price == 0


def test_a_search_can_be_cancelled_inside_a_point():
    class Stop(Exception):
        pass

    asked, calls = Study.from_json({**SAMPLED, "schemes": ["EM"], "reach": [0.02]}), []
    rows_done = replace(asked, reach=None).price / asked.price

    def tick(done):
        calls.append(done)
        if calls.count(done) > 3 and done >= rows_done:  # no answer is found yet, a point of the search is running
            raise Stop

    with pytest.raises(Stop):
        run(asked, tick)
    assert calls == sorted(calls)
    assert calls[-1] < 1


# ---------------------------------------------------------------- the file


def test_the_study_file_round_trips():
    asked = study(reach=[0.05, 0.2, 0.05])
    assert asked.reach == (0.2, 0.05)
    again = Study.from_json(json.dumps(asked.to_json()))
    assert again == asked
    assert again.key == asked.key != study(reach=None).key
    result = json.loads(json.dumps(run(asked).to_json(), allow_nan=False))
    assert result["study"]["reach"] == [0.2, 0.05]
    assert [(a["epsilon"], a["scheme"]) for a in result["reach"]] == [(e, s) for e in (0.2, 0.05) for s in ("EM", "SO")]
    assert "reach" not in run(study(reach=None)).to_json()


def test_a_study_that_varies_carries_the_answers_of_each_part():
    result = run(study(vary={"axis": "T", "values": [2.0, 3.0]}, schemes=["EM"])).to_json()
    assert [(a["value"], a["T"]) for a in result["reach"]] == [(2.0, 2.0)] * 2 + [(3.0, 3.0)] * 2
    assert [t["value"] for t in result["reach_trends"]] == [2.0, 3.0]


def test_the_app_opens_a_study_file_with_its_distances():
    asked = studies.reaching_study({**settings.defaults(), "distances": (0.2, 0.02)})
    values, notes = files.from_study(json.dumps(asked.to_json()).encode())
    assert "steps N" in notes[0]
    assert values["distances"] == (0.2, 0.02)
    assert values["epsilon"] == 0.05
    assert studies.reaching_study(values) == asked
    values, notes = files.from_study(json.dumps({**asked.to_json(), "reach": [1.0]}).encode())
    assert (values["distances"], values["epsilon"]) == ((1.0, 1.0), 1.0)
    with pytest.raises(BadInput, match="not a range"):
        files.from_study(json.dumps({**asked.to_json(), "reach": [0.3, 0.1]}).encode())


# ---------------------------------------------------------------- measured time


def test_a_particle_step_takes_time_and_is_measured_once(monkeypatch):
    asked = study()
    assert particle_step(asked, "EM") > 0
    monkeypatch.setattr(engine.cost, "_timed", {})
    measured = []
    monkeypatch.setattr(engine.cost, "particle_step", lambda s, name: measured.append(name) or 1e-7)
    assert engine.seconds_a_step(asked) is None
    assert engine.time_steps(asked) == {"EM": 1e-7, "SO": 1e-7} == engine.seconds_a_step(asked)
    engine.time_steps(study(target={"name": "gaussian", "mean": [1.0, 0.0], "cov": [[1.0, 0.0], [0.0, 1.0]]}))
    assert measured == ["EM", "SO"]
    engine.time_steps(study(score_error={"name": "relative", "level": 0.1}, schemes=["EM"]))
    assert measured == ["EM", "SO", "EM"]
