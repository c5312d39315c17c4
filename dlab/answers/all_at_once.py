"""The all-at-once bound on DDPM, its terms beside what is measured: W2 of the law, and the coupled L2 distance that the proof bounds."""

from collections.abc import Iterator

import numpy as np

from dlab import measure, schemes
from dlab.answers.base import Answer
from dlab.answers.bounds import level
from dlab.laws import runs
from dlab.measure import coupled as coupled_estimator
from dlab.study import Study, stream
from dlab.theory import all_at_once

NAME = "DDPM"
NOISES = (0.0, *np.geomspace(0.02, 50.0, 33).tolist())  # values of the option
LOOSE = "a path keeps three moments a step, which leave some of the noise at v̂ > 0 open: the coupled distance is too large"
MOST = 64  # axes for which the laws of all of them are carried
TERMS = ("initialisation", "discretisation", "bias", "fresh", "stop")


def bound_row(study: Study, steps: int, met: float | None = None) -> tuple[dict, str | None]:
    """The terms of the bound in so many steps, {"initialisation", ..., "bound"}, all None where there is none, and why."""
    eps, none = level(study, {NAME: met}, NAME), dict.fromkeys((*TERMS, "bound"))
    if not eps.known:
        return none, None
    noise = study.scheme(NAME, steps).value
    given = {"error": eps.fixed, "fresh": eps.fresh, "noise": noise}
    found, void = all_at_once.terms(study.built.facts, grid=study.grid(steps), start=study.start, **given)
    return (none, void) if void else ({name: getattr(found, name) for name in TERMS} | {"bound": found.total}, None)


def closed(study: Study) -> bool:
    """Whether the coupled distance is known without particles."""
    return study.built.along_axes is not None and study.score_error["name"] in ("none", "noise") and not study.stop


def _coupled(study: Study, steps: int) -> float:
    values, means = study.built.along_axes
    noise = study.scheme(NAME, steps).value
    return all_at_once.coupled(values, means, grid=study.grid(steps), start=study.start, fresh=level(study).fresh, noise=noise)


def knob(study: Study) -> list[dict]:
    """The bound at each of NOISES with the exact score, at the study's largest number of steps, beside W2 and the coupled distance on a
    Gaussian: [{"noise", "bound", "w2", "coupled"}]; empty where there is no bound."""
    facts, axes, grid, rows = study.built.facts, study.built.along_axes, study.grid(max(study.steps)), []
    if all_at_once.missing(facts):
        return rows
    known = axes is not None and len(axes[0]) <= MOST and not grid.stop
    own = schemes.REGISTRY[NAME]
    laws = runs.ends([(own.at(v, grid.steps), grid) for v in NOISES], *axes, study.start) if known else [None] * len(NOISES)
    for v, law in zip(NOISES, laws):
        found, _ = all_at_once.terms(facts, grid=grid, start=study.start, noise=v)
        row = {"noise": v, "bound": found.total, "w2": None, "coupled": None}
        if law:
            row["w2"] = float(np.sqrt(np.sum((np.sqrt(law.var) - np.sqrt(axes[0])) ** 2 + (law.mean - axes[1]) ** 2)))
            row["coupled"] = all_at_once.coupled(*axes, grid=grid, start=study.start, noise=v)
        rows.append(row)
    return rows


def _by_pairs(study: Study) -> Study | None:
    """The study that measures the coupled distance; None where it is known or cannot be had."""
    if closed(study) or coupled_estimator.ENTRY.applies(study.case(NAME, study.steps[0])):
        return None
    return Study.from_json({**study.to_json(), "target": study.target, "estimator": "coupled", "accuracy": None, "budget": None})


def all_at_once_answer(study: Study, tick=lambda done: None) -> Iterator[dict]:
    """DDPM on the study's target, grid and steps, better and better:

    {"void", "m0", "dim", "noise", "grid", "done",
     "rows": [{"steps", "initialisation", "discretisation", "bias", "fresh", "stop", "bound", "w2", "stderr", "method", "resolved",
     "flags", "coupled", "coupled_stderr", "coupled_flags", "error_level_met"}],
     "knob": as `knob`}

    The five terms add up to the bound; None where it is void, or where the level of the score error is not measured yet. coupled has
    no standard error where it is known in closed form. tick(done) may raise to cancel.
    """
    pairs = _by_pairs(study)
    parts = [study, *([pairs] if pairs and study.sampled(NAME) is False else [])]
    prices = [max(part.price, 1) for part in parts]
    measured, apart, done = {}, {}, 0.0
    facts, noises = study.built.facts, knob(study)

    def found(share):
        rows, void = [], all_at_once.missing(facts)
        for n in study.steps:
            its, other = measured.get(n), apart.get(n)
            row = {"steps": n, **bound_row(study, n, its and its.error_level_met)[0]}
            row |= {k: getattr(its, k) if its else None for k in ("w2", "stderr", "method", "resolved", "error_level_met")}
            row["flags"] = list(its.flags) if its else []
            if closed(study):
                row |= {"coupled": _coupled(study, n), "coupled_stderr": None, "coupled_flags": []}
            elif other:
                row |= {"coupled": other.w2, "coupled_stderr": other.stderr, "coupled_flags": list(other.flags)}
            else:  # the estimator's upper bound is the coupled distance, where it has met the reference
                upper = its.upper if its and study.sampled(NAME) else None
                row |= {"coupled": upper, "coupled_stderr": None, "coupled_flags": row["flags"]}
            if row["coupled"] is not None and not closed(study) and study.scheme(NAME, n).value > 0:
                row["coupled_flags"] = [*row["coupled_flags"], LOOSE]
            rows.append(row)
        return {
            "void": void, "m0": facts.m0.value, "how": facts.m0.how, "dim": facts.dim, "noise": _plain(study.scheme(NAME, 1).value),
            "grid": study.laid["name"] if study.laid else "uniform", "T": study.T, "rows": rows, "knob": noises, "done": share,
        }  # fmt: skip

    for i, part in enumerate(parts):
        share = prices[i] / sum(prices)
        for result in stream(part, lambda p, done=done, share=share: tick(done + share * p)):
            (measured if i == 0 else apart).update({r.steps: r for r in result.rows})
            yield found(min(done + share * result.done, 0.99))
        done += share
    yield found(1.0)


def _plain(value):
    return "inf" if np.isinf(value) else value


def applies(study: Study) -> str | None:
    if study.schemes != (NAME,):
        return f"{all_at_once.DDPM_ALONE[:-1]}; give schemes = ['{NAME}']."
    return "it varies nothing; leave vary out." if study.vary else None


def cost(study: Study) -> float:
    pairs = _by_pairs(study)
    return study.price + (pairs.price if pairs and not study.sampled(NAME) else 0)


ANSWER = Answer(
    "all_at_once", "The all-at-once bound on DDPM in its terms, beside W2 and the coupled distance", all_at_once_answer,
    ("target", "schemes", "h", "T", "start", "score_error", "estimator", "particles", "accuracy", "budget", "seed"),
    cost, applies, lambda study: study.memory, uses=(*measure.REGISTRY.values(), schemes.REGISTRY[NAME]),
)  # fmt: skip
