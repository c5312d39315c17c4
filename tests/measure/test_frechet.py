"""The Frechet distances: closed forms, the floor of the diagonal one, and that it bounds W2 from below."""

import numpy as np
import pytest

from dlab.measure import frechet


@pytest.mark.parametrize("d, n", [(64, 2000), (3072, 5000)])
def test_samples_of_the_exact_law_read_the_floor_of_the_diagonal_distance(d, n):
    rng, S = np.random.default_rng(0), np.linspace(0.1, 0.4, d)
    total = square = np.zeros(d)
    for _ in range(n // 1000):
        x = np.sqrt(S) * rng.standard_normal((1000, d))
        total, square = total + x.sum(0), square + (x**2).sum(0)
    mean, cov = total / n, np.diag(square / n - (total / n) ** 2)
    found = frechet.diagonal(mean, cov, np.zeros(d), np.diag(S))
    # D^2 n/S is a sum of d terms of mean 3/2 and variance 2 + 1/2.
    assert found**2 == pytest.approx(1.5 * S.sum() / n, rel=4 * np.sqrt(2.5 / 1.5**2 / d))


def test_the_floor_quoted_for_images():
    assert np.sqrt(1.5 * 3072 / 4 / 50_000) == pytest.approx(0.15, abs=0.003)


def test_the_diagonal_distance_is_below_the_full_one_and_blind_to_rotation():
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = (m @ m.T + 0.1 * np.eye(3) for m in rng.standard_normal((2, 3, 3)))
        mean = rng.standard_normal(3)
        assert frechet.diagonal(mean, a, 0 * mean, b) <= frechet.full(mean, a, 0 * mean, b) + 1e-12
    full, diagonal = frechet.rotated(0.2, 1.0, 30.0)
    assert full > 0.1
    assert diagonal == pytest.approx(0, abs=1e-12)
