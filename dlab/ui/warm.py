"""What is compiled before anybody asks, where it will run: the exact laws and the movies' first frames."""

import itertools
import threading
from contextlib import suppress

from dlab import engine, errors, pictures, schemes, targets
from dlab.export import movies
from dlab.params import BadInput
from dlab.study import Study
from dlab.ui import links, studies
from dlab.ui.scene import Scene

SKEW = {"name": "skew", "lam": 0.8, "c": 2.0, "k": 2.0}
LINES = {"name": "spectrum", "shape": "linear", "low": 0.3, "high": 0.8}  # of few and of many coordinates
EXACT = {"target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.1], [0.1, 0.5]]}, "h": [0.5], "T": 1.0}
SESSION = "warm-up"


def up(stop: threading.Event) -> None:
    """Compile in the background, politely: a page is served first, between two pieces a visitor's run takes
    its turn, and the process may end."""
    stop.wait(2.0)
    pictures.load("digits")  # scikit-learn takes seconds to import, and the Images page opens with them
    with suppress(BadInput):
        for name in targets.PLANAR:
            if stop.is_set():
                return
            engine.at_once("outline", Study.from_json({**EXACT, "target": targets.REGISTRY[name].example, "schemes": ["EM"]}))
        for study in _exact():
            if stop.is_set():
                return
            engine.exact(study)
        for name in targets.PLANAR:  # as the page Watch opens on each: what is compiled there serves all numbers of the target
            if stop.is_set():
                return
            values = links.read({"target": name})[0]
            study = studies.moving_study(Scene(values))
            engine.job(f"warm-{name}", movies.begun, study, study.steps[-1], values["moving"], "", session=SESSION)
        for name in schemes.PAPER:
            if stop.is_set():
                return
            for _ in engine.stream(Study.from_json({**EXACT, "target": SKEW, "schemes": [name]}), session=SESSION):
                pass
        for name in schemes.REGISTRY:
            if stop.is_set():
                return
            engine.answer("samplers", Study.from_json({**EXACT, "schemes": [name]}), session=SESSION)


def _exact():
    for error, name in itertools.product(("none", "constant"), schemes.PAPER):
        spec = {"name": error} if not errors.REGISTRY[error].keys else {"name": error, "level": 0.1}
        yield Study.from_json({**EXACT, "schemes": [name], "score_error": spec})
    for dim, name in itertools.product((2, 64), schemes.PAPER):
        yield Study.from_json({**EXACT, "target": {**LINES, "dim": dim}, "schemes": [name]})
