"""The prepared scenes: a question each, its settings, and its answer from the numbers that the page shows."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from dlab.figures.numbers import listed, number, order, step_size
from dlab.figures.tables import fit_of, rows_of, schemes_of, slope_text

GOAL = 0.1  # the W2 that the scene about the bound asks for


@dataclass(frozen=True)
class PreparedScene:
    """A question and where it opens.

    text      one line that says what is shown and gives no answer away
    settings  those that differ from the defaults (address-bar keys)
    answer    of a result file's object, or on the particles page of a movie's words and distances
    asked     schemes whose slope a viewer guesses before the curve appears
    """

    name: str
    question: str
    text: str
    page: str
    settings: dict
    answer: Callable[[dict], str]
    asked: tuple[str, ...] = field(default=())


def _finest(result, scheme) -> dict:
    return rows_of(result, scheme)[-1]


def _factor(result, scheme) -> str:
    """By how much the scheme's error falls when h halves."""
    return number(2 ** fit_of(result, scheme)["slope"])


def _moving(meta) -> tuple[int, dict[str, float]]:
    """Steps, and the last distance of each scheme."""
    table = meta["table"]
    return table["n"][-1], {name: table[name][-1] for name in table if name not in ("n", "t")}


def _watch(meta) -> str:
    steps, last = _moving(meta)
    return (
        f"It removes noise: every step adds a little, and the score pulls each particle back to where data are likely. After {steps} "
        f"steps EM's law is {number(last['EM'])} away from the target and SO's {number(last['SO'])}, though the same Brownian path "
        "drives both. Only the size of the step keeps them from the target: the score is exact."
    )


def _halving(result) -> str:
    return (
        f"SO. Halving $h$ divides its error by {_factor(result, 'SO')} and EM's by {_factor(result, 'EM')}: measured slopes "
        f"{slope_text(fit_of(result, 'SO'))} and {slope_text(fit_of(result, 'EM'))}. The theorems promise 1 and ½, factors of 2 "
        "and 1.41. They rank the two correctly and underestimate both, since their proofs add up one-step errors that partly cancel."
    )


def _bound(result) -> str:
    row, fit, study = _finest(result, "EM"), fit_of(result, "EM"), result["study"]
    # EM's bound is C1 √(d h), with d = 2.
    promised = study["T"] * 2 * (fit["theory_c1"] / GOAL) ** 2
    needed = study["T"] * (fit["constant"] / GOAL) ** (1 / fit["slope"])
    return (
        f"At $h$ = {step_size(row['h'])} the bound is {number(row['bound'])} and EM's error {number(row['w2'])}: "
        f"{row['bound'] / row['w2']:.0f} times less. The bound is a guarantee and not an estimate. It asks for $m_0$, $L_0$ and $h$ "
        "alone, so it is known before anything is run, it holds for every target with these two constants, and it falls to "
        f"zero with $h$: by it {promised:,.0f} steps bring $W_2$ below {GOAL:g}. For this target about {needed:.0f} are enough."
    )


def _exponential(result) -> str:
    worse = [a["w2"] / b["w2"] for a, b in zip(rows_of(result, "EI"), rows_of(result, "EM"))]
    ei, em = _finest(result, "EI"), _finest(result, "EM")
    return (
        f"No. EI's error is {number(min(worse))} to {number(max(worse))} times EM's, and both fall with slope 1 "
        f"({slope_text(fit_of(result, 'EM'))} and {slope_text(fit_of(result, 'EI'))}). EI integrates the linear part $x/2$ of the "
        "drift exactly, but it freezes the score over a step as EM does. Drift outwards and score inwards, frozen together, "
        f"partly cancel, and EI undoes that. The bounds say the opposite: {number(ei['bound'])} for EI and {number(em['bound'])} for "
        f"EM at $h$ = {step_size(em['h'])}. A smaller bound does not mean a smaller error."
    )


def _floor(result) -> str:
    em, so = _finest(result, "EM"), _finest(result, "SO")
    level = result["study"]["score_error"]["level"]
    return (
        f"A distance of {number(so['w2'])}: EM and SO both end there ({number(em['w2'])} and {number(so['w2'])} at $h$ = "
        f"{step_size(em['h'])}), {number(so['w2'] / level)} times the error of the score. Smaller steps or a better scheme buy nothing "
        "below it; only a better score does. The theorem has this floor too: its term "
        f"$C_2\\varepsilon$ = {number(em['bound_parts']['score'])} contains no $h$."
    )


def _evaluations(result) -> str:
    rows = {name: {r["score_evals"] + r["hessian_evals"]: r["w2"] for r in rows_of(result, name)} for name in schemes_of(result)}
    most = max(set.intersection(*map(set, rows.values())))
    at = {name: by[most] for name, by in rows.items()}
    return (
        f"Two scores, here. With {most} evaluations REM reaches {number(at['REM'])}, REI {number(at['REI'])} and SO "
        f"{number(at['SO'])}, {number(at['SO'] / at['REM'])} times REM's. All three fall with slope 2 in the limit, so the constant "
        "decides, and a Hessian costs more than a score in high dimension. The theorems promise ½ for REM and REI and 1 for SO, so from "
        "them one would choose SO."
    )


