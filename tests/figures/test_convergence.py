"""The convergence figure shows what the result says, in both renderers, and says why a point is hollow."""

import copy
import math
import re

import numpy as np
import pytest
from drawing import curve, drawable, in_triangles, plotly
from seeing import contrast

from dlab import schemes
from dlab.figures import paper, screen
from dlab.figures.chart import NEUTRAL
from dlab.figures.convergence import chart
from dlab.figures.numbers import in_markdown, interval, number
from dlab.figures.tables import rows_table, sentence, table

H = (0.5, 0.25, 0.125, 0.0625)
# constant, slope, order of the theorem
ORDERS = {
    "EM": (0.36, 1.0, 0.5),
    "EI": (0.5, 1.1, 0.5),
    "REM": (0.05, 2.0, 0.5),
    "REI": (0.2, 2.0, 0.5),
    "SO": (0.13, 1.8, 1.0),
}
NOTE = "The bound is void for EM, EI: m0 = 0.4 ≤ ½, so m_min − ½ is not positive: the theorem promises nothing."
FLAG = "unresolved: 0 ± 0.009 is within 3 standard errors of zero"
OUTSIDE = "outside the asymptotic range"


def row(scheme, h, w2, **changes):
    hessians = int(4 / h) if scheme == "SO" else 0
    return {
        "scheme": scheme, "h": h, "steps": int(4 / h), "score_evals": int(4 / h), "hessian_evals": hessians,
        "particles": 4096, "w2": w2, "stderr": w2 / 50, "lower": 0.8 * w2, "upper": 1.5 * w2, "floor": None,
        "method": "projected", "resolved": True, "bound": 16 * h**0.5, "error_level_met": 0.0, "diverged": 0,
        "flags": [], **changes}  # fmt: skip


def normal(names=tuple(ORDERS), hs=H):
    laws = {s: ORDERS[s] for s in names}
    return {
        "schema": 1,
        "study": {"target": {"name": "logistic"}, "schemes": list(names), "h": list(hs), "T": 4.0, "start": "exact",
                  "score_error": {"name": "none"}},
        "facts": {},
        "rows": [row(s, h, c * h**p) for s, (c, p, _) in laws.items() for h in hs],
        "fits": [{"scheme": s, "slope": p, "slope_low": p - 0.02, "slope_high": p + 0.02, "constant": c,
                  "used": list(hs), "theory_order": q, "theory_c1": 16.2, "theory_c2": 3.33}
                 for s, (c, p, q) in laws.items()],
        "notes": [],
    }  # fmt: skip


def edit(result, scheme, h, **changes):
    for r in result["rows"]:
        if r["scheme"] == scheme and (h is None or r["h"] == h):
            r.update(changes)


def unfit(result, scheme):
    fit = next(f for f in result["fits"] if f["scheme"] == scheme)
    fit.update(slope=None, slope_low=None, slope_high=None, constant=None, used=[])


def names(c):
    return [s.name for s in c.series]


def test_five_schemes():
    c = chart(normal())
    for s in ORDERS:
        style = schemes.REGISTRY[s].style
        measured = curve(c, f"{s} measured")
        assert len(measured.x) == len(H)
        assert all(measured.filled)
        assert measured.marker == style.marker
        assert measured.colours == (style.light, style.dark)
        assert curve(c, f"{s} theorem's bound").dash == "dot"
        assert curve(c, f"{s} fit").dash == style.dash
    assert [label.text for label in c.labels] == list(ORDERS)
    assert {k.name for k in c.keys} == {"theorem's bound", "bracket"}
    assert c.y.title == "W₂ (projected, 4096 paths)"
    assert c.x.title == "step size h"
    assert [t for _, t in c.x.ticks] == ["1/16", "1/8", "1/4", "1/2"]
    assert sorted(t.label for t in c.triangles) == ["1", "2", "½"]
    assert len(c.bands) == 5


def test_fit_line_is_the_results_power_law_on_every_axis():
    for x, sign in (("h", 1), ("steps", -1), ("evals", -1)):
        line = curve(chart(normal(), x), "SO fit")
        slopes = np.diff(np.log(line.y)) / np.diff(np.log(line.x))
        assert slopes == pytest.approx([sign * 1.8] * 3)
        for t in chart(normal(), x).triangles:
            assert math.log(t.y1 / t.y0) / math.log(t.x1 / t.x0) == pytest.approx(t.slope)
            assert math.copysign(1, t.slope) == sign
    assert max(curve(chart(normal(), "evals"), "SO measured").x) == 128


