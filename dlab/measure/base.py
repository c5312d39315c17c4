"""What an estimator of W2 is given (a case, pairs of particles), and the record that it is registered as."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlab import process
from dlab.grid import Grid
from dlab.look import PLAIN, Style
from dlab.sample import reference
from dlab.schemes import Scheme
from dlab.types import Estimate


@dataclass(frozen=True)
class Case:
    """One point of a curve: a scheme on a target with an error, in the steps of a grid."""

    target: Any
    scheme: Any
    error: Any
    grid: Grid
    start: str
    seed: int = 0

    @property
    def reference(self) -> Scheme:
        """What stands for the process that the scheme's steps converge to."""
        return reference.of(self.scheme)

    @property
    def noisy(self) -> bool:
        """The coupling to the reference carries noise of the scheme's own, larger than the bias."""
        return self.scheme.randomised or self.error.draws

    @property
    def controlled(self) -> bool:
        """What that noise does to first order is known, see `dlab.sample.control`: not where a step depends on those before it."""
        return self.noisy and not self.scheme.history

    @property
    def early_stop(self) -> float | None:
        """W2(p_stop, p_0), which no step size removes; None for a run down to 0, and where no closed form is known."""
        if not (stop := self.grid.stop) or self.target.along_axes is None:
            return None
        a, var = float(process.scale(stop)), float(process.variance(stop))
        values, means = self.target.along_axes
        return float(np.sqrt(np.sum((np.sqrt(a**2 * values + var) - np.sqrt(values)) ** 2 + ((1 - a) * means) ** 2)))

    def times(self, at) -> np.ndarray:
        """The times whose p_t the law after each of the steps `at` is compared with: 0 at the end, also where the run stops before."""
        at = np.asarray(at)
        return np.where(at == self.grid.steps, 0.0, self.grid.times[at])


@dataclass(frozen=True)
class Pairs:
    """Scheme and reference from the same starts and, of the reverse SDE, on the same Brownian paths, x and y (n, d); y None where no
    reference was asked for.

    half (n, d): the reference with half of its steps, from which means over the reference's law are extrapolated
    (Richardson); order: that of the reference's law. fluctuation (n, d): what the scheme's own noise did to x to first order, of mean zero
    given the path (dlab.sample.control).
    """

    x: np.ndarray
    y: np.ndarray | None
    half: np.ndarray | None = None
    fluctuation: np.ndarray | None = None
    order: float = 2.0


@dataclass(frozen=True)
class Method:
    """What a number is, in words, under the name that rows have it by.

    explanation   a paragraph of Markdown for the pages
    caption       half a sentence for figures in print; {n} stands for the number of Brownian paths
    note          what a table adds to the value where it is not W2 itself
    lower         it is a lower bound of W2, and so is a number of steps found with it
    """

    name: str
    explanation: str
    caption: str
    note: str = ""
    lower: bool = False


@dataclass(frozen=True)
class Estimator:
    """One line of the registry.

    sampled  it needs Pairs; the laws do not
    applies(case) -> None, or a sentence why the estimator has nothing to say there
    estimate(case, pairs) -> Estimate
    quick(case, pairs) -> Estimate, for a provisional point; the estimate itself where None
    follow(case, at) -> W2 to p_t after each of the steps `at` (ascending, the last one the number of steps) as a list of
        Estimates, and the mean |e|^2 met at each step, (N,); None where sampled
    price(case) -> its cost in particle-steps, 0 for milliseconds; None where sampled
    words(paths, d) -> doubles that it holds of a path at once
    alone    it looks at the scheme's particles without their reference: Pairs with y None
    uses_reference   its value depends on the reference, so that the reference's error is one of the value
    automatic        "auto" may choose it, the first of the registry that applies
    methods          what its numbers may be, its own first; derived from the title where none is given
    style            its look beside other estimators
    """

    name: str
    title: str
    sampled: bool
    applies: Callable[[Case], str | None]
    estimate: Callable[[Case, Pairs | None], Estimate]
    quick: Callable[[Case, Pairs], Estimate] | None = None
    follow: Callable[[Case, Any], tuple[list[Estimate], np.ndarray]] | None = None
    price: Callable[[Case], int] | None = None
    words: Callable[[int, int], float] = lambda paths, d: 0.0
    alone: bool = False
    uses_reference: bool = True
    automatic: bool = False
    methods: tuple[Method, ...] = ()
    style: Style = PLAIN

    def __post_init__(self):
        if not self.methods:
            object.__setattr__(self, "methods", (Method(self.name, f"**{self.title}.**", self.title),))


def by_law(name, title, applies, follow, price, **words) -> Estimator:
    """An estimator that carries the scheme's law through the steps and needs no particles."""

    def estimate(case: Case, pairs=None) -> Estimate:
        return follow(case, [case.grid.steps])[0][-1]

    return Estimator(name, title, False, applies, estimate, follow=follow, price=price, **words)


def unsettled(what: str, change: float) -> str:
    """The flag of a law on a grid whose W2 may be off by a share that is too large, or inf where only one grid holds it."""
    why = f"judging by its refinements, W₂ may be off by {change:.1%}" if math.isfinite(change) else "no coarser grid contains the law"
    return f"{what} is not resolved by its finest grid: {why}"


def jackknife(left) -> float:
    """Variance of an estimate from its values (blocks,), each with one block left out in turn (Efron & Stein 1981)."""
    left = np.asarray(left)
    return float((len(left) - 1) / len(left) * np.sum((left - left.mean()) ** 2))


def always(case: Case) -> None:
    return None


def paired(case: Case) -> str | None:
    """None, or the sentence why there is no reference on the same Brownian path."""
    if case.target.paired:
        return None
    return (
        "This target has no reference on the same Brownian path, which would take a hundred steps of SO and gigabytes; choose "
        "frechet, frechet-diagonal or sliced."
    )


def root(square: float, square_error: float) -> tuple[float, float]:
    """Value and standard error of W from those of W^2; a negative W^2 reads 0 +- its own error."""
    value = float(np.sqrt(max(square, 0.0)))
    return value, float(square_error / (2 * max(value, np.sqrt(square_error) / 2, 1e-300)))
