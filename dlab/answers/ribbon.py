"""p_t of one coordinate over time, and paths of several schemes in it from the same points along the same Brownian paths.

The run is that of a law on the line: the target's first coordinate, or the first axis of a product. Of a Gaussian or a mixture it is
the marginal, which is one too; the score of a product acts on each of its axes alone.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import ndtri

from dlab import noise, process
from dlab.answers.base import Answer
from dlab.field import ExactField
from dlab.params import BadInput
from dlab.pytree import pytree
from dlab.sample import simulate
from dlab.study import Study, shared_paths
from dlab.targets.base import UNKNOWN, Facts, Target
from dlab.targets.gaussian import Gaussian
from dlab.targets.mixture import Mixture
from dlab.targets.spectrum import Spectrum

PATHS = 24  # of each scheme, from the quantiles LEVELS
LEVELS = (np.arange(PATHS) + 0.5) / PATHS
FRAMES = 128  # at most so many of a path's places are kept
TIMES, PLACES = 97, 129  # of the picture of p_t
REACH = 3.3  # of the picture's edges, in standard deviations of p_0 and p_T
FINE, WIDE = 2049, 6.0  # points and half width, in standard deviations, of the lattice on which p_t is normalised
FLOOR = 1e-9  # the first time at which every target has a density


@pytree(["field", "mean", "axis"])
@dataclass(frozen=True)
class AxisField(ExactField):
    """A product's field along one of its axes, (d,), through the mean (d,): places on it are (n, 1)."""

    field: ExactField
    mean: jax.Array
    axis: jax.Array

    def _place(self, t, x):
        centre = process.scale(t) * self.mean
        return centre + (x - centre @ self.axis) * self.axis

    def score(self, t, x):
        return (self.field.score(t, self._place(t, x)) @ self.axis)[:, None]

    def hessian(self, t, x):
        return jnp.einsum("i,nij,j->n", self.axis, self.field.hessian(t, self._place(t, x)), self.axis)[:, None, None]

    def log_density(self, t, x):
        return self.field.log_density(t, self._place(t, x))


class Axis(Target):
    """The law of a product target along its first axis."""

    dim = 1

    def __init__(self, whole: Target):
        self.whole = whole

    @cached_property
    def field(self):
        mean, axis = self.whole.facts.mean, self.whole.factors.axes[:, 0]
        return AxisField(self.whole.fast_field, jnp.asarray(mean), jnp.asarray(axis))

    @cached_property
    def facts(self):
        found, axis = self.whole.facts, self.whole.factors.axes[:, 0]
        mean, cov = np.array([found.mean @ axis]), np.array([[axis @ found.cov @ axis]])
        return Facts(1, found.m0, found.L0, UNKNOWN, UNKNOWN, mean, cov, True, found.field_error)


def line(study: Study) -> Study:
    """The study of the target's first coordinate, or first axis, alone; BadInput where that has no density at hand, or the score error
    none of its own there."""
    whole, target = study.built, None
    if isinstance(whole, Mixture):
        var = whole.covs[:, :1, :1].tolist()
        target = {"name": "mixture", "weights": whole.weights.tolist(), "means": whole.means[:, :1].tolist(), "var": var}
    elif isinstance(whole, (Gaussian, Spectrum)):
        cov = np.asarray(whole.facts.cov)
        target = {"name": "gaussian", "mean": [float(whole.facts.mean[0])], "cov": [[float(cov.flat[0])]]}
    elif whole.factors is not None:
        target = Axis(whole)
    if target is None:
        raise BadInput("the first coordinate of this target has no density in closed form; choose a Gaussian, a mixture or a product.")
    if study.score_error["name"] == "learned":
        raise BadInput("the network knows the score in the plane, and this picture has one dimension; choose another score error.")
    return Study.from_json(study.to_json() | {"target": target, "estimator": "auto", "vary": None, "reach": None})


@jax.jit
def _logs(field, times, places):
    return jax.lax.map(lambda one: field.log_density(*one), (times, places[..., None]))


def densities(target: Target, times, places) -> np.ndarray:
    """p_t of a target on the line at times (K,) and places (K, G), integrating to 1, (K, G)."""
    times = np.maximum(times, FLOOR)
    low, high = _ends(target, times, WIDE)
    fine = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, FINE)
    logs, here = (np.asarray(_logs(target.fast_field, jnp.asarray(times), jnp.asarray(v))) for v in (fine, places))
    top = logs.max(1, keepdims=True)
    mass = np.trapezoid(np.exp(logs - top), fine, axis=1)
    return np.exp(here - top) / mass[:, None]


