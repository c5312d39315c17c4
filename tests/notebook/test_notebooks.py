"""The notebooks of docs/notebooks run from top to bottom, and what they say is what their cells find."""

import json
import os
import re
import runpy
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = {path.stem: path for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))}
colab = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "colab.py")))
MOST = 12  # cells
# What the words of each notebook claim, of the names that its cells leave behind.
CLAIMS = {
    "1-orders": """
slope = fits.slope
assert (slope[["EM", "EI"]] - 1).abs().max() < 0.1 and (slope[["REM", "REI", "SO"]] - 2).abs().max() < 0.25
assert fits.theory_order.to_dict() == {"EM": 0.5, "EI": 0.5, "REM": 0.5, "REI": 0.5, "SO": 1.0}
assert fits.law_order.to_dict() == {"EM": 1, "EI": 1, "REM": 2, "REI": 2, "SO": 2}
left = dlab.rows(rough).groupby("scheme").w2.min()
assert left.min() > 10 * rows.w2.min() and abs(left.max() / left.min() - 1) < 0.5
""",
    "2-bound": """
assert 250 < rows.times.max() < 350 and rows.times.is_monotonic_increasing
assert promised > 1000 * needed
assert abs(row.w2 - goal) < 0.1 * goal and row.stderr > 0
""",
    "3-exponential": """
ratio_ = table["w2"]["EI"] / table["w2"]["EM"]
assert ratio_.min() > 1.2 and (table["bound"]["EI"] < table["bound"]["EM"]).all()
assert (ratios[ratios.index <= 2] > 1).all() and ratios[4] < 1
""",
    "4-floor": """
share = floor / floor.index
assert share.max() / share.min() < 1.02
assert floor[0.1] < part
""",
    "5-equal-cost": """
fine = at[at.index >= 64]
assert (fine["SO"] > 3 * fine["REM"]).all() and (gaussians["SO"] > 4).all()
assert set(rows.groupby("scheme").evaluations.max()) == {512}
""",
    "6-bend": """
found = slopes(sharp)
assert found.is_monotonic_increasing and 1 < found.iloc[0] < 1.3 and 1.7 < found.iloc[-1] < 1.95
assert (table.iloc[-1].diff().dropna() < 0).all() and table[1.0].min() > 1.9
""",
}


@pytest.fixture
def kernel(at_hand):
    """A running kernel of this Python."""
    manager = pytest.importorskip("jupyter_client").KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(at_hand))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def at_hand(tmp_path, monkeypatch):
    """A folder, and an environment in which a kernel is of this Python, whatever kernels the machine has, and finds the lab."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {"PYTHONPATH": paths, "DLAB_CACHE": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_PREFER_ENV_PATH": "1",
           "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter")}  # fmt: skip
    for key, value in own.items():
        monkeypatch.setenv(key, value)
    return tmp_path


def test_each_notebook_is_short_and_has_no_outputs():
    assert set(FILES) == set(CLAIMS)
    for path in FILES.values():
        cells = json.loads(path.read_text("utf-8"))["cells"]
        assert len(cells) <= MOST
        assert cells[0]["cell_type"] == "markdown"
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
        setup = "".join(cells[1]["source"])
        assert "import dlab" in setup
        assert "git+{address}" in setup  # the name dlab on PyPI is not ours


def test_buttons_lead_to_where_the_repository_is():
    assert all(colab.written(name, path.read_text("utf-8"), colab.repository()) == path.read_text("utf-8") for name, path in FILES.items())
    name, path = next(iter(FILES.items()))
    address = "https://github.com/lab/sampling"
    there = colab.written(name, path.read_text("utf-8"), address)
    assert f"https://colab.research.google.com/github/lab/sampling/blob/main/docs/notebooks/{name}.ipynb" in there
    assert f'ADDRESS = \\"{address}\\"' in there
    assert colab.written(name, there, address) == there
    assert colab.written(name, there, "") == path.read_text("utf-8")
    listed = (ROOT / "docs" / "notebooks" / "README.md").read_text("utf-8")
    assert all(f"({name}.ipynb)" in listed for name in FILES)


def test_an_address_is_kept_changed_and_taken_away_again():
    plain = (ROOT / "pyproject.toml").read_text("utf-8")
    kept = colab.keeping(plain, "https://github.com/lab/sampling")
    assert tomllib.loads(kept)["project"].pop("urls") == {"repository": "https://github.com/lab/sampling"}
    assert colab.keeping(kept, "https://github.com/other/fork").count("repository") == 1
    assert colab.keeping(kept, "") == plain
    assert colab.read("https://github.com/lab/sampling.git/") == "https://github.com/lab/sampling"
    for wrong in ("https://gitlab.com/lab/sampling", "github.com/lab/sampling", "--chek"):
        with pytest.raises(ValueError, match="OWNER/NAME"):
            colab.read(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_notebook_runs_and_its_words_are_true(name, at_hand):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    book = nbformat.read(FILES[name], 4)
    book.cells.append(nbformat.v4.new_code_cell(CLAIMS[name]))
    nbclient.NotebookClient(book, timeout=240, kernel_name="python3").execute(cwd=str(at_hand))
    shown = [output for cell in book.cells for output in cell.get("outputs", ()) if "data" in output]
    assert any("application/vnd.jupyter.widget-view+json" in output["data"] for output in shown)


@pytest.mark.slow
def test_stop_ends_a_run_and_the_kernel_goes_on(kernel):
    long = {"target": {"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0}, "schemes": ["EM"], "h": [1 / 256], "T": 4.0, "particles": 65536,
            "estimator": "projected"}  # fmt: skip
    asked = kernel.execute(f"import dlab\nawait dlab.arun({long})", stop_on_error=False)  # else what comes next too soon is refused
    # The bar says that the run is under way.
    while (said := kernel.get_iopub_msg(timeout=120))["msg_type"] != "display_data":
        assert said["msg_type"] != "error"
    assert "<progress" in said["content"]["data"]["text/html"]
    kernel.parent.interrupt_kernel()
    while (reply := kernel.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != asked:
        pass
    assert reply["content"]["status"] == "error"
    left = "import threading, time\nwhile any(t.name.startswith('dlab-unit') for t in threading.enumerate()): time.sleep(0.1)\n6 * 7"
    answer = kernel.execute_interactive(left, timeout=120, output_hook=lambda said: None)
    assert answer["content"]["status"] == "ok"


@pytest.mark.slow
def test_the_readmes_cell_runs(kernel):
    section = (ROOT / "README.md").read_text("utf-8").split("\n## In a notebook\n")[1].split("\n## ")[0]
    (cell,) = re.findall(r"^```python\n(.*?)^```", section, re.S | re.M)
    shown = []
    hook = lambda said: shown.append(said["content"]["data"]) if said["msg_type"] == "execute_result" else None  # noqa: E731
    assert kernel.execute_interactive(cell, timeout=240, output_hook=hook)["content"]["status"] == "ok"
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
