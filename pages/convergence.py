"""Convergence: W2 against h with fitted slopes, beside the theorems."""

import itertools

import streamlit as st

from dlab.figures import compare, convergence, density, screen, tables
from dlab.params import BadInput
from dlab.study import refitted
from dlab.ui import controls, exports, frame, reveal, runs, studies, tell

values = frame.begin(
    "convergence",
    "How fast does the error fall when h halves?",
    "Each point is the distance $W_2$ between the law that a scheme produces with step $h$ and the law it should produce.",
)
picture, side = reveal.stage("convergence")
with side:
    controls.target(values)
    controls.scheme_set()
    controls.step_range(values)
    controls.score_error(values)
    controls.horizon()
    controls.sampling(values)
    controls.picture(values)
    controls.open_study()


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


def law(found):
    sheet = density.sheet(found)
    if sheet is None:
        st.markdown(density.sentence(found))
        return
    maps = "map" in found
    for i, (column, part) in enumerate(zip(st.columns(len(sheet.parts)), sheet.parts)):
        drawn = screen.to_heatmap(part, **frame.drawn(380)) if maps else screen.to_plotly(part, **frame.drawn(400))
        column.plotly_chart(
            drawn, theme=None, config=screen.CONFIG | {"displayModeBar": False}, key=f"law-{i}",
            alt=f"{part.alt} {sheet.caption}",
        )  # fmt: skip
    st.markdown(frame.plain(sheet.caption))
    st.dataframe(density.table(found), hide_index=True, width="stretch")
    exports.sheet(sheet, f"law-{found['scheme']}-{found['h']:g}")


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
        points = st.container()
        for note in result["notes"]:
            st.caption(frame.plain(note))
        # A closed section draws nothing: tables, formulas and maps would be loaded and travel with every rerun.
        for place, title, key, inside in (
            (points, "Every point, with the reason where it is hollow", "points-open", every_point),
            (st, "How is this measured?", "measured-open", lambda: tell.measuring(result)),
            (st, "Why not just compute W₂ of two clouds?", "ways-open", lambda: (tell.clouds(), runs.every_way(study, every_way))),
            (st, "Where is the law off?", "law-open", lambda: (tell.law(), runs.law(study, law))),
            (st, "What the theorem says", "theorem-open", lambda: tell.theorems(result, frame.theme())),
        ):
            section = place.expander(title, key=key, on_change="rerun")
            if section.open:
                with section:
                    inside()
        exports.row(study, result, figure)
frame.end("convergence")
