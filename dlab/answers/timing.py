"""What a step costs on this machine, measured: no number of a study depends on it."""

import time

import jax

from dlab.sample import CHUNK, simulate, starts
from dlab.study.spec import BATCH, Study

LASTS = 0.08  # seconds over which a scheme is timed, once it is compiled


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
    taken = [run(), run()]
    while sum(taken) < LASTS:
        taken.append(run())
    return min(taken) / (CHUNK * BATCH)
