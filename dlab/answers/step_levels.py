"""Giles's multilevel Monte Carlo (Oper. Res. 56, 2008) for E |X_0|^2: levels of the step, not of the drift.

P_l is the value with h_l = h_0 2^-l by EM. E P_L = E P_0 + sum_l E (P_l - P_{l-1}), each mean over particles of its own;
P_l and P_{l-1} run along one Brownian path. The noise is additive and EM of strong order 1, so Var (P_l - P_{l-1}) falls as h_l^2,
faster than the cost grows.
"""

import math

import jax
import numpy as np

from dlab import errors, grid, noise, schemes
from dlab.answers.base import Answer
from dlab.measure import fit
from dlab.params import BadInput
from dlab.sample import simulate, starts
from dlab.study import memory
from dlab.study.spec import Study

COARSEST = 4  # steps of level 0 in a unit of time
LEVELS = range(6)
PATHS, BATCH = 4096, 512
WIDEST = 16  # dimensions
COMPILING = 2_000_000  # particle-steps that take as long


def step_levels(study: Study, tick=lambda done: None) -> dict:
    """Means and variances of P_l - P_{l-1}, P_{-1} = 0, with the exact score from the exact start, and what an accuracy costs with them:

    {"truth", "paths", "rows": [{"level", "steps", "h", "mean", "stderr", "variance", "variance_stderr", "plain" (variance of P_l)}],
     "fits": {"mean", "variance": {"slope", "low", "high"}}, "estimate", "stderr" (of E P_L, all levels together),
     "costs": [{"eps", "level", "n": [...] (particles of each level), "multilevel", "plain" (score evaluations)}],
     "slopes": {"multilevel", "plain"} or None}

    eps: root mean square error, of which bias and noise take equal parts; slopes: -log cost / log eps. tick(done) may raise to cancel.
    BadInput where EM diverges.
    """
    facts, rows, done = study.built.facts, [], 0
    for level in LEVELS:
        fine, coarse = [], []
        for batch in range(PATHS // BATCH):
            tick(done / work(study))
            for values, found in zip((fine, coarse), _pair(study, level, batch)):
                values.append(found)
            done += BATCH * per_path(study.T, level)
        fine, coarse = np.concatenate(fine), np.concatenate(coarse)
        if not np.isfinite(fine - coarse).all():
            raise BadInput(f"step_levels: EM diverges with h = 1/{COARSEST * 2**level} on this target; give one with a smaller L0.")
        (mean, stderr), (variance, its) = _mean(fine - coarse), _variance(fine - coarse)
        N = steps(study.T, level)
        rows.append({
            "level": level, "steps": N, "h": study.T / N, "mean": mean, "stderr": stderr, "variance": variance, "variance_stderr": its,
            "plain": _variance(fine)[0],
        })  # fmt: skip
    bias, spread = _fit(rows, "mean", "stderr", 1.0), _fit(rows, "variance", "variance_stderr", 2.0)
    costs = _costs(rows, study.T, bias.at_order[0]) if bias.at_order else []
    truth = facts.mean @ facts.mean + (facts.cov if facts.cov.ndim == 1 else np.diag(facts.cov)).sum()
    fits = {"mean": bias, "variance": spread}
    return {
        "truth": float(truth), "paths": PATHS, "rows": rows,
        "fits": {name: {k: getattr(law, k) for k in ("slope", "low", "high")} for name, law in fits.items()},
        "estimate": math.fsum(r["mean"] for r in rows), "stderr": math.hypot(*(r["stderr"] for r in rows)),
        "costs": costs, "slopes": _slopes(costs),
    }  # fmt: skip


def steps(T: float, level: int) -> int:
    return max(1, math.ceil(COARSEST * T)) * 2**level


def per_path(T: float, level: int) -> int:
    """Score evaluations of one particle of P_l - P_{l-1}."""
    return steps(T, level) + (steps(T, level - 1) if level else 0)


def work(study: Study) -> int:
    return COMPILING + PATHS * sum(per_path(study.T, level) for level in LEVELS)


def _pair(study, level, batch):
    """P_l and P_{l-1} of BATCH particles along one path each."""
    key = noise.stream(jax.random.key(study.seed), "step levels", str(level), str(batch))
    N, T, target = steps(study.T, level), study.T, study.built
    start, _ = starts(target, key, BATCH, T, "exact")
    path = noise.path(noise.stream(key, "path"), np.full(N, T / N), BATCH, target.dim)

    def value(merged):
        run = simulate(
            schemes.REGISTRY["EM"], target.fast_field, errors.build({"name": "none"}, target), start, grid=grid.uniform(T, N // merged),
            key=key, path=noise.merge(path, merged),
        )  # fmt: skip
        return np.sum(run.x**2, -1)

    return value(1), value(2) if level else np.zeros(BATCH)


def _mean(values):
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def _variance(values):
    squares = (values - values.mean()) ** 2
    return _mean(squares)


def _fit(rows, name, stderr, order):
    """Of the size of the differences against h."""
    rows = rows[1:]
    size = [abs(r[name]) for r in rows]
    return fit.fit(
        [r["h"] for r in rows], size, [r[stderr] for r in rows], [v > 3 * r[stderr] for v, r in zip(size, rows)], order=order
    )


def _costs(rows, T, bias) -> list[dict]:
    """For each finest level the accuracy of which its bias, |E P_l - E P_0| = bias h_l, is half the square; then the particles that give
    the noise the other half at the least cost: n_l in proportion to root of variance over cost."""
    found = []
    for row in rows[1:]:
        eps, L = math.sqrt(2) * bias * row["h"], row["level"]
        prices = np.array([per_path(T, level) for level in range(L + 1)])
        variances = np.array([r["variance"] for r in rows[: L + 1]])
        n = np.ceil(2 / eps**2 * np.sqrt(variances / prices) * np.sqrt(variances * prices).sum())
        found.append({
            "eps": eps, "level": L, "n": n.astype(int).tolist(), "multilevel": float(n @ prices),
            "plain": math.ceil(2 / eps**2 * row["plain"]) * float(row["steps"]),
        })  # fmt: skip
    return found


def _slopes(costs) -> dict | None:
    if len(costs) < 2:
        return None
    eps = np.log([c["eps"] for c in costs])
    return {name: float(-np.polyfit(eps, np.log([c[name] for c in costs]), 1)[0]) for name in ("multilevel", "plain")}


def applies(study: Study) -> str | None:
    facts = study.built.facts
    if facts.dim > WIDEST or facts.mean is None or facts.cov is None:
        return f"it needs a target of known mean and covariance in at most {WIDEST} dimensions; give another."
    return None


def used(study: Study) -> int:
    values = BATCH * study.built.dim * noise.MOMENTS * steps(study.T, LEVELS[-1])
    return 16 * values + int(memory.simulated(study, ["EM"], BATCH))


ANSWER = Answer(
    "step_levels", "Multilevel Monte Carlo for a mean: variance of each level and cost", step_levels, ("target", "T", "seed"), work,
    applies, used, uses=(schemes.REGISTRY["EM"],), uniform=True,
)  # fmt: skip
