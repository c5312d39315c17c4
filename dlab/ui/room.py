"""The room of a lecturer, on the card of a question: its code, how many have voted, then the votes and then the answer."""

import html
import re
import secrets
from functools import cache
from pathlib import Path

import streamlit as st

from dlab.figures.plot import scheme_look
from dlab.params import BadInput
from dlab.room import store
from dlab.room.question import SLOPES, Question, choices, middle, slopes, tally
from dlab.room.store import Asked
from dlab.schemes import REGISTRY
from dlab.ui import frame, share

EVERY = 2.0  # seconds between two counts on the screen
BROWSER = "_streamlit_xsrf"  # Streamlit's cookie, by which a room finds its lecturer after a reload or a restart
OWNER, SEEN, SAID = "room-owner", "room-seen", "room-said"  # session keys: without it; whose votes are shown; what went wrong
SIGNS = {r"\to": "→", "W_2": "W₂", r"\infty": "∞", "-": "−"}  # of formulas, as a phone writes them


def question(scene) -> Question | None:
    """What a room is asked of a scene, in plain text; None where it asks nothing."""
    if (guess := scene.guess) is None:
        return None
    if guess.schemes:
        return slopes(unwritten(scene.asks), *guess.schemes)
    return choices(unwritten(scene.asks), {"": guess.options})


def unwritten(text: str) -> str:
    """A sentence of the lab without its marks of formulas."""

    def formula(found):
        inside = found[1]
        for mark, sign in SIGNS.items():
            inside = inside.replace(mark, sign)
        return inside

    return re.sub(r"\$([^$]*)\$", formula, text)


# ---------------------------------------------------------------- whose room it is


def owner() -> str:
    """What tells this browser from others: the token in Streamlit's cookie, which is masked anew on every page; without it the room is
    this session's."""
    try:
        _, mask, masked, _ = st.context.cookies[BROWSER].split("|")
        mask, masked = bytes.fromhex(mask), bytes.fromhex(masked)
        return bytes(b ^ mask[i % len(mask)] for i, b in enumerate(masked)).hex()
    except (KeyError, ValueError, ZeroDivisionError):
        return st.session_state.setdefault(OWNER, secrets.token_hex(16))


def asked(subject: str | None = None) -> Asked | None:
    """The last question, of a subject where one is given, in the room that is open; None where there is none."""
    try:
        return store.shared().mine(owner(), subject)
    except BadInput:  # it is said when somebody opens one
        return None


def votes(subject: str) -> tuple[Question, list[list]] | None:
    """What the room has answered about a subject; None where it was not asked, or did not answer."""
    found = asked(subject)
    given = found and store.shared().votes(found)
    return (found.question, given) if given else None


def shares(subject: str) -> dict[str, dict[float, float]]:
    """The slopes that the room voted for, {scheme: {slope: share of the votes}}."""
    if (found := votes(subject)) is None:
        return {}
    question, given = found
    return {
        part.label: {SLOPES[text]: count / len(given) for text, count in counted if count}
        for part, counted in zip(question.parts, tally(question, given)) if part.label and part.options == tuple(SLOPES)
    }  # fmt: skip


# ---------------------------------------------------------------- on the card


def button(subject: str, question: Question, key: str = "room-open") -> None:
    """The button that asks the room, and opens it where there is none."""
    st.button(
        "Ask the room" if asked() else "Open a room", key=key, type="tertiary", icon=":material/groups:", on_click=_ask,
        args=(subject, question), help="Phones vote on this question: the screen shows a code and a QR code.",
    )  # fmt: skip
    if said := st.session_state.pop(SAID, ""):
        st.error(frame.plain(said))


def _ask(subject, question) -> None:
    try:
        store.shared().ask(owner(), subject, question)
    except BadInput as error:
        st.session_state[SAID] = str(error)


def stop(found: Asked) -> None:
    """No more votes on a question."""
    _said(store.shared().stop, found)


