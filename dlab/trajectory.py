"""Particles in motion: schemes side by side on one Brownian path, with the distance so far.

The forward process runs first and ends where the exact start of the reverse begins, so noising flows
into sampling. Everything that a figure needs is an array here.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from dlab import errors, measure, noise, process, schemes
from dlab.laws import gaussian
from dlab.measure import Pairs
from dlab.sample import diverged, level_met, simulate
from dlab.study import Study, grids
from dlab.types import Points

FORWARD = 32  # frames of the forward act
FRAMES = 128  # at most so many frames of the reverse act
DISTANCES = 48  # at most so many frames at which the distance is measured
KEYS = 17  # times at which p_t is drawn
SIDE = 64  # grid points a side of p_t
ARROWS = 15  # arrows of the score field a side


@dataclass(frozen=True)
class Track:
    """One scheme: states (F, n, 2) at the frames of the reverse act, the start first; distance (F,) to p_t
    there, NaN where it was not measured; its method; how many particles have diverged at the end; the largest L2
    level of the score error met along the steps, None where it is not finite."""

    scheme: str
    states: np.ndarray
    distance: np.ndarray
    method: str
    diverged: int
    error_level_met: float | None


@dataclass(frozen=True)
class Motion:
    """Schemes on one path. steps (F,) step numbers and times (F,) of the frames; forward (G, n, 2) with its
    times (G,); density (K, SIDE, SIDE) is log p_t at density_times over box (x0, x1, y0, y1), row = y;
    arrows (K, m, 4) the score there."""

    tracks: tuple[Track, ...]
    count: int
    steps: np.ndarray
    times: np.ndarray
    forward: np.ndarray
    forward_times: np.ndarray
    box: tuple[float, float, float, float]
    density_times: np.ndarray
    density: np.ndarray
    arrows: np.ndarray


def motion(study: Study, names: tuple[str, ...], steps: int, particles: int, tick=lambda done: None) -> Motion:
    """Simulate the schemes `names` of a 2-D study in `steps` steps with `particles` particles.

    tick(done) is called with the share of the work done and may raise to cancel.
    """
    target, field = study.built, study.built.fast_field
    key = jax.random.key(study.seed)
    forward_key, path_key, residual_key = jax.random.split(key, 3)
    forward_times = study.T * np.linspace(0, 1, FORWARD + 1) ** 2
    forward = _noised(target, forward_key, particles, forward_times)
    end = forward[-1]
    # Without its data part X_T is sigma_T Z with the same Z: the paper's start.
    begin = end if study.start == "exact" else end - float(process.scale(study.T)) * forward[0]

    (grid,) = grids((steps,))
    fine = grid.steps
    cases = {name: study.case(name, steps) for name in names}
    by_law = {name: not _way(case).sampled for name, case in cases.items()}
    total = steps * len(names) + (0 if all(by_law.values()) else fine)
    done = 0

    def count(k):
        nonlocal done
        done += k
        tick(min(done / total, 1.0))

    path = noise.path(path_key, fine, study.T / fine, particles, 2)
    stride = max(1, -(-steps // FRAMES))
    shown = np.unique(np.append(np.arange(0, steps + 1, stride), steps))
    reference = None
    if not all(by_law.values()):
        run = simulate(
            schemes.REGISTRY["SO"], field, errors.NONE, end, T=study.T, steps=fine,
            key=residual_key, path=path, record=True, tick=count,
        )  # fmt: skip
        reference = run.states[shown * (fine // steps)]
    coarse = noise.merge(path, fine // steps)
    tracks = []
    for i, (name, case) in enumerate(cases.items()):
        run = simulate(
            case.scheme, field, study.error, begin, T=study.T, steps=steps,
            key=jax.random.fold_in(residual_key, i), path=coarse, record=True, tick=count,
        )  # fmt: skip
        states = run.states[shown]
        gone = diverged(states, target.facts)
        states[gone] = np.nan
        if by_law[name]:
            distance, method = _law_distance(case, shown)
        else:
            distance, method = _projected_distance(case, states, reference), "projected"
        level = level_met(run.error_square)
        tracks.append(Track(name, states, distance, method, int(gone[-1].sum()), level))
    box = _box(target.facts, study.T)
    density_times = study.T * np.linspace(0, 1, KEYS) ** 2
    density, arrows = _landscape(field, box, density_times)
    return Motion(
        tuple(tracks), steps, shown, study.T * (1 - shown / steps), forward, forward_times,
        box, density_times, density, arrows,
    )  # fmt: skip


def work(study: Study, steps: int) -> int:
    """Steps of a motion per particle, the reference included where one is needed."""
    reference = grids((steps,))[0].steps if any(_way(study.case(n, steps)).sampled for n in study.schemes) else 0
    return steps * len(study.schemes) + reference


def _way(case):
    """Whatever measures the study, a movie takes the exact law where there is one."""
    return measure.choose("auto", case)[0]


def _noised(target, key, n, times) -> np.ndarray:
    """The forward process at `times`, exact transitions, (len(times), n, 2)."""
    data_key, noise_key = jax.random.split(key)
    x = target.sample(data_key, n)
    normals = jax.random.normal(noise_key, (len(times) - 1, n, 2))
    states = [x]
    for step, z in zip(np.diff(times), normals):
        x = process.scale(step) * x + jnp.sqrt(process.variance(step)) * z
        states.append(x)
    return np.stack([np.asarray(s) for s in states])


def _law_distance(case, shown) -> tuple[np.ndarray, str]:
    found, _ = _way(case).follow(case, shown)
    return np.array([np.nan if e.value is None else e.value for e in found]), found[-1].method


def _projected_distance(case, states: Points, reference: Points) -> np.ndarray:
    """Quick projected estimate at up to DISTANCES frames, the first and last included."""
    out = np.full(len(states), np.nan)
    estimator = measure.REGISTRY["projected"]
    for i in np.unique(np.linspace(0, len(states) - 1, DISTANCES).astype(int)):
        x, y = states[i], reference[i]
        alive = np.isfinite(x).all(1)
        if alive.all() and not np.array_equal(x, y):
            out[i] = estimator.quick(case, Pairs(x, y)).value
        elif alive.all():
            out[i] = 0.0
    return out


def _box(facts, T) -> tuple[float, float, float, float]:
    """A square that holds p_0 and p_T out to 3.3 standard deviations."""
    ends = []
    for t in (0.0, T):
        mean, cov = gaussian.diffused(facts, t)
        reach = 3.3 * np.sqrt(np.diag(cov))
        ends += [mean - reach, mean + reach]
    low, high = np.min(ends, axis=0), np.max(ends, axis=0)
    centre, half = (low + high) / 2, (high - low).max() / 2
    return tuple(float(v) for v in (centre[0] - half, centre[0] + half, centre[1] - half, centre[1] + half))


def _landscape(field, box, times) -> tuple[np.ndarray, np.ndarray]:
    plane = _grid(box, SIDE)
    coarse = _grid(box, ARROWS + 2).reshape(ARROWS + 2, ARROWS + 2, 2)[1:-1, 1:-1].reshape(-1, 2)
    density, arrows = _sample_field(field, plane, coarse, jnp.asarray(times))
    arrows = np.concatenate([np.broadcast_to(coarse, (len(times), *coarse.shape)), np.asarray(arrows)], -1)
    return np.asarray(density).reshape(len(times), SIDE, SIDE), arrows


@jax.jit
def _sample_field(field, plane, coarse, times):
    return jax.lax.map(lambda t: (field.log_density(t, plane), field.score(t, coarse)), times)


def _grid(box, side) -> np.ndarray:
    x, y = np.linspace(box[0], box[1], side), np.linspace(box[2], box[3], side)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
