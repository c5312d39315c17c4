"""What the README says is so: its tables, limits and commands, and its code runs."""

import ast
import contextlib
import importlib.metadata
import io
import json
import re
import runpy
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import screenshots

from dlab import cache, engine, params, pictures, targets
from dlab.errors import learned as learned_score
from dlab.study import Study, memory
from dlab.study.spec import AXES, EXTENDED
from dlab.targets import observations, quadrature_target, spectrum
from dlab.ui import kinds, scenes, settings, share, tour

ROOT = Path(__file__).resolve().parents[1]
tables = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "tables.py")))
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUN = "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt && .venv/bin/streamlit run app.py"
TEST = "python3 -m venv .venv && .venv/bin/pip install -q -r tests/requirements.txt && .venv/bin/python -m pytest"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


def table(heading):
    """Rows of the table under a heading, as lists of cells, without its head."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def requirements(text):
    """{name: the line} of a requirements file."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return {re.match(r"[\w.-]+", line)[0].lower(): line for line in lines if line and not line.startswith("-")}


# ---------------------------------------------------------------- commands


def test_two_commands_set_up_and_run_the_app_and_the_tests():
    setups = [line for block in blocks("sh") for line in block.splitlines() if "venv .venv" in line]
    assert setups == [RUN, TEST]
    for name in ("requirements.txt", "tests/requirements.txt", "app.py"):
        assert (ROOT / name).is_file()


def test_requirements_repeat_what_the_library_declares():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    app = requirements((ROOT / "requirements.txt").read_text())
    library = requirements("\n".join(project["dependencies"]))
    assert {name: app[name] for name in library} == library
    assert set(app) - set(library) == {"streamlit", "starlette", "pandas", "pyarrow", "segno"}
    assert (ROOT / "tests" / "requirements.txt").read_text().count("-r ../requirements.txt") == 1
    everything = app | requirements((ROOT / "tests" / "requirements.txt").read_text())
    notebook = requirements("\n".join(project["optional-dependencies"]["notebook"]))
    assert {name: everything[name] for name in notebook} == notebook
    assert "Python 3.11 or newer" in README
    assert project["requires-python"] == ">=3.11"


def imported(folder):
    """Top names that the files in a folder import from elsewhere."""
    files = sorted(ROOT.glob(folder))
    ours = {"dlab", *(p.stem for p in files)}
    found = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - ours - sys.stdlib_module_names


@pytest.mark.parametrize(
    "files, lists",
    [
        ("dlab/**/*.py", ["requirements.txt"]),
        ("pages/*.py", ["requirements.txt"]),
        ("tests/**/*.py", ["requirements.txt", "tests/requirements.txt"]),
    ],
)
def test_everything_imported_is_required(files, lists):
    listed = {name for file in lists for name in requirements((ROOT / file).read_text())}
    if files.startswith("dlab"):  # tests/test_floors.py keeps the extra in its folder
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        listed |= set(requirements("\n".join(project["optional-dependencies"]["notebook"])))
    made_by = importlib.metadata.packages_distributions()
    for module in imported(files):
        assert {d.lower() for d in made_by[module]} & listed, f"{module} is imported in {files} and not in {lists}"


def test_the_pictures_are_those_that_their_command_makes():
    shown = re.findall(r"!\[.+?\]\(docs/(\w+)\.png\)", README)
    assert sorted(shown) == sorted(screenshots.README) == sorted(p.stem for p in (ROOT / "docs").glob("*.png"))
    assert all((ROOT / "docs" / f"{name}.png").stat().st_size < 150_000 for name in shown)


def test_files_that_the_readme_names_are_there():
    for name in re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", README):
        assert (ROOT / name).is_file(), name
    for name in set(re.findall(r"`((?:dlab|tests|docs|pages|\.ci|\.streamlit)/[\w./-]+)`", README)) - {"dlab/prepared"}:
        assert (ROOT / name).exists(), name


# ---------------------------------------------------------------- tables and limits


@pytest.mark.parametrize("name", tables.TABLES)
def test_a_table_is_what_its_registry_says(name):
    assert tables.filled(README) == README, "run python docs/tables.py"
    assert tables.table(tables.TABLES[name]()) in README


def test_what_is_missing_in_the_readme_is_named():
    with pytest.raises(ValueError, match="table of targets"):
        tables.filled(README.replace("<!-- table: targets", "<!-- "))


