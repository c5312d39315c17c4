"""The control variate: mean zero given the path, most of the noise, nothing where there is none."""

import jax
import numpy as np
import pytest

from dlab import errors, noise, schemes
from dlab.grid import uniform
from dlab.sample import simulate, starts

T, PATHS, CHAINS = 2.0, 256, 16
NONE, FRESH = errors.build({"name": "none"}), errors.build({"name": "noise", "level": 0.5})


def run(target, name, error, steps, chains=1, seed=0):
    """x and z (chains, PATHS, 2): chains on the same Brownian paths, each with noise of its own."""
    key = jax.random.key(seed)
    _, begin = starts(target, key, PATHS, T, "exact")
    path = noise.path(jax.random.fold_in(key, 1), np.full(steps, T / steps), PATHS, 2)
    ran = simulate(
        schemes.REGISTRY[name], target.fast_field, error, np.tile(begin, (chains, 1)), grid=uniform(T, steps),
        key=jax.random.fold_in(key, 2), path=np.tile(path, (1, 1, chains, 1)), controlled=True,
    )  # fmt: skip
    return ran.x.reshape(chains, PATHS, 2), ran.fluctuation.reshape(chains, PATHS, 2)


NOISY = [("REM", NONE), ("REI", NONE), ("EM", FRESH), ("SO", FRESH), ("REM", FRESH)]


@pytest.mark.parametrize("name, error", NOISY)
def test_the_fluctuation_has_mean_zero_given_the_path(skew, name, error):
    """Over chains on one path the mean is zero within its error, at a coarse step too: z-scores have variance 1."""
    _, z = run(skew, name, error, 4, CHAINS)
    score = z.mean(0) / (z.std(0, ddof=1) / np.sqrt(CHAINS))
    # Student's t with CHAINS - 1 degrees of freedom has variance 15/13.
    assert np.mean(score**2) == pytest.approx(15 / 13, abs=5 * np.sqrt(2 / score.size) * 1.3)
    assert abs(score.mean()) < 4 / np.sqrt(score.size)


@pytest.mark.parametrize("name, error", NOISY)
def test_it_is_the_noise_of_the_scheme_to_first_order(skew, name, error):
    """Given the path x scatters as z does: what is left is small, and smaller by more at a smaller step."""
    left = []
    for steps in (8, 32):
        x, z = run(skew, name, error, steps, CHAINS)
        own = x - x.mean(0)
        left.append(np.sqrt(np.mean((own - z + z.mean(0)) ** 2) / np.mean(own**2)))
    assert left[0] < 0.5, left
    assert left[1] < 0.65 * left[0], left


def test_a_scheme_without_noise_of_its_own_has_none(skew):
    assert not run(skew, "EM", NONE, 8)[1].any()
