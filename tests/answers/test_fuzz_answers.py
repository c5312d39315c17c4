"""Every answer on every kind of target, scheme and score error, and on studies changed at random, ends in strict JSON or in one
sentence, soon, and in little memory."""

import copy
import io
import itertools
import json
import random
import runpy
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW, long

from dlab import answers, engine, targets
from dlab.cache import dumps
from dlab.params import BadInput
from dlab.study import Study

UNPAIRED = {"name": "images", "data": "digits", "count": 10, "width": 0.5}
TABLE = ([1.0, 0.5, -0.3], [-1.0, 0.2, 0.4], [0.3, -1.1, 0.8], [0.1, 0.9, -0.2])
TARGETS = {
    **{name: entry.example for name, entry in targets.REGISTRY.items()},
    "gaussian": GAUSSIAN, "skew": SKEW, "logistic": LOGISTIC, "images": UNPAIRED,
    "kink at 0": {"name": "kink", "c": 1.0, "delta": 0.0, "lam": 0.5},
    "three features": {"name": "logistic", "x": TABLE, "y": [1, -1, 1, -1], "lam": 1.0, "atoms": 64},
    "atoms": {**LOGISTIC, "score": "kernel", "atoms": 64},
    "line": {"name": "mixture", "weights": [0.5, 0.5], "means": [[-1.0], [1.0]], "var": 0.4},
    "space": {
        "name": "mixture", "weights": [0.5, 0.5], "means": [[-1, 0, 0], [1, 0, 0]],
        "var": [[[1, 0, 0], [0, 1, 0], [0, 0, 0.5]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]],
    },
    "unequal": {"name": "mixture", "weights": [0.4, 0.6], "means": [[0, 0], [1, 1]], "var": [[[1, 0], [0, 1]], [[0.2, 0.1], [0.1, 0.4]]]},
}  # fmt: skip
LEARNED = {"name": "learned", "samples": 16, "width": 4, "depth": 1, "updates": 10}
ERRORS = ({"name": "none"}, {"name": "constant", "level": 0.2}, {"name": "noise", "level": 0.2}, LEARNED)
SCHEMES = ("EM", "REM", "SO")
ARGUMENTS = {"condition": 10.0, "steps": 2, "count": 2, "t": 0.5, "g": 3.0}
TRAINED = "network_levels"  # minutes, and nothing of a study but its seed enters
LONGEST, MEMORY = 60.0, 2.0  # seconds of the processor, GiB


def study(target, scheme, error):
    """A study file of two steps and few particles."""
    more = {"growth": 2.0, "estimator": "frechet"} if target["name"] == "images" and error["name"] != "noise" else {}
    return {
        "target": target, "schemes": [scheme], "h": [1.0], "T": 2.0, "particles": 64, "score_error": error, **more,
    }  # fmt: skip


def ends_well(data, name) -> str:
    """How the answer ends for a study file; fails unless in strict JSON that is no null, or soon in one sentence."""
    peak, begun = Path("/proc/self/clear_refs"), time.process_time()
    if peak.exists():
        peak.write_text("5")  # the peak is counted from here
    before = _peak()
    try:
        given, answer = Study.from_json(data), answers.find(name)
        which = [given.schemes[0] if a == "scheme" else ARGUMENTS[a] for a in answer.arguments]
        *_, found = answer.stream(given, *which)
        assert json.loads(dumps(found)) is not None
        end = "JSON"
    except BadInput as error:
        end = str(error)
        assert "\n" not in end, end
    assert time.process_time() - begun < LONGEST
    assert _peak() - before < MEMORY
    return end


def _peak() -> float:
    status = Path("/proc/self/status")
    line = next((v for v in status.read_text().splitlines() if v.startswith("VmHWM")), "VmHWM: 0") if status.exists() else "VmHWM: 0"
    return int(line.split()[1]) / 2**20


