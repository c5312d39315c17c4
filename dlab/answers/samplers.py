"""All schemes at equal numbers of evaluations on a Gaussian target, and the churned flow between the ODE and the SDE and beyond."""

import math

import numpy as np

from dlab import schemes
from dlab.answers.base import Answer
from dlab.grid.makers import SIGMA_MAX, SIGMA_MIN
from dlab.laws import runs
from dlab.measure import exact
from dlab.schemes import Scheme
from dlab.study.spec import Study
from dlab.targets.gaussian import Gaussian
from dlab.targets.spectrum import Spectrum
from dlab.types import Estimate

EVALUATIONS = tuple(12 * 2**k for k in range(6))  # of score and Hessian along a path: 1, 2 and 3 a step divide them
MOST = 64  # axes of different variance or mean


def evaluations(scheme: Scheme) -> int:
    """What a step of it costs: scores and Hessians."""
    return scheme.score_evals + scheme.hessian_evals


def steps_of(scheme: Scheme) -> tuple[int, ...]:
    """The steps that each of EVALUATIONS pays for."""
    return tuple(n // evaluations(scheme) for n in EVALUATIONS)


def samplers(study: Study, tick=lambda done: None) -> dict:
    """W2 of the exact laws of the study's schemes on its grid at each of EVALUATIONS, with the exact score:

    {"rows": [{"scheme", "evaluations", "steps", "w2", "method", "flags"}]}; w2 is null where a law is not finite. Its steps are
    not read. tick(done) may raise to cancel.
    """
    values, means, counts = _axes(study)
    rows = []
    for i, name in enumerate(study.schemes):
        tick(i / len(study.schemes))
        scheme = schemes.REGISTRY[name]
        cases = [study.case(name, n) for n in steps_of(scheme)]
        laws = runs.ends([(case.scheme, case.grid) for case in cases], values, means, study.start)
        for number, case, law in zip(EVALUATIONS, cases, laws):
            found = _distance(case, law, values, means, counts)
            rows.append({
                "scheme": name, "evaluations": number, "steps": case.grid.steps, "w2": found.value, "method": found.method,
                "flags": list(found.flags),
            })  # fmt: skip
    return {"rows": rows}


def _axes(study):
    """Variances, means and numbers of axes that are alike."""
    (values, means), counts = np.unique(np.stack(study.built.along_axes), axis=1, return_counts=True)
    return values, means, counts


def _distance(case, law, values, means, counts) -> Estimate:
    N, t = case.grid.steps, case.grid.stop
    if law.maps:
        (found,) = exact.of_maps(case, [N], law.maps, law.mean, law.var, values, means, counts)
        return found
    true = np.exp(-t) * values - np.expm1(-t)
    with np.errstate(over="ignore", invalid="ignore"):
        # The difference of roots from that of variances: no digits cancel that the law itself still has.
        spread = (law.var - true) / (np.sqrt(law.var) + np.sqrt(true))
        square = counts @ (spread**2 + (law.mean - np.exp(-t / 2) * means) ** 2)
    return exact.stated(case, math.sqrt(square)) if np.isfinite(square) else Estimate(None, None, "exact")


def applies(study: Study) -> str | None:
    if not isinstance(study.built, (Gaussian, Spectrum)):
        return "only on a Gaussian target have all schemes an exact law; give one, or a plain study with 'steps'."
    if not study.clean:
        return "this answer needs the exact score; leave out score_error."
    if len(_axes(study)[0]) > MOST:
        return f"at most {MOST} different variances can be handled; give fewer."
    return None


# ---------------------------------------------------------------- the dial from the ODE to the SDE and beyond

CHURNS = tuple(k / 10 for k in range(41))  # e of dz = (1 + e)/2 s_z dtau + sqrt(e) dB: 0 the flow, 1 the reverse SDE


def dial(study: Study, steps: int, tick=lambda *done: None) -> dict:
    """Euler's method with churn e on N(0, 1) from the exact start at SIGMA_MAX, by its recursion of variances, on two grids: equal steps
    of log sigma ("log"), and Delta ~ (1 + tau)^{(2+e)/2}, which is best for each e as N grows ("own").

    {"steps": N, "rows": [{"churn", "log", "own" (W2 at N), "log_order", "own_order" (slope from N to 2N), "limit" (what N W2 tends
    to on the own grid)}]}. On N(0, v), with sigma in units of sqrt(v), every W2 is sqrt(v) times as large.
    Nothing of the study is read.
    """
    rows = []
    for e in CHURNS:
        tick(e / CHURNS[-1])
        row = {"churn": e, "limit": limit(e)}
        for name, grid in (("log", _log), ("own", _own)):
            here, finer = (churned(e, grid(e, n)) for n in (steps, 2 * steps))
            row |= {name: here, f"{name}_order": math.log2(here / finer) if here and finer else None}
        rows.append(row)
    return {"steps": steps, "rows": rows}


def churned(e: float, tau: np.ndarray) -> float | None:
    """W2 between N(0, 1) and the law of z' = z - (1 + e)/2 eta z/(1 + tau) + sqrt(e eta) xi at the end of the times tau, which fall
    to 0; None where it overflows."""
    eta = -np.diff(tau)
    A = 1 - (1 + e) / 2 * eta / (1 + tau[:-1])
    with np.errstate(over="ignore", invalid="ignore"):
        after = np.cumprod(A[::-1] ** 2)[::-1]  # of a step and all that follow
        var = after[0] * (1 + tau[0]) + e * (eta[:-1] @ after[1:] + eta[-1])
        moved = (var - 1) / (np.sqrt(var) + 1)
    return float(abs(moved)) if np.isfinite(moved) else None


def limit(e: float) -> float:
    """N W2 on the best grid as N grows: with the local variance error (1 + e)^2 Delta^2/(4 (1 + tau)) and its propagation
    (1 + tau)^{-(1+e)}, half the square of an integral: (1 + 1/e)^2/2 were SIGMA_MAX infinite."""
    log = math.log1p(SIGMA_MAX**2)
    whole = log / 2 if not e else -math.expm1(-e / 2 * log) / e
    return ((1 + e) * whole) ** 2 / 2


def _log(e, n):
    """n - 1 equal steps of log sigma, and one down to 0."""
    return np.append(np.geomspace(SIGMA_MAX, SIGMA_MIN, n) ** 2, 0.0)


def _own(e, n):
    """Equal steps of (1 + tau)^{-e/2}, or of log(1 + tau) without churn."""
    log, share = math.log1p(SIGMA_MAX**2), np.arange(n, -1, -1) / n
    if e:
        log, share = -2 / e, np.log1p(share * np.expm1(-e / 2 * log))
    tau = np.expm1(log * share)
    tau[-1] = 0.0
    return tau


ANSWERS = (
    Answer("samplers", "All schemes at equal numbers of evaluations", samplers,
           ("target", "schemes", "T", "start", "score_error"), applies=applies),
    Answer("dial", "The churned flow, from the ODE to the SDE and beyond", dial, ()),
)  # fmt: skip
