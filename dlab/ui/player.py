"""The particle player: a movie's bytes become a picture that plays, pauses and scrubs inside the browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

from dlab.figures.movie import MAGIC, packet


def player(
    movie_bytes: bytes,
    *,
    key: str,
    height: int = 480,
    above: int | None = None,
    autoplay: bool = False,
    presentation: bool = False,
    alt: str = "",
    waiting: str = "",
    live: bool = True,
    asked: tuple[float | None, int] = (None, 0),
    sizes: tuple[float, ...] = (),
    chosen: Callable[[float], None] | None = None,
) -> None:
    """Show a movie made by `dlab.figures.movie.encode`.

    key: unique on the page. With the same key, a rerun that brings a movie of the same scene keeps the visitor's place,
    and one that brings another scene starts anew. height: pixels of the whole player on a wide screen, from 240; on a
    phone it grows with its content. above: pixels of the window that the rest of the page needs: where more than `height` is
    left, the player takes it. autoplay: start at once, unless the visitor's system asks for reduced motion.
    presentation: larger type, lines and particles for a projector. alt: what the picture shows, for those who
    cannot see it. waiting: what is still being computed, in a few words. live: whether there is a slider of step sizes at all.
    asked: the step size that the page asks for, None for the movie's own, and a number that tells this request from others; while
    both stay the same, what the visitor chose in the player stands. sizes: step sizes that the page can compute beside those of
    the movie. chosen: called with the step size that the visitor has come to rest on, the only thing that Python hears.
    The same arguments make the same bytes, which Streamlit does not send twice.
    Raises ValueError for bytes or a height that do not fit.
    """
    if movie_bytes[:4] != MAGIC:
        raise ValueError(
            f"player got bytes that begin with {movie_bytes[:4]!r}; expected a movie, {MAGIC!r}; "
            "pass what dlab.figures.movie.encode returns"
        )
    if height < 240:
        raise ValueError(f"player got height {height}; expected at least 240 pixels; the controls alone need 120")
    # A component takes bytes or JSON, never bytes inside a dict: the options travel in front of the movie.
    data = packet(
        movie_bytes, height=height, above=above, autoplay=autoplay, presentation=presentation, alt=alt, waiting=waiting,
        live=live, asked=asked, sizes=sizes,
    )  # fmt: skip

    def heard():
        size = st.session_state[key].h
        if chosen and type(size) in (int, float):  # a browser may send anything
            chosen(float(size))

    component("player")(key=key, data=data, on_h_change=heard)


@cache
def component(name: str):
    """A component of the files of that name beside this one, behind the drawing that all of them share."""
    html, css, js = (Path(__file__).with_name(f"{name}.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component(f"dlab_{name}", html=html, css=css, js=scripts() + js)


def scripts() -> str:
    """What stands before a component's own script."""
    return Path(__file__).with_name("clouds.js").read_text("utf-8")
