"""Double well: exp(-(q u^4/4 - a u^2/2 - g u)) in the first coordinate, N(0, 1/k) in the second.

m0 = min(-a, k) moves through all signs with a: log-concave for a <= 0, for a > 0 two wells at about +-sqrt(a/q), parted by
a barrier of a^2/(4q). The score grows like |u|^3, so it is Lipschitz for no a.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np

from dlab import params, process
from dlab.field import ExactField
from dlab.params import Knob
from dlab.pytree import pytree
from dlab.targets.base import Fact, Factors, Facts, Regions, Target, TargetEntry, infinite

DEEP = 60.0  # log-density below its maximum at which the nodes' middle half ends
NODES = 640  # of the quadrature over X_0, in logarithms: where the quartic is far below its maximum no weight underflows
FOLLOW = 24  # nodes that follow a particle where the kernel is narrower than they resolve
OUTSIDE = 1e-3  # mass on each side whose curvature does not count for the steepness
GROWS = infinite("the score grows like |u|³")
NEAREST = 1e-9  # times t below are taken for this one


@pytree(["a", "q", "g"])
@dataclass(frozen=True)
class WellLine:
    """log density of one coordinate, elementwise."""

    a: jax.Array
    q: jax.Array
    g: jax.Array

    def __call__(self, u):
        return -self.q * u**4 / 4 + self.a * u**2 / 2 + self.g * u


@pytree(["well", "k", "nodes"])
@dataclass(frozen=True)
class WellsField(ExactField):
    """well, k: the two coordinates; nodes (NODES,) of the quadrature along the first."""

    well: WellLine
    k: jax.Array
    nodes: jax.Array

    def _along(self, t, x):
        """log p_t up to a constant, first and second derivative along the first coordinate, x (n,), t scalar or (n,)."""
        t = jnp.broadcast_to(jnp.maximum(t, NEAREST), x.shape)[:, None]
        a, v = process.scale(t), process.variance(t)
        z, w = np.polynomial.hermite_e.hermegauss(FOLLOW)
        spacing = self.nodes[1] - self.nodes[0]

        def grid():
            return self.nodes - x[:, None] / a, jnp.zeros(NODES)

        def follow():
            lift = jnp.sqrt(v) / a * z
            return lift, jnp.log(w) + (a * lift) ** 2 / (2 * v) + jnp.log(jnp.sqrt(v) / a / spacing)

        def from_nodes(nodes):
            lift, weight = nodes()
            log = weight + self.well(x[:, None] / a + lift) - (a * lift) ** 2 / (2 * v)
            share = jax.nn.softmax(log, -1)
            mean = jnp.sum(share * lift, -1)
            spread = jnp.sum(share * (lift - mean[:, None]) ** 2, -1)
            scale, noise = a[:, 0], v[:, 0]
            first, second = scale * mean / noise, (scale / noise) ** 2 * spread - 1 / noise
            return jnp.stack([jax.nn.logsumexp(log, -1) - jnp.log(noise) / 2, first, second])

        narrow = v[:, 0] < (1.3 * spacing * a[:, 0]) ** 2
        near = jax.lax.cond(jnp.any(narrow), lambda: from_nodes(follow), lambda: jnp.zeros((3, len(x))))
        far = jax.lax.cond(jnp.all(narrow), lambda: jnp.zeros((3, len(x))), lambda: from_nodes(grid))
        return jnp.where(narrow, near, far)

    def _across(self, t):
        return 1 / (jnp.exp(-t) / self.k + process.variance(t))

    def score(self, t, x):
        return self.score_and_hessian(t, x)[0]

    def hessian(self, t, x):
        return self.score_and_hessian(t, x)[1]

    def score_and_hessian(self, t, x):
        t = jnp.broadcast_to(jnp.reshape(t, (-1, 1))[:, 0], len(x))
        _, first, second = self._along(t, x[:, 0])
        across = self._across(t)
        curved = jnp.stack([second, -across], -1)
        return jnp.stack([first, -across * x[:, 1]], -1), curved[:, :, None] * jnp.eye(2)

    def log_density(self, t, x):
        t = jnp.broadcast_to(jnp.reshape(t, (-1, 1))[:, 0], len(x))
        return self._along(t, x[:, 0])[0] - self._across(t) * x[:, 1] ** 2 / 2


class Wells(Target):
    dim = 2
    words = 3.0 * NODES

    def __init__(self, a, q, g, k):
        self.a, self.q, self.g, self.k = a, q, g, k
        self.well, self.other = WellLine(*map(jnp.asarray, (a, q, g))), WellLine(*map(jnp.asarray, (-k, 0.0, 0.0)))

    @cached_property
    def _line(self):
        """Points of the first coordinate and the distribution function there."""
        wide = np.linspace(-40, 40, 16_001)
        log = -self.q * wide**4 / 4 + self.a * wide**2 / 2 + self.g * wide
        ends = wide[log > log.max() - DEEP][[0, -1]]
        x = np.linspace(*ends, 16_385)
        log = -self.q * x**4 / 4 + self.a * x**2 / 2 + self.g * x
        p = np.exp(log - log.max())
        cdf = np.concatenate([[0.0], np.cumsum((p[1:] + p[:-1]) / 2)])
        return x, cdf / cdf[-1]

    @cached_property
    def field(self):
        x, _ = self._line
        middle, half = (x[0] + x[-1]) / 2, x[-1] - x[0]
        return WellsField(self.well, jnp.asarray(self.k), jnp.linspace(middle - half, middle + half, NODES))

    def log_density(self, x):
        return self.well(x[..., 0]) + self.other(x[..., 1])

    def sample(self, key, n):
        first, second = jax.random.split(key)
        x, cdf = map(jnp.asarray, self._line)
        along = jnp.interp(jax.random.uniform(first, (n,)), cdf, x)
        return jnp.stack([along, jax.random.normal(second, (n,)) / math.sqrt(self.k)], -1)

    @cached_property
    def steepness(self):
        """The steepest -H between the first coordinate's quantiles at OUTSIDE and 1 - OUTSIDE: beyond, where it grows without end, is next
        to no mass."""
        x, cdf = self._line
        inside = x[(cdf > OUTSIDE) & (cdf < 1 - OUTSIDE)]
        return float(max(np.abs(3 * self.q * inside[[0, -1]] ** 2 - self.a).max(), abs(self.a), self.k))

    @cached_property
    def factors(self):
        return Factors(np.eye(2), (self.well, self.other))

    @cached_property
    def regions(self):
        # The critical points of log p_0: the middle one, where there are three, is the top of the barrier.
        roots = np.roots([-self.q, 0.0, self.a, self.g])
        real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
        return Regions(0, (float(real[1]),), ("left well", "right well")) if len(real) == 3 else None

    @cached_property
    def facts(self):
        x, cdf = self._line
        middle, mass = (x[1:] + x[:-1]) / 2, np.diff(cdf)
        mean = float(mass @ middle)
        cov = np.diag([float(mass @ (middle - mean) ** 2), 1 / self.k])
        m0 = Fact(min(-self.a, self.k), "closed form")
        return Facts(2, m0, GROWS, GROWS, GROWS, np.array([mean, 0.0]), cov, True, M2=GROWS)


def from_spec(spec: dict) -> Wells:
    params.require("target", spec, ("a",))
    a = params.number("target.a", spec["a"], -20.0, 8.0)
    q = params.number("target.q", spec.get("q", 1.0), 0.1, 20.0)
    g = params.number("target.g", spec.get("g", 0.0), -5.0, 5.0)
    k = params.number("target.k", spec.get("k", 1.0), 0.05, 20.0)
    return Wells(a, q, g, k)


ENTRY = TargetEntry(
    name="wells",
    title="Double well",
    formula=r"p_0 \propto \exp(-\tfrac q4 u_1^4 + \tfrac a2 u_1^2 + g u_1 - \tfrac k2 u_2^2)",
    keys=("a", "q", "g", "k"),
    from_spec=from_spec,
    knobs=(
        Knob("a", "Repulsion strength a", 2.0, -2.0, 5.0, 0.25, "m₀ = −a: log-concave up to a = 0, two wells above; L₀ = ∞ always."),
        Knob("q", "Confinement q", 1.0, 0.25, 4.0, 0.25, "The quartic part; the barrier is a²/4q."),
        Knob("g", "Tilt g", 0.2, -1.0, 1.0, 0.1, "Makes one well deeper than the other."),
        Knob("k", "Second curvature k", 1.0, 0.3, 4.0, 0.1, "Inverse variance of the second coordinate, which is Gaussian."),
    ),
    from_knobs=lambda knobs: {"name": "wells", **{key: knobs[key] for key in ("a", "q", "g", "k")}},
    to_knobs=lambda spec: {"q": 1.0, "g": 0.0, "k": 1.0, **spec},
    m0="min(−a, k)",
    L0="∞",
)
