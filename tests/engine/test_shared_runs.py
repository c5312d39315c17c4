"""Runs that sessions share: each at most once, in the order in which they were asked for, until nobody wants them."""

import threading
from types import SimpleNamespace

import pytest
from workers import cache, until

from dlab.engine import cost, places, runs
from dlab.engine.lost import Lost
from dlab.study.place import Left

SOON = 20.0  # seconds for what happens at once on an idle machine


class Given:
    """A run that gives 1, 2, ... one by one as it is told to, and then ends or fails."""

    def __init__(self, error=None):
        self.begun, self.ended, self.error, self._more = 0, 0, error, threading.Semaphore(0)

    def more(self, count=1):
        self._more.release(count)

    def start(self, tick):
        self.begun += 1
        try:
            for number in (1, 2, 3):
                while not self._more.acquire(timeout=0.01):
                    tick(number / 4)
                yield number
            if self.error:
                raise self.error
        finally:
            self.ended += 1


class Follower(threading.Thread):
    """A session that follows a run."""

    def __init__(self, them, name, given, session, stop=lambda: None):
        super().__init__(daemon=True)
        self.them, self.run_name, self.given, self.session, self.stop = them, name, given, session, stop
        self.got, self.shares, self.queue, self.raised = [], [], [], None
        self.start()

    def run(self):
        def tick(done):
            self.shares.append(done)
            self.stop()

        def waiting():
            self.queue.append(sum(r.state == "waiting" for r in self.them.ahead_of(self.run_name)))
            self.stop()

        try:
            for found in self.them.follow(self.run_name, self.given.start, 1.0, self.session, tick, waiting):
                self.got.append(found)
        except BaseException as error:
            self.raised = error


def joined(*followers):
    for each in followers:
        each.join(SOON)
        assert not each.is_alive()


def test_two_sessions_that_ask_for_one_name_share_its_run():
    them, given, other = runs.Runs(2, 0.0), Given(), Given()
    first = Follower(them, "a", given, "s1")
    until(lambda: given.begun)
    second = Follower(them, "a", other, "s2")
    until(lambda: len(them.under_way()[0].followers) == 2)
    given.more(3)
    joined(first, second)
    assert (given.begun, other.begun) == (1, 0)
    # One who looks seldom sees the newest alone.
    assert first.got[-1] == second.got[-1] == 3
    assert sorted(set(first.got)) == first.got
    assert not them.under_way()


def test_runs_wait_in_the_order_in_which_they_were_asked_for_and_know_their_place():
    them, all_given = runs.Runs(1, 0.0), [Given() for _ in range(3)]
    followers = []
    for i, given in enumerate(all_given):
        followers.append(Follower(them, f"r{i}", given, f"s{i}"))
        until(lambda i=i: len(them.under_way()) == i + 1)
    until(lambda: all(f.queue for f in followers[1:]))
    assert [r.state for r in them.under_way()] == ["running", "waiting", "waiting"]
    assert [f.queue[-1] for f in followers[1:]] == [0, 1]
    all_given[0].more(3)
    until(lambda: all_given[1].begun)
    assert all_given[2].begun == 0
    until(lambda: followers[2].queue[-1] == 0)
    all_given[1].more(3)
    all_given[2].more(3)
    joined(*followers)
    assert [f.got[-1] for f in followers] == [3, 3, 3]


def test_so_many_runs_go_on_together():
    them, all_given = runs.Runs(2, 0.0), [Given() for _ in range(3)]
    followers = [Follower(them, f"r{i}", given, f"s{i}") for i, given in enumerate(all_given)]
    until(lambda: sum(g.begun for g in all_given) == 2 and len(them.under_way()) == 3)
    assert sorted(r.state for r in them.under_way()) == ["running", "running", "waiting"]
    for given in all_given:
        given.more(3)
    joined(*followers)


