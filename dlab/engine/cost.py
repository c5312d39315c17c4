"""What work costs on this machine, in seconds: from the runs before, and measured step by step. No number of a study depends on it."""

import time

import jax

from dlab.cache import dumps
from dlab.sample import CHUNK, simulate, starts
from dlab.study import BATCH, Study

SPEED = 1.2e6  # particle-steps a second before anything has been measured
LASTS = 0.08  # seconds over which a scheme is timed, once it is compiled

_speed = {"value": SPEED}
_timed: dict[tuple, float] = {}  # seconds of a particle-step, by scheme and kind of target and error


def seconds(work: float) -> float:
    """Expected duration of so many particle-steps, from the speed of the runs before."""
    return work / _speed["value"]


def learn_speed(work: float, elapsed: float) -> None:
    """A run of `work` particle-steps has lasted so many seconds; short ones say nothing."""
    if elapsed > 1:
        _speed["value"] = 0.5 * _speed["value"] + 0.5 * work / elapsed


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
