"""A chart in a real browser: no name over another or over a mark, nothing cut off, and the mode bar over nothing."""

import itertools
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "figures"))
from test_convergence import normal
from test_labels import NAMES, crowd

from dlab.figures import convergence, screen

BOXES = """query => [...document.querySelectorAll(query)].map(e => e.getBoundingClientRect())
  .filter(b => b.width).map(b => [b.left, b.top, b.right, b.bottom])"""
SIZES = ({"width": 1440, "height": 900}, {"width": 1280, "height": 720}, {"width": 390, "height": 844})


def cross(a, b, slack=1.0):
    return min(a[2], b[2]) - max(a[0], b[0]) > slack and min(a[3], b[3]) - max(a[1], b[1]) > slack


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s["width"]))
@pytest.mark.parametrize("chart", [convergence.chart(normal()), crowd(NAMES[:14])], ids=["five", "fourteen"])
def test_names_stand_free_and_the_mode_bar_covers_nothing(chromium, tmp_path, chart, size):
    file = tmp_path / "chart.html"
    file.write_text(screen.standalone(chart))
    page = chromium.new_page(viewport=size)
    page.goto(file.as_uri())
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    page.locator(".js-plotly-plot").hover()
    page.wait_for_timeout(400)
    names, marks, bar, key, whole = (page.evaluate(BOXES, query) for query in (
        ".annotation-text", ".point", ".modebar-group", ".legend .traces", ".js-plotly-plot"))  # fmt: skip
    assert len(names) == len(chart.labels) + 1
    assert marks
    assert bar
    for a, b in itertools.combinations(names, 2):
        assert not cross(a, b, 2.5)
    for name in names:
        assert name[0] >= 0
        assert name[2] <= whole[0][2] + 1
        assert not any(cross(name, mark) for mark in marks)
    for part in bar:
        assert not any(cross(part, other) for other in (*names, *marks, *key))
    drawn = page.evaluate("() => { const l = document.querySelector('.js-plotly-plot')._fullLayout; return l._size.w / l.width; }")
    assert drawn > 0.62
    page.close()
