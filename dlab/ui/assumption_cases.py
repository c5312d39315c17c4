"""The cases of the page outside the assumptions, and its studies. No streamlit here: plain values."""

from dataclasses import dataclass, field

from dlab import schemes, targets
from dlab.study import Study
from dlab.ui import studies

AT = 1 / 16  # the step size at which the relaxing number varies


@dataclass(frozen=True)
class Case:
    """A way out of the assumptions.

    target, key   the target and the one of its numbers that leads there, with the values offered and the one at first
    fixed   the target's other knobs, where they are not its defaults; what happens is told in words/outside.md
    """

    name: str
    title: str
    target: str
    key: str
    label: str
    symbol: str
    values: tuple[float, ...]
    default: float
    help: str
    fixed: dict = field(default_factory=dict)


CASES = (
    Case(
        "modes", "Two modes move apart", "mixture", "sep", "Separation δ of the modes", "δ",
        (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0), 3.0, "Two Gaussians of variance ½. Log-concave up to δ = √2; m₀ = 2 − δ².",
        {"var": 0.5, "w": 0.3, "angle": 0.0},
    ),
    Case(
        "wells", "A double well", "wells", "a", "Push apart a", "a",
        (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0), 3.0, "m₀ = −a: log-concave up to a = 0, then two wells with a barrier a²/4.",
    ),
    Case(
        "wide", "m₀ at most ½", "gaussian", "k2", "Curvature m₀", "m₀",
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0), 0.4, "A Gaussian with variances 1/m₀ and ½: nothing but m₀ changes.",
        {"k1": 2.0, "angle": 90.0, "mx": 0.5, "my": 0.0},
    ),
    Case(
        "kink", "A score with a kink", "kink", "delta", "Width δ of the kink", "δ",
        (0.0, 0.1, 0.2, 0.4, 0.8, 1.6), 0.0, "The score turns by 2 over a width δ; L₀ = 1 + 1/δ. 0: it jumps.",
        {"c": 1.0, "lam": 1.0},
    ),
    Case(
        "box", "A compact support", "box", "half", "Half width b of the support", "b",
        (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0), 1.0, "A standard Gaussian cut off at ±b in each coordinate; m₀ = 1.",
        {"lam": 1.0},
    ),
)  # fmt: skip
BY_NAME = {case.name: case for case in CASES}

# SO's Hessian wrong in one way each; the same label in pictures and tables.
HESSIANS = {
    "scaled by 1.2": {"kind": "relative", "level": 0.2},
    "diagonal only": {"kind": "diagonal"},
    "stiffest direction only": {"kind": "low_rank", "rank": 1},
    "renewed every 4 steps": {"kind": "stale", "every": 4},
    "renewed every 16 steps": {"kind": "stale", "every": 16},
    "none": {"kind": "low_rank", "rank": 0},
}
HESSIAN_TARGETS = {
    "gaussian": {"name": "gaussian", "mean": [0.5, 0.3], "cov": [[1.0, 0.3], [0.3, 0.4]]},
    "skew": {"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0, "angle": 30.0},
}
HESSIAN_STEPS = {"gaussian": studies.LADDER[2:], "skew": studies.LADDER[2:6]}  # an exact law costs nothing at any step


def case_of(values: dict) -> Case:
    return BY_NAME[values["outside.case"]]


def target(case: Case, value: float) -> dict:
    """The study file's `target` object of a case."""
    entry = targets.REGISTRY[case.target]
    return entry.from_knobs({**{k.name: k.default for k in entry.knobs}, **case.fixed, case.key: value})


def against_h(values: dict) -> Study:
    """W2 against h at the value chosen."""
    case = case_of(values)
    chosen = target(case, values[f"outside.{case.name}"])
    return studies.study(values, target=chosen, score_error={"name": "none"}, estimator="auto")


def along(values: dict) -> Study:
    """W2 at AT against the number that leads out of the assumptions; of schemes whose law is quick to carry."""
    case = case_of(values)
    names = [s for s in values["schemes"] if not schemes.REGISTRY[s].randomised] or ["EM", "SO"]
    vary = {"axis": f"target.{case.key}", "values": list(case.values)}
    return studies.study(
        values, target=target(case, case.default), schemes=names, h=[AT if values["T"] >= AT else values["T"]], vary=vary,
        score_error={"name": "none"}, estimator="auto",
    )  # fmt: skip


def hessians(values: dict) -> dict[str, Study]:
    """SO with each wrong Hessian, beside SO with the exact one and EM."""
    chosen, drift = HESSIAN_TARGETS[values["outside.on"]], values["outside.drift"]
    plain = {"target": chosen, "h": list(HESSIAN_STEPS[values["outside.on"]]), "T": 4.0, "start": "exact", "seed": values["seed"]}
    return {
        "EM": Study.from_json({**plain, "schemes": ["EM"]}),
        "SO, exact": Study.from_json({**plain, "schemes": ["SO"]}),
        **{
            label: Study.from_json({**plain, "schemes": ["SO"], "score_error": {"name": "none", "hessian": {**spec, "drift": drift}}})
            for label, spec in HESSIANS.items()
        },
    }


def prepared(defaults: dict) -> dict[str, Study]:
    """The studies that let the page open at once in each of its cases, from the values of a scene with nothing changed."""
    found = {}
    for case in CASES:
        if case.target == "gaussian":  # in closed form, at once
            continue
        values = {**defaults, "outside.case": case.name}
        found |= {f"{case.name}-h": against_h(values), f"{case.name}-{case.key}": along(values)}
    for drift in ("rebuilt", "exact"):
        for label, study in hessians({**defaults, "outside.on": "skew", "outside.drift": drift}).items():
            found[f"hessian-{label.lower().replace(',', '').replace(' ', '-').replace('.', '')}-drift-{drift}"] = study
    return found


def answers(defaults: dict) -> list[tuple[str, str, Study, tuple]]:
    """What its sections open with, (name, kind, study, which) of `engine.answer`: the masses of the modes and the first scheme's law, at
    the coarsest step of each case's default."""
    found = []
    for case in CASES:
        study = against_h({**defaults, "outside.case": case.name})
        steps = min(study.steps)
        if study.built.regions:
            found.append((f"{case.name}-modes", "modes", study, (steps,)))
        if case.target != "gaussian":  # in closed form, at once
            found.append((f"{case.name}-law", "law", study, (study.schemes[0], steps)))
    return found
