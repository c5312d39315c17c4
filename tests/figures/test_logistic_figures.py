"""The pictures and sentences of the Logistic regression page, from small answers made up here."""

import math

import pytest
from drawing import curve, drawable

from dlab.figures import logistic, paper


def row(scheme, h, w2, **more):
    base = {
        "scheme": scheme, "h": h, "steps": round(10 / h), "w2": w2, "stderr": 0.01, "floor": 0.007, "diverged": 0, "resolved": True,
        "flags": [],
    }  # fmt: skip
    return base | more


RESULT = {
    "study": {"schemes": ["EM", "REM", "SO"], "target": {"name": "logistic", "lam": 100}},
    "fits": [],
    "rows": [
        *(row("EM", h, math.sqrt(h) - 0.1) for h in (0.1, 0.25)),
        row("REM", 0.1, None, stderr=None, diverged=2, resolved=False, flags=["2 of 1024 particles diverged"]),
        row("REM", 0.25, 9.0, stderr=3.0, resolved=False),
        *(row("SO", h, 0.4 * math.sqrt(h)) for h in (0.1, 0.25)),
    ],
}
FIRST = {
    "rows": [
        {"scheme": s, "h": h, "steps": round(10 / h), "w2": c * h**p}
        for s, c, p in (("EM", 3, 1), ("SO", 9, 2), ("REM", 5, 2)) for h in (0.32, 0.08, 0.02, 0.005)
    ],
    "slopes": {"EM": [1.0] * 3, "SO": [2.0] * 3, "REM": [2.0] * 3},
    "fits": {
        "EM": {"slope": 1.0, "low": 0.98, "high": 1.02, "used": [0.005] * 4},
        "SO": {"slope": 1.9, "low": 1.8, "high": 2.0, "used": [0.005] * 4},
        "REM": {"slope": 0.1, "low": -7.0, "high": 7.0, "used": [0.005] * 4},
    },
    "L0": 146.0,
    "near": {"w2": 0.006, "stderr": 0.001, "floor": 0.001, "sigma": 0.096, "surrogate_sigma": 0.09},
}  # fmt: skip


def readings():
    rows = []
    for reading, values in {
        "laplace": (0.7, 1.8),
        "kernel 100": (5.5, 46.0),
        "kernel 1000": (5.0, 35.0),
        "guarded": (0.3, 0.5),
        "smooth 1000": (2.1, 2.7),
        "frozen": (0.2, 0.35),
    }.items():
        for scheme in ("EM", "REM"):
            for h, w2 in zip((0.1, 0.2), values):
                w2 = w2 if scheme == "REM" else math.sqrt(h) - 0.1
                rows.append({"reading": reading, "scheme": scheme, "h": h, "steps": round(10 / h), "w2": w2, "w2_stderr": 0.02,
                             "w1": 0.8 * w2,
                             "w1_stderr": 0.02, "std": w2, "farthest": 9.0, "diverged": 0})  # fmt: skip
    return {"rows": rows, "sigma": 0.1, "m0": 100.0, "L0": 150.0, "particles": 512, "sampler": ""}


def test_the_experiment_has_linear_axes_the_papers_bands_and_the_line_of_the_last_steps_noise():
    chart = logistic.experiment(RESULT, 0.1, 100.0)
    assert not chart.x.log
    assert not chart.y.log
    assert [b.name for b in chart.bands] == ["EM in the paper", "EI in the paper", "SO in the paper"]
    line, em = curve(chart, "√h − σ₀"), curve(chart, "EM")
    assert sorted((line.y[0], line.y[-1])) == pytest.approx(sorted(em.y))
    assert em.high[0] - em.y[0] == pytest.approx(1.96 * 0.01)
    # What REM throws away does not flatten the rest.
    assert max(max(s.y) for s in chart.series) <= chart.y.limits[1] < 1
    assert "REM throws" in chart.caption
    assert "REM" not in [s.name for s in chart.series]
    assert "about 0.19 and 0.435" in chart.caption
    drawable(chart)
    other = logistic.experiment(RESULT, 0.1, 50.0)
    assert not other.bands
    assert "paper" not in other.caption


