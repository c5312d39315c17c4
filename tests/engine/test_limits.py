"""What one session may ask for in a minute."""

import pytest

from dlab.engine import runs
from dlab.params import BadInput


def begin(held, name, session):
    return list(held.follow(name, lambda tick: iter(["all"]), 1.0, session, lambda done: None, lambda: None))


def test_a_session_begins_as_many_runs_as_a_person_does(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(runs.time, "monotonic", lambda: now[0])
    held = runs.Runs(at_once=2, patience=0.0)
    for number in range(runs.MOST):
        assert begin(held, f"run {number}", "one") == ["all"]
    with pytest.raises(BadInput, match=str(runs.MOST)):
        begin(held, "one more", "one")
    assert begin(held, "one more", "another") == ["all"]
    assert begin(held, "one more", runs.ALONE) == ["all"]
    now[0] = runs.MINUTE + 1
    assert begin(held, "later", "one") == ["all"]
    assert set(held._begun) == {"one"}
