"""The charts of the Theory page's bounds: drawable, additive, honest about what is void or unresolved."""

import itertools

import pytest
from cases import GAUSSIAN
from drawing import drawable

from dlab import answers
from dlab.answers.score_assumptions import fresh_noise
from dlab.figures import all_at_once, martingale, score_assumptions, score_constants
from dlab.study import Study

KNOB = [{"noise": v, "bound": 0.1 + (v - 0.4) ** 2, "w2": None, "coupled": None} for v in (0.0, 0.1, 0.4, 1.0)]
TERMS = ("initialisation", "discretisation", "bias", "fresh", "stop")


def row(steps, w2=0.1, **more):
    parts = {"initialisation": 0.05, "discretisation": 1.6 / steps, "bias": 0.02, "fresh": 0.0, "stop": 0.0}
    return {
        "steps": steps, **parts, "bound": sum(parts.values()), "w2": w2, "stderr": 0.0, "method": "exact", "resolved": True, "flags": [],
        "coupled": 0.12, "coupled_stderr": 0.01, "coupled_flags": [], "error_level_met": 0.1, **more,
    }  # fmt: skip


def once(rows, **more):
    return {"void": None, "m0": 0.8, "how": "given", "dim": 2, "noise": 0.0, "grid": "log-snr", "T": 8.0, "rows": rows,
            "knob": KNOB, "done": 1.0, **more}  # fmt: skip


def test_the_bars_are_the_terms_end_to_end_in_units_of_the_truth():
    sheet = all_at_once.sheet(once([row(8, 0.2), row(16)]))
    drawable(sheet)
    bars = sheet.parts[1].bars
    assert len(bars) == 6  # a term that is 0 everywhere is not shown
    for steps, w2 in ((8, 0.2), (16, 0.1)):
        mine = [b for b in bars if b.name.endswith(f" {steps}")]
        assert all(a.x1 == pytest.approx(b.x0) for a, b in itertools.pairwise(mine))
        assert mine[-1].x1 == pytest.approx(row(steps)["bound"] / w2)
    assert all_at_once.table(once([row(8)]))[0]["bound ÷ W₂"] == "2.70"


@pytest.mark.parametrize("change", [
    {"w2": None, "method": None, "coupled": None}, {"coupled_flags": ["why"], "flags": ["why"]}, {"w2": 1e-15},
    dict.fromkeys((*TERMS, "bound")),
])
def test_what_is_missing_or_unresolved_is_not_made_up(change):
    sheet = all_at_once.sheet(once([row(8, **change), row(16, **change)]))
    assert sheet is not None or change.get("w2", 0.1) is None
    drawable(sheet)
    if len(sheet.parts) > 1:
        assert all(b.x1 <= 1 + 1e-9 for b in sheet.parts[1].bars) or "flags" in change
    assert all_at_once.table(once([row(8, **change)]))


def test_a_void_bound_is_a_sentence_beside_what_is_measured():
    why = "m0 = -1: the target is not log-concave, so there is no number."
    found = once([row(8, **dict.fromkeys((*TERMS, "bound")))], knob=[], void=why)
    drawable(all_at_once.sheet(found))
    assert "void here: m0 = -1" in all_at_once.sentence(found)


def test_a_bound_from_steps():
    parts = {"initialisation": 0.0, "mean": 0.1, "fluctuation": 0.3, "bias": 0.0, "fresh": 0.0, "stop": 0.0}
    more = {"bound": 0.4, "K1": 0.1, "K2": 0.2, "w2": 0.1, "stderr": 0.0, "method": "exact", "flags": [], "resolved": True}
    rows = [{"scheme": "SO", "steps": n, "h": 4 / n, **parts, **more} for n in (8, 16)]
    found = {"void": None, "done": 1.0, "rows": rows}
    drawable(all_at_once.from_steps(found, "SO"))
    assert "most of it fluctuations" in all_at_once.from_steps_sentence(found, "SO")
    assert all_at_once.from_steps_table(found, "SO")[0]["bound ÷ W₂"] == "4.00"
    void = {"void": "L_F of this target is unknown.", "rows": [{**r, **dict.fromkeys((*parts, "bound"))} for r in rows], "done": 1.0}
    assert all_at_once.from_steps(void, "SO") is None
    assert "L_F" in all_at_once.from_steps_sentence(void, "SO")


def test_the_constants_and_the_martingales():
    for m0 in (0.25, 2.0):
        study = Study.from_json({"target": {"name": "gaussian", "mean": [0, 0], "cov": [[1 / m0, 0], [0, 0.1]]}})
        *_, found = answers.find("score_constants").stream(study)
        drawable(score_constants.sheet(found))
        assert ("does not exist" in score_constants.sentence(found)) == (m0 < 0.5)
        assert len(score_constants.table(found)) == 7
    apart = {**found, "own": None, "start": None}
    drawable(score_constants.sheet(apart))
    assert "no positive m₀" in score_constants.sentence(apart)
    *_, walk = answers.find("martingale").stream(Study.from_json({"target": GAUSSIAN}))
    drawable(martingale.sheet(walk))
    assert abs(martingale.pooled(walk, "x0")[0]) < 5 * martingale.pooled(walk, "x0")[1]
    assert len(martingale.table(walk)) == len(walk["rows"])


def test_the_assumptions():
    rows = [{"name": name, "number": 0.1, "bound": 0.2 + 0.1 * k, "second": 1.0} for k, name in enumerate(score_assumptions.ASSUMPTIONS)]
    rows[3] |= {"number": None, "bound": None}
    found = {"void": None, "steps": 32, "rows": rows, "moved": 0.1, "moved_stderr": 0.001, "moved_mean": 0.05}
    fresh = fresh_noise(None)
    for picked in (*score_assumptions.ASSUMPTIONS, None):
        drawable(score_assumptions.sheet(found, fresh, picked))
        assert "The least bound" in score_assumptions.sentence(found, picked)
    assert "does not hold here" in score_assumptions.sentence(found, "relative")
    assert len(score_assumptions.table(found)) == 7
    assert score_assumptions.sheet({**found, "void": "why"}, fresh) is None
