# ruff: noqa: C408, E501, E731, PT007  (formulas as lambdas, one formula a line)
"""The second route checked within itself and against exact_laws.json: it must be beyond doubt before it judges dlab."""

import independent as ind
import mpmath as mp
import numpy as np
import pytest

MEAN, COV = np.array([-0.4, 0.9]), np.array([[0.4528525782650825, 0.4187414967044992], [0.41874149670449917, 1.4471474217349174]])
SKEW = dict(lam=0.8, c=1.5, k=3.0, angle=0.5)
MIXTURE = ([0.5, 0.2, 0.3], [[-1, 0.3], [1.2, -0.4], [0.2, 1.5]],
           [[[0.4, 0.1], [0.1, 0.3]], [[0.2, -0.05], [-0.05, 0.5]], [[0.6, 0], [0, 0.15]]])
TARGETS = {
    "skew": ind.skew(**SKEW),
    "logistic": ind.logistic([[4, 0], [1, 4]], [1, 1], 0.8),
    "mixture": ind.mixture(*MIXTURE),
}


MIX = ind.Line(lambda x: np.logaddexp(-(x - 0.6) ** 2 / 1.28, -(x + 0.6) ** 2 / 1.28))  # 0.5 N(-0.6, 0.64) + 0.5 N(0.6, 0.64)


def mp_bures(m1, S1, m2, S2):
    with mp.workdps(60):
        A, B = mp.matrix(S1.tolist()), mp.matrix(S2.tolist())
        root = mp.sqrtm(A)
        tr = lambda X: sum(X[i, i] for i in range(X.rows))
        return float(mp.sqrt(sum((mp.mpf(p) - mp.mpf(q)) ** 2 for p, q in zip(m1, m2))
                             + tr(A) + tr(B) - 2 * mp.re(tr(mp.sqrtm(root * B * root)))))


# ---------------------------------------------------------------- Gaussian laws

def gaussian_w2(scheme, h, T=6.0, start="exact"):
    return ind.bures(*ind.gaussian_law(scheme, MEAN, COV, T, h, start), MEAN, COV)


@pytest.mark.parametrize("case", (1, 2))
def test_gaussian_law_against_the_reference(case, reference_cases):
    case = reference_cases[case]
    for row in case["rows"]:        # the reference's own Bures formula loses up to 1e-7 (7e-8 for SO at h = 1/64)
        rtol = 1e-6 if row["scheme"] in ("REM", "REI") else 2e-7 if row["scheme"] == "SO" else 1e-9
        assert gaussian_w2(row["scheme"], row["h"], case["T"], case["start"]) == pytest.approx(row["w2"], rel=rtol)


@pytest.mark.parametrize("size", (1e-1, 1e-3, 1e-5, 1e-9))
def test_bures_against_60_digits(size):
    G = np.random.default_rng(0).standard_normal((3, 3))
    S1, E, m = G @ G.T + 0.1 * np.eye(3), G + G.T, np.array([0.3, -0.2, 0.1]) * size
    S2 = S1 + size * E / 30
    assert ind.bures(m, S1, 0 * m, S2) == pytest.approx(mp_bures(m, S1, 0 * m, S2), rel=1e-11)
    assert ind.bures(0 * m, S1, 0 * m, S2) == pytest.approx(mp_bures(0 * m, S1, 0 * m, S2), rel=1e-6 if size < 1e-8 else 1e-9)


def test_bures_far_apart_and_closeness_of_the_laws():
    assert ind.bures([0], [[4.0]], [3], [[9.0]]) == pytest.approx(np.sqrt(10))
    m, S = ind.gaussian_law("SO", MEAN, COV, 6.0, 1 / 64)
    assert ind.bures(m, S, MEAN, COV) == pytest.approx(mp_bures(m, S, MEAN, COV), rel=1e-10)


@pytest.mark.parametrize("scheme, order", [("EM", 1), ("EI", 1), ("REM", 2), ("REI", 2), ("SO", 2)])
def test_gaussian_order_of_the_law(scheme, order):
    w = [ind.bures(*ind.gaussian_law(scheme, [0.5], [[0.5]], 1.0, h), [0.5], [[0.5]]) for h in (1 / 64, 1 / 128)]
    assert np.log2(w[0] / w[1]) == pytest.approx(order, abs=0.1)


