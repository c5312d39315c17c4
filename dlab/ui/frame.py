"""What every page shares: its look, its question, the picture beside the controls, and the address bar."""

import html
import re
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path

import streamlit as st

from dlab import words
from dlab.figures import keys, screen
from dlab.ui import links, menu, plotly, process, scenes, settings, share, state
from dlab.ui.scene import Scene

CAME = "address-came"  # the session key of an address that a link, Back or an edit has given
INK = {"light": "#000", "dark": "#fff"}  # words in presentation mode
PROJECTOR = 720  # pixels of a projector's height, 1280 x 720
PROJECTED = 470  # of a picture in presentation mode: with menu and title it fills that projector
CHARTED, CHART_TOURED = 440, 355  # of a chart in their place: it stands under key figures
EMBEDDED = 330  # of a picture in another page's frame, which holds 360 at least
TOURED = 430  # the same under the bar of the tour
KEY, KEY_SHOWN = 46, 64  # of the key below a chart, and in presentation mode


def begin(page: str) -> Scene:
    """Open a page: menu, question, one sentence. Returns the scene."""
    process.begin()
    _read_address(page)
    share.keep()
    state.leave_scene()
    values, shown = state.scene(), state.opened(page)
    title, sentence = (shown.question, shown.text) if shown else (words.title(page), words.text(page))
    st.set_page_config(page_title=f"{title} · Convergence lab", layout="wide", initial_sidebar_state="collapsed")
    address = links.write(values, page)
    accent = st.get_option(f"theme.{theme()}.primaryColor") or "currentColor"
    ground = st.get_option(f"theme.{theme()}.backgroundColor") or screen.THEMES[theme()]["ground"]
    st.html(
        _style("frame", ACCENT=accent, GROUND=ground) + (_style("presentation", INK=INK[theme()]) if values["present"] else "")
    )
    if state.embedded():
        st.html(f'{_style("embed")}<h1 class="unseen">{html.escape(title)}</h1>')
        menu.script()
        return values
    menu.draw(page, values)
    _head(page, title, sentence, values)
    said_for, notes = st.session_state.get("notes", (None, ()))
    if said_for == address:  # until a control moves
        _show(notes)
    return values


@cache
def _style(name: str, **colours: str) -> str:
    """A style sheet beside this file with colours in the places of words."""
    sheet = Path(__file__).with_name(name + ".css").read_text("utf-8")
    for word, colour in colours.items():
        sheet = sheet.replace(word, colour)
    return f"<style>{sheet}</style>"


def _head(page, title, sentence, values) -> None:
    """The page's question and one sentence, or the words of the lesson that is open."""
    lesson = links.in_lesson(values)
    if page == "home" and lesson:
        st.caption("A lesson is open. The pages in the menu show it until you open everything or one of these scenes.")
    ours = page == "home" or not (values["title"] or values["question"])
    with st.container(horizontal=True, key="head", vertical_alignment="center") if lesson else nullcontext():
        st.title(title if page == "home" or not values["title"] else plain(values["title"]), anchor=False)
        if lesson:
            st.button(
                "Open everything", icon=":material/lock_open:", key="open-everything", on_click=_open_everything,
                help="Leaves the lesson: shows every control and the page's own words",
            )  # fmt: skip
    if ours and not (values["tour"] and values["present"]):  # there the tour's words stand in its place
        st.markdown(sentence)
    elif values["question"]:
        with st.container(key="question"):
            st.markdown(plain(values["question"]))
    left = scenes.BY_NAME.get(st.session_state.get("left"))
    if left and left.page == page:
        with st.container(horizontal=True, key="left", vertical_alignment="center", gap="small"):
            st.caption(f"A setting was changed, so the scene “{left.question}” is closed.", width="content")
            menu.scene_link(left, "Open it again", width="content")


def _open_everything() -> None:
    state.apply({name: settings.table()[name].initial for name in settings.LESSON})
    share.forget()


def stage():
    """Two containers, the picture's and the controls'; the picture's is wide where the controls are folded away."""
    if state.folded():
        return st.container(), st.container()
    picture, side = st.columns([3, 1], gap="medium")
    return picture, side.container(key="controls")


def projected(height: int) -> int:
    """The height of a picture in presentation mode: what menu, title and the tour's bar leave of a projector."""
    return TOURED if state.value("tour") else max(height, PROJECTED)


