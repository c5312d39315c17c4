"""Convergence: W2 against h with fitted slopes, beside the theorems."""

import itertools

import streamlit as st

from dlab.figures import compare, convergence, tables
from dlab.params import BadInput
from dlab.study import refitted
from dlab.ui import controls, exports, frame, law, reveal, runs, studies, tell

values = frame.begin(
    "convergence",
    "How fast does the error fall when h halves?",
    "Each point is the distance $W_2$ between the law that a scheme produces with step $h$ and the law it should produce.",
)
picture, side = reveal.stage("convergence")
with side:
    controls.draw("target", values, "convergence")
    controls.draw("schemes", values, "convergence")
    controls.draw("h", values, "convergence")
    controls.draw("score_error", values, "convergence")
    controls.draw("horizon", values, "convergence")
    controls.draw("sampling", values, "convergence")
    controls.draw("picture", values, "convergence")
    controls.draw("open_study", values, "convergence")


brackets = values["brackets"] == "always" or (values["brackets"] == "few" and len(values["schemes"]) <= 2)
drawing = itertools.count()  # a run draws several charts in one script, and each needs a key


def windowed(result):
    return refitted(result, values["window"]) if values["by_hand"] and result else result


def draw(result, state):
    result = windowed(result)
    shown = {key: values[key] for key in ("fits", "bounds", "expansion")}
    figure = convergence.chart(result, values["x"], brackets=brackets, **shown)
    with st.container(key="stale" if state == "stale" else None):
        frame.chart(reveal.with_guesses("convergence", figure, result, values["x"]), 520, f"curve-{state}-{next(drawing)}")
        if state == "final":
            reveal.answer("convergence", result, side)
        if state != "stale":  # the line beside the Run button says what a stale picture is
            st.markdown(tables.sentence(result))
            tell.level_met(result["study"]["score_error"], tables.levels_met(result))
        if state != "running":
            st.dataframe(tables.table(result), hide_index=True, width="stretch")
    return figure


def every_point():
    st.dataframe(tables.rows_table(result), hide_index=True, width="stretch")


def every_way(found, final):
    figure = compare.chart(found)
    frame.chart(figure, 480, f"ways-{next(drawing)}")
    st.markdown(figure.caption)
    if final:
        st.dataframe(compare.table(found), hide_index=True, width="stretch")
        exports.ways(figure, found)


with picture:
    try:
        study = studies.study(values)
        if reveal.waits("convergence"):
            frame.end("convergence")
            st.stop()
        result, state, figure = runs.curve(study, draw)
        result = windowed(result)
    except BadInput as error:
        st.error(frame.plain(error))
        state = "none"
    if state in ("final", "partial"):
        frame.sections(("Every point, with the reason where it is hollow", "points-open", every_point))
        for note in result["notes"]:
            st.caption(frame.plain(note))
        frame.sections(
            ("How is this measured?", "measured-open", lambda: tell.measuring(result)),
            ("Why not just compute W₂ of two clouds?", "ways-open", lambda: (tell.clouds(), runs.every_way(study, every_way))),
            ("Where is the law off?", "law-open", lambda: law.section(study, "law")),
            ("What the theorem says", "theorem-open", lambda: tell.theorems(result, frame.theme())),
        )
        exports.row(study, result, figure)
frame.end("convergence")
