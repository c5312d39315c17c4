"""A movie of the player small enough for the lesson: fewer particles, coarser places, compressed."""

import base64
import zlib
from itertools import pairwise

import contourpy
import numpy as np

from dlab.figures import movie

MOST = 200_000  # characters of one movie in the file
COUNTS = (1000, 800, 600, 450, 320, 220, 150)  # particles, the most that fit
FRAMES = 72  # frames of an act at most
CODES = 1023  # places a side of the box with its margin; the last one stands for a particle that has diverged
MARGIN = 0.1  # of the box on either side, where a particle is still drawn
LEVELS = (0.5, 1, 2, 3, 4.5)  # drops of log p below its peak, as in the player


def packed(data: bytes, table: dict | None = None) -> dict:
    """What the page's player takes of an encoded movie (`figures.movie.encode`), at its own step size; table: {"n": steps, and a list of
    distances for each scheme}.

    clouds: zlib in base64, first all low bytes and then all high bytes of the codes (frames, particles, 2) of each act of each
    panel; an act that all panels share is there once. The rest is small: box, acts with their times and steps, panels, and the
    target's contours in the units of the box.
    """
    whole = movie.decode(data)
    cuts = [first for _, first in whole["acts"]] + [len(whole["times"])]
    acts = []
    for (label, _), (a, b) in zip(whole["acts"], pairwise(cuts)):
        chosen = np.unique(np.linspace(a, b - 1, min(b - a, FRAMES)).round().astype(int))
        clouds = [panel["positions"][chosen] for panel in whole["panels"]]
        shared = all(np.array_equal(clouds[0], c, equal_nan=True) for c in clouds[1:])
        acts.append({"label": label, "frames": chosen, "shared": shared, "clouds": clouds[:1] if shared else clouds})
    for count in COUNTS:
        text = _compressed([_codes(c[:, :count], whole["box"]) for act in acts for c in act["clouds"]])
        found = {
            "box": whole["box"],
            "count": min(count, acts[0]["clouds"][0].shape[1]),
            "panels": [{"name": p["name"], "scheme": p["name"].split(" · ")[0]} for p in whole["panels"]],
            "acts": [
                {"label": act["label"], "shared": act["shared"], "frames": len(act["frames"]),
                 "steps": [whole["steps"][i] for i in act["frames"]], "times": [whole["times"][i] for i in act["frames"]]}
                for act in acts
            ],
            "contours": _contours(whole.get("density")),
            "distances": _distances(whole, acts[-1]["frames"], table or {}),
            "clouds": text,
        }  # fmt: skip
        if len(text) <= MOST - 20_000:
            break
    return found


def _codes(where, box) -> np.ndarray:
    low, extent = np.array(box[::2]), np.subtract(box[1::2], box[::2])
    with np.errstate(invalid="ignore"):
        share = ((where - low) / extent + MARGIN) / (1 + 2 * MARGIN)
        codes = np.clip(np.rint(share * (CODES - 1)), 0, CODES - 1)
    codes[~np.isfinite(where).all(-1)] = CODES
    return codes.astype("<u2")


def _compressed(clouds) -> str:
    codes = np.concatenate([c.ravel() for c in clouds])
    raw = (codes & 255).astype(np.uint8).tobytes() + (codes >> 8).astype(np.uint8).tobytes()
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def _distances(whole, frames, table) -> list:
    """For each panel a distance or None at each of the last act's frames."""
    schemes = [p["name"].split(" · ")[0] for p in whole["panels"]]
    at = {n: i for i, n in enumerate(table.get("n", ()))}
    return [[table[s][at[n]] if s in table and (n := whole["steps"][f]) in at else None for f in frames] for s in schemes]


def _contours(density) -> list:
    """Lines of equal density of the target, [[x, y], …] in thousandths of the box from its lower left corner."""
    if density is None:
        return []
    drop = density["drop"][int(np.argmin(density["times"]))]
    places = np.linspace(0, 1000, density["side"])
    lines = contourpy.contour_generator(places, places, drop)
    return [[line.round().astype(int).ravel().tolist() for line in lines.lines(level)] for level in LEVELS]
