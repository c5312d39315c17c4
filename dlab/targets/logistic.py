"""Posterior of penalised logistic regression ([YY] sec. 5.1 and app. F), in the plane and with up to 50 features.

f(theta) = lam |theta|^2/2 + mean_i log(1 + exp(-y_i x_i . theta)), p_0 ~ exp(-f), y_i = +-1.
L0 = lam + lambda_max(X^T X / n)/4 keeps the 1/4 of the logistic Hessian, which the paper drops.
"""

from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import params
from dlab.params import BadInput, Knob
from dlab.pytree import pytree
from dlab.targets import posterior, sampled
from dlab.targets.base import Fact, Target, TargetEntry
from dlab.targets.gaussian import Gaussian
from dlab.targets.observations import MAX_FEATURES, synthetic
from dlab.targets.quadrature_target import QuadratureTarget

__all__ = ["ENTRY", "LogisticDensity", "data", "from_spec", "laplace", "synthetic"]

GIVEN, SYNTHETIC = ("x", "y"), ("features", "rows", "spread", "data")
SAMPLED = ("score", "atoms", "atom_seed")
SCORES = (*sampled.FORMS, "laplace")
MOST_MEMORY = 2e7  # atoms times features squared


@pytree(["signed", "lam"])
@dataclass(frozen=True)
class LogisticDensity:
    """signed: y_i x_i, (m, d); lam: the penalty."""

    signed: jax.Array
    lam: jax.Array

    def __call__(self, theta):
        loss = jnp.mean(jax.nn.softplus(-theta @ self.signed.T), -1)
        return -self.lam * jnp.sum(theta**2, -1) / 2 - loss

    def derivatives(self, theta):
        """log p_0 (...), its gradient (..., d) and the weights (..., m) of `hessian`, of theta (..., d)."""
        margin, m = theta @ self.signed.T, len(self.signed)
        # One exponential serves the loss, its slope and its curvature.
        small = jnp.exp(-jnp.abs(margin))
        loss = jnp.log1p(small) + jnp.maximum(-margin, 0.0)
        wrong = jnp.where(margin > 0, small, 1.0) / (1 + small)
        log = -self.lam * jnp.sum(theta**2, -1) / 2 - jnp.mean(loss, -1)
        return log, wrong @ self.signed / m - self.lam * theta, small / (1 + small) ** 2 / m

    def hessian(self, weights):
        """Hess log p_0 (n, d, d) from the weights (n, m) of `derivatives`, or its mean from their mean."""
        d = self.signed.shape[-1]
        return -jnp.einsum("nm,mi,mj->nij", weights, self.signed, self.signed) - self.lam * jnp.eye(d)


def data(spec: dict) -> tuple[np.ndarray, np.ndarray]:
    """Features (m, d) and labels (m,) of a target object, given or made; BadInput names what is wrong."""
    if any(k in spec for k in GIVEN):
        if extra := [k for k in SYNTHETIC if k in spec]:
            raise BadInput(f"target has both x, y and {extra[0]}; give the observations, or {', '.join(SYNTHETIC)} to make some.")
        params.require("target", spec, GIVEN)
        if isinstance(spec["x"], (list, tuple)) and len(spec["x"]) > params.MAX_DATA_ROWS:
            raise BadInput(f"target.x has {len(spec['x'])} rows; the limit is {params.MAX_DATA_ROWS}.")
        x = np.asarray(params.array("target.x", spec["x"], (-1, -1)))
        if not 2 <= x.shape[1] <= MAX_FEATURES:
            raise BadInput(f"target.x has rows of {x.shape[1]} numbers; give 2 to {MAX_FEATURES} features in each.")
        y = np.asarray(params.array("target.y", spec["y"], (len(x),)))
        if not set(np.unique(y)) <= {-1.0, 1.0}:
            wrong = next(v for v in y if v not in (-1.0, 1.0))
            raise BadInput(f"target.y holds {wrong:g}; give labels 1 and -1.")
        return x, y
    if not any(k in spec for k in SYNTHETIC):
        params.require("target", spec, GIVEN)
    params.require("target", spec, ("features",))
    features = params.integer("target.features", spec["features"], 2, MAX_FEATURES)
    rows = params.integer("target.rows", spec.get("rows", 100), 2, params.MAX_DATA_ROWS)
    spread = params.number("target.spread", spec.get("spread", 10.0), above=0.0, high=1e3)
    return tuple(map(np.asarray, synthetic(rows, spread, params.integer("target.data", spec.get("data", 0), 0, 2**31 - 1), features)))


