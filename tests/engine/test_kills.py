"""What dies in the middle of runs: workers, a scheduler, the process that asks. The numbers are those of an undisturbed run."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import workers
from cases import GAUSSIAN

from dlab import engine
from dlab.engine import places
from dlab.engine.lost import Lost
from dlab.params import BadInput
from dlab.study import Study

pytestmark = [pytest.mark.slow, pytest.mark.long]
STUDY = Study.from_json(
    {"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5, 0.25], "T": 1.0, "particles": 4096, "estimator": "projected"}
)  # fmt: skip
CLUSTER = Path(places.__file__).with_name("cluster.py")
ROOT = CLUSTER.parents[2]


def queue(count):
    return [replace(STUDY, seed=100 + i) for i in range(count)]


def killed(pool, studies, kills, seed=0):
    """The rows of studies that are asked for together, while so many times a worker is killed at random.

    Between two kills some unit is finished, and some more time passes, in the measure of what that takes here: a unit whose workers die
    again and again, even while it waits there, is given up.
    """
    chance, asked = random.Random(seed), [workers.Asked(s, f"s{i}") for i, s in enumerate(studies)]
    done, finished, pace, last = 0, -1, 1.0, time.monotonic()
    while done < kills and any(a.is_alive() for a in asked):
        workers.until(
            lambda before=finished: workers.computed(places.folder()) > before or not any(a.is_alive() for a in asked), 2 * workers.SOON
        )
        pace = min(max(pace, time.monotonic() - last), 10.0)
        time.sleep(chance.uniform(0.0, 2 * pace))
        finished = workers.computed(places.folder())
        if its := list(workers.pids(pool).values()):
            try:
                os.kill(chance.choice(its), signal.SIGKILL)
                done, last = done + 1, time.monotonic()
            except ProcessLookupError:
                continue
    return [a.rows() for a in asked], done


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    with workers.working(tmp_path_factory.mktemp("cache") / "lab") as pool:
        yield pool


def test_three_kills_leave_the_numbers_as_they_are(pool):
    studies = queue(3)
    rows, done = killed(pool, studies, 3)
    assert done >= 1
    assert rows == [workers.alone(s) for s in studies]


@pytest.mark.long
def test_fifty_kills_leave_the_numbers_of_twenty_studies_as_they_are(pool):
    studies, done, seed = [replace(s, particles=16384, steps=(4, 8, 16)) for s in queue(20)], 0, 0
    rows, done = killed(pool, studies, 50)
    while done < 50:  # the queue was shorter than its kills
        seed += 1
        more = [replace(s, seed=1000 * seed + i) for i, s in enumerate(studies)]
        again, some = killed(pool, more, 50 - done, seed)
        studies, rows, done = studies + more, rows + again, done + some
    assert rows == [workers.alone(s) for s in studies]


def test_a_worker_that_dies_costs_what_it_was_computing(pool):
    """What is computed anew is what was under way: the journal has the rest."""
    one, folder = replace(STUDY, particles=16384, steps=(8, 16), seed=9), places.folder()
    before, asked = workers.computed(folder), workers.Asked(one, "s")
    workers.until(lambda: workers.computed(folder) > before or not asked.is_alive())
    workers.kill(pool)
    assert asked.rows() == workers.alone(one)
    assert engine.kept(one)["rows"] == asked.rows()


def test_workers_of_this_process_that_are_lost_are_replaced_by_new_ones(pool):
    """Scheduler and nannies die with the process that holds them; the run goes on, and the next finds the new workers."""
    one = replace(STUDY, particles=16384, seed=11)
    asked = workers.Asked(one, "s")
    workers.until(lambda: pool._units or not asked.is_alive())
    os.kill(pid_of_the_scheduler(pool), signal.SIGKILL)
    assert asked.rows() == workers.alone(one)
    assert places.place() is not pool
    assert not places.said()
    two = replace(STUDY, seed=12)
    assert workers.Asked(two, "s").rows() == workers.alone(two)


def pid_of_the_scheduler(pool) -> int:
    return pool.client.run_on_scheduler(os.getpid)


def test_where_no_new_workers_start_the_work_goes_on_in_this_process(tmp_path, monkeypatch):
    """Beside the pool of the other tests, which has been taken down by then."""
    places.stop()
    with workers.working(tmp_path / "lab", workers=1) as lost:

        def refuse(*args):
            raise OSError("no more processes")

        monkeypatch.setattr(places, "_local", refuse)
        asked = workers.Asked(STUDY, "s")
        workers.until(lambda: lost._units or not asked.is_alive())
        os.kill(pid_of_the_scheduler(lost), signal.SIGKILL)
        assert asked.rows() == workers.alone(STUDY)
        assert places.place() is places.HERE
        assert "no more processes" in places.said()
        assert workers.Asked(replace(STUDY, seed=5), "s").rows()


# ---------------------------------------------------------------- a named scheduler


@contextmanager
def scheduler(folder, port=0):
    """A cluster in a process of its own: its address and process."""
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    with subprocess.Popen(
        [sys.executable, str(CLUSTER), "--workers", "1", "--port", str(port), "--folder", str(folder)],
        env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield json.loads(process.stdout.readline())["address"], process
        finally:
            process.kill()


def test_a_scheduler_that_dies_is_told_in_one_sentence_and_the_run_goes_on_with_the_next(tmp_path, monkeypatch):
    places.stop()
    with workers.cache(tmp_path / "lab") as folder:
        monkeypatch.setattr(places, "BACK", 3.0)
        one = replace(STUDY, particles=16384, steps=(8, 16), seed=21)
        with scheduler(tmp_path / "first") as (address, process):
            places.start(address)
            try:
                asked = workers.Asked(one, "s")
                workers.until(lambda: workers.computed(folder) or not asked.is_alive())
                process.kill()
                asked.join(workers.SOON)
                assert not asked.is_alive()
                if asked.raised:  # else it was over before
                    assert isinstance(asked.raised, Lost)
                    assert address in str(asked.raised)
                    assert "\n" not in str(asked.raised)
                had = workers.computed(folder)
                port = int(address.rsplit(":", 1)[1])
                with scheduler(tmp_path / "second", port) as (again, _):
                    assert again == address
                    rows = workers.Asked(one, "s").rows()
                    assert rows == workers.alone(one)
                    assert had <= workers.computed(folder)
            finally:
                places.stop()


def test_a_scheduler_that_does_not_answer_is_said_so_at_once():
    with pytest.raises(BadInput, match=r"127\.0\.0\.1:9"):
        places.start("tcp://127.0.0.1:9")
    assert places.place() is places.HERE


# ---------------------------------------------------------------- the process that asks

ASKS = """
import sys
from dlab import engine
from dlab.engine import places
from dlab.study import Study
if __name__ == "__main__":
    engine.keep_compiled()
    places.start(workers=int(sys.argv[2]))
    print("up", flush=True)
    for found in engine.stream(Study.from_json(sys.argv[1])):
        print(found["done"], flush=True)
    places.stop()
