"""Where work runs and where answers are kept: results of studies and other answers about them, each computed at most once."""

from dlab.engine.compiled import forget_compiled, keep_compiled
from dlab.engine.cost import seconds, seconds_a_step, time_steps
from dlab.engine.run import (
    CACHE,
    KEEP_FILES,
    answer,
    answer_name,
    answers_of,
    exact,
    exclusive,
    kept,
    kept_answer,
    modules,
    particles,
    particles_anew,
    result,
    stream,
)  # fmt: skip

__all__ = [
    "CACHE", "KEEP_FILES", "answer", "answer_name", "answers_of", "exact", "exclusive", "forget_compiled", "keep_compiled", "kept",
    "kept_answer", "modules", "particles", "particles_anew", "result", "seconds", "seconds_a_step", "stream", "time_steps",
]  # fmt: skip
