"""What a process of the app does beside its pages, and what it sends while they wait."""

import gc
import threading
from types import SimpleNamespace

from dlab.ui import process, runs, warm


def test_the_house_is_kept_while_the_warm_up_lasts(monkeypatch):
    """Where one worker serves all, the warm-up takes minutes; compiled programs are forgotten and garbage is collected meanwhile."""
    kept, stop = threading.Event(), threading.Event()
    monkeypatch.setattr(warm, "up", lambda stop: stop.wait(60))
    monkeypatch.setattr(process.engine, "forget_compiled", kept.set)
    monkeypatch.setattr(process, "MEANWHILE", 0.01)
    threads = process.beside(stop)
    try:
        assert kept.wait(30)
        assert all(thread.is_alive() for thread in threads)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        gc.unfreeze()
    assert not any(thread.is_alive() for thread in threads)


def test_a_bar_moves_a_few_times_a_second_however_often_it_is_told(monkeypatch):
    """A browser draws the page anew at each message: a slow one came to nothing else until the script had ended."""
    clock, moved = [100.0], []
    monkeypatch.setattr(runs.time, "monotonic", lambda: clock[0])
    place = SimpleNamespace(progress=lambda done, text: moved.append(done) or place)
    bar = runs.Bar("It begins.", place=place)
    for k in range(100):  # ten seconds
        clock[0] += 0.1
        bar.tick(k / 100)
    assert moved[0] == 0.0
    assert 20 <= len(moved) <= 41
    assert moved == sorted(moved)
