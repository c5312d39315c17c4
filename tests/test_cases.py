"""Every file of tests/data/cases, the smallest inputs on which the lab once went wrong: what it does with each of them now."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import independent as ind
import matplotlib
import numpy as np
import ot
import pytest

from dlab import __main__ as shell
from dlab import export, pictures, targets
from dlab.figures.chart import Axis, Chart, Curve
from dlab.figures.numbers import constant
from dlab.meter import Meter
from dlab.params import BadInput
from dlab.study import Result, Study, run
from dlab.targets.observations import read_csv
from dlab.ui import files, settings, studies, uploads

CASES = Path(__file__).parent / "data" / "cases"


def bytes_of(name: str) -> bytes:
    return (CASES / name).read_bytes()


def refused(read, *given) -> str:
    """The one sentence that says why."""
    with pytest.raises(BadInput) as error:
        read(*given)
    assert "\n" not in str(error.value)
    return str(error.value)


# ---------------------------------------------------------------- tables

TABLES = {  # separator, features, label, first row, labels
    "csv07_label_column_first.csv": (",", ("age", "smoker"), "outcome", [30.0, 0.0], [1, -1, 1, -1]),
    "csv08_index_column.csv": (",", ("a", "b"), "y", [1.2, 0.4], [1, -1, 1]),
    "csv11_semicolons_planar.csv": (";", ("x1", "x2"), "y", [0.5, 1.2], [1, -1]),
    "csv12_mac_line_ends.csv": (",", ("x1", "x2"), "y", [0.5, 1.2], [1, -1]),
}
REFUSED_TABLES = {
    "csv01_first_cell_missing_no_header.csv": (False, ("Line 1", "x1", "missing")),
    "csv04_decimal_commas_under_header.csv": (True, ("Line 2", "5 cells", "3", ";")),
    "csv05_decimal_commas_planar_no_header.csv": (False, ("5 columns", "2 features", "decimal commas", ";")),
    "csv09_planar_header_name_twice.csv": (True, ("'x1'", "twice")),
    "csv13_underscores.csv": (True, ("Line 2", "x1", "'1_0'")),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_as_it_stands(name):
    separator, names, label, first, y = TABLES[name]
    for planar in (True, False):
        table = read_csv(bytes_of(name), planar)
        assert (table.separator, table.names, table.label, table.x[0], table.y) == (separator, names, label, first, y)


@pytest.mark.parametrize("name", REFUSED_TABLES)
def test_a_table_that_cannot_be_understood_is_refused_with_the_place(name):
    planar, words = REFUSED_TABLES[name]
    sentence = refused(read_csv, bytes_of(name), planar)
    assert all(word in sentence for word in words)


def test_features_too_wide_for_the_table_of_the_score_are_refused_and_standardised_in_the_app():
    table = read_csv(bytes_of("csv14_unstandardised_planar.csv"), True)
    target = {"name": "logistic", "x": table.x, "y": table.y, "lam": 0.8}
    assert "standardise" in refused(lambda: targets.build(target).fast_field)
    assert targets.build(target).facts.L_F.value is None
    scaled = uploads.planar(bytes_of("csv14_unstandardised_planar.csv"))
    study = studies.study(settings.defaults() | {"target": "logistic", **scaled})
    x = np.asarray(study.target["x"])
    np.testing.assert_allclose([x.mean(0), x.std(0)], [[0, 0], [1, 1]], atol=1e-5)
    assert float(study.built.facts.field_error.split(" by ")[1].split()[0]) < 1e-5
    assert studies.study(settings.defaults() | {"target": "logistic", **scaled, "scaled": False}).target["x"] == table.x


def test_a_first_line_longer_than_a_cell_may_be_is_refused_in_the_app():
    assert "CSV" in refused(uploads.planar, b"x" * 200_000 + b",b,y\n1,2,1\n")


# ---------------------------------------------------------------- study files

REFUSED_STUDIES = {
    "json02_name_not_text_with_vary.json": ("target.name", "['gaussian']"),
    "json03_score_error_null_with_vary.json": ("score_error", "None"),
    "json06_image_folder_with_nul.json": ("target.data", "path"),
    "json08_key_twice_in_a_result_file.json": ("'h'", "[0.5]", "[0.25]"),
    "json09_h_typed_six_digits.json": ("h = 0.333333", "3.000003", "0.333333333333", "steps = [3]"),
}


@pytest.mark.parametrize("name", REFUSED_STUDIES)
def test_a_study_that_cannot_be_understood_is_refused_in_the_shell_and_in_the_app(name):
    for read in (Study.from_json, files.from_study):
        sentence = refused(read, bytes_of(name))
        assert all(word in sentence for word in REFUSED_STUDIES[name])


def test_a_byte_order_mark_is_no_part_of_a_study(capsys):
    data = bytes_of(name := "json01_bom.json")
    plain = Study.from_json(data.removeprefix(b"\xef\xbb\xbf"))
    assert Study.from_json(data) == Study.from_json(data.decode()) == plain
    assert shell.main(["check", str(CASES / name)]) == 0
    assert "1 rows" in capsys.readouterr().out


def test_a_result_file_opens_as_its_study():
    study = json.loads(bytes_of("json01_bom.json"))
    assert Study.from_json({"study": study, "rows": []}) == Study.from_json(study)


def test_a_relative_folder_of_images_lies_beside_the_study_file(tmp_path, monkeypatch, capsys):
    name = "json10_relative_image_folder.json"
    (tmp_path / name).write_bytes(bytes_of(name))
    shutil.copytree(CASES / "pics" / "gif", tmp_path / "faces")
    monkeypatch.setattr(pictures, "beside", None)
    assert shell.main(["check", str(tmp_path / name)]) == 0
    assert "1 rows" in capsys.readouterr().out


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("kind", ["gif", "alpha", "exif"])
def test_a_picture_is_read_as_a_viewer_shows_it(kind):
    """A ramp of 64 greys; under transparency on white, and turned a quarter clockwise by its EXIF."""
    first = pictures.load(str(CASES / "pics" / kind))[0][0]
    ramp = np.arange(64).reshape(8, 8) * 8 / 255 - 1 if kind != "alpha" else 1 - np.arange(64).reshape(8, 8) * 8 / 255
    ramp = np.rot90(ramp, -1) if kind == "exif" else ramp
    assert np.abs(first - ramp).max() < 0.03


# ---------------------------------------------------------------- whose machine it is


def figure() -> bytes:
    axes = (Axis(name, (0.1, 1.0), ((0.1, "0.1"), (1.0, "1")), log=True) for name in ("h", "W2"))
    return export.figure_bytes(Chart("A curve", *axes, (Curve("EM", (0.1, 1.0), (0.2, 0.9)),)), "svg")


def test_a_users_settings_of_matplotlib_change_no_figure(tmp_path):
    name, plain = "env01_matplotlibrc", figure()
    bytes_of(name)
    with matplotlib.rc_context(fname=CASES / name):
        assert figure() == plain


def test_settings_of_matplotlib_that_are_none_end_no_figure(tmp_path):
    """A backend that does not exist, and a file that is no text."""
    (tmp_path / "rc").write_bytes(b"\xff")
    wrong = {"MPLBACKEND": "none-such", "MATPLOTLIBRC": str(tmp_path / "rc")}
    code = "from dlab.figures import paper; paper.Figure().add_axes((0, 0, 1, 1)).text(0, 0, 'x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, env=os.environ | wrong)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("asked", [["list"], ["check", str(CASES / "json01_bom.json")]])
def test_a_terminal_that_has_no_letters_but_ascii_gets_the_rest(asked, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert shell.main(asked) == 0
    sys.stdout.flush()
    assert b"gaussian" in sys.stdout.buffer.getvalue() or b"1 rows" in sys.stdout.buffer.getvalue()


def test_no_time_is_told_before_enough_is_done(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("dlab.meter.time.monotonic", lambda: now[0])
    meter = Meter()
    now[0] = 40.0
    meter(1e-9)
    said = capsys.readouterr().err
    assert "done" in said
    assert " left" not in said
    now[0] = 80.0
    meter(0.5)
    assert "about 80 s left" in capsys.readouterr().err


# ---------------------------------------------------------------- the app


APP = ["app01_logistic_made_two_features.json", "app02_hessian_error_dropped.json", "app03_laplace_dropped.json"]


@pytest.mark.parametrize("name", APP)
def test_the_app_runs_a_study_file_as_it_is(name):
    given = Study.from_json(bytes_of(name))
    values, notes = files.from_study(bytes_of(name))
    assert studies.study(values) == given
    assert studies.moving_study(values).score_error == given.score_error
    assert ["score_error.hessian" in note for note in notes] == ([True] if "hessian" in name else [])


# ---------------------------------------------------------------- facts


@pytest.mark.parametrize("name", ["num04_m0_misses_the_valley.json", "unequal_covariances_m0.json"])
def test_the_score_of_components_of_unequal_covariance_has_no_bounded_slope(name):
    facts = Study.from_json(bytes_of(name)).built.facts
    assert facts.m0.infinite
    assert constant(None, facts.m0.how) == "−∞"
    assert facts.L0.infinite


def test_m1_of_a_mixture_is_its_supremum_at_infinity():
    study = Study.from_json(bytes_of("m1_mixture.json"))
    v = study.target["var"]
    assert study.built.facts.M1.value == pytest.approx((1 - v) / v**2, rel=1e-6)


# ---------------------------------------------------------------- numbers


def case(name: str, **more) -> Result:
    """What the study answers, which is strict JSON."""
    result = run(Study.from_json(json.loads(bytes_of(name)) | more))
    json.dumps(result.to_json(), allow_nan=False)
    return result


def test_a_law_too_wide_for_every_grid_has_no_value():
    (row,) = case("crash_skew_rei.json").rows
    assert (row.w2, row.resolved, row.diverged) == (None, False, 1)


def test_a_spectrum_is_measured_by_projection():
    (row,) = case("crash_spectrum_projected.json").rows
    (true,) = case("crash_spectrum_projected.json", estimator="exact").rows
    assert row.method == "projected"
    assert row.w2 == pytest.approx(true.w2, abs=4 * row.stderr)


def test_a_mixture_of_narrow_modes_is_as_far_as_one_mode():
    """EM's last step leaves on each mode, which no other reaches, the law of a Gaussian of its width."""
    (row,) = case("nan_mixture.json").rows
    study = json.loads(bytes_of("nan_mixture.json"))
    cov, mean = study["target"]["var"] * np.eye(2), np.array([1.0, 0.0])
    one = ind.bures(*ind.gaussian_law("EM", mean, cov, study["T"], study["h"][0]), mean, cov)
    assert row.resolved
    assert row.w2 == pytest.approx(one, rel=2e-3)


