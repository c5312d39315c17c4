"""All sampled schemes and step counts of a study on the same Brownian paths, in units that run anywhere.

A unit is a pure function of (study, number of the batch, parts): its random keys depend on nothing else, so whoever runs it gets the
same numbers. A part is the run of a scheme, (name, steps), or of a reference, `Beside`.
"""

import math
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from dlab import errors, measure, noise, schemes
from dlab.grid import Grid
from dlab.measure import Case, Pairs, coupled
from dlab.sample import Run, level_met, reference, simulate, starts
from dlab.study.paths import SharedPath
from dlab.study.spec import BATCH, Study

BEYOND = 2.0  # h lambda above which SO's step lets distances grow beyond what its constant L is good for
LARGEST = 3_000_000  # particle-steps, in units of a step in the plane, from which a unit takes no further part: some seconds

Tick = Callable[[float], None]
Key = tuple[str, int]  # scheme, step count


@dataclass(frozen=True)
class Beside:
    """The run of a reference: its dynamics (see `sample.reference.kind`), which of `Study.shared_paths` it follows, its steps."""

    kind: str
    path: int
    steps: int


Part = Key | Beside


def steps_of(part: Part) -> int:
    return part.steps if isinstance(part, Beside) else part[1]


def work(parts) -> int:
    """Particle-steps of a batch of parts."""
    return BATCH * sum(map(steps_of, parts))


# ---------------------------------------------------------------- simulation

_threads = {"units": 0, "limit": None, "guard": threading.Lock()}


@contextmanager
def one_thread():
    """BLAS with one thread, in all threads of this process: with two, sums may be taken in another order, and threads that wait for a
    core take it from the simulations."""
    with _threads["guard"]:
        if not _threads["units"]:
            _threads["limit"] = threadpool_limits(1, "blas")
        _threads["units"] += 1
    try:
        yield
    finally:
        with _threads["guard"]:
            _threads["units"] -= 1
            if not _threads["units"]:
                _threads["limit"].restore_original_limits()


def simulated(study: Study, number: int, parts: tuple[Part, ...], tick: Tick = lambda done: None) -> dict[Part, Run]:
    """BATCH particles of the parts in a batch. tick(done) may raise to cancel."""
    study, total, taken = study.prepared(), sum(map(steps_of, parts)), 0

    def moved(steps):
        nonlocal taken
        taken += steps
        tick(taken / total)

    key = jax.random.fold_in(jax.random.key(study.seed), number)
    begin, exact_begin = starts(study.built, noise.stream(key, "start"), BATCH, study.T, study.start)
    with one_thread():
        if not study.paired:
            return {part: _alone(study, key, begin, part, moved) for part in parts}
        found = {part: _along(study, key, exact_begin if isinstance(part, Beside) else begin, part, moved) for part in parts}
    if max(g.steps for g in study.shared_paths) * BATCH * study.built.dim * 4 * noise.MOMENTS > HELD:
        _drawn.cache_clear()
    return found


def _alone(study, key, begin, part: Key, moved) -> Run:
    """A scheme without a path to share: one key gives all schemes the same increments."""
    name, n = part
    return simulate(
        study.scheme(name, n), study.built.fast_field, study.error, begin, grid=study.grid(n),
        key=jax.random.fold_in(noise.stream(key, "schemes"), n), limit=study.growth, tick=moved,
    )  # fmt: skip


def _along(study, key, begin, part: Part, moved) -> Run:
    """A scheme or a reference along the batch's Brownian path."""
    if isinstance(part, Beside):
        shared = study.shared_paths[part.path]
        scheme, error, controlled = _reference(study, part), errors.NONE, False
        grid, own = study.reference_grid(shared.members[0], part.steps), noise.stream(key, "reference")
    else:
        shared = path_of(study, part[1])
        case = study.case(*part)
        scheme, error, controlled, grid, own = case.scheme, study.error, case.controlled, case.grid, noise.stream(key, "scheme", part[0])
    path = None
    if scheme.normals():
        whole = study.reference_grid(shared.members[0], shared.steps)
        data = jax.random.key_data(jax.random.fold_in(noise.stream(key, "path"), shared.steps))
        path = _laid(tuple(np.asarray(data).tolist()), whole, _laid_out(study, shared), grid, study.built.dim)
    return simulate(
        scheme, study.built.fast_field, error, begin, grid=grid, key=jax.random.fold_in(own, steps_of(part)), path=path,
        controlled=controlled, tick=moved,
    )  # fmt: skip


