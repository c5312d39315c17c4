"""Dimension: Gaussians of up to thousands of coordinates, by their exact laws."""

from dlab.figures import along, takeaway
from dlab.ui import langevin, studies
from dlab.ui.page import Page, View, show
from dlab.ui.sections import measured, prose, table


def finest(found):
    return along.steps_of(found)[-1]


def view(found, scene):
    charts = along.chart(found, finest(found)), along.steps_chart(found[""], scene.epsilon)
    said = f"{charts[0].caption} {along.steps_sentence(found[''], scene.epsilon)}"
    return View(charts, "w2 steps", takeaway=takeaway.dimension(found[""], finest(found)), said=said, heights=(430,), bar=True)


show(Page(
    "dimension", view, lambda scene: {"": studies.dimension_study(scene)}, controls=("spectrum", "schemes", "h", "epsilon", "horizon"),
    sections=(
        table("points", lambda found, scene: along.table(found, finest(found))),
        table("slopes", lambda found, scene: along.slopes_table(found[""])),
        *langevin.SECTIONS, measured(), prose("theorem"),
    ),
))  # fmt: skip
