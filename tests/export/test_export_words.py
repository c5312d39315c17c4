"""Table, caption, BibTeX and snippet say the result's own numbers and break no one else's syntax."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cases import GAUSSIAN, SKEW

from dlab import __version__, export, targets
from dlab.export import words
from dlab.figures.numbers import number, power_of_ten
from dlab.figures.tables import value_text
from dlab.study import Study, refitted, run

ROOT = Path(__file__).resolve().parents[2]
STUDY = {"target": GAUSSIAN, "schemes": ["EM", "SO"], "h": [0.5, 0.25, 0.125, 0.0625, 0.03125], "T": 4.0, "seed": 7}


@pytest.fixture(scope="module")
def result():
    return run(Study.from_json(STUDY)).to_json()


def balanced(text):
    """Whether braces and environments close in order, escaped braces aside."""
    depth = 0
    for c in re.sub(r"\\[{}\\]", "", text):
        depth += {"{": 1, "}": -1}.get(c, 0)
        assert depth >= 0
    open_ = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            open_.append(name)
        else:
            assert open_.pop() == name
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    return depth == 0 and not open_


def test_latex_table_is_whole_and_has_the_numbers(result):
    text = export.latex_table(result)
    assert balanced(text)
    assert text.isascii()
    body = [line for line in text.splitlines() if line.endswith("\\\\") and line.count("&") == 4][1:]
    assert len(body) == len(result["rows"])
    for name in ("EM", "SO"):
        assert re.search(rf"multicolumn\{{5\}}\{{l\}}\{{{name}, .*slope \$", text)
    ordered = [r for s in ("EM", "SO") for r in result["rows"] if r["scheme"] == s]
    for line, row in zip(body, sorted(ordered, key=lambda r: (r["scheme"], -r["h"])), strict=True):
        h, steps, evals, value, bound = (cell.strip() for cell in line.removesuffix("\\\\").split("&"))
        assert h == f"$1/{round(1 / row['h'])}$"
        assert int(steps) == row["steps"]
        assert int(evals) == row["score_evals"] + row["hessian_evals"]
        assert plain(value) == value_text(row)
        assert plain(bound) == number(row["bound"])


def plain(cell):
    cell = cell.removesuffix("$^{*}$").strip("$").replace(r"\pm", "±")
    return re.sub(r" \\times 10\^\{(-?\d+)\}", lambda found: f"×{power_of_ten(int(found[1]))}", cell).replace("-", "−")


def test_latex_of_awkward_rows():
    row = {"scheme": "A&B_1", "h": 0.3, "steps": 3, "w2": 1.7e-4, "stderr": 1e-5, "bound": None, "method": "projected",
           "particles": 512, "resolved": True}
    lost = {**row, "w2": None, "diverged": 5}
    endless = {**row, "w2": None, "flags": ["W₂ is infinite: the law has no second moment"]}
    text = export.latex_table({"rows": [row, lost, endless], "study": {"target": {"name": "x{%$\\~^"}, "T": 1.0}})
    assert balanced(text)
    assert r"$(1.7 \pm 0.2) \times 10^{-4}$$^{*}$ & --" in text or r"\times 10^{-4}$$^{*}$ & --" in text
    assert "& diverged$^{*}$ &" in text
    assert "& infinite$^{*}$ &" in text
    assert r"A\&B\_1" in text
    assert balanced(export.latex_table({}))
    assert words.latex(r"\input{x}") == r"\textbackslash{}input\{x\}"
    assert words.latex("☃ é") == "? é"


def test_caption_says_what_how_and_of_what(result):
    said = export.caption(result)
    for part in ("law of EM and SO", "without sampling", "no sampling error", "gaussian (mean = [-0.4, 0.9]", "T = 4",
                 "start from the exact law at time T", "no score error", "seed 7", f"dlab {__version__}", "95 % intervals"):
        assert part in said, part
    noisy = {**result, "rows": [{**r, "method": "projected", "stderr": 0.01, "particles": 512} for r in result["rows"]]}
    said = export.caption(noisy)
    assert all(part in said for part in ("512", "95 %", "1.96")), said
    wrong = {**result, "study": {**result["study"], "start": "paper", "score_error": {"name": "constant", "level": 0.1}}}
    assert "level = 0.1" in export.caption(wrong)
    assert "N(0, σ²I) at time T" in export.caption(wrong)
    assert export.caption({}).startswith("W₂ distance")
    third = {**result, "study": {**result["study"], "target": {"name": "gaussian", "mean": [1 / 3, 0.0], "cov": [[1.0, 0.0], [0.0, 1.0]]}}}
    assert "(mean = [0.333333, 0], cov = [[1, 0], [0, 1]])" in export.caption(third)


def test_caption_says_everything_that_the_numbers_depend_on(result):
    """Grid, early stop, options and start; of an axis that is a slider's, nothing that moves with it."""
    study = {**result["study"], "grid": {"name": "karras", "rho": 7.0}, "stop": 0.001, "noise": "inf", "churn": 5.0, "start": "vp"}
    said = export.caption({**result, "study": study})
    for part in ("karras (rho = 7)", "stopped at t = 0.001", "noise = inf", "churn = 5", "start from N(0, I)"):
        assert part in said, part
    assert "h = " not in export.motion_caption(study, 8, 100, "")
    assert "h = 1/2" in export.motion_caption(result["study"], 8, 100, "")
    knobs = targets.REGISTRY["mixture"].knobs_of(mixture := targets.REGISTRY["mixture"].example)
    said = export.caption({**result, "study": {**result["study"], "target": mixture, "vary": {"axis": "target.sep", "values": [1, 2]}}})
    assert "means" not in said
    assert "sep =" not in said
    assert f"var = {knobs['var']:g}" in said


