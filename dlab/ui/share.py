"""The Share popover: the link of the scene as seen now, to copy or as a QR code, and lesson links.

No text of a visitor is rendered here: a link travels as data of a component and as squares.
"""

import html
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import segno
import streamlit as st

from dlab.cache import dumps
from dlab.params import BadInput
from dlab.ui import lesson_file, links, settings, studies

ADDRESS = "DLAB_ADDRESS"  # the environment variable with the lab's public address
LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "::1")
SCANNED = 1200  # characters: phones read no denser QR code from a screen
DRAFT = "lesson-"  # prefix of the session keys of the form


def link(base: str, page: str, values: Mapping) -> str:
    """The whole link of a scene on a page."""
    return f"{base}/{'' if page == 'home' else page}?{urlencode(links.write(values, page), safe=',.', quote_via=quote)}"


def base(page: str) -> tuple[str, str]:
    """Where the lab stands, without a final slash, and a sentence where others will not find it there."""
    given = os.environ.get(ADDRESS, "").strip().rstrip("/")
    shown = (st.context.url or "http://localhost:8501").rstrip("/").removesuffix(f"/{page}")
    if given and not is_address(given):
        return shown, f"{ADDRESS} was ignored, since it is not an address like https://lab.example.org; this link uses the browser's."
    address = given or shown
    if urlsplit(address).hostname in LOCAL:
        warning = f"This link works on this machine only. Open the lab at an address that the audience can reach, or set {ADDRESS} to it."
        return address, warning
    return address, ""


def is_address(text: str) -> bool:
    """Whether the lab may stand at this address."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        return False


def qr(text: str):
    """The QR code of a text, or None where no phone could read it from a screen."""
    return segno.make(text, error="l", micro=False) if len(text) <= SCANNED else None


def popover(page: str, values: Mapping) -> None:
    """The button in the menu; nothing is made before somebody opens it."""
    opened = st.popover("Share", icon=":material/share:", type="tertiary", key="share", on_change="rerun", width="content")
    if opened.open:
        with opened, st.container(key="sharing"):
            _content(page, values)


@st.fragment
def _content(page, values) -> None:
    top, code_of, form, below = (st.container() for _ in range(4))
    problems = []
    if page != "home":
        with form.expander("Make a lesson link", expanded=links.in_lesson(values)):
            values = values | _draft(values, problems)
    address, warning = base(page)
    text = link(address, page, values)
    with top:
        st.markdown("**This scene as a link**")
        _copy()(key="copy", data={"link": text})
        if warning:
            st.warning(warning)
        for problem in problems:
            st.error(problem)
        if page == "logistic" and values["logistic.part"] == "csv":
            st.warning("A link leaves your data out: whoever opens it uploads the file again.")
        if not links.complete(values):
            st.warning("The data are too long for a link, so it leaves them out. Share the study file instead.")
            _study(values)
    if not links.complete(values):
        return
    with code_of:
        if (code := qr(text)) is None:
            st.caption(f"The link has {len(text)} characters, too many for a QR code that a phone can read from a screen.")
        else:
            # Dark on white in both themes, as scanners want it.
            picture = code.svg_data_uri(border=4, light="#fff", scale=4)
            st.html(f'<img class="qr" alt="QR code of the link" src="{picture}">')
            with st.container(horizontal=True):
                if st.button("Full screen", key="qr-large", type="tertiary", help="For the back row."):
                    _large(picture)
                st.download_button(
                    "QR code (SVG)", lambda: _svg(code), file_name="link.svg", mime="image/svg+xml", on_click="ignore", type="tertiary",
                    help="For a slide.",
                )  # fmt: skip
    with below:
        lesson_file.button(page, values)
        if page != "home":
            with st.expander("Embed this picture"):
                for said, snippet in zip(("In a page:", "As a slide of reveal.js:"), frames(text)):
                    st.caption(said)
                    st.code(snippet, language="html", wrap_lines=True)


@st.dialog("Scan to open this scene", width="large")
def _large(picture) -> None:
    st.html(f'<img class="qr large" alt="QR code of the link" src="{picture}">')


def frames(text: str, height: int = 420) -> tuple[str, str]:
    """What puts a scene into another page: an iframe, and a slide of reveal.js."""
    address = html.escape(f"{text}&embed=1&tall={height - 30}")
    frame = f'<iframe src="{address}" width="100%" height="{height}" style="border: 0" loading="lazy" title="Convergence lab"></iframe>'
    return frame, f'<section data-background-iframe="{address}" data-background-interactive></section>'


DRAFTED = (*settings.LESSON, "present")


def _draft(values, problems) -> dict:
    """The form of a lesson, filled with the one in force."""
    st.caption("Whoever opens the link sees your words as plain text, and can leave the lesson with one button.")
    draft = {}
    for name in DRAFTED:
        setting = settings.table()[name]
        given = setting.draw(st, DRAFT + name, values[name])
        try:
            draft[name] = setting.read(given) if setting.look == "text_input" else tuple(given) if isinstance(given, list) else given
        except BadInput as error:
            problems.append(str(error))
    return draft


def keep() -> None:
    """Streamlit forgets what a closed popover does not draw: keep the words of an unfinished lesson."""
    for name in DRAFTED:
        if DRAFT + name in st.session_state:
            st.session_state[DRAFT + name] = st.session_state[DRAFT + name]


def forget() -> None:
    """Empty the form: it then shows the lesson in force."""
    for name in DRAFTED:
        st.session_state.pop(DRAFT + name, None)


def _study(values) -> None:
    try:
        study = studies.study(values)
    except BadInput:
        return
    st.download_button(
        "Study", dumps(study.to_json(), indent=1), file_name="study.json", mime="application/json", on_click="ignore",
        key="share-study", help="Open it with “Open a study file”.",
    )  # fmt: skip


def _svg(code) -> str:
    return code.svg_inline(border=4, light="#fff", scale=8).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


@cache
def _copy():
    html, css, js = (Path(__file__).with_name(f"share.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("dlab_copy", html=html, css=css, js=js)