"""


@pytest.mark.parametrize("count", [0, 1])
def test_a_process_that_is_killed_leaves_a_run_that_the_next_goes_on_with(tmp_path, count):
    one = replace(STUDY, particles=16384, steps=(8, 16), seed=31)
    with workers.cache(tmp_path / "lab") as folder:
        process = subprocess.Popen(
            [sys.executable, "-c", ASKS, json.dumps(one.to_json()), str(count)], cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        workers.until(lambda: workers.computed(folder) or process.poll() is not None)
        process.kill()
        process.wait()
        workers.until(lambda: not left_behind(folder))  # they notice
        had = workers.computed(folder)
        assert had > 0
        from dlab.engine import journal

        kept, keep = [], journal.CACHE.keep
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(journal.CACHE, "keep", lambda name, *rest: kept.append(name) or keep(name, *rest))
            rows = workers.Asked(one, "s").rows()
        assert rows == workers.alone(one)
        # The others were read.
        assert len(kept) == len(set(kept))
        assert workers.computed(folder) == had + len(kept)


def left_behind(folder) -> list[int]:
    """Worker processes that still have this cache folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if f"DLAB_CACHE={folder}".encode() in (each / "environ").read_bytes().split(b"\0") and int(each.name) != os.getpid():
                found.append(int(each.name))
        except OSError:
            continue
    return found
