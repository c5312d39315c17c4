"""Whatever is wrong in a study file or a CSV: BadInput, one sentence with the key, the value and what to give."""

import copy
import json
import re

import pytest

from dlab import params, targets
from dlab.params import BadInput
from dlab.study import Study

VALID = {
    "schema": 1,
    "target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.3], [0.3, 0.5]]},
    "schemes": ["EM", "SO"],
    "h": [0.5, 0.25],
    "T": 4.0,
    "start": "exact",
    "score_error": {"name": "none"},
    "estimator": "auto",
    "particles": 512,
    "accuracy": None,
    "budget": None,
    "seed": 0,
}


def with_(**changes):
    study = copy.deepcopy(VALID)
    study.update(changes)
    return study


def without(key):
    return {k: v for k, v in VALID.items() if k != key}


def gaussian(**changes):
    return with_(target={**VALID["target"], **changes})


def mixture(**changes):
    base = {"name": "mixture", "weights": [0.4, 0.6], "means": [[0, 0], [1, 1]], "var": 0.5}
    return with_(target={**base, **changes})


def logit(**changes):
    return with_(target={"name": "logistic", "x": [[4, 0], [1, 4]], "y": [1, -1], "lam": 0.8, **changes})


def skew(**changes):
    return with_(target={"name": "skew", "lam": 0.8, "c": 1.0, "k": 2.0, **changes})


def error(**spec):
    return with_(score_error=spec)


def hessian(target=VALID["target"], estimator="auto", **spec):
    wrong = {"name": "none", "hessian": spec}
    return {"target": target, "schemes": ["SO"], "h": [0.5], "estimator": estimator, "score_error": wrong}


def vary(axis, values, target=VALID["target"], **more):
    return {"target": target, "T": 2.0, "vary": {"axis": axis, "values": values}, **more}


def sampled(**changes):
    short = {"name": "logistic", "features": 6, "rows": 30, "spread": 3, "data": 4, "lam": 2}
    return with_(target={**short, **changes})


def images(**changes):
    return {"target": {"name": "images", "count": 40, "width": 0.3, **changes}}


SKEW, LINES = skew(angle=30)["target"], {"name": "spectrum", "dim": 5, "low": 0.3, "high": 1.2}


