"""Controls of schemes and time grids."""

import streamlit as st

from dlab import grid as grids
from dlab import schemes, words
from dlab.export import sigmas_text, timesteps_text
from dlab.params import BadInput
from dlab.schemes.names import NAMES, Name
from dlab.ui import settings, state, studies
from dlab.ui.blocks import draw_one, pairs, unfolded

WITH_GRID = (settings.CURVE, settings.MOVIE, "samplers", "schedules")  # the pages whose time grid is a setting


def grid(scene, page, off) -> None:
    """The times of a run: equal steps from T to 0, or a schedule's, with its own numbers."""
    uneven = settings.uneven(scene)
    # Another key, another box, which opens where a file or a sampler's name made the steps uneven.
    if box := unfolded("Time grid and noise schedule", f"grid-{'uneven' if uneven else 'even'}", uneven):
        with box:
            _grid(scene, page, off)


def _grid(scene, page, off) -> None:
    draw_one("grid", off)
    name = scene["grid"]
    maker = grids.MAKERS[name]
    pairs([f"{name}.{key}" for key in maker.settings], off)
    if maker.ends:
        draw_one("last", off)
    if not maker.ends or scene["last"] == "zero":
        draw_one("stop", off)
    if name != "uniform":
        try:
            study = studies.moving_study(scene) if page == "particles" else studies.curve(scene)
        except BadInput:  # said where the picture would be
            return
        laid = study.grid(max(study.steps))
        st.caption(f"Starts at t = T = {study.T:.3g}, which is σ/α = {grids.sigma_of(study.T):.3g}.")
        with st.popover("Copy for other libraries", help="As sigmas for k-diffusion, and as timesteps of DDPM's linear schedule."):
            st.caption(f"For N = {laid.steps}. The run ends at the last σ.")
            st.code(f"{sigmas_text(laid)}\n{timesteps_text(laid)}", language="python", wrap_lines=True)


def chosen(scene, page, off, *, name="schemes") -> None:
    """The schemes: the five of the paper and those that were added, and a menu of all others."""
    present = scene[name]
    offered = list(dict.fromkeys([*schemes.PAPER, *present]))
    draw_one(name, off, options=offered, help="\n".join(f"- **{scheme}**: {_does(scheme)}" for scheme in offered))
    others = [s for s in schemes.REGISTRY if s not in present and s not in schemes.PAPER]

    def add():
        session, key = st.session_state, f"add-{name}"
        if added := session.get(key):
            named = NAMES.get(added, Name(added, "", added))
            most = settings.table()[name].most or len(schemes.REGISTRY)
            rest = [s for s in state.value(name) if s != named.scheme][: most - 1]
            state.apply({name: (*rest, named.scheme), **({"grid": named.grid["name"]} if named.grid else {}), **dict(named.options)})
            session[key], session["named"] = None, added if added in NAMES else None

    st.selectbox(
        "Add a sampler", [*others, *(NAMES if page in WITH_GRID else ())], index=None, key=f"add-{name}", on_change=add, disabled=off,
        placeholder="DDIM, DPM++ 2M Karras, Euler a …" if page in WITH_GRID else "DDPM, DDIM, 2M …", format_func=_label,
        help="Samplers used in practice. Names from other software also set the time grid.",
    )  # fmt: skip
    if (named := NAMES.get(st.session_state.get("named"))) and _holds(named, scene, present):
        grid = f" on the grid {settings.table()['grid'].offered[named.grid['name']]}" if named.grid else " on any grid"
        st.caption(f"{named.name} ({named.source}) is {named.scheme}{grid}{f': {named.note}' if named.note else ''}.")
    asked = {**scene, "schemes": present}
    for option in schemes.OPTIONS:
        if settings.table()[option].when(asked):
            draw_one(option, off)


def _label(name) -> str:
    if named := NAMES.get(name):
        return f"{named.name} · {named.source}"
    return f"{name} · {schemes.REGISTRY[name].title}: {_does(name)}"


def _does(name) -> str:
    """One line that says what a scheme does; its title where it has none."""
    return words.text("schemes", name) if words.has("schemes", name) else schemes.REGISTRY[name].title


def _holds(named, scene, present) -> bool:
    """Whether the controls still say what the name does."""
    on_grid = not named.grid or scene["grid"] == named.grid["name"]
    return on_grid and named.scheme in present and all(scene[key] == value for key, value in named.options)
