"""The bound from single steps on every one-step scheme of the reverse SDE: its steps' errors, measured along its own run.

From the scheme's iterate at the start of a step both the step and the exact process go on along one Brownian path, the latter as SO in
FINE small steps. The mean of the exact step is known (Tweedie's formula), so the mean error is the norm of a known difference, and the
fluctuation what is left. Norms over the iterates enter with their upper limit.
"""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from dlab import errors, measure, noise, schemes
from dlab.answers import one_step
from dlab.answers.base import Answer
from dlab.errors import perturb
from dlab.noise import StepNoise
from dlab.sample import starts
from dlab.study import Study, memory, stream
from dlab.theory import generic

PATHS, FINE = 1024, 16  # paths, and steps of the exact process in one of the scheme
QUADRATURE = 256  # of these points, those for which a mean over the noise is a quadrature
UPPER = 3.2905  # standard errors to the upper limit of an interval of 99.9 %
TERMS = ("initialisation", "mean", "fluctuation", "bias", "fresh", "stop")
MOST_STEPS = 256


@jax.jit
def _taken(scheme, field, error, t, t_next, x, normals, u, moments, wrong, clock):
    """One step along a path, with the exact score and with the wrong one."""
    def step(its):
        return scheme.step(its, t, t_next, x, StepNoise(t - t_next, normals, u, moments, clock=clock))

    return step(field), step(perturb(field, error, wrong))


def why_not(name: str) -> str | None:
    """Why the bound does not speak of a scheme of the registry, as a predicate of several such schemes; None where it does."""
    scheme = schemes.REGISTRY[name]
    if scheme.dynamics == "ODE":
        return "follow the probability flow: without noise no part of an error is centred, and the flow need not contract"
    if scheme.history:
        return "use several steps: a step depends on those before it, so a single step says nothing about its error"
    return "add noise that the reverse process does not have" if scheme.dynamics != "SDE" else None


def _upper(vectors) -> tuple[float, float]:
    """Root mean square of the lengths of vectors (n, d), and the upper end of its interval."""
    square = np.sum(np.asarray(vectors, float) ** 2, -1)
    mean, error = float(square.mean()), float(square.std(ddof=1) / np.sqrt(len(square)))
    return mean**0.5, (mean + UPPER * error) ** 0.5


def steps_of(study: Study, name: str, steps: int, tick=lambda done: None) -> dict:
    """What each step of a run misses, {"mean", "fluctuation", "score": (N, 2), the norms and their upper limits}."""
    target, field, error, grid, scheme = study.built, study.built.fast_field, study.error, study.grid(steps), study.scheme(name, steps)
    key, d = jax.random.fold_in(jax.random.key(study.seed), steps), target.dim
    x = jnp.asarray(starts(target, noise.stream(key, "start"), PATHS, grid.T, study.start)[0])
    draws = noise.generator(noise.stream(key, "steps", name))
    inner = 0 if target.along_axes is not None else d * scheme.inner_normals
    nodes = 1 if scheme.asks <= {"start", "clock"} else len(one_step.normal_nodes(inner)[0])
    few = slice(None, None if nodes == 1 else QUADRATURE)
    kept, found = error.begin(field, grid.T, x), {"mean": [], "fluctuation": [], "score": []}
    for n, (t, t_next) in enumerate(zip(grid.times[:-1], grid.times[1:])):
        tick(n / steps)
        h = t - t_next
        unit = noise.path(jax.random.fold_in(noise.stream(key, "path"), n), np.full(FINE, h / FINE), PATHS, d)
        moments = jnp.asarray(noise.merge(unit, FINE)[0], float)
        fresh = draws.standard_normal((FINE, 1, PATHS, d))
        normals = draws.standard_normal((scheme.normals(True), PATHS, d))
        u = draws.random((PATHS, 1)) if scheme.randomised else None
        wrong = draws.standard_normal((scheme.score_evals, PATHS, d)) if error.draws else None
        now, kept = error.recall(kept, n, field, t, x)
        right, moved = _taken(scheme, field, now, t, t_next, x, normals, u, moments, wrong, grid.clock[n])
        arrived = one_step._reference(field, t, h / FINE, x, jnp.asarray(unit, float), fresh)
        off = _mean(scheme, field, t, t_next, x[few], inner, grid.clock[n]) - one_step.exact_mean(field, t, h, x[few])
        missed = right - arrived
        found["mean"].append(_upper(off))
        # Off the quadrature's points the mean error stays in, and makes the fluctuation larger.
        found["fluctuation"].append(_upper(missed.at[few].add(-off)))
        found["score"].append(_upper(moved - right))
        x = moved
    return {name: np.array(values) for name, values in found.items()}


