"""Targets against the independent second route: score and Hessian at every t, samples, moments, facts, the table."""

import json
from functools import lru_cache

import independent as ind
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW, long
from scipy.optimize import minimize

from dlab import targets
from dlab.params import BadInput
from dlab.targets import logistic as logistic_module

MIXTURE = {
    "name": "mixture",
    "weights": [0.5, 0.2, 0.3],
    "means": [[-1, 0.3], [1.2, -0.4], [0.2, 1.5]],
    "var": [[[0.4, 0.1], [0.1, 0.3]], [[0.2, -0.05], [-0.05, 0.5]], [[0.6, 0], [0, 0.15]]],
}


def knobs(name, **turned):
    entry = targets.REGISTRY[name]
    return entry.from_knobs({**{k.name: k.default for k in entry.knobs}, **turned})


CASES = {
    "gaussian": GAUSSIAN,
    "gaussian, long": knobs("gaussian", k1=8.0, k2=0.3, mx=3.0, my=-3.0),
    "mixture": MIXTURE,
    "mixture, far apart": knobs("mixture", sep=6.0, var=0.2, w=0.05),
    "skew": SKEW,
    "skew, sharp": knobs("skew", k=4.0, c=4.0, angle=0.0),
    "skew, sharp and wide": knobs("skew", k=4.0, c=4.0, lam=0.3, angle=35.0),
    "skew, faint bend": knobs("skew", k=4.0, c=0.25, lam=0.3),
    "skew, narrow": knobs("skew", k=4.0, c=4.0, lam=4.0),
    "logistic": LOGISTIC,
    "logistic, many sharp rows": knobs("logistic", rows=50, spread=5.0, lam=0.3),
    "logistic, two sharp rows": knobs("logistic", rows=2, spread=5.0, lam=0.3),
    "logistic, three rows, narrow": knobs("logistic", rows=3, spread=5.0, lam=4.0, data=7),
}


@pytest.fixture(scope="session")
def built():
    cache = {}  # a target is built once: its facts and table cost seconds
    return lambda name: cache.setdefault(name, targets.build(CASES[name]))


def second_route(spec):
    """The log-density of the independent route for a target of a study file; one object each, so that it keeps what it
    has computed (sharp rows in long double cost seconds a point)."""
    return _second_route(json.dumps(spec))


@lru_cache
def _second_route(text):
    spec = json.loads(text)
    if spec["name"] == "gaussian":
        return ind.mixture([1.0], [spec["mean"]], [spec["cov"]])
    if spec["name"] == "mixture":
        return ind.mixture(spec["weights"], spec["means"], spec["var"])
    if spec["name"] == "skew":
        return ind.skew(spec["lam"], spec["c"], spec["k"], np.radians(spec["angle"]))
    return ind.logistic(spec["x"], spec["y"], spec["lam"])


@jax.jit
def evaluate(field, t, x):
    """Score and Hessian; compiled once for each kind of target."""
    return field.score(t, x), field.hessian(t, x)


def worst(target, f, t, x):
    """Largest difference of score and Hessian from the second route at points x."""
    # In fours, the last filled up, so that all numbers of points share what is compiled.
    fours = (evaluate(target.field, t, np.resize(x[i : i + 4], (4, 2))) for i in range(0, len(x), 4))
    s, H = (np.concatenate(v) for v in zip(*fours))
    exact = [ind.score_and_hessian(f, t, p) for p in x]
    return max(np.abs(a - b[0]).max() for a, b in zip(s, exact)), max(np.abs(a - b[1]).max() for a, b in zip(H, exact))


def points(f, t, few):
    """0 to 5 standard deviations of p_t from its mean, (few, 2)."""
    mean, cov = ind.moments(f)
    y = np.random.default_rng(5).standard_normal((few, 2))
    y *= np.linspace(0, 5, few)[:, None] / np.linalg.norm(y, axis=1, keepdims=True)
    spread = np.linalg.cholesky(np.exp(-t) * cov - np.expm1(-t) * np.eye(2))
    return np.exp(-t / 2) * mean + y @ spread.T


def check_scores(target, name, times, few):
    f = second_route(CASES[name])
    gaps = {t: worst(target, f, t, points(f, t, few)) for t in times}
    bad = {t: g for t, g in gaps.items() if g[0] > 1e-8 or g[1] > 1e-6}
    assert not bad, f"score, Hessian off by {bad}"


LONG = ("gaussian, long", "mixture, far apart", "skew, sharp", "skew, narrow", "skew, faint bend", "logistic, two sharp rows",
        "logistic, many sharp rows", "logistic, three rows, narrow")  # fmt: skip


def tiers(skip=()):
    """All cases; those that compile for a data size of their own, or add little, only by hand."""
    return [long(n) if n in LONG else n for n in CASES if n not in skip]


