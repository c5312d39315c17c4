"""One error of the score under every assumption of the literature: the number that each asks for, and what the bound on DDPM makes of it.

And fresh noise, which costs a coupling its root and a law its square: OC on N(0, I/2), whose own law is exact, in closed form.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import errors, noise, process, schemes
from dlab import grid as grids
from dlab.answers.along import PARTICLES, error_squares, rooted, squares_along, used
from dlab.answers.base import Answer
from dlab.grid import Grid
from dlab.laws import runs
from dlab.sample import CHUNK, simulate, starts
from dlab.study.spec import Study
from dlab.theory import all_at_once

NAME = "DDPM"
WIDEST = 8  # dimensions up to which the Jacobian of the wrong score is looked at
POINTS = 256  # at which it is
LARGE = 10.0  # an error above so many times the score is not relative to it
SMALL = 1e-4  # of a difference quotient
VARIANCE, COUNTS, TIMES_OWN = 0.5, tuple(2**k for k in range(6, 13)), 10.0


@partial(jax.jit, static_argnames="draws")
def _jacobian(field, error, t, x, *, draws):
    """The Jacobian of s* without fresh noise at x (n, d), by central differences, (n, d, d)."""
    def wrong(x):
        s = field.score(t, x)
        return s + error.shift(t, x, s, jnp.zeros_like(x) if draws else None)

    return jnp.stack([(wrong(x + SMALL * e) - wrong(x - SMALL * e)) / (2 * SMALL) for e in jnp.eye(x.shape[1])], -1)


def _curved(study, grid):
    """Of s* at the times of the steps: the largest norm of the Jacobian of DDPM's map in z, and the largest eigenvalue of that of s*,
    symmetrised, (N,) each, over points of p_t; None where there are too many dimensions."""
    target, key = study.built, jax.random.key(study.seed)
    if target.dim > WIDEST:
        return None
    data = np.asarray(target.sample(noise.stream(key, "data"), POINTS))
    spread = noise.generator(noise.stream(key, "spread")).standard_normal(data.shape)
    norms, tops, tau = [], [], np.expm1(grid.times)
    for n, t in enumerate(grid.times[:-1]):
        x = process.scale(t) * data + np.sqrt(process.variance(t)) * spread
        J = np.asarray(_jacobian(target.fast_field, study.error, t, jnp.asarray(x), draws=study.error.draws))
        share = 1 - tau[n + 1] / tau[n]
        whole = (1 - share) * np.eye(target.dim) + share * (np.eye(target.dim) - np.expm1(-t) * J)
        norms.append(np.linalg.norm(whole, 2, axis=(1, 2)).max())
        tops.append(np.linalg.eigvalsh((J + np.swapaxes(J, 1, 2)) / 2)[:, -1].max())
    return np.array(norms), np.array(tops)


def _products(factors):
    """Of the factors after each, (N,)."""
    return np.append(np.cumprod(factors[::-1])[::-1][1:], 1.0)


def score_assumptions(study: Study, steps: int, tick=lambda done: None) -> dict:
    """The study's score error in DDPM's run of so many steps:

    {"void", "steps", "rows": [{"name", "number", "second", "bound"}], "moved", "moved_stderr", "moved_mean"}

    number: what the assumption asks to be small (second: another one that it asks for); bound: what the score then costs W2 at most.
    None where the assumption does not hold. moved: L2 distance to the run with the exact score on the same noise, which every such bound
    bounds; moved_mean: that of the two means, a lower bound of W2 between the two laws. tick(done) may raise to cancel.
    """
    study = study.prepared(lambda done: tick(0.0))
    if void := all_at_once.missing(study.built.facts):
        return {"void": void, "steps": steps, "rows": [], "moved": None, "moved_stderr": None, "moved_mean": None}
    grid, m0 = study.grid(steps), study.built.facts.m0.value

    def squares(t, x, generator):
        return error_squares(study, t, x, generator.standard_normal(x.shape))

    _, found = squares_along(study, NAME, steps, squares, tick, fresh=False)
    own, mean, fresh, size, ratio = found["iterates"]
    iterates, bias, drawn, scores = (rooted(v)[0] for v in (own, mean, fresh, size))
    forward = rooted(found["forward"][0])[0]
    c, h, T = all_at_once.score_weights(m0, grid), grid.h, grid.T - grid.stop
    far = max(float(ratio.max()), float(found["forward"][4].max()))

    def row(name, number, bound, second=None):
        kept = [float(v) if v is not None and np.isfinite(v) else None for v in (number, bound, second)]
        return {"name": name, "number": kept[0], "bound": kept[1], "second": kept[2]}

    def averaged(weights, levels):
        return math.sqrt(h @ levels**2 / T), math.sqrt(np.sum(weights**2 / h) * (h @ levels**2))

    rows = [
        row("iterates", iterates.max(), c.sum() * iterates.max()),
        row("average", *averaged(c, iterates)),
        row("split", bias.max(), c @ bias + math.sqrt(c**2 @ drawn**2), drawn.max()),
        row("relative", far if far < LARGE else None, c @ scores * far if far < LARGE else None),
    ]
    if curved := _curved(study, grid):
        norms, tops = curved
        tau = np.expm1(grid.times)
        end = np.exp(-grid.stop / 2)
        own_weights = end * _products(norms) * (tau[:-1] - tau[1:]) * np.exp(-grid.times[:-1] / 2)
        one_sided = _products(np.exp(h * (0.5 + tops))) * 2 * np.sinh(h / 2)
        rows += [
            row("forward", forward.max(), own_weights.sum() * forward.max(), norms.max()),
            row("loss", *averaged(own_weights, forward), norms.max()),
            row("one-sided", forward.max(), one_sided @ forward, tops.max()),
        ]
    moved = _moved(study, grid)
    return {"void": None, "steps": steps, "rows": rows, **moved}


def _moved(study, grid) -> dict:
    begin, run = jax.random.split(jax.random.key(study.seed))
    start, _ = starts(study.built, begin, PARTICLES, study.T, study.start)
    ends = [
        simulate(study.scheme(NAME, grid.steps), study.built.fast_field, error, start, grid=grid, key=run).x
        for error in (study.error, errors.NONE)
    ]
    apart = ends[0] - ends[1]
    square = np.sum(apart**2, -1)
    size = math.sqrt(square.mean())
    stderr = float(square.std(ddof=1) / math.sqrt(len(square)) / (2 * max(size, 1e-300)))
    return {"moved": size, "moved_stderr": stderr, "moved_mean": float(np.linalg.norm(apart.mean(0)))}


def applies(study: Study, steps: int) -> str | None:
    if study.schemes != (NAME,):
        return f"{all_at_once.DDPM_ALONE[:-1]}; give schemes = ['{NAME}']."
    if study.score_error["name"] == "none":
        return "the score is exact; give a score_error."
    if study.error.carries or study.vary:
        return "it looks at an error that is the same in every step; choose another score_error, and leave vary out."
    # Beyond, the run with the exact score would meet other noise.
    return f"{steps} steps are more than the {CHUNK} that meet the same noise; give fewer." if steps > CHUNK else None


def fresh_noise(study: Study, tick=lambda *done: None) -> dict:
    """OC on N(0, VARIANCE I) in the plane from the exact start on log-SNR grids with a score that is noisy afresh in every step:

    {"level", "rows": [{"steps", "law", "coupled", "own"}], "slopes": {"law", "coupled"} over the finest octave}; law: W2 of the exact
    law; coupled: the L2 distance on one Brownian path, by its recursion; own: the same without the noise of the score. The level makes
    the noise's share of the coupled distance TIMES_OWN times the scheme's own at the finest number of steps. Nothing of the study is read.
    """
    laid = {n: Grid("log-snr", n, grids.read({"name": "log-snr", "last": "sigma_min"}, None, None)) for n in COUNTS}
    own = {n: oc_coupled(its, 0.0) for n, its in laid.items()}
    one = {n: math.sqrt(max(oc_coupled(its, 1.0) ** 2 - own[n] ** 2, 0.0)) for n, its in laid.items()}
    level = TIMES_OWN * max(own[n] / one[n] for n in COUNTS)
    rows = [
        {"steps": n, "law": oc_law(its, level), "coupled": oc_coupled(its, level), "own": own[n]} for n, its in laid.items()
    ]

    def slope(name):
        a, b = rows[-2:]
        return math.log(a[name] / b[name]) / math.log(b["steps"] / a["steps"])

    return {"level": level, "rows": rows, "slopes": {name: slope(name) for name in ("law", "coupled")}}


def _noisy(grid, level):
    """Factor, variance of the noise and variance of the score's noise of OC's steps for one coordinate of two, in x, (N,) each."""
    t, t_next = grid.times[:-1], grid.times[1:]
    b, a, v = np.expm1(t), np.expm1(t_next), VARIANCE
    A = np.exp((t - t_next) / 2) * (v + a) / (v + b)
    Q = np.exp(-t_next) * (a * (b - a) / b + (1 - a / b) ** 2 * v * b / (v + b))
    return A, Q, (np.exp(-t_next / 2) * (b - a) * np.exp(-t / 2) * level) ** 2 / 2


def oc_law(grid: Grid, level: float) -> float:
    """W2 between OC's law and p_t at the end of the grid, where the target itself would add the early stop."""
    A, Q, S = _noisy(grid, level)
    _, start = runs.begin(np.array([VARIANCE]), np.zeros(1), grid.T, "exact")
    var = float(start[0])
    for n in range(grid.steps):
        var = A[n] ** 2 * var + Q[n] + S[n]
    true = math.exp(-grid.stop) * VARIANCE - math.expm1(-grid.stop)
    return float(math.sqrt(2) * abs(var - true) / (math.sqrt(var) + math.sqrt(true)))