def test_a_scheme_without_a_finite_distance_is_said_to_have_none():
    endless = ["W₂ is infinite: 1/t has no mean."]
    rows = [{**r, "flags": endless, "w2": None, "diverged": 1} if r["scheme"] == "REM" else r for r in RESULT["rows"]]
    assert "infinite" in logistic.experiment_sentence({**RESULT, "rows": rows}, 0.1, 100.0)
    assert [r["REM"] for r in logistic.table({**RESULT, "rows": rows})] == ["infinite", "infinite"]
    table = logistic.table(RESULT)
    assert [r["h"] for r in table] == ["0.1", "1/4"]
    assert (table[0]["REM"], table[0]["EM"], table[0]["floor"]) == ("diverged", "0.22 ± 0.02", "0.00700")


def test_a_slope_that_is_none_is_not_printed_as_one():
    chart = logistic.orders(FIRST, {"simulated": RESULT})
    assert "EM 1.00 ± 0.02, SO 1.90 ± 0.10" in chart.caption
    assert "REM has no" in chart.caption
    assert "REM" in [label.text for label in chart.labels]
    assert curve(chart, "h = 1/L").x == (1 / 146.0,) * 2
    assert {s.name for s in chart.series} >= {"EM, exact", "EM, simulated", "SO, simulated"}
    drawable(chart)
    # A step of 1/L outside of the picture is no line of it.
    mild = logistic.orders({**FIRST, "L0": 1.0}, {})
    assert "h = 1/L" not in [s.name for s in mild.series] + [k.name for k in mild.keys]
    assert "need not lie" not in logistic.orders_sentence(FIRST)
    assert "need not lie" in logistic.orders_sentence({**FIRST, "near": {**FIRST["near"], "w2": 0.03}})
    table = logistic.slopes_table(FIRST)
    assert table[0] == {"h from": "0.32", "to": "0.08", "hL": "46.7", "EM": "1.00", "SO": "2.00", "REM": "2.00"}
    assert len(table) == 3


def test_the_readings_say_that_finitely_many_samples_raise_the_error():
    found = readings()
    text = logistic.readings_sentence(found, "REM")
    for part in ("raises it", "5.50 with 100, 5.00 with 1,000", "0.200; the paper's figure has about 0.19", "0.216 and 0.347"):
        assert part in text
    chart = logistic.readings(found, "REM")
    assert chart.y.log
    assert {"frozen", "kernel 100"} <= {s.group for s in chart.series}
    drawable(chart)
    assert len(logistic.readings_table(found)) == len(found["rows"])
    assert "raises it" not in logistic.readings_sentence(found, "EM")  # it changes little
    for part in ("the figure has 0.190, √h − σ₀ is 0.216", "σ₀ ≤ 1/√λ = 0.100"):
        assert part in logistic.floor_sentence(found, RESULT)


BOUNDARY = {
    "x": [[1.0, 2.0], [-1.0, 0.5]], "y": [1, -1], "box": [-3.0, 3.0], "mean": [0.5, -0.2], "draws": [[1.0, 0.3], [0.2, -1.0]], "right": 1,
    "grid": [[-1.0, 0.0, 1.0]] * 2, "density": [[0.0, 0.1, 0.0], [0.1, 0.4, 0.1], [0.0, 0.1, 0.0]], "plane": [[-1.0, -1.0], [1.0, 1.0]],
    "samples": [[0.1, 0.2], [0.0, -0.3]], "particles": [[0.4, 0.1]], "spread": [0.9, 0.8], "target_spread": [0.7, 0.6], "scheme": "EM",
    "h": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(("width", "grey"), [(85, False), (160, True), (320, False)])
def test_two_features_are_printed_with_their_map(width, grey):
    sheet = logistic.boundary(BOUNDARY)
    figure = paper.to_matplotlib(sheet, width, grey=grey)
    axes = [ax for part in figure.subfigs for ax in part.axes]
    assert [ax.get_title() for ax in axes if ax.get_title()] == ["Data and boundary", "The posterior", "Particles on it"]
    assert [len(ax.images) for ax in axes if ax.get_title()] == [0, 1, 0]
    assert paper.to_bytes(sheet, "pdf", width_mm=width, grey=grey)[:4] == b"%PDF"


def test_a_boundary_is_the_line_where_theta_times_x_is_nothing():
    line = logistic._boundary_line((1.0, 2.0), -3.0, 3.0, name="b")
    for x, y in zip(line.x, line.y):
        assert x + 2 * y == pytest.approx(0)
        assert max(abs(x), abs(y)) == pytest.approx(3)
    assert logistic._boundary_line((0.0, 0.0), -1, 1, name="b").x == ()
    assert logistic._boundary_line((0.0, 1.0), -1, 1, name="b").y == (0.0, 0.0)
