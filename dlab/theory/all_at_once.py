"""The bound on DDPM that adds all errors at once, with every constant: any grid, any m0 >= 0, no smoothness.

In z = e^{t/2} x and tau = e^t - 1 let Gamma_r be the Jacobian of the denoiser x0 at tau = r, which is Cov(X_0 | Z_r)/r. Where
m0 <= -Hess log p_0 <= L0 it lies between 1/(1 + L0 r) and 1/(1 + m0 r) (Cramer-Rao, Brascamp-Lieb). Since x0 is a martingale of the
reverse process, its step from tau = b down to a is

    Z_a = (a/b) Z_b + (1 - a/b) x0(Z_b) + int_a^b (a/r + (1 - a/r) Gamma_r) dB_r,

and DDPM's is the same with 1/(1 + r/v) instead of Gamma_r, where v is its option `noise`. So the step's error is centred given
its start, an integral of (1 - a/r) (Gamma_r - 1/(1 + r/v)), and the step's mean contracts by (1 + m0 a)/(1 + m0 b), factors that
telescope. Squares of centred errors add (docs/theory.md has the proof):

    W2 <= e_0 / (1 + m0 tau_0)                                                                      initialisation
          + [d sum_n (1 + m0 tau_{n+1})^{-2} int (1 - tau_{n+1}/r)^2 max |Gamma_r - 1/(1 + r/v)|^2 dr]^{1/2}   discretisation
          + sum_n (1 - tau_{n+1}/tau_n) eps_n / (1 + m0 tau_{n+1})                                  score bias
          + [sum_n ((1 - tau_{n+1}/tau_n) v_n / (1 + m0 tau_{n+1}))^2]^{1/2}                         fresh score noise
          + ((1 - alpha)^2 |X_0|^2 + d sigma^2)^{1/2} at the stop, where the others shrink by alpha (1 + m0 tau_N)

with eps_n and v_n errors of x0, tau alpha times those of the score. N(0, I/m0) with v = 0 attains the second term in coupled L2.
"""

from dataclasses import astuple, dataclass

import numpy as np

from dlab import process
from dlab.grid import Grid

SERIES = 0.05  # |x| up to which `cubed` is a power series: x^3 is lost between terms of size x
DDPM_ALONE = "this bound holds for DDPM, whose mean is exact."


class Contributions:
    """The fields of a dataclass, which add up to the bound `total` on W2."""

    @property
    def total(self) -> float:
        return float(sum(astuple(self)))


@dataclass(frozen=True)
class Terms(Contributions):

    initialisation: float
    discretisation: float
    bias: float
    fresh: float
    stop: float


def cubed(x):
    """x - 2 log(1 + x) + x/(1 + x) = x^3/3 - x^4/2 + ... for x > -1, without cancellation."""
    x = np.asarray(x, float)
    small = np.abs(x) < SERIES
    near, far = np.where(small, x, 0.0), np.where(small, 1.0, x)
    k = np.arange(3, 16)
    series = near**3 * np.polynomial.polynomial.polyval(near, (-1.0) ** (k + 1) * (1 - 2 / k))
    return np.where(small, series, far - 2 * np.log1p(far) + far / (1 + far))


def rate(value):
    """The pair (alpha, kappa) of 1/(1 + k r) = alpha/(alpha + kappa r), k in [0, infinity]."""
    return (0.0, 1.0) if np.isinf(value) else (1.0, float(value))


def spread(value):
    """As `rate` of k = 1/v, v in [0, infinity]."""
    return (1.0, 0.0) if np.isinf(value) else (float(value), 1.0)


