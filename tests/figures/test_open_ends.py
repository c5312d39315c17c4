"""One rule for every chart: an interval that crosses zero is drawn to its stated upper end and open below, on screen and on paper."""

import copy

import numpy as np
import pytest
from drawing import array, drawable
from test_convergence import edit, normal
from test_learned_figures import MET, RESULTS, result
from test_logistic_figures import FIRST, RESULT, readings
from test_theory_figures import one_step, signs

from dlab.figures import (
    along,
    budget,
    compare,
    convergence,
    images,
    learned,
    logistic,
    outside,
    paper,
    score,
    screen,
    theory,
)
from dlab.figures.chart import Axis, Chart, Curve, Map, whiskers

W2, STDERR = 0.01, 0.02  # 1.96 standard errors below is −0.029


def wide(found: dict, **names) -> dict:
    """A copy whose every row is W2 ± STDERR; names: how its numbers are called there."""
    found = copy.deepcopy(found)
    for row in found["rows"]:
        row |= {names.get("w2", "w2"): W2, names.get("stderr", "stderr"): STDERR}
        row |= dict.fromkeys(("lower", "upper", "floor"))
    return found


def varied(values, axis="score_error.level"):
    found = wide(normal(("SO",), (0.25, 0.125)))
    found["study"] |= {"vary": {"axis": axis, "values": values}, "score_error": {"name": "constant"}}
    found["rows"] = [{**r, "value": v, "bound_parts": None, "error_level_met": v} for v in values for r in found["rows"]]
    return {**found, "facts": {"m_min": 0.8}, "trends": []}


def reach():
    row = {"scheme": "EM", "steps": 5, "h": 0.2, "T": 4.0, "w2": 0.04, "stderr": 0.0, "w2_fewer": 0.06, "method": "projected",
           "crossing": 4.5, "crossing_stderr": 9.0, "score_evals": 5, "hessian_evals": 0, "flags": [], "why": None,
           "planned": None}  # fmt: skip
    study = {"schemes": ["EM"], "target": {"name": "skew"}, "T": 4.0, "start": "exact", "score_error": {"name": "none"}}
    return {"study": study, "reach": [{**row, "epsilon": e} for e in (0.1, 0.05)], "reach_trends": [], "rows": [], "notes": []}


def pictures():
    rows = [{"method": "frechet", "scheme": "EM", "h": h, "w2": W2, "stderr": STDERR, "floor": 0.001, "flags": [], "score_evals": 4,
             "products": 0, "steps": 4, "pieces": 4} for h in (0.5, 0.25)]  # fmt: skip
    return {"rows": rows, "near": [], "study": {"particles": 16}}


CLOUDS = {"scheme": "EM", "rows": [{"method": m, "h": h, "w2": W2, "stderr": STDERR, "floor": None, "flags": []}
                                   for m in ("projected", "plugin") for h in (0.5, 0.25)]}  # fmt: skip
