"""Samplers: all schemes at equal cost, the dial from the ODE to the SDE, adaptive steps."""

from dlab.ui import adaptive, samplers
from dlab.ui.page import Page, show

show(Page(
    "samplers", samplers.view, get=samplers.get, picks=samplers.picks, controls=("target", "grid", "horizon"),
    sections=(samplers.DIAL, adaptive.section()),
))  # fmt: skip
