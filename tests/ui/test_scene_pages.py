"""Scenes, guesses and the tour on their pages, without a browser."""

import json
import re

import pytest
from apptest import address, charts, moved, opened, plain, pressed, spec, visit, words

from dlab.ui import exports, links, movies, runs, scenes

HALVING = scenes.BY_NAME["halving"]
OWN = {"particles": "What does a sampler do?", "convergence": "How fast does the error fall when the steps are halved?"}


def open_scene(scene, **more):
    return visit(scene.page, links.address(scene) | more)


def keys(at) -> set:
    return {b.key for b in at.button}


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda s: s.name)
def test_a_scene_opens_at_once_with_its_question_and_answer(scene, monkeypatch):
    """From the prepared file alone: nothing may be computed."""
    for module, name in ((runs, "_follow"), (movies, "make_movie")):
        monkeypatch.setattr(module, name, lambda *a, **k: pytest.fail("computed anew"))
    monkeypatch.setattr(runs.engine.ask, "exact", lambda study: pytest.fail("computed anew"))
    at = open_scene(scene)
    if scene.guess:
        assert charts(at) == len(at.get("bidi_component")) == 0
    pressed(at, "guess-skip" if scene.guess else "answer-show")
    assert at.title[0].value == scene.question
    assert scene.text in words(at)
    assert re.search(r"\*\*Answer\.\*\* \w", words(at))
    assert charts(at) + len(at.get("bidi_component")) >= 1
    assert not at.warning
    assert address(at)["scene"] == scene.name


def test_nothing_leaks_before_the_guess():
    at = open_scene(HALVING, present="1")
    for kind in ("plotly_chart", "arrow_data_frame", "download_button", "expander", "latex"):
        assert len(at.get(kind)) == 0, kind
    said = words(at)
    assert "Answer" not in said
    assert "measured" not in said
    assert not re.search(r"1\.0\d|1\.9\d|theorem promises", said)
    assert at.button(key="guess-show").disabled


def test_a_guess_is_said_drawn_and_kept_out_of_the_link():
    at = open_scene(HALVING)
    before = address(at)
    for scheme, slope in (("EM", 0.5), ("SO", 1.0)):
        at.button_group(key=f"guess-{scheme}").set_value(slope).run()
    assert charts(at) == 0
    pressed(at, "guess-show")
    said = plain(at)
    assert re.search(r"½ for EM; .*1\.03 ± 0\.09.* ½\.", said)
    assert re.search(r"1 for SO; .*2\.0 ± 0\.2", said)
    assert spec(at).count("as you guessed") == 2
    assert address(at) == before
    assert "guess" not in json.dumps(before)
    # What is moved in the picture alone leaves the scene, its guess and its answer alone.
    opened(at, "fold-picture").checkbox(key="s:bounds").uncheck().run()
    assert "You said" in words(at)
    assert address(at)["scene"] == "halving"
    pressed(at, "guess-again")
    assert charts(at) == 0
    pressed(at, "guess-skip")
    assert charts(at) == 1
    assert "You said" not in words(at)
    assert "Answer" in words(at)
    assert "as you guessed" not in spec(at)


def test_an_exported_figure_has_no_guess_in_it(monkeypatch):
    drawn = []
    monkeypatch.setattr(exports, "results", lambda figures, found, study=None: drawn.extend(figures.values()))
    at = open_scene(HALVING)
    for scheme in HALVING.guess.schemes:
        at.button_group(key=f"guess-{scheme}").set_value(1.5).run()
    pressed(at, "guess-show")
    opened(at, "download")
    assert not [s for s in drawn[-1].series if "guess" in s.name]


def test_a_setting_that_matters_ends_the_scene_and_says_so_once():
    at = open_scene(scenes.BY_NAME["evaluations"])
    moved(at, "Skewness c", 3.0)
    assert at.title[0].value == OWN["convergence"]
    assert "scene" not in address(at)
    over = [c.value for c in at.caption if "is closed" in c.value]
    assert len(over) == 1
    assert "Two scores or one Hessian?" in over[0]
    assert "Answer" not in words(at)
    moved(at, "Skewness c", 2.0)
    assert at.title[0].value == OWN["convergence"], "the visitor opens it again, or not"


def test_a_moving_scene_does_not_read_the_curves_settings():
    at = pressed(open_scene(scenes.BY_NAME["too-far"]), "guess-skip")
    assert "overshoots" in words(at)
    moved(at, "Mean μ₁, horizontal", 0.6)
    assert at.title[0].value == OWN["particles"]
    assert "is closed" in words(at)


def test_a_link_whose_settings_are_not_the_scenes():
    at = visit("convergence", links.address(HALVING) | {"k1": "3"})
    assert at.title[0].value == OWN["convergence"]
    assert "other settings" in at.warning[0].value
    assert charts(at) == 1


def test_an_unknown_scene_is_one_sentence():
    at = visit("convergence", {"scene": "nonsense", "target": "gaussian", "schemes": "EM", "h": "0.5..0.25"})
    assert len(at.warning) == 1
    assert "nonsense" in at.warning[0].value
    assert charts(at) == 1


def test_a_lecturers_words_go_first_and_the_answer_stays():
    at = open_scene(HALVING, title="Mine", question="Guess, please", fix="target")
    assert at.title[0].value == "Mine"
    assert HALVING.text not in words(at)
    assert "Guess, please" in words(at)
    pressed(at, "guess-skip")
    assert "Answer" in words(at)
    pressed(at, "open-everything")
    assert at.title[0].value == HALVING.question


def test_a_name_is_a_link():
    at = visit("", {"scene": "halving", "present": "1"})
    assert at.title[0].value == HALVING.question
    assert address(at) == links.address(HALVING) | {"present": "1"}


def test_opening_a_scene_leaves_the_tour():
    at = pressed(visit("", {"tour": "1"}), "key-2")
    assert "**Tour" not in words(at)
    assert "tour" not in address(at)
