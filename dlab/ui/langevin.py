"""The folded sections that set Langevin beside diffusion."""

import streamlit as st

from dlab.answers.langevin import CONDITIONS
from dlab.figures import langevin as figures
from dlab.ui.page import Ask, Block, View


def _condition(scene) -> dict:
    place, _ = st.columns((1, 2))
    return {"condition": place.select_slider(
        "Condition number", CONDITIONS, 100.0, format_func="{:g}".format, key="langevin-condition",
        help="The largest over the smallest of the target's 16 variances, evenly spaced in log.",
    )}  # fmt: skip


def _view(found, scene) -> View:
    name = f"langevin-{found['condition']:g}"
    return View(figures.chart(found), name, table=figures.table(found), data=found["rows"], heights=(440,))


def _error_view(found, scene) -> View:
    return View(figures.error_chart(found), "langevin-error", table=figures.error_table(found), data=found["rows"], heights=(420,))


SECTIONS = (
    Block("langevin", _view, picks=_condition,
          answer=lambda scene: Ask("langevin", scene.study(), (scene["condition"],), "Computing variances.")),
    Block("langevin-error", _error_view, answer=lambda scene: Ask("small_error", scene.study(), (), "Computing densities.")),
)  # fmt: skip
