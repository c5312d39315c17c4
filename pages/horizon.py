"""Horizon: W2 against the time from which the reverse process starts, for both starts."""

import streamlit as st

from dlab.figures import along
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, runs, studies, tell

values = frame.begin(
    "horizon",
    "How long must the process run?",
    "The paper starts from noise that has forgotten the data. At a short horizon $T$ it has not yet done so, and no step size "
    "mends that.",
)
picture, side = frame.stage()
with side:
    controls.draw("target", values, "horizon")
    controls.draw("schemes", values, "horizon")
    controls.draw("fine", values, "horizon")
    controls.draw("score_error", values, "horizon")
    controls.draw("horizons", values, "horizon")
    controls.draw("sampling", values, "horizon")


def draw(found, state):
    figure = along.chart(found, values["fine"], bounds=False)
    with st.container(key="stale" if state == "stale" else None):
        frame.chart(figure, 520, f"horizon-{state}-{len(found)}-{sum(len(r['rows']) for r in found.values())}")
        if state != "stale":
            st.markdown(figure.caption)
    return figure


with picture:
    found, state, figure = None, "none", None
    try:
        found, state, figure = runs.several("horizon", studies.horizon_studies(values), draw)
    except BadInput as error:
        st.error(frame.plain(error))
    if state in ("final", "partial"):
        st.dataframe(along.table(found, values["fine"]), hide_index=True, width="stretch")
        with st.expander("How is this measured?"):
            tell.measuring(next(iter(found.values())))
            tell.horizon_rule()
        with st.expander("What the theorem says"):
            tell.horizon()
        exports.varied({"horizon": figure}, found)
frame.end("horizon")
