"""A study: plain values in, rows and fits out. Cache key, permalink, saved file and cluster task at once.

The contract of the JSON (DESIGN 5) is this module's `Study.from_json` and `Result.to_json`.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

import jax
import numpy as np

from dlab import __version__, errors, measure, noise, params, process, schemes, targets, theory
from dlab.measure import Case, Pairs, coupled, exact, fit, gelbrich
from dlab.params import BadInput
from dlab.sample import DIVERGED, diverged, simulate, starts
from dlab.types import Estimate

SCHEMA = 1
BATCH = 512  # paths simulated together; the first batch gives the provisional points
REFINE = 4  # the reference takes this many steps for one of the finest scheme step
COARSEST = 128  # and never fewer than this
SHARE = 0.1  # reference error, as a share of a value, above which the row says so
RESOLVED = 3.0  # standard errors that a resolved value is above zero
ESTIMATORS = ("auto", *measure.REGISTRY)
STARTS = ("exact", "paper")
DEFAULT = {
    "schema": SCHEMA,
    "target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.0], [0.0, 0.5]]},
    "schemes": list(schemes.REGISTRY),
    "h": [0.5, 0.25, 0.125, 0.0625],
    "T": 4.0,
    "start": "exact",
    "score_error": {"name": "none"},
    "estimator": "auto",
    "particles": 4096,
    "accuracy": None,
    "budget": None,
    "seed": 0,
}
BUDGET = 500_000_000  # particle-steps, where an accuracy is asked for and no budget given


@dataclass(frozen=True)
class Study:
    """One convergence study as checked values; `from_json` is its only door.

    target, score_error   objects of the study file      schemes, h, steps   tuples, h[i] steps[i] = T
    start "exact" | "paper"   particles: Brownian paths (at least so many where `accuracy` is set)
    accuracy: relative standard error wanted or None   budget: particle-steps allowed or None
    """

    target: dict
    schemes: tuple[str, ...]
    h: tuple[float, ...]
    steps: tuple[int, ...]
    T: float
    start: str
    score_error: dict
    estimator: str
    particles: int
    accuracy: float | None
    budget: int | None
    seed: int

    @classmethod
    def from_json(cls, data: dict | str | bytes) -> "Study":
        """A study from a JSON object or its text. BadInput names the key, the value and what to do."""
        if isinstance(data, (str, bytes)):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError) as error:
                raise BadInput(
                    f"The study is not valid JSON ({error}); give an object as the README describes."
                ) from None
        params.only_keys("study", data, [*DEFAULT, "steps"])
        if type(data.get("schema", SCHEMA)) is not int or data.get("schema", SCHEMA) != SCHEMA:
            raise BadInput(f"schema = {params.show(data['schema'])} is unknown; this version reads schema {SCHEMA}.")
        params.require("study", data, ("target",))
        values = {**DEFAULT, **data}
        T = params.number("T", values["T"], above=0.0, high=params.MAX_T)
        steps = _step_counts(data, values, T)
        names = values["schemes"]
        if not isinstance(names, (list, tuple)) or not names:
            raise BadInput(
                f"schemes = {params.show(names)} is not a list of names; give some of {', '.join(schemes.REGISTRY)}."
            )
        names = tuple(dict.fromkeys(params.choice("schemes", n, schemes.REGISTRY) for n in names))
        study = cls(
            target=values["target"],
            schemes=names,
            h=tuple(T / n for n in steps),
            steps=steps,
            T=T,
            start=params.choice("start", values["start"], STARTS),
            score_error=values["score_error"],
            estimator=params.choice("estimator", values["estimator"], ESTIMATORS),
            particles=params.integer("particles", values["particles"], 16, params.MAX_PARTICLES),
            accuracy=None if values["accuracy"] is None else params.number("accuracy", values["accuracy"], 1e-4, 1.0),
            budget=None if values["budget"] is None else params.integer("budget", values["budget"], 1, params.MAX_WORK),
            seed=params.integer("seed", values["seed"], 0, 2**31 - 1),
        )
        _ = study.built, study.error  # everything in the file is checked here
        least = errors.REGISTRY[study.score_error["name"]].min_dim
        if study.built.dim < least:
            raise BadInput(
                f"score_error.name = '{study.score_error['name']}' needs at least {least} dimensions and the target has "
                f"{study.built.dim}; choose another error."
            )
        for name in study.schemes:
            _, reason = measure.choose(study.estimator, study.case(name, study.steps[0]))
            if reason:
                raise BadInput(f"estimator = '{study.estimator}' does not apply to {name}: {reason}")
        if study.work > params.MAX_WORK:
            raise BadInput(
                f"The study asks for {study.work:.2g} particle-steps and the limit is {params.MAX_WORK:.2g}; "
                "lower particles or leave out the smallest h."
            )
        return study

    def to_json(self) -> dict:
        """The study file, every default filled in; `from_json` gives the same study back."""
        values = asdict(self)
        del values["steps"]
        return {"schema": SCHEMA, **{k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}}

    @cached_property
    def built(self) -> targets.Target:
        return targets.build(self.target)

    @cached_property
    def error(self) -> errors.ScoreError:
        return errors.build(self.score_error)

    @cached_property
    def key(self) -> str:
        """Fingerprint of the study and of the version that answers it."""
        text = json.dumps(self.to_json(), sort_keys=True) + __version__
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def case(self, scheme: str, steps: int) -> Case:
        return Case(self.built, schemes.REGISTRY[scheme], self.error, self.T, steps, self.start, self.seed)

    def sampled(self, scheme: str) -> bool:
        """Whether the scheme's points need simulation."""
        estimator, _ = measure.choose(self.estimator, self.case(scheme, self.steps[0]))
        return estimator.sampled

    @cached_property
    def work(self) -> int:
        """Particle-steps of the run, reference included: what the app prices before it starts."""
        sampled = [s for s in self.schemes if self.sampled(s)]
        if not sampled:
            return 0
        batches = math.ceil(self.particles / BATCH) * BATCH
        return batches * (len(sampled) * sum(self.steps) + sum(grid.steps for grid in grids(self.steps)))


