"""Studies on worker processes: the numbers of this process, beside one another, and ended when nobody wants them."""

import threading
import time
from dataclasses import replace

import pytest
import workers
from cases import GAUSSIAN, SKEW

from dlab import engine, study
from dlab.answers import learned_score
from dlab.engine import compiled, identity, places, tasks
from dlab.export import movies
from dlab.params import BadInput
from dlab.study import Study
from dlab.study.place import Left

pytestmark = pytest.mark.slow
SHORT = Study.from_json(
    {"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5, 0.25], "T": 1.0, "particles": 2048, "estimator": "projected"}
)  # fmt: skip
LONG = replace(SHORT, steps=(64, 128, 256), particles=65536, seed=7)
SMALL = {"name": "learned", "samples": 2000, "width": 16, "depth": 1, "updates": 600}


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    with workers.working(tmp_path_factory.mktemp("cache") / "lab") as pool:
        yield pool


@pytest.fixture(autouse=True)
def afresh(pool):
    """No run of the test before is left."""
    yield
    for run in places.runs().under_way():
        run.cancelled = True
    workers.until(lambda: not places.runs().under_way() and not pool._units)


def test_rows_are_those_of_this_process_bit_for_bit_and_better_and_better(pool):
    asked = workers.Asked(SHORT, "s")
    assert asked.rows() == workers.alone(SHORT)
    assert [found["done"] for found in asked.got] == sorted(found["done"] for found in asked.got)
    assert len(asked.got) > 1
    assert asked.got[-1]["done"] == 1.0
    packed = engine.kept_particles(SHORT)
    assert packed == study.pack(study.run(SHORT).clouds)


def test_two_sessions_share_a_run_and_its_result_is_kept(pool, monkeypatch):
    one = replace(SHORT, seed=1)
    opened = []
    monkeypatch.setattr(pool, "open", lambda study, own=pool.open: opened.append(study) or own(study))
    both = [workers.Asked(one, "a"), workers.Asked(one, "b")]
    assert both[0].rows() == both[1].rows()
    assert len(opened) == 1
    assert engine.kept(one)["rows"] == both[0].rows()


def test_a_long_run_does_not_hold_up_a_short_one(pool):
    long = workers.Asked(LONG, "long")
    workers.until(lambda: len(pool._units) > 0)
    short = replace(SHORT, seed=2)
    assert workers.Asked(short, "short").rows() == workers.alone(short)
    (left,) = [run for run in places.runs().under_way() if run.name == LONG.key]
    assert left.state == "running"
    assert left.done < 1
    engine.cancel("long")
    long.join(workers.SOON)
    assert isinstance(long.raised, Left)


def idle(pool) -> bool:
    """Whether every worker has taken up something new and done it: it has one thread."""
    for address in pool._workers:
        pool.client.submit(time.time, workers=[address], pure=False).result(timeout=workers.SOON)
    return True


def test_cancel_ends_a_unit_that_would_go_on_for_ever(pool):
    raised = []

    def ask():
        try:
            engine.job("endless", workers.endless, SHORT, session="mine")
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    workers.until(lambda: any(work.spent for work in list(pool._turn)))  # it has told that it goes on
    engine.cancel("mine")
    thread.join(workers.SOON)
    assert isinstance(raised[0], Left)
    assert idle(pool)


def test_who_comes_back_within_the_patience_finds_the_run(pool):
    class Gone(Exception):
        pass

    def leave(done):
        raise Gone

    one = replace(SHORT, seed=3)
    first = workers.Asked(one, "s", leave)
    first.join(workers.SOON)
    assert isinstance(first.raised, Gone)
    workers.until(lambda: engine.kept(one) or places.runs().under_way())
    assert workers.Asked(one, "s").rows() == workers.alone(one)


def test_an_error_of_a_unit_is_told_as_it_is(pool):
    with pytest.raises(BadInput, match="seed 0"):
        engine.job("a-mistake", workers.mistaken, SHORT)


def test_answers_come_from_workers(pool):
    ours = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "T": 1.0})
    pid = engine.job("pid", workers.its_pid, ours)
    assert pid in workers.pids(pool).values()
    from dlab import answers

    *_, here = answers.find("along").stream(ours, 8, tick=lambda *done: None)
    assert engine.answer("along", ours, 8) == here
    assert engine.kept_answer("along", ours, 8) == here


