"""Constants of Gaussian mixtures against dense lattices, finite differences, and limits far out."""

import numpy as np
import pytest

from dlab import targets
from dlab.targets import mixture_facts

LATTICE = np.stack(np.meshgrid(*[np.linspace(-7, 7, 701)] * 2), -1).reshape(-1, 2)
WIDE = [[1, 0], [0, 1.2]]
FINITE = {
    "two": ([0.3, 0.7], [[0, 0], [1.2, 0.4]], [0.6 * np.eye(2)] * 2),
    "two with a shared covariance": ([0.3, 0.7], [[0, 0], [1.2, 0.4]], [[[0.7, 0.2], [0.2, 0.5]]] * 2),
    "three": ([0.2, 0.3, 0.5], [[0, 0], [1, 0], [0.3, 1]], [0.4 * np.eye(2)] * 3),
    "a narrow one in a wide one": ([0.5, 0.5], [[0, 0], [1, 0]], [0.3 * np.eye(2), WIDE]),
}
INFINITE = {
    "crossed": ([0.5, 0.5], [[0, 0], [0, 0]], [[[0.9, 0], [0, 1]], [[1, 0], [0, 0.9]]]),
    "crossed and far": ([0.5, 0.5], [[-20, 0], [20, 0.1]], [[[0.01, 0], [0, 0.011]], [[0.011, 0], [0, 0.01]]]),
    "as wide along one axis, shifted along it": ([0.5, 0.5], [[0, 0], [0, 2]], [np.eye(2), [[0.5, 0], [0, 1]]]),
    "crossed over a narrow one": ([0.4, 0.4, 0.2], [[0, 0]] * 3, [[[0.9, 0], [0, 1]], [[1, 0], [0, 0.9]], 0.2 * np.eye(2)]),
}  # fmt: skip


def parts(spec):
    return mixture_facts.merged(*(np.array(v, float) for v in spec))


@pytest.mark.parametrize("name", FINITE)
def test_curvature_is_the_extreme_of_a_dense_lattice(name):
    spec = parts(FINITE[name])
    low, high = mixture_facts.Components(*spec).curvature(LATTICE)
    found = mixture_facts.curvature(*spec)
    assert found["m0"].value == pytest.approx(low.min(), rel=2e-3)
    assert found["m0"].value <= low.min() + 1e-12
    assert found["L0"].value == pytest.approx(max(high.max(), -low.min()), rel=2e-3)


@pytest.mark.parametrize("name", INFINITE)
def test_components_of_unequal_covariance_that_meet_far_out_have_no_bound(name):
    spec = parts(INFINITE[name])
    found = mixture_facts.curvature(*spec)
    assert all(found[k].infinite for k in ("m0", "L0", "L_F", "M1", "M2"))
    # Along the quadric of equal weight the curvature falls without end.
    one = mixture_facts.Components(*spec)
    lowest = []
    for far in (1e3, 1e5):
        at = [mixture_facts._on_tie(one, 0, 1, escape(far)) for escape in mixture_facts._escapes(one, 0, 1)]
        lowest.append(min(one.curvature(x[None])[0][0] for x in at if x is not None))
    assert lowest[0] < -1
    assert lowest[1] < 10 * lowest[0]


def test_a_third_component_that_outweighs_the_others_far_out_keeps_the_curvature_bounded():
    spec = parts(([0.4, 0.4, 0.2], [[0, 0]] * 3, [[[0.9, 0], [0, 1]], [[1, 0], [0, 0.9]], 1.5 * np.eye(2)]))
    found, (low, _) = mixture_facts.curvature(*spec), mixture_facts.Components(*spec).curvature(LATTICE)
    assert found["m0"].value == pytest.approx(low.min(), rel=2e-3)


def test_a_valley_between_narrow_far_modes_is_found():
    # -H at the middle: 1/v - (D^2/4)/v^2 across, D = 40.
    spec = parts(([0.2, 0.3, 0.5], [[0, 0], [40, 0], [3, 10]], [0.01 * np.eye(2)] * 3))
    widest = max(float(np.sum((a - b) ** 2)) for a in spec[1] for b in spec[1])
    found = mixture_facts.curvature(*spec)["m0"].value
    assert 100 - widest / 4 / 1e-4 - 1 <= found < -1e5


@pytest.mark.parametrize("var, top", [(0.7, 0.3 / 0.49), (2.5, 0.25), (1.0, 0.0)])
def test_m1_is_at_least_its_limit_far_out(var, top):
    target = targets.build({"name": "mixture", "weights": [0.3, 0.7], "means": [[-0.5, 0.2], [0.6, -0.1]], "var": var})
    assert target.facts.M1.value >= top * (1 - 1e-12)
    assert target.facts.M1.value < 1.5 * top + 0.6
    far = np.array([[3e4, 1e4]])
    rate = np.linalg.norm(target.field.score(1e-6, far) - target.field.score(0.0, far)) / 1e-6 / (1 + np.linalg.norm(far))
    assert rate <= target.facts.M1.value * (1 + 1e-3)


def test_the_bend_of_two_components_is_that_of_finite_differences():
    spec = FINITE["two"]
    target = targets.build({"name": "mixture", "weights": spec[0], "means": spec[1], "var": 0.6})
    gap = np.subtract(spec[1][1], spec[1][0])
    along = np.linspace(-6, 7, 4001)[:, None] * gap / np.linalg.norm(gap)
    found = 0.0
    for t in np.linspace(0, 2, 41):
        H = np.asarray(target.field.hessian(t, along))
        found = max(found, np.max(np.linalg.norm(np.diff(H, axis=0), axis=(1, 2))) / np.linalg.norm(along[1] - along[0]))
    assert target.facts.L_F.value == pytest.approx(found, rel=1e-3)
