"""Particle-steps per second against diffrax on the same problem, and where the time of a logistic sweep goes.

    python tests/benchmarks/bench_sampling.py [--quick]

Everything in one run, after warm-up, medians. No test reads these numbers.
"""

import time

import bench
import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from dlab import errors, measure, noise, schemes, study, targets
from dlab.grid import uniform
from dlab.measure import Case, Pairs
from dlab.sample import simulate, starts

LOGISTIC = {"name": "logistic", "x": [[4, 0], [1, 4]], "y": [1, 1], "lam": 0.8}
GAUSSIAN = {"name": "gaussian", "mean": [-0.4, 0.9], "cov": [[0.45, 0.42], [0.42, 1.45]]}
TARGETS = {"gaussian": GAUSSIAN, "logistic table": LOGISTIC}
N, STEPS, T = 4096, 256, 4.0
NONE = errors.build({"name": "none"})


def ours(field, start, path=None):
    return lambda i: simulate(schemes.REGISTRY["EM"], field, NONE, start, grid=uniform(T, STEPS), key=jax.random.key(i), path=path)


def diffrax_euler(field, start, make_path):
    """Euler of diffrax on dx = gamma dtau + dW, tau = T - t, all particles as one state (the fastest shape for it)."""

    @jax.jit
    def solve(key, begin):
        terms = diffrax.MultiTerm(
            diffrax.ODETerm(lambda tau, x, args: x / 2 + field.score(T - tau, x)),
            diffrax.ControlTerm(lambda tau, x, args: diffrax_identity(x), make_path(key, begin.shape)),
        )
        return diffrax.diffeqsolve(
            terms, diffrax.Euler(), 0.0, T, T / STEPS, begin, saveat=diffrax.SaveAt(t1=True), max_steps=STEPS + 1,
            adjoint=diffrax.ForwardMode(),
        ).ys[0]

    return lambda i: solve(jax.random.key(i), jnp.asarray(start)).block_until_ready()


def diffrax_identity(x):
    import lineax

    return lineax.DiagonalLinearOperator(jnp.ones_like(x))


def unsafe(key, shape):
    return diffrax.UnsafeBrownianPath(shape, key)


def virtual(key, shape):
    return diffrax.VirtualBrownianTree(0.0, T, T / STEPS / 2, shape, key)


def fine_path(i):
    """The moments of a path of twice the steps, merged in pairs: what a study does for a curve."""
    return noise.merge(noise.path(jax.random.key(i), np.full(2 * STEPS, T / STEPS / 2), N, 2), 2)


def report(label, seconds, against=None):
    rate = N * STEPS / seconds / 1e6
    print(f"{label:<52} {seconds * 1e3:9.1f} ms {rate:8.2f} M particle-steps/s" + (f"  {against / seconds:6.2f}x" if against else ""))


def sampling(repeats, specs, quick):
    for name, spec in specs.items():
        target = targets.build(spec)
        field = target.fast_field
        start, _ = starts(target, jax.random.key(0), N, T, "exact")
        theirs = bench.seconds(diffrax_euler(field, start, unsafe), repeats)
        report(f"{name}: diffrax Euler, UnsafeBrownianPath", theirs)
        report(f"{name}: our EM, fresh noise (goal >= 1.0x)", bench.seconds(ours(field, start), repeats), theirs)

        if quick:
            continue
        tree = bench.seconds(diffrax_euler(field, start, virtual), max(1, repeats // 2))
        report(f"{name}: diffrax Euler, VirtualBrownianTree", tree)

        label = f"{name}: our EM, moments + merge + path (goal >= 10x)"
        report(label, bench.seconds(lambda i, f=field, x=start: ours(f, x, fine_path(i))(i), repeats), tree)


def sweep(of, particles, finest, names):
    """The sampled sweep of these schemes on a target, h = 1/2 .. 2^-finest, T = 4, cold and warm, then its parts."""
    spec = {"target": of, "schemes": names, "h": [2.0**-k for k in range(1, finest + 1)], "T": 4.0, "particles": particles,
            "estimator": "projected"}  # fmt: skip
    for label in ("cold", "warm"):
        begun = time.perf_counter()
        asked = study.Study.from_json(spec)
        stream, first = study.stream(asked), None
        for _result in stream:
            first = first or time.perf_counter() - begun
        elapsed = time.perf_counter() - begun
        print(f"sweep of {len(names)} schemes, {particles} paths, {label}: {elapsed:7.1f} s, first points after {first:.1f} s")
    print("its parts, warm:")
    target = targets.build(of)
    for label, attribute in (("oracle", "field"), ("table", "fast_field"), ("facts", "facts")):
        begun = time.perf_counter()
        getattr(target, attribute)
        print(f"  {label:<28} {time.perf_counter() - begun:8.2f} s")
    grid = study.shared_paths(asked.steps)[0]
    batches = -(-particles // study.BATCH)
    start, _ = starts(target, jax.random.key(0), study.BATCH, 4.0, "exact")

    def merged(i):
        """The moments of path i over the steps of each point and of the reference."""
        fine = noise.path(jax.random.key(i), np.full(grid.steps, 4.0 / grid.steps), study.BATCH, 2)
        return {n: noise.merge(fine, grid.steps // n) for n in (grid.steps, grid.steps // 2, *asked.steps)}

    paths = merged(0)
    pieces = {"paths": merged}

    def run(name, steps):
        scheme, key = schemes.REGISTRY[name], jax.random.key(1)
        return simulate(scheme, target.fast_field, NONE, start, grid=uniform(4.0, steps), key=key, path=paths[steps]).x

    pieces["reference (all and half steps)"] = lambda i: [run("SO", n) for n in (grid.steps, grid.steps // 2)]
    for name in asked.schemes:
        pieces[f"{name}, all h"] = lambda i, name=name: [run(name, n) for n in asked.steps]
    for label, call in pieces.items():
        print(f"  {label:<28} {bench.seconds(call, 1) * batches:8.2f} s for {batches} batches")
    y = np.concatenate([run("SO", grid.steps)] * batches)[:particles]
    x = np.concatenate([run("EM", asked.steps[-1])] * batches)[:particles]
    case = Case(target, schemes.REGISTRY["EM"], NONE, uniform(4.0, asked.steps[-1]), "exact")
    for name in ("projected", "coupled", "gelbrich", "plugin"):
        elapsed = bench.seconds(lambda i, name=name: measure.REGISTRY[name].estimate(case, Pairs(x, y)), 1)
        print(f"  {name + ', one row':<28} {elapsed:8.2f} s")


if __name__ == "__main__":
    quick = bench.parser(__doc__, "the Gaussian alone, one repeat, a sweep of EM on 512 paths down to h = 1/4").parse_args().quick
    print(f"{jax.devices()[0].platform}, jax {jax.__version__}, diffrax {diffrax.__version__}, {bench.load()}")
    print(f"n = {N}, {STEPS} steps, T = {T:g}")
    sampling(1 if quick else 5, {"gaussian": GAUSSIAN} if quick else TARGETS, quick)
    sweep(*(GAUSSIAN, 512, 2, ["EM"]) if quick else (LOGISTIC, 4096, 7, list(schemes.REGISTRY)))