def test_an_error_reaches_all_who_follow_and_the_next_asks_anew():
    them, given = runs.Runs(1, 0.0), Given(ValueError("no"))
    followers = [Follower(them, "a", given, f"s{i}") for i in range(2)]
    until(lambda: them.under_way() and len(them.under_way()[0].followers) == 2)
    given.more(3)
    joined(*followers)
    assert [str(f.raised) for f in followers] == ["no", "no"]
    again = Given()
    again.more(3)
    assert list(them.follow("a", again.start, 1.0, "s0", lambda done: None, lambda: None))[-1] == 3


class Gone(Exception):
    pass


def leaving(flag):
    def stop():
        if flag.is_set():
            raise Gone

    return stop


def test_a_run_without_patience_ends_with_its_last_follower():
    them, given, flags = runs.Runs(1, 0.0), Given(), [threading.Event(), threading.Event()]
    followers = [Follower(them, "a", given, f"s{i}", leaving(flag)) for i, flag in enumerate(flags)]
    until(lambda: them.under_way() and len(them.under_way()[0].followers) == 2)
    flags[0].set()
    joined(followers[0])
    assert isinstance(followers[0].raised, Gone)
    assert not given.ended
    flags[1].set()
    joined(followers[1])
    until(lambda: given.ended)
    assert given.begun == 1


def test_a_run_goes_on_for_its_patience_and_whoever_comes_back_finds_it():
    them, given, flag = runs.Runs(1, 60.0), Given(), threading.Event()
    first = Follower(them, "a", given, "s1", leaving(flag))
    given.more()
    until(lambda: first.got == [1])
    flag.set()
    joined(first)
    (run,) = them.under_way()
    assert not run.abandoned
    second = Follower(them, "a", Given(), "s1")
    given.more(2)
    joined(second)
    assert second.got[-1] == 3
    assert given.begun == 1


def test_a_run_that_is_asked_for_while_workers_start_is_found_by_whoever_comes_back(tmp_path, monkeypatch):
    """A page that is drawn anew meanwhile, as each is in its first seconds, does not lose it."""
    there, flag, given = threading.Event(), threading.Event(), Given()
    monkeypatch.setattr(places, "_connect", lambda scheduler, workers: there.wait(SOON))
    with cache(tmp_path / "lab"):
        places.start(workers=1, wait=False)
        try:
            first = Follower(places.runs(), "a", given, "s1", leaving(flag))
            until(lambda: given.begun)
            flag.set()
            joined(first)
            (run,) = places.runs().under_way()
            assert not run.abandoned
            second = Follower(places.runs(), "a", Given(), "s1")
            there.set()
            given.more(3)
            joined(second)
            assert second.got[-1] == 3
            assert given.begun == 1
        finally:
            there.set()
            places.stop()


def test_where_no_workers_could_be_started_a_run_ends_with_its_last_follower(tmp_path, monkeypatch, caplog):
    def no_workers(scheduler, workers):
        raise OSError("no process can be started")

    monkeypatch.setattr(places, "_connect", no_workers)
    with cache(tmp_path / "lab"):
        places.start(workers=1, wait=False)
        try:
            assert places.place() is places.HERE
            assert places.runs().patience == places.HERE.patience
        finally:
            places.stop()


def test_a_process_that_ends_starts_no_new_workers(monkeypatch):
    """A run that is under way then finds its workers gone."""
    monkeypatch.setattr(places, "_connect", lambda *how, **more: pytest.fail("new workers"))
    monkeypatch.setattr(places.threading, "main_thread", lambda: SimpleNamespace(is_alive=lambda: False))
    lost = SimpleNamespace(gone=lambda: True)
    monkeypatch.setitem(places._state, "place", lost)
    with pytest.raises(Lost, match="stopped"):
        places.mend(lost, lambda: None)
    assert not places._mending.locked()


def test_patience_ends_after_the_last_follower_and_not_before(monkeypatch):
    clock = [100.0]
    run = runs.Run("a", lambda tick: iter(()), 1.0, patience=lambda: 30.0)
    monkeypatch.setattr(runs.time, "monotonic", lambda: clock[0])
    assert not run.abandoned
    run.deserted = 100.0
    clock[0] = 129.9
    assert not run.abandoned
    clock[0] = 130.0
    assert run.abandoned
    with pytest.raises(Left):
        run.tick(0.5)