def _step_counts(data, values, T) -> tuple[int, ...]:
    if "steps" in data and "h" in data:
        raise BadInput("The study has both h and steps; give one of them.")
    name = "steps" if "steps" in data else "h"
    given = values[name]
    if not isinstance(given, (list, tuple)) or not given:
        raise BadInput(
            f"{name} = {params.show(given)} is not a list; give at least one {'number of steps' if name == 'steps' else 'step size'}."
        )
    if len(given) > params.MAX_STEP_SIZES:
        raise BadInput(f"{name} has {len(given)} entries; the limit is {params.MAX_STEP_SIZES}.")
    if name == "steps":
        counts = [params.integer("steps", n, 1, params.MAX_STEPS) for n in given]
    else:
        counts = []
        for h in given:
            h = params.number("h", h, above=0.0, high=T)
            if T / h > params.MAX_STEPS * (1 + 1e-9):
                raise BadInput(
                    f"h = {h:g} needs {T / h:.3g} steps; the limit is {params.MAX_STEPS}, so give h of at least {T / params.MAX_STEPS:.4g}."
                )
            try:
                counts.append(process.step_count(T, h))
            except ValueError as error:
                raise BadInput(str(error)) from None
    return tuple(sorted(set(counts)))


@dataclass(frozen=True)
class Grid:
    """Step counts that share one reference path of `steps` intervals."""

    steps: int
    members: tuple[int, ...]


def grids(steps: tuple[int, ...]) -> list[Grid]:
    """Group step counts so that each divides its group's reference, the finest count first."""
    left, found = sorted(set(steps), reverse=True), []
    while left:
        fine = left[0] * REFINE
        while fine < COARSEST:
            fine *= 2
        members = tuple(n for n in left if fine % n == 0)
        found.append(Grid(fine, members))
        left = [n for n in left if n not in members]
    return found


