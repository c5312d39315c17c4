"""The particle player: a movie's bytes become a picture that plays, pauses and scrubs inside the browser."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from dlab.figures.movie import packet


def player(
    movie_bytes: bytes,
    *,
    key: str,
    height: int = 480,
    autoplay: bool = False,
    presentation: bool = False,
    alt: str = "",
) -> None:
    """Show a movie made by `dlab.figures.movie.encode`.

    key: unique on the page. With the same key, a rerun that brings the same movie keeps the visitor's place and one
    that brings another movie starts anew. height: pixels of the whole player on a wide screen, from 240; on a phone
    it grows with its content. autoplay: start at once, unless the visitor's system asks for reduced motion.
    presentation: larger type, lines and particles for a projector. alt: what the picture shows, for those who
    cannot see it. Nothing is sent back to Python. Raises ValueError for bytes or a height that do not fit.
    """
    if movie_bytes[:4] != b"DLM1":
        raise ValueError(
            f"player got bytes that begin with {movie_bytes[:4]!r}; expected a movie, b'DLM1'; "
            "pass what dlab.figures.movie.encode returns"
        )
    if height < 240:
        raise ValueError(f"player got height {height}; expected at least 240 pixels; the controls alone need 120")
    # A component takes bytes or JSON, never bytes inside a dict: the options travel in front of the movie.
    data = packet(movie_bytes, height=height, autoplay=autoplay, presentation=presentation, alt=alt)
    _component()(key=key, data=data)


@cache
def _component():
    html, css, js = (Path(__file__).with_name(f"player.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("dlab_player", html=html, css=css, js=js)
