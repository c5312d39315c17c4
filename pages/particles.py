"""Particles: schemes side by side on the same Brownian path."""

import streamlit as st

from dlab import schemes
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, links, runs, tell
from dlab.ui.player import player

values = frame.begin(
    "particles",
    "What does a sampler do?",
    "Data dissolve into noise, then a scheme runs the process backwards in steps of size h; grey lines are the exact $p_t$.",
)
picture, side = st.columns([3, 1], gap="medium")
with side, st.container(key="controls"):
    controls.target(values)
    controls.panels(values)
    controls.step(values)
    controls.score_error(values)
    with st.expander("Horizon and start"):
        controls.horizon()
    with st.expander("Sampling"):
        st.select_slider(
            "Particles", links.MOVING, key=frame.STATE + "moving", help="How many particles each panel draws."
        )
        controls.seed()
with picture:
    try:
        study = links.moving_study(values)
        steps = study.steps[-1]
        made = runs.movie(study, steps, values["moving"])
    except BadInput as error:
        st.error(frame.plain(error))
    else:
        if made is None:
            frame.end("particles")
            st.stop()
        movie, meta = made
        player(movie, key="player", height=560, autoplay=frame.started(), alt=meta["sentence"])
        st.markdown(meta["sentence"])
        tell.level_met(study.score_error, meta["met"])
        for note in meta["notes"]:
            st.caption(frame.plain(note))
        with st.expander("The distances behind the picture"):
            st.dataframe(tell.distances(meta["table"]), hide_index=True, width="stretch")
            tell.distance_method(study)
        with st.expander("What one step does"):
            for name in study.schemes:
                st.markdown(f"**{name}**, {schemes.REGISTRY[name].title}")
                st.latex(schemes.REGISTRY[name].formula)
            tell.symbols()
        exports.particles(study, steps, values["moving"], meta)
frame.end("particles")
