"""One scheme on every grid, where its error is made, and the best grid: against plain studies and printed constants."""

import pytest

from dlab import answers, cache
from dlab.figures import schedules as figures
from dlab.study import Study, run

SPECTRUM = {"name": "spectrum", "values": [1.0, 0.1, 0.01]}
LOG_SNR = {"name": "log-snr", "last": "sigma_min"}


def study(scheme, **more):
    return Study.from_json({"target": SPECTRUM, "schemes": [scheme], "grid": LOG_SNR, "steps": [16], **more})


def asked(kind, scheme, steps=16, **more):
    *_, found = answers.find(kind).stream(study(scheme, **more), scheme, steps)
    cache.dumps(found)  # strict JSON
    return found


@pytest.fixture(scope="module")
def compared():
    return asked("schedules", "DDIM")


def test_w2_on_a_grid_is_that_of_a_study_with_its_sigmas(compared):
    rows = {r["grid"]: r for r in compared["rows"] if r["w2"] is not None}
    assert {"log-snr", "karras", "quadratic", "tangent"} <= set(rows)
    for name in ("log-snr", "karras", "tangent"):
        asked = {"target": SPECTRUM, "schemes": ["DDIM"], "grid": {"name": "times", "sigmas": rows[name]["sigmas"]}}
        (row,) = run(Study.from_json(asked)).rows
        assert row.w2 == pytest.approx(rows[name]["w2"], rel=1e-6)
    assert all(r["sigmas"] or r["flags"] for r in compared["rows"])


def test_what_is_made_in_each_step_adds_up_to_w2(compared):
    for row in compared["rows"]:
        parts = row["parts"]
        assert len(parts["steps"]) == 16
        assert parts["start"] + sum(parts["steps"]) + parts["stop"] == pytest.approx(row["w2"], rel=1e-9)


@pytest.mark.parametrize("scheme, begun, best", [("DDIM", 0.16, 0.084), ("EM", 0.143, 0.071)])
def test_the_best_grid_is_as_good_as_known(scheme, begun, best):
    found = asked("best_grid", scheme)
    assert found["track"][0]["fitted"] == pytest.approx(begun, rel=0.05)
    assert found["track"][-1]["fitted"] < 1.03 * best
    values = [point["fitted"] for point in found["track"]]
    assert min(values) == pytest.approx(values[-1], rel=1e-6)
    # The grid that is found, run as a study, gives what the search says.
    (row,) = run(Study.from_json({"target": SPECTRUM, "schemes": [scheme], "grid": {"name": "times", "sigmas": found["sigmas"]}})).rows
    assert row.w2 == pytest.approx(values[-1], rel=1e-5)


@pytest.mark.long
def test_2m_sde_overfits_three_variances():
    found = asked("best_grid", "2M-SDE")
    last = found["track"][-1]
    assert last["fitted"] < 1e-4
    assert last["held_out"] > 100 * last["fitted"]


def test_where_no_law_can_be_differentiated_a_sentence_says_so():
    for scheme, word in (("REM", "random midpoint"), ("EM-FROZEN", "rate")):
        assert word in answers.find("best_grid").applies(study(scheme), scheme, 16)
    assert answers.find("schedules").applies(study("DDIM"), "DDIM", 16) is None


def test_the_figures_name_every_grid(compared):
    assert {r["grid"] for r in figures.ranked(compared)} == {r["grid"] for r in compared["rows"]}
    assert len(figures.table(compared)) == len(compared["rows"])
    assert figures.sentence(compared)
    assert figures.drawn(compared, ["log-snr", "karras"]) is not None
    assert figures.where(compared, ["log-snr", "karras"]) is not None
