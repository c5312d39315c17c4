"""The Score error page's pictures say what the results say, and can be drawn on screen and on paper."""

import numpy as np
import pytest
from drawing import curve, drawable, plotly

from dlab.answers import score_error
from dlab.figures import paper, score
from dlab.figures.chart import Axis, Bar, Chart
from dlab.study import Study, run

TARGET = {"name": "gaussian", "mean": [0.5, 0.0], "cov": [[0.7, 0.2], [0.2, 1.0]]}
VOID = {"name": "gaussian", "mean": [0.5, 0.0], "cov": [[0.7, 0.0], [0.0, 2.5]]}
H = (0.25, 0.125, 0.0625)


def varied(name="constant", target=TARGET, schemes=("EM", "REM", "SO"), values=(0.0, 0.01, 0.05, 0.2)):
    spec = {"target": target, "score_error": {"name": name}, "schemes": list(schemes), "h": list(H), "T": 2.0,
            "vary": {"axis": "score_error.level", "values": list(values)}}  # fmt: skip
    return run(Study.from_json(spec)).to_json()


@pytest.fixture(scope="module")
def result():
    return varied()


def test_the_sheet_has_c2_against_the_level_and_a_line_for_each_level_against_h(result):
    bends = score_error.bends(result, "EM")
    sheet = score.sheet(result, "EM", 0.0625, bends)
    drawable(sheet)
    left, right = sheet.parts
    dotted = curve(left, "EM C₂·ε")
    assert dotted.dash == "dot"
    row = next(r for r in result["rows"] if (r["scheme"], r["h"], r["value"]) == ("EM", 0.0625, 0.2))
    assert dotted.y[-1] == row["bound_parts"]["score"]
    assert left.y.limits[1] > max(y for s in left.series if s.dash == "dot" for y in s.y)
    assert [s.name for s in right.series][:4] == ["EM ε = 0", "EM ε = 0.01", "EM ε = 0.05", "EM ε = 0.2"]
    assert len({s.colours for s in right.series}) == 5
    assert sorted(curve(right, "bends").x) == sorted(b["h"] for b in bends if b["h"])
    for said in ("fewer than 4", "Measured W₂/ε beside the theorem's C₂", "EM's curve bends into its floor at h = "):
        assert said in sheet.caption


def test_the_table_holds_every_level_of_every_scheme(result):
    bends = {name: score_error.bends(result, name) for name in result["study"]["schemes"]}
    rows = score.table(result, 0.0625, bends)
    assert [(r["scheme"], r["ε"]) for r in rows][:4] == [("EM", "0"), ("EM", "0.01"), ("EM", "0.05"), ("EM", "0.2")]
    assert len(rows) == 12
    em, rem = (next(r for r in rows if (r["scheme"], r["ε"]) == (s, "0.2")) for s in ("EM", "REM"))
    assert float(rem["C₂"]) == pytest.approx(3 * float(em["C₂"]), rel=0.01)


def test_a_void_bound_draws_no_dotted_line_and_says_so():
    result = varied(target=VOID, schemes=("EM",))
    sheet = score.sheet(result, "EM", 0.0625, score_error.bends(result, "EM"))
    drawable(sheet)
    assert not [s for s in sheet.parts[0].series if s.dash == "dot"]
    assert "C₂ =" not in sheet.caption
    assert {r["C₂·ε"] for r in score.table(result, 0.0625, {"EM": []})} == {"void"}


def test_a_curve_without_a_bend_says_why():
    result = varied("noise", schemes=("EM",))
    said = score.sheet(result, "EM", 0.0625, score_error.bends(result, "EM")).caption
    assert "levelled off" in said


@pytest.mark.parametrize("name", ["constant", "noise", "relative"])
def test_levels_are_drawn_and_told(name):
    study = Study.from_json({"target": TARGET, "score_error": {"name": name, "level": 0.2}, "schemes": ["EM"], "h": [0.125], "T": 2.0})
    found = score_error.met(study, "EM", 16)
    sheet = score.levels_sheet(found)
    drawable(sheet)
    own, denoised = (curve(part, "along EM's iterates") for part in sheet.parts)
    np.testing.assert_allclose(denoised.y, (np.exp(own.x) - 1) * np.exp(-np.array(own.x) / 2) * own.y, rtol=1e-12)
    rows = score.levels_table(found)
    assert [r["ε⁽ˣ⁰⁾ likewise"] != "–" for r in rows] == [True] * 3 + [False] * 3
    assert float(rows[0]["ε⁽ˣ⁰⁾ likewise"].split(" ")[0]) == pytest.approx(max(denoised.y), rel=0.01)
    assert len(rows) == len(score.VARIANTS) == len(found["variants"])
    said = score.levels_sentence(found)
    assert {"constant": "agree", "noise": "fresh noise", "relative": "bias"}[name] in said


