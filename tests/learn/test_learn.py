"""Training a score: both losses, their minimiser, exact resumption, checkpoints, and the score error that a network is."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import SKEW
from scipy.special import softmax

from dlab import answers, errors, learn, process, targets
from dlab.answers import learned_score as study_of
from dlab.errors import learned
from dlab.errors.base import perturb
from dlab.learn.train import LEAST, _loss
from dlab.params import BadInput
from dlab.pytree import pytree
from dlab.study import Study, run

SIGMAS = 4.0
ATOMS = np.array([[-1.0, -0.5], [0.5, 1.0], [1.2, -0.8], [-0.2, 0.3]])
MIXTURE = {"name": "mixture", "weights": [0.4, 0.6], "means": [[-0.5, -0.2], [0.5, 0.3]], "var": 0.7}
SMALL = {"name": "learned", "samples": 2000, "width": 16, "depth": 1, "updates": 120}


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """Nothing kept before, nothing left behind."""
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    learned.CACHE.forget()


@pytree(["rates"])
class Linear:
    """Any pytree of arrays that can be called will do as a network."""

    def __init__(self, rates):
        self.rates = rates

    def __call__(self, t, x):
        return -self.rates.astype(x.dtype) * x + 0.3 * jnp.sin(x[:, ::-1]) * jnp.exp(-t)


def atoms_score(t, x):
    """The exact score of the smoothed ATOMS, (n, 2): softmax weights of the Gaussians about them."""
    a, var = np.exp(-t / 2), -np.expm1(-t)
    gap = a * ATOMS - x[:, None]
    weights = softmax(-(gap**2).sum(-1) / (2 * var), axis=1)
    return (weights[..., None] * gap).sum(1) / var


def test_both_losses_are_equal_in_the_mean_and_exceed_the_least_by_the_weighted_error():
    """Integration by parts for any s; the excess is E sigma^2 |s - grad log p_t|^2, from the exact score by another route."""
    target = targets.build(MIXTURE)
    keys, n, t = jax.random.split(jax.random.key(0), 3), 50_000, jnp.full((50_000, 1), 0.3)
    x0, z = target.sample(keys[0], n), jax.random.normal(keys[1], (n, 2))
    net = Linear(jnp.array([0.9, 1.1]))
    denoising, sliced = (np.asarray(learn.losses(net, method, t, x0, z, keys[2])) for method in learn.METHODS)
    gap = denoising - sliced
    assert abs(gap.mean()) < SIGMAS * gap.std() / np.sqrt(n)
    least = np.asarray(learn.losses(target.field.score, "denoising", t, x0, z, keys[2]))
    x = np.exp(-0.15) * x0 + np.sqrt(-np.expm1(-0.3)) * z
    wrong = -np.expm1(-0.3) * np.asarray(((net(t, x) - target.field.score(t, x)) ** 2).sum(-1))
    excess = denoising - least - wrong
    assert wrong.mean() > 0.01
    assert abs(excess.mean()) < SIGMAS * excess.std() / np.sqrt(n)


def test_the_minimiser_of_the_denoising_loss_on_four_atoms_is_the_score_of_the_smoothed_atoms():
    """Least squares in a basis of 225 Gaussian bumps, the expectation over Z by a product of Gauss-Hermite rules: no chance in it."""
    t = 0.5
    a, sigma = np.exp(-t / 2), np.sqrt(-np.expm1(-t))
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    z = np.stack(np.meshgrid(node, node), -1).reshape(-1, 2)
    w = np.tile(np.outer(weight, weight).ravel() / weight.sum() ** 2, len(ATOMS)) / len(ATOMS)
    x0, z = np.repeat(ATOMS, len(z), 0), np.tile(z, (len(ATOMS), 1))
    x, places = a * x0 + sigma * z, np.linspace(-3.2, 3.2, 15)
    centres = np.stack(np.meshgrid(places, places), -1).reshape(-1, 2)

    def basis(x):
        return np.concatenate([np.exp(-((x[:, None] - centres) ** 2).sum(-1) / (2 * 0.55**2)), x, np.ones((len(x), 1))], 1)

    def loss(coefficients):
        values = jnp.asarray(basis(x)) @ coefficients
        each = learn.losses(lambda t, x: values, "denoising", jnp.full((len(x), 1), t), jnp.asarray(x0), jnp.asarray(z), jax.random.key(0))
        return jnp.asarray(w) @ each

    rows = np.sqrt(w)[:, None] * sigma * basis(x)
    found = np.linalg.lstsq(rows, -np.sqrt(w)[:, None] * z, rcond=1e-12)[0]
    assert float(jnp.abs(jax.grad(loss)(jnp.asarray(found))).max()) < 1e-9  # of the trainer's own loss
    truth, value = atoms_score(t, x), basis(x) @ found
    gap = np.sqrt(w @ ((value - truth) ** 2).sum(1) / (w @ (truth**2).sum(1)))
    assert gap < 5e-3


@pytest.mark.long
@pytest.mark.parametrize("method", learn.METHODS)
def test_a_network_trained_on_four_atoms_finds_the_score_of_the_smoothed_atoms(method):
    net = learn.perceptron(ATOMS, width=64, depth=3, seed=0)
    done = learn.train(net, ATOMS, method=method, updates=3000, batch=256, rate=3e-3, T=4.0, seed=0)
    random = np.random.default_rng(0)
    for t in (0.3, 0.6, 1.5):
        x0 = ATOMS[random.integers(0, 4, 4000)]
        x = np.exp(-t / 2) * x0 + np.sqrt(-np.expm1(-t)) * random.standard_normal(x0.shape)
        truth = atoms_score(t, x)
        gap = np.sqrt(np.mean(((np.asarray(done.net(t, jnp.asarray(x))) - truth) ** 2).sum(1)) / np.mean((truth**2).sum(1)))
        before = np.sqrt(np.mean(((np.asarray(net(t, jnp.asarray(x))) - truth) ** 2).sum(1)) / np.mean((truth**2).sum(1)))
        assert gap < 0.12
        assert gap < before / 2


def test_an_untrained_perceptron_is_the_score_of_the_gaussian_fitted_to_its_samples():
    x = np.random.default_rng(1).standard_normal((500, 2)) @ np.array([[1.0, 0.4], [0.0, 0.7]]) + [0.5, -1.0]
    net = jax.tree.map(lambda v: v.astype(float), learn.perceptron(x, width=8, depth=2, seed=0))
    for t in (1e-6, 0.3, 3.0):
        cov = np.exp(-t) * np.cov(x.T) - np.expm1(-t) * np.eye(2)
        truth = -(x - np.exp(-t / 2) * x.mean(0)) @ np.linalg.inv(cov)
        np.testing.assert_allclose(net(t, jnp.asarray(x)), truth, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(net(jnp.full((500, 1), t), jnp.asarray(x)), net(t, jnp.asarray(x)), rtol=1e-12, atol=1e-12)


def trained(**options):
    x = np.asarray(targets.build(SKEW).sample(jax.random.key(3), 500))
    net = learn.perceptron(x, width=8, depth=1, seed=0)
    asked = {"method": "denoising", "updates": 250, "batch": 64, "rate": 3e-3, "T": 2.0, "seed": 5, "held": x[:100]} | options
    return learn.train(net, x, **asked)


@pytest.mark.parametrize("method", learn.METHODS)
def test_a_resumed_training_is_the_uninterrupted_one_bit_by_bit(method):
    whole, kept = trained(method=method), []

    class Stop(Exception):
        pass

    def stop(done, losses):
        if len(losses) == 2:
            raise Stop

    with pytest.raises(Stop):
        trained(method=method, tick=stop, keep=kept.append)
    (part,) = kept
    assert (part.step, part.done) == (100, False)
    again = learn.unpacked(learn.packed(part, {"a": 1}), learn.begin(part.net, 250), {"a": 1})
    resumed = trained(method=method, resume=again)
    assert resumed.done
    for one, two in zip(jax.tree.leaves(whole.net), jax.tree.leaves(resumed.net)):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(resumed.losses, whole.losses, rtol=1e-6)
    assert whole.losses[:, 0].tolist() == [0, 100, 200, 250]


def test_other_seeds_give_other_networks_and_an_unknown_method_is_named():
    one, two = trained(updates=20), trained(updates=20, seed=6)
    assert any((a != b).any() for a, b in zip(jax.tree.leaves(one.net), jax.tree.leaves(two.net)))
    with pytest.raises(BadInput, match="method = 'magic' is unknown; choose one of denoising, sliced"):
        trained(method="magic")
    with pytest.raises(BadInput, match="no longer finite"):
        trained(rate=float("nan"))


def test_a_checkpoint_of_something_else_or_a_broken_one_is_refused():
    done = trained(updates=20)
    data, like = learn.packed(done, {"a": 1}), learn.begin(done.net, 20)
    with pytest.raises(learn.Checkpoint, match="another training"):
        learn.unpacked(data, like, {"a": 2})
    with pytest.raises(learn.Checkpoint, match="another network"):
        learn.unpacked(data, learn.begin(learn.perceptron(np.eye(3, 2), width=4, depth=1, seed=0), 20), {"a": 1})
    for broken in (b"", data[: len(data) // 2], b"PK\x03\x04 no archive"):
        with pytest.raises(learn.Checkpoint, match="cannot be read"):
            learn.unpacked(broken, like, {"a": 1})


def test_a_target_of_ones_own_or_of_too_many_dimensions_cannot_be_learned():
    own = targets.target(lambda x: -x @ x / 2, box=((-6, 6), (-6, 6)), m0=1, L0=1)
    with pytest.raises(BadInput, match="needs a target of the registry"):
        Study.from_json({"target": own, "score_error": SMALL})
    many = {"name": "gaussian", "mean": [0.0] * 65, "cov": np.eye(65).tolist()}
    with pytest.raises(BadInput, match="up to 64 dimensions and the target has 65"):
        Study.from_json({"target": many, "score_error": SMALL})


def study(**changed):
    base = {"target": SKEW, "schemes": ["EM"], "h": [0.5, 0.25], "T": 2.0, "score_error": SMALL, "particles": 256}
    return Study.from_json({**base, **changed})


def test_a_study_trains_its_network_once_and_says_the_price_before():
    asked, ticks = study(), []
    assert not asked.error.ready
    assert asked.price > asked.work
    with pytest.raises(BadInput, match="not been trained"):
        asked.error.shift(0.5, jnp.zeros((1, 2)), jnp.zeros((1, 2)), None)
    first = run(asked, ticks.append).to_json()
    assert ticks == sorted(ticks)
    assert ticks[-1] == 1
    again = study()
    assert again.error.ready
    assert again.error.price == 0
    assert again.price < asked.price
    assert run(again).to_json() == first
    assert all(r["error_level_met"] > 0 for r in first["rows"])


def test_the_same_numbers_come_from_a_training_that_was_cancelled_and_from_files_alone():
    class Stop(Exception):
        pass

    def stop(done):
        if done:
            raise Stop

    with pytest.raises(Stop):
        study().error.prepared(stop)
    begun = study()
    assert begun.error.training.kept().step == 100
    assert 0 < begun.error.price < learned.Training(begun.error.training.spec, begun.built, "elsewhere").price
    resumed = begun.error.prepared()
    learned.CACHE.forget()
    found = study().error
    assert found.ready
    for one, two in zip(jax.tree.leaves(resumed.net), jax.tree.leaves(found.net)):
        np.testing.assert_array_equal(one, two)
    whole = learned.Training(begun.error.training.spec, begun.built, "elsewhere").train(again=True)
    for one, two in zip(jax.tree.leaves(whole.net), jax.tree.leaves(found.net)):
        np.testing.assert_array_equal(np.asarray(one, float), two)


def test_the_network_answers_for_s_L_and_M_by_its_own_derivatives():
    error = study().error.prepared()
    field, t = targets.build(SKEW).fast_field, 0.4
    x = jnp.asarray(np.random.default_rng(2).normal(0, 1, (64, 2)))
    s, L, M = perturb(field, error, None).local(t, x)
    np.testing.assert_allclose(s, error.net(t, x))
    np.testing.assert_allclose(error.shift(t, x, field.score(t, x), None) + field.score(t, x), s, atol=1e-12)
    step, e = 1e-5, np.eye(2)
    J = np.stack([(error.net(t, x + step * v) - error.net(t, x - step * v)) / (2 * step) for v in e], -1)
    np.testing.assert_allclose(L.matrix, np.eye(2) / 2 + (J + J.swapaxes(1, 2)) / 2, atol=1e-8)
    np.testing.assert_allclose(M, x / 4 - np.einsum("nij,nj->ni", L.matrix, x / 2 + s), atol=1e-12)
    step = 1e-3
    laplace = sum(error.net(t, x + step * v) - 2 * s + error.net(t, x - step * v) for v in e) / step**2
    later = (error.net(t + step, x) - error.net(t - step, x)) / (2 * step)
    np.testing.assert_allclose(error.defined_drift(jnp.asarray(t), x), laplace / 2 - later, atol=1e-4)


def test_what_a_loss_is_above_the_exact_scores_is_the_weighted_error_at_the_times_of_the_training():
    """Two routes: losses on fresh draws, and |e|^2 along p_t at the times that they are averaged over."""
    asked = study()
    found = study_of.trained(asked)
    assert found["losses"][0][:2] == [0, None]
    assert found["losses"][0][2] > found["losses"][-1][2] > found["least"]
    error, target, T = asked.prepared().error, asked.built, learned.HORIZON
    gap = jax.jit(lambda x0, key: _loss(error.net, "denoising", x0, key, T) - _loss(target.fast_field.score, "denoising", x0, key, T))
    gaps = np.array([gap(target.sample(jax.random.key(50 + i), 4000), jax.random.key(i)) for i in range(12)])

    @jax.jit
    def square(t, key):
        draw, spread = jax.random.split(key)
        x = process.scale(t) * target.sample(draw, 4000) + jnp.sqrt(process.variance(t)) * jax.random.normal(spread, (4000, 2))
        return process.variance(t) * jnp.mean(jnp.sum(error.shift(t, x, target.fast_field.score(t, x), None) ** 2, 1))

    times = np.geomspace(LEAST, T, 81)[1::2]
    direct = np.mean([square(t, jax.random.key(i)) for i, t in enumerate(times)])
    spread = gaps.std(ddof=1) / np.sqrt(len(gaps))
    assert spread < direct / 5
    assert abs(gaps.mean() - direct) < SIGMAS * spread


def test_below_the_smallest_trained_time_the_score_stays_bounded():
    error = study().error.prepared()
    x = jnp.asarray(np.random.default_rng(2).normal(0, 1, (64, 2)))
    near, nearer = (np.asarray(error.net(t, x)) for t in (LEAST, 0.0))
    assert np.isfinite(nearer).all()
    assert np.abs(near - nearer).max() < 0.05 * np.abs(near).max()


def test_the_bound_of_so_is_void_where_nobody_has_measured_the_error_of_its_hessian():
    result = run(study(schemes=["SO"], h=[0.5])).to_json()
    assert [r["bound"] for r in result["rows"]] == [None]
    assert any("Jacobian" in note for note in result["notes"])


def test_the_errors_met_are_those_of_the_rows_and_their_averages_add_up():
    asked = study(h=[0.25])
    found = study_of.errors_met(asked, "EM", 8)
    (row,) = run(study(h=[0.25], particles=4096)).to_json()["rows"]
    top = found["iterates"]["score"]
    assert abs(top["top"] - row["error_level_met"]) < SIGMAS * top["top_stderr"] * 1.3
    late = np.array(found["t"]) >= study_of.FROM
    for along in ("iterates", "forward"):
        for kind in study_of.KINDS:
            one = found[along][kind]
            assert one["average"] == pytest.approx(np.sqrt(np.mean(np.array(one["value"])[late] ** 2)), rel=1e-3)
            assert one["top"] == pytest.approx(max(one["value"]), rel=1e-3)
    json.dumps(found)


def test_the_error_field_adds_up_to_the_level_under_p_t():
    asked = study()
    plane = study_of.error_field(asked, 0.5)
    error, target = asked.prepared().error, asked.built
    x0 = target.sample(jax.random.key(8), 20_000)
    x = np.exp(-0.25) * x0 + np.sqrt(-np.expm1(-0.5)) * jax.random.normal(jax.random.key(9), x0.shape)
    square = np.asarray((error.shift(0.5, x, target.fast_field.score(0.5, x), None) ** 2).sum(1))
    # The grid ends at 3.2 standard deviations and its cells are a fifth of one wide.
    assert plane["level"] ** 2 == pytest.approx(square.mean(), rel=0.1)
    assert np.array(plane["length"]).shape == (study_of.SIDE, study_of.SIDE)


def test_only_a_learned_score_has_these_answers():
    with pytest.raises(BadInput, match="'none' is not 'learned'"):
        answers.find("learned").check(study(score_error={"name": "none"}), "EM", 8)


def test_the_floor_is_what_two_step_sizes_extrapolate_to():
    def result(w, stderr=0.0):
        rows = [{"scheme": "EM", "h": h, "w2": v, "stderr": stderr, "diverged": 0} for h, v in zip((0.1, 0.2), w)]
        return {"rows": rows}

    # F = 0.3, K h = h/2 in a direction that shares the cosine 0.5 with F.
    def both(h):
        return np.sqrt(0.3**2 + 2 * 0.3 * 0.5 * 0.5 * h + (0.5 * h) ** 2)

    found = study_of.floor(result([both(0.1), both(0.2)]), result([0.05, 0.1]), "EM")
    assert found == {"value": pytest.approx(0.3), "stderr": 0.0}
    noisy = study_of.floor(result([both(0.1), both(0.2)], 0.01), result([0.05, 0.1], 0.01), "EM")
    random = np.random.default_rng(0)
    draws = [
        study_of.floor(result([both(0.1), both(0.2)] + 0.01 * a), result(np.array([0.05, 0.1]) + 0.01 * b), "EM")["value"]
        for a, b in random.standard_normal((400, 2, 2))
    ]
    assert noisy["stderr"] == pytest.approx(np.std(draws), rel=0.15)
    assert study_of.floor(result([0.06, 0.11]), result([0.05, 0.1]), "EM") is None


def test_a_study_may_vary_the_number_of_samples():
    varied = study(h=[0.5], vary={"axis": "score_error.samples", "values": [50, 500]})
    assert [v for v, _ in varied.parts] == [50, 500]
    result = run(varied).to_json()
    assert [r["value"] for r in result["rows"]] == [50, 500]
    with pytest.raises(BadInput, match="'none' has no samples; choose an error"):
        study(score_error={"name": "none"}, vary={"axis": "score_error.samples", "values": [50]})


def test_learned_is_offered_by_its_own_page_alone():
    assert errors.REGISTRY["learned"].page == "learned"
    assert "learned" not in errors.OFFERED
