"""The prepared scenes open at once and are what their command makes."""

import numpy as np
import pytest

from dlab import jobs
from dlab.ui import links, runs, scenes

MOVING = [s for s in scenes.SCENES if s.page == "particles"]


def scene_study(scene):
    values, notes = links.read(scene.settings)
    assert notes == []
    study = links.moving_study(values)
    return study, study.steps[-1], values["moving"]


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda s: s.name)
def test_a_scene_is_a_whole_address_that_reads_back(scene):
    values, _ = links.read(scene.settings)
    again, notes = links.read(scenes.address(scene))
    assert (again, notes) == (values, [])


@pytest.mark.parametrize("scene", MOVING, ids=lambda s: s.name)
def test_a_moving_scene_has_its_prepared_file(scene):
    name = runs.movie_key(*scene_study(scene)) + ".movie"
    assert (jobs.PREPARED / name).exists(), "run python -m dlab.ui.scenes"


def test_no_prepared_file_is_left_over():
    wanted = {runs.movie_key(*scene_study(s)) + ".movie" for s in MOVING}
    assert {p.name for p in jobs.PREPARED.glob("*.movie")} == wanted


@pytest.mark.slow
@pytest.mark.parametrize("scene", MOVING, ids=lambda s: s.name)
def test_the_prepared_file_is_what_the_command_makes(scene, tmp_path, monkeypatch):
    prepared = runs.known_movie(*scene_study(scene))[1]["table"]
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    made = runs.make_movie(*scene_study(scene))[1]["table"]
    assert made.keys() == prepared.keys()
    for name in made:
        as_numbers = [np.array([np.nan if v is None else v for v in t[name]], float) for t in (made, prepared)]
        np.testing.assert_allclose(*as_numbers, rtol=1e-3, atol=1e-6)
