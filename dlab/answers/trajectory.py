"""Particles in motion: schemes side by side on one Brownian path, with the distance so far.

The forward process runs first and ends where the exact start of the reverse begins, so noising flows
into sampling. Everything that a figure needs is an array here.

A ladder is the same motion at several step sizes. One path drives all of its rungs: it is drawn on the grid that their
step counts share (`_path_steps`) and merged exactly to each rung's steps, so a rung is the motion that its step
size has alone, and along the ladder only h changes.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from dlab import errors, measure, noise, process, schemes
from dlab.laws import gaussian
from dlab.measure import Pairs
from dlab.sample import diverged, level_met, reference, simulate
from dlab.study import Study, shared_paths
from dlab.types import Points

LADDER = tuple(2.0**-k for k in range(6))  # step sizes that a ladder offers where they divide T
COMMON = 1024  # steps of the grid that a ladder shares, at most: what fits no such grid is left out
LADDER_BYTES = 6.5e6  # of a ladder's positions in the player: the finest rungs are left out above it
FOLLOW = 48  # particles that can be followed, the first ones
FORWARD = 32  # frames of the forward act
FRAMES = 128  # at most so many frames of the reverse act
DISTANCES = 33  # at most so many frames at which the distance is measured
KEYS = 17  # times at which p_t is drawn
DRAWN = 5.0  # nats below its peak down to which p_0 lies in the picture: more than any contour shows
SIDE = 64  # grid points a side of p_t
ARROWS = 15  # arrows of the score field a side


@dataclass(frozen=True)
class Track:
    """One scheme: states (F, n, 2) at the frames of the reverse act, the start first; distance (F,) to p_t
    there, NaN where it was not measured; its method; how many particles have diverged at the end; the largest L2
    level of the score error met along the steps, None where it is not finite; parts {name: (F − 1, k, 2)}, what took the
    first k = FOLLOW particles from a frame to the next, as `Scheme.parts` has it: displacements summed over the
    steps between, and the midpoint of the first."""

    scheme: str
    states: np.ndarray
    distance: np.ndarray
    method: str
    diverged: int
    error_level_met: float | None
    parts: dict[str, np.ndarray]


@dataclass(frozen=True)
class Motion:
    """Schemes on one path. steps (F,) step numbers and times (F,) of the frames; forward (G, n, 2) with its
    times (G,); density (K, SIDE, SIDE) is log p_t at density_times over box (x0, x1, y0, y1), row = y;
    arrows (K, m, 4) the score there; h: the step size, None where steps differ; ghost (E, k, 2) the exact reverse path of the
    first k particles, that of the reference with the exact score on the path's own grid, at ghost_times (E,); None where nothing was
    measured."""

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
    ghost: np.ndarray | None
    ghost_times: np.ndarray | None
    h: float | None = None


def motion(
    study: Study, names: tuple[str, ...], steps: int, particles: int, tick=lambda done: None, *, measured: bool = True
) -> Motion:  # fmt: skip
    """Simulate the schemes `names` of a 2-D study in `steps` steps with `particles` particles.

    tick(done) is called with the share of the work done and may raise to cancel. measured: where not, the same particles
    come sooner, without distances and without the exact path of those that can be followed.
    """
    return _motions(study, names, steps, (steps,), particles, tick, measured)[0]


def ladder(study: Study, steps: int, particles: int, tick=lambda done: None) -> tuple[Motion, ...]:
    """The motions of the study's schemes at all `rungs` of a scene of `steps` steps, the coarsest first; tick as there."""
    return _motions(study, study.schemes, steps, rungs(study, steps, particles), particles, tick)


def rungs(study: Study, steps: int, particles: int) -> tuple[int, ...]:
    """Step counts of the ladder of a scene of `steps` steps, coarsest first, its own among them."""
    counts = sorted({steps, *_sharing(study.T, steps)}) if study.even else [steps]
    frame = 4 * particles * len(study.schemes)
    while len(counts) > 1 and frame * sum(min(n, FRAMES) for n in counts) > LADDER_BYTES:
        counts.remove(max(n for n in counts if n != steps))
    return tuple(counts)


def work(study: Study, steps: int) -> int:
    """Steps of a motion per particle, the reference included where one is needed."""
    kinds = {reference.kind(schemes.REGISTRY[name]) for name in study.schemes}
    return steps * len(study.schemes) + len(kinds) * _reference(study, study.schemes, _path_steps(study, steps), steps)


