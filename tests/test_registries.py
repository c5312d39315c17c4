"""What every target, score error and estimator of the registries must keep, whoever adds it: nothing here is named."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN, has_moments

from dlab import errors, measure, params, process, schemes, targets
from dlab.look import DASHES, MARKERS
from dlab.study import Study, run

NODES = 801  # a side of the quadrature over X_0
SAMPLES = 20_000
TIMES = (0.05, 0.8)
built = {}


@pytest.fixture(params=targets.REGISTRY)
def target(request):
    name = request.param
    return built.setdefault(name, targets.build(targets.REGISTRY[name].example))


def covariance(target):
    cov = np.asarray(target.facts.cov)
    return np.diag(cov) if cov.ndim == 1 else cov


def places(target, t, count=8):
    """Points (count, d) up to three standard deviations of p_t from its mean."""
    y = np.random.default_rng(5).standard_normal((count, target.dim))
    y *= np.linspace(0.2, 3, count)[:, None] / np.linalg.norm(y, axis=1, keepdims=True)
    spread = np.linalg.cholesky(np.exp(-t) * covariance(target) - np.expm1(-t) * np.eye(target.dim))
    return process.scale(t) * target.facts.mean + y @ spread.T


# ---------------------------------------------------------------- targets


def by_quadrature(target, t, x, nodes):
    """Score (n, 2) and Hessian (n, 2, 2) of p_t from the posterior's mean and covariance, a sum over a grid of X_0."""
    var, axes = np.linalg.eigh(covariance(target))
    side = (np.arange(nodes) + 0.5) / nodes * 2 - 1
    y = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    u = target.facts.mean + (9 * y * np.sqrt(var)) @ axes.T
    log = np.asarray(target.log_density(jnp.asarray(u)))
    a, noise = process.scale(t), process.variance(t)
    scores, hessians = [], []
    for one in x:
        weights = log - ((one - a * u) ** 2).sum(-1) / (2 * noise)
        weights = np.exp(weights - weights.max())
        weights /= weights.sum()
        mean = weights @ u
        cov = (u - mean).T @ ((u - mean) * weights[:, None])
        scores.append((a * mean - one) / noise)
        hessians.append(a**2 / noise**2 * cov - np.eye(2) / noise)
    return np.array(scores), np.array(hessians)


