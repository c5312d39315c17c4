"""Names for arrays and shapes, and the one answer type of every estimator.

n = particles, d = dimension. A time is a scalar shared by all particles or has shape (n, 1).
"""

from dataclasses import dataclass

from jaxtyping import Array, Float

Scalar = Float[Array, ""]
Time = Float[Array, "*n"]
Points = Float[Array, "n d"]
Matrices = Float[Array, "n d d"]


@dataclass(frozen=True)
class Estimate:
    """A distance in W2 with what is known about it.

    value   the estimate; None where it cannot be formed (particles diverged)
    stderr  its standard error, 0 for a method without Monte Carlo error
    method  "exact", "joint", "lower", "density", "projected", "coupled", ...: what the number is
    lower, upper   bracket of the true W2, None where none is known
    floor   what the method reads for two samples of one and the same law
    flags   sentences a reader must be told; a flagged value is not fitted
    grid_change   relative change of an exact law's value when its grid and its nodes became half as many again
    """

    value: float | None
    stderr: float
    method: str
    lower: float | None = None
    upper: float | None = None
    floor: float | None = None
    flags: tuple[str, ...] = ()
    grid_change: float = 0.0
