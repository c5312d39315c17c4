"""The shell: run, check and list, in this process and once as a real one."""

import csv
import io
import json
import subprocess
import sys

import pytest

from dlab import __main__ as shell
from dlab import answers, engine, errors, measure, schemes, study, targets
from dlab.engine import many
from dlab.meter import Meter
from dlab.ui import files

STUDY = {
    "target": {"name": "gaussian", "mean": [0.4, 0.0], "cov": [[1.0, 0.3], [0.3, 0.5]]},
    "h": [0.5, 0.25],
    "T": 2.0,
    "schemes": ["EM", "SO"],
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "study.json"
    path.write_text(json.dumps(STUDY))
    return path


def table(path) -> list[dict]:
    """Of a table."""
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


@pytest.fixture
def refused(capsys):
    """refused(words typed): the one sentence on stderr about them, with status 2 and nothing on stdout."""

    def sentence(*typed) -> str:
        assert shell.main([str(word) for word in typed]) == shell.EXIT_BAD_INPUT == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return printed.err

    return sentence


def test_run_writes_the_four_files(file, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert shell.main(["run", str(file), "--out", str(out)]) == 0
    assert {p.name for p in out.iterdir()} == {"result.json", "rows.csv", "figure.html", "figure.svg"}
    result = json.loads((out / "result.json").read_text())
    rows = table(out / "rows.csv")
    assert [float(r["w2"]) for r in rows] == [r["w2"] for r in result["rows"]]
    assert [r["scheme"] for r in rows] == [r["scheme"] for r in result["rows"]]
    assert (out / "figure.svg").read_text().lstrip().startswith("<")
    assert "<html" in (out / "figure.html").read_text()[:2000].lower()
    assert capsys.readouterr().out == ""


def test_a_study_that_asks_for_distances_writes_their_answers_and_their_picture(file, tmp_path, capsys):
    file.write_text(json.dumps({**STUDY, "reach": [0.2, 0.05]}))
    out = tmp_path / "out"
    assert shell.main(["run", str(file), "--out", str(out)]) == 0
    assert {p.name for p in out.iterdir()} == {"result.json", "rows.csv", "reach.csv", "figure.html", "figure.svg"}
    assert "rows.csv, reach.csv, figure.html" in capsys.readouterr().err
    result = json.loads((out / "result.json").read_text())
    answers = table(out / "reach.csv")
    assert [(a["scheme"], float(a["epsilon"]), int(a["steps"])) for a in answers] == [
        (a["scheme"], a["epsilon"], a["steps"]) for a in result["reach"]
    ]
    assert [int(a["planned.steps"]) for a in answers] == [a["planned"]["steps"] for a in result["reach"]]
    assert len(table(out / "rows.csv")) == len(result["rows"]) == 4
    assert "accuracy ε" in (out / "figure.html").read_text()


@pytest.mark.parametrize("kind, which", [("law", ["EM", "4"]), ("along", ["4"]), ("met", ["SO", "2"])])
def test_make_prints_the_answer_that_the_page_shows(file, capsys, kind, which):
    assert shell.main(["make", kind, str(file), *which]) == 0
    printed = json.loads(capsys.readouterr().out)
    given = [int(v) if v.isdigit() else v for v in which]
    assert printed == json.loads(json.dumps(engine.answer(kind, study.Study.from_json(STUDY), *given)))


@pytest.mark.parametrize(
    "typed, said",
    [
        (["nothing"], "kind = 'nothing' is unknown; choose one of law"),
        (["law", "EM"], "law takes 2 values beside the study and got 1: make law study.json SCHEME STEPS"),
        (["law", "REI", "4"], "scheme = 'REI' is unknown; choose one of EM, SO"),
        (["law", "EM", "x"], "steps = 'x' is not a number"),
        (["law", "EM", "0"], "steps = 0.0 is out of range"),
    ],
)
def test_make_names_what_is_wrong(file, refused, typed, said):
    assert said in refused("make", typed[0], file, *typed[1:])


def test_a_study_along_an_axis_writes_rows_with_their_value_and_its_picture(file, tmp_path, capsys):
    file.write_text(json.dumps({**STUDY, "start": "paper", "vary": {"axis": "T", "values": [1, 2]}}))
    assert shell.main(["check", str(file)]) == 0
    assert "8 rows" in capsys.readouterr().out
    out = tmp_path / "out"
    assert shell.main(["run", str(file), "--out", str(out)]) == 0
    rows = table(out / "rows.csv")
    assert [float(r["value"]) for r in rows] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert "horizon T" in (out / "figure.html").read_text()


def test_json_prints_the_result_alone_on_standard_output(file, capsys):
    assert shell.main(["run", str(file), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == json.loads(json.dumps(study.run(study.Study.from_json(STUDY)).to_json()))
    assert printed.err == ""


def test_a_study_is_read_from_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(STUDY).encode())))
    assert shell.main(["run", "-", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 4


def test_check_says_what_a_study_costs(file, tmp_path, capsys):
    assert shell.main(["check", str(file)]) == 0
    assert capsys.readouterr().out == "ok: 4 rows by exact law, about 150 MB of memory\n"
    file.write_text(json.dumps({**STUDY, "estimator": "projected"}))
    assert shell.main(["check", str(file)]) == 0
    assert "particle-steps" in capsys.readouterr().out
    assert shell.main(["check", str(file), "met", "SO", "4096"]) == 0
    assert f"about {answers.find('met').check(study.Study.from_json(file.read_text()), 'SO', 4096) / 1e6:.0f} MB" in capsys.readouterr().out


@pytest.mark.parametrize(
    "changes, key",
    [({"score_error": {"name": "none", "hessian_level": 0.1}}, "score_error.hessian_level"),
     ({"score_error": {"name": "none", "hessian": {"kind": "diagonal"}}}, "score_error.hessian"), ({}, "")],
)  # fmt: skip
def test_a_key_that_none_of_the_schemes_takes_is_named(changes, key, tmp_path, capsys):
    """In the shell and in the app; not where a scheme takes it."""
    for names, said in ((["EM", "EI"], bool(key)), (["EM", "SO"], False)):
        (path := tmp_path / "study.json").write_text(json.dumps({**STUDY, "schemes": names, **changes}))
        assert shell.main(["check", str(path)]) == 0
        assert (f"{key} changes nothing" in capsys.readouterr().err) == said
        assert any("changes nothing" in note for note in files.from_study(path.read_bytes())[1]) == said


def test_list_names_everything_in_the_registries(capsys):
    assert shell.main(["list"]) == 0
    words = capsys.readouterr().out.split()
    for registry in (schemes.REGISTRY, targets.REGISTRY, errors.REGISTRY, measure.REGISTRY):
        assert set(registry) <= set(words)


@pytest.mark.parametrize(
    "content, words",
    [
        ({**STUDY, "h": [0.3]}, ["h = 0.3", "T = 2"]),
        ({**STUDY, "shemes": ["EM"]}, ["'shemes'", "schemes"]),
        ({**STUDY, "particles": 10**9}, ["particles", "1000000000"]),
        ("{", ["JSON"]),
        ("", ["JSON"]),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_bad_study_is_one_sentence_on_stderr_and_status_2(command, content, words, file, tmp_path, refused):
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    sentence = refused(command, file, *(["--json", "--out", tmp_path / "out"] if command == "run" else []))
    assert all(word in sentence for word in words)


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["run", "nowhere.json", "--json"], "nowhere.json"),
        (["run", "/dev", "--json"], "/dev"),
        (["walk"], "walk"),
        ([], "command"),
        (["run"], "study"),
        (["run", "study.json", "--jsn"], "--jsn"),
        (["workers", "--workers", "0"], "--workers"),
        (["workers", "--port", "-1"], "--port"),
        (["workers", "--host", "203.0.113.1", "--port", "0"], "203.0.113.1"),  # no machine has it
        (["workers", "--host", "no machine"], "no machine"),
    ],
)
def test_a_bad_command_line_is_one_sentence_on_stderr_and_status_2(arguments, word, refused):
    assert word in refused(*arguments)


def test_a_result_that_has_no_place_or_cannot_be_written_is_refused(file, tmp_path, refused):
    assert "--out" in refused("run", file)
    assert str(file) in refused("run", file, "--out", file / "below")
    (tmp_path / "out" / "result.json").mkdir(parents=True)
    assert "result.json" in refused("run", file, "--out", tmp_path / "out")


SAMPLED = {**STUDY, "estimator": "projected", "particles": 2048, "schemes": ["EM"]}


def test_ctrl_c_keeps_the_rows_done_so_far(file, tmp_path, capsys, monkeypatch):
    file.write_text(json.dumps({**SAMPLED, "seed": 1}))

    def interrupted(asked, *_):
        found = study.run(asked).to_json()
        yield {**found, "rows": found["rows"][:1], "done": 0.5}
        raise KeyboardInterrupt

    monkeypatch.setattr(engine.ask, "stream", interrupted)
    assert shell.main(["run", str(file), "--json", "--out", str(tmp_path / "out")]) == 130
    printed = capsys.readouterr()
    data = json.loads(printed.out)
    assert len(data["rows"]) == 1
    assert "Interrupted" in data["notes"][0]
    assert "interrupted" in printed.err
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == data


def test_ctrl_c_in_the_middle_of_a_sampled_run_keeps_what_was_measured(file, capsys, monkeypatch):
    file.write_text(json.dumps({**SAMPLED, "seed": 2, "particles": 32768, "h": [0.25, 0.125, 0.0625]}))
    points = Meter.points

    def told(self, number, result):
        points(self, number, result)
        if result["rows"][0]["particles"] < 32768:
            raise KeyboardInterrupt

    monkeypatch.setattr(Meter, "points", told)
    assert shell.main(["run", str(file), "--json"]) == 130
    data = json.loads(capsys.readouterr().out)
    assert 0 < data["rows"][0]["particles"] < 32768
    assert "done" not in data


def test_ctrl_c_before_the_first_row_writes_nothing(file, tmp_path, capsys, monkeypatch):
    def nothing(asked, *_):
        raise KeyboardInterrupt
        yield

    file.write_text(json.dumps({**SAMPLED, "seed": 3}))
    monkeypatch.setattr(engine.ask, "stream", nothing)
    assert shell.main(["run", str(file), "--out", str(tmp_path / "out")]) == 130
    assert not list((tmp_path / "out").iterdir())
    assert "nothing was written" in capsys.readouterr().err


# ---------------------------------------------------------------- many studies


def test_the_product_of_two_axes_is_a_folder_each_and_one_table(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert shell.main(["run", str(file), "--vary", "T=2,4", "--vary", "h=0.5,0.25", "--table", "parquet", "--out", str(out)]) == 0
    assert "4 of 4" in capsys.readouterr().err
    names = [f"study_T={T}_h={h}" for T in (2, 4) for h in (0.25, 0.5)]
    assert {p.name for p in out.iterdir()} == {"rows.csv", "rows.parquet", *names}
    rows = table(out / "rows.csv")
    assert [r["study"] for r in rows] == [name for name in names for _ in STUDY["schemes"]]
    for name in names:
        assert {p.name for p in (out / name).iterdir()} == {"result.json", "rows.csv", "figure.html", "figure.svg"}
        result = json.loads((out / name / "result.json").read_text())
        T, h = (float(part.split("=")[1]) for part in name.split("_")[1:])
        alone = study.run(study.Study.from_json({**STUDY, "T": T, "h": [h]})).to_json()
        assert result == json.loads(json.dumps(alone))
        mine = [r for r in rows if r["study"] == name]
        assert [(float(r["T"]), float(r["w2"])) for r in mine] == [(T, r["w2"]) for r in result["rows"]]


def test_a_folder_runs_every_study_file_and_finished_ones_are_not_computed_again(file, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "studies"
    folder.mkdir()
    for name, data in (("a", STUDY), ("b", {**SAMPLED, "seed": 5})):
        (folder / f"{name}.json").write_text(json.dumps(data))
    (folder / "readme.txt").write_text("no study")
    outs = [tmp_path / "first", tmp_path / "second"]
    for out in outs:
        assert shell.main(["run", str(folder), "--out", str(out)]) == 0
        assert {p.name for p in out.iterdir()} == {"rows.csv", "a", "b"}
        # What is kept needs no run, also where the app's cache has no room for it any more.
        monkeypatch.setattr(study, "stream", None)
        monkeypatch.setattr(engine.keep.CACHE, "load", lambda name: None)
    for name in ("a/result.json", "b/result.json", "rows.csv"):
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes()


def test_a_study_that_is_wrong_is_named_before_any_runs(tmp_path, refused):
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(STUDY))
    (folder / "b.json").write_text(json.dumps({**STUDY, "h": [0.3]}))
    assert refused("run", folder, "--out", tmp_path / "out").startswith("dlab: b.json: h = 0.3")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("typed, word", [
    (["--vary", "T"], "T"),
    (["--vary", "T=2", "--vary", "T=4"], "T"),
    (["--vary", "nothing=1"], "nothing"),
    (["--vary", "T=2", "--json"], "--json"),
    (["--table", "xls"], "--table"),
    (["--workers", "two"], "--workers"),
    (["--workers", "0"], "--workers"),
    (["--workers", "1.5"], "--workers"),
    (["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "--scheduler"),
    (["--scheduler", "nowhere"], "nowhere"),
    (["--scheduler", ""], "scheduler"),
    (["--scheduler", "udp://127.0.0.1:1"], "udp"),
    (["--scheduler", "tcp://127.0.0.1:1"], "127.0.0.1:1"),
    (["--scheduler", "tls://127.0.0.1:1"], "127.0.0.1:1"),
])  # fmt: skip
def test_a_bad_option_of_run_is_one_sentence_and_status_2(typed, word, file, tmp_path, refused, monkeypatch):
    named = engine.places._named
    monkeypatch.setattr(engine.places, "_named", lambda scheduler, timeout: named(scheduler, 0.5))
    assert word in refused("run", file, *typed, "--out", tmp_path / "out")
    assert engine.places.place() is engine.places.HERE


def test_points_are_told_once_they_are_measured_on_all_paths(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("dlab.meter.time.monotonic", lambda: clock[0])
    one = many.Asked("one", {}, study.Study.from_json(SAMPLED))
    meter = Meter([one])
    row = {"scheme": "EM", "h": 0.5, "steps": 4, "particles": 1024, "w2": 0.5, "stderr": 0.01, "flags": []}
    result = {"study": one.study.to_json(), "rows": [row]}
    meter.points(0, result)
    result["rows"] = [{**row, "particles": 2048}]
    meter.moved(0, 0.5)
    meter.points(0, result)
    assert capsys.readouterr().err == ""  # a run that ends within a second says nothing
    clock[0] = 10.0
    meter.points(0, {**result, "rows": [*result["rows"], {**row, "h": None, "steps": 8, "particles": 0, "stderr": None}]})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(part in lines[0] for part in ("EM", "h = 0.5", "0.5 ± 0.01", "50%"))
    assert all(part in lines[1] for part in ("EM", "N = 8", "0.5 (", "10 s left"))
    meter.points(0, result)
    meter.status()
    assert "\r" not in capsys.readouterr().err


def test_as_a_real_process(file, tmp_path):
    def call(*arguments):
        return subprocess.run([sys.executable, "-m", "dlab", *arguments], capture_output=True, text=True, timeout=300)

    good = call("run", str(file), "--json")
    assert good.returncode == 0, good.stderr
    assert len(json.loads(good.stdout)["rows"]) == 4
    file.write_text('{"target": 3}')
    bad = call("check", str(file))
    assert bad.returncode == 2
    assert bad.stdout == ""
    assert bad.stderr.startswith("dlab: target = 3")
    assert "Traceback" not in bad.stderr
