"""The martingales of the reverse process, measured on particles.

Along the reverse process x0 and e^{u/2} s (u reverse time) are martingales and the drift gamma has the mean rate of change x/4, for every
target. The reverse process is the forward one read backwards, so its paths are drawn exactly: X_0 ~ p_0, then the forward process from
time to time. The mean of M(t', X_t') - M(t, X_t) times any function of X_t vanishes for a martingale; here that function is M(t, X_t)
itself, which gives the mean rate of change as a share of M, per unit of time.
"""

import jax
import numpy as np

from dlab import noise
from dlab.answers.base import Answer
from dlab.study.spec import Study

FIRST, LAST, STEPS = 1.0, 0.02, 14  # times between which the run is read backwards, with equal ratios
PATHS = 16384
GROUPS = 3  # of particles, by their place at the start
COST = 1_500_000  # particle-steps that it takes as long as
QUANTITIES = ("x0", "grown", "score")  # x0, e^{u/2} s up to a constant, and s, which is none


def _paths(study, key):
    """Times from FIRST down to LAST (K + 1,) and the reverse process there, (K + 1, n, d)."""
    times = np.geomspace(LAST, FIRST, STEPS + 1)
    draws = noise.generator(noise.stream(key, "forward"))
    x, seen, before = np.asarray(study.built.sample(noise.stream(key, "data"), PATHS), float), [], 0.0
    for t in times:
        h = t - before
        x = np.exp(-h / 2) * x + np.sqrt(-np.expm1(-h)) * draws.standard_normal(x.shape)
        seen.append(x)
        before = t
    return times[::-1], np.stack(seen[::-1])


def _share(moved, of, h):
    """E[moved . of]/(h E|of|^2) with its standard error."""
    products, size = np.sum(moved * of, -1), np.mean(np.sum(of**2, -1))
    return float(products.mean() / (h * size)), float(products.std(ddof=1) / np.sqrt(len(products)) / (h * size))


def martingale(study: Study, tick=lambda done: None) -> dict:
    """The mean rates of change along the study's target, and groups of particles on their way:

    {"rows": [{"t", "t_next", "x0", "grown", "score" (rates, as a share), their "_stderr", "score_exact",
      "mean", "mean_stderr": how far the particles are from DDPM's mean, as a share of its displacement}],
     "groups": [{"t", "x0", "x0_stderr", "x", "x_stderr", "x_exact", each of GROUPS}], "particles"}

    Groups are thirds by the first principal coordinate at the start; x0 and x are means of that coordinate. tick(done) may raise to cancel.
    """
    key, field = jax.random.key(study.seed), study.built.fast_field
    times, paths = _paths(study, key)
    facts = study.built.facts
    axis = np.linalg.eigh(facts.cov)[1][:, -1] if facts.cov.ndim == 2 else np.eye(facts.dim)[int(np.argmax(facts.cov))]
    order = np.argsort(paths[0] @ axis)
    thirds = np.array_split(order, GROUPS)
    rows, groups, first, before = [], [], None, None
    for k, (t, x) in enumerate(zip(times, paths)):
        tick(k / len(times))
        s = np.asarray(field.score(t, x))
        now = {"x0": np.exp(t / 2) * (x - np.expm1(-t) * s), "grown": np.exp(-t / 2) * s, "score": s, "x": x}
        first = first or now
        u = times[0] - t
        along = np.cosh(u / 2) * (first["x"] @ axis) + 2 * np.sinh(u / 2) * ((first["x"] / 2 + first["score"]) @ axis)
        groups.append({"t": float(t), **{
            name: [value(v[third]) for third in thirds]
            for q, v in (("x0", now["x0"] @ axis), ("x", x @ axis)) for name, value in ((q, _mean), (f"{q}_stderr", _error))
        }, "x_exact": [_mean(along[third]) for third in thirds]})  # fmt: skip
        if before is not None:
            h = times[k - 1] - t
            row = {"t": float(times[k - 1]), "t_next": float(t), "score_exact": float(np.expm1(-h / 2) / h)}
            for q in QUANTITIES:
                row[q], row[f"{q}_stderr"] = _share(now[q] - before[q], before[q] - before[q].mean(0), h)
            goal = np.expm1(h / 2) * before["x"] + 2 * np.sinh(h / 2) * before["score"]
            row["mean"], row["mean_stderr"] = _share(x - before["x"] - goal, goal, 1.0)
            rows.append(row)
        before = now
    return {"rows": rows, "groups": groups, "particles": PATHS, "gaussian": study.built.along_axes is not None}


def _mean(values) -> float:
    return float(np.mean(values))


def _error(values) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def applies(study: Study) -> str | None:
    if study.built.dim > 64:
        return f"the target has {study.built.dim} dimensions and the limit is 64; choose another."
    return None


ANSWER = Answer(
    "martingale", "Mean rates of change of x₀ and of the score along the reverse process", martingale, ("target", "seed"),
    lambda study: COST, applies, lambda study: 8 * PATHS * (study.built.dim * (STEPS + 12) + study.built.words),
)  # fmt: skip
