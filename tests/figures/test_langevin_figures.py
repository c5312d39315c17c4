"""Pictures of Langevin beside diffusion."""

import pytest

from dlab.answers import langevin as answers
from dlab.figures import langevin as figures


@pytest.mark.parametrize("condition", [1.0, 100.0, 1000.0])
def test_the_curves_are_the_rows_and_the_lines_their_limits(condition):
    found = answers.langevin(None, condition)
    chart = figures.chart(found)
    curves = {c.name: c for c in chart.series}
    for name in ("langevin", "diffusion"):
        kept = [r for r in found["rows"] if r[name] is not None]
        assert list(curves[figures.TITLES[name]].y) == [r[name] for r in kept]
    assert len(figures.table(found)) == len(found["rows"])
    last = found["rows"][-1]
    times = last["langevin"] / last["diffusion"]
    assert f"{max(times, 1 / times):.2g}"[:1] in figures.sentence(found)
    assert ("explodes" in figures.sentence(found)) == any(r["langevin"] is None for r in found["rows"])
