"""Budget: how many steps an accuracy takes, found by search, beside the number that the theorem asks for."""

import itertools

import streamlit as st

from dlab import engine
from dlab.figures import budget
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, reveal, runs, studies, tell

values = frame.begin(
    "budget",
    "How many steps does a given accuracy take?",
    "Markers are the smallest $N$ with $W_2 < \\varepsilon$, found by search; dotted lines are what the theorem asks for.",
)
picture, side = reveal.stage("budget")
with side:
    controls.target(values)
    controls.scheme_set()
    controls.distances(values)
    controls.cost()
    controls.score_error(values)
    controls.horizon()
    controls.sampling(values)
    controls.open_study()

epsilon, drawing = studies.epsilon(values), itertools.count()


def shown(chart, height, name):
    frame.chart(chart, height, f"{name}-{next(drawing)}")


def draw(found, state):
    result = found[""]
    with st.container(key="stale" if state == "stale" else None):
        # A time is measured when nothing else runs.
        seconds = runs.timing(study) if values["cost"] == "time" and state != "running" else None
        cost = values["cost"] if seconds or values["cost"] != "time" else "steps"
        figure = budget.chart(result, cost, epsilon=epsilon, seconds=seconds, bounds=values["bounds"])
        shown(figure, 520, f"budget-{state}")
        if state != "stale":  # the line beside the Run button says what a stale picture is
            st.markdown(budget.sentence(result, epsilon))
        if state != "running":
            st.dataframe(budget.table(result, epsilon, engine.seconds_a_step(study)), hide_index=True, width="stretch")
    return figure


with picture:
    try:
        study = studies.reaching_study(values)
        found, state, figure = runs.several("budget", {"": study}, draw)
    except BadInput as error:
        st.error(frame.plain(error))
        state = "none"
    if state in ("final", "partial"):
        result = found[""]
        st.markdown("### What does accuracy cost?")
        controls.work()
        seconds = runs.timing(study) if values["work"] == "time" else engine.seconds_a_step(study)
        diagram = budget.work_precision(result, values["work"], epsilon=epsilon, seconds=seconds)
        shown(diagram, 460, "work")
        st.caption(frame.plain(diagram.caption))
        with st.expander("Every accuracy"):
            st.dataframe(budget.every_answer(result), hide_index=True, width="stretch")
        for note in budget.notes(result):
            st.caption(frame.plain(note))
        with st.expander("How is this measured?"):
            tell.searching(result, seconds)
        with st.expander("What the theorem says"):
            tell.budget(result, epsilon)
        exports.row(study, result, figure)
        exports.diagram(diagram, "work-precision")
frame.end("budget")
