"""What a scheme may ask of a score: s, the operator L, and the drift's own rate of change M.

All formulas are those of the process dX = -X/2 dt + dB; in particular M = x/4 - L gamma, which
replaces third derivatives by the Fokker-Planck equation of this process and no other.
"""

from typing import Protocol

import jax.numpy as jnp

from dlab.linop import Dense, Operator
from dlab.types import Matrices, Points, Time


class Field(Protocol):
    """A score as the schemes see it. t is a scalar or (n, 1), x is (n, d)."""

    def score(self, t: Time, x: Points) -> Points:
        """s(t, x), an estimate of grad log p_t(x)."""

    def local(self, t: Time, x: Points) -> tuple[Points, Operator, Points]:
        """s, L and M at one point, together because they share their cost.

        L = I/2 + H is the Jacobian of the reverse drift; M = 1/2 sum_j d_jj s - d_t s the mean rate of
        change of the drift along the reverse process that L does not explain ([YY] sec. 4).
        """


class ExactField:
    """Base of exact fields: a subclass gives `score`, `hessian` and `log_density`, or `local` where L is known `by_products` alone."""

    by_products = False

    def score(self, t: Time, x: Points) -> Points:
        raise NotImplementedError

    def hessian(self, t: Time, x: Points) -> Matrices:
        """H(t, x), the Hessian of log p_t, (n, d, d)."""
        raise NotImplementedError

    def log_density(self, t: Time, x: Points):
        """log p_t(x) up to a constant for each t, (n,)."""
        raise NotImplementedError

    def score_and_hessian(self, t: Time, x: Points) -> tuple[Points, Matrices]:
        """Both at once, for a field that shares work between them."""
        return self.score(t, x), self.hessian(t, x)

    def local(self, t, x):
        s, H = self.score_and_hessian(t, x)
        L = Dense(0.5 * jnp.eye(x.shape[-1]) + H)
        return s, L, x / 4 - L.apply(x / 2 + s)


def drift(field: Field, t: Time, x: Points) -> Points:
    """gamma(t, x) = x/2 + s(t, x), the drift of the reverse SDE."""
    return x / 2 + field.score(t, x)