def _void(result) -> str:
    return (
        f"On two separate modes. The target is not log-concave: $m_0$ = −{number(-result['facts']['m0'])}, and every theorem divides "
        "by $m_{\\min} - ½$, which must be positive. So the bound is void, not large. The schemes do not mind: EM falls "
        f"with slope {slope_text(fit_of(result, 'EM'))} and SO with {slope_text(fit_of(result, 'SO'))}. What is missing is a proof, not "
        "convergence."
    )


def _bend(result) -> str:
    rows = rows_of(result, "SO")
    slopes = [
        f"{_between(coarse, fine):.2f} between $h$ = {step_size(coarse['h'])} and {step_size(fine['h'])}"
        for coarse, fine in (rows[:2], rows[-2:])
    ]
    return (
        f"Because order 2 is a limit. SO's slope is {listed(slopes)}, and still rising. SO takes the score as linear over a step, "
        "and at a sharp bend that is true only of steps that move a particle less than the bend is wide. Among the coarse steps "
        "that one can afford, the order of a scheme says less than its error. The theorem's order, "
        f"{order(fit_of(result, 'SO')['theory_order'])}, holds throughout."
    )


def _between(coarse, fine) -> float:
    """The slope between two neighbours."""
    return math.log(coarse["w2"] / fine["w2"]) / math.log(coarse["h"] / fine["h"])


def _too_far(meta) -> str:
    steps, last = _moving(meta)
    return (
        f"It overshoots. Across the narrow side the score pulls so hard that one step of EM leads past the ridge, so its law ends too "
        f"wide: {number(last['EM'])} away after {steps} steps. SO lets the pull weaken along the step and ends at "
        f"{number(last['SO'])}. With $h$ small against $1/L_0$ their orders show."
    )


SCENES = (
    PreparedScene(
        "watch",
        "What does a sampler do?",
        "Noise flows back into a skewed target: Euler–Maruyama beside the second-order scheme, on the same Brownian path.",
        "particles",
        {"target": "skew", "panels": "EM,SO", "step": "0.25", "moving": "1000", "play": "1"},
        _watch,
    ),
    PreparedScene(
        "halving",
        "Which halves faster when h halves, EM or SO?",
        "The plainest scheme and the second-order one on a tilted Gaussian, by exact law.",
        "convergence",
        {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.015625"},
        _halving,
        ("EM", "SO"),
    ),
    PreparedScene(
        "bound",
        "How can a bound be 300 times too large and still useful?",
        "EM on the posterior of a logistic regression, with the bound of its theorem as the dotted line.",
        "convergence",
        {"target": "logistic", "lam": "1", "spread": "4", "schemes": "EM", "h": "0.5..0.015625", "brackets": "never"},
        _bound,
    ),
    PreparedScene(
        "exponential",
        "Does an exponential integrator help here?",
        "EI solves the linear part of the drift exactly and has the smaller bound; EM does neither. A skewed target, exact laws.",
        "convergence",
        {"target": "skew", "schemes": "EM,EI", "h": "0.5..0.015625"},
        _exponential,
    ),
    PreparedScene(
        "floor",
        "What does a score error of 0.1 cost at h → 0?",
        "Every step sees the exact score plus the same wrong vector of length 0.1.",
        "convergence",
        {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.0078125", "error": "constant", "e_level": "0.1"},
        _floor,
    ),
    PreparedScene(
        "evaluations",
        "Two scores or one Hessian?",
        "REM and REI ask for two scores a step, SO for a score and a Hessian: the error against the number of both.",
        "convergence",
        {"target": "skew", "schemes": "REM,REI,SO", "h": "0.5..0.015625", "x": "evals", "bounds": "0"},
        _evaluations,
    ),
    PreparedScene(
        "void",
        "Where does the theorem say nothing?",
        "EM and SO on a mixture of two separate modes, by exact law; no bound is drawn because there is none.",
        "convergence",
        {"target": "mixture", "sep": "3", "schemes": "EM,SO", "h": "0.5..0.015625"},
        _void,
        ("EM", "SO"),
    ),
    PreparedScene(
        "bend",
        "Why does the second order come so late?",
        "SO on a target with a sharp bend, where its steps are large against the bend.",
        "convergence",
        {"target": "skew", "c": "4", "k": "4", "schemes": "SO", "h": "0.5..0.015625", "bounds": "0"},
        _bend,
        ("SO",),
    ),
    PreparedScene(
        "too-far",
        "What if the step is too large?",
        "A steep ridge, of curvature 8, and steps of ½: EM beside SO.",
        "particles",
        {"target": "gaussian", "k1": "8", "k2": "0.8", "panels": "EM,SO", "step": "0.5", "moving": "1000", "play": "1"},
        _too_far,
    ),
)
BY_NAME = {scene.name: scene for scene in SCENES}
