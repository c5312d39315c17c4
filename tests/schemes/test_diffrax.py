"""The additive-noise solvers of diffrax on the same reverse SDE and the same Brownian motion: step by step the same numbers.
So their errors along a path are the same too, whose orders `test_samplers.py` measures."""

import math
from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import lineax
import numpy as np
import pytest
from cases import long

from dlab import grid as grids
from dlab import noise, schemes, targets
from dlab.errors import NONE
from dlab.sample import simulate

HALF = {"name": "gaussian", "mean": [0.0], "cov": [[0.5]]}
MIXTURE = {
    "name": "mixture", "weights": [0.7, 0.3], "means": [[-0.8, 0.0], [1.2, 0.5]],
    "var": [[[0.25, 0.0], [0.0, 0.25]], [[0.25, 0.1], [0.1, 0.4]]],
}  # fmt: skip
pytestmark = pytest.mark.slow
SOLVERS = {"SEA": diffrax.SEA, "SRA1": diffrax.SRA1, "SHARK": diffrax.ShARK, "SHEUN": diffrax.Heun, "EM": diffrax.Euler}
LONGEST, PATHS = 64, 256
BEGIN, END = math.log1p(2.5**2), math.log1p(0.25**2)


def lay(steps) -> grids.Grid:
    """Equal steps of log sigma from 2.5 to 0.25: those of the strong orders in test_samplers.py."""
    spec = {"name": "log-snr", "sigma_max": 2.5, "sigma_min": 0.25, "last": "sigma_min"}
    return grids.Grid("log-snr", steps, grids.read(spec, None, None))


def tree(shape):
    return diffrax.VirtualBrownianTree(0.0, BEGIN, 4e-4, shape, jax.random.key(7), levy_area=diffrax.SpaceTimeLevyArea)


def start(dim, count=PATHS):
    return np.random.default_rng(1).normal(size=(count, dim))


def terms(field, T, x, path):
    """The reverse SDE in tau = T - t, all particles as one state."""
    return diffrax.MultiTerm(
        diffrax.ODETerm(lambda tau, y, args: y / 2 + field.score(T - tau, y)),
        diffrax.ControlTerm(lambda tau, y, args: lineax.DiagonalLinearOperator(jnp.ones_like(x)), path),
    )


@partial(jax.jit, static_argnames="name")
def _stepped(name, field, tau, T, count, x):
    """`count` steps of diffrax's solver between the times tau, as many as LONGEST + 1: one program for all numbers of steps."""
    solver, its = SOLVERS[name](), terms(field, T, x, tree(x.shape))
    state = solver.init(its, tau[0], tau[1], x, None)

    def step(i, carry):
        y, state = carry
        y, _, _, state, _ = solver.step(its, tau[i], tau[i + 1], y, None, state, made_jump=False)
        return y, state

    return jax.lax.fori_loop(0, count, step, (x, state))[0]


def _padded(times):
    tau = times[0] - times
    return jnp.asarray(np.concatenate([tau, np.full(LONGEST + 1 - len(tau), tau[-1])]))


def theirs(name, target, grid, x):
    return np.asarray(_stepped(name, target.field, _padded(grid.times), grid.T, grid.steps, jnp.asarray(x)))


@partial(jax.jit, static_argnames="shape")
def _seen(tau, shape):
    levy = jax.lax.map(lambda ends: tree(shape).evaluate(*ends, use_levy=True), (tau[:-1], tau[1:]))
    return levy.W, levy.H


def moments(grid, shape):
    """Of diffrax's path: W, and H = I10/h - W/2 = -m_1/2; what they leave open no scheme here asks for."""
    tau, pieces = np.asarray(grid.times[0] - grid.times), []
    for first in range(0, grid.steps, LONGEST):
        part = tau[first : first + LONGEST + 1]
        filled = np.concatenate([part, np.full(LONGEST + 1 - len(part), part[-1])])
        W, H = (np.asarray(v)[: len(part) - 1] for v in _seen(jnp.asarray(filled), shape))
        pieces.append(np.stack([W, -2 * H, np.zeros_like(W)], 1))
    return np.concatenate(pieces)


def ours(name, target, grid, x):
    path = moments(grid, x.shape)
    return simulate(schemes.REGISTRY[name], target.field, NONE, x, grid=grid, key=jax.random.key(0), path=path).x


@pytest.mark.parametrize("spec", [long(HALF), MIXTURE], ids=["gaussian", "mixture"])
@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("steps", [1, 16])
def test_on_the_same_brownian_motion_the_steps_are_those_of_diffrax(name, spec, steps):
    """One step over all of the times, and a run."""
    target, grid = targets.build(spec), lay(steps)
    x = start(target.dim)
    got, want = ours(name, target, grid, x), theirs(name, target, grid, x)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    assert np.abs(want - x).mean() > 0.1


def test_a_loop_over_its_steps_is_diffeqsolve():
    target, grid = targets.build(MIXTURE), lay(16)
    x, tau = start(2), jnp.asarray(grid.times[0] - grid.times)
    solved = diffrax.diffeqsolve(
        terms(target.field, grid.T, x, tree(x.shape)), diffrax.SRA1(), 0.0, tau[-1], None, jnp.asarray(x),
        stepsize_controller=diffrax.StepTo(tau), adjoint=diffrax.ForwardMode(), max_steps=32,
    )  # fmt: skip
    np.testing.assert_allclose(theirs("SRA1", target, grid, x), solved.ys[0], rtol=1e-12, atol=1e-12)


def test_their_path_has_the_moments_of_ours():
    """Variances h and h/3 of m_0 and m_1, uncorrelated: the same Brownian motion in other words. Bounds in standard errors."""
    grid = lay(16)
    found = moments(grid, (PATHS, 2))[:, :2].reshape(16, 2, -1)
    unit = found / np.sqrt(grid.h[:, None] / np.array([1.0, 3.0]))[:, :, None]
    count = unit[:, 0].size
    for product, want in ((unit[:, 0] ** 2, 1), (unit[:, 1] ** 2, 1), (unit[:, 0] * unit[:, 1], 0)):
        assert abs(product.mean() - want) < 4.5 * math.sqrt((2 if want else 1) / count)
    # Two steps merge as ours do.
    fine, coarse = moments(lay(32), (PATHS, 2)), moments(grid, (PATHS, 2))
    np.testing.assert_allclose(noise.merge(fine, 2, lay(32).h)[:, :2], coarse[:, :2], atol=1e-5)
