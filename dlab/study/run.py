"""Running a study: exact rows at once, the others from shared Brownian paths, better and better."""

import io
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dlab import theory
from dlab.measure import Pairs, coupled, gelbrich
from dlab.sample import DIVERGED, diverged, level_met
from dlab.study import memory, vary
from dlab.study.place import HERE
from dlab.study.reach import reach
from dlab.study.result import Result, Row
from dlab.study.spec import BATCH, Study
from dlab.study.sweep import BEYOND, Batches, Key, Tick, one_thread, parts_of, simulated, units
from dlab.study.sweep import work as work_of
from dlab.types import Estimate

SHARE = 0.1  # reference error, as a share of a value, above which the row says so
COARSE = 0.4  # h L of the reference up to which it is within 2 % of the value of SO in a quarter of its steps, on Gaussians
RESOLVED = 3.0  # standard errors that a resolved value is above zero
HESSIAN = "ε_L of this Hessian is not known, so Theorem 4 gives no number."


def run(study: Study, tick: Tick = lambda done: None, place=HERE) -> Result:
    """The whole study. tick(done) is called with the share of the work done and may raise to cancel."""
    *_, result = stream(study, tick, place)
    return result


def stream(study: Study, tick: Tick = lambda done: None, place=HERE) -> Iterator[Result]:
    """Results as they become better: exact rows first, then provisional points from the first batch of paths, coarse h
    first, then all points after 2, 4, ... batches; with an accuracy asked for, then those that lack it while the
    budget lasts. The last one is final, and the same wherever the units run: see `place`."""
    if study.vary:
        yield from vary.stream(study, lambda part, share: stream(part, lambda done: tick(share(done)), place))
    elif not study.error.ready:
        # The seconds before the first row are the training's.
        share = study.error.price / study.price
        ready = _ready(study, lambda done: tick(share * done), place)
        for result in stream(ready, lambda done: tick(share + (1 - share) * done), place):
            yield result if result.done == 1 else replace(result, done=share + (1 - share) * result.done)
    elif study.reach:
        yield from _reaching(study, tick, place)
    else:
        yield from _plain(study, tick, place)


def _ready(study, tick, place) -> Study:
    """The study with its network, trained where units run."""
    if not place.near:
        with place.open(study) as work:
            future = work.submit(trained, price=study.error.price)
            while not future.done():
                tick(min(work.spent / study.error.price, 1.0))
                work.wait()
            future.result()
    return study.prepared(tick)


def _reaching(study, tick, place) -> Iterator[Result]:
    plain = replace(study, reach=None)
    share = plain.price / study.price if study.price else 0.5
    for result in _plain(plain, lambda done: tick(share * done), place):
        yield replace(result, study=study, done=min(share * result.done, 0.99))
    rows, count = {(r.scheme, r.steps): r for r in result.rows}, len(study.reach) * len(study.schemes)
    done = share

    def point(part):
        # How many points a search takes is not known: they tick, so that a run can be cancelled, and move nothing.
        return run(part, lambda _: tick(done), place).rows[0]

    for answers in reach(study, rows, point):
        done = share + (1 - share) * len(answers) / count
        tick(done)
        yield replace(result, study=study, reach=tuple(answers), done=1.0 if len(answers) == count else min(done, 0.99))


def _plain(study, tick, place) -> Iterator[Result]:
    sampled = [s for s in study.schemes if study.sampled(s)]
    by_law = sorted((study.estimator_for(s).price(study.case(s, n)), s, n) for s in study.schemes if s not in sampled for n in study.steps)
    free, dear = tuple(point[1:] for point in by_law if not point[0]), [point for point in by_law if point[0]]
    if not sampled and not dear:
        yield _result(study, law_rows(study, free), 1.0)
        return
    rows = {}
    with place.open(study) as work:
        total = sum(price for price, *_ in dear) + (study.most if sampled else 0)

        def done():
            return min(work.spent / total, 0.99)

        # What costs least first.
        laws = [work.submit(law_rows, free)] if free else []
        laws += [work.submit(law_rows, (point,), price=price) for price, *point in dear]
        points = Points(study, sampled, work)
        while laws or points.left:
            tick(done())
            work.wait()
            found = {key: row for f in laws if f.done() for key, row in f.result().items()} | points.advance()
            laws = [f for f in laws if not f.done()]
            if found:
                rows |= found
                yield _result(study, rows, done())
        while study.accuracy is not None and (wanted := points.affordable(_lacking(study, rows))):
            points.add(*wanted)
            while points.left:
                tick(done())
                work.wait()
                rows |= points.advance()
            yield _result(study, rows, done())
        tick(1.0)
        yield replace(_result(study, rows, 1.0), **points.particles(place.near))


