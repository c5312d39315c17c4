"""The times of a run, and the registry of ways to lay them: noise schedules and time grids, one line each."""

from dlab.grid.base import Grid, Span, of_times, uniform
from dlab.grid.makers import MAKERS, Maker, sigma_of, time_of
from dlab.grid.read import UNIFORM, filled, keys, read

__all__ = ["MAKERS", "UNIFORM", "Grid", "Maker", "Span", "filled", "keys", "of_times", "read", "sigma_of", "time_of", "uniform"]
