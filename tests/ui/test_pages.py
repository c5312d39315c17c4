"""The pages without a browser: what they say where a picture cannot be drawn, and that nothing is lost there."""

import io
import random
import re
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
from apptest import EXACT, MIXTURE, MOVING, WAIT, buttons, charts, moved, opened, plain, spec, visit, words
from cases import long
from server import ROOT
from test_links import hostile

from dlab import engine, schemes
from dlab.figures import convergence, tables
from dlab.laws import plane
from dlab.ui import files, kinds, links, runs, settings, state, warm
from dlab.ui.menu import PAGES, PLACES


def test_an_exact_law_needs_no_run():
    at = visit("convergence", EXACT)
    assert charts(at) == 1
    assert not buttons(at, "Run")
    before = spec(at)
    moved(at, "Curvature κ₁", 4.0)
    assert charts(at) == 1
    assert spec(at) != before
    assert at.query_params["k1"] in ("4", ["4"])


PICTURES = {"convergence": 1, "score_error": 2, "budget": 2, "outside": 2, "horizon": 1, "dimension": 2}


@pytest.mark.parametrize("page, pictures", [case if case[0] in ("convergence", "budget") else long(*case) for case in PICTURES.items()])
def test_no_scheme_is_a_sentence_and_comes_back(page, pictures):
    at = visit(page, {**EXACT, "outside.case": "wide", "horizons": "1..2", "dims": "1..16", "distances": "0.5..0.2", "levels": "0.1..0.2"})
    assert charts(at) == pictures
    at.button_group(key="s:schemes").set_value([]).run()
    assert len(at.error) == 1
    assert "No scheme is chosen" in at.error[0].value
    at.button_group(key="s:schemes").set_value(["SO"]).run()
    assert not at.error
    assert charts(at) == pictures


@pytest.mark.parametrize("page", ["convergence", *map(long, [p for p in PAGES if p not in ("home", "convergence")])])
def test_a_control_is_told_its_value_not_only_what_the_session_sets(page):
    """A browser that misses the message of the first run shows what every run tells."""
    at = visit(page, {"target": "skew", "lam": "0.9", "h": "0.25..0.125", "schemes": "EM,SO", "bounds": "0"})
    seen = 0
    for control in (c for kind in ("slider", "selectbox", "pills", "checkbox", "number_input") for c in at.get(kind)):
        name = (control.key or "").removeprefix(state.KEY)
        if name == control.key or name in ("score_error.curve", "score_error.at"):  # these two offer what the page finds
            continue
        told, value, setting = control.proto.default, at.session_state[control.key], settings.table()[name]
        told = [told] if isinstance(told, (int, float)) else list(told)
        if offered := setting.arguments().get("options"):
            told = [offered[int(k)] for k in told]
        assert told == (list(value) if isinstance(value, (list, tuple)) else [value or 0]), name
        seen += 1
    assert seen


def test_a_rerun_with_kept_numbers_builds_nothing_anew(monkeypatch):
    at = visit("convergence", {**EXACT, "present": "1"})
    shown = spec(at), at.table[0].value
    for module, name in ((convergence, "chart"), (tables, "table"), (tables, "sentence")):
        monkeypatch.setattr(module, name, lambda *a, **k: pytest.fail("a figure, a table or a text was made again"))
    at.run()
    assert spec(at) == shown[0]
    assert at.table[0].value.equals(shown[1])


def test_a_closed_section_computes_and_sends_nothing(monkeypatch):
    monkeypatch.setattr(engine, "answer", lambda *a, **k: pytest.fail("something was computed"))
    for page in ("theory", "outside", "convergence"):
        at = visit(page, {**EXACT, "outside.case": "wide", "schemes": "EM"}, unfold=())
        assert charts(at) == PICTURES.get(page, 1)
        assert not [e for e in at.get("expandable") if getattr(e.proto, "expanded", False)]


def test_four_panels_are_a_sentence_and_come_back():
    at = visit("particles", MOVING)
    assert len(at.get("bidi_component")) == 1
    at.button_group(key="s:panels").set_value(["EM", "EI", "REM", "SO"]).run()
    assert "choose at most 3" in at.error[0].value.replace("\\", "")
    assert len(at.get("bidi_component")) == 0
    at.button_group(key="s:panels").set_value(["EM"]).run()
    assert not at.error
    assert len(at.get("bidi_component")) == 1


