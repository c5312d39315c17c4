# ruff: noqa: B023, C408, E731  (formulas as lambdas, one formula a line)
"""The second, independent route to the numbers of the lab: numpy, scipy and mpmath, no jax and nothing of dlab.

Conventions: forward dX = -X/2 dt + dB, a = e^{-t/2}, sigma^2 = 1 - e^{-t}; reverse time t_n = T - n h; d is the
dimension, n the number of particles. Quadrature in 2-D runs in np.longdouble (80 bits on x86-64; where longdouble is
a plain double the accuracies stated below drop to about 1e-10 for scores and 1e-6 for M).
"""
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from math import ceil, exp, expm1, factorial, inf, isinf, log, sqrt
from typing import NamedTuple

import mpmath as mp
import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import Legendre, leggauss
from scipy import interpolate, linalg, optimize

SCHEMES = ("EM", "EI", "REM", "REI", "SO")
LD = np.longdouble


def a_of(t):
    """a_t = e^{-t/2}."""
    return np.exp(-t / 2)


def var_of(t):
    """sigma_t^2 = 1 - e^{-t}."""
    return -np.expm1(-t)


def phi1(z):
    """(e^z - 1)/z, elementwise, 1 at 0."""
    z = np.asarray(z, float)
    return np.where(z == 0, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z))


def phi2(z):
    """(e^z - 1 - z)/z^2, elementwise; Taylor series for |z| < 1."""
    z = np.asarray(z, float)
    small = np.abs(z) < 1
    series = sum(np.where(small, z, 0.0) ** k / factorial(k + 2) for k in range(20))
    return np.where(small, series, (np.expm1(z) - z) / np.where(small, 1.0, z * z))


def steps_of(T, h):
    """N = T/h, which must be whole."""
    n = round(T / h)
    assert abs(n * h - T) < 1e-9 * max(1, T), f"T/h = {T / h} is not whole"
    return n


# ---------------------------------------------------------------- 1. Gaussian targets

def gaussian_law(scheme, mean, cov, T, h, start="exact", error=None):
    """First two moments (d,), (d, d) of the final law on N(mean, cov), by scalar recursions in the eigenbasis of cov.

    start: "exact" (p_T), "paper" (N(0, sigma_T^2 I)) or a pair (mean, cov). error, a dict, all keys optional and
    additive: constant (d,) e in s* = (1 + relative) s + e; relative; noise: a fresh N(0, noise^2/d I) added at each
    score evaluation; SO alone: hessian (d, d) symmetric, added to L; drift (d,), added to M.
    SO is the long form x + h phi1(hL) gamma* + h^2 phi2(hL) M + I(L,1), where M = x/4 - L0 gamma0 (exact score) + drift
    and L = L0 + hessian. REM, REI: averaged over U by Gauss-Legendre, U shared by the coordinates:
    Sigma+ = E[alpha alpha^T] * Sigma + Cov_U(alpha m + beta) + diag(E nu) for x+ = alpha(U) x + beta(U) + N(0, nu(U)).
    """
    c, Q = np.linalg.eigh(np.asarray(cov, float))
    d, mu, err = len(c), Q.T @ np.asarray(mean, float), dict(error or {})
    e = Q.T @ np.asarray(err.pop("constant", np.zeros(d)), float)
    rel, tau2 = 1 + err.pop("relative", 0.0), err.pop("noise", 0.0) ** 2 / d
    E = Q.T @ np.asarray(err.pop("hessian", np.zeros((d, d))), float) @ Q
    eM = Q.T @ np.asarray(err.pop("drift", np.zeros(d)), float)
    assert not err, f"unknown error keys {sorted(err)}"
    q = lambda t: 1 / (a_of(t) ** 2 * c + var_of(t))                    # exact score: -q x + q a mu
    k = lambda t: rel * a_of(t) * mu * q(t) + e                         # s*: -rel q x + k
    if isinstance(start, str):
        exact = {"exact": 1.0, "paper": 0.0}[start]
        m, S = exact * a_of(T) * mu, np.diag(exact * a_of(T) ** 2 * c + var_of(T))
    else:
        m, S = Q.T @ start[0], Q.T @ start[1] @ Q
    z = 1 + 2 * c.min() / h                                             # nearest pole of the integrand in U, on [-1, 1]
    u, w = leggauss(ceil(18 / log(z + sqrt(z * z - 1))) + 12)
    u, w = (u[:, None] + 1) / 2, w / 2                                  # (K, 1), (K,)
    for n in range(steps_of(T, h)):
        t = T - n * h
        if scheme in ("EM", "EI"):
            f, b, v = (1 + h / 2, h, h) if scheme == "EM" else (exp(h / 2), 2 * expm1(h / 2), expm1(h))
            A, V = np.diag(f - b * rel * q(t)), (v + b * b * tau2) * np.eye(d)
            m, S = A @ m + b * k(t), A @ S @ A + V
        elif scheme == "SO":
            l = 0.5 - q(t)
            g0, k0 = l, a_of(t) * mu * q(t)
            lam, R = np.linalg.eigh(np.diag(l) + E)
            F1, F2 = (R * phi1(h * lam)) @ R.T, (R * phi2(h * lam)) @ R.T
            A = np.eye(d) + h * F1 * (0.5 - rel * q(t)) + h * h * F2 * (0.25 - l * g0)
            m = A @ m + h * F1 @ k(t) + h * h * F2 @ (eM - l * k0)
            S = A @ S @ A.T + (R * h * phi1(2 * h * lam)) @ R.T + h * h * tau2 * F1 @ F1
        else:
            t2 = t - u * h
            kt, k2 = k(t), k(t2)                                        # (d,), (K, d)
            if scheme == "REM":
                g, g2 = 0.5 - rel * q(t), 0.5 - rel * q(t2)
                al, be = 1 + h * g2 * (1 + u * h * g), h * (g2 * u * h * kt + k2)
                nu = h + 2 * h * g2 * u * h + h * h * g2 ** 2 * u * h + tau2 * (h * h + (h * g2 * u * h) ** 2)
            else:
                f, b, W = np.exp(u * h / 2), 2 * np.expm1(u * h / 2), h * np.exp((1 - u) * h / 2)
                G = W * rel * q(t2)                                     # x+ = e^{h/2} x - G y + W k2 + I(1/2, 1)
                al, be = exp(h / 2) - G * (f - b * rel * q(t)), W * k2 - G * b * kt
                nu = (expm1(h) - 2 * G * np.exp((1 - u) * h / 2) * np.expm1(u * h) + G * G * np.expm1(u * h)
                      + tau2 * (W * W + (G * b) ** 2))
            path = al * m + be
            m = w @ path
            S = (al.T * w) @ al * S + ((path - m).T * w) @ (path - m) + np.diag(w @ nu)
    return Q @ m, Q @ S @ Q.T


