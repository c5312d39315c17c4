"""A target in tens of dimensions known by samples and its log-density: the diffused score by self-normalised Monte Carlo.

With w the weights of p_0(theta) N(x; a_t theta, sigma_t^2 I), sums over samples theta_j stand for E[. | X_t = x]:

kernel  s = (a E[theta|x] - x)/sigma^2 over M samples of p_0: the ratio of Gaussian kernels and their derivatives ([YY] app. F). It
        is the exact score of M atoms, so near t = 0 it points from x to the nearest of them, with weight 1/t.
smooth  s = E[s_0(theta)|x]/a over the same samples: bounded by the largest |s_0| of any atom, but no gradient.
local   K samples that follow the particle, of N(mean, cov) given X_t = x, weighted to p_0: none is ever far away. Of the score
        only what departs from that Gaussian's is averaged, r = s_0 + cov^-1 (theta - mean):
        s = s_Gauss + (a I + sigma^2/a cov^-1)^-1 E[r|x], an identity before the sums stand for expectations.
"""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np

from dlab import process
from dlab.field import ExactField
from dlab.pytree import pytree
from dlab.targets import posterior
from dlab.targets.base import UNKNOWN, Fact, Facts, Target

FORMS = {"kernel": 1024, "smooth": 1024, "local": 64}  # with the number of samples where none is given
MOST_ATOMS = posterior.CHAINS // 2 * posterior.DRAWS
SAMPLING = 24_000_000  # particle-steps that cost as much as the sampler with its compiling
PAIRS = 500, 300  # samples times features (times observations for "local") that cost as much as a particle-step in the plane


def _unpacked(packed, d):
    """Symmetric matrices (n, d, d) from their upper triangles (n, d (d + 1)/2)."""
    index = np.zeros((d, d), int)
    i, j = np.triu_indices(d)
    index[i, j] = index[j, i] = np.arange(len(i))
    return packed[:, index]


def _packed(matrices):
    i, j = np.triu_indices(matrices.shape[-1])
    return matrices[..., i, j]


@pytree(["atoms", "first", "second"], meta=["kernel"])
@dataclass(frozen=True)
class AtomsField(ExactField):
    """atoms (M, d). kernel: first is the atoms, second the triangle of theta theta^T, (M, d (d + 1)/2); smooth: first is s_0 at
    them, second the triangle of H_0 + s_0 s_0^T."""

    atoms: jax.Array
    first: jax.Array
    second: jax.Array
    kernel: bool

    def _log(self, t, x):
        a = process.scale(t)
        return (a * x @ self.atoms.T - a**2 * jnp.sum(self.atoms**2, -1) / 2) / process.variance(t)

    def score(self, t, x):
        return self._score(t, x, jax.nn.softmax(self._log(t, x), -1) @ self.first)

    def _score(self, t, x, mean):
        a = process.scale(t)
        return (a * mean - x) / process.variance(t) if self.kernel else mean / a

    def hessian(self, t, x):
        return self.score_and_hessian(t, x)[1]

    def score_and_hessian(self, t, x):
        w = jax.nn.softmax(self._log(t, x), -1)
        mean, d = w @ self.first, x.shape[-1]
        spread = _unpacked(w @ self.second, d) - mean[:, :, None] * mean[:, None, :]
        t2 = jnp.reshape(t, (-1, 1, 1))
        a2, v = jnp.exp(-t2), process.variance(t2)
        H = a2 / v**2 * spread - jnp.eye(d) / v if self.kernel else spread / a2
        return self._score(t, x, mean), H

    def log_density(self, t, x):
        v = process.variance(t)
        return jax.nn.logsumexp(self._log(t, x), -1) - jnp.sum(x**2, -1, keepdims=True)[:, 0] / (2 * jnp.reshape(v, (-1,)))


@pytree(["density", "mean", "values", "vectors", "nodes"])
@dataclass(frozen=True)
class LocalField(ExactField):
    """density: with `derivatives(theta) -> log p_0, s_0, weights`, see `LogisticDensity`; mean (d,), values (d,), vectors (d, d):
    of the Gaussian near p_0; nodes (K, d): standard normals with mean 0 and second moments I."""

    density: object
    mean: jax.Array
    values: jax.Array
    vectors: jax.Array
    nodes: jax.Array

    def _seen(self, t, x):
        """Along the axes of the Gaussian: samples u (n, K, d) about its mean, weights (n, K), r at the samples, and E[r|x]."""
        a, v, var = process.scale(t), process.variance(t), self.values
        total = a**2 * var + v
        middle = a * var / total * ((x - a * self.mean) @ self.vectors)
        u = middle[:, None, :] + jnp.broadcast_to(jnp.sqrt(var * v / total), x.shape)[:, None, :] * self.nodes
        log, s0, _ = self.density.derivatives(self.mean + u @ self.vectors.T)
        w = jax.nn.softmax(log + jnp.sum(u**2 / var, -1) / 2, -1)
        r = s0 @ self.vectors + u / var
        return u, w, r, jnp.einsum("nk,nki->ni", w, r)

    def _score(self, t, x, mean):
        a, v, var = process.scale(t), process.variance(t), self.values
        gauss = -((x - a * self.mean) @ self.vectors) / (a**2 * var + v)
        return (gauss + mean / (a + v / (a * var))) @ self.vectors.T

    def score(self, t, x):
        return self._score(t, x, self._seen(t, x)[3])

    def hessian(self, t, x):
        return self.score_and_hessian(t, x)[1]

    def score_and_hessian(self, t, x):
        u, w, r, mean = self._seen(t, x)
        a, v, var = process.scale(t), process.variance(t), self.values
        # The gradient of E[r|x] is (a/v) Cov(r, theta|x).
        bent = jnp.einsum("nki,nkj->nij", w[..., None] * (r - mean[:, None]), u)
        rate = jnp.broadcast_to(a / v / (a + v / (a * var)), x.shape)[..., None] * bent
        flat = jnp.broadcast_to(-1 / (a**2 * var + v), x.shape)[..., None] * jnp.eye(x.shape[-1])
        H = flat + (rate + jnp.swapaxes(rate, 1, 2)) / 2
        return self._score(t, x, mean), self.vectors @ H @ self.vectors.T


