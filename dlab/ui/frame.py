"""What every page shares: the process's settings, the menu, the scene and the address bar."""

import atexit
import gc
import logging
import re
import threading

import streamlit as st

from dlab import jobs
from dlab.ui import links, share

PAGES = {
    "home": ("app.py", "Home"),
    "particles": ("pages/particles.py", "Particles"),
    "convergence": ("pages/convergence.py", "Convergence"),
}
INK = {"light": "#000", "dark": "#fff"}  # words in presentation mode
STATE = "s:"  # prefix of the session keys that hold the scene
COLLECT = 5.0  # seconds between two garbage collections of the process
PROJECTED = 470  # pixels of a picture in presentation mode: with menu and title it fills a projector of 1280 x 720

# ACCENT is the theme's colour of what can be acted on.
STYLE = """
<style>
  .stMainBlockContainer { padding-top: 1.2rem; padding-bottom: 2rem; max-width: 100rem; }
  /* Streamlit's header lies over our menu: only its own buttons may catch a click. */
  .stAppHeader, .stAppHeader * { background: transparent; pointer-events: none; }
  .stAppHeader button, .stAppHeader button * { pointer-events: auto; }
  h1 { font-size: 1.7rem !important; padding: 0.2rem 0 0 0 !important; }
  .st-key-menu { border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); padding-bottom: 0.3rem; }
  .st-key-question p { font-size: 1.2rem; }
  .stMainBlockContainer :is(h1, .st-key-question) { overflow-wrap: anywhere; }
  .st-key-sharing { width: min(24rem, 84vw); }
  img.qr { display: block; width: min(19rem, 100%); margin: 0 auto; border-radius: 6px; image-rendering: pixelated; }
  .stMainBlockContainer h3 { font-size: 1.15rem; padding: 0; }
  [class*="st-key-here-"] a { border-bottom: 2px solid ACCENT; border-radius: 0; }
  [data-testid="stCaptionContainer"] { color: color-mix(in srgb, currentColor 80%, transparent); opacity: 1; }
  .stApp button[kind="tertiary"]:is(:hover, :focus, :active) { color: ACCENT; }
  /* Streamlit hardly shows the keyboard's focus on these. */
  .stApp :is(a, main, [role="combobox"]):focus-visible { outline: 2px solid ACCENT !important; outline-offset: -2px; }
  .st-key-formulas .katex { font-size: 1.1em; line-height: 1.6; }
  .st-key-stale { opacity: 0.4; filter: grayscale(1); }
  .st-key-controls [data-testid="stVerticalBlock"] { gap: 0.5rem; }
  @media (max-width: 640px) {
    .st-key-menu { gap: 0.2rem; padding-right: 2rem; }
    .st-key-menu > :first-child, .st-key-menu > :has(> .stSpace), .st-key-present { display: none; }
    .st-key-share button p { font-size: 0; }
    .stMainBlockContainer { padding-left: 0.8rem; padding-right: 0.8rem; }
  }
</style>
"""
# Everything is sized in rem: one number makes the page larger. INK is black or white.
PRESENTATION = """
<style>
  html { font-size: 20px !important; }
  .stMainBlockContainer { padding: 0.6rem 2.5rem 2rem; }
  .st-key-menu { gap: 0.4rem; padding-right: 1.2rem; }
  .stMainBlockContainer > [data-testid="stVerticalBlock"] { gap: 0.4rem; }
  .stMainBlockContainer :is(h1, h2, h3, p, li, label, [data-testid="stCaptionContainer"]) { color: INK !important; }
  .stMainBlockContainer [data-testid="stCaptionContainer"] { opacity: 1; }
  .stMainBlockContainer :is(button[kind="primary"], a) p { color: inherit !important; }
</style>
"""


