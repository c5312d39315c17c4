"""What the benchmark scripts share. Importing it first lets each start as `python tests/benchmarks/bench_x.py` from any
folder of a fresh clone: the lab and the modules of the tests are found from where this file lies."""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TESTS.parent), str(TESTS), str(TESTS / "ui")]


def parser(doc: str, quick: str) -> argparse.ArgumentParser:
    """Options of a script with this docstring; `quick` says what --quick leaves out."""
    found = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--quick", action="store_true", help=f"seconds instead of minutes: {quick}")
    return found


def load() -> str:
    """How many cores there are and how busy they were in the last minute."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def seconds(call: Callable[[int], object], repeats: int = 1) -> float:
    """Median seconds of call(1) to call(repeats), after call(0), which compiles."""
    call(0)
    elapsed = []
    for i in range(1, repeats + 1):
        begun = time.perf_counter()
        call(i)
        elapsed.append(time.perf_counter() - begun)
    return statistics.median(elapsed)


def ratio(label: str, value: float, against: float) -> None:
    """Print how many times `against` the value is, as 1.23x."""
    print(f"{label}: {value / against:.3g}x", flush=True)
