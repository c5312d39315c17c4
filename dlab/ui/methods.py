"""How numbers were obtained: the words of each method, beside the results that it gave."""

import streamlit as st

from dlab import errors, measure, schemes, words
from dlab.figures.numbers import number
from dlab.study import Study


def describe(*names: str) -> str:
    """What these methods are, in Markdown."""
    return "\n\n".join(measure.method(name).explanation for name in names)


def of_result(result: dict, rule: bool = True) -> None:
    """How the numbers of a result were obtained; rule: which of its points are fitted, too."""
    names = dict.fromkeys(row["method"] for row in result["rows"])
    st.markdown("\n\n".join([describe(*names), *([words.text("methods")] if rule else [])]))


def of_movie(study: Study) -> None:
    """How the distance so far is measured beside moving particles."""
    sampled, said = [study.sampled(n) for n in study.schemes], []
    if not all(sampled):
        said.append(describe("exact"))
    if any(not s and schemes.REGISTRY[n].randomised for n, s in zip(study.schemes, sampled)):
        said.append(describe("joint"))
    if any(sampled):
        said.append(words.text("methods", "first-frames"))
    st.markdown("\n\n".join(said))


def level_met(spec: dict, met: dict) -> str:
    """The score error asked for (the study's `score_error`) beside the level that each scheme met; "" without an error."""
    if spec["name"] == "none":
        return ""
    each = ", ".join(f"{name} {number(level) if level is not None else 'not finite'}" for name, level in met.items())
    entry = errors.REGISTRY[spec["name"]]
    asked = f"{number(spec['level'])}{' of the score' * (entry.level_is == 'share')}" if "level" in spec else entry.phrase
    return f"Score error asked for: {asked}. Largest $L_2$ level met along the steps: {each}."
