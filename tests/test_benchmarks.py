"""Every benchmark that the documentation names starts as written there, in a fresh copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from server import CHROMIUM

ROOT = Path(__file__).resolve().parents[1]
SOON = ("measuring", "player", "rerun")  # as written and to the end; the others by hand, since each takes a quarter of a minute of a core
SCRIPTS = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.glob("tests/benchmarks/bench_*.py"))}


def commands(text):
    """The scripts that a text starts with `python`."""
    return set(re.findall(r"python (tests/benchmarks/\w+\.py)", text))


def marked(script):
    marks = [pytest.mark.slow if script.endswith(tuple(f"bench_{name}.py" for name in SOON)) else pytest.mark.long]
    if "playwright" in SCRIPTS[script]:
        marks += [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")]
    return pytest.param(script, marks=marks)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What a commit of this tree would hold, in another folder."""
    folder = tmp_path_factory.mktemp("clone")
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if names.returncode:
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__"), dirs_exist_ok=True)
        return folder
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_readme_and_docstrings_name_the_scripts_that_there_are():
    assert commands((ROOT / "README.md").read_text()) == set(SCRIPTS)
    for script, text in SCRIPTS.items():
        assert commands(text) == {script}, script


def ran(clone, tmp_path, *command):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"DLAB_CACHE": str(tmp_path)}
    run = subprocess.run([sys.executable, *command], cwd=clone, env=environment, capture_output=True, text=True, timeout=500)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


@pytest.mark.slow
def test_what_every_script_asks_for_is_there(clone, tmp_path):
    ran(clone, tmp_path, "-c", "import runpy, sys; sys.path[0] = 'tests/benchmarks'; [runpy.run_path(s) for s in sys.argv[1:]]", *SCRIPTS)


@pytest.mark.parametrize("script", [marked(script) for script in SCRIPTS])
def test_a_script_starts_as_written_and_prints_a_ratio(script, clone, tmp_path):
    printed = ran(clone, tmp_path, script, "--quick")
    assert re.search(r"\b\d[\d.e+]*x\b", printed), printed
