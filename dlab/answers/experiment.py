"""What the figure of [YY] sec. 5.1 measures: its experiment under each reading of what the paper leaves open, and the exact law of
the first coordinate of a surrogate.

The studies themselves are plain ones: target `logistic` with 20 features, estimator `marginal`.
"""

import itertools
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import norm

from dlab import schemes, targets
from dlab.answers.base import Answer
from dlab.laws import gaussian, mixture
from dlab.measure import fit, marginal
from dlab.measure.base import jackknife
from dlab.pytree import pytree
from dlab.sample import diverged, simulate, starts
from dlab.study import memory
from dlab.study.spec import Study
from dlab.targets import logistic
from dlab.targets.gaussian import Gaussian
from dlab.targets.sampled import Sampled

PARTICLES = 512
ATOMS = (100, 1000, 10000)
GUARD = 2.0**-52  # the rounding of double precision
# The score that the schemes see, {name: keys of the target}; "guarded" takes the ratio of kernels as plain sums, "frozen" the midpoint's
# score at the time of the step's start.
READINGS = {
    "laplace": {"score": "laplace"},
    "posterior": {"score": "local", "atoms": 40},
    **{f"kernel {m}": {"score": "kernel", "atoms": m} for m in ATOMS},
    "guarded": {"score": "kernel", "atoms": 1000},
    "smooth 1000": {"score": "smooth", "atoms": 1000},
    "frozen": {"score": "laplace"},
}


@pytree(["field", "count"])
@dataclass(frozen=True)
class Guarded:
    """The score of an `AtomsField` of `count` atoms as whoever writes the ratio down may compute it: Z the mean of the kernels
    exp(-|x - a theta|^2/(2 sigma^2)), (the mean of their gradients)/(Z + GUARD). It is the exact one times Z/(Z + GUARD), 0 where all
    kernels vanish."""

    field: object
    count: jax.Array

    def score(self, t, x):
        seen = jax.nn.sigmoid(self.field.log_density(t, x) - jnp.log(self.count) - jnp.log(GUARD))
        return self.field.score(t, x) * seen[:, None]


@dataclass(frozen=True)
class _Still:
    """A field whose time stands at t."""

    field: object
    t: jax.Array

    def score(self, t, x):
        return self.field.score(self.t, x)

    def local(self, t, x):
        return self.field.local(self.t, x)


def _frozen(parts):
    def of(field, t, t_next, x, noise):
        return parts(_Still(field, t), t, t_next, x, noise)

    return of


# Made once: a function of its own each time would compile each time.
FROZEN = {name: replace(s, parts=_frozen(s.parts)) for name, s in schemes.REGISTRY.items() if s.randomised}


def readings(study: Study, tick=lambda done: None) -> dict:
    """The study's schemes at its step sizes under each of READINGS, PARTICLES particles each, against one cloud of the target:

    {"rows": [{"reading", "scheme", "h", "steps", "w2", "w2_stderr", "w1", "w1_stderr", "std", "farthest" (largest |x| in the first
    coordinate), "diverged"}], "sigma": standard deviation of the target's first coordinate, "m0", "L0", "particles",
    "sampler"}. W1 is what scipy's wasserstein_distance gives.
    """
    study = study.prepared(tick)
    base = _sampled(study)
    key = jax.random.key(study.seed)
    begin, cloud, run = jax.random.split(key, 3)
    start, _ = starts(base, begin, PARTICLES, study.T, study.start)
    target = np.asarray(base.sample(cloud, PARTICLES))[:, 0]
    jobs = [(r, s, n) for r in READINGS for s in study.schemes for n in study.steps if r != "frozen" or s in FROZEN]
    plain = _plain(study.target)
    built = {r: targets.build({**plain, **keys}) for r, keys in READINGS.items()}
    weight = {r: target.step_cost for r, target in built.items()}
    fields = {r: target.field for r, target in built.items()}
    fields["guarded"] = Guarded(fields["guarded"], jnp.asarray(float(built["guarded"].atoms)))
    whole, done, rows = sum(weight[r] * n for r, _, n in jobs), 0.0, []
    for reading, name, steps in jobs:
        scheme = FROZEN[name] if reading == "frozen" else study.scheme(name, steps)

        def moved(k, paid=done, w=weight[reading]):
            moved.steps += k
            tick((paid + w * moved.steps) / whole)

        moved.steps = 0
        found = simulate(
            scheme, fields[reading], study.error, start, grid=study.grid(steps), key=jax.random.fold_in(run, steps), tick=moved
        ).x  # fmt: skip
        done += weight[reading] * steps
        x = found[:, 0]
        lost = int(diverged(found, base.facts).sum())
        row = {"reading": reading, "scheme": name, "h": study.grid(steps).step, "steps": steps, "diverged": lost}
        if np.isfinite(x).all():
            (w2, e2), (w1, e1) = marginal.jackknifed(x, target), marginal.jackknifed(x, target, 1)
            row |= {"w2": w2, "w2_stderr": e2, "w1": w1, "w1_stderr": e1, "std": float(x.std()), "farthest": float(np.abs(x).max())}
        else:
            row |= dict.fromkeys(("w2", "w2_stderr", "w1", "w1_stderr", "std", "farthest"))
        rows.append(row)
    return {
        "rows": rows, "sigma": float(base.facts.cov[0, 0] ** 0.5), "m0": base.facts.m0.value, "L0": base.facts.L0.value,
        "particles": PARTICLES, "sampler": base.chains.said,
    }  # fmt: skip


