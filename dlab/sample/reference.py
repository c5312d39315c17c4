"""What a scheme is measured against: the process that its steps converge to, run finely from the same start.

A scheme of the reverse SDE has SO on the same Brownian path for its reference, whose law has order 2. One of the probability-flow
ODE x' = -x/2 - s/2 has that flow from the same start, with no path, by Ralston's method of order 3 (Math. Comp. 16, 1962), which asks
for the score before a step's end alone: some targets have none at t = 0. A scheme with dynamics of its "own" (noise that no
other has) is compared with itself in fine steps.
"""

from dataclasses import replace

from dlab.schemes import Scheme, so


def _ralston(field, t, t_next, x, noise):
    h = t - t_next

    def slope(share, moved):
        y = x + share * h * moved
        return (y + field.score(t - share * h, y)) / 2

    first = slope(0.0, 0.0)
    second = slope(0.5, first)
    return {"drift": h * (2 * first + 3 * second + 4 * slope(0.75, second)) / 9}


FLOW = replace(
    so.SCHEME, name="flow", title="Probability flow", parts=_ralston, family="ODE", dynamics="ODE", score_evals=3, hessian_evals=0,
    strong_order=3.0, law_order=3.0, theorem=None, expansion=None,
)  # fmt: skip
REFERENCES: dict[str, Scheme] = {"SDE": so.SCHEME, "ODE": FLOW}


def kind(scheme: Scheme) -> str:
    """What schemes that share a reference have in common: their dynamics, or the name of one that is its own reference."""
    return scheme.dynamics if scheme.dynamics in REFERENCES else scheme.name


def of(scheme: Scheme) -> Scheme:
    """The scheme that stands for the process which the scheme's steps converge to."""
    return REFERENCES.get(scheme.dynamics, scheme)