def from_spec(spec: dict) -> Target:
    """The posterior of a target object. Two features without a key of SAMPLED: by quadrature. Otherwise a score from samples of
    the posterior (`sampled`), or for score "laplace" the Gaussian near the mode, whose score is exact."""
    params.require("target", spec, ("lam",))
    x, y = data(spec)
    lam = params.number("target.lam", spec["lam"], above=1e-3, high=1e4)
    form = params.choice("target.score", spec.get("score", "kernel"), SCORES)
    seed = params.integer("target.atom_seed", spec.get("atom_seed", 0), 0, 2**31 - 1)
    atoms = params.integer("target.atoms", spec.get("atoms", sampled.FORMS.get(form, 2)), 2, sampled.MOST_ATOMS)
    signed, dim = y[:, None] * x, x.shape[1]
    if form == "laplace":
        return Gaussian(*_laplace(signed.tobytes(), dim, lam))
    density = LogisticDensity(jnp.asarray(signed), jnp.asarray(lam))
    top = float(np.linalg.eigvalsh(x.T @ x / len(x))[-1])
    curved = Fact(lam, "proven bound"), Fact(lam + top / 4, "proven bound")
    if dim == 2 and not any(k in spec for k in SAMPLED):
        return QuadratureTarget(density, *curved)
    if form == "local" and atoms % 2:
        raise BadInput(f"target.atoms = {atoms} is odd; score 'local' takes its samples in pairs, so give an even number.")
    if form != "local" and atoms * dim**2 > MOST_MEMORY:
        raise BadInput(f"target.atoms = {atoms} is too many for {dim} features; give at most {int(MOST_MEMORY / dim**2)}.")
    known = partial(_chains, signed.tobytes(), dim, lam)
    return sampled.Sampled(density, dim, *curved, known, form, atoms, seed)


def _read(text: bytes, dim: int, lam: float) -> LogisticDensity:
    return LogisticDensity(jnp.asarray(np.frombuffer(text).reshape(-1, dim)), jnp.asarray(lam))


@lru_cache(maxsize=32)
def _laplace(text: bytes, dim: int, lam: float) -> tuple[np.ndarray, np.ndarray]:
    centre, precision = posterior.mode(_read(text, dim, lam), dim)
    cov = np.linalg.inv(precision)
    return centre, (cov + cov.T) / 2


@lru_cache(maxsize=8)
def _chains(text: bytes, dim: int, lam: float) -> posterior.Chains:
    density = _read(text, dim, lam)
    return posterior.sample(density, *posterior.mode(density, dim), seed=0)


def laplace(spec: dict) -> dict:
    """The Laplace approximation N(mode, H^-1) of a logistic target object, as a target object of `gaussian`."""
    built = from_spec({**{k: v for k, v in spec.items() if k not in SAMPLED}, "score": "laplace"})
    return {"name": "gaussian", "mean": built.mean.tolist(), "cov": built.cov.tolist()}


def from_knobs(knobs: dict) -> dict:
    x, y = synthetic(int(knobs["rows"]), knobs["spread"], int(knobs["data"]))
    return {"name": "logistic", "x": x, "y": y, "lam": knobs["lam"]}


ENTRY = TargetEntry(
    name="logistic",
    title="Logistic posterior",
    formula=r"p_0 \propto \exp(-\tfrac{\lambda}{2}|\theta|^2 - \tfrac1n\sum_i\log(1+e^{-y_i x_i\cdot\theta}))",
    keys=(*GIVEN, "lam", *SYNTHETIC, *SAMPLED),
    from_spec=from_spec,
    knobs=(
        Knob("lam", "Penalty λ", 0.8, 0.3, 4.0, 0.1, "Strength of the Gaussian prior; m₀ = λ."),
        Knob("rows", "Observations n", 40, 2, 200, 1, "Number of synthetic data points."),
        Knob("spread", "Feature scale σ", 3.0, 0.5, 5.0, 0.5, "Standard deviation of the features: larger is stiffer."),
        Knob("data", "Data seed", 1, 0, 999, 1, "Seed of the synthetic data."),
    ),
    from_knobs=from_knobs,
    m0="λ",
    L0="λ + λ_max(XᵀX/n)/4",
)