def bures(m1, S1, m2, S2):
    """W2 of two Gaussians. Optimal map I + K with K S1 + S1 K = D - K S1 K, D = S2 - S1, B^2 = tr(K S1 K): no
    cancellation (iterated when D is small); else |S1^{1/2} - S2^{1/2} O|_F with O orthogonal (polar factor)."""
    S1, S2 = np.atleast_2d(S1).astype(float), np.atleast_2d(S2).astype(float)
    D = S2 - S1
    if np.abs(D).max() < 0.02 * np.linalg.eigvalsh(S1)[0]:
        K = np.zeros_like(D)
        for _ in range(30):
            K = linalg.solve_sylvester(S1, S1, D - K @ S1 @ K)
        b2 = np.trace(K @ S1 @ K)
    else:
        A, B = (linalg.sqrtm(S).real for S in (S1, S2))
        U, _, Vt = np.linalg.svd(B @ A)
        b2 = np.sum((A - B @ U @ Vt) ** 2)
    return float(np.sqrt(np.sum((np.asarray(m1) - m2) ** 2) + b2))


# ---------------------------------------------------------------- 2. laws on the line

class Line(NamedTuple):
    """A law on the line: log density up to a constant, vectorised, between low and high, smooth but at `breaks`."""
    logp: Callable
    low: float = -60.0
    high: float = 60.0
    breaks: tuple = ()


def _where(logp, lo, hi, drop=45.0, cells=64):
    """Ends (G,) of where logp (G, k) -> (G, k) lies less than `drop` below its largest value, from ends lo, hi (G,)."""
    rows = np.arange(len(lo))
    for _ in range(4):
        g = lo[:, None] + (hi - lo)[:, None] * np.linspace(0, 1, cells + 1)
        v = logp(g)
        keep = v > v.max(1, keepdims=True) - drop
        lo, hi = (g[rows, np.clip(i, 0, cells)] for i in (keep.argmax(1) - 1, cells - keep[:, ::-1].argmax(1) + 1))
    return lo, hi


def _panels(edges, parts=10, order=12):
    """Gauss-Legendre nodes and weights (G, (k - 1) parts order) on all intervals of edges (G, k), each cut into `parts`."""
    z, w = leggauss(order)
    size = np.diff(edges, axis=1)[:, :, None, None] / parts
    u = edges[:, :-1, None, None] + size * (np.arange(parts)[:, None] + (z + 1) / 2)
    return (v.reshape(len(edges), -1) for v in (u, np.broadcast_to(size * w / 2, u.shape)))


def _integrated(line, logp, lo, hi):
    """Nodes (G, k), and the masses of exp(logp) at them, normalised, with log of their sum (G,)."""
    lo, hi = _where(logp, lo, hi)
    cuts = np.clip(np.array(line.breaks)[None], lo[:, None], hi[:, None]) if line.breaks else np.zeros((len(lo), 0))
    u, w = _panels(np.concatenate([lo[:, None], cuts, hi[:, None]], 1))
    l = logp(u)
    top = l.max(1, keepdims=True)
    mass = w * np.exp(l - top)
    return u, mass / mass.sum(1, keepdims=True), top[:, 0] + np.log(mass.sum(1))


def line_score(line, t, x):
    """(log p_t up to a constant, s, H) at x (G,): D = x0 - x/a given x, s = a E[D]/sigma^2, H = a^2 Var D/sigma^4 - 1/sigma^2."""
    a, s2 = a_of(t), var_of(t)
    reach = 40 * sqrt(s2) / a
    lo, hi = np.clip(x / a - reach, line.low, line.high), np.clip(x / a + reach, line.low, line.high)
    lo, hi = np.where(lo < hi, lo, line.low), np.where(lo < hi, hi, line.high)
    u, p, lp = _integrated(line, lambda u: line.logp(u) - (a * u - x[:, None]) ** 2 / (2 * s2), lo, hi)
    D = u - x[:, None] / a
    mD = (p * D).sum(1)
    vD = (p * (D - mD[:, None]) ** 2).sum(1)
    return lp - np.log(s2) / 2, a * mD / s2, a * a * vD / s2 ** 2 - 1 / s2


def line_moments(line):
    """Mean and variance."""
    u, p, _ = _integrated(line, line.logp, np.array([line.low]), np.array([line.high]))
    m = (p * u).sum()
    return m, (p * (u - m) ** 2).sum()


