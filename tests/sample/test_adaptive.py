"""Adaptive steps: every try replayed in NumPy, one Brownian path kept, laws against published, derived and diffrax's ones."""

import itertools
import math
from dataclasses import dataclass

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dlab import noise
from dlab.answers.adaptive import measured, starts
from dlab.pytree import pytree
from dlab.sample import adaptive
from dlab.sample.adaptive import CHUNK, METHODS, Controller, controller, simulate
from dlab.targets.spectrum import AxesField
from dlab.theory import redraw

TRUE, T = math.sqrt(0.5), 8.0
FIELD = AxesField(jnp.full(1, 0.5))
# d, tolerance: standard deviation with redrawn noise and on one path.
PRINTED = {
    (1, 0.3): (0.571, 0.673), (1, 0.1): (0.512, 0.703), (1, 0.03): (0.507, 0.710),
    (16, 0.3): (0.622, 0.644), (16, 0.1): (0.667, 0.692), (16, 0.03): (0.682, 0.704),
    (256, 0.3): (0.6325, 0.631), (256, 0.1): (0.6901, 0.690), (256, 0.03): (0.6959, 0.701),
}  # fmt: skip
PARTICLES = {1: 10_000, 16: 2_000, 256: 200}


def run(method, d, tol, n, seed=0, **more):
    start = starts(jax.random.key(seed), n, d)
    found = simulate(FIELD, start, T=T, key=jax.random.key(seed + 1), control=controller(method, tol), method=method, **more)
    return found, measured(found, start, method)


@pytest.fixture(scope="module")
def laws():
    return {(m, d, tol): run(m, d, tol, PARTICLES[d])[1] for m in METHODS[:2] for d, tol in PRINTED}


def replayed(method, start, control, key):
    """The definition, a particle at a time: x, accepted and tried."""
    draws, out = noise.generator(key), []
    if method == "redraw":
        normals = np.concatenate([draws.standard_normal((CHUNK, *start.shape), np.float32) for _ in range(40)]).astype(float)
    else:
        normals = np.zeros((40 * CHUNK, *start.shape))
    pull = 0.5 if method == "flow" else 1.0
    for i, x in enumerate(start):
        left, h, before, accepted, tried = T, control.first, x, 0, 0

        def g(left, x):
            return x / 2 - pull * x / (1 - 0.5 * np.exp(-left)) if pull == 1 else (x - x / (1 - 0.5 * np.exp(-left))) / 2

        while left > 0:
            dW = 0 if method == "flow" else np.sqrt(h) * normals[tried, i]
            first = h * g(left, x) + dW
            second = h * g(left - h, x + first) + dW
            tolerance = np.maximum(control.tol, control.relative * np.maximum(abs(before), abs(x + first)))
            size = np.sqrt(np.mean(((second - first) / 2 / tolerance) ** 2))
            tried += 1
            if size <= 1:
                x, before, left, accepted = x + (first + second) / 2, x, left - h, accepted + 1
            h = min(left, control.most, control.safety * h * size**-control.power)
        out.append((x, accepted, tried))
    return tuple(map(np.array, zip(*out)))


