"""Multilevel Euler-Maruyama with three trained networks of growing width, on a mixture that needs the wide one.

The target is eight modes on a ring, whatever the study's: on a law near a Gaussian the narrow network is as good as the wide one. The
probabilities depend on time. A call by chance at t leaves the variance h^2 d_k^2 w^2 / p_k at time 0, d_k the L2 distance of two
neighbouring networks under p_t and w the factor by which the exact process carries a displacement from t to 0, so that with c_k the cost
of a call p_k = min(1, C h d_k w / sqrt(c_k + c_{k-1})) is best; C sets the cost.
"""

import math
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import stdtrit

from dlab import errors, grid, noise, process, schemes, targets
from dlab.answers.base import Answer
from dlab.answers.multilevel import calls
from dlab.errors import learned
from dlab.sample import simulate, starts
from dlab.study.spec import Study

MODES = 8
RING = {
    "name": "mixture", "weights": [1 / MODES] * MODES, "var": 0.04,
    "means": [[round(1.5 * f(2 * math.pi * k / MODES), 12) for f in (math.cos, math.sin)] for k in range(MODES)],
}  # fmt: skip
WIDTHS = (16, 64, 256)
TRAINING = {"method": "denoising", "samples": 500_000, "depth": 2, "updates": 5000, "seed": 0}
T, FINE = 4.0, 512  # steps of the exact process, by SO
STEPS = (64, 128, 256, 512)
PLANS = ((256, 1.4e6), (256, 2.8e6), (512, 4.0e6), (512, 5.6e6))  # steps and mean multiplications of a multilevel path
BATCH, BATCHES = 512, 8
TIMES, PROBES = 24, 1024  # where d and w are measured, and from how many particles
RUNNING = 60_000_000  # particle-steps that the runs take as long as


def trainings() -> list[learned.Training]:
    target = targets.build(RING)
    return [learned.training({**TRAINING, "width": width}, target, RING) for width in WIDTHS]


def network_levels(study: Study, tick=lambda done: None) -> dict:
    """Coupled L2 error against the exact process, and cost in multiplications of weights, of EM with each network and of multilevel:

    {"widths", "costs" (of a call), "errors": [{"t", "l2": [...], "apart": [...], "reach": w}],
     "rows": [{"method": width or "multilevel", "steps", "cost", "error", "stderr", "calls": [...], "speedup", "low", "high"}]}

    speedup: the cost of EM at that error, by the best of the networks and interpolated between its steps, over the row's, with a 95 %
    interval by the jackknife over batches; None on EM's rows, and where EM does not reach that error. tick(done) may raise to cancel.
    """
    target, tasks = targets.build(RING), trainings()
    shares = np.array([task.price for task in tasks] + [RUNNING], float)
    begun = np.append(0.0, np.cumsum(shares)) / shares.sum()
    nets = []
    for task, low, high in zip(tasks, begun, begun[1:]):
        nets.append(task.train(lambda done, losses, low=low, high=high: tick(low + (high - low) * done)).net)
    costs = np.array([sum(w.size for w in net.weights) for net in nets], float)
    seen = _seen(target, nets, jax.random.key(study.seed))
    plans = [(N, probabilities(seen, costs, N, budget)) for N, budget in PLANS]
    squares = []
    for batch in range(BATCHES):
        tick(begun[-2] + (1 - begun[-2]) * batch / BATCHES)
        squares.append(_squares(target, nets, plans, noise.stream(jax.random.key(study.seed), "networks", str(batch))))
    squares = np.array(squares)
    only = np.eye(len(WIDTHS))
    rows = [{"method": width, "steps": N, "calls": (N * only[i]).tolist()} for i, width in enumerate(WIDTHS) for N in STEPS]
    rows += [{"method": "multilevel", "steps": N, "calls": sum(map(calls, _whole(p))).tolist()} for N, p in plans]
    for row, own in zip(rows, squares.T):
        error, spread = math.sqrt(own.mean()), own.std(ddof=1) / math.sqrt(BATCHES)
        row |= {"cost": float(np.dot(row["calls"], costs)), "error": error, "stderr": float(spread / (2 * error))}
    for i, row in enumerate(rows):
        row |= dict.fromkeys(("speedup", "low", "high")) if row["method"] != "multilevel" else _speedup(rows, squares, i)
    return {"widths": list(WIDTHS), "costs": costs.tolist(), "errors": seen, "rows": rows}


def _whole(p):
    """With the level that is always there, (N, levels)."""
    return np.column_stack([np.ones(len(p)), p])


def probabilities(seen: list[dict], costs, N: int, budget: float) -> np.ndarray:
    """p_k at each of N steps, (N, levels - 1), whose path costs the budget in the mean."""
    t = T * (1 - np.arange(N) / N)
    at = lambda values: np.interp(t, [s["t"] for s in seen], values)  # noqa: E731
    apart = np.column_stack([at([s["apart"][k] for s in seen]) for k in range(len(costs) - 1)])
    best = apart * at([s["reach"] for s in seen])[:, None] / np.sqrt(costs[1:] + costs[:-1])
    low, high = -40.0, 40.0  # log of C h
    for _ in range(80):
        middle = (low + high) / 2
        spent = sum(calls(p) @ costs for p in _whole(np.minimum(1, np.exp(middle) * best)))
        low, high = (middle, high) if spent < budget else (low, middle)
    return np.minimum(1, np.exp(low) * best)


