"""The ribbon: p_t of one coordinate against closed forms, the flow's paths as quantiles, and paths with noise step by step."""

import itertools

import numpy as np
import pytest
from cases import SKEW, long
from scipy import optimize, special, stats

from dlab import answers, process, schemes, targets
from dlab.answers import ribbon
from dlab.params import BadInput
from dlab.study import Study

GAUSSIAN = {"name": "gaussian", "mean": [0.5, -1.0], "cov": [[0.7, 0.3], [0.3, 0.6]]}
MIXTURE = {"name": "mixture", "weights": [0.7, 0.3], "means": [[-1.4, 0.0], [1.6, 0.5]],
           "var": [[[0.25, 0.0], [0.0, 0.25]], [[0.4, 0.1], [0.1, 0.3]]]}  # fmt: skip
FIRST = {"gaussian": ([1.0], [0.5], [0.7]), "mixture": ([0.7, 0.3], [-1.4, 1.6], [0.25, 0.4])}  # of the first coordinate


def study(target=MIXTURE, names=("EM", "DDIM"), steps=16, **more):
    return Study.from_json({"target": target, "schemes": list(names), "steps": [steps], **more})


def diffused(name, t):
    weights, means, var = map(np.array, FIRST[name])
    return weights, np.exp(-t / 2) * means, np.sqrt(np.exp(-t) * var + 1 - np.exp(-t))


def true_quantile(name, t, level):
    weights, means, sd = diffused(name, t)
    return optimize.brentq(lambda x: weights @ special.ndtr((x - means) / sd) - level, -20, 20, xtol=1e-13)


@pytest.mark.parametrize("target", [GAUSSIAN, MIXTURE], ids=lambda t: t["name"])
def test_the_density_is_that_of_the_first_coordinate_in_closed_form(target):
    found = ribbon.ribbon(study(target), 16)
    t, x, p = (np.array(found[k]) for k in ("t", "x", "density"))
    assert (t[0], t[-1]) == (0.0, 4.0)
    want = np.stack([stats.norm.pdf(x[:, None], m, s) @ w for w, m, s in (diffused(target["name"], a) for a in t)], 1)
    np.testing.assert_allclose(p, want, atol=1e-5 * want.max())
    # On all of the line, not only where it is drawn.
    one, wide = ribbon.line(study(target)).built, np.linspace(-12, 12, 4001)
    whole = ribbon.densities(one, t, np.broadcast_to(wide, (len(t), 4001)))
    np.testing.assert_allclose(np.trapezoid(whole, wide, axis=1), 1.0, atol=1e-6)
    want = [true_quantile(target["name"], 0.0, level) for level in found["levels"]]
    np.testing.assert_allclose(found["ends"], want, atol=1e-4)


@pytest.mark.parametrize("name, axis", [("skew", "axis"), ("wells", "coordinate"), ("kink", "coordinate"), ("box", "coordinate")])
def test_a_product_is_drawn_along_its_first_axis(name, axis):
    """Its score there, and a density that integrates to 1 and has the moments of the facts."""
    spec = SKEW | {"angle": 30.0} if name == "skew" else targets.REGISTRY[name].example
    asked = study(spec)
    whole, one = asked.built, ribbon.line(asked).built
    assert ribbon.ribbon(asked, 16)["coordinate"] == axis
    direction = whole.factors.axes[:, 0]
    x = np.linspace(-2, 2, 9)
    elsewhere = x[:, None] * direction + 0.4 * whole.factors.axes[:, 1]
    want = np.asarray(whole.fast_field.score(0.3, elsewhere)) @ direction
    np.testing.assert_allclose(np.asarray(one.field.score(0.3, x[:, None]))[:, 0], want, atol=0.02)
    wide = np.linspace(-9, 9, 8001)
    (p,) = ribbon.densities(one, np.array([0.3]), wide[None])
    a2, noise = np.exp(-0.3), float(process.variance(0.3))
    assert np.trapezoid(p, wide) == pytest.approx(1.0, abs=2e-3)
    assert np.trapezoid(p * wide, wide) == pytest.approx(np.sqrt(a2) * one.facts.mean[0], abs=0.01)
    spread = np.trapezoid(p * (wide - np.sqrt(a2) * one.facts.mean[0]) ** 2, wide)
    assert spread == pytest.approx(a2 * one.facts.cov[0, 0] + noise, rel=0.01)