def test_kinds_of_error_stand_side_by_side():
    results = {name: varied(name, schemes=("SO",), values=(0.0, 0.1, 0.2, 0.4, 0.8)) for name in ("constant", "noise", "relative")}
    chart = score.models_chart(results, "SO", 0.0625)
    drawable(chart)
    top = max(results["relative"]["rows"], key=lambda r: (r["value"], -r["h"]))
    assert curve(chart, "relative error").x[-1] == top["error_level_met"]
    said = score.models_sentence(results, "SO", 0.0625)
    assert "never clear" not in said
    octaves = {n: score_error.octave(score_error.rows_of(r, "SO", 0.8)) for n, r in results.items()}
    rows = {r["error"]: r for r in score.models_table(results, octaves, "SO", 0.0625)}
    assert rows["constant vector"]["slope in h"] == "0.00"
    assert float(rows["fresh noise"]["slope in h"]) == pytest.approx(1.0, abs=0.1)
    buried = {"noise": varied("noise", schemes=("EM",), values=(0.0, 0.05))}
    assert "never clear" in score.models_sentence(buried, "EM", 0.0625)


def test_errors_of_l_and_m_stand_beside_the_theorem_s_terms():
    results = {}
    for label, error in (("exact", {}), ("L", {"hessian_level": 0.5}), ("M", {"drift_level": 1.0})):
        spec = {"target": TARGET, "T": 2.0, "schemes": ["SO"], "h": list(H), "score_error": {"name": "none", **error}}
        results[label] = run(Study.from_json(spec)).to_json()
    terms, rows = score_error.second_order(results, {"L": 0.5, "M": 1.0}, None)
    chart = score.second_order_chart(results, terms)
    drawable(chart)
    assert len([s for s in chart.series if s.dash == "dot"]) == 2
    assert [r["theorem's order"] for r in score.second_order_table(rows)] == ["½", "1"]
    assert "for L" in score.second_order_sentence(rows)


PARTS = {"initialisation": 0.01, "discretisation": 0.02, "score": 0.07, "total": 0.08}
FINEST = {name: ["SO", 0.004] for name in ("initialisation", "discretisation", "score")}


@pytest.mark.parametrize("void", [False, True])
def test_contributions_are_shares_of_their_own_sums(void):
    theorem = None if void else {"initialisation": 1.0, "discretisation": 6.0, "score": 1.0, "total": 8.0}
    found = {"scheme": "EM", "h": 0.0625, "measured": PARTS, "theorem": theorem, "finest": FINEST}
    chart = score.parts_chart(found)
    drawable(chart)
    measured = [b for b in chart.bars if b.name.startswith("measured")]
    np.testing.assert_allclose([b.x1 - b.x0 for b in measured], [0.1, 0.2, 0.7])
    assert measured[-1].x1 == pytest.approx(1.0)
    assert measured[-1].text == "0.0700"
    assert chart.series[0].x == (pytest.approx(0.8),)
    said = score.parts_sentence(found)
    assert all(part in said for part in ("0.100", "0.0800", "80%"))
    assert ("void" in said) == void
    assert void or "100 times" in said
    assert len(score.parts_table(found)) == 4


def test_contributions_that_diverged_are_a_sentence():
    found = {"scheme": "EM", "h": 0.5, "measured": {**PARTS, "score": None, "total": None}, "theorem": None, "finest": FINEST}
    drawable(score.parts_chart(found))
    assert "diverged" in score.parts_sentence(found)


def test_a_bar_is_drawn_where_it_says():
    bar = Bar("piece", 1.0, 0.25, 0.75, text="<b>", hover="half")
    chart = Chart("bars", Axis("share", (0, 1), (), log=False), Axis("", (0, 2), (), log=False), bars=(bar,), alt="one bar")
    trace = plotly(chart).data[0]
    assert (trace.base[0], trace.x[0], trace.y[0], trace.orientation) == (0.25, 0.5, 1.0, "h")
    assert trace.text[0] == "&lt;b&gt;"
    assert trace.insidetextfont.color == "#ffffff"  # on a grey of luminance 0.13
    (patch,) = (p for p in paper.to_matplotlib(chart).axes[0].patches)
    assert (patch.get_x(), patch.get_width()) == (0.25, 0.5)