def top(matrix):
    return np.linalg.eigvalsh(matrix)[-1]


X = [[4, 0], [1, 4], [-2, 1]]
COV = [[1.0, 0.3], [0.3, 0.6]]
DIGITS = pictures.load("digits")[0].reshape(-1, 64)
R2 = np.max(np.sum((DIGITS - DIGITS.mean(0)) ** 2, 1))
# Per target: a study file's object, and m0 and L0 by the formulas of the table.
CURVATURE = {
    "gaussian": ({"mean": [0.5, 0], "cov": COV}, 1 / top(COV), top(np.linalg.inv(COV))),
    "mixture": ({"weights": [0.3, 0.7], "means": [[0, 0], [3, 4]], "var": 0.6}, 1 / 0.6 - 25 / 1.44, 25 / 1.44 - 1 / 0.6),
    "skew": ({"lam": 0.8, "c": 1.5, "k": 2.0, "angle": 30.0}, 0.8, 0.8 + 1.5),
    "wells": ({"a": -1.5, "k": 1.0}, 1.0, None),
    "kink": ({"lam": 0.8, "c": 1.5, "delta": 0.5}, 0.8, 3.8),
    "box": ({"half": 1.0, "lam": 0.7}, 0.7, None),
    "images": ({"count": 1797, "width": 0.5}, 4 - 16 * R2, 16 * R2 - 4),
    "spectrum": ({"values": [0.5, 1.5]}, 1 / 1.5, 2.0),
    "logistic": ({"x": X, "y": [1, 1, -1], "lam": 0.7}, 0.7, 0.7 + top(np.transpose(X) @ np.array(X) / 3) / 4),
}


@pytest.mark.parametrize("name", CURVATURE)
def test_m0_and_L0_of_the_table_are_those_of_the_target(name):
    spec, m0, L0 = CURVATURE[name]
    facts = targets.build({"name": name, **spec}).facts
    assert facts.m0.value == pytest.approx(m0, rel=1e-9)
    assert facts.L0.infinite if L0 is None else facts.L0.value == pytest.approx(L0, rel=1e-9)


def test_limits_are_those_that_are_enforced():
    said = README.split("\n### Limits and caches\n")[1].split("**Caches.**")[0]
    for limit in (
        f"up to {params.MAX_DATA_ROWS:,} rows",
        f"2 to {observations.MAX_FEATURES} on the page",
        " or ".join(", ".join(observations.LABELS).rsplit(", ", 1)),
        f"2 to {pictures.MAX_IMAGES:,} square grey images of 2 to {pictures.MAX_SIDE} pixels a side ({', '.join(pictures.SUFFIXES)})",
        f"{spectrum.MAX_DIM:,} of a spectrum",
        f"accurate to {quadrature_target.ACCURATE:g}",
        ", ".join(observations.SEPARATORS.values()).replace(", vertical", " or vertical"),
        f"{params.MAX_PARTICLES:,} Brownian paths",
        f"{params.MAX_STEPS:,} steps",
        f"{params.MAX_STEP_SIZES} step sizes",
        f"T up to {params.MAX_T:g}",
        f"{params.MAX_WORK:,} particle-steps",
        f"{params.MAX_COMPONENTS} mixture components",
        f"| memory | {memory.LIMIT:g} GiB",
    ):
        assert limit in said


def test_the_keys_of_a_lesson_link_are_those_that_are_read():
    rows = dict(table("In a lecture"))
    assert {key for cell in rows for key in cell.split(", ")} == {*settings.LESSON, "present", "scene", "tour"}
    assert f": {', '.join(scenes.BY_NAME)}." in rows["scene"]
    assert rows["tour"].endswith(f"1 to {len(tour.STEPS)}.")
    assert f": {', '.join(settings.GROUPS)}, with commas" in rows["hide"]
    assert f"at most {kinds.LONGEST_TEXT} characters" in rows["title, question"]
    assert f"`{share.ADDRESS}`" in README


def test_the_container_runs_what_the_readme_says():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    assert {p.name for p in ROOT.glob("*.py")} <= set(copied)
    assert {"dlab", "pages", ".streamlit", "requirements.txt"} <= set(copied)
    assert "USER 1000" in lines  # a number: some hosts refuse to run what they cannot tell from root
    assert any("DLAB_CACHE=/cache" in line for line in lines)
    assert any("-p 8501:8501 -v dlab-cache:/cache" in block for block in blocks("sh"))


