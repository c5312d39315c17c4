"""What work costs on this machine, in seconds: from the runs before, and measured step by step. No number of a study depends on it."""

import json
import time
from contextlib import suppress

import jax

from dlab.cache import dumps, folder, write
from dlab.sample import CHUNK, simulate, starts
from dlab.study import BATCH, Study

SECONDS = 1 / 0.6e6  # of one thread for a particle-step, before anything has been measured
LASTS = 0.08  # seconds over which a scheme is timed, once it is compiled
LEAST = 0.5  # seconds of units below which a run says nothing of the speed

_busy: dict[str, float] = {}  # seconds of units for a particle-step of what a study costs, by target, and of all under ""
_timed: dict[tuple, float] = {}  # seconds of a particle-step, by scheme and kind of target and error
load = {"threads": 2}  # in which units run


def seconds(price: float, target: str = "", others: int = 0) -> float:
    """Expected duration of what costs so many particle-steps beside so many other runs, from what the units of the runs before took."""
    rate = _busy.get(target, _busy.get("", SECONDS))
    return price * rate * (1 + others) / load["threads"]


def learn(target: str, price: float, busy: float) -> None:
    """The units of a run of `price` particle-steps have taken so many seconds together; short ones say nothing."""
    if busy > LEAST and price > 0:
        for name in ("", target):
            known = _busy.get(name)
            _busy[name] = busy / price if known is None else (known * busy / price) ** 0.5
        write(folder() / "speed.json", dumps(_busy).encode(), 1, folder() / "speed.json")


def remember() -> None:
    """Take up what an earlier process has learnt."""
    with suppress(OSError, ValueError, AttributeError):
        kept = json.loads((folder() / "speed.json").read_bytes())
        _busy.update({str(k): float(v) for k, v in kept.items() if 0 < float(v) < 1})


def seconds_a_step(study: Study) -> dict[str, float] | None:
    """Seconds of a particle-step of each scheme of the study on this machine, where all have been measured."""
    found = {name: _timed.get(_kind(study, name)) for name in study.schemes}
    return None if None in found.values() else found


def time_steps(study: Study, tick=lambda: None) -> dict[str, float]:
    """`seconds_a_step`, measured where it is not known; tick() is called before each scheme and may raise to cancel."""
    for name in study.schemes:
        if _kind(study, name) not in _timed:
            tick()
            _timed[_kind(study, name)] = particle_step(study, name)
    return seconds_a_step(study)


def note(study: Study, found: dict[str, float]) -> None:
    """Take up what another process has measured."""
    _timed.update({_kind(study, name): value for name, value in found.items()})


def particle_step(study: Study, scheme: str) -> float:
    """Seconds of one step of one particle, drawing its noise included: the best of the runs of BATCH particles and CHUNK
    steps that fit into LASTS, two at least."""
    study = study.prepared()
    case, field, key = study.case(scheme, CHUNK), study.built.fast_field, jax.random.key(0)
    begin, _ = starts(study.built, key, BATCH, study.T, study.start)

    def run():
        begun = time.perf_counter()
        simulate(case.scheme, field, study.error, begin, grid=case.grid, key=key)
        return time.perf_counter() - begun

    run()  # compiles
    elapsed = [run(), run()]
    while sum(elapsed) < LASTS:
        elapsed.append(run())
    return min(elapsed) / (CHUNK * BATCH)


def _kind(study, scheme):
    error = {k: study.score_error.get(k) for k in ("name", "hessian", "width", "depth")}
    return scheme, study.target["name"], study.built.dim, dumps(error)