def test_a_hessian_or_drift_error_of_zero_changes_nothing_and_the_rest_does():
    base = ind.gaussian_law("SO", MEAN, COV, 2.0, 0.25)
    zero = ind.gaussian_law("SO", MEAN, COV, 2.0, 0.25, error=dict(hessian=np.zeros((2, 2)), drift=[0, 0], relative=0.0))
    assert all(np.allclose(p, q, rtol=0, atol=1e-15) for p, q in zip(base, zero))
    for error in (dict(hessian=[[0.1, 0.05], [0.05, -0.1]]), dict(drift=[0.1, 0]), dict(constant=[0.1, 0.2]), dict(relative=0.1), dict(noise=0.3)):
        assert ind.bures(*ind.gaussian_law("SO", MEAN, COV, 2.0, 0.25, error=error), *base) > 1e-4
    with pytest.raises(AssertionError, match="relativ"):
        ind.gaussian_law("SO", MEAN, COV, 2.0, 0.25, error=dict(relativ=0.1))


def gaussian_callables(error, rng):
    """score, hessian and drift (M of the exact score plus its own error) of N(MEAN, COV), with the errors of gaussian_law."""
    P = lambda t: np.linalg.inv(np.exp(-t)[:, None, None] * COV + ind.var_of(t)[:, None, None] * np.eye(2))
    exact = lambda t, x: np.einsum("nij,nj->ni", P(t), ind.a_of(t)[:, None] * MEAN - x)

    def score(t, x):
        noise = error.get("noise", 0) / np.sqrt(2) * rng.standard_normal(x.shape)
        return (1 + error.get("relative", 0)) * exact(t, x) + error.get("constant", 0) + noise

    def drift(t, x):
        return x / 4 - np.einsum("nij,nj->ni", np.eye(2) / 2 - P(t), x / 2 + exact(t, x)) + error.get("drift", 0)
    return score, lambda t, x: error.get("hessian", 0) - P(t), drift


ERRORS = dict(constant=np.array([0.5, -0.3]), relative=0.2, noise=0.8)
SO_ERRORS = dict(hessian=np.array([[0.4, 0.3], [0.3, -0.2]]), drift=np.array([0.7, -1.0]))


@pytest.mark.parametrize("scheme", ind.SCHEMES)
@pytest.mark.parametrize("errors", (False, True))
def test_simulation_has_the_exact_moments(scheme, errors):
    error = {**ERRORS, **(SO_ERRORS if scheme == "SO" else {})} if errors else {}
    n, rng = 30_000, np.random.default_rng(3)
    start = np.array([3.0, -2.0]), np.eye(2)            # far out: the fluctuation of U is seen off the diagonal
    score, hessian, drift = gaussian_callables(error, rng)
    x = ind.simulate(scheme, score, hessian, 1.5, 0.5, start[0] + rng.standard_normal((n, 2)), rng, drift if errors else None)
    m, S = ind.gaussian_law(scheme, MEAN, COV, 1.5, 0.5, start, error)
    r = x - m
    assert np.all(np.abs(r.mean(0)) < 4.5 * x.std(0) / np.sqrt(n))
    for i, j in ((0, 0), (0, 1), (1, 1)):
        assert abs((r[:, i] * r[:, j]).mean() - S[i, j]) < 4.5 * (r[:, i] * r[:, j]).std() / np.sqrt(n)


# ---------------------------------------------------------------- product laws

def test_line_score():
    for t in (1e-3, 0.1, 1.0, 4.0):
        x, a = np.linspace(-6, 6, 41), np.exp(-t / 2)
        v = a * a * 0.64 + 1 - a * a
        th = np.tanh(0.6 * a * x / v)
        _, s, H = ind.line_score(MIX, t, x)
        np.testing.assert_allclose(s, (0.6 * a * th - x) / v, atol=1e-11)
        np.testing.assert_allclose(H, (0.6 * a / v) ** 2 * (1 - th ** 2) - 1 / v, atol=1e-10)


def test_line_w2_and_quantiles():
    x, line = np.linspace(-10, 10, 801), ind.Line(lambda u: -u * u / 2)
    for m, s in ((0.5, 1.2), (1e-3, 1.001)):
        assert ind.line_w2(line, x, np.exp(-(x - m) ** 2 / 2 / s ** 2)) == pytest.approx(np.hypot(m, s - 1), rel=1e-4)
    u = np.linspace(0.01, 0.99, 9)
    np.testing.assert_allclose(ind.line_quantile(ind.Line(lambda x: 0 * x, -2.0, 2.0), u), 4 * u - 2, atol=1e-9)
    np.testing.assert_allclose(ind.line_quantile(ind.Line(lambda x: -np.abs(x), breaks=(0.0,)), u), -np.sign(u - 0.5) * np.log1p(-np.abs(2 * u - 1)), atol=1e-6)


