"""What every page shares: the process's settings, the menu, the scene and the address bar."""

import atexit
import gc
import logging
import re
import threading

import streamlit as st

from dlab import jobs
from dlab.ui import links, scenes, share, tour

PAGES = {
    "home": ("app.py", "Home"),
    "particles": ("pages/particles.py", "Particles"),
    "convergence": ("pages/convergence.py", "Convergence"),
}
INK = {"light": "#000", "dark": "#fff"}  # words in presentation mode
STATE = "s:"  # prefix of the session keys that hold the scene
COLLECT = 5.0  # seconds between two garbage collections of the process
PROJECTED = 470  # pixels of a picture in presentation mode: with menu and title it fills a projector of 1280 x 720
TOURED = 430  # the same under the bar of the tour

# Streamlit gives its own parts the accent colour and the page none.
STYLE = """
<style>
  :root { --st-primary-color: ACCENT; }
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
  [class*="st-key-here-"] a { border-bottom: 2px solid var(--st-primary-color); border-radius: 0; }
  .st-key-keys { display: none; }
  .st-key-grid { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.8rem; }
  .st-key-grid > * { height: 100%; }
  .st-key-grid a, .st-key-grid a * { white-space: normal; overflow: visible; }
  .st-key-grid a { padding: 0; background: none; }
  .st-key-grid a p { font-size: 1.05rem; line-height: 1.35; color: var(--st-primary-color) !important; }
  .st-key-grid a:hover p { text-decoration: underline; }
  .st-key-scene-list a { background: none; }
  .st-key-scene-list a * { font-weight: 400; }
  .st-key-scene-list a strong { font-weight: 700; }
  .st-key-guess { min-height: 30rem; text-align: center; }
  .st-key-answer {
    padding: 0.7rem 1rem; border-radius: 6px; background: color-mix(in srgb, currentColor 5%, transparent);
  }
  .st-key-tour {
    padding: 0.5rem 0.9rem; border-left: 4px solid var(--st-primary-color); border-radius: 4px;
    background: color-mix(in srgb, var(--st-primary-color) 8%, transparent); flex-wrap: nowrap;
  }
  .st-key-tour-words { flex: 1 1 0; min-width: 0; }
  .st-key-tour-buttons { flex: none; flex-wrap: nowrap; gap: 0.5rem; }
  .st-key-left { row-gap: 0; }
  .st-key-stale { opacity: 0.4; filter: grayscale(1); }
  .st-key-controls [data-testid="stVerticalBlock"] { gap: 0.5rem; }
  @media (max-width: 1000px) { .st-key-grid { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
  @media (max-width: 640px) {
    .st-key-grid { grid-template-columns: 1fr; }
    .st-key-menu { gap: 0.2rem; padding-right: 2rem; }
    .st-key-menu > :first-child, .st-key-menu > :has(> .stSpace), .st-key-present { display: none; }
    :is(.st-key-share, .st-key-scenes) button p { font-size: 0; }
    .st-key-tour { flex-wrap: wrap; }
    .st-key-tour-words { flex-basis: 100%; }
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
    _process()
    _read_address(page)
    share.keep()
    _leave_scene()
    values = scene()
    if shown := opened(page):
        title, sentence = shown.question, shown.text
    st.set_page_config(page_title=f"{title} · Convergence lab", layout="wide", initial_sidebar_state="collapsed")
    address = links.write(values)
    accent = st.get_option(f"theme.{theme()}.primaryColor") or "currentColor"
    st.html(STYLE.replace("ACCENT", accent) + (PRESENTATION.replace("INK", INK[theme()]) if values["present"] else ""))
    with st.container(horizontal=True, key="menu", vertical_alignment="center", gap="medium"):
        st.markdown("**Convergence lab**", width="content")
        for name, (path, label) in PAGES.items():
            with st.container(key=f"here-{name}" if name == page else None, width="content"):
                st.page_link(path, label=label, query_params=address)
        st.space("stretch")
        _scenes()
        _modes(page, values)
        with st.container(key="sharer", width="content"):
            share.popover(page, values)
    _keys()
    if values["tour"]:
        _tour(page, values)
    _head(page, title, sentence, values)
    said_for, notes = st.session_state.get("notes", (None, ()))
    if said_for == address:  # until a control moves
        _show(notes)
    return values


def opened(page: str) -> scenes.Scene | None:
    """The prepared scene that is open on this page."""
    found = scenes.BY_NAME.get(st.session_state[STATE + "scene"])
    return found if found and found.page == page else None


def _leave_scene() -> None:
    """A setting that the numbers depend on has moved: the scene is over."""
    session, name = st.session_state, st.session_state[STATE + "scene"]
    if name:
        session["left"] = None
        if links.differs(scene(), scenes.BY_NAME[name]):
            adopt({"scene": ""})
            session["left"] = name


def scene_link(entry: scenes.Scene, label: str, **look) -> None:
    """A link that opens a scene, in presentation mode where the page is in it."""
    st.page_link(PAGES[entry.page][0], label=label, query_params=_here(scenes.address(entry)), **look)


def tour_link(label: str, **look) -> None:
    """A link that begins the guided tour."""
    st.page_link(PAGES[tour.STEPS[0].page][0], label=label, query_params=_here(scenes.step_address(1)), **look)


def _here(address) -> dict[str, str]:
    return address | ({"present": "1"} if presenting() else {})


def _scenes() -> None:
    """The list of scenes, to go from one to the next."""
    shown = st.session_state[STATE + "scene"]
    with st.container(key="scenes", width="content"):
        menu = st.popover("Scenes", icon=":material/list:", type="tertiary", width="content")
    with menu, st.container(key="scene-list", gap="xsmall"):
        for number, entry in enumerate(scenes.SCENES, 1):
            label = f"{number}\u2002{entry.question}"
            scene_link(entry, f"**{label}**" if entry.name == shown else label)
        tour_link("Guided tour", icon=":material/route:")
        st.caption("On a keyboard, the digits open them.")


def _keys() -> None:
    """The digits open the scenes, from every page; nothing of this is seen."""
    with st.container(key="keys"):
        for number, entry in enumerate(scenes.SCENES, 1):
            if st.button(entry.question, key=f"key-{number}", shortcut=str(number)):
                st.switch_page(PAGES[entry.page][0], query_params=_here(scenes.address(entry)))


def _tour(page, values) -> None:
    """The bar of the guided tour."""
    number, count = values["tour"], len(tour.STEPS)
    step = tour.STEPS[number - 1]
    with st.container(horizontal=True, key="tour", vertical_alignment="center"):
        with st.container(key="tour-words", gap=None):
            st.markdown(f"**Tour {number} of {count}**\u2002{step.words}")
        with st.container(horizontal=True, key="tour-buttons", width="content"):
            to = None
            if (page != step.page or links.differs(values, step)) and st.button("This step again", key="tour-again"):
                to = number
            if st.button("Back", key="tour-back", shortcut="B", disabled=number == 1):
                to = number - 1
            if number < count and st.button("Next", key="tour-next", shortcut="N", type="primary"):
                to = number + 1
            st.button(
                "Leave" if number < count else "Finish", key="tour-leave", on_click=adopt, args=({"tour": 0},),
                type="secondary" if number < count else "primary", help="The settings stay as they are.",
            )  # fmt: skip
    if to:
        st.switch_page(PAGES[tour.STEPS[to - 1].page][0], query_params=_here(scenes.step_address(to)))


def _modes(page, values) -> None:
    """The buttons of presentation mode."""
    if values["present"] and page != "home":
        away = not st.session_state.get("unfolded")
        st.button(
            "Show controls" if away else "Hide controls", icon=":material/tune:", type="tertiary", key="fold",
            on_click=st.session_state.update, args=({"unfolded": away},),
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
    if ours and not (values["tour"] and values["present"]):  # there the tour's words stand in its place
        st.markdown(sentence)
    elif values["question"]:
        with st.container(key="question"):
            st.markdown(plain(values["question"]))
    left = scenes.BY_NAME.get(st.session_state.get("left"))
    if left and left.page == page:
        with st.container(horizontal=True, key="left", vertical_alignment="center", gap="small"):
            st.caption(f"A setting moved, so the scene “{left.question}” is over and the page speaks for itself.", width="content")
            scene_link(left, "Open it again", width="content")


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


def projected(height: int) -> int:
    """The height of a picture in presentation mode: what menu, title and the tour's bar leave of a projector."""
    return TOURED if st.session_state[STATE + "tour"] else max(height, PROJECTED)


def drawn(height: int) -> dict:
    """How a chart of this height is drawn here: arguments of `screen.to_plotly` and `screen.to_heatmap`."""
    shown = presenting()
    return {"theme": theme(), "presentation": shown, "height": projected(height) if shown else height}


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


def _read_address(page) -> None:
    """Take the scene from the address where a visitor changed it: a link, Back, an edit by hand."""
    session = st.session_state
    if "adopt" in session:
        adopt(session.pop("adopt"))
        session["notes"] = links.write(scene()), session.pop("adopt-notes", [])
    query = st.query_params.to_dict()
    if (named := links.short(query)) and named != page:
        st.switch_page(PAGES[named][0], query_params=query)
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
