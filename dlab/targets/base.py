"""What a target is to the lab: its density and scores, the constants known of it, and its entry in the registry."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dlab import linop, process
from dlab.field import ExactField
from dlab.params import BadInput, Knob

ENDLESS = ("infinite", "minus infinity")


@dataclass(frozen=True)
class Fact:
    """A number with the way it was obtained: "closed form", "proven bound", "numerical ...", "given";
    value None where it is unknown, or infinite: then `how` begins with one of ENDLESS and says why."""

    value: float | None
    how: str

    @property
    def infinite(self) -> bool:
        return self.value is None and self.how.startswith(ENDLESS)


UNKNOWN = Fact(None, "unknown")


def infinite(why: str) -> Fact:
    """A constant that no number bounds, with the reason."""
    return Fact(None, f"{ENDLESS[0]}: {why}")


def endless_below(why: str) -> Fact:
    """An m0 of minus infinity, with the reason: along some direction -Hess log p_0 falls without end."""
    return Fact(None, f"{ENDLESS[1]}: {why}")


@dataclass(frozen=True)
class Facts:
    """What theorems and figures need to know of a target.

    m0    strong log-concavity: -Hess log p_0 >= m0 I      L0    Lipschitz constant of the score at t = 0
    L_F   Lipschitz constant of H in Frobenius norm, all t  M1    sup |d_t s| / (1 + |x|)
    M2    sup |d_t H| / (1 + |x|), operator norm
    mean (d,), cov (d, d) of p_0, or its diagonal (d,); product: a product of 1-D laws in some rotated axes
    field_error: how far the fast field is from the oracle, a sentence; None where they are one
    """

    dim: int
    m0: Fact
    L0: Fact
    L_F: Fact
    M1: Fact
    mean: np.ndarray
    cov: np.ndarray
    product: bool
    field_error: str | None = None
    M2: Fact = UNKNOWN

    @cached_property
    def second_moment(self) -> float:
        """E|X_0|^2, the square of the ||X_0|| of the theorems."""
        return float(self.mean @ self.mean + np.sum(self.cov if self.cov.ndim == 1 else np.diag(self.cov)))

    def std(self, t: float = 0.0) -> float:
        """Largest standard deviation of p_t in any direction."""
        top = np.max(self.cov) if self.cov.ndim == 1 else np.linalg.eigvalsh(self.cov)[-1]
        return float(np.sqrt(np.exp(-t) * top - np.expm1(-t)))


@dataclass(frozen=True)
class Regions:
    """Parts of the space whose mass a scheme may get wrong: intervals between `cuts` (ascending) of one coordinate.

    coordinate   the column of `Factors.axes` along which they lie      names   one more than cuts
    """

    coordinate: int
    cuts: tuple[float, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Factors:
    """p_0 as a product: axes (d, d), a direction in each column; densities: for each a pytree, callable
    (n,) -> (n,), log p_0 along it up to a constant. Equal coordinates share one object.

    A density that may be too rough or too narrow for a grid has two methods more: `diffused(t, x)`, the log of p_t up to a
    constant with its first and second derivative (3, n), and `quantile(u)` of p_0; its narrowest `width` where it has one; and
    `span(reach)`, its ends, where they are nearer than its variance tells.
    """

    axes: np.ndarray
    densities: tuple


class Target:
    """A law p_0 on R^d. Subclasses give `dim`, `log_density`, `sample`, `field` and `facts`.

    step_cost: what a step of a particle costs, in steps of one in the plane; setup: and what has to be made before the first.
    words: doubles that a score keeps of a particle at once, beside a few vectors.
    They price a run, no more.
    paired: whether schemes run beside a reference on the same Brownian path; where not, clouds are compared with p_0 itself.
    """

    dim: int
    step_cost: float = 1.0
    setup: int = 0
    words: float = 0.0
    paired = True

    def log_density(self, x):
        """log p_0 up to a constant; x (n, d) -> (n,)."""
        raise NotImplementedError

    def sample(self, key, n: int):
        """n independent exact samples, (n, d)."""
        raise NotImplementedError

    @cached_property
    def field(self) -> ExactField:
        """The exact diffused score and Hessian, double precision."""
        raise NotImplementedError

    @cached_property
    def fast_field(self) -> ExactField:
        """What simulations use: the exact field, or a table of it whose error the facts state."""
        return self.field

    @cached_property
    def factors(self) -> Factors | None:
        """p_0 as a product of laws on the line; None where it is none or is not known to be one."""
        return None

    @cached_property
    def regions(self) -> Regions | None:
        """Modes, or inside and outside of a support, of a product target; None where it has none to lose."""
        return None

    @property
    def unbounded(self) -> str | None:
        """Why W2 of a scheme with a random midpoint is infinite here, a sentence; None where it is not."""
        return None

    @property
    def steepness(self) -> float | None:
        """How steep the score is where the mass is: a step is fine if short against its inverse. None where it is not known."""
        return self.facts.L0.value

    @property
    def along_axes(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Variances and mean (d,) along the principal axes of a Gaussian; None of any other target."""
        return None

    def effort(self, scheme) -> float:
        """What a particle-step of a scheme costs beside one in the plane."""
        return 1.0

    @cached_property
    def facts(self) -> Facts:
        raise NotImplementedError


