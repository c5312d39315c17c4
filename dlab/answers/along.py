"""What a score gets wrong, along the iterates of a scheme and along p_t, at the times of the scheme's steps."""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import noise, process
from dlab.sample import CHUNK, simulate, starts
from dlab.study import memory
from dlab.study.spec import Study

PARTICLES = 2048
POINTS = 64  # times that curves against t keep


def squares_along(study: Study, scheme: str, steps: int, squares: Callable, tick, fresh: bool) -> tuple[np.ndarray, dict]:
    """Times (N,) at which the steps start, and {"iterates", "forward": what squares(t, x, generator) gives there, (N, n) each}; t (k,),
    x (k, n, d). fresh: p_t is drawn anew at each time, else its particles keep their noise."""
    begin, law_key, run_key = jax.random.split(jax.random.key(study.seed), 3)
    grid, target = study.grid(steps), study.built
    start, _ = starts(target, begin, PARTICLES, study.T, study.start)
    run = simulate(
        study.scheme(scheme, steps), target.fast_field, study.error, start, grid=grid, key=run_key, record=True, tick=lambda k: tick(0.0)
    )
    times, generator, data = grid.times[:-1], noise.generator(law_key), np.asarray(target.sample(law_key, PARTICLES))
    spread = None if fresh else generator.standard_normal(start.shape)
    found = {"iterates": [], "forward": []}
    for first in range(0, steps, CHUNK):
        # Whole pieces: one compiled program serves every number of steps.
        t = np.resize(times[first : first + CHUNK], CHUNK)
        passed = run.states[:-1][first : first + CHUNK]
        normals = generator.standard_normal((CHUNK, *start.shape)) if fresh else spread
        points = {
            "iterates": np.concatenate([passed, np.repeat(passed[-1:], CHUNK - len(passed), 0)]),
            "forward": process.scale(t)[:, None, None] * data + np.sqrt(process.variance(t))[:, None, None] * normals,
        }
        for name, x in points.items():
            found[name].append([np.asarray(v)[: len(passed)] for v in squares(t, x, generator)])
        tick(min(1.0, (first + CHUNK) / steps))
    return times, {name: [np.concatenate(v) for v in zip(*pieces)] for name, pieces in found.items()}


def error_squares(study: Study, times, x, z) -> tuple:
    """Of the error e of the study's score at the times (N,) |e|^2, |E e|^2, |e - E e|^2, |s|^2 and |e|/|s|, (N, n) each; x and the
    normals z of a score that is noisy afresh (N, n, d)."""
    return _error_squares(study.built.fast_field, study.error, times, x, z, draws=study.error.draws)


@partial(jax.jit, static_argnames="draws")
def _error_squares(field, error, times, x, z, *, draws):
    def at(one):
        t, x, z = one
        s = field.score(t, x)
        e = error.shift(t, x, s, z)
        mean = error.shift(t, x, s, 0 * z) if draws else e
        squares = [(v**2).sum(-1) for v in (e, mean, e - mean, s)]
        return *squares, jnp.sqrt(squares[0] / jnp.maximum(squares[3], 1e-300))

    return jax.lax.map(at, (times, x, z))


def used(study: Study, scheme: str, steps: int) -> int:
    """Bytes: all iterates are kept, and of CHUNK steps looked at together."""
    rows = 8 * PARTICLES * study.built.dim
    return memory.simulated(study, [scheme], PARTICLES) + rows * (2 * steps + 6 * CHUNK)


def picked(steps: int) -> np.ndarray:
    """Which of the steps curves keep."""
    return np.unique(np.round(np.linspace(0, steps - 1, min(steps, POINTS))).astype(int))


def rooted(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root of the mean over particles of squares (N, n), with its standard error, (N,) each."""
    mean = squares.mean(1)
    root = np.sqrt(mean)
    spread = squares.std(1, ddof=1) / math.sqrt(squares.shape[1])
    # Equal squares differ by rounding alone.
    spread = np.where(spread > 1e-12 * mean, spread, 0.0)
    return root, spread / (2 * np.maximum(root, 1e-300))
