"""Running a study: exact rows at once, the others from shared Brownian paths, better and better."""

import math
from collections.abc import Iterator
from dataclasses import replace

from dlab import theory
from dlab.measure import Pairs, coupled, gelbrich
from dlab.sample import DIVERGED, diverged, level_met
from dlab.study import vary
from dlab.study.reach import reach
from dlab.study.result import Result, Row
from dlab.study.spec import Study
from dlab.study.sweep import BEYOND, Sweep, Tick
from dlab.types import Estimate

SHARE = 0.1  # reference error, as a share of a value, above which the row says so
COARSE = 0.4  # h L of the reference up to which it is within 2 % of the value of SO in a quarter of its steps, on Gaussians
RESOLVED = 3.0  # standard errors that a resolved value is above zero
HESSIAN = "ε_L of this Hessian is not known, so Theorem 4 gives no number."


def run(study: Study, tick: Tick = lambda done: None) -> Result:
    """The whole study. tick(done) is called with the share of the work done and may raise to cancel."""
    *_, result = stream(study, tick)
    return result


def stream(study: Study, tick: Tick = lambda done: None) -> Iterator[Result]:
    """Results as they become better: exact rows first, then provisional points from the first batch of paths, coarse h
    first, then all points after 1, 2, 4, ... batches; with an accuracy asked for, then those that lack it while the
    budget lasts. The last one is final."""
    if study.vary:
        yield from vary.stream(study, lambda part, share: stream(part, lambda done: tick(share(done))))
    elif not study.error.ready:
        # The seconds before the first row are the training's.
        share = study.error.price / study.price
        ready = study.prepared(lambda done: tick(share * done))
        for result in stream(ready, lambda done: tick(share + (1 - share) * done)):
            yield result if result.done == 1 else replace(result, done=share + (1 - share) * result.done)
    elif study.reach:
        yield from _reaching(study, tick)
    else:
        yield from _plain(study, tick)


def _reaching(study, tick) -> Iterator[Result]:
    plain = replace(study, reach=None)
    share = plain.price / study.price if study.price else 0.5
    for result in _plain(plain, lambda done: tick(share * done)):
        yield replace(result, study=study, done=min(share * result.done, 0.99))
    rows, count = {(r.scheme, r.steps): r for r in result.rows}, len(study.reach) * len(study.schemes)
    done = share

    def point(part):
        # How many points a search takes is not known: they tick, so that a run can be cancelled, and move nothing.
        return run(part, lambda _: tick(done)).rows[0]

    for answers in reach(study, rows, point):
        done = share + (1 - share) * len(answers) / count
        tick(done)
        yield replace(result, study=study, reach=tuple(answers), done=1.0 if len(answers) == count else min(done, 0.99))


def _plain(study, tick) -> Iterator[Result]:
    rows = {}
    sampled = [s for s in study.schemes if study.sampled(s)]
    by_name = {s: study.estimator_for(s) for s in study.schemes if s not in sampled}
    by_law = [(method, study.case(s, n)) for n in study.steps for s, method in by_name.items()]
    paid = 0
    # What costs least first.
    for method, case in sorted(by_law, key=lambda item: item[0].price(item[1])):
        (found,), met = method.follow(case, [case.grid.steps])
        lost = found.value is None and (not found.flags or found.flags == (case.target.unbounded,))
        rows[case.scheme.name, case.grid.steps] = _row(study, case, found, 0, level_met(met), int(lost))
        paid += method.price(case)
        if paid:
            tick(min(paid / study.price, 0.99))
            yield _result(study, rows, min(paid / study.price, 0.99))
    if not sampled:
        yield _result(study, rows, 1.0)
        return
    yield _result(study, rows, min(paid / study.price, 0.99))
    with Sweep(study, sampled, tick, paid) as sweep:

        def measured(keys, quick=False):
            for key in keys:
                rows[key] = _measured(study, sweep, key, quick)
                tick(sweep.done())

        while sweep.drawn < study.particles:
            for keys in sweep.batch():
                if sweep.batches == 1:
                    measured(keys, quick=True)
                    yield _result(study, rows, sweep.done())
            last = sweep.drawn >= study.particles
            # Estimates over all paths cost about as much as a batch.
            if last or (sweep.batches > 1 and sweep.batches & (sweep.batches - 1) == 0):
                measured(sweep.points, quick=not last)
            yield _result(study, rows, sweep.done())
        while study.accuracy is not None and (wanted := sweep.affordable(_lacking(study, rows))):
            keys, batches = wanted
            for _ in range(batches):
                for _ in sweep.batch(keys):
                    pass
            measured(keys)
            yield _result(study, rows, sweep.done())
        tick(1.0)
        yield _result(study, rows, 1.0, sweep.clouds())


def clouds(study: Study, tick: Tick = lambda done: None) -> dict[tuple[str, int], Pairs]:
    """The particles of all schemes of a study and their reference, by (scheme, steps), measured by nobody."""
    study = study.prepared(lambda done: tick(0.0))
    with Sweep(study, list(study.schemes), tick) as sweep:
        while sweep.drawn < study.particles:
            for _ in sweep.batch():
                pass
        return {key: sweep.pairs(key) for key in sweep.points}


def _lacking(study, rows) -> dict[tuple[str, int], float]:
    """For each point less accurate than asked for, how many times its paths it needs."""
    found = {}
    for key, row in rows.items():
        if row.w2 is not None and row.stderr > study.accuracy * row.w2:
            found[key] = (row.stderr / (study.accuracy * max(row.w2, row.stderr))) ** 2
    return found


def _measured(study, sweep, key, quick) -> Row:
    case = study.case(*key)
    estimator = study.estimator_for(case.scheme.name)
    pairs, met, spent = sweep.pairs(key), sweep.level_met(key), sweep.tally(key)
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
    own = sweep.reference_error(case) if estimator.uses_reference else 0.0
    if case.target.steepness is None:  # how far the reference is off is then guessed with a wide margin, which the interval bears
        found = replace(found, stderr=None if found.value is None else math.hypot(found.stderr, own))
    flags = _doubts(found, lower, upper, own)
    if estimator.uses_reference and not (long := sweep.reference_step(case)) <= COARSE:
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


def _result(study, rows, done, clouds=None) -> Result:
    order = {name: i for i, name in enumerate(study.schemes)}
    ordered = sorted(rows.values(), key=lambda r: (order[r.scheme], r.steps))
    return Result(study, tuple(ordered), done, clouds=clouds or {})
