"""A worker of the lab: `dask worker --preload dlab.engine.worker tcp://…`.

One thread each, of XLA and BLAS too: numbers are the same bit for bit for any number of workers, and more workers are faster where more
threads are not. Compiled programs are kept in the cache folder, for all processes of a machine.
"""

import os
import platform

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import dlab
from dlab import fingerprint
from dlab.engine.compiled import keep_compiled
from dlab.engine.keep import numerics

POLITE = 10  # niceness of what runs beside a server


def dask_setup(worker) -> None:
    """What Dask calls in a worker when it starts."""
    keep_compiled()
    if os.environ.get("DLAB_NICE"):
        os.nice(POLITE)


def identity() -> dict[str, str]:
    """What two processes must share to work on one run."""
    versions = dict(each.rsplit(" ", 1) for each in fingerprint.versions())
    return {"dlab": dlab.__version__, "numerics": numerics(), "Python": platform.python_version().rsplit(".", 1)[0], **versions}


def difference(address: str, its: dict | Exception, mine: dict) -> str:
    """One sentence: why a worker is refused."""
    if not isinstance(its, dict):
        return f"The worker {address} does not run this lab ({its}); start it with dask worker --preload dlab.engine.worker."
    other = {name: its.get(name) for name in mine if its.get(name) != mine[name]}
    said = ", ".join(f"{name} {theirs} where this process has {mine[name]}" for name, theirs in other.items())
    return f"The worker {address} is refused, since its numbers may differ: it has {said}. Start it from the same clone and requirements."
