"""All sampled schemes and step counts of a study on the same Brownian paths, batch by batch."""

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from dlab import errors, measure, noise, schemes
from dlab.grid import Grid
from dlab.measure import Case, Pairs, coupled
from dlab.sample import Run, level_met, reference, simulate, starts
from dlab.study import memory
from dlab.study.paths import SharedPath
from dlab.study.spec import BATCH, Study

BEYOND = 2.0  # h lambda above which SO's step lets distances grow beyond what its constant L is good for
WORKERS = 2  # simulations at once: XLA uses little more than one core for each

Tick = Callable[[float], None]
Key = tuple[str, int]  # scheme, step count


class _Left(Exception):
    """Ends a simulation whose sweep has been left."""


@dataclass
class _Paths:
    """A reference's final points in each batch that needed it, {batch: (all steps, half)}, and W2 by which it may be
    off, with the number of batches that this is known from."""

    ends: dict = field(default_factory=dict)
    off: tuple = (0, 0.0)


class Sweep:
    """A context: leaving it ends what is still running. `paid` is what exact laws have cost before; tick(done) is
    called in the thread that iterates and may raise to cancel."""

    def __init__(self, study: Study, names: list[str], tick: Tick, paid: int = 0):
        self.study, self.tick, self.paid = study, tick, paid
        self.field = study.built.fast_field
        self.shared = study.shared_paths
        self.references = {n: r for g in self.shared for r in g.references for n in r.members}
        # Coarse h first: its points are on the screen while the fine ones run. Of each point its run in each batch.
        self.points: dict[Key, dict[int, Run]] = {(s, n): {} for n in sorted(study.steps) for s in names}
        self.paths = defaultdict(_Paths)  # by dynamics and reference
        self.drawn = self.batches = self.spent = 0
        self.total = study.most
        self._ahead = None
        self._left, self._counting = threading.Event(), threading.Lock()

    def __enter__(self) -> "Sweep":
        # In three dimensions LAPACK runs inside compiled code, and two threads of it deadlock (see linop).
        self._pool = ThreadPoolExecutor(WORKERS if self.study.built.dim <= 2 else 1)
        # Estimates are made while simulations run: BLAS threads that wait for a core would take it from them.
        self._blas = threadpool_limits(1, "blas")
        return self

    def __exit__(self, *failure) -> None:
        self._left.set()
        self._blas.restore_original_limits()
        self._pool.shutdown(cancel_futures=True)

    def done(self) -> float:
        return min((self.paid + self.spent) / (self.paid + self.total), 0.99)

    def batch(self, keys=None) -> Iterator[list[Key]]:
        """Simulate one more batch of the points `keys`, all by default; yields those of a step count when it is done."""
        keys, number = list(self.points if keys is None else keys), self.batches
        keep = min(BATCH, self.study.particles - self.drawn) if self.drawn < self.study.particles else BATCH
        self.batches += 1
        self.drawn += keep
        started, self._ahead = self._ahead or self._queue(number, keys), None
        counts = sorted({n for _, n in keys})
        for n in counts:
            if n == counts[-1] and self.drawn < self.study.particles:
                self._ahead = self._queue(number + 1, keys)  # runs while this batch is measured
            its, these = self.references[n], [k for k in keys if k[1] == n]
            if self.study.paired:
                for kind in {reference.kind(schemes.REGISTRY[s]) for s, _ in these}:
                    self.paths[kind, its].ends[number] = tuple(self._wait(f).x[:keep] for f in started[kind, its])
            for k in these:
                self.points[k][number] = _first(self._wait(started[k]), keep)
            yield these

    def _queue(self, number: int, keys) -> dict[tuple, Future | tuple]:
        study, queued = self.study, {}
        key = jax.random.fold_in(jax.random.key(study.seed), number)
        both = starts(study.built, noise.stream(key, "start"), BATCH, study.T, study.start)
        if not study.paired:
            return {k: self._alone(key, both[0], *k) for k in keys}
        for grid in self.shared:
            mine = [k for k in keys if k[1] in grid.members]
            if mine:
                queued |= self._start(key, grid, mine, *both)
        return queued

    def _start(self, key, grid: SharedPath, keys, begin, exact_begin) -> dict[tuple, Future | tuple]:
        """Queue a batch on one grid: the references that its points need and the points, coarse ones first."""
        study, queued = self.study, {}
        wanted = [r for r in grid.references if any(n in r.members for _, n in keys)]
        drawn = any(scheme.normals() or reference.of(scheme).normals() for scheme in (schemes.REGISTRY[s] for s, _ in keys))
        first = grid.members[0]
        laid = {study.grid(n) for _, n in keys}.union(*((study.reference_grid(first, k) for k in (r.steps, r.steps // 2)) for r in wanted))
        path = drawn and _pyramid(
            jax.random.fold_in(noise.stream(key, "path"), grid.steps), study.reference_grid(first, grid.steps), laid, study.built.dim
        )

        def queue(scheme, error, start, on, n, own, controlled=False):
            return self._pool.submit(
                simulate, scheme, self.field, error, start, grid=on, key=jax.random.fold_in(own, n),
                path=path[on] if scheme.normals() else None, controlled=controlled, tick=self._count,
            )  # fmt: skip

        own = noise.stream(key, "reference")
        for r in wanted:
            for kind in sorted({reference.kind(schemes.REGISTRY[s]) for s, n in keys if n in r.members}):
                queued[kind, r] = tuple(
                    queue(self._reference(kind, n), errors.NONE, exact_begin, study.reference_grid(first, n), n, own)
                    for n in (r.steps, r.steps // 2)
                )
            for name, n in keys:
                if n in r.members:
                    case, own_key = study.case(name, n), noise.stream(key, "scheme", name)
                    queued[name, n] = queue(case.scheme, study.error, begin, case.grid, n, own_key, case.controlled)
        return queued

    def _reference(self, kind: str, steps: int):
        return reference.REFERENCES.get(kind) or self.study.scheme(kind, steps)

    def _alone(self, key, begin, name: str, n: int) -> Future:
        """Queue a batch of a scheme without a path to share: one key gives all schemes the same increments."""
        return self._pool.submit(
            simulate, self.study.scheme(name, n), self.field, self.study.error, begin, grid=self.study.grid(n),
            key=jax.random.fold_in(noise.stream(key, "schemes"), n), limit=self.study.growth, tick=self._count,
        )  # fmt: skip

    def _count(self, steps: int) -> None:
        with self._counting:
            self.spent += steps * BATCH
        if self._left.is_set():
            raise _Left

    def _wait(self, future: Future) -> Run:
        while True:
            try:
                return future.result(timeout=0.1)
            except TimeoutError:
                self.tick(self.done())

    def affordable(self, factors: dict[Key, float]) -> tuple[list[Key], int] | None:
        """Of points that need `factors` times their paths those that the rest of the budget bears, the cheapest first,
        and how many batches until they are looked at again; None where it, or the memory that a study may take, bears none."""
        left = self.total - self.spent
        room = memory.most_batches(self.study, BATCH)
        factors = {k: f for k, f in factors.items() if len(self.points[k]) < room}
        price = {k: BATCH * (k[1] + (self.references[k[1]].work if self.study.paired else 0)) for k in factors}
        need = {k: max(1, math.ceil(len(self.points[k]) * (f - 1))) for k, f in factors.items()}
        order = sorted((k for k in factors if price[k] <= left), key=lambda k: price[k] * need[k])
        if not order:
            return None
        chosen, planned = order[:1], price[order[0]] * need[order[0]]
        for k in order[1:]:
            planned += price[k] * need[k]
            if planned <= left:
                chosen.append(k)
        held = max(len(self.points[k]) for k in chosen)
        batches = min(min(need[k] for k in chosen), held, room - held)
        return chosen, max(1, min(batches, left // sum(price[k] for k in chosen)))

    def pairs(self, key: Key) -> Pairs:
        """All particles of a point, with the reference on the same paths where the study has one."""
        runs, case = self.points[key], self.study.case(*key)
        ends = self.paths[reference.kind(case.scheme), self.references[key[1]]].ends
        x, z = np.concatenate([r.x for r in runs.values()]), None
        if not self.study.paired:
            return Pairs(x, None)
        y, half = (np.concatenate([ends[b][i] for b in runs]) for i in (0, 1))
        if case.controlled:
            z = np.concatenate([r.fluctuation for r in runs.values()])
            # Where the step is so large that the linearisation overflows, there is nothing to subtract.
            z = z if np.isfinite(z).all() else None
        return Pairs(x, y, half, z, case.reference.law_order)

    def tally(self, key: Key) -> dict | None:
        """What SO's Hessian-vector products cost and met, over all batches; None of a scheme or target without."""
        runs = self.points[key].values()
        if any(r.spent is None for r in runs):
            return None
        growth = np.concatenate([r.spent.growth.max(0) for r in runs])
        return {
            "products": float(np.mean([r.spent.products.sum() for r in runs])),
            "pieces": float(np.mean([r.spent.pieces.sum() for r in runs])),
            "growth": float(np.max(growth)), "beyond": float(np.mean(growth > 1.001 * BEYOND)), "missed": max(r.spent.missed for r in runs),
        }  # fmt: skip

    def level_met(self, key: Key) -> float | None:
        return level_met(np.mean([r.error_square for r in self.points[key].values()], axis=0))

    def reference_step(self, case: Case) -> float:
        """The reference's step in units of 1 / the target's steepness, 0 where that is not known."""
        n = case.grid.steps
        return self.study.reference_grid(n, self.references[n].steps).steepest(case.target.steepness or 0.0)

    def reference_error(self, case: Case) -> float:
        """W2 by which the reference may be off: of order p, its own error is a share 1/(2^p - 1) of its distance to itself with
        half the steps, of which extrapolation leaves a quarter at most where the order shows."""
        paths = self.paths[reference.kind(case.scheme), self.references[case.grid.steps]]
        if paths.off[0] != len(paths.ends):
            fine, half = (np.concatenate([e[i] for e in paths.ends.values()]) for i in (0, 1))
            exact = replace(case, scheme=case.reference, error=errors.NONE)
            estimator, _ = measure.choose("projected", exact)
            found = (estimator.quick if estimator else coupled.estimate)(exact, Pairs(half, fine))
            # On a target of unknown steepness no order is known to show.
            share = 1 if case.target.steepness is None else 4 * (2**exact.scheme.law_order - 1)
            off = math.inf if found.value is None else found.value / share
            paths.off = len(paths.ends), off
        return paths.off[1]

    def clouds(self) -> dict[str, np.ndarray]:
        """Final positions: "EM_8" for EM in 8 steps, "reference_EM_8" for its reference on the same paths."""
        pairs = {f"{s}_{n}": self.pairs((s, n)) for s, n in self.points}
        return {k: p.x for k, p in pairs.items()} | {f"reference_{k}": p.y for k, p in pairs.items() if p.y is not None}


def _first(run: Run, count: int) -> Run:
    return replace(run, x=run.x[:count], fluctuation=None if run.fluctuation is None else run.fluctuation[:count])


def _pyramid(key, grid: Grid, wanted, d) -> dict[Grid, np.ndarray]:
    """Moments of one Brownian path in the intervals of each grid `wanted`, whose times are all among those of `grid`."""
    levels = {grid: noise.path(key, grid.h, BATCH, d)}
    for coarse in sorted(wanted - {grid}, key=lambda g: g.steps, reverse=True):
        nearest = min((g for g in levels if g.steps % coarse.steps == 0 or g is grid), key=lambda g: g.steps)
        try:
            places = nearest.places(coarse)
        except ValueError:  # the nearest of many step counts need not hold these times
            nearest, places = grid, grid.places(coarse)
        its, end = levels[nearest], places[-1]
        levels[coarse] = noise.merge(its[:end], np.diff(places), nearest.h[:end])
    return levels
