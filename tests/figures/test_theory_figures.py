"""The theory page's charts and sentences: nothing computed, nothing infinite drawn, every void said."""

import math

import pytest
from cases import GAUSSIAN
from drawing import drawable

from dlab import theory
from dlab.answers.bounds import along, bounds
from dlab.figures import theory as figures
from dlab.figures.numbers import number
from dlab.study import Study, run
from dlab.targets import Fact, Facts

APART = {"name": "mixture", "weights": [0.3, 0.7], "means": [[-1.5, 0.0], [1.5, 0.0]], "var": 0.6}
FIT = {"slope": 1.5, "low": 1.4, "high": 1.6, "constant": 1.0, "used": [0.5, 0.25, 0.125, 0.0625]}


@pytest.fixture(scope="module")
def study():
    return Study.from_json({"target": GAUSSIAN, "T": 2.0, "schemes": ["EM"], "h": [0.5, 0.25, 0.125]})


@pytest.fixture(scope="module")
def result(study):
    return run(study).to_json()


def one_step():
    rows = [
        {"scheme": s, "h": h, "mean": h**2, "mean_stderr": 0.01 * h**2, "fluctuation": h**1.5, "fluctuation_stderr": 0.0}
        for s in ("EM", "SO") for h in (0.5, 0.25)
    ]  # fmt: skip
    fits = [{"scheme": s, "mean": {**FIT, "slope": 2.0, "low": 1.9, "high": 2.1}, "fluctuation": FIT} for s in ("EM", "SO")]
    return {"t": 1.0, "rows": rows, "fits": fits}


def signs(missing=()):
    rows = [
        {"variant": v, "h": h, "w2": None if v in missing else h**p, "stderr": 0.0}
        for v, p in (("right", 2), ("wrong", 1), ("without", 1)) for h in (0.5, 0.25, 0.125)
    ]  # fmt: skip
    fits = [{"variant": v, **FIT, "slope": None if v in missing else float(p), "low": p - 0.1, "high": p + 0.1}
            for v, p in (("right", 2), ("wrong", 1), ("without", 1))]  # fmt: skip
    return {"T": 2.0, "method": "exact", "rows": rows, "fits": fits}


def test_bounds_are_drawn_beside_what_was_measured(study, result, monkeypatch):
    monkeypatch.setattr(figures, "HEADROOM", 2.0)
    found = bounds(study)
    chart = figures.bounds(found, result)
    drawable(chart)
    names = [s.name for s in chart.series]
    assert names[:3] == [title for title, _, _ in figures.BOUNDS.values()]
    assert "EM measured" in names
    assert figures.LARGEST in names
    assert "EM's law is W₂ =" in chart.caption
    assert chart.y.limits[1] < max(r["recursion"] for r in found["rows"])
    table = figures.bounds_table(found, result)
    assert [row["h"] for row in table][:3] == ["1", "1/2", "1/4"]
    assert table[1]["EM measured"] != figures.NONE


def test_a_bound_that_exceeds_every_number_is_said_and_not_drawn(study):
    found = bounds(study)
    found["rows"] = [{**r, "recursion": math.inf if r["h"] > 0.2 else r["recursion"]} for r in found["rows"]]
    chart = figures.bounds(found, None)
    drawable(chart)
    assert figures.bounds_table(found, None)[0]["the recursion behind it"] == "> 1e308"
    found["rows"] = [{**r, "recursion": math.inf} for r in found["rows"]]
    chart = figures.bounds(found, None)
    drawable(chart)
    assert "> 1e308" in chart.caption


def test_where_everything_is_void_there_is_no_chart_but_a_sentence():
    s = Study.from_json({"target": APART, "T": 1.0, "schemes": ["EM"], "h": [0.5, 0.25]})
    found = bounds(s)
    assert figures.bounds(found, None) is None
    said = figures.sentence(found, None)
    assert "not log-concave" in said
    assert said.count("void") == 2
    drawable(figures.bounds(found, run(s).to_json()))


