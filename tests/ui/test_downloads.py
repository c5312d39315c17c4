"""Every file that a page offers is made and opened by its reader: a new button meets these checks unasked."""

import ast
import base64
import contextlib
import csv
import io
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from apptest import App, address
from cases import long
from PIL import Image
from pypdf import PdfReader

from dlab import export, measure
from dlab.export import film
from dlab.figures.movie import MAGIC, decode
from dlab.study import Study
from dlab.ui import links, menu, scenes, studies

SMALL = {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.25", "T": "1", "particles": "128"}
MIXTURE = {**SMALL, "target": "mixture", "schemes": "EM", "estimator": "projected"}
MOVING = {"target": "gaussian", "panels": "EM,SO", "step": "0.5", "T": "2", "moving": "500", "seed": "3"}


@pytest.fixture
def offered(monkeypatch):
    """offered(page, query): the app there, and {file name: arguments of its download button}."""
    buttons = {}

    def button(label, data, file_name, mime, **rest):
        # A page that runs again within one visit draws the same buttons again.
        assert buttons.get(file_name, {"label": label})["label"] == label, "two buttons give one name"
        buttons[file_name] = {"label": label, "make": data if callable(data) else lambda: data, "mime": mime, **rest}

    monkeypatch.setattr(st, "download_button", button)

    def run(at, *press):
        for label in press:
            next(b for b in at.button if b.label.startswith(label)).click()
            buttons.clear()
            at.run()
        return at, dict(buttons)

    def go(page, query, *press, **state):
        at = App(wait=300)
        at.query_params.update(query)
        at.run()
        at.switch_page(menu.PAGES[page][0])
        at.query_params.update(query)
        menus = {name.replace("-open", "-download"): True for name in state if name.endswith("-open")}
        for name, value in {"download": True, **menus, **state}.items():
            at.session_state[name] = value
        buttons.clear()
        at.run()
        return run(at, *press)

    return go


def made(button) -> bytes:
    data = button["make"]()
    return data.encode() if isinstance(data, str) else data


def printed(code) -> list[str]:
    """What a program prints; run here, where JAX is already loaded."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "snippet.py", "exec"), {})
    return out.getvalue().splitlines()


# One reader for each kind of file. Maps are pictures by nature; every other figure is lines and letters.
MAPS = ("law-", "error-field", "two-features")


def svg(name, data):
    root = ET.fromstring(data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert bool(root.findall(".//{*}image")) == name.startswith(MAPS)


def pdf(name, data):
    (page,) = PdfReader(io.BytesIO(data)).pages
    assert bool(page.images) == name.startswith(MAPS)
    assert float(page.mediabox.width) == pytest.approx(160 / 25.4 * 72, rel=0.01)


def png(name, data):
    assert Image.open(io.BytesIO(data)).size[0] == pytest.approx(160 / 25.4 * 300, abs=1)


def html(name, data):
    assert data.startswith(b"<!doctype html>") or data.startswith(b"<!DOCTYPE html>") or data.startswith(b"<html>")
    assert not re.search(rb"<(script|link|img|iframe)[^>]*(src|href)=", data)


def rows(name, data):
    found = list(csv.DictReader(io.StringIO(data.decode())))
    assert found
    assert all(None not in row and None not in row.values() for row in found), "a line has more or fewer cells than the head"
    assert re.search(r"\d\.\d", data.decode())


def arrays(name, data):
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        assert found.files
        assert all(np.isfinite(found[f]).all() for f in found.files)


def bib(name, data):
    assert data.count(b"\n@") == 3


def tex(name, data):
    """Whole, as far as can be said without TeX; compiled where there is one."""
    text = data.decode()
    assert re.sub(r"\\[{}]", "", text).count("{") == re.sub(r"\\[{}]", "", text).count("}")
    assert re.findall(r"\\(begin|end)\{(\w+)\}", text) == [
        ("begin", "table"), ("begin", "tabular"), ("end", "tabular"), ("end", "table")]  # fmt: skip
    body = [line for line in text.split(r"\toprule")[1].split(r"\bottomrule")[0].splitlines() if "&" in line]
    assert len(body) > 1
    assert {line.count("&") for line in body} == {4}
    assert all(line.endswith(r"\\") for line in body)


def compiled(text, folder) -> bool:
    """Whether a TeX of this machine, where there is one, makes a page of a table."""
    if (engine := next(filter(None, map(shutil.which, ("tectonic", "pdflatex", "lualatex", "xelatex"))), None)) is None:
        return True
    file = Path(folder) / "table.tex"
    file.write_text("\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + text + "\\end{document}\n")
    quiet = [] if engine.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error"]
    subprocess.run([engine, *quiet, file.name], cwd=folder, check=True, capture_output=True, timeout=300)
    return file.with_suffix(".pdf").exists()


def python(name, data):
    ast.parse(data)


def gif(name, data):
    assert Image.open(io.BytesIO(data)).n_frames > 1


def mp4(name, data):
    assert data[4:8] == b"ftyp"


READERS = {
    "svg": svg, "pdf": pdf, "png": png, "html": html, "csv": rows, "json": lambda name, data: json.loads(data), "npz": arrays,
    "bib": bib, "tex": tex, "py": python, "gif": gif, "mp4": mp4,
}  # fmt: skip
FIGURES = {"svg", "pdf", "png", "html"}


def kinds(buttons, begins=""):
    return {name.rsplit(".", 1)[1] for name in buttons if name.startswith(begins)}


def read_all(buttons):
    files = {}
    for name, button in buttons.items():
        assert not button.get("disabled"), name
        kind = name.rsplit(".", 1)[1]
        assert button["mime"] == ("application/json" if kind == "json" else export.MIME[kind])
        assert button["on_click"] == "ignore", "a download must not run the page again"
        READERS[kind](name, files.setdefault(name, made(button)))
    return files


@pytest.mark.slow
def test_every_file_of_an_exact_curve(offered, tmp_path):
    at, buttons = offered("convergence", SMALL, "Measure by every method", **{"law-open": True, "clouds-open": True, "ways-download": True})
    assert kinds(buttons, "w2-") == FIGURES | {"csv", "json", "py", "tex"}
    assert kinds(buttons, "ways-") == FIGURES | {"csv", "json"}
    assert kinds(buttons, "law-") == FIGURES
    assert {"study.json", "dlab.bib"} <= set(buttons)
    files = read_all(buttons)
    result = json.loads(files["w2-gaussian-EM-SO.json"])
    assert json.loads(files["study.json"]) == result["study"]
    assert Study.from_json(json.loads(files["study.json"])).key == studies.study(links.read(address(at))[0]).key
    assert compiled(files["w2-gaussian-EM-SO.tex"].decode(), tmp_path)
    lines = printed(files["w2-gaussian-EM-SO.py"].decode())
    again = [line.split(",") for line in lines[1:] if not line.startswith("#")]
    assert [float(line[2]) for line in again] == pytest.approx([row["w2"] for row in result["rows"]], rel=1e-9)
    assert {row["method"] for row in json.loads(files["ways-EM.json"])["rows"]} >= set(measure.REGISTRY) - {"density"}


@pytest.mark.slow
def test_every_file_of_a_sampled_curve(offered):
    _, buttons = offered("convergence", MIXTURE, "Run (")
    assert "npz" in kinds(buttons)
    files = read_all(buttons)
    result = json.loads(files["w2-mixture-EM.json"])
    lines = printed(files["w2-mixture-EM.py"].decode())
    again = [line.split(",") for line in lines[1:] if not line.startswith("#")]
    assert [float(line[2]) for line in again] == pytest.approx([row["w2"] for row in result["rows"]], rel=1e-6)


@pytest.mark.slow
def test_a_prepared_curve_has_particles_that_are_moved_when_asked_for(offered, monkeypatch, tmp_path):
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    _, buttons = offered("convergence", links.address(scenes.BY_NAME["bound"]), guesses={"bound": {}})
    assert "simulated again" in buttons["w2-logistic-EM.npz"]["help"]
    with np.load(io.BytesIO(made(buttons["w2-logistic-EM.npz"]))) as found:
        assert {"EM_8", "reference_EM_8"} <= set(found.files)
        assert found["EM_8"].shape == (4096, 2)
    _, buttons = offered("convergence", links.address(scenes.BY_NAME["bound"]), guesses={"bound": {}})
    assert "simulated again" not in buttons["w2-logistic-EM.npz"]["help"]


SECTIONS = {f"{name}-open": True for name in ("which", "models", "hessian", "parts")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page, query, state, pictures",
    [
        ("score_error", {"levels": "0.1..0.5"}, SECTIONS, 5),
        ("budget", {"distances": "0.5..0.2"}, {"work-download": True}, 2),
        long("horizon", {"horizons": "1..3", "fine": "0.25"}, {}, 1),
        ("dimension", {"dims": "1..16"}, {}, 2),
        long("theory", {}, {"recursion-open": True, "onestep-open": True}, 3),
    ],
)
def test_every_file_of_a_page_of_the_theory(offered, page, query, state, pictures):
    _, buttons = offered(page, SMALL | query, **state)
    files = read_all(buttons)
    drawn = {name.removesuffix(".svg") for name in files if name.endswith(".svg")}
    assert len(drawn) >= pictures
    for name in drawn:
        assert kinds(files, f"{name}.") >= FIGURES
    for name in (name for name in files if re.fullmatch(r"rows.*\.py", name)):
        result = json.loads(files[name.replace(".py", ".json")])
        again = [line.split(",") for line in printed(files[name].decode())[1:] if not line.startswith("#")]
        assert [float(line[2]) for line in again] == pytest.approx([row["w2"] for row in result["rows"]], rel=1e-9)


STUDY = {f"{name}-open": True for name in ("plane", "derivatives", "samples", "loss")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page, query, state, pictures",
    [
        long("logistic", {}, {"small-open": True, "readings-open": True}, 3),
        ("logistic", {"logistic.part": "plane"}, {"curve-download": True}, 2),
        long("learned", {"target": "mixture"}, STUDY, 5),
    ],
    ids=["paper", "plane", "learned"],
)
def test_every_file_of_a_prepared_study(offered, page, query, state, pictures):
    """But the particles, which are moved anew."""
    _, buttons = offered(page, query, **state)
    files = read_all({name: button for name, button in buttons.items() if not name.endswith(".npz")})
    drawn = {name.removesuffix(".svg") for name in files if name.endswith(".svg")}
    assert len(drawn) == pictures
    for name in drawn:
        assert kinds(files, f"{name}.") >= FIGURES
    for name in (name for name in files if name.startswith("study")):
        assert Study.from_json(json.loads(files[name])).target


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:os.fork")  # imageio-ffmpeg's reader forks
def test_every_file_of_the_particles(offered, tmp_path):
    _, buttons = offered("particles", MOVING)
    assert kinds(buttons) == {"mp4", "gif", "html", "csv", "npz", "json", "py", "bib"}
    files = read_all(buttons)
    table = list(csv.DictReader(io.StringIO(files["particles-gaussian-EM-SO.csv"].decode())))
    data = json.loads(files["particles-gaussian-EM-SO.json"])
    assert data["study"] == json.loads(files["study.json"])
    assert [row["EM"] for row in data["rows"]] == [float(row["EM"]) for row in table]
    # The player's page holds the movie that the films are drawn from; between two steps it has frames of its own.
    held = base64.b64decode(re.search(rb'id="movie">([^<]*)<', files["particles-gaussian-EM-SO.html"])[1])
    movie = decode(held[held.index(MAGIC) :])
    assert len(movie["times"]) > len(table)
    seconds = movie["clock"][-1]
    assert Image.open(io.BytesIO(files["particles-gaussian-EM-SO.gif"])).n_frames == round(film.GIF_FPS * seconds) + 1
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    (tmp_path / "film.mp4").write_bytes(files["particles-gaussian-EM-SO.mp4"])
    _, *pictures = ffmpeg.read_frames(str(tmp_path / "film.mp4"))
    assert len(pictures) == round(film.FPS * seconds) + 1
    with np.load(io.BytesIO(files["particles.npz"])) as moved:
        assert moved["EM"].shape[1:] == (500, 2)
        assert len(moved["times"]) == len(table)
    lines = [line.split() for line in printed(files["particles-gaussian-EM-SO.py"].decode())]
    assert [line[0] for line in lines] == ["EM", "SO"]
    for line in lines:
        assert float(line[-1]) == pytest.approx(float(table[-1][line[0]]), rel=1e-6)


def test_without_ffmpeg_the_page_says_so_and_offers_the_rest(offered, monkeypatch):
    monkeypatch.setattr(film, "_ffmpeg", lambda: None)
    at, buttons = offered("particles", MOVING)
    gone = buttons.pop("particles-gaussian-EM-SO.mp4")
    assert gone["disabled"]
    assert "imageio-ffmpeg" in gone["help"]
    assert any("imageio-ffmpeg" in c.value.replace("\\", "") for c in at.caption)
    assert {"gif", "html"} <= kinds(buttons)
    gif("", made(buttons["particles-gaussian-EM-SO.gif"]))
