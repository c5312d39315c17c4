"""Exact laws of a product target: warm time of the schemes, time of a first-ever compile, accuracy.

    python tests/benchmarks/bench_laws.py [--quick]

Everything in one run, T = 4, h = 1/2 .. 1/128. CPU seconds are those of all threads: on a busy machine they say more
than the clock. No test reads these numbers.
"""

import json
import time

import bench
import jax
import numpy as np

from dlab import errors, schemes, targets
from dlab.grid import uniform
from dlab.measure import Case, exact

SKEW = {"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0, "angle": 30.0}
GROUPS = ("EM", "EI", "SO"), ("REM", "REI")
REFERENCE = bench.TESTS.parents[1] / "shared" / "reference" / "exact_laws.json"
T = 4.0


def law(target, name, h):
    return exact.estimate(Case(target, schemes.REGISTRY[name], errors.NONE, uniform(T, round(T / h)), "exact"))


def report(label, call):
    """Print and return the clock's and the CPU's seconds of call()."""
    begun = time.perf_counter(), time.process_time()
    call()
    clock, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    print(f"{label:<44} {clock:7.2f} s {cpu:7.2f} s CPU")
    return clock, cpu


def accuracy():
    """Largest relative deviation from the reference file's product rows, and largest change that a law states."""
    if not REFERENCE.exists():
        print("reference file: not beside this checkout, accuracy not measured")
        return
    case = json.loads(REFERENCE.read_text())["cases"][0]
    target, deviations, changes = targets.build(case["target"]), [], []
    for row in case["rows"] + case["per_coordinate_rows"]:
        want = row["w2"] if "w2" in row else np.sqrt(2) * row["w2_one_coordinate"]
        found = law(target, row["scheme"], row["h"])
        deviations.append(abs(found.value / want - 1))
        changes.append(found.grid_change)
    print(f"reference file, {len(changes)} rows: largest deviation {max(deviations):.1e}, grid_change {max(changes):.1e}")


def main(quick):
    target = targets.build(SKEW)
    report("target and its facts", lambda: target.facts)
    names = ("EM",) if quick else sum(GROUPS, ())
    first = {name: report(f"{name}, first law, h = 1/2", lambda name=name: law(target, name, 0.5)) for name in names}
    again = {name: report(f"{name}, again", lambda name=name: law(target, name, 0.5)) for name in first}
    bench.ratio("EM: seconds of the first law, with its compile, over another", first["EM"][0], again["EM"][0])
    if quick:
        return
    for group in (GROUPS[0], sum(GROUPS, ())):
        clock, cpu = (sum(first[n][i] - again[n][i] for n in group) for i in range(2))
        print(f"compile {' + '.join(group)}: {clock:.2f} s {cpu:.2f} s CPU (goal < {15 if group is GROUPS[0] else 30} s)")
    steps = [2.0**-k for k in range(1, 8)]
    for group, goal in zip(GROUPS, (2, 10)):
        for when in ("new grids", f"warm, goal <= {goal} s"):
            report(f"{' + '.join(group)}, {when}", lambda group=group: [law(target, n, h) for n in group for h in steps])
    changes = {n: [law(target, n, h).grid_change for h in steps] for n in first}
    print("largest grid_change on skew:", ", ".join(f"{n} {max(v):.1e}" for n, v in changes.items()))
    accuracy()


if __name__ == "__main__":
    quick = bench.parser(__doc__, "EM at h = 1/2 alone").parse_args().quick
    jax.config.update("jax_enable_compilation_cache", False)
    print(f"{jax.devices()[0].platform}, jax {jax.__version__}, {bench.load()}")
    main(quick)
