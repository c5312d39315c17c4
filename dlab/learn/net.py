"""A network for the score of a law in few dimensions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from dlab.learn.train import LEAST

TIMES = 3  # features of t


class Perceptron(eqx.Module):
    """The score of the Gaussian fitted to the samples, and what a perceptron adds to it.

    In the coordinates y in which that Gaussian has p_t ~ N(0, I), s = -y + e^{-t} N(features(t), y): what is not Gaussian fades
    at least as fast. Below the smallest trained time the perceptron is held still, so the score stays bounded as t -> 0.
    Smooth in t and x. axes (d, d) columns, mean and var (d,): the Gaussian; weights, biases: the layers.
    """

    weights: list
    biases: list
    mean: jax.Array
    axes: jax.Array
    var: jax.Array

    def __call__(self, t, x):
        """The score at t, a scalar or (n, 1), and x (n, d), in their precision."""
        mean, axes, var = (jax.lax.stop_gradient(v).astype(x.dtype) for v in (self.mean, self.axes, self.var))
        t = jnp.asarray(t, x.dtype)
        left = jnp.exp(-t)
        root = jnp.sqrt(left * var - jnp.expm1(-t))
        y = ((x - jnp.exp(-t / 2) * mean) @ axes) / root
        late = jnp.maximum(t, LEAST)
        times = jnp.stack([jnp.exp(-late), jnp.sqrt(-jnp.expm1(-late)), jnp.log(late) / 4], -1).reshape(-1, TIMES)
        inside = jnp.concatenate([y, jnp.broadcast_to(times, (len(x), TIMES))], -1)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1]):
            inside = jax.nn.silu(inside @ weight.astype(x.dtype) + bias.astype(x.dtype))
        added = inside @ self.weights[-1].astype(x.dtype) + self.biases[-1].astype(x.dtype)
        return ((left * added - y) / root) @ axes.T


def perceptron(samples, *, width: int, depth: int, seed: int) -> Perceptron:
    """An untrained network with `depth` hidden layers: exactly the score of the Gaussian fitted to samples (n, d), n > d."""
    samples = np.asarray(samples, float)
    d = samples.shape[1]
    var, axes = np.linalg.eigh(np.cov(samples.T).reshape(d, d))
    # Few samples may lie on a line or a point.
    var = np.maximum(var, 1e-6 * max(var.max(), 1e-6))
    sizes = [d + TIMES, *[width] * depth, d]
    random = np.random.default_rng(seed)
    weights = [random.standard_normal((m, n)) / np.sqrt(m) for m, n in zip(sizes, sizes[1:])]
    weights[-1] *= 0
    found = Perceptron(weights, [np.zeros(n) for n in sizes[1:]], samples.mean(0), axes, var)
    return jax.tree.map(lambda v: jnp.asarray(v, jnp.float32), found)
