"""What a learned score gets wrong: its error and those of its derivatives over time, in the plane, and what they leave of W2."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from dlab import schemes
from dlab.answers.along import PARTICLES, picked, rooted, squares_along, used
from dlab.answers.base import Answer
from dlab.answers.score_error import limit, rows_of
from dlab.errors import learned
from dlab.params import BadInput
from dlab.sample import CHUNK
from dlab.study.spec import Study

FROM = 0.05  # the average over time begins here: below it no scheme but REM and REI looks, at the steps that the pages offer
SIDE, ARROWS = 33, 11  # grid points a side of the plane, and of its arrows
REACH = 3.2  # half a side in standard deviations
# e of the score, of L in Frobenius norm and of M, and of M by its definition with the network for s.
KINDS = ("score", "hessian", "drift", "defined")


def applies(study: Study, *which) -> str | None:
    """None, or the sentence why the study has no network."""
    if study.score_error["name"] == "learned":
        return None
    return f"score_error.name = '{study.score_error['name']}' is not 'learned'; give a study with a learned score."


def _no_matrix(study, *which):
    if study.built.field.by_products:
        return f"the error of L is measured only where L is a matrix, unlike on '{study.target['name']}'; give another target."
    return applies(study)


def _no_plane(study, *which):
    if study.built.dim != 2:
        return f"the error field is drawn in the plane, and this target has d = {study.built.dim}; choose a target with d = 2."
    return applies(study)


def work(steps: int) -> int:
    """What `errors_met` costs, compiling included, in particle-steps."""
    return 3_000_000 + 12 * steps * PARTICLES


def training(study: Study) -> learned.Training:
    """How the network of a plain study with a learned score is trained; BadInput where its score is not learned."""
    if why := applies(study):
        raise BadInput(why)
    return learned.training(study.score_error, study.built, study.target)


def trained(study: Study, tick=lambda done: None) -> dict:
    """The training of the network of a study: {"study", "losses": [[update, on the samples (None at 0), on fresh ones], ...], "least":
    the loss of the exact score on the same fresh ones}; see `learn.train`. tick(done) may raise to cancel."""
    task = training(study)
    found = task.train(lambda done, losses: tick(done)).losses
    losses = [[int(k), None if math.isnan(own) else float(f"{own:.6g}"), float(f"{fresh:.8g}")] for k, own, fresh in found]
    return {"study": study.to_json(), "losses": losses, "least": task.least()}


@jax.jit
def _squares(field, error, times, x):
    """|e|^2 of each of KINDS at the times (N,) and points (N, n, d), (N, n) each."""

    def at(one):
        t, x = one
        s, L, M = field.local(t, x)
        own, own_L, own_M = error.local(field, t, x, None)
        gap = own_L.matrix - L.matrix
        return (
            ((own - s) ** 2).sum(-1), (gap**2).sum((1, 2)), ((own_M - M) ** 2).sum(-1), ((error.defined_drift(t, x) - M) ** 2).sum(-1)
        )  # fmt: skip

    return jax.lax.map(at, (times, x))


def errors_met(study: Study, scheme: str, steps: int, tick=lambda done: None) -> dict:
    """The L2 errors of a learned score and of its L and M, along the iterates of a scheme and along p_t, at its own times:

    {"study", "scheme", "h", "particles", "t", along: {kind: {"value", "stderr": lists over t, "average", "average_stderr": root mean
    square over t in [FROM, T] and particles, "top", "top_stderr", "top_t": the largest over the steps}}} for along in "iterates",
    "forward" and the KINDS. tick(done) may raise to cancel.
    """
    study = study.prepared(lambda done: tick(0.0))

    def squares(t, x, generator):
        return _squares(study.built.fast_field, study.error, t, x)

    times, found = squares_along(study, scheme, steps, squares, tick, fresh=True)
    pick = picked(steps)
    answer = {"study": study.to_json(), "scheme": scheme, "h": study.grid(steps).step, "particles": PARTICLES, "t": _short(times[pick])}
    for name, kinds in found.items():
        answer[name] = {kind: _levels(times, v, pick) for kind, v in zip(KINDS, kinds)}
    return answer


def _levels(times, squares, pick) -> dict:
    """The numbers of one kind from its squares (N, n)."""
    values, errors = rooted(squares)
    late, i = times >= min(FROM, times[0]), int(np.argmax(values))
    average, its = rooted(squares[late].mean(0)[None])
    return {
        "value": _short(values[pick]), "stderr": _short(errors[pick]), "average": float(average[0]), "average_stderr": float(its[0]),
        "top": float(values[i]), "top_stderr": float(errors[i]), "top_t": float(times[i]),
    }  # fmt: skip


@jax.jit
def _plane(field, error, t, grid, places):
    e = error.shift(t, grid, field.score(t, grid), None)
    return field.log_density(t, grid), jnp.linalg.norm(e, axis=1), error.shift(t, places, field.score(t, places), None)


def error_field(study: Study, t: float, tick=lambda done: None) -> dict:
    """e(t, x) of a learned score over the plane: {"study", "t", "x", "y" (SIDE,), "density": p_t relative to its largest value, "length":
    |e|, (SIDE, SIDE) row = y, "arrows": [[x, y, e_x, e_y], ...], "level": the L2 norm under p_t by the grid's own sum}."""
    study = study.prepared(tick)
    facts = study.built.facts
    half = REACH * max(facts.std(0.0), facts.std(t))
    x, y = (np.linspace(c * math.exp(-t / 2) - half, c * math.exp(-t / 2) + half, SIDE) for c in facts.mean)
    a, b = (np.linspace(line[0], line[-1], ARROWS + 2)[1:-1] for line in (x, y))
    grid, places = (np.stack(np.meshgrid(*lines), -1).reshape(-1, 2) for lines in ((x, y), (a, b)))
    log, length, arrows = (np.asarray(v) for v in _plane(study.built.fast_field, study.error, jnp.asarray(float(t)), grid, places))
    density = np.exp(log - log.max())
    return {
        "study": study.to_json(), "t": float(t), "x": _short(x), "y": _short(y),
        "density": [_short(row) for row in density.reshape(SIDE, SIDE)], "length": [_short(row) for row in length.reshape(SIDE, SIDE)],
        "arrows": [_short(row) for row in np.concatenate([places, arrows], 1)],
        "level": float(np.sqrt(np.sum(density * length**2) / density.sum())),
    }  # fmt: skip


def floor(result: dict, exact: dict, scheme: str) -> dict | None:
    """W2 of a scheme with the learned score as h -> 0, from its two finest steps with it and with the exact score, see
    `levels.limit`: {"value", "stderr"}, None where the curve has not levelled off.

    The standard error counts the four values as independent, though they share Brownian paths.
    """
    rows, base = rows_of(result, scheme)[:2], rows_of(exact, scheme)[:2]
    value = limit(rows, base, schemes.REGISTRY[scheme].law_order)
    if value is None:
        return None
    gain = 1 / ((rows[1]["h"] / rows[0]["h"]) ** schemes.REGISTRY[scheme].law_order - 1)
    terms = [(1 + gain) * r["w2"] * (r["stderr"] or 0) for r in (rows[0], base[0])]
    terms += [gain * r["w2"] * (r["stderr"] or 0) for r in (rows[1], base[1])]
    return {"value": value, "stderr": math.hypot(*terms) / value}


def promise(result: dict, scheme: str, met: dict) -> dict:
    """The theorem's score term as h -> 0, C2 times the largest error along the iterates of an `errors_met` answer: {"c2", "value",
    "along": whose iterates}, None where the theorem is void. The terms of L and M vanish with h."""
    c2 = next(f["theory_c2"] for f in result["fits"] if f["scheme"] == scheme)
    return {"c2": c2, "value": None if c2 is None else c2 * met["iterates"]["score"]["top"], "along": met["scheme"]}


def _short(values) -> list[float]:
    return [float(f"{v:.4g}") for v in np.asarray(values, float)]


AFTER = ("target", "T", "start", "score_error", "seed")
ANSWERS = (
    Answer(
        "training", "The loss of a network along its training", trained, ("target", "score_error"), lambda study: study.error.price,
        applies, alias="trained",
    ),
    Answer(
        "learned_errors", "What a learned score gets wrong over time", errors_met, AFTER, lambda study, scheme, steps: work(steps),
        _no_matrix, lambda study, scheme, steps: used(study, scheme, steps) + 4 * 8 * CHUNK * PARTICLES * study.built.dim**2, "learned",
    ),
    Answer("error_field", "The error of a learned score over the plane", error_field, ("target", "score_error"), applies=_no_plane),
)  # fmt: skip