def _seen(target, nets, key) -> list[dict]:
    """L2 errors of the networks under p_t, their distances, and the root mean square reach of a displacement, at TIMES times."""
    found, random = [], noise.generator(noise.stream(key, "seen"))
    data = np.asarray(target.sample(noise.stream(key, "data"), PROBES))
    for t in np.geomspace(T / 1000, T, TIMES):
        x = np.exp(-t / 2) * data + math.sqrt(process.variance(t)) * random.standard_normal(data.shape)
        scores = [np.asarray(net(jnp.float32(t), jnp.asarray(x, jnp.float32)), float) for net in nets]
        size = lambda v: float(np.sqrt((v**2).sum(-1).mean()))  # noqa: E731
        v = random.standard_normal(x.shape)
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        carried = _carried(target.fast_field, jnp.asarray(x), jnp.asarray(v), t, random.standard_normal((FINE // 2, *x.shape)))
        exact = np.asarray(target.fast_field.score(t, x))
        found.append({
            "t": float(t), "l2": [size(s - exact) for s in scores], "apart": [size(b - a) for a, b in pairwise(scores)],
            "reach": size(np.asarray(carried)),
        })  # fmt: skip
    return found


@jax.jit
def _carried(field, x, v, start, normals):
    """Displacements v (n, d) of x at time start, carried to 0 along EM's steps with the exact score."""
    h = start / len(normals)

    def step(i, carry):
        x, v = carry
        s, along = jax.jvp(lambda x: field.score(start - i * h, x), (x,), (v,))
        return x + h * (x / 2 + s) + jnp.sqrt(h) * normals[i], v + h * (v / 2 + along)

    return jax.lax.fori_loop(0, len(normals), step, (x, v))[1]


def _squares(target, nets, plans, key) -> list[float]:
    """Mean square distances to the exact process of BATCH particles on one path, of all rows."""
    start, _ = starts(target, key, BATCH, T, "exact")
    path = noise.path(noise.stream(key, "path"), np.full(FINE, T / FINE), BATCH, target.dim)
    none, so = errors.build({"name": "none"}, target), schemes.REGISTRY["SO"]
    exact = simulate(so, target.fast_field, none, start, grid=grid.uniform(T, FINE), key=key, path=path).x
    random, found = noise.generator(noise.stream(key, "calls")), []

    def distance(x):
        found.append(float(((np.asarray(x) - exact) ** 2).sum(-1).mean()))

    moved = {N: jnp.asarray(noise.merge(path, FINE // N)[:, 0], float) for N in STEPS}
    for net in nets:
        for N in STEPS:
            distance(_run([net], start, moved[N], np.ones((N, BATCH, 0), np.float32)))
    for N, p in plans:
        on = random.random((N, BATCH, p.shape[1]), np.float32) < p[:, None]
        distance(_run(nets, start, moved[N], (on / p[:, None]).astype(np.float32)))
    return found


@jax.jit
def _run(nets, x, moved, weights):
    """x (n, d) after len(moved) steps from T; weights (N, n, levels - 1) are B_k / p_k."""
    N = len(moved)

    def step(i, x):
        t = T * (1 - i / N)
        scores = [net(t.astype(jnp.float32), x.astype(jnp.float32)) for net in nets]
        s = scores[0]
        for k in range(1, len(nets)):
            s += weights[i, :, k - 1, None] * (scores[k] - scores[k - 1])
        return x + T / N * (x / 2 + s) + moved[i]

    return jax.lax.fori_loop(0, N, step, jnp.asarray(x, float))


def _em_cost(rows, squares, error) -> float:
    """Of the cheapest network with so small an error; infinite where there is none."""
    found = [math.inf]
    for width in WIDTHS:
        size, cost = zip(*sorted((math.sqrt(s), row["cost"]) for s, row in zip(squares, rows) if row["method"] == width))
        if error >= size[0]:
            found.append(math.exp(np.interp(math.log(error), np.log(size), np.log(cost))))
    return min(found)


def _speedup(rows, squares, i) -> dict:
    def log(chosen):
        means = chosen.mean(0)
        return math.log(_em_cost(rows, means, math.sqrt(means[i])) / rows[i]["cost"])

    whole = log(squares)
    parts = np.array([log(np.delete(squares, k, 0)) for k in range(BATCHES)])
    if not math.isfinite(whole) or not np.isfinite(parts).all():
        return dict.fromkeys(("speedup", "low", "high"))
    half = stdtrit(BATCHES - 1, 0.975) * math.sqrt((BATCHES - 1) * parts.var())
    return {"speedup": math.exp(whole), "low": math.exp(whole - half), "high": math.exp(whole + half)}


def work(study: Study) -> int:
    return sum(task.price for task in trainings()) + RUNNING


ANSWER = Answer(
    "network_levels", "Multilevel Euler-Maruyama with three trained networks", network_levels, ("seed",), work,
    memory=lambda study: 40 * BATCH * FINE + 24 * TRAINING["samples"] * 2, uses=(schemes.REGISTRY["SO"],),
)  # fmt: skip
