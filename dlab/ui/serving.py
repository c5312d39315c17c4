"""How the app is served: Streamlit's own server, with the routes of the room's phones beside its own.

`streamlit run app.py` finds the `st.App` in that file and serves it; the routes are there before the first page is asked for.
"""

import ctypes
import signal
from contextlib import asynccontextmanager, suppress

import streamlit as st

from dlab.room import http

M_ARENA_MAX = -8  # of malloc.h


def routes() -> list:
    return http.routes(st.get_option("server.baseUrlPath"))


def _few_arenas() -> None:
    """Let glibc keep two pools of free memory, not eight for each core: a server of many threads would hold half as much again, and since
    one thread at a time runs Python, none waits for a pool."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


@asynccontextmanager
async def lifespan(app):
    """From the server's start to its end. When it has ended, Uvicorn sends itself the SIGTERM that it was ended by once more, which would
    kill the process before it has let its compiler finish and stopped its workers (`process.begin`): held back, it does neither."""
    _few_arenas()
    yield
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
