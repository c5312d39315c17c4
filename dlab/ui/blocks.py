"""What every block of controls is made with: single settings, pairs of them, and the groups that a lesson hides or fixes."""

import functools
from collections.abc import Callable

import streamlit as st

from dlab.ui import settings, state


def grouped(group: str, block: Callable) -> Callable:
    @functools.wraps(block)
    def drawn(scene, page, **more):
        if not state.folded() and group not in scene["hide"]:
            return block(scene, page, group in scene["fix"], **more)

    return drawn


def draw_one(name, off, place=st, **more):
    return settings.table()[name].draw(place, state.drawn(name), state.value(name), off, **more)


def unfolded(title: str, key: str, expanded: bool = False):
    """A folded part of the controls: the place for what is in it, or None while nobody has opened it."""
    box = st.expander(title, expanded=expanded, key=f"fold-{key}", on_change="rerun")
    return box if box.open else None


def pairs(names, off) -> None:
    """Settings, two side by side."""
    for i in range(0, len(names), 2):
        with st.container(horizontal=True, gap="medium"):  # one message, where two columns are three
            for name in names[i : i + 2]:
                draw_one(name, off)
