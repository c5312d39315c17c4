"""The times t_0 > t_1 > ... > t_N of a run: T, and 0 or an earlier stop.

A grid is a maker, its settings and a number of steps: a small value that may be hashed, compared and kept. Where a maker's grids
nest, k times the steps refine it; where they do not, coarse and fine meet on the union of their times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Maker:
    """times(steps, **settings) -> t_0 > ... > t_N, (N + 1,); nests: those of N steps are among those of k N, for every k."""

    times: Callable[..., np.ndarray]
    nests: bool


def _uniform(steps, T):
    times = T - np.arange(steps + 1) * (T / steps)
    times[-1] = 0.0
    return times


MAKERS: dict[str, Maker] = {
    "uniform": Maker(_uniform, nests=True),
    "times": Maker(lambda steps, times: np.array(times), nests=False),
}


@dataclass(frozen=True)
class Grid:
    """N = `steps` steps of a maker of the registry with its settings, (name, value) each.

    Raises ValueError unless the times are finite, fall all the way and end at 0 or above.
    """

    maker: str
    steps: int
    settings: tuple[tuple[str, object], ...]

    @cached_property
    def times(self) -> np.ndarray:
        """t_0 > ... > t_N, (N + 1,)."""
        times = np.asarray(MAKERS[self.maker].times(self.steps, **dict(self.settings)), float)
        if len(times) != self.steps + 1 or not (np.isfinite(times).all() and (np.diff(times) < 0).all() and times[-1] >= 0):
            raise ValueError(f"The times of the grid {self} must be {self.steps + 1} finite numbers that fall, the last one at least 0.")
        times.flags.writeable = False
        return times

    @property
    def T(self) -> float:
        return float(self.times[0])

    @property
    def stop(self) -> float:
        """Where the run ends, 0 or above."""
        return float(self.times[-1])

    @property
    def h(self) -> np.ndarray:
        """Sizes of the steps, (N,)."""
        return -np.diff(self.times)

    @property
    def step(self) -> float | None:
        """The one size of all steps; None where they differ."""
        return self.T / self.steps if self.maker == "uniform" else None

    @property
    def largest(self) -> float:
        """The largest step."""
        return self.step or float(self.h.max())

    def chunk(self, first: int, count: int) -> np.ndarray:
        """Times of `count` steps from step `first`, (count + 1,); beyond the end they stay at the last."""
        return self.times[np.minimum(np.arange(first, first + count + 1), self.steps)]

    def refined(self, k: int) -> "Grid":
        """A grid with the times of this one and about k times its steps: exactly so in the maker's own parameter where its grids nest
        and in k equal parts of each step where the times alone are given, else the union with the maker's grid of k N steps."""
        if MAKERS[self.maker].nests:
            return Grid(self.maker, k * self.steps, self.settings)
        if self.maker == "times":
            inner = np.linspace(self.times[:-1], self.times[1:], k, endpoint=False, axis=1)
            return of_times([*inner.ravel(), self.stop])
        return union(self, Grid(self.maker, k * self.steps, self.settings))

    def places(self, coarse: "Grid") -> np.ndarray:
        """Where the times of a coarser grid are among these, (N_coarse + 1,); ValueError where one of them is not."""
        found = self.steps - np.searchsorted(self.times[::-1], coarse.times * (1 - 1e-12) - 1e-15 * self.T)
        if (found < 0).any() or not np.allclose(self.times[found], coarse.times, rtol=2e-12, atol=2e-15 * self.T):
            raise ValueError(f"The times of {coarse} are not all among those of {self}; take the union of both.")
        return found


def uniform(T: float, steps: int) -> Grid:
    """Equal steps from T to 0."""
    return Grid("uniform", int(steps), (("T", float(T)),))


def of_times(times) -> Grid:
    """The grid of given times, from the largest down."""
    times = tuple(map(float, times))
    return Grid("times", len(times) - 1, (("times", times),))


def union(*grids: Grid) -> Grid:
    """The grid of the times of all; those that differ by rounding alone count once. ValueError unless all start and stop together."""
    if len({g.T for g in grids}) > 1 or len({g.stop for g in grids}) > 1:
        raise ValueError("Grids that start or stop at different times have no common path.")
    times = np.sort(np.concatenate([g.times for g in grids]))[::-1]
    # Of times that are one but for rounding the earlier stays; 0, the stop of most grids, is exact.
    first = np.append(True, np.diff(times) < -1e-12 * times[:-1] - 4e-15 * times[0])
    return of_times(times[first])
