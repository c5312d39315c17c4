"""Which slopes are shown, and that their intervals hold the order: on curves W = C h^p (1 + a h^q) with and without errors."""

import itertools

import numpy as np
import pytest
from test_convergence import edit, normal

from dlab.figures import slopes, tables
from dlab.figures.convergence import chart
from dlab.measure import fit as fits

# The family: orders, next terms and their sizes at h = 1, ladders of halves from ½ or 1 on, relative standard errors.
P, Q, A = (0.5, 1.0, 1.5, 2.0), (0.5, 1.0, 2.0), (-0.5, -0.2, 0.0, 0.3, 1.0, 2.0)
POINTS, COARSEST, ERRORS = (4, 5, 6, 7, 8), (1.0, 0.5), (0.0, 0.01, 0.05)


def shown(h, w2, stderr):
    line = fits.fit(list(h), list(w2), list(stderr), [True] * len(h))
    found = {"slope": line.slope, "slope_low": line.low, "slope_high": line.high, "constant": line.constant, "used": line.used}
    return slopes.shown(found, [p for p in zip(h, w2, stderr) if p[0] in line.used])


def test_nine_of_ten_shown_intervals_hold_the_order():
    rng, held, count, unsaid = np.random.default_rng(0), {e: [] for e in ERRORS}, 0, 0
    for p, q, a, n, top, error in itertools.product(P, Q, A, POINTS, COARSEST, ERRORS):
        for _ in range(4 if error else 1):
            h = top * 0.5 ** np.arange(n)
            w2 = h**p * (1 + a * h**q) * np.exp(error * rng.standard_normal(n))
            found, count = shown(h, w2, error * w2), count + 1
            if found["slope"] is None:
                unsaid += 1
                continue
            if found["slope_low"] is None:
                assert error == 0
                continue
            held[error].append(found["slope_low"] - 1e-9 <= p <= found["slope_high"] + 1e-9)
    assert {e: np.mean(v) >= 0.9 for e, v in held.items()} == dict.fromkeys(ERRORS, True), {e: np.mean(v) for e, v in held.items()}
    assert unsaid < 0.3 * count


@pytest.mark.parametrize("n, has", [(2, False), (3, False), (4, True)])
def test_no_slope_from_fewer_than_four_points(n, has):
    r = normal(("EM", "SO"), tuple(0.5**k for k in range(1, n + 1)))
    drawn, line, said = chart(r), tables.table(r)[0], tables.sentence(r)
    assert (line["slope"] != "–") == has
    assert (f"from {n} points: no slope" in line["why"]) != has
    assert ("1.00" in said) == has
    assert any(s.name == "EM fit" for s in drawn.series) == has
    assert all(s.filled == (True,) * n for s in drawn.series if s.name.endswith("measured"))
    assert r["fits"][0]["slope"] == 1.0  # the file keeps its contract


def test_points_that_run_into_a_floor_have_no_line():
    hs = tuple(0.5**k for k in range(1, 8))
    r = normal(("EM", "SO"), hs)
    for h in hs:
        edit(r, "EM", h, w2=0.15 + 0.1 * h, stderr=0.0)
    r["fits"][0].update(slope=0.06, slope_low=0.03, slope_high=0.09, constant=0.2, used=list(hs))
    assert not any(s.name == "EM fit" for s in chart(r).series)
    assert any(s.name == "SO fit" for s in chart(r).series)
    assert "bends" in tables.table(r)[0]["why"]
    assert tables.table(r)[0]["slope"] == "–"
    assert "0.06" not in tables.sentence(r)


def test_what_scatters_about_a_level_is_no_bend():
    hs = tuple(0.5**k for k in range(1, 7))
    w2 = 0.1 * np.array([1.01, 0.99, 1.02, 0.98, 1.0, 1.01])
    found = shown(np.array(hs), w2, 0.02 * w2)
    assert found["slope"] is not None
    assert found["slope_low"] < 0 < found["slope_high"]


def test_the_floor_of_a_score_error_is_a_band_that_is_named_and_seen():
    hs = tuple(0.5**k for k in range(1, 8))
    r = normal(("EM", "SO"), hs)
    r["study"]["score_error"] = {"name": "constant", "level": 0.1}
    for h in hs:
        edit(r, "EM", h, w2=0.15 + 0.1 * h)
        edit(r, "SO", h, w2=0.15 + 0.02 * h)
    drawn = chart(r)
    (band,) = [b for b in drawn.bands if b.label]
    assert band.upper == pytest.approx([0.15 + 0.02 / 128] * 2)
    assert "0.150" in band.label
    assert drawn.y.share(band.upper[0]) > 0.15
    assert not [b for b in chart(r, revealed=False).bands if b.label]
    r["study"]["score_error"] = {"name": "none"}
    assert not [b for b in chart(r).bands if b.label]
