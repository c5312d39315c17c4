"""The prepared scene on its page: what a room guesses before it sees, and the answer, which waits for a key. A lecturer's own question,
which stands in the link, waits before a picture in the same way.

What was guessed stays in the session and is no part of the link; what a room voted stays with the room.
"""

from dataclasses import dataclass

import streamlit as st

from dlab.figures import guess
from dlab.figures.numbers import order
from dlab.room.homework import read
from dlab.room.question import SLOPES, Question, parse
from dlab.ui import frame, homework, room, scenes, state

FIELD = "guess-"  # prefix of the form's session keys; "guesses" holds {scene: {what: guess}} of what is revealed
ANSWERED = 380  # px of a projected picture under its answer: with both it fills the projector
CHOSEN = "option"  # what an option or a number is a guess of


@dataclass(frozen=True)
class Own:
    """A lecturer's own question, in the line that the link carries; the lab does not know its answer."""

    line: str

    @property
    def name(self) -> str:
        return f"ask: {self.line}"

    @property
    def asked(self) -> Question:
        return parse(self.line)

    @property
    def asks(self) -> str:
        return frame.plain(self.asked.text)

    @property
    def guess(self) -> scenes.Guess:
        (part,) = self.asked.parts
        return scenes.Guess(options=part.options, number=None if part.options else part)

    def answer(self, result) -> str:
        return ""


def _open(page: str) -> scenes.PreparedScene | Own | None:
    """What is asked on this page."""
    return Own(line) if (line := state.value("ask")) else state.opened(page)


def stage(page: str):
    """`frame.stage`; a room sees the answer beside a curve instead of controls, since under it there is no space."""
    return st.columns([5, 3], gap="medium") if _aside(page) else frame.stage()


def _told(page) -> bool:
    """Whether a room sees an answer: it has to stand where no lecturer must scroll for it."""
    return state.folded() and bool(_open(page)) and not hidden(page)


def _aside(page) -> bool:
    return page == "convergence" and _told(page)


def above(page: str) -> bool:
    """Whether the answer stands above the picture, in the place of its sentence: particles need the whole width."""
    return page == "particles" and _told(page)


def projected(page: str) -> int:
    """px of a picture's height in presentation mode."""
    return ANSWERED if above(page) else frame.projected(0)


def hidden(page: str) -> bool:
    """Whether the answer of what is asked here is not revealed yet: nothing on the page may give it away."""
    scene = _open(page)
    return bool(scene and scene.name not in _revealed())


def waits(page: str) -> bool:
    """Whether a guess is asked for first; then its form, or the room that votes, stands in the picture's place."""
    scene = _open(page)
    if not hidden(page) or scene.guess is None:
        return False
    asked, question = room.asked(scene.name), scene.asked if isinstance(scene, Own) else room.question(scene)
    with st.container(border=True, key="guess", horizontal_alignment="center", vertical_alignment="center"):
        st.markdown(scene.asks, width="content")
        if asked:
            room.draw(asked, page)
        else:
            guesses = _form(scene.guess)
        with st.container(horizontal=True, horizontal_alignment="center", width="content"):
            if asked:
                room.buttons(asked, scene.name, question)
                st.button("Show the answer", type="primary", key="guess-skip", shortcut="A", on_click=_reveal, args=(scene.name, {}, asked))
                room.ending(asked)
            else:
                st.button(
                    "Show", type="primary", key="guess-show", disabled=None in guesses.values(), on_click=_reveal,
                    args=(scene.name, guesses),
                )  # fmt: skip
                st.button("Show without guessing", key="guess-skip", shortcut="A", on_click=_reveal, args=(scene.name, {}))
                room.button(scene.name, question)
    return True


def _form(asked: scenes.Guess) -> dict:
    """The controls of a visitor's own guess, and what they say: None where nothing is chosen yet."""
    for name in asked.schemes:
        st.segmented_control(f"Slope of {name}", list(SLOPES.values()), format_func=order, key=FIELD + name, width="content")
    if asked.options:
        st.segmented_control(
            "Your guess", asked.options, key=FIELD + CHOSEN, format_func=frame.plain, width="content", label_visibility="collapsed"
        )
    if part := asked.number:
        middle = part.read((part.low + part.high) / 2)
        st.slider("Your guess", part.low, part.high, middle, part.step, format="%g", key=FIELD + CHOSEN, width=400)
    return {name: st.session_state[FIELD + name] for name in asked.schemes or (CHOSEN,)}


def _revealed() -> dict:
    return st.session_state.setdefault("guesses", {})


def _reveal(name, guesses, asked=None) -> None:
    _revealed()[name] = guesses
    if asked:
        room.stop(asked)


def _again(name) -> None:
    _revealed().pop(name, None)


def guessed(page: str) -> dict[str, dict[float, float | None]]:
    """The slopes guessed of the scene that is open here, {scheme: {slope: None}}, or else what the room voted, {scheme: {slope: share}};
    empty where there is neither."""
    scene = state.opened(page)
    if not scene or scene != _open(page):
        return {}
    mine = {k: {v: None} for k, v in _revealed().get(scene.name, {}).items() if k != CHOSEN}
    return mine or (room.shares(scene.name) if scene.guess and scene.guess.schemes and not hidden(page) else {})


def answer(page: str, result: dict, side) -> None:
    """The guess beside what is true, and the scene's answer from these numbers: under the picture, or in the second container of
    the stage where that is its place, or where it is called. Before it is revealed, the button that does so."""
    if task := state.value("homework"):
        homework.draw(read(task))
    if (scene := _open(page)) is None:
        return
    if hidden(page):
        st.button("Show the answer", type="primary", key="answer-show", shortcut="A", on_click=_reveal, args=(scene.name, {}))
        return
    wide = above(page)  # and then as low as it can be
    with (
        side if _aside(page) else st.container(),
        st.container(key="answer", gap="medium" if wide else "small", horizontal=wide, vertical_alignment="center"),
    ):
        guesses = _revealed()[scene.name]
        right = scene.guess.right(result) if scene.guess and scene.guess.right else ""
        if (chosen := guesses.get(CHOSEN)) is not None:
            verdict = f": {'that is right.' if chosen == right else f'the answer is {right}.'}" if right else "."
            st.markdown(f"**You said {frame.plain(_said(chosen))}{verdict}**", width=180 if wide else "stretch")
        elif guesses:
            st.markdown(f"**{guess.sentence(result, guesses)}**")
        elif scene.guess and (voted := room.votes(scene.name)):
            st.html(room.style() + room.bars(*voted, right))
        if said := scene.answer(result):
            st.markdown(f"**Answer.** {said}")
        with st.container(horizontal=True):
            st.button("Ask again", type="tertiary", key="guess-again", on_click=_again, args=(scene.name,))
            if asked := room.asked(scene.name):
                room.ending(asked)


def _said(chosen) -> str:
    return chosen if isinstance(chosen, str) else f"{chosen:g}"
