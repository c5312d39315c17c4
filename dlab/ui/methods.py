"""How numbers were obtained: the words of each method, beside the results that it gave."""

import streamlit as st

from dlab import measure, schemes, words
from dlab.figures.numbers import number
from dlab.study import Study
from dlab.targets.gaussian import Gaussian


def describe(name: str) -> str:
    """What a method is, in Markdown: its own words, or those of its record where an estimator brings them."""
    if words.has("methods", name):
        return words.text("methods", name)
    record = measure.REGISTRY.get(name)
    return (getattr(record, "words", "") or f"**{record.title}.**") if record else name


def of_result(result: dict, rule: bool = True) -> None:
    """How the numbers of a result were obtained; rule: which of its points are fitted, too."""
    names = dict.fromkeys(row["method"] for row in result["rows"])
    st.markdown("\n\n".join([*map(describe, names), *([words.text("methods")] if rule else [])]))


def of_movie(study: Study) -> None:
    """How the distance so far is measured beside moving particles."""
    sampled = [study.sampled(n) for n in study.schemes]
    names = []
    if not all(sampled):
        names.append("exact")
    if any(not s and schemes.REGISTRY[n].randomised for n, s in zip(study.schemes, sampled)):
        names.append("exact-moments" if isinstance(study.built, Gaussian) else "exact-marginals")
    if any(sampled):
        names.append("first-frames")
    st.markdown("\n\n".join(map(describe, names)))


def level_met(spec: dict, met: dict) -> str:
    """The score error asked for (the study's `score_error`) beside the level that each scheme met; "" without an error."""
    if spec["name"] == "none":
        return ""
    each = ", ".join(f"{name} {number(level) if level is not None else 'not finite'}" for name, level in met.items())
    asked = number(spec["level"]) + (" of the score" if spec["name"] == "relative" else "")
    return f"Score error asked for: {asked}. Largest $L_2$ level met along the steps: {each}."
