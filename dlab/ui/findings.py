"""The gallery of findings on Home, folded, since it tells what the scenes ask. `python docs/gallery.py` writes what stands in it."""

import html
import json
from base64 import b64encode
from functools import cache
from pathlib import Path

import streamlit as st

from dlab import words
from dlab.ui import menu

FOLDER = Path(__file__).with_name("findings")
FILE = FOLDER / "findings.json"


def draw(dark: bool) -> None:
    """Each finding as a picture, the title, which opens it, and a sentence; sent when somebody opens them."""
    place = st.expander(words.title("home", "findings"), key="findings", on_change="rerun")
    if not place.open:
        return
    with place, st.container(key="grid-findings"):
        for found in told():
            with st.container(border=True, gap=None, key=f"card-found-{found['name']}"):
                st.html(_picture(found["name"], dark))
                menu.query_link("convergence", found["query"], found["title"])
                st.html(f'<p class="finding">{html.escape(found["sentence"])}</p>')


@cache
def told() -> list[dict]:
    """name, title, sentence and query, the address's, of each."""
    return json.loads(FILE.read_text("utf-8"))


@cache
def _picture(name, dark) -> str:
    drawn = b64encode((FOLDER / f"{name}.png").read_bytes()).decode()
    return f'<img alt="" class="drawn{" dark" if dark else ""}" src="data:image/png;base64,{drawn}">'
