"""Units on the workers of a Dask scheduler, run by run in turn, so that a long run does not hold up a short one.

Few units are under way at a time, two for each worker: the others wait here, where their order can still change. Dask knows where the
data of each are and begins a unit anew elsewhere when a worker dies. A unit asks for a resource that workers of these numerics alone
have (`identity.label`), and not for a worker by its address, which a worker that is started anew does not have any more.
"""

import json
import logging
import pickle
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager

from dlab import pictures
from dlab.engine import identity, tasks
from dlab.engine.lost import Lost
from dlab.engine.runs import PATIENCE
from dlab.params import BadInput
from dlab.study import Study
from dlab.study.place import Work

LOG = logging.getLogger(__name__)
DEPTH = 2  # units under way for each worker, so that none waits for the next
LOOK = 2.0  # seconds between two looks at which workers there are
QUICKLY = 30.0  # seconds after which a small answer is computed here


def _unpacking():
    """What workers are asked to call. The scheduler unpickles each task that it is given: this is a function that no module holds, of
    bytes, so that it need not import the lab and JAX (150 MB, and seconds in which it would answer nobody)."""

    def perform(packed: bytes, *held):
        import pickle

        function, args = pickle.loads(packed)
        return function(*args, *held)

    return perform


PERFORM = _unpacking()


def _packed(*args) -> bytes:
    return pickle.dumps((tasks.perform, args))


class Pool:
    """A place (see `study.place`) on a Dask client's workers. Those of other numerics than this process get nothing."""

    near = False
    patience = PATIENCE

    def __init__(self, client):
        self.client, self.topic = client, f"dlab-{uuid.uuid4().hex[:12]}"
        self._turn: deque[PoolWork] = deque()
        self._units: dict[str, tuple[PoolWork, float, Future]] = {}
        self._guard = threading.RLock()
        self._workers, self._quick, self._refused, self._looked = [], [], {}, -LOOK
        self.lost, self._id = False, None  # whether its scheduler is gone; which scheduler that is
        client.subscribe_topic(self.topic, self._event)
        self.look()

    @property
    def at_once(self) -> int:
        """Runs that have units under way together."""
        return 2 + 2 * len(self._workers)

    def open(self, study: Study) -> "PoolWork":
        return PoolWork(self, study)

    def quick(self, function: Callable, study: Study, *args):
        """The value of a small job, before all others; on a worker of its own where there is one, and here where no worker answers."""
        where = {"resources": {identity.QUICK: 1}} if self._quick else {"resources": {identity.label(): 1}, "priority": 100}
        try:
            packed = _packed(function, _text(study), args, "", uuid.uuid4().hex, self.topic)
            future = self.client.submit(PERFORM, packed, pure=False, **where)
            return future.result(timeout=QUICKLY)
        except BadInput:
            raise
        except Exception as error:
            LOG.warning("a small answer is computed in this process, since no worker gave it (%s)", error or type(error).__name__)
            return function(study, *args)

    # ------------------------------------------------------------ workers

    def look(self) -> None:
        """See which workers there are, and whether they compute as this process does."""
        if time.monotonic() - self._looked < LOOK:
            return
        self._looked = time.monotonic()
        if self.client.status != "running":
            self.lost = True
            return
        info = self.client.scheduler_info(n_workers=-1)
        self._id = self._id or info.get("id")
        self.lost |= info.get("id") != self._id  # another one at the same address knows nothing of these units
        found = {address: its.get("resources") or {} for address, its in info["workers"].items()}
        with self._guard:
            self._workers = [a for a, its in found.items() if identity.label() in its]
            self._quick = [a for a, its in found.items() if identity.QUICK in its]
            self._refused = {a: why for a, why in self._refused.items() if a in found}
        if new := [a for a in found if a not in {*self._workers, *self._quick, *self._refused}]:
            for address, its in self.client.run(identity.identity, workers=new, on_error="return").items():
                self._refused[address] = identity.difference(address, its)
                LOG.warning(self._refused[address])

    def report(self) -> dict:
        """What workers hold and have to do, and how many units of this process are under way."""
        found = {}
        with self._trying():
            found = self.client.scheduler_info(n_workers=-1)["workers"]
        metrics = {a: its["metrics"] for a, its in found.items() if a in self.workers}
        workers = [
            {"memory": its.get("memory", 0), "units": sum(its.get("task_counts", {}).values()), "quick": a in self._quick}
            for a, its in metrics.items()
        ]  # fmt: skip
        with self._guard:
            return {"workers": workers, "units": len(self._units)}

    def gone(self) -> bool:
        """Whether the scheduler is gone, as far as can be seen now."""
        self._looked = -LOOK
        with self._trying():
            self.look()
        return self.lost

    def wanted(self) -> None:
        """BadInput where no worker can be used."""
        if not self._workers:
            self._looked = -LOOK
            self.look()
        if not self._workers and self._refused:
            raise BadInput(next(iter(self._refused.values())))

    @property
    def workers(self) -> list[str]:
        return [*self._workers, *self._quick]

    # ------------------------------------------------------------ units

    def advance(self) -> None:
        """Give units to workers that have room, one of each run in turn."""
        with self._trying():
            self.look()
        with self._guard:
            room = 0 if self.lost else DEPTH * len(self._workers) - len(self._units)
            idle = 0
            while room > 0 and self._turn and idle < len(self._turn):
                work = self._turn[0]
                self._turn.rotate(-1)
                if not work.queue:
                    idle += 1
                    continue
                idle, room = 0, room - 1
                self._begin(work, *work.queue.popleft())

    @contextmanager
    def _trying(self):
        """What Dask raises inside means that the scheduler does not answer."""
        try:
            yield
        except Exception as error:
            if not self.lost:
                LOG.warning("the scheduler of the workers does not answer: %s", error or type(error).__name__)
            self.lost = True

    def _begin(self, work, future, function, args, price, hold):
        if not future.set_running_or_notify_cancel():
            return
        unit = uuid.uuid4().hex
        self._units[unit] = work, price, future
        # What other units hold stands last, where Dask finds it.
        held = [a for a in args if _is_future(a)]
        plain = tuple(a for a in args if not _is_future(a))
        try:
            packed = _packed(function, work.text, plain, work.name, unit, self.topic)
            theirs = self.client.submit(
                PERFORM, packed, *held, key=f"{function.__name__}-{unit}", pure=False, resources={identity.label(): 1}, priority=0,
            )  # fmt: skip
        except Exception as error:  # what it holds is gone with its scheduler
            self._units.pop(unit)
            work.failed(unit, future, Lost(f"{LOST} ({error or type(error).__name__})"))
            return
        work.theirs[unit] = theirs
        theirs.add_done_callback(lambda done: self._ended(unit, done, hold))

    def _ended(self, unit, theirs, hold) -> None:
        try:
            # Its data may lie on a worker that has died since: Dask then computes it anew, however long that takes.
            found, error = theirs if hold and theirs.status == "finished" else theirs.result(), None
        except BaseException as raised:
            found, error = None, raised
        with self._guard:
            work, price, future = self._units.pop(unit, (None, 0, None))
        if work is None:
            return
        if error is not None:
            work.failed(unit, future, error)
        else:
            work.ended(unit, future, price, found, hold)
        self.advance()

    def _event(self, event) -> None:
        _, what = event
        with self._guard:
            work = next((w for w in self._turn if w.name == what["run"]), None)
            _, price, _ = self._units.get(what["unit"], (None, 0, None))
        if work is not None:
            work.event(what, price)

    def drop(self, work) -> None:
        """Forget a run's units, and end those under way."""
        with self._guard:
            self._turn.remove(work)
            work.queue.clear()
            its = [unit for unit, (other, *_) in self._units.items() if other is work]
            for unit in its:
                self._units.pop(unit)
        if its and not self.lost:
            with self._trying():
                self.client.run(tasks.leave, work.name, workers=self._workers, wait=False, on_error="ignore")
                self.client.cancel([work.theirs[unit] for unit in its if unit in work.theirs], asynchronous=False)
        self.advance()

    def close(self) -> None:
        self.lost = True
        self.client.unsubscribe_topic(self.topic)


