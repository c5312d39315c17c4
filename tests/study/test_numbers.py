"""No number leaves a result that is not finite, no bound that lies below what it bounds, and all that is written is strict JSON."""

import ast
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from dlab import export, measure, study
from dlab.answers import drift_sign
from dlab.cache import dumps
from dlab.figures import tables
from dlab.figures.figure import figure
from dlab.params import BadInput
from dlab.study.run import _doubts, _row, run
from dlab.types import Estimate

ROOT = Path(__file__).resolve().parents[2]
GAUSSIAN = {"target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.0], [0.0, 0.5]]}, "schemes": ["EM"], "h": [1.0, 0.5]}


def test_whatever_writes_json_refuses_nan():
    for path in [*ROOT.glob("dlab/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(text)) if "json.dump" in (text := path.read_text()) else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.dumps", "json.dump"):
                assert any(k.arg == "allow_nan" and ast.unparse(k.value) == "False" for k in node.keywords), f"{path}:{node.lineno}"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["value", "stderr", "lower", "upper", "floor"])
def test_an_estimate_holds_no_number_that_is_not_finite(where, bad):
    found = replace(Estimate(1.0, 0.1, "projected", lower=0.5, upper=2.0, floor=0.1), **{where: bad})
    assert getattr(found, where) is None
    assert found.flags
    assert (found.value is None) == (found.stderr is None) == (where in ("value", "stderr"))


def test_what_is_not_a_number_is_a_doubt():
    bounds = Estimate(0.9, 0.01, "gelbrich"), Estimate(1.1, 0.01, "coupled")
    sure = Estimate(1.0, 0.01, "projected")
    assert _doubts(sure, *bounds, 0.01) == ()
    assert _doubts(sure, *bounds, math.nan)
    assert _doubts(sure, replace(bounds[0], value=math.nan), bounds[1], 0.0)
    assert _doubts(replace(sure, value=math.nan), *bounds, 0.0)


@pytest.mark.parametrize("estimator", ["plugin", "sinkhorn", "projected"])
def test_an_estimator_without_a_value_passes_rows_fits_figures_and_files(monkeypatch, estimator):
    def none(case, pairs):
        return Estimate(None, None, estimator, flags=(f"{estimator}: no value, since it did not end",))

    monkeypatch.setitem(measure.REGISTRY, estimator, replace(measure.REGISTRY[estimator], estimate=none, quick=none))
    given = study.Study.from_json({**GAUSSIAN, "estimator": estimator, "particles": 64, "accuracy": 0.1, "budget": 10_000_000})
    found = run(given).to_json()
    for row in found["rows"]:
        assert (row["w2"], row["stderr"], row["resolved"], row["diverged"]) == (None, None, False, 0)
        assert row["flags"]
    assert found["fits"][0]["slope"] is None
    json.loads(dumps(found), parse_constant=pytest.fail)
    assert {line["W₂ ± 95 %"] for line in tables.rows_table(found)} == {"no value"}
    assert tables.table(found)
    assert export.figure_bytes(figure(found), "html")
    assert export.rows_csv(found)


def test_a_bound_below_the_lower_bound_of_w2_is_withdrawn_and_the_row_stays():
    given = study.Study.from_json(GAUSSIAN)
    bound = _row(given, given.case("EM", 4), Estimate(0.1, 0.0, "exact", lower=0.1), 0, 0.0, 0).bound
    for least, kept in ((bound / 2, True), (2 * bound, False), (bound * (1 + 1e-9), True)):
        row = _row(given, given.case("EM", 4), Estimate(least, 0.0, "exact", lower=least), 0, 0.0, 0)
        assert row.resolved
        assert (row.bound == bound) == kept == (row.bound_parts is not None) == (not row.bound_withdrawn)
        # A sampled lower bound counts less its errors.
        row = _row(given, given.case("EM", 4), Estimate(least, 0.1, "projected", lower=least), 64, 0.0, 0, least=bound / 2)
        assert row.bound == bound
    row = _row(given, given.case("EM", 4), Estimate(3 * bound, 0.0, "exact", lower=3 * bound), 0, 0.0, 0)
    notes = study.Result(given, (row,)).to_json()["notes"]
    assert sum("has no bound" in n for n in notes) == 1


def test_a_gaussian_by_its_eigenvalues_is_sampled_as_the_same_one_by_its_covariance():
    """What a scheme draws itself is taken off by a control variate, whose L is diagonal in one and dense in the other."""
    spec = {"schemes": ["REM"], "score_error": {"name": "noise", "level": 0.2}, "h": [0.5], "T": 2.0}
    spec |= {"estimator": "projected", "particles": 256}
    a, b = (
        run(study.Study.from_json({**spec, "target": target})).rows[0]
        for target in ({"name": "spectrum", "values": [0.5, 1.5]}, {"name": "gaussian", "mean": [0, 0], "cov": [[0.5, 0], [0, 1.5]]})
    )
    assert (a.w2, a.upper) == pytest.approx((b.w2, b.upper), rel=1e-6)


def test_the_sign_of_the_drift_is_not_compared_where_there_is_nothing_to_compare_with():
    given = study.Study.from_json({"target": {"name": "images", "data": "digits"}, "schemes": ["SO"], "h": [0.5]})
    with pytest.raises(BadInput):
        drift_sign.signs(given)