CASES = Path(__file__).parents[1] / "data" / "cases"
REFUSED = [
    ("make01_readings_SO.json", "readings", (), "SO"), ("make02_law_null.json", "law", ("EM", 2), "d = 3"),
    ("make04_images_signs_onestep.json", "signs", (), "images"), ("make04_images_signs_onestep.json", "onestep", (), "images"),
]  # fmt: skip


@pytest.mark.parametrize("file, name, which, word", REFUSED)
def test_an_answer_that_there_is_not_is_refused_before_any_work(file, name, which, word):
    with pytest.raises(BadInput, match=word):
        answers.find(name).check(Study.from_json((CASES / file).read_text()), *which)


def test_six_dimensions_of_one_step_and_six_hundred_of_a_gaussian_take_little_memory():
    six = Study.from_json((CASES / "mem01_onestep_six_dimensions.json").read_text())
    assert answers.find("onestep").check(six) < 0.5 * 2**30
    with redirect_stdout(io.StringIO()) as printed:
        runpy.run_path(CASES / "mem03_gaussian_600_SO.py")
    assert Study.from_json(printed.getvalue()).memory < 2**30


FEW = [("law", "space"), ("law", "images"), ("one_step", "images"), ("drift_sign", "images"), ("readings", "logistic"), ("modes", "skew"),
       ("recursion", "unequal"), ("first_coordinate", "gaussian"), ("image_grid", "line"), ("error_field", "atoms")]  # fmt: skip


@pytest.mark.parametrize("name, target", [
    *FEW, *(long(*case) for case in itertools.product([n for n in answers.REGISTRY if n != TRAINED], TARGETS) if case not in FEW),
])  # fmt: skip
def test_every_answer_ends_in_json_or_a_sentence(name, target, request):
    whole = request.node.get_closest_marker("long")
    for scheme, error in itertools.product(SCHEMES, ERRORS) if whole else [("SO", ERRORS[0])]:
        if name in ("readings", "adaptive") and whole and (scheme, error) != ("EM", ERRORS[0]):
            continue  # ten thousand atoms; none of these enters
        try:
            ends_well(study(TARGETS[target], scheme, error), name)
        except Exception as why:
            raise AssertionError(f"{name} on {target}, {scheme}, {error}") from why
        engine.forget_compiled()


ODD = (None, True, 0, -1, 1, 0.1, 1e-9, 1e9, 1e308, "", "x", [], {}, [[]], [1, 2], float("nan"), "1_0")


def mutated(rng) -> dict:
    """A study file with up to three of its places changed: another value, a missing one, a copy of another's."""
    target = copy.deepcopy(rng.choice(list(TARGETS.values())))
    found = copy.deepcopy(study(target, rng.choice(SCHEMES), rng.choice(ERRORS[:3])))  # a network takes long to compile
    for _ in range(rng.randrange(4)):
        places = list(_places(found))
        where, key = rng.choice(places)
        kind = rng.randrange(4)
        if kind == 0 and isinstance(where[key], (int, float)):
            where[key] = where[key] * rng.choice((-1, 0.01, 0.5, 3, 100))
        elif kind == 1 and isinstance(where, dict):
            del where[key]
        elif kind == 2:
            other, at = rng.choice(places)
            where[key] = copy.deepcopy(other.get(at) if isinstance(other, dict) else other[at % max(len(other), 1)])
        else:
            where[key] = rng.choice(ODD)
    return found


def _places(value):
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)) and value[key]:
            yield from _places(value[key])


@pytest.mark.parametrize("seed", [*range(10), *(long(s) for s in range(10, 400))])
def test_no_study_breaks_an_answer(seed):
    """A study in ten is legal; a seed tries as many as it takes for one that is not refused at the door, twenty at most."""
    rng = random.Random(seed)
    for _ in range(20):
        data, name = mutated(rng), rng.choice([n for n in answers.REGISTRY if n not in ("readings", "training", "adaptive", TRAINED)])
        try:
            Study.from_json(copy.deepcopy(data))
        except BadInput:
            continue
        try:
            ends_well(data, name)
        except Exception as why:
            raise AssertionError(f"{name}: {data}") from why
        break
