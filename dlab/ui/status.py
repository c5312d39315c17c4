"""The lecturer's view of the server: sessions, queue, workers and memory, and nothing of what visitors do.

The environment variable DLAB_TOKEN holds the token; without it there is no view.
"""

import hmac
import os

import streamlit as st
from streamlit import runtime

from dlab import engine, words

EVERY = 2.0  # seconds between two looks
MB = 1e6


def show() -> None:
    st.set_page_config(page_title="Status · Convergence lab", layout="wide", initial_sidebar_state="collapsed")
    st.title(words.title("status"), anchor=False)
    token, given = os.environ.get("DLAB_TOKEN", ""), st.query_params.get("token", "")
    if not token or not hmac.compare_digest(token.encode(), given.encode()):
        st.warning(words.text("status", "closed"))
        return
    _numbers()


@st.fragment(run_every=EVERY)
def _numbers() -> None:
    found = engine.status()
    running = [run for run in found["runs"] if run["state"] == "running"]
    for place, (label, value) in zip(st.columns(4), (
        ("Visitors", _visitors()),
        ("Runs under way", len(running)),
        ("Runs that wait", len(found["runs"]) - len(running)),
        ("Memory of the server", f"{found['memory'] / MB:.0f} MB"),
    )):  # fmt: skip
        place.metric(label, value)
    if found["said"]:
        st.warning(found["said"])
    if not found["workers"]:
        st.caption(words.text("status", "here"))
    for number, worker in enumerate(found["workers"], 1):
        kind = "for small answers" if worker["quick"] else "for runs"
        st.markdown(f"Worker {number}, {kind}: {worker['memory'] / MB:.0f} MB, {worker['units']} units.")
    for run in running:
        st.progress(min(run["done"], 1.0), text=f"{run['seconds']:.0f} s, followed by {run['followers']}.")


def _visitors() -> int:
    """Sessions with a browser, this one too."""
    # Streamlit has no public count.
    sessions = getattr(runtime.get_instance(), "_session_mgr", None) if runtime.exists() else None
    return sessions.num_active_sessions() if sessions else 1