def test_a_costly_study_waits_and_says_its_cost():
    at = visit("convergence", {**MIXTURE, "seed": "77"})
    run = buttons(at, "Run (")[0]
    assert "second" in run.label or " s)" in run.label
    assert "512 Brownian paths" in run.help
    assert charts(at) == 1  # axes alone
    assert "measured" not in spec(at)
    run.click()
    at.run(timeout=WAIT)
    assert charts(at) == 1
    assert not buttons(at, "Run")
    moved(at, "Separation δ", 1.5)
    assert "other settings" in words(at)
    assert charts(at) == 1
    moved(at, "Separation δ", 1.2)
    assert "other settings" not in words(at)


def test_an_exact_law_on_a_grid_runs_unasked_and_is_kept():
    at = visit("convergence", {"target": "skew", "schemes": "EM,SO", "h": "0.5..0.25"})
    assert charts(at) == 1
    assert not buttons(at, "Run", "Cancel")
    assert "product target" in words(opened(at, "measured-open"))
    assert "refinement" in words(at)


def test_the_law_is_drawn_beside_the_target_when_its_section_is_open():
    at = visit("convergence", {**EXACT, "schemes": "EM,REM"})
    assert charts(at) == 1
    opened(at, "law-open")
    assert charts(at) == 4
    assert "away from p₀ (exact)" in plain(at)
    before = spec(at, -1)
    moved(at, "Steps of its law", 16)
    assert spec(at, -1) != before
    before = spec(at, -1)
    moved(at, "Scheme whose law is drawn", "REM")
    assert charts(at) == 4
    assert spec(at, -1) != before


def test_a_law_on_a_grid_waits_for_its_button(monkeypatch):
    monkeypatch.setattr(plane, "SIZES", (48, 64))
    monkeypatch.setattr(runs, "PATIENCE", 0.0)
    at = visit("convergence", {**EXACT, "schemes": "EM", "h": "1..0.5", "T": "1", "error": "field", "estimator": "density"})
    opened(at, "law-open")
    button = buttons(at, "Compute (about")[0]
    button.click()
    at.run(timeout=WAIT)
    assert "density on a grid" in plain(at)
    assert charts(at) == 4


def test_the_level_met_stands_beside_the_one_asked_for():
    for page, query in (("convergence", EXACT), ("particles", MOVING)):
        at = visit(page, {**query, "error": "constant", "e_level": "0.2"})
        assert re.search(r"asked for: 0\.200\..*EM 0\.200", words(at)), page


def test_the_sections_of_the_particles_are_drawn_when_they_are_opened():
    at = visit("particles", MOVING)
    assert not at.dataframe
    opened(at, "distances-open", "step-open")
    assert list(at.dataframe[0].value.columns)[:2] == ["step n", "t"]
    assert "h\\gamma" in words(at) or "gamma" in words(at)


def test_the_ribbon_draws_the_schemes_that_are_picked_and_says_where_it_cannot():
    at = opened(visit("particles", MOVING), "ribbon-open")
    assert charts(at) == 1
    assert at.multiselect(key="ribbon-drawn").value == ["EM", "DDIM"]
    assert "DDIM keeps the order of all its paths" in words(at)
    at.multiselect(key="ribbon-drawn").set_value(["SRA1"]).run()
    assert "SRA1 exchanges" in words(at)
    at.multiselect(key="ribbon-drawn").set_value([]).run()
    assert charts(at) == 0
    at = opened(visit("particles", {**MOVING, "target": "logistic", "rows": "10"}), "ribbon-open")
    assert charts(at) == 0
    assert "no density in closed form" in words(at)


