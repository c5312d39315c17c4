"""Runs that sessions follow: each at most once however many ask for it, a few at a time, the others in a queue.

A run goes on in a thread of its own, which only hands units to a place and puts their results together. Whoever follows it sees what
there is. Where nobody has followed it for the place's `patience` it is left; what its units have given by then is in the journal.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from dlab.params import BadInput
from dlab.study.place import Left

ALONE = "alone"  # the session of a process that has no sessions
PATIENCE = 30.0  # seconds for which a run on workers goes on after its last follower has left
LOOK = 0.1  # seconds between two looks of a follower at its run
MOST, MINUTE = 300, 60.0  # runs that a session may begin in so many seconds; a slider that is dragged begins a few a second


class Run:
    """A run: `results` of start(tick), the newest in `latest`. state: waiting, running, done, failed or left."""

    def __init__(self, name: str, start: Callable, price: float, patience: Callable[[], float]):
        self.name, self.start, self.price, self.patience = name, start, price, patience
        self.state, self.latest, self.number, self.done, self.error = "waiting", None, 0, 0.0, None
        self.followers: set[str] = set()
        self.last, self.deserted, self.cancelled = "", None, False
        self.begun, self.moved = time.monotonic(), threading.Condition()

    def tick(self, done: float = 0.5) -> None:
        self.done = min(float(done), 1.0)
        if self.abandoned:
            raise Left

    @property
    def abandoned(self) -> bool:
        return self.cancelled or (self.deserted is not None and time.monotonic() - self.deserted >= self.patience())

    def go(self) -> None:
        self.begun = time.monotonic()
        try:
            for found in self.start(self.tick):
                self._tell(latest=found)
                self.tick(self.done)
            self._tell(state="done")
        except Left:
            self._tell(state="left")
        except BaseException as error:  # raised in those who follow
            self._tell(state="failed", error=error)

    def _tell(self, **changed) -> None:
        with self.moved:
            self.number += "latest" in changed
            for name, value in changed.items():
                setattr(self, name, value)
            self.moved.notify_all()


class Runs:
    """The runs of a process; `at_once` of them have their units under way, the others wait."""

    def __init__(self, at_once: int, patience: float):
        self.at_once, self.patience = at_once, patience
        self._runs: dict[str, Run] = {}
        self._begun: dict[str, deque[float]] = {}  # when each session began its last runs
        self._guard = threading.RLock()

    def follow(self, name: str, start: Callable, price: float, session: str, tick: Callable, waiting: Callable) -> Iterator:
        """What the run of this name gives, begun by start(tick) where it is not under way; tick(share done), and
        waiting() before, are called about ten times a second and may raise to stop following."""
        run = self._join(name, start, price, session)
        number, done = 0, False
        try:
            while not done:
                with run.moved:
                    if run.number == number and run.state in ("waiting", "running"):
                        run.moved.wait(LOOK)
                    fresh, number, latest, done = run.number > number, run.number, run.latest, run.state not in ("waiting", "running")
                if run.state == "waiting":
                    waiting()
                elif not done:
                    tick(run.done)
                if fresh:
                    yield latest
            if run.error is not None:
                raise run.error
            if run.state == "left":
                raise Left(f"The run was cancelled: {name}")
        finally:
            self._leave(run, session)

    def ahead_of(self, name: str) -> list[Run]:
        """The runs that are under way, and those that wait before the one of this name."""
        with self._guard:
            waiting = [r for r in self._runs.values() if r.state == "waiting"]
            before = next((i for i, r in enumerate(waiting) if r.name == name), 0)
            return [r for r in self._runs.values() if r.state == "running"] + waiting[:before]

    def cancel(self, session: str) -> None:
        """Cancel what this session alone follows, or has followed last."""
        with self._guard:
            for run in self._runs.values():
                if run.followers <= {session} and (session in run.followers or run.last == session):
                    run.cancelled = True
        self._advance()

    def under_way(self) -> list[Run]:
        with self._guard:
            return [r for r in self._runs.values() if r.state in ("waiting", "running")]

    def _join(self, name, start, price, session) -> Run:
        with self._guard:
            run = self._runs.get(name)
            if run is None or run.abandoned or run.state in ("left", "failed", "done"):
                self._allow(session)
                run = self._runs[name] = Run(name, start, price, lambda: self.patience)
            run.followers.add(session)
            run.deserted, run.last = None, session
            for other in self._runs.values():  # one at a time for each session
                if other is not run and not other.followers and other.last == session:
                    other.cancelled = True
        self._advance()
        return run

    def _allow(self, session) -> None:
        """BadInput where a session begins more runs than a person does."""
        if session == ALONE:
            return
        now = time.monotonic()
        for name in [name for name, its in self._begun.items() if now - its[-1] > MINUTE]:
            del self._begun[name]
        its = self._begun.setdefault(session, deque(maxlen=MOST))
        if len(its) == MOST and now - its[0] < MINUTE:
            left = math.ceil(MINUTE - (now - its[0]))
            raise BadInput(f"{MOST} runs were begun here within a minute, the most that the lab takes; wait {left} seconds.")
        its.append(now)

    def _leave(self, run, session) -> None:
        with self._guard:
            run.followers.discard(session)
            if not run.followers:
                run.deserted = time.monotonic()
        if run.state == "running" and run.abandoned:  # whoever asks next finds the machine free
            with run.moved:
                run.moved.wait_for(lambda: run.state != "running", timeout=2.0)
        self._advance()

    def _advance(self) -> None:
        """Begin what there is room for."""
        with self._guard:
            for name, run in list(self._runs.items()):
                if run.state == "waiting" and run.abandoned:
                    run._tell(state="left")
                if run.state not in ("waiting", "running") and not run.followers:
                    del self._runs[name]
            busy = sum(r.state == "running" for r in self._runs.values())
            for run in [r for r in self._runs.values() if r.state == "waiting"][: max(0, self.at_once - busy)]:
                run.state = "running"
                threading.Thread(target=self._whole, args=(run,), daemon=True, name="dlab-run").start()

    def _whole(self, run) -> None:
        try:
            run.go()
        finally:
            with suppress(Exception):
                self._advance()