def test_the_checklist_says_which_theorem_applies():
    given, missing = Fact(0.8, "closed form"), Fact(None, "unknown")
    level = Fact(0.0, "the score is exact")

    def said(**changed):
        known = {"m0": given, "L0": given, "L_F": given, "M1": given, "M2": given} | changed
        facts = Facts(2, *(known[k] for k in ("m0", "L0", "L_F", "M1")), mean=None, cov=None, product=False, M2=known["M2"])
        items = theory.checklist(facts, level, level, level, level)
        assert len(figures.assumptions(items)) == 8
        return figures.promise(items)

    assert said().endswith("proven.")
    assert "Theorem 4 cannot be judged: Assumption 7" in said(M2=missing)
    assert "Assumption 2" in said(M1=Fact(1.0, "numerical"))
    assert said(m0=Fact(0.4, "closed form")).endswith("do not apply: the condition m₀ > ½ fails.")
    assert said(m0=Fact(-1.0, "numerical")).endswith("Assumption 1 and the condition m₀ > ½ fail.")


@pytest.mark.parametrize("steps", [2, 64])
def test_a_run_of_the_recursion(study, steps):
    sheet = figures.run(along(study, steps))
    drawable(sheet)
    times = next(s for s in sheet.parts[0].series if s.name == figures.BOUNDS["recursion"][0]).x
    assert len(times) == len(set(times)) >= steps
    assert [p.title for p in sheet.parts] == ["Error so far", "One-step factor", "The step's Lipschitz constant"]
    assert f"of the {steps} steps" in sheet.caption or f"all {steps} steps" in sheet.caption
    assert "EM's exact law ends at" in sheet.caption


def test_a_run_whose_recursion_is_void_shows_the_rest():
    s = Study.from_json({"target": APART, "T": 1.0, "schemes": ["EM"], "h": [0.5]})
    sheet = figures.run(along(s, 4))
    drawable(sheet)
    assert len(sheet.parts) == 1
    assert "not log-concave" in sheet.caption
    infinite = along(s, 4) | {
        "t": [1.0, 0.5, 0.0], "e": [0.0, 1.0, math.inf], "sharp": [0.0, 1.0, 2.0], "factor": [2.0, 3.0], "C1": [1.0, 1.0],
        "w2": None, "at": None, "void": {},
    }  # fmt: skip
    sheet = figures.run(infinite)
    drawable(sheet)
    assert "> 1e308" in sheet.caption
    assert "No exact law" in sheet.caption


def test_one_step_errors_have_slopes_and_a_table():
    sheet = figures.one_step(one_step())
    drawable(sheet)
    assert [label.text for label in sheet.parts[0].labels] == ["EM", "SO"]
    assert {t.label for p in sheet.parts for t in p.triangles} <= {"1½", "2", "2½", "3"}
    table = figures.one_step_table(one_step())
    assert table[1]["strong order"] == "1½"
    assert table[0]["slope of the fluctuation"] == "1.50 ± 0.10"


def test_the_letters_keep_the_secret_until_a_guess():
    hidden, shown = (figures.signs(signs(), revealed) for revealed in (False, True))
    drawable(hidden)
    drawable(shown)
    assert [label.text for label in hidden.labels] == ["A", "B", "C"]
    assert "slope" not in hidden.alt
    assert [label.text[:2] for label in shown.labels] == ["A:", "B:", "C:"]
    assert figures.signs_sentence(signs(), "B").startswith("Yes.")
    assert figures.signs_sentence(signs(), "C").startswith("Not C")
    assert figures.signs(signs(missing=("right", "wrong", "without")), True) is None
    assert "slope –" in figures.signs_sentence(signs(missing=("wrong",)), "A")


def test_the_recursion_s_constants_are_in_a_table_first_and_last_step_among_them(study):
    found = along(study, 64)
    whole, few = figures.run_table(found), figures.run_table(found, 9)
    assert [len(whole), len(few)] == [64, 9]
    assert (few[0], few[-1]) == (whole[0], whole[-1])
    for n in (0, 63):
        C1, C2, C3, C4, M1 = found["C1"][n], found["C2"][n], found["C3"][n], found["C4"], study.built.facts.M1.value
        assert found["C"][n] == pytest.approx(C1 * (C1 * C2 + C4 / 2 + C3) + M1 * (1 + C2 + C4))
        assert whole[n]["Cₙ"] == number(found["C"][n])
    assert figures.run_table({**found, "factor": None}) == []
