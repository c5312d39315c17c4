"""`dlab.show` in a real JupyterLab: the player plays in the output of a cell, and its slider reaches the kernel and comes back.

JupyterLab is large and no part of the tests' requirements: pip install jupyterlab, then python -m pytest -m long tests/notebook.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from server import ARGUMENTS, CHROMIUM

pytestmark = [pytest.mark.long, pytest.mark.browser]
ROOT = Path(__file__).resolve().parents[2]
STUDY = {
    "target": {"name": "gaussian", "mean": [0.5, 0.0], "cov": [[1.0, 0.3], [0.3, 0.6]]}, "schemes": ["EM", "SO"],
    "h": [0.5, 0.25, 0.125], "T": 4.0,
}  # fmt: skip
IDLE = "Python 3 (ipykernel) | Idle"
CELLS = (f"import dlab\nwidget = dlab.show({STUDY}, particles=300)\nwidget", "print(f'the slider rests on h = {widget.h}')")


def notebook(cells):
    code = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": c}
            for i, c in enumerate(cells)]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": code})


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab with the notebook."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: pip install jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    (folder / "show.ipynb").write_text(notebook(CELLS))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(folder / f".{name}") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    process = subprocess.Popen(command, env={**os.environ, **own, "PYTHONPATH": paths}, cwd=folder, stdout=subprocess.DEVNULL,
                               stderr=(folder / "log").open("w"))  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=2)
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def page(lab):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(120_000)
        page.elsewhere, page.errors = [], []
        page.on("request", lambda r: page.elsewhere.append(r.url) if not r.url.startswith((lab, "data:", "blob:")) else None)
        page.on("pageerror", lambda e: page.errors.append(str(e)))
        page.goto(f"{lab}/lab/tree/show.ipynb?reset")
        page.get_by_text(IDLE).wait_for()  # a cell that is run before its kernel is there may never run
        run(page, 0)
        page.wait_for_selector(".jp-OutputArea .player")
        yield page
        browser.close()


def run(page, number):
    """Run a cell of the notebook."""
    page.locator(".jp-CodeCell .cm-content").nth(number).click()
    page.keyboard.press("Shift+Enter")


def ink(page):
    """Pixels that the particles of the first panel cover, and the sum of their places."""
    return page.evaluate("""() => {
      const canvas = [...document.querySelectorAll("*")].map(e => e.shadowRoot?.querySelector("canvas.dots")).find(Boolean);
      const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let count = 0, place = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i]) { count++; place += i >> 2; }
      return [count, place];
    }""")


def test_particles_and_curve_are_drawn_and_move(page):
    page.locator(".panel canvas.dots").first.wait_for()
    assert page.locator(".player .name b").all_inner_texts() == ["EM", "SO"]
    picture = page.locator(".curve img")
    assert picture.evaluate("image => image.naturalWidth") > 300
    assert picture.get_attribute("alt")
    begin = ink(page)
    assert begin[0] > 500
    page.locator(".player [data-do=play]").click()
    page.wait_for_timeout(1500)
    assert ink(page) != begin
    page.locator(".player [data-do=play]").click()


def test_the_slider_reaches_the_kernel_and_the_other_step_sizes_come_back(page):
    slider = page.locator(".player .sizes input")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("""() => {
      const player = [...document.querySelectorAll("*")].map(e => e.shadowRoot?.querySelector(".player")).find(Boolean);
      return player.querySelector(".size").textContent === "h = 1/4" && !player.querySelector(".why").textContent;
    }""")
    page.locator(".player").focus()
    page.keyboard.press("End")
    assert page.locator(".player .count").inner_text() == "step 16 of 16"
    run(page, 1)
    page.get_by_text("the slider rests on h = 0.25").wait_for()


def test_the_keys_are_the_players_and_the_notebook_stays_where_it_is(page):
    cells = page.locator(".jp-Cell").count()
    page.locator(".player").focus()
    page.keyboard.press("End")
    assert page.locator(".player .clock").inner_text() == "t = 0.00"
    for key in "dd", "b", "x":  # JupyterLab's delete a cell, insert one below, cut
        page.keyboard.type(key)
    assert page.locator(".jp-Cell").count() == cells


def test_the_canvases_follow_the_theme(page):
    page.get_by_role("menuitem", name="Settings").first.click()
    page.get_by_text("Theme", exact=True).first.hover()
    page.get_by_text("JupyterLab Dark", exact=True).click()
    page.locator(".player.dark").wait_for()
    page.wait_for_timeout(300)
    assert page.locator(".trace").bounding_box()["height"] > 200
    assert [mark.inner_text() for mark in page.locator(".player .acts button").all()] == ["Noising", "Sampling"]


def test_nothing_is_asked_of_another_machine_and_nothing_fails(page):
    assert not page.errors
    assert not [url for url in page.elsewhere if "127.0.0.1" not in url]
