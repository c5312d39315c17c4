"""Gaussian target N(0, diag(v_1 .. v_d)) in up to thousands of dimensions, given by its eigenvalues alone."""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np

from dlab import linop, params, process
from dlab.field import ExactField
from dlab.params import BadInput
from dlab.pytree import pytree
from dlab.targets.base import Fact, Facts, Target, TargetEntry
from dlab.targets.gaussian import speed, turn

SHAPES = ("isotropic", "linear", "power")
MAX_DIM = 4096


@pytree(["values"])
@dataclass(frozen=True)
class AxesField(ExactField):
    """Score of N(0, diag(a_t^2 values + sigma_t^2)); every coordinate is on its own."""

    values: jax.Array

    def _precision(self, t):
        return 1 / (jnp.exp(-t) * self.values + process.variance(t))

    def score(self, t, x):
        return -self._precision(t) * x

    def local(self, t, x):
        s, L = self.score(t, x), linop.Diagonal(0.5 - self._precision(t))
        return s, L, x / 4 - L.apply(x / 2 + s)

    def log_density(self, t, x):
        return -jnp.sum(self._precision(t) * x**2, -1) / 2


class Spectrum(Target):
    """values (d,): the variances, positive, in any order."""

    def __init__(self, values):
        self.values = np.asarray(values, float)
        self.dim = len(self.values)

    @cached_property
    def field(self):
        return AxesField(jnp.asarray(self.values))

    def log_density(self, x):
        return self.field.log_density(0.0, x)

    def sample(self, key, n):
        return jnp.sqrt(self.field.values) * jax.random.normal(key, (n, self.dim))

    @property
    def along_axes(self):
        return self.values, np.zeros(self.dim)

    @cached_property
    def facts(self):
        closed = "closed form"
        return Facts(
            dim=self.dim,
            m0=Fact(float(1 / self.values.max()), closed),
            L0=Fact(float(1 / self.values.min()), closed),
            L_F=Fact(0.0, closed),
            M1=Fact(speed(self.values, np.zeros(self.dim)), closed),
            mean=np.zeros(self.dim),
            cov=self.values,
            product=True,
            M2=Fact(turn(self.values), closed),
        )


def spectrum(shape: str, dim: int, low: float, high: float) -> np.ndarray:
    """Variances of a shape: all `high`; evenly from high to low; or high k^(-p), k = 1 .. dim, that ends at low."""
    if shape == "isotropic" or dim == 1:
        return np.full(dim, high)
    if shape == "linear":
        return np.linspace(high, low, dim)
    k = np.arange(1, dim + 1)
    return high * k ** (np.log(low / high) / np.log(dim))


def from_spec(spec: dict) -> Spectrum:
    if "values" in spec:
        if extra := [k for k in ("shape", "dim", "low", "high") if k in spec]:
            raise BadInput(f"target has both values and {extra[0]}; give the variances, or shape, dim, low and high.")
        values = params.array("target.values", spec["values"], (-1,))
        if len(values) > MAX_DIM or min(values) <= 0:
            raise BadInput(f"target.values has {len(values)} entries from {min(values):g} on; give 1 to {MAX_DIM} positive variances.")
        return Spectrum(values)
    params.require("target", spec, ("dim",))
    dim = params.integer("target.dim", spec["dim"], 1, MAX_DIM)
    shape = params.choice("target.shape", spec.get("shape", "isotropic"), SHAPES)
    high = params.number("target.high", spec.get("high", 0.5), 1e-3, 1e3)
    low = params.number("target.low", spec.get("low", high), 1e-3, high)
    return Spectrum(spectrum(shape, dim, low, high))


def read_text(data: bytes) -> tuple[float, ...]:
    """Variances from a text of numbers with commas, spaces or lines between; BadInput names what is wrong."""
    try:
        words = data.decode("utf-8-sig").replace(",", " ").replace(";", " ").split()
    except UnicodeDecodeError:
        raise BadInput("The file is not text; give positive numbers with commas, spaces or lines between.") from None
    if not words:
        raise BadInput("The file is empty; give positive numbers with commas, spaces or lines between.")
    return tuple(from_spec({"name": "spectrum", "values": [params.typed("a variance", word) for word in words]}).values.tolist())


# No knobs: the pages of the plane cannot draw it, the Dimension page gives it controls of its own.
ENTRY = TargetEntry(
    name="spectrum",
    title="Gaussian by its eigenvalues",
    formula=r"p_0 = \mathcal N(0, \operatorname{diag}(v_1,\dots,v_d))",
    keys=("values", "shape", "dim", "low", "high"),
    from_spec=from_spec,
    knobs=(),
    from_knobs=lambda knobs: {"name": "spectrum", "dim": 2},
    planar=False,
    m0="1/max v",
    L0="1/min v",
    example={"name": "spectrum", "values": [0.5, 1.5]},
)
