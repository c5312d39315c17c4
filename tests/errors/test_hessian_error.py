"""SO with a wrong Hessian: what each kind does to L and M, its order and constant by two routes, and its cost."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import long

from dlab import errors, noise, schemes, targets, theory
from dlab.grid import uniform
from dlab.linop import Dense, Diagonal
from dlab.measure import Case, exact
from dlab.sample import CHUNK, simulate, starts
from dlab.schemes.base import Scheme
from dlab.study import Study, run

GAUSSIAN = {"name": "gaussian", "mean": [0.5, 0.3], "cov": [[1.0, 0.3], [0.3, 0.4]]}
SKEW = {"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0, "angle": 30.0}
SO: Scheme = schemes.REGISTRY["SO"]
LASTING = {
    "scaled": {"kind": "relative", "level": 0.3},
    "stiff direction": {"kind": "low_rank"},
    "soft direction": {"kind": "low_rank", "keep": "top"},
    "none of it": {"kind": "low_rank", "rank": 0},
    "diagonal": {"kind": "diagonal"},
}


def error(**hessian):
    return errors.build({"name": "none", "hessian": hessian})


def w2(target, hessian, steps, T=4.0):
    wrong = errors.build({"name": "none", **({"hessian": hessian} if hessian else {})})
    return exact.ENTRY.estimate(Case(target, SO, wrong, uniform(T, steps), "exact")).value


@pytest.mark.parametrize("kind", LASTING)
def test_local_gives_the_hessian_asked_for(kind):
    field, x = targets.build(SKEW).field, jnp.asarray([[0.4, -0.3], [1.0, 0.8]])
    s, L, M = field.local(0.5, x)
    wrong_s, wrong_L, wrong_M = error(**LASTING[kind]).local(field, 0.5, x, None)
    H, seen = (np.asarray(v.matrix) - 0.5 * np.eye(2) for v in (L, wrong_L))
    for i in range(2):
        values, vectors = np.linalg.eigh(H[i])
        expected = {
            "scaled": 1.3 * H[i],
            "stiff direction": values[0] * np.outer(vectors[:, 0], vectors[:, 0]),
            "soft direction": values[1] * np.outer(vectors[:, 1], vectors[:, 1]),
            "none of it": np.zeros((2, 2)),
            "diagonal": np.diag(np.diag(H[i])),
        }[kind]
        np.testing.assert_allclose(seen[i], expected, atol=1e-9)
    # M stays that of the exact score, unless it is rebuilt from the wrong L.
    np.testing.assert_allclose(wrong_s, s)
    np.testing.assert_allclose(wrong_M, M)
    rebuilt = error(**LASTING[kind], drift="rebuilt").local(field, 0.5, x, None)[2]
    np.testing.assert_allclose(rebuilt, x / 4 - wrong_L.apply(x / 2 + s), atol=1e-12)


@pytest.mark.parametrize("drift", ["exact", "rebuilt"])
@pytest.mark.parametrize("kind", LASTING)
def test_a_lasting_error_leaves_order_one_with_the_derived_constant(kind, drift):
    target, wrong = targets.build(GAUSSIAN), error(**LASTING[kind], drift=drift)

    def seen(H):
        return np.asarray(wrong.seen(Dense(jnp.asarray(H)[None] + 0.5 * jnp.eye(2))).matrix[0]) - 0.5 * np.eye(2)

    K = theory.hessian_cost(target.facts.mean, target.facts.cov, seen, 4.0, drift == "rebuilt")
    coarse, fine = (w2(target, {**LASTING[kind], "drift": drift}, n) for n in (512, 1024))
    assert np.log2(coarse / fine) == pytest.approx(1.0, abs=0.06)
    # Richardson: what is left of W2/h is of order h^2.
    assert (2 * fine * 256 - coarse * 128) == pytest.approx(K, rel=0.01)


def test_the_derived_constant_of_a_vector_is_the_one_of_the_score_error_page():
    """E = eps n n^T: the closed integrals of `costs` against the quadrature of `hessian_cost`."""
    facts, n = targets.build(GAUSSIAN).facts, np.array([1.0, 0.0])
    known = theory.costs(facts.mean, facts.cov, n, 4.0).hessian
    assert theory.hessian_cost(facts.mean, facts.cov, lambda H: H + np.outer(n, n), 4.0) == pytest.approx(known, rel=1e-8)


@pytest.mark.parametrize("drift", ["exact", "rebuilt"])
def test_a_stale_hessian_keeps_order_two_and_costs_in_the_constant(drift):
    target = targets.build(GAUSSIAN)
    fresh = w2(target, None, 1024)
    for every in (4, 16):
        coarse, fine = (w2(target, {"kind": "stale", "every": every, "drift": drift}, n) for n in (512, 1024))
        assert np.log2(coarse / fine) == pytest.approx(2.0, abs=0.15)
        assert fine > 1.2 * fresh


def test_a_hessian_renewed_in_every_step_is_no_error():
    target = targets.build(GAUSSIAN)
    for drift in ("exact", "rebuilt"):
        assert w2(target, {"kind": "stale", "every": 1, "drift": drift}, 32) == pytest.approx(w2(target, None, 32), rel=1e-9)


def test_a_diagonal_is_exact_where_the_axes_are_the_coordinates():
    straight = {"name": "gaussian", "mean": [0.5, 0.3], "cov": [[1.0, 0.0], [0.0, 0.4]]}
    assert w2(targets.build(straight), {"kind": "diagonal"}, 32) == pytest.approx(w2(targets.build(straight), None, 32), rel=1e-9)


@pytest.mark.slow
def test_the_loop_holds_a_stale_hessian_across_chunks():
    """Particles with a Hessian renewed every 50 steps, against a plain loop in Python; 50 does not divide CHUNK."""
    target, T, steps, every, n = targets.build(GAUSSIAN), 2.0, 2 * CHUNK, 50, 8
    path = noise.path(jax.random.key(0), np.full(steps, T / steps), n, 2)
    begin, _ = starts(target, jax.random.key(1), n, T, "exact")
    x = simulate(SO, target.field, error(kind="stale", every=every), begin, grid=uniform(T, steps), key=jax.random.key(2), path=path).x
    draws = noise.generator(jax.random.key(2))
    y, h, held = jnp.asarray(begin), T / steps, None
    for first in range(0, steps, CHUNK):
        normals = draws.standard_normal((CHUNK, 1, n, 2), np.float32).astype(float)
        for i in range(CHUNK):
            t = T - (first + i) * h
            s, L, M = target.field.local(t, y)
            held = L if (first + i) % every == 0 else held
            seen = noise.StepNoise(h, jnp.asarray(normals[i]), None, jnp.asarray(path[first + i]))
            y = SO.step(_Given(s, held, M), t, t - h, y, seen)
    np.testing.assert_allclose(x, y, atol=1e-10)


class _Given:
    def __init__(self, *values):
        self.values = values

    def local(self, t, x):
        return self.values


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hessian", "order", "method"),
    [
        long({"kind": "diagonal"}, 1.0, "projected"),
        long({"kind": "relative", "level": 0.5}, 1.0, "exact"),  # it acts on each coordinate of the product alone
        ({"kind": "stale", "every": 4, "drift": "rebuilt"}, 2.0, "projected"),
    ],
)
def test_orders_on_a_rotated_skew_target(hessian, order, method):
    result = run(Study.from_json({
        "target": SKEW, "schemes": ["SO"], "h": [1 / 8, 1 / 16, 1 / 32], "T": 2.0, "particles": 8192,
        "score_error": {"name": "none", "hessian": hessian},
    }))  # fmt: skip
    fit = result.to_json()["fits"][0]
    half = (fit["slope_high"] - fit["slope_low"]) / 2
    # On its way to 2 a bend delays the second order.
    assert fit["slope"] == pytest.approx(order, abs=0.25 + half)
    assert all(r.method == method for r in result.rows)


@pytest.mark.parametrize(
    ("hessian", "steps", "d", "count"),
    [
        ({"kind": "relative"}, 8, 2, 8),
        ({"kind": "diagonal", "drift": "rebuilt"}, 9, 2, 6),
        ({"kind": "diagonal", "drift": "rebuilt"}, 8, 7, 2),
        ({"kind": "diagonal"}, 8, 7, 8 * (1 / 4 + 1 / 7)),
        ({"kind": "low_rank", "drift": "rebuilt"}, 8, 2, 4),
        ({"kind": "low_rank", "rank": 0, "drift": "rebuilt"}, 8, 2, 0),
        ({"kind": "stale", "every": 4, "drift": "rebuilt"}, 10, 2, 3),
        ({"kind": "stale", "every": 4}, 10, 2, 3 + 7 / 2),
    ],
)
def test_hessians_are_counted_as_evaluated(hessian, steps, d, count):
    assert error(**hessian).hessians(steps, d) == pytest.approx(count)


def test_rows_carry_the_count_and_a_void_bound():
    study = {"target": GAUSSIAN, "schemes": ["EM", "SO"], "h": [0.5], "T": 4.0}
    plain, stale = (
        {r.scheme: r for r in run(Study.from_json({**study, "score_error": e})).rows}
        for e in ({"name": "none"}, {"name": "none", "hessian": {"kind": "stale", "every": 4, "drift": "rebuilt"}})
    )
    assert (plain["SO"].hessian_evals, stale["SO"].hessian_evals) == (8, 2)
    assert plain["EM"].w2 == stale["EM"].w2
    assert stale["SO"].w2 > plain["SO"].w2
    assert stale["SO"].bound is None
    assert stale["EM"].bound == plain["EM"].bound


def test_the_key_in_a_study_file_comes_back():
    spec = {"name": "constant", "level": 0.1, "hessian": {"kind": "relative", "level": 0.2}}
    study = Study.from_json({"target": GAUSSIAN, "schemes": ["SO"], "h": [0.5], "score_error": spec})
    again = Study.from_json(study.to_json())
    assert again == study
    assert study.to_json()["score_error"] == spec
    assert not study.clean


@pytest.mark.parametrize("keep", ["bottom", "top"])
@pytest.mark.parametrize("rank", [0, 1, 2, 3, 9])
def test_a_rank_leaves_so_many_eigenvalues_in_any_dimension(rank, keep):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((5, 3, 3))
    H = (A + np.swapaxes(A, 1, 2)) / 2
    wrong = error(kind="low_rank", rank=rank, keep=keep)
    seen = np.asarray(wrong.seen(Dense(jnp.asarray(H + 0.5 * np.eye(3)))).matrix) - 0.5 * np.eye(3)
    for mine, true in zip(seen, H):
        values, vectors = np.linalg.eigh(true)
        kept = (values if keep == "bottom" else values[::-1])[:rank]
        axes = (vectors if keep == "bottom" else vectors[:, ::-1])[:, : len(kept)]
        np.testing.assert_allclose(mine, axes @ np.diag(kept) @ axes.T, atol=1e-12)
    # A diagonal operator is the same matrix.
    own = np.asarray(wrong.seen(Diagonal(jnp.asarray(H[:, 0] + 0.5))).values) - 0.5
    for mine, true in zip(own, H[:, 0]):
        order = np.argsort(true if keep == "bottom" else -true)
        np.testing.assert_allclose(mine[order], np.where(np.arange(3) < rank, true[order], 0.0), atol=1e-12)


def test_every_kind_runs_above_the_plane_and_its_whole_rank_is_no_error():
    cov = np.diag([1.0, 0.5, 0.4]).tolist()
    study = {"target": {"name": "gaussian", "mean": [0.0] * 3, "cov": cov}, "schemes": ["SO"], "h": [0.5]}

    def value(**given):
        row = run(Study.from_json({**study, "score_error": {"name": "none", **({"hessian": given} if given else {})}})).rows[0]
        assert row.method == "exact"
        return row.w2

    for kind in ("low_rank", "relative", "stale", "diagonal"):
        assert value(kind=kind) > 0
    whole, *less = (value(kind="low_rank", rank=r) for r in (3, 2, 1, 0))
    assert whole == pytest.approx(value(), rel=1e-9)
    assert min(less) > 2 * whole
