"""What a study says that it takes of memory: beside what the compiler sets aside, and beside what a process of its own took."""

import json
import subprocess
import sys

import numpy as np
import pytest
from cases import memory as set_aside

from dlab.answers import find
from dlab.params import BadInput
from dlab.study import Study, memory, run

RUN = """
import json, resource, sys
import jax.numpy as jnp
from dlab import answers, study
jnp.zeros(3).block_until_ready()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
idle, asked = peak(), study.Study.from_json(sys.stdin.read())
study.run(asked)
print(asked.memory, 1024 * (peak() - idle))
"""


def diagonal(d):
    return {"name": "gaussian", "mean": [0] * d, "cov": np.diag(np.resize([2, 0.5], d)).tolist()}


def mixture(d, **more):
    target = {"name": "mixture", "weights": [0.5, 0.5], "means": [[0] * d, [1] + [0] * (d - 1)], "var": 0.5}
    return {"target": target, "h": [1.0], "T": 1.0, **more}


@pytest.mark.parametrize("d, name", [(12, "SO"), (30, "EM")])
def test_a_step_takes_what_the_compiler_sets_aside(d, name):
    study = Study.from_json(mixture(d, schemes=[name]))
    told = 8 * 1024 * (study.built.words + (name == "SO") * memory.MATRICES * d**2)
    assert 1 / 1.5 < told / set_aside(name, study.built, np.zeros((1024, d))) < 1.5


@pytest.mark.long
@pytest.mark.parametrize("asked", [
    {"target": diagonal(8), "schemes": ["EM"], "steps": [512], "T": 1, "particles": 2048, "estimator": "coupled"},
    mixture(2, schemes=["EM"], particles=65536, estimator="projected"),
    {"target": diagonal(300), "schemes": ["REM"], "h": [0.5], "T": 1},
    {"target": diagonal(400), "schemes": ["SO"], "h": [1 / 128], "T": 1},
    mixture(24, schemes=["EM", "SO"], particles=16384, estimator="projected"),
])  # fmt: skip
def test_a_run_takes_what_was_told(asked):
    done = subprocess.run([sys.executable, "-c", RUN], input=json.dumps(asked), capture_output=True, text=True, check=True)
    told, taken = map(float, done.stdout.split())
    assert 1 / 1.5 < told / taken < 1.5


def test_what_takes_more_than_the_limit_is_refused_in_one_sentence(monkeypatch):
    wide = mixture(500, schemes=["SO"], estimator="coupled")
    with pytest.raises(BadInput, match=r"about \S+ GiB of memory and the limit is 2 GiB; give a target with fewer dimensions, or raise"):
        Study.from_json(wide)
    monkeypatch.setenv("DLAB_MEMORY", "64")
    assert Study.from_json(wide).memory > 2 * memory.GIB
    monkeypatch.setenv("DLAB_MEMORY", "0.1")
    with pytest.raises(BadInput, match=r"limit is 0\.1 GiB"):
        Study.from_json(mixture(2))
    monkeypatch.setenv("DLAB_MEMORY", "much")
    with pytest.raises(BadInput, match="DLAB_MEMORY = 'much'"):
        Study.from_json(mixture(2))


def test_an_accuracy_takes_no_more_paths_than_the_memory_has_room_for(monkeypatch):
    asked = {"target": diagonal(64), "schemes": ["REM"], "steps": [2], "T": 1, "particles": 1024, "estimator": "coupled", "accuracy": 1e-4}
    study = Study.from_json(asked)
    paths = memory.of_study(study, 1024)["lower particles"]
    monkeypatch.setenv("DLAB_MEMORY", str((study.memory + 1.5 * paths) / memory.GIB))
    assert memory.most_batches(study, 1024) == 2
    (row,) = run(study).rows
    assert row.particles == 2048


def test_gaussians_of_hundreds_of_dimensions_are_affordable():
    study = {"schemes": ["SO"], "h": [1.0], "T": 2.0}
    assert Study.from_json({"target": diagonal(600), **study}).memory < memory.GIB
    assert find("one_step").check(Study.from_json({"target": diagonal(400), **study})) < 2 * memory.GIB


@pytest.mark.parametrize("name, which", [("met", ("EM", 4096)), ("grid", (4096, 36))])
def test_an_answer_that_keeps_all_iterates_says_so(name, which):
    target = {"name": "images", "data": "digits", "count": 10} if name == "grid" else diagonal(64)
    study = Study.from_json({"target": target, "schemes": ["EM"], "h": [1.0], "T": 1.0})
    short = find(name).memory(study, *([which[0], 1] if name == "met" else [1, which[1]]))
    assert find(name).memory(study, *which) > short + 8 * 4000 * study.built.dim * (2048 if name == "met" else 36)
    if name == "met":
        with pytest.raises(BadInput, match="The answer error_levels would take"):
            next(find(name).stream(study, *which))