@pytest.mark.parametrize("target", targets.PLANAR, indirect=True)
@pytest.mark.parametrize("t", TIMES)
def test_score_and_hessian_in_the_plane_are_those_of_a_quadrature_over_the_density(target, t):
    x = places(target, t)
    want, coarse = by_quadrature(target, t, x, NODES), by_quadrature(target, t, x, NODES // 2)
    s, L, _ = target.field.local(t, jnp.asarray(x))
    got = s, np.stack([L.apply(jnp.tile(e, (len(x), 1))) for e in jnp.eye(2)], -1) - np.eye(2) / 2
    for name, g, w, c in zip(("score", "Hessian"), got, want, coarse):
        # A density with an edge is resolved by no grid: what halving it changes says how well.
        scale = np.abs(w).max()
        assert np.abs(g - w).max() < 1e-6 * scale + 4 * np.abs(w - c).max(), name
        assert np.abs(w - c).max() < 0.05 * scale, name


@pytest.mark.parametrize("t", TIMES)
def test_the_score_is_the_mean_of_the_noise_given_the_point(target, t):
    """E[(s(t, X_t) + Z/sigma) phi(X_t)] = 0 for X_t = a X_0 + sigma Z and every phi: the sampler and the score agree."""
    n, sigma = 4096, math.sqrt(process.variance(t))
    z = np.random.default_rng(int(100 * t)).standard_normal((n, target.dim))
    x = process.scale(t) * np.asarray(target.sample(jax.random.key(1), n)) + sigma * z
    gap = np.asarray(target.field.score(t, jnp.asarray(x))) + z / sigma
    y = (x - x.mean(0)) @ np.linalg.eigh(covariance(target))[1]
    y /= y.std(0)
    top = y[:, -2:]  # of images the directions that they fill
    for phi in (np.ones(n), *top.T, *np.tanh(top).T, *(top.T**2)):
        product = (gap @ np.linalg.eigh(covariance(target))[1])[:, -2:] * phi[:, None]
        assert np.all(np.abs(product.mean(0)) < 5 * product.std(0) / np.sqrt(n))


@pytest.mark.parametrize("t", TIMES)
def test_hessian_and_drift_rate_are_derivatives_of_the_score(target, t):
    x = jnp.asarray(places(target, t, 3))
    one = jax.vmap(jax.jacfwd(lambda p: target.field.score(t, p[None])[0]))
    s, L, M = target.field.local(t, x)
    np.testing.assert_allclose(s, target.field.score(t, x), atol=1e-9 * float(jnp.abs(s).max()))
    J = np.asarray(one(x)) + np.eye(target.dim) / 2
    v = np.random.default_rng(3).standard_normal(x.shape)
    along = np.einsum("nij,nj->ni", J, v)
    np.testing.assert_allclose(L.apply(jnp.asarray(v)), along, atol=1e-5 * np.abs(J).max() * target.dim)
    gamma = np.asarray(x / 2 + s)
    want = np.asarray(x) / 4 - np.einsum("nij,nj->ni", J, gamma)
    if not target.field.by_products:
        np.testing.assert_allclose(M, want, atol=1e-5 * np.abs(J).max() * max(1, np.abs(gamma).max()))


def test_next_to_time_zero_the_score_is_the_gradient_of_the_log_density(target):
    if target.facts.L0.value is None:  # the score jumps or grows without bound
        assert target.facts.L0.infinite
        return
    x = jnp.asarray(places(target, 0.0, 5))
    want = jax.vmap(jax.grad(lambda p: target.log_density(p[None])[0]))(x)
    np.testing.assert_allclose(target.field.score(1e-8, x), want, atol=1e-4 * float(jnp.abs(want).max()))


def test_samples_have_the_mean_and_covariance_of_the_facts(target):
    n = SAMPLES if target.dim <= 8 else 4096
    x = np.asarray(target.sample(jax.random.key(7), n))
    assert x.shape == (n, target.dim)
    assert not np.array_equal(x, np.asarray(target.sample(jax.random.key(8), n)))
    axes = np.linalg.eigh(covariance(target))[1][:, -2:]
    has_moments((x - target.facts.mean) @ axes, 0.0, axes.T @ covariance(target) @ axes, errors=5)


def test_m0_and_L0_hold_wherever_the_density_curves(target):
    if target.dim > 8:  # a matrix for each point
        assert target.facts.m0.value <= target.facts.L0.value
        return
    x = target.sample(jax.random.key(2), 256)
    low, high = (f(-jax.vmap(jax.hessian(lambda p: target.log_density(p[None])[0]))(x)) for f in _ends)
    m0, L0 = target.facts.m0.value, target.facts.L0.value
    assert m0 is None or low >= m0 - 1e-3 * (1 + abs(m0))
    assert L0 is None or max(high, -low) <= L0 * 1.001


_ends = (lambda H: float(np.linalg.eigvalsh(H)[:, 0].min()), lambda H: float(np.linalg.eigvalsh(H)[:, -1].max()))


@pytest.mark.parametrize("name", targets.REGISTRY)
def test_a_targets_record_is_whole(name):
    entry = targets.REGISTRY[name]
    assert entry.name == name
    assert all((entry.title, entry.formula, entry.m0, entry.L0))
    assert set(entry.example) - {"name"} <= set(entry.keys)
    assert targets.build(entry.example) is targets.build(dict(entry.example))
    with pytest.raises(params.BadInput, match="no such key"):
        targets.build({**entry.example, "no such key": 1})
    for knob in entry.knobs:
        ends = [entry.from_knobs({**{k.name: k.default for k in entry.knobs}, knob.name: v}) for v in (knob.low, knob.low + knob.step)]
        assert ends[0] != ends[1]
    spec = entry.example
    if entry.planar:
        assert targets.build(spec).dim == 2
    if (knobs := entry.knobs_of(spec)) is not None:
        assert entry.from_knobs(knobs).keys() == spec.keys()


# ---------------------------------------------------------------- score errors


@pytest.mark.parametrize("name", errors.REGISTRY)
def test_a_score_errors_record_is_whole(name):
    entry = errors.REGISTRY[name]
    assert entry.name == name
    assert all((entry.title, entry.formula, entry.phrase))
    assert {k.name for k in entry.knobs} <= set(entry.keys)
    errors.build({"name": name, **{k.name: k.default for k in entry.knobs}}, targets.build(GAUSSIAN), GAUSSIAN)
    assert {entry.style.marker, entry.style.dash} <= {*MARKERS, *DASHES}


@pytest.mark.parametrize("name", errors.OFFERED)
def test_an_error_is_what_its_record_says(name):
    entry, d = errors.REGISTRY[name], max(2, errors.REGISTRY[name].min_dim)
    rng = np.random.default_rng(0)
    x, z = (jnp.asarray(rng.normal(size=(4096, d))) for _ in range(2))

    def shift(x, spec, z=z):
        error = errors.build(spec)
        return np.asarray(error.shift(0.7, x, -x, z if error.draws else None))

    e = shift(x, entry.example)
    assert e.shape == x.shape
    assert np.isfinite(e).all()
    error = errors.build(entry.example)
    if entry.leveled:
        np.testing.assert_allclose(shift(x, {**entry.example, "level": 0}), 0, atol=1e-14)
        level = entry.example["level"]
        norm = np.sqrt((e**2).sum(-1).mean())
        if entry.level_is == "norm":
            assert norm == pytest.approx(level, rel=0.05)
        if entry.level_is == "share":
            np.testing.assert_allclose(e, -level * x)
    if error.affine and not error.draws:
        between = shift(0.3 * x + 0.7 * x[::-1], entry.example)
        np.testing.assert_allclose(between, 0.3 * e + 0.7 * e[::-1], atol=1e-12)


# ---------------------------------------------------------------- estimators


@pytest.mark.parametrize("name", measure.REGISTRY)
def test_an_estimator_measures_or_says_why_not(name):
    entry = measure.REGISTRY[name]
    assert (entry.name, bool(entry.title)) == (name, True)
    assert (entry.follow is None) == (entry.price is None) == entry.sampled
    assert entry.methods[0].name == name
    assert all(m.explanation and m.caption.format(n=3) for m in entry.methods)
    study = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "T": 1.0, "particles": 512})
    case = study.case("EM", 2)
    reason = entry.applies(case)
    assert reason is None or reason.endswith(".")
    if reason is None and (entry.sampled or entry.price(case) == 0):
        row = run(Study.from_json({**study.to_json(), "estimator": name})).rows[0]
        assert row.method in {m.name for m in entry.methods}
        assert min(row.w2, row.stderr) >= 0
        exact = run(study).rows[0].w2
        # None is far above W2: a lower bound may be far below, and the reading of a cloud has its floor.
        assert row.w2 < 3 * exact + 5 * row.stderr + 2 * (row.floor or 0)


def test_no_two_records_of_a_kind_look_alike():
    for kind in (schemes.REGISTRY, errors.LEVELED):
        looks = [(e.style.light, e.style.marker) for e in kind.values()]
        assert len(set(looks)) == len(looks)
