"""Spot the sign: the three versions of SO, by exact law and by paths."""

import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW

from dlab import schemes
from dlab.answers.drift_sign import CHANGES, VARIANTS, _Changed, signs
from dlab.study import Study


def fits(target, **more):
    found = signs(Study.from_json({"target": target, "T": 2.0, **more}))
    return found, {f["variant"]: f for f in found["fits"]}


def test_the_variants_are_local(gaussian):
    assert set(schemes.PAPER) == {"EM", "EI", "REM", "REI", "SO"}
    assert VARIANTS["right"] is schemes.REGISTRY["SO"]
    x, t = jnp.asarray(np.random.default_rng(0).normal(size=(5, 2))), 0.4
    s, H = gaussian.field.score(t, x), np.asarray(gaussian.field.hessian(t, x))

    def seen(variant):
        return np.asarray(_Changed(gaussian.field, CHANGES[variant]).local(t, x)[2])

    right = -s / 2 - np.einsum("nij,nj->ni", H, x / 2 + s)
    np.testing.assert_allclose(gaussian.field.local(t, x)[2], right, rtol=1e-12)
    np.testing.assert_allclose(seen("wrong"), -s / 2 - np.einsum("nij,nj->ni", H, x / 2 - s), rtol=1e-9)
    assert not seen("without").any()


@pytest.mark.parametrize("target", [GAUSSIAN, SKEW], ids=["gaussian", "skew"])
def test_only_the_right_sign_has_order_two(target):
    found, slopes = fits(target)
    assert found["method"] == "exact"
    w2 = {v: [r["w2"] for r in found["rows"] if r["variant"] == v] for v in VARIANTS}
    last = {v: np.log2(values[-2] / values[-1]) for v, values in w2.items()}
    assert last["right"] == pytest.approx(2, abs=0.12)
    assert last["wrong"] == pytest.approx(1, abs=0.12)
    assert last["without"] == pytest.approx(1, abs=0.12)
    assert all(slopes["right"]["slope"] > slopes[v]["slope"] + 0.4 for v in ("wrong", "without"))


def test_where_no_law_is_known_paths_tell():
    found, slopes = fits(LOGISTIC, seed=3)
    assert found["method"] == "projected"
    assert all(r["stderr"] > 0 for r in found["rows"])
    assert slopes["right"]["low"] > 1.4
    assert slopes["without"]["slope"] == pytest.approx(1, abs=0.15)
    assert slopes["wrong"]["high"] < 1.4


def test_a_stiff_target_leaves_no_number_and_raises_nothing():
    _, slopes = fits({"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.0], [0.0, 1e-6]]})
    assert slopes.keys() == VARIANTS.keys()
