"""How many steps it takes to come below a distance: found by search, beside the number that the theorem asks for."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from dlab import params, schemes, theory
from dlab.measure import fit, method
from dlab.study.spec import Study

NEAR = 3  # interpolations in a row that may land next to an end of the bracket before it is halved
LEVEL = 0.95  # a curve of which each of the last two doublings left more than this has levelled off


def reach(study: Study, rows: dict, point: Callable) -> Iterator[list[dict]]:
    """More and more of one answer for each scheme and epsilon of study.reach, the largest epsilon first:

    {"scheme", "epsilon", "T", "steps", "h", "w2", "stderr", "w2_fewer" (that of one step fewer), "method", "crossing" (the real
    number of steps where W2, a power of N between the two, is epsilon), "crossing_stderr", "flags" (why the crossing is not
    fitted), "score_evals", "hessian_evals", "planned": {"T", "h", "steps", "share"} of the theorem or None, "why": what to
    say where a number is missing}

    rows {(scheme, steps): row of the study}; point(study of one scheme and step count) -> its row. With the paper's start
    the horizon is the theorem's for this epsilon, where it has one, and the search takes the same.
    """
    answers, known = [], {(name, study.T, steps): row for (name, steps), row in rows.items()}
    for epsilon in study.reach:
        for name in study.schemes:
            plan = theory.plan(schemes.REGISTRY[name], study.built.facts, epsilon, start=study.start, T=study.T, even=study.even)
            T = study.T if plan.void else min(plan.T, params.MAX_T)

            def at(steps, name=name, T=T):
                if (name, T, steps) not in known:
                    known[name, T, steps] = point(replace(
                        study, schemes=(name,), T=T, steps=(steps,), accuracy=None, budget=None, reach=None,
                    ))  # fmt: skip
                return known[name, T, steps]

            limit = _most(study, name, T)
            tried = {n for scheme, horizon, n in known if (scheme, horizon) == (name, T)}
            # Only an error that no step removes leaves a level.
            level = not study.clean or study.start != "exact" or bool(study.stop)
            steps, last = _smallest(lambda n, at=at: _value(at(n)), epsilon, tried, limit, level)
            answers.append(_answer(name, epsilon, T, steps, at, plan, last, limit))
            yield list(answers)


def _value(row) -> float:
    """W2 where it is known: of a lower bound none can say that W2 is below anything."""
    return math.inf if row.w2 is None or method(row.method).lower else row.w2


def _most(study, name, T) -> int:
    """The largest step count that the lab takes in one point of the scheme."""
    if not study.sampled(name):
        return params.MAX_STEPS
    work = replace(study, schemes=(name,), T=T, steps=(64,), accuracy=None, budget=None, reach=None).work / 64
    return min(params.MAX_STEPS, int(params.MAX_WORK / 4 / work))


def _smallest(value, epsilon, tried, limit, level=False) -> tuple[int | None, int]:
    """The smallest n in [1, limit] with value(n) < epsilon where value falls, None where value(limit) is not below, and the
    last n that was not; level: the search gives up where value has levelled off above epsilon.

    n and n - 1 are both tried in any case: one lies below epsilon, the other does not.
    """
    tried = sorted(n for n in tried if n <= limit)
    high = next((n for n in tried if value(n) < epsilon), None)
    low = max((n for n in tried if n < (high or math.inf)), default=0)
    while high is None:
        if low == limit or (level and _levelled(value, low, epsilon)):
            return None, low
        n = min(2 * low or 1, limit)
        low, high = (low, n) if value(n) < epsilon else (n, None)
    stuck = 0
    while high - low > 1:
        n = (low + high) // 2
        if low and stuck < NEAR and math.isfinite(value(low)) and value(high) > 0:
            # W2 is nearly a power of n.
            share = math.log(value(low) / epsilon) / math.log(value(low) / value(high))
            n = min(max(math.ceil(low * (high / low) ** share), low + 1), high - 1)
        below = value(n) < epsilon
        stuck = stuck + 1 if min(n - low, high - n) <= 1 else 0
        low, high = (low, n) if below else (n, high)
    return high, low


def _levelled(value, n, epsilon) -> bool:
    """Whether the last two doublings up to n left value nearly as it was, well above epsilon."""
    if n < 4 or not math.isfinite(value(n // 4)) or LEVEL**2 * value(n) <= epsilon:
        return False
    return value(n) > LEVEL * value(n // 2) and value(n // 2) > LEVEL * value(n // 4)


UNKNOWN = ("h", "w2", "stderr", "w2_fewer", "method", "score_evals", "hessian_evals", "crossing", "crossing_stderr")


def _answer(name, epsilon, T, steps, at, plan, last, limit) -> dict:
    scheme, found = schemes.REGISTRY[name], {}
    if steps is not None:
        row, fewer = at(steps), at(steps - 1) if steps > 1 else None
        found = {"h": row.h, "w2": row.w2, "stderr": row.stderr, "w2_fewer": fewer and fewer.w2, "method": row.method}
        found |= {"score_evals": row.score_evals, "hessian_evals": row.hessian_evals}
        found |= _crossing(scheme, epsilon, steps, row, fewer)
    why = [plan.void] if plan.void else []
    if not plan.void and plan.T > params.MAX_T:
        why.append(f"The theorem's T = {plan.T:.3g} exceeds {params.MAX_T:g}, the lab's limit, which the search takes.")
    if steps is None:
        most = "the most that the lab takes here" if last == limit else f"where it has levelled off at {_value(at(last)):.3g}"
        why.append(f"W₂ is not below {epsilon:g} at N = {last}, {most}.")
    return {
        "scheme": name,
        "epsilon": epsilon,
        "T": T,
        "steps": steps,
        **(dict.fromkeys(UNKNOWN) | {"flags": []} | found),
        "planned": None if plan.void else {k: getattr(plan, k) for k in ("T", "h", "steps", "share")},
        "why": " ".join(why),
    }


def _crossing(scheme, epsilon, steps, row, fewer) -> dict:
    """Where W2 crosses epsilon between steps - 1 and steps: a slope fitted to it is free of the rounding to whole steps."""
    flags = list(dict.fromkeys([*row.flags, *(fewer.flags if fewer else ())]))
    if steps == 1:
        flags.append("one step is enough, and there are none fewer")
    elif fewer.w2 is None:
        flags.append(f"diverged with {steps - 1} steps")
    elif row.w2 <= 0:
        flags.append("no error but rounding")
    else:
        share = math.log(fewer.w2 / epsilon) / math.log(fewer.w2 / row.w2)
        crossing = (steps - 1) * (steps / (steps - 1)) ** share
        # As W2 falls like N^-order, an error of W2 is one of N.
        error = float(crossing * row.stderr / row.w2 / scheme.law_order)
        return {"crossing": float(crossing), "crossing_stderr": error, "flags": flags}
    return {"flags": flags}


def trends(study: Study, answers) -> list[dict]:
    """Slope of log N against log(1/epsilon) for each scheme, fitted to the crossings, with its 95 % interval:

    {"scheme", "slope", "slope_low", "slope_high", "constant" (N = constant epsilon^-slope), "used" (distances),
    "theory_slope" (2 or 1, None where there is none or it is void), "law_slope" (the limit for small epsilon: 1 or 1/2)}
    """
    found = []
    for name in study.schemes:
        scheme, mine = schemes.REGISTRY[name], [a for a in answers if a["scheme"] == name and a["crossing"]]
        columns = ([a[k] for a in mine] for k in ("epsilon", "crossing", "crossing_stderr"))
        line = fit.fit(*columns, [not a["flags"] for a in mine])
        slope, high, low = (None if v is None else -v for v in (line.slope, line.low, line.high))
        void = not study.printed or theory.bound(scheme, study.built.facts, T=study.T, h=1e-3, start="exact").void
        found.append({
            "scheme": name, "slope": slope, "slope_low": low, "slope_high": high, "constant": line.constant,
            "used": list(line.used), "theory_slope": None if void else 1 / scheme.theorem.order, "law_slope": 1 / scheme.law_order,
        })  # fmt: skip
    return found
