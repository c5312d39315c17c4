"""Every scheme of the registry: a complete record, strong order along a path, the limit, and traps that catch a wrong M."""

import dataclasses
import re

import independent as ind
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN, SKEW, has_moments

from dlab import errors, field, linop, look, noise, schemes, theory
from dlab.grid import uniform
from dlab.laws import gaussian as laws
from dlab.params import BadInput
from dlab.sample import simulate, starts
from dlab.study import Study, run

NAMES = list(schemes.PAPER)  # the others: test_samplers.py
NONE = errors.build({"name": "none"})
T, FINE, N = 2.0, 512, 512
STEPS = (8, 16, 32, 64)


@pytest.mark.parametrize("name", schemes.REGISTRY)
def test_the_record_is_complete(name):
    scheme = schemes.REGISTRY[name]
    assert scheme.name == name
    assert scheme.title
    if name in NAMES:
        assert scheme.asks == ({"start", "midpoint"} if scheme.randomised else {"start"})
    assert scheme.score_evals >= 1
    assert scheme.hessian_evals >= 0
    assert 0 < scheme.strong_order <= scheme.law_order
    assert re.match(r"[xz]\^\+ = ", scheme.formula.latex()[-1])
    if scheme.theorem:
        assert 0 < scheme.theorem.order <= scheme.strong_order
        assert isinstance(scheme.theorem.constants(0.8, 3.0, 1.0, 2, 0.1), theory.Constants)


def test_a_look_that_some_figure_cannot_draw_is_refused_at_once():
    for wrong in ({"marker": "octagon"}, {"dash": "wavy"}, {"light": "red"}):
        with pytest.raises(BadInput, match=str(*wrong.values())):
            schemes.Style(**{"light": "#000000", "dark": "#ffffff", "marker": "circle", **wrong})


def test_markers_and_colours_tell_the_schemes_apart():
    styles = [s.style for s in schemes.REGISTRY.values()]
    for part in (lambda s: s.light, lambda s: s.dark, lambda s: (s.marker, s.dash)):
        assert len(set(map(part, styles))) == len(styles)
    # Dotted lines are bounds, dash-dotted ones closed forms.
    assert not {"dot", "dashdot"} & {s.dash for s in styles}
    assert len({s.style.marker for s in schemes.PAPER.values()}) == len(schemes.PAPER)


