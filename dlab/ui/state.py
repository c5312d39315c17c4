"""The scene of a session, in the keys of its widgets."""

import streamlit as st

from dlab.ui import links, scenes, settings
from dlab.ui.scene import Scene

KEY = "s:"  # prefix of the session keys that hold the scene


def scene() -> Scene:
    """The scene as the widgets hold it."""
    values = {name: st.session_state[KEY + name] for name in settings.table()}
    return Scene({name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def apply(values: dict) -> None:
    """Put a scene into the widgets; before they are drawn, or from a callback."""
    for name, value in values.items():
        st.session_state[KEY + name] = value


def opened(page: str) -> scenes.PreparedScene | None:
    """The prepared scene that is open on this page."""
    scene = scenes.BY_NAME.get(st.session_state[KEY + "scene"])
    return scene if scene and scene.page == page else None


def leave_scene() -> None:
    """A setting that the numbers depend on has moved: the scene is over."""
    session, name = st.session_state, st.session_state[KEY + "scene"]
    if name:
        session["left"] = None
        if links.differs(scene(), scenes.BY_NAME[name]):
            apply({"scene": ""})
            session["left"] = name


def presenting() -> bool:
    """Whether the page is shown to a room."""
    return st.session_state[KEY + "present"]


def folded() -> bool:
    """Whether no controls are drawn: folded away for a room, or all hidden by a lesson."""
    away = presenting() and not st.session_state.get("unfolded")
    return away or set(settings.GROUPS) <= set(st.session_state[KEY + "hide"])


def started() -> bool:
    """Whether the visitor came by a link that says play; true once."""
    values = st.session_state[KEY + "play"]
    st.session_state[KEY + "play"] = False
    return values
