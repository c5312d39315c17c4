"""The ribbon's picture: time runs as sampling does, steps are ticks, flow and noise look different, and every number is in the table."""

import json

import numpy as np
import pytest
from drawing import array, drawable, plotly

from dlab import engine, export
from dlab.answers import ribbon as answer
from dlab.cache import dumps
from dlab.figures import ribbon, screen
from dlab.study import Study

TARGET = {"name": "mixture", "weights": [0.7, 0.3], "means": [[-1.4, 0.0], [1.6, 0.5]], "var": 0.3}


@pytest.fixture(scope="module")
def found():
    asked = Study.from_json({"target": TARGET, "schemes": ["EM", "PF-EULER"], "steps": [16]})
    made = answer.ribbon(asked, 16)
    assert json.loads(dumps(made)) == made
    return made


def test_it_is_drawn_everywhere(found):
    sheet = ribbon.sheet(found)
    drawable(sheet, grey=(False, True))
    assert sheet.caption in sheet.alt
    assert "role=\"img\"" in screen.standalone(sheet)
    assert export.figure_bytes(sheet, "png")[:4] == b"\x89PNG"


def test_time_runs_from_T_to_0_and_every_step_is_a_tick(found):
    figure = plotly(ribbon.sheet(found).parts[0])
    axis = figure.layout.xaxis
    assert tuple(axis.range) == (4.0, 0.0)
    np.testing.assert_allclose(axis.tickvals, np.linspace(4, 0, 17))
    labels = [t for t in axis.ticktext if t]
    assert (labels[0], labels[-1]) == ("4", "0")
    assert 3 <= len(labels) <= ribbon.LABELS + 1


def test_the_steps_of_a_crowded_grid_have_few_labels():
    asked = Study.from_json({"target": TARGET, "schemes": ["DDIM"], "steps": [64], "grid": {"name": "karras"}})
    ticks = ribbon.sheet(answer.ribbon(asked, 64)).parts[0].x.ticks
    assert len(ticks) == 65
    labelled = [v for v, text in ticks if text]
    assert len(labelled) <= ribbon.LABELS + 1
    assert min(np.abs(np.diff(labelled))) >= (ticks[0][0] - ticks[-1][0]) / ribbon.LABELS


@pytest.mark.parametrize("theme", screen.THEMES)
def test_flow_and_noise_differ_by_colour_and_dash(found, theme):
    figure = plotly(ribbon.sheet(found).parts[0], theme)
    heat, em, flow, *keys = figure.data
    assert (heat.type, em.name, flow.name) == ("heatmap", "EM", "PF-EULER")
    assert em.line.dash != flow.line.dash
    assert em.line.color != flow.line.color
    assert [k.name for k in keys] == ["EM (SDE)", "PF-EULER (ODE)"]
    assert [(k.line.dash, k.line.color, k.legendgroup) for k in keys] == [(s.line.dash, s.line.color, s.legendgroup) for s in (em, flow)]
    drawn = array(json.loads(screen.spec(ribbon.sheet(found).parts[0], theme, False, 400))["data"][1]["y"])
    assert np.isnan(drawn).sum() == answer.PATHS
    kept = drawn.reshape(answer.PATHS, 18)[:, :17]
    np.testing.assert_allclose(kept, found["paths"][0]["x"], rtol=1e-6)


def test_sentence_table_and_rows_have_the_numbers(found):
    em, flow = found["paths"]
    assert f"EM exchanges {em['exchanged']} of 276" in ribbon.sentence(found)
    assert em["exchanged"] > 50
    assert flow["exchanged"] == 0
    lines = ribbon.table(found)
    assert [r["dynamics"] for r in lines] == ["SDE", "ODE"]
    assert len(ribbon.rows(found)) == 2 * answer.PATHS * 17
    gone = {**found, "paths": [{**em, "exchanged": None, "off": None, "x": [[*one[:-1], None] for one in em["x"]]}]}
    assert "loses paths" in ribbon.sentence(gone)
    drawable(ribbon.sheet(gone))
    assert not ribbon.sentence({**found, "paths": []})


def test_it_is_kept_under_what_enters_it():
    one = Study.from_json({"target": TARGET, "schemes": ["EM"], "steps": [16]})
    other = Study.from_json({"target": TARGET, "schemes": ["EM"], "steps": [16], "start": "paper"})
    more = Study.from_json({"target": TARGET, "schemes": ["EM"], "steps": [16], "particles": 64})
    name = engine.answer_name
    assert name("ribbon", one, 16) == name("ribbon", more, 16)
    assert len({name("ribbon", one, 16), name("ribbon", other, 16), name("ribbon", one, 8)}) == 3