def test_a_movie_from_a_worker_is_that_of_this_process(pool):
    ours = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "T": 1.0})
    shares = []
    found = engine.job("movie", movies.made, ours, 2, 100, False, "", tick=shares.append)
    assert found == movies.made(ours, 2, 100, False, "")


def test_training_is_cancelled_and_goes_on_from_its_checkpoint(pool):
    ours = Study.from_json({"target": SKEW, "schemes": ["EM"], "h": [0.5], "T": 1.0, "score_error": SMALL})
    task, seen = learned_score.training(ours), []

    def until_cancelled():
        for losses in engine.train(task, ours, False, session="t"):
            seen.append(losses)
            engine.cancel("t")

    with pytest.raises(Left):
        until_cancelled()
    assert seen
    workers.until(lambda: not pool._units and idle(pool))
    found = learned_score.training(ours).kept()
    if found is None:  # its checkpoint lies on the disk that workers share
        from dlab.errors import learned

        learned.CACHE.forget()
        found = learned_score.training(ours).kept()
    assert 0 < found.step < SMALL["updates"]
    *_, last = engine.train(task, ours, False, session="t")
    assert last[-1][0] == SMALL["updates"]
    assert task.kept().done


def test_small_answers_do_not_wait_for_runs(pool):
    exact = Study.from_json({"target": GAUSSIAN, "schemes": ["EM", "SO"], "h": [0.5, 0.25], "T": 1.0})
    assert pool._quick or places.free_memory() < places.QUICK
    long = workers.Asked(replace(LONG, seed=8), "long")
    workers.until(lambda: len(pool._units) > 0)
    assert engine.exact(exact)["rows"] == workers.alone(exact)
    assert not long.got or long.got[-1]["done"] < 1
    engine.cancel("long")


def test_a_small_answer_that_no_worker_gives_is_computed_here(pool, monkeypatch):
    exact = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "T": 1.0})

    def refuse(*args, **how):
        raise OSError("the scheduler is gone")

    monkeypatch.setattr(pool.client, "submit", refuse)
    assert pool.quick(tasks.exact_result, exact)["rows"] == workers.alone(exact)


def test_workers_of_other_numerics_get_nothing_and_one_sentence_says_what_differs(pool):
    other = {**identity.identity(), "numerics": "0123456789abcdef", "numpy": "1.0"}
    said = identity.difference("tcp://10.0.0.1:1", other)
    assert "0123456789abcdef" in said
    assert "numpy" in said
    assert all(name not in said for name in ("scipy", "jaxlib"))
    info = pool.client.scheduler_info(n_workers=-1)["workers"]
    assert {identity.label() in its["resources"] for a, its in info.items() if a in pool._workers} == {True}
    assert not any(identity.label() in info[a]["resources"] for a in pool._quick)


def test_the_scheduler_imports_neither_jax_nor_the_lab(pool):
    assert workers.Asked(replace(SHORT, seed=11), "s").rows()
    assert pool.client.run_on_scheduler(lambda: [name for name in ("jax", "dlab") if name in __import__("sys").modules]) == []


def test_a_worker_that_holds_too_much_is_started_anew_between_two_units(pool):
    before = workers.pids(pool)
    workers.until(lambda: len(workers.pids(pool)) == 2)
    pool.client.run(workers.ceiling, 0.8e9, workers=pool._workers)
    pid = engine.job("holding", workers.holding, SHORT, 0.8e9)
    assert pid in before.values()
    one = replace(SHORT, seed=4)
    assert workers.Asked(one, "s").rows() == workers.alone(one)
    workers.until(lambda: pid not in workers.pids(pool).values() and len(workers.pids(pool)) == 2)
    assert compiled.most() > compiled.RESTART > compiled.FORGET
