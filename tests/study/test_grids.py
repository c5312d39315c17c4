"""Grids, early stops, starts and options at the study's door; rows and fits where steps differ; simulation against the exact law."""

import json
import math

import numpy as np
import pytest
from cases import GAUSSIAN

from dlab.grid import MAKERS
from dlab.params import BadInput
from dlab.study import Study, run

HALF = {"name": "spectrum", "values": [0.5]}
LOG_SNR = {"name": "log-snr", "last": "sigma_min"}


def study(**changes):
    return Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "particles": 512, **changes})


def w2(**changes):
    return run(study(**changes)).rows[0].w2


# ---------------------------------------------------------------- the door


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in ("uniform", "times")])
def test_every_maker_is_read_with_its_defaults_and_its_file_is_read_again(name):
    found = study(grid={"name": name})
    assert found.steps == (8, 16, 32, 64)
    assert found.h == (None,) * 4
    assert not found.even
    assert found.grid(8).times[0] == found.T
    file = json.loads(json.dumps(found.to_json()))
    assert file["grid"]["name"] == name
    assert set(MAKERS[name].settings) < set(file["grid"])
    assert "h" not in file
    assert Study.from_json(file) == found
    assert Study.from_json(file).to_json() == file
    assert Study.from_json(file).key == found.key != study().key
    assert study(grid={"name": name}, T=found.T) == found


def test_where_no_other_is_named_a_grid_starts_as_the_contract_says():
    firsts = {"log-snr": 80, "karras": 80, "vp-cosine": 80, "flow": 80, "tangent": 80, "inverse-root": 80, "cubic": 80}
    wanted = {name: math.log1p(sigma**2) for name, sigma in firsts.items()}
    wanted |= {"vp-linear": 10.05, "sub-vp": math.log1p((2 * math.sinh(10.05 / 2)) ** 2)}
    assert {name: study(grid={"name": name}).T for name in wanted} == pytest.approx(wanted, rel=1e-12)
    for name in ("quadratic", "geometric"):
        assert study(grid={"name": name}).T == 4.0
        assert study(grid={"name": name}, T=6.0).T == 6.0


def test_equal_steps_from_T_to_0_are_the_study_of_before():
    plain = study(h=[0.5, 0.25], T=2.0)
    assert study(h=[0.5, 0.25], T=2.0, grid={"name": "uniform"}) == plain
    assert study(steps=[4, 8], T=2.0, grid=None, stop=None) == plain
    assert {"grid", "stop", "noise", "churn"}.isdisjoint(plain.to_json())
    assert plain.even
    assert plain.h == (0.5, 0.25)


def test_a_file_with_every_new_key_is_read_again():
    asked = {
        "schemes": ["DDPM", "CHURN"], "grid": {"name": "karras", "rho": 5, "sigma_max": 40}, "stop": 1e-7, "steps": [8, 12],
        "noise": "inf", "churn": 20, "start": "vp",
    }  # fmt: skip
    found = study(**asked)
    file = found.to_json()
    filled = {"sigma_min": 0.002, "last": "zero"}
    assert {key: file[key] for key in asked} == asked | {"grid": asked["grid"] | filled}
    assert Study.from_json(json.dumps(file, allow_nan=False)) == found
    assert dict(found.options) == {"noise": math.inf, "churn": 20.0}


@pytest.mark.parametrize("given", [{"times": [3.0, 1.0, 0.2, 0.0]}, {"sigmas": [4.0, 1.0, 0.1, 0.02]}], ids=["times", "sigmas"])
def test_a_list_fixes_the_number_of_steps(given):
    found = study(grid={"name": "times", **given})
    (values,) = given.values()
    assert found.steps == (3,)
    np.testing.assert_allclose(found.grid(3).times if "times" in given else found.grid(3).sigmas, values, rtol=1e-13)
    assert study(grid={"name": "times", **given}, steps=[3]) == found
    assert Study.from_json(found.to_json()) == found
    (row,) = run(found).rows
    assert (row.steps, row.h) == (3, None)


