"""Targets outside the assumptions: their diffused scores by two routes, their facts, exact laws against simulation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import exponnorm, norm

from dlab import answers, errors, schemes, targets
from dlab.answers.bounds import checklist
from dlab.answers.modes import modes, modes_work
from dlab.grid import uniform
from dlab.laws import product
from dlab.measure import Case, exact
from dlab.params import BadInput
from dlab.study import Study, run
from dlab.targets import pieces

SPECS = {
    "wells": {"name": "wells", "a": 2.0, "q": 1.0, "g": 0.2, "k": 0.8},
    "log-concave wells": {"name": "wells", "a": -1.0},
    "kink": {"name": "kink", "lam": 1.0, "c": 1.0, "delta": 0.2},
    "true kink": {"name": "kink", "lam": 1.0, "c": 1.0, "delta": 0.0},
    "Laplace": {"name": "kink", "c": 1.5, "delta": 0.0},
    "uniform": {"name": "box", "half": 1.0},
    "cut Gaussian": {"name": "box", "half": 1.5, "lam": 2.0},
}
ENDS = {"uniform": (-1.0, 1.0), "cut Gaussian": (-1.5, 1.5)}
NONE = errors.NONE
def integral(density, factor, edges):
    """int p_0(u) factor(u) du by Gauss-Legendre between the edges, in one call of the density."""
    z, w = np.polynomial.legendre.leggauss(300)
    edges = np.unique(edges)
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    u = middle + half * z
    return float(np.sum(half * w * np.exp(np.asarray(density(jnp.asarray(u.ravel()))).reshape(u.shape)) * factor(u)))


def test_scores_next_to_time_zero_are_those_of_the_pieces_and_the_edge():
    """Inside a piece the score tends to that of p_0; outside of the box it is minus distance over time."""
    kink, box = (targets.build(SPECS[n]).line for n in ("true kink", "uniform"))
    assert np.asarray(kink.diffused(0.0, jnp.asarray([-0.5, 0.5])))[1] == pytest.approx([1.5, -1.5], abs=1e-6)
    assert np.asarray(box.diffused(0.0, jnp.asarray([0.3])))[1] == pytest.approx([0.0], abs=1e-9)
    assert float(box.diffused(1e-4, jnp.asarray(1.5))[1]) == pytest.approx(-0.5 / 1e-4, rel=0.01)


@pytest.mark.parametrize("name", ["true kink", "Laplace", "uniform", "cut Gaussian"])
def test_quantiles_and_samples_are_those_of_the_density(name):
    target = targets.build(SPECS[name])
    low, high = ENDS.get(name, (-30.0, 30.0))
    edges = np.linspace(low, high, 21)
    mass, square = (integral(target.line, lambda u, k=k: u**k, edges) for k in (0, 2))
    var = square / mass
    assert target.facts.cov[0, 0] == pytest.approx(var, rel=2e-6)
    x = np.asarray(target.sample(jax.random.key(1), 20_000))
    assert np.mean(x**2) == pytest.approx(var, abs=5 * np.std(x**2) / np.sqrt(x.size))
    u = 0.8
    at = float(target.line.quantile(u))
    assert integral(target.line, np.ones_like, [0.0, at / 2, at]) / mass == pytest.approx(u - 0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "failing", "constants"),
    [
        ("wells", {"1", "2", "6", "7", "–"}, {"m0": -2.0, "L0": None}),
        ("log-concave wells", {"1", "2", "6", "7"}, {"m0": 1.0, "L0": None}),
        ("kink", set(), {"m0": 1.0, "L0": 6.0}),
        ("true kink", {"1", "2", "6", "7"}, {"m0": 1.0, "L0": None}),
        ("Laplace", {"1", "2", "6", "7", "–"}, {"m0": 0.0, "L0": None}),
        ("uniform", {"1", "2", "6", "7", "–"}, {"m0": 0.0, "L0": None}),
    ],
)
def test_the_checklist_says_which_assumption_fails(name, failing, constants):
    study = Study.from_json({"target": SPECS[name], "schemes": ["EM"], "h": [0.5]})
    listed = checklist(study)
    assert {a.number for a in listed if a.verdict == "fails"} == failing
    facts = study.built.facts
    assert {k: getattr(facts, k).value for k in constants} == constants
    assert facts.L0.value is not None or facts.L0.how.startswith("infinite")


def test_curvature_of_the_wells_is_closed_where_it_can_be_measured():
    target = targets.build(SPECS["wells"])
    x = jnp.stack([jnp.linspace(-2, 2, 81), jnp.zeros(81)], -1)
    H = np.asarray(jax.vmap(jax.hessian(lambda v: target.log_density(v[None])[0]))(x))
    assert np.linalg.eigvalsh(-H).min() == pytest.approx(target.facts.m0.value, abs=1e-3)


def test_w2_to_quantiles_is_that_of_the_densities_where_both_are_smooth():
    x = np.linspace(-10, 10, 401)
    p, q = (np.exp(-((x - m) ** 2) / (2 * s**2)) / s / np.sqrt(2 * np.pi) for m, s in ((0.1, 1.05), (0.0, 1.0)))
    assert product.w2_to_quantiles(x, p, norm.ppf) == pytest.approx(product.w2_on_line(x, p, q), rel=1e-6)
    assert product.w2_to_quantiles(x, p, norm.ppf) == pytest.approx(np.hypot(0.1, 0.05), rel=1e-6)


def slopes(spec, scheme, h):
    case = [Case(targets.build(spec), schemes.REGISTRY[scheme], NONE, uniform(2.0, round(2.0 / v)), "exact") for v in h]
    w2 = [exact.ENTRY.estimate(c).value for c in case]
    return np.diff(np.log(w2)) / np.diff(np.log(h))


def test_an_edge_leaves_order_three_quarters_to_every_scheme():
    """The noise of the last step carries mass sqrt(h) a distance sqrt(h) out of the box: W2^2 ~ h^(3/2)."""
    for scheme in ("EM", "SO"):
        assert slopes(SPECS["uniform"], scheme, [1 / 16, 1 / 64])[0] == pytest.approx(0.75, abs=0.04)


def test_a_kink_leaves_order_five_quarters_to_so():
    """Mass sqrt(h) near the kink goes wrong by h in the last steps: W2^2 ~ h^(5/2); EM's own order 1 hides it."""
    assert slopes(SPECS["true kink"], "SO", [1 / 16, 1 / 64])[0] == pytest.approx(1.25, abs=0.1)
    assert slopes(SPECS["true kink"], "EM", [1 / 16, 1 / 64])[0] == pytest.approx(1.0, abs=0.1)


