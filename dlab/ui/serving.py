"""How the app is served: Streamlit's own server, with the routes of the room's phones beside its own.

`streamlit run app.py` finds the `st.App` in that file and serves it; the routes are there before the first page is asked for.
"""

import signal
from contextlib import asynccontextmanager

import streamlit as st

from dlab.room import http


def routes() -> list:
    return http.routes(st.get_option("server.baseUrlPath"))


@asynccontextmanager
async def lifespan(app):
    """From the server's start to its end. When it has ended, Uvicorn sends itself the SIGTERM that it was ended by once more, which would
    kill the process before it has let its compiler finish and stopped its workers (`process.begin`): held back, it does neither."""
    yield
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
