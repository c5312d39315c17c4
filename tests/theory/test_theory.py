"""The theorems' constants and bounds against the second route, and where they say nothing."""

import independent as ind
import numpy as np
import pytest

from dlab import schemes, theory
from dlab.targets import Fact, Facts

NAMES = list(schemes.PAPER)


def facts(m0=0.8, L0=3.37, L_F=2.0, d=2):
    given = [Fact(v, "given") for v in (m0, L0, L_F, 1.0)]
    return Facts(d, *given, mean=np.ones(d), cov=2 * np.eye(d), product=False)


def bound(name, known=None, h=0.5, T=4.0, start="paper", errors=(0.0, 0.0, 0.0)):
    return theory.bound(schemes.REGISTRY[name], known or facts(), T=T, h=h, start=start, errors=errors)


@pytest.mark.parametrize("name", ind.SCHEMES)
@pytest.mark.parametrize("m0, L0, d, h", [(0.8, 3.37, 2, 0.5), (0.51, 0.7, 3, 0.0), (7.0, 9.0, 1, 1e-3)])
def test_constants_are_those_of_the_second_route(name, m0, L0, d, h):
    want = ind.theorem_constants(name, m0, L0, 2.0, d, h)
    got = bound(name, facts(m0, L0, d=d), h=h)
    c = got.constants
    assert (c.c1, c.c2, c.c2_hessian, c.c2_drift) == pytest.approx((want["C1"], want["C2"], want["hessian"], want["drift"]))
    assert got.discretisation == pytest.approx(want["h_term"])
    assert schemes.REGISTRY[name].theorem.order == want["order"]


def test_typed_constants():
    assert bound("EM").constants.c1 == pytest.approx((4.37 + 0.5) / 0.3)
    assert bound("EI").constants.c1 == pytest.approx(4.37 / 0.3)
    assert bound("REM").constants.c2 == bound("REI").constants.c2 == pytest.approx(10)
    assert bound("SO", h=0.0).constants.c1 == pytest.approx(np.sqrt(2) * (4.37**1.5 + np.sqrt(2) / 2) / 0.3)


@pytest.mark.parametrize("name", NAMES)
def test_the_three_contributions_add_up_and_the_score_term_is_linear(name):
    b = bound(name, errors=(0.1, 0.2, 0.3))
    assert b.initialisation == pytest.approx(np.exp(-0.8 * 4) * np.sqrt(2 + 4))
    c = b.constants
    assert b.score == pytest.approx(0.1 * c.c2 + 0.2 * c.c2_hessian + 0.3 * c.c2_drift)
    assert b.total == pytest.approx(b.initialisation + b.discretisation + b.score)
    assert bound(name, start="exact", errors=(0.1, 0.2, 0.3)).initialisation == 0.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "known, word", [(facts(m0=0.5), "½"), (facts(m0=-0.3), "-0.3"), (facts(m0=None), "m0"), (facts(L0=None), "L0")]
)
def test_the_bound_is_void_with_a_reason_where_the_theorem_says_nothing(name, known, word):
    b = bound(name, known)
    assert word in b.void
    assert b.total is b.discretisation is b.initialisation is b.score is b.constants is None


def test_an_unknown_third_derivative_voids_the_second_order_theorem_alone():
    void = [name for name in NAMES if bound(name, facts(L_F=None)).void]
    assert void == ["SO"]


def test_a_constant_beyond_floating_point_is_void_and_never_infinite():
    b = bound("SO", facts(m0=1.0, L0=1e3), h=1.0)
    assert b.void or np.isfinite(b.total)


def test_rem_shows_the_printed_constant_and_footnotes_the_consistent_one():
    c = bound("REM").constants
    assert f"{np.sqrt(2 / 3) * (4.37 + 0.5) / 0.3:.3g}" in c.footnote