def test_a_session_has_one_run_at_a_time():
    """What it asked for before and does not follow any more ends, however patient runs are; those of others go on."""
    them, given, others, new, flag = runs.Runs(3, 60.0), Given(), Given(), Given(), threading.Event()
    first, other = Follower(them, "old", given, "s1", leaving(flag)), Follower(them, "theirs", others, "s2")
    until(lambda: given.begun and others.begun)
    flag.set()
    joined(first)
    assert not given.ended
    second = Follower(them, "new", new, "s1")
    until(lambda: given.ended)
    assert not others.ended
    new.more(3)
    others.more(3)
    joined(second, other)


def test_cancel_ends_what_a_session_alone_follows():
    them, mine, shared = runs.Runs(2, 60.0), Given(), Given()
    followers = [Follower(them, "mine", mine, "s1"), Follower(them, "shared", shared, "s1"), Follower(them, "shared", shared, "s2")]
    until(lambda: sum(len(r.followers) for r in them.under_way()) == 3)
    until(lambda: mine.begun and shared.begun)
    them.cancel("s1")
    joined(followers[0])
    assert isinstance(followers[0].raised, Left)
    until(lambda: mine.ended)
    assert not shared.ended
    shared.more(3)
    joined(*followers[1:])
    assert followers[2].got[-1] == 3


def test_a_run_in_the_queue_can_be_cancelled_and_never_begins():
    them, given, waiting = runs.Runs(1, 60.0), Given(), Given()
    first = Follower(them, "a", given, "s1")
    until(lambda: given.begun)
    second = Follower(them, "b", waiting, "s2")
    until(lambda: second.queue)
    them.cancel("s2")
    joined(second)
    assert isinstance(second.raised, Left)
    given.more(3)
    joined(first)
    assert waiting.begun == 0


def test_runs_that_have_ended_are_forgotten():
    them = runs.Runs(2, 0.0)
    for i in range(50):
        given = Given()
        given.more(3)
        list(them.follow(f"r{i}", given.start, 1.0, runs.ALONE, lambda done: None, lambda: None))
    assert len(them._runs) <= 1


# ---------------------------------------------------------------- what runs cost


@pytest.fixture
def learning(monkeypatch, tmp_path):
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(cost, "load", {"threads": 2})


def test_after_a_run_the_next_like_it_lasts_as_expected(learning):
    """On a machine 7 times slower than was thought, by a target of 3 times the price of others."""
    for target, rate in (("skew", 7 * cost.SECONDS), ("images", 21 * cost.SECONDS)):
        cost.learn(target, 2e6, 2e6 * rate)
        its = 5e6 * rate / 2  # of the next, in two threads
        assert cost.seconds(5e6, target) == pytest.approx(its, rel=0.5)


def test_one_slow_run_is_not_believed_for_long(learning):
    cost.learn("skew", 1e6, 2.0)
    cost.learn("skew", 1e6, 200.0)
    for _ in range(6):
        cost.learn("skew", 1e6, 2.0)
    assert cost.seconds(1e6, "skew") == pytest.approx(1.0, rel=0.5)


def test_short_runs_say_nothing_and_who_shares_the_workers_counts(learning):
    before = cost.seconds(1e6)
    cost.learn("skew", 1e3, cost.LEAST / 2)
    assert cost.seconds(1e6, "skew") == before
    assert cost.seconds(1e6, others=2) == pytest.approx(3 * before)


def test_what_was_learnt_is_known_after_a_start_and_nonsense_is_not(learning, tmp_path):
    cost.learn("skew", 1e6, 4.0)
    known = cost.seconds(1e6, "skew")
    cost._busy.clear()
    cost.remember()
    assert cost.seconds(1e6, "skew") == known
    for text in ("", "[1]", '{"skew": "x"}', '{"skew": -1}', '{"skew": NaN}', "\x00"):
        cost._busy.clear()
        (tmp_path / "speed.json").write_text(text)
        cost.remember()
        assert cost.seconds(1e6, "skew") == pytest.approx(1e6 * cost.SECONDS / 2)
