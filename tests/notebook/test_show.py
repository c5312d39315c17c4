"""What a notebook is given: a widget or a still picture, a run that is awaited, a table of its rows."""

import asyncio
import json
import struct
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as tree
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cases import SKEW

import dlab
from dlab import cache, engine
from dlab.figures.movie import MAGIC
from dlab.notebook.given import result_of, study_of
from dlab.notebook.picture import WITHOUT
from dlab.params import BadInput
from dlab.study import Study, run

STUDY = {
    "target": {"name": "gaussian", "mean": [0.5, 0.0], "cov": [[1.0, 0.3], [0.3, 0.6]]}, "schemes": ["EM", "SO"],
    "h": [0.5, 0.25], "T": 2.0,
}  # fmt: skip
SAMPLED = {"target": SKEW, "schemes": ["EM"], "h": [0.5, 0.25], "T": 2.0, "estimator": "projected", "particles": 2048}


def awaited(coroutine):
    """What a coroutine gives, in a thread: a browser of other tests keeps its own event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    engine.CACHE.forget()


def test_the_library_itself_imports_none_of_it():
    code = (
        "import sys, dlab, dlab.study; assert not any(name.startswith(('dlab.notebook', 'dlab.export', 'matplotlib', 'plotly', 'anywidget',"
        " 'pandas', 'IPython', 'distributed')) for name in sys.modules); assert dlab.show and 'dlab.notebook' in sys.modules;"
        " assert 'streamlit' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(dlab.__file__).parents[1])


def test_a_name_that_is_not_there_is_none():
    with pytest.raises(AttributeError, match="nothing"):
        _ = dlab.nothing


# ---------------------------------------------------------------- what is given


def test_a_study_its_object_its_file_and_its_result_are_the_same(tmp_path):
    study = Study.from_json(STUDY)
    result = run(study)
    file, written = tmp_path / "study.json", tmp_path / "result.json"
    file.write_text("\ufeff" + json.dumps(STUDY), encoding="utf-8")
    written.write_text(json.dumps(result.to_json()))
    for given in (study, STUDY, file, str(file)):
        assert study_of(given) == (study, None)
    for given in (result, result.to_json(), written):
        assert study_of(given) == (study, result.to_json())


@pytest.mark.parametrize("given", [3, None, "no/such/file.json", {"target": {"name": "nothing"}}, {}])
def test_anything_else_is_one_sentence(given):
    with pytest.raises(BadInput):
        dlab.show(given)


@pytest.mark.parametrize("given", ["\0", *(
    {"study": STUDY, **changed} for changed in (
        {"rows": []}, {"rows": 5, "fits": [], "notes": []}, {"rows": [{}], "fits": [], "notes": []}, {"rows": [], "fits": [], "notes": [1]},
        {"rows": [], "fits": [{"scheme": "EM"}], "notes": []}, {"rows": [], "fits": [{"scheme": "XX", "slope": 1.0}], "notes": []},
    )
)])  # fmt: skip
def test_a_result_that_no_run_wrote_is_one_sentence(given):
    for read in (dlab.show, dlab.rows):
        with pytest.raises(BadInput):
            read(given)


@pytest.mark.parametrize("changed", [{"w2": "0.1"}, {"w2": float("nan")}, {"scheme": "SO2"}, {"steps": True}])
def test_a_row_that_no_run_wrote_is_named(changed):
    result = run(Study.from_json(STUDY)).to_json()
    result["rows"][0] |= changed
    with pytest.raises(BadInput, match=rf"rows\[0\]\.{next(iter(changed))}"):
        dlab.rows(result)


def test_numbers_of_numpy_are_those_of_a_file():
    ours = {**STUDY, "target": {"name": "gaussian", "mean": [0.0, 0.5], "cov": [[1.0, 0.0], [0.0, 0.5]]}, "h": [0.5, 0.25], "T": 2.0}
    theirs = {**ours, "target": {"name": "gaussian", "mean": np.array([0, 0.5]), "cov": np.diag([1, 0.5]).astype("f4")}}
    theirs |= {"h": np.array([0.5, 0.25]), "T": Fraction(2)}
    assert study_of(theirs)[0].key == Study.from_json(ours).key


@pytest.mark.parametrize("count", [1, 2, 47])
def test_fewer_particles_than_can_be_followed_are_refused(count):
    with pytest.raises(BadInput, match="48"):
        dlab.show(STUDY, particles=count)


def test_a_kept_result_is_the_result_that_was_kept():
    for name in ("convergence-floor", "convergence-bound"):
        kept = json.loads((cache.PREPARED / f"{name}.json").read_text())
        result = result_of(Study.from_json(kept), kept)
        assert result.to_json()["rows"] == kept["rows"]
        assert [f["slope"] for f in result.to_json()["fits"]] == pytest.approx([f["slope"] for f in kept["fits"]])


# ---------------------------------------------------------------- pictures


def test_a_widget_has_the_curve_and_the_particles_and_climbs_when_its_slider_rests():
    pytest.importorskip("anywidget")
    widget = dlab.show(STUDY, particles=64)
    (length,) = struct.unpack("<I", widget.packet[4:8])
    options = json.loads(widget.packet[8 : 8 + length])
    assert options["live"]
    assert options["sizes"][0] > options["sizes"][-1]
    assert {0.5, 0.25} <= set(options["sizes"])
    assert movie(widget.packet)["rungs"][0]["h"] == 0.5
    first = movie(widget.packet)
    widget.h = 0.25
    climbed = movie(widget.packet)
    assert [rung["h"] for rung in climbed["rungs"]] == list(options["sizes"])
    assert climbed["id"] == first["id"]  # the player keeps its place
    assert climbed["box"] == first["box"]
    data, _ = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert tree.fromstring(data["image/svg+xml"]).tag.endswith("svg")
    assert "export default { render }" in widget._esm
    assert "export default function" not in widget._esm


def movie(packet):
    at = packet.index(MAGIC)
    (length,) = struct.unpack("<I", packet[at + 4 : at + 8])
    return json.loads(packet[at + 8 : at + 8 + length])


@pytest.mark.parametrize(
    "changed, particles",
    [({}, 0), ({"target": {"name": "gaussian", "mean": [0.0] * 3, "cov": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}}, 64),
     ({"vary": {"axis": "T", "values": [1.0, 2.0]}}, 64)],
)  # fmt: skip
def test_nothing_moves_where_no_plane_is_drawn(changed, particles):
    pytest.importorskip("anywidget")
    widget = dlab.show(STUDY | changed, particles=particles)
    assert widget.packet == b""
    assert "data:image/svg+xml" in widget.curve
    assert repr(widget)


def test_without_anywidget_the_curve_stands_still_and_says_why(monkeypatch):
    monkeypatch.delitem(sys.modules, "dlab.notebook.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    picture = dlab.show(STUDY, particles=64)
    assert tree.fromstring(picture._repr_svg_()).tag.endswith("svg")
    assert WITHOUT in picture._repr_html_()
    assert WITHOUT in repr(picture)
    assert WITHOUT not in dlab.show(STUDY, particles=0)._repr_html_()


# ---------------------------------------------------------------- runs


def test_an_awaited_run_gives_what_run_gives_and_other_work_goes_on():
    told, beats = [], []

    async def both():
        async def heart():
            while True:
                beats.append(time.monotonic())
                await asyncio.sleep(0.01)

        other = asyncio.create_task(heart())
        result = await dlab.arun(SAMPLED, progress=False, tick=told.append)
        other.cancel()
        return result

    result = awaited(both())
    assert result.to_json() == run(Study.from_json(SAMPLED)).to_json()
    assert told == sorted(told)
    assert told[-1] <= 1
    assert len(beats) > 3
    again = awaited(dlab.arun(SAMPLED, tick=lambda done: pytest.fail("it was kept")))
    assert again.rows == result.rows


def test_runs_awaited_together_run_one_after_the_other_and_are_the_same():
    asked = [{**SAMPLED, "seed": seed} for seed in (1, 2)]

    async def both():
        return await asyncio.gather(*(dlab.arun(study, progress=False) for study in asked))

    for study, result in zip(asked, awaited(both())):
        assert result.rows == run(Study.from_json(study)).rows


def test_a_cancelled_run_ends():
    async def stopped():
        begun = asyncio.Event()
        long = {**SAMPLED, "h": [1 / 256], "particles": 16384}
        task = asyncio.create_task(dlab.arun(long, progress=False, tick=lambda done: begun.set()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    awaited(stopped())
    end = time.monotonic() + 60
    while any(thread.name.startswith("dlab-unit") for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_mistake_in_a_run_is_raised_where_it_is_awaited():
    with pytest.raises(BadInput, match="schemes"):
        awaited(dlab.arun({**STUDY, "schemes": ["XY"]}))


# ---------------------------------------------------------------- rows


def test_rows_are_a_table_of_numbers():
    result = run(Study.from_json(STUDY))
    table = dlab.rows(result)
    assert table.w2.tolist() == [row.w2 for row in result.rows]
    assert table.scheme.tolist() == ["EM", "EM", "SO", "SO"]
    assert table.w2.dtype == float
    assert table["bound_parts.discretisation"].notna().all()
    varied = run(Study.from_json(STUDY | {"vary": {"axis": "T", "values": [1.0, 2.0]}}))
    assert sorted(set(dlab.rows(varied).value)) == [1.0, 2.0]


def test_rows_say_what_they_lack(monkeypatch):
    with pytest.raises(BadInput, match="arun"):
        dlab.rows(STUDY)
    with pytest.raises(BadInput, match="arrow"):
        dlab.rows(STUDY, "arrow")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(BadInput, match="pip install polars"):
        dlab.rows(STUDY, "polars")
