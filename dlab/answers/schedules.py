"""One scheme on every grid of the registry, where along each its error is made, and the best grid, found on the exact law."""

import math
from contextlib import suppress
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

from dlab import grid as grids
from dlab import measure
from dlab.answers.base import Answer
from dlab.grid import Grid
from dlab.grid.makers import SIGMA_MIN
from dlab.laws import axes, runs
from dlab.measure import Case
from dlab.params import BadInput
from dlab.study.spec import Study

FITTED = 8  # variances for which a grid is optimised at most
ITERATIONS, SMALLEST = 300, 1e-10  # of the search; W2 in units of sqrt(tr Sigma) at which it has nothing left to gain
HALF = 30  # iterations in which it has usually done half of its work
OPTIMUM = 12_000_000  # particle-steps that the search takes as long as
# By calculus of variations on N(0, v), start exact and sigma_max infinite: N W2 / sqrt(v) -> constant.
KNOWN = {"DDIM": ("tangent", math.pi**2 / 8), "VE-EM": ("inverse-root", 2.0), "DDPM": ("cubic", 9 / 4)}


def middle(study: Study) -> float:
    """The geometric mean of the target's variances along its axes, for which grids with a scale are laid."""
    cov = np.asarray(study.built.facts.cov)
    return float(np.exp(np.mean(np.log(cov if cov.ndim == 1 else np.linalg.eigvalsh(cov)))))


def own_name(study: Study) -> str:
    return study.laid["name"] if study.laid else "uniform"


def laid(study: Study, name: str, steps: int) -> Grid:
    """The grid of a maker from the largest time of the study down to 0, with the maker's defaults but the scale of the target.

    BadInput where its schedule does not reach that far.
    """
    maker, v, given = grids.MAKERS[name], middle(study), {"name": name}
    if name == own_name(study):
        return study.grid(steps)
    if maker.begins != "T":
        given["sigma_max"] = float(grids.sigma_of(study.T))
    given |= {key: float(np.clip(value, *maker.settings[key][1:])) for key, value in (("v", v), ("m0", 1 / v)) if key in maker.settings}
    return Grid(name, int(steps), grids.read(given, study.T if maker.begins == "T" else None, None))


def schedules(study: Study, scheme: str, steps: int, tick=lambda done: None) -> dict:
    """W2 of a scheme in so many steps on every grid of the registry that starts at the study's largest time:

    {"study", "scheme", "steps", "scale", "rows": [{"grid", "sigmas" (N + 1,), "w2", "method", "flags", "parts"}]}; the study's own grid
    is as the study has it. parts: {"start", "steps" (N,), "stop"}, what W2 is made of (`laws.axes.shares`), on a Gaussian with an exact
    score and a scheme without a random midpoint; else null. A grid that cannot be laid has no sigmas and says why in its flags.
    """
    study = study.prepared(lambda done: tick(0.0))
    names = [n for n in grids.MAKERS if n == own_name(study) or n != "times"]
    rows = []
    for i, name in enumerate(names):
        tick(i / len(names))
        try:
            grid = laid(study, name, steps)
            _ = grid.times
        except (BadInput, ValueError) as error:
            rows.append({"grid": name, "sigmas": None, "w2": None, "method": None, "flags": [str(error)], "parts": None})
            continue
        case = Case(study.built, study.scheme(scheme, steps), study.error, grid, study.start, study.seed)
        found = _law(case).estimate(case)
        rows.append({
            "grid": name, "sigmas": grid.sigmas.tolist(), "w2": found.value, "method": found.method, "flags": list(found.flags),
            "parts": _parts(study, case),
        })  # fmt: skip
    return {"study": study.to_json(), "scheme": scheme, "steps": steps, "scale": middle(study), "rows": rows}


def _law(case: Case):
    return next((e for e in measure.REGISTRY.values() if not e.sampled and e.applies(case) is None), None)


def _parts(study, case) -> dict | None:
    if study.built.along_axes is None or not study.clean or case.scheme.randomised:
        return None
    found = axes.shares(case.scheme, *study.built.along_axes, case.grid, case.start)
    return None if found.w2 is None else {"start": found.start, "steps": found.steps.tolist(), "stop": found.stop}


def _no_law(study, scheme, steps) -> str | None:
    if study.law(scheme) is None:
        return f"the law of {scheme} is not known without particles for this target and score error; choose another scheme or target."
    if study.laid and study.laid["name"] == "times" and steps != study.steps[0]:
        return f"the study's list of times has {study.steps[0]} steps, not {steps}; ask for as many."
    return None


def _price(study: Study, scheme: str, steps: int) -> float:
    way = study.law(scheme)
    return way.price(study.case(scheme, steps)) * len(grids.MAKERS) if way else 0.0


# ---------------------------------------------------------------- the best grid


def fitted(study: Study) -> tuple[np.ndarray, np.ndarray]:
    """The distinct variances of a Gaussian along its axes, falling, and how many axes each stands for; of more than FITTED the geometric
    means of groups of equal size."""
    values, counts = np.unique(np.round(study.built.along_axes[0], 12), return_counts=True)
    if len(values) > FITTED:
        groups = np.array_split(np.sort(study.built.along_axes[0]), FITTED)
        values, counts = np.array([np.exp(np.log(g).mean()) for g in groups]), np.array([len(g) for g in groups])
    return values[::-1].astype(float), counts[::-1].astype(float)


def held_out(values) -> np.ndarray:
    """Variances that the search does not see: half way between those that it sees, in log v, and half a gap beyond them at either end; a
    factor 2 to either side of a single one."""
    half = (values[0] / values[-1]) ** (1 / (2 * (len(values) - 1))) if len(values) > 1 else 2.0
    return np.array([values[0] * half, *np.sqrt(values[:-1] * values[1:]), values[-1] / half])


