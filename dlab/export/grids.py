"""A grid as the libraries of practice take it."""

import numpy as np

from dlab.grid import Grid

BETAS, TRAINED = (1e-4, 0.02), 1000  # of DDPM's linear schedule (Ho et al. 2020)


def sigmas_text(grid: Grid) -> str:
    """The N + 1 values of sigma, the last one where the grid ends, as k-diffusion takes them."""
    return f"sigmas = [{', '.join(f'{v:.10g}' for v in grid.sigmas)}]"


def trained_sigmas(betas: tuple[float, float] = BETAS, count: int = TRAINED) -> np.ndarray:
    """sigma at the timesteps 0, 1, ... of a model that was trained with `count` betas that rise linearly, (count,), rising."""
    alphas = np.cumprod(1 - np.linspace(*betas, count))
    return np.sqrt(1 / alphas - 1)


def timesteps_text(grid: Grid, betas: tuple[float, float] = BETAS, count: int = TRAINED) -> str:
    """The starts of the steps as `timesteps` of diffusers: those of the model's training whose log sigma is nearest, falling.

    A comment says where steps have fallen together, which happens below the smallest sigma of the training.
    """
    known = np.log(trained_sigmas(betas, count))
    nearest = [int(np.abs(known - v).argmin()) for v in np.log(grid.sigmas[:-1])]
    found = sorted(set(nearest), reverse=True)
    fewer = f"  # {len(found)} steps: some of the {grid.steps} fall together" if len(found) < grid.steps else ""
    return f"timesteps = {found}{fewer}"