def test_a_stiff_target_and_a_coarse_step_break_no_page():
    query = {k: v for k, v in MOVING.items() if k != "target"}
    query["spec"] = kinds.pack({"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.0], [0.0, 1e-6]]})
    at = visit("particles", {**query, "step": "1", "T": "4"})
    assert len(at.get("bidi_component")) == 1
    assert re.search(r"EM ends at W₂ = [1-9]", words(at))


def whole(at, text):
    """The page's question, its menu, and a word about the link."""
    assert not at.exception, (text[:300], at.exception)
    assert not at.error, (text[:300], at.error)
    assert at.title[0].value
    assert {*PLACES} <= {link.proto.label for link in at.get("page_link")}
    assert at.warning, text[:300]
    said = words(at)
    # Escaped or not there: markdown would make a picture, a link, bold, a formula or a colour of these.
    assert not re.search(r"(?<!\\\\)!\[\]\(|(?<!\\\\)\[a\]\(|(?<!\\\\)\*\*b\*|(?<!\\\\)\$x\$|(?<!\\\\):red\[", said)


@pytest.mark.slow
@pytest.mark.parametrize("page, count", [("", 10), *((p, 1) for p in [*PAGES][1:]), long("", 90), *(long(p, 8) for p in [*PAGES][1:])])
def test_hostile_query_strings_leave_a_page_whole(page, count):
    """What `links.read` makes of 500 of them is tested beside it; here some go through a page, which says and writes it."""
    r = random.Random(20260722)
    for _ in range(count):
        text = hostile(r)
        # What is not understood falls back to these, which are quick to draw.
        whole(visit(page, {**(EXACT | MOVING if page else {}), **parse_qs(text, keep_blank_values=True)}), text)


def uploading(monkeypatch, data, **query):
    """The page of a logistic posterior whose visitor has given a CSV of these bytes."""
    import streamlit as st

    given = io.BytesIO(data)
    given.file_id = "given"
    monkeypatch.setattr(st, "file_uploader", lambda label, **k: given if "CSV" in label else None)
    return visit("convergence", {"target": "logistic", "schemes": "EM", "h": "0.5..0.25", **query})


def test_a_broken_csv_is_a_sentence(monkeypatch):
    at = uploading(monkeypatch, b"x1,x2,y\na,b,c\n1,2,1\n", rows="10")
    assert len(at.error) == 1
    assert "not a number" in plain(at)
    assert at.slider(key="s:logistic.rows").value == 10
    assert buttons(at, "Run (")


def test_a_good_csv_becomes_the_target(monkeypatch):
    import numpy as np

    from dlab.ui import studies

    at = uploading(monkeypatch, b"x1,x2,y\n4,0,1\n1,4,-1\n-2,1,1\n")
    assert not at.error
    assert "3 rows, 2 features: x1, x2; label: y" in plain(at)
    assert at.checkbox(key="s:scaled").value
    found = studies.study(links.read(at.query_params)[0]).target
    assert np.allclose([np.mean(found["x"], 0), np.std(found["x"], 0)], [[0, 0], [1, 1]], atol=1e-5)
    at.checkbox(key="s:scaled").uncheck().run()
    assert studies.study(links.read(at.query_params)[0]).target["x"] == [[4, 0], [1, 4], [-2, 1]]
    assert "data" in at.query_params
    assert "rows" not in at.query_params


def test_a_visitor_corrects_which_column_is_the_label(monkeypatch):
    at = uploading(monkeypatch, b"outcome,age,smoker\n1,30,0\n0,40,1\n1,50,1\n0,35,0\n")
    assert "label: outcome" in plain(at)
    at.selectbox(key="s:label").select("smoker").run()
    assert "outcome, age; label: smoker" in plain(at)
    at.selectbox(key="s:separator").select(";").run()
    assert "Nothing was taken from this file" in at.error[0].value
    assert "outcome, age; label: smoker" in plain(at)


@pytest.mark.parametrize("page", ["convergence", long("particles"), long("score_error"), long("budget")])
def test_what_a_study_file_keeps_is_shown_and_can_be_let_go(page):
    for file in sorted((ROOT / "tests" / "data" / "cases").glob("app*.json")):
        values, _ = files.from_study(file.read_bytes())
        at = visit(page, links.write(values, page))
        assert not at.exception, file
        assert not at.error, file
        if values["kept"] and page == "convergence":
            assert "**Score error** from a file" in words(at)
            [b for b in at.button if b.label == "Use the controls instead"][-1].click().run()
            assert "kept" not in at.query_params


def test_pandas_is_whole_before_a_thread_of_the_lab_can_load_it():
    """Plotly asks a module that is loaded for its classes, and the warm-up loads scikit-learn, which loads pandas."""
    code = "import sys, dlab.ui.process; sys.exit('pandas' not in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_warm_up_asks_for_every_scheme_on_targets_that_it_may_ask_for(monkeypatch):
    asked, others = [], set()
    monkeypatch.setattr(warm.engine, "exact", asked.append)
    monkeypatch.setattr(warm.engine, "job", lambda name, function, study, *args, **how: asked.append(study))
    monkeypatch.setattr(warm.engine, "stream", lambda study, **how: [asked.append(study)])
    monkeypatch.setattr(warm.engine, "answer", lambda name, study, **how: others.update(study.schemes))
    warm.up(SimpleNamespace(wait=lambda seconds: None, is_set=lambda: False))
    for target in ("gaussian", "spectrum", "skew"):
        assert {name for study in asked if study.target["name"] == target for name in study.schemes} == set(schemes.PAPER)
    assert others == set(schemes.REGISTRY)