@pytest.mark.parametrize("name", tiers())
def test_score_to_1e_8_and_hessian_to_1e_6_out_to_five_standard_deviations(name, built):
    # The second route in long double takes seconds a point where many rows are sharp.
    many = "many" in name
    check_scores(built(name), name, (1e-3, 0.1) if many else (1e-4, 1e-2, 0.3), 1 if many else 4)


@pytest.mark.long
@pytest.mark.parametrize(("name", "corner"), [(n, c) for c in range(8) for n in ("skew", "logistic")])
def test_score_and_hessian_at_the_corners_of_the_knobs(name, corner):
    entry = targets.REGISTRY[name]
    # In the knobs' ranges, few rows so that the second route stays quick.
    turned = {k.name: (k.high if corner >> i & 1 else k.low) for i, k in enumerate(entry.knobs[:3])}
    if name == "logistic":
        turned["rows"] = 20 if turned["rows"] > 20 else 2
    spec = knobs(name, **turned)
    CASES["corner"] = spec
    check_scores(targets.build(spec), "corner", (1e-4, 3e-3, 0.05, 0.5, 10.0), 3)


@pytest.mark.parametrize("name", ["gaussian", "mixture", "skew", "logistic"])
def test_a_time_for_each_particle_gives_what_one_time_gives(name, built):
    """REM and REI ask at t - Uh; near zero the oracle mixes two quadratures."""
    target = built(name)
    t = np.array([1e-4, 1e-2, 0.3, 3.0])
    x = jnp.asarray(points(second_route(CASES[name]), 0.3, 4))
    for field in {id(f): f for f in (target.field, target.fast_field)}.values():
        together = evaluate(field, jnp.asarray(t)[:, None], x)[0]
        alone = [evaluate(field, float(v), x)[0][i] for i, v in enumerate(t)]
        # One time for all interpolates in single precision first, as the table is stored.
        np.testing.assert_allclose(together, alone, atol=1e-6)


# ---------------------------------------------------------------- samples


@pytest.mark.slow
def test_a_users_own_target_is_sampled_and_diffused_like_the_built_in_one():
    lam, c, k = 0.8, 1.5, 3.0
    own = targets.target(lambda x: -jnp.sum(lam * x**2 / 2 + c * jax.nn.softplus(-k * x)), box=((-7, 9), (-7, 9)))
    f = ind.skew(lam, c, k)
    mean, _cov = ind.moments(f)
    np.testing.assert_allclose(own.facts.mean, mean, atol=1e-8)
    assert max(worst(own, f, 0.1, points(f, 0.1, 4))) < 1e-6
    x = np.asarray(own.sample(jax.random.key(0), 1024))
    assert np.all(np.abs(x.mean(0) - mean) < 4.5 * x.std(0) / np.sqrt(len(x)))
    assert own.facts.m0.how.startswith("numerical")
    assert own.facts.m0.value == pytest.approx(lam, abs=0.05)


# ---------------------------------------------------------------- facts


@pytest.mark.parametrize("name", tiers())
def test_mean_and_covariance_are_those_of_the_second_route(name, built):
    mean, cov = ind.moments(second_route(CASES[name]))
    np.testing.assert_allclose(built(name).facts.mean, mean, atol=1e-8)
    np.testing.assert_allclose(built(name).facts.cov, cov, atol=1e-8)


def test_facts_in_closed_form():
    assert targets.build(knobs("skew", lam=0.7, c=1.0, k=4.0)).facts.L0.value == pytest.approx(0.7 + 4)
    assert targets.build(LOGISTIC).facts.m0.value == 0.8
    two = targets.build(knobs("mixture", sep=1.2, var=0.6)).facts
    assert two.m0.value == pytest.approx(1 / 0.6 - 1.44 / (4 * 0.36))
    assert two.L0.value == pytest.approx(1 / 0.6)


def test_products_are_told_from_the_rest():
    product = {"name": "mixture", "weights": [0.25] * 4, "means": [[-1, -1], [-1, 1], [1, -1], [1, 1]], "var": 0.6}
    assert targets.build(product).facts.product
    assert not targets.build({**product, "weights": [0.4, 0.1, 0.1, 0.4]}).facts.product
    assert not targets.build(MIXTURE).facts.product
    assert targets.build(GAUSSIAN).facts.product


def test_lipschitz_constant_of_the_hessian_covers_what_finite_differences_find(skew):
    """L_F over all t: sample pairs near each other cannot exceed it by more than the grid's resolution."""
    rng, L_F = np.random.default_rng(0), skew.facts.L_F.value
    x = skew.facts.mean + rng.normal(0, 1, (256, 2))
    step = 1e-3 * rng.standard_normal((256, 2))
    ratios = []
    for t in (1e-3, 0.1, 1.0):
        gap = np.asarray(evaluate(skew.field, t, x + step)[1] - evaluate(skew.field, t, x)[1])
        ratios.append((np.linalg.norm(gap, axis=(1, 2)) / np.linalg.norm(step, axis=1)).max())
    assert max(ratios) <= 1.02 * L_F
    assert max(ratios) > 0.3 * L_F