class PoolWork(Work):
    """What one run has on a pool."""

    def __init__(self, pool: Pool, study: Study):
        super().__init__()
        self.pool, self.text, self.name = pool, _text(study), uuid.uuid4().hex
        self.queue, self.theirs, self._moved = deque(), {}, threading.Condition()
        with pool._guard:
            pool._turn.append(self)

    def submit(self, function, *args, price=0, hold=False, ahead=False) -> Future:
        future = Future()
        with self.pool._guard:
            (self.queue.appendleft if ahead else self.queue.append)((future, function, args, price, hold))
        self.pool.advance()
        return future

    def wait(self) -> None:
        with self._moved:
            self._moved.wait(0.1)
        self.pool.advance()
        if self.pool.lost:  # these units will not be given any more
            with self.pool._guard:
                waiting, its = list(self.queue), [unit for unit, (work, *_) in self.pool._units.items() if work is self]
                self.queue.clear()
                begun = [(unit, self.pool._units.pop(unit)[2]) for unit in its]
            for unit, future in [*begun, *(("", each[0]) for each in waiting)]:
                self.failed(unit, future, Lost(LOST))

    def event(self, what, price) -> None:
        with self._moved:
            if "done" in what and price:
                self._shares[what["unit"]] = price * what["done"]
            elif "given" in what:
                self.given.append(json.loads(what["given"]))
            elif "where" in what:
                self.ran[what["where"]] += 1
                self.busy += what["seconds"]
            self._moved.notify_all()

    def ended(self, unit, future, price, found, hold) -> None:
        with self._moved:
            self._shares[unit] = price
            if not hold:
                self.theirs.pop(unit, None)  # Dask may forget what is here now
            future.set_result(found)
            self._moved.notify_all()

    def failed(self, unit, future, error) -> None:
        with self._moved:
            future.set_exception(_plainly(error))
            self._moved.notify_all()

    def __exit__(self, *failure) -> None:
        self.pool.drop(self)
        self.theirs.clear()


LOST = "The scheduler of the workers is gone, or has lost a part of this run; asked for again, the run goes on from what it had"


def _plainly(error: BaseException) -> BaseException:
    """An error of Dask's own, in one sentence; others as they are."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return RuntimeError(
            f"A part of this run has ended {error.allowed_failures + 1} worker processes that held it: they may lack memory. "
            "Ask for fewer particles or give the workers more."
        )
    return Lost(LOST) if isinstance(error, CancelledError) else error


def _is_future(value) -> bool:
    from distributed import Future as Theirs

    return isinstance(value, Theirs)


def _text(study: Study) -> str:
    from dlab.cache import dumps

    if not isinstance(study.target, dict):
        raise BadInput("A target from Python has no study file, so its study cannot run in another process; run it here.")
    asked = study.to_json()
    if study.target["name"] == "images" and (data := study.target.get("data", "digits")) not in ("digits", "mnist"):
        # A worker does not know where the study file lies, nor from where the command was started.
        folder = pictures.home() / data
        asked["target"] = {**study.target, "data": data if folder.is_dir() else str(pictures._place(data).resolve())}
    return dumps(asked)
