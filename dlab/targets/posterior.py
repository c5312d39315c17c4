"""Samples of a smooth log-concave posterior in tens of dimensions: the no-U-turn sampler (blackjax), checked.

The chains run in coordinates in which the Laplace approximation is N(0, I), from starts twice as wide. Nothing is left to adapt
there: the metric is I, and STEP d^(-1/4) the step size of Hamiltonian Monte Carlo on a standard normal law. LAPACK stays outside
of compiled code (see linop).
"""

from dataclasses import dataclass
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np

CHAINS = 32  # half of them are the score's atoms, the other half stands for the target
WARM = 300  # steps of each chain that are thrown away
DRAWS = 640  # steps of each chain that are kept
STEP = 1.0


@dataclass(frozen=True)
class Chains:
    """draws (CHAINS, DRAWS, d); rhat: the largest Gelman-Rubin statistic of any coordinate; ess: the smallest effective number
    of draws, all chains together; accepted: mean acceptance; divergences: trajectories whose energy went astray."""

    draws: np.ndarray
    rhat: float
    ess: float
    accepted: float
    divergences: int

    @property
    def said(self) -> str:
        """What a reader must know of the sampler, in one clause."""
        return (
            f"NUTS, {CHAINS} chains of {DRAWS} draws after {WARM} of warm-up: R̂ ≤ {self.rhat:.4f}, effective sample size ≥ "
            f"{self.ess:,.0f}, acceptance {self.accepted:.2f}, {self.divergences} divergent trajectories"
        )


def mode(density, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """The maximiser (d,) of a strongly log-concave density, a pytree callable (n, d) -> (n,), and -Hessian there, (d, d), by
    damped Newton steps."""
    x = np.zeros(dim)
    for _ in range(100):
        g = np.asarray(_slope(density, x))
        step = np.linalg.solve(-np.asarray(_bend(density, x)), g)
        if g @ step < 1e-24:
            break
        size, here = 1.0, float(_value(density, x))
        while float(_value(density, x + size * step)) < here + 1e-4 * size * (g @ step) and size > 1e-9:
            size /= 2
        x = x + size * step
    return x, -np.asarray(_bend(density, x))


def _one(density, x):
    return density(x[None])[0]


_value, _slope, _bend = jax.jit(_one), jax.jit(jax.grad(_one, argnums=1)), jax.jit(jax.hessian(_one, argnums=1))


def sample(density, centre, precision, seed: int) -> Chains:
    """Chains of the law with log-density `density`; centre (d,) its mode, precision (d, d) minus its Hessian there."""
    values, vectors = np.linalg.eigh(precision)
    root = vectors / np.sqrt(values)
    z, accepted, divergent = map(np.asarray, _run(density, jnp.asarray(centre), jnp.asarray(root), jax.random.key(seed)))
    diagnostics = import_module("blackjax.diagnostics")
    return Chains(
        draws=centre + z @ root.T,
        rhat=float(np.max(diagnostics.potential_scale_reduction(z))),
        ess=float(np.min(diagnostics.effective_sample_size(z))),
        accepted=float(accepted.mean()),
        divergences=int(divergent.sum()),
    )


@jax.jit
def _run(density, centre, root, key):
    # blackjax takes a second to import, and most sessions never sample a posterior.
    blackjax = import_module("blackjax")

    dim = len(centre)
    sampler = blackjax.nuts(lambda z: _one(density, centre + root @ z), STEP * dim**-0.25, jnp.ones(dim))

    def chain(key):
        first, run = jax.random.split(key)

        def one(state, key):
            state, info = sampler.step(key, state)
            return state, (state.position, info.acceptance_rate, info.is_divergent)

        state = sampler.init(2 * jax.random.normal(first, (dim,)))
        found = jax.lax.scan(one, state, jax.random.split(run, WARM + DRAWS))[1]
        return jax.tree.map(lambda v: v[WARM:], found)

    return jax.vmap(chain)(jax.random.split(key, CHAINS))