class Sampled(Target):
    """density: pytree, callable (n, d) -> (n,) log p_0, with the derivatives that `LocalField` asks for; m0, L0: facts; known:
    () -> posterior.Chains, called once; form, atoms, seed: which score, of how many samples, drawn how."""

    def __init__(self, density, dim: int, m0: Fact, L0: Fact, known, form: str, atoms: int, seed: int):
        self.density, self.dim, self._m0, self._L0 = density, dim, m0, L0
        self._known, self.form, self.atoms, self.seed = known, form, atoms, seed
        self.setup = SAMPLING
        self.words = 3.0 * atoms * (1 if form != "local" else sum(density.signed.shape))
        self.step_cost = max(1.0, atoms * (dim / PAIRS[0] if form != "local" else density.signed.size / PAIRS[1]))

    @cached_property
    def chains(self) -> posterior.Chains:
        return self._known()

    @cached_property
    def _halves(self):
        """Draws for the score and draws for the target, of different chains, so independent of each other."""
        return [half.reshape(-1, self.dim) for half in np.split(self.chains.draws, 2)]

    @cached_property
    def field(self):
        rng = np.random.default_rng([self.seed, 0xA70])
        if self.form == "local":
            facts = self.facts
            values, vectors = np.linalg.eigh(facts.cov)
            nodes = rng.standard_normal((self.atoms // 2, self.dim))
            nodes = np.concatenate([nodes, -nodes])
            # At unit second moments the Gaussian part of p_0 is integrated exactly.
            if self.atoms >= 2 * self.dim:
                nodes = nodes @ np.linalg.inv(np.linalg.cholesky(nodes.T @ nodes / len(nodes))).T
            return LocalField(self.density, *map(jnp.asarray, (facts.mean, values, vectors, nodes)))
        atoms = jnp.asarray(rng.permutation(self._halves[0])[: self.atoms])
        if self.form == "kernel":
            return AtomsField(atoms, atoms, _packed(atoms[:, :, None] * atoms[:, None, :]), True)
        s0, curved = _at_atoms(self.density, atoms)
        return AtomsField(atoms, s0, curved, False)

    @property
    def unbounded(self):
        return UNBOUNDED if self.form == "kernel" else None

    def log_density(self, x):
        return self.density(x)

    def sample(self, key, n):
        """n draws of the target's chains; different ones while there are enough, else with repetitions."""
        pool = jnp.asarray(self._halves[1])
        return jax.random.choice(key, pool, (n,), replace=n > len(pool))

    @cached_property
    def facts(self):
        pool = self.chains.draws.reshape(-1, self.dim)
        return Facts(
            dim=self.dim, m0=self._m0, L0=self._L0, L_F=UNKNOWN, M1=UNKNOWN, mean=pool.mean(0), cov=np.cov(pool.T), product=False,
            field_error=SAID[self.form].format(atoms=self.atoms, said=self.chains.said),
        )  # fmt: skip


UNBOUNDED = (
    "W₂ is infinite: the random midpoint takes the score at times t arbitrarily close to 0, where the score of finitely many samples "
    "pulls to the nearest one with weight 1/t, and 1/t has no mean."
)
SAID = {
    "kernel": "The score is the exact score of {atoms} samples of the posterior (kernel form): near t = 0 it leads to the "
    "samples and not to their law, so no order in h can be read off. Samples: {said}.",
    "smooth": "The score is a mean of ∇log p₀ over {atoms} samples of the posterior, which are too far apart for it near t = 0. "
    "Samples: {said}.",
    "local": "The score is a mean over {atoms} weighted samples that follow the particle, about the Gaussian with the posterior's "
    "mean and covariance; these and the target's samples are from {said}.",
}  # fmt: skip


@jax.jit
def _at_atoms(density, atoms):
    _, s0, curved = density.derivatives(atoms)
    # In pieces: the Hessians of all atoms at once would take too much memory.
    second = jax.lax.map(
        lambda both: _packed(density.hessian(both[1][None])[0] + jnp.outer(both[0], both[0])), (s0, curved), batch_size=256
    )
    return s0, second
