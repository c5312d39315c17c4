"""The numbers of before the redesign (commit 21c7e30): laws without sampling to 1e-12, sampled rows within their errors.

`data/before/laws.json` and `sampled.json` hold what that commit answered to the project's reference cases, to study files and to the
curves of the prepared scenes, those that take minutes left out. `rounding` of a row is the relative change of its w2 there when T moved
by its last bit, where that is much: adaptive grids turn a last bit into another refinement. Words, notes and flags may change.
"""

import json
import math
from pathlib import Path

import pytest

from dlab.study import Study, run

BEFORE = {kind: json.loads((Path(__file__).parent / "data" / "before" / f"{kind}.json").read_text()) for kind in ("laws", "sampled")}
SAME = 1e-12
TABLE = 5e-8  # of W2 on mixtures, whose diffused score and quantiles were tables before: what a table adds counts most where W2 is small
# The facts of mixtures were measured on a lattice before; they are derived, or searched. Those of a skew target are searched, and how a
# loop is compiled moves the place that is found.
FACTS = {"mixture": 0.03, "skew": 1e-4}
# Of REM and REI these methods gave the distance of the first two moments, or the root of the sum over the axes, and called it exact.
# Both are lower bounds: the coordinates share the random midpoint. Today's value is that of the joint law, the old one its `lower`.
BOUNDS = ("exact-moments", "exact-marginals")
ERRORS = 4.0  # combined standard errors
NUMBERS = ("w2", "lower", "upper", "bound", "error_level_met", "h")
CLOSED = ("gaussian", "spectrum")  # targets whose laws take no grid
# The grids of these are those of others here, at more step sizes.
MORE = ("reference 0", "06 mixture product", "09 skew diagonal vary h", "Two scores", "Does an exponential", "Why does the second")


def marked(kind):
    for name, case in BEFORE[kind].items():
        quick = kind == "laws" and case["study"]["target"]["name"] in CLOSED
        yield pytest.param(case, id=name, marks=[] if quick else [pytest.mark.long if name.startswith(MORE) else pytest.mark.slow])


def close(found, before, rel):
    if before is None or found is None:
        return found is before
    return math.isclose(found, before, rel_tol=rel, abs_tol=1e-300)


def answer(case):
    """The rows of both, side by side, and the whole of today's answer."""
    today = run(Study.from_json(case["study"])).to_json()
    key = lambda row: (row["scheme"], row["steps"], json.dumps(row.get("value")))  # noqa: E731
    rows, before = ({key(row): row for row in rows} for rows in (today["rows"], case["rows"]))
    assert rows.keys() == before.keys()
    return [(rows[k], before[k]) for k in before], today


@pytest.mark.parametrize("case", list(marked("laws")))
def test_laws_without_sampling_are_the_same(case):
    rows, today = answer(case)
    searched = FACTS.get(case["study"]["target"]["name"], 0)
    tabled = case["study"]["target"]["name"] == "mixture"

    def same(before):
        return max(TABLE / before["w2"] if tabled else SAME, 10 * before.get("rounding", 0))

    for row, before in rows:
        rel = same(before)
        if before["method"] in BOUNDS:
            assert close(row["lower"], before["w2"], max(rel, 1e-10)), (row, before)  # summed in another order
            assert row["w2"] >= row["lower"] * (1 - rel)
            before = {k: v for k, v in before.items() if k not in ("w2", "upper", "method", "resolved")}
        for name, value in before.items():
            if name in NUMBERS:
                assert close(row[name], value, max(rel, name == "bound" and searched)), (name, row, before)
            elif name != "rounding":
                assert row[name] == value, (name, row, before)
    # A slope is a quotient of small differences.
    joint = {before["scheme"] for _, before in rows if before["method"] in BOUNDS}
    worst = max(same(before) for _, before in rows)
    for fit, before in zip(today["fits"], case.get("fits", ())):
        assert fit["scheme"] in joint or all(
            fit[name] == value if name == "scheme" else close(fit[name], value, max(1e4 * worst, name.startswith("theory_c") and searched))
            for name, value in before.items()
        )
    for reached, before in zip(today.get("reach", ()), case.get("reach", ())):
        if reached["scheme"] not in joint:
            for name, value in before.items():  # T and h come from a minimum, whose digits depend on the machine
                assert close(reached[name], value, 1e-9) if isinstance(value, float) else reached[name] == value, name


@pytest.mark.parametrize("case", list(marked("sampled")))
def test_sampled_rows_agree_within_their_errors(case):
    rows, _ = answer(case)
    for row, before in rows:
        assert row["method"] == before["method"]
        assert (row["w2"] is None) == (before["w2"] is None)
        if row["w2"] is not None:
            error = math.hypot(row["stderr"], before["stderr"])
            assert row["w2"] == pytest.approx(before["w2"], abs=ERRORS * error + SAME), (row, before)
