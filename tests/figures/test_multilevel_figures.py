"""The pictures of both multilevel methods: every row is drawn, every rare call has its tick, and odd answers are survived."""

import pytest
from cases import GAUSSIAN
from drawing import drawable

from dlab.answers import multilevel, step_levels
from dlab.figures import multilevel as figures
from dlab.study import Study

STUDY = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "T": 2.0})


@pytest.fixture(scope="module", params=[1.5, 3.0, 4.0])
def found(request):
    return multilevel.multilevel(STUDY, request.param)


def test_every_row_call_and_level_is_drawn(found):
    sheet = figures.sheet(found)
    drawable(sheet)
    cost, calls, path = sheet.parts
    for curve, method in zip(cost.series, ("em", "coupled", "law")):
        rows = [r for r in found["rows"] if r["method"] == method]
        assert sorted(curve.y) == sorted(r["cost"] for r in rows)
    shown = figures.shown(found)
    assert len(calls.bars) == sum(v > 0 for r in shown for v in r["calls"])
    assert len(path.bars) == sum(map(len, found["path"]["calls"]))
    assert all(0 <= b.x0 < b.x1 <= STUDY.T * (1 + 1e-9) and b.y < 0 for b in path.bars)
    assert len(figures.table(found)) == len(found["rows"])


def test_the_triangles_have_the_slopes_of_the_theory(found):
    assert [-t.slope for t in figures.chart(found).triangles] == sorted({v["theory"] for v in found["slopes"].values()})


def test_levels_of_the_step_are_drawn_with_and_without_costs():
    found = step_levels.step_levels(STUDY)
    sheet = figures.levels_sheet(found)
    drawable(sheet)
    assert len(sheet.parts) == 2
    assert len(figures.levels_table(found)) == len(found["rows"])
    without = {**found, "costs": [], "slopes": None, "fits": {**found["fits"], "variance": dict.fromkeys(("slope", "low", "high"))}}
    drawable(figures.levels_sheet(without))
    assert len(figures.levels_sheet(without).parts) == 1
    assert len(figures.levels_table(without)) == len(found["rows"])
