"""A worker of the lab: `dask worker --preload dlab.engine.worker tcp://…`.

One thread each, of XLA and BLAS too: numbers are the same bit for bit for any number of workers, and more workers are faster where more
threads are not. Compiled programs are kept in the cache folder, for all processes of a machine.
"""

import logging
import os

import threadpoolctl
from dask.sizeof import sizeof

from dlab.engine.compiled import be_small, keep_compiled, small
from dlab.engine.identity import QUICK, label
from dlab.sample import Run

MANY = 1e9  # of a resource that is only a label


def dask_setup(worker) -> None:
    """What Dask calls in a worker when it starts."""
    # Of a process that ends to be started anew Dask logs a traceback of its own queue.
    logging.getLogger("distributed.nanny").addFilter(lambda record: "Worker process died unexpectedly" not in record.getMessage())
    keep_compiled()
    if small():
        be_small()
    threadpoolctl.threadpool_limits(1)
    if QUICK not in worker.state.total_resources:
        os.nice(int(os.environ.get("DLAB_NICE") or 0))
        worker.state.total_resources[label()] = worker.state.available_resources[label()] = MANY


@sizeof.register(Run)
def _bytes(run: Run) -> int:
    """What Dask takes the result of a unit for."""
    return sum(a.nbytes for a in (run.x, run.error_square, run.fluctuation) if hasattr(a, "nbytes"))