@pytest.mark.parametrize("method, relative", [("redraw", 0.0), ("redraw", 0.1), ("flow", 0.0)])
def test_every_try_is_that_of_the_definition(method, relative):
    control = Controller(0.05, relative, power=0.5 if method == "flow" else 0.9)
    start, key = starts(jax.random.key(5), 40, 3), jax.random.key(6)
    found = simulate(FIELD, start, T=T, key=key, control=control, method=method)
    x, accepted, tried = replayed(method, start, control, key)
    np.testing.assert_allclose(found.x, x, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(found.accepted, accepted)
    np.testing.assert_array_equal(found.tried, tried)
    assert (tried > accepted).any()


def test_a_path_between_known_points_is_a_brownian_bridge():
    n = 20_000
    state = adaptive.begin(np.zeros((n, 1)), 2.0, controller("path", 0.1), "path")
    ahead = np.full((n, adaptive.SEEN), -1.0)
    ahead[:, 3], ahead[:, 1] = 1.5, 0.5  # time to go; the path stands at 2.0 with the value 0
    places = np.zeros((n, adaptive.SEEN, 1))
    places[:, 3], places[:, 1] = 1.0, -3.0
    state = adaptive.replace(state, ahead=jnp.asarray(ahead), places=jnp.asarray(places))
    z = np.random.default_rng(0).standard_normal((n, 1))
    for end, mean, variance in ((1.75, 0.5, 0.125), (1.0, -1.0, 0.25), (0.25, -3.0, 0.25), (1.5, 1.0, 0.0)):
        there, known = (np.asarray(v) for v in adaptive._bridged(state, jnp.full(n, end), z))
        np.testing.assert_allclose(there, mean + math.sqrt(variance) * z, atol=1e-12)
        assert known.all() == (variance == 0)


def test_one_path_keeps_the_variance_that_redrawn_noise_loses():
    n, control, key = 4000, controller("path", 0.03), jax.random.key(3)
    state, going, draws = adaptive.begin(starts(key, n, 1), T, control, "path"), True, noise.generator(key)
    while going:
        state, going, _ = adaptive._advance(FIELD, control, state, 0.0, draws.standard_normal((CHUNK, n, 1), np.float32), method="path")
    ends = np.asarray(state.path)[:, 0]
    assert int(jnp.sum(state.tried)) > 1.5 * int(jnp.sum(state.accepted))
    assert abs(ends.mean()) < 4 * math.sqrt(T / n)
    assert abs(ends.var() / T - 1) < 4 * math.sqrt(2 / n)


@pytest.mark.parametrize("case", PRINTED, ids=str)
def test_the_printed_deviations(laws, case):
    """Printed without standard errors: taken to be those of as many particles as here, and rounded."""
    for method, printed in zip(METHODS, PRINTED[case]):
        found = laws[method, *case]
        assert abs(found["sd"] - printed) < 4 * math.sqrt(2) * found["stderr"] + 5e-4, method
        assert found["lost"] == found["forgotten"] == 0


def test_the_bias_of_redrawn_noise_stays_in_one_dimension_and_fades_in_many(laws):
    def z(method, d, tol):
        return (TRUE - laws[method, d, tol]["sd"]) / laws[method, d, tol]["stderr"]

    assert min(z("redraw", 1, tol) for tol in (0.3, 0.1, 0.03)) > 30
    assert laws["redraw", 1, 0.03]["sd"] < laws["redraw", 1, 0.1]["sd"] < laws["redraw", 1, 0.3]["sd"]
    assert z("path", 1, 0.3) > 4
    assert abs(z("path", 1, 0.03)) < 4
    short = [TRUE - laws["redraw", d, 0.03]["sd"] for d in PARTICLES]
    assert short[0] > 4 * short[1] > 8 * short[2]


@pytest.mark.parametrize("d, tol, n", [(1, 0.001, 3000), (16, 0.003, 500)])
def test_the_derived_limit_of_small_tolerances(d, tol, n):
    _, found = run("redraw", d, tol, n)
    _, rejected = redraw.accepted(d)
    (limit,) = redraw.deviations([d], 0.5, T)
    assert abs(found["sd"] - limit) < 4 * found["stderr"]
    assert found["rejected"] == pytest.approx(rejected, abs=0.01)
    assert limit < TRUE - 4 * found["stderr"]


def test_the_limit_by_simulating_the_chain_of_steps():
    rng, n = np.random.default_rng(0), 200_000
    for d in (1, 16, 256):
        log_u = np.zeros(n)
        for _ in range(30):
            log_u = 1.5 * math.log(0.9) - 0.35 * log_u - 0.675 * np.log(rng.chisquare(d, n) / d)
        square = rng.chisquare(d, n) / d
        kept, length = np.exp(2 * log_u) * square <= 1, np.exp(2 * log_u / 3)
        c, rejected = redraw.accepted(d)
        share = (length * square * kept).mean() / (length * kept).mean()
        error = (length * kept * (square - share)).std() / math.sqrt(n) / (length * kept).mean()
        assert abs(c - share) < 4 * error
        assert abs(rejected - 1 + kept.mean()) < 4 * 0.5 / math.sqrt(n)
    assert redraw.accepted(4096)[0] == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="power"):
        redraw.accepted(1, power=1.4)
    with pytest.raises(ValueError, match="variance"):
        redraw.deviations([1], 3.0, T)


