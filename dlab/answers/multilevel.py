"""Multilevel Euler-Maruyama (Jacot, arXiv 2603.24594): scores of growing accuracy and cost, the best ones called rarely.

Level k is A_k = s + 2^-k e and costs 2^{gk}. A step of EM takes A_K; a step of the multilevel method takes

    A_0 + sum_k (B_k / p_k) (A_k - A_{k-1}) = s + zeta e,    zeta = 1 - sum_k (B_k / p_k) 2^-k,    k = 1..K,

with fresh B_k ~ Bernoulli(p_k), p_k = min(1, C 2^{-(1+g/2)k}), whose mean is A_K for any C. On a Gaussian target with an affine e a step
is an affine map with a random coefficient: the law is no Gaussian, but its first two moments, and those of the coupling with the exact
reverse process along the same Brownian motion, follow a recursion that nothing is left out of.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import numpy as np

from dlab import noise, params
from dlab.answers.base import Answer
from dlab.study.spec import Study
from dlab.targets.gaussian import Gaussian

LEVELS = tuple(range(2, 12))  # the K of the targets for the error
FITTED = 4  # of these, the finest, that a slope is fitted to
SHOWN = 6  # the K whose calls and path are shown
LEAST, MOST = 1.0, 6.0  # g
AXES, MOST_STEPS = 16, 20_000
NODES, TIMES = 8, 4096  # of the quadratures over a step and over the whole time
PURPOSES = ("coupled", "law")


def chances(g: float, C: float, K: int) -> np.ndarray:
    """p_0 = 1 and p_k = min(1, C 2^{-(1+g/2)k}), (K + 1,)."""
    return np.append(1.0, np.minimum(1.0, C * 2.0 ** (-(1 + g / 2) * np.arange(1, K + 1))))


def coefficient(p: np.ndarray) -> tuple[float, float]:
    """Mean and variance of zeta."""
    k = np.arange(len(p))
    return 2.0 ** -k[-1], float(np.sum(4.0 ** -k[1:] * (1 / p[1:] - 1)))


def calls(p: np.ndarray) -> np.ndarray:
    """The mean number of calls of each level in a step, (K + 1,): level k enters with B_k/p_k - B_{k+1}/p_{k+1}, and need not be called
    where that is 0: both are never called, or both always."""
    after = np.append(p[1:], 0.0)
    return np.where((p == 1) & (after == 1), 0.0, 1 - (1 - p) * (1 - after))


def cost(p: np.ndarray, g: float) -> float:
    """The mean cost of a step; 2^{gK} where every p is 1."""
    return float(calls(p) @ 2.0 ** (g * np.arange(len(p))))


def balanced(g: float, K: int, variance: float) -> np.ndarray:
    """The p whose C makes the variance of zeta the one given, by bisection; all 1 where that is 0."""
    if variance <= 0:
        return np.ones(K + 1)
    low, high = -200.0, (1 + g / 2) * K  # log2 C; at the upper end every p is 1
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if coefficient(chances(g, 2.0**middle, K))[1] > variance else (low, middle)
    return chances(g, 2.0**high, K)


@dataclass(frozen=True)
class Moving:
    """N(mean, diag(values)) with e = (1 + (x - E x) / sd x) / sqrt(2d) along each axis, moments under p_t: its L2 norm under p_t is 1 at
    every t; values, mean (d,)."""

    values: np.ndarray
    mean: np.ndarray
    T: float

    @property
    def size(self) -> float:
        """What e is divided by."""
        return math.sqrt(2 * len(self.values))

    def variance(self, t):
        """Of p_t, (..., d) for t (...)."""
        t = np.asarray(t)[..., None]
        return np.exp(-t) * self.values - np.expm1(-t)

    @cached_property
    def constants(self) -> "Constants":
        share = (np.arange(TIMES) + 0.5) / TIMES
        t, dt = self.T * share**3, 3 * self.T * share[:, None] ** 2 / TIMES  # dense near 0, where narrow targets move
        u, d = self.variance(t), len(self.values)
        reach = np.exp(-t / 2)[:, None] * self.values / u  # what is left at time 0 of a displacement at time t
        far = np.sqrt(u + np.exp(-t)[:, None] * self.mean**2)  # root of E x^2
        spread = (reach**2 * dt).sum(0) / d
        stretch = 0.5 - 1 / u
        return Constants(
            level=float(np.linalg.norm((reach * dt).sum(0)) / math.sqrt(d)),
            step=float(np.sqrt(np.sum((reach * far * dt).sum(0) ** 2 / 64 + (reach**2 * stretch**2 * dt).sum(0) / 3))),
            noise=float(spread.sum()), law=float(np.linalg.norm(spread / (2 * np.sqrt(self.values)))),
        )  # fmt: skip

    def steps(self, K: int) -> int:
        """As many as leave what level K leaves."""
        return math.ceil(self.T * self.constants.step / (self.constants.level * 2.0**-K))

    def plan(self, g: float, K: int, purpose: str) -> "Plan":
        """N and p for an error of sqrt(3) times what level K leaves: step, level and calls may each leave the same."""
        c, steps = self.constants, self.steps(K)
        part, h = c.level * 2.0**-K, self.T / steps
        variance = {"em": 0.0, "coupled": part**2 / (h * c.noise), "law": part / (h * c.law)}[purpose]
        return Plan(K, steps, balanced(g, K, variance))

    @property
    def levels(self) -> list[int]:
        """Those of LEVELS whose steps are not too many."""
        return [K for K in LEVELS if self.steps(K) <= MOST_STEPS]

    def coefficients(self, N: int) -> tuple:
        """Of each of N steps and axis, (N, d): the factor 1 + hL of EM; of the exact step, Phi; the sd of p_t at its start; the shift of
        EM against the exact step; and of the noise dW - xi and xi = int Phi dW the variances and the covariance."""
        h = self.T / N
        t = self.T - h * np.arange(N)
        u, after = self.variance(t), self.variance(t - h)
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        s = (nodes + 1) * h / 2
        own = np.exp(-s / 2)[:, None] * after[:, None] / self.variance((t - h)[:, None] + s)  # Phi from within a step, (N, NODES, d)
        quadrature = lambda f: np.einsum("k,nkd->nd", weights * h / 2, f)  # noqa: E731
        shift = np.exp(-t / 2)[:, None] * self.mean * (h / 2 - math.expm1(h / 2))
        return (
            1 + h / 2 - h / u, math.exp(-h / 2) * after / u, np.sqrt(u), shift,
            quadrature((1 - own) ** 2), quadrature((1 - own) * own), quadrature(own**2),
        )  # fmt: skip

    def moments(self, N: int, ps: list[np.ndarray]) -> "Moments":
        """At time 0 for N steps with each of the p."""
        zeta, var = np.array([coefficient(p) for p in ps]).T[:, :, None]
        h = self.T / N
        e = h / self.size
        m = s = c = np.zeros((len(ps), len(self.values)))
        for A, phi, root, shift, q11, q12, _ in zip(*self.coefficients(N)):
            slope, u = e / root, root**2
            a, b, k = A + zeta * slope, A - phi + zeta * slope, shift + zeta * e
            m, s, c = (
                a * m + k,
                (a**2 + var * slope**2) * s + 2 * (a * b + var * slope**2) * c + (b**2 + var * slope**2) * u
                + 2 * (a * k + var * slope * e) * m + k**2 + var * e**2 + q11,
                phi * (a * c + b * u) + q12,
            )  # fmt: skip
        return Moments(m, s, c, self.values)


@dataclass(frozen=True)
class Constants:
    """To leading order: level 2^-K leaves `level` 2^-K in coupled L2 at most, a step h of EM `step` h, and calls with var = Var zeta the
    mean square `noise` h var in coupled L2 and W2 = `law` h var."""

    level: float
    step: float
    noise: float
    law: float


@dataclass(frozen=True)
class Plan:
    """Level K, N steps and p (K + 1,)."""

    K: int
    steps: int
    p: np.ndarray


@dataclass(frozen=True)
class Moments:
    """Of D = x - y, y the exact reverse process along the same Brownian motion, and y - E y, (methods, d) each: E D, E D^2, E D (y - E y);
    values (d,), the variances of y."""

    mean: np.ndarray
    square: np.ndarray
    product: np.ndarray
    values: np.ndarray

    @property
    def coupled(self) -> np.ndarray:
        """L2 norm of D, (methods,)."""
        return np.sqrt(self.square.sum(-1))

    @property
    def variance(self) -> np.ndarray:
        return self.values + self._gained

    @property
    def _gained(self):
        return 2 * self.product + self.square - self.mean**2

    @property
    def law(self) -> np.ndarray:
        """Distance of the Gaussians of these means and variances, (methods,): a lower bound of W2 (Gelbrich)."""
        spread = self._gained / (np.sqrt(self.variance) + np.sqrt(self.values))
        return np.sqrt((self.mean**2 + spread**2).sum(-1))


def moving(study: Study) -> Moving:
    """The Gaussian with the mean and covariance of the study's target, which is that target where it is one."""
    facts = study.built.facts
    values, vectors = np.linalg.eigh(facts.cov if facts.cov.ndim == 2 else np.diag(facts.cov))
    return Moving(values, vectors.T @ facts.mean, study.T)


