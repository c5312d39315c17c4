"""A time grid as other libraries take it."""

import numpy as np

from dlab.grid import Grid

TRAINED = np.linspace(1e-4, 0.02, 1000)  # betas of DDPM's linear schedule, as diffusers' schedulers have them by default


def sigmas(grid: Grid) -> list[float]:
    """sigma/alpha at the grid's N + 1 times, as k-diffusion takes them; `{"name": "times", "sigmas": …}` reads them back."""
    return [float(f"{value:.12g}") for value in grid.sigmas]


def timesteps(grid: Grid) -> list[float]:
    """The N times at which the score is asked for in steps of the linear schedule of 1000 steps, fractions of them where the grid
    lies between; interpolated in log sigma, and held at the schedule's ends beyond them."""
    kept = np.cumprod(1 - TRAINED)
    known = np.log(np.sqrt((1 - kept) / kept))
    return [float(f"{v:.6g}") for v in np.interp(np.log(grid.sigmas[:-1]), known, np.arange(len(known)))]


def text(grid: Grid) -> str:
    """Both as lines of Python."""
    return f"sigmas = {sigmas(grid)}\ntimesteps = {timesteps(grid)}"
