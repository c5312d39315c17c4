"""Controls of schemes and time grids."""

import streamlit as st

from dlab import grid as grids
from dlab import schemes
from dlab.export import sigmas_text, timesteps_text
from dlab.params import BadInput
from dlab.ui import settings, state, studies
from dlab.ui.blocks import draw_one, pairs


def grid(scene, page, off) -> None:
    """The times of a run: equal steps from T to 0, or a schedule's, with its own numbers."""
    with st.expander("Time grid and noise schedule", expanded=settings.uneven(scene)):
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
            with st.popover("Copy for other libraries", help="As sigmas of k-diffusion, and as timesteps of DDPM's linear schedule."):
                st.caption(f"With N = {laid.steps}; the last σ is where the run ends.")
                st.code(f"{sigmas_text(laid)}\n{timesteps_text(laid)}", language="python", wrap_lines=True)


def chosen(scene, page, off, *, name="schemes") -> None:
    """The schemes: the five of the paper and those that were added, and a menu of all others."""
    present = scene[name]
    draw_one(name, off, options=list(dict.fromkeys([*schemes.PAPER, *present])))
    others = [s for s in schemes.REGISTRY if s not in present and s not in schemes.PAPER]

    def add():
        if added := st.session_state.get(f"add-{name}"):
            state.apply({name: (*state.value(name), added)})
            st.session_state[f"add-{name}"] = None

    st.selectbox(
        "Add a sampler", others, index=None, key=f"add-{name}", on_change=add, disabled=off, placeholder="DDPM, DDIM, DPM-Solver++, …",
        format_func=lambda s: f"{s} · {schemes.REGISTRY[s].title} · {schemes.REGISTRY[s].family}",
        help="Samplers that are run in practice, of the reverse SDE or of the probability-flow ODE.",
    )  # fmt: skip
    asked = {**scene, "schemes": present}
    for option in schemes.OPTIONS:
        if settings.table()[option].when(asked):
            draw_one(option, off)
