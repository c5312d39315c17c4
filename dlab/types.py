"""Names for arrays and shapes, and the one answer type of every estimator.

n = particles, d = dimension. A time is a scalar shared by all particles or has shape (n, 1).
"""

import math
from dataclasses import dataclass

from jaxtyping import Array, Float

Scalar = Float[Array, ""]
Time = Float[Array, "*n"]
Points = Float[Array, "n d"]
Matrices = Float[Array, "n d d"]


@dataclass(frozen=True)
class Estimate:
    """A distance in W2 with what is known about it. No number in it is NaN or infinite but grid_change.

    value   the estimate; None where it cannot be formed (particles diverged, or a number was not finite: then a flag says so)
    stderr  its standard error, 0 for a method without Monte Carlo error, None without a value
    method  "exact", "joint", "lower", "density", "projected", "coupled", ...: what the number is
    lower, upper   bracket of the true W2, None where none is known
    floor   what the method reads for two samples of one and the same law
    flags   sentences a reader must be told; a flagged value is not fitted
    grid_change   relative error of a law on a grid, from what the refinements of grid and nodes changed (laws/levels.py)
    """

    value: float | None
    stderr: float | None
    method: str
    lower: float | None = None
    upper: float | None = None
    floor: float | None = None
    flags: tuple[str, ...] = ()
    grid_change: float = 0.0

    def __post_init__(self):
        numbers = {k: None if (v := getattr(self, k)) is None else float(v) for k in ("value", "stderr", "lower", "upper", "floor")}
        if bad := [k for k, v in numbers.items() if v is not None and not math.isfinite(v)]:
            numbers |= dict.fromkeys(bad)
            object.__setattr__(self, "flags", (*self.flags, f"{self.method}: not a finite number ({', '.join(bad)})"))
        if None in (numbers["value"], numbers["stderr"]):
            numbers |= {"value": None, "stderr": None}
        for name, number in numbers.items():
            object.__setattr__(self, name, number)
