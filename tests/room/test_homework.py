"""Homework: a target of their own for every student, a code that fits one link alone, and its check."""

import csv
import io
from urllib.parse import parse_qsl, urlsplit

import pytest

from dlab import __main__ as shell
from dlab import engine
from dlab.figures.tables import fit_of
from dlab.params import BadInput
from dlab.room import homework as codes
from dlab.ui import homework, links, studies

SECRET = "a secret"


def made(tmp_path, scene, students=3):
    path = tmp_path / "links.csv"
    assert shell.main(["homework", "make", "--scene", scene, "--students", str(students), "--secret", SECRET, "--out", str(path)]) == 0
    return list(csv.DictReader(path.open()))


def scene_of(link):
    values, notes = links.read(dict(parse_qsl(urlsplit(link).query)))
    assert notes == []
    return values


def checked(tmp_path, capsys, rows):
    path = tmp_path / "answers.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    capsys.readouterr()
    assert shell.main(["homework", "check", str(path), "--secret", SECRET]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_a_code_fits_one_link_and_no_mistake_passes():
    mine = codes.task(SECRET, "halving", 7)
    code = mine.code(["1.03", "1.95"])
    assert codes.read(mine.text) == mine
    assert codes.opened(SECRET, f" {code}\n") == (mine, ["1.03", "1.95"])
    for i in range(len(code)):
        wrong = code[:i] + ("K" if code[i] != "K" else "M") + code[i + 1 :]
        with pytest.raises(BadInput):
            codes.opened(SECRET, wrong)
    for other in (codes.task(SECRET, "halving", 8), codes.task(SECRET, "floor", 7), codes.task("another", "halving", 7)):
        theirs = other.code(["1.03", "1.95"])
        assert theirs.rpartition("/")[2] != code.rpartition("/")[2]
        with pytest.raises(BadInput):
            codes.opened(SECRET, code.replace("/7/", f"/{other.student}/") if other.student != 7 else theirs.replace("floor", "halving"))


@pytest.mark.parametrize(
    "text", ["", "halving", "halving.7.", "halving.0.BCDFGHJK", "halving.7.bcdfghjk", "<b>.7.BCDFGHJK", "halving.7.BCDFGHJK "]
)
def test_a_damaged_mark_is_named(text):
    with pytest.raises(BadInput):
        codes.read(text)
    assert links.read({"homework": text})[0]["homework"] == ("halving.7.BCDFGHJK" if text.endswith(" ") else "")


@pytest.mark.parametrize("name", sorted(homework.scenes()))
def test_every_student_has_a_target_of_its_own_and_the_same_every_time(name):
    mine = [homework.values_of(SECRET, name, n) for n in range(1, 13)]
    assert mine[4] == homework.values_of(SECRET, name, 5)
    assert len({studies.curve(values).key for values in mine}) >= 10
    assert {studies.curve(values).work for values in mine} == {0}


def test_scenes_that_are_simulated_are_not_offered(capsys, tmp_path):
    assert set(homework.scenes()) == {"halving", "exponential", "floor", "evaluations", "void", "bend"}
    for scene, students in (("bound", "3"), ("nothing", "3"), ("halving", "0"), ("halving", "99999")):
        asked = ["homework", "make", "--scene", scene, "--students", students, "--out", str(tmp_path / "x.csv")]
        assert shell.main(asked) == shell.EXIT_BAD_INPUT
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "x.csv").exists()


def test_slopes_from_the_links_to_the_check(tmp_path, capsys):
    given = made(tmp_path, "halving")
    assert [row["student"] for row in given] == ["1", "2", "3"]
    rows = [["name", "code"]]
    for row in given:
        values = scene_of(row["link"])
        task = codes.read(values["homework"])
        result = engine.exact(studies.curve(values))
        slopes = [f"{fit_of(result, name)['slope']:.2f}" for name in ("EM", "SO")]
        rows.append([f"student {row['student']}", task.code(slopes if row["student"] != "2" else ["1.00", "0.50"])])
    rows += [["late", rows[1][1]], ["wrong", rows[1][1][:-1] + "?"], ["stolen", rows[1][1].replace("/1/", "/3/", 1)], ["absent", ""]]
    found = checked(tmp_path, capsys, rows)
    assert [(row["name"], row["student"], row["right"], row["of"]) for row in found[:4]] == [
        ("student 1", "1", "2", "2"), ("student 2", "2", "0", "2"), ("student 3", "3", "2", "2"), ("late", "1", "2", "2"),
    ]  # fmt: skip
    assert [row["note"] != "" for row in found] == [False, False, False, True, True, True]
    assert [row["student"] for row in found[4:]] == ["", ""]


def test_an_option_is_right_on_the_students_own_target(tmp_path, capsys):
    rows = [[codes.read(scene_of(row["link"])["homework"]).code([answer])] for row in made(tmp_path, "void", 1) for answer in ("yes", "no")]
    assert [(row["right"], row["expected"]) for row in checked(tmp_path, capsys, rows)] == [("1", "yes"), ("0", "yes")]


def test_options_that_are_numbers_are_not_taken_for_slopes(tmp_path, capsys):
    (row,) = made(tmp_path, "floor", 1)
    rows = [[codes.read(scene_of(row["link"])["homework"]).code([option])] for option in ("0.001", "0.01", "0.1", "1")]
    found = checked(tmp_path, capsys, rows)
    assert [row["right"] for row in found].count("1") == 1
    assert next(row["answers"] for row in found if row["right"] == "1") == found[0]["expected"]


def test_the_secret_that_is_drawn_can_be_typed_as_it_is_said(tmp_path, capsys):
    for _ in range(20):
        assert shell.main(["homework", "make", "--scene", "void", "--students", "1", "--out", str(tmp_path / "links.csv")]) == 0
        secret = capsys.readouterr().err.split()[-1]
        assert secret.isalnum(), "one that begins with a dash is an option"


def test_a_file_without_codes_or_none_at_all_gives_one_sentence(tmp_path, capsys):
    empty = tmp_path / "empty.csv"
    empty.write_text("a,b\n")
    for path in (empty, tmp_path / "none.csv", tmp_path):
        assert shell.main(["homework", "check", str(path), "--secret", SECRET]) == shell.EXIT_BAD_INPUT
        assert capsys.readouterr().err.count("\n") == 1


def test_answers_with_a_cell_too_long_for_the_reader_are_refused(tmp_path, capsys):
    """An open quotation mark makes the rest of a file one cell."""
    path = tmp_path / "answers.csv"
    path.write_bytes(b'"' + b"x" * 200_000)
    assert shell.main(["homework", "check", str(path), "--secret", SECRET]) == shell.EXIT_BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("address", ["nonsense", "lab.example.org", "http://x/?a=1", "http://[::1"])
def test_links_to_no_address_are_not_made(address, tmp_path, capsys):
    made = ["homework", "make", "--scene", "halving", "--students", "1", "--address", address, "--out", str(tmp_path / "links.csv")]
    assert shell.main(made) == shell.EXIT_BAD_INPUT
    assert address in capsys.readouterr().err
    assert not (tmp_path / "links.csv").exists()
