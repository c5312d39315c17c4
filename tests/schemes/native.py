"""The samplers of practice a second time, in NumPy: as published, in the variables of a schedule (s, alpha, sigma, x), with their laws on
Gaussians; and their variances on N(0, v) by recursion. Nothing here comes from dlab.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# ---------------------------------------------------------------- schedules


@dataclass(frozen=True)
class Point:
    """A time s of a schedule, with alpha and sigma of x = alpha X_0 + sigma xi, and lambda = log(alpha / sigma)."""

    s: float
    alpha: float
    sigma: float

    @property
    def lam(self):
        return math.log(self.alpha / self.sigma) if self.sigma else math.inf


@dataclass(frozen=True)
class Schedule:
    """alpha(s), sigma(s), s at a lambda, and where dx = -f x ds + g dw has f and g^2."""

    name: str
    alpha: Callable
    sigma: Callable
    inverse: Callable
    f: Callable
    g2: Callable

    def at(self, lam) -> Point:
        return self.when(self.inverse(lam) if lam < math.inf else 0.0)

    def when(self, s) -> Point:
        return Point(s, self.alpha(s), self.sigma(s))

    def points(self, sigmas) -> list[Point]:
        """Where sigma / alpha has the given values."""
        return [self.at(-math.log(v) if v else math.inf) for v in sigmas]


def _B(s):
    return 0.1 * s + 9.95 * s**2


def _B_inverse(lam):
    return 2 * (b := math.log1p(math.exp(-2 * lam))) / (0.1 + math.sqrt(0.01 + 39.8 * b))


VP_LINEAR = Schedule(
    "VP, linear beta", lambda s: math.exp(-_B(s) / 2), lambda s: math.sqrt(-math.expm1(-_B(s))), _B_inverse,
    lambda s: (0.1 + 19.9 * s) / 2, lambda s: 0.1 + 19.9 * s,
)  # fmt: skip
VP_COSINE = Schedule(
    "VP, cosine", lambda s: math.cos(math.pi * s / 2), lambda s: math.sin(math.pi * s / 2),
    lambda lam: 2 / math.pi * math.atan(math.exp(-lam)),
    lambda s: math.pi / 2 * math.tan(math.pi * s / 2), lambda s: math.pi * math.tan(math.pi * s / 2),
)  # fmt: skip
VE = Schedule("VE of Karras et al.", lambda s: 1.0, lambda s: s, lambda lam: math.exp(-lam), lambda s: 0.0, lambda s: 2 * s)
SCHEDULES = (VP_LINEAR, VP_COSINE, VE)


def karras(steps, high=80.0, low=0.002, rho=7.0):
    """Karras et al. (2022), equation 5: sigma from high to low, `steps` of them."""
    return (high ** (1 / rho) + np.arange(steps + 1) / steps * (low ** (1 / rho) - high ** (1 / rho))) ** rho


def in_lab(point, *moments):
    """Mean and covariance, or particles, of x in the lab's coordinate, where alpha^2 + sigma^2 = 1."""
    scale = 1 / math.hypot(point.alpha, point.sigma)
    return tuple(m * scale ** (k + 1) for k, m in enumerate(moments))


# ---------------------------------------------------------------- data and what a model predicts of them


@dataclass(frozen=True)
class Data:
    """A mixture of Gaussians, weights (K,), means (K, d), covs (K, d, d); one component is a Gaussian."""

    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray

    def x0(self, x, at: Point):
        """E[X_0 | x], (n, d)."""
        V = at.alpha**2 * self.covs + at.sigma**2 * np.eye(x.shape[1])
        away = x[:, None] - at.alpha * self.means
        pulled = np.einsum("kij,nkj->nki", np.linalg.inv(V), away)
        log = np.log(self.weights) - np.linalg.slogdet(V)[1] / 2 - np.einsum("nki,nki->nk", away, pulled) / 2
        p = np.exp(log - log.max(1, keepdims=True))
        return np.einsum("nk,nki->ni", p / p.sum(1, keepdims=True), self.means + at.alpha * np.einsum("kij,nkj->nki", self.covs, pulled))

    def eps(self, x, at):
        return (x - at.alpha * self.x0(x, at)) / at.sigma

    def score(self, x, at):
        return -self.eps(x, at) / at.sigma


