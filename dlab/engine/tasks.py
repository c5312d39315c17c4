"""What a worker does: units of studies, and whole jobs, each a pure function of a study's text and plain values.

A unit that belongs to a run which has been left ends at its next `tick`. What it has to tell on the way goes as an event to whoever
asked, as JSON.
"""

import os
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

from dlab import answers
from dlab import study as studies
from dlab.answers import learned_score
from dlab.cache import dumps
from dlab.engine import compiled, cost
from dlab.engine.journal import remembered
from dlab.study import Study
from dlab.study.place import Left, Tick

NOBODY = Tick(lambda done: None, lambda value: None)  # follows, where an answer takes milliseconds
AWAY = 2.0  # seconds in which the result of a unit is told and fetched
TELLING = 0.25  # seconds between two events of a unit
_left: OrderedDict[str, None] = OrderedDict()  # runs that have been left
_guard = threading.Lock()
_ending: list[bool] = []  # not empty once this worker is being started anew


async def leave(run: str) -> None:
    """End what this process does for a run."""
    with _guard:
        _left[run] = None
        while len(_left) > 1000:
            _left.popitem(last=False)


def perform(function: Callable, text: str, args: tuple, run: str, unit: str, topic: str, *held):
    """function(study, *args, *held, tick=...) in a worker, for a unit of a run; events go to a topic of Dask."""
    from distributed import Reschedule, get_worker

    worker, told = get_worker(), 0.0
    if _ending:  # another worker takes this unit, or this one after its restart
        time.sleep(0.1)
        raise Reschedule

    def moved(done):
        nonlocal told
        if run in _left:
            raise Left
        if time.monotonic() - told >= TELLING:
            told = time.monotonic()
            worker.log_event(topic, {"run": run, "unit": unit, "done": float(done)})

    def give(value):
        moved(0.5)
        worker.log_event(topic, {"run": run, "unit": unit, "given": dumps(value)})

    begun = time.monotonic()
    moved(0.0)
    try:
        return remembered(function, _study(text), *args, *held, tick=Tick(moved, give))
    finally:
        where = f"{socket.gethostname()}:{os.getpid()}"
        worker.log_event(topic, {"run": run, "unit": unit, "seconds": time.monotonic() - begun, "where": where})
        _recycle(worker)


def _recycle(worker) -> None:
    """Between two units: forget compiled programs, and where that is not enough hand the memory back by a new start of the process. Its
    nanny does that; results that it holds go to other workers, or are read from the journal again."""
    compiled.forget_compiled()
    held = sum(task.nbytes or 0 for task in list(worker.state.tasks.values()) if task.state == "memory")
    if worker.nanny and compiled.too_large(held) and not _ending:
        _ending.append(True)
        # Not before this unit's result is away: a worker that goes with it would have it computed anew, and the next would go the same way.
        worker.loop.call_later(AWAY, worker.close_gracefully, restart=True, reason="dlab-memory")


@lru_cache(maxsize=16)
def _study(text: str) -> Study:
    return Study.from_json(text)


# ---------------------------------------------------------------- jobs


def exact_result(study: Study, tick=lambda *done: None) -> dict:
    """The result file of a study whose cost is 0."""
    return studies.run(study, lambda done: tick(done)).to_json()


def answered(study: Study, name: str, *which, tick: Tick = NOBODY) -> dict:
    """An answer of `answers.REGISTRY`; better and better ones are given on the way."""
    last = None
    for found in answers.find(name).stream(study, *which, tick=tick):
        if last is not None:
            tick.give(last)
        last = found
    return last


def trained(study: Study, again: bool, tick: Tick) -> bytes:
    """The trained network of a study as bytes; the losses so far are given on the way, and a checkpoint is kept where it is left."""
    task = learned_score.training(study)

    def moved(done, losses):
        tick(done)
        tick.give([[None if v != v else float(v) for v in row] for row in losses])

    task.train(moved, again)
    return task.read()


def particles(study: Study, tick: Tick) -> bytes:
    """The raw particles of a study as npz bytes."""
    return studies.pack(studies.run(study, tick).clouds)


def step_seconds(study: Study, tick: Tick) -> dict[str, float]:
    """Seconds of a particle-step of each scheme on the machine that this runs on."""
    return cost.time_steps(study, tick)
