"""What a process may hold of memory: its ceilings, with small numbers."""

import os

import jax
import numpy as np
import pytest

from dlab import engine
from dlab.engine import compiled, places, tasks
from dlab.study import memory


@pytest.fixture(autouse=True)
def afresh(monkeypatch):
    monkeypatch.setattr(compiled, "_least", 0.0)
    monkeypatch.setattr(tasks, "_ending", [])


def test_the_memory_of_this_process_is_seen():
    before = compiled.resident()
    taken = np.ones(8_000_000)
    assert compiled.resident() - before > 0.8 * taken.nbytes
    assert before > 50e6


def test_a_process_that_holds_too_much_forgets_what_it_compiled(monkeypatch):
    held = [0.9e9]
    monkeypatch.setattr(compiled, "resident", lambda: held[0])
    double = jax.jit(lambda x: 2 * x)
    assert double(3) == 6
    assert not engine.forget_compiled(share=1)
    held[0] = 1.1e9
    assert double._cache_size() == 1
    assert engine.forget_compiled(share=1)
    assert double._cache_size() == 0
    # What else it holds is no reason to forget at every unit.
    assert not engine.forget_compiled(share=1)
    held[0] *= 1.1
    assert not engine.forget_compiled(share=1)
    held[0] *= 1.2
    assert engine.forget_compiled(share=1)


def test_the_ceilings_leave_a_study_what_it_may_take(monkeypatch):
    assert compiled.FORGET < compiled.RESTART
    for gib in (0.5, 2, 8):
        monkeypatch.setenv("DLAB_MEMORY", str(gib))
        assert compiled.most() == pytest.approx(compiled.RESTART + memory.limit())
        assert compiled.most() > gib * memory.GIB


def test_a_small_machine_has_lower_ceilings_and_one_worker(monkeypatch):
    for name in ("FORGET", "RESTART"):
        monkeypatch.setattr(compiled, name, getattr(compiled, name))
    for name in (*compiled.SMALL, "DLAB_WORKERS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)  # what the code sets goes with the test
    free = [places.ROOM + 1.0]
    monkeypatch.setattr(places, "free_memory", lambda: free[0])
    asked = []
    monkeypatch.setattr(places, "_connect", lambda scheduler, workers: asked.append(workers))
    before = compiled.most()
    places.start()
    free[0] -= 2
    assert asked == [len(os.sched_getaffinity(0))]
    assert compiled.most() == before
    monkeypatch.setenv("DLAB_SMALL", "0")  # whoever says so keeps the others
    places.start()
    assert asked[1:] == [len(os.sched_getaffinity(0))]
    monkeypatch.delenv("DLAB_SMALL")
    monkeypatch.setattr(places.os, "execve", lambda *how: asked.append(how[1][how[1].index("--workers") + 1]))
    places.serve(None, "127.0.0.1", 0)
    assert asked[2:] == ["1"]
    places.start()
    assert asked[3:] == [1]
    assert compiled.FORGET < compiled.RESTART < 0.6e9
    assert compiled.most() < before / 3
    assert memory.limit() == 0.5 * memory.GIB


def test_a_container_has_no_more_memory_than_its_limit(monkeypatch, tmp_path):
    most, used = tmp_path / "most", tmp_path / "used"
    monkeypatch.setattr(places, "GROUPS", [(most, used)])
    machine = places.free_memory()
    most.write_text("max\n")
    used.write_text("400\n")
    assert places.free_memory() == pytest.approx(machine, rel=0.2)
    most.write_text("1000\n")
    assert places.free_memory() == 600


class Worker:
    """A worker of Dask, as `tasks` knows it."""

    def __init__(self, held=(), nanny="tcp://nanny"):
        self.nanny, self.calls, self.loop = nanny, [], self
        self.state = type("State", (), {"tasks": {i: type("Task", (), {"state": s, "nbytes": n}) for i, (s, n) in enumerate(held)}})
        self.close_gracefully = "close"

    def call_later(self, delay, function, **how):
        assert delay == tasks.AWAY
        self.calls.append((function, how["restart"]))


@pytest.mark.parametrize("resident, held, nanny, restarted", [
    (1.3e9, (), "tcp://nanny", False),
    (1.5e9, (), "tcp://nanny", True),
    (1.5e9, (("memory", 3e8),), "tcp://nanny", False),  # results of a run under way, which is to have them
    (1.5e9, (("released", 3e8),), "tcp://nanny", True),
    (9.9e9, (), None, False),  # nobody would start it anew
])  # fmt: skip
def test_a_worker_above_its_ceiling_is_started_anew_once(monkeypatch, resident, held, nanny, restarted):
    monkeypatch.setattr(compiled, "resident", lambda: resident)
    worker = Worker(held, nanny)
    for _ in range(3):
        tasks._recycle(worker)
    assert worker.calls == [("close", True)] * restarted
    assert bool(tasks._ending) == restarted
