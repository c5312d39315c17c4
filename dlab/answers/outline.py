"""Contours of a two-dimensional target, for a small picture of it."""

import contourpy
import numpy as np

from dlab.answers.base import Answer
from dlab.study.spec import Study

SIDE = 73  # points a side of the grid
WIDEST = 8.0  # half the width of what is searched for the target
SEEN = 7.0  # the drop of log p below its peak that the picture holds
# Drops whose contours are drawn: a Gaussian in the plane holds 39, 63, 86, 95 and 99 % of its mass within them.
DROPS = (4.5, 3.0, 2.0, 1.0, 0.5)


def outline(study: Study, tick=lambda: None) -> dict:
    """{"half": half the width of the picture, "rings": for each of DROPS the closed lines [[x, y], ...] about the middle of it}."""
    target, centre, half = study.built, np.zeros(2), WIDEST
    for _ in range(4):  # from all of the plane that matters to where the mass is
        line = np.linspace(-half, half, SIDE)
        points = centre + np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        value = np.nan_to_num(np.asarray(target.log_density(points), float), nan=-np.inf)
        drop = value.max() - value
        low, high = (f(points[drop < SEEN], axis=0) for f in (np.min, np.max))
        if half < 0.75 * (high - low).max():
            break
        centre, half = (low + high) / 2, 0.56 * (high - low).max() + 2 * half / SIDE
    found = contourpy.contour_generator(line, line, -np.minimum(drop, 1e3).reshape(SIDE, SIDE))
    return {"half": float(half), "rings": [[np.round(ring / half, 3).tolist() for ring in found.lines(-level)] for level in DROPS]}


ANSWER = Answer(
    "outline", "The contours of the target", outline, ("target",),
    applies=lambda study: None if study.built.dim == 2 else "it is drawn for targets in the plane.",
)  # fmt: skip