def gaussian(mean, cov):
    return Data(np.ones(1), np.asarray(mean, float)[None], np.asarray(cov, float)[None])


def law(sampler, points, data, mean, cov, normals=0, **more):
    """Mean and covariance after a run whose every step is affine, from those of its start: the whole run read off basis vectors."""
    d, steps = len(mean), len(points) - 1
    basis = np.eye(1 + d + steps * normals * d)
    noise = basis[:, 1 + d :].reshape(len(basis), steps, normals, d)
    out = sampler(data, points, basis[:, 1 : 1 + d], np.moveaxis(noise, 0, 2), **more)
    linear = (out[1:] - out[0]).T
    return out[0] + linear[:, :d] @ mean, linear[:, :d] @ cov @ linear[:, :d].T + linear[:, d:] @ linear[:, d:].T


def start(point, data):
    """Mean and covariance of x where a run begins, of a Gaussian."""
    return point.alpha * data.means[0], point.alpha**2 * data.covs[0] + point.sigma**2 * np.eye(data.means.shape[1])


# ---------------------------------------------------------------- samplers: (data, points, x (n, d), noise (steps, k, n, d)) -> x


def pairs(points):
    return enumerate(itertools.pairwise(points))


def ancestral(data, points, x, noise, large=False):
    """Ho et al. (2020), in the notation of Kingma et al. (2021): q(x_s | x_t, x_0) at the predicted x_0; large: with the variance
    of the forward step, beta_t, in the place of the posterior's."""
    for n, (a, b) in pairs(points):
        ratio = a.alpha / b.alpha
        between = a.sigma**2 - ratio**2 * b.sigma**2
        spread = math.sqrt(between) if large else math.sqrt(between) * b.sigma / a.sigma
        x = ratio * b.sigma**2 / a.sigma**2 * x + b.alpha * between / a.sigma**2 * data.x0(x, a) + spread * noise[n, 0]
    return x


def ddim(data, points, x, noise=None, eta=0.0):
    """Song, Meng & Ermon (2021), equations 12 and 16; for VP schedules where eta > 0."""
    for n, (a, b) in pairs(points):
        spread = eta * b.sigma / a.sigma * math.sqrt(1 - (a.alpha / b.alpha) ** 2) if eta else 0.0
        x = b.alpha * data.x0(x, a) + math.sqrt(b.sigma**2 - spread**2) * data.eps(x, a) + (spread * noise[n, 0] if eta else 0.0)
    return x


def dpmpp_2m(data, points, x, noise=None):
    """Lu et al. (2022b), algorithm 2; the last step to sigma = 0 is of the first order."""
    old = None
    for _, (a, b) in pairs(points):
        m, h = data.x0(x, a), b.lam - a.lam
        D = m
        if old and b.sigma:
            r = (a.lam - old[0]) / h
            D = (1 + 1 / (2 * r)) * m - old[1] / (2 * r)
        x = b.sigma / a.sigma * x - b.alpha * math.expm1(-h) * D
        old = a.lam, m
    return x


def dpmpp_2m_sde(data, points, x, noise):
    """The same with the noise of the reverse SDE, "midpoint", as diffusers' sde-dpmsolver++ has it."""
    old = None
    for n, (a, b) in pairs(points):
        m, h = data.x0(x, a), b.lam - a.lam
        D1 = (m - old[1]) * h / (a.lam - old[0]) if old and b.sigma else 0.0
        gain = b.alpha * -math.expm1(-2 * h)
        x = b.sigma / a.sigma * math.exp(-h) * x + gain * m + 0.5 * gain * D1 + b.sigma * math.sqrt(-math.expm1(-2 * h)) * noise[n, 0]
        old = a.lam, m
    return x


def unipc_coefficients(order, hh, B, rks):
    """R, b of R rho = b, as diffusers' UniPCMultistepScheduler builds them."""
    R, b, phi, factorial = [], [], math.expm1(hh) / hh - 1, 1
    for i in range(1, order + 1):
        R.append(np.power(rks, i - 1))
        b.append(phi * factorial / B)
        factorial *= i + 1
        phi = phi / hh - 1 / factorial
    return np.array(R), np.array(b)


