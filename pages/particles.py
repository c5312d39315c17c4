"""Particles: schemes side by side on the same Brownian path."""

import streamlit as st

from dlab import answers, schemes
from dlab.answers import trajectory
from dlab.figures import particles, ribbon, takeaway
from dlab.study import Study
from dlab.ui import controls, exports, frame, methods, movies, state, studies, theorems
from dlab.ui.page import Ask, Block, Page, View, show
from dlab.ui.player import player


def movie(scene):
    """The movie and what its words say, and the scene that it moves."""
    study = studies.moving_study(scene)
    steps = study.steps[-1]
    if (made := movies.movie(study, steps, scene.moving)) is None:
        return None
    packed, meta = made
    # A lesson that hides or fixes h means this h.
    free = "h" not in scene.hide + scene.fix
    missing = free and meta["rungs"] < len(trajectory.rungs(study, steps, scene.moving))
    return {"meta": meta, "movie": packed, "study": study, "steps": steps, "free": free, "missing": missing}


def view(found, scene):
    study, meta, free = found["study"], found["meta"], found["free"]

    def shown():
        room = frame.projected(0)
        place = {"height": room, "above": frame.PROJECTOR - room, "presentation": True} if scene.present else {"height": 520, "above": 250}
        player(
            found["movie"], key="player", autoplay=state.started(), alt=meta["sentence"], live=free,
            adopt=controls.set_step if free else None, waiting="computing the others" if found["missing"] else "", **place,
        )  # fmt: skip

    caption = methods.level_met(study.score_error, meta["met"])
    return View(top=shown, takeaway=takeaway.moving(meta["table"]), said=meta["sentence"], caption=caption, notes=tuple(meta["notes"]))


def distances(found, scene):
    st.dataframe(particles.distances(found["meta"]["table"]), hide_index=True, width="stretch")
    methods.of_movie(found["study"])


def step(found, scene):
    study = found["study"]
    theorems.updates(study.schemes, study.grid(found["steps"]).step)
    theorems.symbols("letters")


def drawn(scene):
    """The schemes whose paths are drawn: at first the first of the page, and one of the flow beside it."""
    mine = list(scene["panels"])
    flow = next((n for n in mine if schemes.REGISTRY[n].dynamics == "ODE"), "DDIM")
    first = list(dict.fromkeys([*mine[:1], flow]))
    place, _ = st.columns((2, 1))
    return {"drawn": place.multiselect(
        "Schemes drawn", [*mine, *(n for n in schemes.REGISTRY if n not in mine)], first, key="ribbon-drawn", max_selections=4,
        help="All start at the same points and use the same Brownian paths.",
    )}  # fmt: skip


def ribbon_asked(scene):
    if not scene["drawn"]:
        return None
    study = studies.moving_study(scene | {"panels": scene["drawn"][:1]})
    study = Study.from_json(study.to_json() | {"schemes": scene["drawn"]})
    if why := answers.find("ribbon").applies(study):
        st.caption(f"{why[0].upper()}{why[1:]}")
        return None
    return Ask("ribbon", study, (study.steps[-1],), "Computing the paths.")


def ribbon_view(found, scene):
    return View(
        ribbon.sheet(found), f"paths-{found['steps']}", table=ribbon.table(found), data=ribbon.rows(found), heights=(480,),
    )  # fmt: skip


def ladder(found, scene):
    if found["missing"]:
        movies.ladder(found["study"], found["steps"], scene.moving)


show(Page(
    "particles", view, get=movie, after=ladder, controls=("target", "panels", "step", "grid", "score_error", "horizon", "moving"),
    files=lambda found, scene: exports.particles(found["study"], found["steps"], scene.moving, found["meta"]),
    sections=(
        Block("distances", draw=distances), Block("ribbon", ribbon_view, answer=ribbon_asked, picks=drawn), Block("step", draw=step),
    ),
))  # fmt: skip
