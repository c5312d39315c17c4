"""Exact laws, Gaussian and product: against the second route, the reference file and typed values; every scheme's order."""

import independent as ind
import numpy as np
import pytest
from cases import GAUSSIAN, SKEW
from scipy.special import ndtri

from dlab import errors, schemes, targets
from dlab.grid import uniform
from dlab.laws import gaussian as laws
from dlab.laws import levels, product
from dlab.measure import Case, exact

NAMES = ind.SCHEMES  # a scheme without a second route is checked by simulation, in test_schemes
NONE = errors.build({"name": "none"})
MEAN, COV = np.array(GAUSSIAN["mean"]), np.array(GAUSSIAN["cov"])


def w2(target, name, h, T=4.0, start="exact", error=NONE):
    """That of mean and covariance: W2 itself, or, with a random midpoint, the lower bound beside it (tests/laws/test_mixture.py)."""
    return exact.estimate(Case(target, schemes.REGISTRY[name], error, uniform(T, round(T / h)), start)).lower


@pytest.mark.parametrize("start", ["exact", "paper"])
@pytest.mark.parametrize("name", NAMES)
def test_law_is_that_of_the_second_route_at_every_step_size(gaussian, name, start):
    for k in range(1, 8):
        h = 2.0**-k
        want = ind.bures(*ind.gaussian_law(name, MEAN, COV, 4.0, h, start), MEAN, COV)
        assert w2(gaussian, name, h, start=start) == pytest.approx(want, rel=1e-5)


ERRORS = {
    "constant": ({"level": 0.5, "angle": 60.0}, {"constant": 0.5 * np.array([0.5, np.sqrt(0.75)])}),
    "relative": ({"level": 0.2}, {"relative": 0.2}),
    "noise": ({"level": 0.8}, {"noise": 0.8}),
}


@pytest.mark.parametrize("model", ERRORS)
@pytest.mark.parametrize("name", NAMES)
def test_law_with_a_wrong_score_is_that_of_the_second_route(gaussian, name, model):
    spec, want = ERRORS[model]
    law = laws.propagate(schemes.REGISTRY[name], gaussian, errors.build({"name": model, **spec}), grid=uniform(4.0, 16), start="exact")
    m, S = ind.gaussian_law(name, MEAN, COV, 4.0, 0.25, error=want)
    np.testing.assert_allclose(law.mean[-1], m, atol=1e-10)
    np.testing.assert_allclose(law.cov[-1], S, atol=1e-9)


@pytest.mark.parametrize("model, v", [("none", [1.0, 0.0]), ("constant", [0.6, 0.8])])
def test_errors_of_the_hessian_and_of_the_drift_rate_enter_the_second_order_scheme_alone(gaussian, model, v):
    v = np.array(v)
    spec = {"name": model, "hessian_level": 0.4, "drift_level": 0.7}
    score = {}
    if model == "constant":
        spec |= {"level": 0.3, "angle": float(np.degrees(np.arctan2(v[1], v[0])))}
        score = {"constant": 0.3 * v}
    for name in NAMES:
        law = laws.propagate(schemes.REGISTRY[name], gaussian, errors.build(spec), grid=uniform(4.0, 16), start="exact")
        more = {"hessian": 0.4 * np.outer(v, v), "drift": 0.7 * v} if name == "SO" else {}
        m, S = ind.gaussian_law(name, MEAN, COV, 4.0, 0.25, error={**score, **more})
        np.testing.assert_allclose(law.mean[-1], m, atol=1e-9)
        np.testing.assert_allclose(law.cov[-1], S, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_local_slopes_of_the_law_approach_the_order_that_the_scheme_declares(gaussian, name):
    h = 2.0 ** -np.arange(3, 9)
    values = [w2(gaussian, name, x) for x in h]
    slopes = np.log2(np.array(values[:-1]) / values[1:])
    order = schemes.REGISTRY[name].law_order
    assert abs(slopes[-1] - order) < 0.12
    assert abs(slopes[-1] - order) < abs(slopes[0] - order) + 0.02
    assert values[-1] < values[0] / 10


@pytest.mark.parametrize("v", [1e-2, 1e-4])
@pytest.mark.parametrize("name", ["REM", "REI"])
def test_the_mean_over_the_midpoint_holds_where_the_target_is_narrow_beside_the_step(name, v):
    """The last step's score has a pole at U = 1 + v/h: 32 plain nodes missed half of the covariance at v = 1e-4."""
    mean, cov = np.array([0.5, -0.3]), np.diag([v, 1.0])
    target = targets.build({"name": "gaussian", "mean": mean.tolist(), "cov": cov.tolist()})
    for h in (1.0, 0.25):
        law = laws.propagate(schemes.REGISTRY[name], target, NONE, grid=uniform(4.0, round(4 / h)), start="exact")
        m, S = ind.gaussian_law(name, mean, cov, 4.0, h)
        np.testing.assert_allclose(law.mean[-1], m, atol=1e-6 * np.abs(m).max())
        np.testing.assert_allclose(law.cov[-1], S, atol=1e-5 * np.abs(S).max())


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-6, 1e-9])
def test_bures_keeps_its_digits_where_the_laws_are_close(size):
    G = np.random.default_rng(0).standard_normal((3, 3))
    S1, E, m = G @ G.T + 0.1 * np.eye(3), (G + G.T) / 30, np.array([0.3, -0.2, 0.1]) * size
    S2 = S1 + size * E
    want = ind.bures(0 * m, S1, m, S2)
    assert laws.bures(0 * m, S1, m, S2) == pytest.approx(want, rel=1e-6)
    assert laws.bures(m, S2, 0 * m, S1) == pytest.approx(want, rel=1e-6)


