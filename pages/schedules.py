"""Schedules: one scheme on every time grid, where along a run its error is made, and the best grid."""

from dlab.ui import schedules
from dlab.ui.page import Page, show
from dlab.ui.sections import prose

show(Page(
    "schedules", schedules.compared, answer=schedules.answer, picks=schedules.picks, controls=("target", "grid", "horizon"),
    sections=(*schedules.SECTIONS, prose("measured")),
))  # fmt: skip
