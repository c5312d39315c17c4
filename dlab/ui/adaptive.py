"""The folded section about adaptive steps: noise redrawn, or kept on one path."""

import itertools
import time
from contextlib import closing

import streamlit as st

from dlab import engine, words
from dlab.answers.adaptive import COST
from dlab.figures import adaptive as figures
from dlab.figures.numbers import duration
from dlab.ui import frame, runs
from dlab.ui.page import Block, View

PARTIAL = "adaptive-partial"  # what a cancelled run had found, and of which seed
RUN = "adaptive-run"  # whether its button has been pressed
HEIGHT = 400
_running = itertools.count()  # a run draws the pictures several times, and each needs a key


def section() -> Block:
    return Block("adaptive", _view, get=_get)


def _view(found, scene) -> View:
    partial = () if found["done"] == 1 else (words.text("samplers", "adaptive-partial"),)
    return View(
        figures.sheet(found), "adaptive", caption=words.text("samplers", "adaptive-setting"), table=figures.table(found),
        data=found["rows"], notes=(*figures.notes(found), *partial), heights=(HEIGHT,),
    )  # fmt: skip


def _get(scene) -> dict | None:
    """The answer where it is kept, else a button and what a cancelled run had found."""
    study, session = scene.study(), st.session_state
    if (found := engine.kept_answer("adaptive", study)) is not None:
        return found
    left, middle, right = st.columns(runs.ROW, vertical_alignment="center")
    if not session.pop(RUN, False):
        left.button(
            f"Run (about {duration(engine.seconds(COST))})", key="adaptive-button", type="primary", width="stretch",
            help="Points appear as they are found, and are kept.", on_click=lambda: session.update({RUN: True}),
        )  # fmt: skip
        seed, partial = session.get(PARTIAL, (None, None))
        return partial if seed == study.seed else None
    right.button(
        "Cancel", key="adaptive-cancel", width="stretch", help="Stops the run and keeps the points drawn so far.",
        on_click=lambda: engine.cancel(runs.session()),
    )  # fmt: skip
    bar, holder = runs.Bar("Starting. The first run takes a few seconds longer.", place=middle), st.empty()
    # Cancelled, this run must let go of the machine at once.
    with closing(engine.answers_of("adaptive", study, tick=bar.tick, waiting=bar.waiting, session=runs.session())) as answers:
        drawn = 0.0
        for found in answers:
            session[PARTIAL] = study.seed, found
            if time.monotonic() - drawn >= runs.REDRAW:
                with holder.container():
                    _pictures(figures.sheet(found))
                drawn = time.monotonic()
    session.pop(PARTIAL, None)
    st.rerun()


def _pictures(sheet) -> None:
    number = next(_running)
    for i, (part, place) in enumerate(zip(sheet.parts, st.columns(len(sheet.parts)))):
        frame.chart(part, HEIGHT, f"adaptive-running-{number}-{i}", place, False)
