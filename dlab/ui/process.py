"""What a process of the app does once, for all sessions together."""

import atexit
import gc
import logging
import threading
import time

# Plotly looks for pandas among the loaded modules: half loaded by the warm-up's thread, it would break the first page.
import pandas  # noqa: F401
import streamlit as st

from dlab import engine, pictures

COLLECT = 5.0  # seconds between two garbage collections of the process
MEANWHILE = 30.0  # while what stays for good is not yet set apart, so that each looks at all there is
TRIM = 60.0  # between two returns of free memory to the system


@st.cache_resource
def begin() -> bool:
    """Once per process: start the workers, keep compiled code, compile the first scenes, collect garbage (compiled programs too) off
    the reruns.

    Streamlit would collect after every rerun while it holds the GIL; .streamlit/config.toml turns that
    off, so a thread does it for all sessions together, beside the warm-up, which takes long where one worker serves all.
    """
    engine.keep_compiled()
    engine.start(wait=False)  # while the first page is served
    pictures.served = True

    stop = threading.Event()
    threads = beside(stop)

    def finish():
        # The interpreter cannot shut down under a thread that compiles.
        stop.set()
        for thread in threads:
            thread.join(timeout=30)

    atexit.register(finish)
    return True


def beside(stop: threading.Event) -> list[threading.Thread]:
    """Start what goes on beside the pages until `stop`: the warm-up, and the keeping of the house."""
    warmed = threading.Event()

    def warm_up():
        from dlab.ui import warm

        try:
            warm.up(stop)
        except Exception:
            # Compiled late is no fault; a process that ends may break its compiler.
            if not stop.is_set():
                logging.getLogger(__name__).exception("the warm-up failed")
        gc.collect()
        gc.freeze()
        warmed.set()

    def keep_house():
        trimmed = time.monotonic()
        while not stop.wait(COLLECT if warmed.is_set() else MEANWHILE):
            gc.collect()
            engine.forget_compiled()
            if time.monotonic() - trimmed > TRIM:
                engine.trim()
                trimmed = time.monotonic()

    threads = [threading.Thread(target=work, daemon=True, name=f"dlab-{work.__name__}") for work in (warm_up, keep_house)]
    for thread in threads:
        thread.start()
    return threads
