"""Why diffusion at all: Langevin and a diffusion sampler on one ill-conditioned Gaussian, and both with a score whose error is small in
the L2 norm of the target.

Langevin here is the unadjusted algorithm x' = x + eta s(x) + sqrt(2 eta) xi, which asks for the score of the target alone. The diffusion
is Euler's method of z = x/alpha (VE-EM) on a geometric grid. Both are affine on a Gaussian, so their laws are recursions of variances.
"""

import math

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import norm

from dlab.answers.base import Answer

AXES = 16  # variances from 1/condition to 1, evenly in log
COUNTS = tuple(2**k for k in range(3, 18))  # evaluations of the score
CONDITIONS = (1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)  # that are offered


def spectrum(condition: float) -> np.ndarray:
    """Variances (AXES,) of the target, the largest 1."""
    return np.geomspace(1.0, 1 / condition, AXES)


def langevin(study, condition: float, tick=lambda *done: None) -> dict:
    """W2 to N(0, S), S of `spectrum(condition)`, after N evaluations of the score, with the tuning that is asymptotically best
    (Perbost, Bach and Marion, arXiv 2610.12052):

    {"condition", "rows": [{"steps", "langevin", "diffusion", "step" (eta), "horizon", "stop" (of the grid, in tau), "promised"
    (Proposition 4's bound)}], "constants": {"langevin",
    "diffusion"}, what W2 N/log N tends to}. "langevin" is None where its step is longer than twice the smallest variance and it explodes.
    Nothing of the study is read.
    """
    v, rows = spectrum(condition), []
    for N in COUNTS:
        tick()
        step, horizon, stop = tuning(v, N)
        rows.append({
            "steps": N, "langevin": distance(langevin_variances(v, N, step), v) if step < 2 * v.min() else None,
            "diffusion": distance(diffusion_variances(v, geometric(N, horizon, stop)), v),
            "step": step, "horizon": horizon, "stop": stop, "promised": promised(v, N),
        })  # fmt: skip
    return {"condition": condition, "rows": rows, "constants": {
        "langevin": float(v.max() * math.sqrt(np.sum(1 / v)) / 8), "diffusion": 5 / 8 * math.sqrt(v.sum()),
    }}  # fmt: skip


def tuning(v: np.ndarray, N: int) -> tuple[float, float, float]:
    """Langevin's step, and the diffusion's largest and smallest tau, for N evaluations on variances v (d,)."""
    top = float(v.max())
    return top * math.log(N) / (2 * N), top * math.sqrt(N), top / N**2


def geometric(N: int, horizon: float, stop: float) -> np.ndarray:
    """The grid tau_k = T (delta/T)^{k/N}, (N + 1,)."""
    return np.geomspace(horizon, stop, N + 1)


def langevin_variances(v: np.ndarray, N: int, step: float) -> np.ndarray:
    """Variances (d,) after N steps from the point 0, of less than 2 min v: V' = (1 - eta/v)^2 V + 2 eta."""
    A = 1 - step / v
    return 2 * step * (1 - A ** (2 * N)) / (1 - A**2)


def diffusion_variances(v: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Variances (d,) of VE-EM at the end of the times tau (N + 1,), from N(0, tau_0 I): V' = (1 - e/(v + tau))^2 V + e, e the step."""
    e = -np.diff(tau)
    after = np.cumprod((1 - e / (v[:, None] + tau[:-1]))[:, ::-1] ** 2, 1)[:, ::-1]  # of a step and all that follow
    return after[:, 0] * tau[0] + np.sum(e[:-1] * after[:, 1:], 1) + e[-1]


def distance(V: np.ndarray, v: np.ndarray) -> float:
    """W2 between N(0, diag V) and N(0, diag v)."""
    return float(np.sqrt(np.sum((np.sqrt(V) - np.sqrt(v)) ** 2)))


def promised(v: np.ndarray, N: int) -> float:
    """Proposition 4 of 2610.12052, for any data whose variances are at most max v: it knows dimension and largest variance alone."""
    return math.sqrt(len(v) * v.max()) / N * (5 / 2**1.25 * math.log(N) + 1.25**1.5 + 1)


# ---------------------------------------------------------------- a score that is wrong where the target has little mass

EDGES = tuple(2.0 + 0.5 * k for k in range(7))  # R: the score is wrong beyond
PULL = 2.0  # it draws to R + PULL there
WIDE = 3.0  # standard deviation of Langevin's start
TIMES = 8.0  # that both run
H = 0.02
LINE = np.linspace(-14, 14, 1121)


def small_error(study, tick=lambda done: None) -> dict:
    """N(0, 1) with a score that is right for |x| < R and beyond draws to sign(x) (R + PULL): the error, R + PULL there, is small in L2(p),
    as p has little mass there. W2 of Langevin from N(0, WIDE^2), and of the diffusion from its own start, with the same error:

    {"rows": [{"edge": R, "error": its L2(p) norm, "langevin", "diffusion", "share": of Langevin's start that lies beyond R}], "time",
    "wide"}. p_t = N(0, 1) for all t, so the error has this norm along the whole diffusion. Densities on a line, no sampling.
    Nothing of the study is read.
    """
    rows = []
    for i, R in enumerate(EDGES):
        tick(i / len(EDGES))
        score = -LINE + np.where(np.abs(LINE) > R, np.sign(LINE) * (R + PULL), 0.0)
        rows.append({
            "edge": R, "error": float((R + PULL) * math.sqrt(2 * norm.sf(R))),
            # dx = s dt + sqrt 2 dB; and the reverse process dx = (x/2 + s) dt + dB from p_T.
            "langevin": _line_distance(_moved(score, 2.0, norm.pdf(LINE, scale=WIDE))),
            "diffusion": _line_distance(_moved(LINE / 2 + score, 1.0, norm.pdf(LINE))),
            "share": float(2 * norm.sf(R / WIDE)),
        })  # fmt: skip
    return {"rows": rows, "time": TIMES, "wide": WIDE}


def _moved(drift, variance, density):
    """The density on LINE after TIMES of dx = drift dt + sqrt(variance) dB, in Euler steps of H."""
    kernel = norm.pdf(LINE[None, :], (LINE + H * drift)[:, None], math.sqrt(variance * H))
    kernel = csr_array(np.where(kernel < 1e-18 * kernel.max(), 0.0, kernel / kernel.sum(1, keepdims=True)).T)
    mass = density / density.sum()
    for _ in range(round(TIMES / H)):
        mass = kernel @ mass
    return mass


def _line_distance(mass) -> float:
    """W2 to N(0, 1) of masses at the points of LINE: each goes to the middle of the quantiles that it stands for."""
    below, above = np.cumsum(mass) - mass / 2, np.cumsum(mass[::-1])[::-1] - mass / 2
    # From the nearer end: a far tail keeps its digits.
    goal = np.where(below < 0.5, norm.ppf(np.minimum(below, 0.5)), norm.isf(np.minimum(above, 0.5)))
    return float(np.sqrt(mass @ (LINE - goal) ** 2))


ANSWERS = (
    Answer("langevin", "Langevin and diffusion on an ill-conditioned Gaussian", langevin, ()),
    Answer("small_error", "Langevin and diffusion with a score that is wrong where the target has little mass", small_error, ()),
)  # fmt: skip