@pytest.mark.parametrize("scheme, h, w2", [
    ("EM", 0.25, 0.04561258943918801), ("EI", 0.25, 0.09072599337613023), ("SO", 0.25, 0.005610889146337129)])
def test_line_law(scheme, h, w2):
    assert np.sqrt(2) * ind.line_law_w2(scheme, MIX, 4.0, h) == pytest.approx(w2, rel=1e-5)


@pytest.mark.long
def test_line_law_against_the_reference(reference_cases):
    case = reference_cases[0]
    for row in case["rows"]:
        if row["h"] < 1 / 16:  # the finest steps take most of a minute and say no more
            continue
        assert np.sqrt(2) * ind.line_law_w2(row["scheme"], MIX, 4.0, row["h"]) == pytest.approx(row["w2"], rel=1e-4)
    for row in case["per_coordinate_rows"]:
        found = ind.line_law_w2(row["scheme"], MIX, 4.0, row["h"], points=361, nodes_u=7, nodes_xi=9)
        assert found == pytest.approx(row["w2_one_coordinate"], rel=2e-4)


def test_line_law_on_a_gaussian_is_the_gaussian_law():
    line = ind.Line(lambda x: -(x - 0.3) ** 2 / 1.4)
    for scheme, error in (("EM", {}), ("EI", {"relative": 0.2}), ("SO", {"constant": 0.3})):
        for start in ("exact", "paper"):
            second = {k: np.atleast_1d(v) if k == "constant" else v for k, v in error.items()}
            want = ind.bures(*ind.gaussian_law(scheme, [0.3], [[0.7]], 2.0, 0.25, start, second), [0.3], [[0.7]])
            assert ind.line_law_w2(scheme, line, 2.0, 0.25, start, **error) == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("scheme", ("REM", "REI"))
def test_the_law_given_u_has_the_moments_of_the_law(scheme):
    low, high = ind.mixture_over_u(scheme, MEAN, COV, 4.0, 0.5, np.random.default_rng(0), n=20_000)
    assert low == pytest.approx(ind.bures(*ind.gaussian_law(scheme, MEAN, COV, 4.0, 0.5), MEAN, COV), rel=2e-3)
    assert high > low


@pytest.mark.parametrize("name", ("mixture", "planar"))
def test_scores_of_many_points_are_those_of_one(name):
    for t in (0.3, 1.5):
        x = np.array(points(TARGETS["mixture"], t, 2))
        w, mu, S = MIXTURE
        s, H = ind.mixture_score(w, mu, S, t, x) if name == "mixture" else ind.planar_score(TARGETS["mixture"], t, x)
        one = [ind.score_and_hessian(TARGETS["mixture"], t, v) for v in x]
        np.testing.assert_allclose(s, [v for v, _ in one], atol=1e-8)
        np.testing.assert_allclose(H, [v for _, v in one], atol=1e-7)


# ---------------------------------------------------------------- diffused densities

def points(f, t, n_sd):
    m, C = ind.moments(f)
    root = np.linalg.cholesky(np.exp(-t) * C + ind.var_of(t) * np.eye(2))
    return [np.exp(-t / 2) * m + n_sd * root @ v for v in ([0.6, 0.8], [-0.8, 0.6])]


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("t", (1e-4, 1e-2, 0.3, 10.0))
def test_score_hessian_and_m_are_derivatives_of_log_pt(name, t):
    f = TARGETS[name]
    for n_sd in (1, 5) if t != 10.0 else (5,):
        x = points(f, t, n_sd)[n_sd == 5]
        s, H = ind.score_and_hessian(f, t, x)
        D = ind.derivatives(f, t, x)
        np.testing.assert_allclose(s, [D(0, 1, 0), D(0, 0, 1)], rtol=0, atol=1e-9)
        np.testing.assert_allclose(H, [[D(0, 2, 0), D(0, 1, 1)], [D(0, 1, 1), D(0, 0, 2)]], rtol=0, atol=1e-8)
        np.testing.assert_allclose(ind.m_by_definition(f, t, x), ind.m_closed(s, H, x), rtol=0, atol=1e-6)
        # Fokker-Planck: d_t log p = 1 + x.s/2 + (tr H + |s|^2)/2 in two dimensions
        assert D(1, 0, 0) == pytest.approx(1 + x @ s / 2 + (np.trace(H) + s @ s) / 2, rel=1e-8)


