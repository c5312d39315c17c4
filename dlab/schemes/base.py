"""The record that a scheme is, and that of the theorem it may have."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import jax.numpy as jnp

from dlab.linop import Dense
from dlab.look import Style
from dlab.params import BadInput

if TYPE_CHECKING:
    from dlab.schemes.formula import Formula
    from dlab.theory import Constants


@dataclass(frozen=True)
class Theorem:
    """What a paper proves of a scheme: W2 <~ initialisation + C1 * (h-factor) + C2 * (score errors).

    name, order       "Theorem 1", and the order in h that it proves
    constants(m_min, L_max, L_F, d, h) -> theory.Constants
    printed           C1, the h-factor and C2 in LaTeX, as the paper prints them
    error             what C2 multiplies, in LaTeX
    source            whose it is
    """

    name: str
    order: float
    constants: Callable[..., "Constants"]
    printed: tuple[str, str, str] = ("C_1", r"\eta(h)", "C_2")
    error: str = r"\varepsilon"
    source: str = "Yu & Yu"


@dataclass(frozen=True)
class Scheme:
    """One discretisation of the reverse process.

    parts(field, t, h, x, noise) -> what one step from time t down to t - h is made of, {name in PARTS: (n, d)}; t is a
                                 scalar, x (n, d). "midpoint" is where the second score was taken, "spent" what an
                                 operator known by products has cost.
    strong_order, law_order      true orders of the coupled L2 error and of W2 of the laws
    formula                      the update, in symbols and with the numbers of a step size
    score_evals, hessian_evals   cost of one step
    randomised                   it needs the random midpoint U of the noise
    dynamics                     what its steps converge to: the reverse "SDE", or the probability-flow "ODE"
    theorem                      what is proved of it; None where no theorem covers it
    expansion(v, J1, J2, J3, J4) -> variance and mean coefficient of the law's error at order law_order on a Gaussian
        target, see theory.expansion; None where nobody has worked it out
    midpoint_variance(v) -> how fast a step's variance changes with U at variance v, see theory.midpoint; None without midpoint
    """

    name: str
    title: str
    parts: Callable
    strong_order: float
    law_order: float
    formula: "Formula"
    style: Style
    score_evals: int = 1
    hessian_evals: int = 0
    randomised: bool = False
    dynamics: Literal["SDE", "ODE"] = "SDE"
    theorem: Theorem | None = None
    expansion: Callable | None = None
    midpoint_variance: Callable | None = None

    @property
    def theorem_name(self) -> str:
        """As tables have it."""
        return self.theorem.name if self.theorem else "none"

    def __post_init__(self):
        if not self.style.marker or not self.style.dash:
            raise BadInput(f"The scheme {self.name} needs a marker and a dash; choose from dlab.look.")

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

    @cached_property
    def asks(self) -> frozenset[str]:
        """Where a step asks for the score: at its "start", at its random "midpoint", or "elsewhere"; the last too where the
        step's whole noise has been drawn before. A law carried on a grid must know. Found by watching one step."""
        witness = _Witness()
        self.parts(witness, witness.t, witness.h, witness.x, witness)
        return frozenset(witness.asked)


@dataclass
class _Witness:
    """Field and noise of one step of one particle on the line, that remember what they are asked."""

    t, h, u = 1.0, 0.5, 0.25
    x: object = field(default_factory=lambda: jnp.ones((1, 1)))
    asked: list = field(default_factory=list)
    drawn: bool = False

    def score(self, t, x):
        midpoint = not self.drawn and abs(float(t) - (self.t - self.u * self.h)) < 1e-9
        self.asked.append("start" if t == self.t and x is self.x else "midpoint" if midpoint else "elsewhere")
        return -x

    def local(self, t, x):
        return self.score(t, x), Dense(-0.5 * jnp.ones((1, 1, 1))), x / 2

    def part(self, A):
        return self.x / 2

    def whole(self, A):
        self.drawn = True
        return self.x
