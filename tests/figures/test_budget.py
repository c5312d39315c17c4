"""The budget figures show what the result says, in both renderers, and say why a point is hollow or missing."""

import copy
import json

import pytest
from drawing import curve, drawable, in_triangles

from dlab.figures import budget, convergence
from dlab.figures.figure import figure
from dlab.study import Study, run

NAMES = ["EM", "EI", "REM", "REI", "SO"]
SECONDS = dict.fromkeys(NAMES, 1e-7)
VOID = "m0 = 0.333 ≤ ½, so m_min − ½ is not positive: the theorem promises nothing."


def result_of(**changes):
    values = {"target": {"name": "gaussian", "mean": [0.5, 0.0], "cov": [[0.7, -0.3], [-0.3, 1.05]]}, "h": [1.0, 0.5],
              "T": 4.0, "reach": [0.5, 0.2, 0.1, 0.05]}  # fmt: skip
    return json.loads(json.dumps(run(Study.from_json({**values, **changes})).to_json()))


@pytest.fixture(scope="module")
def whole():
    return result_of()


@pytest.fixture
def result(whole):
    return copy.deepcopy(whole)


def edit(result, scheme, epsilon=None, **changes):
    for a in result["reach"]:
        if a["scheme"] == scheme and epsilon in (None, a["epsilon"]):
            a.update(changes)


def lost(result, scheme, epsilon=None):
    nothing = dict.fromkeys(
        ("steps", "h", "w2", "stderr", "w2_fewer", "method", "crossing", "crossing_stderr", "score_evals", "hessian_evals")
    )
    edit(result, scheme, epsilon, **nothing, flags=[], why="W₂ is not below 0.05 at N = 4096, the most that the lab takes here.")


def names(chart):
    return [s.name for s in chart.series]


def test_found_and_promised_numbers_are_the_results(result):
    c = budget.chart(result, epsilon=0.05)
    for name in NAMES:
        mine = budget.answers_of(result, name)
        assert sorted(curve(c, f"{name} found").y) == [a["steps"] for a in mine]
        assert sorted(curve(c, f"{name} theorem's N").y) == [a["planned"]["steps"] for a in mine]
        assert curve(c, f"{name} theorem's N").dash == "dot"
        assert "theorem asks for N = " in curve(c, f"{name} theorem's N").hover[0]
    for s in c.series:
        assert all(c.y.limits[0] <= v <= c.y.limits[1] for v in s.y), s.name
        assert all(c.x.limits[0] <= v <= c.x.limits[1] for v in s.x), s.name
    assert {t.label for t in c.triangles} == {"½", "1", "2"}
    assert all(t.y1 <= c.y.limits[1] and t.x1 >= c.x.limits[0] for t in c.triangles)
    assert not in_triangles(c)
    assert [label.text for label in c.labels] == NAMES
    drawable(c)


def test_every_cost_counts_the_same_points(result):
    steps = budget.chart(result)
    for cost, each in (("evals", {"EM": 1, "EI": 1, "REM": 2, "REI": 2, "SO": 2}), ("time", dict.fromkeys(NAMES, 1e-4))):
        c = budget.chart(result, cost, seconds=SECONDS)
        for name in NAMES:
            want = [each[name] * v for v in curve(steps, f"{name} found").y]
            assert curve(c, f"{name} found").y == pytest.approx(want)
        drawable(c)


def test_what_is_not_reached_stands_hollow_at_the_edge_with_its_reason(result):
    lost(result, "EM", 0.05)
    c = budget.chart(result)
    s = curve(c, "EM not reached")
    assert s.filled == (False,)
    assert c.y.limits[1] / 3 < s.y[0] < c.y.limits[1]
    assert "at N = 4096" in s.hover[0]
    assert 0.05 not in curve(c, "EM found").x
    assert not in_triangles(c)
    drawable(c)


def test_what_does_not_enter_the_slope_is_hollow_and_says_why(result):
    edit(result, "SO", 0.1, flags=["unresolved: 0.01 ± 0.009 is within 3 standard errors of zero"])
    c = budget.chart(result)
    s = curve(c, "SO found")
    at = s.x.index(0.1)
    assert not s.filled[at]
    assert "hollow: unresolved" in s.hover[at]
    (line,) = [r for r in budget.table(result, 0.1) if r["scheme"] == "SO"]
    assert "not fitted: unresolved" in line["why"]
    assert "not fitted" in [k.name for k in c.keys]


