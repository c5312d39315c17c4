"""The prepared scene on its page: what a room guesses before it sees, and the answer, which waits for a key.

What was guessed stays in the session and is no part of the link.
"""

import streamlit as st

from dlab.figures import guess
from dlab.figures.numbers import order
from dlab.ui import frame, state

SLOPES = (0.5, 1.0, 1.5, 2.0)
FIELD = "guess-"  # prefix of the form's session keys; "guesses" holds {scene: {what: guess}} of what is revealed
CHOSEN = "option"  # what an option is a guess of


def stage(page: str):
    """`frame.stage`; a room sees the answer beside a curve instead of controls, since under it there is no space."""
    return st.columns([5, 3], gap="medium") if _aside(page) else frame.stage()


def _aside(page) -> bool:
    # Particles need the whole width.
    return page == "convergence" and state.folded() and bool(state.opened(page)) and not hidden(page)


def hidden(page: str) -> bool:
    """Whether the answer of the scene that is open here is not revealed yet: nothing on the page may give it away."""
    scene = state.opened(page)
    return bool(scene and scene.name not in _revealed())


def waits(page: str) -> bool:
    """Whether the scene that is open asks for a guess first; then its form stands in the picture's place."""
    scene = state.opened(page)
    if not hidden(page) or scene.guess is None:
        return False
    with st.container(border=True, key="guess", horizontal_alignment="center", vertical_alignment="center"):
        st.markdown(scene.asks, width="content")
        for name in scene.guess.schemes:
            st.segmented_control(f"Slope of {name}", SLOPES, format_func=order, key=FIELD + name, width="content")
        if scene.guess.options:
            st.segmented_control(
                "Your guess", scene.guess.options, key=FIELD + CHOSEN, width="content", label_visibility="collapsed",
            )  # fmt: skip
        asked = scene.guess.schemes or (CHOSEN,)
        guesses = {name: st.session_state[FIELD + name] for name in asked}
        with st.container(horizontal=True, horizontal_alignment="center", width="content"):
            st.button(
                "Show", type="primary", key="guess-show", disabled=None in guesses.values(), on_click=_reveal, args=(scene.name, guesses)
            )
            st.button("Show without guessing", key="guess-skip", shortcut="A", on_click=_reveal, args=(scene.name, {}))
    return True


def _revealed() -> dict:
    return st.session_state.setdefault("guesses", {})


def _reveal(name, guesses) -> None:
    _revealed()[name] = guesses


def _again(name) -> None:
    _revealed().pop(name, None)


def guessed(page: str) -> dict[str, float]:
    """The slopes guessed of the scene that is open here, none where none was made."""
    scene = state.opened(page)
    return {k: v for k, v in _revealed().get(scene.name, {}).items() if k != CHOSEN} if scene else {}


def answer(page: str, result: dict, side) -> None:
    """The guess beside what is true, and the scene's answer from these numbers: under the picture, or in the second container of
    the stage where that is its place. Before it is revealed, the button that does so."""
    if (scene := state.opened(page)) is None:
        return
    if hidden(page):
        st.button("Show the answer", type="primary", key="answer-show", shortcut="A", on_click=_reveal, args=(scene.name, {}))
        return
    with side if _aside(page) else st.container(), st.container(key="answer", gap="small"):
        guesses = _revealed()[scene.name]
        if chosen := guesses.get(CHOSEN):
            right = scene.guess.right(result)
            st.markdown(f"**You said {chosen}: {'right.' if chosen == right else f'it is {right}.'}**")
        elif guesses:
            st.markdown(f"**{guess.sentence(result, guesses)}**")
        st.markdown(f"**Answer.** {scene.answer(result)}")
        st.button("Ask again", type="tertiary", key="guess-again", on_click=_again, args=(scene.name,))