def test_measured_constants_are_the_suprema_and_not_those_of_a_coarse_grid(logistic):
    """This target's L_F and M1 are met at t = 0, where derivatives of log p_0 are typed here and a search finds their largest."""
    X, lam = np.array(LOGISTIC["x"], float), LOGISTIC["lam"]

    def sizes(theta):
        p = 1 / (1 + np.exp(-X @ theta))
        s, H = (1 - p) @ X / 2 - lam * theta, -(X.T * (p * (1 - p) / 2)) @ X - lam * np.eye(2)
        third = np.einsum("i,ia,ib,ic->abc", -p * (1 - p) * (1 - 2 * p) / 2, X, X, X)
        # Fokker-Planck for dX = -X/2 dt + dB: d_t s = grad(tr H)/2 + H s + s/2 + H x/2.
        rate = np.einsum("aab->b", third) / 2 + H @ s + s / 2 + H @ theta / 2
        return np.linalg.norm(third.reshape(4, 2), 2), np.linalg.norm(rate) / (1 + np.linalg.norm(theta))

    places = np.stack(np.meshgrid(np.linspace(-1, 2, 13), np.linspace(-1, 2, 13)), -1).reshape(-1, 2)
    for i, name in enumerate(("L_F", "M1")):
        best = max(places, key=lambda theta, i=i: sizes(theta)[i])
        want = -minimize(lambda theta, i=i: -sizes(theta)[i], best, method="Nelder-Mead").fun
        assert getattr(logistic.facts, name).value == pytest.approx(want, rel=2e-3)


@pytest.mark.parametrize("features", [[[400, 0], [100, 400]], [[4000, 0], [1000, 4000]]])
def test_unstandardised_features_are_handled_or_refused_and_never_give_nonsense(features):
    target, refusal = None, ""
    try:
        target = targets.build({"name": "logistic", "x": features, "y": [1, -1], "lam": 0.8})
        _ = target.facts
    except BadInput as error:
        target, refusal = None, str(error)
    if target is None:
        assert "andardise" in refusal
        return
    mean, cov = target.facts.mean, target.facts.cov
    x = np.asarray(target.sample(jax.random.key(0), 20_000))
    assert np.isfinite(x).all()
    r = x - mean
    assert np.all(np.abs(r.mean(0)) < 4.5 * r.std(0) / np.sqrt(len(r)))
    np.testing.assert_allclose(np.cov(x.T), cov, atol=0.1 * np.abs(cov).max())


# ---------------------------------------------------------------- the fast path


@pytest.mark.parametrize("name", ["skew", "logistic", "skew, sharp and wide"])
def test_the_table_is_as_close_to_the_oracle_as_the_facts_say(name, built):
    target = built(name)
    sentence = target.facts.field_error
    rms, most = (float(word) for word in sentence.replace(",", " ").split() if "e-" in word)
    rng = np.random.default_rng(1)
    squares, extremes = [], []
    for t in (0.003, 0.03, 0.3, 2.0):
        cov = np.exp(-t) * target.facts.cov - np.expm1(-t) * np.eye(2)
        x = np.exp(-t / 2) * target.facts.mean + rng.standard_normal((256, 2)) @ np.linalg.cholesky(cov).T
        gap = np.linalg.norm(np.asarray(evaluate(target.fast_field, t, x)[0] - evaluate(target.field, t, x)[0]), axis=1)
        squares.append((gap**2).mean())
        extremes.append(gap.max())
    assert np.sqrt(np.mean(squares)) < 3 * rms
    assert max(extremes) < 3 * most
    assert rms < 1e-3


def test_the_table_continues_smoothly_beyond_its_box_and_past_its_last_time(skew):
    x = jnp.asarray(skew.facts.mean + np.array([[20.0, -15.0], [-30.0, 5.0], [0.0, 12.0]]))
    for t in (0.1, 20.0):
        fast, exact = evaluate(skew.fast_field, t, x)[0], -(x - np.exp(-t / 2) * skew.facts.mean)
        assert np.isfinite(fast).all()
        if t == 20.0:
            np.testing.assert_allclose(fast, exact, rtol=1e-3)


def test_synthetic_data_have_both_classes_and_follow_their_seed():
    _x, y = logistic_module.synthetic(2, 5.0, 3)
    assert set(y) == {-1, 1}
    assert logistic_module.synthetic(40, 3.0, 1) == logistic_module.synthetic(40, 3.0, 1)
    assert logistic_module.synthetic(40, 3.0, 1) != logistic_module.synthetic(40, 3.0, 2)