def test_bures_of_commuting_covariances_and_against_pot():
    import ot

    assert laws.bures(np.zeros(1), np.array([[4.0]]), np.array([3.0]), np.array([[9.0]])) == pytest.approx(np.sqrt(10))
    rng = np.random.default_rng(4)
    A, B = (g @ g.T + np.eye(2) for g in rng.standard_normal((2, 2, 2)))
    want = ot.gaussian.bures_wasserstein_distance(np.zeros(2), np.ones(2), A, B)
    assert laws.bures(np.zeros(2), A, np.ones(2), B) == pytest.approx(float(want), rel=1e-6)


def test_the_level_met_of_a_relative_error_is_the_norm_of_the_share_of_the_score(gaussian):
    error = errors.build({"name": "relative", "level": 0.2})
    law = laws.propagate(schemes.REGISTRY["EM"], gaussian, error, grid=uniform(4.0, 8), start="exact")
    # Under p_T itself E|s|^2 = tr Cov^{-1}.
    _, S = laws.diffused(gaussian.facts, 4.0)
    assert law.error_square[0] == pytest.approx(0.04 * np.trace(np.linalg.inv(S)), rel=1e-9)


# ---------------------------------------------------------------- products

PRODUCT = {"name": "mixture", "weights": [0.25] * 4, "means": [[-0.6, -0.6], [-0.6, 0.6], [0.6, -0.6], [0.6, 0.6]], "var": 0.64}
# Four components each, as PRODUCT has, so that all three share what is compiled.
LINE = {**PRODUCT, "weights": [0.3, 0.2, 0.1, 0.4], "means": [[-0.5, 0.2], [-0.3, 0.2], [0.4, 0.2], [0.7, 0.2]], "var": 0.5}
ROUND = {**PRODUCT, "means": [[0.4, -0.7]] * 4, "var": 0.5}


def along(target, name, h, **more):
    c = Case(target, schemes.REGISTRY[name], more.get("error", NONE), uniform(4.0, round(4 / h)), more.get("start", "exact"))
    assert exact.applies(c) is None
    return exact.estimate(c)


