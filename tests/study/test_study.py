"""The study file's contract: defaults, round trip, rows and fits always, repeatability, what stays null."""

import dataclasses
import json
import threading
from collections import deque
from concurrent.futures import Future
from fractions import Fraction
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from cases import GAUSSIAN

from dlab import __version__, schemes, targets
from dlab.params import BadInput
from dlab.study import BATCH, DEFAULT, Study, run, shared_paths, stream
from dlab.study.place import Work
from dlab.study.run import Points
from dlab.study.sweep import besides

NAMES = list(schemes.PAPER)
KEYS = {
    "study": ["schema", "target", "schemes", "h", "T", "start", "score_error", "estimator", "particles", "accuracy", "budget", "seed"],
    "facts": ["m0", "L0", "L_F", "M1", "m_min", "L_max"],
    "rows": ["scheme", "h", "steps", "score_evals", "hessian_evals", "particles", "w2", "stderr", "lower", "upper", "floor",
             "method", "resolved", "bound", "error_level_met", "diverged"],
    "fits": ["scheme", "slope", "slope_low", "slope_high", "constant", "used", "theory_order", "theory_c1", "theory_c2"],
}  # fmt: skip


def study(**changes):
    return Study.from_json({"target": GAUSSIAN, "h": [0.5, 0.25], "T": 2.0, "particles": 512, **changes})


def strict(result):
    """The result as strict JSON, checked against the contract."""
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert data["schema"] == 1
    assert set(KEYS["study"]) == set(data["study"])
    assert set(KEYS["facts"]) <= set(data["facts"])
    for kind in ("rows", "fits"):
        for entry in data[kind]:
            assert set(KEYS[kind]) <= set(entry)
    wanted = [(s, h) for s in data["study"]["schemes"] for h in data["study"]["h"]]
    assert sorted(wanted) == sorted((r["scheme"], r["h"]) for r in data["rows"])
    assert data["study"]["schemes"] == [f["scheme"] for f in data["fits"]]
    assert data["versions"] == {"dlab": __version__, "jax": data["versions"]["jax"]}
    assert all(isinstance(n, str) and n for n in data["notes"])
    for row in data["rows"]:
        assert (row["w2"] is None) == (row["diverged"] > 0)
        assert (row["stderr"] is None) == (row["diverged"] > 0)
        assert row["steps"] * row["h"] == pytest.approx(data["study"]["T"])
        assert row["score_evals"] == row["steps"] * schemes.REGISTRY[row["scheme"]].score_evals
    for entry in data["fits"]:
        assert (entry["slope"] is None) == (len(entry["used"]) < 2)
    return data


# ---------------------------------------------------------------- the file


def test_defaults_are_filled_in_and_the_file_round_trips():
    short = Study.from_json({"target": GAUSSIAN})
    full = short.to_json()
    assert set(full) == set(DEFAULT)
    assert {k: v for k, v in full.items() if k not in ("target", "h")} == {k: v for k, v in DEFAULT.items() if k not in ("target", "h")}
    assert sorted(full["h"]) == sorted(DEFAULT["h"])
    again = Study.from_json(json.dumps(full))
    assert again == short
    assert again.key == short.key
    assert again.to_json() == full


@pytest.mark.parametrize("name", list(targets.REGISTRY))
def test_every_targets_default_knobs_make_a_study_that_round_trips(name):
    entry = targets.REGISTRY[name]
    s = Study.from_json({"target": entry.from_knobs({k.name: k.default for k in entry.knobs})})
    assert Study.from_json(json.dumps(s.to_json())) == s


def test_steps_may_stand_in_place_of_h_and_order_and_repeats_do_not_matter():
    by_steps = Study.from_json({"target": GAUSSIAN, "T": 2.0, "steps": [8, 4, 8]})
    assert by_steps == Study.from_json({"target": GAUSSIAN, "T": 2.0, "h": [0.5, 0.25, 0.5]})
    assert by_steps.h == (0.5, 0.25)


def test_numbers_and_arrays_of_numpy_are_those_of_python():
    cov = [[0.5, 0.25], [0.25, 1.0]]
    plain = Study.from_json({"target": {"name": "gaussian", "mean": [0.5, 0.0], "cov": cov}, "T": 2.0, "steps": [2, 4]})
    other = {"name": "gaussian", "mean": (np.float32(0.5), Fraction(0)), "cov": np.array(cov)}
    given = Study.from_json({"target": other, "T": np.float32(2), "steps": jnp.array([2, 4])})
    assert given.key == plain.key
    assert given.to_json() == plain.to_json()


