"""The score that a network has learned from samples of the target: e = network - s, whatever that is.

SO's operator is the network's own, L* = I/2 + (J + J^T)/2 with J = d(network)/dx, which no network makes symmetric by itself.
For M* there are two honest choices: the definition with the network in place of s, or x/4 - L* gamma*, equal to it for an exact
score alone. This is the second, as the sampler of [YY] App. G has it: the first takes second derivatives in x and one in t of
a network that was trained for neither. Its error is at most |L| |e| + |L* - L| |gamma*|, and is measured with the others.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from dlab import fingerprint, learn, params
from dlab.cache import Cache
from dlab.errors.base import ErrorEntry, ScoreError
from dlab.learn import Trained
from dlab.linop import Dense, Products, Residual
from dlab.pytree import pytree

if TYPE_CHECKING:
    from dlab.targets import Target

BATCH, RATE = 512, 3e-3
HORIZON = 10.0  # the largest time that is trained: beyond it less than e^{-10} of the network is left in the score
HELD = 2048  # samples of the second loss curve
MOST_DIM, MOST_PIXELS = 64, 1024  # where L is a matrix, and where products are all that is asked for
CACHE = Cache("learned", memory=32, files=200)
DEFAULT = {"method": "denoising", "samples": 20_000, "width": 64, "depth": 2, "updates": 2000, "seed": 0}
RANGES = {"samples": (2, 1_000_000), "width": (1, 512), "depth": (1, 8), "updates": (1, 100_000), "seed": (0, 2**31 - 1)}
# In particle-steps: what compiling costs, and the multiplications of weights that cost as much as one.
COMPILING, PER_STEP = 6_000_000, 2000
EVALUATED = 3000  # weights whose evaluation in a run doubles the cost of a particle-step
SAID = "SO's Hessian is the network's own Jacobian, made symmetric; M is x/4 − Lγ with it and the network's score."


@pytree(["net", "hessian_level", "drift_level"])
@dataclass(frozen=True)
class LearnedError(ScoreError):
    """s* = net(t, x); hessian_level and drift_level come on top of the network's own errors of L and M."""

    affine = False
    hessian_changed = True
    said = SAID

    net: learn.Perceptron
    hessian_level: jax.Array
    drift_level: jax.Array

    @property
    def cost(self):
        return 1 + sum(w.size for w in self.net.weights) / EVALUATED

    def shift(self, t, x, s, z):
        return self.net(t, x) - s

    def local(self, exact, t, x, z):
        s, slope = jax.linearize(lambda x: self.net(t, x), x)
        if exact.by_products:
            # A product is one pass forwards through the network and one back.
            back = jax.linear_transpose(slope, x)
            L = Products(lambda v: (v + slope(v) + back(v)[0]) / 2)
            M, v = Residual(x / 4, x / 2 + s), self.direction(x)
            return s, L.plus(self.hessian_level, v), M + self.drift_level * v
        J = jax.vmap(lambda e: slope(jnp.broadcast_to(e, x.shape)), out_axes=-1)(jnp.eye(x.shape[-1], dtype=x.dtype))
        L = Dense((jnp.eye(x.shape[-1]) + J + jnp.swapaxes(J, 1, 2)) / 2)
        M, v = x / 4 - L.apply(x / 2 + s), self.direction(x)
        return s, L.plus(self.hessian_level, v), M + self.drift_level * v

    def defined_drift(self, t, x):
        """M by its definition, 1/2 sum_j d_jj s* - d_t s*, (n, d); t a scalar."""

        def twice(e):
            e = jnp.broadcast_to(e, x.shape)
            return jax.jvp(lambda x: jax.jvp(lambda x: self.net(t, x), (x,), (e,))[1], (x,), (e,))[1]

        later = jax.jvp(lambda t: self.net(t, x), (t,), (jnp.ones_like(t),))[1]
        return jax.vmap(twice)(jnp.eye(x.shape[-1], dtype=x.dtype)).sum(0) / 2 - later


