"""What one step of a scheme misses: its mean error and its fluctuation, measured.

From x at time t the exact reverse process arrives at time t - h with the mean (Tweedie's formula for the step's own noise)

    E[Y_h | x] = (x + (1 - e^{-h}) s(t, x)) e^{h/2} = cosh(h/2) x + 2 sinh(h/2) gamma(t, x),

and a scheme's mean given x is its step without noise, or the average over U and the noise by quadrature where it asks for the
score away from x.
So the mean error is known at each x and only its L2 norm over x ~ p_t is an average. The fluctuation is what is left of the
difference of both on one Brownian path (SO in FINE small steps stands for the exact process) once that mean is subtracted. A scheme of
the probability-flow ODE is compared with the flow.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import noise, process, schemes
from dlab.answers.base import Answer
from dlab.field import drift
from dlab.measure import fit
from dlab.noise import StepNoise
from dlab.sample import reference
from dlab.study import memory
from dlab.study.spec import Study

TIME = 1.0  # where the step starts: halfway between noise and data
SIZES = tuple(2.0**-k for k in range(1, 8))
PATHS = 2048  # pairs (x, Brownian path)
POINTS, LEAST = 512, 64  # of these x, those that a quadrature over U and the noise is made for: fewer where it has many nodes
FINE = 32  # steps of the reference
COST = 1_000_000  # particle-steps that a scheme's single steps take as long as, compiling included
MIDPOINTS, NORMALS = 5, 5  # nodes for U, and a coordinate of the noise
PIECE = 1 << 16  # points of the quadrature that are moved together
MOST_NORMALS = 24  # that the places may depend on where a step asks for the score, where that is not affine


@jax.jit
def _step(scheme, field, t, h, x, normals, u, moments):
    return scheme.step(field, t, t - h, x, StepNoise(h, normals, u, moments, forward=True))


@partial(jax.jit, static_argnames="kind")
def _reference(field, t, h, x, path, normals, kind="SDE"):
    """The reference's steps of size h along path (count, MOMENTS, n, d) from time t."""
    def body(i, x):
        return reference.REFERENCES[kind].step(field, t - i * h, t - (i + 1) * h, x, StepNoise(h, normals[i], None, path[i]))

    return jax.lax.fori_loop(0, len(path), body, x)


def exact_mean(field, t, h, x):
    """E[Y_h | Y_0 = x] of the reverse process from time t, (n, d)."""
    return np.cosh(h / 2) * x + 2 * np.sinh(h / 2) * drift(field, t, x)


