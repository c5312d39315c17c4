"""The reference is as fine as the target asks for, and value, interval and bracket hold on narrow targets, seed by seed."""

import numpy as np
import pytest

from dlab import errors, targets
from dlab.measure import exact
from dlab.study import Study, shared_paths
from dlab.study.paths import LONGEST, MOST, asked_for
from dlab.study.run import COARSE, run


def narrow(v, **more):
    spec = {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[v, 0.0], [0.0, v]]}
    return Study.from_json({"target": spec, "schemes": ["EM", "SO"], "h": [0.125, 1 / 32], "T": 4.0, "estimator": "projected", **more})


@pytest.mark.parametrize("v", [1.0, 0.5, 0.1, 0.01])
def test_the_reference_is_short_beside_the_targets_scale_and_the_default_is_as_before(v):
    given = narrow(v)
    for grid in given.shared_paths:
        assert all(given.T / r.steps / v <= LONGEST * (1 + 1e-9) for r in grid.references)
    plain = shared_paths(given.steps)
    assert (given.shared_paths == plain) == (asked_for(given.built, given.T) <= plain[0].references[0].steps)
    assert v < 0.1 or given.shared_paths == plain


def test_where_the_most_steps_are_too_long_no_bound_is_given_and_the_point_is_not_resolved():
    given = narrow(1e-4, h=[0.5], T=1.0, particles=64)
    assert given.T / MOST / 1e-4 > COARSE
    for row in run(given).rows:
        assert (row.lower, row.upper, row.resolved) == (None, None, False)


def test_far_modes_ask_for_no_more_than_near_ones():
    """Between them the score is as steep as their distance squared, where next to nobody is."""
    far, near = (
        targets.build({"name": "mixture", "weights": [0.5, 0.5], "means": [[-a, 0], [a, 0]], "var": 0.2}).steepness for a in (20.0, 1.0)
    )
    assert far <= 5 * near / 2
    uneven = {"name": "mixture", "weights": [0.5, 0.5], "means": [[0, 0], [0, 0]], "var": [[[0.9, 0], [0, 1]], [[1, 0], [0, 0.9]]]}
    assert targets.build(uneven).steepness == pytest.approx(1 / 0.9)


def covered(variances, seeds, particles):
    """z of value, of Gelbrich's and of the coupled bound against the exact law, and the relative errors, over resolved rows."""
    z, low, high, off = [], [], [], []
    for v in variances:
        for seed in seeds:
            given = narrow(v, particles=particles, seed=seed)
            for row in run(given).rows:
                (law,), _ = exact.follow(given.case(row.scheme, row.steps), [row.steps])
                if row.resolved and law.value > 1e-9:
                    z.append((row.w2 - law.value) / row.stderr)
                    off.append(row.w2 / law.value - 1)
                    low.append((row.lower - law.value) / row.stderr)
                    high.append((law.value - row.upper) / row.stderr)
    return map(np.array, (z, low, high, off))


def test_on_a_narrow_target_value_interval_and_bracket_hold():
    z, low, high, _ = covered([0.03], [1], 512)
    assert len(z) >= 3
    assert np.abs(z).max() < 4
    assert max(low.max(), high.max()) < 4


@pytest.mark.long
def test_over_seeds_and_scales_the_interval_covers_and_the_value_is_within_three_per_cent():
    z, low, high, off = covered([1.0, 0.1, 0.03, 0.01], range(8), 1024)
    assert np.mean(np.abs(z) < 1.96) > 0.85
    assert abs(off.mean()) < 0.03
    assert np.mean(low > 1.96) < 0.15
    assert np.mean(high > 1.96) < 0.05


def test_on_the_line_the_level_of_a_constant_error_is_what_is_injected():
    for angle, sign in ((0.0, 1), (60.0, 1), (90.0, 1), (180.0, -1)):
        error = errors.build({"name": "constant", "level": 0.3, "angle": angle})
        assert np.asarray(error.shift(1.0, np.zeros((4, 1)), np.zeros((4, 1)), None)) == pytest.approx(np.full((4, 1), 0.3 * sign))
        along = error.along(np.array([1.0, 0.0]))
        assert float(np.asarray(along.shift(1.0, np.zeros((1, 1)), np.zeros((1, 1)), None))[0, 0]) == pytest.approx(
            0.3 * np.cos(np.radians(angle)), abs=1e-12
        )
