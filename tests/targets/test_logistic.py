"""The logistic posterior beyond two features: its data, its samples, its scores and its Laplace approximation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dlab import process, targets
from dlab.answers.experiment import Guarded
from dlab.params import BadInput
from dlab.study import Study
from dlab.targets import logistic, observations, posterior, sampled
from dlab.targets.base import Fact
from dlab.targets.gaussian import Gaussian

SHORT = {"name": "logistic", "features": 6, "rows": 30, "spread": 3, "data": 4, "lam": 2}
PLANE = {"name": "logistic", "features": 2, "rows": 40, "spread": 3, "data": 1, "lam": 0.8}


@jax.jit
def evaluate(field, t, x):
    return field.score_and_hessian(t, x)


def density_of(spec):
    x, y = logistic.data(spec)
    return logistic.LogisticDensity(jnp.asarray(y[:, None] * x), jnp.asarray(float(spec["lam"])))


def test_the_short_form_is_the_same_target_as_its_observations():
    x, y = logistic.data(SHORT)
    assert x.shape == (30, 6)
    assert set(y) == {-1.0, 1.0}
    long = {"name": "logistic", "x": x.tolist(), "y": y.tolist(), "lam": 2}
    theta = np.random.default_rng(0).standard_normal((5, 6))
    a, b = (np.asarray(targets.build(s).log_density(theta)) for s in (SHORT, long))
    np.testing.assert_array_equal(a, b)
    assert targets.build(SHORT)._L0.value == pytest.approx(2 + np.linalg.eigvalsh(x.T @ x / 30)[-1] / 4)


def test_the_density_and_its_derivatives_agree_with_automatic_differentiation():
    density, theta = density_of(SHORT), np.random.default_rng(1).standard_normal((4, 6))
    log, slope, weights = density.derivatives(jnp.asarray(theta))
    np.testing.assert_allclose(log, density(theta), rtol=1e-12)
    of_slope, of_bend, H = posterior._slope, posterior._bend, density.hessian(weights)
    for i, one in enumerate(theta):
        np.testing.assert_allclose(slope[i], of_slope(density, one), atol=1e-12)
        np.testing.assert_allclose(H[i], of_bend(density, one), atol=1e-12)


def test_the_laplace_approximation_has_the_mode_and_its_curvature():
    built, density = targets.build({**SHORT, "score": "laplace"}), density_of(SHORT)
    assert isinstance(built, Gaussian)
    np.testing.assert_allclose(jax.grad(lambda v: density(v[None])[0])(built.mean), 0, atol=1e-9)
    precision = -np.asarray(jax.hessian(lambda v: density(v[None])[0])(built.mean))
    np.testing.assert_allclose(built.cov @ precision, np.eye(6), atol=1e-9)
    spec = logistic.laplace(SHORT)
    again = targets.build(spec)
    assert spec["name"] == "gaussian"
    np.testing.assert_allclose(again.cov, built.cov, atol=1e-14)
    assert Study.from_json({"target": spec, "schemes": ["EM"], "h": [0.5], "T": 1.0}).work == 0


# ---------------------------------------------------------------- scores from samples


def field_of(atoms):
    return sampled.AtomsField(atoms, atoms, sampled._packed(atoms[:, :, None] * atoms[:, None, :]), True)


@pytest.mark.parametrize("t", [0.02, 0.3, 2.0])
def test_the_kernel_form_is_the_exact_score_of_its_atoms(t):
    field = field_of(jnp.asarray(np.random.default_rng(0).standard_normal((500, 3)) * 0.4))
    x = np.random.default_rng(2).standard_normal((6, 3))
    score, H = evaluate(field, t, jnp.asarray(x))
    a, v = np.exp(-t / 2), -np.expm1(-t)

    def log(z):
        return jax.nn.logsumexp(-jnp.sum((z - a * field.atoms) ** 2, 1) / (2 * v))

    slope, bend = jax.jit(jax.grad(log)), jax.jit(jax.hessian(log))
    for i, one in enumerate(x):
        np.testing.assert_allclose(score[i], slope(one), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(H[i], bend(one), rtol=1e-7, atol=1e-7)
        assert float(field.log_density(t, x[i : i + 1])[0]) - float(field.log_density(t, x[:1])[0]) == pytest.approx(
            float(log(one) - log(x[0])), abs=1e-9
        )


def test_one_atom_pulls_with_weight_one_over_t():
    atom = jnp.asarray([[0.3, -0.2, 0.1]])
    field = field_of(atom)
    x = jnp.ones((1, 3))
    for t in (1e-2, 1e-4):
        a, v = process.scale(t), process.variance(t)
        np.testing.assert_allclose(field.score(t, x), (a * atom - x) / v, rtol=1e-10)


@pytest.fixture(scope="module")
def plane():
    """The plane's posterior by quadrature, and chains of independent draws of it in the place of a sampler's."""
    exact = targets.build(PLANE)
    draws = np.asarray(exact.sample(jax.random.key(5), 32 * 640)).reshape(32, 640, 2)
    return exact, posterior.Chains(draws, 1.0, 20480.0, 1.0, 0)


def of_samples(plane, form, atoms):
    _exact, chains = plane
    one = Fact(1.0, "given")
    return sampled.Sampled(density_of(PLANE), 2, one, one, lambda: chains, form, atoms, 0)


@pytest.mark.parametrize("form, atoms, score, hessian", [
    ("kernel", 10000, (0.15, 0.04), (0.45, 0.06)), ("local", 256, (0.004, 0.004), (0.03, 0.03)),
])  # fmt: skip
def test_a_score_from_samples_is_the_quadratures_in_the_plane(plane, form, atoms, score, hessian):
    """Root mean square errors over p_t as shares of the score's and of the Hessian's own size, at t = 0.1 and at 0.5 and 2."""
    field, exact = of_samples(plane, form, atoms).field, plane[0]
    data, rng = np.asarray(exact.sample(jax.random.key(9), 128)), np.random.default_rng(6)
    for t in (0.1, 0.5, 2.0):
        x = jnp.asarray(np.exp(-t / 2) * data + np.sqrt(-np.expm1(-t)) * rng.standard_normal(data.shape))
        for found, want, most in zip(evaluate(field, t, x), evaluate(exact.field, t, x), (score, hessian)):
            assert np.sqrt(np.mean((found - want) ** 2) / np.mean(want**2)) < most[t > 0.1], (form, t)
    at_once = evaluate(field, jnp.full((len(x), 1), t), x)
    for found, want in zip(at_once, evaluate(field, t, x)):
        np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-12)


def test_the_local_form_has_no_error_on_a_gaussian():
    """With no observations that tell anything the posterior is N(0, I/lam): nothing is left to average."""
    density = logistic.LogisticDensity(jnp.zeros((3, 4)), jnp.asarray(2.0))
    draws = np.random.default_rng(3).standard_normal((32, 640, 4)) / np.sqrt(2)
    one = Fact(2.0, "given")
    target = sampled.Sampled(density, 4, one, one, lambda: posterior.Chains(draws, 1.0, 1.0, 1.0, 0), "local", 64, 0)
    x = jnp.asarray(np.random.default_rng(4).standard_normal((5, 4)))
    for t in (1e-6, 0.1, 3.0):
        precision = 1 / (np.exp(-t) / 2 - np.expm1(-t))
        score, H = evaluate(target.field, t, x)
        np.testing.assert_allclose(score, -precision * x, rtol=0.02, atol=2e-3)
        np.testing.assert_allclose(H, np.broadcast_to(-precision * np.eye(4), H.shape), rtol=0.05, atol=0.05 * precision)


def test_the_guarded_score_is_the_plain_sums_with_a_guard(plane):
    """Near t = 0 and far from every sample it is 0, where the ratio itself has the weight 1/t."""
    field, random = of_samples(plane, "kernel", 50).field, np.random.default_rng(8)
    guarded = Guarded(field, jnp.asarray(50.0))
    for t, wide in ((1e-3, 3.0), (0.05, 2.0), (0.5, 1.0)):
        x, a, v = wide * random.standard_normal((40, 2)), np.exp(-t / 2), -np.expm1(-t)
        gap = a * np.asarray(field.atoms) - x[:, None]
        kernel = np.exp(-(gap**2).sum(-1) / (2 * v))
        plain = (kernel[..., None] * gap / v).mean(1) / (kernel.mean(1) + 2.0**-52)[:, None]
        np.testing.assert_allclose(guarded.score(t, jnp.asarray(x)), plain, rtol=1e-6, atol=1e-9)
        each = guarded.score(jnp.full((40, 1), t), jnp.asarray(x))
        np.testing.assert_allclose(each, guarded.score(t, jnp.asarray(x)), rtol=1e-9, atol=1e-12)
    assert (np.abs(np.asarray(guarded.score(1e-3, jnp.full((1, 2), 9.0)))) == 0).all()


def test_a_random_midpoint_and_finitely_many_samples_have_no_finite_distance(plane):
    assert of_samples(plane, "kernel", 50).unbounded.startswith("W₂ is infinite")
    for form in ("smooth", "local"):
        assert of_samples(plane, form, 50).unbounded is None


def test_atoms_and_the_targets_cloud_are_of_different_chains(plane):
    target = of_samples(plane, "kernel", 100)
    cloud = np.asarray(target.sample(jax.random.key(0), 4096))
    assert len(np.unique(cloud, axis=0)) == 4096
    shared = set(map(tuple, cloud)) & set(map(tuple, np.asarray(target.field.atoms)))
    assert not shared
    assert target.facts.L_F.value is None
    assert target.facts.m0.how == "given"
    assert "100 samples" in target.facts.field_error
    assert "R̂" in target.facts.field_error


@pytest.mark.long
def test_the_sampler_has_the_mean_and_covariance_of_the_posterior_in_the_plane():
    exact = targets.build(PLANE).facts
    chains = targets.build({**PLANE, "score": "kernel"}).chains
    assert chains.rhat < 1.01
    assert chains.ess > 5000
    assert chains.divergences == 0
    draws = chains.draws.reshape(-1, 2)
    error = np.sqrt(np.diag(exact.cov) / chains.ess)
    assert np.abs((draws.mean(0) - exact.mean) / error).max() < 4
    np.testing.assert_allclose(np.cov(draws.T), exact.cov, atol=5 * np.sqrt(2 / chains.ess) * np.trace(exact.cov))


@pytest.mark.slow
def test_the_sampler_agrees_with_importance_sampling_in_twenty_dimensions():
    spec = {"name": "logistic", "features": 20, "rows": 100, "spread": 10, "data": 0, "lam": 100}
    built = targets.build(spec)
    centre, cov = logistic._laplace(_signed(spec).tobytes(), 20, 100.0)
    wide = 1.25 * cov
    z = np.random.default_rng(0).standard_normal((200_000, 20)) @ np.linalg.cholesky(wide).T
    log = np.asarray(built.log_density(centre + z)) + np.sum(z @ np.linalg.inv(wide) * z, 1) / 2
    weight = np.exp(log - log.max())
    ess = weight.sum() ** 2 / (weight**2).sum()
    assert ess > 5000
    weighted = np.average((centre + z)[:, 0] ** 2, weights=weight)
    draws = built.chains.draws.reshape(-1, 20)[:, 0] ** 2
    doubt = draws.std() * np.hypot(1 / np.sqrt(ess), 1 / np.sqrt(built.chains.ess))
    assert abs(draws.mean() - weighted) < 4 * doubt


def _signed(spec):
    x, y = logistic.data(spec)
    return y[:, None] * x


# ---------------------------------------------------------------- observations


def test_features_are_standardised_and_a_constant_one_is_named():
    x = observations.standardised([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0]])
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(0), 1, atol=1e-5)
    with pytest.raises(BadInput, match="Feature 2 has the same value"):
        observations.standardised([[1.0, 5.0], [2.0, 5.0]])