BOUNDS = {"rows": [{"h": h, "theorem": 1.0, "recursion": 2.0, "sharp": 0.5} for h in (0.5, 0.25)], "largest_step": None, "void": {}}
FIGURES = {
    "convergence": lambda: convergence.chart(wide(normal())),
    "along": lambda: along.chart({"": varied([0.1, 0.2])}, 0.125),
    "horizon": lambda: along.chart({"": varied([1, 2], "T")}, 0.125),
    "budget": lambda: budget.chart(reach()),
    "compare": lambda: compare.chart(CLOUDS),
    "levels": lambda: score.against_step(varied([0.0, 0.2]), "SO", []),
    "models": lambda: score.models_chart({"constant": varied([0.1, 0.2])}, "SO", 0.125),
    "second order": lambda: score.second_order_chart({"exact": wide(normal(("SO",))), "L": wide(normal(("SO",)))}, {}),
    "bounds": lambda: theory.bounds(BOUNDS, wide(normal(("EM",)))),
    "one step": lambda: theory.one_step({**one_step(), "rows": [
        {**r, "mean_stderr": r["mean"], "fluctuation_stderr": r["fluctuation"]} for r in one_step()["rows"]]}),
    "signs": lambda: theory.signs(wide(signs()), True),
    "images": lambda: images.chart(pictures(), "frechet"),
    "learned": lambda: learned.curves_chart({k: wide(v) for k, v in RESULTS.items()}, {}, {}),
    "samples": lambda: learned.against_samples({"sliced": wide(result((0.1, 0.05)))}, "EM", 0.125),
    "hessians": lambda: outside.hessian_sheet({"EM": wide(normal(("EM",))), "SO, exact": wide(normal(("SO",)))}),
    "orders": lambda: logistic.orders(FIRST, {"simulated": wide(RESULT)}),
    "readings": lambda: logistic.readings(wide(readings(), stderr="w2_stderr"), "REM"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_an_interval_that_crosses_zero_is_open_below_and_never_shorter(name):
    figure = FIGURES[name]()
    drawable(figure)
    for chart in getattr(figure, "parts", (figure,)):
        barred = [s for s in chart.series if s.high]
        assert barred
        for s in barred:
            for (low, high, below, above), bottom, top in zip(whiskers(s, chart.y), s.low, s.high):
                assert bottom < 0
                assert (low, below) == (chart.y.limits[0], True)
                assert (high, above) == (top, False)
    assert "without a cap" in figure.caption


def test_a_band_that_crosses_zero_reaches_the_edge():
    wild = {**MET, **{k: {"score": {**MET[k]["score"], "stderr": [1.0] * 3}} for k in ("iterates", "forward")}}
    chart = learned.errors_chart(wild)
    for band in chart.bands:
        assert max(band.lower) < 0
        trace = next(t for t in screen.to_plotly(chart)["data"] if t["name"] == screen.html.escape(band.name))
        assert array(trace["y"]).min() == pytest.approx(chart.y.limits[0], rel=1e-5)
        np.testing.assert_allclose(array(trace["y"])[: len(band.upper)], band.upper, rtol=1e-5)


def test_paper_draws_the_bar_to_the_edge_and_caps_its_other_end_alone():
    axis = Axis("y", (0.1, 10.0), ((1.0, "1"),))
    curve = Curve("a", (1.0, 2.0), (1.0, 1.0), low=(-1.0, 0.5), high=(2.0, 20.0), marker="circle")
    (ax,) = paper.to_matplotlib(Chart("c", axis, axis, (curve,), alt="c")).axes
    (bars,) = ax.collections
    assert [tuple(path[:, 1]) for path in bars.get_segments()] == [(0.1, 2.0), (0.5, 10.0)]
    caps = sorted((x, y) for drawn in ax.lines if drawn.get_marker() == "_" for x, y in zip(*drawn.get_data()))
    assert caps == [(1.0, 2.0), (2.0, 0.5)]


def test_a_value_below_the_axis_stands_at_its_edge_and_keeps_its_interval():
    found = normal(("EM", "SO"))
    for name in ("EM", "SO"):
        edit(found, name, 0.0625, w2=0.0, stderr=0.001, resolved=False, flags=["unresolved"])
    chart = convergence.chart(found)
    em, so = (next(s for s in chart.series if s.name == f"{name} measured") for name in ("EM", "SO"))
    assert chart.y.limits[0] < em.y[0] < so.y[0] < 2 * chart.y.limits[0]  # neither hides the other
    assert (em.low[0], em.high[0]) == pytest.approx((-1.96e-3, 1.96e-3))
    assert "lower edge" in em.hover[0]
    assert "lower edge" not in em.hover[1]


def test_charts_are_kept_by_value_and_maps_are_drawn_anew():
    screen._kept.cache_clear()
    one, two = convergence.chart(normal()), convergence.chart(normal())
    assert screen.spec(one, "light", False, 400) is screen.spec(two, "light", False, 400)
    assert screen.spec(one, "dark", False, 400) != screen.spec(two, "light", False, 400)
    assert screen._kept.cache_info().maxsize
    axis = Axis("x", (0.0, 1.0), ((0.0, "0"),), log=False)
    drawable(Map("m", axis, axis, ((0.0, 1.0),) * 2, np.array([[0.0, np.nan], [1.0, 2.0]]), (0.0, 2.0), "density", "a map"), grey=())
