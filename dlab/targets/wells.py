"""Double well: exp(-(q u^4/4 - a u^2/2 - g u)) in the first coordinate, N(0, 1/k) in the second.

m0 = min(-a, k) moves through all signs with a: log-concave for a <= 0, for a > 0 two wells at about +-sqrt(a/q), parted by
a barrier of a^2/(4q). The score grows like |u|^3, so it is Lipschitz for no a.
"""

import math
from dataclasses import dataclass
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import params
from dlab.params import Knob
from dlab.targets.base import Fact, Factors, Regions, TargetEntry, infinite
from dlab.targets.quadrature_target import QuadratureTarget

DEEP = 40.0  # log-density below its maximum at which the box ends


@partial(jax.tree_util.register_dataclass, data_fields=["a", "q", "g"], meta_fields=[])
@dataclass(frozen=True)
class WellLine:
    """log density of one coordinate, elementwise."""

    a: jax.Array
    q: jax.Array
    g: jax.Array

    def __call__(self, u):
        return -self.q * u**4 / 4 + self.a * u**2 / 2 + self.g * u


@partial(jax.tree_util.register_dataclass, data_fields=["well", "other"], meta_fields=[])
@dataclass(frozen=True)
class WellsDensity:
    well: WellLine
    other: WellLine

    def __call__(self, x):
        return self.well(x[..., 0]) + self.other(x[..., 1])


class Wells(QuadratureTarget):
    # The tails are lighter than those of any Gaussian: none needs room, however small m0 is.
    _least = 0.0

    @cached_property
    def regions(self):
        well = self.density.well
        # The critical points of log p_0: the middle one, where there are three, is the top of the barrier.
        roots = np.roots([float(-well.q), 0.0, float(well.a), float(well.g)])
        real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
        return Regions(0, (float(real[1]),), ("left well", "right well")) if len(real) == 3 else None

    @cached_property
    def facts(self):
        found, grows = super().facts, infinite("the score grows like |u|³")
        return type(found)(**{**vars(found), "L_F": grows, "M1": grows, "M2": grows})


def from_spec(spec: dict) -> Wells:
    params.only_keys("target", spec, ("name", "a", "q", "g", "k"))
    params.require("target", spec, ("a",))
    a = params.number("target.a", spec["a"], -20.0, 8.0)
    q = params.number("target.q", spec.get("q", 1.0), 0.1, 20.0)
    g = params.number("target.g", spec.get("g", 0.0), -5.0, 5.0)
    k = params.number("target.k", spec.get("k", 1.0), 0.05, 20.0)
    well, other = WellLine(*map(jnp.asarray, (a, q, g))), WellLine(*map(jnp.asarray, (-k, 0.0, 0.0)))
    line = np.linspace(-20, 20, 4001)
    log = np.asarray(well(line))
    reach = np.abs(line[log > log.max() - DEEP]).max() + 0.1
    factors = Factors(np.eye(2), (well, other))
    box = np.zeros(2), np.array([reach, math.sqrt(2 * DEEP / k)])
    grows = infinite("the score grows like |u|³")
    return Wells(WellsDensity(well, other), Fact(min(-a, k), "closed form"), grows, factors, box)


ENTRY = TargetEntry(
    name="wells",
    title="Double well",
    formula=r"p_0 \propto \exp(-\tfrac q4 u_1^4 + \tfrac a2 u_1^2 + g u_1 - \tfrac k2 u_2^2)",
    from_spec=from_spec,
    knobs=(
        Knob("a", "Push apart a", 2.0, -2.0, 5.0, 0.25, "m₀ = −a: log-concave up to 0, above it two wells. L₀ = ∞ always."),
        Knob("q", "Confinement q", 1.0, 0.25, 4.0, 0.25, "The quartic part; the barrier is a²/4q."),
        Knob("g", "Tilt g", 0.2, -1.0, 1.0, 0.1, "Makes one well deeper than the other."),
        Knob("k", "Other curvature k", 1.0, 0.3, 4.0, 0.1, "Inverse variance of the Gaussian second coordinate."),
    ),
    from_knobs=lambda knobs: {"name": "wells", **{key: knobs[key] for key in ("a", "q", "g", "k")}},
    to_knobs=lambda spec: {"q": 1.0, "g": 0.0, "k": 1.0, **spec},
)
