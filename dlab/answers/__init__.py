"""Answers: what is computed about a study besides its W2 curve. The registry, one file each and one line here."""

from dlab import params
from dlab.answers import (
    adaptive,
    all_at_once,
    bounds,
    drift_sign,
    estimators,
    experiment,
    generic_bound,
    images,
    langevin,
    law,
    learned_score,
    martingale,
    modes,
    multilevel,
    network_levels,
    one_step,
    outline,
    ribbon,
    samplers,
    schedules,
    score_assumptions,
    score_constants,
    score_error,
    step_levels,
)
from dlab.answers.base import Answer

REGISTRY: dict[str, Answer] = {
    a.name: a
    for a in (
        law.ANSWER,
        bounds.ANSWER,
        score_error.ANSWER,
        modes.ANSWER,
        one_step.ANSWER,
        drift_sign.ANSWER,
        estimators.ANSWER,
        adaptive.ANSWER,
        *learned_score.ANSWERS,
        *experiment.ANSWERS,
        *images.ANSWERS,
        *samplers.ANSWERS,
        *schedules.ANSWERS,
        all_at_once.ANSWER,
        generic_bound.ANSWER,
        *langevin.ANSWERS,
        martingale.ANSWER,
        multilevel.ANSWER,
        network_levels.ANSWER,
        ribbon.ANSWER,
        outline.ANSWER,
        *score_assumptions.ANSWERS,
        score_constants.ANSWER,
        step_levels.ANSWER,
    )
}


def find(name: str) -> Answer:
    """The answer of a name or an alias; BadInput for another."""
    named = next((a for a in REGISTRY.values() if a.alias == name), None)
    return named or REGISTRY[params.choice("kind", name, REGISTRY)]


__all__ = ["REGISTRY", "Answer", "find"]
