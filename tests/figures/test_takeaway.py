"""What every page says in one sentence and a few numbers, over all results that come with the lab and over spoiled ones."""

import copy
import json
import random
import re
from dataclasses import replace
from functools import cache

import pytest
from test_convergence import normal

from dlab import engine, grid, schemes
from dlab.answers import learned_score, score_error
from dlab.answers.bounds import bounds, checklist
from dlab.cache import PREPARED
from dlab.figures import tables, takeaway
from dlab.figures.numbers import NONE
from dlab.study import Study, run

GAUSSIAN = {"name": "gaussian", "mean": [0.5, 0.0], "cov": [[0.7, 0.2], [0.2, 1.0]]}
VOID = {"name": "gaussian", "mean": [0.5, 0.0], "cov": [[0.7, 0.0], [0.0, 2.5]]}
LEVEL = {"name": "constant", "level": 0.1}
SPOILED = 12  # of each result


def brief(said) -> None:
    """At most so many words and figures, and nothing in them that is no number."""
    if said is None:
        return
    assert 0 < len(said.text.split()) <= takeaway.MOST, said.text
    assert len(said.figures) <= takeaway.FEW
    for text in (said.text, *(part for figure in said.figures for part in figure)):
        assert text.strip()
        assert not re.search(r"\b(nan|inf|none)\b|\{|\}|  ", text, re.I), said
    assert all(value != "–" for _, value in said.figures), said


def prepared(name):
    return json.loads((PREPARED / f"{name}.json").read_text("utf-8"))


RESULTS = sorted(
    f.stem for f in PREPARED.glob("*.json") if f.stem != "index" and "facts" in json.loads(f.read_text("utf-8"))
)
CURVES = [name for name in RESULTS if "vary" not in prepared(name)["study"]]
LEARNED = sorted({name.split("-")[1] for name in RESULTS if name.startswith("learned-")})
DIVERGED = {
    "w2": None,
    "stderr": None,
    "lower": None,
    "upper": None,
    "resolved": False,
    "diverged": 7,
    "flags": ["7 of 9 particles diverged"],
}
STATES = (
    DIVERGED, {**DIVERGED, "diverged": 0, "flags": ["W₂ is infinite"]}, {"resolved": False, "flags": ["within its own noise"]},
    {"w2": 0.0, "stderr": 0.0, "resolved": False, "flags": ["the laws are equal up to rounding"]},
    {"bound": None, "bound_parts": None}, {"stderr": None}, {"w2": 1e9}, {"w2": 1e-9},
)  # fmt: skip
CHANGES = (
    {}, {"slope": None, "slope_low": None, "slope_high": None}, {"slope_low": None, "slope_high": None},
    {"slope": -0.4, "slope_low": -0.5, "slope_high": -0.3}, {"theory_c1": None, "theory_c2": None},
)  # fmt: skip
LOST = dict.fromkeys(
    ("steps", "h", "w2", "stderr", "w2_fewer", "method", "crossing", "crossing_stderr", "score_evals", "hessian_evals")
) | {"flags": [], "why": "not reached"}  # fmt: skip


def spoiled(result, seed):
    """The result without some rows and fits, with rows that diverged, are not resolved or have no bound, and perhaps not done."""
    rng, found = random.Random(seed), copy.deepcopy(result)
    share = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))

    def some(rows):
        return [row for row in rows if rng.random() >= share]

    found["rows"] = some(found["rows"])
    state = rng.choice((*STATES, None))  # the same for all, or one for each
    for row in found["rows"]:
        if rng.random() < 0.5 or state:
            row |= state or rng.choice(STATES)
    for key in ("fits", "trends", "reach_trends"):
        found[key] = some(found.get(key) or [])
        for fit in found[key]:
            fit |= rng.choice(CHANGES)
    if found.get("reach"):
        found["reach"] = some(found["reach"])
        for answer in found["reach"]:
            answer |= rng.choice(({}, LOST, {"planned": None}, LOST | {"planned": None}))
    found["done"] = rng.choice((1.0, 0.5))
    return found


def each(result):
    return [result, *(spoiled(result, seed) for seed in range(SPOILED))]


