"""The scene of a session: the values of all settings, and the keys of those whose controls are drawn.

Streamlit forgets the state of a control that is not drawn, and each control costs it time for every key of the session. So
the values are held together, and a setting has a key of its own only while its control is on the page.
"""

from urllib.parse import parse_qs

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dlab.ui import links, scenes, settings
from dlab.ui.scene import Scene

KEY = "s:"  # prefix of the session keys of controls
HELD, DRAWN, PAGE = "scene-values", "scene-controls", "scene-page"


def fresh() -> bool:
    """Whether the session has no scene yet."""
    return HELD not in st.session_state


def begin(page: str) -> None:
    """At the start of a run: take what the controls of the last one say, and forget which they were. On another page they have
    nothing new to say, and Streamlit may have emptied them."""
    session = st.session_state
    if not fresh():
        if session[PAGE] == page:
            scene()
        else:
            for name in session[DRAWN]:
                session.pop(KEY + name, None)
        session[DRAWN].clear()
    session[PAGE] = page


def scene() -> Scene:
    """The scene, with what its controls say now."""
    session = st.session_state
    held = session[HELD]
    for name in session[DRAWN]:
        try:
            value = session[KEY + name]
        except KeyError:  # drawn earlier, and not any more
            continue
        held[name] = tuple(value) if isinstance(value, list) else value
    return Scene(held)


def apply(values: dict) -> None:
    """Put values into the scene; before their controls are drawn, or from a callback."""
    session = st.session_state
    if fresh():
        session[HELD], session[DRAWN] = {}, set()
    for name, value in values.items():
        session[HELD][name] = value
        if KEY + name in session:
            session[KEY + name] = value


def drawn(name: str) -> str:
    """The key of a setting's control, which is about to be drawn."""
    session, key = st.session_state, KEY + name
    if key not in session:
        session[key] = session[HELD][name]
    session[DRAWN].add(name)
    return key


def value(name: str):
    """The value of a setting that has no control."""
    return st.session_state[HELD][name]


def opened(page: str) -> scenes.PreparedScene | None:
    """The prepared scene that is open on this page."""
    scene = scenes.BY_NAME.get(value("scene"))
    return scene if scene and scene.page == page else None


def leave_scene() -> None:
    """A setting that the numbers depend on has moved: the scene is over."""
    session, name = st.session_state, value("scene")
    if name:
        session["left"] = None
        if links.differs(scene(), scenes.BY_NAME[name]):
            apply({"scene": ""})
            session["left"] = name


def presenting() -> bool:
    """Whether the page is shown to a room."""
    return value("present")


def embedded() -> bool:
    """Whether the page stands in the frame of another one: `?embed=1`, which Streamlit keeps out of the settings of an address."""
    context = get_script_run_ctx()
    given = parse_qs(context.query_string if context else "").get("embed", [""])
    return given[-1].lower() in ("1", "true")


def folded() -> bool:
    """Whether no controls are drawn: folded away for a room, or all hidden by a lesson."""
    away = presenting() and not st.session_state.get("unfolded")
    return away or set(settings.GROUPS) <= set(value("hide"))


def started() -> bool:
    """Whether the visitor came by a link that says play; true once."""
    playing = value("play")
    apply({"play": False})
    return playing