def unipc(data, points, x, noise=None, order=2):
    """Zhao et al. (2023), bh2 in x0 form: predictor, and in the next step the corrector with the score that is known then."""
    past, before, used = [], None, 0  # (lambda, x0) of the steps before; x that the last predictor started from; its order
    for n, (a, b) in pairs(points):
        m = data.x0(x, a)
        if n:
            x = _unipc_update(past, before, points[n - 1], a, used, m)
        past, before = [*past, (a.lam, m)][-order:], x
        used = min(order, n + 1) if b.sigma else 1
        if not b.sigma:
            return b.alpha * m
        x = _unipc_update(past, before, a, b, used, None)
    return x


def _unipc_update(past, x, a, b, order, found):
    (lam0, m0), h = past[-1], b.lam - a.lam
    hh = -h
    B = math.expm1(hh)
    rks = [*((past[-k][0] - lam0) / h for k in range(2, order + 1)), 1.0]
    D = [(past[-k][1] - m0) / rks[k - 2] for k in range(2, order + 1)]
    plain = b.sigma / a.sigma * x - b.alpha * math.expm1(hh) * m0
    if found is None:
        rho = [0.5][: order - 1]
    else:
        R, right = unipc_coefficients(order, hh, B, rks)
        rho, D = ([0.5] if order == 1 else np.linalg.solve(R, right)), [*D, found - m0]
    return plain - b.alpha * B * sum((r * d for r, d in zip(rho, D)), 0 * x)


def dpm_solver_2(data, points, x, noise=None, schedule=VE):
    """Lu et al. (2022a), algorithm 1, with the stage at half of the step in lambda."""
    for _, (a, b) in pairs(points):
        if not b.sigma:
            return b.alpha * data.x0(x, a)
        h, mid = b.lam - a.lam, schedule.at((a.lam + b.lam) / 2)
        u = mid.alpha / a.alpha * x - mid.sigma * math.expm1(h / 2) * data.eps(x, a)
        x = b.alpha / a.alpha * x - b.sigma * math.expm1(h) * data.eps(u, mid)
    return x


def dpm_solver_3(data, points, x, noise=None, schedule=VE):
    """Lu et al. (2022a), algorithm 2, r1 = 1/3 and r2 = 2/3."""
    r1, r2 = 1 / 3, 2 / 3
    for _, (a, b) in pairs(points):
        if not b.sigma:
            return b.alpha * data.x0(x, a)
        h = b.lam - a.lam
        one, two = schedule.at(a.lam + r1 * h), schedule.at(a.lam + r2 * h)
        e = data.eps(x, a)
        u = one.alpha / a.alpha * x - one.sigma * math.expm1(r1 * h) * e
        D = data.eps(u, one) - e
        u = two.alpha / a.alpha * x - two.sigma * math.expm1(r2 * h) * e - two.sigma * r2 / r1 * (math.expm1(r2 * h) / (r2 * h) - 1) * D
        D = data.eps(u, two) - e
        x = b.alpha / a.alpha * x - b.sigma * math.expm1(h) * e - b.sigma / r2 * (math.expm1(h) / h - 1) * D
    return x


def seeds_2(data, points, x, noise, schedule=VE, r=0.5):
    """SEEDS-2 (2305.14267) in x0 form, the noise of the two stages from one path; "DPM++ SDE" of k-diffusion has its means."""
    for n, (a, b) in pairs(points):
        m = data.x0(x, a)
        if not b.sigma:
            return b.alpha * m
        h = b.lam - a.lam
        mid = schedule.at(a.lam + r * h)
        first = mid.sigma * math.sqrt(-math.expm1(-2 * r * h)) * noise[n, 0]
        u = mid.sigma / a.sigma * math.exp(-r * h) * x + mid.alpha * -math.expm1(-2 * r * h) * m + first
        rest = 2 * (1 - r) * h
        whole = b.sigma / mid.sigma * math.exp(-rest / 2) * first + b.sigma * math.sqrt(-math.expm1(-rest)) * noise[n, 1]
        blend = (1 - 1 / (2 * r)) * m + data.x0(u, mid) / (2 * r)
        x = b.sigma / a.sigma * math.exp(-h) * x + b.alpha * -math.expm1(-2 * h) * blend + whole
    return x


