"""One-step errors: the exact mean, the two parts of every scheme's error against what theory says of them."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN, SKEW

from dlab import noise, process, schemes
from dlab.answers import one_step
from dlab.noise import StepNoise
from dlab.study import Study

T0 = one_step.TIME


@cache
def answer(name):
    study = Study.from_json({"target": {"gaussian": GAUSSIAN, "skew": SKEW}[name], "seed": 11})
    return study, one_step.one_step(study)


@pytest.fixture(params=["gaussian", "skew"])
def measured(request):
    return answer(request.param)


def points(target, n, seed=1):
    rng = np.random.default_rng(seed)
    x = process.scale(T0) * target.sample(jax.random.key(seed), n) + np.sqrt(process.variance(T0)) * rng.standard_normal((n, 2))
    return jnp.asarray(x)


def norm(vectors):
    return float(np.sqrt(np.mean(np.sum(np.asarray(vectors) ** 2, -1))))


def value(found, scheme, h, part):
    return next((r[part], r[f"{part}_stderr"]) for r in found["rows"] if r["scheme"] == scheme and r["h"] == h)


def test_the_exact_mean_is_that_of_the_gaussian_reverse_process(gaussian):
    """Conditioning of (X_{t-h}, X_t), which are jointly Gaussian."""
    x, h, facts = points(gaussian, 7), 0.3, gaussian.facts
    early, late = (np.exp(-s) * facts.cov - np.expm1(-s) * np.eye(2) for s in (T0 - h, T0))
    centre = [np.exp(-s / 2) * facts.mean for s in (T0 - h, T0)]
    want = centre[0] + (np.asarray(x) - centre[1]) @ np.linalg.solve(late, np.exp(-h / 2) * early)
    np.testing.assert_allclose(one_step.exact_mean(gaussian.field, T0, h, x), want, rtol=1e-10)


def test_the_exact_mean_is_where_many_paths_arrive_on_average(skew):
    """Monte Carlo with SO in fine steps: within four standard errors at each of a few points."""
    h, paths, fine = 0.5, 20_000, 32
    rng = np.random.default_rng(6)
    for x in np.asarray(points(skew, 3)):
        path = np.sqrt(h) * noise.path(jax.random.key(2), np.full(fine, 1 / fine), paths, 2)
        ends = one_step._reference(
            skew.fast_field, T0, h / fine, jnp.tile(x, (paths, 1)), jnp.asarray(path, float), rng.standard_normal((fine, 1, paths, 2))
        )
        want = one_step.exact_mean(skew.fast_field, T0, h, x[None])[0]
        assert np.all(np.abs(np.mean(ends, 0) - want) < 4 * np.std(ends, 0) / np.sqrt(paths) + 1e-4)


@pytest.mark.parametrize("name", [*schemes.PAPER, "DDPM", "SRA1"])
def test_a_schemes_mean_is_that_of_many_steps(name, skew):
    scheme, h, paths = schemes.REGISTRY[name], 0.5, 40_000
    rng = np.random.default_rng(8)
    for x in np.asarray(points(skew, 2, seed=4)):
        u = jnp.asarray(rng.random((paths, 1))) if scheme.randomised else None
        seen = StepNoise(h, jnp.asarray(rng.standard_normal((scheme.normals(), paths, 2))), u)
        ends = scheme.step(skew.fast_field, T0, T0 - h, jnp.tile(x, (paths, 1)), seen)
        want = one_step.scheme_mean(scheme, skew.fast_field, T0, h, jnp.asarray(x)[None])[0]
        assert np.all(np.abs(np.mean(ends, 0) - want) < 4 * np.std(ends, 0) / np.sqrt(paths) + 1e-4)


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_nodes_of_normals_have_their_moments_up_to_degree_five(k):
    z, w = one_step.normal_nodes(k)
    for powers in ([0], [1], [2], [3], [4], [5], [2, 2], [1, 1], [2, 1, 2], [1, 1, 2], [3, 1]):
        if len(powers) <= k:
            want = np.prod([{0: 1, 2: 1, 4: 3}.get(p, 0) for p in powers])
            assert w @ np.prod(z[:, : len(powers)] ** powers, 1) == pytest.approx(want, abs=1e-12)


def test_the_means_of_em_and_ei_are_wrong_by_what_a_pencil_finds(measured):
    """EM: -(cosh(h/2) - 1) x + (h - 2 sinh(h/2)) gamma; EI: 4 sinh(h/4)^2 s."""
    study, found = measured
    x, field = points(study.built, 20_000), study.built.fast_field
    s = np.asarray(field.score(T0, x))
    for h in (0.5, 1 / 16):
        em = -(np.cosh(h / 2) - 1) * np.asarray(x) + (h - 2 * np.sinh(h / 2)) * (np.asarray(x) / 2 + s)
        for name, want in (("EM", norm(em)), ("EI", norm(4 * np.sinh(h / 4) ** 2 * s))):
            got, stderr = value(found, name, h, "mean")
            assert abs(got - want) < 5 * stderr


def test_fluctuations_are_those_of_the_leading_term(measured):
    """h^{3/2} |L|_F / sqrt 3 for EM, H for EI in L's place; / sqrt 6 for REM and REI, whose W(Uh) is nearer to the average of W."""
    study, found = measured
    x, field, h = points(study.built, 5000), study.built.fast_field, one_step.SIZES[-1]
    H = np.asarray(field.hessian(T0, x))
    L = H + np.eye(2) / 2
    for name, matrix, share in (("EM", L, 3), ("EI", H, 3), ("REM", L, 6), ("REI", H, 6)):
        want = h**1.5 * np.sqrt(np.mean(np.sum(matrix**2, (1, 2))) / share)
        got, stderr = value(found, name, h, "fluctuation")
        assert abs(got - want) < 5 * stderr + 0.03 * want, name


def test_orders(measured):
    """Means 2, 2, 3, 3, 3; fluctuations 3/2, and for SO 5/2 on a Gaussian, above 2 and falling to it where L bends."""
    study, found = measured
    for fit in found["fits"]:
        wanted = 2 if fit["scheme"] in ("EM", "EI") else 3
        assert fit["mean"]["slope"] == pytest.approx(wanted, abs=0.1), fit
        if fit["scheme"] != "SO":
            assert fit["fluctuation"]["slope"] == pytest.approx(1.5, abs=0.08), fit
    fine = [value(found, "SO", h, "fluctuation")[0] for h in one_step.SIZES]
    local = -np.diff(np.log2(fine))
    if study.target["name"] == "gaussian":
        assert np.all(np.abs(local - 2.5) < 0.1)
    else:
        assert 1.95 < local[-1] < 2.3 < local[0]


def test_so_misses_what_its_frozen_hessian_misses(skew):
    """h^2 |D^3 log p_t|_F / sqrt 12 as h -> 0, the third derivatives by differences of the Hessian."""
    _, found = answer("skew")
    x, field, step, h = points(skew, 3000), skew.field, 1e-3, one_step.SIZES[-1]
    third = [(field.hessian(T0, x + e) - field.hessian(T0, x - e)) / (2 * step) for e in step * np.eye(2)]
    want = h**2 * np.sqrt(np.mean(sum(np.sum(np.asarray(d) ** 2, (1, 2)) for d in third)) / 12)
    got, stderr = value(found, "SO", h, "fluctuation")
    assert want < got < 1.25 * want + 5 * stderr
