"""A data set of images, smoothed: p_0 = mean over images of N(x_k, w^2 I), in any dimension, by Hessian-vector products alone.

Diffused it is the mixture of N(a_t x_k, tau^2 I), tau^2 = a_t^2 w^2 + sigma_t^2. With the posterior weights pi_k(x), their mean image
m and covariance C: s = (a_t m - x)/tau^2, the ideal denoiser, and H v = -v/tau^2 + (a_t^2/tau^4) C v with
C v = sum_k pi_k ((x_k - m).v) x_k: two passes over the images, as for the score.
"""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np

from dlab import linop, params, pictures, process
from dlab.field import ExactField
from dlab.params import BadInput
from dlab.pytree import pytree
from dlab.targets.base import UNKNOWN, Fact, Facts, Target, TargetEntry

BLOCK = 2048  # images looked at together: what is kept for each of them and each particle stays small
SHUFFLE = 0  # seed of the order in which images are taken, so that the first n of a file are no one kind
PLAIN = 3e9  # multiplications a second, against which a particle-step in the plane is priced


@pytree(["images", "log", "width"])
@dataclass(frozen=True)
class ImagesField(ExactField):
    """images (blocks, k, d), filled up with zeros; log (blocks, k): log of their weights, -inf for what fills up."""

    by_products = True

    images: jax.Array
    log: jax.Array
    width: jax.Array

    def _scales(self, t):
        a = process.scale(t)
        return a, a**2 * self.width**2 + process.variance(t)

    def _logits(self, t, x, images, log):
        """log of the posterior weights up to a constant a particle, (n, k)."""
        a, var = self._scales(t)
        return (a * (x @ images.T) - a**2 * jnp.sum(images**2, -1) / 2) / var + log

    def _posterior(self, t, x):
        """Mean image (n, d) and log of the weights' sum (n, 1), in one pass over the blocks."""

        def body(carry, block):
            top, total, mean = carry
            logits = self._logits(t, x, *block)
            high = jnp.maximum(top, jnp.max(logits, 1, keepdims=True))
            weights, fade = jnp.exp(logits - high), jnp.exp(top - high)
            total, mean = (fade * kept + new for kept, new in ((total, weights.sum(1, keepdims=True)), (mean, weights @ block[0])))
            return (high, total, mean), None

        column = jnp.full((len(x), 1), -jnp.inf, x.dtype)
        (top, total, mean), _ = _over(body, (column, jnp.zeros_like(column), jnp.zeros_like(x)), (self.images, self.log))
        return mean / total, top + jnp.log(total)

    def score(self, t, x):
        a, var = self._scales(t)
        return (a * self._posterior(t, x)[0] - x) / var

    def denoised(self, t, x):
        """E[X_0 | X_t = x], (n, d)."""
        a, var = self._scales(t)
        return x / a + process.variance(t) / a * (a * self._posterior(t, x)[0] - x) / var

    def log_density(self, t, x):
        var = self._scales(t)[1]
        return self._posterior(t, x)[1][:, 0] - jnp.sum(x**2 / var, -1) / 2

    def products(self, t, x):
        """s and H as a function of v, (n, d) each."""
        (a, var), (mean, log) = self._scales(t), self._posterior(t, x)
        block = (self.images[0], self.log[0])
        kept = jnp.exp(self._logits(t, x, *block) - log) if len(self.images) == 1 else None

        def hessian(v):
            centre = jnp.sum(mean * v, 1, keepdims=True)

            def body(total, block):
                weights = jnp.exp(self._logits(t, x, *block) - log) if kept is None else kept
                return total + (weights * (v @ block[0].T - centre)) @ block[0], None

            spread, _ = _over(body, jnp.zeros_like(v), (self.images, self.log))
            return a**2 / var**2 * spread - v / var

        return (a * mean - x) / var, hessian

    def local(self, t, x):
        s, hessian = self.products(t, x)
        L = linop.Products(lambda v: v / 2 + hessian(v))
        return s, L, linop.Residual(x / 4, x / 2 + s)


