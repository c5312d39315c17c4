"""Dimension: Gaussians of up to thousands of coordinates, by their exact laws."""

from dlab.figures import along
from dlab.ui import exports, studies
from dlab.ui.page import Page, View, show
from dlab.ui.sections import measured, prose, table


def view(found, scene):
    result, h = found[""], along.steps_of(found)[-1]
    charts = {"w2": along.chart(found, h), "steps": along.steps_chart(result, scene.epsilon)}
    return View(
        tuple(charts.values()), heights=(470,), bar=True,
        takeaway=f"{charts['w2'].caption} {along.steps_sentence(result, scene.epsilon)}",
        files=lambda: exports.results(charts, found),
    )  # fmt: skip


show(Page(
    "dimension", view, lambda scene: {"": studies.dimension_study(scene)},
    controls=("spectrum", "schemes", "h", "epsilon", "horizon"),
    sections=(
        table("points", lambda found, scene: along.table(found, along.steps_of(found)[-1])),
        table("slopes", lambda found, scene: along.slopes_table(found[""])),
        measured(), prose("theorem"),
    ),
))  # fmt: skip