@cache
def ran(**changes):
    changes = {key: json.loads(value) for key, value in changes.items()}
    return run(
        Study.from_json(
            {"target": GAUSSIAN, "schemes": ["EM", "REM", "SO"], "T": 2.0, "h": [0.5, 0.25, 0.125], **changes}
        )
    ).to_json()


def measured(**changes):
    return ran(**{key: json.dumps(value) for key, value in changes.items()})


@pytest.mark.parametrize("name", CURVES)
def test_curves(name):
    for result in each(prepared(name)):
        brief(takeaway.convergence(result))
        brief(takeaway.convergence(result, "evals", bounds=False))
        brief(takeaway.experiment(result))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, len(schemes.REGISTRY)])
@pytest.mark.parametrize("error", ["none", "constant"])
def test_curves_of_many_schemes_which_level_off_grow_or_fall_alike(count, error):
    names = list(schemes.REGISTRY)[:count]
    result = normal(("EM",))
    result["study"] |= {"schemes": names, "score_error": {"name": error, "level": 0.1}}
    for key in ("rows", "fits"):
        result[key] = [{**each, "scheme": name} for name in names for each in result[key]]
    flat, grows, own = copy.deepcopy(result), copy.deepcopy(result), copy.deepcopy(result)
    for i, row in enumerate(flat["rows"]):
        row["w2"] = 0.2 + 0.001 * i + 0.001 * row["h"]
    for row in own["rows"]:
        row["w2"] *= 1 + names.index(row["scheme"])
    for fit in grows["fits"]:
        fit |= {"slope": -1.0, "slope_low": -1.1, "slope_high": -0.9}
    for changed in (result, flat, grows, own):
        for found in each(changed):
            brief(takeaway.convergence(found))
            brief(takeaway.experiment(found))


def test_the_numbers_of_a_curve_are_the_results():
    said = takeaway.convergence(normal(("EM", "SO")))
    values = dict(said.figures)
    assert [v for k, v in values.items() if k.startswith("slope")] == ["1.00 ± 0.02", "1.80 ± 0.02"]
    assert "3.5" in said.text  # 2 to the power 1.8
    assert "So far" in takeaway.convergence({**normal(), "done": 0.5}).text


def read(name, **how):
    """What a scene's result says, and its figures as numbers."""
    said = takeaway.convergence(prepared(f"convergence-{name}"), **how)
    return said.text, [float(value.split(" ± ")[0].replace("−", "-")) for _, value in said.figures if "×" not in value]


def test_a_scene_is_answered_in_its_own_terms():
    bound = prepared("convergence-bound")
    row = bound["rows"][-1]
    assert f"{row['bound'] / row['w2']:.0f} times" in read("bound")[0]
    assert f"{row['bound'] / row['w2']:.0f}" not in read("bound", bounds=False)[0]
    at = {r["scheme"]: r["w2"] for r in prepared("convergence-evaluations")["rows"] if r["score_evals"] + r["hessian_evals"] == 512}
    text, _ = read("evaluations", x="evals")
    assert all(part in text for part in ("512", min(at, key=at.get), f"{max(at.values()) / min(at.values()):.3g}"))
    void = prepared("convergence-void")["facts"]["m0"]
    assert read("void")[1][-1] == pytest.approx(void, rel=0.01)
    both = prepared("convergence-exponential")["rows"]
    em, ei = (next(r["w2"] for r in reversed(both) if r["scheme"] == s) for s in ("EM", "EI"))
    assert f"{ei / em:.3g}" in read("exponential")[0]
    text, (coarse, fine, *_) = read("bend")
    assert 1 < coarse < fine < 2
    assert all(f"{2**p:.2g}" in text for p in (coarse, fine))


def test_where_the_theorems_say_nothing_there_is_still_room_for_so_far():
    result = prepared("convergence-exponential")
    result["facts"] |= {"m0": 0.2, "m_min": 0.2}
    brief(takeaway.convergence({**result, "done": 0.5}))


@pytest.mark.parametrize("name", [name for name in CURVES if re.fullmatch("outside-.*-h", name)])
def test_outside_the_assumptions(name):
    whole = prepared(name)
    items = checklist(Study.from_json(whole["study"]), facts=whole["facts"])
    every = [copy.copy(item) for item in items]
    for item in every:
        object.__setattr__(item, "verdict", "fails")
    for result in each(whole):
        brief(takeaway.departure(result, items))
        brief(takeaway.departure(result, every))
        brief(takeaway.departure(result, []))


