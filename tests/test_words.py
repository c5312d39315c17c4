"""The prose in Markdown: every text is there, every field is filled, and nothing of the field syntax or of a private idiom is left."""

import re
import runpy

import pytest
from server import ROOT

from dlab import schemes, words
from dlab.ui import controls, menu, page, settings, tour
from dlab.ui.scene import Scene
from dlab.ui.scenes import SCENES

ALL = [(name, key) for name in words.pages() for key in words.texts(name)]
IDIOM = r"left the numbers|exceeds every number|\bdear\b|as far as can be told|\bprice\b|\bmends?\b|\bhas taken\b"


@pytest.mark.parametrize("name, key", ALL)
def test_every_text_is_filled_and_its_formulas_stay(name, key):
    text = words.texts(name)[key]
    filled = text.fill(**dict.fromkeys(text.fields, "7"))
    assert re.findall(r"\$[^$]*\$", filled) == re.findall(r"\$[^$]*\$", text.body)
    assert filled.count("$") % 2 == 0
    assert not re.search(r"\{\w+\}", re.sub(r"\$[^$]*\$", "", filled))
    assert not re.search(IDIOM, filled), filled
    assert text.title or text.body or key


def count(text: str) -> int:
    """The words of a text; a formula and a field are one each."""
    return len(re.sub(r"\$[^$]*\$|\{\w+\}", "x", text).split())


def test_what_stands_beside_a_picture_is_short():
    for name in {*menu.PAGES} - {"home"}:
        assert 4 <= count(words.texts(name)[""].body) <= 22, name
    for scene in SCENES:
        assert count(scene.text) <= 22, scene.name
        assert count(words.texts("scenes")[f"{scene.name}-answer"].body) <= 60, scene.name
    assert all(count(step.words) <= 45 for step in tour.STEPS)


def test_every_scheme_has_one_line_that_says_what_it_does():
    assert [*words.texts("schemes")] == ["", *schemes.REGISTRY]
    assert all(4 <= count(words.text("schemes", name)) <= 20 for name in schemes.REGISTRY)


def test_the_tour_shows_the_bounds_only_where_it_speaks_of_them():
    shows = [step.number for step in tour.STEPS if step.page == "convergence" and step.settings.get("bounds") != "0"]
    assert shows == [len(tour.STEPS)]


def test_a_missing_text_and_a_wrong_field_are_errors_that_name_them():
    with pytest.raises(KeyError, match=r"horizon\.md has no text 'nothing'"):
        words.text("horizon", "nothing")
    for fields in ({}, {"T": 1, "h": 2}):
        with pytest.raises(KeyError, match=r"\['T'\]"):
            words.text("theory", "setting", **fields)
    assert words.Text("", r"$C_{sc}$ {a} $x_{a}$").fill(a="$y$") == r"$C_{sc}$ $y$ $x_{a}$"


def records(name, monkeypatch):
    """The Page records of a page, with each value of the setting that turns it."""
    found = []
    monkeypatch.setattr(page, "show", found.append)
    runpy.run_path(str(ROOT / menu.PAGES[name][0]))
    (one,) = found
    scene = Scene({key: setting.initial for key, setting in settings.table().items()})
    parts = [scene | {"logistic.part": part} for part in ("paper", "plane", "csv")] if name == "logistic" else [scene]
    return [one.turn(s) for s in parts] if one.turn else [one]


@pytest.mark.parametrize("name", [n for n in menu.PAGES if n != "home"])
def test_every_block_of_a_page_has_its_words(name, monkeypatch):
    for one in records(name, monkeypatch):
        assert one.name == name
        blocks = {block.name for block in (*one.below, *one.sections)}
        assert len(blocks) == len(one.below) + len(one.sections)
        assert blocks <= set(words.texts(name)), blocks - set(words.texts(name))
        assert all(words.title(name, block.name) for block in one.sections)
        assert all(block.of in ("", *(b.name for b in one.below)) for block in (*one.below, *one.sections))
        for block in (one, *one.below, *one.sections):
            for each in block.controls:
                control = each if isinstance(each, str) else each[0]
                assert control in controls.CONTROLS or control in settings.table(), control