def test_step_sizes_that_are_no_binary_fraction_are_whole_divisions_of_T():
    s = Study.from_json({"target": GAUSSIAN, "T": 0.3, "h": [0.1, 0.15, 0.3 / 7]})
    assert s.steps == (2, 3, 7)
    assert Study.from_json(s.to_json()) == s


def test_another_study_has_another_key_and_the_same_has_the_same():
    assert study().key == study().key
    assert len({study(seed=i).key for i in range(3)} | {study(T=4.0).key}) == 4


def test_a_study_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        study().T = 3.0


def test_the_limit_on_work_counts_the_reference_and_all_schemes():
    s = study(estimator="projected", schemes=["EM", "SO"])
    assert s.work == BATCH * (2 * (4 + 8) + sum(r.work for g in shared_paths(s.steps) for r in g.references))
    assert study().work == 0


def test_step_counts_that_share_a_path_share_a_reference_unless_far_apart():
    (one,) = shared_paths((4, 8, 16))
    assert len(one.references) == 1
    assert one.members == (4, 8, 16)
    assert one.steps >= 64
    many = shared_paths((5, 7, 64))
    assert sorted(n for g in many for n in g.members) == [5, 7, 64]
    (wide,) = shared_paths(tuple(2**k for k in range(3, 10)))
    assert [r.members for r in wide.references] == [(8, 16, 32), (64, 128, 256, 512)]


@pytest.mark.parametrize("steps", [(4, 8, 16), (5, 7, 64), (5, 100), (1,), (3, 6, 12), (300,), tuple(2**k for k in range(11))])
def test_every_reference_is_finer_than_its_members_and_lies_on_their_path(steps):
    for g in shared_paths(steps):
        assert g.steps == max(r.steps for r in g.references)
        assert all(g.steps % n == 0 for n in g.members)
        for r in g.references:
            assert g.steps % r.steps == 0 == r.steps % 2
            assert r.steps >= max(128, min(4 * max(r.members), max(512, 2 * max(r.members))))


# ---------------------------------------------------------------- exact results


def test_exact_results_keep_the_contract_and_have_no_monte_carlo_error():
    data = strict(run(study(h=[0.5, 0.25, 0.125, 0.0625])))
    for row in data["rows"]:
        assert row["stderr"] == 0
        assert row["method"] == ("joint" if row["scheme"] in ("REM", "REI") else "exact")
        assert row["resolved"]
    assert all(len(f["used"]) >= 3 for f in data["fits"])
    assert not any("lower bound" in note for note in data["notes"])


def test_a_law_that_one_grid_alone_holds_is_flagged_and_its_file_stays_strict():
    one = {"name": "mixture", "weights": [0.5, 0.5], "means": [[0.3], [0.3]], "var": 1e-3}
    (row,) = strict(run(study(target=one, schemes=["REM"], h=[0.5], T=1.0)))["rows"]
    assert (row["resolved"], row["grid_change"]) == (False, None)
    assert len(row["flags"]) == 1


def test_a_void_bound_is_null_and_the_notes_say_why():
    wide = {"name": "gaussian", "mean": [0, 0], "cov": [[4.0, 0.0], [0.0, 1.0]]}
    data = strict(run(study(target=wide)))
    assert all(r["bound"] is None for r in data["rows"])
    assert all(f["theory_order"] is f["theory_c1"] is f["theory_c2"] is None for f in data["fits"])
    assert any("0.25" in n and "½" in n for n in data["notes"])


def test_bound_parts_add_up_to_the_bound():
    tame = {"name": "gaussian", "mean": [0.5, 0], "cov": [[1.0, 0.0], [0.0, 0.5]]}
    data = strict(run(study(target=tame, start="paper", score_error={"name": "constant", "level": 0.1})))
    for row in data["rows"]:
        assert sum(row["bound_parts"].values()) == pytest.approx(row["bound"])
        assert row["bound"] > row["w2"]
        assert row["error_level_met"] == pytest.approx(0.1)
        assert row["bound_parts"]["initialisation"] > 0
    assert any("initialisation" in n for n in data["notes"])


HARSH = {
    "a stiff target and a long step": {"target": {"name": "gaussian", "mean": [0, 0], "cov": [[1, 0], [0, 1e-3]]}, "h": [1.0], "T": 4.0},
    "a Hessian error that overflows": {"score_error": {"name": "none", "hessian_level": 1000.0}, "schemes": ["SO"], "T": 4.0},
    "a wrong length that diverges": {"score_error": {"name": "relative", "level": 10.0}, "T": 8.0},
}


