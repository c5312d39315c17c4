"""The forward process and its time grid."""

import numpy as np
import pytest

from dlab import process


def test_scale_and_variance_conserve_a_unit_variance_and_keep_digits_near_zero():
    t = np.array([0.0, 1e-12, 1e-3, 1.0, 10.0])
    np.testing.assert_allclose(process.scale(t) ** 2 + process.variance(t), 1.0, rtol=1e-15)
    assert float(process.variance(1e-12)) == pytest.approx(1e-12, rel=1e-11)


@pytest.mark.parametrize("T, h, steps", [(4.0, 0.5, 8), (1.0, 0.1, 10), (0.3, 0.1, 3), (6.0, 6.0, 1), (4.0, 4 / 3, 3)])
def test_step_count_is_T_over_h(T, h, steps):
    assert process.step_count(T, h) == steps


@pytest.mark.parametrize("T, h, nearest", [(4.0, 0.3, "0.307692"), (1.0, 0.7, "1"), (2.0, 0.501, "0.5"), (1.0, 3.0, "1")])
def test_a_remainder_is_refused_with_the_nearest_valid_step(T, h, nearest):
    with pytest.raises(ValueError, match="does not divide") as error:
        process.step_count(T, h)
    assert f"h = {h:g}" in str(error.value)
    assert f"h = {nearest}" in str(error.value)