@pytest.mark.parametrize("target", LEARNED)
def test_a_learned_score(target):
    both = {name: prepared(f"learned-{target}-{name}") for name in ("learned", "exact")}
    floors = {s: learned_score.floor(both["learned"], both["exact"], s) for s in both["learned"]["study"]["schemes"]}
    said = takeaway.learned(both, floors)
    brief(said)
    first = both["learned"]["study"]["schemes"][0]
    assert any("floor" in what for what, _ in said.figures) == (floors[first] is not None)
    for one, other in zip(each(both["learned"]), reversed(each(both["exact"]))):
        brief(takeaway.learned({"learned": one, "exact": other}, floors))
        brief(takeaway.learned({"learned": one}, {}))
        brief(takeaway.learned({"exact": other}, {}))


@pytest.mark.parametrize("target", [GAUSSIAN, VOID], ids=["gaussian", "void"])
def test_a_score_error(target):
    vary = {"axis": "score_error.level", "values": [0.0, 0.05, 0.1, 0.2]}
    whole = measured(target=target, score_error={"name": "constant"}, vary=vary)
    for scheme in whole["study"]["schemes"]:
        bends = score_error.bends(whole, scheme)
        for h in whole["study"]["h"]:
            said = takeaway.score_error(whole, scheme, h, bends)
            brief(said)
            assert f"{0.2:g}" in said.text
            for result in each(whole):
                brief(takeaway.score_error(result, scheme, h, bends))


@pytest.mark.parametrize("target", [GAUSSIAN, VOID], ids=["gaussian", "void"])
@pytest.mark.parametrize("names", [["SO"], ["EM", "REM", "SO"]])
def test_steps_for_an_accuracy(names, target):
    whole = measured(target=target, schemes=names, reach=[0.5, 0.1])
    fewest = min(a["steps"] for a in whole["reach"] if a["epsilon"] == 0.1)
    assert str(fewest) in takeaway.steps(whole, 0.1).text.replace(",", "")
    for result in each(whole):
        for epsilon in (0.5, 0.1, 0.03):
            brief(takeaway.steps(result, epsilon))


def test_the_horizon():
    found = {
        f"{start} start": measured(
            schemes=["EM"], h=[0.25], start=start, vary={"axis": "T", "values": [1.0, 2.0, 3.0, 4.0]}
        )
        for start in ("exact", "paper")
    }
    brief(takeaway.horizon(found, 0.25))
    for one, other in zip(each(found["exact start"]), reversed(each(found["paper start"]))):
        for results in ({"exact start": one, "paper start": other}, {"paper's start": other}, {"exact start": one}):
            brief(takeaway.horizon(results, 0.25))
    brief(takeaway.horizon(found, 0.3))


def test_the_dimension():
    target = {"name": "spectrum", "dim": 4, "high": 1.5, "low": 0.3, "shape": "power"}
    whole = measured(target=target, h=[0.25], vary={"axis": "target.dim", "values": [1, 4, 16, 64]})
    for result in each(whole):
        brief(takeaway.dimension(result, 0.25))


@pytest.mark.parametrize("target", [GAUSSIAN, VOID], ids=["gaussian", "void"])
@pytest.mark.parametrize("error", [{"name": "none"}, LEVEL], ids=["exact", "constant"])
def test_bounds(target, error):
    lines = bounds(
        Study.from_json({"target": target, "schemes": ["EM"], "h": [0.5, 0.25, 0.125], "T": 2.0, "score_error": error})
    )
    brief(takeaway.bounds(lines, None))
    for result in each(measured(target=target, schemes=["EM"], score_error=error)):
        brief(takeaway.bounds(lines, result))
    brief(takeaway.bounds({**lines, "rows": []}, None))


