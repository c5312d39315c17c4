"""Particles in motion as bytes for the player in the browser: arrays in, bytes out, nothing drawn.

Byte layout, little-endian, every part padded to a multiple of 4 bytes so that the browser can view it in place:

    0      4 bytes   b"DLM2"
    4      uint32    H, length of the header
    8      H bytes   header, JSON in UTF-8, padded with spaces
    8 + H  ...       the parts, at the offsets (counted from 8 + H) that the header names:
                     positions  uint16 (f, n, 2) for each rung, panel and act of f frames
                     steps      uint16 (f, k, 2) for each of these and each part of a step: where the part's arrow ends
                     ghost      uint16 (E, k, 2)
                     density    uint16 (K, G, G)
                     arrows     float32 (K, m, 4)

A movie has one rung, or several: the same motion at other step sizes, which share all that is not the motion itself.
Equal parts are stored once, so the act that all panels and rungs begin with, density and arrows count once.

Positions: code MID stands for the lower edge of the box, 2 MID for the upper one, so the codes 0 .. 3 MID cover three
boxes and a particle beyond its frame stays one. Anything further out is clipped to that range; GONE marks a particle
with a non-finite coordinate. The step is 1/21844 of the box, a twentieth of a pixel on a full screen. The arrows of
a scheme's step stand head to tail, so their ends are positions too.
Density: the drop of log p_t below its largest value on the grid, 0 .. DEPTH nats in 65535 steps.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dlab.cache import dumps
from dlab.look import PARTS

MAGIC = b"DLM2"
MID = 21844
GONE = 65535
DEPTH = 12.0
STEP = 1.0  # seconds that a step takes at 1×, where this makes the steps last SAMPLING seconds together
SAMPLING = 6.0, 16.0  # at least, at most
LEAD = 0.2  # of a movie is what takes no steps: the noising before them


@dataclass(frozen=True, eq=False)
class Panel:
    """One cloud in its own picture.

    name: its title, any text. colour_light, colour_dark: "#rrggbb" on the light and the dark theme.
    positions: (F, n, 2); a non-finite coordinate means that the particle has diverged at that frame.
    distance: (F,) or None, the distance so far; NaN where it was not measured, and straight lines lead over such frames
    between two measured ones of an act. distance_label: what it measures.
    real: (F,) bool or None (all): frames at which this cloud was computed, not interpolated.
    parts: {name of look.PARTS: (F, k, 2)} or None, what takes the first k particles from a frame to the next:
    displacements, but a position for "midpoint"; NaN where no step begins. They can then be followed.
    Raises ValueError where a shape or a colour does not fit.
    """

    name: str
    colour_light: str
    colour_dark: str
    positions: np.ndarray
    distance: np.ndarray | None = None
    distance_label: str = ""
    real: np.ndarray | None = None
    parts: dict[str, np.ndarray] | None = None

    def __post_init__(self):
        where, shape = f"panel {self.name!r}", np.shape(self.positions)
        _need(len(shape) == 3 and shape[2] == 2 and 0 not in shape,
              f"{where}: positions has shape {shape}", "(frames, particles, 2), none of them 0")  # fmt: skip
        for field in ("distance", "real"):
            value = getattr(self, field)
            _need(value is None or np.shape(value) == shape[:1], f"{where}: {field} has shape {np.shape(value)}", f"{shape[:1]} or None")
        _need(self.real is None or np.any(self.real), f"{where}: real marks no frame", "at least one computed frame, or None")
        for name, part in (self.parts or {}).items():
            followed = np.shape(part)
            _need(name in PARTS and followed[::2] == (shape[0], 2) and followed[1] <= shape[1],
                  f"{where}: parts[{name!r}] has shape {followed}",
                  f"({shape[0]}, k, 2) with k ≤ {shape[1]} for a name in {', '.join(PARTS)}")  # fmt: skip
        for field in ("colour_light", "colour_dark"):
            colour = str(getattr(self, field))
            _need(re.fullmatch(r"#[0-9a-fA-F]{6}", colour), f"{where}: {field} is {colour!r}", "'#rrggbb'")


@dataclass(frozen=True, eq=False)
class Movie:
    """One to three panels in step, over one box and one clock.

    panels: 1 to 3, with the same number of frames F (their numbers of particles may differ).
    times: (F,) the process time t at each frame; it may run up and down again. steps: (F,) step number n at each frame.
    acts: (label, first frame) in ascending order; clouds do not glide from one act into the next.
    box: (x0, x1, y0, y1), the part of the plane on the screen.
    density_times: (K,) distinct values of t, in any order, or None for no contours.
    density: (K, G, G) log p_t up to a constant per t; [k, i, j] belongs to y = linspace(y0, y1, G)[i] and
    x = linspace(x0, x1, G)[j]; −inf is allowed, G ≥ 2.
    arrows: (K, m, 4) or None: x, y and the score u, v there, at the density_times.
    h: the step size, for a movie that is one of several rungs. ghost: (E, k, 2) or None, the exact path of the first k
    particles in the last act, at ghost_times (E,).
    Raises ValueError where shapes disagree or a value is out of range.
    """

    panels: tuple[Panel, ...]
    times: np.ndarray
    steps: np.ndarray
    acts: tuple[tuple[str, int], ...]
    box: tuple[float, float, float, float]
    density_times: np.ndarray | None = None
    density: np.ndarray | None = None
    arrows: np.ndarray | None = None
    h: float | None = None
    ghost: np.ndarray | None = None
    ghost_times: np.ndarray | None = None

    def __post_init__(self):
        frames, starts = np.shape(self.times), [int(first) for _, first in self.acts]
        _need(1 <= len(self.panels) <= 3, f"a movie has {len(self.panels)} panels", "1 to 3")
        _need(len(frames) == 1 and np.all(np.isfinite(self.times)),
              f"times has shape {frames} or a non-finite entry", "(frames,) finite values of t")  # fmt: skip
        _need(np.shape(self.steps) == frames, f"steps has shape {np.shape(self.steps)}", f"{frames} as times")
        for panel in self.panels:
            _need(len(panel.positions) == frames[0], f"panel {panel.name!r} has {len(panel.positions)} frames", f"{frames[0]} as times")
        _need(all(a < b for a, b in pairwise([-1, *starts, frames[0]])),
              f"acts start at frames {starts}", f"ascending frames from 0 to {frames[0] - 1}")  # fmt: skip
        x0, x1, y0, y1 = self.box
        _need(np.all(np.isfinite(self.box)) and x0 < x1 and y0 < y1, f"box is {self.box}", "finite x0 < x1 and y0 < y1")
        if self.ghost is not None:
            shape = np.shape(self.ghost)
            _need(len(shape) == 3 and shape[::2] == (np.size(self.ghost_times), 2),
                  f"ghost has shape {shape}", f"({np.size(self.ghost_times)}, k, 2), a position a ghost time")  # fmt: skip
        if self.density is not None or self.density_times is not None or self.arrows is not None:
            self._check_density()

    def _check_density(self):
        keys, shape, arrows = np.shape(self.density_times), np.shape(self.density), np.shape(self.arrows)
        _need(len(keys) == 1 and keys[0] and np.all(np.isfinite(np.asarray(self.density_times, float))),
              f"density_times has shape {keys} or a non-finite entry", "(K,) finite values, K ≥ 1, or no density and no arrows")
        _need(len(np.unique(self.density_times)) == keys[0], "density_times holds a value twice", "distinct values")
        _need(len(shape) == 3 and shape[0] == keys[0] and shape[1] == shape[2] >= 2,
              f"density has shape {shape}", f"({keys[0]}, G, G) with G ≥ 2, a grid a density time, rows y, columns x")
        _need(np.all(np.isfinite(np.max(self.density, axis=(1, 2)))),
              "density holds NaN, +inf, or a grid of −inf alone", "log p_t with a finite maximum on each grid")
        _need(self.arrows is None or (len(arrows) == 3 and arrows[::2] == (keys[0], 4) and np.all(np.isfinite(self.arrows))),
              f"arrows has shape {arrows} or a non-finite entry", f"({keys[0]}, m, 4) finite x, y, u, v")  # fmt: skip


def _need(fits, what: str, expected: str) -> None:
    if not fits:
        raise ValueError(f"{what}; expected {expected}")


def encode(*rungs: Movie, own: int = 0, scene: str = "") -> bytes:
    """A movie in the layout at the top of this file; the same movie always gives the same bytes.

    rungs: the same scene at one or more step sizes, in the order of the slider. own: the one that the page's numbers
    are for. scene: its name; a player that holds a movie of the same scene keeps its place. Without one, the content.
    Size: 4 F n bytes for each panel and rung and 4 F k for each part of a step, acts that are equal counted once,
    4 E k for the ghost, 2 K G² for the density, 16 K m for the arrows, and a header of a few kilobytes a rung.
    Raises ValueError where rungs are not of one scene.
    """
    first = rungs[own]
    _check_rungs(rungs, first)
    places: dict[bytes, int] = {}
    parts: list[bytes] = []
    size = 0

    def put(values: np.ndarray) -> int:
        nonlocal size
        part = values.tobytes()
        part += bytes(-len(part) % 4)
        name = hashlib.blake2b(part, digest_size=16).digest()
        if name not in places:
            places[name] = size
            parts.append(part)
            size += len(part)
        return places[name]

    header = {
        "own": own,
        "box": [float(v) for v in first.box],
        "panels": [  # what is the same on all rungs
            {"name": str(p.name), "colours": [p.colour_light, p.colour_dark], "count": np.shape(p.positions)[1], "followed": _followed(p),
             "label": str(p.distance_label)}
            for p in first.panels
        ],
        "parts": {name: PARTS[name] for name in PARTS if any(name in (p.parts or ()) for p in first.panels)},
        "rungs": [_rung(rung, put) for rung in rungs],
    }
    if first.ghost is not None:
        header["ghost"] = {"times": _numbers(first.ghost_times), "at": put(_codes(first.ghost, first.box))}
    if first.density is not None:
        order = np.argsort(first.density_times)
        log_p = np.asarray(first.density, float)[order]
        drop = np.max(log_p, axis=(1, 2), keepdims=True) - log_p
        codes = np.rint(np.minimum(drop, DEPTH) * (65535 / DEPTH)).astype("<u2")
        header["density"] = {"times": _numbers(np.asarray(first.density_times)[order]), "side": log_p.shape[1],
                             "depth": DEPTH, "at": put(codes)}
        if first.arrows is not None:
            arrows = np.asarray(first.arrows)[order].astype("<f4")
            header["arrows"] = {"count": arrows.shape[1], "at": put(arrows)}

    body = b"".join(parts)
    name = hashlib.blake2b(scene.encode() or body, digest_size=8)
    if not scene:
        name.update(dumps(header).encode())
    return _joined({"id": name.hexdigest(), **header}, body)


def at_step(data: bytes, h: float | None) -> bytes:
    """The movie with the rung of step size h as its own; ValueError where it has none."""
    header, body = _parted(data)
    sizes = [rung["h"] for rung in header["rungs"]]
    if len(sizes) > 1 or sizes[0] is not None:
        found = [i for i, size in enumerate(sizes) if math.isclose(size, h, rel_tol=1e-9)]
        if not found:
            raise ValueError(f"no rung has h = {h}; expected one of {sizes}; encode it with the others")
        header["own"] = found[0]
    return _joined(header, body)


def dressed(data: bytes, looks: dict[str, tuple[str, str, str]]) -> bytes:
    """The movie, which may have been kept for long, with today's clock and looks: {the first word of a panel's name: (name, light,
    dark)}."""
    header, body = _parted(data)
    for panel in header["panels"]:
        if look := looks.get(panel["name"].split(" ")[0]):
            panel["name"], *panel["colours"] = look
    header["parts"] = {name: PARTS[name] for name in header["parts"]}
    for rung in header["rungs"]:
        rung["clock"] = clock(rung["steps"], rung["acts"])
    return _joined(header, body)


def decode(data: bytes) -> dict:
    """What `encode` made, at its own step size: the header with arrays where it has offsets.

    h, times, steps, clock (seconds) and acts of that rung; panels[i]["positions"] (F, n, 2) float, NaN where a particle has diverged;
    panels[i]["tips"] {part: (F, k, 2)}, where each part's arrow ends; ghost["positions"] (E, k, 2); density["drop"]
    (K, G, G) nats below the largest log p_t on each grid, row = y; arrows["values"] (K, m, 4). ValueError for other bytes.
    """
    header, body = _parted(data)
    low, extent = np.array(header["box"][::2]), np.subtract(header["box"][1::2], header["box"][::2])

    def part(at, dtype, shape):
        return np.frombuffer(body, dtype, int(np.prod(shape)), at).reshape(shape)

    def places(at, *shape):
        codes = part(at, "<u2", (*shape, 2))
        return np.where(codes == GONE, np.nan, low + (codes / MID - 1) * extent)

    def along(offsets, lengths, count):
        return np.concatenate([places(at, frames, count) for at, frames in zip(offsets, lengths)])

    rung = header["rungs"][header["own"]]
    lengths = np.diff(_cuts(rung["acts"], len(rung["times"])))
    panels = []
    for panel, own in zip(header["panels"], rung["panels"]):
        tips = {name: along(at, lengths, panel["followed"]) for name, at in own["tips"].items()}
        panels.append({**panel, **own, "positions": along(own["at"], lengths, panel["count"]), "tips": tips})
    header |= {**rung, "panels": panels}
    if "ghost" in header:
        ghost = header["ghost"]
        ghost["positions"] = places(ghost["at"], len(ghost["times"]), max(p["followed"] for p in panels))
    if "density" in header:
        density = header["density"]
        keys, side = len(density["times"]), density["side"]
        density["drop"] = part(density["at"], "<u2", (keys, side, side)) * (density["depth"] / 65535)
        if "arrows" in header:
            header["arrows"]["values"] = part(header["arrows"]["at"], "<f4", (keys, header["arrows"]["count"], 4))
    return header


def _joined(header, body) -> bytes:
    return MAGIC + _framed(dumps(header, ensure_ascii=False, separators=(",", ":"))) + body


def _framed(text: str) -> bytes:
    """A header behind its length, padded with spaces."""
    head = text.encode()
    head += b" " * (-len(head) % 4)
    return struct.pack("<I", len(head)) + head


def _parted(data):
    """Header and body of a movie's bytes."""
    if data[:4] != MAGIC:
        raise ValueError(f"a movie begins with {MAGIC!r}, and these bytes with {data[:4]!r}; pass what encode returns")
    (length,) = struct.unpack("<I", data[4:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def clock(steps, acts) -> list[float]:
    """The second at which each frame is reached at 1×. steps (F,), the step number of each frame; acts (label, first frame).

    An act that takes steps gives each of them the same time, STEP within the limits of SAMPLING, so that all step sizes of a
    scene pass the same t at the same share of their movies. What takes none, as noising, has the share LEAD of the whole.
    """
    steps, pieces = np.asarray(steps, float), list(pairwise(_cuts(acts, len(steps))))
    taken = [float(np.ptp(steps[a:b])) for a, b in pieces]
    moving = min(max(STEP * sum(taken), SAMPLING[0]), SAMPLING[1]) if any(taken) else 0.0
    resting = sum(b - a for (a, b), n in zip(pieces, taken) if not n)
    lead = moving * LEAD / (1 - LEAD) if moving else min(SAMPLING[1], 0.5 * resting)
    ways = []  # how long each frame stays until the next one
    for (a, b), n in zip(pieces, taken):
        even = np.diff(steps[a:b])
        if n and np.all(even > 0):
            ways += [*(even * moving / sum(taken)), moving / sum(taken) if b < len(steps) else 0.0]
        else:
            whole, count = (moving * n / sum(taken) if n else lead * (b - a) / resting), b - a - (b == len(steps))
            ways += [whole / max(count, 1)] * (b - a)
    return [round(float(s), 6) for s in np.cumsum([0.0, *ways[:-1]])]


def packet(movie: bytes, **options) -> bytes:
    """What the player takes: options as JSON in front of an encoded movie.

    height and above in px (`ui.player`), autoplay, presentation, alt; waiting: what is still to come, "" where all is there; live: whether
    there is a slider of step sizes; asked: the one that the page asks for, None for the movie's own, and the request's number; sizes: those
    that the page can compute.
    """
    default = {
        "height": 480, "above": None, "autoplay": False, "presentation": False, "alt": "", "waiting": "", "live": True,
        "asked": (None, 0), "sizes": (),
    }  # fmt: skip
    return b"DLP1" + _framed(dumps({**default, **options})) + movie


def _check_rungs(rungs, first):
    def shared(rung):
        return rung.box, [(p.name, p.positions.shape[1], _followed(p)) for p in rung.panels], [label for label, _ in rung.acts]

    _need(all(shared(rung) == shared(first) and (rung.h is not None or len(rungs) == 1) for rung in rungs),
          "the rungs differ in more than the step size", "the same box, panels and acts, and an h for each")  # fmt: skip


def _followed(panel) -> int:
    return max((np.shape(part)[1] for part in (panel.parts or {}).values()), default=0)


def _rung(movie: Movie, put) -> dict:
    cuts = _cuts(movie.acts, len(movie.times))

    def pieces(where):
        codes = _codes(where, movie.box)
        return [put(codes[a:b]) for a, b in pairwise(cuts)]

    return {
        "h": movie.h,
        "times": _numbers(movie.times),
        "steps": np.asarray(movie.steps, int).tolist(),
        "clock": clock(movie.steps, movie.acts),
        "acts": [[str(label), int(first)] for label, first in movie.acts],
        "panels": [_motion(panel, movie.box, cuts, pieces) for panel in movie.panels],
    }


def _cuts(acts, frames) -> list[int]:
    """Where acts begin and end, frames before the first act by themselves."""
    return sorted({0, *(first for _, first in acts), frames})


def _codes(where, box) -> np.ndarray:
    low, high = np.array(box[::2], float), np.array(box[1::2], float)
    where = np.asarray(where, float)
    with np.errstate(invalid="ignore"):
        codes = np.clip(np.rint(MID * (1 + (where - low) / (high - low))), 0, 3 * MID)
    codes[~np.isfinite(where).all(axis=-1)] = GONE
    return codes.astype("<u2")


def _bridged(distance, cuts) -> np.ndarray:
    filled = np.array(distance, float)
    for a, b in pairwise(cuts):
        (known,) = np.nonzero(np.isfinite(filled[a:b]))
        if known.size:
            inside = np.arange(known[0], known[-1] + 1)
            filled[a + inside] = np.interp(inside, known, filled[a + known])
    return filled


def _motion(panel: Panel, box, cuts, pieces) -> dict:
    low, high = np.array(box[::2], float), np.array(box[1::2], float)
    where = np.asarray(panel.positions, float)
    alive = np.isfinite(where).all(axis=2)
    inside = ((where >= low) & (where <= high)).all(axis=2)
    tips, tip = {}, where[:, : _followed(panel)]
    for name in PARTS:
        if name in (panel.parts or ()):
            part = np.asarray(panel.parts[name], float)
            tips[name] = pieces(part if name == "midpoint" else tip + part)
            tip = tip if name == "midpoint" else tip + part
    return {
        "at": pieces(where),
        # Counted here, on the floats: a particle on the rim must not change sides by rounding.
        "diverged": (~alive).sum(axis=1).tolist(),
        "outside": (alive & ~inside).sum(axis=1).tolist(),
        "distance": None if panel.distance is None else _numbers(_bridged(panel.distance, cuts)),
        "measured": None if panel.distance is None else np.isfinite(panel.distance).astype(int).tolist(),
        "real": None if panel.real is None else np.asarray(panel.real, bool).astype(int).tolist(),
        "tips": tips,
    }


def _numbers(values) -> list:
    """Floats to six digits, None for non-finite: JSON has no NaN."""
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in np.asarray(values, float)]
