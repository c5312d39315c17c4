"""The pictures of studies along an axis: what is drawn, what is left out and said, on real and on odd results."""

import copy
import re

import pytest
from drawing import curve, in_triangles, plotly

from dlab.figures import along, convergence, paper, tables
from dlab.study import Study, run

GAUSS = {"name": "gaussian", "mean": [0.5, 0], "cov": [[1.25, 0], [0, 0.5]]}
COMMON = {"target": GAUSS, "schemes": ["EM", "SO"], "h": [0.25, 1 / 32], "T": 2.0}
H = 1 / 32


def answer(axis, values, **changes):
    return {**run(Study.from_json({**COMMON, "vary": {"axis": axis, "values": values}, **changes})).to_json(), "done": 1.0}


@pytest.fixture(scope="module")
def results():
    constant = {"name": "constant", "level": 1, "angle": 30}
    return {
        "score_error.level": {"": answer("score_error.level", [0, 0.002, 0.05, 0.1, 0.2, 0.4], score_error=constant)},
        "T": {f"{s} start": answer("T", [0.5, 1, 1.5, 2, 3, 4], start=s) for s in ("paper", "exact")},
        "d": {"": answer("d", [1, 4, 16, 256], target={"name": "spectrum", "dim": 1, "high": 0.8}, reach=[0.1])},
    }


@pytest.mark.parametrize("axis", along.AXES)
def test_everything_measured_is_drawn_and_both_ways_of_drawing_take_it(results, axis):
    found = results[axis]
    assert along.steps_of(found) == [0.25, H]
    chart = along.chart(found, H)
    for result in found.values():
        for row in result["rows"]:
            if row["h"] == H and (row["value"] > 0 or axis == "T"):
                drawn = [s for s in chart.series if s.group == row["scheme"] and s.marker]
                assert any((row["value"], row["w2"]) in zip(s.x, s.y) for s in drawn)
    assert chart.alt.endswith(along.sentence(found, H))
    assert all(chart.y.limits[0] <= y for s in chart.series if s.marker for y in s.y)
    plotly(chart)
    paper.to_bytes(chart, "svg")
    assert len(along.table(found, H)) == sum(r["h"] == H for f in found.values() for r in f["rows"])


def test_an_axis_that_begins_below_zero_has_no_triangles(results):
    """A number of the target, as the page outside the assumptions varies it."""
    wells = answer("target.k2", [0.1, 1.0], target={"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.0], [0.0, 0.5]]})
    rows = [{**row, "value": row["value"] - 1.0} for row in wells["rows"]]
    chart = along.chart({"": {**wells, "rows": rows}}, H)
    assert chart.x.limits[0] < 0
    assert chart.triangles == ()


def test_points_near_the_schemes_own_error_are_hollow_with_the_reason(results):
    chart = along.chart(results["score_error.level"], H)
    em = curve(chart, "EM measured")
    assert em.filled == (False, True, True, True, True)
    assert "not fitted" in em.hover[0]
    assert curve(chart, "EM at ε = 0").y[0] == pytest.approx(em.y[0], rel=0.2)
    assert "1.0" in along.sentence(results["score_error.level"], H)


def test_the_second_start_is_hollow_and_the_theorems_term_is_drawn(results):
    chart = along.chart(results["T"], H, bounds=False)
    assert not any(s.dash == "dot" for s in chart.series)
    both = [s for s in chart.series if s.name == "EM measured"]
    assert [any(s.filled) for s in both] == [True, False]
    line = next(s for s in chart.series if "X₀" in s.name)
    assert line.y[0] > line.y[-1] > 0
    assert "hollow: exact start" in [k.name for k in chart.keys]
    assert "r = " in chart.alt
    assert "mₘᵢₙ = 0.800" in chart.alt
    assert {line["start"] for line in along.table(results["T"], H)} == set(results["T"])


def test_steps_against_the_dimension(results):
    result = results["d"][""]
    chart = along.steps_chart(result, 0.1)
    for answer in result["reach"]:
        line = curve(chart, f"{answer['scheme']} steps")
        assert (answer["value"], answer["steps"]) in zip(line.x, line.y)
    assert "EM" in along.steps_sentence(result, 0.1)
    missing = copy.deepcopy(result)
    for answer in missing["reach"]:
        answer |= {"steps": None, "planned": None}
    assert along.steps_sentence(missing, 0.1).startswith("Not reached: EM")
    plotly(along.steps_chart(missing, 0.1))
    slopes = along.slopes_table(result)
    assert [line["d"] for line in slopes] == ["1", "4", "16", "256"]


def test_lower_bounds_are_called_so_and_hollow():
    target = {"name": "spectrum", "dim": 4, "high": 1.5, "low": 0.3, "shape": "power"}
    result = answer("d", [64, 1024], target=target, schemes=["REM"], h=[1 / 4])
    assert {r["method"] for r in result["rows"]} == {"lower"}
    assert re.search("REM.*lower bound", along.sentence({"": result}, 0.25))
    assert not any(curve(along.chart({"": result}, 0.25), "REM measured").filled)


def test_triangles_stand_where_no_line_is(results):
    """Also where level lines cross the whole picture, and with the theorem's lines."""
    charts = along.steps_chart(results["d"][""], 0.1), along.chart(results["d"], H)
    for chart in (*charts, along.chart(results["score_error.level"], H)):
        assert chart.triangles
        assert not in_triangles(chart)
    half, one = charts[0].triangles
    assert one.y1 / half.y1 >= 2


def test_a_diverged_point_and_a_void_bound_are_said(results):
    odd = copy.deepcopy(results["T"]["paper start"])
    for row in odd["rows"]:
        row |= {"bound": None, "bound_parts": None}
        if row["value"] == 1:
            row |= {"w2": None, "stderr": None, "diverged": 3, "particles": 10, "flags": ["3 of 10 particles diverged"]}
    odd["facts"]["m_min"] = None
    chart = along.chart({"": odd}, H)
    assert "EM at T = 1" in chart.alt
    assert curve(chart, "EM diverged").marker == "x"
    assert "diverged" in {line["W₂ ± 95 %"] for line in along.table({"": odd}, H)}
    assert "m_min" not in chart.alt


def test_the_closed_form_is_drawn_where_it_is_known_and_asked_for():
    result = run(Study.from_json({**COMMON, "schemes": ["EM", "REM"]})).to_json()
    lines = [s for s in convergence.chart(result, expansion=True).series if s.dash == "dashdot"]
    assert [s.name for s in lines] == ["EM as h → 0"]
    assert lines[0].y[0] == pytest.approx(result["fits"][0]["expansion"] * min(lines[0].x))
    assert not [s for s in convergence.chart(result).series if s.dash == "dashdot"]
    assert tables.table(result)[0]["C, derived"].endswith(" · h")
