"""Training a score network by denoising or by sliced score matching. It knows nothing of network or dimension.

With X_t = a_t X_0 + sigma_t Z both methods minimise, over the network s and averaged over t,

    denoising   E |sigma_t s(t, X_t) + Z|^2                                          (Vincent 2011)
    sliced      E [ 2 sigma_t^2 v^T (ds/dx) v + sigma_t^2 |s|^2 ] + d                (Song et al. 2019, eq. 8)

v random signs, one probe a point (Hutchinson). For any s the two are equal (integrate by parts), and exceed their least
value by E sigma_t^2 |s - grad log p_t|^2, p_t the law of X_t for the X_0 that it is given: the samples' own smoothed law, if
these are few. Times are drawn log-uniformly, so that small t is covered: weight times density is sigma_t^2/t, about 1 for t < 1.

Each sample gives the pair a X_0 +- sigma Z: the opposite targets -+Z/sigma cancel to first order in sigma, so the gradient
stays quiet as t -> 0 where that of a single point grows like 1/sigma.

Another network: any pytree of arrays that can be called as net(t, x) -> score, t (n, 1), x (n, d), in single precision; an
equinox module for instance. One that predicts the noise returns -noise/sigma_t, one for the posterior mean m (a m - x)/sigma^2.
    done = train(net, samples, method="denoising", updates=4000, batch=256, rate=1e-3, T=4.0, seed=0)
    score = done.net(t, x)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from dlab import process
from dlab.params import BadInput

LEAST = 1e-3  # smallest time that is trained
CHUNK = 100  # updates between two looks at the host
WARM = 100  # updates over which the rate rises
HELD = 2048  # points of the loss on samples that are not trained on


def _denoising(net, t, x, z, key):
    return jnp.sum((jnp.sqrt(process.variance(t)) * net(t, x) + z) ** 2, -1)


def _sliced(net, t, x, z, key):
    probe = jax.random.rademacher(key, x.shape, x.dtype)
    s, along = jax.jvp(lambda x: net(t, x), (x,), (probe,))
    return process.variance(t)[:, 0] * (2 * jnp.sum(probe * along, -1) + jnp.sum(s**2, -1)) + x.shape[-1]


METHODS = {"denoising": _denoising, "sliced": _sliced}
# Adam's direction; the rate is traced, so that the number of updates recompiles nothing.
_ADAM = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b2=0.99))


@dataclass(frozen=True)
class Trained:
    """A network after `step` of `updates`; what a further run needs to go on exactly.

    net: as given, trained   state: the optimiser's   losses (k, 3): update, loss over the CHUNK before it, loss on samples
    that were held back (nan where there are none)
    """

    net: object
    state: object
    step: int
    updates: int
    losses: np.ndarray

    @property
    def done(self) -> bool:
        return self.step >= self.updates


def losses(net, method: str, t, x0, z, key):
    """The loss at each point a x0 + sigma z, (n,); t (n, 1), x0 and z (n, d), key draws the probes of "sliced"."""
    x = process.scale(t) * x0 + jnp.sqrt(process.variance(t)) * z
    return METHODS[method](net, t, x, z, key)


def _loss(net, method, x0, key, T):
    """Mean over pairs a x0 +- sigma z, one for each of x0 (n, d)."""
    time, noise, probe = jax.random.split(key, 3)
    n, kind = len(x0), x0.dtype
    place = (jnp.arange(n, dtype=kind)[:, None] + jax.random.uniform(time, (n, 1), kind)) / n
    t = LEAST * (T / LEAST) ** place
    z = jax.random.normal(noise, x0.shape, kind)
    both = jnp.concatenate
    return jnp.mean(losses(net, method, both([t, t]), both([x0, x0]), both([z, -z]), probe))


@eqx.filter_jit
def _advance(net, state, samples, held, method, batch, rate, T, updates, key, first, count):
    """`count` <= CHUNK updates from update `first`; what is counted is traced, and each update has the key of its number."""
    params, rest = eqx.partition(net, eqx.is_inexact_array)

    def update(i, carry):
        params, state, total = carry
        step = first + i
        pick, draw = jax.random.split(jax.random.fold_in(key, step))
        x0 = samples[jax.random.randint(pick, (batch,), 0, len(samples))]
        loss, slope = jax.value_and_grad(lambda p: _loss(eqx.combine(p, rest), method, x0, draw, T))(params)
        direction, state = _ADAM.update(slope, state)
        now = rate * jnp.minimum(1.0, (step + 1) / WARM) * (1 + jnp.cos(jnp.pi * step / updates)) / 2
        params = jax.tree.map(lambda p, d: p - now.astype(p.dtype) * d, params, direction)
        return params, state, total + loss

    params, state, total = jax.lax.fori_loop(0, count, update, (params, state, jnp.zeros((), samples.dtype)))
    net = eqx.combine(params, rest)
    aside = jnp.nan if held is None else _loss(net, method, held, _aside(key, updates), T)
    return net, state, total / count, aside


def _aside(key, updates):
    # One draw for all: the second curve moves because the network does.
    return jax.random.fold_in(key, jnp.asarray(updates, jnp.uint32))


def held_loss(score, held, *, method: str, updates: int, T: float, seed: int) -> float:
    """The loss that `train` tells of the samples `held` (m, d), of any score(t, x), by the same draws."""
    held = jnp.asarray(held, jnp.float32)[:HELD]
    return float(jax.jit(lambda x: _loss(score, method, x, _aside(jax.random.key(seed), updates), T))(held))


def begin(net, updates: int) -> Trained:
    """The network before its first update, in single precision."""
    net = jax.tree.map(lambda v: v.astype(jnp.float32) if eqx.is_inexact_array(v) else v, net)
    return Trained(net, _ADAM.init(eqx.filter(net, eqx.is_inexact_array)), 0, updates, np.zeros((0, 3)))


def train(
    net,
    samples,
    *,
    method: str,
    updates: int,
    batch: int,
    rate: float,
    T: float,
    seed: int,
    held=None,
    tick: Callable[[float, np.ndarray], None] = lambda done, losses: None,
    keep: Callable[[Trained], None] = lambda trained: None,
    resume: Trained | None = None,
) -> Trained:
    """Train `net` on samples (n, d) of p_0 for times in [LEAST, T].

    batch: samples of an update, 2 points each   rate: Adam's step size, after a short rise, falls to 0 like a cosine
    held (m, d): samples for the second loss curve   tick(share done, Trained.losses), after every CHUNK updates, may
    raise to cancel; keep(Trained) then gets what there is, and `resume` goes on from it: on one machine the result is bitwise
    that of a run that was never cancelled. BadInput where the loss is no longer finite.
    """
    if method not in METHODS:
        raise BadInput(f"method = {method!r} is unknown; choose one of {', '.join(METHODS)}.")
    samples = jnp.asarray(samples, jnp.float32)
    held = None if held is None else jnp.asarray(held, jnp.float32)[:HELD]
    now = resume or begin(net, updates)
    key, traced = jax.random.key(seed), [jnp.asarray(v, jnp.float32) for v in (rate, T, updates)]
    try:
        while not now.done:
            # Before the first update there is a loss on held samples alone.
            count = 0 if held is not None and not len(now.losses) else min(CHUNK, updates - now.step)
            net, state, loss, aside = _advance(
                now.net, now.state, samples, held, method, batch, *traced, key, jnp.asarray(now.step), jnp.asarray(count)
            )
            row = np.array([[now.step + count, float(loss), float(aside)]])
            if count and not math.isfinite(row[0, 1]):
                raise BadInput(f"The training's loss is no longer finite after update {now.step}; take another seed or method.")
            now = Trained(net, state, now.step + count, updates, np.concatenate([now.losses, row]))
            tick(now.step / updates, now.losses)
    except BaseException:
        keep(now)
        raise
    return now
