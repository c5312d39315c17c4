"""A grid that leaves for another library comes back as it was."""

import ast

import numpy as np
import pytest

from dlab import export, grid
from dlab.export.grids import TRAINED, trained_sigmas
from dlab.study import Study


@pytest.mark.parametrize("name", [n for n in grid.MAKERS if n not in ("times", "uniform")])
def test_sigmas_come_back_as_the_same_times(name):
    asked = {"target": {"name": "spectrum", "values": [1.0, 0.1]}, "schemes": ["DDIM"]}
    own = Study.from_json({**asked, "grid": {"name": name}, "steps": [12]})
    sigmas = ast.literal_eval(export.sigmas_text(own.grid(12)).removeprefix("sigmas = "))
    back = Study.from_json({**asked, "grid": {"name": "times", "sigmas": sigmas}})
    np.testing.assert_allclose(back.grid(12).times, own.grid(12).times, rtol=1e-8)


def test_timesteps_are_those_of_the_trained_schedule():
    """At sigma of its own steps the linear schedule of DDPM is met at these steps, also read off t = -sum log(1 - beta)."""
    steps = np.array([999, 500, 250, 3])
    t = -np.cumsum(np.log(1 - np.linspace(1e-4, 0.02, TRAINED)))
    np.testing.assert_allclose(np.sqrt(np.expm1(t)), trained_sigmas(), rtol=1e-9)
    assert export.timesteps_text(grid.of_times([*t[steps], 0.0])) == f"timesteps = {steps.tolist()}"
    assert "fall together" in export.timesteps_text(grid.of_times([*t[steps], 1e-9, 1e-10, 0.0]))
