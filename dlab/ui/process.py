"""What a process of the app does once, for all sessions together."""

import atexit
import gc
import logging
import threading

# Plotly looks for pandas among the loaded modules: half loaded by the warm-up's thread, it would break the first page.
import pandas  # noqa: F401
import streamlit as st

from dlab import engine, pictures

COLLECT = 5.0  # seconds between two garbage collections of the process


@st.cache_resource
def begin() -> bool:
    """Once per process: start the workers, keep compiled code, compile the first scenes, collect garbage (compiled programs too) off
    the reruns.

    Streamlit would collect after every rerun while it holds the GIL; .streamlit/config.toml turns that
    off, so this thread does it for all sessions together.
    """
    engine.keep_compiled()
    engine.start(wait=False)  # while the first page is served
    pictures.served = True

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
            engine.forget_compiled()

    thread = threading.Thread(target=work, daemon=True, name="dlab-housekeeping")
    thread.start()

    def finish():
        # The interpreter cannot shut down under a thread that compiles.
        stop.set()
        thread.join(timeout=30)

    atexit.register(finish)
    return True
