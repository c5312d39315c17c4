"""Random numbers go by name: no scheme's numbers depend on its place among the others."""

import dataclasses

import jax
import numpy as np
import pytest
from cases import SKEW

from dlab import noise, schemes
from dlab.answers import one_step, trajectory
from dlab.study import Study, run

STUDY = {"target": SKEW, "schemes": ["EM", "REM"], "h": [0.5], "T": 1.0, "particles": 256, "estimator": "projected"}


def ends(study):
    return {k: v for k, v in run(study).clouds.items() if "REM" in k}


def followed(study):
    return {t.scheme: t.states for t in trajectory.motion(study, study.schemes, 2, 64).tracks if t.scheme == "REM"}


def missed(study):
    return {r["h"]: (r["mean"], r["fluctuation"]) for r in one_step.one_step(study)["rows"] if r["scheme"] == "REM"}


@pytest.mark.parametrize("of", [ends, followed, missed])
def test_a_scheme_put_in_front_of_the_registry_and_of_the_study_leaves_the_others_numbers(of, monkeypatch):
    monkeypatch.setattr(one_step, "PATHS", 64)
    monkeypatch.setattr(one_step, "SIZES", (0.5,))
    before = of(Study.from_json(STUDY))
    first = dataclasses.replace(schemes.REGISTRY["REI"], name="FIRST")
    monkeypatch.setattr(schemes, "REGISTRY", {"FIRST": first, **schemes.REGISTRY})
    after = of(Study.from_json({**STUDY, "schemes": ["FIRST", "REM"]}))
    assert before.keys() == after.keys()
    for key in before:
        np.testing.assert_array_equal(before[key], after[key])


def test_a_stream_depends_on_all_of_its_names():
    key = jax.random.key(3)
    drawn = {
        names: int(jax.random.bits(noise.stream(key, *names))) for names in ((), ("a",), ("b",), ("a", "b"), ("b", "a"))
    }
    assert len(set(drawn.values())) == len(drawn)
    assert int(jax.random.bits(noise.stream(key, "a"))) == drawn["a",]