@pytest.mark.parametrize("estimator", ["auto", "projected"])
@pytest.mark.parametrize("name", HARSH)
def test_a_harsh_study_still_gives_strict_json_with_every_row(name, estimator):
    strict(run(study(**{"schemes": ["EM", "SO"], "estimator": estimator, **HARSH[name]})))


# ---------------------------------------------------------------- sampled results

SAMPLED = {"estimator": "projected", "schemes": ["EM", "REI"], "T": 2.0, "h": [0.5, 0.25]}


@pytest.fixture(scope="module")
def sampled():
    return run(study(**SAMPLED, particles=700))


def test_sampled_results_keep_the_contract_with_the_number_of_paths_asked_for(sampled):
    data = strict(sampled)
    for row in data["rows"]:
        assert row["particles"] == 700
        assert row["stderr"] > 0
        assert row["lower"] <= row["upper"]


def test_the_same_study_gives_the_same_numbers_and_another_seed_gives_others(sampled):
    assert run(study(**SAMPLED, particles=700)).to_json() == sampled.to_json()
    other = run(study(**SAMPLED, particles=700, seed=1))
    assert all(a.w2 != b.w2 for a, b in zip(sampled.rows, other.rows))


class OneByOne(Work):
    """Units in this thread, one at each wait, so that what is seen on the way does not depend on the machine."""

    def __init__(self, study):
        super().__init__()
        self.study, self.units = study, deque()

    def submit(self, function, *args, price=0, hold=False, ahead=False):
        future = Future()
        (self.units.appendleft if ahead else self.units.append)((future, function, args))
        return future

    def wait(self):
        if self.units:
            future, function, args = self.units.popleft()
            if future.set_running_or_notify_cancel():
                future.set_result(function(self.study, *args, tick=lambda done=0.0: None))

    def __exit__(self, *failure): ...


def test_a_stream_improves_and_ends_with_the_result(sampled):
    seen = list(stream(study(**SAMPLED, particles=700), place=SimpleNamespace(open=OneByOne, near=True)))
    assert seen[-1].to_json() == sampled.to_json()
    assert seen[-1].done == 1.0
    assert [r.done for r in seen] == sorted(r.done for r in seen)
    assert all(any("Provisional" in n for n in r.to_json()["notes"]) for r in seen[:-1])
    assert len(seen[0].rows) < len(seen[-1].rows) or seen[0].rows[0].particles < 700


def test_progress_ends_at_one_and_a_tick_that_raises_stops_the_run():
    ticks = []
    run(study(**SAMPLED, particles=512), ticks.append)
    assert ticks == sorted(ticks)
    assert ticks[-1] == pytest.approx(1.0)
    assert np.mean(np.array(ticks) >= 1.0) < 0.3  # not long before the end

    class Stop(Exception):
        pass

    def stop(done):
        if done > 0.3:
            raise Stop

    with pytest.raises(Stop):
        run(study(**SAMPLED, particles=512), stop)


def test_diverged_particles_make_a_null_row_with_a_note_and_no_slope():
    data = strict(run(study(**{**SAMPLED, "T": 4.0, "h": [0.5], "schemes": ["EM"]}, score_error={"name": "relative", "level": 10.0})))
    (row,) = data["rows"]
    assert row["w2"] is row["stderr"] is None
    assert row["diverged"] > 0
    assert not row["resolved"]
    assert data["fits"][0]["slope"] is None
    assert any("EM diverged at h = 0.5" in n for n in data["notes"])


def test_with_start_paper_the_initialisation_error_is_in_the_estimate():
    common = {**SAMPLED, "T": 1.0, "h": [0.25, 0.125], "schemes": ["SO"], "start": "paper"}
    exact = run(study(**{**common, "estimator": "exact"}))
    found = run(study(**common, particles=1024))
    for a, b in zip(exact.rows, found.rows):
        assert abs(a.w2 - b.w2) < 4 * b.stderr + 0.1 * a.w2


@pytest.mark.parametrize("estimator", ["coupled", "gelbrich", "plugin", "sliced"])
def test_every_estimator_answers_a_study(estimator):
    data = strict(run(study(**{**SAMPLED, "estimator": estimator}, particles=512)))
    assert {r["method"] for r in data["rows"]} == {estimator}
    assert all((r["floor"] is not None) == (estimator in ("plugin", "sliced")) for r in data["rows"])


