"""What a session of the app keeps in memory: so many pictures' results, whatever its visitor looks at."""

from dlab.ui import runs


def test_a_session_keeps_the_results_of_the_pictures_that_it_looked_at_last(monkeypatch):
    session = {}
    monkeypatch.setattr(runs.st, "session_state", session)
    for number in range(3 * runs.SLOTS):
        runs._keep(f"slot{number}", f"key{number}", {"": {"rows": []}})
        runs._keep("always", f"key{number}", {"": {"rows": [number]}})
    kept = session["results"]
    assert len(kept) == runs.SLOTS
    assert kept["always"] == (f"key{3 * runs.SLOTS - 1}", {"": {"rows": [3 * runs.SLOTS - 1]}})
    assert list(kept)[-2] == f"slot{3 * runs.SLOTS - 1}"
    assert "slot0" not in kept