def test_moving_particles():
    for table in (
        {"n": [0, 4], "t": [2.0, 0.0], "EM": [0.5, 0.1], "SO": [0.5, 0.02]},
        {"n": [0, 4], "t": [2.0, 0.0], "EM": [0.5, 0.1], "SO": [0.5, 0.1], "REM": [0.5, 0.101]},
        {"n": [0, 4], "t": [2.0, 0.0], "EM": [0.5, 0.1], "SO": [0.5, 0.0]},
        {"n": [0, 4], "t": [2.0, 0.0], "EM": [0.5, None], "SO": [0.5, float("inf")], "REM": [0.5, 0.1]},
        {"n": [0, 4], "t": [2.0, 0.0], "EM": [0.5, float("nan")]},
        {"n": [0, 1], "t": [2.0, 0.0], "SO": [0.5, 3e-9]},
    ):
        brief(takeaway.moving(table))


def test_a_lower_bound_is_never_said_to_be_the_distance():
    table = {"n": [0, 4], "t": [2.0, 0.0], "EM": [0.5, 0.1], "SO": [0.5, 0.02], "REM": [0.5, 0.05]}
    for lower in (["REM"], ["EM", "SO", "REM"]):
        brief(said := takeaway.moving(table, lower))
        assert "at least" in said.text
        assert "times" not in said.text
    row = {"scheme": "REM", "h": 0.5, "steps": 8, "bound_parts": None}
    rows = [{**row, "value": v, "w2": v, "resolved": v < 1, "error_level_met": v} for v in (0.5, 1.0)]
    result = {"study": {"schemes": ["REM"], "vary": {"axis": "score_error.level", "values": [0.5, 1.0]}}, "rows": rows, "trends": []}
    assert "0.500" in takeaway.score_error(result, "REM", 0.5, ()).text
    assert takeaway.score_error({**result, "rows": rows[1:]}, "REM", 0.5, ()) is None


def test_images_and_two_features():
    found = prepared("images-grid")
    brief(takeaway.images(found))
    brief(takeaway.images({**found, "spent": {}}))
    brief(takeaway.two_features(prepared("logistic-boundary")))


def test_samplers_at_equal_cost():
    study = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "T": 4.0, "steps": [16]})
    by = {s: engine.at_once("samplers", replace(study, schemes=(s,)))["rows"] for s in ("EM", "SO", "OC")}
    rows = by["EM"]
    assert len(takeaway.of_samplers(rows).figures) == 1
    said = takeaway.of_samplers(rows + by["SO"] + by["OC"])
    brief(said)
    assert said.text.startswith("OC ")  # the optimal control has the law of the target
    assert [label.split()[-1] for label, _ in said.figures] == ["SO", "EM"]
    for seed in range(SPOILED + 1):
        rng = random.Random(seed)
        left = [{**r} for r in rows if rng.random() < (1, 0.5, 0.05)[seed % 3]]
        for row in left if seed else []:
            row |= rng.choice(
                ({}, {}, {"w2": None, "flags": ["its law is not finite"]}, {"flags": ["equal up to rounding"]})
            )
        for picked in (None, "EM", "DDIM", "OC"):
            brief(takeaway.of_samplers(left, picked))
    brief(takeaway.of_samplers([], "EM"))


@pytest.mark.parametrize("scheme", ["DDIM", "EM"])
def test_grids(scheme):
    study = Study.from_json({"target": GAUSSIAN, "schemes": [scheme], "T": 4.0, "steps": [16]})
    found = engine.at_once("schedules", study, scheme, 16)
    assert {r["grid"] for r in found["rows"]} <= {"uniform", *grid.MAKERS}
    brief(takeaway.on_grids(found))
    for seed in range(SPOILED):
        rng = random.Random(seed)
        rows = [{**r, **rng.choice(({}, {"w2": None}, {"w2": 1e-12}))} for r in found["rows"] if rng.random() < 0.7]
        brief(takeaway.on_grids({**found, "rows": rows}))
    brief(takeaway.on_grids({**found, "rows": []}))


def test_a_bound_alone_stands_in_the_table():
    whole = copy.deepcopy(normal())
    for row, ends in zip(whole["rows"], [{"lower": 0.5, "upper": None}, {"lower": None, "upper": 2.0}, {"lower": 1.0, "upper": 1.0}]):
        row.update(ends)
    told = {line["bracket"] for line in tables.rows_table(whole)}
    assert {f"0.500 to {NONE}", f"{NONE} to 2.00", NONE} <= told
