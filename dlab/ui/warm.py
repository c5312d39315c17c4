"""What a fresh process compiles before anybody asks: the exact laws and the first moving scene."""

import itertools
import threading
from contextlib import suppress

from dlab import engine, errors, pictures, schemes
from dlab.answers import samplers, trajectory
from dlab.params import BadInput
from dlab.study import Study, run

SKEW = {"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0}
LINES = {"name": "spectrum", "shape": "linear", "low": 0.3, "high": 0.8}  # of few and of many coordinates


def up(stop: threading.Event) -> None:
    """Compile in the background, politely: a page is served first, between two pieces a visitor's run takes
    its turn, and the process may end."""
    stop.wait(2.0)
    pictures.load("digits")  # scikit-learn takes seconds to import, and the Images page opens with them
    exact = {"target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.1], [0.1, 0.5]]}, "h": [0.5], "T": 1.0}
    with suppress(BadInput):
        for error in ("none", "constant"):
            spec = {"name": error} if not errors.REGISTRY[error].keys else {"name": error, "level": 0.1}
            for name in schemes.PAPER:
                if stop.is_set():
                    return
                run(Study.from_json({**exact, "schemes": [name], "score_error": spec}))
        for dim, name in itertools.product((2, 64), schemes.PAPER):
            if stop.is_set():
                return
            run(Study.from_json({**exact, "target": {**LINES, "dim": dim}, "schemes": [name]}))
        for name in ("EM", "SO"):
            if stop.is_set():
                return
            study = Study.from_json({**exact, "schemes": [name]})
            with engine.exclusive():
                trajectory.motion(study, (name,), 2, 2000)
        for name in schemes.PAPER:
            if stop.is_set():
                return
            with engine.exclusive():
                run(Study.from_json({**exact, "target": SKEW, "schemes": [name]}))
        for name in schemes.REGISTRY:
            if stop.is_set():
                return
            samplers.samplers(Study.from_json({**exact, "schemes": [name]}))
