"""A run that other cells do not wait for: awaited, with a bar, and cancelled as a task is."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from dlab import engine
from dlab import study as studies
from dlab.engine import places
from dlab.notebook.given import Given, result_of, study_of
from dlab.study import Result, Study
from dlab.study.place import Left
from dlab.study.vary import Varied

LASTS = 0.5  # seconds from which a run shows how far it is
_one = threading.Lock()  # a run takes all cores, and in three dimensions two threads of LAPACK inside compiled code deadlock


async def arun(study: Given, *, progress: bool = True, tick: Callable[[float], None] = lambda done: None) -> Result | Varied:
    """The result of a study, as `dlab.study.run` gives it, computed in a thread while the event loop goes on, one run after the other.

    What has been computed before, or comes with the lab, is there at once. progress: a bar below the cell, where there is IPython.
    tick: called in the event loop with the share of the work done. A cancelled task, as by the notebook's Stop button, ends the run; its
    finished batches are kept, so that the same study goes on from them.
    """
    study, _ = study_of(study)
    if (found := known(study)) is not None:
        return found
    loop, left, bar = asyncio.get_running_loop(), threading.Event(), Bar(progress)

    def heard(done):
        if not left.is_set():
            bar.at(done)
            tick(done)

    def moved(done):
        if left.is_set():
            raise Left
        with suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(heard, done)

    try:
        return await asyncio.to_thread(ran, study, moved)
    finally:
        left.set()
        bar.close()


def known(study: Study) -> Result | None:
    """The result of a study where it is kept or costs next to nothing. One that varies is put together from what is kept of its parts."""
    data = None if study.vary else engine.result(study)
    return None if data is None else result_of(study, {k: v for k, v in data.items() if k != "done"})


def ran(study: Study, tick: Callable[[float], None] = lambda done: None) -> Result | Varied:
    """The result of a study, computed in the place of this process when no other run is under way, and kept."""
    while not _one.acquire(timeout=0.1):
        tick(0.0)
    try:
        result = studies.run(study, tick, places.place())
    finally:
        _one.release()
    engine.keep_result(study, result.to_json())
    return result


class Bar:
    """A bar below the cell that is running, from LASTS seconds on; nothing where there is no IPython."""

    def __init__(self, shown: bool):
        self.shown, self.begun, self.handle = shown, time.monotonic(), None

    def at(self, done: float) -> None:
        if not self.shown or time.monotonic() - self.begun < LASTS:
            return
        said = Progress(done, time.monotonic() - self.begun)
        if self.handle is not None:
            self.handle.update(said)
        elif (display := _display()) is not None:
            self.handle = display(said, display_id=True)

    def close(self) -> None:
        if self.handle is not None:
            self.handle.update(Progress(None, time.monotonic() - self.begun))


def _display():
    """IPython's `display` in a running shell, else None."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return None
    return display if get_ipython() is not None else None


class Progress:
    """How far a run is, done None where it is over, after so many seconds."""

    def __init__(self, done: float | None, seconds: float):
        self.done, self.seconds = done, seconds

    def __repr__(self) -> str:
        return f"{self.seconds:.1f} s" if self.done is None else f"{self.done:.0%} after {self.seconds:.0f} s"

    def _repr_html_(self) -> str:
        bar = "" if self.done is None else f'<progress max="1" value="{self.done:.3f}" aria-label="Share of the run"></progress> '
        return f"<div>{bar}<small>{self}</small></div>"
