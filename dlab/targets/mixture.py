"""Gaussian mixture in any dimension: diffused score and Hessian in closed form."""

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import ndtr

from dlab import params, process
from dlab.field import ExactField
from dlab.params import BadInput, Knob
from dlab.pytree import pytree
from dlab.targets import mixture_facts
from dlab.targets.base import UNKNOWN, Fact, Factors, Facts, Regions, Target, TargetEntry, measured_smoothness
from dlab.targets.gaussian import covariance

FAR, CELLS, NEWTON = 9.0, 721, 3  # of the quantile function's table: standard deviations either way, points a component, steps
SEARCHED = "numerical over ±5 standard deviations, far out, and where two components weigh the same"


@pytree(["logw", "means", "values", "vectors"])
@dataclass(frozen=True)
class MixtureField(ExactField):
    """K components: logw (K,), means (K, d), covariances vectors diag(values) vectors^T."""

    logw: jax.Array
    means: jax.Array
    values: jax.Array
    vectors: jax.Array

    def _components(self, t, x):
        """Posterior weights (n, K), component scores (n, K, d), precisions (n, K, d), log p_t (n,)."""
        t = jnp.broadcast_to(t, (len(x), 1))[:, :, None]
        precision = 1 / (jnp.exp(-t) * self.values + process.variance(t))
        inside = jnp.einsum("kji,nkj->nki", self.vectors, x[:, None] - process.scale(t) * self.means)
        log = self.logw + (jnp.log(precision) - precision * inside**2).sum(-1) / 2
        scores = -jnp.einsum("kij,nkj->nki", self.vectors, precision * inside)
        return jax.nn.softmax(log, axis=-1), scores, precision, jax.nn.logsumexp(log, axis=-1)

    def score(self, t, x):
        weights, scores, _, _ = self._components(t, x)
        return jnp.einsum("nk,nki->ni", weights, scores)

    def hessian(self, t, x):
        weights, scores, precision, _ = self._components(t, x)
        mean = jnp.einsum("nk,nki->ni", weights, scores)
        spread = scores - mean[:, None]
        inner = jnp.einsum("nk,nki,nkj->nij", weights, spread, spread)
        return inner - jnp.einsum("nk,kij,nkj,klj->nil", weights, self.vectors, precision, self.vectors)

    def log_density(self, t, x):
        return self._components(t, x)[3]


@pytree(["logw", "means", "var"])
@dataclass(frozen=True)
class MixtureLine:
    """log density of one coordinate, elementwise: K components of one variance."""

    logw: jax.Array
    means: jax.Array
    var: jax.Array

    def __call__(self, u):
        return jax.nn.logsumexp(self.logw - (u[..., None] - self.means) ** 2 / (2 * self.var), axis=-1)

    def diffused(self, t, x):
        """log p_t(x) up to a constant, its first and second derivative, (3, *x.shape): a mode may be narrower than any grid."""
        v = jnp.exp(-t) * self.var + process.variance(t)
        pull = (process.scale(t) * self.means - x[..., None]) / v
        log = self.logw - v * pull**2 / 2
        weights = jax.nn.softmax(log, axis=-1)
        first = jnp.sum(weights * pull, -1)
        second = jnp.sum(weights * (pull - first[..., None]) ** 2, -1) - 1 / v
        return jnp.stack([jax.nn.logsumexp(log, axis=-1), first, second])

    @property
    def width(self) -> float:
        return float(self.var) ** 0.5

    def quantile(self, u) -> np.ndarray:
        """The quantile function of p_0, in NumPy: Newton's steps from a table, within its cells."""
        share, means, s = np.exp(np.asarray(self.logw)), np.asarray(self.means), self.width

        def below(x):
            return ndtr((x[:, None] - means) / s) @ share / share.sum()

        x = np.unique(means[share > 0, None] + s * np.linspace(-FAR, FAR, CELLS))
        cdf = np.maximum.accumulate(below(x))
        cell = np.clip(np.searchsorted(cdf, u) - 1, 0, len(x) - 2)
        found = np.interp(u, cdf, x)
        for _ in range(NEWTON):
            density = np.exp(-(((found[:, None] - means) / s) ** 2) / 2) @ share / (share.sum() * s * math.sqrt(2 * math.pi))
            found = np.clip(found + (u - below(found)) / np.maximum(density, 1e-300), x[cell], x[cell + 1])
        return found

    def span(self, reach: float) -> tuple[float, float]:
        """Between the outermost means and `reach` standard deviations beyond, of a component or 1 where that is more."""
        live, half = self.means[self.logw > -jnp.inf], reach * max(1.0, self.width)
        return float(live.min()) - half, float(live.max()) + half