def edm(data, points, x, noise=None, schedule=VE, churn=0.0):
    """Karras et al. (2022), algorithm 2 (1 without churn), S_noise = 1 at all sigma: Heun's method in sigma / alpha."""
    for n, (a, b) in pairs(points):
        g = min(churn / (len(points) - 1), math.sqrt(2) - 1)
        if g:
            up = schedule.at(a.lam - math.log1p(g))
            ratio = up.alpha / a.alpha
            x, a = ratio * x + math.sqrt(up.sigma**2 - ratio**2 * a.sigma**2) * noise[n, 0], up
        slope, length = data.eps(x, a), b.sigma / b.alpha - a.sigma / a.alpha
        y = b.alpha * (x / a.alpha + length * slope)
        x = b.alpha * (x / a.alpha + length * (slope + data.eps(y, b)) / 2) if b.sigma else y
    return x


# What freezes something else: not the same law in every schedule.


def euler_maruyama(data, points, x, noise, schedule=VE):
    """In s, with f and g frozen at a step's start."""
    for n, (a, b) in pairs(points):
        ds, g2 = a.s - b.s, schedule.g2(a.s)
        x = x + ds * (schedule.f(a.s) * x + g2 * data.score(x, a)) + math.sqrt(g2 * ds) * noise[n, 0]
    return x


def reverse_diffusion(data, points, x, noise):
    """Song et al. (2021), for VE: Euler-Maruyama in the clock sigma^2."""
    for n, (a, b) in pairs(points):
        eta = a.sigma**2 - b.sigma**2
        x = x + eta * data.score(x, a) + math.sqrt(eta) * noise[n, 0]
    return x


def heun_in_z(data, points, x, noise):
    """Stochastic Heun for VE in the clock sigma^2."""
    for n, (a, b) in pairs(points):
        eta = a.sigma**2 - b.sigma**2
        kick, slope = math.sqrt(eta) * noise[n, 0], data.score(x, a)
        x = x + eta / 2 * (slope + data.score(x + eta * slope + kick, b)) + kick
    return x


def sra1_in_z(data, points, x, noise):
    """Roessler's SRA1 for VE in the clock sigma^2."""
    for n, (a, b) in pairs(points):
        eta = a.sigma**2 - b.sigma**2
        kick = math.sqrt(eta) * noise[n, 0]
        area = eta / 2 * (kick + math.sqrt(eta / 3) * noise[n, 1])
        slope = data.score(x, a)
        late = VE.when(math.sqrt(a.sigma**2 - 3 / 4 * eta))
        x = x + eta * (slope / 3 + 2 / 3 * data.score(x + 3 / 4 * eta * slope + 3 / 2 * area / eta, late)) + kick
    return x


# ---------------------------------------------------------------- variances on N(0, v): V' = A^2 V + B, (n,) for v (n,)
# Of the schemes that have no sampler above, and of DDPM with its knob.
# In x and the clock t, or in z and sigma; a step from t0 to t1 with u = v_t, L = 1/2 - 1/u.


def _u(v, t):
    return np.exp(-t) * v - np.expm1(-t)


def _L(v, t):
    return 0.5 - 1 / _u(v, t)


def _em(v, t0, t1, scale=1.0):
    D = scale * (t0 - t1)
    return 1 + D * _L(v, t0), D


def _ei(v, t0, t1):
    D = t0 - t1
    return np.exp(D / 2) - 2 * np.expm1(D / 2) / _u(v, t0), np.expm1(D)


def _so(v, t0, t1):
    D, L = t0 - t1, _L(v, t0)
    z = D * L
    phi1, phi2 = np.expm1(z) / z, np.where(abs(z) < 0.05, sum(z**k / math.factorial(k + 2) for k in range(9)), (np.expm1(z) - z) / z**2)
    return 1 + D * phi1 * L + D**2 * phi2 * (0.25 - L**2), np.expm1(2 * z) / (2 * L)


def _taylor(v, t0, t1):
    D, L = t0 - t1, _L(v, t0)
    return 1 + D * L + D**2 / 8, D + L * D**2 + L**2 * D**3 / 3


