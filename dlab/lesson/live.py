"""What the engine in the browser (engine.js) needs to carry on with a study by itself."""

import math

import numpy as np

from dlab import schemes
from dlab.grid import MAKERS
from dlab.study import Study
from dlab.targets.gaussian import Gaussian

ERRORS = ("none", "relative", "constant")


def problem(study: Study) -> dict | None:
    """A study on a Gaussian in the plane as the engine takes it, see the top of engine.js; None for any other, and for a score error
    that is not one of ERRORS with an exact Hessian and rate."""
    target, error = study.built, study.score_error
    free = error["name"] in ERRORS and study.error.second_order_free and not error.get("hessian")
    if not (isinstance(target, Gaussian) and target.dim == 2 and free) or study.vary or study.growth or (study.laid or {}).get("times"):
        return None
    grid = study.grid(study.steps[0])
    if grid.maker not in MAKERS or grid.maker == "times":
        return None
    axes, means = target.along_axes
    turn = np.asarray(target.field.vectors)
    level, angle = (error.get("level", 0.0), math.radians(error.get("angle", 0.0))) if error["name"] == "constant" else (0.0, 0.0)
    added = level * (turn.T @ np.array([math.cos(angle), math.sin(angle)]))
    return {
        "axes": [{"v": float(v), "m": float(m), "add": float(a)} for v, m, a in zip(axes, means, added)],
        "turn": turn.tolist(),
        "rel": float(error["level"]) if error["name"] == "relative" else 0.0,
        "start": study.start,
        "grid": {"name": grid.maker, **dict(grid.settings)},
        # JSON has no infinity, and so large a variance is one.
        "options": {o.key: min(dict(study.options).get(o.key, o.default), 1e300) for o in schemes.OPTIONS.values()},
    }
