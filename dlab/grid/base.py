"""The times t_0 > t_1 > ... > t_N of a run: the largest, and 0 or an earlier stop.

A grid is a maker, its settings and a number of steps: a small value that may be hashed, compared and kept. Where a maker's grids
nest, k times the steps refine it; where they do not, the steps themselves are parted.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dlab.grid.makers import MAKERS, sigma_of, time_of

PAST = 2  # times before a step that a scheme with a history may ask for
CLOSING = 16  # steps from a stop to 0, where a reference goes on to 0


class Span(NamedTuple):
    """Some steps of a grid, as compiled loops take them: times (C + 1,) from the first step's start; earlier (PAST,) the times before
    it, the last one last, infinite before the run; clock (C,), see `Grid.clock`."""

    times: np.ndarray
    earlier: np.ndarray
    clock: np.ndarray


@dataclass(frozen=True)
class Grid:
    """N = `steps` steps of a maker of the registry with its settings, (name, value) each.

    Raises ValueError unless the times are finite, fall all the way and end at 0 or above.
    """

    maker: str
    steps: int
    settings: tuple[tuple[str, object], ...]

    @cached_property
    def _given(self) -> dict:
        return dict(self.settings)

    @cached_property
    def times(self) -> np.ndarray:
        """t_0 > ... > t_N, (N + 1,)."""
        times = np.asarray(self._times(), float)
        if len(times) != self.steps + 1 or not (np.isfinite(times).all() and (np.diff(times) < 0).all() and times[-1] >= 0):
            raise ValueError(f"The times of the grid {self} must be {self.steps + 1} finite numbers that fall, the last one at least 0.")
        times.flags.writeable = False
        return times

    def _times(self):
        given, maker = self._given, MAKERS[self.maker]
        if "times" in given:
            return given["times"]
        T, stop = given["T"], given.get("stop", 0.0)
        if self.maker == "uniform":
            times = T - np.arange(self.steps + 1) * ((T - stop) / self.steps)
            times[-1] = stop
            return times
        times = np.empty(self.steps + 1)
        times[0], times[-1] = T, stop
        inner = self._parameters[: self.steps][1:]
        times[1 : self.steps] = maker.time(inner, **given)
        return times

    @cached_property
    def _parameters(self) -> np.ndarray:
        """The maker's own parameter at each of its equal steps; the last step, down to 0, is none of them where it ends before."""
        given, maker = self._given, MAKERS[self.maker]
        ends = np.array([given["T"], self._low])
        first, last = maker.parameter(ends, **given)
        count = self.steps - self.open_ended
        return first + (last - first) * np.arange(count + 1) / count if count else np.array([first])

    @property
    def _low(self) -> float:
        """The time at which the equal steps of the parameter end."""
        ends = MAKERS[self.maker].ends
        if not ends:
            return self._given.get("stop", 0.0)
        return self._given[ends] if ends == "delta" else float(time_of(self._given[ends]))

    @property
    def open_ended(self) -> bool:
        """The maker's last time is above the end, to which one step more leads: such grids do not nest."""
        return self._given.get("last") == "zero"

    @property
    def nests(self) -> bool:
        """The times of N steps are among those of k N, for every k."""
        return self.maker != "times" and not self.open_ended

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
        """The one size of all steps from T to 0; None where they differ or the run stops before."""
        return self.T / self.steps if self.maker == "uniform" and not self.stop else None

    @property
    def largest(self) -> float:
        """The largest step."""
        return self.step or float(self.h.max())

    @property
    def sigmas(self) -> np.ndarray:
        """sigma/alpha at the times, (N + 1,)."""
        return sigma_of(self.times)

    @cached_property
    def clock(self) -> np.ndarray:
        """beta at a step's start over its mean in the step, (N,): what is wrong where dt = beta ds is taken with beta frozen; 1 where
        there is no schedule, and in a step down to 0 that is none of the parameter's."""
        rate = np.ones(self.steps)
        if self.maker not in ("times", "uniform"):
            p, tiny = self._parameters, 1e-30
            slope = np.imag(MAKERS[self.maker].time(p[:-1] + tiny * 1j, **self._given)) / tiny
            rate[: len(slope)] = np.abs(slope * np.diff(p)) / self.h[: len(slope)]
        return rate

    def chunk(self, first: int, count: int) -> np.ndarray:
        """Times of `count` steps from step `first`, (count + 1,); beyond the end they stay at the last."""
        return self.times[np.minimum(np.arange(first, first + count + 1), self.steps)]

    def span(self, first: int, count: int) -> Span:
        """As `chunk`, with what else a step may ask for."""
        before = np.arange(first - PAST, first)
        earlier = np.where(before < 0, np.inf, self.times[np.maximum(before, 0)])
        clock = self.clock[np.minimum(np.arange(first, first + count), self.steps - 1)]
        return Span(self.chunk(first, count), earlier, clock)

    def steepest(self, L: float) -> float:
        """The largest h |Hess log p_t| where -Hess log p_0 is at most L: diffused, it is at most L / (e^-t + L (1 - e^-t))."""
        ends = np.exp(-self.times[1:])
        return float((self.h * L / (ends + L * (1 - ends))).max())

    def refined(self, k: int) -> "Grid":
        """A grid with the times of this one and k times its steps: in the maker's own parameter where its grids nest; else each step in
        k parts with equal ratios of t, one down to 0 in equal ones."""
        if self.nests:
            return Grid(self.maker, k * self.steps, self.settings)
        high, low, part = self.times[:-1, None], self.times[1:, None], np.arange(k) / k
        inner = np.where(low > 0, high * (np.maximum(low, 1e-300) / high) ** part, high * (1 - part))
        return of_times([*inner.ravel(), self.stop])

    def to_zero(self) -> "Grid":
        """This grid and, where it stops before 0, CLOSING steps more, equal in the root of t."""
        if not self.stop:
            return self
        return of_times([*self.times, *(self.stop * (1 - np.arange(1, CLOSING + 1) / CLOSING) ** 2)])

    def places(self, coarse: "Grid") -> np.ndarray:
        """Where the times of a coarser grid are among these, (N_coarse + 1,); ValueError where one of them is not."""
        found = self.steps - np.searchsorted(self.times[::-1], coarse.times * (1 - 1e-12) - 1e-15 * self.T)
        if (found < 0).any() or not np.allclose(self.times[found], coarse.times, rtol=2e-12, atol=2e-15 * self.T):
            raise ValueError(f"The times of {coarse} are not all among those of {self}.")
        return found


def uniform(T: float, steps: int) -> Grid:
    """Equal steps from T to 0."""
    return Grid("uniform", int(steps), (("T", float(T)),))


def of_times(times) -> Grid:
    """The grid of given times, from the largest down."""
    times = tuple(map(float, times))
    return Grid("times", len(times) - 1, (("times", times),))
