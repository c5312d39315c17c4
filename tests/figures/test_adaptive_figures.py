"""The pictures of adaptive steps: all that is measured is drawn, on the way too, and odd rows are survived."""

import re

import pytest
from drawing import drawable

from dlab.figures import adaptive as figures

TRUE = 0.5**0.5
LIMITS = [{"d": 2**k, "sd": TRUE - 0.2 / 2**k, "rejected": 0.45 / 2**k} for k in range(9)]
SHORT = {"redraw": 0.2, "path": 0.001, "flow": 0.004}  # in one dimension


def row(method, d, tol):
    sd = TRUE - SHORT[method] / d
    return {
        "method": method, "d": d, "tol": tol, "sd": sd, "stderr": 0.002, "w2": d**0.5 * (TRUE - sd), "steps": 17.4, "evaluations": 36.0,
        "rejected": 0.02, "lost": 0, "forgotten": 0,
    }  # fmt: skip


ROWS = [row(method, d, tol) for d in (1, 16, 256) for tol in (0.3, 0.1) for method in SHORT]


def answer(count):
    return {"variance": 0.5, "sd": TRUE, "T": 8.0, "limits": LIMITS, "rows": ROWS[:count], "done": count / len(ROWS)}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 8, len(ROWS)])
def test_every_answer_on_the_way_is_drawn(count):
    found = answer(count)
    sheet = figures.sheet(found)
    drawable(sheet)
    assert len(figures.table(found)) == count
    drawn = {(x, y) for c in sheet.parts[0].series if c.marker for x, y in zip(c.x, c.y)}
    assert drawn == {(r["tol"], r["sd"]) for r in found["rows"] if r["d"] == 1}


def test_the_bias_is_drawn_at_the_finest_tolerance():
    found = answer(len(ROWS))
    chart = figures.bias_chart(found)
    drawn = sorted((x, y) for c in chart.series if c.marker for x, y in zip(c.x, c.y))
    assert drawn == sorted((r["d"], r["sd"] - TRUE) for r in ROWS if r["tol"] == 0.1)
    assert chart.x.title.endswith("0.1")
    assert "0.507 ± 0.004" in figures.sentence(found)
    assert len(re.findall(r"\S+", figures.sentence(found))) < 40


def test_particles_that_were_given_up_are_said_and_leave_no_hole():
    found = answer(len(ROWS))
    assert figures.notes(found) == ()
    gone = [{**r, "sd": None, "stderr": None, "w2": None, "lost": 256} if r["method"] == "redraw" else r for r in ROWS]
    lost = {**found, "rows": gone}
    drawable(figures.sheet(lost))
    assert str(256 * 6) in figures.notes(lost)[0]
    assert len(figures.table(lost)) == len(ROWS)
