"""SO's Hessian wrong as it is in practice: scaled, of low rank, its diagonal alone, or stale; beside any error of the score.

With H* instead of H the step has L* = I/2 + H*. To leading order in h and E = H* - H one step errs, in the mean and in
the covariance of its noise, by

    M of the exact score      h^2/2 E gamma  and  h^2 E
    M rebuilt from L*         0              and  h^2 E      since phi_1(z) - z phi_2(z) = 1: the drift becomes h gamma + h^2/4 phi_2(hL*) x

so a lasting E (relative, low rank, diagonal) costs the law h times its size, order 1, either way. A stale Hessian is k - 1 steps
old at most, and on the way it moves by O(h) in the mean: order 2 stays.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from dlab import params
from dlab.errors.base import ScoreError
from dlab.linop import Dense, Diagonal
from dlab.params import BadInput
from dlab.pytree import pytree

# What is asked of each kind: (key, default, lowest, highest, whether it is whole).
KINDS = {
    "relative": ("level", 0.2, -1.0, 10.0, False),
    "low_rank": ("rank", 1, 0, 4096, True),
    "diagonal": None,
    "stale": ("every", 4, 1, 4096, True),
}
KEEP = ("bottom", "top")
DRIFTS = ("exact", "rebuilt")


@pytree(["inner", "size", "held"], meta=["kind", "keep", "rebuilt"])
@dataclass(frozen=True)
class HessianError(ScoreError):
    """inner: the error of the score, with its own additions to L and M; size: level, rank or every; keep: which eigen directions
    a rank leaves, those of the least or of the largest eigenvalues; rebuilt: whether M = x/4 - L* gamma* instead of that of the
    exact score; held: a stale L, in a step."""

    by_matrix = True

    inner: ScoreError
    size: jax.Array
    kind: str
    keep: str
    rebuilt: bool
    held: object = None

    @property
    def draws(self):
        return self.inner.draws

    @property
    def affine(self):
        return self.inner.affine

    @property
    def ready(self):
        return self.inner.ready

    @property
    def price(self):
        return self.inner.price

    @property
    def cost(self):
        return self.inner.cost

    def prepared(self, tick=lambda done: None):
        return replace(self, inner=self.inner.prepared(tick))

    @property
    def carries(self):
        return self.kind == "stale"

    @property
    def hessian_level(self):
        return self.inner.hessian_level

    @property
    def drift_level(self):
        return self.inner.drift_level

    @property
    def second_order_free(self):
        return False

    @property
    def hessian_changed(self):
        return True

    @property
    def said(self) -> str:
        """What SO is given, and how its Hessians are counted."""
        size = f"{float(self.size):g}"
        end, many = {"bottom": "least", "top": "largest"}[self.keep], f"{size} " * (size != "1") + "eigenvalue" + "s" * (size != "1")
        what = {
            "relative": f"H* = (1 {'−' if self.size < 0 else '+'} {size.removeprefix('-')})H",
            "low_rank": f"H along its {end} {many} only, each counted as one product, 1/d of a Hessian" if size != "0" else "H* = 0",
            "diagonal": "the diagonal of H, counted as d of its d(d + 1)/2 entries",
            "stale": f"H of every {size}th step, kept for each particle in between",
        }[self.kind]
        M = "rebuilt from it" if self.rebuilt else "that of the exact score, at the cost of one product with the true H, 1/d of a Hessian"
        return f"SO's Hessian is {what}; M is {M}."

    def shift(self, t, x, s, z):
        return self.inner.shift(t, x, s, z)

    def direction(self, x):
        return self.inner.direction(x)

    def local(self, exact, t, x, z):
        s, L, M = self.inner.local(exact, t, x, z)
        L = self.seen(L)
        return s, L, x / 4 - L.apply(x / 2 + s) if self.rebuilt else M

    def seen(self, L):
        """L* of the exact operator L at the same place; of a stale one L itself until a step has bound the old one."""
        if self.kind == "stale":
            return L if self.held is None else self.held
        if isinstance(L, Diagonal):
            if self.kind == "diagonal":
                return L
            H = L.values - 0.5
            return Diagonal(0.5 + ((1 + self.size) * H if self.kind == "relative" else jnp.where(self._kept(H), H, 0.0)))
        H = L.matrix - 0.5 * jnp.eye(L.matrix.shape[-1])
        if self.kind == "relative":
            H = (1 + self.size) * H
        elif self.kind == "diagonal":
            H = H * jnp.eye(H.shape[-1])
        elif H.shape[-1] == 2:
            H = jnp.where(self.size < 2, self.size * _share(H, self.keep), H)
        else:
            values, vectors = jnp.linalg.eigh(H)
            H = (vectors * jnp.where(self._kept(values), values, 0.0)[..., None, :]) @ jnp.swapaxes(vectors, -1, -2)
        return Dense(0.5 * jnp.eye(H.shape[-1]) + H)

    def _kept(self, values):
        """Which eigenvalues (..., d) the rank leaves."""
        order = jnp.argsort(jnp.argsort(values if self.keep == "bottom" else -values, -1), -1)
        return order < self.size

    def begin(self, exact, t, x):
        if self.kind != "stale":
            return None
        shapes = jax.eval_shape(lambda x: self.inner.local(exact, t, x, x)[1], x)
        return jax.tree.map(lambda v: jnp.zeros(v.shape, v.dtype), shapes)

    def recall(self, kept, n, exact, t, x):
        if self.kind != "stale":
            return self, None
        # Such an error draws nothing: `build` sees to it.
        kept = jax.lax.cond(n % self.size == 0, lambda: self.inner.local(exact, t, x, None)[1], lambda: kept)
        return replace(self, held=kept), kept

    def along(self, axis):
        inner = self.inner.along(axis)
        if inner is None:
            return None
        if self.kind == "diagonal":
            return inner if np.isclose(np.max(np.abs(axis)), 1.0) else None
        if self.kind == "low_rank" and 0 < int(self.size) < len(axis):
            return None
        return replace(self, inner=inner)

    def hessians(self, steps, d):
        size = float(self.size)
        if self.kind == "stale":
            fresh = -(-steps // size)
            count = fresh + (0 if self.rebuilt else (steps - fresh) / d)
        else:
            # A diagonal is d of d (d + 1)/2 second derivatives, and the M of the exact score is one product with H.
            share = {"relative": 1.0, "diagonal": 2 / (d + 1), "low_rank": size / d}[self.kind]
            count = steps * min(1.0, share + (0 if self.rebuilt else 1 / d))
        return round(count) if abs(count - round(count)) < 1e-9 else count


def _share(H, keep):
    """The part of symmetric 2x2 matrices (n, 2, 2) along the eigenvector of the least or of the largest eigenvalue."""
    a, b, c = H[..., 0, 0], H[..., 0, 1], H[..., 1, 1]
    mean, half = (a + c) / 2, (a - c) / 2
    radius = jnp.hypot(half, b)
    safe = jnp.where(radius > 0, radius, 1.0)
    sign = 1.0 if keep == "top" else -1.0
    reflect = jnp.stack([jnp.stack([half, b], -1), jnp.stack([b, -half], -1)], -2) / safe[..., None, None]
    return (mean + sign * radius)[..., None, None] * (jnp.eye(2) + sign * reflect) / 2


def wrapped(inner: ScoreError, spec) -> HessianError:
    """The error with the study file's score_error.hessian in force; BadInput names what is wrong in it."""
    params.only_keys("score_error.hessian", spec, ("kind", "drift", "keep", *(k[0] for k in KINDS.values() if k)))
    params.require("score_error.hessian", spec, ("kind",))
    kind = params.choice("score_error.hessian.kind", spec["kind"], KINDS)
    allowed = ["kind", "drift"] + (["keep"] if kind == "low_rank" else []) + ([KINDS[kind][0]] if KINDS[kind] else [])
    params.only_keys(f"score_error.hessian of kind '{kind}'", spec, allowed)
    size = 0.0
    if KINDS[kind]:
        name, default, low, high, whole = KINDS[kind]
        size = (params.integer if whole else params.number)(f"score_error.hessian.{name}", spec.get(name, default), low, high)
    keep = params.choice("score_error.hessian.keep", spec.get("keep", KEEP[0]), KEEP)
    rebuilt = params.choice("score_error.hessian.drift", spec.get("drift", DRIFTS[0]), DRIFTS) == "rebuilt"
    if kind == "stale" and inner.draws:
        raise BadInput(
            "score_error.hessian.kind = 'stale' does not go with a score error drawn afresh at each evaluation; choose another of the two."
        )
    return HessianError(inner, jnp.asarray(float(size)), kind, keep, rebuilt)