def line_quantile(line, u):
    """Quantiles at u (G,), by the distribution function on a fine table."""
    lo, hi = _where(line.logp, np.array([line.low]), np.array([line.high]))
    edges = [lo[0], *(b for b in line.breaks if lo[0] < b < hi[0]), hi[0]]
    cut = 1e-12 * (hi[0] - lo[0])
    x = np.concatenate([np.linspace(p + cut, q - cut, 60_001) for p, q in pairwise(edges)])
    f = np.exp(line.logp(x) - line.logp(x).max())
    F = np.concatenate([[0.0], np.cumsum(np.diff(x) * (f[1:] + f[:-1]) / 2)])
    return np.interp(u, F / F[-1], x)


def line_w2(line, x, rho):
    """W2 of a smooth density rho on a uniform grid x (G,) to the law: int (Q(R(x)) - x)^2 rho dx, R by a quintic spline."""
    s = interpolate.make_interp_spline(x, rho, 5)
    R = s.antiderivative()
    u = (R(x) - R(x[0])) / (R(x[-1]) - R(x[0]))
    ok = (u > 1e-11) & (u < 1 - 1e-11)
    return float(np.sqrt(np.sum((line_quantile(line, u[ok]) - x[ok]) ** 2 * rho[ok]) / rho.sum()))


class Folded(Exception):
    """The map of a midpoint scheme is not monotone: h is too large for the route of `line_law`."""


def line_law(scheme, line, T, h, start="exact", relative=0.0, constant=0.0, points=601, nodes_u=12, nodes_xi=12):
    """Grid x (G,) and density of the final law of ONE coordinate, with the score (1 + relative) s + constant. EM, EI, SO: kernel
    N(mu(x), V(x)), trapezoid. REM, REI: for each U and each midpoint noise the density is pushed through a monotone
    map, then convolved (FFT) with the noise independent of it."""
    m, v = line_moments(line)
    x = np.linspace(min(-9.0, m - 9.5 * sqrt(v)), max(9.0, m + 9.5 * sqrt(v)), points)
    dx = x[1] - x[0]
    lp = line_score(line, T, x)[0] if start == "exact" else -x * x / (2 * var_of(T))
    rho = np.exp(lp - lp.max())
    us, wu = leggauss(nodes_u)
    xi, wx = hermegauss(nodes_xi)
    freq = 2 * np.pi * np.fft.rfftfreq(2 * points, dx)
    for n in range(steps_of(T, h)):
        t = T - n * h
        _, s0, H = line_score(line, t, x)
        s = (1 + relative) * s0 + constant
        if scheme in ("EM", "EI", "SO"):
            gam, L, M = x / 2 + s, 0.5 + H, x / 4 - (0.5 + H) * (x / 2 + s0)
            mu, V = {"EM": (x + h * gam, h + 0 * x),
                     "EI": (exp(h / 2) * x + 2 * expm1(h / 2) * s, expm1(h) + 0 * x),
                     "SO": (x + h * phi1(h * L) * gam + h * h * phi2(h * L) * M, h * phi1(2 * h * L))}[scheme]
            rho = np.exp(-(x[:, None] - mu) ** 2 / (2 * V)) @ (rho * dx / np.sqrt(2 * np.pi * V))
            continue
        A, dens, new = (0.0 if scheme == "REM" else 0.5), interpolate.make_interp_spline(x, rho, 5), 0.0
        for u, w in zip((us + 1) / 2, wu / 2):
            s2 = interpolate.make_interp_spline(x, (1 + relative) * line_score(line, t - u * h, x)[1] + constant, 5)
            vu, rest = (u * h, (1 - u) * h) if A == 0 else (expm1(u * h), expm1((1 - u) * h))
            pushed = 0.0
            for z, wz in zip(xi, wx / wx.sum()):
                I = sqrt(vu) * z
                if A == 0:
                    y = x + u * h * (x / 2 + s) + I
                    f = x + h * (y / 2 + s2(y)) + I
                else:
                    y = exp(u * h / 2) * x + 2 * expm1(u * h / 2) * s + I
                    f = exp(h / 2) * x + h * exp((1 - u) * h / 2) * s2(y) + exp((1 - u) * h / 2) * I
                if np.any(np.diff(f) <= 0):
                    raise Folded
                inv = interpolate.make_interp_spline(f, x, 5)
                at = np.clip(x, f[0], f[-1])
                back = np.clip(inv(at), x[0], x[-1])
                pushed = pushed + wz * np.where((x >= f[0]) & (x <= f[-1]), dens(back) * inv(at, 1), 0.0)
            new = new + w * np.fft.irfft(np.fft.rfft(pushed, 2 * points) * np.exp(-freq ** 2 * rest / 2), 2 * points)[:points]
        rho = new
    return x, rho


def line_law_w2(scheme, line, T, h, start="exact", **more):
    """W2 of one coordinate's final law to its target (times sqrt(d) for d equal coordinates under EM, EI, SO; a lower bound under
    REM, REI)."""
    return line_w2(line, *line_law(scheme, line, T, h, start, **more))


# ---------------------------------------------------------------- 2b. mixtures of Gaussians in any dimension