@dataclass(frozen=True)
class TargetEntry:
    """One line of the registry.

    keys     what its object in a study file may have beside "name"; others are refused before from_spec sees them
    from_spec(spec) -> Target   reads that object, BadInput where it is wrong
    knobs, from_knobs(values) -> spec   the scalars that the app offers for it
    to_knobs(spec) -> values   the way back, which need not fit: the caller checks it
    planar   whether it lives in the plane, where the pages draw it
    m0, L0   how these constants follow from the keys, for tables
    example  an object that tests build; that of the knobs' defaults where none is given
    """

    name: str
    title: str
    formula: str
    keys: tuple[str, ...]
    from_spec: Callable[[dict], Target]
    knobs: tuple[Knob, ...]
    from_knobs: Callable[[dict[str, Any]], dict]
    to_knobs: Callable[[dict], dict[str, float]] | None = None
    planar: bool = True
    m0: str = "measured"
    L0: str = "measured"
    example: dict | None = field(default=None, hash=False)

    def __post_init__(self):
        if self.example is None:
            object.__setattr__(self, "example", self.from_knobs({knob.name: knob.default for knob in self.knobs}))

    def knobs_of(self, spec: dict) -> dict[str, float] | None:
        """The knobs that give this very spec, None where none do."""
        if self.to_knobs is None:
            return None
        try:
            values = self.to_knobs(spec)
            values = {k.name: k.read(values[k.name]) for k in self.knobs}
            return values if _same(self.from_knobs(values), spec) else None
        except (BadInput, LookupError, TypeError, ValueError):
            return None


def _same(a, b) -> bool:
    """Equal up to rounding, through dicts and lists."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(_same, a, b))
    return a == b if isinstance(a, str) else abs(a - b) <= 1e-9 * max(1.0, abs(a))


NODES, ZOOM = 61, 17  # points a side of the box, and of the four cells around the point where something is largest


@jax.jit
def _third_derivatives(field: ExactField, mean, axes, var, t):
    """Finite differences of H over a box in (t, x): at each time the sup of |D^3 log p_t|, of |d_t s|/(1+|x|) and of
    |d_t H|/(1+|x|), and the extreme eigenvalues of -H. axes (2, 2) columns, var (2,): principal axes and variances of p_0."""

    def square(half, nodes):
        y = jnp.linspace(-half, half, nodes)
        return jnp.stack(jnp.meshgrid(y, y, indexing="ij"), -1).reshape(-1, 2)

    plane, step = square(5.0, NODES), 1e-3
    near = square(10.0 / (NODES - 1), ZOOM)

    def at(t):
        a2, noise = jnp.exp(-t), process.variance(t)
        spread = a2 * var + noise
        size = step * jnp.sqrt(jnp.sum(spread))
        later = LATER * (1 - jnp.exp(-t)) + LATER**2

        def sizes(plane):
            x = process.scale(t) * mean + (plane * jnp.sqrt(spread)) @ axes.T
            around = jnp.concatenate([x + size * e for e in (*jnp.eye(2), *-jnp.eye(2))] + [x])
            forward, up, back, down, here = jnp.split(field.hessian(t, around), 5)
            pair = [(forward - back) / (2 * size), (up - down) / (2 * size)]
            gram = jnp.stack([jnp.stack([jnp.sum(p * q, (1, 2)) for q in pair], -1) for p in pair], -1)
            lipschitz = jnp.sqrt(linop.eigenvalues2(gram)[1])
            # d_t s = grad(tr H)/2 - M by the definition of M.
            trace_gradient = jnp.stack([jnp.trace(p, axis1=1, axis2=2) for p in pair], -1)
            rate = trace_gradient / 2 - field.local(t, x)[2]
            away = 1 + jnp.linalg.norm(x, axis=1)
            speed = jnp.linalg.norm(rate, axis=1) / away
            turned = jnp.abs(jnp.stack(linop.eigenvalues2((field.hessian(t + later, x) - here) / later))).max(0) / away
            low, high = linop.eigenvalues2(-here)
            return jnp.stack([lipschitz, speed, turned, -low, high])

        coarse = sizes(plane)
        fine = sizes((plane[jnp.argmax(coarse, 1)][:, None] + near).reshape(-1, 2))
        return jnp.maximum(coarse.max(1), fine.max(1))

    return jax.lax.map(at, t)


LATER = 0.01  # the difference quotients in time: this share of t, and its square next to t = 0
BOX = "numerical over ±5 standard deviations"


def measured_smoothness(field: ExactField, mean, cov) -> dict[str, Fact]:
    """L_F, M1 and M2 over t in [0, 16], m0 and L0 at t near 0, each "numerical" over +-5 standard deviations, of a 2-D
    target: on a grid that is refined where each is largest, in space and in time."""
    t = np.concatenate([[1e-6], np.geomspace(1e-3, 16.0, 16)])
    var, axes = np.linalg.eigh(cov)

    def largest(t):
        return np.asarray(_third_derivatives(field, *map(jnp.asarray, (mean, axes, var, t))))

    found = largest(t)
    third, speed, turn = found[:, :3].max(0)
    if inner := [i for i in np.unique(np.argmax(found[:, :3], 0)) if 0 < i < len(t) - 1]:
        # As many times again, so that the compiled program is the same.
        between = np.concatenate([np.geomspace(t[i - 1], t[i + 1], len(t) // len(inner) + 2)[1:-1] for i in inner])
        third, speed, turn = np.maximum([third, speed, turn], largest(np.resize(between, len(t)))[:, :3].max(0))
    low, high = -found[0, 3], found[0, 4]
    return {
        "L_F": Fact(float(third), BOX),
        "M1": Fact(float(speed), BOX),
        "M2": Fact(float(turn), BOX),
        "m0": Fact(float(low), BOX),
        "L0": Fact(float(max(high, -low)), BOX),
    }
