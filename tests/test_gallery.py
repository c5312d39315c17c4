"""The gallery of findings: its numbers are those of the results, its links and study files are one, its pictures are there and small."""

import json
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from PIL import Image

from dlab.study import Study
from dlab.ui import findings, links, studies

ROOT = Path(__file__).resolve().parents[1]
gallery = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "gallery.py")))
FINDINGS = {finding.name: finding for finding in gallery.FINDINGS}
PAGE = gallery.PAGE.read_text("utf-8")


def test_there_are_ten_and_their_words_are_those_of_today():
    assert len(FINDINGS) == 10
    for path, text in gallery.words().items():
        assert path.read_text("utf-8") == text, "run python docs/gallery.py"
    assert {path.stem for path in gallery.FOLDER.iterdir()} == set(FINDINGS)
    assert {path.stem for path in findings.FOLDER.glob("*.png")} == set(FINDINGS)
    assert [found["name"] for found in findings.told()] == list(FINDINGS)


@pytest.mark.parametrize("name", FINDINGS)
def test_link_study_file_and_picture_are_of_one_study(name):
    finding = FINDINGS[name]
    (found,) = [url for url in re.findall(r"\]\((http\S+)\)", PAGE) if url == gallery.HERE + finding.address]
    values, notes = links.read(dict(parse_qsl(urlsplit(found).query)))
    assert not notes
    assert links.read(next(told["query"] for told in findings.told() if told["name"] == name)) == (values, [])
    file = json.loads((gallery.FOLDER / f"{name}.json").read_text())
    assert studies.curve(values).key == Study.from_json(file).key == finding.study.key
    picture = findings.FOLDER / f"{name}.png"
    assert picture.stat().st_size <= gallery.MOST
    with Image.open(picture) as image:
        assert image.width == gallery.WIDTH


# Each sentence's numbers once more, from the rows alone.


def w2(name, scheme, h=None):
    rows = {r["h"]: r["w2"] for r in FINDINGS[name].result()["rows"] if r["scheme"] == scheme}
    return rows[h or min(rows)]


def bound(name, scheme):
    return min((r for r in FINDINGS[name].result()["rows"] if r["scheme"] == scheme), key=lambda r: r["h"])["bound"]


def at(name, scheme, evaluations):
    rows = FINDINGS[name].result()["rows"]
    return next(r["w2"] for r in rows if r["scheme"] == scheme and r["score_evals"] + r["hessian_evals"] == evaluations)


NUMBERS = {
    # The factors are those of the fits: close to the last halving's.
    "halving": lambda: [w2("halving", s, 1 / 32) / w2("halving", s) for s in ("EM", "SO")],
    "bound": lambda: [bound("bound", "EM"), w2("bound", "EM"), bound("bound", "EM") / w2("bound", "EM")],
    "exponential": lambda: [bound("exponential", "EI"), bound("exponential", "EM"),
                            *sorted(w2("exponential", "EI", h) / w2("exponential", "EM", h) for h in (1 / 2, 1 / 64))],
    "floor": lambda: [w2("floor", "EM"), w2("floor", "SO")],
    "evaluations": lambda: [*(at("evaluations", s, 512) for s in ("REM", "REI", "SO")),
                            at("evaluations", "SO", 512) / at("evaluations", "REM", 512)],
    "clouds": lambda: [w2("clouds", "EM", 0.5), w2("clouds", "EM"), FINDINGS["clouds"].result()["rows"][0]["floor"]],
    "start": lambda: [w2("start", "SO"), w2("halving", "SO")],
    "ridge": lambda: [w2("ridge", "EM", 0.5), w2("ridge", "SO", 0.5), *(w2("ridge", s, 0.5) / w2("ridge", s, 0.25) for s in ("EM", "SO"))],
}  # fmt: skip


def said(sentence):
    """The numbers of a sentence."""
    powers = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    text = re.sub(r"×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "e" + m[1].translate(powers), sentence)
    return [float(number) for number in re.findall(r"(?<![\w/.])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w/])", text)]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_sentences_numbers_are_the_results(name):
    sentence = FINDINGS[name].sentence()
    for value in NUMBERS[name]():
        near = min(said(sentence), key=lambda number: abs(number / value - 1))
        assert near == pytest.approx(value, rel=0.05 if name == "halving" else 0.006), sentence


def test_slopes_are_those_of_neighbouring_points():
    assert [w2("void", s, 1 / 32) / w2("void", s) for s in ("EM", "SO")] == pytest.approx([2**0.98, 2**1.9], rel=0.1)
    assert {0.98, 1.8, 4.58} <= set(said(FINDINGS["void"].sentence()))
    assert {1.11, 1.83} <= set(said(FINDINGS["bend"].sentence()))
    assert w2("bend", "SO", 1 / 2) / w2("bend", "SO", 1 / 4) == pytest.approx(2**1.11, rel=0.01)
    assert w2("bend", "SO", 1 / 32) / w2("bend", "SO") == pytest.approx(2**1.83, rel=0.01)
