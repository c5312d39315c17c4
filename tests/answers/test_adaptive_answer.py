"""The answer on adaptive steps: rows one by one, in strict JSON."""

import json

import pytest
from cases import GAUSSIAN

from dlab import answers
from dlab.answers import adaptive
from dlab.cache import dumps
from dlab.sample.adaptive import METHODS
from dlab.study import Study

STUDY = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "T": 2.0, "seed": 3})
FEW = {1: 256, 16: 64}


@pytest.fixture(scope="module")
def stream():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adaptive, "PARTICLES", FEW)
        patch.setattr(adaptive, "TOLERANCES", (0.3, 0.1))
        ticks = []
        return [json.loads(dumps(found)) for found in answers.find("adaptive").stream(STUDY, tick=ticks.append)], ticks


def test_rows_come_one_by_one_in_strict_json(stream):
    found, ticks = stream
    assert [len(f["rows"]) for f in found] == list(range(1, 13))
    assert ticks == sorted(ticks)
    assert found[-1]["done"] == 1.0
    assert [f["done"] for f in found] == sorted(f["done"] for f in found)
    rows = found[-1]["rows"]
    assert {(r["method"], r["d"], r["tol"]) for r in rows} == {(m, d, tol) for m in METHODS for d in FEW for tol in (0.3, 0.1)}
    for r in rows:
        assert r["w2"] == pytest.approx(r["d"] ** 0.5 * abs(r["sd"] - 0.5**0.5))
        assert r["evaluations"] * (1 - r["rejected"]) == pytest.approx(2 * r["steps"])
    short = [found[-1]["sd"] - k["sd"] for k in found[-1]["limits"]]
    assert short == sorted(short, reverse=True)
    assert short[-1] > 0
