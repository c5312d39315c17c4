"""W2 of a scheme's law on any target of the plane, its density carried on a grid: no Monte Carlo, and a route of its own
by which the projected estimator can be judged where no exact law is known."""

import numpy as np

from dlab.laws import levels, plane
from dlab.look import Style
from dlab.measure.base import Case, Method, by_law, unsettled
from dlab.types import Estimate

NEAR = 0.5  # W2 in standard deviations of p_0 up to which the tangent distance was within 1 % of the exact one
POINT = 8  # particle-steps that cost as much as moving one grid point without nodes


def applies(case: Case) -> str | None:
    if case.target.dim != 2:
        return f"The density is carried on a grid of the plane; this target has d = {case.target.dim}."
    if case.grid.stop:
        return "The density on a grid needs a run down to t = 0; choose the projected estimator."
    if case.scheme.asks != {"start"}:
        return f"{case.scheme.name} evaluates the score between the points of a grid; choose the projected estimator."
    if case.error.draws:
        return "This score error is random, and a grid carries the density under one score only; choose the projected estimator."
    if case.error.carries:
        return "A stale Hessian remembers where each particle was, and a grid carries a density; choose the projected estimator."
    return None


def price(case: Case) -> int:
    """The cost in particle-steps of the two grids that are needed at least."""
    coarse = 0 if plane.finest(case) > 2 * plane.REACH / plane.SIZES[0] else 1
    nodes = [(plane.LEAST + i) ** 2 if case.scheme.hessian_evals else 1 for i in (0, 1)]
    sizes = plane.SIZES[coarse : coarse + 2]
    return int(case.grid.steps * POINT * sum(size**2 * (2 + n) / 3 for size, n in zip(sizes, nodes)))


def follow(case: Case, at) -> tuple[list[Estimate], np.ndarray]:
    """W2 to p_t after each of the steps `at` (ascending, the last one the number of steps), and the mean |e|^2 met at each step."""
    return of_plane(case, *plane.propagate(case, at))


def of_plane(case: Case, law: plane.Plane, change: float) -> tuple[list[Estimate], np.ndarray]:
    """`follow` where the law is known already, as `plane.propagate` gives it."""
    if not law.lost <= plane.LOST:
        return [Estimate(None, None, "density")] * len(law.at), law.error_square
    flags = ()
    if not change <= levels.SETTLED:
        flags = (unsettled("the density", change),)
    if case.target.unbounded:  # at an edge; all grids may misplace it alike
        flags = (*flags, "p₀ jumps, and its edge is misplaced by up to half the grid's spacing; choose the exact law")
    values = [law.w2(i) for i in range(len(law.at))]
    return [_estimate(case, value, flags, change) for value in values], law.error_square


def _estimate(case, value, flags, change):
    if not value <= NEAR * case.target.facts.std():
        flags = (*flags, "the tangent distance is first order in the displacement, and this one is large")
    return Estimate(value, 0.0, "density", flags=flags, grid_change=change)


ENTRY = by_law(
    "density", "Density on a grid", applies, follow, price,
    methods=(
        Method(
            "density",
            "**Density on a grid.** The density of the scheme's law is carried through the steps on a grid of the "
            "plane: mass moves to where the scheme sends it, then the noise is added. $W_2$ is the tangent distance, "
            "the length of the gradient field that moves one density to the other, to first order in the displacement: "
            "within 1 % up to half a standard deviation. No sampling, no error bars.",
            "of the density carried through the steps on a grid, to first order in the displacement",
            note="of the density on a grid, to first order in the displacement",
        ),
    ),
    style=Style("#1d2733", "#e8edf3", "", "solid"),
)  # fmt: skip