def test_mixture_is_the_closed_form_and_gaussian_moments_hold():
    f = ind.mixture([1.0], [MEAN], [COV])
    m, C = ind.moments(f)
    np.testing.assert_allclose(m, MEAN, atol=1e-14), np.testing.assert_allclose(C, COV, atol=1e-14)
    for t in (1e-4, 0.1, 10.0):
        x = points(f, t, 5)[0]
        V = np.exp(-t) * COV + ind.var_of(t) * np.eye(2)
        r = x - np.exp(-t / 2) * MEAN
        s, H = ind.score_and_hessian(f, t, x)
        np.testing.assert_allclose(s, -np.linalg.solve(V, r), atol=1e-11)
        np.testing.assert_allclose(H, -np.linalg.inv(V), atol=1e-11)
        assert float(ind.log_pt(f, t, x)) == pytest.approx(-r @ np.linalg.solve(V, r) / 2 - np.log(2 * np.pi) - np.log(np.linalg.det(V)) / 2, abs=1e-11)


@pytest.mark.parametrize("t", (1e-3, 1.0))
def test_skew_against_mpmath(t):
    """In rotated coordinates skew is a product: 1-D mpmath quadrature, 22 digits, differentiated by mpmath."""
    f, lam, c, k = TARGETS["skew"], SKEW["lam"], SKEW["c"], SKEW["k"]
    ca, sa = np.cos(SKEW["angle"]), np.sin(SKEW["angle"])
    x = points(f, t, 2)[0]
    with mp.workdps(22):
        a, s2 = mp.exp(-mp.mpf(t) / 2), -mp.expm1(-mp.mpf(t))
        p0 = lambda v: mp.exp(-lam * v * v / 2 - c * mp.log1p(mp.exp(-k * v)))
        w = 1 / mp.sqrt(lam + a * a / s2)
        quad = lambda g, b: mp.quad(g, mp.linspace(*b, 5), method="gauss-legendre", maxdegree=5)
        Z = quad(p0, (-11, 11))

        def log_p(u):
            mid = mp.re(u) * a / s2 * w * w
            return mp.log(quad(lambda v: p0(v) * mp.exp(-(u - a * v) ** 2 / (2 * s2)), (mid - 11 * w, mid + 11 * w))
                          / mp.sqrt(2 * mp.pi * s2) / Z)
        u = [ca * x[0] + sa * x[1], -sa * x[0] + ca * x[1]]
        lp, s1, h1 = ([mp.diff(log_p, mp.mpf(v), n, h=mp.mpf(10) ** -6) if n else log_p(mp.mpf(v)) for v in u] for n in (0, 1, 2))
    R = np.array([[ca, -sa], [sa, ca]])
    s, H = ind.score_and_hessian(f, t, x)
    assert float(ind.log_pt(f, t, x)) == pytest.approx(float(sum(lp)), abs=1e-12)
    np.testing.assert_allclose(s, R @ np.array(s1, float), atol=1e-10)
    np.testing.assert_allclose(H, R @ np.diag(np.array(h1, float)) @ R.T, atol=1e-8)


# ---------------------------------------------------------------- integrals, constants

@pytest.mark.parametrize("A", (0.5, -1.7, 1e-8))
def test_ito_covariance_and_the_identity(A):
    for u in (0.05, 0.6, 1.0):
        h, C = 0.3, ind.ito_covariance(A, u, 0.3)
        vu = u * h * ind.phi1(2 * A * u * h)
        want = [[vu, np.exp(A * (1 - u) * h) * vu], [np.exp(A * (1 - u) * h) * vu, h * ind.phi1(2 * A * h)]]
        np.testing.assert_allclose(C, want, rtol=1e-12)
    assert ind.rei_rho(0.6, 0.3) == pytest.approx(np.exp(0.2 * 0.3) * np.sqrt(np.expm1(0.18) / np.expm1(0.3)), rel=1e-12)


def test_legendre_weights():
    A, h = -1.7, 0.3
    w, rest = ind.legendre_weights(A, h)
    assert w[0] == pytest.approx(np.expm1(A * h) / (A * h), rel=1e-13)
    full = h * float(ind.phi1(2 * A * h))
    assert rest == pytest.approx(full - sum(wk ** 2 * h / (2 * k + 1) for k, wk in enumerate(w)), abs=1e-14)
    rests = [ind.legendre_weights(A, h, k)[1] for k in (0, 1, 2)]
    assert rests[0] > 100 * rests[1] > 1e4 * rests[2]
