"""The score errors: what each adds, that the level met is reported, and that simulation follows the exact law."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import has_moments

from dlab import errors, schemes
from dlab.grid import uniform
from dlab.laws import gaussian as laws
from dlab.sample import simulate, starts

X = jnp.asarray(np.random.default_rng(0).normal(0, 2, (512, 2)))
SPECS = {
    "none": {},
    "constant": {"level": 0.5, "angle": 60.0},
    "field": {"level": 0.5, "seed": 3},
    "noise": {"level": 0.5},
    "relative": {"level": 0.2},
}
SO_SPEC = {"hessian_level": 0.4, "drift_level": 0.7}


def shift(spec, x=X, s=None, z=None):
    return np.asarray(errors.build(spec).shift(1.0, x, -x if s is None else s, z))


def test_no_error_and_a_constant_vector():
    assert not shift({"name": "none"}).any()
    np.testing.assert_allclose(shift({"name": "constant", **SPECS["constant"]}), np.tile([0.25, 0.5 * np.sqrt(0.75)], (512, 1)))


def test_the_field_has_the_level_everywhere_turns_smoothly_and_depends_on_its_seed():
    e = shift({"name": "field", **SPECS["field"]})
    np.testing.assert_allclose(np.linalg.norm(e, axis=1), 0.5, rtol=1e-12)
    angles = np.unwrap(np.arctan2(*shift({"name": "field", **SPECS["field"]}, x=jnp.linspace(-3, 3, 512)[:, None] * X[:1]).T))
    assert np.abs(np.diff(angles)).max() < 1.0  # smooth ...
    assert np.ptp(angles) > 1.0  # ... and it turns
    assert np.abs(e - shift({"name": "field", "level": 0.5, "seed": 4})).max() > 0.1
    np.testing.assert_array_equal(e, shift({"name": "field", **SPECS["field"]}))


@pytest.mark.parametrize("name", SPECS)
def test_errors_of_l_and_m_have_the_norms_of_the_assumption_and_leave_m_of_the_exact_score(name, gaussian):
    error = errors.build({"name": name, **SPECS[name], **SO_SPEC})
    wrong = errors.perturb(gaussian.field, error, jnp.zeros((1, 512, 2)))
    (_, L, M), (_, exact_L, exact_M) = wrong.local(1.0, X), gaussian.field.local(1.0, X)
    dL = np.asarray(L.matrix - exact_L.matrix).reshape(-1, 2, 2)
    assert np.linalg.norm(dL[0], 2) == pytest.approx(0.4)
    assert np.linalg.norm(dL[0]) == pytest.approx(0.4)
    dM = np.asarray(M - exact_M)
    np.testing.assert_allclose(np.linalg.norm(dM, axis=1), 0.7, rtol=1e-9)


@pytest.mark.parametrize("name", ["constant", "field", "noise"])
def test_the_level_met_along_the_iterates_is_reported(name, gaussian):
    error = errors.build({"name": name, **SPECS[name]})
    run = simulate(schemes.REGISTRY["EM"], gaussian.field, error, X, grid=uniform(1.0, 4), key=jax.random.key(0))
    spread = 4 * 0.25 / np.sqrt(512) if name == "noise" else 1e-12
    np.testing.assert_allclose(run.error_square, 0.25, atol=spread)


@pytest.mark.parametrize("scheme, name", [("EM", "relative"), ("REM", "noise"), ("REI", "constant"), ("SO", "constant")])
def test_simulation_with_an_error_follows_the_exact_law(scheme, name, gaussian):
    spec = {"name": name, **SPECS[name]}
    if scheme == "SO":
        spec |= SO_SPEC
    error, steps = errors.build(spec), 4
    law = laws.propagate(schemes.REGISTRY[scheme], gaussian, error, grid=uniform(2.0, steps), start="paper")
    runs = []
    for seed in range(8):
        key = jax.random.key(seed)
        begin, _ = starts(gaussian, jax.random.key(1000 + seed), 512, 2.0, "paper")
        runs.append(simulate(schemes.REGISTRY[scheme], gaussian.field, error, begin, grid=uniform(2.0, steps), key=key))
    x = np.concatenate([r.x for r in runs])
    has_moments(x, law.mean[-1], law.cov[-1])
    met = np.mean([r.error_square for r in runs], axis=0)
    np.testing.assert_allclose(met, law.error_square, rtol=0.15)