def oc_coupled(grid: Grid, level: float) -> float:
    """L2 distance of OC and the reverse process on one Brownian path. OC's noise is a multiple of the increment, the process's is
    int w dW with w(t) = e^{(t - t')/2} (v + tau')/(v + tau); both have the variance Q."""
    A, Q, S = _noisy(grid, level)
    nodes, weights = np.polynomial.legendre.leggauss(32)
    t, t_next = grid.times[:-1, None], grid.times[1:, None]
    at = (t + t_next) / 2 + (t - t_next) / 2 * nodes
    inside = np.exp((at - t_next) / 2) * (VARIANCE + np.expm1(t_next)) / (VARIANCE + np.expm1(at))
    shared = (inside @ weights) * grid.h / 2
    apart = np.maximum(2 * Q - 2 * np.sqrt(Q / grid.h) * shared, 0.0) + S
    total = 0.0
    for n in range(grid.steps):
        total = A[n] ** 2 * total + apart[n]
    return math.sqrt(2 * total)


ANSWERS = (
    Answer(
        "score_assumptions", "One score error under every assumption, and the bound that each gives", score_assumptions,
        ("target", "schemes", "T", "start", "score_error", "seed", "grid", "stop"),
        lambda study, steps: PARTICLES * steps * 12 + 1_500_000, applies,
        lambda study, steps: used(study, NAME, steps), uses=(schemes.REGISTRY[NAME],),
    ),
    Answer("fresh_noise", "Fresh noise in the score: ½ in the coupling, 1 in the law", fresh_noise, ()),
)  # fmt: skip