def drawn(height: int) -> dict:
    """How a chart of this height is drawn here: arguments of `screen.spec`."""
    shown = state.presenting()
    if state.embedded():
        height = state.value("tall") or EMBEDDED
    elif shown:
        height = CHART_TOURED if state.value("tour") else max(height, CHARTED)
    return {"theme": theme(), "presentation": shown, "height": height}


def chart(
    figure, height: int, key: str, place=None, bar: bool = True, *, alt: str = "", title: bool = False, picked=None, key_below: bool = False
) -> None:
    """Draw a chart or a map as wide as its place, with its alternative text; bar: whether it has buttons of its own; title:
    whether it stands above a chart; picked: see `plotly.show`; key_below: its key stands outside of it, where room is left for one."""
    config = screen.CONFIG if bar else screen.CONFIG | {"displayModeBar": False}
    look = drawn(height)
    entries = figure.keys if key_below else ()
    if key_below:
        look["height"] -= KEY_SHOWN if look["presentation"] else KEY
        figure = replace(figure, keys=())
    plotly.show(screen.spec(figure, **look, title=title), look["height"], config, key, alt or figure.alt, place, picked)
    if entries:
        (place or st).html(keys.to_html(entries, list(screen.THEMES).index(look["theme"])))


def end(page: str) -> None:
    """Close a page: the address bar describes the scene."""
    values = note_address(page)
    if not links.complete(values):
        st.caption("The data are too long for a link, so the address leaves them out. Download the study to share this scene.")


def note_address(page: str) -> Scene:
    """Write the scene, which is returned, into the address bar where that says something else."""
    values = state.scene()
    address = links.write(values, page)
    # A link to the page that is open already does not reach the browser's address bar by itself.
    if st.query_params.to_dict() != address or st.session_state.pop(CAME, False):
        st.query_params.from_dict(address)
    st.session_state["address"] = address
    return values


def _read_address(page) -> None:
    """Take the scene from the address where a visitor changed it: a link, Back, an edit by hand."""
    session, fresh = st.session_state, state.fresh()
    state.begin(page)
    if "adopt" in session:
        state.apply(session.pop("adopt"))
        session["notes"] = links.write(state.scene(), page), session.pop("adopt-notes", [])
    query = st.query_params.to_dict()
    if (named := links.short(query)) and named != page:
        st.switch_page(menu.page_of(named), query_params=query)
    if fresh or (query and query != session.get("address")):
        repeated = tuple(k for k in query if len(st.query_params.get_all(k)) > 1)
        values, notes = links.read(query, repeated)
        session[CAME] = not fresh
        share.forget()
        if not fresh:  # the address carries the settings of its own page alone
            values |= {k: v for k, v in state.scene().items() if k not in query and not settings.table()[k].reads(page)}
        if not fresh and not links.complete(state.scene()):
            # The address could not carry the visitor's data: this session still holds them.
            kept = () if "rows" in query else ("csv",) if "target" in query else ("csv", "spec")
            values |= {k: state.value(k) for k in kept}
        state.apply(values)
        session["address"] = links.write(values, page)
        session["notes"] = session["address"], notes


def _show(notes) -> None:
    if notes:
        with st.container(key="notes"):
            st.warning(plain(notes[0]))
            if len(notes) > 1:
                with st.expander(f"{len(notes) - 1} more notes on this link"):
                    st.markdown("\n".join(f"- {plain(note)}" for note in notes[1:]))


def plain(text: str) -> str:
    """Text that somebody typed, safe where markdown is rendered: nothing in it becomes a link or an image."""
    # Streamlit makes links, icons and arrows of bare addresses, :names: and -> even where they are escaped; a word
    # joiner, which nobody sees, keeps them text.
    parted = re.sub(r"(?<=/)(?=/)|(?i:(?<=ww)(?=w))|(?<=@)|(?<=:)(?=\w)|(?<=[<>~=-])(?=[<>~=-])", "\u2060", str(text))
    return re.sub(r"([\\`*_{}\[\]()#+\-.!<>|~:$&])", r"\\\1", parted)


def theme() -> str:
    """ "light" or "dark", as the visitor sees it."""
    return st.context.theme.type or "light"
