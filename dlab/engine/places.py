"""The place of this process: here unless told otherwise, worker processes of its own, or a cluster that is named.

`start` chooses; the environment says what: DLAB_SCHEDULER the address of a Dask scheduler, DLAB_WORKERS how many worker processes of
one thread each (0: none, units run in threads of this process).
"""

import atexit
import json
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import dlab
from dlab.cache import folder
from dlab.engine import cost
from dlab.engine.compiled import be_small, most, resident, small
from dlab.engine.journal import remembered
from dlab.engine.lost import Lost
from dlab.engine.runs import PATIENCE, Runs
from dlab.params import BadInput
from dlab.study.place import THREADS, Here

LOG = logging.getLogger(__name__)
ROOM = 2 * 2**30  # bytes of free memory below which there is one worker, and all ceilings are lower
GROUPS = [  # what a container may hold, and what it holds, in both versions of Linux's control groups
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
]
QUICK = 6 * 2**30  # and from which small answers have a worker of their own
THREADED = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "65536"}
STARTS = 90.0  # seconds that workers may take to start

HERE = Here(remembered)
HERE.at_once, HERE.patience = 1, 0.0
BACK = 60.0  # seconds for which a run waits for a scheduler that has gone
_state = {"place": HERE, "runs": Runs(HERE.at_once, HERE.patience), "ready": None, "close": None, "said": "", "asked": (None, 0)}
_mending = threading.Lock()


def place():
    """Where the units of this process run now; waits for workers that are starting."""
    if (ready := _state["ready"]) is not None and threading.current_thread() is not _state.get("starter"):
        ready.wait(STARTS)
    return _state["place"]


def runs() -> Runs:
    """The runs of this process; they outlive its place."""
    return _state["runs"]


def said() -> str:
    """What went wrong when workers were started, else an empty sentence."""
    return _state["said"]


def mend(lost, tick) -> None:
    """Another place for `lost`, a pool whose scheduler is gone: new workers of this process, or of the scheduler once it is back; tick()
    is called meanwhile. The work goes on in this process where no new workers can be started. `Lost` where the scheduler stays away."""
    while not _mending.acquire(timeout=0.2):
        tick()
    try:
        if not threading.main_thread().is_alive():  # the process ends, and its workers with it
            raise Lost("The lab is being stopped; asked for again, the run goes on from what it had.")
        if _state["place"] is not lost or not lost.gone():  # another run has seen to it, or a unit alone was lost
            return
        scheduler, workers = _state["asked"]
        close, _state["close"] = _state["close"], None
        if close:
            close()
        end = time.monotonic() + BACK
        while True:
            tick()
            try:
                _connect(scheduler, workers, wait=2.0 if scheduler else STARTS)
                LOG.warning("the workers were lost; the work goes on with new ones")
                return
            except Exception as error:
                if not scheduler:
                    _state["said"] = f"The workers were lost and no new ones could be started ({error}); the work goes on in this process."
                    LOG.exception(_state["said"])
                    _take(HERE, THREADS, None)
                    return
                if time.monotonic() > end:
                    raise Lost(f"The Dask scheduler at {scheduler} is gone. Start it again and run again: the run goes on from what it had."
                               ) from None
            time.sleep(0.5)
    finally:
        _mending.release()


def start(scheduler: str | None = None, workers: int | None = None, wait: bool = True) -> None:
    """Choose the place of this process: a scheduler's address, else so many workers; see the environment for None.

    BadInput, where it waits, if the scheduler does not answer or none of its workers computes as this process does. Without `wait` a
    thread starts the place, and a failure is logged and leaves the work in this process.
    """
    scheduler = scheduler or os.environ.get("DLAB_SCHEDULER") or None
    _fit()
    workers = _count() if workers is None and not scheduler else workers
    stop()
    cost.remember()
    _state["asked"] = scheduler, workers
    if not scheduler and not workers:
        return
    if wait:
        _connect(scheduler, workers)
        return
    _state["ready"] = ready = threading.Event()
    runs().patience = PATIENCE  # of the workers to come: who asks before they are there keeps their run too

    def connect():
        try:
            _connect(scheduler, workers)
        except Exception as error:
            _state["said"] = str(error)
            _take(HERE, THREADS, None)
            LOG.exception("no workers could be started; the work stays in this process")
        finally:
            ready.set()

    _state["starter"] = threading.Thread(target=connect, daemon=True, name="dlab-workers")
    _state["starter"].start()


def stop() -> None:
    """End the workers of this process; its work is done here from then on."""
    close, _state["close"] = _state["close"], None
    _state.update(place=HERE, runs=Runs(HERE.at_once, HERE.patience), ready=None, said="", starter=None)
    cost.load["threads"] = THREADS
    if close:
        close()


