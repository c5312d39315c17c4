"""Where work runs and where answers are kept: results of studies and other answers about them, each computed at most once."""

from dlab.engine.ask import (
    ALONE,
    answer,
    answers_of,
    at_once,
    cancel,
    exact,
    job,
    jobs,
    particles,
    result,
    seconds,
    stream,
    time_steps,
    train,
    under_way,
)
from dlab.engine.compiled import forget_compiled, keep_compiled, trim
from dlab.engine.cost import seconds_a_step
from dlab.engine.keep import CACHE, KEEP_FILES, answer_name, keep_result, kept, kept_answer, modules, numerics
from dlab.engine.keep import particles as kept_particles
from dlab.engine.parts import rest, take_apart
from dlab.engine.places import start, status, stop

__all__ = [
    "ALONE", "CACHE", "KEEP_FILES", "answer", "answer_name", "answers_of", "at_once", "cancel", "exact", "forget_compiled", "job", "jobs",
    "keep_compiled", "keep_result", "kept", "kept_answer", "kept_particles", "modules", "numerics", "particles", "rest", "result",
    "seconds", "seconds_a_step", "start", "status", "stop", "stream", "take_apart", "time_steps", "train", "trim", "under_way",
]  # fmt: skip