def scheme_mean(scheme, field, t, h, x, normals=None):
    """E[x+ | x] of one step, (n, d), an average over so many normals: all that a step asks for scores after, or none where the score is
    affine, so that they have no part in it."""
    n, d = x.shape
    if scheme.asks == {"start"}:
        return _step(scheme, field, t, h, x, jnp.zeros((scheme.normals(True), n, d)), None, jnp.zeros((noise.MOMENTS, n, d)))
    inner, mean = scheme.inner_normals, 0.0
    places, weights = normal_nodes(d * inner if normals is None else normals)
    u, wu = np.polynomial.legendre.leggauss(MIDPOINTS if scheme.randomised else 1)
    q = max(1, min(len(places), PIECE // n))
    for middle, share in zip((u + 1) / 2, wu / 2):
        for first in range(0, len(places), q):
            # Whole pieces: one compiled program serves all of them.
            at, its = np.resize(places[first : first + q], (q, places.shape[1])), np.zeros(q)
            its[: len(places) - first] = weights[first : first + q]
            given = np.zeros((scheme.normals(), q, n, d))
            if places.shape[1]:
                given[:inner] = np.moveaxis(at.reshape(q, 1, inner, d), 2, 0)
            midpoints = jnp.full((q * n, 1), middle) if scheme.randomised else None
            moved = _step(scheme, field, t, h, jnp.tile(x, (q, 1)), given.reshape(-1, q * n, d), midpoints, None)
            mean += share * jnp.tensordot(its, moved.reshape(q, n, d), 1)
    # The noise that is added has mean zero by symmetry of the nodes.
    return mean


def normal_nodes(k):
    """Nodes (q, k) and weights (q,) of the mean over k standard normals: a product rule for few, else one of degree 5 (McNamee and
    Stenger, Numer. Math. 10, 1967): the centre, +-sqrt(3) along each axis and along each two."""
    if k <= 2:
        z, w = np.polynomial.hermite_e.hermegauss(NORMALS)
        nodes = np.stack(np.meshgrid(*[z] * k, indexing="ij"), -1).reshape(-1, k) if k else np.zeros((1, 0))
        return nodes, np.prod(np.stack(np.meshgrid(*[w / w.sum()] * k), -1), -1).ravel() if k else np.ones(1)
    axes, (i, j) = np.sqrt(3) * np.eye(k), np.triu_indices(k, 1)
    nodes = [np.zeros((1, k)), axes, -axes, *(a * axes[i] + b * axes[j] for a in (1, -1) for b in (1, -1))]
    sizes = [1 + k * (k - 7) / 18, *[(4 - k) / 18] * 2, *[1 / 36] * 4]
    return np.concatenate(nodes), np.concatenate([np.full(len(v), w) for v, w in zip(nodes, sizes)])


@dataclass(frozen=True)
class _Norm:
    """Root of a mean of squares with its standard error."""

    value: float
    stderr: float

    @classmethod
    def of(cls, vectors):
        square = np.sum(np.asarray(vectors) ** 2, -1)
        value = float(np.sqrt(square.mean()))
        return cls(value, float(square.std(ddof=1) / np.sqrt(len(square)) / (2 * max(value, 1e-300))))


def one_step(study: Study, tick=lambda: None) -> dict:
    """Both errors of the study's schemes at each of SIZES on the study's target, exact score, from x ~ p_t at t = TIME:

    {"t", "rows": [{"scheme", "h", "mean", "mean_stderr", "fluctuation", "fluctuation_stderr"}],
     "fits": [{"scheme", "mean": {slope, low, high, constant}, "fluctuation": {...}}]}. tick() may raise to cancel.
    """
    target, field, t, inner = study.built, study.built.fast_field, TIME, _inner(study)
    key = jax.random.key(study.seed)
    draws = noise.generator(noise.stream(key, "start"))
    d = target.dim
    spread = np.sqrt(process.variance(t)) * draws.standard_normal((PATHS, d))
    x = jnp.asarray(process.scale(t) * target.sample(noise.stream(key, "data"), PATHS) + spread)
    unit = noise.path(noise.stream(key, "path"), np.full(FINE, 1 / FINE), PATHS, d)
    whole = noise.merge(unit, FINE)[0]
    rows = []
    for number, h in enumerate(SIZES):
        tick()
        root, at = np.sqrt(h), jax.random.fold_in(key, number)
        fresh = noise.generator(noise.stream(at, "reference")).standard_normal((FINE, 1, PATHS, d))
        arrived = {
            kind: _reference(field, t, h / FINE, x, jnp.asarray(root * unit, float), fresh, kind)
            for kind in {schemes.REGISTRY[name].dynamics for name in study.schemes}
        }
        mean = exact_mean(field, t, h, x)
        for scheme in map(schemes.REGISTRY.get, study.schemes):
            draws = noise.generator(noise.stream(at, "scheme", scheme.name))
            normals = draws.standard_normal((scheme.normals(True), PATHS, d))
            u = draws.random((PATHS, 1)) if scheme.randomised else None
            missed = _step(scheme, field, t, h, x, normals, u, jnp.asarray(root * whole, float)) - arrived[scheme.dynamics]
            nodes = len(normal_nodes(inner[scheme.name])[0])
            few = slice(None, None if scheme.asks == {"start"} else min(POINTS, max(LEAST, PIECE // nodes)))
            # Along the flow there is no noise: all that a step misses is its mean error.
            off = missed[few] if scheme.dynamics == "ODE" else scheme_mean(scheme, field, t, h, x[few], inner[scheme.name]) - mean[few]
            # A midpoint's mean error is two orders below its fluctuation: at the other x it may stay in.
            bias, left = _Norm.of(off), _Norm.of(missed.at[few].add(-off))
            rows.append({
                "scheme": scheme.name, "h": h, "mean": bias.value, "mean_stderr": bias.stderr,
                "fluctuation": left.value, "fluctuation_stderr": left.stderr,
            })  # fmt: skip
    return {"t": t, "rows": rows, "fits": [_fits(rows, name) for name in study.schemes]}


def _inner(study) -> dict[str, int]:
    """Of each scheme, how many normals the mean of a step is an average over."""
    affine = study.built.along_axes is not None
    return {name: 0 if affine else study.built.dim * schemes.REGISTRY[name].inner_normals for name in study.schemes}


def applies(study: Study) -> str | None:
    apart = [name for name in study.schemes if (s := schemes.REGISTRY[name]).history or s.dynamics not in reference.REFERENCES]
    if apart:
        return f"one step of {', '.join(apart)} depends on those before it, or has noise that no exact step has; leave these schemes out."
    if not study.built.paired:
        return f"the exact step is computed by SO in small steps, which costs too much on '{study.target['name']}'; choose another target."
    wide = {name: k for name, k in _inner(study).items() if k > MOST_NORMALS}
    if wide:
        return (
            f"the mean of one step of {', '.join(wide)} is an average over {max(wide.values())} normals, and the limit is "
            f"{MOST_NORMALS}; leave these schemes out, or give a target with fewer dimensions."
        )
    return None


def used(study: Study) -> int:
    d, inside = study.built.dim, any(_inner(study).values())
    paths = 2 * 8 * FINE * (noise.MOMENTS + 1) * PATHS * d
    return paths + memory.step(study, ["SO", *study.schemes], PATHS) + inside * 8 * PIECE * (8 * d + study.built.words)


def _fits(rows, name) -> dict:
    mine, found = [r for r in rows if r["scheme"] == name], {"scheme": name}
    for part in ("mean", "fluctuation"):
        h, value, stderr = ([r[k] for r in mine] for k in ("h", part, f"{part}_stderr"))
        law = fit.fit(h, value, stderr, [v > 3 * e for v, e in zip(value, stderr)])
        found[part] = {"slope": law.slope, "low": law.low, "high": law.high, "constant": law.constant, "used": list(law.used)}
    return found


ANSWER = Answer(
    "one_step", "Mean error and fluctuation of one step of every scheme", one_step, ("target", "schemes", "seed"),
    lambda study: COST * len(study.schemes), applies, used, "onestep",
)  # fmt: skip