def test_a_random_midpoint_has_no_finite_w2_to_a_box():
    result = run(Study.from_json({"target": SPECS["uniform"], "schemes": ["REM", "EM"], "h": [0.5]}))
    rem, em = sorted(result.rows, key=lambda r: r.scheme, reverse=True)
    assert rem.w2 is None
    assert rem.diverged
    assert "infinite" in rem.flags[0]
    assert em.w2 > 0
    assert em.resolved
    # The mean square of the last score, over U: it grows with the number of draws instead of settling.
    line = targets.build(SPECS["uniform"]).line
    u = np.linspace(0, 1, 20_001)[1:-1]
    kick = np.asarray(line.diffused(jnp.asarray(0.5 * (1 - u)), jnp.asarray(1.2)))[1] * 0.5
    assert np.mean(kick[u < 0.9] ** 2) < 0.05 * np.mean(kick**2)


def test_masses_of_modes_by_law_and_by_particles_agree():
    spec = {"target": SPECS["wells"], "schemes": ["EM", "REM"], "h": [0.25], "T": 1.0, "start": "paper"}
    by_law = modes(Study.from_json(spec), 4)
    # An error that turns in the plane leaves no law on a line; at level 0 it is none.
    counted = modes(Study.from_json({**spec, "score_error": {"name": "field", "level": 0.0}}), 4)
    assert [r["method"] for r in by_law["rows"]] == ["law"] * 2
    assert [r["method"] for r in counted["rows"]] == ["particles"] * 2
    for a, b in zip(by_law["rows"], counted["rows"]):
        assert sum(a["masses"]) == pytest.approx(1, abs=1e-5)
        assert a["masses"][0] == pytest.approx(b["masses"][0], abs=4 * b["stderr"][0])
        # Started from N(0, I) at T = 1, the deeper well has not drawn its whole share.
        assert a["masses"][1] < by_law["target"][1] - 0.01
    assert by_law["target"][1] > 0.5


