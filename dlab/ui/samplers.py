"""The folded sections about the samplers of practice: all schemes at equal cost, and the dial from the ODE to the SDE."""

import itertools

import streamlit as st

from dlab import answers, schemes, words
from dlab.answers.samplers import evaluations
from dlab.figures import samplers as figures
from dlab.grid import sigma_of
from dlab.schemes.names import NAMES
from dlab.ui import frame, knobs, runs, settings, studies
from dlab.ui.page import Ask, Block, View

NAME, GRID, SHOWN, SCHEME = "samplers-name", "samplers-grid", "samplers-shown", "samplers-scheme"
OPTION = "samplers-option-"  # and its key
GRIDS = settings.table()["grid"].offered
STEPS = tuple(2**k for k in range(4, 12))
_running = itertools.count()  # a run draws the picture several times, and each needs a key


def _named() -> None:
    """Set the controls as a name says."""
    session = st.session_state
    if session[NAME] is None:
        return
    name = NAMES[session[NAME]]
    session[SCHEME] = name.scheme
    if name.grid:
        session[GRID] = name.grid["name"]
    if name.scheme not in figures.chosen(session[SHOWN]):
        session[SHOWN] = "all"
    session.update({OPTION + key: value for key, value in name.options})


def _unnamed() -> None:
    """Another control has moved: the settings are no longer what the name says."""
    st.session_state[NAME] = None


def _picks(scene) -> dict:
    one, two, three, four = st.columns((5, 4, 3, 3), vertical_alignment="bottom")
    st.session_state.setdefault(GRID, "karras")
    one.selectbox(
        "Name elsewhere", list(NAMES), index=None, key=NAME, placeholder="DPM++ 2M Karras, Euler a …", on_change=_named,
        help="What other software or a paper calls it; sets grid, scheme and its option.",
    )  # fmt: skip
    grid = two.selectbox("Grid", list(GRIDS), format_func=GRIDS.get, key=GRID, on_change=_unnamed,
                         help="The times of the steps, with the grid's default settings; see the README.")  # fmt: skip
    shown = three.selectbox("Shown", list(figures.SHOWN), format_func=figures.SHOWN.get, key=SHOWN,
                            help="Which schemes are drawn.")  # fmt: skip
    names = figures.chosen(shown)
    if st.session_state.get(SCHEME) not in (None, *names):
        st.session_state[SCHEME] = None
    picked = four.selectbox("Scheme in front", names, index=None, key=SCHEME, placeholder="none", on_change=_unnamed,
                            help="Drawn over the others, with its rank in the sentence.")  # fmt: skip
    options = {}
    if picked and (option := schemes.REGISTRY[picked].option):
        st.session_state.setdefault(OPTION + option.key, option.default)
        value = one.select_slider(option.label, option.offered, format_func="{:g}".format, key=OPTION + option.key, help=option.help)
        options = {option.key: knobs.in_file(value)} if value != option.default else {}
    if st.session_state[NAME]:
        st.caption(_said(NAMES[st.session_state[NAME]]))
    return {"sampler": {"names": names, "grid": grid, "options": options, "picked": picked}}


def _said(name) -> str:
    grid = f" on the grid {GRIDS[name.grid['name']]}" if name.grid else " on any grid"
    more = f": {name.note}" if name.note else ""
    return f"{name.name} ({name.source}) is {name.scheme}{grid}{more}."


def _get(scene) -> dict | None:
    """{"rows" of what is shown, "missing": {scheme: reason}, "T"}; None until it is there."""
    asked = scene.sampler
    whole = studies.sampler_study(scene, schemes.REGISTRY, asked["grid"], asked["options"])
    if answers.find("samplers").applies(whole) is None:
        found = runs.kept(Ask("samplers", whole, (), "Carrying the laws of all schemes."))
        return found and {"rows": [r for r in found["rows"] if r["scheme"] in asked["names"]], "missing": {}, "T": whole.T}
    parts, missing = studies.sampler_studies(scene, asked["names"], asked["grid"], asked["options"])
    if any(part.work for part in parts.values()):
        st.caption(words.text("convergence", "samplers-simulated"))

    def draw(found, state):
        if state != "final" and (rows := _rows(found)):
            frame.chart(_chart(rows, asked["picked"]), 740, f"samplers-{state}-{next(_running)}")

    found, state, _ = runs.several("convergence-samplers", parts, draw)
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


def _chart(rows, picked):
    return figures.chart(rows, figures.sentence(rows, picked), picked)


def _view(found, scene) -> View:
    rows, asked = found["rows"], scene.sampler
    notes = [words.text("convergence", "samplers-orders"), figures.missing(found["missing"])]
    start = f"Grid {GRIDS[asked['grid']]}, from T = {found['T']:.3g}, which is σ = {sigma_of(found['T']):.3g}."
    return View(
        _chart(rows, asked["picked"]), f"samplers-{asked['grid']}", takeaway=frame.plain(figures.sentence(rows, asked["picked"])),
        caption=start, table=figures.table(rows), data=rows, notes=tuple(filter(None, notes)), heights=(740,),
    )  # fmt: skip


def _dial_picks(scene) -> dict:
    place, _ = st.columns((1, 2))
    return {"dial": place.select_slider("Steps N", STEPS, 256, key="dial-steps", help="Of Euler's method, the same for every e.")}


def _dial_view(found, scene) -> View:
    return View(figures.dial(found), f"dial-{found['steps']}", table=figures.dial_table(found), data=found["rows"], heights=(420,))


SECTIONS = (
    Block("samplers", _view, picks=_picks, get=_get),
    Block("dial", _dial_view, picks=_dial_picks, answer=lambda scene: Ask("dial", scene.study(), (scene.dial,), "Following variances.")),
)
