"""Particles: schemes side by side on the same Brownian path."""

import streamlit as st

from dlab.answers import trajectory
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, reveal, runs, state, studies, tell
from dlab.ui.player import player

values = frame.begin(
    "particles",
    "What does a sampler do?",
    "Data dissolve into noise, then a scheme runs the process backwards in steps of size h; grey lines are the exact $p_t$.",
)
picture, side = reveal.stage("particles")
with side:
    controls.draw("target", values, "particles")
    controls.draw("panels", values, "particles")
    controls.draw("step", values, "particles")
    controls.draw("score_error", values, "particles")
    controls.draw("horizon", values, "particles")
    controls.draw("moving", values, "particles")
made, missing = None, False


def distances():
    st.dataframe(tell.distances(meta["table"]), hide_index=True, width="stretch")
    tell.distance_method(study)


with picture:
    try:
        study = studies.moving_study(values)
        steps = study.steps[-1]
        made = runs.movie(study, steps, values["moving"])
    except BadInput as error:
        st.error(frame.plain(error))
    if made:
        movie, meta = made
        # A lesson that hides or fixes h means this h.
        free = "h" not in values["hide"] + values["fix"]
        missing = free and meta["rungs"] < len(trajectory.rungs(study, steps, values["moving"]))
        room = frame.projected(0)
        if state.presenting():
            shown = {"height": room, "above": frame.PROJECTOR - room, "presentation": True}
        else:
            shown = {"height": 520, "above": 250}
        waiting = "computing the others" if missing else ""
        player(
            movie, key="player", autoplay=state.started(), alt=meta["sentence"], waiting=waiting, live=free,
            adopt=controls.set_step if free else None, **shown,
        )  # fmt: skip
        reveal.answer("particles", meta, side)
        st.markdown(meta["sentence"])
        tell.level_met(study.score_error, meta["met"])
        for note in meta["notes"]:
            st.caption(frame.plain(note))
        # Tables and formulas have code of their own to load, before which no particle moves.
        frame.sections(
            ("The distances behind the picture", "distances-open", distances),
            ("What one step does", "step-open", lambda: tell.updates(study.schemes, study.T / steps, frame.theme())),
        )
        exports.particles(study, steps, values["moving"], meta)
frame.end("particles")
if missing:
    with picture:
        runs.ladder(study, steps, values["moving"])
