"""What the page says of a result, on constructed results where it could say too much: the numbers and the states, not the wording."""

import pytest
from test_convergence import edit, normal, unfit

from dlab.figures.tables import sentence


def slope(result, scheme, value, low=None, high=None, **more):
    fit = next(f for f in result["fits"] if f["scheme"] == scheme)
    fit.update(slope=value, slope_low=low, slope_high=high, **more)
    return result


def last(text):
    return text.removesuffix(".").rsplit(". ", 1)[-1]


def test_slopes_and_promises_are_the_results():
    text = sentence(normal(("EM", "EI", "SO")))
    for part in ("EM", "1.00 ± 0.02", "EI 1.10 ± 0.02", "SO 1.80 ± 0.02", "½ for EM and EI and 1 for SO"):
        assert part in text
    assert "3" not in sentence(normal(("EM",)))


@pytest.mark.parametrize(("value", "low", "high", "state"), [
    (0.48, 0.4, 0.56, "still contains"), (0.3, 0.2, 0.4, "contradicts"), (0.3, None, None, "no interval"),
    (0.498, 0.497, 0.499, None), (0.5, 0.3, 0.7, None),
])  # fmt: skip
def test_less_than_promised(value, low, high, state):
    text = sentence(slope(normal(("EM",)), "EM", value, low, high))
    assert (state in last(text)) if state else ("below" not in text and "contradicts" not in text)


def test_a_wrong_score_levels_off():
    r = normal(("EM", "SO"))
    r["study"]["score_error"] = {"name": "constant", "level": 0.2}
    for h in (0.5, 0.25, 0.125, 0.0625):
        edit(r, "EM", h, w2=0.2 + 0.1 * h, stderr=0.0)
    slope(r, "EM", 0.04, -0.02, 0.1)
    assert "0.04" not in sentence(r)
    assert "bend" in last(sentence(r))
    assert "EM levels off near W₂ = 0.206" in sentence(r)
    r["study"]["score_error"] = {"name": "none"}
    assert "levels off" not in sentence(r)


def test_a_curve_that_grows_one_without_interval_and_one_of_rounding():
    assert "grows" in sentence(slope(normal(("EM",)), "EM", -0.3, -0.4, -0.2))
    few = slope(normal(("EM",), (0.5, 0.25)), "EM", 1.1)
    assert "1.1" not in sentence(few)
    r = normal(("EM", "SO"))
    edit(r, "SO", None, w2=1e-17, stderr=0.0, resolved=False, method="exact", flags=["the laws are equal up to rounding"])
    unfit(r, "SO")
    assert "rounding" in last(sentence(r))


def test_a_run_that_is_not_done():
    r = normal(("EM",))
    r["study"]["schemes"] = ["EM", "REI"]
    assert "REI" in last(sentence(r))
    assert sentence({**r, "done": 0.4}).startswith("So far: EM")
    r = normal(("EM",), (0.5,))
    unfit(r, "EM")
    r["notes"] = ["Provisional: 10% of the work is done."]
    assert sentence(r).startswith("So far: at h = 1/2")


def test_above_the_bound():
    r = normal(("EM",))
    assert "above" not in sentence(r)
    edit(r, "EM", 0.5, bound=0.01)
    edit(r, "EM", 0.25, bound=0.99 * 0.36 * 0.25)  # within the interval
    assert "above" in last(sentence(r))
    assert last(sentence(r)).endswith("h = 1/2")
