"""What the page says of a result, on constructed results where it could say too much."""

import pytest
from test_convergence import FLAG, NOTE, edit, normal, unfit

from dlab.figures.tables import sentence


def slope(result, scheme, value, low=None, high=None, **more):
    fit = next(f for f in result["fits"] if f["scheme"] == scheme)
    fit.update(slope=value, slope_low=low, slope_high=high, **more)


def test_nothing_is_resolved():
    r = normal(("EM", "SO"))
    for name in ("EM", "SO"):
        edit(r, name, None, resolved=False, flags=[FLAG])
        unfit(r, name)
    assert sentence(r) == (
        "No scheme has a measured slope; the theorem promises at least ½ for EM and 1 for SO. EM and SO are without a slope: no "
        "point is resolved."
    )


def test_randomised_scheme_below_its_noise():
    """The usual sight of REM by projection: one point stands out of its noise, the others do not."""
    r = normal(("EM", "REM"))
    for h in (0.25, 0.125, 0.0625):
        edit(r, "REM", h, resolved=False, flags=[FLAG])
    unfit(r, "REM")
    said = sentence(r)
    assert said.startswith("EM falls with measured slope 1.00 ± 0.02; the theorem promises at least ½.")
    assert said.endswith("REM is without a slope: 3 of the 4 points are not resolved.")
    assert "for REM" not in said


@pytest.mark.parametrize(
    ("value", "low", "high", "says"),
    [
        (0.48, 0.4, 0.56, "EM's slope is below the promised ½, which its interval still holds."),
        (0.3, 0.2, 0.4, "EM's slope contradicts the promised ½ at these step sizes: its whole interval lies below."),
        (0.3, None, None, "EM's slope is below the promised ½ and has no interval to judge it by."),
        (0.498, 0.497, 0.499, None),  # 0.50 as printed
        (0.5, 0.3, 0.7, None),
    ],
)
def test_less_than_promised(value, low, high, says):
    r = normal(("EM",))
    slope(r, "EM", value, low, high)
    said = sentence(r)
    assert said.endswith(says or "the theorem promises at least ½.")
    assert ("no interval)" in said) == (low is None)


def test_a_promise_that_is_void_or_not_alone_is_compared_with_nothing():
    r = normal(("EM",))
    slope(r, "EM", 0.3, 0.2, 0.4)
    r["study"]["score_error"] = {"name": "constant", "level": 0.2}
    assert sentence(r) == "EM falls with measured slope 0.30 ± 0.10; the theorem has an h-term of order ½."
    r = normal(("EM",))
    slope(r, "EM", 0.3, 0.2, 0.4, theory_order=None)
    edit(r, "EM", None, bound=None)
    r["notes"] = [NOTE]
    assert sentence(r) == "EM falls with measured slope 0.30 ± 0.10; the bound is void."


def test_a_wrong_score_levels_off():
    r = normal(("EM", "SO"))
    r["study"]["score_error"] = {"name": "constant", "level": 0.2}
    for h in (0.5, 0.25, 0.125, 0.0625):
        edit(r, "EM", h, w2=0.2 + 0.1 * h, stderr=0.0)
    slope(r, "EM", 0.04, -0.02, 0.1)
    said = sentence(r)
    assert "EM has no clear slope (measured 0.04 ± 0.06)" in said
    assert said.endswith("EM levels off near W₂ = 0.206.")
    r["study"]["score_error"] = {"name": "none"}
    assert "levels off" not in sentence(r)


def test_a_curve_that_grows():
    r = normal(("EM",))
    slope(r, "EM", -0.3, -0.4, -0.2)
    assert sentence(r).startswith("EM grows as h falls (measured slope -0.30 ± 0.10)")


def test_diverged_beside_a_slope_and_alone():
    r = normal(("EM", "SO"))
    edit(r, "EM", 0.5, w2=None, stderr=None, diverged=17, resolved=False)
    assert sentence(r).endswith("EM diverged at h = 1/2.")
    edit(r, "SO", None, w2=None, stderr=None, diverged=4, resolved=False)
    unfit(r, "SO")
    said = sentence(r)
    assert said.endswith("EM diverged at h = 1/2; SO diverged at h = 1/2, 1/4, 1/8, 1/16.")
    assert "for SO" not in said


def test_no_error_at_all():
    r = normal(("EM", "SO"))
    edit(r, "SO", None, w2=1e-17, stderr=0.0, resolved=False, method="exact", flags=["the laws are equal up to rounding"])
    unfit(r, "SO")
    assert sentence(r).endswith("SO has no error but rounding.")


def test_two_exact_points_have_no_interval():
    r = normal(("EM",), (0.5, 0.25))
    slope(r, "EM", 1.1)
    assert sentence(r) == "EM falls with measured slope 1.10 (2 points, no interval); the theorem promises at least ½."


def test_a_window_set_by_hand():
    r = normal(("EM", "SO"))
    slope(r, "EM", 1.0, 0.98, 1.02, window=[0.25, 0.0625])
    slope(r, "SO", None, window=[0.25, 0.0625])
    said = sentence(r)
    assert "The fits take h = 1/4 to 1/16, set by hand." in said
    assert said.endswith("SO is without a slope: the window set by hand holds fewer than two usable points.")


def test_a_run_that_is_not_done():
    r = normal(("EM",))
    r["study"]["schemes"] = ["EM", "REI"]
    assert sentence(r).endswith("REI has no point yet.")
    assert sentence({**r, "done": 0.4}).startswith("So far: EM falls")
    r = normal(("EM",), (0.5,))
    unfit(r, "EM")
    r["notes"] = ["Provisional: 10% of the work is done."]
    assert sentence(r).startswith("So far: at h = 1/2 the measured W₂ is")


def test_above_the_bound():
    r = normal(("EM",))
    assert "above" not in sentence(r)
    edit(r, "EM", 0.5, bound=0.01)
    edit(r, "EM", 0.25, bound=0.99 * 0.36 * 0.25)  # within the interval
    assert sentence(r).endswith("EM lies above the bound's leading term at h = 1/2.")


def test_a_mixture_outside_the_assumption():
    r = normal(("EM", "SO"))
    for f in r["fits"]:
        f["theory_order"] = None
    for name in ("EM", "SO"):
        edit(r, name, None, bound=None)
    r["notes"] = ["The bound is void for EM, SO: m0 = -0.4 ≤ ½, so m_min − ½ is not positive: the theorem promises nothing."]
    said = sentence(r)
    assert said.endswith("the bound is void for EM and SO.")
    assert "promises" not in said
