"""Laws of many runs at once are those that are carried step by step."""

import numpy as np
import pytest

from dlab.laws import gaussian, runs
from dlab.study import Study

TARGET = {"name": "gaussian", "mean": [0.5, -0.3], "cov": [[1.0, 0.2], [0.2, 0.5]]}


@pytest.mark.parametrize(("name", "start"), [("UNIPC2", "exact"), ("CHURN", "vp")])
def test_runs_end_where_the_law_carried_step_by_step_does(name, start):
    study = Study.from_json({"target": TARGET, "schemes": [name], "grid": {"name": "karras"}, "steps": [7, 20], "start": start})
    values, means = study.built.along_axes
    found = runs.ends([(study.scheme(name, n), study.grid(n)) for n in study.steps], values, means, start)
    axes = np.asarray(study.built.field.vectors)
    for n, run in zip(study.steps, found):
        case = study.case(name, n)
        law = gaussian.propagate(case.scheme, case.target, case.error, grid=case.grid, start=start)
        np.testing.assert_allclose(run.mean, law.mean[-1] @ axes, rtol=1e-12)
        np.testing.assert_allclose(run.var, np.diag(axes.T @ law.cov[-1] @ axes), rtol=1e-12)


def test_a_run_may_have_more_steps_than_are_read_together():
    study = Study.from_json({"target": TARGET, "schemes": ["EM"], "T": 8.0, "h": [1.0]})
    lengths = (runs.ROWS + 76, 2)
    long, short = runs.ends([(study.scheme("EM", n), study.grid(n)) for n in lengths], np.array([0.5]), np.array([0.0]), "exact")
    h = study.T / lengths[0]
    assert long.var[0] == pytest.approx(0.5, abs=h)
    assert short.var[0] > 5  # two steps of size 4