@pytest.mark.parametrize("name", NAMES)
def test_product_laws_meet_the_reference_file(name, reference_cases):
    """Every row within 0.5 %, which it states; in fact within 1e-4. REM and REI for one coordinate: along the axes, a lower bound."""
    rows, share = reference_cases[0]["rows"], 1.0
    if schemes.REGISTRY[name].randomised:
        rows, share = reference_cases[0]["per_coordinate_rows"], np.sqrt(2)
    rows = [r for r in rows if r["scheme"] == name]
    assert rows
    for r in rows:
        found = along(targets.build(PRODUCT), name, r["h"])
        assert found.lower == pytest.approx(share * r.get("w2", r.get("w2_one_coordinate")), rel=2e-4), r
        assert 0 < found.grid_change < levels.SETTLED
        assert found.method == ("joint" if schemes.REGISTRY[name].randomised else "exact")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_law_of_a_skew_coordinate_is_that_of_the_second_route(name, skew):
    spec = {k: SKEW[k] for k in ("lam", "c", "k")}
    logp = lambda u: -spec["lam"] * u**2 / 2 - spec["c"] * np.logaddexp(0, -spec["k"] * u)  # noqa: E731
    nodes = {"points": 501, "nodes_u": 9, "nodes_xi": 10} if schemes.REGISTRY[name].randomised else {}
    for start in ("exact", "paper"):
        want = ind.line_law_w2(name, ind.Line(logp), 4.0, 0.25, start, **nodes)
        assert along(skew, name, 0.25, start=start).lower == pytest.approx(np.sqrt(2) * want, rel=1e-3)


@pytest.mark.parametrize("name", ["EM", "REI", "SO"])
def test_a_product_law_does_not_see_the_rotation(name):
    turned = [along(targets.build({**SKEW, "angle": angle}), name, 0.25).value for angle in (0.0, 33.0, 90.0)]
    np.testing.assert_allclose(turned, turned[0], rtol=1e-6)


ALONG = {
    "none": {"name": "none"}, "constant": {"name": "constant", "level": 0.3, "angle": 50.0},
    "relative": {"name": "relative", "level": 0.1},
}  # fmt: skip


# Every model with a plain and with a midpoint scheme: each pair is compiled twice.
@pytest.mark.parametrize("name, model", [*((n, "none") for n in NAMES), ("EM", "constant"), ("REI", "relative")])
def test_on_a_gaussian_the_grid_gives_the_closed_form(name, model):
    """A mixture of equal components goes by the grid: the same moments, and the same W2."""
    gauss = targets.build({"name": "gaussian", "mean": ROUND["means"][0], "cov": [[0.5, 0.0], [0.0, 0.5]]})
    for start in ("exact", "paper"):
        more = {"error": errors.build(ALONG[model]), "start": start}
        closed, c = along(gauss, name, 0.25, **more), Case(targets.build(ROUND), schemes.REGISTRY[name], grid=uniform(4.0, 16), **more)
        law = laws.propagate(schemes.REGISTRY[name], gauss, more["error"], grid=uniform(4.0, 16), start=start)
        for (line, _), axis in zip(exact.lines(c, [16]), c.target.factors.axes.T):
            mass = line.density[-1] * (line.x[1] - line.x[0])
            mean = mass @ line.x
            assert mean == pytest.approx(axis @ law.mean[-1], abs=1e-7)
            assert mass @ (line.x - mean) ** 2 == pytest.approx(axis @ law.cov[-1] @ axis, rel=1e-6)
        rel = 5e-3 if schemes.REGISTRY[name].randomised else 1e-5
        assert exact.estimate(c).value == pytest.approx(closed.value, rel=rel)


def test_a_mixture_on_a_line_is_a_product_along_it():
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    turned = targets.build({**LINE, "means": (np.array(LINE["means"]) @ turn.T).tolist()})
    for name in ("EM", "SO"):
        a, b = (along(t, name, 0.25).value for t in (targets.build(LINE), turned))
        assert a == pytest.approx(b, rel=1e-6)
    assert targets.build({**PRODUCT, "weights": [0.4, 0.1, 0.1, 0.4]}).factors is None


def test_what_couples_the_coordinates_or_is_drawn_has_no_product_law(skew):
    for spec, why in (
        ({"name": "field", "level": 0.1}, "couples"),
        ({"name": "none", "hessian_level": 0.1}, "couples"),
        ({"name": "noise", "level": 0.1}, "random"),
    ):
        c = Case(skew, schemes.REGISTRY["SO"], errors.build(spec), uniform(4.0, 16), "exact")
        assert why in exact.applies(c)


def test_a_law_that_leaves_every_grid_has_diverged(skew):
    assert along(skew, "EM", 0.25, error=errors.build({"name": "relative", "level": 9.0})).value is None


