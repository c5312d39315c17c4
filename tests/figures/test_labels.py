"""Lines are labelled at their ends: no label over another, each in its place's order, on screen as in print; and what a chart shows
before a run and before a scene is revealed."""

import itertools
import math

import numpy as np
import pytest
from drawing import curve, drawable
from matplotlib.backends.backend_agg import FigureCanvasAgg
from test_convergence import normal

from dlab import schemes
from dlab.figures import paper, screen
from dlab.figures.chart import Axis, Chart, Curve, apart, decades
from dlab.figures.convergence import awaiting, chart
from dlab.figures.plot import plot, scheme_look, step_axis

NAMES = list(schemes.REGISTRY)


def crowd(names=NAMES):
    """A curve a scheme, all ending near one another."""
    curves = [
        Curve(n, (1.0, 2.0), (1.0, 0.1 * (1 + 0.002 * k)), **scheme_look(n), label=n) for k, n in enumerate(names)
    ]  # fmt: skip
    return plot("crowd", step_axis((1.0, 2.0)), "W₂", curves)


@pytest.mark.parametrize("seed", range(20))
def test_labels_are_moved_as_little_as_keeps_them_apart(seed):
    rng = np.random.default_rng(seed)
    wanted, heights = rng.uniform(0, 1, 8), rng.uniform(0.02, 0.1, 8)
    found = np.array(apart(list(wanted), list(heights)))
    order = np.argsort(wanted)
    gaps = np.diff(found[order]) - (heights[order][1:] + heights[order][:-1]) / 2
    assert gaps.min() > -1e-9
    assert (found - heights / 2).min() > -1e-9
    assert (found + heights / 2).max() < 1 + 1e-9
    cost = ((found - wanted) ** 2).sum()
    for _ in range(200):  # no other arrangement is nearer
        other = np.sort(wanted[order] + rng.normal(0, 0.05, 8))
        free = np.diff(other) >= (heights[order][1:] + heights[order][:-1]) / 2
        inside = (other - heights[order] / 2 >= 0) & (other + heights[order] / 2 <= 1)
        if free.all() and inside.all():
            assert ((other - wanted[order]) ** 2).sum() >= cost - 1e-9


def test_labels_that_are_far_apart_stay_and_too_many_share_the_height():
    assert apart([0.2, 0.8], [0.1, 0.1]) == [0.2, 0.8]
    assert apart([], []) == []
    crowded = sorted(apart([0.5] * 30, [0.1] * 30))
    assert np.diff(crowded) == pytest.approx([1 / 30] * 29)


@pytest.mark.parametrize("presentation, height", [(False, 520), (False, 430), (True, 470)])
def test_no_label_covers_another_on_screen(presentation, height):
    c = crowd()
    layout = screen.to_plotly(c, presentation=presentation, height=height)["layout"]
    named = [a for a in layout["annotations"] if a.get("name")]
    assert [a["name"] for a in named] == NAMES
    tall = height - layout["margin"]["t"] - 70
    columns = sorted({a["xshift"] for a in named})
    assert len(columns) <= 2
    for at in columns:
        places = sorted((tall * c.y.share(10 ** a["y"]), a["font"]["size"]) for a in named if a["xshift"] == at)
        assert all(high - low >= size * 0.98 for (low, size), (high, _) in itertools.pairwise(places))
        assert min(size for _, size in places) >= (9 if len(columns) == 1 else 12)
    assert layout["margin"]["r"] < 150 * len(columns)


def test_labels_of_five_leave_a_telephone_its_picture():
    layout = screen.to_plotly(chart(normal()))["layout"]
    assert layout["margin"]["r"] < 60
    assert layout["margin"]["t"] >= screen.STRIP  # where nothing else stands the mode bar may come
    assert not any(t.get("showlegend") and t["name"] in schemes.REGISTRY for t in screen.to_plotly(chart(normal()))["data"])


def test_no_label_covers_another_in_print():
    figure = paper.to_matplotlib(crowd(NAMES[:12]), width_mm=85, font_pt=8)
    FigureCanvasAgg(figure).draw()
    (ax,) = figure.axes
    boxes = sorted((t.get_window_extent() for t in ax.texts if t.get_text() in NAMES), key=lambda b: b.y0)
    assert len(boxes) == 12
    assert all(low.y1 <= high.y0 + 1 for low, high in itertools.pairwise(boxes))
    assert max(b.x1 for b in boxes) <= figure.bbox.x1 + 1


def test_a_label_stands_at_the_right_end_of_a_reversed_axis_too():
    axis, y = Axis("t", (4.0, 0.0), ((1.0, "1"),), log=False), Axis("y", (0.1, 10.0), decades(0.1, 10.0))
    (label,) = Chart("c", axis, y, (Curve("a", (3.0, 1.0, 2.0), (1.0, 2.0, 3.0), dash="solid", label="a"),), alt="c").labels
    assert (label.x, label.y) == (1.0, 2.0)


def test_powers_of_ten_have_one_form_on_an_axis():
    for low, high in ((1e-5, 1.0), (0.02, 3.0), (1e-4, 1e3), (0.3, 2e5), (0.5, 40.0), (2e-4, 9e-4)):
        texts = [text for _, text in decades(low, high)]
        assert texts
        assert len({"⁰" in t or any(c in t for c in "⁻¹²³⁴⁵⁶⁷⁸⁹") for t in texts}) == 1, texts


def test_before_a_run_the_axes_stand_and_points_fall_in():
    result, hs = normal(), [0.5, 0.25, 0.125, 0.0625]
    bounds = {n: {r["h"]: r["bound"] for r in result["rows"] if r["scheme"] == n} for n in ("EM", "SO")}
    before = awaiting(["EM", "SO"], hs, bounds)
    assert {s.name for s in before.series} == {"EM theorem's bound", "SO theorem's bound"}
    assert [label.text for label in before.labels] == ["EM", "SO"]
    assert before.triangles
    drawable(before)
    for k in range(1, 5):
        part = {**result, "rows": [r for r in result["rows"] if r["h"] in hs[:k] and r["scheme"] in bounds]}
        after = chart(part, hold=before.y.limits)
        assert after.x.limits == before.x.limits
        assert after.y.limits == pytest.approx(before.y.limits)
    assert not awaiting(["EM"], hs, slopes=False).triangles
    empty = awaiting(["EM", "SO"], hs)
    assert not empty.series
    drawable(empty)


def test_a_chart_that_is_not_revealed_gives_nothing_away():
    told, quiet = chart(normal()), chart(normal(), revealed=False)
    assert not quiet.triangles
    assert {s.name.split(" ", 1)[1] for s in quiet.series} == {"measured", "theorem's bound"}
    assert "1.00 ± 0.02" in told.alt
    assert not any(text in f"{quiet.alt} {quiet.caption} {quiet.keys}" for text in ("1.00", "slope", "1.80"))
    assert curve(quiet, "EM measured") == curve(told, "EM measured")


def test_a_click_on_a_point_says_which_it_is():
    for trace in screen.to_plotly(chart(normal()))["data"]:
        if trace["name"].endswith("measured"):
            assert [row[:2] for row in trace["customdata"]] == [[trace["name"].split()[0], h] for h in sorted((0.5, 0.25, 0.125, 0.0625))]
            assert all(math.isclose(row[1] * row[2], 4) for row in trace["customdata"])
