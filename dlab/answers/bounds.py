"""The bounds on EM that a study's target allows, at one step after the other and along the steps of one run.

Theorem 1's leading term, the recursion behind it and the bound of order h, all for EM; nothing here is simulated.
"""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from dlab import errors, schemes, theory
from dlab.answers.base import Answer
from dlab.measure import exact
from dlab.sample import level_met
from dlab.study.spec import Study
from dlab.targets import Fact

EM = "EM"
MOST_STEPS = 16384  # of the finest step size shown
BEYOND = 4  # the step sizes reach this far below the largest that the recursion contracts at
POINTS = 65  # of a run, at most, where its law is measured


@dataclass(frozen=True)
class Level:
    """L2 level of a score error along a scheme's iterates: fixed, of an error that is a function of (t, x); fresh, of one drawn at
    each evaluation; known: whether it is."""

    fixed: float = 0.0
    fresh: float = 0.0
    known: bool = True

    @property
    def total(self) -> float:
        return self.fixed + self.fresh


def level(study: Study, met: dict | None = None, scheme: str = EM) -> Level:
    """The level of the study's error along a scheme. met: {scheme: level} as measured, which a relative error needs."""
    size = _injected(study)
    if size is None:
        found = (met or {}).get(scheme)
        return Level(known=False) if found is None else Level(found)
    return Level(fresh=size) if study.error.draws else Level(size)


def _injected(study: Study) -> float | None:
    """The level of the study's error where it needs no measuring; None where it does."""
    spec, entry = study.score_error, errors.REGISTRY[study.score_error["name"]]
    if entry is errors.REGISTRY["none"] or spec.get("level") == 0:
        return 0.0
    return abs(float(spec["level"])) if entry.leveled and entry.level_is == "norm" else None


def checklist(study: Study, met: dict | None = None, facts: dict | None = None) -> tuple[theory.Assumption, ...]:
    """Assumptions 1 to 7 for the study's target and error. met: {scheme: level of the score error measured along its run};
    facts: those of a result's file, so that a kept answer needs no target."""
    its = study.built.facts if facts is None else SimpleNamespace(**{k: Fact(facts[k], how) for k, how in facts["how"].items()})
    error, size = study.error, _injected(study)
    if study.score_error["name"] == "none":
        score = midpoint = Fact(0.0, "the score is exact")
    elif size is None:
        known = [v for s, v in (met or {}).items() if v is not None and not schemes.REGISTRY[s].randomised]
        score = Fact(max(known), "numerical, along the run") if known else Fact(None, "known once EM has been measured")
        midpoint = Fact(None, "not measured at the midpoints")
    else:
        score = midpoint = Fact(size, "as injected")
    levels = [Fact(abs(float(v)), "as injected" if float(v) else "exact") for v in (error.hessian_level, error.drift_level)]
    if error.hessian_changed:
        levels = [Fact(None, "not measured along the run") for _ in levels]
    return theory.checklist(its, score, midpoint, *levels)


def bounds(study: Study, met: dict | None = None) -> dict:
    """Bounds on W2 of EM at the study's step sizes and at 1, 1/2, 1/4, ... down to below the largest that the recursion
    contracts at:

    {"rows": [{"h", "theorem", "recursion", "sharp"}], "void": {name: sentence}, "largest_step", "C1", "m0", "level"}; None for
    what is void and inf for what overflows.
    """
    facts, T, eps = study.built.facts, study.T, level(study, met)
    first = theory.recursion(facts, grid=study.grid(MOST_STEPS // 4), start=study.start)
    finest = min(study.h) / 2
    if first.largest_step:
        finest = min(finest, first.largest_step / BEYOND)
    count = math.ceil(T)
    steps = [count]
    while T / steps[-1] > finest * (1 + 1e-9) and 2 * steps[-1] <= MOST_STEPS:
        steps.append(2 * steps[-1])
    rows, void = [], {}
    for n in sorted({*steps, *study.steps}):
        row = {"h": study.grid(n).step}
        found = theory.bound(schemes.REGISTRY[EM], facts, T=T, h=row["h"], start=study.start, errors=(eps.total, 0.0, 0.0))
        row["theorem"] = found.total
        behind = theory.recursion(facts, grid=study.grid(n), start=study.start, error=eps.total)
        e, why = theory.sharp(facts, grid=study.grid(n), start=study.start, error=eps.fixed, noise=eps.fresh)
        # Neither knows of another start than the theorem's two; the theorem says so.
        without, why = (behind.void, why) if study.printed else (found.void, found.void)
        row |= {"recursion": None if without else behind.total, "sharp": None if why else float(e[-1])}
        void |= {k: v for k, v in (("theorem", found.void), ("recursion", without), ("sharp", why)) if v}
        rows.append(row)
    constants = theory.bound(schemes.REGISTRY[EM], facts, T=T, h=0.0, start=study.start).constants
    return {
        "rows": rows, "void": void, "largest_step": first.largest_step, "C1": constants.c1 if constants else None,
        "m0": facts.m0.value, "level_known": eps.known, "dim": facts.dim,
    }  # fmt: skip


def along(study: Study, steps: int, tick=lambda: None) -> dict:
    """The recursion and the bound of order h along one run of EM in `steps` steps, and W2 of its exact law to p_t on the way:

    {"h", "t" (N + 1,), "e", "sharp" (N + 1,) or None, "factor", "C1", "C2", "C3", "C" (N,) or None, "C4", "at", "w2": steps and
    distances, or None where no exact law is known; "void": {name: sentence}}; None in a list for what overflows. e holds what is left
    of the initialisation error, C2(n), which ends at the value given.
    """
    study = study.prepared(lambda done: tick())
    facts, case, at, w2, met = study.built.facts, study.case(EM, steps), None, None, None
    if exact.applies(case) is None:
        tick()
        at = np.unique(np.linspace(0, steps, min(POINTS, steps + 1)).round().astype(int))
        found, squares = exact.follow(case, at)
        w2 = [e.value if e.value is None else float(e.value) for e in found]
        met = {EM: level_met(squares)}
    eps = level(study, met)
    behind = theory.recursion(facts, grid=case.grid, start=study.start, error=eps.total)
    sharp, why = theory.sharp(facts, grid=case.grid, start=study.start, error=eps.fixed, noise=eps.fresh)
    void = {k: v for k, v in (("recursion", behind.void), ("sharp", why)) if v}
    e = None if behind.void else behind.e + np.append(behind.C2, behind.initialisation)

    def plain(values):
        return None if values is None else [float(v) if math.isfinite(v) else None for v in values]

    return {
        "h": case.grid.step, "t": plain(case.grid.times), "e": plain(e), "sharp": plain(sharp),
        "factor": plain(behind.factor), **{name: plain(getattr(behind, name)) for name in ("C1", "C2", "C3", "C")}, "C4": behind.C4,
        "initialisation": behind.initialisation,
        "largest_step": behind.largest_step, "at": None if at is None else at.tolist(), "w2": w2, "void": void,
    }  # fmt: skip


def cost(study: Study, steps: int) -> float:
    case = study.case(EM, steps)
    return exact.price(case) if exact.applies(case) is None else 0.0


ANSWER = Answer(
    "recursion", "The recursion behind Theorem 1 along a run of EM, beside its exact law", along, ("target", "T", "start", "score_error"),
    cost, alias="along", uniform=True,
)  # fmt: skip
