"""What a process of the app does beside its pages, and what it sends while they wait."""

import gc
import threading
from types import SimpleNamespace

import pytest
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

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


@pytest.mark.parametrize(
    ("asked", "scope"),
    [
        (None, []),
        (RerunData(fragment_id="target's picture", is_auto_rerun=True), []),  # by its clock: this began the page anew, and lost its run
        (RerunData(fragment_id="a section"), ["app"]),
        (RerunData(page_name="theory"), []),  # Streamlit ends the script at its next look
    ],
)
def test_a_run_gives_way_to_a_click_in_a_section_and_not_to_a_clock(monkeypatch, asked, scope):
    requests, begun = ScriptRequests(), []
    if asked:
        requests.request_rerun(asked)
    context = SimpleNamespace(session_id="s", script_requests=requests, fragment_ids_this_run=None)
    monkeypatch.setattr(runs, "get_script_run_ctx", lambda: context)
    monkeypatch.setattr(runs.runtime, "exists", lambda: False)
    monkeypatch.setattr(runs.st, "rerun", lambda scope: begun.append(scope))
    runs.give_way()
    assert begun == scope
