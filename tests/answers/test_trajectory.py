"""Moving particles: rungs of a ladder on one Brownian path, parts that lead from frame to frame, and the exact path."""

import math

import jax
import numpy as np
import pytest
from cases import GAUSSIAN, SKEW

from dlab import errors, noise, schemes
from dlab.answers import trajectory
from dlab.grid import uniform
from dlab.sample import simulate
from dlab.study import Study

N = 64


def study(target=GAUSSIAN, names=("EM", "REI", "SO"), h=0.5, T=2.0, **changes):
    return Study.from_json({"target": target, "schemes": list(names), "h": [h], "T": T, **changes})


@pytest.fixture(scope="module")
def scene():
    """A study with a wrong score from the paper's start, its ladder and its motion alone."""
    s = study(score_error={"name": "constant", "level": 0.2, "angle": 30.0}, start="paper")
    return s, trajectory.ladder(s, 4, N), trajectory.motion(s, s.schemes, 4, N)


@pytest.mark.slow
def test_a_rung_is_the_motion_that_its_step_size_has_alone(scene):
    s, ladder, alone = scene
    assert [m.count for m in ladder] == list(trajectory.rungs(s, 4, N)) == [2, 4, 8, 16, 32, 64]
    (among,) = (m for m in ladder if m.count == 4)
    for a, b in zip(alone.tracks, among.tracks, strict=True):
        np.testing.assert_array_equal(a.states, b.states)
        np.testing.assert_array_equal(a.distance, b.distance)
        for name in a.parts:
            np.testing.assert_array_equal(a.parts[name], b.parts[name])
    np.testing.assert_array_equal(alone.ghost, among.ghost)
    # Another scene of the same ladder: making a rung the page's step size changes no number.
    other = study(h=0.125, score_error=s.score_error, start="paper")
    for a, b in zip(trajectory.motion(other, other.schemes, 16, N).tracks, ladder[3].tracks, strict=True):
        np.testing.assert_array_equal(a.states, b.states)


def test_what_comes_first_are_the_same_particles_without_distances(scene):
    s, _, alone = scene
    first = trajectory.motion(s, s.schemes, 4, N, measured=False)
    for a, b in zip(first.tracks, alone.tracks, strict=True):
        np.testing.assert_array_equal(a.states, b.states)
        assert np.isnan(a.distance).all()
        assert a.diverged == b.diverged
    np.testing.assert_array_equal(first.forward, alone.forward)
    assert first.box == alone.box
    assert first.ghost is None


@pytest.mark.parametrize("target", [
    {"name": "skew", "lam": 0.8, "c": 4.0, "k": 4.0},
    {"name": "skew", "lam": 0.3, "c": 6.0, "k": 0.8},
    {"name": "mixture", "weights": [0.05, 0.95], "means": [[-6.0, 0.0], [1.0, 0.0]], "var": 0.3},
    {"name": "wells", "a": 4.0, "g": 0.5},
])
def test_the_box_crops_no_contour_of_the_target(target):
    s = study(target=target, names=("EM",), h=1.0, T=2.0)
    motion = trajectory.motion(s, s.schemes, 2, N, measured=False)
    x0, x1, y0, y1 = motion.box
    assert x1 - x0 == pytest.approx(y1 - y0)
    u = np.linspace(0, 1, 200)
    edge = np.concatenate([np.stack(np.broadcast_arrays(*side), -1) for side in ((u, 0), (u, 1), (0, u), (1, u))])
    log_p = s.built.fast_field.log_density(0.0, edge * (x1 - x0) + np.array([x0, y0]))
    inside = s.built.fast_field.log_density(0.0, s.built.sample(jax.random.key(0), 2000))
    assert inside.max() - log_p.max() > 4.5, "the outermost contour that the player draws"


def test_rungs_move_on_one_brownian_path(scene):
    """EM's noise is the increment of the path, so that of a coarse step is the sum of the fine ones'."""
    _, ladder, _ = scene
    fine = ladder[-1].tracks[0].parts["noise"]
    for rung in ladder:
        together = fine.reshape(rung.count, -1, *fine.shape[1:]).sum(1)
        np.testing.assert_allclose(rung.tracks[0].parts["noise"], together, atol=1e-5)