def _reference(study, part: Beside):
    return reference.REFERENCES.get(part.kind) or study.scheme(part.kind, part.steps)


def path_of(study: Study, n: int) -> SharedPath:
    return next(g for g in study.shared_paths if n in g.members)


def _laid_out(study, shared: SharedPath) -> frozenset[Grid]:
    """The grids on which a shared path is asked for: which of them one is merged from must not depend on who asks."""
    first = shared.members[0]
    beside = {study.reference_grid(first, k) for r in shared.references for k in (r.steps, r.steps // 2)}
    return frozenset({study.grid(n) for n in shared.members} | beside)


_drawing = threading.Lock()
HELD = 64e6  # bytes of a path that is kept for the batch's next unit


@lru_cache(maxsize=2)
def _drawn(data: tuple[int, ...], grid: Grid, d: int) -> np.ndarray:
    return noise.path(jax.random.wrap_key_data(np.array(data, np.uint32)), grid.h, BATCH, d)


def _laid(data, whole: Grid, among: frozenset[Grid], wanted: Grid, d: int) -> np.ndarray:
    """Moments of a Brownian path in the intervals of the grid `wanted`, each merged from the coarsest of `among` that holds it."""
    with _drawing:  # two units of one batch draw it once
        finest = _drawn(data, whole, d)
    if wanted == whole:
        return finest
    above = [g for g in (among | {whole}) - {wanted} if g.steps > wanted.steps and (g == whole or g.steps % wanted.steps == 0)]
    nearest = min(above, key=lambda g: g.steps, default=whole)
    try:
        places = nearest.places(wanted)
    except ValueError:  # the nearest of many step counts need not hold these times
        nearest, places = whole, whole.places(wanted)
    its, end = _laid(data, whole, among, nearest, d), places[-1]
    return noise.merge(its[:end], np.diff(places), nearest.h[:end])


# ---------------------------------------------------------------- what the units gave


_off: dict[tuple, float] = {}  # what `reference_error` found: points that share a reference ask one after the other


class Batches:
    """What units of a study gave: `found` is a list of (batch number, {part: Run})."""

    def __init__(self, study: Study, found):
        self.study = study
        self.runs: dict[Part, dict[int, Run]] = defaultdict(dict)
        for number, its in found:
            # The last of the first batches may be cut: their number of particles is given.
            keep = min(BATCH, study.particles - number * BATCH)
            for part, run in its.items():
                self.runs[part][number] = _first(run, keep) if keep > 0 else run

    def besides(self, case: Case) -> tuple[Beside, Beside]:
        """The reference of a case, with all and with half of its steps."""
        return besides(self.study, reference.kind(case.scheme), case.grid.steps)

    def pairs(self, key: Key) -> Pairs:
        """All particles of a point, with the reference on the same paths where the study has one."""
        runs, case = self.runs[key], self.study.case(*key)
        numbers = sorted(runs)
        x, z = np.concatenate([runs[b].x for b in numbers]), None
        if not self.study.paired:
            return Pairs(x, None)
        y, half = (np.concatenate([self.runs[part][b].x for b in numbers]) for part in self.besides(case))
        if case.controlled:
            z = np.concatenate([runs[b].fluctuation for b in numbers])
            # Where the step is so large that the linearisation overflows, there is nothing to subtract.
            z = z if np.isfinite(z).all() else None
        return Pairs(x, y, half, z, case.reference.law_order)

    def tally(self, key: Key) -> dict | None:
        """What SO's Hessian-vector products cost and met, over all batches; None of a scheme or target without."""
        runs = [self.runs[key][b] for b in sorted(self.runs[key])]
        if any(r.spent is None for r in runs):
            return None
        growth = np.concatenate([r.spent.growth.max(0) for r in runs])
        return {
            "products": float(np.mean([r.spent.products.sum() for r in runs])),
            "pieces": float(np.mean([r.spent.pieces.sum() for r in runs])),
            "growth": float(np.max(growth)), "beyond": float(np.mean(growth > 1.001 * BEYOND)), "missed": max(r.spent.missed for r in runs),
        }  # fmt: skip

    def level_met(self, key: Key) -> float | None:
        return level_met(np.mean([self.runs[key][b].error_square for b in sorted(self.runs[key])], axis=0))

    def reference_step(self, case: Case) -> float:
        """The reference's step in units of 1 / the target's steepness, 0 where that is not known."""
        n = case.grid.steps
        return self.study.reference_grid(n, self.besides(case)[0].steps).steepest(case.target.steepness or 0.0)

    def reference_error(self, case: Case) -> float:
        """W2 by which the reference may be off: of order p, its own error is a share 1/(2^p - 1) of its distance to itself with
        half the steps, of which extrapolation leaves a quarter at most where the order shows."""
        whole, halved = self.besides(case)
        # A target from Python has no key of its own.
        mine = self.study.key if isinstance(self.study.target, dict) else object()
        known = mine, whole, tuple(sorted(self.runs[whole]))
        if known not in _off:
            fine, half = (np.concatenate([self.runs[part][b].x for b in known[2]]) for part in (whole, halved))
            exact = replace(case, scheme=case.reference, error=errors.NONE)
            estimator, _ = measure.choose("projected", exact)
            found = (estimator.quick if estimator else coupled.estimate)(exact, Pairs(half, fine))
            # On a target of unknown steepness no order is known to show.
            share = 1 if case.target.steepness is None else 4 * (2**exact.scheme.law_order - 1)
            while len(_off) > 256:
                _off.pop(next(iter(_off)), None)
            _off[known] = math.inf if found.value is None else found.value / share
        return _off[known]

    def clouds(self, keys) -> dict[str, np.ndarray]:
        """Final positions: "EM_8" for EM in 8 steps, "reference_EM_8" for its reference on the same paths."""
        pairs = {f"{s}_{n}": self.pairs((s, n)) for s, n in keys}
        return {k: p.x for k, p in pairs.items()} | {f"reference_{k}": p.y for k, p in pairs.items() if p.y is not None}


def besides(study: Study, kind: str, n: int) -> tuple[Beside, Beside]:
    """The reference of points of n steps, with all and with half of its steps."""
    index, r = next((i, r) for i, g in enumerate(study.shared_paths) for r in g.references if n in r.members)
    return Beside(kind, index, r.steps), Beside(kind, index, r.steps // 2)


def _first(run: Run, count: int) -> Run:
    return replace(run, x=run.x[:count], fluctuation=None if run.fluctuation is None else run.fluctuation[:count])


# ---------------------------------------------------------------- how a batch is cut into units


def parts_of(study: Study, keys) -> dict[int, tuple[Part, ...]]:
    """What the points `keys` need, by step count, coarse ones first; a reference stands with the coarsest that needs it."""
    found, seen = {}, set()
    for n in sorted({n for _, n in keys}):
        its = [k for k in keys if k[1] == n]
        kinds = sorted({reference.kind(schemes.REGISTRY[name]) for name, _ in its}) if study.paired else ()
        beside = [part for kind in kinds for part in besides(study, kind, n) if part not in seen]
        seen.update(beside)
        found[n] = (*beside, *its)
    return found


def units(study: Study, keys) -> list[tuple[Part, ...]]:
    """The parts that the points `keys` need, cut into units: one begins with each reference, and where LARGEST particle-steps are
    reached. The first one is small, since its points are the first on the screen."""
    weight, cut, left = study.built.step_cost * study.error.cost, [[]], LARGEST / 4
    for its in parts_of(study, keys).values():
        for i, part in enumerate(its):
            cost = BATCH * steps_of(part) * weight
            if cut[-1] and (cost > left or (i == 0 and isinstance(part, Beside))):
                cut.append([])
                left = LARGEST
            cut[-1].append(part)
            left -= cost
    return [tuple(parts) for parts in cut if parts]
