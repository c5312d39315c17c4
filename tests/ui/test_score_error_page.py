"""The Score error page without a browser: its picture, its folded sections, and what it says where a bound is void."""

import json

import pytest
from apptest import MIXTURE, buttons, charts, opened, plain, silent, spec, visit

from dlab.ui import links

GAUSSIAN = {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.125", "levels": "0.05..0.5", "T": "2"}
SECTIONS = ("which-open", "models-open", "hessian-open", "parts-open", "measured-open", "theorem-open")


def axis(at):
    """What the vertical axis of the first picture says."""
    return json.loads(spec(at))["layout"]["annotations"][0]["text"]


def test_a_gaussian_target_needs_no_run_and_closed_sections_draw_nothing():
    at = visit("score_error", GAUSSIAN)
    assert charts(at) == 2
    assert not buttons(at, "Run")
    assert "to the power 1.0" in plain(at)
    assert "score_error" not in links.write(links.read(GAUSSIAN)[0])


def test_every_section_opens_on_a_gaussian_target():
    at = opened(visit("score_error", GAUSSIAN), *SECTIONS)
    assert charts(at) == 7
    assert "slope 2 in" in plain(at)
    assert not silent(at)
    # The page and every section with numbers have a menu of downloads.
    opened(at, "download", *(key.replace("-open", "-download") for key in SECTIONS))
    kinds = [b.proto.id for b in at.get("download_button")]
    assert all(any(f"{key}-csv" in k for k in kinds) for key in ("export", "which", "models", "hessian", "parts"))


def test_the_controls_single_out_a_scheme_and_a_step_and_the_address_keeps_the_error():
    at = visit("score_error", {**GAUSSIAN, "model": "constant", "m_angle": "90"})
    before = [c.proto.spec for c in at.get("plotly_chart")]
    at.selectbox(key="s:score_error.curve").set_value("SO")
    at.selectbox(key="s:score_error.at").set_value(2.0).run()
    assert all(a != b.proto.spec for a, b in zip(before, at.get("plotly_chart")))
    assert at.slider(key="s:constant.angle").value == 90
    assert at.query_params["m_angle"] in ("90", ["90"])
    assert at.query_params["levels"] in ("0.05..0.5", ["0.05..0.5"])
    shared = {k: v if isinstance(v, str) else v[0] for k, v in at.query_params.items()}
    assert "at h = 1/2" in axis(visit("score_error", shared))


def test_fresh_noise_below_the_schemes_own_error_is_said():
    at = visit("score_error", {**GAUSSIAN, "schemes": "EM", "model": "noise"})
    assert charts(at) == 2
    assert "No slope for EM" in plain(at)


@pytest.mark.long
def test_a_skew_target_runs_by_its_law_on_a_grid():
    at = visit("score_error", {**GAUSSIAN, "target": "skew", "schemes": "EM"})
    assert charts(at) == 2
    assert "product target" in plain(opened(at, "measured-open"))


@pytest.mark.slow
def test_a_mixture_with_a_void_bound_waits_for_its_run_and_says_so():
    at = visit("score_error", {**MIXTURE, "h": "0.5..0.25", "levels": "0.2..0.5", "sep": "3", "T": "2", "seed": "11"})
    assert charts(at) == 0
    buttons(at, "Run (")[0].click()
    at.run(timeout=300)
    assert charts(at) == 2
    said = plain(opened(at, "theorem-open"))
    assert "void" in said
    assert "promises nothing" in said
    assert {row["C₂·ε"] for row in at.table[0].value.to_dict("records")} == {"void"}


def test_a_chosen_scheme_or_step_that_leaves_the_study_is_replaced():
    at = visit("score_error", GAUSSIAN)
    at.selectbox(key="s:score_error.curve").set_value("SO")
    at.selectbox(key="s:score_error.at").set_value(2.0).run()
    at.button_group(key="s:schemes").set_value(["EM"])
    at.select_slider(key="s:h").set_value((0.5, 0.25)).run()
    assert charts(at) == 2
    assert at.selectbox(key="s:score_error.curve").value == "first"
    assert at.selectbox(key="s:score_error.at").value == 0.0
    assert "at h = 1/4" in axis(at)
