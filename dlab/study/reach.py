"""How many steps it takes to come below a distance: found by search, beside the number that the theorem asks for."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from dlab import params, schemes, theory
from dlab.study.spec import Study

NEAR = 3  # interpolations in a row that may land next to an end of the bracket before it is halved


def reach(study: Study, rows: dict, point: Callable) -> Iterator[list[dict]]:
    """More and more of one answer for each scheme and epsilon of study.reach, the largest epsilon first:

    {"scheme", "epsilon", "T", "steps", "h", "w2", "stderr", "w2_fewer" (that of one step fewer), "score_evals",
    "hessian_evals", "planned": {"T", "h", "steps"} of the theorem or None, "why": what to say where a number is missing}

    rows {(scheme, steps): row of the study}; point(study of one scheme and step count) -> its row. With the paper's start
    the horizon is the theorem's for this epsilon, where it has one, and the search takes the same.
    """
    answers, known = [], {(name, study.T, steps): row for (name, steps), row in rows.items()}
    for epsilon in study.reach:
        for name in study.schemes:
            plan = theory.plan(schemes.REGISTRY[name], study.built.facts, epsilon, start=study.start, T=study.T)
            T = study.T if plan.void else min(plan.T, params.MAX_T)

            def at(steps, name=name, T=T):
                if (name, T, steps) not in known:
                    known[name, T, steps] = point(replace(
                        study, schemes=(name,), T=T, steps=(steps,), h=(T / steps,), accuracy=None, budget=None, reach=None,
                    ))  # fmt: skip
                return known[name, T, steps]

            limit = _most(study, name, T)
            tried = {n for scheme, horizon, n in known if (scheme, horizon) == (name, T)}
            steps = _smallest(lambda n, at=at: _value(at(n)), epsilon, tried, limit)
            answers.append(_answer(name, epsilon, T, steps, at, plan, limit))
            yield list(answers)


def _value(row) -> float:
    return math.inf if row.w2 is None else row.w2


def _most(study, name, T) -> int:
    """The largest step count that the lab takes in one point of the scheme."""
    if not study.sampled(name):
        return params.MAX_STEPS
    work = replace(study, schemes=(name,), T=T, steps=(64,), h=(T / 64,), accuracy=None, budget=None, reach=None).work / 64
    return min(params.MAX_STEPS, int(params.MAX_WORK / 4 / work))


def _smallest(value, epsilon, tried, limit) -> int | None:
    """The smallest n in [1, limit] with value(n) < epsilon where value falls; None where value(limit) is not below.

    n and n - 1 are both tried in any case: one lies below epsilon, the other does not.
    """
    tried = sorted(n for n in tried if n <= limit)
    high = next((n for n in tried if value(n) < epsilon), None)
    low = max((n for n in tried if n < (high or math.inf)), default=0)
    while high is None:
        if low == limit:
            return None
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
    return high


def _answer(name, epsilon, T, steps, at, plan, limit) -> dict:
    scheme, found = schemes.REGISTRY[name], {}
    if steps is not None:
        row, fewer = at(steps), at(steps - 1) if steps > 1 else None
        found = {"h": T / steps, "w2": row.w2, "stderr": row.stderr, "w2_fewer": fewer and fewer.w2}
    why = [plan.void] if plan.void else []
    if steps is None:
        why.append(f"W₂ is not below {epsilon:g} at N = {limit}, the most that the lab takes here.")
    return {
        "scheme": name,
        "epsilon": epsilon,
        "T": T,
        "steps": steps,
        **({"h": None, "w2": None, "stderr": None, "w2_fewer": None} | found),
        "score_evals": steps and steps * scheme.score_evals,
        "hessian_evals": steps and steps * scheme.hessian_evals,
        "planned": None if plan.void else {"T": plan.T, "h": plan.h, "steps": plan.steps},
        "why": " ".join(why),
    }
