"""The cases of the page outside the assumptions: each leaves them in one way. Plain values."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Departure:
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
    Departure(
        "modes", "Two modes move apart", "mixture", "sep", "Separation δ of the modes", "δ",
        (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0), 3.0, "Two Gaussians of variance ½. Log-concave up to δ = √2; m₀ = 2 − δ².",
        {"var": 0.5, "w": 0.3, "angle": 0.0},
    ),
    Departure(
        "wells", "A double well", "wells", "a", "Repulsion strength a", "a",
        (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0), 3.0, "m₀ = −a: log-concave up to a = 0, then two wells with a barrier a²/4.",
    ),
    Departure(
        "wide", "m₀ at most ½", "gaussian", "k2", "Curvature m₀", "m₀",
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0), 0.4, "A Gaussian with variances 1/m₀ and ½: only m₀ changes.",
        {"k1": 2.0, "angle": 90.0, "mx": 0.5, "my": 0.0},
    ),
    Departure(
        "kink", "A score with a kink", "kink", "delta", "Width δ of the kink", "δ",
        (0.0, 0.1, 0.2, 0.4, 0.8, 1.6), 0.0, "The score changes by 2 over a width δ, and jumps at δ = 0; L₀ = 1 + 1/δ.",
        {"c": 1.0, "lam": 1.0},
    ),
    Departure(
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