class Mixture(Target):
    def __init__(self, weights, means, covs):
        self.weights, self.means = np.asarray(weights, float), np.asarray(means, float)
        self.covs = np.asarray(covs, float)
        self.dim = self.means.shape[1]
        self.words = 3.0 * self.means.size

    @cached_property
    def field(self):
        values, vectors = np.linalg.eigh(self.covs)
        with np.errstate(divide="ignore"):
            logw = np.log(self.weights)
        return MixtureField(*map(jnp.asarray, (logw, self.means, values, vectors)))

    def log_density(self, x):
        return self.field.log_density(0.0, x)

    def sample(self, key, n):
        which, normal = jax.random.split(key)
        k = jax.random.categorical(which, self.field.logw, shape=(n,))
        root = self.field.vectors * jnp.sqrt(self.field.values)[:, None]
        return self.field.means[k] + jnp.einsum("nij,nj->ni", root[k], jax.random.normal(normal, (n, self.dim)))

    @cached_property
    def facts(self):
        mean = self.weights @ self.means
        spread = self.means - mean
        cov = np.einsum("k,kij->ij", self.weights, self.covs) + (self.weights * spread.T) @ spread
        derived = mixture_facts.curvature(*self._merged)
        unknown = dict.fromkeys(("m0", "L0", "L_F", "M1", "M2"), UNKNOWN)
        if self.dim == 2 and len(derived) < len(unknown):
            # The larger of a lattice over the whole target and of what is found where the curvature can be extreme.
            lattice, special = measured_smoothness(self.field, mean, cov), mixture_facts.rates(*self._merged)
            unknown |= {k: Fact(max(lattice[k].value, v), SEARCHED) for k, v in special.items()}
        facts = unknown | derived
        return Facts(
            self.dim, facts["m0"], facts["L0"], facts["L_F"], facts["M1"], mean, cov, self.factors is not None, M2=facts["M2"]
        )

    @property
    def steepness(self):
        """Between far modes the score is steeper than any bound, and next to no mass is there: where two modes are so near that it
        is, exp(-3) of their density, it is at most five times as steep as in the narrowest."""
        narrowest = 1 / float(np.linalg.eigvalsh(self.covs).min())
        L0 = self.facts.L0.value
        return narrowest if L0 is None else min(L0, 5 * narrowest)

    @property
    def _merged(self):
        return mixture_facts.merged(self.weights, self.means, self.covs)

    @cached_property
    def factors(self):
        """Where one isotropic variance is shared and the means lie on a line, or weights and means factor over the
        given coordinates of two dimensions."""
        v = self.covs[0, 0, 0]
        if not np.allclose(self.covs, v * np.eye(self.dim), rtol=1e-12):
            return None
        _, sizes, axes = np.linalg.svd(self.means - self.means[0])
        if not (sizes[1:] < 1e-9).all():
            if self.dim != 2 or not self._on_a_table():
                return None
            axes = np.eye(2)
        along = self.means @ axes.T
        lines = [MixtureLine(self.field.logw, jnp.asarray(m), jnp.asarray(v)) for m in along.T]
        return Factors(axes.T, tuple(lines))

    @cached_property
    def regions(self):
        """Each side of the middle between two components of one isotropic variance."""
        live = np.flatnonzero(self.weights > 0)
        if self.factors is None or len(live) != 2:
            return None
        ends = self.means[live] @ self.factors.axes
        along = int(np.argmax(np.abs(ends[1] - ends[0])))
        if ends[0, along] == ends[1, along]:
            return None
        order = ("first mode", "second mode") if ends[0, along] < ends[1, along] else ("second mode", "first mode")
        return Regions(along, (float(ends[:, along].mean()),), order)

    def _on_a_table(self) -> bool:
        rows, columns = (np.unique(np.round(m, 12), return_inverse=True)[1] for m in self.means.T)
        table = np.zeros((rows.max() + 1, columns.max() + 1))
        np.add.at(table, (rows, columns), self.weights)
        return bool(np.allclose(table, np.outer(table.sum(1), table.sum(0)), atol=1e-12))


