"""The samplers of practice: all schemes at equal cost, and the dial from the ODE to the SDE."""

import itertools

import streamlit as st

from dlab import answers, schemes, words
from dlab.answers.samplers import evaluations
from dlab.figures import samplers as figures
from dlab.figures import takeaway
from dlab.grid import sigma_of
from dlab.ui import frame, runs, settings, studies
from dlab.ui.page import Ask, Block, View

SHOWN, FRONT = "samplers-shown", "samplers-front"
STEPS = tuple(2**k for k in range(4, 12))
TALL = 430  # px: the whole picture is seen at 1280 x 720
_running = itertools.count()  # a run draws the picture several times, and each needs a key


def picks(scene) -> dict:
    """Which schemes are drawn, and one in front."""
    one, two, _ = st.columns((1, 1, 2), vertical_alignment="bottom")
    shown = one.selectbox("Shown", list(figures.SHOWN), format_func=figures.SHOWN.get, key=SHOWN, help="The schemes that are drawn.")
    names = figures.chosen(shown)
    if st.session_state.get(FRONT) not in (None, *names):
        st.session_state[FRONT] = None
    front = two.selectbox("Scheme in front", names, index=None, key=FRONT, placeholder="none",
                          help="Drawn over the others; the sentence gives its rank.")  # fmt: skip
    return {"sampler": (names, front)}


def get(scene) -> dict | None:
    """{"rows" of what is shown, "missing": {scheme: reason}, "T"}; None until it is there."""
    names, front = scene.sampler
    whole = studies.sampler_study(scene, schemes.REGISTRY)
    if answers.find("samplers").applies(whole) is None:
        found = runs.kept(Ask("samplers", whole, (), "Computing the laws of all schemes."))
        return found and {"rows": [r for r in found["rows"] if r["scheme"] in names], "missing": {}, "T": whole.T}
    parts, missing = studies.sampler_studies(scene, names)
    if any(part.work for part in parts.values()):
        st.caption(words.text("samplers", "simulated"))

    def draw(found, state):
        if state != "final" and (rows := _rows(found)):
            frame.chart(_chart(rows, front), TALL, f"samplers-{state}-{next(_running)}")

    found, state, _ = runs.several("samplers", parts, draw)
    return {"rows": _rows(found), "missing": missing, "T": whole.T} if state == "final" else None


def _rows(found) -> list[dict]:
    """Rows of results as those of the answer."""
    order = list(schemes.REGISTRY)
    rows = [
        {
            "scheme": r["scheme"], "evaluations": r["steps"] * evaluations(schemes.REGISTRY[r["scheme"]]),
            **{k: r.get(k) for k in ("steps", "w2", "stderr", "method")}, "flags": r.get("flags") or [],
        }
        for result in found.values() for r in result["rows"]
    ]  # fmt: skip
    return sorted(rows, key=lambda r: (order.index(r["scheme"]), r["evaluations"]))


def _chart(rows, front):
    return figures.chart(rows, figures.sentence(rows, front), front)


def view(found, scene) -> View:
    """All schemes at equal cost."""
    rows, (_, front) = found["rows"], scene.sampler
    notes = [words.text("samplers", "orders"), figures.missing(found["missing"])]
    title = settings.table()["grid"].offered[scene["grid"]]
    start = f"On the page's time grid, {title}, from T = {found['T']:.3g}, which is σ/α = {sigma_of(found['T']):.3g}."
    return View(
        _chart(rows, front), f"samplers-{scene['grid']}", takeaway=takeaway.of_samplers(rows, front),
        said=frame.plain(figures.sentence(rows, front)),
        caption=start, table=figures.table(rows), data=rows, notes=tuple(filter(None, notes)), heights=(TALL,),
    )  # fmt: skip


def _dial_picks(scene) -> dict:
    place, _ = st.columns((1, 2))
    return {"dial": place.select_slider("Steps N", STEPS, 256, key="dial-steps", help="For Euler's method, the same for every e.")}


def _dial_view(found, scene) -> View:
    return View(figures.dial(found), f"dial-{found['steps']}", table=figures.dial_table(found), data=found["rows"], heights=(420,))


DIAL = Block("dial", _dial_view, picks=_dial_picks, answer=lambda scene: Ask("dial", scene.study(), (scene.dial,), "Computing variances."))
