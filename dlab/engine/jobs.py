"""Heavy runs in a shared process: one at a time, cancellable, and never twice.

A finished result is kept in memory and on disk under its study's fingerprint, so a scene link opens at
once wherever it has been computed before. The folder is $DLAB_CACHE or ~/.cache/dlab.
"""

import gc
import hashlib
import io
import json
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np

from dlab import places
from dlab.answers import images, learned_score, score_error
from dlab.answers.bounds import along
from dlab.answers.drift_sign import signs
from dlab.answers.estimators import compare
from dlab.answers.experiment import boundary, first_coordinate, readings
from dlab.answers.law import law_density
from dlab.answers.modes import modes
from dlab.answers.one_step import one_step
from dlab.answers.timing import particle_step
from dlab.places import CODE, PREPARED, folder
from dlab.study import Study, run, stream

KEEP = 64  # answers in memory
KEEP_FILES = 400  # answers on disk
SPEED = 1.2e6  # particle-steps a second before anything has been measured

_memory: OrderedDict[str, bytes] = OrderedDict()
_guard = threading.Lock()
_turn = threading.Lock()
_speed = {"value": SPEED}
_timed: dict[tuple, float] = {}  # seconds of a particle-step, by scheme and kind of target and error


def _answers() -> Path:
    return folder() / "results" / CODE


