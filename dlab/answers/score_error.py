"""What "a score error of size epsilon" means: the assumptions of the literature for one and the same error, and what is read
off results that vary its level.

iterates  L2 along the sampler's own iterates, largest over the steps ([YY], Gao et al.)
forward   L2 along the true p_t, largest over the steps: what denoising score matching controls (Beyler & Bach)
average   the same averaged over time (Chen et al., Benton et al.)
uniform   largest at any time and place (Arsenyan et al.); seen from particles, a lower bound of it
bias, fresh   L2 along p_t of the mean given (t, x), and of what is drawn afresh about it (Arsenyan et al.)
"""

import math
from functools import lru_cache

import jax
import numpy as np

from dlab import schemes, theory
from dlab.answers.along import PARTICLES, error_squares, picked, rooted, squares_along, used
from dlab.answers.base import Answer
from dlab.study.spec import Study
from dlab.targets.gaussian import Gaussian

SHARE = 0.5  # of the finest value that a floor must be


def met(study: Study, scheme: str, steps: int, tick=lambda done: None) -> dict:
    """The variants for the error of a plain study under one scheme: {"study", "scheme", "h", "particles",
    "variants": {name: {"value", "stderr", "t" (where it is largest; None for an average and for what is the same at all times)}},
    "curve": {"t", "iterates", "iterates_stderr", "forward", "forward_stderr"}}. tick(done) may raise to cancel."""
    study = study.prepared(lambda done: tick(0.0))

    def squares(t, x, generator):
        return error_squares(study, t, x, _matched(generator.standard_normal(x.shape)))

    times, found = squares_along(study, scheme, steps, squares, tick, fresh=False)
    (own, *_), (whole, mean, fresh, *_) = found["iterates"], found["forward"]
    forward, largest, pick = rooted(whole), max(own.max(), whole.max()), picked(steps)
    curve = {"t": times[pick].tolist()}
    for name, (values, errors) in (("iterates", rooted(own)), ("forward", forward)):
        curve |= {name: values[pick].tolist(), f"{name}_stderr": errors[pick].tolist()}
    one, its = rooted(whole.mean(0)[None])
    return {
        "study": study.to_json(), "scheme": scheme, "h": study.grid(steps).step, "particles": PARTICLES, "curve": curve,
        "variants": {
            "iterates": _top(times, *rooted(own)),
            "forward": _top(times, *forward),
            "average": {"value": float(one[0]), "stderr": float(its[0]), "t": None},
            "uniform": {"value": math.sqrt(largest), "stderr": 0.0, "t": None},
            "bias": _top(times, *rooted(mean)),
            "fresh": _top(times, *rooted(fresh)),
        },
    }  # fmt: skip


def _matched(z):
    """Normals (N, n, d) with mean 0 and variance 1 at each step: the largest over the steps would pick the luckiest one."""
    z = z - z.mean(1, keepdims=True)
    return z / np.sqrt((z**2).mean(1, keepdims=True))


def _top(times, values, errors) -> dict:
    i = int(np.argmax(values))
    level = values.max() - values.min() <= 1e-9 * values.max()
    return {"value": float(values[i]), "stderr": float(errors[i]), "t": None if level else float(times[i])}


@lru_cache(maxsize=16)
def score_size(target) -> float:
    """The L2 norm of a target's own score, from 4096 samples: the L2 level at t = 0 of a relative error of 1."""
    x = target.sample(jax.random.key(0), 4096)
    return float(np.sqrt(np.mean(np.sum(np.asarray(target.fast_field.score(1e-4, x)) ** 2, -1))))


def costs(study: Study) -> theory.Costs | None:
    """What an error costs the law by `theory.cost`; None on a target that is not Gaussian."""
    if not isinstance(study.built, Gaussian):
        return None
    facts, error = study.built.facts, study.parts[-1][1].error
    return theory.costs(facts.mean, facts.cov, np.asarray(error.direction(facts.mean[None])), study.T)


def rows_of(result: dict, scheme: str, value: float | None = None) -> list[dict]:
    """Usable rows of a scheme (at a value of the axis), finest h first."""
    mine = [r for r in result["rows"] if r["scheme"] == scheme and r["w2"] is not None and not r["diverged"]]
    return sorted((r for r in mine if value is None or r["value"] == value), key=lambda r: r["h"])


def octave(rows: list[dict]) -> float | None:
    """The slope in h between the two finest resolved rows."""
    fine = [r for r in rows if r["resolved"] and r["w2"] > 0][:2]
    if len(fine) < 2:
        return None
    return math.log(fine[1]["w2"] / fine[0]["w2"]) / math.log(fine[1]["h"] / fine[0]["h"])