def test_the_law_follows_the_player_from_start_to_end(skew):
    c = Case(skew, schemes.REGISTRY["EM"], NONE, uniform(4.0, 16), "exact")
    found, met = exact.follow(c, np.arange(17))
    assert found[0].value < 1e-6
    assert found[-1].value == pytest.approx(exact.estimate(c).value, rel=1e-6)
    assert met.shape == (16,)
    assert np.all(met == 0)


@pytest.mark.parametrize("shift, stretch", [(0.3, 1.0), (0.0, 1.2), (1e-5, 1.0)])
def test_w2_on_a_line_of_two_gaussians(shift, stretch):
    x = np.linspace(-11, 11, 256)
    p, q = (np.exp(-(((x - m) / s) ** 2) / 2) / s / np.sqrt(2 * np.pi) for m, s in ((shift, stretch), (0.0, 1.0)))
    assert product.w2_on_line(x, p, q) == pytest.approx(np.hypot(shift, stretch - 1), rel=1e-6)


@pytest.mark.slow
def test_slopes_of_the_product_laws_are_the_orders_that_the_schemes_state(skew):
    for name in NAMES:
        order = schemes.REGISTRY[name].law_order
        coarse, fine = (along(skew, name, h).value for h in (1 / 16, 1 / 32))
        assert abs(np.log2(coarse / fine) - order) < (0.1 if order == 1 else 0.35), name


@pytest.mark.parametrize(("v", "apart", "scheme", "steps"), [(0.2, 40.0, "EI", 4), (1e-4, 2.0, "EM", 32), (1e-3, 2.0, "EM", 8)])
def test_laws_of_modes_narrower_than_a_grid_are_those_of_many_particles(v, apart, scheme, steps):
    """Plain NumPy from the definition: the score of two far or narrow modes, quantiles against quantiles."""
    T, means = 4.0, np.array([[-apart / 2, 0.0], [apart / 2, 0.0]])
    spec = {"name": "mixture", "weights": [0.5, 0.5], "means": means.tolist(), "var": v}
    case = Case(targets.build(spec), schemes.REGISTRY[scheme], errors.NONE, uniform(T, steps), "exact")
    (found,), _ = exact.follow(case, [steps])
    assert found.flags == ()
    rng, n, h = np.random.default_rng(0), 200_000, T / steps
    level, square = (np.arange(n) + 0.5) / n, 0.0
    for a in (apart / 2, 0.0):
        x0 = np.sign(level - 0.5) * a + v**0.5 * ndtri((2 * level) % 1 if a else level)
        x = rng.permutation(x0)[: n // 2] * np.exp(-T / 2) + np.sqrt(-np.expm1(-T)) * rng.standard_normal(n // 2)
        for t in T - h * np.arange(steps):
            var, pull = np.exp(-t) * v - np.expm1(-t), np.exp(-t / 2) * a
            s, z = (np.tanh(x * pull / var) * pull - x) / var, rng.standard_normal(n // 2)
            x = (x + h * (x / 2 + s) + h**0.5 * z if scheme == "EM"
                 else np.exp(h / 2) * x + 2 * np.expm1(h / 2) * s + np.expm1(h) ** 0.5 * z)  # fmt: skip
        # Mirrored: as many particles in one mode as in the other.
        square += np.mean((np.sort([*x, *-x]) - x0) ** 2)
    assert found.value == pytest.approx(np.sqrt(square), rel=0.01)


def test_a_law_that_no_grid_holds_has_no_value_and_says_why():
    narrow = {"name": "mixture", "weights": [0.5, 0.5], "means": [[-1, 0], [1, 0]], "var": 1e-3}
    (found,), _ = exact.follow(Case(targets.build(narrow), schemes.REGISTRY["SO"], errors.NONE, uniform(4.0, 128), "exact"), [128])
    assert found.value is None
    assert found.flags
    x = np.linspace(-1, 1, 192)
    assert product.Line(np.array([1]), x, np.where(x > 0, 1.0, -0.1)[None], x[None], np.zeros(1), 0.0).torn > product.TORN
    # A place that is no number is infinitely far beyond the ends.
    assert product._outside(np.array([np.nan, np.inf, -3.0, 5.0, 200.0]), 192).tolist() == [np.inf, np.inf, 3.0, 0.0, 8.0]