def multilevel(study: Study, g: float, tick=lambda done: None) -> dict:
    """Error against cost of EM and of the multilevel method, from the exact start, for errors that are halved:

    {"g", "T", "gaussian", "rows": [{"method", "level": K, "target", "steps", "h", "error" (coupled L2), "law", "cost" (of a path),
     "p": [...], "calls": [...] of each level in a path}], "slopes": {curve: {"slope", "theory"}}, "speedup": {"coupled", "law"},
     "path": see `path`}

    method: "em"; "coupled" and "law" are the multilevel method with C for that error. target: what was asked for, in coupled L2.
    speedup: what EM costs at the error of the finest row, over that row's cost. gaussian: whether the target is one. Curves: "em",
    "em-law", "coupled", "law". tick(done) may raise to cancel.
    """
    given, rows = moving(study), []
    for K in given.levels:
        tick(2.0 ** (K - given.levels[-1] - 1))
        plans = {name: given.plan(g, K, name) for name in ("em", *PURPOSES)}
        N = plans["em"].steps
        found = given.moments(N, [plan.p for plan in plans.values()])
        for name, plan, error, law in zip(plans, plans.values(), found.coupled, found.law):
            rows.append({
                "method": name, "level": K, "target": math.sqrt(3) * given.constants.level * 2.0**-K, "steps": N, "h": study.T / N,
                "error": float(error), "law": float(law), "cost": N * cost(plan.p, g), "p": plan.p.tolist(),
                "calls": (N * calls(plan.p)).tolist(),
            })  # fmt: skip
    return {
        "g": g, "T": study.T, "gaussian": isinstance(study.built, Gaussian), "rows": rows, "slopes": _slopes(rows, g),
        "speedup": {name: _speedup(rows, name) for name in PURPOSES},
        "path": path(given, given.plan(g, min(SHOWN, given.levels[-1]), "coupled"), study.seed),
    }  # fmt: skip