def test_a_standard_error_of_w2_is_a_bar_of_n(result):
    edit(result, "EM", stderr=0.001, crossing_stderr=0.5)
    s = curve(budget.chart(result), "EM found")
    assert s.high == pytest.approx([v + 1.96 * 0.5 for v in s.y])
    assert all(low < y for low, y in zip(s.low, s.y))


def test_the_diagram_holds_rows_and_found_points_once_each(result):
    c = budget.work_precision(result, epsilon=0.05)
    for name in NAMES:
        each = 1 if name in ("EM", "EI") else 2
        counts = {r["steps"] for r in result["rows"] if r["scheme"] == name} | {a["steps"] for a in budget.answers_of(result, name)}
        s = curve(c, f"{name} measured")
        assert sorted(s.x) == sorted(each * n for n in counts)
        assert list(s.y) == sorted(s.y, reverse=True)
    for s in c.series:
        assert all(c.y.limits[0] <= v <= c.y.limits[1] for v in s.y), s.name
    drawable(c)
    drawable(budget.work_precision(result, "time", seconds=SECONDS))


def test_points_of_other_horizons_are_not_joined():
    c = budget.work_precision(result_of(start="paper", schemes=["EM"]))
    assert len(curve(c, "EM line").x) == 2
    assert len(curve(c, "EM measured").x) == 6


def test_the_table_has_both_numbers_and_their_ratio(result):
    for line, a in zip(budget.table(result, 0.05), budget.answers_of(result, epsilon=0.05)):
        assert line["scheme"] == a["scheme"]
        assert line["found N"] == f"{a['steps']:,}"
        assert line["theorem's N"] == f"{a['planned']['steps']:,}"
        assert float(line["theorem ÷ found"]) == pytest.approx(a["planned"]["steps"] / a["steps"], rel=0.01)
        assert float(line["W₂ at N"]) < 0.05 <= float(line["W₂ at N − 1"])
        assert line["theorem's slope"] == ("1" if a["scheme"] == "SO" else "2")
        assert not [key for key in line if "machine" in key]
    timed, em = budget.table(result, 0.05, SECONDS)[0], budget.answers_of(result, "EM", 0.05)[0]
    assert float(timed["seconds for 1,000 samples, on this machine"]) == pytest.approx(em["steps"] * 1e-4, rel=0.01)
    assert len(budget.every_answer(result)) == len(result["reach"])


def test_schemes_that_do_not_get_there_are_named(result):
    lost(result, "EM", 0.05)
    assert "EM does not" in budget.sentence(result, 0.05)
    assert "4096" in budget.sentence(result, 0.05)
    for name in NAMES:
        lost(result, name, 0.05)
    assert "EM, EI, REM, REI and SO" in budget.sentence(result, 0.05)
    assert "cheapest" not in budget.sentence(result, 0.05)
    assert {line["found N"] for line in budget.table(result, 0.05)} == {"not reached"}
    for name in NAMES:
        lost(result, name)
    drawable(budget.chart(result))
    drawable(budget.work_precision(result))


def test_a_void_theorem_is_said_and_draws_no_line():
    result = result_of(target={"name": "gaussian", "mean": [0.0, 0.0], "cov": [[3.0, 0.0], [0.0, 1.0]]})
    text = budget.sentence(result, 0.05)
    assert "void" in text
    c = budget.chart(result)
    assert not [n for n in names(c) if "theorem" in n]
    (line, *_) = budget.table(result, 0.05)
    assert line["theorem's N"] == line["theorem ÷ found"] == line["theorem's slope"] == "void"
    drawable(c)


def test_one_accuracy_or_one_step_is_a_picture_without_slopes():
    result = result_of(reach=[0.1])
    c = budget.chart(result, epsilon=0.1)
    assert c.triangles == ()
    assert "no slope" in budget.sentence(result, 0.1)
    drawable(c)
    drawable(budget.work_precision(result, epsilon=0.1))
    one = result_of(schemes=["SO"], reach=[0.5])
    assert "SO needs 1 step " in budget.sentence(one)
    (line,) = budget.table(one, 0.5)
    assert line["W₂ at N − 1"] == "–"


def test_an_unfinished_search_is_drawn_as_far_as_it_is(result):
    for kept in (3, 0):
        result["reach"] = result["reach"][:kept]
        assert budget.sentence(result, 0.05).startswith("No number")
        drawable(budget.chart(result, epsilon=0.05))
    drawable(budget.work_precision(result, epsilon=0.05))


def test_one_place_chooses_the_figure_of_a_result(result):
    assert figure(result) == budget.chart(result)
    del result["reach"]
    result["study"]["reach"] = None
    assert figure(result) == convergence.chart(result)
