"""The folded section in which one scheme is measured by every method on the same particles."""

from contextlib import closing
from dataclasses import replace

import streamlit as st

from dlab import engine
from dlab.figures import compare
from dlab.figures.numbers import duration
from dlab.ui import exports, frame, menu, runs
from dlab.ui.page import Block
from dlab.ui.view import tabulate

CLOUD_SECONDS = 3.0  # what the point clouds of one step size take


def section(of) -> Block:
    """of(scene) -> the study of which the visitor picks a scheme."""
    return Block("clouds", draw=lambda found, scene: _picked(of(scene)))


def _picked(study) -> None:
    """At once where it is known, else by a button that says its cost."""
    left, right = st.columns((1, 2), vertical_alignment="bottom")
    scheme = left.selectbox("Scheme measured by every method", study.schemes, key="every-way", help="One of the schemes in the picture.")
    if (found := engine.kept_answer("estimators", study, scheme)) is not None:
        figure = _show(found, "final")
        tabulate(compare.table(found))
        menu.downloads(lambda: exports.picture(figure, f"ways-{scheme}", "ways", answer=found), st.container(), "ways-download")
        return
    one, law = replace(study, schemes=(scheme,), estimator="coupled", accuracy=None, budget=None), study.law(scheme)
    by_law = sum(law.price(study.case(scheme, n)) for n in study.steps) if law else 0
    cost = engine.seconds(one.work + by_law) + CLOUD_SECONDS * len(study.steps)
    label = f"Measure by every method (about {duration(cost)})"
    place = right.empty()
    if place.button(label, key="every-way-button", help="Every estimator on the same particles, including those on point clouds."):
        place.button("Cancel", key="every-way-cancel", help="Stops the run.", on_click=lambda: engine.cancel(runs.session()))
        bar, holder = runs.Bar("Starting."), st.empty()
        found = engine.answers_of("estimators", study, scheme, tick=bar.tick, waiting=bar.waiting, session=runs.session())
        with closing(found) as answers:
            for i, found in enumerate(answers):
                with holder.container():
                    _show(found, f"running-{i}")
        st.rerun()


def _show(found, name):
    figure = compare.chart(found)
    frame.chart(figure, 480, f"methods-{name}")
    st.markdown(figure.caption)
    return figure
