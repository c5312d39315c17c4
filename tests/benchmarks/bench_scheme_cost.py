"""What a step of each scheme costs beside its evaluations of score and Hessian.

    python tests/benchmarks/bench_scheme_cost.py [--quick]

Compiled loops of 64 steps of 4096 particles in double precision with their noise at hand, and of 64 evaluations alone, taken in turn in
one process: each number is the least of the repeats, as other programs only add. A random midpoint is another time for each particle,
and so is the second evaluation of a scheme with one, which is timed as such. The goal is at most 1.3x. In brackets, whole runs of
`sample.simulate`, which also draw the noise. No test reads these numbers.
"""

import time
from functools import partial

import bench
import jax
import jax.numpy as jnp
import numpy as np

from dlab import errors, grid, schemes, targets
from dlab.noise import StepNoise
from dlab.sample import simulate

LOGISTIC = {"name": "logistic", "x": [[4, 0], [1, 4]], "y": [1, 1], "lam": 0.8}
MIXTURE = {"name": "mixture", "weights": [0.7, 0.3], "means": [[-0.8, 0.0], [1.2, 0.5]], "var": 0.4}
TARGETS = {"mixture": MIXTURE, "logistic table": LOGISTIC}
N, STEPS, GOAL = 4096, 64, 1.3
GRID = grid.uniform(4.0, STEPS)
NONE = errors.build({"name": "none"})


@partial(jax.jit, static_argnames="what")
def evaluated(what, field, times, x):
    """STEPS evaluations, each at a place that the one before has moved; "late" is a score at times (N, 1) of a step."""

    def body(i, x):
        if what == "late":
            u = jnp.linspace(0.0, 1.0, len(x))[:, None]
            found = field.score(times[i + 1] + u * (times[i] - times[i + 1]), x)
        else:
            found = getattr(field, what)(times[i], x)
        return x + 1e-9 * (found if found.ndim == 2 else found[:, 0])

    return jax.lax.fori_loop(0, STEPS, body, x)


@jax.jit
def stepped(scheme, field, span, x, normals, u):
    every = jnp.concatenate([span.earlier, span.times])

    def body(i, carry):
        x, kept = carry
        t, t_next = span.times[i], span.times[i + 1]
        seen = StepNoise(t - t_next, normals[i], None if u is None else u[i], clock=span.clock[i])
        parts, kept = scheme.advance(field, t, t_next, x, seen, [every[i + k] for k in range(len(span.earlier))], kept)
        return scheme.total(x, parts), kept

    return jax.lax.fori_loop(0, STEPS, body, (x, scheme.begin(x)))[0]


def least(calls: dict, repeats: int) -> dict:
    """Seconds of each call by its name, the least of so many rounds in which all take their turn; compiled first."""
    for call in calls.values():
        jax.block_until_ready(call())
    found = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, call in calls.items():
            begun = time.perf_counter()
            jax.block_until_ready(call())
            found[name] = min(found[name], time.perf_counter() - begun)
    return found


def measure(label, target, names, repeats):
    field, rng = target.fast_field, np.random.default_rng(0)
    x = jnp.asarray(np.asarray(target.sample(jax.random.key(0), N)))
    times, span = jnp.asarray(GRID.times), jax.tree.map(jnp.asarray, GRID.span(0, STEPS))
    calls = {what: partial(evaluated, what, field, times, x) for what in ("score", "late", "hessian")}
    for name in names:
        scheme = schemes.REGISTRY[name]
        scheme = scheme.at(scheme.option.default, STEPS) if scheme.option else scheme
        normals = jnp.asarray(rng.standard_normal((STEPS, max(1, scheme.normals()), N, 2)))
        u = jnp.asarray(rng.random((STEPS, N, 1))) if scheme.randomised else None
        calls[name] = partial(stepped, scheme, field, span, x, normals, u)
        calls[name, "run"] = lambda scheme=scheme: simulate(scheme, field, NONE, x, grid=GRID, key=jax.random.key(1)).x
    found = least(calls, repeats)
    score, late, hessian = (found[what] for what in ("score", "late", "hessian"))
    print(f"{label}, {N} particles: a score {score / STEPS * 1e6:.0f} us, one at times of their own {late / STEPS * 1e6:.0f} us, "
          f"a Hessian {hessian / STEPS * 1e6:.0f} us")  # fmt: skip
    above = []
    for name in names:
        scheme = schemes.REGISTRY[name]
        own = (scheme.score_evals - scheme.randomised) * score + scheme.randomised * late + scheme.hessian_evals * hessian
        ratio = found[name] / own
        above += [name] * (ratio > GOAL)
        print(f"  {name:<10} {found[name] / STEPS * 1e6:8.0f} us a step, {ratio:6.2f}x its evaluations   ({found[name, 'run'] / own:.2f}x)")
    print(f"  above {GOAL}x: {', '.join(above) or 'none'}", flush=True)


if __name__ == "__main__":
    quick = bench.parser(__doc__, "the mixture alone, three schemes, few repeats").parse_args().quick
    print(f"{jax.devices()[0].platform}, jax {jax.__version__}, {bench.load()}")
    for label, spec in list(TARGETS.items())[: 1 if quick else None]:
        measure(label, targets.build(spec), ("EM", "SRA1", "SO") if quick else tuple(schemes.REGISTRY), 3 if quick else 40)
