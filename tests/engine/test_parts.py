"""A study put together scheme by scheme is the study that was run whole."""

import pytest

from dlab import engine, study
from dlab.engine import keep, parts
from dlab.study import Study

TARGET = {"name": "mixture", "weights": [0.3, 0.7], "means": [[-0.8, 0.0], [0.8, 0.3]], "var": 0.6}
WHOLE = {"target": TARGET, "schemes": ["EM", "REM", "SO"], "h": [0.5, 0.25], "T": 1.0, "particles": 512, "estimator": "projected"}


@pytest.fixture(autouse=True)
def empty(monkeypatch, tmp_path):
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    keep.CACHE.forget()


def test_a_scheme_taken_away_or_added_computes_no_other_again(monkeypatch):
    run, ran = study.stream, []
    monkeypatch.setattr(engine.ask.studies, "stream", lambda asked, *a, **k: (ran.append(asked.schemes), run(asked, *a, **k))[1])
    two, three = (Study.from_json({**WHOLE, "schemes": names}) for names in (["EM", "SO"], ["EM", "REM", "SO"]))
    *_, first = engine.stream(two)
    one = engine.result(Study.from_json({**WHOLE, "schemes": ["SO"]}))
    assert one["rows"] == [r for r in first["rows"] if r["scheme"] == "SO"]
    assert ran == [("EM", "SO")]
    assert engine.result(three) is None
    assert engine.rest(three).schemes == ("REM",)
    *_, found = engine.stream(three)
    assert ran == [("EM", "SO"), ("REM",)]
    assert found == engine.result(three)
    keep.CACHE.forget()
    direct = study.run(three).to_json()
    assert {k: v for k, v in found.items() if k != "done"} == direct


@pytest.mark.parametrize("changed", [{"accuracy": 0.1}, {"vary": {"axis": "T", "values": [1.0, 2.0]}}, {"schemes": ["EM"]}])
def test_what_shares_its_paths_out_is_not_taken_apart(changed):
    asked = Study.from_json({**WHOLE, **changed})
    assert not parts.separable(asked)
    assert parts.rest(asked) is asked