def test_accuracy_is_reached_or_the_budget_is_kept():
    common = {**SAMPLED, "schemes": ["EM"], "h": [0.5]}
    s = study(**common, particles=64, accuracy=0.03)
    (row,) = run(s).rows
    assert row.stderr <= 0.03 * row.w2
    per_batch = study(**common, particles=BATCH).work
    tight = study(**common, particles=64, accuracy=1e-4, budget=3 * per_batch)
    spent = []
    (row,) = run(tight, spent.append).rows
    assert row.stderr > 1e-4 * row.w2
    assert row.particles <= 3 * BATCH


def test_the_budget_goes_to_the_points_that_need_least():
    s = study(**{**SAMPLED, "schemes": ["EM", "REM"], "h": [0.5, 1 / 16]}, particles=64, accuracy=0.03, budget=10**8)
    points = Points(s, ["EM", "REM"], SimpleNamespace(submit=lambda *given, **how: Future()))
    assert all(numbers == [0] for numbers in points.numbers.values())
    near, far, dear = ("EM", 4), ("EM", 32), ("REM", 32)
    points.spent = 0
    assert points.affordable({near: 3.0, far: 3.0, dear: 1e9}) == ([near, far], 1)
    points.most = BATCH * (4 + sum(part.steps for part in besides(s, "SDE", 4))) * 2
    assert points.affordable({near: 3.0, far: 3.0}) == ([near], 1)
    assert points.affordable({near: 1e9}) == ([near], 1)  # what is left narrows it at least
    points.most = BATCH
    assert points.affordable({near: 3.0}) is None


def test_points_that_the_budget_does_not_make_accurate_are_named():
    """EM at the coarse step is; REM at the finest would take many times the budget."""
    common = {**SAMPLED, "schemes": ["EM", "REM"], "T": 2.0, "h": [0.5, 1 / 16]}
    s = study(**common, particles=64, accuracy=0.03, budget=10 * study(**common, particles=64).work)
    spent = []
    result = run(s, spent.append)
    rows = {(r.scheme, r.h): r for r in result.rows}
    assert rows["EM", 0.5].stderr <= 0.03 * rows["EM", 0.5].w2
    (note,) = [n for n in result.to_json()["notes"] if "The budget" in n]
    assert "REM at h = 0.0625" in note
    assert "EM at h = 0.5 " not in note.replace("REM", "")
    assert spent == sorted(spent)


def test_a_budget_below_the_first_paths_is_refused():
    with pytest.raises(BadInput, match="raise it or lower particles"):
        study(estimator="projected", accuracy=0.1, budget=1000)


def test_a_sweep_that_is_left_ends_its_simulations():
    class Stop(Exception):
        pass

    def tick(done):
        raise Stop

    before = threading.active_count()
    with pytest.raises(Stop):
        run(study(**SAMPLED, particles=4096), tick)
    assert threading.active_count() <= before


def test_batches_beyond_the_least_number_of_paths_are_new_paths():
    """700 is no multiple of the batch: the batch after it must not repeat the one before."""
    common = {**SAMPLED, "schemes": ["EM"], "h": [0.5]}
    last = list(stream(study(**common, particles=700, accuracy=1e-4, budget=4 * study(**common, particles=512).work)))[-1]
    x = np.asarray(last.clouds["EM_4"])
    assert len(x) > 700
    assert len(np.unique(x[:, 0])) == len(x)


def test_step_sizes_without_a_common_grid_each_find_their_reference():
    data = strict(run(study(**{**SAMPLED, "schemes": ["EM"], "h": None, "T": 2.0} | {"h": [0.4, 2 / 7]}, particles=512)))
    exact = run(study(schemes=["EM"], h=[0.4, 2 / 7], T=2.0))
    for row, want in zip(data["rows"], exact.rows):
        assert abs(row["w2"] - want.w2) < 4 * row["stderr"] + 0.06 * want.w2


def test_a_coarse_step_count_beside_one_that_is_no_power_of_two_shares_its_reference():
    (grid,) = shared_paths((3, 39))
    assert [(r.steps, r.members) for r in grid.references] == [(156, (3,)), (156, (39,))]


def test_work_beyond_the_limit_is_refused_with_what_to_lower():
    with pytest.raises(BadInput, match="lower particles"):
        study(estimator="projected", particles=65536, h=[2 / 4096])