def test_measured_points_lie_inside_the_picture_and_not_in_the_triangles():
    for x in ("h", "steps", "evals"):
        c = chart(normal(), x)
        for s in c.series:
            assert c.x.limits[0] < min(s.x) <= max(s.x) < c.x.limits[1]
        assert c.triangles
        assert not in_triangles(c)


def test_the_bracket_s_key_has_the_colour_of_the_bands_where_that_is_one():
    def key(*names):
        return next(k for k in chart(normal(names)).keys if k.name == "bracket")

    em = schemes.REGISTRY["EM"].style
    assert key("EM").colours == (em.light, em.dark)
    assert key("EM", "SO").colours == NEUTRAL


def test_exact_method_has_neither_error_bars_nor_bracket():
    r = normal(("EM",))
    edit(r, "EM", None, method="exact", stderr=0.0, particles=0)
    for q in r["rows"]:
        q["lower"] = q["upper"] = q["w2"]
    c = chart(r)
    assert c.y.title == "W₂ (exact)"
    assert curve(c, "EM measured").low == curve(c, "EM measured").high == ()
    assert not c.bands
    assert "95 %" not in c.caption


def test_lower_bounds_are_called_so():
    r = normal(("REM",))
    edit(r, "REM", None, method="lower", upper=None)
    c = chart(r)
    assert "lower bound of W₂" in curve(c, "REM measured").hover[0]
    assert re.search("REM.*lower bound", c.caption)
    assert "lower bound of W₂" in table(r)[0]["why"]


def test_floor():
    r = normal(("EM",))
    edit(r, "EM", None, method="plugin", floor=0.1)
    edit(r, "EM", 0.0625, resolved=False)
    c = chart(r)
    floor = next(b for b in c.bands if "floor" in b.name)
    assert floor.upper == (0.1,) * 4
    assert curve(c, "EM measured").filled == (False, False, False, True)
    assert "floor" in curve(c, "EM measured").hover[0]
    assert "0.100" in curve(c, "EM measured").hover[0]
    drawable(c)


def test_void_bound():
    r = normal(("EM", "EI"))
    r["notes"] = [NOTE]
    for name in ("EM", "EI"):
        edit(r, name, None, bound=None)
    for f in r["fits"]:
        f.update(theory_order=None, theory_c1=None, theory_c2=None)
    assert not any("bound" in n for n in names(chart(r)))
    first = table(r)[0]
    assert [first[k] for k in ("proven", "C₁", "C₂", "bound ÷ W₂")] == ["void"] * 4
    assert "m₀ = 0.4 ≤ ½" in first["why"]
    assert "void" in sentence(r)
    assert "at least" not in sentence(r)


def test_diverged():
    r = normal(("EM", "EI"))
    for name in ("EM", "EI"):
        edit(r, name, 0.5, w2=None, stderr=None, lower=None, upper=None, diverged=17, resolved=False)
    r["fits"][0]["used"] = r["fits"][1]["used"] = [0.25, 0.125, 0.0625]
    c = chart(r)
    em, ei = curve(c, "EM diverged"), curve(c, "EI diverged")
    assert em.marker == "x"
    assert em.filled == (False,)
    assert "17 of 4096 particles diverged" in em.hover[0]
    assert em.y != ei.y  # none hides the other
    low, high = np.log(c.y.limits)
    assert all(0.9 < (np.log(y) - low) / (high - low) < 1 for y in em.y + ei.y)
    assert len(curve(c, "EM measured").x) == 3
    assert rows_table(r)[0]["W₂ ± 95 %"] == "diverged"


def test_everything_diverged():
    r = normal(("EM",))
    edit(r, "EM", None, w2=None, stderr=None, lower=None, upper=None, bound=None, diverged=9, resolved=False)
    unfit(r, "EM")
    c = chart(r)
    assert names(c) == ["EM diverged"]
    assert [label.text for label in c.labels] == ["EM diverged"]
    assert "±" not in sentence(r)


def test_a_distance_that_is_infinite_is_not_called_diverged():
    r = normal(("EM", "REM"))
    said = ["W₂ is infinite: 1/t has no mean."]
    edit(r, "REM", None, w2=None, stderr=None, lower=None, upper=None, bound=None, resolved=False, flags=said)
    unfit(r, "REM")
    keys = [key.name for key in chart(r).keys]
    assert "REM infinite" in [label.text for label in chart(r).labels]
    assert "infinite" in keys
    assert not any("diverged" in key for key in keys)
    assert rows_table(r)[-1]["W₂ ± 95 %"] == "infinite"
    assert re.search("REM.*infinite W₂ at h = 1/2", sentence(r))
    r["rows"] = [row for row in r["rows"] if row["h"] == 0.5]
    unfit(r, "EM")
    assert re.search("REM.*infinite W₂", sentence(r))


