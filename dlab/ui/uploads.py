"""Files that a visitor gives: taken once, or refused with what is wrong; and how a table of observations is to be read."""

import csv

import streamlit as st

from dlab.params import BadInput
from dlab.targets import observations
from dlab.ui import frame, settings, state


def take(
    label: str, kinds, key: str, tip: str, read, adopt=lambda values: st.session_state.update(adopt=values), off=False, ask=None, said=st
) -> None:  # fmt: skip
    """Take a file and adopt the settings that read(bytes, *how) makes of it, once; say in the container `said` what is wrong with
    it otherwise. ask(bytes) -> how it is to be read, from further controls."""
    given, seen = st.file_uploader(label, type=kinds, key=f"{key}-upload", help=tip, disabled=off), f"{key}-seen"
    if given is None:
        return
    data = given.getvalue()
    now = given.file_id, *(how := ask(data, off) if ask else ())
    if st.session_state.get(seen) == now:
        return
    try:
        adopt(read(data, *how))
    except BadInput as error:
        said.error(f"{frame.plain(error)} Nothing was taken from this file; the page is unchanged.")
        return
    st.session_state[seen] = now
    st.rerun()


def planar(data: bytes, *how) -> dict:
    """The settings of a file of observations in the plane, standardised unless the visitor switches that off."""
    x, y = table("csv", data, True, *how)
    observations.standardised(x)
    return {"csv": (x, y), "scaled": True}


def columns(data: bytes, off) -> tuple[str | None, str | None]:
    """What a visitor corrects in the reading of a table: the separator and the label's column, None where it is to be found."""
    left, right = st.columns(2)
    separator = settings.table()["separator"].draw(left, state.drawn("separator"), off) or None
    try:
        names = _parted(observations.columns, data, separator)
    except BadInput:  # the reader says it
        names = []
    if state.value("label") not in names:
        state.apply({"label": ""})
    shown = {"": "as found"} | {name: observations.named(name) for name in names}
    return separator, settings.table()["label"].draw(right, state.drawn("label"), off, options=list(shown), format_func=shown.get) or None


def table(key: str, data: bytes, planar: bool, *how) -> tuple[list, list]:
    """Features and labels of a file; what was understood of it is kept in the session, to be said beside them."""
    read = _parted(observations.read_csv, data, planar, *how)
    st.session_state[f"{key}-read"] = [read.x, read.y], " ".join([read.summary, *read.remarks])
    return read.x, read.y


def _parted(read, data, *how):
    """read(data, *how); BadInput where a cell is longer than the reader of the standard library takes, before it knows the separator."""
    try:
        return read(data, *how)
    except csv.Error as error:
        raise BadInput(f"The file is not a readable CSV ({error}); check its quotation marks, or choose the separator.") from None


def understood(key: str, data) -> str:
    """What was understood of the file that these data came from; nothing where they came from a link or a study file."""
    read, summary = st.session_state.get(f"{key}-read", (None, ""))
    return summary if data and read == [*data] else ""