def quantiles(target: Target, t: float, levels) -> np.ndarray:
    """Where p_t has these levels in (0, 1), rising, (P,)."""
    low, high = _ends(target, np.array([t]), WIDE)
    x = np.linspace(low[0], high[0], FINE)
    p = densities(target, np.array([t]), x[None])[0]
    below = np.concatenate([[0.0], np.cumsum((p[1:] + p[:-1]) / 2)])
    return np.interp(levels, below / below[-1], x)


def _ends(target, times, reach) -> tuple[np.ndarray, np.ndarray]:
    """That many standard deviations of p_t from its mean, at each time."""
    mean, var = target.facts.mean[0], np.asarray(target.facts.cov).flat[0]
    centre, half = np.exp(-times / 2) * mean, reach * np.sqrt(np.exp(-times) * var - np.expm1(-times))
    return centre - half, centre + half


def starts(study: Study) -> np.ndarray:
    """Where the paths of a study on the line begin: the quantiles LEVELS of its start law, (PATHS, 1)."""
    if study.start == "exact":
        return quantiles(study.built, study.T, LEVELS)[:, None]
    return math.sqrt(process.start_variance(study.start, study.T)) * ndtri(LEVELS)[:, None]


def brownian(study: Study, steps: int) -> np.ndarray:
    """Moments of the Brownian paths over the steps, (steps, MOMENTS, PATHS, 1): of finer ones, so that they keep their shape as the
    steps halve."""
    (shared,) = shared_paths((steps,))
    k = shared.steps // steps
    lengths = study.grid(steps).refined(k).h
    return noise.merge(noise.path(noise.stream(jax.random.key(study.seed), "ribbon"), lengths, PATHS, 1), k, lengths)


def ribbon(study: Study, steps: int, tick=lambda done: None) -> dict:
    """The picture's numbers: {"study", "steps", "coordinate": "coordinate" or "axis", "t" (TIMES,), "x" (PLACES,), "density" (PLACES,
    TIMES): p_t(x); "times" (N + 1,) of the grid; "levels" (PATHS,), "ends": the quantiles of p_0 (of p_stop) there; "paths": [{"scheme",
    "dynamics", "t" (F,), "x" (PATHS, F), None where a path is not finite, "exchanged": pairs of paths that end in the other order,
    "off": root mean square of ends less quantiles, None where not all are finite}]}. tick(done) may raise to cancel.
    """
    one, found = line(study), []
    target, grid = one.built, one.grid(steps)
    t = np.linspace(grid.stop, grid.T, TIMES)
    low, high = _ends(target, np.array([grid.stop, grid.T]), REACH)
    x = np.linspace(low.min(), high.max(), PLACES)
    begin, path, ends = starts(one), brownian(one, steps), quantiles(target, grid.stop, LEVELS)
    shown = np.unique(np.round(np.linspace(0, steps, min(steps, FRAMES) + 1)).astype(int))
    for i, name in enumerate(one.schemes):
        tick(i / len(one.schemes))
        case, key = one.case(name, steps), noise.stream(jax.random.key(one.seed), "ribbon", name)
        states = simulate(case.scheme, target.fast_field, one.error, begin, grid=grid, key=key, path=path, record=True).states[..., 0]
        last = states[-1]
        whole = bool(np.isfinite(last).all())
        found.append({
            "scheme": name, "dynamics": case.scheme.dynamics, "t": _short(grid.times[shown]), "x": [_short(one) for one in states[shown].T],
            "exchanged": int(sum((last[k + 1 :] < last[k]).sum() for k in range(PATHS))) if whole else None,
            "off": float(np.sqrt(np.mean((last - ends) ** 2))) if whole else None,
        })  # fmt: skip
    density = densities(target, t, np.broadcast_to(x, (TIMES, PLACES)))
    turned = isinstance(target, Axis) and not np.allclose(np.abs(study.built.factors.axes[:, 0]), np.eye(study.built.dim)[0])
    return {
        "study": study.to_json(), "steps": steps, "coordinate": "axis" if turned else "coordinate",
        "t": _short(t), "x": _short(x), "density": [_short(row) for row in density.T], "times": _short(grid.times),
        "levels": _short(LEVELS), "ends": _short(ends), "paths": found,
    }  # fmt: skip


def _short(values) -> list:
    """Six digits, None for what is not finite."""
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in np.asarray(values, float)]


def applies(study: Study, *which) -> str | None:
    try:
        line(study)
    except BadInput as error:
        return str(error)
    return None


ANSWER = Answer(
    "ribbon", "p_t on the line over time, with paths of the schemes", ribbon,
    ("target", "schemes", "T", "start", "score_error", "seed"), applies=applies,
)  # fmt: skip