@pytest.mark.parametrize("target", [long(GAUSSIAN), MIXTURE], ids=lambda t: t["name"])
@pytest.mark.parametrize("name", ["DDIM", "PF-EULER", "EDM-HEUN"])
def test_paths_of_the_flow_never_cross_and_carry_the_quantiles(target, name):
    off = {}
    for steps in (16, 64, 256):
        (path,) = ribbon.ribbon(study(target, [name], steps, grid={"name": "quadratic"}), steps)["paths"]
        x = np.array(path["x"])
        assert (np.diff(x, axis=0) > 0).all()
        assert path["exchanged"] == 0
        off[steps] = path["off"]
        if steps == 256:  # all the way, not only at the end
            want = [[true_quantile(target["name"], t, level) for t in path["t"][::32]] for level in ribbon.LEVELS[::6]]
            np.testing.assert_allclose(x[::6, ::32], want, atol=0.02)
    order = schemes.REGISTRY[name].law_order
    assert off[16] > 4**order / 1.6 * off[64] > 4 ** (2 * order) / 2.6 * off[256]
    assert off[256] < 0.02


@pytest.mark.parametrize("given", [{}, {"start": "paper"}, {"grid": {"name": "karras"}}, {"stop": 0.01}])
def test_paths_with_noise_are_the_schemes_steps_along_the_brownian_paths(given):
    """EM by hand, in NumPy; every scheme begins at the same points."""
    asked = study(names=["EM", "DDIM", "SRA1"], **given)
    found, one = ribbon.ribbon(asked, 16), ribbon.line(asked)
    paths = {p["scheme"]: np.array(p["x"]) for p in found["paths"]}
    times, noise = one.grid(16).times, ribbon.brownian(one, 16)[:, 0, :, 0]
    x = paths["EM"][:, 0]
    for name, path in paths.items():
        np.testing.assert_array_equal(path[:, 0], x, name)
    if given.get("start") == "paper":
        np.testing.assert_allclose(x, np.sqrt(-np.expm1(-one.T)) * special.ndtri(ribbon.LEVELS), rtol=1e-5)
    for n, (t, later) in enumerate(itertools.pairwise(times)):
        weights, means, sd = diffused("mixture", t)
        parts = weights * stats.norm.pdf(x[:, None], means, sd)
        score = (parts * (means - x[:, None]) / sd**2).sum(1) / parts.sum(1)
        x = x + (t - later) * (x / 2 + score) + noise[n]
        np.testing.assert_allclose(paths["EM"][:, n + 1], x, rtol=2e-5, atol=2e-5)


def test_the_brownian_paths_have_their_law_and_stay_as_the_steps_halve():
    one = ribbon.line(study())
    coarse, fine = (ribbon.brownian(one, n)[:, 0, :, 0] for n in (16, 32))
    np.testing.assert_allclose(coarse, fine.reshape(16, 2, -1).sum(1), atol=1e-6)
    # The mean square of 16 x 24 normals of variance h.
    assert np.mean(coarse**2) == pytest.approx(0.25, abs=4 * 0.25 * np.sqrt(2 / coarse.size))


def test_it_says_where_it_cannot_be_drawn():
    entry = answers.find("ribbon")
    assert entry.applies(study()) is None
    assert entry.applies(study({"name": "spectrum", "values": [0.2, 1.0]})) is None
    assert "closed form" in entry.applies(study({"name": "logistic", "x": [[4, 0], [1, 4]], "y": [1, 1], "lam": 0.8}))
    learned = study(score_error={"name": "learned", "samples": 64})
    assert "network" in entry.applies(learned)
    with pytest.raises(BadInput, match="closed form"):
        next(entry.stream(study({"name": "logistic", "x": [[4, 0], [1, 4]], "y": [1, 1], "lam": 0.8}), 16))


def test_a_path_that_is_lost_is_none(monkeypatch):
    """And its scheme has no order and no ends."""
    simulated = ribbon.simulate

    def lost(scheme, *given, **more):
        run = simulated(scheme, *given, **more)
        run.states[3:, 5] = np.inf
        return run

    monkeypatch.setattr(ribbon, "simulate", lost)
    em, _ = ribbon.ribbon(study(), 16)["paths"]
    assert em["x"][5][2] is not None
    assert em["x"][5][3:] == [None] * 14
    assert (em["exchanged"], em["off"]) == (None, None)