def first_coordinate(study: Study, tick=lambda done: None) -> dict:
    """W2 of the first coordinate of the schemes' exact laws on the Laplace approximation of the study's logistic target, with slopes:

    {"rows": [{"scheme", "h", "steps", "w2"}], "slopes": {scheme: [local slope at each h but the finest, or None]}, "fits": {scheme:
    {"slope", "low", "high", "used"}} over h L0 < 1, "L0": the largest curvature of the surrogate, "near": how far the surrogate's
    first coordinate is from the target's own, {"w2", "stderr", "floor", "sigma", "surrogate_sigma"}}.
    """
    base = _sampled(study)
    built = targets.build({**_plain(study.target), "score": "laplace"})
    assert isinstance(built, Gaussian)
    L0, rows, done = built.facts.L0.value, [], 0
    for name in study.schemes:
        for steps in study.steps:
            mean, variance, shape = _law(study, built, name, steps)
            w2 = np.sqrt((mean - built.mean[0]) ** 2 + (np.sqrt(variance) - np.sqrt(built.cov[0, 0])) ** 2 + shape)
            rows.append({"scheme": name, "h": study.grid(steps).step, "steps": steps, "w2": float(w2)})
            done += steps
            tick(done / (len(study.schemes) * sum(study.steps)))
    slopes, fits = {}, {}
    for name in study.schemes:
        mine = sorted((r for r in rows if r["scheme"] == name), key=lambda r: -r["h"])
        slopes[name] = [float(np.log(a["w2"] / b["w2"]) / np.log(a["h"] / b["h"])) for a, b in itertools.pairwise(mine)]
        fine = [r for r in mine if r["h"] * L0 < 1]
        line = fit.fit([r["h"] for r in fine], [r["w2"] for r in fine], [0.0] * len(fine), [True] * len(fine))
        fits[name] = {"slope": line.slope, "low": line.low, "high": line.high, "used": list(line.used)}
    return {"rows": rows, "slopes": slopes, "fits": fits, "L0": L0, "near": _near(base, built)}


def _law(study, built, name, steps) -> tuple[float, float, float]:
    """Mean and variance of the first coordinate of a scheme's law on the surrogate after the last step, and what a law that is a
    mixture over U adds to W2^2."""
    scheme, shape = study.scheme(name, steps), 0.0
    whole = gaussian.propagate(scheme, built, study.error, grid=study.grid(steps), start=study.start)
    if scheme.randomised:
        axis, (M, V) = np.asarray(built.field.vectors)[0], mixture.draws(whole.maps, *whole.begin(built), [steps])[steps]
        shape = mixture.of_blocks([mixture.Block(axis @ M, axis**2 @ V, built.cov[0, 0], 1)])
    return whole.mean[-1, 0], whole.cov[-1, 0, 0], shape


def _near(base, surrogate) -> dict:
    """W2 of the first coordinate between the target's draws and the surrogate, by its quantiles; the standard error leaves out a
    chain in turn, the floor is what as many independent draws of the surrogate itself read."""
    chains, mean, sigma = base.chains.draws[..., 0], surrogate.mean[0], float(surrogate.cov[0, 0] ** 0.5)

    def distance(x):
        normal = norm.ppf((np.arange(x.size) + 0.5) / x.size)
        return float(np.sqrt(np.mean((np.sort(x.ravel()) - mean - sigma * normal) ** 2)))

    left = [distance(np.delete(chains, c, 0)) for c in range(len(chains))]
    return {
        "w2": distance(chains),
        "stderr": jackknife(left) ** 0.5,
        "floor": distance(mean + sigma * np.random.default_rng(0).standard_normal(chains.shape)),
        "sigma": float(chains.std()), "surrogate_sigma": sigma,
    }  # fmt: skip


