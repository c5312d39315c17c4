"""Where the reverse drift pushes points apart: how far a step of SO lets that grow, what its products cost, and a step control.

Where data cluster, the drift's Jacobian L has large positive eigenvalues lambda: a point between two images is driven to one of
them, and SO, which takes L as constant over a step, lets distances and noise grow by e^{h lambda}. That is its formula, met honestly;
but L changes long before, so beyond a few e-folds a step means nothing. With a limit, a step is cut so that h lambda stays below
it for all particles; the pieces' noise adds up to that of the whole step (a Brownian bridge).
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from dlab.noise import StepNoise
from dlab.pytree import pytree

PIECES = 64  # of one step at most
LOOK = 4  # products that look for the largest eigenvalue; a piece that is not cut has them for its noise


@pytree(["products", "pieces", "growth", "missed"])
@dataclass(frozen=True)
class Spent:
    """What the steps of a run cost and met.

    products, pieces (N,)   Hessian-vector products of a particle, and pieces taken, of each step
    growth (N, n)           largest h lambda that a particle met        missed   largest estimated error of a map of L
    """

    products: jax.Array
    pieces: jax.Array
    growth: jax.Array
    missed: jax.Array

    @staticmethod
    def none(steps: int, x) -> "Spent":
        return Spent(jnp.zeros(steps), jnp.zeros(steps), jnp.full((steps, len(x)), -jnp.inf), jnp.zeros(()))

    def after(self, i, one: "Spent") -> "Spent":
        """With step i, which cost `one`."""
        return Spent(
            self.products.at[i].set(one.products[0]), self.pieces.at[i].set(one.pieces[0]),
            self.growth.at[i].set(one.growth[0]), jnp.maximum(self.missed, one.missed),
        )  # fmt: skip


def merged(parts: list[Spent], steps: int) -> Spent:
    """Of the chunks of one run."""
    along = (np.concatenate([np.asarray(getattr(p, k)) for p in parts])[:steps] for k in ("products", "pieces", "growth"))
    return Spent(*along, float(max(p.missed for p in parts)))


def tallied(parts: dict, h) -> dict:
    """A step's parts with its operator's record as one `Spent`."""
    return parts | {"spent": _summed(parts["spent"], h)} if "spent" in parts else parts


def _summed(records, h):
    tops = [r.top for r in records if r.top is not None]
    return Spent(
        jnp.reshape(sum(r.products for r in records), (1,)).astype(float), jnp.ones(1),
        h * jnp.max(jnp.stack(tops), 0)[None], jnp.max(jnp.stack([jnp.asarray(r.missed, float) for r in records])),
    )  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """A field asked once."""

    answer: tuple

    def local(self, t, x):
        return self.answer


def parts(scheme, field, t, t_next, x, noise: StepNoise, limit, key) -> dict:
    """The parts of a step of a scheme that takes one score and L, in as many pieces as the limit on h lambda asks for;
    its own step where L is a matrix."""
    h = t - t_next
    if "spent" not in jax.eval_shape(lambda x: tallied(scheme.advance(field, t, t_next, x, replace(noise))[0], h), x):
        return scheme.advance(field, t, t_next, x, noise)[0]
    whole = jnp.sqrt(h) * noise.normals[0]

    def unfinished(state):
        return state[1] > 0

    def body(state):
        y, left, rest, key, spent = state
        now = t_next + left
        key, own = jax.random.split(key)
        fresh = jax.random.normal(own, y.shape, y.dtype)
        s, L, M = field.local(now, y)
        # The draw's own memory is free again before a basis takes most of it.
        top, begun = L.begin(rest + 0 * fresh, LOOK)
        most = jnp.max(jnp.where(jnp.isfinite(top), top, -jnp.inf))
        piece = jnp.where(most > 0, jnp.maximum(limit / jnp.maximum(most, 1e-12), h / PIECES), h)
        piece = jnp.where(piece > left * (1 - 1e-6), left, piece)
        increment = piece / left * rest + jnp.sqrt(piece * (left - piece) / left) * fresh
        # Where nothing is cut, the noise is what has just been looked at.
        known = _Known((s, replace(L, begun=replace(begun, same=piece == left)), M))
        noise = StepNoise(piece, increment[None] / jnp.sqrt(piece))
        found = tallied(scheme.advance(known, now, now - piece, y, noise)[0], piece)
        one = found.pop("spent")
        return scheme.total(y, found), left - piece, rest - increment, key, Spent(
            spent.products + one.products, spent.pieces + 1, jnp.maximum(spent.growth, one.growth),
            jnp.maximum(spent.missed, one.missed),
        )  # fmt: skip

    h = jnp.asarray(h, x.dtype)
    y, *_, spent = jax.lax.while_loop(unfinished, body, (x, h, whole, key, Spent.none(1, x)))
    return {"drift": y - x, "spent": spent}
