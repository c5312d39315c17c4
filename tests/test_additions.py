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
KINDS = {"heun": ("schemes", "SCHEME"), "ridge": ("targets", "ENTRY"), "swap": ("errors", "ENTRY"), "cut": ("errors", "ENTRY"),
         "means": ("measure", "ENTRY")}  # fmt: skip


@pytest.fixture
def lab(tmp_path):
    """A copy of the lab with the new files, and for each an import and a line in the registry."""
    root = tmp_path / "lab"
    ignored = shutil.ignore_patterns("prepared", "__pycache__")
    for folder in ("dlab", "pages", ".streamlit", "docs", "tests"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    (root / "dlab" / "prepared").mkdir()
    for file in ("app.py", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / file, root / file)
    for name, (folder, record) in KINDS.items():
        shutil.copy(NEW / f"{name}.py", root / "dlab" / folder / f"{name}.py")
        registry = root / "dlab" / folder / "__init__.py"
        text = registry.read_text()
        text = text.replace(f"from dlab.{folder} import ", f"from dlab.{folder} import {name}\nfrom dlab.{folder} import ", 1)
        # In front of all others: no number may depend on the order.
        text, count = re.subn(r"(^REGISTRY.*?for \w+ in \(\s*)", rf"\g<1>{name}.{record}, ", text, count=1, flags=re.S | re.M)
        assert count == 1
        registry.write_text(text)
    return root


@pytest.mark.slow
def test_numbers_notes_exports_shell_tables_pages_and_tests_have_what_is_added(lab, tmp_path):
    places, file = os.pathsep.join(map(str, (lab, lab / "tests", lab / "tests" / "ui"))), tmp_path / "found.json"
    environment = {**os.environ, "PYTHONPATH": places, "DLAB_CACHE": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "tests/additions/walk.py", str(file)], cwd=lab, env=environment, capture_output=True, text=True)
    assert file.exists(), done.stderr[-3000:]
    found = json.loads(file.read_text())
    assert not any(found.values()), "\n".join(filter(None, found.values()))
    walk = (NEW / "walk.py").read_text()
    pages = {page.stem for page in (ROOT / "pages").glob("*.py")} - {"status"}
    assert all(re.search(rf'opened\("{page}"|\("{page}", ', walk) for page in pages)
