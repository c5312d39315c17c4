"""Steps that adapt to their error: what the noise of a rejected step, drawn anew or kept, does to the law.

The target is N(0, I/2) in d dimensions, whatever the study's: its law is known, and so is the limit of the bias.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from dlab import noise, process
from dlab.answers.base import Answer
from dlab.sample import adaptive as sampler
from dlab.study.spec import Study
from dlab.targets.spectrum import AxesField
from dlab.theory import redraw

VARIANCE, T = 0.5, 8.0
TOLERANCES = (0.3, 0.1, 0.03, 0.01)
PARTICLES = {1: 32768, 16: 8192, 256: 1024}  # by dimension
DIMS = tuple(2**k for k in range(9))  # of the derived limit
COST = 24_000_000  # particle-steps that it takes as long as


def starts(key, n: int, d: int) -> np.ndarray:
    """Draws of p_T, (n, d)."""
    p = math.exp(-T) * VARIANCE + float(process.variance(T))
    return math.sqrt(p) * noise.generator(key).standard_normal((n, d))


def measured(found: sampler.Run, start: np.ndarray, method: str) -> dict:
    """Deviation of a coordinate and its standard error, from the mean squares of the particles that arrived, which are independent of
    one another; along the flow from their distance to that of the exact flow, whose mean is known. None where two are not left."""
    there = ~found.lost
    squares = np.mean(found.x[there] ** 2, -1)
    if method == "flow":
        ratio = VARIANCE / (math.exp(-T) * VARIANCE + float(process.variance(T)))
        squares = squares - ratio * np.mean(start[there] ** 2, -1) + VARIANCE
    n, d = len(squares), start.shape[1]
    sd = math.sqrt(squares.mean()) if n > 1 and squares.mean() > 0 else None
    tried = int(found.tried.sum())
    return {
        "sd": sd,
        "stderr": None if sd is None else float(squares.std(ddof=1) / math.sqrt(n) / (2 * sd)),
        "w2": None if sd is None else math.sqrt(d) * abs(sd - math.sqrt(VARIANCE)),
        "steps": float(found.accepted.mean()),
        "evaluations": float(2 * found.tried.mean()),
        "rejected": 1 - int(found.accepted.sum()) / tried if tried else 0.0,
        "lost": int(found.lost.sum()),
        "forgotten": found.forgotten,
    }


def adaptive(study: Study, tick=lambda done: None):
    """Both kinds of noise and the probability flow, with the controllers of `sample.adaptive.controller`, from the exact start at T;
    yields after every row, coarse tolerances first:

    {"variance", "sd", "T", "done", "limits": [{"d", "sd", "rejected"}],
     "rows": [{"method", "d", "tol", "sd", "stderr", "w2", "steps", "evaluations", "rejected", "lost", "forgotten"}]}

    sd: of a coordinate, and the target's; w2 = sqrt(d) |sd - the target's|, the distance between Gaussians of these deviations;
    steps accepted and score evaluations of a particle in the mean, share of rejected tries; limits: of "redraw" as the tolerance
    goes to 0, derived. tick(done) may raise to cancel.
    """
    tick(0.0)
    deviations = redraw.deviations(DIMS, VARIANCE, T)
    limits = [{"d": d, "sd": float(sd), "rejected": redraw.accepted(d)[1]} for d, sd in zip(DIMS, deviations)]
    found = {"variance": VARIANCE, "sd": math.sqrt(VARIANCE), "T": T, "limits": limits, "rows": []}
    field, key = AxesField(jnp.full(1, VARIANCE)), jax.random.key(study.seed)
    plan = [(d, tol, method) for d in PARTICLES for tol in TOLERANCES for method in sampler.METHODS]
    price = [(PARTICLES[d] * d) ** 0.5 * tol ** (-2 / 3) * (method != "flow") + 1 for d, tol, method in plan]
    for i, (d, tol, method) in enumerate(plan):
        begun, share = sum(price[:i]) / sum(price), price[i] / sum(price)
        start = starts(noise.stream(key, "start", str(d)), PARTICLES[d], d)
        run = sampler.simulate(
            field, start, T=T, key=noise.stream(key, method, str(d), str(tol)), control=sampler.controller(method, tol), method=method,
            tick=lambda done, begun=begun, share=share: tick(begun + share * done),
        )  # fmt: skip
        row = {"method": method, "d": d, "tol": tol, **measured(run, start, method)}
        found = {**found, "rows": [*found["rows"], row], "done": sum(price[: i + 1]) / sum(price)}
        yield found


ANSWER = Answer(
    "adaptive", "Adaptive steps: noise of rejected steps redrawn, or kept on one path", adaptive, ("seed",), lambda study: COST,
    memory=lambda study: 8 * max(n * d for d, n in PARTICLES.items()) * (sampler.SEEN + sampler.CHUNK + 20),
)  # fmt: skip
