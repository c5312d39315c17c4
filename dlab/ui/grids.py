"""Grids of images side by side as they form, moved inside the browser by a slider or by playing; Python hears nothing of it."""

from functools import cache
from pathlib import Path

import streamlit as st

from dlab import schemes
from dlab.figures.chart import LESS, MORE
from dlab.figures.images import difference_notes, difference_sentence, grid_alt, grid_notes
from dlab.ui import frame


def show(found: dict, key: str) -> None:
    """The grids of a `study.images.grid` answer, and the images of the data nearest to what they end with."""
    notes = grid_notes(found)
    panels = [_panel(name, found, notes[name]) for name in found["frames"]]
    last = list(found["frames"])[-1]
    panels.append({
        "name": "Nearest data", "colour": "", "frames": found["nearest"], "refused": None, "note": f"until the end of {last}",
    })  # fmt: skip
    _draw(found, panels, found["times"], grid_alt(found), key)


def compare(found: dict, key: str) -> None:
    """The images of the finest run, and what those of each scheme have more or less, of an `image_differences` answer."""
    notes = difference_notes(found)
    panels = [{"name": "Finest run", "colour": "", "frames": found["images"], "refused": None, "note": notes[""]}]
    panels += [_panel(name, found, notes[name]) | {"minus": found["images"]} for name in found["frames"]]
    _draw(found, panels, [0.0], difference_sentence(found), key)


def _panel(name, found, note) -> dict:
    colour = getattr(schemes.REGISTRY[name].style, frame.theme())
    return {"name": name, "colour": colour, "frames": found["frames"][name], "refused": found["refused"][name], "note": note}


def _draw(found, panels, times, alt, key) -> None:
    signs = [colours[frame.theme() == "dark"] for colours in (LESS, MORE)]
    data = {"side": found["side"], "count": found["count"], "times": times, "panels": panels, "alt": alt, "signs": signs}
    _component()(key=key, data=data)


@cache
def _component():
    html, css, js = (Path(__file__).with_name(f"grids.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("dlab_grids", html=html, css=css, js=js)