def _mean(scheme, field, t, t_next, x, inner, clock):
    if not scheme.asks <= {"start", "clock"}:
        return one_step.scheme_mean(scheme, field, t, t - t_next, x, inner)
    zero = jnp.zeros((max(scheme.normals(True), 1), *x.shape))
    return _taken(scheme, field, errors.NONE, t, t_next, x, zero, None, jnp.zeros((noise.MOMENTS, *x.shape)), None, clock)[0]


def generic_bound(study: Study, tick=lambda done: None) -> Iterator[dict]:
    """The bound on each of the study's schemes on its grid at each of its numbers of steps, beside W2, better and better:

    {"void", "done", "rho", "rows": [{"scheme", "steps", "h", "initialisation", "mean", "fluctuation", "bias", "fresh", "stop", "bound",
     "K1", "K2", "w2", "stderr", "method", "flags", "resolved"}]}

    K1 and K2 are the largest of a step's mean error over Delta^{gamma+1} and fluctuation over Delta^{gamma+1/2}, gamma the scheme's
    strong order. The bound is an estimate, as these are measured. tick(done) may raise to cancel.
    """
    study = study.prepared(lambda done: tick(0.0))
    facts, rows, void = study.built.facts, [], None
    share = measuring(study) / max(cost(study), 1)
    done, whole = 0.0, sum(study.steps) * len(study.schemes)
    for name in study.schemes:
        gamma = schemes.REGISTRY[name].strong_order
        for n in study.steps:
            grid = study.grid(n)
            its = steps_of(study, name, n, lambda p, done=done, n=n: tick(share * (done + p * n / whole)))
            done += n / whole
            score = its["score"][:, 1]
            bias, fresh = (0.0, score) if study.error.draws else (score, 0.0)
            upper = its["mean"][:, 1], its["fluctuation"][:, 1]
            terms, void = generic.terms(facts, grid=grid, start=study.start, mean=upper[0], spread=upper[1], bias=bias, fresh=fresh)
            row = {"scheme": name, "steps": n, "h": grid.step, **{k: getattr(terms, k) if terms else None for k in TERMS}}
            row |= {"bound": terms.total if terms else None, "K1": float(np.max(its["mean"][:, 0] / grid.h ** (gamma + 1)))}
            row |= {"K2": float(np.max(its["fluctuation"][:, 0] / grid.h ** (gamma + 0.5)))}
            rows.append(row | {"w2": None, "stderr": None, "method": None, "flags": [], "resolved": None})
            yield {"void": void, "rows": list(rows), "done": min(share * done, 0.99)}
    for result in stream(study, lambda p: tick(share + (1 - share) * p)):
        measured = {(r.scheme, r.steps): r for r in result.rows}
        for row in rows:
            if its := measured.get((row["scheme"], row["steps"])):
                row |= {k: getattr(its, k) for k in ("w2", "stderr", "method", "resolved")} | {"flags": list(its.flags)}
        yield {"void": void, "rows": [dict(row) for row in rows], "done": result.done}


def measuring(study: Study) -> float:
    """Particle-steps that the steps' errors take as long as."""
    return (PATHS * (FINE + 4) * study.built.step_cost * sum(study.steps) + one_step.COST // 4) * len(study.schemes)


def cost(study: Study) -> float:
    return measuring(study) + study.price


def applies(study: Study) -> str | None:
    for name in study.schemes:
        if why := why_not(name):
            return f"schemes like {name} {why}; leave it out."
    if max(study.steps) > MOST_STEPS:
        return f"{max(study.steps)} steps are more than the {MOST_STEPS} whose errors are measured; give fewer."
    if study.vary:
        return "it varies nothing; leave vary out."
    return one_step.applies(study)


ANSWER = Answer(
    "generic_bound", "The bound from single steps on every one-step scheme, beside W2", generic_bound,
    ("target", "schemes", "h", "T", "start", "score_error", "estimator", "particles", "accuracy", "budget", "seed"),
    cost, applies, lambda study: max(study.memory, memory.step(study, ["SO", *study.schemes], PATHS) + one_step.used(study)),
    uses=tuple(measure.REGISTRY.values()),
)  # fmt: skip
