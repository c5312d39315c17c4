"""The sections on the two multilevel methods without a browser: pictures, the slider of g, and a target that is not Gaussian."""

from apptest import charts, opened, plain, pressed, silent, tables, visit

GAUSSIAN = {"target": "gaussian", "schemes": "EM", "h": "0.5..0.25", "levels": "0.1..0.2", "T": "2"}


def test_both_sections_open_and_g_moves_the_first():
    at = visit("score_error", GAUSSIAN)
    before = charts(at)
    opened(at, "multilevel-open")
    assert charts(at) == before + 3
    costs = tables(at, "cost of a path")[0]["cost of a path"]
    assert "A_{k-1}" in plain(at) or "A_k - A" in plain(at)
    at.slider(key="multilevel-power").set_value(2.0).run()
    assert not tables(at, "cost of a path")[0]["cost of a path"].equals(costs)
    assert not silent(at)


def test_levels_of_the_step_run_on_any_target():
    at = visit("score_error", GAUSSIAN)
    before = charts(at)
    opened(at, "step-levels-open")
    if "step-levels-button" in {b.key for b in at.button}:
        pressed(at, "step-levels-button")
    assert charts(at) == before + 2
    assert len(tables(at, "variance of the difference")[0]) == 6
