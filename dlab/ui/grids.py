"""Grids of images side by side as they form, moved inside the browser by a slider or by playing; Python hears nothing of it."""

from functools import cache
from pathlib import Path

import streamlit as st

from dlab import schemes
from dlab.figures.images import grid_alt, grid_notes
from dlab.ui import frame


def show(found: dict, key: str) -> None:
    """The grids of a `study.images.grid` answer, and the images of the data nearest to what they end with."""
    dark, notes = frame.theme() == "dark", grid_notes(found)
    panels = [
        {
            "name": name, "colour": getattr(schemes.REGISTRY[name].style, "dark" if dark else "light"), "frames": packed,
            "refused": found["refused"][name], "note": notes[name],
        }
        for name, packed in found["frames"].items()
    ]  # fmt: skip
    last = list(found["frames"])[-1]
    panels.append({
        "name": "Nearest data", "colour": "", "frames": found["nearest"], "refused": None, "note": f"until the end of {last}",
    })  # fmt: skip
    shared = {name: found[name] for name in ("side", "count", "times")}
    _component()(key=key, data={**shared, "panels": panels, "alt": grid_alt(found)})


@cache
def _component():
    html, css, js = (Path(__file__).with_name(f"grids.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("dlab_grids", html=html, css=css, js=js)