class Points:
    """The sampled points of a run: their units, submitted batch by batch, and their rows as soon as there is what they need."""

    def __init__(self, study: Study, names: list[str], work):
        self.study, self.work, self.spent, self.most = study, work, 0, study.most
        # Coarse h first: its points are on the screen while the fine ones run.
        self.keys = [(s, n) for n in sorted(study.steps) for s in names] if names else []
        self.numbers = {key: [] for key in self.keys}  # the batches of each point
        self.units: dict[tuple[int, tuple], object] = {}  # futures, by batch and parts
        self.rows: list[tuple[int, object]] = []  # (batches that they come from, future) of what is being measured
        self.level, self.seen, self.measured, self.provisional = 0, set(), {}, True
        self._simulate(self.keys, math.ceil(study.particles / BATCH) if self.keys else 0)
        self.final = not self.keys

    def _simulate(self, keys, batches) -> None:
        self.asked, self.final, cut = keys, False, units(self.study, keys)
        for _ in range(batches):
            number = max((1 + b for b, _ in self.units), default=0)
            for parts in cut:
                self.units[number, parts] = self.work.submit(simulated, number, parts, price=work_of(parts), hold=True)
                self.spent += work_of(parts)
            for key in keys:
                self.numbers[key].append(number)

    @property
    def left(self) -> bool:
        """Whether something is still to come."""
        return not self.final or bool(self.rows)

    def advance(self) -> dict:
        """What has been measured since the last call, {(scheme, steps): row}; asks for what can be measured now."""
        for future in self.units.values():
            if future.done():
                future.result()  # raises what ended it
        whole = all(f.done() for f in self.units.values())
        if whole and not self.final:
            # What is provisional and not begun is not needed any more.
            self.rows = [(level, f) for level, f in self.rows if not f.cancel()]
            self.final, self.provisional = True, False
            self._measure(self.asked, math.inf, quick=False)
        elif not self.final and self.provisional:
            self._look_ahead()
        found, waiting = {}, []
        for level, future in self.rows:
            if not future.done():
                waiting.append((level, future))
                continue
            for key, row in future.result().items():
                if level >= self.measured.get(key, 0):
                    self.measured[key] = level
                    found[key] = row
        self.rows = waiting
        return found

    def _look_ahead(self) -> None:
        """Measure provisionally: each step count after its first batch, then all after 2, 4, ... batches."""
        for n in dict.fromkeys(n for _, n in self.keys):
            its = [key for key in self.keys if key[1] == n]
            if n not in self.seen and all(f.done() for f in self._needed(its, [0]).values()):
                self.seen.add(n)
                self._measure(its, 1, quick=True)
        batches = 0
        while (these := [f for (b, _), f in self.units.items() if b == batches]) and all(f.done() for f in these):
            batches += 1
        level = 2 ** (batches.bit_length() - 1) if batches else 0
        if level > max(self.level, 1):
            self._measure(self.keys, level, quick=True)
        self.level = max(self.level, level)

    def _needed(self, keys, numbers) -> dict:
        wanted = {part for parts in parts_of(self.study, keys).values() for part in parts}
        return {(b, parts): f for (b, parts), f in self.units.items() if b in numbers and wanted & set(parts)}

    def _measure(self, keys, level, quick) -> None:
        for n in dict.fromkeys(n for _, n in keys):
            its = tuple(key for key in keys if key[1] == n)
            needed = self._needed(its, [b for b in self.numbers[its[0]] if b < level])
            self.rows.append((level, self.work.submit(
                measured, its, quick, tuple(b for b, _ in needed), *(f.result() for f in needed.values()), ahead=True
            )))  # fmt: skip

    def add(self, keys, batches) -> None:
        """Simulate further batches of points that lack accuracy, and measure those anew."""
        self._simulate(keys, batches)

    def affordable(self, factors: dict[Key, float]) -> tuple[list[Key], int] | None:
        """Of points that need `factors` times their paths those that the rest of the budget bears, the cheapest first,
        and how many batches until they are looked at again; None where it, or the memory that a study may take, bears none."""
        left = self.most - self.spent
        room = memory.most_batches(self.study, BATCH)
        factors = {k: f for k, f in factors.items() if k in self.numbers and len(self.numbers[k]) < room}
        price = {k: work_of(part for parts in parts_of(self.study, [k]).values() for part in parts) for k in factors}
        need = {k: max(1, math.ceil(len(self.numbers[k]) * (f - 1))) for k, f in factors.items()}
        order = sorted((k for k in factors if price[k] <= left), key=lambda k: price[k] * need[k])
        if not order:
            return None
        chosen, planned = order[:1], price[order[0]] * need[order[0]]
        for k in order[1:]:
            planned += price[k] * need[k]
            if planned <= left:
                chosen.append(k)
        held = max(len(self.numbers[k]) for k in chosen)
        batches = min(min(need[k] for k in chosen), held, room - held)
        return chosen, max(1, min(batches, left // sum(price[k] for k in chosen)))

    def particles(self, near: bool) -> dict:
        """The final positions for a result: as arrays where they are in this process, packed where they are not."""
        if not self.keys:
            return {}
        its = [number for number, _ in self.units], [f.result() for f in self.units.values()]
        if near:
            return {"clouds": Batches(self.study, zip(*its)).clouds(self.keys)}
        future = self.work.submit(packed, tuple(self.keys), tuple(its[0]), *its[1], ahead=True)
        while not future.done():
            self.work.wait()
        return {"packed": future.result()}


# ---------------------------------------------------------------- units: pure functions of a study


def law_rows(study: Study, points, tick: Tick = lambda done: None) -> dict[Key, Row]:
    """The rows of points (scheme, steps) whose law is carried without particles."""
    study, rows = study.prepared(), {}
    with one_thread():
        for number, (name, n) in enumerate(points):
            case, method = study.case(name, n), study.estimator_for(name)
            (found,), met = method.follow(case, [n])
            lost = found.value is None and (not found.flags or found.flags == (case.target.unbounded,))
            rows[name, n] = _row(study, case, found, 0, level_met(met), int(lost))
            tick((number + 1) / len(points))
    return rows


def measured(study: Study, keys, quick: bool, numbers, *found, tick: Tick = lambda done: None) -> dict[Key, Row]:
    """The rows of sampled points from what units gave, `found` of the batches `numbers`; quick: provisional ones."""
    study, rows = study.prepared(), {}
    with one_thread():
        batches = Batches(study, zip(numbers, found))
        for i, key in enumerate(keys):
            rows[key] = _measured(study, batches, key, quick)
            tick((i + 1) / len(keys))
    return rows


def packed(study: Study, keys, numbers, *found, tick: Tick = lambda done: None) -> bytes:
    """The final positions of sampled points as npz bytes, in single precision."""
    return pack(Batches(study.prepared(), zip(numbers, found)).clouds(keys))


def pack(clouds: dict) -> bytes:
    """Positions by name as npz bytes, in single precision."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{k: v.astype(np.float32) for k, v in clouds.items()})
    return buffer.getvalue()


def trained(study: Study, tick: Tick = lambda done: None) -> None:
    """Train the network of the study's score error; it is kept on disk."""
    study.prepared(tick)


def gathered(study: Study, tick: Tick = lambda done: None) -> tuple[list[Key], Batches]:
    """All points of a study, each simulated in this process and not measured."""
    study = study.prepared(lambda done: tick(0.0))
    keys = [(s, n) for n in sorted(study.steps) for s in study.schemes]
    with HERE.open(study) as work:
        futures = {
            (number, parts): work.submit(simulated, number, parts, price=work_of(parts))
            for number in range(math.ceil(study.particles / BATCH)) for parts in units(study, keys)
        }  # fmt: skip
        while not all(f.done() for f in futures.values()):
            tick(min(work.spent / (study.most or 1), 1.0))
            work.wait()
        return keys, Batches(study, [(number, f.result()) for (number, _), f in futures.items()])


def clouds(study: Study, tick: Tick = lambda done: None) -> dict[Key, Pairs]:
    """The particles of all schemes of a study and their reference, by (scheme, steps), not measured."""
    keys, batches = gathered(study, tick)
    return {key: batches.pairs(key) for key in keys}


def _lacking(study, rows) -> dict[tuple[str, int], float]:
    """For each point less accurate than asked for, how many times its paths it needs."""
    found = {}
    for key, row in rows.items():
        if row.w2 is not None and row.stderr > study.accuracy * row.w2:
            found[key] = (row.stderr / (study.accuracy * max(row.w2, row.stderr))) ** 2
    return found


def _measured(study, batches, key, quick) -> Row:
    case = study.case(*key)
    estimator = study.estimator_for(case.scheme.name)
    pairs, met, spent = batches.pairs(key), batches.level_met(key), batches.tally(key)
    if case.scheme.randomised and (why := case.target.unbounded):
        # Finite samples of an infinite mean square say nothing, however near they land.
        return replace(_row(study, case, Estimate(None, None, estimator.name), len(pairs.x), met, 1), flags=(why,))
    lost = int(diverged(pairs.x, study.built.facts).sum())
    if lost:
        return _row(study, case, Estimate(None, None, estimator.name), len(pairs.x), met, lost, spent)
    found = (estimator.quick if quick and estimator.quick else estimator.estimate)(case, pairs)
    if pairs.y is None:
        return _row(study, case, replace(found, flags=_doubts(found, None, None, 0.0)), len(pairs.x), met, 0, spent)
    lower, upper = gelbrich.estimate(case, pairs), coupled.estimate(case, pairs)
    own = batches.reference_error(case) if estimator.uses_reference else 0.0
    if case.target.steepness is None:  # how far the reference is off is then guessed with a wide margin, which the interval bears
        found = replace(found, stderr=None if found.value is None else math.hypot(found.stderr, own))
    flags = _doubts(found, lower, upper, own)
    if estimator.uses_reference and not (long := batches.reference_step(case)) <= COARSE:
        flags = (*flags, f"the reference's steps are too long for this target: h L = {long:.2g}, above {COARSE:g}, so it bounds nothing")
        lower = upper = Estimate(None, None, "")
    least = None if lower.value is None else lower.value - RESOLVED * lower.stderr
    found = replace(found, lower=lower.value, upper=upper.value, flags=flags)
    return _row(study, case, found, len(pairs.x), met, 0, least=least)


def _doubts(estimate, lower, upper, own) -> tuple[str, ...]:
    """A sentence for every reason not to fit the value; `own` is the reference's error where it enters. What is not a number is a
    reason: no comparison that it makes false leaves a value without its flag."""
    flags = list(estimate.flags)
    value, stderr = estimate.value, estimate.stderr
    if value is None:
        return tuple(flags)
    if not value > RESOLVED * stderr:
        flags.append(f"unresolved: {value:.2g} ± {stderr:.1g} is within {RESOLVED:g} standard errors of zero")
    if not own <= SHARE * value:
        flags.append(f"the reference path may itself be off by {own:.2g}, more than a tenth of this value")
    if estimate.method == "projected":
        for other, sign, word in ((lower, -1, "below Gelbrich's lower bound"), (upper, 1, "above the coupled bound")):
            if other.value is None:
                flags.append(f"the projected value has no bound beside it: {', '.join(other.flags)}")
                continue
            gap = sign * (value - other.value)
            if gap > 3 * math.hypot(stderr, other.stderr) and gap > 0.02 * other.value:
                flags.append(f"the projected value lies {word} by more than their errors")
    return tuple(flags)


def _row(study, case, estimate, particles, met, lost, spent=None, least=None) -> Row:
    """least: what W2 is at least, errors allowed for; the estimate's own lower bound where None."""
    scheme, error, h, steps = case.scheme, study.error, case.grid.step, case.grid.steps
    bound = theory.Bound(void="the score error met is not finite")
    withdrawn = "" if lost else bound.void
    if met is not None:
        levels = (met, float(error.hessian_level), float(error.drift_level))
        unknown = error.hessian_changed and scheme.hessian_evals
        found = theory.bound(scheme, study.built.facts, T=case.grid.T, h=h, start=study.start, errors=levels)
        bound, withdrawn = theory.Bound(void=HESSIAN) if unknown else found, ""
    least, parts = estimate.lower if least is None else least, None
    if not bound.void and least is not None and not bound.total >= (1 - 1e-6) * least:
        withdrawn = f"{scheme.theorem.name}'s leading term, {bound.total:.3g}, lies below W₂, which is at least {least:.3g}"
        bound = theory.Bound(void=withdrawn)
    if not bound.void:
        parts = {k: getattr(bound, k) for k in ("initialisation", "discretisation", "score")}
    flags = estimate.flags
    if lost and not particles:
        flags = flags or ("the scheme's law is not finite or leaves every grid: the step is too large",)
    elif lost:
        far = f"further than {DIVERGED:g} standard deviations from the mean"
        flags = (f"{lost} of {particles} particles diverged ({far})",)
    if spent and spent["beyond"]:
        flags = (*flags, f"in {spent['beyond']:.2g} of the paths SO let distances grow by more than exp({BEYOND:g}) in a step")
    return Row(
        scheme=scheme.name,
        h=h,
        steps=steps,
        score_evals=steps * scheme.score_evals if spent is None else round(spent["pieces"]),
        hessian_evals=scheme.hessian_evals * error.hessians(steps, study.built.dim) if spent is None else round(spent["products"]),
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
        bound_withdrawn=withdrawn,
        error_level_met=met,
        diverged=lost,
        flags=flags,
        grid_change=(estimate.grid_change or None) if math.isfinite(estimate.grid_change) else None,
        spent=spent,
        early_stop=case.early_stop,
    )


def _result(study, rows, done) -> Result:
    order = {name: i for i, name in enumerate(study.schemes)}
    ordered = sorted(rows.values(), key=lambda r: (order[r.scheme], r.steps))
    return Result(study, tuple(ordered), done)
