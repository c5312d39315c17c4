"""Particles in motion, from a study to a movie's bytes: computed where this process computes (see `dlab.engine.places`), and kept."""

import zlib

import numpy as np

from dlab.answers import trajectory
from dlab.cache import dumps
from dlab.export.files import arrays_npz
from dlab.export.film import film_bytes
from dlab.figures import particles
from dlab.study import Study


def made(study: Study, steps: int, count: int, whole: bool, scene: str, tick=lambda done: None) -> bytes:
    """The movie of the study's schemes, compressed: a line of JSON {steps: {"sentence", "table", "notes", "met", "lower"}} and the
    player's bytes; whole: at all step sizes that the player's slider offers. tick(done) may raise to cancel."""
    if whole:
        motions = trajectory.ladder(study, steps, count, tick)
    else:
        motions = [trajectory.motion(study, study.schemes, steps, count, tick)]
    return _packed(motions, count, scene)


def begun(study: Study, steps: int, count: int, scene: str, tick=lambda done: None) -> bytes:
    """As `made` at one step size, the same particles without their distances: what can move while these are computed."""
    return _packed([trajectory.motion(study, study.schemes, steps, count, tick, measured=False)], count, scene)


def opening(study: Study, steps: int, count: int, frames: int, tick=lambda done: None) -> bytes:
    """The movie of Home, compressed: at all step sizes, `frames` frames of sampling at most, and nothing that only a followed particle
    needs."""
    return zlib.compress(particles.slim(trajectory.ladder(study, steps, count, tick), frames), 9)


def _packed(motions, count, scene) -> bytes:
    meta = dumps({motion.count: _meta(motion, count) for motion in motions})
    return zlib.compress(meta.encode() + b"\n" + particles.encoded(motions, scene))


def _meta(motion, count) -> dict:
    table = {"n": motion.steps.tolist(), "t": motion.times.tolist()}
    table |= {t.scheme: [float(d) if np.isfinite(d) else None for d in t.distance] for t in motion.tracks}
    notes = [f"{t.scheme}: {t.diverged} of {count} particles diverged; they are not drawn." for t in motion.tracks if t.diverged]
    met = {t.scheme: t.error_level_met for t in motion.tracks}
    return {"sentence": particles.sentence(motion), "table": table, "notes": notes, "met": met, "lower": particles.lower(motion)}


def positions(study: Study, steps: int, count: int, tick=lambda done: None) -> bytes:
    """The particles of a scene as npz bytes: states of each scheme (F, n, 2) at `steps` and `times`."""
    motion = trajectory.motion(study, study.schemes, steps, count, tick)
    states = {t.scheme: t.states.astype(np.float32) for t in motion.tracks}
    return arrays_npz(steps=motion.steps, times=motion.times, forward=motion.forward.astype(np.float32), **states)


def filmed(study: Study, packed: bytes, fmt: str, tick=lambda done: None) -> bytes:
    """A movie drawn as mp4 or gif."""
    tick(0.0)
    return film_bytes(packed, fmt)