WRONG = {
    "h": ({"grid": {"name": "karras"}, "h": [0.5]}, "h has no meaning"),
    "h with a stop": ({"stop": 0.1, "h": [0.5]}, "h has no meaning"),
    "T": ({"grid": {"name": "log-snr"}, "T": 4.0}, "T = 4 contradicts the grid"),
    "T of a list": ({"grid": {"name": "times", "times": [3, 0]}, "T": 4.0}, "T = 4 contradicts the grid"),
    "maker": ({"grid": {"name": "sine"}}, "grid"),
    "key": ({"grid": {"name": "log-snr", "rho": 7}}, "rho"),
    "key of what has none": ({"grid": {"name": "quadratic", "sigma_max": 7}}, "sigma_max"),
    "last": ({"grid": {"name": "karras", "last": "one"}}, "grid.last"),
    "range": ({"grid": {"name": "karras", "rho": 0.5}}, "grid.rho"),
    "sigma_min": ({"grid": {"name": "karras", "sigma_max": 0.5, "sigma_min": 0.5}}, "sigma_min"),
    "delta": ({"grid": {"name": "geometric", "delta": 0.3}, "T": 0.2}, "delta"),
    "betas": ({"grid": {"name": "vp-linear", "beta_min": 5, "beta_max": 5}}, "beta_min"),
    "beyond": ({"grid": {"name": "vp-linear", "sigma_max": 1e3}}, "beyond"),
    "too far": ({"grid": {"name": "sub-vp", "beta_max": 100}}, "limit"),
    "stop twice": ({"grid": LOG_SNR, "stop": 1e-7}, "leave stop out"),
    "late stop": ({"grid": {"name": "log-snr"}, "stop": 0.1}, "stop = 0.1 is not below"),
    "stop of a list": ({"grid": {"name": "times", "times": [3, 0]}, "stop": 0.1}, "leave stop out"),
    "stop at T": ({"T": 2.0, "stop": 2.0, "steps": [4]}, "stop = 2 is not below"),
    "steps of a list": ({"grid": {"name": "times", "times": [3, 0]}, "steps": [4]}, "contradicts the grid"),
    "two lists": ({"grid": {"name": "times", "times": [3, 0], "sigmas": [3, 0]}}, "one of the two"),
    "no list": ({"grid": {"name": "times"}}, "one of the two"),
    "rising": ({"grid": {"name": "times", "times": [1, 2, 0]}}, "must fall"),
    "one time": ({"grid": {"name": "times", "times": [1]}}, "2 to"),
    "reach": ({"grid": {"name": "times", "times": [3, 0]}, "reach": [0.1]}, "reach"),
    "start": ({"start": "ve"}, "start"),
    "no such option": ({"noise": 1.0}, "noise"),
    "option below": ({"schemes": ["CHURN"], "churn": -1.0}, "churn"),
    "option endless": ({"schemes": ["CHURN"], "churn": "inf"}, "churn"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_contradiction_is_refused_by_name(case):
    given, said = WRONG[case]
    with pytest.raises(BadInput, match=said):
        study(**given)


# ---------------------------------------------------------------- rows, fits, options


def test_rows_have_no_step_size_and_no_bound_and_fits_are_against_one_over_n():
    result = run(study(target=HALF, grid=LOG_SNR, steps=[128, 256, 512])).to_json()
    for row in result["rows"]:
        assert row["h"] is None
        assert row["bound"] is None
        assert row["bound_parts"] is None
    (fit,) = result["fits"]
    assert set(fit["used"]) == {1 / 128, 1 / 256, 1 / 512}
    assert fit["slope"] == pytest.approx(1.0, abs=0.02)
    assert fit["constant_at_order"] == pytest.approx(512 * result["rows"][-1]["w2"], rel=0.1)
    assert fit["theory_order"] is fit["theory_c1"] is fit["expansion"] is None


def test_an_early_stop_is_part_of_w2_and_is_shown_apart():
    """On N(0, v): |sqrt(v_delta) - sqrt(v)| with v_delta = e^-delta v + 1 - e^-delta, which is all that OC leaves."""
    delta = 0.02
    for spec in ({}, {"grid": {"name": "karras", "sigma_min": 0.2}}, {"grid": {"name": "quadratic"}}):
        (row,) = run(study(target=HALF, schemes=["OC"], steps=[8], stop=delta, **spec)).rows
        want = math.sqrt(0.5 * math.exp(-delta) - math.expm1(-delta)) - math.sqrt(0.5)
        assert row.early_stop == pytest.approx(want, rel=1e-12)
        assert row.w2 == pytest.approx(want, rel=1e-9)
        assert row.h is None
    assert run(study(target=HALF, schemes=["OC"], steps=[8])).rows[0].early_stop is None


def test_the_start_of_vp_is_the_standard_normal():
    """DDIM on N(0, v) scales: from variance 1 in place of v_T or 1 - e^-T, its end does as the square root."""
    T = 2.0
    w = {s: w2(target=HALF, schemes=["DDIM"], T=T, grid={"name": "quadratic"}, steps=[16], start=s) for s in ("exact", "paper", "vp")}
    grid = study(target=HALF, T=T, grid={"name": "quadratic"}, steps=[16]).grid(16)
    gain = 1.0
    for s0, s1 in zip(grid.sigmas, grid.sigmas[1:]):
        gain *= s1 / s0 + (1 - s1 / s0) * 0.5 / (0.5 + s0**2)
    begin = {"exact": 0.5 * math.exp(-T) - math.expm1(-T), "paper": -math.expm1(-T), "vp": 1.0}
    for name, variance in begin.items():
        assert w[name] == pytest.approx(abs(gain * math.exp(T / 2) * math.sqrt(variance) - math.sqrt(0.5)), rel=1e-10)
    even = run(study(target=HALF, T=T, h=[0.5], start="vp")).rows[0]
    assert even.h == 0.5
    assert even.bound is None


def test_an_option_changes_its_scheme_and_no_other():
    given = {"target": HALF, "grid": LOG_SNR, "steps": [16], "schemes": ["DDPM", "EM"]}
    plain, half = (run(study(**given, **more)).rows for more in ({}, {"noise": 0.5}))
    values = {row.scheme: row.w2 for row in half}
    assert values["DDPM"] < 1e-5 < 1e-2 < next(row.w2 for row in plain if row.scheme == "DDPM")
    assert values["EM"] == next(row.w2 for row in plain if row.scheme == "EM")
    heun, calm, wild = (
        w2(target=HALF, grid=LOG_SNR, steps=[16], schemes=[name], **more)
        for name, more in (("EDM-HEUN", {}), ("CHURN", {"churn": 0}), ("CHURN", {"churn": 80}))
    )
    assert calm == pytest.approx(heun, rel=1e-12)
    assert abs(wild - heun) > 0.1 * heun


def test_a_study_that_varies_has_its_grid_in_every_part():
    found = study(target=HALF, grid=LOG_SNR, steps=[16], vary={"axis": "score_error.level", "values": [0.0, 0.1]},
                  score_error={"name": "relative", "level": 0.0})  # fmt: skip
    assert [part.grid(16) for _, part in found.parts] == [study(grid=LOG_SNR).grid(16)] * 2
    plain, wrong = run(found).to_json()["rows"]
    assert plain["h"] is wrong["h"] is None
    assert plain["w2"] == w2(target=HALF, grid=LOG_SNR, steps=[16])
    assert abs(plain["w2"] - wrong["w2"]) > 0.01
    with pytest.raises(BadInput, match="contradicts the grid"):
        study(grid=LOG_SNR, vary={"axis": "T", "values": [2.0, 3.0]})


# ---------------------------------------------------------------- simulation against the exact law


@pytest.mark.parametrize("spec", [
    {"grid": {"name": "log-snr", "sigma_max": 10, "sigma_min": 0.05}},  # down to 0: such grids do not nest
    {"grid": {"name": "quadratic"}, "stop": 0.05},
], ids=["to 0", "stopped"])  # fmt: skip
def test_the_projected_value_is_that_of_the_exact_law(spec):
    """Of the reverse SDE beside SO on its path, of the flow beside the flow, and of what has noise of its own beside itself."""
    given = {"schemes": ["SHEUN", "DDIM", "CHURN"], "steps": [8, 16], "particles": 2048, **spec}
    laws, drawn = (run(study(**given, estimator=e)).rows for e in ("exact", "projected"))
    for law, row in zip(laws, drawn, strict=True):
        assert (law.scheme, law.steps) == (row.scheme, row.steps)
        assert (law.method, row.method) == ("exact", "projected")
        assert abs(row.w2 - law.w2) < 4 * row.stderr + 0.03 * law.w2, (row, law.w2)
        assert row.stderr < 0.3 * law.w2