def test_caches_are_where_the_readme_says(monkeypatch, tmp_path):
    said = " ".join(re.search(r"\*\*Caches\.\*\*(.*?)\n\n", README, re.S)[1].split())
    monkeypatch.delenv("DLAB_CACHE", raising=False)
    assert f"`~/{cache.folder().relative_to(Path.home())}`" in said
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    assert "`DLAB_CACHE`" in said
    assert cache.folder() == tmp_path
    assert f"({engine.KEEP_FILES} at most" in said
    assert f"`{cache.PREPARED.relative_to(ROOT)}`" in said


def test_every_line_of_the_configuration_exists_and_is_explained():
    from streamlit import config

    config.get_config_options()
    told = " ".join(row[0] for row in table("Serving a class"))
    sections = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    look = sections.pop("theme")
    for section, options in sections.items():
        for name, value in options.items():
            assert f"{section}.{name}" in config._config_options_template
            assert f"`{section}.{name} = {json.dumps(value)}`" in told
    assert told.count(" = ") == sum(map(len, sections.values()))
    flat = {f"{k}.{n}" for k, v in look.items() if isinstance(v, dict) for n in v}
    flat |= {k for k, v in look.items() if not isinstance(v, dict)}
    assert {f"theme.{name}" for name in flat} <= set(config._config_options_template)


# ---------------------------------------------------------------- code


def printed(code):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    return [line.split() for line in out.getvalue().splitlines()]


def test_ten_lines_of_python_run():
    code = blocks("python")[0]
    assert len([line for line in code.splitlines() if line]) <= 10
    lines = printed(code)
    assert [line[0] for line in lines] == ["EM"] * 3 + ["SO"] * 3 + ["EM", "SO"]
    for line in lines[:6]:
        assert 0 < float(line[2]) < float(line[4])  # the measured distance lies below the bound
    assert [float(line[1]) for line in lines[6:]] == pytest.approx([1, 2], abs=0.15)


@pytest.mark.slow
def test_a_target_of_ones_own_runs():
    code = blocks("python")[1]
    lines = printed(code)
    assert sorted(line[:2] for line in lines) == [["EM", "0.25"], ["EM", "0.5"], ["SO", "0.25"], ["SO", "0.5"]]
    assert all(0 < float(line[2]) < float(line[4]) for line in lines)
    names = {}
    exec(code.split("study = ")[0], names)
    ridge = names["ridge"]
    assert (ridge.facts.m0.value, ridge.facts.L0.value) == (1, 6)
    assert ridge.facts.cov[0, 1] < 0  # mass lies across the ridge (2, 1)


def test_the_study_file_and_the_shell_command():
    file, learned = blocks("json")
    study = Study.from_json(file)
    assert study.to_json() == json.loads(file)
    assert Study.from_json(learned).score_error == {"name": "learned", **learned_score.DEFAULT}
    assert ".venv/bin/python -m dlab run study.json --out out\n" in blocks("sh")
    assert Study.from_json({"target": json.loads(file)["target"]})  # only the target must be given


def test_the_keys_that_ask_for_more_are_those_of_a_study():
    rows = table("From the shell")
    assert {key for key, *_ in rows} == {*EXTENDED, "steps"}
    for key, example, said in rows:
        scheme = {"noise": ["DDPM"], "churn": ["CHURN"]}.get(key, ["EM"])
        target = {"name": "images", "count": 2} if key == "growth" else {"name": "gaussian", "mean": [0], "cov": [[1]]}
        study = Study.from_json({"target": target, "schemes": scheme, key: json.loads(example.strip("`"))})
        assert study.to_json()["h" if key == "steps" else key]
        assert key != "vary" or all(axis in said for axis in AXES)


def test_the_citation_names_version_licence_and_papers():
    text = (ROOT / "CITATION.cff").read_text()
    version = (ROOT / "dlab" / "_version.py").read_text().split('"')[1]
    assert f"\nversion: {version}\n" in text
    assert "\nlicense: MIT\n" in text
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 The dlab authors\n")
    for paper in ("2502.04849", "2601.18425", "2506.09681"):
        assert f"https://arxiv.org/abs/{paper}" in text
        assert f"https://arxiv.org/abs/{paper}" in README
