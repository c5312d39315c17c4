"""Where the units of a study run: in threads of this process here, elsewhere in `dlab.engine`.

A place opens a `Work` for a run. work.submit(function, *args) runs function(study, *args, tick=...), a pure function of the lab, and
gives a future; one that holds its result leaves it where it was made: what stands in the future is then good for nothing but to be
the argument of another unit.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future

from dlab.study.spec import Study

THREADS = 2  # XLA uses one core for each


class Left(Exception):
    """Ends a unit of a run that has been left."""


class Tick:
    """What a unit calls as it goes on: tick() or tick(share done), which raises `Left` once its run has been left; tick.give(value) hands
    over what there is on the way."""

    def __init__(self, moved: Callable[[float], None], give: Callable[[object], None]):
        self._moved, self.give = moved, give

    def __call__(self, done: float = 0.5) -> None:
        self._moved(done)


class Work(ABC):
    """What one run has under way; a context, and leaving it ends what is left.

    spent   particle-steps done, with those of units that are still running
    given   what units have handed over on the way, the oldest first
    ran     how many units ran where
    busy    seconds that finished units have taken
    """

    def __init__(self):
        self.given, self.ran, self.busy, self._shares = deque(), Counter(), 0.0, {}

    @property
    def spent(self) -> float:
        return sum(list(self._shares.values()))

    @abstractmethod
    def submit(self, function: Callable, *args, price: float = 0, hold: bool = False, ahead: bool = False) -> Future:
        """ahead: before what the run has submitted so far."""

    @abstractmethod
    def wait(self) -> None:
        """Until something has happened, a tenth of a second at most."""

    def __enter__(self) -> "Work":
        return self

    @abstractmethod
    def __exit__(self, *failure) -> None: ...


class Threads(Work):
    """Units in threads of this process."""

    def __init__(self, study: Study, count: int, call: Callable):
        super().__init__()
        self.study, self._call, self._queue, self._moved, self._left = study, call, deque(), threading.Condition(), False
        self._threads = [threading.Thread(target=self._serve, daemon=True, name=f"dlab-unit-{i}") for i in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, function, *args, price=0, hold=False, ahead=False) -> Future:
        future = Future()
        with self._moved:
            (self._queue.appendleft if ahead else self._queue.append)((future, function, args, price))
            self._moved.notify_all()
        return future

    def wait(self) -> None:
        with self._moved:
            self._moved.wait(0.1)

    def _serve(self) -> None:
        while True:
            with self._moved:
                while not self._queue and not self._left:
                    self._moved.wait()
                if self._left:
                    return
                future, function, args, price = self._queue.popleft()
            if future.set_running_or_notify_cancel():
                self._run(future, function, args, price)
            with self._moved:
                self._moved.notify_all()

    def _run(self, future, function, args, price) -> None:
        def moved(done):
            self._shares[future] = done * price
            if self._left:
                raise Left

        begun = time.monotonic()
        try:
            found = self._call(function, self.study, *args, tick=Tick(moved, self.given.append))
        except BaseException as error:  # raised where the result is asked for
            future.set_exception(error)
        else:
            self._shares[future] = price
            self.ran["here"] += 1
            self.busy += time.monotonic() - begun
            future.set_result(found)

    def __exit__(self, *failure) -> None:
        with self._moved:
            self._left = True
            self._queue.clear()
            self._moved.notify_all()
        for thread in self._threads:
            thread.join()


def called(function: Callable, study: Study, *args, tick: Tick):
    """A unit, run as it is."""
    return function(study, *args, tick=tick)


class Here:
    """This process: what Python, the shell and the tests use unless they are told otherwise. call: see `called`."""

    near = True  # what a future holds is in this process

    def __init__(self, call: Callable = called):
        self.call = call

    def open(self, study: Study) -> Work:
        # In three dimensions LAPACK runs inside compiled code, and two threads of it deadlock (see linop).
        return Threads(study, THREADS if not study.vary and study.built.dim <= 2 else 1, self.call)


HERE = Here()
