"""The law of a scheme beside its target as two densities: where W2 comes from."""

import math

import numpy as np
from scipy.interpolate import RectBivariateSpline, make_interp_spline

from dlab.answers.base import Answer
from dlab.laws import gaussian, mixture, plane, shared
from dlab.measure import Case, density, exact
from dlab.study.spec import Study
from dlab.targets.gaussian import Gaussian
from dlab.types import Estimate

SIDE = 101  # points a side of what is shown
REACH = 3.2  # and its half width in standard deviations of p_0


def law_density(study: Study, scheme: str, steps: int, tick=lambda: None) -> dict:
    """The final law of a scheme of a 2-D study and p_0, with the W2 between them: {"study", "scheme", "h", "steps", "w2", "method",
    "grid_change", "flags"} and a "map", {"x", "y" (SIDE,), "law", "target" (SIDE, SIDE), row = y}.

    w2 is None, without densities, where the law fits on no grid. tick() is
    called between steps on a plane and may raise to cancel.
    """
    study = study.prepared(lambda done: tick())
    way, case = study.law(scheme), study.case(scheme, steps)
    if way is density.ENTRY:
        found, shown = _of_plane(case, tick)
    elif isinstance(case.target, Gaussian):
        found, shown = _of_gaussian(case)
    else:
        found, shown = _of_product(case)
    return {
        "study": study.to_json(), "scheme": scheme, "h": case.grid.step, "steps": steps, "w2": found.value, "method": found.method,
        "grid_change": found.grid_change if math.isfinite(found.grid_change) else None,
        "flags": list(found.flags), **(shown if found.value is not None else {}),
    }  # fmt: skip


def _of_gaussian(case: Case) -> tuple[Estimate, dict]:
    facts, law = case.target.facts, gaussian.propagate(case.scheme, case.target, case.error, grid=case.grid, start=case.start)

    def normal(mean, cov):
        def values(x):
            u = x - mean
            return np.exp(-np.sum(u @ np.linalg.inv(cov) * u, -1) / 2) / (2 * np.pi * np.sqrt(np.linalg.det(cov)))

        return values

    found, shown = exact.ENTRY.estimate(case), normal(law.mean[-1], law.cov[-1])
    if found.value is None:
        return found, {}
    if found.method == "joint":
        axes, steps = np.asarray(case.target.field.vectors), case.grid.steps
        M, V = mixture.draws(law.maps, *law.begin(case.target), [steps])[steps]
        deviations = np.sqrt(V.mean(1) + M.var(1))
        lines = [np.linspace(m - 8 * s, m + 8 * s, 2 * SIDE) for m, s in zip(M.mean(1), deviations)]
        shown = _spline(lines, mixture.density(M, V, lines), axes)
    return found, _map(case, found, shown, normal(facts.mean, facts.cov))


def _of_product(case: Case) -> tuple[Estimate, dict]:
    if case.scheme.randomised and case.target.unbounded:
        return exact.ENTRY.estimate(case), {}
    lines, axes = exact.lines(case, [case.grid.steps]), case.target.factors.axes
    (found,), _ = exact.of_lines(case, np.array([case.grid.steps]), lines)
    if found.value is None:
        return found, {}

    def product(which):
        # A jump would ring between the knots of a cubic.
        degree = [1 if which == "target" and line.quantile else 3 for line, _ in lines]
        splines = [make_interp_spline(line.x, getattr(line, which)[-1], k) for (line, _), k in zip(lines, degree)]
        return lambda x: np.prod([s(np.clip(u, *s.t[[0, -1]])) for s, u in zip(splines, np.moveaxis(x @ axes, -1, 0))], 0)

    if not case.scheme.randomised:
        return found, _map(case, found, product("density"), product("target"))
    pair = exact.pair(case, lines)
    *_, (a, b, left, right) = shared.carried(*pair)
    law = (np.outer(a, b) + left @ right.T) / np.prod([c.spacing for c in pair])
    return found, _map(case, found, _spline([c.x for c in pair], law, axes), product("target"))


def _of_plane(case: Case, tick) -> tuple[Estimate, dict]:
    law, change = plane.propagate(case, [case.grid.steps], tick)
    (found,), _ = density.of_plane(case, law, change)

    both = (_spline(law.lines, values[-1], law.axes) for values in (law.density, law.target))
    return found, _map(case, found, *both) if found.value is not None else {}


def _spline(lines, values, axes):
    """values on the grid of lines along axes as a function of points, 0 outside."""
    smooth = RectBivariateSpline(*lines, values)

    def at(x):
        u = np.moveaxis(x @ axes, -1, 0)
        inside = np.all([(v >= line[0]) & (v <= line[-1]) for v, line in zip(u, lines)], 0)
        return np.where(inside, smooth.ev(*u), 0.0)

    return at


def _map(case, found, law, target) -> dict:
    facts = case.target.facts
    half = REACH * np.sqrt(np.diag(facts.cov).max()) + 1.5 * found.value
    x, y = (np.linspace(m - half, m + half, SIDE) for m in facts.mean)
    points = np.stack(np.meshgrid(x, y), -1)
    return {"map": {"x": _short(x), "y": _short(y), "law": _short(law(points)), "target": _short(target(points))}}


def _short(values) -> list:
    return np.round(values, 7).tolist()


def cost(study: Study, scheme: str, steps: int) -> float:
    way = study.law(scheme)
    return way.price(study.case(scheme, steps)) if way else 0.0


def applies(study: Study, scheme: str, steps: int) -> str | None:
    if study.built.dim != 2:
        return f"laws are drawn in the plane, and this target has d = {study.built.dim}; choose a target with d = 2."
    if study.law(scheme) is None:
        return f"the law of {scheme} is not known without particles for this target and score error; choose another scheme or target."
    return None


ANSWER = Answer(
    "law", "A scheme's law and its target as densities", law_density, ("target", "T", "start", "score_error"), cost, applies=applies
)