@st.cache_resource
def _process() -> bool:
    """Once per process: keep compiled code, compile the first scenes, collect garbage off the reruns.

    Streamlit would collect after every rerun while it holds the GIL; .streamlit/config.toml turns that
    off, so this thread does it for all sessions together.
    """
    jobs.keep_compiled()

    stop = threading.Event()

    def work():
        from dlab.ui import warm

        try:
            warm.up(stop)
        except Exception:
            # Compiled late is better than garbage never collected; a process that ends may break its compiler.
            if not stop.is_set():
                logging.getLogger(__name__).exception("the warm-up failed")
        gc.collect()
        gc.freeze()
        while not stop.wait(COLLECT):
            gc.collect()

    thread = threading.Thread(target=work, daemon=True, name="dlab-housekeeping")
    thread.start()

    def finish():
        # The interpreter cannot shut down under a thread that compiles.
        stop.set()
        thread.join(timeout=30)

    atexit.register(finish)
    return True


def begin(page: str, title: str, sentence: str) -> dict:
    """Open a page: menu, question, one sentence. Returns the scene."""
    st.set_page_config(page_title=f"{title} · Convergence lab", layout="wide", initial_sidebar_state="collapsed")
    _process()
    _read_address()
    share.keep()
    values = scene()
    address = links.write(values)
    style = STYLE + PRESENTATION if values["present"] else STYLE
    st.html(style.replace("ACCENT", st.get_option(f"theme.{theme()}.primaryColor")).replace("INK", INK[theme()]))
    with st.container(horizontal=True, key="menu", vertical_alignment="center", gap="medium"):
        st.markdown("**Convergence lab**", width="content")
        for name, (path, label) in PAGES.items():
            with st.container(key=f"here-{name}" if name == page else None, width="content"):
                st.page_link(path, label=label, query_params=address)
        st.space("stretch")
        _modes(page, values)
        with st.container(key="sharer", width="content"):
            share.popover(page, values)
    _head(page, title, sentence, values)
    said_for, notes = st.session_state.get("notes", (None, ()))
    if said_for == address:  # until a control moves
        _show(notes)
    return values


def _modes(page, values) -> None:
    """The buttons of presentation mode."""
    if values["present"] and page != "home":
        away = not st.session_state.get("unfolded")
        st.button(
            "Show controls" if away else "Hide controls", icon=":material/tune:", type="tertiary", key="fold",
            on_click=st.session_state.update, args=({"unfolded": away},),
            help="Beside the picture" if away else "The picture takes the whole width",
        )  # fmt: skip
    # The label stays, so that the button that F presses is one and the same.
    st.button(
        "Present", icon=":material/close_fullscreen:" if values["present"] else ":material/open_in_full:",
        type="tertiary", key="present", shortcut="F", on_click=_present,
        help="Leave presentation mode" if values["present"] else "Larger type and lines, controls folded away",
    )  # fmt: skip


def _present() -> None:
    adopt({"present": not presenting()})
    st.session_state.pop("unfolded", None)


def _head(page, title, sentence, values) -> None:
    """The page's question and one sentence, or the words of the lesson that is open."""
    lesson = links.in_lesson(values)
    if page == "home" and lesson:
        st.caption("A lesson is open: the pages in the menu show it until you open everything or one of these scenes.")
    ours = page == "home" or not (values["title"] or values["question"])
    with st.container(horizontal=True, key="head", vertical_alignment="center"):
        st.title(title if page == "home" or not values["title"] else plain(values["title"]), anchor=False)
        if lesson:
            st.button(
                "Open everything", icon=":material/lock_open:", key="open-everything", on_click=_open_everything,
                help="Leaves the lesson: every control, and the page's own words",
            )  # fmt: skip
    if ours:
        st.markdown(sentence)
    elif values["question"]:
        with st.container(key="question"):
            st.markdown(plain(values["question"]))


def _open_everything() -> None:
    adopt(links.LESSON)
    share.forget()


def presenting() -> bool:
    """Whether the page is shown to a room."""
    return st.session_state[STATE + "present"]