def status() -> dict:
    """How this process is, without a word of what anybody does: {"memory" (resident bytes), "runs": [{"state", "done", "seconds"
    (since it began), "followers"}], "workers": [{"memory", "units" (finished, running, waiting there), "quick"}], "units" (under way),
    "said"}."""
    place, now = _state["place"], time.monotonic()
    runs = [
        {"state": r.state, "done": r.done, "seconds": now - r.begun if r.state == "running" else 0.0, "followers": len(r.followers)}
        for r in _state["runs"].under_way()
    ]
    theirs = {"workers": [], "units": 0} if place.near else place.report()
    return {"memory": resident(), "runs": runs, "said": _state["said"], **theirs}


def free_memory() -> float:
    """Bytes of memory that this machine, or the container that this process lives in, has left."""
    left = float("inf")
    with suppress(OSError, ValueError, StopIteration), open("/proc/meminfo") as lines:
        left = 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    for limit, used in GROUPS:
        with suppress(OSError, ValueError):  # "max" where there is no limit
            left = min(left, int(Path(limit).read_text()) - int(Path(used).read_text()))
    return left if left < float("inf") else float(ROOM)


def _fit() -> None:
    """Take the lower ceilings where little memory is free."""
    if small() or ("DLAB_SMALL" not in os.environ and free_memory() < ROOM):
        be_small()


def _count() -> int:
    if text := os.environ.get("DLAB_WORKERS"):
        try:
            return max(0, int(text))
        except ValueError:
            raise BadInput(f"DLAB_WORKERS = {text!r} is not a number; give how many worker processes there are to be.") from None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if small() else cores


def _connect(scheduler, workers, wait=STARTS) -> None:
    from dlab.engine.pool import Pool

    client, closing = _named(scheduler, min(wait, 10.0)) if scheduler else _local(workers)
    pool = None

    def close():
        for each in (*([pool.close] if pool else []), client.close, closing):
            with suppress(Exception):
                each()

    try:
        pool = Pool(client)
        pool.wanted()
        if not pool.workers:
            client.wait_for_workers(1, timeout=wait)
            pool.wanted()
    except TimeoutError:
        close()
        where = f"The scheduler at {scheduler}" if scheduler else "This process"
        how = "dask worker --preload dlab.engine.worker --nthreads 1"
        raise BadInput(f"{where} had no worker within {wait:.0f} s; start some: {how}.") from None
    except BaseException:
        close()
        raise
    atexit.register(close)
    _take(pool, max(1, len(pool.workers)), close)


def _take(place, threads, close) -> None:
    """Work in this place from now on. Runs stay: those who follow one see it go on."""
    cost.load["threads"] = threads
    runs = _state["runs"]
    runs.at_once, runs.patience = place.at_once, place.patience
    _state.update(place=place, close=close)


def _named(scheduler, timeout):
    import distributed

    try:
        if not scheduler.strip():
            raise ValueError("the address is empty")
        return distributed.Client(scheduler, timeout=timeout, set_as_default=False, name="dlab"), lambda: None
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise BadInput(
            f"No Dask scheduler answers at {scheduler!r} ({error or type(error).__name__}); give an address such as "
            "tcp://127.0.0.1:8786 where one listens, or leave it out."
        ) from None


def _local(workers):
    """Worker processes of this machine, which listen on loopback alone: see `cluster`. They end with this process."""
    import distributed

    process = subprocess.Popen(**_cluster(workers), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)

    def close():
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()

    try:
        address = json.loads(process.stdout.readline())["address"]
        return distributed.Client(address, timeout=30, set_as_default=False, name="dlab"), close
    except Exception:
        close()
        raise


def _cluster(workers: int, *more: str) -> dict:
    """The command that starts `cluster`, and its environment, as arguments of `subprocess`."""
    root = Path(dlab.__file__).parents[1]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [
        sys.executable, str(Path(__file__).with_name("cluster.py")), "--workers", str(workers), "--memory", str(most()),
        "--folder", str(folder() / "workers"), *(["--quick"] if workers > 1 and free_memory() >= QUICK else []), *more,
    ]  # fmt: skip
    return {"args": command, "env": {**os.environ, **THREADED, "PYTHONPATH": path, "DASK_LOGGING__DISTRIBUTED": "error"}}


def serve(workers: int | None, host: str, port: int):
    """Become the workers of this machine for other processes, until they are interrupted; the scheduler's address is printed."""
    _fit()
    how = _cluster(workers or _count() or 1, "--stay", "--host", host, "--port", str(port))
    os.execve(how["args"][0], how["args"], how["env"])
