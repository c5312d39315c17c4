"""The Learned score page's pictures draw what they are given, in the browser and in print, and their sentences say it."""

import numpy as np
import pytest
from drawing import plotly

from dlab.answers.learned_score import KINDS
from dlab.figures import learned, paper
from dlab.figures.chart import Sheet

T = [0.05, 0.2, 1.0]


def kind(scale):
    return {"value": [3 * scale, 2 * scale, scale], "stderr": [0.1 * scale] * 3, "average": 2 * scale, "average_stderr": 0.05 * scale,
            "top": 3 * scale, "top_stderr": 0.1 * scale, "top_t": 0.05}  # fmt: skip


MET = {"scheme": "EM", "h": 0.05, "t": T, "particles": 2048} | {
    along: {k: kind(scale * (i + 1)) for i, k in enumerate(KINDS)} for along, scale in (("iterates", 0.01), ("forward", 0.011))
}


def result(w2s, notes=()):
    rows = [{"scheme": "EM", "h": h, "w2": w, "stderr": 0.001, "diverged": 0, "resolved": True, "flags": [], "method": "projected",
             "error_level_met": 0.03, "value": 100, "bound_parts": None, "lower": None, "upper": None, "floor": None, "bound": None}
            for h, w in zip((0.25, 0.125), w2s)]  # fmt: skip
    return {"study": {"schemes": ["EM"], "score_error": {"name": "learned"}}, "rows": rows, "notes": list(notes)}


RESULTS = {"learned": result((0.1, 0.05)), "exact": result((0.09, 0.045))}
FLOOR = {"EM": {"value": 0.02, "stderr": 0.001}}


def plane():
    x = np.linspace(-3, 3, 33)
    square = x[:, None] ** 2 + x**2
    return {"t": 0.2, "x": x.tolist(), "y": x.tolist(), "density": np.exp(-square / 2).tolist(), "length": (0.01 + 0.02 * square).tolist(),
            "arrows": [[a, b, 0.1 * a, 0.1 * b] for a in (-2.0, -1.0, 1.0, 2.0) for b in (-2.0, 2.0)], "level": 0.05}  # fmt: skip


def test_the_curves_show_floor_and_theorem_and_the_sentence_compares_them():
    promise = {"EM": {"c2": 3.0, "value": 0.09, "along": "EM"}}
    chart = learned.curves_chart(RESULTS, FLOOR, promise)
    (band,) = chart.bands
    assert (band.lower[0], band.upper[0]) == pytest.approx((0.02 - 1.96e-3, 0.02 + 1.96e-3))
    (line,) = [s for s in chart.series if s.name.startswith("C₂")]
    assert line.y == (0.09, 0.09)
    assert all(part in chart.caption for part in ("0.020 ± 0.002 (EM)", "0.0900 for EM", "Each floor is below"))
    table = learned.curves_table(RESULTS, FLOOR, promise)
    assert [line["C₂·ε"] for line in table] == ["0.0900"] * 2


def test_a_floor_above_the_theorem_near_zero_or_unknown_is_not_called_below_it():
    promise = {"EM": {"c2": 3.0, "value": 0.09, "along": "EM"}}
    above = learned.curves_sentence(RESULTS, FLOOR, {"EM": {"c2": 1.0, "value": 0.0205, "along": "EM"}})
    assert "Each floor is below" not in above
    near = learned.curves_sentence(RESULTS, {"EM": {"value": 0.001, "stderr": 0.002}}, promise)
    assert "Each floor is below" in near
    assert "above zero" not in near
    assert "no floor" in learned.curves_sentence(RESULTS, {"EM": None}, promise)
    void = {"learned": result((0.1, 0.05), ["The bound is void for EM: m0 = 0.2 ≤ ½."])}
    assert "m₀ = 0.2 ≤ ½." in learned.curves_sentence(void, {"EM": None}, {"EM": {"c2": None, "value": None}})