def _heun(v, t0, t1):
    D, L0, L1 = t0 - t1, _L(v, t0), _L(v, t1)
    return 1 + D * (L0 + L1) / 2 + D**2 * L0 * L1 / 2, D * (1 + D * L1 / 2) ** 2


def _sra1(v, t0, t1):
    D = t0 - t1
    L0, Ly = _L(v, t0), _L(v, t0 - 0.75 * D)
    return 1 + D * (L0 / 3 + 2 / 3 * Ly * (1 + 0.75 * D * L0)), D + Ly * D**2 + Ly**2 * D**3 / 3


def _sra3(v, t0, t1):
    D = t0 - t1
    L0, L1, Lm = _L(v, t0), _L(v, t1), _L(v, t0 - D / 2)
    both = L0 + L1 * (1 + D * L0)
    return 1 + D / 6 * both + 2 * D / 3 * Lm * (1 + D / 4 * both), D + Lm * D**2 + Lm**2 * D**3 / 3


def _sea(v, t0, t1):
    """dW has weight 1 + D L / 2 and H, of variance D / 12, weight D L."""
    D, L = t0 - t1, _L(v, t0)
    return 1 + D * L, D * (1 + D * L / 2) ** 2 + (D * L) ** 2 * D / 12


def _shark(v, t0, t1):
    """x and H, of variance D / 12, enter in the same way, H without what x is by itself."""
    D = t0 - t1
    L0, Ly = _L(v, t0), _L(v, t0 - 5 / 6 * D)
    moved = D * (0.4 * L0 + 0.6 * Ly * (1 + 5 / 6 * D * L0))
    return 1 + moved, D * (1 + D * Ly / 2) ** 2 + moved**2 * D / 12


def _pf_euler(v, t0, t1):
    return 1 + (t0 - t1) / 2 * (1 - 1 / _u(v, t0)), 0.0


def _ddpm(v, s0, s1, knob=0.0):
    a, eta = (s1 / s0) ** 2, s0**2 - s1**2
    return a + (1 - a) * v / (v + s0**2), eta * ((knob + s1**2) / (knob + s0**2) if knob < math.inf else 1.0)


def _oc(v, s0, s1):
    a, eta = (s1 / s0) ** 2, s0**2 - s1**2
    return _ddpm(v, s0, s1)[0], a * eta + (1 - a) ** 2 * v * s0**2 / (v + s0**2)


def _pc(v, s0, s1):
    """The Langevin step's size is tau' (tau - tau') / (2 tau)."""
    A, B = _ddpm(v, s0, s1, math.inf)
    e = (s1 / s0) ** 2 * (s0**2 - s1**2) / 2
    pull = 1 - e / (v + s1**2)
    return A * pull, B * pull**2 + 2 * e


IN_X = {"EM": _em, "EI": _ei, "SO": _so, "TAYLOR": _taylor, "SHEUN": _heun, "SRA1": _sra1, "SRA3": _sra3, "SEA": _sea, "SHARK": _shark,
        "PF-EULER": _pf_euler, "EM-FROZEN": _em}  # fmt: skip
IN_Z = {"DDPM": _ddpm, "OC": _oc, "PC": _pc, "VE-EM": lambda v, s0, s1: _ddpm(v, s0, s1, math.inf)}


def variance(name, v, sigmas, **more):
    """Variance of the last x on N(0, v), v (n,), from the exact law at the first sigma. EM-FROZEN takes the rate of the clock at each
    step, DDPM its knob."""
    v, sigmas = np.asarray(v, float), np.asarray(sigmas, float)
    times, scale = np.log1p(sigmas**2), 1 / (1 + sigmas[-1] ** 2)
    if name in IN_X:
        V = _u(v, times[0])
        rate = more.get("rate", [1.0] * len(sigmas))
        for n, (t0, t1) in enumerate(itertools.pairwise(times)):
            A, B = _em(v, t0, t1, rate[n]) if name == "EM-FROZEN" else IN_X[name](v, t0, t1)
            V = A**2 * V + B
        return V
    V = v + sigmas[0] ** 2
    for s0, s1 in itertools.pairwise(sigmas):
        A, B = IN_Z[name](v, s0, s1, **more)
        V = A**2 * V + B
    return scale * V