def limit(rows: list[dict], base: list[dict], order: float) -> float | None:
    """W2 as h -> 0 from the two finest of `rows_of` with an error and without; None where it is less than half of the finest
    value, so that the curve has not levelled off.

    To first order two displacements add, the error's F and the scheme's own K h^order: W2^2 = F^2 + 2 F.K h^order + K^2 h^(2 order),
    whose last term is the base's, and Richardson's extrapolation of the rest gives F^2.
    """
    if len(rows) < 2 or [r["h"] for r in rows[:2]] != [r["h"] for r in base[:2]]:
        return None
    fine, coarse = (r["w2"] ** 2 - b["w2"] ** 2 for r, b in zip(rows[:2], base))
    square = fine + (fine - coarse) / ((rows[1]["h"] / rows[0]["h"]) ** order - 1)
    return float(square**0.5) if square > (SHARE * rows[0]["w2"]) ** 2 else None


def bends(result: dict, scheme: str) -> list[dict]:
    """For each level > 0 of a varied result where the curve W2(h) bends: {"value", "floor": W2 as h -> 0 or None, "h": where
    the scheme's own error, the curve at level 0, is as large as the floor, or None, "why": a sentence for a None}."""
    base, found = [r for r in rows_of(result, scheme, 0.0) if r["w2"] > 0], []
    for value in sorted({r["value"] for r in result["rows"] if r["value"] > 0}):
        floor, h, why = limit(rows_of(result, scheme, value), base, schemes.REGISTRY[scheme].law_order), None, ""
        if floor is None:
            why = "has not levelled off at the finest h"
        elif not base or floor < base[0]["w2"]:
            why = "bends at a smaller h than the finest"
        elif floor > base[-1]["w2"]:
            why = "is flat: the error outweighs the scheme's own at every h"
        else:
            h = float(np.exp(np.interp(math.log(floor), *(np.log([r[k] for r in base]) for k in ("w2", "h")))))
        found.append({"value": value, "floor": floor, "h": h, "why": why})
    return found


def contributions(parts: dict[str, dict], scheme: str) -> dict:
    """The three contributions to W2 beside those of the bound: {"scheme", "h", "measured" and "theorem": {"initialisation",
    "discretisation", "score", "total"} or None}. parts {"all", "initialisation", "discretisation", "score"}: results whose
    finest row is the one meant."""
    found = {name: min(result["rows"], key=lambda r: r["h"]) for name, result in parts.items()}
    whole = found.pop("all")
    bound = whole["bound_parts"]
    return {
        "scheme": scheme, "h": whole["h"],
        "measured": {**{name: row["w2"] for name, row in found.items()}, "total": whole["w2"]},
        "theorem": {**bound, "total": whole["bound"]} if bound else None,
        "finest": {name: [row["scheme"], row["h"]] for name, row in found.items()},
    }  # fmt: skip


def second_order(results: dict[str, dict], given: dict[str, float], derived: theory.Costs | None) -> tuple[dict, list[dict]]:
    """SO's errors of L and M as `figures.score` draws them: the theorem's terms {label: {"factor", "term": {h: value}}} and a
    row for each label but the first, which is without error. results {label: result}; given {label: level}."""
    terms, rows = {}, []
    for label, kind in zip(list(results)[1:], ("hessian", "drift")):
        study, level = Study.from_json(results[label]["study"]), given[label]
        facts, term = study.built.facts, {}
        for h in study.h:
            bound = theory.bound(schemes.REGISTRY["SO"], facts, T=study.T, h=h, start=study.start)
            if not bound.void:
                term[h] = getattr(bound.constants, f"c2_{kind}") * level
        factor = {"hessian": "C₂·⅔√(hd)·ε⁽ᴸ⁾", "drift": "C₂·½h·ε⁽ᴹ⁾"}[kind]
        if term:
            terms[label] = {"factor": factor, "term": term}
        if not (mine := rows_of(results[label], "SO")):
            continue
        fine = mine[0]
        rows.append({
            "label": label, "factor": factor, "order": {"hessian": 0.5, "drift": 1.0}[kind], "slope": octave(mine), "w2": fine["w2"],
            "term": term.get(fine["h"]), "cost": fine["w2"] / (fine["h"] * level),
            "derived": getattr(derived, kind) if derived else None,
        })  # fmt: skip
    return terms, rows


ANSWER = Answer(
    "error_levels", "The size of the score error by each definition, along a run", met, ("target", "T", "start", "score_error", "seed"),
    lambda study, scheme, steps: study.error.price, memory=used, alias="met",
)  # fmt: skip
