"""The record that a scheme is, and that of the theorem it may have."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import jax
import jax.numpy as jnp

from dlab import noise
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

    parts(field, t, t_next, x, noise) -> what one step from time t down to t_next is made of, {name in PARTS: (n, d)}; t, t_next
                                 are scalars, x (n, d), and noise a `StepNoise` that is drawn from once or not at all.
                                 "midpoint" is where the second score was taken, "spent" what an operator known by
                                 products has cost.
    strong_order, law_order      true orders of the coupled L2 error and of W2 of the laws
    formula                      the update, in symbols and with the numbers of a step size
    score_evals, hessian_evals   cost of one step
    randomised                   it needs the random midpoint U of the noise
    dynamics                     what its steps converge to: the reverse "SDE", or the probability-flow "ODE"
    theorem                      what is proved of it; None where no theorem covers it
    expansion(v, J1, J2, J3, J4) -> variance and mean coefficient of the law's error at order law_order on a Gaussian
        target, see theory.expansion; None where nobody has worked it out
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

    @property
    def theorem_name(self) -> str:
        """As tables have it."""
        return self.theorem.name if self.theorem else "none"

    def __post_init__(self):
        if not self.style.marker or not self.style.dash:
            raise BadInput(f"The scheme {self.name} needs a marker and a dash; choose from dlab.look.")

    def step(self, field, t, t_next, x, noise):
        """x (n, d) after one step from time t down to t_next: x and the sum of its parts."""
        return self.total(x, self.parts(field, t, t_next, x, noise))

    @staticmethod
    def total(x, parts):
        """x (n, d) moved by all parts that are displacements."""
        for name, part in parts.items():
            if name not in ("midpoint", "spent"):
                x = x + part
        return x

    def normals(self, along: bool = False) -> int:
        """Standard normals that a step consumes per particle and coordinate, along a path or with fresh noise; 0 without noise."""
        return noise.needed(self._watched.functionals, along)

    @property
    def asks(self) -> frozenset[str]:
        """Where a step asks for the score: at its "start", at its random "midpoint", or "elsewhere"; the last too at places
        that depend on the noise after U. A law carried on a grid must know."""
        return self._watched.asks

    @property
    def inner_normals(self) -> int:
        """How many of the normals, in the order of time, the places depend on where the score is asked for."""
        return self._watched.inner

    @cached_property
    def _watched(self) -> "_Watched":
        with jax.ensure_compile_time_eval():
            return _watch(self)


@dataclass(frozen=True)
class _Watched:
    """What one step was seen to do; see `Scheme`."""

    asks: frozenset[str]
    functionals: tuple[noise.Integral, ...]
    inner: int


@dataclass
class _Witness:
    """Field and noise of one step of one particle on the line, that remember what they are asked. `moved`: the functional whose
    value is another than it was."""

    t, t_next = 1.0, 0.5
    x: jax.Array
    u: jax.Array
    moved: int = -1
    places: list = field(default_factory=list)
    functionals: tuple = ()

    def score(self, t, x):
        self.places.append((float(jnp.ravel(jnp.asarray(t))[0]), float(x[0, 0]), x is self.x))
        return -x

    def local(self, t, x):
        return self.score(t, x), Dense(-0.5 * jnp.ones((1, 1, 1))), x / 2

    def draw(self, *functionals):
        self.functionals = functionals
        drawn = [self.x / 2 + (i == self.moved) for i in range(len(functionals))]
        return drawn[0] if len(drawn) == 1 else tuple(drawn)


def _watch(scheme) -> _Watched:
    x, u = jnp.ones((1, 1)), jnp.full((1, 1), 0.25)

    def seen(moved=-1):
        witness = _Witness(x, u, moved)
        scheme.parts(witness, witness.t, witness.t_next, x, witness)
        return witness

    first = seen()
    others = [seen(i).places for i in range(len(first.functionals))]
    depends = [places != first.places for places in others]
    # The place of a midpoint may depend on one functional of the path up to U.
    late = sum(depends) > 1 or any(d and f.u is not u for d, f in zip(depends, first.functionals))
    middle, asks = first.t - 0.25 * (first.t - first.t_next), set()
    for t, _, start in first.places:
        midpoint = not late and abs(t - middle) < 1e-9
        asks.add("start" if start and t == first.t else "midpoint" if midpoint else "elsewhere")
    ordered = noise.in_order(first.functionals, forward=True)
    reached = [i for i, f in enumerate(ordered, 1) if any(d and f is g for d, g in zip(depends, first.functionals))]
    return _Watched(frozenset(asks), first.functionals, max(reached, default=0))
