"""The menu of every page: four places with their tabs, scenes, presentation mode, sharing, and the bar of the guided tour."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import streamlit as st

from dlab.ui import links, page_links, scenes, share, state, tour

PAGES = {
    "home": ("app.py", "Home"),
    "particles": ("pages/particles.py", "Watch"),
    "convergence": ("pages/convergence.py", "step size h"),
    "score_error": ("pages/score_error.py", "score error ε"),
    "budget": ("pages/budget.py", "steps N"),
    "horizon": ("pages/horizon.py", "horizon T"),
    "dimension": ("pages/dimension.py", "dimension d"),
    "samplers": ("pages/samplers.py", "samplers"),
    "schedules": ("pages/schedules.py", "schedules"),
    "theory": ("pages/theory.py", "The theorems"),
    "outside": ("pages/outside.py", "Outside their assumptions"),
    "logistic": ("pages/logistic.py", "Logistic regression"),
    "learned": ("pages/learned.py", "Learned score"),
    "images": ("pages/images.py", "Images"),
}
# The four places of the menu, and the pages of each: its tabs.
PLACES = {
    "Watch": ("particles",),
    "Measure": ("convergence", "score_error", "budget", "horizon", "dimension", "samplers", "schedules"),
    "Theory": ("theory", "outside"),
    "Studies": ("logistic", "learned", "images"),
}
DOWNLOADS = "download-place"  # the session key of the place of the Download menu
AGAINST = {"Measure": "W₂ against"}  # what stands before the tabs of a place


def place_of(page: str) -> str:
    """The place of the menu that a page is in; "" for home."""
    return next((place for place, pages in PLACES.items() if page in pages), "")


def draw(page: str, values: dict) -> None:
    """The menu of a page, and the tour's bar where one is under way."""
    address = links.write(values)

    def link(to, label, here=""):
        # What stands in a container of its own costs every rerun a message more.
        with st.container(key=f"here-{here}", width="content") if here else nullcontext():
            page_links.show(page_of(to), label, page_links.spelled(address, links.of_page(values, to)))

    mine = place_of(page)
    with st.container(key="top"):
        with st.container(horizontal=True, key="menu", vertical_alignment="center", gap="medium"):
            link("home", "Convergence lab", "place" if page == "home" else "")
            for place, pages in PLACES.items():
                link(pages[0], place, "place" if place == mine else "")
            st.space("stretch")
            _scenes()
            _modes(page, values)
            st.session_state[DOWNLOADS] = st.container(key="downloads", width="content")
            with st.container(key="sharer", width="content"):
                share.popover(page, values)
        if len(PLACES.get(mine, ())) > 1 and not values["present"]:
            with st.container(horizontal=True, key="tabs", vertical_alignment="center", gap="small"):
                if mine in AGAINST:
                    st.markdown(AGAINST[mine], width="content")
                for to in PLACES[mine]:
                    link(to, PAGES[to][1], "tab" if to == page else "")
    _keys()
    if values["tour"]:
        _tour(page, values)


@cache
def page_of(page: str):
    """A page as Streamlit knows it: made once, since finding its file takes longer than all else of a link to it."""
    return st.Page(PAGES[page][0], default=page == "home")


def scene_link(entry: scenes.PreparedScene, label: str, **look) -> None:
    """A link that opens a scene, in presentation mode where the page is in it."""
    query_link(entry.page, links.address(entry), label, **look)


def query_link(page: str, query, label: str, **look) -> None:
    """A link that opens a page with the settings of an address, in presentation mode where this page is in it."""
    st.page_link(page_of(page), label=label, query_params=_here(query), **look)


def tour_link(label: str, **look) -> None:
    """A link that begins the guided tour; none while it is under way."""
    if state.value("tour"):
        return
    query_link(tour.STEPS[0].page, links.address(tour.STEPS[0]), label, **look)


def _here(address) -> dict[str, str]:
    return address | ({"present": "1"} if state.presenting() else {})


def _scenes() -> None:
    """The list of scenes, to go from one to the next; sent when somebody opens it."""
    shown = state.value("scene")
    # Another scene, another list: the one that was open does not stay open over it.
    menu = st.popover("Scenes", icon=":material/list:", type="tertiary", width="content", key=f"scenes-from-{shown or 'none'}",
                      on_change="rerun")  # fmt: skip
    if not menu.open:
        return
    with menu, st.container(key="scene-list", gap="xsmall"):
        for number, entry in enumerate(scenes.SCENES, 1):
            label = f"{number}\u2002{entry.question}"
            scene_link(entry, f"**{label}**" if entry.name == shown else label)
        tour_link("Guided tour", icon=":material/route:")
        st.caption("The digit keys open them, too.")


def script() -> None:
    """What the page does in the browser by itself, see frame.js."""
    with st.container(key="keys"):
        st.html(_script(), unsafe_allow_javascript=True)


def _keys() -> None:
    """The digits open the scenes, from every page, and a page is drawn anew where the system turns dark or light; nothing of this
    is seen."""
    with st.container(key="keys"):
        st.html(_script(), unsafe_allow_javascript=True)
        st.button("Redraw", key="ground", help="In the system's present colours.")
        for number, entry in enumerate(scenes.SCENES, 1):
            if st.button(entry.question, key=f"key-{number}", shortcut=str(number)):
                st.switch_page(page_of(entry.page), query_params=_here(links.address(entry)))


@cache
def _script() -> str:
    """What the page does in the browser by itself: a new drawing in the system's colours, and one entry of history a page."""
    return f"<script>{Path(__file__).with_name('frame.js').read_text('utf-8')}</script>"


def downloads(files: Callable[[], None], place, key: str = "download") -> None:
    """A Download menu in a place: the page's own, or that of a further picture. files() draws what is in it, when it is open."""
    menu = place.popover("Download", icon=":material/download:", type="tertiary", key=key, on_change="rerun", width="content")
    if menu.open:
        with menu:
            files()


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
                "Leave" if number < count else "Finish", key="tour-leave", on_click=state.apply, args=({"tour": 0},),
                type="secondary" if number < count else "primary", help="Leaves the settings as they are.",
            )  # fmt: skip
    if to:
        st.switch_page(page_of(tour.STEPS[to - 1].page), query_params=_here(links.address(tour.STEPS[to - 1])))


def _modes(page, values) -> None:
    """The buttons of presentation mode."""
    if values["present"] and page != "home":
        away = not st.session_state.get("unfolded")
        st.button(
            "Show controls" if away else "Hide controls", icon=":material/tune:", type="tertiary", key="fold",
            on_click=st.session_state.update, args=({"unfolded": away},),
            help="Beside the picture." if away else "The picture takes the whole width.",
        )  # fmt: skip
    st.button(
        "Exit" if values["present"] else "Present", icon=":material/close_fullscreen:" if values["present"] else ":material/open_in_full:",
        type="tertiary", key="present", shortcut="F", on_click=_present,
        help="Leave presentation mode" if values["present"] else "Larger type and lines, controls folded away",
    )  # fmt: skip


def _present() -> None:
    state.apply({"present": not state.presenting()})
    st.session_state.pop("unfolded", None)