VARIED = {
    "score_error.level": (
        {"score_error": {"name": "constant", "level": 1, "angle": 30}}, [0, 0.1, 0.2, 0.4, 0.8], "score error ε",
        r"slope in $\varepsilon$ $",
    ),
    "T": ({"start": "paper"}, [0.5, 1, 1.5, 2, 6], "horizon T", "rate $"),
    "d": ({"target": {"name": "spectrum", "dim": 1, "high": 0.8}}, [1, 4, 16, 256], "dimension d", "slope in $d$ $0.500"),
    "target.c": ({"target": SKEW}, [0.5, 1.0], "target's c", None),
}  # fmt: skip


@pytest.mark.parametrize("axis", VARIED)
def test_table_and_caption_of_a_study_along_an_axis(axis):
    changes, values, by, slope = VARIED[axis]
    result = run(Study.from_json({**STUDY, "h": [0.25, 0.03125], **changes, "vary": {"axis": axis, "values": values}})).to_json()
    text, said = export.latex_table(result), export.caption(result)
    assert balanced(text)
    body = [line.split(" & ") for line in text.splitlines() if line.endswith("\\\\") and line.count("&") == 4][1:]
    assert [float(cells[0].strip("$")) for cells in body] == values * 2, "at the finest step size alone"
    measured = {(r["scheme"], r["value"]): value_text(r) for r in result["rows"] if r["h"] == 0.03125}
    assert [plain(cells[3]) for cells in body] == [measured[s, v] for s in ("EM", "SO") for v in values]
    if slope:
        assert text.count(slope) == 2
        assert "with 95 % intervals" in said
    else:
        assert "slope" not in text.split("toprule")[1]
        assert "$^{*}$" not in text
    assert f"by {by} at h = 1/32. " in said
    # What varies is not said to be fixed.
    assert {"score_error.level": "constant (angle = 30)", "T": "1.45]]), start from", "d": "spectrum (", "target.c": "angle"}[axis] in said
    assert "level =" not in said
    assert "dim =" not in said
    assert " c =" not in said


def test_bibtex_is_what_the_citation_file_says():
    text, cff = export.bibtex(), (ROOT / "CITATION.cff").read_text()
    assert balanced(text)
    bare = text.replace("{", "").replace("}", "")
    for title in re.findall(r'title: "(.*)"', cff):
        assert title in bare, title
    for person in re.findall(r"family-names: (\w+), given-names: (\w+)", cff):
        assert ", ".join(person) in text
    for paper in re.findall(r"arXiv:([\d.]+)", cff):
        assert f"eprint = {{{paper}}}" in text
        year = re.search(rf"year: ([0-9]+)\n(?:(?!year:).)*?arXiv:{re.escape(paper)}", cff, re.S)[1]
        assert re.search(rf"year = \{{{year}\}},\n  eprint = \{{{re.escape(paper)}\}}", text)
    assert __version__ in text
    assert len(re.findall(r"^@", text, re.M)) == 4


def ran(code, tmp_path):
    (tmp_path / "again.py").write_text(code)
    out = subprocess.run(
        [sys.executable, str(tmp_path / "again.py")], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return out.stdout.splitlines()


def test_the_snippet_reproduces_the_rows(result, tmp_path):
    window = (0.5, 0.25)
    again = refitted(result, window)
    head, *lines = ran(export.snippet(again), tmp_path)
    assert head == "scheme,h,w2,stderr,bound"
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    assert [r[0] for r in rows] == [r["scheme"] for r in result["rows"]]
    for row, was in zip(rows, result["rows"], strict=True):
        assert [float(v) for v in row[1:]] == pytest.approx([was["h"], was["w2"], was["stderr"], was["bound"]], rel=1e-9)
    fits = [line.split() for line in lines if line.startswith("#")]
    assert [float(f[3]) for f in fits] == pytest.approx([f["slope"] for f in again["fits"]], rel=1e-9)
