"""The lecturer's view of the server: behind a token, and without a word of what visitors do."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dlab import engine

PAGE = str(Path(__file__).resolve().parents[2] / "pages" / "status.py")


def opened(token):
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["token"] = token
    return at.run()


@pytest.mark.parametrize(("held", "given"), [("", ""), ("", "x"), ("right", "wrong"), ("right", "")])
def test_without_the_token_there_is_nothing_to_see(monkeypatch, held, given):
    monkeypatch.setenv("DLAB_TOKEN", held)
    at = opened(given)
    assert not at.exception
    assert not at.metric
    assert len(at.warning) == 1


def test_with_it_there_are_visitors_queue_workers_and_memory(monkeypatch):
    monkeypatch.setenv("DLAB_TOKEN", "right")
    found = {
        "memory": 5e8, "said": "", "units": 1,
        "runs": [
            {"state": "running", "done": 0.25, "seconds": 3.0, "followers": 2},
            {"state": "waiting", "done": 0.0, "seconds": 0.0, "followers": 1},
        ],
        "workers": [{"memory": 4e8, "units": 2, "quick": False}, {"memory": 3e8, "units": 0, "quick": True}],
    }  # fmt: skip
    monkeypatch.setattr(engine, "status", lambda: found)
    at = opened("right")
    assert not at.exception
    assert [m.value for m in at.metric][1:] == ["1", "1", "500 MB"]
    assert sum("MB" in m.value for m in at.markdown) == 2


def test_what_this_process_says_of_itself_names_nobody():
    found = engine.status()
    assert found["memory"] > 1e7
    assert found["runs"] == found["workers"] == []
