"""What a fresh process compiles before anybody asks: the exact laws and the first moving scene."""

import time
from contextlib import suppress

from dlab import errors, jobs, schemes, trajectory
from dlab.params import BadInput
from dlab.study import Study, run


def up() -> None:
    """Compile in the background, politely: a page is served first, and between two pieces a visitor's run
    takes its turn."""
    time.sleep(2.0)
    exact = {"target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.1], [0.1, 0.5]]}, "h": [0.5], "T": 1.0}
    with suppress(BadInput):
        for error in ("none", "constant"):
            spec = {"name": error} if not errors.REGISTRY[error].keys else {"name": error, "level": 0.1}
            for name in schemes.REGISTRY:
                run(Study.from_json({**exact, "schemes": [name], "score_error": spec}))
        for name in ("EM", "SO"):
            study = Study.from_json({**exact, "schemes": [name]})
            with jobs.one_at_a_time(lambda: None):
                trajectory.motion(study, (name,), 2, 2000)
