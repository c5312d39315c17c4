"""Slopes: exact power laws, noise, the window's rule, too few points, honest intervals."""

import numpy as np
import pytest

from dlab.measure.fit import fit

H = [2.0**-k for k in range(1, 7)]


def fitted(w2, stderr=None, usable=None, h=H):
    return fit(h, w2, stderr or [0.0] * len(h), usable or [True] * len(h))


@pytest.mark.parametrize("order", [0.5, 1.0, 1.5, 2.0])
def test_an_exact_power_law_is_read_off(order):
    law = fitted([0.36 * h**order for h in H])
    assert law.slope == pytest.approx(order, abs=1e-12)
    assert law.constant == pytest.approx(0.36)
    assert law.low == pytest.approx(order)
    assert law.high == pytest.approx(order)
    assert sorted(law.used) == sorted(H)


def test_order_of_the_points_does_not_matter():
    w2 = [0.3 * h**1.5 * (1 + 0.1 * h) for h in H]
    assert fitted(w2).slope == fit(H[::-1], w2[::-1], [0.0] * 6, [True] * 6).slope


def test_a_pre_asymptotic_point_is_left_out_and_the_rest_kept():
    w2 = [h**2 for h in H]
    w2[0] *= 2
    law = fitted(w2)
    assert sorted(law.used) == sorted(H[1:])
    assert law.slope == pytest.approx(2)


def test_at_least_three_points_remain():
    assert len(fitted([h**2 * np.exp(40 * h**2) for h in H]).used) == 3


def test_the_coarsest_point_stays_when_its_error_explains_the_bend():
    w2 = [h**2 for h in H]
    w2[0] *= 1.5
    assert len(fitted(w2, [0.25 * w for w in w2]).used) == 6


def test_unresolved_and_missing_points_are_not_used():
    w2 = [h**2 for h in H]
    w2[1] = None
    law = fitted(w2, usable=[True, True, True, True, False, True])
    assert set(law.used) == {H[0], H[2], H[3], H[5]}


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_usable_points_give_no_slope(count):
    law = fitted([h**2 for h in H], usable=[i < count for i in range(6)])
    assert law.slope is law.low is law.high is law.constant is None
    assert len(law.used) == count


def test_a_zero_or_negative_distance_is_no_point_of_a_log_log_line():
    assert fitted([h**2 for h in H[:-1]] + [0.0]).slope == pytest.approx(2)


def test_two_points_have_an_interval_from_their_errors():
    law = fit([0.5, 0.25], [0.25, 0.0625], [0.0125, 0.003125], [True, True])
    half = 1.96 * np.hypot(0.05, 0.05) / np.log(2)
    assert law.slope == pytest.approx(2)
    assert law.high - law.slope == pytest.approx(half, rel=1e-3)


@pytest.mark.parametrize("points", [3, 6])
def test_the_interval_covers_the_true_slope_as_often_as_it_says(points):
    """The interval is a 95 % one; widening by scatter and the window's choice may only move it a little."""
    rng, hits, repeats = np.random.default_rng(1), 0, 600
    h = np.array(H[:points])
    relative = np.linspace(0.02, 0.1, points)
    for _ in range(repeats):
        w2 = 0.4 * h**1.5 * (1 + relative * rng.standard_normal(points))
        law = fit(list(h), list(w2), list(relative * w2), [True] * points)
        hits += law.low <= 1.5 <= law.high
    assert 0.92 < hits / repeats < 1.0


def test_intervals_of_slope_constant_and_constant_at_a_fixed_order_cover():
    """1000 noisy power laws: each 95 % interval holds the truth in 93 to 97 of 100."""
    rng, h = np.random.default_rng(9), np.array([0.5, 0.25, 0.125, 0.0625])
    error = 0.02 * np.array([1.0, 2.0, 1.0, 3.0])
    held = np.zeros(3)
    for _ in range(1000):
        w2 = 0.7 * h**1.5 * np.exp(error * rng.standard_normal(4))
        law = fit(h, w2, error * w2, [True] * 4, order=1.5, window=(0.5, 0.0625))
        held += [
            law.low < 1.5 < law.high,
            law.constant_low < 0.7 < law.constant_high,
            law.at_order[1] < 0.7 < law.at_order[2],
        ]
    # The interval widens where the points scatter, so it covers a little more than it says.
    assert np.all((held > 930) & (held < 990)), held
