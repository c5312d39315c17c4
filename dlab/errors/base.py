"""Score errors: s* = s + e, and for SO the errors of L and M that Assumption 5 of [YY] allows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import jax.numpy as jnp

from dlab.field import ExactField
from dlab.look import PLAIN, Style
from dlab.params import Knob


class ScoreError:
    """A model of e(t, x). Subclasses are frozen pytrees with the fields `hessian_level`, `drift_level`.

    draws   each evaluation consumes fresh standard normals
    affine  e is affine in x and in these normals, so a Gaussian law stays Gaussian
    carries it keeps something from one step to the next, see `recall`
    by_matrix   it takes H to be a matrix, or the diagonal of one
    ready   it can be evaluated; else `prepared` makes what it lacks, at a `price` in particle-steps
    No model with a `level` tells coordinates from the third on apart.
    """

    draws = False
    affine = True
    carries = False
    by_matrix = False
    ready = True
    price = 0
    cost = 1.0  # of a particle-step with it, in those of an exact score
    hessian_changed = False  # the Hessian is wrong by a size that nobody injected, so that hessian_level does not tell it
    said = ""  # and what SO is given then, a sentence

    def begin(self, exact, t, x):
        """What `recall` is given in the first step, a pytree; t, x (n, d) are of that step."""
        return None

    def recall(self, kept, n, exact, t, x):
        """The error as it is in step n, counted from 0, and what the next step is given. The loops ask for it."""
        return self, kept

    def hessians(self, steps: int, d: int) -> float:
        """Hessians that SO evaluates in so many steps; d products of the Hessian with a vector count as one."""
        return steps

    def prepared(self, tick=lambda done: None) -> "ScoreError":
        """The error that can be evaluated; tick(done) may raise to cancel."""
        return self

    @cached_property
    def second_order_free(self) -> bool:
        """Whether L and M are free of errors of their own."""
        return float(self.hessian_level) == 0 == float(self.drift_level)

    def shift(self, t, x, s, z):
        """e at (t, x), (n, d), given the exact score s and fresh normals z, (n, d) or None."""
        raise NotImplementedError

    def local(self, exact, t, x, z):
        """s*, L* and M* at (t, x), as `Field.local` of the exact field has s, L and M.

        L* = L + eps_L v v^T (operator and Frobenius norm eps_L) and M* = M + eps_M v, M that of the exact
        score: an M rebuilt from s* would carry an error that was not asked for.
        """
        s, L, M = exact.local(t, x)
        v = self.direction(x)
        return s + self.shift(t, x, s, z), L.plus(self.hessian_level, v), M + self.drift_level * v

    def along(self, axis) -> "ScoreError | None":
        """The error of the coordinate along a unit vector (d,), where it depends on that coordinate alone; else None."""
        return None

    def direction(self, x):
        """The unit vector in which the errors of L and M point, (d,)."""
        return jnp.zeros(x.shape[-1]).at[0].set(1.0)


@dataclass(frozen=True)
class WrongField:
    """The score that the scheme is given. `normals` yields one (n, d) array per score evaluation."""

    exact: ExactField
    error: ScoreError
    normals: object

    def score(self, t, x):
        s = self.exact.score(t, x)
        return s + self.error.shift(t, x, s, next(self.normals))

    def local(self, t, x):
        return self.error.local(self.exact, t, x, next(self.normals))


def perturb(field: ExactField, error: ScoreError, normals) -> WrongField:
    """The field with the error injected for one step; normals (evaluations, n, d) or None."""
    source = iter(normals) if error.draws else iter(lambda: None, 0)
    return WrongField(field, error, source)


@dataclass(frozen=True)
class ErrorEntry:
    """One line of the registry.

    keys        what its object in a study file has beside "name"; the first must be given
    from_spec(spec, hessian_level, drift_level) -> ScoreError, BadInput where spec is wrong
    knobs       the scalars that the app offers for it
    level_is    what the key "level" is, if it has one: the L2 "norm" of the error under every law, a "share" of the score, or
                something "other", so that the norm must be measured; level 0 is the exact score
    min_dim     the fewest dimensions that it needs
    of_target   from_spec takes two more: the Target and, as a name for it, its object in the study file or None
    page        the page whose settings describe it; "" where those of every page do
    phrase      as it stands in a sentence, "a constant vector"
    explanation a sentence of Markdown on what an error of this shape does
    style       its look beside other errors
    """

    name: str
    title: str
    formula: str
    keys: tuple[str, ...]
    from_spec: Callable[..., ScoreError]
    knobs: tuple[Knob, ...]
    level_is: Literal["norm", "share", "other"] = "other"
    min_dim: int = 1
    of_target: bool = False
    page: str = ""
    phrase: str = ""
    explanation: str = ""
    style: Style = PLAIN

    def __post_init__(self):
        if not self.phrase:
            object.__setattr__(self, "phrase", f"a {self.title.lower()}")

    @property
    def leveled(self) -> bool:
        """Whether its size can be varied."""
        return "level" in self.keys

    @property
    def example(self) -> dict:
        """Its object in a study file with every knob at its default."""
        return {"name": self.name, **{knob.name: knob.default for knob in self.knobs}}


LEVEL = Knob(
    "level", "Score error ε", 0.1, 0.0, 1.0, 0.01, "Size of the injected error: its L2 norm along the iterates."
)

__all__ = ["LEVEL", "ErrorEntry", "ScoreError", "WrongField", "perturb"]
