"""Gaussian target N(mean, cov) in any dimension: everything in closed form."""

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np

from dlab import linop, params, process
from dlab.field import ExactField
from dlab.params import BadInput, Knob
from dlab.pytree import pytree
from dlab.targets.base import Fact, Facts, Target, TargetEntry


@pytree(["mean", "values", "vectors"])
@dataclass(frozen=True)
class GaussianField(ExactField):
    """Score of N(a_t mean, a_t^2 cov + sigma_t^2 I), cov = vectors diag(values) vectors^T."""

    mean: jax.Array
    values: jax.Array
    vectors: jax.Array

    def _precision(self, t):
        return 1 / (jnp.exp(-t) * self.values + process.variance(t))

    def _inside(self, t, x):
        return (x - process.scale(t) * self.mean) @ self.vectors

    def score(self, t, x):
        return -(self._precision(t) * self._inside(t, x)) @ self.vectors.T

    def hessian(self, t, x):
        precision = jnp.broadcast_to(self._precision(t), x.shape)
        return -jnp.einsum("ik,nk,jk->nij", self.vectors, precision, self.vectors)

    def local(self, t, x):
        # One Hessian for all particles: a matrix for each would be gigabytes in hundreds of dimensions.
        H = -(self.vectors * self._precision(t)) @ self.vectors.T
        s, L = self.score(t, x), linop.Dense(0.5 * jnp.eye(len(H)) + H)
        return s, L, x / 4 - L.apply(x / 2 + s)

    def log_density(self, t, x):
        return -jnp.sum(self._precision(t) * self._inside(t, x) ** 2, -1) / 2


class Gaussian(Target):
    def __init__(self, mean, cov):
        self.mean, self.cov = np.asarray(mean, float), np.asarray(cov, float)
        self.dim = len(self.mean)

    @cached_property
    def _axes(self):
        return np.linalg.eigh(self.cov)

    @cached_property
    def field(self):
        return GaussianField(*map(jnp.asarray, (self.mean, *self._axes)))

    def log_density(self, x):
        return self.field.log_density(0.0, x)

    def sample(self, key, n):
        root = self.field.vectors * jnp.sqrt(self.field.values)
        return self.field.mean + jax.random.normal(key, (n, self.dim)) @ root.T

    @property
    def along_axes(self):
        values, vectors = self._axes
        return values, vectors.T @ self.mean

    @cached_property
    def facts(self):
        values, mean = self.along_axes
        return Facts(
            dim=self.dim,
            m0=Fact(float(1 / values[-1]), "closed form"),
            L0=Fact(float(1 / values[0]), "closed form"),
            L_F=Fact(0.0, "closed form"),
            M1=Fact(speed(values, mean), "proven for all x, t on a grid"),
            mean=self.mean,
            cov=self.cov,
            product=True,
            M2=Fact(turn(values), "closed form"),
        )


def turn(values) -> float:
    """M2 of a Gaussian with variances (d,): sup of |d/dt 1/(1 + c e^{-t})|, c = v - 1, over t >= 0 and the axes."""
    c = values - 1
    return float(np.max(np.where(c >= 1, 0.25, np.abs(c) / (1 + np.minimum(c, 1)) ** 2)))


def speed(values, mean) -> float:
    """M1 of a Gaussian with variances (d,) and mean (d,) along their axes.

    With the precision P = 1/(1 + c w), w = e^{-t}, |d_t s| <= |P'| |x| + |(P' - P/2) a mean|; the supremum over t of the first
    is closed, of the second it is taken on a grid.
    """
    c = values - 1
    if not np.any(mean):
        return turn(values)
    w = np.linspace(0, 1, 2001)[:, None]
    shift = np.sqrt(w) * (c * w - 1) / (2 * (1 + c * w) ** 2) * mean
    return float(max(turn(values), np.max(np.linalg.norm(shift, axis=1))))


def covariance(name: str, value, dim: int) -> np.ndarray:
    """A symmetric positive definite matrix from nested lists; BadInput otherwise."""
    matrix = np.asarray(params.array(name, value, (dim, dim)))
    if not np.allclose(matrix, matrix.T, rtol=1e-10, atol=1e-12 * np.abs(matrix).max()):
        raise BadInput(
            f"{name} = {params.show(value)} is not symmetric; give a covariance matrix with equal off-diagonal entries."
        )
    matrix = (matrix + matrix.T) / 2
    smallest = np.linalg.eigvalsh(matrix)[0]
    if smallest <= (least := 1e-8 * max(1.0, np.abs(matrix).max())):
        raise BadInput(
            f"{name} = {params.show(value)} is not positive definite (smallest eigenvalue {smallest:.3g}); "
            f"give a covariance matrix whose eigenvalues are all above {least:.3g}."
        )
    return matrix


def from_spec(spec: dict) -> Gaussian:
    params.require("target", spec, ("mean", "cov"))
    mean = params.array("target.mean", spec["mean"], (-1,))
    return Gaussian(mean, covariance("target.cov", spec["cov"], len(mean)))


def from_knobs(knobs: dict) -> dict:
    angle = math.radians(knobs["angle"])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    cov = turn @ np.diag([1 / knobs["k1"], 1 / knobs["k2"]]) @ turn.T
    cov = np.round((cov + cov.T) / 2, 12)
    return {"name": "gaussian", "mean": [knobs["mx"], knobs["my"]], "cov": cov.tolist()}


def to_knobs(spec: dict) -> dict:
    values, vectors = np.linalg.eigh(spec["cov"])
    angle = math.degrees(math.atan2(vectors[1, 0], vectors[0, 0])) % 180
    mx, my = spec["mean"]
    knobs = {"k1": 1 / values[0], "k2": 1 / values[1], "angle": angle, "mx": mx, "my": my}
    return {name: round(float(value), 6) for name, value in knobs.items()}


ENTRY = TargetEntry(
    name="gaussian",
    title="Gaussian",
    formula=r"p_0 = \mathcal N(\mu, \Sigma)",
    keys=("mean", "cov"),
    from_spec=from_spec,
    knobs=(
        Knob(
            "k1",
            "Curvature κ₁",
            2.0,
            0.3,
            8.0,
            0.1,
            "Inverse variance along the first axis; the smaller of κ₁, κ₂ is m₀.",
        ),
        Knob(
            "k2",
            "Curvature κ₂",
            0.8,
            0.3,
            8.0,
            0.1,
            "Inverse variance along the second axis; the larger of κ₁, κ₂ is L₀.",
        ),
        Knob("angle", "Rotation (degrees)", 30.0, 0.0, 180.0, 5.0, "Angle between the first axis and the horizontal."),
        Knob("mx", "Mean μ₁, horizontal", 0.5, -3.0, 3.0, 0.1, "First coordinate of the mean."),
        Knob("my", "Mean μ₂, vertical", 0.0, -3.0, 3.0, 0.1, "Second coordinate of the mean."),
    ),
    from_knobs=from_knobs,
    to_knobs=to_knobs,
    m0="1/λ_max(cov)",
    L0="1/λ_min(cov)",
)
