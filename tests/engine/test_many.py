"""Many studies as one: the product of values over a file, and the table of their rows."""

import csv
import io

import pytest

from dlab import engine, export
from dlab.engine import many
from dlab.params import BadInput
from dlab.study import Study
from dlab.study.place import Left

GAUSSIAN = {"name": "gaussian", "mean": [0.4, 0.0], "cov": [[1.0, 0.3], [0.3, 0.5]]}
FILE = {"target": GAUSSIAN, "h": [0.5, 0.25], "T": 2.0, "schemes": ["EM"], "score_error": {"name": "constant", "level": 0.1}}


def study(**changes):
    return Study.from_json({**FILE, **changes})


def test_an_axis_is_a_name_and_numbers():
    assert many.axis("T=2,4e0, 8") == ("T", [2.0, 4.0, 8.0])
    for text in ("T", "T=", "=2", "T=2,x", "T=2,,4", ""):
        with pytest.raises(BadInput, match="--vary"):
            many.axis(text)


def test_the_product_of_two_axes_is_the_study_at_each_pair():
    found = many.product("s", study(), [("T", [4, 2]), ("score_error.level", [0.0, 0.25])])
    assert [(one.at["T"], one.at["score_error.level"]) for one in found] == [(2, 0), (2, 0.25), (4, 0), (4, 0.25)]
    assert [one.study.key for one in found] == [
        study(T=T, score_error={"name": "constant", "level": level}).key for T, level in [(2, 0.0), (2, 0.25), (4, 0.0), (4, 0.25)]
    ]
    assert found[1].name == "s_T=2_score_error.level=0.25"
    assert len({one.name for one in found}) == 4


@pytest.mark.parametrize("axes, changes, key", [
    ([("h", [0.5, 0.25])], {"h": [0.5]}, lambda s: s.h),
    ([("target.lam", [0.8, 1.2])], {"target": {"name": "skew", "lam": 1.0, "c": 1.5, "k": 3.0}}, lambda s: s.target["lam"]),
    ([("d", [2, 8])], {"target": {"name": "spectrum", "shape": "power", "dim": 4}, "score_error": {"name": "none"}},
     lambda s: s.built.dim),
])  # fmt: skip
def test_axes_are_those_of_a_study_file(axes, changes, key):
    found = many.product("s", study(**changes), axes)
    values = sorted(axes[0][1])
    assert [one.at[axes[0][0]] for one in found] == sorted(values)
    got = [key(one.study) for one in found]
    assert got == ([(v,) for v in values] if axes[0][0] == "h" else values)


def test_a_study_that_varies_keeps_its_own_axis():
    varied = study(vary={"axis": "score_error.level", "values": [0.1, 0.2]})
    found = many.product("s", varied, [("T", [2, 4])])
    assert [one.study.T for one in found] == [2, 4]
    assert [len(one.study.parts) for one in found] == [2, 2]
    assert many.product("s", varied, [])[0].study is varied


@pytest.mark.parametrize("axes", [
    [("T", [2.0]), ("T", [4.0])],
    [("T", [2.0]), ("h", [0.5]), ("score_error.level", [0.1])],
    [("nothing", [1.0])],
    [("T", [2.0, 0.3])],
    [("score_error.samples", [10])],
    [("h", [0.3])],
])  # fmt: skip
def test_what_is_wrong_is_named_before_anything_runs(axes):
    with pytest.raises(BadInput):
        many.product("s", study(), axes)


def test_rows_carry_the_name_and_the_values():
    found = many.product("s", study(), [("T", [2, 4])])
    results = {number: result for number, _, result in many.results(found) if result}
    rows = [row for number, one in enumerate(found) for row in many.rows(one, results[number])]
    table = list(csv.DictReader(io.StringIO(export.rows_csv({"rows": rows}).decode())))
    assert [(r["study"], float(r["T"]), float(r["h"])) for r in table] == [
        (one.name, one.at["T"], h) for one in found for h in (0.5, 0.25)
    ]
    assert [float(r["w2"]) for r in table] == [row["w2"] for number in (0, 1) for row in results[number]["rows"]]


def test_parquet_holds_the_table_of_csv():
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"a": 1, "b": {"c": 0.5}, "flags": ["x", "y"]}, {"a": 2.5, "b": None, "flags": []}]
    table = parquet.read_table(io.BytesIO(export.rows_parquet({"rows": rows}))).to_pydict()
    assert table == {"a": [1, 2.5], "b.c": [0.5, None], "flags": ["x | y", ""]}


def test_a_study_that_fails_leaves_the_others(monkeypatch):
    found = many.product("s", study(), [("T", [2, 4])])
    exact = engine.ask.exact

    def fails(asked):
        if asked.T == 2:
            raise BadInput("too sharp")
        return exact(asked)

    monkeypatch.setattr(engine.ask, "exact", fails)
    ends = {number: result for number, _, result in many.results(found) if result}
    assert isinstance(ends[0], BadInput)
    assert len(ends[1]["rows"]) == 2


def test_leaving_ends_what_is_under_way(monkeypatch):
    """A run that would never end is left at its next tick."""
    left = []

    def endless(asked, tick, *_):
        try:
            while True:
                tick(0.5)
        except Left:
            left.append(asked)
            raise
        yield

    monkeypatch.setattr(engine.ask, "stream", endless)
    found = many.product("s", study(estimator="projected"), [])
    runs = many.results(found)
    assert next(runs) == (0, 0.5, None)
    runs.close()
    assert left == [found[0].study]