def _over(body, start, blocks):
    """scan, without its loop where there is one block."""
    return body(start, tuple(b[0] for b in blocks)) if len(blocks[0]) == 1 else jax.lax.scan(body, start, blocks)


class Images(Target):
    """images (K, d) in [-1, 1], others (m, d) kept out of the data for comparison, width > 0 the smoothing w."""

    paired = False

    def __init__(self, images, others, width):
        self.images, self.others, self.width = np.asarray(images, float), np.asarray(others, float), float(width)
        self.dim = self.images.shape[1]
        self.words = 2.0 * min(len(self.images), BLOCK)

    @property
    def side(self) -> int:
        return round(self.dim**0.5)

    @cached_property
    def field(self):
        count, d = self.images.shape
        size = min(count, BLOCK)
        blocks = -(-count // size)
        filled = np.zeros((blocks * size, d))
        filled[:count] = self.images
        log = np.where(np.arange(blocks * size) < count, -np.log(count), -np.inf)
        return ImagesField(jnp.asarray(filled.reshape(blocks, size, d)), jnp.asarray(log.reshape(blocks, size)), jnp.asarray(self.width))

    def log_density(self, x):
        return self.field.log_density(0.0, x)

    def sample(self, key, n):
        which, normal = jax.random.split(key)
        chosen = jax.random.randint(which, (n,), 0, len(self.images))
        return jnp.asarray(self.images)[chosen] + self.width * jax.random.normal(normal, (n, self.dim))

    def effort(self, scheme) -> float:
        # Two passes over the images for a score and for a product; so many products a step were counted (bench_images).
        passes = scheme.score_evals + (6 if scheme.hessian_evals else 0)
        return 1 + 4 * passes * self.images.size * 1.2e6 / PLAIN

    @cached_property
    def facts(self):
        mean = self.images.mean(0)
        spread = self.images - mean
        # Along no direction is a variance of the images larger than the square of the largest distance from their mean.
        reach, v = float(np.max(np.sum(spread**2, 1))), self.width**2
        return Facts(
            dim=self.dim,
            m0=Fact(1 / v - reach / v**2, "proven bound"),
            L0=Fact(max(1 / v, reach / v**2 - 1 / v), "proven bound"),
            L_F=UNKNOWN,
            M1=UNKNOWN,
            mean=mean,
            cov=spread.T @ spread / len(spread) + v * np.eye(self.dim),
            product=False,
        )


def from_spec(spec: dict) -> Images:
    images, labels = pictures.load(spec.get("data", "digits"))
    chosen = np.arange(len(images))
    if (wanted := spec.get("labels")) is not None:
        if labels is None:
            raise BadInput(f"target.labels = {params.show(wanted)}: images from a folder have no labels; leave the key out.")
        if not isinstance(wanted, (list, tuple)) or not wanted:
            raise BadInput(f"target.labels = {params.show(wanted)} is not a list; give some of {', '.join(map(str, np.unique(labels)))}.")
        known = np.unique(labels)
        wanted = [params.integer("target.labels", v, int(known[0]), int(known[-1])) for v in wanted]
        chosen = chosen[np.isin(labels, wanted)]
    count = params.integer("target.count", spec.get("count", min(300, len(chosen))), 2, len(chosen))
    width = params.number("target.width", spec.get("width", WIDTH), 0.02, 2.0)
    flat = images[np.random.default_rng(SHUFFLE).permutation(chosen)].reshape(len(chosen), -1)
    return Images(flat[:count], flat[count:], width)


WIDTH = 0.2

# No knobs: the pages of the plane cannot draw it, the Images page gives it controls of its own.
ENTRY = TargetEntry(
    name="images",
    title="Smoothed images",
    formula=r"p_0 = \tfrac1K\sum_k \mathcal N(x_k, w^2 I)",
    keys=("data", "count", "labels", "width"),
    from_spec=from_spec,
    knobs=(),
    from_knobs=lambda knobs: {"name": "images", "data": "digits", "count": 100, "width": WIDTH},
    planar=False,
    m0="1/w² − R²/w⁴",
    L0="max(1/w², −m₀)",
)