def test_single_step():
    r = normal(("EM", "SO"), (0.3,))
    for name in ("EM", "SO"):
        unfit(r, name)
    c = chart(r)
    assert not c.triangles
    assert curve(c, "EM measured").filled == (True,)
    assert [label.text for label in c.labels] == ["EM", "SO"]
    assert c.x.ticks == ((0.3, "0.3"),)
    assert c.bands[0].x[0] < 0.3 < c.bands[0].x[-1]
    assert all(part in sentence(r) for part in ("h = 0.3", "0.108 ± 0.004 for EM", "0.0149 ± 0.0006 for SO", "no slope"))


def test_missing_fit_and_keys():
    r = normal(("EM", "SO"))
    unfit(r, "EM")
    r["fits"] = r["fits"][:1]
    for key in ("study", "facts", "notes"):
        del r[key]
    for q in r["rows"]:
        for key in ("floor", "flags", "lower", "upper", "bound", "error_level_met"):
            del q[key]
    c = chart(r)
    assert [label.text for label in c.labels] == ["EM", "SO"]
    assert [t["slope"] for t in table(r)] == ["–", "–"]
    assert "EM and SO" in sentence(r)
    assert len(rows_table(r)) == 8


def test_the_table_holds_what_the_pointer_shows():
    r = normal()
    edit(r, "EM", 0.5, resolved=False, flags=[FLAG])
    edit(r, "SO", 0.25, w2=None, stderr=None, lower=None, upper=None, diverged=3, resolved=False)
    told = {(line["scheme"], line["h"]): line for line in rows_table(r)}
    said = 0
    for s in chart(r).series:
        for hover in s.hover:
            head, *lines = hover.split("\n")
            scheme, h = head.split(", h = ")
            line = told[scheme, h.split(",")[0]]
            cells = "; ".join(map(str, line.values()))
            for part in lines:
                for number_ in re.findall(r"\d[\d.×⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*", part.replace("95 %, ", "")):
                    assert number_ in cells, (part, cells)
                    said += 1
                if part.startswith("hollow: "):
                    assert part.removeprefix("hollow: ") in line["why"]
    assert said > 100


def test_no_rows():
    assert sentence({"rows": []})
    assert table({}) == rows_table({}) == []
    c = chart({})
    assert not c.series
    screen.to_plotly(c)
    paper.to_matplotlib(c)


def test_huge_bound_does_not_flatten_the_picture():
    r = normal(("EM",))
    edit(r, "EM", 0.5, bound=1e12)
    c = chart(r)
    assert c.y.limits[1] < 1e4
    assert "outside the picture" in c.caption


def test_table():
    first = table(normal())[0]
    assert first["proven"] == "½"
    assert first["slope"] == "1.00 ± 0.02"
    assert first["fitted h"] == "1/2 … 1/16"
    assert first["C"] == "0.360"
    assert first["bound ÷ W₂"] == f"{16 * 0.25 / (0.36 / 16):.0f} at 1/16"
    assert first["why"] == ""
    r = normal(("EM",))
    edit(r, "EM", 0.0625, resolved=False, flags=[FLAG])
    assert table(r)[0]["bound ÷ W₂"].endswith("at 1/8")


def test_the_result_is_left_alone():
    r = normal()
    before = copy.deepcopy(r)
    chart(r), table(r), rows_table(r), sentence(r)
    assert r == before


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.012345, "0.0123"), (1.0, "1.00"), (0.9996, "1.00"), (169.9, "170"), (12345.0, "12300"), (0.00025, "2.50×10⁻⁴"),
     (0.001, "0.00100"), (0.0, "0"), (None, "–"), (math.inf, "–"), (-0.5, "−0.500"), (2.5e7, "2.50×10⁷")],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [(1.0195, 0.0213, "1.02 ± 0.02"), (1.632, 1.24, "1.6 ± 1.2"), (2.27, 8.05, "2 ± 8"),
     (1.0342, 0.0012, "1.03 ± 0.01"), (1.04, 0.0, "1.04"), (1.04, None, "1.04"),
     (0.000173, 0.00003, "(1.7 ± 0.3)×10⁻⁴"), (0.0, 0.018, "0 ± 0.018"),
     (0.0421, 0.00256, "0.042 ± 0.003"), (None, 1.0, "–")],
)  # fmt: skip
def test_interval(value, half, text):
    assert interval(value, half) == text