def gap(one, other, a, b):
    """int_a^b (1 - a/r)^2 (1/(1 + k r) - 1/(1 + l r))^2 dr, 0 <= a <= b (N,), for k, l as pairs of `rate`, not both infinite.

    The integrand is (P(a)/P(r) - Q(a)/Q(r))^2 with P = alpha + kappa r and Q of the other, and q = Q(r) P(a)/(Q(a) P(r)) turns it
    into (1 - 1/q)^2 dq, but for a constant.
    """
    (p, k), (q, m) = one, other
    a, b = np.asarray(a, float), np.asarray(b, float)
    Pa, Qa, Pb, Qb = p + k * a, q + m * a, p + k * b, q + m * b
    apart = p * m - q * k
    if apart == 0:
        return np.zeros(np.broadcast(a, b).shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = Pa * Qa / apart * cubed(np.where((Pa > 0) & (Qa > 0) & (Pb > 0), apart * (b - a) / (Pb * Qa), 0.0))
        # From a = 0 one of the two may be 0: what is left is the other one squared.
        found = np.where(Qa > 0, found, np.where(b > 0, p * b / np.maximum(Pb, 1e-300), 0.0))
        return np.where(Pa > 0, found, np.where(b > 0, q * b / np.maximum(Qb, 1e-300), 0.0))


def largest_gap(m0, L0, noise, a, b):
    """int_a^b (1 - a/r)^2 max |Gamma - 1/(1 + r/noise)|^2 dr over 1/(1 + L0 r) <= Gamma <= 1/(1 + m0 r), (N,); L0 may be infinite."""
    upper, lower, mine = rate(m0), rate(L0), spread(noise)
    if np.isinf(noise):
        return gap(lower, mine, a, b)
    if noise == 0:
        return gap(upper, mine, a, b)
    # The upper end of Gamma is the further one where at + by r >= 0.
    at, by = (-noise, 1 - 2 * noise * m0) if np.isinf(L0) else (2 - noise * (m0 + L0), m0 + L0 - 2 * noise * m0 * L0)
    first, then = (upper, lower) if at >= 0 else (lower, upper)
    if at * by >= 0:
        return gap(first if at else (upper if by >= 0 else lower), mine, a, b)
    middle = np.clip(-at / by, a, b)
    return gap(first, mine, a, middle) + gap(then, mine, a, b) - gap(then, mine, a, middle)


def _taus(grid: Grid):
    """tau at the start and the end of each step, (N,) each."""
    tau = np.expm1(grid.times)
    return tau[:-1], tau[1:]


def weights(m0: float, grid: Grid):
    """What an error of a step that is made at its end counts for at the end of the run, in x, (N,)."""
    _, low = _taus(grid)
    return np.exp(-grid.stop / 2) * (1 + m0 * low[-1]) / (1 + m0 * low)


def score_weights(m0: float, grid: Grid):
    """By how much an error of the score in each step is multiplied on its way to W2, (N,)."""
    high, low = _taus(grid)
    return weights(m0, grid) * (high - low) * np.exp(-grid.times[:-1] / 2)


def start_distance(second_moment: float, dim: int, T: float, start: str) -> float:
    """|Z - Z^| in L2 at the start, in z: 0, that of N(0, tau_0 I), or that of N(0, (1 + tau_0) I)."""
    if start == "exact":
        return 0.0
    more = np.exp(T / 2) * (process.start_variance(start, T) ** 0.5 - float(process.variance(T)) ** 0.5)
    return float(np.sqrt(second_moment + dim * more**2))


def stop_distance(second_moment: float, dim: int, stop: float) -> float:
    """|X_stop - X_0| in L2."""
    return float(np.sqrt(np.expm1(-stop / 2) ** 2 * second_moment - dim * np.expm1(-stop))) if stop else 0.0


def missing(facts) -> str | None:
    """The sentence why there is no bound; None where there is one."""
    m0 = facts.m0
    if m0.value is None:
        return f"m0 of this target is {m0.how if m0.infinite else 'unknown'}, so there is no number."
    return f"m0 = {m0.value:.3g}: the target is not log-concave, so there is no number." if m0.value < 0 else None


def terms(facts, *, grid: Grid, start: str, error=0.0, fresh=0.0, noise: float = 0.0) -> tuple[Terms | None, str | None]:
    """(Terms, None), or (None, why there is no number).

    error, fresh   L2 levels along the iterates of an error of the score that is a function of (t, x), and of one drawn afresh at each
                   evaluation with mean zero: numbers, or (N,) for each step
    noise          the scheme's option, v
    """
    if void := missing(facts):
        return None, void
    m0, L0, d, size = facts.m0.value, facts.L0.value, facts.dim, facts.second_moment
    high, low = _taus(grid)
    w, c = weights(m0, grid), score_weights(m0, grid)
    squares = d * largest_gap(m0, np.inf if L0 is None else L0, noise, low, high)
    first = np.exp(-grid.stop / 2) * (1 + m0 * low[-1]) / (1 + m0 * high[0])
    return Terms(
        float(first * start_distance(size, d, grid.T, start)), float(np.sqrt(w**2 @ squares)),
        float(np.sum(c * error)), float(np.sqrt(np.sum((c * fresh) ** 2))), stop_distance(size, d, grid.stop),
    ), None  # fmt: skip


def coupled(values, means, *, grid: Grid, start: str, fresh: float = 0.0, noise: float = 0.0) -> float:
    """The L2 distance of DDPM and the reverse process on one Brownian path on N(means, diag values), (d,) each, by its recursion of
    second moments: exact. fresh: total level of the noise in the score, the same in every coordinate."""
    high, low = _taus(grid)
    total = 0.0
    for v, mean in zip(values, means):
        own = start_distance(v + mean**2, 1, grid.T, start) ** 2
        shrink = (v + low) / (v + high)
        added = gap(spread(v), spread(noise), low, high) + ((high - low) * np.exp(-grid.times[:-1] / 2) * fresh) ** 2 / len(values)
        for A, more in zip(shrink, added):
            own = A**2 * own + more
        total += own
    return float(np.exp(-grid.stop / 2) * np.sqrt(total))
