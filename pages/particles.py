"""Particles: schemes side by side on the same Brownian path."""

from dataclasses import replace

import streamlit as st

from dlab import answers, schemes
from dlab.answers import trajectory
from dlab.figures import particles, ribbon, takeaway
from dlab.study import Study
from dlab.ui import controls, exports, frame, methods, movies, reveal, settings, state, studies, theorems
from dlab.ui.page import Ask, Block, Page, View, show
from dlab.ui.player import player

PLAYER = "player"  # the component's key
ALT = "Particles of each scheme on the same Brownian path, over the density that they should have"


def movie(scene):
    """The movie and what its words say, and the scene that it moves."""
    study = studies.moving_study(scene)
    steps = study.steps[-1]
    if (made := movies.movie(study, steps, scene.moving)) is None:
        if free(scene):  # there is no player yet that has the step size
            controls.draw("step", scene, "particles")
        return None
    packed, meta = made
    measured = any(d is not None for name in study.schemes for d in meta["table"][name])
    ladder = free(scene) and meta["rungs"] < len(trajectory.rungs(study, steps, scene.moving))
    return {"meta": meta, "movie": packed, "study": study, "steps": steps, "measured": measured, "missing": ladder or not measured}


def free(scene) -> bool:
    """Whether the player has the page's slider of step sizes; a lesson that hides or fixes h means this h."""
    return "h" not in scene.hide + scene.fix and not settings.uneven(scene)


def turn(scene):
    """One slider of h: the player's, or the one among the controls."""
    return replace(PAGE, controls=tuple(c for c in PAGE.controls if c != "step" or not free(scene)))


def view(found, scene):
    study, meta = found["study"], found["meta"]

    def shown():
        room = reveal.projected("particles")
        place = {"height": room, "above": frame.PROJECTOR - room, "presentation": True} if scene.present else {"height": 500, "above": 200}
        waiting = "" if not found["missing"] else "other step sizes to come" if found["measured"] else "W₂ to come"
        state.started()  # every movie plays when it opens
        sizes = tuple(h for h in settings.LADDER if study.even and round(study.T / h) * h == study.T)
        player(
            found["movie"], key=PLAYER, autoplay=True, alt=ALT, waiting=waiting, live=free(scene), sizes=sizes, chosen=choose,
            asked=asked(meta["scene"], study.grid(found["steps"]).step), **place,
        )  # fmt: skip

    caption = methods.level_met(study.score_error, meta["met"])
    taken = takeaway.moving(meta["table"], meta["lower"])
    return View(top=shown, takeaway=taken, said=meta["sentence"], caption=caption, notes=tuple(meta["notes"]))


def choose(h: float) -> None:
    """Take the step size that the player shows for the page's; the player, which has it, is asked for nothing."""
    controls.set_step(h)
    st.session_state["player-has"] = h


def asked(name: str, h: float | None) -> tuple[float | None, int]:
    """The step size that the player of this movie is asked for, and the number of times that it was asked: as long as it has what the
    page has, the same."""
    session = st.session_state
    movie, before = session.get("player-asked", ("", (h, 0)))
    # Streamlit forgets a component that was not drawn in the last run, on another page; the next one is another player.
    if movie != name or session.get("player-has") != h or PLAYER not in session:
        before = h, before[1] + 1
        session.update({"player-asked": (name, before), "player-has": h})
    return before


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


def rest(found, scene):
    if found["missing"]:
        movies.rest(found["study"], found["steps"], scene.moving, free(scene))


PAGE = Page(
    "particles", view, get=movie, after=rest, turn=turn,
    controls=("target", "panels", "step", "grid", "score_error", "horizon", "moving"),
    files=lambda found, scene: exports.particles(found["study"], found["steps"], scene.moving, found["meta"]),
    sections=(
        Block("distances", draw=distances), Block("ribbon", ribbon_view, answer=ribbon_asked, picks=drawn), Block("step", draw=step),
    ),
)  # fmt: skip
show(PAGE)
