"""Worker processes for tests: a cache of their own, and what tests ask of them."""

import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from dlab import engine
from dlab.engine import journal, keep, places
from dlab.params import BadInput
from dlab.study import Study

SOON = 240.0  # seconds for what takes some on a quiet machine


@contextmanager
def cache(folder: Path):
    """An empty cache folder for this process and those that it starts; compiled code is that of all tests."""
    folder.mkdir(exist_ok=True)
    if (shared := os.environ.get("JAX_COMPILATION_CACHE_DIR")) and not (folder / "jax").exists():
        (folder / "jax").symlink_to(shared)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DLAB_CACHE", str(folder))
        patched.setenv("PYTHONPATH", str(Path(__file__).parent))  # workers find the units of this file
        for one in (journal.CACHE, keep.CACHE):
            one.forget()
        yield folder
    for one in (journal.CACHE, keep.CACHE):
        one.forget()


@contextmanager
def working(folder: Path, **how):
    """The pool of a process with workers, as `places.start` makes it."""
    with cache(folder):
        places.start(**(how or {"workers": 2}))
        try:
            yield places.place()
        finally:
            places.stop()


def pids(pool) -> dict[str, int]:
    """The processes of the workers that compute studies, by address."""
    pool.gone()  # looks at which workers there are, as a run does while it waits
    with suppress(Exception):
        return {a: p for a, p in pool.client.run(os.getpid, on_error="ignore").items() if a in pool._workers}
    return {}


def kill(pool) -> None:
    """End one of the workers, without a word."""
    for pid in list(pids(pool).values())[:1]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def until(true, seconds=SOON):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "this does not come to pass"
        time.sleep(0.05)


class Asked(threading.Thread):
    """A session that asks for a study: the results that it got, or what was raised."""

    def __init__(self, study: Study, session: str, tick=lambda done: None):
        super().__init__(daemon=True)
        self.study, self.session, self.tick, self.got, self.raised = study, session, tick, [], None
        self.start()

    def run(self):
        try:
            for found in engine.stream(self.study, self.tick, session=self.session):
                self.got.append(found)
        except BaseException as error:
            self.raised = error

    def rows(self) -> list:
        self.join(SOON)
        assert not self.is_alive()
        if self.raised:
            raise self.raised
        return self.got[-1]["rows"]


def alone(study: Study) -> list:
    """The rows of a study from this process, with no place, no journal and nobody else."""
    from dlab.study import run

    return run(study).to_json()["rows"]


def computed(folder: Path) -> int:
    """Units that the journal holds."""
    return len(list((folder / "units").glob("*.simulated")))


# ---------------------------------------------------------------- units


def endless(study, tick):
    """Goes on until its run is left."""
    import time

    while True:
        tick(0.5)
        time.sleep(0.01)


def holding(study, size, tick):
    """A process that has taken so many bytes and keeps them."""
    import os

    import numpy as np

    from dlab.engine import tasks

    tasks.taken = np.ones(int(size) // 8)
    return os.getpid()


def mistaken(study, tick):
    """Refuses the study."""
    raise BadInput(f"This unit takes no study of seed {study.seed}; give another.")


def its_pid(study, tick):
    import os

    return os.getpid()


def ceiling(size):
    """Put the ceiling of a worker at so many bytes."""
    from dlab.engine import compiled

    compiled.FORGET = compiled.RESTART = size