def test_the_errors_are_drawn_with_their_intervals_and_told_apart_only_where_they_are():
    chart = learned.errors_chart(MET)
    assert [s.y for s in chart.series] == [(0.03, 0.02, 0.01), (0.033, 0.022, 0.011)]
    assert len(chart.bands) == 2
    assert all(part in chart.caption for part in ("0.0200 ± 0.0010", "0.0300", "t = 0.0500"))
    assert "agree within their errors" in chart.caption
    apart = {**MET, "forward": {**MET["forward"], "score": kind(0.02)}}
    assert "differ by more than their errors" in learned.errors_sentence(apart)
    table = learned.errors_table(MET)
    assert len(table) == len(KINDS) + 1
    assert table[1]["along EM, largest"] == "0.010 ± 0.002 at t = 1.00"  # 2 sinh(1/2) times 0.01
    assert "SO uses" in learned.derivatives(MET).caption


def test_the_error_field_is_blank_where_nobody_comes_and_has_contours_and_arrows():
    drawn = learned.field_map(plane())
    density = np.array(plane()["density"])
    assert np.isnan(drawn.values[density <= learned.PALE]).all()
    assert np.isfinite(drawn.values[density > learned.PALE]).all()
    rings = [s for s in drawn.over if s.name.startswith("p_t")]
    for ring, share in zip(rings, (0.5, 0.1, 0.01)):
        assert np.hypot(ring.x, ring.y) == pytest.approx(np.sqrt(-2 * np.log(share)), rel=0.02)
    assert len([s for s in drawn.over if s.name == "e"]) == 8
    assert all(part in learned.field_sentence(plane()) for part in ("0.0500", "at (−"))
    figure = plotly(drawn)
    assert len(figure.data) == 1 + len(drawn.over)
    assert paper.to_bytes(Sheet("a", (drawn,), "b", "c"), "svg")[:5] == b"<?xml"


def test_losses_start_without_a_loss_on_the_samples_and_the_gap_is_to_the_exact_score():
    rows = [[0, None, 1.30], [100, 1.29, 1.28], [200, 1.27, 1.275]]
    chart = learned.losses_chart("sliced", rows, 400)
    assert [s.x for s in chart.series] == [(100, 200), (0, 100, 200)]
    assert chart.x.limits == (0.0, 400.0)
    assert "1.2750" in chart.caption
    found = {"study": {"score_error": {"name": "learned"}}, "losses": rows, "least": 1.27}
    gap = learned.excess_chart(found)
    assert gap.series[0].y == pytest.approx((0.03, 0.01, 0.005))
    assert "0.00500" in gap.caption
    beyond = learned.excess_chart({**found, "least": 1.2775})
    assert "by chance" in beyond.caption
    assert "not drawn" not in beyond.caption
    assert "2 points" in learned.excess_sentence({**found, "least": 1.28})
    assert beyond.series[0].x == (0, 100)


def test_the_number_of_samples_is_drawn_for_both_methods():
    both = {"denoising": result((0.1, 0.05)), "sliced": result((0.1, 0.06))}
    for found in both.values():
        found["rows"] = [{**found["rows"][1], "value": n, "w2": w, "error_level_met": 2 * w} for n, w in ((100, 0.05), (1000, 0.02))]
    chart = learned.against_samples(both, "EM", 0.125)
    assert len(chart.series) == 4
    assert all(s.x == (100, 1000) for s in chart.series)
    assert all(part in chart.caption for part in ("100 samples to 1,000", "0.100 to 0.0400", "0.050"))
    assert "hardly falls" not in chart.caption
    both["sliced"]["rows"][1]["error_level_met"] = 0.095
    assert "From 100 on ε hardly falls" in learned.samples_sentence(both, "EM", 0.125)
    assert len(learned.samples_table(both, "EM", 0.125)) == 4
    for figure in (chart, learned.excess_chart({"study": {"score_error": {}}, "losses": [[0, None, 1.3], [9, 1.2, 1.1]], "least": 1.0})):
        plotly(figure)
        assert paper.to_bytes(figure, "svg")
