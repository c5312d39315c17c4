"""What more workers bring: a study here, on one worker and on two; what a unit costs its scheduler; where that ends.

    python tests/benchmarks/bench_scaling.py [--quick]

The study is five schemes at seven step sizes with 4096 paths, on a logistic posterior of 40 observations. Each run is a shell of its
own, cold with an empty cache folder and warm with the compiled programs alone; the seconds of a shell that has nothing to do are told
beside. Beyond the machine's cores the time is simulated: units of the seconds measured here go to W workers through a scheduler that
is busy with each for as long as a unit that does nothing takes. No test reads these numbers.
"""

import heapq
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench

from dlab import engine, targets
from dlab.engine.journal import CACHE as UNITS
from dlab.engine.pool import DEPTH
from dlab.study import Study, run
from dlab.study.place import Here

KNOBS = {knob.name: knob.default for knob in targets.REGISTRY["logistic"].knobs}
WHOLE = {"target": targets.REGISTRY["logistic"].from_knobs({**KNOBS, "rows": 40}), "schemes": ["EM", "EI", "REM", "REI", "SO"],
         "h": [2.0**-k for k in range(1, 8)], "T": 4.0, "particles": 4096}  # fmt: skip
SMALL = {**WHOLE, "schemes": ["EM", "SO"], "h": [0.5, 0.25], "particles": 2048}
NOTHING = {"target": {"name": "gaussian", "mean": [0.0], "cov": [[1.0]]}, "schemes": ["EM"], "h": [0.5]}
STUDIES = 100  # of a grid of studies in the simulation


def shell(study, cache, *typed) -> float:
    """Seconds of `python -m dlab run` on a study file, with a cache folder of its own."""
    env = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    env |= {"DLAB_CACHE": str(cache), "PYTHONPATH": os.pathsep.join([str(bench.TESTS.parent), os.environ.get("PYTHONPATH", "")])}
    cache.mkdir(exist_ok=True)
    (cache / "study.json").write_text(json.dumps(study))
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dlab", "run", str(cache / "study.json"), "--json", *typed], env=env, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    return time.perf_counter() - begun


def forget_numbers(cache) -> None:
    """Leave of a cache folder what is compiled."""
    for part in (UNITS.part, engine.CACHE.part):
        shutil.rmtree(cache / part, ignore_errors=True)


def measured(study, folder, counts) -> None:
    """The study in each place, cold and warm, against this process."""
    against = {}
    for count in counts:
        typed, name = (["--workers", str(count)], f"{count} worker{'s' * (count > 1)}") if count else ([], "here, 2 threads")
        cache = folder / f"cache-{count}"
        nothing = shell(NOTHING, folder / f"nothing-{count}", *typed)
        for label in ("cold", "warm"):
            elapsed = shell(study, cache, *typed)
            forget_numbers(cache)
            against.setdefault(label, elapsed)
            idle = f"({nothing:.1f} s where nothing is to be done)"
            print(f"{name:<16} {label}: {elapsed:7.1f} s {idle}  {against[label] / elapsed:.2f}x", flush=True)


def at_work(study, count) -> float:
    """Seconds of a study on so many workers that have run others like it, of other seeds, so that each has met every kind of unit and
    none of these is kept."""
    engine.start(workers=count)
    try:
        place = engine.places.place()
        for seed in range(3):
            begun = time.perf_counter()
            run(Study.from_json({**study, "seed": 10 * count + seed}), place=place)
        return time.perf_counter() - begun
    finally:
        engine.stop()


def nothing(study, tick):
    """A unit that does nothing."""


def overhead(count, units) -> float:
    """Seconds that a unit which does nothing takes on so many workers."""
    engine.start(workers=count)
    try:
        with engine.places.place().open(Study.from_json(NOTHING)) as work:
            for number in (count, units):  # the first ones find the workers as they start
                begun = time.perf_counter()
                futures = [work.submit(nothing) for _ in range(number)]
                for future in futures:
                    future.result()
            return (time.perf_counter() - begun) / units
    finally:
        engine.stop()


def unit_seconds(study) -> list[float]:
    """Seconds of each unit of a study, one after the other in this process, once they are compiled."""
    found = []

    def call(function, study, *args, tick):
        begun = time.perf_counter()
        try:
            return function(study, *args, tick=tick)
        finally:
            found.append((time.perf_counter() - begun, function.__name__))

    asked = Study.from_json(study)
    for _ in range(2):
        found.clear()
        run(asked, place=Here(call))
    return [seconds for seconds, _ in found]


def makespan(seconds, workers, overhead) -> float:
    """When the last of the units is done that go, in this order, to workers which hold DEPTH of them, through a scheduler that one unit
    keeps busy for `overhead`."""
    room = [(0.0, w) for _ in range(DEPTH) for w in range(workers)]
    free, scheduler = [0.0] * workers, 0.0
    for each in seconds:
        asked, w = heapq.heappop(room)
        scheduler = max(asked, scheduler) + overhead
        free[w] = max(scheduler, free[w]) + each
        heapq.heappush(room, (free[w], w))
    return max(free)


def simulated(seconds, cost, most) -> None:
    mean = statistics.fmean(seconds)
    print(f"units of the study: {len(seconds)}, {min(seconds):.3f} to {max(seconds):.2f} s, {mean:.2f} s on average")
    print(f"one scheduler has its hands full at {mean / cost:.0f} workers")
    print(f"simulated            {'one study':>12} {f'{STUDIES} studies':>14}")
    workers = 1
    while workers <= most:
        ratios = [sum(units) / makespan(units, workers, cost) for units in (seconds, seconds * STUDIES)]
        print(f"  {workers:>5} workers {ratios[0]:>15.1f}x {ratios[1]:>13.1f}x")
        workers *= 2


if __name__ == "__main__":
    quick = bench.parser(__doc__, "two schemes, two step sizes, here and on one worker").parse_args().quick
    study = SMALL if quick else WHOLE
    print(bench.load(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLAB_CACHE"] = folder
        measured(study, Path(folder), [0, 1] if quick else [0, 1, 2])
        against = None
        for count in (1,) if quick else (1, 2):
            elapsed = at_work(study, count)
            against = against or elapsed
            share = f"{elapsed / against:.2f} of one's"
            print(f"{count} worker{'s' * (count > 1)} that have run others like it: {elapsed:.1f} s  {share}", flush=True)
        costs = {count: overhead(count, 50 if quick else 400) for count in ((1,) if quick else (1, 2))}
        for count, cost in costs.items():
            print(f"a unit that does nothing, {count} worker{'s' * (count > 1)}: {cost * 1e3:.1f} ms", flush=True)
        simulated(unit_seconds(study), min(costs.values()), 64 if quick else 1024)
    print(bench.load())