def keep_compiled() -> None:
    """Keep compiled code between starts of the process."""
    jax.config.update("jax_compilation_cache_dir", str(folder() / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def forget_compiled(share: float = 0.5) -> bool:
    """Forget the compiled programs where they take more than a share of the memory maps that Linux grants a process.

    Each takes some 10 to 40 of 65530, and the compiler dies where none is left: a server that has met a few thousand shapes.
    What is met again comes back from disk (`keep_compiled`). Returns whether it forgot.
    """
    try:
        granted = int(Path("/proc/sys/vm/max_map_count").read_text())
        taken = Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:  # another system, with other limits
        return False
    if taken > share * granted:
        jax.clear_caches()
        gc.collect()
        return True
    return False


def seconds(work: int) -> float:
    """Expected duration of so many particle-steps, from the speed of the runs before."""
    return work / _speed["value"]


def finished(study: Study) -> dict | None:
    """The final result of a study if it is known: {"result": …, as JSON}, else None."""
    found = load(study.key + ".json")
    return None if found is None else json.loads(found)


def clouds(study: Study) -> bytes | None:
    """The raw particles of a finished study as npz bytes, where they are known: prepared results come without."""
    return load(study.key + ".npz")


def clouds_anew(study: Study) -> bytes:
    """As `clouds`, from a run of its own where they are not known; they are kept."""
    with one_at_a_time(lambda: None):
        if clouds(study) is None:
            _keep_clouds(study, run(study))
    return clouds(study)


def _keep_clouds(study, result):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{k: v.astype(np.float32) for k, v in result.clouds.items()})
    store(study.key + ".npz", buffer.getvalue())


def exact(study: Study) -> dict:
    """The result JSON of a study whose price is 0: milliseconds, so it waits for nobody and stays in memory alone."""
    result = {**run(study).to_json(), "done": 1.0}
    _remember(study.key + ".json", json.dumps(result).encode())
    return result


def known(study: Study) -> dict | None:
    """The final result of a study where it is kept or costs next to nothing, else None."""
    found = finished(study)
    return exact(study) if found is None and study.price == 0 else found


def results(study: Study, tick=lambda done: None, waiting=lambda: None) -> Iterator[dict]:
    """Result JSON objects of a sampled study, better and better; the last one is final and kept.

    waiting() is called about twice a second while another run has the machine; it and tick(done) may
    raise to cancel.
    """
    with one_at_a_time(waiting):
        if (known := finished(study)) is not None:  # somebody else asked for the same while this one waited
            yield known
            return
        begun, result = time.monotonic(), None
        for result in stream(study, tick):
            yield {**result.to_json(), "done": result.done}
        took = time.monotonic() - begun
        if took > 1:
            _speed["value"] = 0.5 * _speed["value"] + 0.5 * study.price / took
        _keep_clouds(study, result)
        store(study.key + ".json", json.dumps({**result.to_json(), "done": 1.0}).encode())


def compared(study: Study, scheme: str) -> dict | None:
    """The final answer of `comparison` where it is known."""
    found = load(_comparison(study, scheme))
    return None if found is None else json.loads(found)


def comparison(study: Study, scheme: str, tick=lambda done: None, waiting=lambda: None) -> Iterator[dict]:
    """Answers of `study.compare`, better and better; the last one is final and kept. As `results` otherwise."""
    with one_at_a_time(waiting):
        found = None
        for found in compare(study, scheme, tick):
            yield found
        store(_comparison(study, scheme), json.dumps(found).encode())


def _comparison(study, scheme):
    return f"{study.key}-{scheme}.every.json"


# Answers kept as JSON: how each is made, and what of the study enters it.
MADE = {
    "law": (law_density, ("target", "T", "start", "score_error")),
    "along": (along, ("target", "T", "start", "score_error")),
    "met": (score_error.met, ("target", "T", "start", "score_error", "seed")),
    "modes": (modes, ("target", "schemes", "T", "start", "score_error", "seed")),
    "onestep": (one_step, ("target", "seed")),
    "trained": (learned_score.trained, ("target", "score_error")),
    "learned": (learned_score.errors_met, ("target", "T", "start", "score_error", "seed")),
    "error_field": (learned_score.error_field, ("target", "score_error")),
    "signs": (signs, ("target", "T", "seed")),
    "boundary": (boundary, ("target", "T", "start", "score_error", "seed")),
    "readings": (readings, ("target", "schemes", "h", "T", "start", "score_error", "seed")),
    "first": (first_coordinate, ("target", "schemes", "h", "T", "start", "score_error")),
    "images": (images.distances, ("target", "schemes", "h", "T", "start", "score_error", "particles", "growth", "seed")),
    "grid": (images.grid, ("target", "schemes", "T", "start", "score_error", "growth", "seed")),
}


def made(kind: str, study: Study, *which) -> dict | None:
    """The answer of `make` where it is known."""
    found = load(file_name(kind, study, *which))
    return None if found is None else answer(found)


def answer(data: bytes) -> dict | None:
    """What a file of an answer holds: JSON, compressed where it is long and comes with the lab."""
    return json.loads(zlib.decompress(data) if data.startswith(b"x") else data)  # with which no JSON begins


def make(kind: str, study: Study, *which, tick=lambda *done: None, waiting=lambda: None) -> dict | None:
    """The answer of one of MADE, kept; tick() or tick(done) is called now and then and, as waiting(), may raise to cancel."""
    with one_at_a_time(waiting):
        if (known := made(kind, study, *which)) is None:
            known = MADE[kind][0](study, *which, tick=tick)
            store(file_name(kind, study, *which), json.dumps(known).encode())
    return known


def file_name(kind: str, study: Study, *which) -> str:
    """The name of the file of an answer of `make`."""
    enters = {k: v for k, v in study.to_json().items() if k in MADE[kind][1]}
    text = json.dumps([enters, *which], sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.{kind}.json"


def timed(study: Study) -> dict[str, float] | None:
    """Seconds of a particle-step of each scheme of the study on this machine, where all are known."""
    found = {name: _timed.get(_kind(study, name)) for name in study.schemes}
    return None if None in found.values() else found


def timing(study: Study, tick=lambda: None, waiting=lambda: None) -> dict[str, float]:
    """`timed`, measured where it is not known and kept in memory; tick() is called before each scheme and, as waiting(), may
    raise to cancel."""
    with one_at_a_time(waiting):
        for name in study.schemes:
            if _kind(study, name) not in _timed:
                tick()
                _timed[_kind(study, name)] = particle_step(study, name)
    return timed(study)


def _kind(study, scheme):
    error = {k: study.score_error.get(k) for k in ("name", "hessian", "width", "depth")}
    return scheme, study.target["name"], study.built.dim, json.dumps(error)


@contextmanager
def one_at_a_time(waiting):
    """The machine for one heavy run; waiting() is called about twice a second and may raise."""
    while not _turn.acquire(timeout=0.5):
        waiting()
    try:
        yield
    finally:
        _turn.release()


def load(name: str) -> bytes | None:
    """A kept answer, from memory, the prepared files or disk; None where it is not known."""
    with _guard:
        if name in _memory:
            _memory.move_to_end(name)
            return _memory[name]
    data = places.read(name, PREPARED, _answers())
    if data is not None:
        _remember(name, data)
    return data


def _remember(name, data):
    with _guard:
        _memory[name] = data
        while len(_memory) > KEEP:
            _memory.popitem(last=False)


def store(name: str, data: bytes) -> None:
    """Keep an answer in memory and on disk."""
    _remember(name, data)
    places.write(_answers() / name, data, KEEP_FILES, _answers().parent)