def theory(g: float) -> dict[str, float]:
    """-log cost / log error as the error goes to 0, with h in proportion to it. With p_k no more than 1 a level is never called more often
    than in every step: for g < 2 this makes 1 + g/2 of the 2 that h -> 0 has at a given error."""
    return {"em": g + 1, "em-law": g + 1, "coupled": max(g, 1 + g / 2), "law": max(g - 1, 1.0)}


def _slopes(rows, g) -> dict:
    found = {}
    for name, order in theory(g).items():
        method, kind = name.removesuffix("-law"), "law" if name.endswith("law") else "error"
        mine = [r for r in rows if r["method"] == method][-FITTED:]
        slope = -np.polyfit(np.log([r[kind] for r in mine]), np.log([r["cost"] for r in mine]), 1)[0]
        found[name] = {"slope": float(slope), "theory": order}
    return found


def _speedup(rows, name) -> float:
    """EM's cost between its rows as a power of the error."""
    kind, mine = ("law" if name == "law" else "error"), [r for r in rows if r["method"] == name][-1]
    em = [r for r in rows if r["method"] == "em"][::-1]
    cost = np.interp(math.log(mine[kind]), np.log([r[kind] for r in em]), np.log([r["cost"] for r in em]))
    return float(np.exp(cost) / mine["cost"])


def path(given: Moving, plan: Plan, seed: int) -> dict:
    """One path of the multilevel method beside the exact one, drawn: {"level": K, "steps", "t": (N + 1), "distance": |x - y| (N + 1),
    "p", "calls": of each level the steps in which it is called by chance; empty where p_k is 1}."""
    N, h, K = plan.steps, given.T / plan.steps, plan.K
    random = noise.generator(noise.stream(jax.random.key(seed), "multilevel"))
    called = random.random((N, K)) < plan.p[1:]
    zeta = 1 - called @ (2.0 ** -np.arange(1, K + 1) / plan.p[1:])
    D, y = np.zeros(len(given.values)), random.standard_normal(len(given.values)) * np.sqrt(given.variance(given.T))
    distance = [0.0]
    for z, A, phi, root, shift, q11, q12, q22 in zip(zeta, *given.coefficients(N)):
        slope = z * h / given.size / root
        one, two = random.standard_normal((2, len(D)))
        xi = np.sqrt(q22) * one
        left = q12 / np.sqrt(q22) * one + np.sqrt(np.maximum(q11 - q12**2 / q22, 0.0)) * two
        D, y = (A + slope) * D + (A - phi + slope) * y + shift + z * h / given.size + left, phi * y + xi
        distance.append(float(np.linalg.norm(D)))
    rare = [np.flatnonzero(called[:, k]).tolist() if plan.p[k + 1] < 1 else [] for k in range(K)]
    return {
        "level": K, "steps": N, "t": (given.T - h * np.arange(N + 1)).tolist(), "distance": distance, "p": plan.p.tolist(),
        "calls": [[], *rare],
    }  # fmt: skip


def applies(study: Study, g: float) -> str | None:
    params.number("g", g, LEAST, MOST)
    facts = study.built.facts
    if facts.dim > AXES or facts.cov is None:
        return f"it needs a target of known mean and covariance in at most {AXES} dimensions; give another."
    if len(moving(study).levels) < FITTED:
        return f"the errors that slopes are fitted to would take more than {MOST_STEPS} steps; give a wider target."
    return None


ANSWER = Answer(
    "multilevel", "Multilevel Euler-Maruyama: error against cost with scores of growing accuracy", multilevel, ("target", "T", "seed"),
    applies=applies,
)  # fmt: skip