def _sharing(T, steps) -> list[int]:
    """Step counts of LADDER that share a grid of at most COMMON steps, or that of `steps` alone, with `steps`."""
    shared, found = steps, []
    for h in reversed(LADDER):
        n = round(T / h)
        if n and math.isclose(n * h, T, rel_tol=1e-9) and math.lcm(shared, n) <= max(COMMON, steps):
            shared = math.lcm(shared, n)
            found.append(n)
    return found


def _path_steps(study, steps) -> int:
    """Intervals of the one Brownian path behind a scene and its ladder, down to where the run stops."""
    (grid,) = shared_paths((math.lcm(steps, *(_sharing(study.T, steps) if study.even else ())),))
    return grid.steps


def _laid(study, n, steps):
    """The times of so many steps, among which those of n steps are; they stop where these do."""
    own = study.grid(n)
    return study.grid(steps) if own.nests else own.refined(steps // n)


def _reference(study, names, fine, steps) -> int:
    """Steps of the reference that distances at `steps` steps are measured from, on a path of `fine` intervals; 0 where
    laws are exact."""
    if not any(_way(study.case(name, steps)).sampled for name in names):
        return 0
    enough = shared_paths((steps,))[0].steps
    return min((r for r in range(steps, fine + 1, steps) if fine % r == 0 and r >= enough), default=fine)


def _motions(study, names, own, counts, particles, tick, measured=True) -> tuple[Motion, ...]:
    """A motion at each of the step counts of a scene whose own is `own`."""
    study = study.prepared(lambda done: tick(0.0))
    target, field, T = study.built, study.built.fast_field, study.T
    key = jax.random.key(study.seed)
    forward_key, path_key, residual_key = jax.random.split(key, 3)
    forward_times = T * np.linspace(0, 1, FORWARD + 1) ** 2
    forward = _noised(target, forward_key, particles, forward_times)
    end = forward[-1]
    # Without its data part X_T is sigma_T Z with the same Z: the paper's start, and that of VP schedules but for the size.
    blind = (end - float(process.scale(T)) * forward[0]) * np.sqrt(process.start_variance(study.start, T) / process.variance(T))
    begin = end if study.start == "exact" else blind
    fine = _path_steps(study, own)
    whole = _laid(study, own, fine)
    path = noise.path(path_key, whole.h, particles, 2)
    needed = {n: _reference(study, names, fine, n) if measured else 0 for n in counts}
    kinds = sorted({reference.kind(schemes.REGISTRY[name]) for name in names})
    total = sum(counts) * len(names) + sum(set(needed.values())) * len(kinds)
    done = 0

    def count(k):
        nonlocal done
        done += k
        tick(min(done / total, 1.0))

    def exact(kind, start, steps, **options):
        along = noise.merge(path[:, :, : len(start)], fine // steps, whole.h)
        scheme = reference.REFERENCES.get(kind) or study.scheme(kind, steps)
        return simulate(
            scheme, field, errors.NONE, start, grid=_laid(study, own, steps), key=residual_key, path=along, record=True, **options,
        ).states  # fmt: skip

    glimpsed = _shown(fine)
    ghost = exact(kinds[-1], end[:FOLLOW], fine)[glimpsed] if measured else None
    references = {(kind, r): exact(kind, end, r, tick=count) for r in sorted(set(needed.values()) - {0}) for kind in kinds}
    box = _box(target.facts, field, T)
    density_times = T * np.linspace(0, 1, KEYS) ** 2
    density, arrows = _landscape(field, box, density_times)
    found = []
    for steps in counts:
        shown, along, tracks = _shown(steps), noise.merge(path, fine // steps, whole.h), []
        for name in names:
            case, key = study.case(name, steps), noise.stream(residual_key, name)
            moved = simulate(
                case.scheme, field, study.error, begin, grid=study.grid(steps), key=key, path=along, record=True, follow=FOLLOW,
                tick=count,
            )  # fmt: skip
            states = moved.states[shown]
            gone = diverged(states, target.facts)
            states[gone] = np.nan
            if not measured:
                distance, method = np.full(len(shown), np.nan), ""
            elif _way(case).sampled:
                exactly = references[reference.kind(case.scheme), needed[steps]][shown * (needed[steps] // steps)]
                distance, method = _projected_distance(case, states, exactly), "projected"
            else:
                distance, method = _law_distance(case, shown)
            level, parts = level_met(moved.error_square), _between(moved.parts, shown)
            tracks.append(Track(name, states, distance, method, int(gone[-1].sum()), level, parts))
        found.append(Motion(
            tuple(tracks), steps, shown, study.grid(steps).times[shown], forward, forward_times,
            box, density_times, density, arrows, ghost, whole.times[glimpsed] if measured else None, study.grid(steps).step,
        ))  # fmt: skip
    return tuple(found)


def _shown(steps) -> np.ndarray:
    """Step numbers of the frames: 0, the last, and at most FRAMES steps between them."""
    stride = max(1, -(-steps // FRAMES))
    return np.unique(np.append(np.arange(0, steps + 1, stride), steps))


def _between(parts, shown) -> dict[str, np.ndarray]:
    """Parts of single steps {name: (N, k, 2)} as those of the ways from frame to frame."""
    first = shown[:-1]
    return {
        name: part[first] if name == "midpoint" else np.add.reduceat(part, first, axis=0) for name, part in parts.items()
    }


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
    out, measured = np.full(len(shown), np.nan), _measured(len(shown))
    found, _ = _way(case).follow(case, shown[measured])
    out[measured] = [np.nan if e.value is None else e.value for e in found]
    return out, found[-1].method


def _projected_distance(case, states: Points, exactly: Points) -> np.ndarray:
    """Quick projected estimate at the measured frames."""
    out = np.full(len(states), np.nan)
    estimator = measure.REGISTRY["projected"]
    for i in _measured(len(states)):
        x, y = states[i], exactly[i]
        alive = np.isfinite(x).all(1)
        if alive.all() and not np.array_equal(x, y):
            out[i] = estimator.quick(case, Pairs(x, y)).value
        elif alive.all():
            out[i] = 0.0
    return out


def _measured(frames) -> np.ndarray:
    """Frames at which the distance is measured, the first and last included."""
    return np.unique(np.linspace(0, frames - 1, DISTANCES).astype(int))


def _box(facts, field, T) -> tuple[float, float, float, float]:
    """A square that holds p_0 and p_T out to 3.3 standard deviations, and all of p_0 that is drawn."""
    ends = []
    for t in (0.0, T):
        mean, cov = gaussian.diffused(facts, t)
        reach = 3.3 * np.sqrt(np.diag(cov))
        ends += [mean - reach, mean + reach]
    mean, cov = gaussian.diffused(facts, 0.0)
    reach = 8 * float(np.sqrt(np.diag(cov)).max())
    wide = tuple(float(v) for v in (mean[0] - reach, mean[0] + reach, mean[1] - reach, mean[1] + reach))
    log_p, _ = _landscape(field, wide, [0.0])
    drawn = _grid(wide, SIDE)[log_p.ravel() > np.nanmax(log_p) - DRAWN]
    cell = 2 * reach / (SIDE - 1)
    ends += [drawn.min(axis=0) - cell, drawn.max(axis=0) + cell]
    low, high = np.min(ends, axis=0), np.max(ends, axis=0)
    centre, half = (low + high) / 2, (high - low).max() / 2
    return tuple(float(v) for v in (centre[0] - half, centre[0] + half, centre[1] - half, centre[1] + half))


def _landscape(field, box, times) -> tuple[np.ndarray, np.ndarray]:
    plane = _grid(box, SIDE)
    coarse = _grid(box, ARROWS + 2).reshape(ARROWS + 2, ARROWS + 2, 2)[1:-1, 1:-1].reshape(-1, 2)
    density, scores = zip(*(_sample_field(field, plane, coarse, float(t)) for t in times))
    arrows = np.concatenate([np.broadcast_to(coarse, (len(times), *coarse.shape)), np.asarray(scores)], -1)
    return np.asarray(density).reshape(len(times), SIDE, SIDE), arrows


@jax.jit
def _sample_field(field, plane, coarse, t):
    return field.log_density(t, plane), field.score(t, coarse)


def _grid(box, side) -> np.ndarray:
    x, y = np.linspace(box[0], box[1], side), np.linspace(box[2], box[3], side)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
