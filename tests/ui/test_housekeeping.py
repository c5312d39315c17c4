"""What a process of the app does beside its pages."""

import gc
import threading

from dlab.ui import process, warm


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
