"""The motion of particles as a movie: labels, colours and frames, nothing computed."""

from dataclasses import replace

import numpy as np

from dlab import measure, schemes
from dlab.figures.movie import Movie, Panel, encode
from dlab.figures.numbers import number, step_size


def movie(motion, forward: bool = True) -> Movie:
    """A player's movie of a `trajectory.Motion`; the forward act first unless it is left out."""
    lead = len(motion.forward) - 1 if forward else 0
    acts = (("Noising", 0), ("Sampling", lead)) if forward else (("Sampling", 0),)
    panels = []
    for track in motion.tracks:
        style = schemes.REGISTRY[track.scheme].style
        positions, distance = track.states, track.distance
        parts = {name: _framed(part, lead) for name, part in track.parts.items()}
        if forward:
            positions = np.concatenate([motion.forward[:-1], positions])
            distance = np.concatenate([np.full(lead, np.nan), distance])
        panels.append(
            Panel(
                name=_name(track.scheme),
                colour_light=style.light,
                colour_dark=style.dark,
                positions=positions,
                distance=distance,
                distance_label=f"W₂ so far ({_how(track)})" if track.method else "W₂ so far",
                parts=parts,
            )
        )
    before = np.zeros(lead)
    return Movie(
        panels=tuple(panels),
        times=np.concatenate([motion.forward_times[:lead], motion.times]),
        steps=np.concatenate([before, motion.steps]).astype(int),
        acts=acts,
        box=motion.box,
        density_times=motion.density_times,
        density=motion.density,
        arrows=motion.arrows,
        h=motion.h,
        ghost=motion.ghost,
        ghost_times=motion.ghost_times,
    )


def encoded(motions, scene: str = "") -> bytes:
    """Motions of one scene at several step sizes, the coarsest first, as the bytes that the player takes."""
    return encode(*map(movie, motions), scene=scene)


def slim(motions, frames: int) -> bytes:
    """The same with `frames` frames of sampling at most, every other one of noising, and no parts of steps, arrows or exact paths."""
    return encode(*(_slimmed(movie(motion), frames) for motion in motions), scene="opening")


def _slimmed(whole: Movie, frames) -> Movie:
    first, last = whole.acts[-1][1], len(whole.times) - 1
    stride = -(-(last - first) // frames)
    kept = np.array([*range(0, first, 2), *range(first, last, stride), last])
    panels = tuple(
        replace(p, positions=p.positions[kept], distance=p.distance[kept], parts=None, real=None) for p in whole.panels
    )  # fmt: skip
    acts = tuple((label, int(np.searchsorted(kept, start))) for label, start in whole.acts)
    return replace(
        whole, panels=panels, times=whole.times[kept], steps=whole.steps[kept], acts=acts, arrows=None, ghost=None, ghost_times=None,
    )  # fmt: skip


def looks() -> dict[str, tuple[str, str, str]]:
    """{scheme: (its name in a panel, colour on light and on dark ground)}."""
    return {name: (_name(name), scheme.style.light, scheme.style.dark) for name, scheme in schemes.REGISTRY.items()}


def _name(scheme) -> str:
    return f"{scheme} · {schemes.REGISTRY[scheme].title}"


def sentence(motion) -> str:
    """What the player shows when it has run, with the numbers in it; "" where nothing was measured."""
    if not any(track.method for track in motion.tracks):
        return ""
    parts = []
    for track in motion.tracks:
        last = track.distance[-1]
        if track.diverged:
            parts.append(f"{track.scheme} loses {track.diverged} of {track.states.shape[1]} particles: the step is too large")
        elif np.isfinite(last):
            parts.append(f"{track.scheme} ends at W₂ {'≥' if _lower(track) else '='} {number(last)} ({_how(track)})")
        else:
            parts.append(f"W₂ of {track.scheme} at the end is not known: its law leaves every grid")
    how = f"{motion.count} steps" if motion.h is None else f"h = {step_size(motion.h)} ({motion.count} steps)"
    return f"With {how} {'; '.join(parts)}."


def lower(motion) -> list[str]:
    """The schemes of whose distance there is a lower bound alone."""
    return [track.scheme for track in motion.tracks if track.method and _lower(track)]


def _lower(track) -> bool:
    return measure.method(track.method).lower


def _how(track) -> str:
    return "a lower bound" if _lower(track) else track.method


def _framed(part, lead) -> np.ndarray:
    """Parts (F − 1, k, 2) between frames, with NaN at the frames that no step begins at."""
    none = np.full((1, *part.shape[1:]), np.nan)
    return np.concatenate([np.repeat(none, lead, 0), part, none])


def distances(table: dict) -> list[dict]:
    """The distance of each scheme so far, one line a frame; table: {"n", "t", and a list for each scheme}."""
    names = [k for k in table if k not in ("n", "t")]
    return [
        {"step n": n, "t": number(t), **{f"W₂ of {k}": number(table[k][i]) if table[k][i] is not None else "" for k in names}}
        for i, (n, t) in enumerate(zip(table["n"], table["t"]))
    ]
