"""One scheme in every way, fits whose window is set by hand: the numbers behind the pictures that teach."""

import dataclasses

import numpy as np
import pytest
from cases import GAUSSIAN

from dlab import measure
from dlab.answers.estimators import compare
from dlab.figures import compare as picture
from dlab.figures import convergence, screen, tables
from dlab.study import Study, refitted, run

STUDY = {"target": GAUSSIAN, "schemes": ["EM", "REM"], "h": [0.5, 0.25], "particles": 1024}


@pytest.fixture(scope="module")
def found():
    return list(compare(Study.from_json(STUDY), "EM"))


def test_every_estimator_has_a_row_at_every_step_size(found):
    rows = found[-1]["rows"]
    assert {(r["method"], r["h"]) for r in rows} == {(name, h) for name in measure.REGISTRY if name != "density" for h in (0.5, 0.25)}
    assert {r["method"] for r in found[0]["rows"]} == {"exact"}
    by = {(r["method"], r["h"]): r for r in rows}
    for row in run(Study.from_json(STUDY)).rows:
        if row.scheme == "EM":
            assert by["exact", row.h]["w2"] == pytest.approx(row.w2)
            near = by["projected", row.h]
            assert abs(near["w2"] - row.w2) < 4 * near["stderr"] + 0.05 * row.w2
            assert by["gelbrich", row.h]["w2"] < 1.1 * row.w2 < 1.2 * by["coupled", row.h]["w2"]
    assert by["plugin", 0.25]["floor"] > 0.05
    assert by["exact", 0.25]["floor"] is None


def test_the_picture_shows_every_way_and_says_what_the_clouds_cannot_see(found):
    chart = picture.chart(found[-1])
    assert {s.name for s in chart.series} == {e.title for e in measure.REGISTRY.values() if e.name != "density"}
    assert {b.name for b in chart.bands} == {
        f"{name} floor" for name in ("frechet", "frechet-diagonal", "marginal", "plugin", "sinkhorn", "sliced")
    }
    assert "times as much" in chart.caption
    assert screen.to_plotly(chart)["data"]
    assert picture.chart(found[0]).series[0].name == "Exact law"
    assert "Nothing" in picture.chart({**found[0], "rows": []}).caption
    told = {(line["method"], line["h"]): line for line in picture.table(found[-1])}
    for series in chart.series:
        for hover, full in zip(series.hover, series.filled):
            head, value, *more = hover.split("\n")
            line = told[tuple(head.split(", h = "))]
            assert value == f"W₂ {line['W₂ ± 95 %']}"
            assert full == (not line["why it is hollow"])
            assert all(m.removeprefix("floor ").removeprefix("hollow: ") in line["floor"] + line["why it is hollow"] for m in more)


def test_a_window_set_by_hand_fits_those_points_and_says_so():
    result = run(Study.from_json({**STUDY, "h": [0.5, 0.25, 0.125, 0.0625], "schemes": ["EM"]})).to_json()
    by_hand = refitted(result, (0.5, 0.25))
    fit, rows = by_hand["fits"][0], result["rows"]
    values = {r["h"]: r["w2"] for r in rows}
    assert sorted(fit["used"]) == [0.25, 0.5]
    assert fit["slope"] == pytest.approx(np.log2(values[0.5] / values[0.25]))
    assert "set by hand" in by_hand["notes"][-1]
    assert {r["h"] for r in rows if tables.reasons(r, fit) == [tables.BY_HAND]} == {0.125, 0.0625}
    assert convergence.chart(by_hand).series
    assert refitted(result, (1 / 64, 1 / 128))["fits"][0]["slope"] is None


def test_a_planted_disagreement_of_law_and_projection_is_said(monkeypatch):
    true = measure.REGISTRY["exact"]

    def wrong(case, pairs):
        found = true.estimate(case, pairs)
        return dataclasses.replace(found, value=1.3 * found.value)

    monkeypatch.setitem(measure.REGISTRY, "exact", dataclasses.replace(true, estimate=wrong))
    asked = Study.from_json({**STUDY, "h": [0.25], "schemes": ["EM"]})
    found = list(compare(asked, "EM"))[-1]
    flags = {r["method"]: r["flags"] for r in found["rows"]}
    assert any("exact" in f and " 2" in f for f in flags["projected"])
    assert "projected" in picture.sentence(found)
