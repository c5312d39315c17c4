"""The prepared scene on its page: the viewer's guess before the curve appears, and the answer under the picture.

What was guessed stays in the session and is no part of the link.
"""

import streamlit as st

from dlab.figures import guess
from dlab.figures.numbers import order
from dlab.ui import frame, state

SLOPES = (0.5, 1.0, 1.5, 2.0)
FIELD = "guess-"  # prefix of the form's session keys; "guesses" holds {scene: {scheme: slope}} of what is revealed


def stage(page: str):
    """`frame.stage`; a room sees the answer beside a curve instead of controls, since under it there is no space."""
    return st.columns([5, 3], gap="medium") if _aside(page) else frame.stage()


def _aside(page) -> bool:
    # Particles need the whole width.
    return page == "convergence" and state.folded() and bool(state.opened(page)) and not _pending(page)


def _pending(page) -> bool:
    scene = state.opened(page)
    return bool(scene and scene.asked and scene.name not in _revealed())


def waits(page: str) -> bool:
    """Whether the scene that is open asks for a guess first; then its form stands in the curve's place."""
    if not _pending(page):
        return False
    scene = state.opened(page)
    with st.container(border=True, key="guess", horizontal_alignment="center", vertical_alignment="center"):
        st.markdown("**Before the curve appears:** which slope will it have, with both axes logarithmic?", width="content")
        for name in scene.asked:
            st.segmented_control(f"Slope of {name}", SLOPES, format_func=order, key=FIELD + name, width="content")
        guesses = {name: st.session_state[FIELD + name] for name in scene.asked}
        st.caption("Slope 1: the error halves with $h$. Slope 2: it falls to a quarter.", width="content")
        with st.container(horizontal=True, horizontal_alignment="center", width="content"):
            st.button(
                "Show the curve", type="primary", key="guess-show", disabled=None in guesses.values(),
                on_click=_reveal, args=(scene.name, guesses),
            )  # fmt: skip
            st.button("Show without guessing", key="guess-skip", on_click=_reveal, args=(scene.name, {}))
    return True


def hidden(page: str) -> bool:
    """Whether nothing on the page may give the answer of its scene away yet."""
    return _pending(page)


def _revealed() -> dict:
    return st.session_state.setdefault("guesses", {})


def _reveal(name, guesses) -> None:
    _revealed()[name] = guesses


def _again(name) -> None:
    _revealed().pop(name, None)


def guessed(page: str) -> dict[str, float]:
    """The guesses of the scene that is open here, none where none was made."""
    scene = state.opened(page)
    return _revealed().get(scene.name, {}) if scene and scene.asked else {}


def with_guesses(page: str, figure, result: dict, x: str):
    """The figure with the guessed lines."""
    return guess.drawn(figure, result, x, guessed(page))


def answer(page: str, result: dict, side) -> None:
    """The guess beside what was measured, and the scene's answer from these numbers: under the picture, or in the
    second container of the stage where that is its place."""
    if (scene := state.opened(page)) is None:
        return
    with side if _aside(page) else st.container(), st.container(key="answer", gap="small"):
        guesses = guessed(page)
        if guesses:
            st.markdown(f"**{guess.sentence(result, guesses)}**")
        st.markdown(f"**Answer.** {scene.answer(result)}")
        if guesses:
            st.button("Guess again", type="tertiary", key="guess-again", on_click=_again, args=(scene.name,))
