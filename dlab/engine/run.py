"""Heavy runs in a shared process: one at a time, cancellable, and never twice.

What is finished is kept under the key of what entered it, so a scene's link opens at once wherever it has been computed before.
`tick` is called with the share of the work done and `waiting`, about twice a second, while another run has the machine; both may
raise to cancel.
"""

import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from dlab import answers, errors, fingerprint, measure, schemes, targets
from dlab import study as studies
from dlab.cache import Cache, dumps
from dlab.engine.cost import learn_speed
from dlab.study import Study

KEEP_FILES = 400
TIMES = ("grid", "stop")  # keys of a study file
CACHE = Cache("results", memory=64, files=KEEP_FILES)
_turn = threading.Lock()


@contextmanager
def exclusive(waiting=lambda: None):
    """The machine for one heavy run."""
    while not _turn.acquire(timeout=0.5):
        waiting()
    try:
        yield
    finally:
        _turn.release()


def modules(study: Study, *things) -> set[str]:
    """Where the numbers of a study come from: the modules of its target, score error, schemes, estimators up to those that measure it,
    of the reference, and of `things`."""
    if not isinstance(study.target, dict):  # its file says "custom", whatever it is
        return {"custom"}
    entry, used = errors.REGISTRY[study.score_error["name"]], [schemes.REGISTRY["SO"], *things]
    for _, part in study.parts:
        ways = {part.estimator_for(name).name for name in part.schemes}
        consulted = list(measure.REGISTRY)[: 1 + max(list(measure.REGISTRY).index(way) for way in ways)]
        used += [measure.REGISTRY[name] for name in (consulted if study.estimator == "auto" else ways)]
        used += [type(part.built), part.error]
    used += [targets.REGISTRY[study.target["name"]], entry, *(schemes.REGISTRY[name] for name in study.schemes)]
    return fingerprint.modules_of(*used)


def kept(study: Study) -> dict | None:
    """The final result of a study where it is kept, as JSON, else None."""
    return _json(study.key + ".json")


def exact(study: Study) -> dict:
    """The result of a study whose cost is 0: milliseconds, so it waits for nobody and stays in memory alone."""
    found = {**studies.run(study).to_json(), "done": 1.0}
    CACHE.keep(study.key + ".json", dumps(found).encode(), modules(study, studies.run), disk=False)
    return found


def result(study: Study) -> dict | None:
    """The final result of a study where it is kept or costs next to nothing, else None."""
    found = kept(study)
    return exact(study) if found is None and study.price == 0 else found


def stream(study: Study, tick=lambda done: None, waiting=lambda: None) -> Iterator[dict]:
    """Results of a study, better and better; the last one is final and kept."""
    with exclusive(waiting):
        if (known := kept(study)) is not None:  # somebody else asked for the same while this one waited
            yield known
            return
        begun, found = time.monotonic(), None
        for found in studies.stream(study, tick):
            yield {**found.to_json(), "done": found.done}
        learn_speed(study.price, time.monotonic() - begun)
        _keep_particles(study, found)
        CACHE.keep(study.key + ".json", dumps({**found.to_json(), "done": 1.0}).encode(), modules(study, studies.run))


def particles(study: Study) -> bytes | None:
    """The raw particles of a finished study as npz bytes, where they are kept: prepared results come without."""
    return CACHE.load(study.key + ".npz")


def particles_anew(study: Study) -> bytes:
    """As `particles`, from a run of its own where they are not kept; they are from then on."""
    with exclusive():
        if (known := particles(study)) is None:
            known = _keep_particles(study, studies.run(study))
    return known


def _keep_particles(study, found) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{k: v.astype(np.float32) for k, v in found.clouds.items()})
    CACHE.keep(study.key + ".npz", buffer.getvalue(), modules(study, studies.run))
    return buffer.getvalue()


def kept_answer(name: str, study: Study, *which) -> dict | None:
    """An answer of `answers.REGISTRY` where it is kept."""
    return _json(answer_name(name, study, *which))


def answer(name: str, study: Study, *which, tick=lambda *done: None, waiting=lambda: None) -> dict | None:
    """An answer of `answers.REGISTRY`, computed where it is not kept, and kept; tick() or tick(done)."""
    *_, last = answers_of(name, study, *which, tick=tick, waiting=waiting)
    return last


def answers_of(name: str, study: Study, *which, tick=lambda *done: None, waiting=lambda: None) -> Iterator[dict]:
    """As `answer`, with what there is on the way for an answer that becomes better and better."""
    with exclusive(waiting):
        if (last := kept_answer(name, study, *which)) is None:
            entry = answers.find(name)
            for last in entry.stream(study, *which, tick=tick):
                yield last
            CACHE.keep(answer_name(name, study, *which), dumps(last).encode(), modules(study, entry.compute, *entry.uses))
    yield last


def answer_name(name: str, study: Study, *which) -> str:
    """What an answer is kept under: what of the study enters it, and nothing else."""
    entry = answers.find(name)
    asked = study.to_json()
    # The times of a run and the options of its schemes enter every answer: named where they are given.
    given = [*TIMES, *schemes.OPTIONS, *(["steps"] if "h" in entry.reads else [])]
    reads = (*entry.reads, *(k for k in given if k in asked))
    text = dumps([{k: asked.get(k) for k in reads}, *which], sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.{entry.name}.json"


def _json(name) -> dict | None:
    found = CACHE.load(name)
    return None if found is None else json.loads(found)
