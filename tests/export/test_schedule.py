"""A grid that leaves for another library comes back as it was."""

import ast

import numpy as np
import pytest

from dlab import grid
from dlab.export import schedule
from dlab.study import Study


@pytest.mark.parametrize("name", [n for n in grid.MAKERS if n not in ("times", "uniform")])
def test_sigmas_come_back_as_the_same_times(name):
    asked = {"target": {"name": "spectrum", "values": [1.0, 0.1]}, "schemes": ["DDIM"]}
    own = Study.from_json({**asked, "grid": {"name": name}, "steps": [12]})
    lines = dict(line.split(" = ") for line in schedule.text(own.grid(12)).splitlines())
    back = Study.from_json({**asked, "grid": {"name": "times", "sigmas": ast.literal_eval(lines["sigmas"])}})
    np.testing.assert_allclose(back.grid(12).times, own.grid(12).times, rtol=1e-10)
    assert len(ast.literal_eval(lines["timesteps"])) == 12


def test_timesteps_are_those_of_the_trained_schedule():
    """At sigma of its own steps the linear schedule of DDPM is met at these steps, also read off t = -sum log(1 - beta)."""
    steps = np.array([999, 500, 250, 3])
    t = -np.cumsum(np.log(1 - schedule.TRAINED))[steps]
    np.testing.assert_allclose(schedule.timesteps(grid.of_times([*t, 0.0])), steps, atol=1e-3)
