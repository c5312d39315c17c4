"""What every figure is held to: Plotly's own validators take its JSON, Matplotlib draws it, and no bar is shorter than its interval."""

import base64
import json
import xml.etree.ElementTree as ET

import numpy as np
import plotly.graph_objects as go

from dlab.figures import paper, screen
from dlab.figures.chart import Chart, whiskers


def drawable(figure, grey=(False,)) -> None:
    """Valid in both themes on screen, on paper in colour and the given greys, described, inside its axes."""
    assert figure.title
    assert figure.alt
    for part in getattr(figure, "parts", (figure,)):
        assert part.title
        assert part.alt
        for theme in screen.THEMES:
            drawn = plotly(part, theme)
            assert "layout" in drawn
        if isinstance(part, Chart):
            inside(part)
    for each in grey:
        ET.fromstring(paper.to_bytes(figure, "svg", grey=each))


def plotly(part, theme="light", **options) -> go.Figure:
    """The part's figure, through strict JSON and Plotly's validators."""
    text = screen.spec(part, theme, options.get("presentation", False), options.get("height", 400))
    json.loads(text, parse_constant=lambda word: [][word])  # NaN is no JSON
    return go.Figure(json.loads(text))


def array(values) -> np.ndarray:
    """A list or typed array of a figure's JSON."""
    if isinstance(values, dict):
        flat = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
        return flat.reshape([int(n) for n in values["shape"].split(",")]) if "shape" in values else flat
    return np.asarray([np.nan if v is None else v for v in values], float)


def inside(chart: Chart) -> None:
    """Fault 6: an end of an interval is where it is stated, or it is open at the edge of the picture; on screen as in print."""
    traces = {t["name"]: t for t in reversed(screen.to_plotly(chart)["data"])}  # a key may be called as its curve, and comes later
    for axis in (chart.x, chart.y):
        assert axis.limits[0] < axis.limits[1] or axis is chart.x
        assert not axis.log or axis.limits[0] > 0
        assert axis.ticks
    for s in chart.series:
        assert np.isfinite([*s.x, *s.y]).all(), s.name
        assert min(chart.x.limits) <= min(s.x) <= max(s.x) <= max(chart.x.limits)
        assert len(s.x) == 1 or len(set(s.x)) > 1 or len(set(s.y)) > 1
        for (low, high, below, above), stated in zip(whiskers(s, chart.y), zip(s.low, s.high)):
            assert (low == stated[0]) != below
            assert (high == stated[1]) != above
        if s.high and len(s.x) < screen.MANY and len({c.name for c in chart.series}) == len(chart.series):
            bars = traces[screen.html.escape(s.name)]["error_y"]
            place = np.array([chart.y.place(v) for v in s.y])
            low, high = place - array(bars["arrayminus"]), place + array(bars["array"])
            rounding = 1e-6 * np.abs(place).max()
            np.testing.assert_allclose(high, s.high, rtol=1e-5, atol=0 if chart.y.log else rounding)
            np.testing.assert_allclose(low, np.maximum(s.low, 0) if chart.y.log else s.low, rtol=1e-5, atol=rounding)


def curve(chart, name):
    return next(s for s in chart.series if s.name == name)


def in_triangles(chart: Chart) -> set[str]:
    """The names of the lines and markers that lie over a triangle of the chart, seen in 400 points along each."""
    found = set()
    for s in chart.series:
        u, v = np.log(s.x), np.log(np.clip(s.y, *chart.y.limits))
        if s.dash and len(u) > 1:
            at = np.linspace(0, len(u) - 1, 400)
            u, v = np.interp(at, range(len(u)), u), np.interp(at, range(len(v)), v)
        for t in chart.triangles:
            corners = np.log(([t.x0, t.x1, t.x1], [t.y0, t.y0, t.y1])).T
            turns = [(b[0] - a[0]) * (v - a[1]) - (b[1] - a[1]) * (u - a[0]) for a, b in zip(corners, np.roll(corners, -1, axis=0))]
            if (np.min(turns, axis=0) > 0).any() or (np.max(turns, axis=0) < 0).any():
                found.add(s.name)
    return found