def best_grid(study: Study, scheme: str, steps: int, tick=lambda done: None) -> dict:
    """The times between the largest one of the study's grid and its end at which W2 of a scheme on the centred Gaussian is smallest, by
    BFGS from the study's grid, with JAX's gradient of the exact law:

    {"study", "scheme", "steps", "fitted", "counts", "held_out", "track": [{"iteration", "fitted", "held_out"}], "begun", "sigmas"
    (N + 1,), "grids": [{"grid", "fitted", "held_out", "sigmas"}], "known", "settled"}.

    W2 on the variances that the search sees and on those held out, along the way and on the grids of the registry, best first. known:
    {"grid", "constant"} where the optimum as N grows is known for one variance. tick(done) may raise to cancel.
    """
    values, counts = fitted(study)
    others, own, grid = held_out(values), study.scheme(scheme, steps), study.grid(steps)
    size = math.sqrt(counts @ values)
    begin = [runs.begin(v, np.zeros(len(v)), grid.T, study.start) for v in (values, others)]

    def measured(times):
        both = zip((values, others), (counts, np.ones(len(others))), begin)
        found = [share @ axes.square(own, v, np.zeros(len(v)), times, np.ones(steps), *law) for v, share, law in both]
        return [float(np.sqrt(w)) if np.isfinite(w) else None for w in found]

    free = np.log(-np.diff(_place(grid.sigmas)))

    def objective(theta):
        tick(1 - 0.5 ** (done / HALF))
        value, slope = map(np.asarray, _objective(own, values, counts / size**2, theta, grid.T, grid.stop, begin[0]))
        # A step of the search that goes too far is taken back.
        return (float(value), slope) if np.isfinite(value) and np.isfinite(slope).all() else (50.0, np.zeros_like(slope))

    def note(theta):
        nonlocal done, last
        w2 = measured(np.asarray(_times(jnp.asarray(theta), grid.T, grid.stop)))
        track.append({"iteration": done, "fitted": w2[0], "held_out": w2[1]})
        last, done = theta, done + 1
        if exact():
            raise StopIteration

    def exact():
        return track[-1]["fitted"] is not None and track[-1]["fitted"] < SMALLEST * size

    track, last, done = [], free, 0
    with suppress(StopIteration):
        note(free)
        optimize.minimize(objective, free, jac=True, method="BFGS", callback=note, options={"maxiter": ITERATIONS, "gtol": 1e-7})
    times = np.asarray(_times(jnp.asarray(last), grid.T, grid.stop))
    rows = []
    for name in grids.MAKERS:
        try:
            other = laid(study, name, steps)
            w2 = measured(other.times)
        except (BadInput, ValueError):
            continue
        rows.append({"grid": name, "fitted": w2[0], "held_out": w2[1], "sigmas": other.sigmas.tolist()})
    rows.sort(key=lambda r: math.inf if r["fitted"] is None else r["fitted"])
    name, constant = KNOWN.get(scheme, (None, None))
    return {
        "study": study.to_json(), "scheme": scheme, "steps": steps, "fitted": values.tolist(), "counts": counts.tolist(),
        "held_out": others.tolist(), "track": track, "begun": grid.sigmas.tolist(), "sigmas": grids.sigma_of(times).tolist(), "grids": rows,
        "known": name and {"grid": name, "constant": constant}, "settled": done <= ITERATIONS,
    }  # fmt: skip


def _place(sigma):
    """The coordinate in which steps are free: log sigma, and even in sigma below what k-diffusion ends at."""
    return np.log(sigma + SIGMA_MIN)


def _times(theta, T, stop):
    """The times (N + 1,) whose steps in `_place` are in the proportions e^theta (N,)."""
    share = jnp.cumsum(jax.nn.softmax(theta))[:-1]
    high, low = (jnp.log(jnp.sqrt(jnp.expm1(t)) + SIGMA_MIN) for t in (T, stop))
    inner = jnp.log1p((jnp.exp(high + (low - high) * share) - SIGMA_MIN) ** 2)
    return jnp.concatenate([jnp.array([T]), inner, jnp.array([stop])])


@jax.jit
@partial(jax.value_and_grad, argnums=3)
def _objective(scheme, values, share, theta, T, stop, begin):
    """log W2^2, so that halving W2 is worth as much everywhere."""
    times = _times(theta, T, stop)
    return jnp.log(share @ axes.square(scheme, values, jnp.zeros_like(values), times, jnp.ones(len(theta)), *begin))


def _no_search(study, scheme, steps) -> str | None:
    if study.built.along_axes is None:
        return "the search needs the exact law of a Gaussian; choose a Gaussian target."
    own = study.scheme(scheme, steps)
    if own.randomised:
        return f"{scheme} has a random midpoint, so its law is not a Gaussian whose W₂ can be differentiated; choose another scheme."
    if "clock" in own.asks:
        return f"{scheme} freezes the rate of a noise schedule, which free times do not have; choose another scheme."
    if steps < 2:
        return f"{steps} step leaves no time free; give at least 2."
    return _no_law(replace(study, score_error={"name": "none"}), scheme, steps)


_READ = ("target", "T", "start", "score_error", "seed")
ANSWERS = (
    Answer(
        "schedules", "One scheme on every grid, and where along each its error is made", schedules, _READ, _price, _no_law,
        uses=tuple(measure.REGISTRY.values()),
    ),
    Answer(
        "best_grid", "The grid on which a scheme's exact law is closest to a Gaussian, and what it gains on others", best_grid,
        ("target", "T", "start"), lambda study, scheme, steps: OPTIMUM, _no_search,
    ),
)  # fmt: skip
