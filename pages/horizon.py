"""Horizon: W2 against the time from which the reverse process starts, for both starts."""

from dlab.figures import along, takeaway
from dlab.ui import studies
from dlab.ui.page import Page, View, show
from dlab.ui.sections import measured, prose


def view(found, scene):
    chart = along.chart(found, scene.fine, bounds=False)
    said = takeaway.horizon(found, scene.fine)
    return View(chart, "horizon", takeaway=said, table=along.table(found, scene.fine), heights=(430,), bar=True)


show(Page(
    "horizon", view, studies.horizon_studies, controls=("target", "schemes", "fine", "score_error", "horizons", "sampling"),
    sections=(measured(), prose("theorem")),
))  # fmt: skip
