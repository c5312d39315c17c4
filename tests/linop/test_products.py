"""Functions of an operator known by products alone, against the dense formula; SO by products against SO with matrices."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN

from dlab import schemes, targets
from dlab.errors import NONE
from dlab.field import ExactField
from dlab.grid import uniform
from dlab.linop import Dense, Products, Residual, phi1, phi2
from dlab.noise import Integral, StepNoise
from dlab.sample import growth, simulate

SO = schemes.REGISTRY["SO"]
FUNCTIONS = {
    "root": lambda h: lambda a: jnp.sqrt(h * phi1(2 * h * a)),
    "phi2": lambda h: lambda a: h**2 * phi2(h * a),
    "exp": lambda h: lambda a: jnp.exp(h * a),
}
SPECTRA = {
    "spread": lambda rng, shape: rng.uniform(-2, 2, shape),
    # As a smoothed data set has it: one value and a few above.
    "clustered": lambda rng, shape: np.where(rng.random(shape) < 0.9, -2.0, rng.uniform(-2, 2, shape)),
}


def operator(kind, n=6, d=64, seed=0):
    rng = np.random.default_rng(seed)
    values = SPECTRA[kind](rng, (n, d))
    turn = np.linalg.qr(rng.standard_normal((n, d, d)))[0]
    matrix = jnp.asarray(np.einsum("nij,nj,nkj->nik", turn, values, turn))
    return Dense(matrix), values, jnp.asarray(rng.standard_normal((n, d)))


def by_products(dense, **given):
    return Products(dense.apply, **given)


@pytest.mark.parametrize("kind", SPECTRA)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_a_map_agrees_with_the_dense_formula_to_its_tolerance(kind, name, tolerance):
    dense, _, v = operator(kind)
    L, f = by_products(dense, tolerance=tolerance), FUNCTIONS[name](1.0)
    got, want = np.asarray(L.map(f, v)), np.asarray(dense.map(f, v))
    assert (np.linalg.norm(got - want, axis=1) < tolerance * np.linalg.norm(want, axis=1)).all()
    (spent,) = L.spent
    assert float(spent.missed) < tolerance
    assert 2 < int(spent.products) <= 10


def test_a_looser_comparison_takes_fewer_products():
    dense, _, v = operator("spread")
    used = []
    for size in (None, jnp.asarray(1e3)):
        L = by_products(dense, size=size)
        L.map(jnp.exp, v)
        used.append(int(L.spent[0].products))
    assert used[1] < used[0]


def test_a_tolerance_out_of_reach_is_told():
    dense, _, v = operator("spread")
    L = by_products(dense, tolerance=1e-13, most=4)
    L.map(jnp.exp, v)
    assert int(L.spent[0].products) == 4
    assert float(L.spent[0].missed) > 1e-4


def test_a_multiple_of_the_identity_takes_one_product_and_zero_stays_zero():
    L = Products(lambda v: -3.0 * v)
    v = jnp.asarray([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(L.map(jnp.exp, v), np.exp(-3) * v, rtol=1e-8)
    assert int(L.spent[0].products) == 1


def test_the_largest_eigenvalue_is_seen_from_below():
    dense, values, v = operator("clustered")
    values = values.max(1)
    spike = dense.plus(20.0, jnp.eye(64)[0])
    top = np.asarray(by_products(spike).begin(v)[0])
    want = np.linalg.eigvalsh(np.asarray(spike.matrix))[:, -1]
    assert (top <= want + 1e-8).all()
    assert (top > 0.9 * want).all()
    assert (np.asarray(by_products(dense).begin(v, 8)[0]) <= values + 1e-8).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_map_goes_on_from_what_was_looked_at(name):
    """The same answer for a multiple of the vector, with no product made twice; of another vector nothing is used."""
    dense, _, v = operator("spread")
    f, plain = FUNCTIONS[name](1.0), by_products(dense)
    want = plain.map(f, 3.0 * v)
    for same in (True, False):
        L = by_products(dense)
        begun = L.begin(v if same else v[::-1])[1]
        got = replace(L, begun=replace(begun, same=jnp.asarray(same))).map(f, 3.0 * v)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
        assert sum(int(s.products) for s in L.spent) == int(plain.spent[0].products) + (0 if same else 4)
        assert float(L.spent[1].missed) == pytest.approx(float(plain.spent[0].missed), rel=1e-6)


def test_enough_products_to_begin_with_are_enough():
    L = Products(lambda v: -3.0 * v)
    v = jnp.asarray([[1.0, 2.0, -1.0]])
    begun = L.begin(v)[1]
    np.testing.assert_allclose(replace(L, begun=begun).map(jnp.exp, v), np.exp(-3) * v, rtol=1e-8)
    assert int(L.spent[1].products) == 0


def test_a_drift_rate_whose_product_is_taken_back_costs_none():
    dense, _, v = operator("spread")
    for other, products in ((v, 0), (v[::-1], 1)):
        L = by_products(dense)
        got = L.difference(v, Residual(2.0 * v, other) + 1.0)
        np.testing.assert_allclose(got, 2.0 * v + 1.0 + dense.apply(v - other), atol=1e-12)
        assert int(L.spent[0].products) == products


def test_a_particle_whose_basis_has_ended_shows_no_eigenvalue_that_it_has_not():
    """One whose L is -3 I goes on with another that needs more products."""
    values = np.stack([np.full(16, -3.0), np.linspace(-5.0, -1.0, 16)])
    L = Products(lambda v: jnp.asarray(values) * v)
    v = jnp.ones((2, 16))
    np.testing.assert_allclose(L.map(jnp.exp, v), np.exp(values), rtol=1e-3)
    assert int(L.spent[0].products) > 3
    for top in (L.spent[0].top, L.begin(v)[0]):
        assert float(top[0]) == pytest.approx(-3.0, rel=1e-6)
        assert -1.6 < float(top[1]) <= -1.0 + 1e-9


def test_a_rank_one_error_is_added():
    dense, _, v = operator("spread")
    direction = jnp.eye(64)[3]
    np.testing.assert_allclose(by_products(dense).plus(0.7, direction).apply(v), dense.plus(0.7, direction).apply(v), rtol=1e-12)


def test_the_noise_of_one_step_has_its_covariance():
    """Its root applied to every unit vector: R R^T = L^-1 (e^{2hL} - I)/2."""
    dense, _, _ = operator("spread", n=1)
    d, h = 64, 0.5
    A = np.asarray(dense.matrix[0])
    L = Products(lambda v: v @ jnp.asarray(A), size=jnp.asarray(np.sqrt(h)))
    R = np.asarray(StepNoise(jnp.asarray(h), jnp.eye(d)[None]).draw(Integral(L)))
    at, axes = np.linalg.eigh(A)
    want = (axes * np.expm1(2 * h * at) / (2 * at)) @ axes.T
    assert np.abs(R @ R.T - want).max() < 3e-4 * np.linalg.norm(want, 2)


class Wrapped(ExactField):
    """An exact field whose L is given by products alone."""

    def __init__(self, inner):
        self.inner = inner

    def score(self, t, x):
        return self.inner.score(t, x)

    def local(self, t, x):
        s, L, _ = self.inner.local(t, x)
        return s, Products(L.apply), Residual(x / 4, x / 2 + s)


MIXTURE = {"name": "mixture", "weights": [0.3, 0.7], "means": [[1, 0, 0.5, 0], [-0.5, 0.8, 0, 0.2]], "var": 0.5}


@pytest.mark.parametrize("spec", [GAUSSIAN, MIXTURE], ids=lambda s: s["name"])
@pytest.mark.parametrize("h", [0.25, 1.0])
def test_so_by_products_is_so(spec, h, key):
    target = targets.build(spec)
    x = target.sample(key, 40)
    noise = StepNoise(jnp.asarray(h), jax.random.normal(jax.random.fold_in(key, 1), (1, *x.shape)))
    want = SO.step(target.field, 1.2, 1.2 - h, x, replace(noise))
    parts = SO.parts(Wrapped(target.field), 1.2, 1.2 - h, x, noise)
    gap = np.linalg.norm(np.asarray(SO.total(x, parts) - want), axis=1)
    assert (gap < 2e-4 * np.sqrt(h * target.dim)).all()
    assert sum(int(s.products) for s in parts["spent"]) <= 2 * target.dim + 1


class Linear(ExactField):
    """s = (c - 1/2) x: the drift pushes apart at the rate c and L is c I."""

    by_products = True

    def __init__(self, c):
        self.c = c

    def score(self, t, x):
        return (self.c - 0.5) * x

    def local(self, t, x):
        return self.score(t, x), Products(lambda v: self.c * v), Residual(self.c**2 * x, self.c * x)


@jax.jit
def _cut(x, normals, limit, key):
    parts = growth.parts(SO, Linear(4.0), 1.0, 0.0, x, StepNoise(jnp.asarray(1.0), normals), limit, key)
    return SO.total(x, parts), parts["spent"]


def test_a_cut_step_takes_the_pieces_that_the_limit_asks_for_and_keeps_the_law(key):
    """For a constant L any number of pieces gives e^{hL} x and noise of variance (e^{2hc} - 1)/2c."""
    n = 20_000
    normals = jax.random.normal(key, (1, n, 2))
    want = np.expm1(8.0) / 8
    for limit, pieces in ((10.0, 1), (2.0, 2), (0.8, 5)):
        moved, spent = _cut(jnp.zeros((n, 2)), normals, limit, jax.random.fold_in(key, 1))
        assert int(spent.pieces[0]) == pieces
        assert float(jnp.max(spent.growth)) <= limit * (1 + 1e-6)
        variance = np.var(np.asarray(moved))
        assert abs(variance - want) < 4 * want * np.sqrt(2 / (2 * n))
        exact, _ = _cut(jnp.ones((n, 2)), normals, limit, jax.random.fold_in(key, 1))
        np.testing.assert_allclose(exact - moved, np.exp(4.0), rtol=1e-6)


@jax.tree_util.register_pytree_node_class
class Still(ExactField):
    """No drift: what is left is the noise."""

    def tree_flatten(self):
        return (), None

    @classmethod
    def tree_unflatten(cls, aux, children):
        return cls()

    def score(self, t, x):
        return -x / 2


def test_a_step_that_is_not_cut_is_the_plain_one_with_no_product_made_twice(key):
    target = targets.build({"name": "images", "count": 60, "width": 0.3})
    x = target.sample(key, 12)
    noise = StepNoise(jnp.asarray(0.05), jax.random.normal(key, (1, *x.shape)))
    plain = SO.parts(target.field, 0.5, 0.45, x, replace(noise))
    cut = growth.parts(SO, target.field, 0.5, 0.45, x, noise, 100.0, key)
    np.testing.assert_allclose(SO.total(x, cut), SO.total(x, plain), atol=1e-4 * np.sqrt(0.05 * target.dim))
    noise, rate, rest = (int(s.products) for s in plain["spent"])
    assert rate == 0  # M + L gamma is x/4
    assert float(cut["spent"].pieces[0]) == 1
    assert float(cut["spent"].products[0]) == max(noise, growth.LOOK) + rest


def test_schemes_with_one_key_and_no_path_meet_the_same_increments(key):
    x = np.zeros((50, 3))
    ends = [simulate(schemes.REGISTRY[s], Still(), NONE, x, grid=uniform(1.0, 4), key=key).x for s in ("EM", "REM")]
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)