def test_modes_that_no_particle_crosses_between_have_a_law():
    (row,) = case("num01_nan_exact_law.json").rows
    assert row.resolved
    assert 1 < row.w2 < 2


def test_a_projection_on_a_narrow_target_is_near_or_says_that_it_is_not():
    result, cov = case("narrow_gaussian_projected.json"), 0.01 * np.eye(2)
    for row in result.rows:
        true = ind.bures(*ind.gaussian_law("SO", np.zeros(2), cov, 4.0, row.h), np.zeros(2), cov)
        assert not row.resolved or row.w2 == pytest.approx(true, rel=0.02, abs=3 * row.stderr)
        assert row.upper > true


@pytest.mark.slow
def test_sinkhorn_between_far_clouds():
    """Beside it the law in closed form, and POT's exact distance of some of the same particles and others of the target."""
    study, result = json.loads(bytes_of("num02_sinkhorn_zero.json")), case("num02_sinkhorn_zero.json")
    mean, cov = np.array(study["target"]["mean"], float), np.array(study["target"]["cov"])
    true = {(r.scheme, r.steps): r for r in case("num02_sinkhorn_zero.json", estimator="exact").rows}
    for row in result.rows:
        assert row.resolved
        assert row.w2 == pytest.approx(true[row.scheme, row.steps].w2, abs=4 * row.stderr)
        x = result.clouds[f"{row.scheme}_{row.steps}"][:1000]
        y = mean + np.random.default_rng(0).standard_normal(x.shape) @ np.sqrt(cov)
        assert row.w2 == pytest.approx(np.sqrt(ot.emd2([], [], ot.dist(x, y))), abs=5 * np.hypot(row.stderr * 2, row.floor / 5))
    with_error = {"constant": np.array([1.0, 0.0])}
    for steps in (4, 8):
        law = ind.gaussian_law("EI", mean, cov, 4.0, 4.0 / steps, error=with_error)
        assert true["EI", steps].w2 == pytest.approx(ind.bures(*law, mean, cov), rel=1e-6)


# ---------------------------------------------------------------- all of them


def test_every_case_is_named_by_a_test():
    """Those of numbers, memory and answers by the tests of what they went wrong in."""
    said = "".join(file.read_text() for file in CASES.parents[1].rglob("test_*.py"))
    names = {file.name if file.parent == CASES else file.parent.name for file in CASES.rglob("*") if file.is_file()}
    assert {name for name in names if f'"{Path(name).stem}' not in said} == set()
