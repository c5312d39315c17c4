"""The record that a scheme is, and the look that goes with it everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlab.schemes.formula import Formula
    from dlab.theory import Constants


# The parts of a step in their order and their colours for light and dark ground, the same in formulas and on a followed
# particle. All but the midpoint, a place, are displacements.
PARTS = {
    "drift": ("#1f2328", "#f0f2f5"),
    "second order": ("#7A4B1E", "#D9A066"),
    "noise": ("#A3478A", "#E08BC4"),
    "midpoint": ("#5b6570", "#aab4be"),
}


@dataclass(frozen=True)
class Style:
    """Colours for light and dark ground, marker and dash: the same in curves, particles, exports."""

    light: str
    dark: str
    marker: str
    dash: str


@dataclass(frozen=True)
class Scheme:
    """One discretisation of the reverse SDE.

    parts(field, t, h, x, noise) -> what one step from time t down to t - h is made of, {name in PARTS: (n, d)}; t is a
                                 scalar, x (n, d). "midpoint" is where the second score was taken, "spent" what an
                                 operator known by products has cost.
    score_evals, hessian_evals   cost of one step
    randomised                   it needs the random midpoint U of the noise
    strong_order, law_order      true orders of the coupled L2 error and of W2 of the laws
    theorem, theorem_order       the theorem of [YY] and the order in h that it proves
    constants(m_min, L_max, L_F, d, h) -> theory.Constants
    formula                      the update, in symbols and with the numbers of a step size
    expansion(v, J1, J2, J3, J4) -> variance and mean coefficient of the law's error at order law_order on a Gaussian
        target, see theory.expansion; None where nobody has worked it out
    wobble(v) -> how far a step's variance moves with U at variance v, see theory.midpoint; None without midpoint
    """

    name: str
    title: str
    parts: Callable
    score_evals: int
    hessian_evals: int
    randomised: bool
    strong_order: float
    law_order: float
    theorem: str
    theorem_order: float
    constants: Callable[..., "Constants"]
    formula: "Formula"
    style: Style
    expansion: Callable | None = None
    wobble: Callable | None = None

    def step(self, field, t, h, x, noise):
        """x (n, d) after one step from t down to t - h: x and the sum of its parts."""
        return self.total(x, self.parts(field, t, h, x, noise))

    @staticmethod
    def total(x, parts):
        """x (n, d) moved by all parts that are displacements."""
        for name, part in parts.items():
            if name not in ("midpoint", "spent"):
                x = x + part
        return x

    @property
    def normals(self) -> int:
        """Standard normals that a step consumes per particle and coordinate."""
        return 2 if self.randomised else 1