def test_a_note_s_raw_names_become_formulas_before_and_after_it_is_escaped():
    note = "The bound is void: m0 = −7 ≤ ½, so m_min − ½ is not positive. Start N(0, σ_T² I) and p_T."
    for raw in (note, note.replace("_", r"\_")):
        said = in_markdown(raw)
        assert [part in said for part in ("$m_0$", r"$m_{\min}$", r"$\sigma_T^2$", "$p_T$")] == [True] * 4
        assert said.count("$") == 8
    for raw in ("SO: h = 0.5, 0.25, 0.015625 lies outside; h = 0.3.", r"SO: h = 0\.5, 0\.25, 0\.015625 lies outside; h = 0\.3\."):
        assert "h = 1/2, 1/4, 1/64 lies outside; h = 0.3" in in_markdown(raw)
    assert in_markdown("Theorem 1, $m_0$, xm0, m01") == "Theorem 1, $m_0$, xm0, m01"


def test_hollow_points_say_why():
    r = normal(("EM", "REM"), (*H, 1 / 32))
    edit(r, "REM", 0.25, w2=0.0, stderr=0.009, lower=0.0, resolved=False, flags=[FLAG])
    r["fits"][0]["used"] = [0.25, 0.125, 0.0625, 1 / 32]
    c = chart(r)
    rem, em = curve(c, "REM measured"), curve(c, "EM measured")
    assert rem.filled == (True, True, True, False, True)
    assert f"hollow: {FLAG}" in rem.hover[3]
    assert em.filled == (True, True, True, True, False)
    assert OUTSIDE in em.hover[4]
    assert len(curve(c, "EM fit").x) == 4
    assert "not fitted" in [k.name for k in c.keys]
    by_name = {t["scheme"]: t for t in table(r)}
    assert FLAG in by_name["REM"]["why"]
    assert OUTSIDE in by_name["EM"]["why"]
    assert by_name["EM"]["fitted h"] == "1/4 … 1/32"
    assert by_name["REM"]["fitted h"] == "1/2, 1/8, 1/16, 1/32" or by_name["REM"]["slope"] != "–"
    drawable(c, (True, False))


def test_on_screen():
    r = normal(("EM", "SO"))
    edit(r, "SO", 0.0625, resolved=False, flags=["a reason <long enough> to be broken into several lines of text"])
    figure = plotly(chart(r), "dark")
    traces = {t.name: t for t in figure.data}
    so = traces["SO measured"]
    assert so.marker.symbol == ("diamond-open", "diamond", "diamond", "diamond")
    assert so.marker.color == schemes.REGISTRY["SO"].style.dark
    assert "&lt;long" in so.text[0]
    assert max(map(len, so.text[0].split("<br>"))) < 60
    assert not {"EM", "SO"} & {t.name for t in figure.data if t.showlegend}
    names = {a.name: a for a in figure.layout.annotations}
    assert contrast(names["SO"].font.color, screen.THEMES["dark"]["ground"]) >= 4.5
    assert so.customdata[0] == ["SO", 0.0625, 64]
    assert figure.layout.xaxis.ticktext == ("1/16", "1/8", "1/4", "1/2")
    large = plotly(chart(normal(("EM",))), presentation=True)
    traces = {t.name: t for t in large.data}
    assert (large.layout.font.size, traces["EM fit"].line.width, traces["EM measured"].marker.size) == (20, 3, 10)
    with pytest.raises(ValueError, match="light, dark"):
        screen.to_plotly(chart(normal()), "sepia")
    assert not screen.CONFIG["showSendToCloud"]
    assert not screen.CONFIG["displaylogo"]


def test_contrast():
    for shade, theme in enumerate(screen.THEMES.values()):
        assert contrast(theme["text"], theme["ground"]) >= 7
        assert contrast(NEUTRAL[shade], theme["ground"]) >= 4.5


def test_on_paper():
    r = normal(("EM", "SO"))
    edit(r, "SO", 0.0625, resolved=False)
    figure = paper.to_matplotlib(chart(r), width_mm=85, font_pt=8)
    assert figure.get_size_inches()[0] == pytest.approx(85 / 25.4)
    (ax,) = figure.axes
    lines = {line.get_label(): line for line in ax.lines}
    assert len(lines["SO measured (filled)"].get_xdata()) == 3
    assert lines["SO measured (hollow)"].get_markerfacecolor() == "white"
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert {"EM", "SO"} <= {text.get_text() for text in ax.texts}
    assert "bracket" in {text.get_text() for text in figure.legends[0].get_texts()}
    assert not paper.to_matplotlib(chart(r), legend=False).legends
    grey = paper.to_matplotlib(chart(r), grey=True).axes[0]
    drawn = {line.get_color() for line in grey.lines} - {NEUTRAL[0]}  # of the reference slopes
    assert all(str(colour).replace(".", "").isdigit() for colour in drawn)