def _plain(target: dict) -> dict:
    return {k: v for k, v in target.items() if k not in ("score", "atoms", "atom_seed")}


def _sampled(study: Study) -> Sampled:
    return targets.build({**study.target, "score": study.target.get("score", "kernel")})


CLOUD = 400  # particles that a picture of two features shows
DRAWS = 8
GRID = 61


def boundary(study: Study, scheme: str, steps: int, tick=lambda done: None) -> dict:
    """A logistic study with two features in a picture: {"x", "y" the data, "box" (low, high) of a square that holds them, "mean",
    "draws" (DRAWS, 2) of theta, "right": observations on the side of their label, "grid", "density": the posterior on a grid with
    mass 1, "plane" its lower and upper corner, "samples", "particles" (CLOUD, 2), "spread", "target_spread", "scheme", "h"}.

    """
    study = study.prepared(tick)
    x, y = logistic.data(study.target)
    built, facts = study.built, study.built.facts
    draw, cloud, begin, run = jax.random.split(jax.random.key(study.seed), 4)
    tick(0.1)
    start, _ = starts(built, begin, CLOUD, study.T, study.start)
    particles = simulate(
        study.scheme(scheme, steps), built.fast_field, study.error, start, grid=study.grid(steps), key=run, tick=lambda k: tick(0.5)
    ).x
    samples = np.asarray(built.sample(cloud, CLOUD))
    std = np.sqrt(np.diag(facts.cov))
    low, high = facts.mean - 4 * std, facts.mean + 4 * std
    grid = [np.linspace(a, b, GRID) for a, b in zip(low, high)]
    log = np.asarray(built.log_density(np.stack(np.meshgrid(*grid), -1).reshape(-1, 2))).reshape(GRID, GRID)
    density = np.exp(log - log.max())
    density /= density.sum() * (grid[0][1] - grid[0][0]) * (grid[1][1] - grid[1][0])
    reach = 1.1 * float(np.abs(x).max() or 1.0)
    shown = particles[~diverged(particles, facts)]
    return {
        "x": x.tolist(), "y": y.tolist(), "box": [-reach, reach], "mean": facts.mean.tolist(),
        "draws": np.asarray(built.sample(draw, DRAWS)).tolist(), "right": int(np.sum(y * (x @ facts.mean) > 0)),
        "grid": [np.round(g, 6).tolist() for g in grid], "density": np.round(density, 4).tolist(),
        "plane": [low.tolist(), high.tolist()], "samples": np.round(samples, 5).tolist(), "particles": np.round(shown, 5).tolist(),
        "spread": shown.std(0).tolist(), "target_spread": std.tolist(), "scheme": scheme, "h": study.grid(steps).step,
    }  # fmt: skip


def _no_readings(study: Study) -> str | None:
    if by_hessian := [name for name in study.schemes if schemes.REGISTRY[name].hessian_evals]:
        return f"the ratio of kernels gives only a score, and {', '.join(by_hessian)} needs a Hessian; leave it out."
    return _no_samples(study)


def _no_surrogate(study: Study) -> str | None:
    if not study.clean:
        return "this answer needs an exact score; leave out score_error."
    return _no_samples(study)


def _no_samples(study: Study) -> str | None:
    if not isinstance(study.target, dict) or study.target.get("name") != "logistic":
        return "this answer is about the target 'logistic' with its score from samples; give such a study."
    if study.target.get("score") == "laplace":
        return "this answer is about a posterior known by samples; leave out score 'laplace'."
    return None


def _no_picture(study: Study, scheme: str, steps: int) -> str | None:
    if not isinstance(study.target, dict) or study.target.get("name") != "logistic" or study.built.dim != 2:
        return "this picture is of the target 'logistic' with two features; give such a study."
    return None


def used(study: Study) -> int:
    return max(memory.simulated(_reading(study, keys), study.schemes, PARTICLES) for keys in READINGS.values())


def _reading(study, keys):
    return replace(study, target={**_plain(study.target), **keys})


READ = ("target", "schemes", "h", "T", "start", "score_error")
ANSWERS = (
    Answer("readings", "The experiment of [YY] under each reading of its score", readings, (*READ, "seed"),
           lambda study: 290_000_000, _no_readings, used),
    Answer(
        "first_coordinate", "The exact law of the first coordinate on the Laplace surrogate", first_coordinate, READ,
        lambda study: 48_000_000, _no_surrogate, alias="first", uniform=True,
    ),
    Answer(
        "boundary", "Two features: data, posterior and particles", boundary, ("target", "T", "start", "score_error", "seed"),
        applies=_no_picture, memory=lambda study, scheme, steps: memory.simulated(study, [scheme], CLOUD),
    ),
)  # fmt: skip