def mixture_score(weights, means, covs, t, x):
    """s (n, d) and H (n, d, d) at x (n, d), t a number or (n,): the components' own, weighed by their posterior."""
    w, mu, S = np.asarray(weights, float), np.asarray(means, float), np.asarray(covs, float)
    t = np.broadcast_to(np.asarray(t, float), len(x))
    V = np.exp(-t)[:, None, None, None] * S + var_of(t)[:, None, None, None] * np.eye(x.shape[1])
    P = np.linalg.inv(V)
    own = -np.einsum("nkij,nkj->nki", P, x[:, None] - a_of(t)[:, None, None] * mu)
    log = np.log(w) - np.linalg.slogdet(V)[1] / 2 + np.einsum("nki,nki->nk", own, x[:, None] - a_of(t)[:, None, None] * mu) / 2
    p = np.exp(log - log.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    s = np.einsum("nk,nki->ni", p, own)
    return s, np.einsum("nk,nki,nkj->nij", p, own, own) - s[:, :, None] * s[:, None] - np.einsum("nk,nkij->nij", p, P)


def planar_score(logp0, t, x, side=220):
    """s (n, 2), H (n, 2, 2) at one time t for many points x (n, 2), on one grid over the target: right while sigma_t is wider than
    its spacing."""
    mid, half, _ = logp0.box(0.0, np.zeros(2))
    a, s2 = a_of(t), var_of(t)
    g = [m + np.linspace(-half, half, side) for m in mid]
    lp = np.asarray(logp0(np.stack(np.meshgrid(*g, indexing="ij"), -1)), float)
    P = np.exp(lp - lp.max())
    k1, k2 = (np.exp(-(a * u - x[:, i, None]) ** 2 / (2 * s2)) for i, u in enumerate(g))
    mean = lambda f1, f2: np.einsum("ni,ni->n", (k1 * f1) @ P, k2 * f2)
    tot, one = mean(1.0, 1.0), 1.0
    m = np.stack([mean(g[0], one), mean(one, g[1])], 1) / tot[:, None]
    c = mean(g[0], g[1]) / tot - m[:, 0] * m[:, 1]
    C = np.array([[mean(g[0] ** 2, one) / tot - m[:, 0] ** 2, c], [c, mean(one, g[1] ** 2) / tot - m[:, 1] ** 2]]).transpose(2, 0, 1)
    return (a * m - x) / s2, a * a / s2 ** 2 * C - np.eye(2) / s2


# ---------------------------------------------------------------- 3. diffused densities in 2-D
# A "logp0" is a callable (..., 2) -> (...), unnormalised, with an attribute box(prec, pull) -> (centre (2,), half width,
# finest width): where exp(logp0(x0) - prec |x0|^2/2 + pull.x0) lives. prec = a^2/sigma^2, pull = a x/sigma^2.

def _concave(f, kappa, Lip, k):  # kappa <= -Hessian <= Lip; poles at distance pi/k from the real plane
    def box(prec, pull):
        pull, w = np.asarray(pull, float), 1 / sqrt(prec + kappa)
        guess = pull / (prec + kappa)
        obj = lambda v: float(-f(guess + w * v) + f(guess) + w * (prec * guess - pull) @ v + prec * w * w * (v @ v) / 2)
        return guess + w * optimize.minimize(obj, np.zeros(2), method="BFGS").x, 10.5 * w, min(1 / sqrt(prec + Lip), 1.75 / k)
    f.box = box
    return f


def skew(lam, c, k, angle=0.0):
    """logp0 = sum_i -lam u_i^2/2 - c log(1 + e^{-k u_i}), u = R(-angle) x (R a rotation by angle); lam, c, k scalars or pairs."""
    lam, c, k = (np.broadcast_to(np.asarray(v, float), 2) for v in (lam, c, k))
    R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    f = lambda x: -np.sum(lam * (x @ R) ** 2 / 2 + c * np.logaddexp(0, -k * (x @ R)), -1)
    return _concave(f, lam.min(), max(lam + c * k * k / 4), np.abs(k).max())


def logistic(x, y, lam):
    """logp0 = -lam |theta|^2/2 - mean_i log(1 + e^{-y_i x_i.theta}); x (m, 2), y (m,) of +-1."""
    Z = np.asarray(x, float) * np.asarray(y, float)[:, None]

    def f(th):                                                          # one logarithm for all rows: product <= 2^rows
        over, rest = 0.0, 1.0
        for z in Z:
            v = -(th[..., 0] * z[0] + th[..., 1] * z[1])
            over, rest = over + np.maximum(v, 0), rest * (1 + np.exp(-np.abs(v)))
        return -lam * np.sum(th * th, -1) / 2 - (over + np.log(rest)) / len(Z)
    return _concave(f, lam, lam + np.linalg.eigvalsh(Z.T @ Z / len(Z))[-1] / 4, np.linalg.norm(Z, axis=1).max())


def mixture(weights, means, var):
    """logp0 = log sum_k w_k N(x; mu_k, S_k), normalised; var a shared variance or (K, 2, 2)."""
    w, mu = np.asarray(weights, float) / np.sum(weights), np.asarray(means, float)
    S = np.array([var * np.eye(2)] * len(w)) if np.ndim(var) == 0 else np.asarray(var, float)
    P, ld = np.linalg.inv(S), np.linalg.slogdet(S)[1]

    def f(x):
        r = x[..., None, :] - mu
        return np.logaddexp.reduce(np.log(w) - np.log(2 * LD(np.pi)) - ld / 2 - np.einsum("...ki,kij,...kj->...k", r, P, r) / 2, -1)

    def box(prec, pull):
        C = np.linalg.inv(P + prec * np.eye(2))
        m, ev = np.einsum("kij,kj->ki", C, np.einsum("kij,kj->ki", P, mu) + pull), np.linalg.eigvalsh(C)
        mid = (m.min(0) + m.max(0)) / 2
        return mid, np.abs(m - mid).max() + 10.5 * sqrt(ev.max()), sqrt(ev.min())
    f.box = box
    return f


@lru_cache(maxsize=64)
def _nodes(f, t, x, wider=0.0, real=LD):
    """Tensor nodes g1, g2 (n,), scaled values P = exp(logp0 - top) (n, n) and log(weight) + top, for the posterior at (t, x);
    t = inf: the target itself. The kernel is NOT in P. n is set by the half width over the finest width."""
    prec, pull = (0.0, np.zeros(2)) if isinf(t) else (exp(-t) / -expm1(-t), exp(-t / 2) * np.array(x, float) / -expm1(-t))
    mid, half, fine = f.box(prec, pull)
    half = half + wider
    n = int(min(2000, max(161, ceil(2 * half / (0.25 * fine)))))
    off = np.linspace(real(-half), real(half), n)
    g1, g2 = real(mid[0]) + off, real(mid[1]) + off
    lp = f(np.stack(np.meshgrid(g1, g2, indexing="ij"), -1))
    top = lp.max()                                                      # at most about 60 e-folds over the box
    return g1, g2, lp, top, 2 * np.log(off[1] - off[0])


@lru_cache(maxsize=64)
def log_z(f):
    """log of the integral of exp(logp0)."""
    _, _, lp, top, lw = _nodes(f, inf, (0.0, 0.0))
    return top + np.log(np.sum(np.exp(lp - top))) + lw


def _posterior(f, t, x, real=LD):
    a, s2 = np.exp(-real(t) / 2), -np.expm1(-real(t))
    g1, g2, lp, _, lw = _nodes(f, float(t), tuple(map(float, x)), real=real)
    l = lp - ((a * g1 - real(x[0])) ** 2)[:, None] / (2 * s2) - (a * g2 - real(x[1])) ** 2 / (2 * s2)
    return a, s2, g1, g2, l, lw


def log_pt(logp0, t, x):
    """log of the normalised density of a X_0 + sigma Z at one point x (2,); trapezoid on the posterior's box, long double."""
    _, s2, _, _, l, lw = _posterior(logp0, t, x)
    top = l.max()
    return top + np.log(np.sum(np.exp(l - top))) + lw - np.log(2 * LD(np.pi) * s2) - log_z(logp0)


def score_and_hessian(logp0, t, x):
    """s (2,), H (2, 2) at one point: derivatives of log p_t under the integral, s = a E[D]/sigma^2,
    H = a^2 Cov(D)/sigma^4 - I/sigma^2 with D = x0 - x/a, in long double where t is small (so that the cancellation there is
    harmless): from t = 0.25 on it costs a digit or two of a double, and a long double costs several times the time."""
    real = LD if t < 0.25 else np.float64
    a, s2, g1, g2, l, _ = _posterior(logp0, t, x, real)
    w = np.exp(l - l.max())
    w = w / w.sum()
    d1, d2, w1, w2 = g1 - real(x[0]) / a, g2 - real(x[1]) / a, w.sum(1), w.sum(0)
    m1, m2 = w1 @ d1, w2 @ d2
    d1, d2 = d1 - m1, d2 - m2
    c12 = d1 @ (w @ d2)
    C = np.array([[w1 @ d1 ** 2, c12], [c12, w2 @ d2 ** 2]])
    return (a / s2 * np.array([m1, m2])).astype(float), (a * a / s2 ** 2 * C - np.eye(2) / s2).astype(float)


@lru_cache(maxsize=32)
def moments(logp0):
    """Mean (2,) and covariance (2, 2) of the target. Nothing cancels: a double will do."""
    g1, g2, lp, top, _ = _nodes(logp0, inf, (0.0, 0.0), real=np.float64)
    w = np.exp(lp - top)
    w, w1, w2 = w / w.sum(), w.sum(1) / w.sum(), w.sum(0) / w.sum()
    m = np.array([w1 @ g1, w2 @ g2])
    c12 = (g1 - m[0]) @ (w @ (g2 - m[1]))
    return m.astype(float), np.array([[w1 @ (g1 - m[0]) ** 2, c12], [c12, w2 @ (g2 - m[1]) ** 2]], float)


# ---------------------------------------------------------------- 4. M from its definition

@lru_cache(maxsize=8)
def _stencils(r=5):
    """Central weights (4, 2r+1) of the derivatives 0..3 at 0 on the nodes -r..r, exact to rounding of long double."""
    with mp.workdps(40):
        V = mp.matrix([[mp.mpf(j) ** p for j in range(-r, r + 1)] for p in range(2 * r + 1)])
        rows = [mp.lu_solve(V, mp.matrix([mp.factorial(k) if p == k else 0 for p in range(2 * r + 1)])) for k in range(4)]
        return np.array([[LD(mp.nstr(v, 30)) for v in row] for row in rows])


def derivatives(logp0, t, x, r=5):
    """Function D(k, i, j) = d_t^k d_1^i d_2^j log p_t(x), each order at most 3, by differences of log p_t on a tensor stencil
    of (2r+1)^3 points (steps: a fraction of sigma_t in x, of t in t), long double."""
    s = sqrt(-expm1(-t))
    hx, ht = LD(min(0.012, 0.12 * s)), LD(min(0.015 * t, 0.02))
    g1, g2, lp, _, _ = _nodes(logp0, float(t), tuple(map(float, x)), wider=float(r * hx * exp(t / 2)) if t < 1 else 2.0)
    off, val = np.arange(-r, r + 1), []
    for k in off:
        tk = LD(t) + k * ht
        a, s2 = np.exp(-tk / 2), -np.expm1(-tk)
        base = lp - ((a * g1 - LD(x[0])) ** 2)[:, None] / (2 * s2) - (a * g2 - LD(x[1])) ** 2 / (2 * s2)
        top = base.max()
        e1, e2 = (np.exp(off[:, None] * hx * (a * g - LD(xi)) / s2) for g, xi in ((g1, x[0]), (g2, x[1])))
        shift = (off * hx) ** 2 / (2 * s2)                              # -(a g - x - d)^2 = -(a g - x)^2 + 2 d (a g - x) - d^2
        val.append(top + np.log(e1 @ np.exp(base - top) @ e2.T) - shift[:, None] - shift - np.log(s2))
    val, W = np.array(val), _stencils(r)
    return lambda k, i, j: float(np.einsum("k,i,j,kij->", W[k], W[i], W[j], val) / (ht ** k * hx ** (i + j)))


def m_by_definition(logp0, t, x):
    """M (2,) = 1/2 sum_j d_jj s - d_t s with s the gradient of log p_t, all by differences of log p_t."""
    D = derivatives(logp0, t, x)
    return np.array([(D(0, 3, 0) + D(0, 1, 2)) / 2 - D(1, 1, 0), (D(0, 2, 1) + D(0, 0, 3)) / 2 - D(1, 0, 1)])


def m_closed(s, H, x):
    """M = x/4 - (I/2 + H)(x/2 + s), what m_by_definition must give; s, x (2,), H (2, 2)."""
    return x / 4 - (np.eye(2) / 2 + H) @ (x / 2 + s)


# ---------------------------------------------------------------- 5. stochastic integrals

def _quad(f, b):
    """int_0^b f dv, Gauss-Legendre with 80 nodes; f vectorised."""
    z, w = leggauss(80)
    return b / 2 * w @ f((z + 1) * b / 2)


def ito_covariance(A, u, h):
    """Covariance (2, 2) of (I(A,u), I(A,1)), I(A,u) = int_0^{uh} e^{A(uh-v)} dW_v, scalar A, by quadrature of the isometry."""
    c = _quad(lambda v: np.exp(A * (u * h - v)) * np.exp(A * (h - v)), u * h)
    return np.array([[_quad(lambda v: np.exp(2 * A * (u * h - v)), u * h), c], [c, _quad(lambda v: np.exp(2 * A * (h - v)), h)]])


def rei_rho(u, h):
    """The paper's rho_n: correlation of I(1/2,u) and I(1/2,1)."""
    C = ito_covariance(0.5, u, h)
    return C[0, 1] / sqrt(C[0, 0] * C[1, 1])


def legendre_weights(A, h, order=2):
    """(w (order+1,), residual variance): e^{A(h-v)} = sum_k w_k P_k(2v/h - 1) + rest on [0, h], by quadrature; so
    I(A,1) = sum_k w_k int P_k dW + N(0, residual), and int P_k dW has variance h/(2k+1)."""
    P = [Legendre.basis(k, domain=[0, h]) for k in range(order + 1)]
    w = np.array([(2 * k + 1) / h * _quad(lambda v: np.exp(A * (h - v)) * p(v), h) for k, p in enumerate(P)])
    return w, _quad(lambda v: (np.exp(A * (h - v)) - sum(wk * p(v) for wk, p in zip(w, P))) ** 2, h)


# ---------------------------------------------------------------- 6. the five schemes, naively

def simulate(scheme, score, hessian, T, h, x, rng, drift=None):
    """Final particles (n, d) from x (n, d) at time T. score(t (n,), x (n, d)) -> (n, d); hessian likewise -> (n, d, d), asked
    by SO alone, with M = drift(t, x) (n, d), or x/4 - L gamma of the score and Hessian given if drift is None. Fresh noise, U one
    scalar per step and particle."""
    x, col = np.array(x, float), lambda v: np.asarray(v)[:, None]
    n, d = x.shape
    for i in range(steps_of(T, h)):
        t = np.full(n, T - i * h)
        z1, z2, u = rng.standard_normal((n, d)), rng.standard_normal((n, d)), rng.random(n)
        s = score(t, x)
        if scheme == "EM":
            x = x + h * (x / 2 + s) + sqrt(h) * z1
        elif scheme == "EI":
            x = exp(h / 2) * x + 2 * expm1(h / 2) * s + sqrt(expm1(h)) * z1
        elif scheme == "REM":
            Iu = col(np.sqrt(u * h)) * z1
            y = x + col(u * h) * (x / 2 + s) + Iu
            x = x + h * (y / 2 + score(t - u * h, y)) + Iu + col(np.sqrt((1 - u) * h)) * z2
        elif scheme == "REI":
            Iu, grow = col(np.sqrt(np.expm1(u * h))) * z1, col(np.exp((1 - u) * h / 2))
            y = col(np.exp(u * h / 2)) * x + col(2 * np.expm1(u * h / 2)) * s + Iu
            x = exp(h / 2) * x + h * grow * score(t - u * h, y) + grow * Iu + col(np.sqrt(np.expm1((1 - u) * h))) * z2
        else:
            gam, L = x / 2 + s, np.eye(d) / 2 + hessian(t, x)
            M = drift(t, x) if drift else x / 4 - np.einsum("nij,nj->ni", L, gam)
            lam, R = np.linalg.eigh(L)
            on = lambda g, v: np.einsum("nij,nj,nkj,nk->ni", R, g, R, v, optimize=True)
            x = x + on(h * phi1(h * lam), gam) + on(h * h * phi2(h * lam), M) + on(np.sqrt(h * phi1(2 * h * lam)), z1)
    return x


# ---------------------------------------------------------------- 7. the theorems

def theorem_constants(scheme, m0, L0, L_F, d, h):
    """dict(C1, C2, h_term, order, hessian, drift): h_term is C1 times the power of h (and of d for EM, EI) of the theorem;
    hessian and drift multiply eps^(L) and eps^(M) (SO; else 0). None where the bound is void (m_min <= 1/2)."""
    m, L = min(1.0, m0), 1 + L0
    if m <= 0.5:
        return None
    gap = m - 0.5
    hess = drift = 0.0
    if scheme == "EM":
        C1, C2, term = (L + 0.5) / gap, 1 / gap, sqrt(d * h)
    elif scheme == "EI":
        C1, C2, term = L / gap, 1 / gap, sqrt(d * h)
    elif scheme == "REM":
        C1, C2, term = (sqrt(d / 3) * L + 1 / (2 * sqrt(3))) / gap, 3 / gap, sqrt(h)
    elif scheme == "REI":
        C1, C2, term = sqrt(d / 3) * L / gap, 3 / gap, sqrt(h)
    elif scheme == "SO":
        C2 = exp((L - 0.5) * h) / gap
        C1, term = C2 * sqrt(d) * (L ** 1.5 + sqrt(2) * L_F / 4), h
        hess, drift = C2 * 2 / 3 * sqrt(h * d), C2 * h / 2
    else:
        raise ValueError(scheme)
    return dict(C1=C1, C2=C2, h_term=C1 * term, order=1.0 if scheme == "SO" else 0.5, hessian=hess, drift=drift)


# ---------------------------------------------------------------- 8. the targets of study files

def _softplus(v):
    return np.logaddexp(0.0, v)


class Target:
    """The law that a study file's target object names, from the formulas of the README: `parts`, the components
    (weights, means, covs) of a mixture; `axes` (d, d) and `lines`, of a product; or `planar`, a log density of sec. 3."""

    def __init__(self, spec):
        k = {key: v for key, v in spec.items() if key != "name"}
        self.parts = self.lines = self.planar = None
        self.axes, name = np.eye(2), spec["name"]
        if name == "gaussian":
            self.parts = [1.0], [k["mean"]], [k["cov"]]
        elif name == "spectrum":
            self.parts = [1.0], np.zeros((1, len(k["values"]))), [np.diag(k["values"])]
        elif name == "mixture":
            d = len(k["means"][0])
            covs = [k["var"] * np.eye(d)] * len(k["weights"]) if np.ndim(k["var"]) == 0 else k["var"]
            self.parts = k["weights"], k["means"], covs
        elif name == "skew":
            c, s = np.cos(np.radians(k["angle"])), np.sin(np.radians(k["angle"]))
            self.axes = np.array([[c, -s], [s, c]])
            self.lines = [Line(lambda u: -k["lam"] * u * u / 2 - k["c"] * _softplus(-k["k"] * u))] * 2
        elif name == "kink":
            f = (lambda u: np.sqrt(u * u + k["delta"] ** 2)) if k["delta"] else np.abs
            self.lines = [Line(lambda u: -k["lam"] * u * u / 2 - k["c"] * f(u), breaks=(0.0,))] * 2
        elif name == "wells":
            self.lines = [Line(lambda u: -k["q"] * u ** 4 / 4 + k["a"] * u * u / 2 + k["g"] * u, -12.0, 12.0),
                          Line(lambda u: -k["k"] * u * u / 2)]
        elif name == "box":
            self.lines = [Line(lambda u: -k["lam"] * u * u / 2, -k["half"], k["half"])] * 2
        elif name == "logistic" and k.get("score") == "laplace":
            self.parts = [1.0], *_laplace(np.asarray(k["x"], float) * np.asarray(k["y"], float)[:, None], k["lam"])
        elif name == "logistic":
            self.planar = logistic(k["x"], k["y"], k["lam"])
        else:
            raise ValueError(name)
        if self.parts:
            self.parts = tuple(np.asarray(v, float) for v in self.parts)
            self._factor()

    def _factor(self):
        """A mixture of one isotropic variance with its means on a line is a product."""
        w, mu, S = self.parts
        d = mu.shape[1]
        if len(w) == 1 or not np.allclose(S, S[0, 0, 0] * np.eye(d)):
            return
        _, size, axes = np.linalg.svd(mu - mu[0])
        if np.all(size[1:] < 1e-9):
            self.axes, v = axes.T, S[0, 0, 0]
            m = mu @ self.axes
            self.lines = [Line(lambda u, c=c: np.logaddexp.reduce(np.log(w) - (u[..., None] - c) ** 2 / (2 * v), -1)) for c in m.T]

    def score(self, t, x):
        """s (n, d), H (n, d, d) at x (n, d); t a number, or (n,) where there are parts."""
        if self.parts:
            return mixture_score(*self.parts, t, x)
        if self.planar:
            return planar_score(self.planar, t, x)
        along = [line_score(line, t, u) for line, u in zip(self.lines, (x @ self.axes).T)]
        s, H = (np.stack([v[i] for v in along], 1) for i in (1, 2))
        return s @ self.axes.T, np.einsum("ij,nj,kj->nik", self.axes, H, self.axes)

    def moments(self):
        """Mean (d,) and covariance (d, d)."""
        if self.parts:
            w, mu, S = self.parts
            m = w @ mu
            return m, np.einsum("k,kij->ij", w, S) + np.einsum("k,ki,kj->ij", w, mu - m, mu - m)
        if self.planar:
            return moments(self.planar)
        m, v = np.array([line_moments(line) for line in self.lines]).T
        return self.axes @ m, (self.axes * v) @ self.axes.T

    def sample(self, n, rng):
        """(n, d); of a logistic posterior by rejection on the mode's own grid."""
        if self.parts:
            w, mu, S = self.parts
            k = rng.choice(len(w), n, p=w / w.sum())
            return mu[k] + np.einsum("nij,nj->ni", np.linalg.cholesky(S)[k], rng.standard_normal((n, mu.shape[1])))
        if self.planar:
            mid, half, _ = self.planar.box(0.0, np.zeros(2))
            g, step = np.linspace(-half, half, 400, retstep=True)
            lp = np.asarray(self.planar(np.stack(np.meshgrid(g + mid[0], g + mid[1], indexing="ij"), -1)), float).ravel()
            p = np.exp(lp - lp.max())
            k = rng.choice(len(p), n, p=p / p.sum())
            return mid + np.stack([g[k // 400], g[k % 400]], 1) + step * rng.uniform(-0.5, 0.5, (n, 2))
        return np.stack([line_quantile(line, rng.random(n)) for line in self.lines], 1) @ self.axes.T


def _laplace(Z, lam):
    """[mode] and [inverse of minus the Hessian] of -lam |x|^2/2 - mean log(1 + e^{-Z x}) by Newton's method."""
    x = np.zeros(Z.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(Z @ x))
        P = lam * np.eye(len(x)) + (Z.T * (p * (1 - p))) @ Z / len(Z)
        x = x + np.linalg.solve(P, Z.T @ p / len(Z) - lam * x)
    return [x], [np.linalg.inv(P)]


def mixture_over_u(scheme, mean, cov, T, h, rng, start="exact", n=4000):
    """(lower, upper) of W2 of REM or REI on a Gaussian: Gelbrich's bound of the law's moments, and the mean square of the distances
    given U, W2 being convex: given U the law is N(alpha m + beta, ...) in the eigenbasis, n sequences of U."""
    c, Q = np.linalg.eigh(np.asarray(cov, float))
    mu, N = Q.T @ np.asarray(mean, float), steps_of(T, h)
    q = lambda t: 1 / (a_of(t) ** 2 * c + var_of(t))
    exact = {"exact": 1.0, "paper": 0.0}[start]
    m, v = np.full((n, 1), exact * a_of(T)) * mu, np.full((n, 1), var_of(T)) + exact * a_of(T) ** 2 * c
    for i in range(N):
        t, u = T - i * h, (rng.permutation(n)[:, None] + rng.random((n, 1))) / n
        g, g2, k, k2 = -q(t), -q(t - u * h), a_of(t) * mu * q(t), a_of(t - u * h) * mu * q(t - u * h)
        if scheme == "REM":
            g, g2 = g + 0.5, g2 + 0.5
            al, be = 1 + h * g2 * (1 + u * h * g), h * (g2 * u * h * k + k2)
            nu = h + 2 * h * g2 * u * h + h * h * g2 ** 2 * u * h
        else:
            f, b, W = np.exp(u * h / 2), 2 * np.expm1(u * h / 2), h * np.exp((1 - u) * h / 2)
            al, be = exp(h / 2) + W * g2 * (f + b * g), W * (k2 + g2 * b * k)
            nu = expm1(h) + np.expm1(u * h) * (2 * W * g2 * np.exp((1 - u) * h / 2) + (W * g2) ** 2)
        m, v = al * m + be, al ** 2 * v + nu
    low = bures(Q @ m.mean(0), Q @ (np.diag(v.mean(0)) + np.cov(m.T, ddof=0).reshape(len(c), -1)) @ Q.T, mean, cov)
    return low, float(np.sqrt(np.mean(np.sum((m - mu) ** 2 + (np.sqrt(v) - np.sqrt(c)) ** 2, 1))))


# ---------------------------------------------------------------- 9. a random study

KINDS = ("gaussian", "spectrum", "mixture", "line", "skew", "kink", "wells", "box", "logistic", "laplace")


def random_study(seed):
    """A study file of one or two schemes and step counts, on the target KINDS[seed % 10]."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    between = lambda low, high: float(rng.uniform(low, high))
    ratio = lambda low, high, *n: low * (high / low) ** rng.random(*n)

    def spread(d):
        Q, _ = np.linalg.qr(rng.standard_normal((d, d)))
        S = (Q * ratio(0.1, 3.0, d)) @ Q.T
        return ((S + S.T) / 2).tolist()

    d = int(rng.integers(1, 5))
    w = rng.dirichlet(np.full(3, 4.0))
    x = rng.normal(0, 2, (int(rng.integers(4, 12)), 2)).round(3)
    data = {"name": "logistic", "x": x.tolist(), "y": rng.choice([-1, 1], len(x)).tolist(), "lam": float(ratio(0.3, 3.0))}
    target = {
        "gaussian": lambda: {"name": "gaussian", "mean": rng.normal(0, 1, d).tolist(), "cov": spread(d)},
        "spectrum": lambda: {"name": "spectrum", "values": ratio(0.05, 4.0, 1 + int(rng.integers(30))).tolist()},
        "mixture": lambda: {"name": "mixture", "weights": w.tolist(), "means": rng.normal(0, 1.2, (3, 2)).tolist(),
                            "var": [spread(2) for _ in w] if rng.random() < 0.6 else between(0.2, 1.0)},
        "line": lambda: {"name": "mixture", "weights": w.tolist(), "var": between(0.2, 1.0),
                         "means": np.outer(rng.normal(0, 1, 3), rng.normal(0, 1, d)).tolist()},
        "skew": lambda: {"name": "skew", "lam": between(0.3, 3), "c": between(0, 3), "k": between(0.5, 4) * rng.choice([-1, 1]),
                         "angle": between(0, 180)},
        "kink": lambda: {"name": "kink", "lam": between(0, 2), "c": between(0.5, 2), "delta": rng.choice([0.0, between(0.2, 1)])},
        "wells": lambda: {"name": "wells", "a": between(-2, 4), "q": between(0.5, 3), "g": between(-1, 1), "k": between(0.3, 3)},
        "box": lambda: {"name": "box", "half": between(0.4, 2), "lam": between(0, 2)},
        "logistic": lambda: data, "laplace": lambda: {**data, "score": "laplace"},
    }[kind]()
    names = SCHEMES if kind != "logistic" else ("EM", "EI", "SO")       # planar_score knows one time at once
    T = float(rng.choice([1.0, 2.0, 3.0]))
    error = rng.choice(["none", "none", "constant", "relative"] + ["noise"] * (kind in ("gaussian", "laplace")))
    error = {"name": str(error), **({} if error == "none" else {"level": between(0.05, 0.4)})}
    if error["name"] == "constant":
        error["angle"] = between(0, 360)
    return {
        "target": target, "schemes": [str(v) for v in rng.choice(names, 2, replace=False)], "T": T, "seed": seed,
        "steps": [int(T) * int(v) for v in rng.choice([2, 4, 8], 1)], "start": str(rng.choice(["exact", "paper"])),
        "score_error": error, "particles": 1024,
    }
