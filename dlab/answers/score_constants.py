"""What the target's log-concavity does to a score error and to the start: the printed constants, and the integrated ones."""

import numpy as np

from dlab.answers.base import Answer
from dlab.study.spec import Study
from dlab.theory import score_constant as constant

CURVE = np.geomspace(0.05, 10.0, 121)  # m0
QUOTED = (0.25, 0.5, 0.75, 1.0, 2.0, 5.0)
FURTHEST, TIMES = 8.0, 81  # of the start's share against T


def score_constants(study: Study, tick=lambda *done: None) -> dict:
    """C2 and the start's share, as [YY] has them and integrated over t:

    {"curve": [{"m0", "integrated", "printed"}], "table": the same at QUOTED, "own": the same at the target's m0, or None,
     "start": [{"T", "integrated", "printed"}] at that m0, or None; "how": how m0 is known}; printed is None where it is infinite or void.
    """
    m0 = study.built.facts.m0
    mine = m0.value if m0.value is not None and m0.value > 0 else None
    times = np.linspace(0.0, FURTHEST, TIMES)
    return {
        "curve": [_at(float(m)) for m in CURVE], "table": [_at(m) for m in QUOTED], "own": None if mine is None else _at(mine),
        "start": None if mine is None else [
            {"T": float(T), "integrated": float(constant.initialisation(mine, T)),
             "printed": float(np.exp(-min(1.0, mine) * T))} for T in times],
        "how": m0.how, "T": study.T,
    }  # fmt: skip


def _at(m0: float) -> dict:
    printed = constant.printed(m0)
    return {"m0": m0, "integrated": constant.integrated(m0), "printed": printed if np.isfinite(printed) else None}


def learned(result: dict, met: dict) -> dict | None:
    """The integrated constant times the largest error along the iterates of a `learned_errors` answer, {"c2", "value"}: a bound on W2 as
    h -> 0 of every scheme of the reverse SDE whose iterates meet it; None where m0 is not known to be positive."""
    m0 = result["facts"]["m0"]
    if m0 is None or m0 <= 0:
        return None
    c2 = constant.integrated(m0, result["study"]["T"])
    return {"c2": c2, "value": c2 * met["iterates"]["score"]["top"]}


ANSWER = Answer(
    "score_constants", "C₂ and the share of the start, printed and integrated over t", score_constants, ("target", "T")
)
