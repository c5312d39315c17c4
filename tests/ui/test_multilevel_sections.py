"""The sections on the two multilevel methods without a browser: pictures, the slider of g, and a target that is not Gaussian."""

from test_helps import silent
from test_pages import at_home, charts, opened, plain, visit

__all__ = ["at_home"]  # a fixture that every test here uses
GAUSSIAN = {"target": "gaussian", "schemes": "EM", "h": "0.5..0.25", "levels": "0.1..0.2", "T": "2"}


def tables(at, column):
    return [d.value for d in at.table if column in d.value]


def test_both_sections_open_and_g_moves_the_first():
    at = visit("score_error", GAUSSIAN)
    before = charts(at)
    at = opened(at, "multilevel-open")
    assert charts(at) == before + 3
    costs = tables(at, "cost of a path")[0]["cost of a path"]
    assert "A_{k-1}" in plain(at) or "A_k - A" in plain(at)
    at.slider(key="multilevel-power").set_value(2.0).run()
    assert not at.exception, at.exception
    assert not tables(at, "cost of a path")[0]["cost of a path"].equals(costs)
    assert not silent(at)


def test_levels_of_the_step_run_on_any_target():
    at = visit("score_error", GAUSSIAN)
    before = charts(at)
    at = opened(at, "step-levels-open")
    if run := [b for b in at.button if b.key == "step-levels-button"]:
        run[0].click()
        at.run(timeout=120)
        assert not at.exception, at.exception
    assert charts(at) == before + 2
    assert len(tables(at, "variance of the difference")[0]) == 6