@pytest.mark.parametrize("name, target", [*((name, "gaussian") for name in NAMES), ("SO", "skew")])
def test_the_parts_of_a_step_add_up_to_the_step(name, target, request):
    """With a wrong score too; the noise is the process's own, and a midpoint is a place and moves nothing."""
    scheme, built = schemes.REGISTRY[name], request.getfixturevalue(target)
    error = errors.build({"name": "constant", "level": 0.3, "angle": 20.0, "hessian_level": 0.2})
    rng, t, h, n = np.random.default_rng(4), 0.7, 0.2, 16
    x, u = jnp.asarray(rng.normal(size=(n, 2))), jnp.asarray(rng.random((n, 1)))
    normals = jnp.asarray(rng.normal(size=(scheme.normals(), n, 2)))
    t_next = t - h

    def seen(scale=1.0):
        return noise.StepNoise(h, scale * normals, u if scheme.randomised else None)

    wrong = errors.perturb(built.field, error, None)
    for f in (built.field, wrong):
        parts, _ = scheme.advance(f, t, t_next, x, seen())
        assert list(parts) == [p for p in look.PARTS if p in parts]
        assert ("midpoint" in parts) == scheme.randomised
        moved = sum(np.asarray(part) for p, part in parts.items() if p != "midpoint")
        np.testing.assert_allclose(scheme.step(f, t, t_next, x, seen()) - x, moved, atol=1e-14)
        # With no noise left, what remains of the step is its drift, the second-order part included.
        if scheme.asks == {"start"}:
            left = moved - np.asarray(parts["noise"])
            np.testing.assert_allclose(scheme.step(f, t, t_next, x, seen(0.0)) - x, left, atol=1e-14)
        elif scheme.randomised:
            # The score is the second one, taken at the midpoint and the time t - Uh.
            late = np.asarray(f.score(t - u * h, parts["midpoint"]))
            y = np.asarray(parts["midpoint"])
            # x/2 at the midpoint too, or by its exponential.
            wants = h * (y / 2 + late), np.expm1(h / 2) * x + h * np.exp((1 - u) * h / 2) * late
            assert min(np.abs(parts["drift"] - want).max() for want in wants) < 1e-13
    pushed, kicked = ([scheme.parts(f, t, t_next, x, seen())[p] for f in (wrong, built.field)] for p in ("drift", "noise"))
    assert np.abs(pushed[0] - pushed[1]).max() > 0.01
    np.testing.assert_allclose(*kicked, atol=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_costs_are_what_a_step_asks_for(name, gaussian):
    scheme, asked = schemes.REGISTRY[name], {"score": 0, "hessian": 0}

    class Counting(type(gaussian.field)):
        def score(self, t, x):
            asked["score"] += 1
            return super().score(t, x)

        def local(self, t, x):
            asked["hessian"] += 1
            return super().local(t, x)

    f = gaussian.field
    counting = Counting(f.mean, f.values, f.vectors)
    step = noise.StepNoise(h=0.1, normals=jnp.zeros((2, 4, 2)), u=jnp.full((4, 1), 0.5))
    with jax.disable_jit():
        scheme.step(counting, 1.0, 0.9, jnp.ones((4, 2)), step)
    shared = 2 if scheme.hessian_evals else 1  # drift_rate and curvature ask again; XLA merges the two
    assert scheme.score_evals <= asked["score"] <= shared * scheme.score_evals
    assert scheme.hessian_evals <= asked["hessian"] <= shared * scheme.hessian_evals


# ---------------------------------------------------------------- along one Brownian path


@pytest.fixture(scope="module")
def paths():
    fine = noise.path(jax.random.key(11), np.full(FINE, T / FINE), N, 2)
    return {steps: noise.merge(fine, FINE // steps) for steps in (FINE, FINE // 2, *STEPS)}


@pytest.fixture(scope="module")
def coupled(skew, paths):
    """coupled(name) -> L2 distances to the reference on the same paths at STEPS, and the reference's own error."""
    start, _ = starts(skew, jax.random.key(1), N, T, "exact")

    def final(scheme, steps):
        key = jax.random.key(steps)
        return simulate(scheme, skew.fast_field, NONE, start, grid=uniform(T, steps), key=key, path=paths[steps]).x

    reference = final(schemes.REGISTRY["SO"], FINE)

    def distances(scheme):
        return np.array([np.sqrt(np.mean(np.sum((final(scheme, n) - reference) ** 2, 1))) for n in STEPS])

    distances.final, distances.reference = final, reference
    return distances


def _heun(field_, t, t_next, x, noise_):
    h, first, kick = t - t_next, field.drift(field_, t, x), noise_.draw(noise.Integral())
    return {"drift": h / 2 * (first + field.drift(field_, t_next, x + h * first + kick)), "noise": kick}


def test_a_scheme_that_asks_elsewhere_is_not_given_a_law_that_does_not_know(monkeypatch):
    """Heun's method as somebody might add it: one record, and every route is right or refuses."""
    heun = dataclasses.replace(schemes.REGISTRY["EM"], name="HEUN", parts=_heun, score_evals=2, law_order=2.0, expansion=None)
    monkeypatch.setitem(schemes.REGISTRY, "HEUN", heun)
    assert heun.asks == {"start", "elsewhere"}
    asked = {"schemes": ["HEUN"], "h": [0.25], "T": 2.0, "particles": 1024}
    for way in ("exact", "density"):
        with pytest.raises(BadInput, match=r"HEUN .*choose the projected estimator"):
            Study.from_json({**asked, "target": SKEW, "estimator": way})
    (row,) = run(Study.from_json({**asked, "target": SKEW})).rows
    assert row.method == "projected"
    # On a Gaussian the law is read off the step itself, wherever it looks.
    law, drawn = (run(Study.from_json({**asked, "target": GAUSSIAN, "estimator": e})).rows[0] for e in ("exact", "projected"))
    assert law.method == "exact"
    assert abs(law.w2 - drawn.w2) < 4 * drawn.stderr


@pytest.mark.parametrize("name", NAMES)
def test_strong_order_on_the_asymmetric_target_and_convergence_to_the_reference(name, coupled):
    scheme = schemes.REGISTRY[name]
    distance = coupled(scheme)
    slope = np.polyfit(np.log(1 / np.array(STEPS)), np.log(distance), 1)[0]
    assert abs(slope - scheme.strong_order) < 0.15
    # The limit, not only the rate: a scheme that converges elsewhere levels off.
    assert distance[-1] < 0.05
    assert np.all(np.diff(np.log2(distance)) < -0.7 * scheme.strong_order)


def test_the_reference_itself_has_converged(coupled):
    half = coupled.final(schemes.REGISTRY["SO"], FINE // 2)
    own = np.sqrt(np.mean(np.sum((half - coupled.reference) ** 2, 1)))
    assert own < 0.1 * coupled(schemes.REGISTRY["SO"])[-1]


def wrong_so(change):
    """SO with M replaced by change(M, ...): what a sign error or a forgotten term would make of it."""

    def parts(f, t, t_next, x, step_noise):
        h = t - t_next
        L = f.local(t, x)[1]
        moved = L.map(lambda a: h * linop.phi1(h * a), field.drift(f, t, x))
        bent = L.map(lambda a: h**2 * linop.phi2(h * a), change(f, t, x))
        return {"drift": moved, "second order": bent, "noise": step_noise.draw(noise.Integral(L))}

    return dataclasses.replace(schemes.REGISTRY["SO"], name="wrong", parts=parts)


def minus_half(f, t, v, x):
    """H v = (L - I/2) v."""
    return f.local(t, x)[1].apply(v) - v / 2


# M = x/4 - L gamma = -s/2 - H gamma; one appendix of the paper prints the sign of H gamma wrong.
WRONG = {
    "no M": lambda f, t, x: 0 * x,
    "minus M": lambda f, t, x: -f.local(t, x)[2],
    "sign of L gamma": lambda f, t, x: x / 4 + f.local(t, x)[1].apply(field.drift(f, t, x)),
    "sign of the last term": lambda f, t, x: -f.score(t, x) / 2 + minus_half(f, t, field.drift(f, t, x), x),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_second_order_scheme_with_a_wrong_m_has_a_law_of_order_one(mistake, gaussian):
    def distance(scheme, steps):
        law = laws.propagate(scheme, gaussian, NONE, grid=uniform(4.0, steps), start="exact")
        return laws.bures(gaussian.facts.mean, gaussian.facts.cov, law.mean[-1], law.cov[-1])

    right = np.log2(distance(schemes.REGISTRY["SO"], 128) / distance(schemes.REGISTRY["SO"], 256))
    scheme = wrong_so(WRONG[mistake])
    wrong = np.log2(distance(scheme, 128) / distance(scheme, 256))
    assert right > 1.85
    assert wrong < 1.25


def test_without_m_the_strong_order_is_one(coupled):
    distance = coupled(wrong_so(WRONG["no M"]))
    assert abs(np.log2(distance[-2] / distance[-1]) - 1) < 0.2


@pytest.mark.parametrize("t", [0.05, 1.0])
def test_m_is_half_the_laplacian_of_the_score_less_its_time_derivative(skew, t):
    f = ind.skew(**{k: SKEW[k] for k in ("lam", "c", "k")}, angle=np.radians(SKEW["angle"]))
    x = np.array([[0.3, -0.5], [-1.2, 0.4]])
    got = skew.field.local(t, jnp.asarray(x))[2]
    for g, point in zip(np.asarray(got), x):
        np.testing.assert_allclose(g, ind.m_by_definition(f, t, point), atol=2e-5)


@pytest.mark.parametrize("name", ind.SCHEMES)
def test_fresh_simulation_has_the_moments_of_the_exact_law_from_a_start_far_out(name, gaussian):
    """Far out the fluctuation of U is seen off the diagonal of the covariance."""
    mean, cov, n = np.array(GAUSSIAN["mean"]), np.array(GAUSSIAN["cov"]), 16
    begin = np.array([3.0, -2.0]) + np.random.default_rng(0).standard_normal((n, N, 2))
    keys = jax.random.split(jax.random.key(3), n)
    run = lambda b, k: simulate(schemes.REGISTRY[name], gaussian.field, NONE, b, grid=uniform(1.5, 3), key=k).x  # noqa: E731
    x = np.concatenate([run(b, k) for b, k in zip(begin, keys)])
    has_moments(x, *ind.gaussian_law(name, mean, cov, 1.5, 0.5, (np.array([3.0, -2.0]), np.eye(2))))


@pytest.mark.parametrize("name", NAMES)
def test_along_a_path_the_law_is_the_same_as_with_fresh_noise(name, gaussian, paths):
    """A path fixes the noise, not the law: moments along N paths are those of the exact law."""
    start, _ = starts(gaussian, jax.random.key(2), N, T, "exact")
    x = simulate(schemes.REGISTRY[name], gaussian.field, NONE, start, grid=uniform(T, 16), key=jax.random.key(5), path=paths[16]).x
    law = laws.propagate(schemes.REGISTRY[name], gaussian, NONE, grid=uniform(T, 16), start="exact")
    has_moments(x, law.mean[-1], law.cov[-1])


def test_states_are_recorded_with_the_start_first_and_ticks_count_steps(gaussian):
    start, seen = np.zeros((N, 2)), []
    run = simulate(
        schemes.REGISTRY["EM"], gaussian.field, NONE, start, grid=uniform(1.0, 100), key=jax.random.key(0), record=True, tick=seen.append
    )
    assert run.states.shape == (101, N, 2)
    np.testing.assert_array_equal(run.states[0], start)
    np.testing.assert_array_equal(run.states[-1], run.x)
    assert sum(seen) == 100
    assert len(run.error_square) == 100


@pytest.mark.parametrize("first, other, wrong", [("EM", "REM", None), ("EM", "SRA1", None), ("EI", "REI", None), ("EM", "REM", 0.1)])
def test_schemes_of_one_key_meet_the_same_increments_in_every_chunk(first, other, wrong, gaussian):
    error = NONE if wrong is None else errors.build({"name": "noise", "level": wrong}, gaussian, None)
    moved = {}
    for name in (first, other):
        run = simulate(
            schemes.REGISTRY[name], gaussian.field, error, np.zeros((8, 2)), grid=uniform(1.0, 150), key=jax.random.key(0), record=True,
            follow=8,
        )  # fmt: skip
        moved[name] = run.parts["noise"]
    np.testing.assert_allclose(moved[first], moved[other], rtol=1e-12)
