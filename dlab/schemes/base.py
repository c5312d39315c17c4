"""What a scheme is to the lab: one record with its step, its costs and its looks, and the theorem that it may have."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import jax
import jax.numpy as jnp

from dlab import noise, params
from dlab.linop import Dense
from dlab.look import Style
from dlab.params import BadInput
from dlab.pytree import pytree

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
class Option:
    """A number that a scheme has: the key of a study file, its default, lowest and highest value, a label, a sentence, and the values
    that the app offers.

    of(value, steps) -> what the step is given; the value itself where None
    """

    key: str
    default: float
    low: float
    high: float
    label: str
    help: str
    offered: tuple[float, ...]
    of: Callable | None = None

    def read(self, value) -> float:
        """The number; JSON has no infinity, so that "inf" stands for it where it is allowed. BadInput otherwise."""
        if value == "inf" and self.high == float("inf"):
            return self.high
        return params.number(self.key, value, self.low, self.high if self.high < float("inf") else 1e12)


class History(NamedTuple):
    """What a scheme with a history knows of the steps before: the times at which they began, the last one first, infinite before the
    run, and the arrays (n, d) that it has kept."""

    times: tuple
    values: tuple


@pytree(
    ["value"],
    meta=[
        "name", "title", "parts", "strong_order", "law_order", "formula", "style", "family", "score_evals", "hessian_evals", "randomised",
        "dynamics", "theorem", "expansion", "option", "history",
    ],
)
@dataclass(frozen=True)
class Scheme:
    """One discretisation of the reverse process. A pytree whose one leaf is `value`, so that no value of an option recompiles.

    parts(field, t, t_next, x, noise) -> what one step from time t down to t_next is made of, {name in PARTS: (n, d)}; t, t_next
                                 are scalars, x (n, d), and noise a `StepNoise` that is drawn from once or not at all.
                                 "midpoint" is where the second score was taken, "spent" what an operator known by
                                 products has cost. With an option it takes `value`, with a history `history` and returns the
                                 parts and the arrays that it keeps.
    strong_order, law_order      true orders of the coupled L2 error and of W2 of the laws
    formula                      the update, in symbols and with the numbers of a step size
    score_evals, hessian_evals   cost of one step
    randomised                   it needs the random midpoint U of the noise
    family                       "paper", "SDE" or "ODE": how menus and figures group it
    dynamics                     what its steps converge to: the reverse "SDE", the probability-flow "ODE", or a process of its "own"
    theorem                      what is proved of it; None where no theorem covers it
    expansion(v, J1, J2, J3, J4) -> variance and mean coefficient of the law's error at order law_order on a Gaussian
        target, see theory.expansion; None where it has not been derived
    option, value                its number, and what that is for this study
    history                      how many arrays it keeps from one step for the next
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
    family: Literal["paper", "SDE", "ODE"] = "SDE"
    dynamics: Literal["SDE", "ODE", "own"] = "SDE"
    theorem: Theorem | None = None
    expansion: Callable | None = None
    option: Option | None = None
    value: float | None = None
    history: int = 0

    @property
    def theorem_name(self) -> str:
        """As tables have it."""
        return self.theorem.name if self.theorem else "none"

    def __post_init__(self):
        if not self.style.marker or not self.style.dash:
            raise BadInput(f"The scheme {self.name} needs a marker and a dash; choose from dlab.look.")
        if self.option and self.value is None:
            object.__setattr__(self, "value", self.option.default)

    def at(self, value, steps: int) -> "Scheme":
        """The scheme with its option at a value of the study, in a run of so many steps."""
        return replace(self, value=self.option.of(value, steps) if self.option.of else value)

    def begin(self, x) -> tuple:
        """The arrays of its history before the first step."""
        return (jnp.zeros_like(x),) * self.history

    def advance(self, field, t, t_next, x, noise, earlier=(), kept=()) -> tuple[dict, tuple]:
        """The parts of a step, and the arrays that are kept for the next; earlier: the times before t, the last one last; kept: the
        arrays of the step before."""
        return _advance(self.parts, self.option and self.value, self.history, field, t, t_next, x, noise, earlier, kept)

    def step(self, field, t, t_next, x, noise):
        """x (n, d) after one step from time t down to t_next, the first one of a run: x and the sum of its parts."""
        return self.total(x, self.advance(field, t, t_next, x, noise)[0])

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
        that depend on the noise after U. And "earlier" where it has a history, "clock" where it asks for the schedule's. A law
        carried on a grid must know."""
        return self._watched.asks

    @property
    def inner_normals(self) -> int:
        """How many of the normals, in the order of time, the places depend on where the score is asked for."""
        return self._watched.inner

    @property
    def _watched(self) -> "_Watched":
        return _watch(self.parts, self.option, self.history)


def _advance(parts, value, history, field, t, t_next, x, noise, earlier=(), kept=()):
    given = {} if value is None else {"value": value}
    if not history:
        return parts(field, t, t_next, x, noise, **given), ()
    times = tuple(earlier[i] for i in range(len(earlier) - 1, -1, -1)) or (jnp.inf, jnp.inf)
    return parts(field, t, t_next, x, noise, **given, history=History(times, kept or (jnp.zeros_like(x),) * history))


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
    timed: bool = False

    @property
    def clock(self):
        self.timed = True
        return 1.0

    def score(self, t, x):
        self.places.append((float(jnp.ravel(jnp.asarray(t))[0]), float(x[0, 0]), x is self.x))
        return -x

    def local(self, t, x):
        return self.score(t, x), Dense(-0.5 * jnp.ones((1, 1, 1))), x / 2

    def draw(self, *functionals):
        self.functionals = functionals
        drawn = [self.x / 2 + (i == self.moved) for i in range(len(functionals))]
        return drawn[0] if len(drawn) == 1 else tuple(drawn)


@lru_cache(maxsize=256)
def _watch(parts, option, history) -> _Watched:
    with jax.ensure_compile_time_eval():
        return _seen(parts, option, history)


def _seen(parts, option, history) -> _Watched:
    x, u = jnp.ones((1, 1)), jnp.full((1, 1), 0.25)

    def seen(moved=-1):
        witness = _Witness(x, u, moved)
        _advance(parts, option and option.default, history, witness, witness.t, witness.t_next, x, witness)
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
    asks |= {"earlier"} if history else set()
    asks |= {"clock"} if first.timed else set()
    ordered = noise.in_order(first.functionals, forward=True)
    reached = [i for i, f in enumerate(ordered, 1) if any(d and f is g for d, g in zip(depends, first.functionals))]
    return _Watched(frozenset(asks), first.functionals, max(reached, default=0))