@dataclass(frozen=True)
class Row:
    """One point of a curve (DESIGN 5). `flags` are the sentences behind resolved = False."""

    scheme: str
    h: float
    steps: int
    score_evals: int
    hessian_evals: int
    particles: int
    w2: float | None
    stderr: float | None
    lower: float | None
    upper: float | None
    floor: float | None
    method: str
    resolved: bool
    bound: float | None
    bound_parts: dict | None
    error_level_met: float | None
    diverged: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What a study found so far: rows and fits, facts of the target, and the notes that a reader must be
    told. `done` is the share of the work behind it; 1.0 is the final answer."""

    study: Study
    rows: tuple[Row, ...]
    done: float = 1.0
    notes: tuple[str, ...] = ()
    clouds: dict = field(default_factory=dict, compare=False, repr=False)

    def to_json(self) -> dict:
        """The result file of the contract: plain values, NaN-free."""
        return {
            "schema": SCHEMA,
            "study": self.study.to_json(),
            "facts": facts_json(self.study.built.facts),
            "rows": [{**asdict(r), "flags": list(r.flags)} for r in self.rows],
            "fits": [_fit(self.study, name, self.rows) for name in self.study.schemes],
            "notes": [*self.notes, *_notes(self)],
            "versions": {"dlab": __version__, "jax": jax.__version__},
        }


def facts_json(facts: targets.Facts) -> dict:
    named = {k: getattr(facts, k) for k in ("m0", "L0", "L_F", "M1")}
    known = facts.m0.value is not None and facts.L0.value is not None
    return {
        **{k: None if f.value is None else float(f.value) for k, f in named.items()},
        "m_min": min(1.0, float(facts.m0.value)) if known else None,
        "L_max": 1.0 + float(facts.L0.value) if known else None,
        "how": {k: f.how for k, f in named.items()},
        "mean": facts.mean.tolist(),
        "cov": facts.cov.tolist(),
        "second_moment": facts.second_moment,
        "product": facts.product,
        "field_error": facts.field_error,
    }


def run(study: Study, tick=lambda done: None) -> Result:
    """The whole study. tick(done) is called with the share of the work done and may raise to cancel."""
    *_, result = stream(study, tick)
    return result


def stream(study: Study, tick=lambda done: None) -> Iterator[Result]:
    """Results as they become better: exact rows first, then provisional points from the first batch of
    paths, coarse h first, then all points after each further batch. The last one is final."""
    rows = {}
    for name in study.schemes:
        if not study.sampled(name):
            for steps in study.steps:
                case = study.case(name, steps)
                law = exact.law(case)
                found = exact.distance(case, law)
                rows[name, steps] = _row(study, case, found, 0, _level(law.error_square), int(found.value is None))
    sampled = [s for s in study.schemes if study.sampled(s)]
    if not sampled:
        yield _result(study, rows, 1.0, {})
        return
    if rows:
        yield _result(study, rows, 0.0, {})
    yield from _sample(study, sampled, rows, tick)


_NO_ERROR = errors.build({"name": "none"})


class _Reference:
    """The reference paths of one grid, with all and with half of the steps."""

    def __init__(self):
        self.fine, self.half, self._known = [], [], (0, 0.0)

    def error(self, case, count):
        """W2 by which the reference's own law is off: SO has order 2, so a third of its distance to
        itself with half the steps."""
        if self._known[0] != count:
            pairs = Pairs(*(np.concatenate(c)[:count] for c in (self.half, self.fine)))
            so = replace(case, scheme=schemes.REGISTRY["SO"], error=_NO_ERROR)
            estimator, _ = measure.choose("projected", so)
            value = (estimator.quick if estimator else coupled.estimate)(so, pairs).value
            self._known = count, value / 3
        return self._known[1]


class _Points:
    """What has been simulated of one scheme at one step count."""

    def __init__(self):
        self.x, self.squares, self.active = [], [], True

    def add(self, run, keep):
        self.x.append(run.x[:keep])
        self.squares.append(run.error_square)


def _sample(study, names, rows, tick):
    target, field = study.built, study.built.fast_field
    total = study.work if study.accuracy is None else max(study.work, study.budget or BUDGET)
    batch = study.work // math.ceil(study.particles / BATCH)
    spent = number = 0

    def count(steps):
        nonlocal spent
        spent += steps * BATCH
        tick(min(spent / total, 1.0))

    groups = grids(study.steps)
    points = {(s, n): _Points() for s in names for n in study.steps}
    references = {g: _Reference() for g in groups}
    seed = jax.random.key(study.seed)
    drawn = 0

    def more():
        if drawn < study.particles:
            return True
        return study.accuracy is not None and spent + batch <= total and any(p.active for p in points.values())

    while more():
        first = drawn == 0
        keep = min(BATCH, study.particles - drawn) if drawn < study.particles else BATCH
        key = jax.random.fold_in(seed, number)
        number += 1
        begin, exact_begin = starts(target, jax.random.fold_in(key, 0), BATCH, study.T, study.start)
        order = sorted(((n, g) for g in groups for n in g.members), key=lambda item: item[0])
        levels = {}
        for g in groups:
            levels[g] = _pyramid(jax.random.fold_in(key, g.steps), g, study.T, BATCH, target.dim)
            for store, steps in ((references[g].fine, g.steps), (references[g].half, g.steps // 2)):
                path = levels[g][steps]
                so = schemes.REGISTRY["SO"]
                done = simulate(
                    so,
                    field,
                    _NO_ERROR,
                    exact_begin,
                    T=study.T,
                    steps=steps,
                    key=jax.random.fold_in(key, 1),
                    path=path,
                    tick=count,
                )
                store.append(done.x[:keep])
        drawn += keep
        for n, g in order:
            for s in names:
                if points[s, n].active:
                    scheme = schemes.REGISTRY[s]
                    residual = jax.random.fold_in(jax.random.fold_in(key, 2 + list(schemes.REGISTRY).index(s)), n)
                    done = simulate(
                        scheme,
                        field,
                        study.error,
                        begin,
                        T=study.T,
                        steps=n,
                        key=residual,
                        path=levels[g][n],
                        tick=count,
                    )
                    points[s, n].add(done, keep)
                    if first:
                        rows[s, n] = _measure(study, s, n, points[s, n], references[g], quick=True)
            if first and drawn < study.particles:
                yield _result(study, rows, spent / total, {})
        last = drawn >= study.particles
        # The estimate over all paths costs about as much as a batch: give it at 1, 2, 4, ... batches.
        if last or number & (number - 1) == 0:
            for n, g in order:
                for s in names:
                    if points[s, n].active and not (first and not last):
                        rows[s, n] = _measure(study, s, n, points[s, n], references[g], quick=not last)
                        tick(min(spent / total, 1.0))
            if study.accuracy is not None and last:
                for key_, p in points.items():
                    row = rows[key_]
                    p.active = not (row.w2 is None or (row.w2 > 0 and row.stderr <= study.accuracy * row.w2))
        if not last:
            yield _result(study, rows, min(spent / total, 0.99), {})
    yield _result(study, rows, 1.0, _clouds(points, references, groups))


def _pyramid(key, grid: Grid, T, n, d) -> dict[int, np.ndarray]:
    """Moments of one Brownian path on every level of a grid, keyed by its number of intervals."""
    pieces = range(0, grid.steps, 64)
    fine = np.concatenate(
        [np.asarray(noise.moments(key, i, T / grid.steps, count=64, n=n, d=d), np.float32) for i in pieces]
    )[: grid.steps]
    levels = {grid.steps: fine}
    for steps in sorted({grid.steps // 2, *grid.members}, reverse=True):
        nearest = min(m for m in levels if m % steps == 0)
        levels[steps] = noise.merge(levels[nearest], nearest // steps)
    return levels


def _measure(study, name, steps, points, reference, *, quick) -> Row:
    case = study.case(name, steps)
    estimator, _ = measure.choose(study.estimator, case)
    x = np.concatenate(points.x)
    met = _level(np.mean(points.squares, axis=0))
    lost = int(diverged(x, study.built.facts).sum())
    if lost:
        return _row(study, case, Estimate(None, 0.0, estimator.name), len(x), met, lost)
    pairs = Pairs(x, np.concatenate(reference.fine)[: len(x)])
    estimate = (estimator.quick if quick and estimator.quick else estimator.estimate)(case, pairs)
    lower, upper = gelbrich.estimate(case, pairs), coupled.estimate(case, pairs)
    estimate = replace(estimate, lower=lower.value, upper=upper.value)
    return _row(study, case, _doubts(estimate, lower, upper, reference.error(case, len(x))), len(x), met, 0)


def _doubts(estimate, lower, upper, own) -> Estimate:
    """The estimate with a flag for every reason not to fit it."""
    flags = list(estimate.flags)
    if not estimate.value > RESOLVED * estimate.stderr:
        flags.append(
            f"unresolved: {estimate.value:.2g} ± {estimate.stderr:.1g} is within {RESOLVED:g} standard errors of zero"
        )
    if own > SHARE * estimate.value and estimate.method not in ("plugin", "sinkhorn", "sliced"):
        flags.append(f"the reference path may itself be off by {own:.2g}, more than a tenth of this value")
    if estimate.method == "projected":
        for other, sign, word in (
            (lower, -1, "below the Gelbrich lower bound"),
            (upper, 1, "above the coupled upper bound"),
        ):
            gap = sign * (estimate.value - other.value)
            if gap > 3 * math.hypot(estimate.stderr, other.stderr) and gap > 0.02 * other.value:
                flags.append(f"the projected value lies {word} by more than their errors")
    return replace(estimate, flags=tuple(flags))


def _level(squares) -> float | None:
    """Largest L2 level of the score error over the steps; None where the iterates left the numbers."""
    top = float(np.max(squares))
    return math.sqrt(max(top, 0.0)) if math.isfinite(top) else None


def _row(study, case, estimate, particles, met, lost) -> Row:
    h = study.T / case.steps
    scheme = case.scheme
    bound = theory.bound(
        scheme,
        study.built.facts,
        T=study.T,
        h=h,
        start=study.start,
        errors=(met or 0.0, float(study.error.hessian_level), float(study.error.drift_level)),
    )
    flags = estimate.flags
    if lost and not particles:
        flags = ("the scheme's law is not finite: the step is too large",)
    elif lost:
        flags = (
            f"{lost} of {particles} particles diverged (further than {DIVERGED:g} standard deviations from the mean)",
        )
    parts = None
    if met is None:
        bound = theory.Bound(void="the score error met is not finite")
    if not bound.void:
        parts = {k: getattr(bound, k) for k in ("initialisation", "discretisation", "score")}
    return Row(
        scheme=scheme.name,
        h=h,
        steps=case.steps,
        score_evals=case.steps * scheme.score_evals,
        hessian_evals=case.steps * scheme.hessian_evals,
        particles=particles,
        w2=estimate.value,
        stderr=None if lost else estimate.stderr,
        lower=estimate.lower,
        upper=estimate.upper,
        floor=estimate.floor,
        method=estimate.method,
        resolved=not flags,
        bound=bound.total,
        bound_parts=parts,
        error_level_met=met,
        diverged=lost,
        flags=flags,
    )


def _result(study, rows, done, clouds) -> Result:
    order = {name: i for i, name in enumerate(study.schemes)}
    ordered = sorted(rows.values(), key=lambda r: (order[r.scheme], r.steps))
    return Result(study, tuple(ordered), done, (), clouds)


def _clouds(points, references, groups) -> dict[str, np.ndarray]:
    out = {f"{s}_{n}": np.concatenate(p.x) for (s, n), p in points.items()}
    return out | {f"reference_{g.steps}": np.concatenate(references[g].fine) for g in groups}


def _fit(study: Study, name: str, rows) -> dict:
    mine = [r for r in rows if r.scheme == name]
    law = fit.fit(
        [r.h for r in mine], [r.w2 for r in mine], [r.stderr or 0.0 for r in mine], [r.resolved for r in mine]
    )
    scheme = schemes.REGISTRY[name]
    limit = theory.bound(scheme, study.built.facts, T=study.T, h=0.0, start=study.start)
    return {
        "scheme": name,
        "slope": law.slope,
        "slope_low": law.low,
        "slope_high": law.high,
        "constant": law.constant,
        "used": list(law.used),
        "theory_order": None if limit.void else scheme.theorem_order,
        "theory_c1": None if limit.void else limit.constants.c1,
        "theory_c2": None if limit.void else limit.constants.c2,
    }


def _notes(result: Result) -> list[str]:
    """One sentence for everything a reader must be told about the result as a whole."""
    study, facts = result.study, result.study.built.facts
    notes = []
    if result.done < 1:
        notes.append(f"Provisional: {result.done:.0%} of the work is done.")
    bounds = {n: theory.bound(schemes.REGISTRY[n], facts, T=study.T, h=0.0, start=study.start) for n in study.schemes}
    for reason in dict.fromkeys(b.void for b in bounds.values() if b.void):
        names = ", ".join(n for n, b in bounds.items() if b.void == reason)
        notes.append(f"The bound is void for {names}: {reason}")
    notes += [b.constants.footnote for b in bounds.values() if not b.void and b.constants.footnote]
    if any(not b.void for b in bounds.values()):
        notes.append(
            "The bound is the theorem's leading term: “≲” hides O(h²) terms, M₁ and a condition on the step size."
        )
        measured = [k for k in ("m0", "L0", "L_F") if getattr(facts, k).how.startswith("numerical")]
        if measured:
            notes.append(f"{', '.join(measured)} in the bound: {getattr(facts, measured[0]).how}, not proven.")
    mixed = [r.scheme for r in result.rows if r.method == "exact-moments"]
    if mixed:
        notes.append(exact.MOMENTS_ONLY.format(", ".join(dict.fromkeys(mixed))))
    for name in study.schemes:
        lost = [r for r in result.rows if r.scheme == name and r.diverged]
        if lost:
            notes.append(
                f"{name} diverged at h = {', '.join(f'{r.h:g}' for r in lost)}: the step is too large for this target."
            )
        hollow = [r for r in result.rows if r.scheme == name and not r.resolved and not r.diverged]
        if hollow:
            notes.append(
                f"{name}: the points at h = {', '.join(f'{r.h:.4g}' for r in hollow)} are not resolved and not fitted."
            )
        dropped = [
            r.h
            for r in result.rows
            if r.scheme == name and r.resolved and r.h not in _fit(study, name, result.rows)["used"]
        ]
        if dropped:
            notes.append(
                f"{name}: h = {', '.join(f'{h:.4g}' for h in dropped)} lies outside the asymptotic range and is not fitted."
            )
    asked = study.score_error.get("level")
    if study.score_error["name"] == "relative" and asked:
        notes.append(
            "The relative error's level is a share of the score; the L2 level met along the iterates is in the table."
        )
    if study.start == "paper":
        notes.append(
            "Start N(0, σ_T² I): the curves level off at the initialisation error, which no step size removes."
        )
    if facts.field_error and any(study.sampled(s) for s in study.schemes):
        notes.append(facts.field_error)
    return notes
