"""One file and one registry line: a scheme without a theorem, a target, an estimator and two score errors are added to a copy of
the lab by the recipes of docs/ARCHITECTURE.md, and every page, table, export and law of the copy is walked through."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEW = ROOT / "tests" / "additions"
WALK = (NEW / "walk.py").read_text()
NUMBERS, PAGES = (re.findall(r"^def check_(\w+)", part, re.M) for part in WALK.split("# " + "-" * 64 + " pages"))
KINDS = {"heun": ("schemes", "SCHEME"), "ridge": ("targets", "ENTRY"), "swap": ("errors", "ENTRY"), "cut": ("errors", "ENTRY"),
         "means": ("measure", "ENTRY")}  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A copy of the lab with the new files, and for each an import and a line in the registry."""
    root = tmp_path_factory.mktemp("additions") / "lab"
    ignored = shutil.ignore_patterns("prepared", "__pycache__")
    for folder in ("dlab", "pages", ".streamlit", "docs"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    (root / "dlab" / "prepared").mkdir()
    for file in ("app.py", "README.md"):
        shutil.copy(ROOT / file, root / file)
    for name, (folder, record) in KINDS.items():
        shutil.copy(NEW / f"{name}.py", root / "dlab" / folder / f"{name}.py")
        registry = root / "dlab" / folder / "__init__.py"
        text = registry.read_text()
        text = text.replace(f"from dlab.{folder} import ", f"from dlab.{folder} import {name}, ", 1)
        # In front of all others: no number may depend on the order.
        text, count = re.subn(r"(^REGISTRY.*?for \w+ in \(\s*)", rf"\g<1>{name}.{record}, ", text, count=1, flags=re.S | re.M)
        assert count == 1
        registry.write_text(text)
    return root


def walked(lab, out, checks):
    environment = {**os.environ, "PYTHONPATH": str(lab), "DLAB_CACHE": str(out.parent / "cache")}
    done = subprocess.run(
        [sys.executable, str(NEW / "walk.py"), str(out), *checks], cwd=lab, env=environment, capture_output=True, text=True, check=False
    )
    assert out.exists(), done.stderr[-3000:]
    return json.loads(out.read_text())


def test_numbers_notes_exports_shell_and_tables_have_what_is_added(lab, tmp_path):
    found = walked(lab, tmp_path / "numbers.json", NUMBERS)
    assert set(found) == set(NUMBERS)
    assert not any(found.values()), "\n".join(filter(None, found.values()))


@pytest.mark.slow
def test_every_page_shows_what_is_added(lab, tmp_path):
    found = walked(lab, tmp_path / "pages.json", PAGES)
    assert set(found) >= {p.stem for p in (ROOT / "pages").glob("*.py")} - {"logistic", "images"}
    assert not any(found.values()), "\n".join(filter(None, found.values()))


@pytest.mark.slow
def test_the_tests_of_the_registries_take_what_is_added(lab):
    shutil.copytree(ROOT / "tests", lab / "tests", ignore=shutil.ignore_patterns("__pycache__", "ui", "benchmarks"))
    shutil.copy(ROOT / "pyproject.toml", lab)
    files = [f"tests/{name}.py" for name in ("test_registries", "schemes/test_schemes", "schemes/test_formulas", "test_floors")]
    chosen = "HEUN or ridge or swap or cut or means or stand_in"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *files, "-k", chosen]
    done = subprocess.run(command, cwd=lab, env={**os.environ, "PYTHONPATH": str(lab)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
