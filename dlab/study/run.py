"""Running a study: exact rows at once, the others from shared Brownian paths, batch by batch."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import jax
import numpy as np

from dlab import errors, measure, noise, schemes, theory
from dlab.measure import Pairs, coupled, gelbrich
from dlab.sample import DIVERGED, diverged, level_met, simulate, starts
from dlab.study.result import Result, Row
from dlab.study.spec import BATCH, Grid, Study, grids
from dlab.types import Estimate

SHARE = 0.1  # reference error, as a share of a value, above which the row says so
RESOLVED = 3.0  # standard errors that a resolved value is above zero
BUDGET = 500_000_000  # particle-steps, where an accuracy is asked for and no budget given
CLOUDS = ("plugin", "sinkhorn", "sliced")  # estimators that do not use the reference

Tick = Callable[[float], None]


def run(study: Study, tick: Tick = lambda done: None) -> Result:
    """The whole study. tick(done) is called with the share of the work done and may raise to cancel."""
    *_, result = stream(study, tick)
    return result


def stream(study: Study, tick: Tick = lambda done: None) -> Iterator[Result]:
    """Results as they become better: exact rows first, then provisional points from the first batch of
    paths, coarse h first, then all points after 1, 2, 4, ... batches. The last one is final."""
    rows = {}
    sampled = [s for s in study.schemes if study.sampled(s)]
    ways = {s: study.way(s) for s in study.schemes if s not in sampled}
    by_law = [(way, study.case(s, n)) for n in study.steps for s, way in ways.items()]
    paid = 0
    # What costs least first.
    for way, case in sorted(by_law, key=lambda item: item[0].price(item[1])):
        (found,), met = way.follow(case, [case.steps])
        rows[case.scheme.name, case.steps] = _row(study, case, found, 0, level_met(met), int(found.value is None))
        paid += way.price(case)
        if paid:
            tick(min(paid / study.price, 0.99))
            yield _result(study, rows, min(paid / study.price, 0.99))
    if not sampled:
        yield _result(study, rows, 1.0)
        return
    yield _result(study, rows, min(paid / study.price, 0.99))
    sweep = _Sweep(study, sampled, rows, tick, paid)
    while sweep.wanted():
        for steps in sweep.batch():
            if sweep.number == 1:
                sweep.measure([steps], quick=True)
                yield _result(study, rows, sweep.done())
        if sweep.measured_now():
            sweep.measure(study.steps, quick=sweep.drawn < study.particles)
        yield _result(study, rows, sweep.done())
    tick(1.0)
    yield _result(study, rows, 1.0, sweep.clouds())


def clouds(study: Study, tick: Tick = lambda done: None) -> dict[tuple[str, int], Pairs]:
    """The particles of all schemes of a study and their reference, by (scheme, steps), measured by nobody."""
    sweep = _Sweep(study, list(study.schemes), {}, tick, 0)
    while sweep.drawn < study.particles:
        for _ in sweep.batch():
            pass
    return {(s, n): sweep.pairs(s, n) for s in study.schemes for n in study.steps}


@dataclass
class _Points:
    """What has been simulated of one scheme at one step count, (chains, paths, d) of each of its batches; active until
    it is accurate enough."""

    batches: list = field(default_factory=list)
    x: list = field(default_factory=list)
    squares: list = field(default_factory=list)
    active: bool = True


@dataclass
class _Reference:
    """The reference paths of one grid, with all and with half of the steps."""

    fine: list = field(default_factory=list)
    half: list = field(default_factory=list)
    known: tuple = (0, 0.0)

    def error(self, case):
        """W2 by which the reference may be off: SO has order 2, so a third of its distance to itself with half the
        steps is its own error, of which extrapolation leaves a quarter at most where the order shows."""
        count = len(self.fine)
        if self.known[0] != count:
            pairs = Pairs(np.concatenate(self.half), np.concatenate(self.fine))
            so = replace(case, scheme=schemes.REGISTRY["SO"], error=errors.NONE)
            estimator, _ = measure.choose("projected", so)
            self.known = count, (estimator.quick if estimator else coupled.estimate)(so, pairs).value / 12
        return self.known[1]


class _Sweep:
    """All sampled schemes and step counts of a study on the same Brownian paths."""

    def __init__(self, study: Study, names: list[str], rows: dict, tick: Tick, paid: int):
        self.paid = paid
        self.study, self.names, self.rows, self.tick = study, names, rows, tick
        self.field = study.built.fast_field
        self.groups = grids(study.steps)
        # Coarse h first: its points are on the screen while the fine ones run.
        self.order = sorted(((n, g) for g in self.groups for n in g.members), key=lambda item: item[0])
        self.points = {(s, n): _Points() for s in names for n in study.steps}
        self.references = {g: _Reference() for g in self.groups}
        self.drawn = self.number = self.spent = 0
        self.price = study.work // math.ceil(study.particles / BATCH)
        self.total = study.work
        if study.accuracy is not None:
            self.total = max(study.work, study.budget or BUDGET)

    def wanted(self) -> bool:
        """Whether another batch is due: particles first, then accuracy while the budget lasts."""
        if self.drawn < self.study.particles:
            return True
        if self.study.accuracy is None or self.spent + self.price > self.total:
            return False
        for key, points in self.points.items():
            row = self.rows[key]
            points.active = row.w2 is not None and not row.stderr <= self.study.accuracy * row.w2
        return any(p.active for p in self.points.values())

    def done(self) -> float:
        return min((self.paid + self.spent) / (self.paid + self.total), 0.99)

    def batch(self) -> Iterator[int]:
        """Simulate one more batch; yields each step count that is done."""
        study = self.study
        keep = min(BATCH, study.particles - self.drawn) if self.drawn < study.particles else BATCH
        key = jax.random.fold_in(jax.random.key(study.seed), self.number)
        self.number += 1
        self.drawn += keep
        begin, exact_begin = starts(study.built, jax.random.fold_in(key, 0), BATCH, study.T, study.start)
        levels = {}
        for g in self.groups:
            levels[g] = _pyramid(jax.random.fold_in(key, g.steps), g, study.T, study.built.dim)
            so, own = schemes.REGISTRY["SO"], jax.random.fold_in(key, 1)
            for store, steps in ((self.references[g].fine, g.steps), (self.references[g].half, g.steps // 2)):
                store.append(self._simulate(so, errors.NONE, exact_begin, steps, own, levels[g]).x[:keep])
        for n, g in self.order:
            for s in self.names:
                points = self.points[s, n]
                if not points.active:
                    continue
                own = jax.random.fold_in(jax.random.fold_in(key, 2 + list(schemes.REGISTRY).index(s)), n)
                scheme = schemes.REGISTRY[s]
                chains = study.chains if scheme.randomised else 1
                paths = BATCH // chains
                ran = self._simulate(scheme, study.error, np.tile(begin[:paths], (chains, 1)), n, own, levels[g], chains)
                points.batches.append(self.number - 1)
                points.x.append(ran.x.reshape(chains, paths, -1)[:, : keep // chains])
                points.squares.append(ran.error_square)
            yield n

    def measured_now(self) -> bool:
        """Estimates over all paths cost about as much as a batch: they are due at 1, 2, 4, ... batches."""
        last = self.drawn >= self.study.particles
        return last or (self.number > 1 and self.number & (self.number - 1) == 0)

    def measure(self, steps, quick: bool) -> None:
        for n, g in self.order:
            for s in self.names:
                if n in steps and self.points[s, n].active:
                    self.rows[s, n] = self._measure(s, n, g, quick=quick)
                    self.tick(self.done())

    def pairs(self, name, steps) -> Pairs:
        """All particles of a point with the reference on the same paths."""
        points = self.points[name, steps]
        grid = next(g for n, g in self.order if n == steps)
        reference, x = self.references[grid], np.concatenate(points.x, 1)
        kept = [(b, part.shape[1]) for b, part in zip(points.batches, points.x)]
        y, half = (np.concatenate([c[b][:n] for b, n in kept]) for c in (reference.fine, reference.half))
        return Pairs(x if len(x) > 1 else x[0], y, half)

    def clouds(self) -> dict[str, np.ndarray]:
        """Final positions: "EM_8" for EM in 8 steps, "reference_128" for the reference. Where a path has several chains
        they stand one after the other, each over the first paths of every batch."""
        out = {f"{s}_{n}": np.concatenate(p.x, 1).reshape(-1, self.study.built.dim) for (s, n), p in self.points.items()}
        return out | {f"reference_{g.steps}": np.concatenate(r.fine) for g, r in self.references.items()}

    def _simulate(self, scheme, error, begin, steps, key, paths, chains=1):
        def count(k):
            self.spent += k * BATCH
            self.tick(self.done())

        path = paths[steps][:, :, : len(begin) // chains]
        return simulate(
            scheme, self.field, error, begin, T=self.study.T, steps=steps, key=key, path=path, chains=chains, tick=count
        )

    def _measure(self, name, steps, grid, *, quick) -> Row:
        study, points = self.study, self.points[name, steps]
        case = study.case(name, steps)
        estimator, _ = measure.choose(study.estimator, case)
        pairs = self.pairs(name, steps)
        met = level_met(np.mean(points.squares, axis=0))
        lost = int(diverged(pairs.cloud, study.built.facts).sum())
        if lost:
            return _row(study, case, Estimate(None, 0.0, estimator.name), len(pairs.cloud), met, lost)
        found = (estimator.quick if quick and estimator.quick else estimator.estimate)(case, pairs)
        lower, upper = gelbrich.estimate(case, pairs), coupled.estimate(case, pairs)
        flags = _doubts(found, lower, upper, self.references[grid].error(case))
        found = replace(found, lower=lower.value, upper=upper.value, flags=flags)
        return _row(study, case, found, len(pairs.cloud), met, 0)


def _pyramid(key, grid: Grid, T, d) -> dict[int, np.ndarray]:
    """Moments of one Brownian path on every level of a grid, keyed by its number of intervals."""
    fine = noise.path(key, grid.steps, T / grid.steps, BATCH, d)
    levels = {grid.steps: fine}
    for steps in sorted({grid.steps // 2, *grid.members}, reverse=True):
        nearest = min(m for m in levels if m % steps == 0)
        levels[steps] = noise.merge(levels[nearest], nearest // steps)
    return levels


def _doubts(estimate, lower, upper, own) -> tuple[str, ...]:
    """A sentence for every reason not to fit the value; `own` is the reference's error."""
    flags = list(estimate.flags)
    value, stderr = estimate.value, estimate.stderr
    if not value > RESOLVED * stderr:
        flags.append(f"unresolved: {value:.2g} ± {stderr:.1g} is within {RESOLVED:g} standard errors of zero")
    if own > SHARE * value and estimate.method not in CLOUDS:
        flags.append(f"the reference path may itself be off by {own:.2g}, more than a tenth of this value")
    if estimate.method == "projected":
        for other, sign, word in ((lower, -1, "below Gelbrich's lower bound"), (upper, 1, "above the coupled bound")):
            gap = sign * (value - other.value)
            if gap > 3 * math.hypot(stderr, other.stderr) and gap > 0.02 * other.value:
                flags.append(f"the projected value lies {word} by more than their errors")
    return tuple(flags)


def _row(study, case, estimate, particles, met, lost) -> Row:
    scheme, error, h = case.scheme, study.error, study.T / case.steps
    bound = theory.Bound(void="the score error met is not finite")
    if met is not None:
        levels = (met, float(error.hessian_level), float(error.drift_level))
        bound = theory.bound(scheme, study.built.facts, T=study.T, h=h, start=study.start, errors=levels)
    parts = None
    if not bound.void:
        parts = {k: getattr(bound, k) for k in ("initialisation", "discretisation", "score")}
    flags = estimate.flags
    if lost and not particles:
        flags = ("the scheme's law is not finite or leaves every grid: the step is too large",)
    elif lost:
        far = f"further than {DIVERGED:g} standard deviations from the mean"
        flags = (f"{lost} of {particles} particles diverged ({far})",)
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
        grid_change=estimate.grid_change or None,
    )


def _result(study, rows, done, clouds=None) -> Result:
    order = {name: i for i, name in enumerate(study.schemes)}
    ordered = sorted(rows.values(), key=lambda r: (order[r.scheme], r.steps))
    return Result(study, tuple(ordered), done, clouds or {})