def test_the_flow_converges_with_the_tolerance_and_rejects_little():
    found = [run("flow", 16, tol, 500)[1] for tol in (0.1, 0.01, 0.001, 0.0001)]
    errors = [abs(f["sd"] - TRUE) for f in found]
    assert all(b < a / 3 for a, b in itertools.pairwise(errors))
    assert errors[-1] < 1e-4
    assert all(f["rejected"] < 0.25 for f in found)


def test_diffrax_on_one_path_has_the_same_law():
    """Heun with Euler embedded, a controller of the same constants, a virtual Brownian tree."""
    n, tol = 1000, 0.1

    @jax.jit
    @jax.vmap
    def ends(key, x):
        tree = diffrax.VirtualBrownianTree(0.0, T, 1e-5, (1,), key)
        drift = diffrax.ODETerm(lambda tau, x, _: x / 2 - x / (1 - 0.5 * jnp.exp(tau - T)))
        terms = diffrax.MultiTerm(drift, diffrax.ControlTerm(lambda tau, x, _: jnp.eye(1), tree))
        steps = diffrax.PIDController(rtol=0.0, atol=tol, error_order=1 / 0.9, dtmax=0.5, dtmin=1e-6, factormax=1e6, factormin=1e-3)
        found = diffrax.diffeqsolve(terms, diffrax.Heun(), 0.0, T, 0.01, x, saveat=diffrax.SaveAt(t1=True), stepsize_controller=steps)
        return found.ys[0], found.stats["num_rejected_steps"] / found.stats["num_steps"]

    x, rejected = ends(jax.random.split(jax.random.key(4), n), jnp.asarray(starts(jax.random.key(5), n, 1)))
    _, mine = run("path", 1, tol, 4 * n)
    sd = float(jnp.std(x))
    assert abs(sd - mine["sd"]) < 4 * math.hypot(mine["stderr"], sd / math.sqrt(2 * n))
    assert abs(sd - TRUE) < 4 * sd / math.sqrt(2 * n)
    assert float(rejected.mean()) > 0.1


@pytree(["precision"])
@dataclass(frozen=True)
class Broken:
    """A score that is no number where x > 1."""

    precision: jax.Array

    def score(self, t, x):
        return jnp.where(x > 1, jnp.nan, -self.precision * x)


@pytest.mark.parametrize("method", METHODS)
def test_a_particle_without_a_score_is_given_up_and_the_others_arrive(method):
    start = np.linspace(-2, 2, 50)[:, None]
    found = simulate(Broken(jnp.array(1.0)), start, T=1.0, key=jax.random.key(0), control=controller(method, 0.1), method=method)
    assert found.lost[start[:, 0] > 1].all()
    assert not found.lost.all()
    assert np.isnan(found.x[found.lost]).all()
    assert np.isfinite(found.x[~found.lost]).all()
    row = measured(found, start, method)
    assert row["lost"] == found.lost.sum()
    assert math.isfinite(row["sd"])
    gone = simulate(Broken(jnp.array(1.0)), start[-3:], T=1.0, key=jax.random.key(0), control=controller(method, 0.1), method=method)
    assert gone.lost.all()
    assert measured(gone, start[-3:], method)["sd"] is None


def test_a_run_ends_at_its_stop_in_ticks_that_may_cancel():
    seen = []
    found, _ = run("path", 1, 0.1, 500, stop=0.5, tick=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)
    stopped = np.std(found.x) / math.sqrt(1 - 0.5 * math.exp(-0.5))
    assert abs(stopped - 1) < 4 / math.sqrt(2 * 500)

    def cancel(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("redraw", 1, 0.1, 10, tick=cancel)
    with pytest.raises(ValueError, match="redraw, path, flow"):
        simulate(FIELD, np.zeros((1, 1)), T=1.0, key=jax.random.key(0), control=controller("flow", 0.1), method="fresh")