def folded() -> bool:
    """Whether no controls are drawn: folded away for a room, or all hidden by a lesson."""
    away = presenting() and not st.session_state.get("unfolded")
    return away or set(links.GROUPS) <= set(st.session_state[STATE + "hide"])


def stage():
    """Two containers, the picture's and the controls'; the picture's is wide where the controls are folded away."""
    if folded():
        return st.container(), st.container()
    picture, side = st.columns([3, 1], gap="medium")
    return picture, side.container(key="controls")


def drawn(height: int) -> dict:
    """How a chart of this height is drawn here: arguments of `screen.to_plotly` and `screen.to_heatmap`."""
    shown = presenting()
    return {"theme": theme(), "presentation": shown, "height": max(height, PROJECTED) if shown else height}


def scene() -> dict:
    """The scene as the widgets hold it."""
    values = {name: st.session_state[STATE + name] for name in links.DEFAULTS}
    return values | {name: tuple(values[name]) for name in ("schemes", "panels", "h", "window", "hide", "fix")}


def adopt(values: dict) -> None:
    """Put a scene into the widgets; before they are drawn, or from a callback."""
    for name, value in values.items():
        st.session_state[STATE + name] = value


def end(page: str) -> None:
    """Close a page: the address bar describes the scene."""
    values = scene()
    address = links.write(values)
    if st.query_params.to_dict() != address:
        st.query_params.from_dict(address)
    st.session_state["address"] = address
    if not links.complete(values):
        st.caption(
            "The data are too long for a link: the address leaves them out. Download the study to share this scene."
        )


def _read_address() -> None:
    """Take the scene from the address where a visitor changed it: a link, Back, an edit by hand."""
    session = st.session_state
    if "adopt" in session:
        adopt(session.pop("adopt"))
        session["notes"] = links.write(scene()), session.pop("adopt-notes", [])
    query = st.query_params.to_dict()
    fresh = STATE + "target" not in session
    if fresh or (query and query != session.get("address")):
        repeated = tuple(k for k in query if len(st.query_params.get_all(k)) > 1)
        values, notes = links.read(query, repeated)
        share.forget()
        if not fresh and not links.complete(scene()):
            # The address could not carry the visitor's data: this session still holds them.
            kept = () if "rows" in query else ("csv",) if "target" in query else ("csv", "spec")
            values |= {k: session[STATE + k] for k in kept}
        adopt(values)
        session["address"] = links.write(values)
        session["notes"] = session["address"], notes
        return
    # Widgets of other pages would be forgotten otherwise: Streamlit drops the state of what is not drawn.
    for name in links.DEFAULTS:
        session[STATE + name] = session[STATE + name]


def _show(notes) -> None:
    if notes:
        with st.container(key="notes"):
            st.warning(plain(notes[0]))
            if len(notes) > 1:
                with st.expander(f"{len(notes) - 1} more about this link"):
                    st.markdown("\n".join(f"- {plain(note)}" for note in notes[1:]))


def plain(text: str) -> str:
    """Text that somebody typed, safe where markdown is rendered: nothing in it becomes a link or an image."""
    # Streamlit makes links, icons and arrows of bare addresses, :names: and -> even where they are escaped; a word
    # joiner, which nobody sees, keeps them text.
    parted = re.sub(r"(?<=/)(?=/)|(?i:(?<=ww)(?=w))|(?<=@)|(?<=:)(?=\w)|(?<=[<>~=-])(?=[<>~=-])", "\u2060", str(text))
    return re.sub(r"([\\`*_{}\[\]()#+\-.!<>|~:$&])", r"\\\1", parted)


def started() -> bool:
    """Whether the visitor came by a link that says play; true once."""
    values = st.session_state[STATE + "play"]
    st.session_state[STATE + "play"] = False
    return values


def theme() -> str:
    """ "light" or "dark", as the visitor sees it."""
    return st.context.theme.type or "light"