def test_parts_lead_from_frame_to_frame_and_the_distance_is_shorter_on_finer_rungs(scene):
    _, ladder, _ = scene
    for rung in ladder:
        for track in rung.tracks:
            k = trajectory.FOLLOW
            moved = sum(part for name, part in track.parts.items() if name != "midpoint")
            np.testing.assert_allclose(track.states[:-1, :k] + moved, track.states[1:, :k], atol=1e-9)
            assert ("midpoint" in track.parts) == (track.scheme == "REI")


def test_parts_of_skipped_steps_are_added_up():
    s = study(names=("EM",), h=1 / 256, T=1.0)
    motion = trajectory.motion(s, s.schemes, 256, N)
    assert len(motion.steps) == 129
    (track,) = motion.tracks
    moved = track.parts["drift"] + track.parts["noise"]
    np.testing.assert_allclose(track.states[:-1, : trajectory.FOLLOW] + moved, track.states[1:, : trajectory.FOLLOW], atol=1e-9)


def test_the_ghost_is_the_reference_on_the_same_path(scene):
    s, ladder, _ = scene
    motion = ladder[0]
    fine = trajectory._path_steps(s, 4)
    _, path_key, residual_key = jax.random.split(jax.random.key(s.seed), 3)
    path = noise.path(path_key, np.full(fine, s.T / fine), N, 2)
    k = trajectory.FOLLOW
    run = simulate(
        schemes.REGISTRY["SO"], s.built.fast_field, errors.NONE, motion.forward[-1][:k], grid=uniform(s.T, fine), key=residual_key,
        path=path[:, :, :k], record=True,
    )  # fmt: skip
    np.testing.assert_allclose(motion.ghost[-1], run.x, atol=1e-12)
    assert motion.ghost_times[0] == s.T
    assert motion.ghost_times[-1] == 0
    # From the same start and with the exact score, finer steps come closer to it.
    plain = study(names=("SO",))
    gaps = [np.abs(m.tracks[0].states[-1][:k] - m.ghost[-1]).mean() for m in trajectory.ladder(plain, 4, N)]
    assert np.all(np.diff(np.log2(gaps)) < -0.8)


@pytest.mark.parametrize(("T", "steps", "want"), [
    (4.0, 16, (4, 8, 16, 32, 64, 128)),
    (4.0, 256, (4, 8, 16, 32, 64, 128, 256)),
    (4.0, 512, (4, 8, 16, 32, 64, 128, 512)),
    (2.5, 5, (5, 10, 20, 40, 80)),
    (4.0, 13, (4, 8, 13, 16, 32, 64)),
    (4.0, 4095, (4095,)),
    (10.0, 1280, (10, 20, 40, 80, 160, 320, 1280)),
])  # fmt: skip
def test_a_ladder_has_the_scenes_own_step_and_the_powers_of_two_that_share_its_path(T, steps, want):
    s = study(names=("EM",), h=T / steps, T=T)
    assert trajectory.rungs(s, steps, 500) == want
    assert all(trajectory._path_steps(s, steps) % n == 0 for n in want)
    assert trajectory._path_steps(s, steps) <= max(4 * math.lcm(*want), 512)


def test_many_particles_have_fewer_rungs():
    s = study(T=4.0)
    counts = trajectory.rungs(s, 8, 5000)
    assert counts == (4, 8, 16, 32)
    assert 4 * 5000 * 3 * sum(counts) <= trajectory.LADDER_BYTES
    assert trajectory.rungs(study(T=4.0, h=1 / 64), 256, 5000)[-1] == 256


@pytest.mark.long
def test_distances_of_rungs_on_a_target_without_a_law():
    """Skew with a wrong score is measured by projection, each rung against the reference that it has alone."""
    s = study(target=SKEW, names=("EM",), estimator="auto", score_error={"name": "field", "level": 0.1})
    ladder = trajectory.ladder(s, 4, 512)
    alone = trajectory.motion(s, s.schemes, 4, 512)
    assert ladder[1].tracks[0].method == alone.tracks[0].method == "projected"
    np.testing.assert_array_equal(ladder[1].tracks[0].distance, alone.tracks[0].distance)
