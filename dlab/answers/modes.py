"""How much of each mode a scheme's law has, beside the target: which modes are lost, and what leaves a compact support."""

import itertools

import jax
import numpy as np

from dlab.answers.base import Answer
from dlab.measure import exact
from dlab.sample import simulate, starts
from dlab.study.spec import Study

PATHS = 8192  # particles where no law is known


def modes_work(study: Study, steps: int) -> int:
    """What `modes` costs, in particle-steps."""
    cases = (study.case(name, steps) for name in study.schemes)
    return sum(exact.price(case) if _known(case) else PATHS * steps for case in cases)


def _known(case) -> bool:
    """Whether the law's density along the regions' axis is."""
    return exact.applies(case) is None and not (case.scheme.randomised and case.target.unbounded)


def modes(study: Study, steps: int, tick=lambda *done: None) -> dict:
    """Mass of each region of the target under the final law of every scheme of the study, in `steps` steps:

    {"regions": names, "target": masses, "h", "rows": [{"scheme", "masses", "stderr", "method", "why"}]}. From the law's
    density along the regions' axis where it is known (stderr 0), else from PATHS particles, with binomial standard errors, however
    far they went; masses None, with a sentence why, where some are not finite. tick() may raise to cancel.
    """
    study = study.prepared(tick)
    target, regions = study.built, study.built.regions
    found = {"regions": list(regions.names), "target": _short(_own(target, regions)), "h": study.grid(steps).step, "rows": []}
    for name in study.schemes:
        tick()
        case = study.case(name, steps)
        masses, why = (_by_law(case, regions) if _known(case) else None), ""
        by_law, stderr = masses is not None, np.zeros(len(regions.names))
        if not by_law:
            masses, stderr, why = _counted(case, regions)
        found["rows"].append({
            "scheme": name, "masses": _short(masses), "stderr": _short(stderr), "method": "law" if by_law else "particles", "why": why,
        })  # fmt: skip
    return found


def _own(target, regions):
    """The target's own masses, by its density on a fine line."""
    density = target.factors.densities[regions.coordinate]
    if hasattr(density, "table"):
        x, cdf = density.table()
        return np.diff([0.0, *np.interp(regions.cuts, x, cdf), 1.0])
    axis = target.factors.axes[:, regions.coordinate]
    mean, std = axis @ target.facts.mean, np.sqrt(axis @ target.facts.cov @ axis)
    ends = [mean - 12 * std, *regions.cuts, mean + 12 * std]
    log = [np.asarray(density(np.linspace(a, b, 4001))) for a, b in itertools.pairwise(ends)]
    top = max(v.max() for v in log)
    masses = np.array([np.trapezoid(np.exp(v - top), dx=(b - a) / 4000) for v, a, b in zip(log, ends, ends[1:])])
    return masses / masses.sum()


def _by_law(case, regions):
    """Masses of the law's density; None where it fits on no grid."""
    line, _ = exact.lines(case, [case.grid.steps])[regions.coordinate]
    return line.masses(regions.cuts) if line.lost <= exact.product.LOST else None


def _counted(case, regions):
    start_key, own = jax.random.split(jax.random.key(case.seed))
    begin, _ = starts(case.target, start_key, PATHS, case.grid.T, case.start)
    x = simulate(case.scheme, case.target.fast_field, case.error, begin, grid=case.grid, key=own).x
    if lost := int(np.sum(~np.isfinite(x).all(1))):
        return None, None, f"{lost} of {PATHS} particles are not finite: the step is too large"
    place = np.searchsorted(regions.cuts, x @ case.target.factors.axes[:, regions.coordinate])
    share = np.bincount(place, minlength=len(regions.names)) / PATHS
    return share, np.sqrt(share * (1 - share) / PATHS), ""


def _short(values):
    return None if values is None else [float(f"{v:.6g}") for v in values]


def applies(study: Study, steps: int) -> str | None:
    if study.built.regions is None:
        return "the target has no modes whose masses are known; give a mixture, wells without coupling or a box."
    return None


ANSWER = Answer(
    "modes", "The mass of each mode under every scheme", modes, ("target", "schemes", "T", "start", "score_error", "seed"), modes_work,
    applies,
)