@dataclass(frozen=True)
class Training:
    """How a network is trained: the keys of DEFAULT, the target that its samples are of, and the name of what is kept of it."""

    spec: dict
    target: "Target"
    name: str

    @property
    def weights(self) -> int:
        d, width, depth = self.target.dim, self.spec["width"], self.spec["depth"]
        return width * (2 * d + learn.TIMES + width * (depth - 1))

    @property
    def price(self) -> int:
        """What is left of it, in particle-steps."""
        passes = 2 * BATCH * {"denoising": 1, "sliced": 2}[self.spec["method"]]
        found = self.kept()
        left = self.spec["updates"] - (found.step if found else 0)
        return COMPILING + left * passes * self.weights // PER_STEP if left else 0

    def kept(self) -> Trained | None:
        """The training, finished or cancelled, as far as it is kept."""
        d, like = self.target.dim, None
        for name in (self.name, self.name + ".part"):
            if (data := CACHE.load(name)) is None:
                continue
            like = like or learn.begin(self._network(np.eye(d + 1, d)), self.spec["updates"])
            with suppress(learn.Checkpoint):
                return learn.unpacked(data, like, self.spec)
        return None

    def read(self) -> bytes | None:
        """The file of the finished training, where it is kept."""
        return CACHE.load(self.name)

    def adopt(self, data: bytes) -> None:
        """Keep the file of a finished training that came from elsewhere."""
        CACHE.keep(self.name, data, fingerprint.modules_of(learn.train, self.target))

    def _keep(self, name, trained):
        CACHE.keep(name, learn.packed(trained, self.spec), fingerprint.modules_of(learn.train, self.target))

    def train(self, tick: Callable[[float, np.ndarray], None] = lambda done, losses: None, again: bool = False) -> Trained:
        """Go on from what is kept, or start `again`; the network is kept. tick(share done, losses so far) may raise to cancel, and
        a checkpoint is kept."""
        found = None if again else self.kept()
        if found and found.done:
            return found
        spec, key = self.spec, jax.random.key(self.spec["seed"])
        samples = self.target.sample(key, spec["samples"])
        done = learn.train(
            self._network(samples), samples, method=spec["method"], updates=spec["updates"], batch=BATCH, rate=RATE, T=HORIZON,
            seed=spec["seed"], held=self._held(), tick=tick, resume=found,
            keep=lambda trained: self._keep(self.name + ".part", trained),
        )  # fmt: skip
        self._keep(self.name, done)
        return done

    def least(self) -> float:
        """The loss on fresh samples that the exact score has: what is above it is the network's error."""
        spec, exact = self.spec, self.target.fast_field

        def score(t, x):
            return exact.score(t.astype(float), x.astype(float)).astype(x.dtype)

        return learn.held_loss(score, self._held(), method=spec["method"], updates=spec["updates"], T=HORIZON, seed=spec["seed"])

    def _held(self):
        return self.target.sample(jax.random.fold_in(jax.random.key(self.spec["seed"]), 1), HELD)

    def _network(self, samples):
        return learn.perceptron(samples, width=self.spec["width"], depth=self.spec["depth"], seed=self.spec["seed"])


@dataclass(frozen=True)
class Untrained(ScoreError):
    """A score whose network is still to be trained."""

    affine = False
    hessian_changed = True
    said = SAID
    ready = False

    training: Training
    hessian_level: jax.Array
    drift_level: jax.Array

    @property
    def price(self) -> int:
        return self.training.price

    @property
    def cost(self):
        return 1 + self.training.weights / EVALUATED

    def prepared(self, tick=lambda done: None):
        return _learned(self.training.train(lambda done, losses: tick(done)), self.hessian_level, self.drift_level)

    def shift(self, t, x, s, z):
        raise params.BadInput("The network of this score error has not been trained; train it on the page “Learned score”.")

    def local(self, exact, t, x, z):
        return self.shift(t, x, None, z)


def training(spec: dict, target: "Target", of: dict | None) -> Training:
    """The training that a `score_error` object of a study file asks for."""
    if not isinstance(of, dict):
        raise params.BadInput(
            "score_error.name = 'learned' needs a target of the registry, under whose name its network is kept; make yours one "
            "(docs/ARCHITECTURE.md, “Add a target”)."
        )
    most = MOST_PIXELS if target.dim > MOST_DIM and target.field.by_products else MOST_DIM
    if target.dim > most:
        raise params.BadInput(f"score_error.name = 'learned' takes up to {most} dimensions and the target has {target.dim}.")
    given = {**DEFAULT, **{k: v for k, v in spec.items() if k in DEFAULT}}
    found = {"method": params.choice("score_error.method", given["method"], learn.METHODS)}
    found |= {k: params.integer(f"score_error.{k}", given[k], *ends) for k, ends in RANGES.items()}
    text = json.dumps([of, found, BATCH, RATE, HORIZON, HELD], sort_keys=True, allow_nan=False)
    return Training({"target": of, **found}, target, hashlib.sha256(text.encode()).hexdigest()[:32] + ".net.npz")


def from_spec(spec, hessian_level, drift_level, target, of):
    asked = training(spec, target, of)
    found = asked.kept()
    if found and found.done:
        return _learned(found, hessian_level, drift_level)
    return Untrained(asked, hessian_level, drift_level)


def _learned(trained, hessian_level, drift_level):
    return LearnedError(jax.tree.map(lambda v: v.astype(float), trained.net), hessian_level, drift_level)


ENTRY = ErrorEntry(
    "learned", "Learned from samples", r"s^* = \text{network}(t, x)", tuple(DEFAULT), from_spec, (), of_target=True, page="learned"
)
