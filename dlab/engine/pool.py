"""Units on the workers of a Dask scheduler, run by run in turn, so that a long run does not hold up a short one.

Few units are under way at a time, two for each worker: the others wait here, where their order can still change. Dask knows where the
data of each are and begins a unit anew elsewhere when a worker dies.
"""

import json
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from dlab.engine import tasks
from dlab.params import BadInput
from dlab.study import Study
from dlab.study.place import Work

LOG = logging.getLogger(__name__)
DEPTH = 2  # units under way for each worker, so that none waits for the next
QUICK, BATCH = "dlab-quick", "dlab-batch"  # resources of workers: those for small answers alone, and those for runs
LOOK = 2.0  # seconds between two looks at which workers there are


class Pool:
    """A place (see `study.place`) on a Dask client's workers. Those of other numerics than this process get nothing."""

    near = False
    patience = 30.0  # seconds for which a run goes on after its last follower has left

    def __init__(self, client, ours: bool = False):
        """ours: the workers were started by this process, from the same clone."""
        self.ours = ours
        self.client, self.topic = client, f"dlab-{uuid.uuid4().hex[:12]}"
        self._turn: deque[PoolWork] = deque()
        self._units: dict[str, tuple[PoolWork, float, Future]] = {}
        self._guard = threading.RLock()
        self._workers, self._quick, self._refused, self._looked = [], [], {}, 0.0
        client.subscribe_topic(self.topic, self._event)
        self.look()

    @property
    def at_once(self) -> int:
        """Runs that have units under way together."""
        return 2 + 2 * len(self._workers)

    def open(self, study: Study) -> "PoolWork":
        return PoolWork(self, study)

    def quick(self, function: Callable, study: Study, *args):
        """The value of a small job, before all others; on a worker of its own where there is one."""
        where = {"workers": self._quick} if self._quick else {"workers": self._workers, "priority": 100}
        future = self.client.submit(
            tasks.perform, function, _text(study), args, "", uuid.uuid4().hex, self.topic, pure=False, allow_other_workers=True, **where
        )  # fmt: skip
        return future.result(timeout=120)

    # ------------------------------------------------------------ workers

    def look(self) -> None:
        """See which workers there are, and whether new ones compute as this process does."""
        if time.monotonic() - self._looked < LOOK:
            return
        self._looked = time.monotonic()
        found = self.client.scheduler_info(n_workers=-1)["workers"]
        new = [a for a in found if a not in {*self._workers, *self._quick, *self._refused}]
        if new and not self.ours:
            from dlab.engine import worker

            mine = worker.identity()
            for address, its in self.client.run(worker.identity, workers=new, on_error="return").items():
                if its != mine:
                    self._refused[address] = worker.difference(address, its, mine)
                    LOG.warning(self._refused[address])
        with self._guard:
            good = [a for a in found if a not in self._refused]
            self._quick = [a for a in good if QUICK in found[a].get("resources", {})]
            self._workers = [a for a in good if a not in self._quick]

    def wanted(self) -> None:
        """BadInput where no worker can be used."""
        if not self._workers:
            self._looked = 0.0
            self.look()
        if not self._workers and self._refused:
            raise BadInput(next(iter(self._refused.values())))

    @property
    def workers(self) -> list[str]:
        return [*self._workers, *self._quick]

    # ------------------------------------------------------------ units

    def advance(self) -> None:
        """Give units to workers that have room, one of each run in turn."""
        self.look()
        with self._guard:
            room = DEPTH * len(self._workers) - len(self._units)
            idle = 0
            while room > 0 and self._turn and idle < len(self._turn):
                work = self._turn[0]
                self._turn.rotate(-1)
                if not work.queue:
                    idle += 1
                    continue
                idle, room = 0, room - 1
                self._begin(work, *work.queue.popleft())

    def _begin(self, work, future, function, args, price, hold):
        if not future.set_running_or_notify_cancel():
            return
        unit = uuid.uuid4().hex
        self._units[unit] = work, price, future
        # What other units hold stands last, where Dask finds it.
        held = [a for a in args if _is_future(a)]
        plain = tuple(a for a in args if not _is_future(a))
        theirs = self.client.submit(
            tasks.perform, function, work.text, plain, work.name, unit, self.topic, *held, key=f"{function.__name__}-{unit}", pure=False,
            workers=self._workers, allow_other_workers=False, priority=0,
        )  # fmt: skip
        work.theirs[unit] = theirs
        theirs.add_done_callback(lambda done: self._ended(unit, done, hold))

    def _ended(self, unit, theirs, hold) -> None:
        with self._guard:
            work, price, future = self._units.pop(unit, (None, 0, None))
        if work is None:
            return
        try:
            found = theirs if hold and theirs.status == "finished" else theirs.result(timeout=60)
        except BaseException as error:
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
            its = [unit for unit, (other, *_) in self._units.items() if other is work]
            for unit in its:
                self._units.pop(unit)
        if its:
            self.client.run(tasks.leave, work.name, workers=self._workers, wait=False, on_error="ignore")
            self.client.cancel([work.theirs[unit] for unit in its], asynchronous=False)
        self.advance()

    def close(self) -> None:
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
        if not self.pool._workers:
            self.pool.advance()

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
            if isinstance(error, CancelledError):
                error = RuntimeError("the scheduler has lost a unit of this run")
            future.set_exception(error)
            self._moved.notify_all()

    def __exit__(self, *failure) -> None:
        self.pool.drop(self)
        self.queue.clear()
        self.theirs.clear()


def _is_future(value) -> bool:
    from distributed import Future as Theirs

    return isinstance(value, Theirs)


def _text(study: Study) -> str:
    from dlab.cache import dumps

    if not isinstance(study.target, dict):
        raise BadInput("A target from Python has no study file, so its study cannot run in another process; run it here.")
    return dumps(study.to_json())