NAN, INF = float("nan"), float("inf")
BAD = {  # the study, and what its sentence must contain
    "not an object": ([1, 2], ["study", "[1, 2]", "object"]),
    "a number": (3, ["study", "3"]),
    "None": (None, ["study", "None"]),
    "text that is no JSON": ("{'target': 1}", ["JSON"]),
    "empty text": ("", ["JSON"]),
    "unknown key": (with_(stepz=3), ["stepz", "steps"]),
    "unknown schema": (with_(schema=2), ["schema", "2", "1"]),
    "no target": (without("target"), ["target"]),
    "T/h not whole": (with_(h=[0.3]), ["h = 0.3", "T = 4", "0.307692"]),
    "h above T": (with_(h=[5.0]), ["h", "5"]),
    "h zero": (with_(h=[0]), ["h", "0"]),
    "h negative": (with_(h=[-0.5]), ["h", "-0.5"]),
    "h empty": (with_(h=[]), ["h", "[]", "list"]),
    "h a number": (with_(h=0.5), ["h", "0.5", "list"]),
    "h None": (with_(h=None), ["h", "None"]),
    "h text": (with_(h=["half"]), ["h", "'half'", "number"]),
    "h nested": (with_(h=[[0.5]]), ["h", "[0.5]"]),
    "h NaN": (with_(h=[NAN]), ["h", "nan"]),
    "h tiny": (with_(h=[1e-9]), ["h", "1e-09", "4096"]),
    "h twice": (json.dumps(VALID).replace('"h":', '"h": [1.0], "h":'), ["'h'", "twice", "[1.0]", "[0.5, 0.25]"]),
    "a key of the target twice": (json.dumps(logit()).replace('"lam":', '"lam": 2, "lam":'), ["'lam'", "twice", "2", "0.8"]),
    "h and steps": ({**VALID, "steps": [8]}, ["h", "steps", "one"]),
    "too many h": (with_(h=[4 / n for n in range(1, 30)]), ["h", "29", "24"]),
    "steps not whole": ({**without("h"), "steps": [8.5]}, ["steps", "8.5", "whole"]),
    "steps zero": ({**without("h"), "steps": [0]}, ["steps", "0"]),
    "steps a bool": ({**without("h"), "steps": [True]}, ["steps", "True"]),
    "steps too many": ({**without("h"), "steps": [10**6]}, ["steps", "1000000", "4096"]),
    "steps huge": ({**without("h"), "steps": [10**400]}, ["steps"]),
    "T zero": (with_(T=0), ["T", "0", "50"]),
    "T infinite": (with_(T=INF), ["T", "inf"]),
    "T too long": (with_(T=100.0), ["T", "100", "50"]),
    "T text": (with_(T="four"), ["T", "'four'"]),
    "T text of a number": (with_(T="4"), ["T", "'4'"]),
    "T a list": (with_(T=[4]), ["T", "[4]"]),
    "T None": (with_(T=None), ["T", "None"]),
    "T a bool": (with_(T=True), ["T", "True"]),
    "unknown scheme": (with_(schemes=["EN"]), ["schemes", "EN", "EM"]),
    "no schemes": (with_(schemes=[]), ["schemes", "EM"]),
    "schemes text": (with_(schemes="EM"), ["schemes", "EM"]),
    "schemes numbers": (with_(schemes=[1]), ["schemes", "1"]),
    "schemes nested": (with_(schemes=[["EM"]]), ["schemes"]),
    "schemes an object": (with_(schemes={"EM": 1}), ["schemes"]),
    "unknown start": (with_(start="cold"), ["start", "cold", "paper"]),
    "start a list": (with_(start=["exact"]), ["start"]),
    "unknown estimator": (with_(estimator="guess"), ["estimator", "guess", "projected"]),
    "estimator that does not apply": ({**logit(), "estimator": "exact"}, ["estimator", "exact", "Gaussian"]),
    "particles 10^9": (with_(particles=10**9), ["particles", "1000000000", "65536"]),
    "particles few": (with_(particles=1), ["particles", "1", "16"]),
    "particles a fraction": (with_(particles=100.5), ["particles", "100.5", "whole"]),
    "particles text": (with_(particles="many"), ["particles", "many"]),
    "particles None": (with_(particles=None), ["particles", "None"]),
    "accuracy zero": (with_(accuracy=0), ["accuracy", "0"]),
    "accuracy false": (with_(accuracy=False), ["accuracy", "False"]),
    "accuracy NaN": (with_(accuracy=NAN), ["accuracy", "nan"]),
    "budget negative": (with_(budget=-5), ["budget", "-5"]),
    "budget too high": (with_(budget=10**13), ["budget", "10000000000000"]),
    "seed negative": (with_(seed=-1), ["seed", "-1"]),
    "seed huge": (with_(seed=2**40), ["seed", str(2**40)]),
    "seed a fraction": (with_(seed=0.5), ["seed", "0.5"]),
    "too much work": (with_(estimator="projected", particles=65536, h=[4 / 4096]), ["particle-steps", "limit"]),
    "target None": (with_(target=None), ["target", "None"]),
    "target a list": (with_(target=[]), ["target", "[]"]),
    "target without name": (with_(target={}), ["target", "name"]),
    "unknown target": (with_(target={"name": "gausian"}), ["target.name", "gausian", "gaussian"]),
    "target name None": (with_(target={"name": None}), ["target.name", "None"]),
    "target name a list": (with_(target={"name": ["gaussian"]}), ["target.name"]),
    "unknown target key": (gaussian(sigma=1), ["target", "sigma", "cov"]),
    "missing target key": (with_(target={"name": "gaussian", "mean": [0, 0]}), ["target", "cov"]),
    "indefinite covariance": (gaussian(cov=[[1, 2], [2, 1]]), ["target.cov", "definite", "-1"]),
    "singular covariance": (gaussian(cov=[[1, 1], [1, 1]]), ["target.cov", "definite"]),
    "asymmetric covariance": (gaussian(cov=[[1, 0.5], [0.4, 1]]), ["target.cov", "symmetric"]),
    "covariance of another size": (gaussian(cov=[[1.0]]), ["target.cov", "2 × 2"]),
    "covariance with text": (gaussian(cov=[[1, "a"], [0, 1]]), ["target.cov[0][1]", "'a'"]),
    "covariance with NaN": (gaussian(cov=[[1, NAN], [NAN, 1]]), ["target.cov[0][1]", "nan"]),
    "covariance a number": (gaussian(cov=1.0), ["target.cov", "1.0"]),
    "mean empty": (gaussian(mean=[]), ["target.mean", "[]"]),
    "mean infinite": (gaussian(mean=[0, INF]), ["target.mean[1]", "inf"]),
    "mean beyond floating point": (gaussian(mean=[1e200, 0]), ["target.mean", "1e+200"]),
    "mean with a bool": (gaussian(mean=[0, True]), ["target.mean[1]", "True"]),
    "weights that sum to 0.9": (mixture(weights=[0.4, 0.5]), ["target.weights", "0.9", "1"]),
    "negative weight": (mixture(weights=[-0.5, 1.5]), ["target.weights", "-0.5"]),
    "one mean too many": (mixture(means=[[0, 0], [1, 1], [2, 2]]), ["target.means", "2 × n"]),
    "ragged means": (mixture(means=[[0, 0], [1]]), ["target.means", "[1]"]),
    "variance zero": (mixture(var=0), ["target.var", "0"]),
    "variances of another count": (mixture(var=[[[1, 0], [0, 1]]]), ["target.var", "1", "2"]),
    "variances of another shape": (mixture(var=[1.0, 2.0]), ["target.var[0]", "1.0"]),
    "too many components": (mixture(weights=[0.01] * 100, means=[[0, 0]] * 100), ["100", "64"]),
    "labels 0 and 1": (logit(y=[0, 1]), ["target.y", "0", "-1"]),
    "labels of another length": (logit(y=[1]), ["target.y"]),
    "features with one column": (logit(x=[[1], [2]], y=[1, -1]), ["target.x", "2 to 50"]),
    "features of text": (logit(x=[["a", "b"], [1, 2]]), ["target.x[0][0]", "'a'"]),
    "features empty": (logit(x=[]), ["target.x", "[]"]),
    "features beyond floating point": (logit(x=[[1e200, 0], [1, 4]]), ["target.x", "1e+200"]),
    "penalty zero": (logit(lam=0), ["target.lam", "0"]),
    "penalty a list": (logit(lam=[1]), ["target.lam", "[1]"]),
    "curvature negative": (skew(lam=-1), ["target.lam", "-1"]),
    "skewness None": (skew(c=None), ["target.c", "None"]),
    "sharpness huge": (skew(k=1e9), ["target.k", "100"]),
    "error None": (with_(score_error=None), ["score_error", "None"]),
    "error without name": (with_(score_error={"level": 1}), ["score_error", "name"]),
    "unknown error": (error(name="konstant"), ["score_error.name", "konstant", "constant"]),
    "error without level": (error(name="constant"), ["score_error", "level"]),
    "error level negative": (error(name="constant", level=-0.1), ["score_error.level", "-0.1"]),
    "error level text": (error(name="noise", level="low"), ["score_error.level", "'low'"]),
    "error key of another model": (error(name="noise", level=0.1, angle=3), ["score_error", "angle"]),
    "error seed a fraction": (error(name="field", level=0.1, seed=1.5), ["score_error.seed", "1.5"]),
    "hessian level infinite": (error(name="none", hessian_level=INF), ["score_error.hessian_level", "inf"]),
    "field error in one dimension": (
        {**error(name="field", level=0.1), "target": {"name": "gaussian", "mean": [0], "cov": [[1]]}},
        ["field"],
    ),
    "kind of a Hessian unknown": (hessian(kind="rotten"), ["kind", "'rotten'", "stale"]),
    "Hessian without kind": (hessian(), ["lacks", "'kind'"]),
    "Hessian that is never renewed": (hessian(kind="stale", every=0), ["every", "0"]),
    "Hessian renewed by halves": (hessian(kind="stale", every=2.5), ["every", "whole"]),
    "Hessian with a key of another kind": (hessian(kind="diagonal", level=1), ["diagonal", "'level'"]),
    "Hessian turned round": (hessian(kind="relative", level=-2), ["level", "-2"]),
    "drift of a Hessian unknown": (hessian(kind="relative", drift="guessed"), ["drift", "'guessed'", "rebuilt"]),
    "Hessian a text": (error(name="none", hessian="stale"), ["'stale'", "object"]),
    "Hessian stale and drawn afresh": (error(name="noise", level=0.1, hessian={"kind": "stale", "every": 2}), ["afresh"]),
    "law of a stale Hessian": (hessian(SKEW, "exact", kind="stale"), ["stale"]),
    "law of a Hessian that couples": (hessian(SKEW, "exact", kind="diagonal"), ["couples"]),
    "density of a stale Hessian": (hessian(SKEW, "density", kind="stale"), ["remembers"]),
    "law of an error that couples": (
        {"target": LINES, "estimator": "exact", "score_error": {"name": "none", "hessian_level": 0.1}}, ["couples"],
    ),
    **{
        f"Hessian by products, {kind}": (hessian({"name": "images", "count": 20}, kind=kind), ["products with a vector"])
        for kind in ("low_rank", "relative", "stale", "diagonal")
    },
    "wells without a": (with_(target={"name": "wells"}), ["target", "'a'"]),
    "wells too deep": (with_(target={"name": "wells", "a": 50}), ["target.a", "50"]),
    "kink too sharp": (with_(target={"name": "kink", "c": 1, "delta": 0.001}), ["target.delta", "0.001", "0"]),
    "kink without a bend": (with_(target={"name": "kink", "c": 0, "delta": 1}), ["target.c", "0"]),
    "box of no size": (with_(target={"name": "box", "half": 0}), ["target.half", "0"]),
    "box with a key of another": (with_(target={"name": "box", "half": 1, "width": 2}), ["width", "half"]),
    "observations twice": (sampled(x=[[1, 2]], y=[1]), ["x, y", "features"]),
    "one feature": (sampled(features=1), ["target.features", "1", "2 to 50"]),
    "too many features": (sampled(features=51), ["target.features", "51"]),
    "score of no sampler": (sampled(score="exact"), ["target.score", "kernel, smooth, local, laplace"]),
    "atoms not even": (sampled(score="local", atoms=41), ["41", "even"]),
    "too many atoms": (sampled(atoms=10**9), ["target.atoms"]),
    "too many atoms for the features": (sampled(features=50, atoms=9000), ["9000", "50", "8000"]),
    "observations without spread": (sampled(spread=0), ["target.spread"]),
    "too many observations": (sampled(rows=2001), ["target.rows", "2000"]),
    "images nowhere": (images(data="nowhere"), ["nowhere"]),
    "images a number": (images(data=3), ["data", "3"]),
    "too many images": (images(count=5000), ["count"]),
    "images without width": (images(width=0), ["width"]),
    "images of no label": (images(labels=[11]), ["labels"]),
    "labels a number": (images(labels=3), ["labels"]),
    "images with a key of another": (images(colour=1), ["colour"]),
    "axis unknown": (vary("colour", [1]), ["vary.axis"]),
    "axis without values": ({"target": VALID["target"], "vary": {"axis": "T"}}, ["values"]),
    "axis with values of none": (vary("T", []), ["vary.values"]),
    "axis where T/h is not whole": (vary("T", [0.7]), ["T = 0.7"]),
    "axis with a key more": (with_(vary={"axis": "T", "values": [1], "more": 2}), ["more"]),
    "axis of a level without error": (vary("score_error.level", [0.1]), ["error"]),
    "axis of dimensions of a plane": (vary("d", [4]), ["spectrum"]),
    "axis of half dimensions": (vary("d", [1.5], LINES), ["vary.values"]),
    "axis of too few variances": (vary("d", [3], {"name": "spectrum", "values": [1, 0.5]}), ["d"]),
    "axis h beside h": (with_(vary={"axis": "h", "values": [0.5]}), ["h"]),
    "axis of too many values": (vary("T", list(range(1, 31))), ["limit"]),
    "axis that the target lacks": (vary("target.nothing", [1], {"name": "wells", "a": 1.0}), ["vary.axis", "target.a"]),
    "axis beyond its range": (vary("target.a", [1, 50], {"name": "wells", "a": 1.0}), ["vary.values", "50"]),
    "axis that is no number": (vary("target.name", [1], {"name": "wells", "a": 1.0}), ["vary.axis", "target.name"]),
    "learned from one sample": (error(name="learned", samples=1), ["score_error.samples", "1", "2"]),
    "learned with half a neuron": (error(name="learned", width=2.5), ["score_error.width", "2.5", "whole"]),
    "learned by no method": (error(name="learned", method="noise"), ["score_error.method", "'noise'", "denoising, sliced"]),
    "learned with a key mistyped": (error(name="learned", updats=10), ["score_error", "'updats'", "'updates'"]),
    "learned with a level": (error(name="learned", level=0.1), ["score_error", "'level'"]),
    **{
        f"distances {bad!r}"[:40]: (with_(reach=bad), ["reach"])
        for bad in ([], [0.0], [-0.1], [1e-7], "0.1", [None], [0.1] * 25, [NAN], {"epsilon": 0.1}, [[0.1]])
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_study_is_answered_by_one_sentence_that_names_key_and_value(name):
    study, words = BAD[name]
    with pytest.raises(BadInput) as caught:
        Study.from_json(study)
    sentence = str(caught.value)
    for word in words:
        assert word in sentence
    assert "\n" not in sentence
    assert not re.search(r"[.!?] [A-Z]", sentence)
    assert len(sentence) < 400
    assert "Traceback" not in sentence


def test_a_target_too_sharp_to_be_measured_is_bad_input_that_names_it():
    with pytest.raises(BadInput, match=r"^target is too sharp .* features, or lower the sharpness\.$"):
        Study.from_json(logit(x=[[1e5, 0], [1, 4]]))


@pytest.mark.parametrize("text", ['{"target": NaN}', "[" * 5000, "nul", '{"h": [0.5], "h"}', "\ufeff{}", "1" * 5000, b"\xff\xfe{}"])
def test_text_that_is_no_json_is_bad_input(text):
    with pytest.raises(BadInput):
        Study.from_json(text)


def test_a_valid_study_is_accepted_as_object_text_and_bytes():
    text = json.dumps(VALID)
    assert Study.from_json(VALID) == Study.from_json(text) == Study.from_json(text.encode())


def test_the_targets_of_the_knobs_are_valid_at_every_corner():
    for entry in targets.REGISTRY.values():
        for end in ("low", "default", "high"):
            targets.build(entry.from_knobs({k.name: getattr(k, end) for k in entry.knobs}))


def test_a_value_is_shown_short_and_safely():
    assert len(params.show("x" * 1000)) < 70
    assert params.show(10**5000)