def from_spec(spec: dict) -> Mixture:
    params.require("target", spec, ("weights", "means", "var"))
    weights = np.asarray(params.array("target.weights", spec["weights"], (-1,)))
    count = len(weights)
    if count > params.MAX_COMPONENTS:
        raise BadInput(f"target.weights has {count} components; the limit is {params.MAX_COMPONENTS}.")
    if weights.min() < 0 or abs(weights.sum() - 1) > 1e-9:
        raise BadInput(
            f"target.weights = {params.show(spec['weights'])} sum to {weights.sum():.9g}; "
            "give non-negative weights that sum to 1."
        )
    means = np.asarray(params.array("target.means", spec["means"], (count, -1)))
    dim = means.shape[1]
    if isinstance(spec["var"], (list, tuple)):
        if len(spec["var"]) != count:
            raise BadInput(
                f"target.var has {len(spec['var'])} covariances for {count} components; give one each, or one number."
            )
        covs = [covariance(f"target.var[{i}]", c, dim) for i, c in enumerate(spec["var"])]
    else:
        covs = [params.number("target.var", spec["var"], above=1e-8, high=1e8) * np.eye(dim)] * count
    return Mixture(weights, means, covs)


def from_knobs(knobs: dict) -> dict:
    angle, half = math.radians(knobs["angle"]), knobs["sep"] / 2
    shift = np.round([half * math.cos(angle), half * math.sin(angle)], 12)
    w = round(knobs["w"], 6)
    return {
        "name": "mixture",
        "weights": [w, round(1 - w, 6)],
        "means": [(-shift + 0.0).tolist(), (shift + 0.0).tolist()],
        "var": knobs["var"],
    }


def to_knobs(spec: dict) -> dict:
    first, second = np.asarray(spec["means"])
    across = second - first
    angle = math.degrees(math.atan2(across[1], across[0])) % 360
    knobs = {"sep": np.hypot(*across), "var": spec["var"], "w": spec["weights"][0], "angle": angle}
    return {name: round(float(value), 6) for name, value in knobs.items()}


ENTRY = TargetEntry(
    name="mixture",
    title="Gaussian mixture",
    formula=r"p_0 = \sum_k w_k\,\mathcal N(\mu_k, vI)",
    keys=("weights", "means", "var"),
    from_spec=from_spec,
    knobs=(
        Knob(
            "sep",
            "Separation δ",
            1.2,
            0.0,
            6.0,
            0.1,
            "Distance between the two means. Log-concave while δ² < 4v; m₀ = 1/v − δ²/4v².",
        ),
        Knob(
            "var",
            "Variance v",
            0.6,
            0.2,
            2.0,
            0.05,
            "Variance of each component; L₀ = 1/v while the mixture is log-concave.",
        ),
        Knob(
            "w", "Weight w of the first", 0.3, 0.05, 0.95, 0.05, "Weight of the first component; the other has the rest."
        ),
        Knob("angle", "Rotation (degrees)", 20.0, 0.0, 180.0, 5.0, "Direction from the first mean to the second."),
    ),
    from_knobs=from_knobs,
    to_knobs=to_knobs,
    m0="1/v − δ²/4v²",
    L0="max(1/v, −m₀)",
)
