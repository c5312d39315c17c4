"""Exact Gaussian laws: against the second route, the reference file and typed values; every scheme's order."""

import independent as ind
import numpy as np
import pytest
from cases import GAUSSIAN

from dlab import errors, schemes, targets
from dlab.laws import gaussian as laws
from dlab.measure import Case, exact

NAMES = list(schemes.REGISTRY)
NONE = errors.build({"name": "none"})
MEAN, COV = np.array(GAUSSIAN["mean"]), np.array(GAUSSIAN["cov"])


def w2(target, name, h, T=4.0, start="exact", error=NONE):
    return exact.estimate(Case(target, schemes.REGISTRY[name], error, T, round(T / h), start)).value


@pytest.mark.parametrize("start", ["exact", "paper"])
@pytest.mark.parametrize("name", NAMES)
def test_law_is_that_of_the_second_route_at_every_step_size(gaussian, name, start):
    for k in range(1, 8):
        h = 2.0**-k
        want = ind.bures(*ind.gaussian_law(name, MEAN, COV, 4.0, h, start), MEAN, COV)
        assert w2(gaussian, name, h, start=start) == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_moments_of_the_law_are_those_of_the_second_route(gaussian, name):
    law = laws.propagate(schemes.REGISTRY[name], gaussian, NONE, T=4.0, steps=8, start="paper")
    m, S = ind.gaussian_law(name, MEAN, COV, 4.0, 0.5, "paper")
    np.testing.assert_allclose(law.mean[-1], m, atol=1e-12)
    np.testing.assert_allclose(law.cov[-1], S, atol=1e-9)
    assert len(law.mean) == 9


ERRORS = {
    "constant": ({"level": 0.5, "angle": 60.0}, {"constant": 0.5 * np.array([0.5, np.sqrt(0.75)])}),
    "relative": ({"level": 0.2}, {"relative": 0.2}),
    "noise": ({"level": 0.8}, {"noise": 0.8}),
}


@pytest.mark.parametrize("model", ERRORS)
@pytest.mark.parametrize("name", NAMES)
def test_law_with_a_wrong_score_is_that_of_the_second_route(gaussian, name, model):
    spec, want = ERRORS[model]
    law = laws.propagate(schemes.REGISTRY[name], gaussian, errors.build({"name": model, **spec}), T=4.0, steps=16, start="exact")
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
        law = laws.propagate(schemes.REGISTRY[name], gaussian, errors.build(spec), T=4.0, steps=16, start="exact")
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


@pytest.mark.parametrize("number", [1, 2])
def test_law_is_that_of_the_reference_file(reference_cases, number):
    case = reference_cases[number]
    target = targets.build({"name": "gaussian", "mean": case["target"]["mean"], "cov": case["target"]["cov"]})
    for row in case["rows"]:
        got = w2(target, row["scheme"], row["h"], case["T"], case["start"])
        assert got == pytest.approx(row["w2"], rel=1e-3)


@pytest.mark.parametrize(
    "name, h, want",
    [("EM", 0.25, 0.11996225790801308), ("EI", 0.125, 0.06773813388163072), ("SO", 0.25, 0.02576961250839987),
     ("REM", 0.25, 0.002307049121171211), ("REI", 0.25, 0.009806942332026338)],
)  # fmt: skip
def test_typed_values(name, h, want):
    cov = [[0.4528525782650825, 0.4187414967044992], [0.41874149670449917, 1.4471474217349174]]
    target = targets.build({"name": "gaussian", "mean": [-0.4, 0.9], "cov": cov})
    assert w2(target, name, h, T=6.0) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("d, name", [(1, "REI"), (3, "SO")])
def test_law_in_other_dimensions(d, name):
    G = np.random.default_rng(d).standard_normal((d, d))
    mean, cov = np.arange(d) / 2, G @ G.T + 0.5 * np.eye(d)
    target = targets.build({"name": "gaussian", "mean": mean.tolist(), "cov": cov.tolist()})
    want = ind.bures(*ind.gaussian_law(name, mean, cov, 2.0, 0.25), mean, cov)
    assert w2(target, name, 0.25, T=2.0) == pytest.approx(want, rel=1e-5)


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


def test_the_law_met_along_the_way_of_an_exact_target_stays_close_to_the_diffused_target(gaussian):
    law = laws.propagate(schemes.REGISTRY["SO"], gaussian, NONE, T=4.0, steps=256, start="exact")
    for n in (0, 64, 192, 256):
        m, S = laws.diffused(gaussian.facts, 4.0 - n / 64)
        assert laws.bures(m, S, law.mean[n], law.cov[n]) < 3e-4


@pytest.mark.parametrize(
    "model, want", [("constant", 0.5), ("noise", 0.8)]
)
def test_the_level_met_is_the_level_asked_for(gaussian, model, want):
    error = errors.build({"name": model, **ERRORS[model][0]})
    law = laws.propagate(schemes.REGISTRY["EM"], gaussian, error, T=4.0, steps=8, start="exact")
    np.testing.assert_allclose(law.error_square, want**2, rtol=1e-12)


def test_the_level_met_of_a_relative_error_is_the_norm_of_the_share_of_the_score(gaussian):
    error = errors.build({"name": "relative", "level": 0.2})
    law = laws.propagate(schemes.REGISTRY["EM"], gaussian, error, T=4.0, steps=8, start="exact")
    # Under p_T itself E|s|^2 = tr Cov^{-1}.
    _, S = laws.diffused(gaussian.facts, 4.0)
    assert law.error_square[0] == pytest.approx(0.04 * np.trace(np.linalg.inv(S)), rel=1e-9)