def test_mass_leaves_a_box_and_a_gaussian_has_no_modes():
    outside = modes(Study.from_json({"target": SPECS["uniform"], "schemes": ["EM"], "h": [0.25], "T": 2.0}), 8)
    assert outside["target"] == [0.0, 1.0, 0.0]
    low, middle, high = outside["rows"][0]["masses"]
    assert low == pytest.approx(high, abs=1e-5)
    assert 0.05 < low + high < 0.4
    assert middle < 0.95
    with pytest.raises(BadInput, match="no modes"):
        answers.find("modes").check(Study.from_json({"target": SPECS["kink"], "schemes": ["EM"], "h": [0.5]}), 8)


def test_where_a_law_fits_on_no_grid_the_mass_is_counted_however_far_particles_went():
    rem = {"schemes": ["REM"], "h": [0.5], "T": 2.0}
    box = modes(Study.from_json({"target": {"name": "box", "half": 1.0, "lam": 1.0}, **rem}), 4)["rows"][0]
    assert box["method"] == "particles"
    assert sum(box["masses"]) == pytest.approx(1, abs=1e-5)
    assert abs(box["masses"][0] - box["masses"][2]) < 4 * np.hypot(box["stderr"][0], box["stderr"][2])
    wells = modes(Study.from_json({"target": {"name": "wells", "a": 3.0, "q": 1.0, "g": 0.2, "k": 1.0}, **rem}), 4)["rows"][0]
    assert wells["method"] == "particles"
    assert wells["masses"] or "not finite" in wells["why"]


def test_the_price_of_the_masses_is_that_of_the_laws_and_particles():
    of = {"target": {"name": "box", "half": 1.0}, "h": [0.5], "T": 2.0}
    each = [modes_work(Study.from_json({**of, "schemes": [s]}), 4) for s in ("EM", "REM")]
    assert each[0] == exact.price(Study.from_json({**of, "schemes": ["EM"]}).case("EM", 4))
    assert each[1] == 4 * 8192
    assert modes_work(Study.from_json({**of, "schemes": ["EM", "REM"]}), 4) == sum(each)


def test_pieces_with_a_slope_and_an_end_are_an_exponential_law():
    """X_0 ~ Exp(2) plus Gaussian noise: the density of an exponentially modified Gaussian."""
    line, t = pieces.PiecesLine(jnp.asarray(0.0), jnp.asarray([-2.0]), jnp.asarray([0.0, jnp.inf])), 0.4
    a, sigma = np.exp(-t / 2), np.sqrt(-np.expm1(-t))
    x = np.linspace(-1, 4, 7)
    # a X_0 has rate 2/a.
    expected = exponnorm.logpdf(x, a / 2 / sigma, scale=sigma)
    found = np.asarray(line.diffused(t, jnp.asarray(x)))[0]
    np.testing.assert_allclose(found - found[0], expected - expected[0], rtol=1e-9)


def test_a_study_varies_a_key_of_its_target():
    logistic = {"name": "logistic", "x": [[4, 0], [1, 4]], "y": [1, 1], "lam": 0.8}
    study = Study.from_json({"target": logistic, "schemes": ["EM"], "h": [0.5], "vary": {"axis": "target.lam", "values": [2, 0.5]}})
    assert [(v, part.target["lam"]) for v, part in study.parts] == [(0.5, 0.5), (2.0, 2.0)]
    assert Study.from_json(study.to_json()) == study


def test_a_study_varies_a_knob_that_its_target_does_not_spell():
    mixture = {"name": "mixture", "weights": [0.3, 0.7], "means": [[-1.0, 0.0], [1.0, 0.0]], "var": 0.5}
    study = Study.from_json({"target": mixture, "schemes": ["EM"], "h": [0.5], "vary": {"axis": "target.sep", "values": [0, 4]}})
    apart = [np.subtract(*part.target["means"][::-1])[0] for _, part in study.parts]
    assert apart == [0.0, 4.0]


def test_rows_along_a_targets_number_are_those_of_the_plain_studies():
    target = {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[0.5, 0.0], [0.0, 1.0]]}
    varied = run(Study.from_json({"target": target, "schemes": ["EM"], "h": [0.25], "vary": {"axis": "target.k2", "values": [0.4, 1.5]}}))
    found = varied.to_json()
    assert found["trends"] == []
    for value, row in zip((0.4, 1.5), found["rows"]):
        plain = {**target, "cov": [[0.5, 0.0], [0.0, 1 / value]]}
        alone = run(Study.from_json({"target": plain, "schemes": ["EM"], "h": [0.25]})).rows[0]
        assert row["value"] == value
        assert row["w2"] == pytest.approx(alone.w2, rel=1e-6)
        assert (row["bound"] is None) == (value <= 0.5)
