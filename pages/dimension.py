"""Dimension: Gaussians of up to thousands of coordinates, by their exact laws."""

import streamlit as st

from dlab.figures import along
from dlab.figures.numbers import step_size
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, runs, studies, tell

values = frame.begin(
    "dimension",
    "What does another dimension cost?",
    "A Gaussian with $d$ independent coordinates, each with its exact law, so nothing is sampled. For REM and REI, whose coordinates "
    "share a random midpoint, that gives a lower bound.",
)
picture, side = frame.stage()
with side:
    controls.draw("spectrum", values, "dimension")
    controls.draw("schemes", values, "dimension")
    controls.draw("h", values, "dimension")
    controls.draw("epsilon", values, "dimension")
    controls.draw("horizon", values, "dimension")


def draw(found, state):
    result = found[""]
    sizes = along.steps_of(found)
    h = sizes[-1]
    figures = {"w2": along.chart(found, h), "steps": along.steps_chart(result, values["epsilon"])}
    left, right = st.columns(2, gap="medium")
    with left:
        frame.chart(figures["w2"], 470, f"dimension-w2-{state}")
    with right:
        frame.chart(figures["steps"], 470, f"dimension-steps-{state}")
    st.markdown(f"{figures['w2'].caption} {along.steps_sentence(result, values['epsilon'])}")
    return h, figures


with picture:
    found, state, drawn = None, "none", None
    try:
        found, state, drawn = runs.several("dimension", {"": studies.dimension_study(values)}, draw)
    except BadInput as error:
        st.error(frame.plain(error))
    if state == "final":
        h, figures = drawn
        with st.expander(f"The points at h = {step_size(h)}"):
            st.dataframe(along.table(found, h), hide_index=True, width="stretch")
        with st.expander("Slopes in h at each d"):
            st.dataframe(along.slopes_table(found[""]), hide_index=True, width="stretch")
        with st.expander("How is this measured?"):
            tell.measuring(found[""])
        with st.expander("What the theorem says"):
            tell.dimension()
        exports.varied(figures, found)
frame.end("dimension")
