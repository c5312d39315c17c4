"""Moving a slider compiles nothing: h, T, levels and the target's parameters are traced values."""

import contextlib
import logging
import math
from pathlib import Path

import jax
import pytest

from dlab import engine, targets
from dlab.study import Study, run


@contextlib.contextmanager
def compilations():
    """The names of what XLA compiles inside the block."""
    names = []

    class Catch(logging.Handler):
        def emit(self, record):
            message = record.getMessage()
            if message.startswith("Finished XLA compilation of"):
                names.append(message.split(" of ", 1)[1].split(" in ", 1)[0])

    handler, logger = Catch(), logging.getLogger("jax._src.dispatch")
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        with jax.log_compiles():
            yield names
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def solve(target, **changes):
    values = {"h": [0.5, 0.25], "T": 2.0, "schemes": ["EM", "REI", "SO"], "particles": 512, **changes}
    return run(Study.from_json({"target": target, **values}))


def gaussian(cov=0.5, mean=0.0):
    return {"name": "gaussian", "mean": [mean, 0.0], "cov": [[1.0, 0.1], [0.1, cov]]}


def test_the_counter_counts():
    for _ in range(2):  # the second time from the cache on disk that all tests share: still counted
        with compilations() as names:
            jax.jit(lambda x: x * 3.25 + 1)(2.0)
        assert names


def test_on_the_exact_route_no_slider_compiles():
    solve(gaussian(), score_error={"name": "constant", "level": 0.1})
    with compilations() as names:
        solve(gaussian(0.7, 0.3), h=[0.3, 0.1, 0.05], T=3.0, score_error={"name": "constant", "level": 0.3, "angle": 20})
        solve(gaussian(0.4), start="paper", score_error={"name": "constant", "level": 0.0, "hessian_level": 0.2}, seed=4)
    assert names == []


def test_on_the_projected_route_no_slider_compiles():
    common = {"estimator": "projected", "schemes": ["EM", "REI", "SO"]}
    solve(gaussian(), score_error={"name": "field", "level": 0.1}, **common)
    with compilations() as names:
        solve(gaussian(0.7, 0.3), h=[0.2, 0.1], T=2.0, score_error={"name": "field", "level": 0.3, "seed": 2}, particles=704, **common)
        solve(gaussian(), h=[0.5], T=3.0, start="paper", score_error={"name": "field", "level": 0.2}, seed=3, **common)
    assert names == []


@pytest.mark.parametrize("name, first, second", [
    ("skew", {}, {"lam": 0.4, "c": 3.5, "k": 1.25, "angle": 70.0}),
    ("logistic", {"rows": 40}, {"rows": 40, "spread": 1.5, "lam": 2.1, "data": 7}),
    ("mixture", {}, {"sep": 2.0, "var": 1.1, "w": 0.6, "angle": 50.0}),
])  # fmt: skip
def test_another_target_of_the_same_kind_and_size_compiles_nothing(name, first, second):
    """Target, facts, table, start points, reference and schemes."""
    entry = targets.REGISTRY[name]
    spec = lambda turned: entry.from_knobs({**{k.name: k.default for k in entry.knobs}, **turned})  # noqa: E731
    solve(spec(first), schemes=["EM"], h=[0.5])
    with compilations() as names:
        solve(spec(second), schemes=["EM"], h=[0.25], T=3.0)
    assert names == []


def test_a_process_that_runs_out_of_memory_maps_forgets_what_it_compiled():
    double = jax.jit(lambda x: 2 * x)
    assert double(3) == 6
    assert not engine.forget_compiled(share=1, size=math.inf)
    assert double._cache_size() == 1
    assert engine.forget_compiled(share=0) == Path("/proc/self/maps").exists()
    assert double._cache_size() == 0 or not Path("/proc/self/maps").exists()
    assert double(3) == 6
