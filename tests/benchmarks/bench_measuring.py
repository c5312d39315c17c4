"""The measuring engine: times, the projected estimate against exact laws, where it ends, what the control variate gains.

    python tests/benchmarks/bench_measuring.py [--quick]

Prints what it measures in one run and fails on nothing.
"""

import itertools
import json
import time
from dataclasses import replace

import bench
import numpy as np

from dlab import engine, schemes
from dlab.study import Study, run, stream
from dlab.study.run import clouds

SKEW = {"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0, "angle": 30.0}
CORNERS = [[-0.6, -0.6], [-0.6, 0.6], [0.6, -0.6], [0.6, 0.6]]
TARGETS = {
    "product mixture": {"name": "mixture", "weights": [0.25] * 4, "means": CORNERS, "var": 0.64},
    "skew": SKEW,
    "Gaussian": {"name": "gaussian", "mean": [0.8, -0.5], "cov": [[0.7, 0.3], [0.3, 1.2]]},
}


def logistic() -> dict:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 2)) * [1.5, 1.0]
    y = np.where(x @ [1.0, -0.5] + 0.3 * rng.standard_normal(40) > 0, 1, -1)
    return {"name": "logistic", "x": x.tolist(), "y": y.tolist(), "lam": 0.5}


def study(target, **more) -> Study:
    return Study.from_json({"target": target, "T": 4.0, **more})


def sweep(title: str, target: dict, paths: int, finest: int, names: tuple[str, ...]) -> None:
    print(f"\n{', '.join(names)}, {title}, h = 1/2 ... 1/{2**finest}, {paths} paths")
    asked = study(target, schemes=names, h=[2.0**-k for k in range(1, finest + 1)], particles=paths, estimator="projected")
    _ = asked.built.facts
    run(Study.from_json({**asked.to_json(), "particles": 64, "h": [0.5]}))  # compiled
    begin, seen, result = time.perf_counter(), [], None
    for result in stream(asked):
        if result.rows:
            seen.append((time.perf_counter() - begin, {(r.scheme, r.steps): r.w2 for r in result.rows}))
    final = {(r.scheme, r.steps): r for r in result.rows}
    print(f"  first point {seen[0][0]:.2f} s, whole curve {seen[-1][0]:.1f} s")
    for at in (1, 2, 5, 10, 15):
        known = [rows for s, rows in seen if s <= at]
        if known and at < seen[-1][0]:
            off = [abs(w / final[k].w2 - 1) for k, w in known[-1].items() if final[k].resolved]
            print(f"  after {at:2} s: {len(known[-1])} points, off by {np.median(off):.0%} (median), {max(off):.0%} (worst)")
    data = result.to_json()
    for name in asked.schemes:
        mine = sorted((r for r in result.rows if r.scheme == name), key=lambda r: -r.h)
        local = [np.log2(a.w2 / b.w2) for a, b in itertools.pairwise(mine) if a.resolved and b.resolved]
        fit = next(f for f in data["fits"] if f["scheme"] == name)
        slope = "none" if fit["slope"] is None else f"{fit['slope']:.2f} [{fit['slope_low']:.2f}, {fit['slope_high']:.2f}]"
        print(f"  {name:4} slope {slope}  local", np.round(local, 2))
    engine.CACHE.keep("bench.json", json.dumps(data).encode(), ["dlab.study.run"])
    engine.CACHE.forget()
    begin = time.perf_counter()
    json.loads(engine.CACHE.load("bench.json"))
    kept = time.perf_counter() - begin
    print(f"  from the cache {kept:.4f} s")
    bench.ratio("  seconds of the run over those of its kept result", seen[-1][0], kept)


def accuracy(paths: int, targets: dict, finest: int, names: tuple[str, ...]) -> None:
    print(f"\nprojected against the exact law, {paths} paths: (value / exact - 1), in brackets in standard errors")
    for title, target in targets.items():
        asked = {"schemes": names, "h": [2.0**-k for k in range(finest + 1)], "particles": paths}
        begin = time.perf_counter()
        found = run(study(target, **asked, estimator="projected"))
        took = time.perf_counter() - begin
        law = {(r.scheme, r.h): r for r in run(study(target, **asked)).rows}
        print(f"  {title} ({took:.0f} s)   h = 1, 1/2, ... 1/{2**finest}")
        for name in names:
            rows = sorted((r for r in found.rows if r.scheme == name), key=lambda r: -r.h)
            said = [
                f"{r.w2 / law[name, r.h].w2 - 1:+.1%} ({(r.w2 - law[name, r.h].w2) / r.stderr:+.1f}; se {r.stderr / r.w2:.1%}"
                f"{'' if r.resolved else '; hollow'})"
                for r in rows
            ]
            print(f"    {name:4}", "  ".join(said))


def limits(paths: int) -> None:
    print("\nwhere the projected estimate ends: EM and SO at h = 1/4 against the exact law")
    for apart in (0.5, 1.0, 1.5, 2.0, 2.5):
        target = {"name": "mixture", "weights": [0.3, 0.7], "means": [[-apart, 0.0], [apart, 0.0]], "var": 0.4}
        report(f"modes {2 * apart / 0.4**0.5:.1f} standard deviations apart", target, paths)
    for level in (0.1, 0.3, 1.0):
        report(f"constant score error {level}", SKEW, paths, score_error={"name": "constant", "level": level, "angle": 30.0})


def report(title, target, paths, **more) -> None:
    asked = {"schemes": ["EM", "SO"], "h": [0.25], "particles": paths, **more}
    pairs = zip(run(study(target, **asked, estimator="projected")).rows, run(study(target, **asked)).rows)
    said = [f"{a.scheme} {a.w2 / b.w2 - 1:+.1%} (W2 {b.w2:.3g}; {'; '.join(a.flags) or 'no flag'})" for a, b in pairs]
    print(f"  {title}:", "  ".join(said))


def control(paths: int) -> None:
    print(f"\nthe control variate: standard errors on the same {paths} particles, skew")
    for name in ("REM", "REI"):
        asked = study(SKEW, schemes=[name], h=[1 / 2, 1 / 4, 1 / 8, 1 / 16], particles=paths, estimator="projected")
        for (_, steps), pairs in clouds(asked).items():
            case, way = asked.case(name, steps), asked.estimator_for(name)
            plain, found = (way.quick(case, p) for p in (replace(pairs, fluctuation=None), pairs))
            print(
                f"  {name} h = 1/{steps // 4}: {plain.value:.5f} ± {plain.stderr:.5f} without, "
                f"{found.value:.5f} ± {found.stderr:.5f} with: {(plain.stderr / found.stderr) ** 2:.0f} times the paths"
            )


def main() -> None:
    quick = bench.parser(__doc__, "EM alone, 512 paths on a target each, h down to 1/4, no limits").parse_args().quick
    print(bench.load())
    if quick:
        sweep("Gaussian", TARGETS["Gaussian"], 512, 2, ("EM",))
        accuracy(512, {"Gaussian": TARGETS["Gaussian"]}, 2, ("EM",))
        return
    engine.keep_compiled()
    sweep("logistic posterior, 40 points", logistic(), 4096, 7, tuple(schemes.REGISTRY))
    accuracy(4096, TARGETS, 5, tuple(schemes.REGISTRY))
    limits(4096)
    control(4096)


if __name__ == "__main__":
    main()