def _end(found) -> None:
    _said(store.shared().end, found.code)


def _said(do, what) -> None:
    try:
        do(what)
    except BadInput as error:
        st.session_state[SAID] = str(error)


def draw(found: Asked, page: str) -> None:
    """The room: its code and how to get there, beside the count and, once they are shown, the votes."""
    address, warning = share.base(page)
    link = f"{address}/room/{found.code}"
    code = "".join(f"<b>{letter}</b>" for letter in found.code)
    picture = share.qr(link).svg_data_uri(border=2, light="#fff", scale=6)
    with st.container(horizontal=True, key="room", horizontal_alignment="center", vertical_alignment="center", gap="large"):
        st.html(style() + f'<img class="room-qr" alt="QR code of {html.escape(link)}" src="{picture}">', width="content")
        with st.container(width="content", gap="xsmall", horizontal_alignment="center"):
            shown = html.escape(link.partition("://")[2].removesuffix(f"/{found.code}"))
            st.html(f'<div class="room-code"><span>{shown}</span><p aria-label="Code {found.code}">{code}</p></div>', width="content")
            (st.fragment(_count, run_every=EVERY) if found.open else _count)(found)
        if _seen(found):
            (st.fragment(_bars, run_every=EVERY) if found.open else _bars)(found)
    if warning and found.open and not _seen(found):
        st.caption(warning)


def buttons(found: Asked, subject: str, question: Question) -> None:
    """What may be done with the votes; the answer has a button of its own."""
    seen = _seen(found)
    st.button("Hide the votes" if seen else "Show the votes", key="room-votes", on_click=_see, args=(found, not seen))
    if not found.open:
        st.button("Vote again", key="room-again", on_click=_ask, args=(subject, question))


def ending(found: Asked) -> None:
    """The button that ends the room."""
    st.button("Close the room", key="room-end", type="tertiary", on_click=_end, args=(found,), help="It closes by itself after two hours.")


def _seen(found) -> bool:
    return st.session_state.get(SEEN) == (found.code, found.number)


def _see(found, yes) -> None:
    st.session_state[SEEN] = (found.code, found.number) if yes else None


def _count(found) -> None:
    if (count := _read(store.shared().count, found)) is not None:
        more = "" if found.open else ", closed"
        st.html(f'<p class="room-count" role="status"><b>{count}</b> vote{"" if count == 1 else "s"}{more}</p>')


def _bars(found) -> None:
    if (given := _read(store.shared().votes, found)) is not None:
        st.html(bars(found.question, given), width="content")


def _read(what, found):
    """What the file says, or None and a sentence."""
    try:
        return what(found)
    except BadInput as error:
        st.error(frame.plain(error))
        return None


def bars(question: Question, given: list[list], right: str = "") -> str:
    """The votes as bars, HTML; right: the option that is true."""
    tables = []
    for i, (part, counted) in enumerate(zip(question.parts, tally(question, given))):
        most = max((count for _, count in counted), default=0) or 1
        # A scheme has its colour here too.
        colour = f";background:{scheme_look(part.label)['colours'][frame.theme() == 'dark']}" if part.label in REGISTRY else ""
        rows = "".join(
            f'<tr class="{"right" if text == right else ""}"><th scope="row">{html.escape(text)}</th>'
            f'<td><div style="width:{100 * count / most:.0f}%{colour}"></div></td><td>{count}</td></tr>'
            for text, count in counted
        )
        median = middle(part, [answer[i] for answer in given])
        name = html.escape(" ".join(filter(None, (part.label, median and f"median {median}"))))
        tables.append(f"<table>{f'<caption>{name}</caption>' if name else ''}{rows}</table>")
    return f'<div class="room-bars">{"".join(tables)}</div>'


@cache
def style() -> str:
    """The sheet of what is drawn here."""
    return f"<style>{Path(__file__).with_name('room.css').read_text('utf-8')}</style>"
