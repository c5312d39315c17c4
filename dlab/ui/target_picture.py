"""A small picture of the target beside its controls. A worker finds the contours; the page does not wait for them."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from urllib.parse import quote

import streamlit as st

from dlab import engine
from dlab.cache import dumps
from dlab.figures import screen
from dlab.study import Study
from dlab.ui import frame, settings

HEIGHT = 112  # px
LOOK = 0.7  # seconds between two looks whether the contours are there


def draw(scene) -> None:
    """The picture of the scene's target; where its contours are not known yet, its place, which they fill once they are."""
    found = _asked(dumps(settings.target_spec(scene)))
    ink = screen.THEMES[frame.theme()]["text"]
    if found.done():
        st.html(_image(found, ink))
    else:
        st.fragment(_later, run_every=LOOK)(found, ink)


def _later(found, ink) -> None:
    st.html(_image(found, ink) if found.done() else f'<div style="height: {HEIGHT}px"></div>')


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="dlab-outlines")


@lru_cache(maxsize=256)
def _asked(text: str):
    return _threads().submit(_found, text)


def _found(text: str) -> dict:
    """The contours of a target object; BadInput, which is said where the page's own picture would be, gives no picture here."""
    return engine.at_once("outline", Study.from_json({"target": json.loads(text), "schemes": ["EM"], "h": [1.0], "T": 1.0}))


@lru_cache(maxsize=256)
def _image(found, ink: str) -> str:
    """The contours as an image; an empty one where they could not be had."""
    paths = []
    for rings in [] if found.exception() else found.result()["rings"]:
        lines = "".join("M" + "L".join(f"{x:g} {-y:g}" for x, y in ring) + "Z" for ring in rings)
        paths.append(f'<path d="{lines}"/>')
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 2 2" fill="{ink}" fill-opacity="0.13" stroke="{ink}" '
        f'stroke-opacity="0.55" stroke-width="0.015">{"".join(paths)}</svg>'
    )
    return f'<img class="target" alt="Contours of the target" height="{HEIGHT}" src="data:image/svg+xml,{quote(drawn)}">'
