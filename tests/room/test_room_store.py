"""Where rooms and votes are kept: what counts, what does not, and that nothing is lost between several processes and restarts."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from dlab.params import BadInput
from dlab.room import store
from dlab.room.question import SLOPES, Part, Question, choices, middle, parse, slopes, tally
from dlab.room.store import Refused, Store, Unkept

ROOT = Path(__file__).resolve().parents[2]
CHOICE = choices("Which?", {"": ("EM", "SO")})


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def rooms(tmp_path):
    made = Store(tmp_path / "rooms" / "rooms.sqlite", Clock())
    yield made
    made.close()


def test_a_device_votes_once_and_may_change_it_until_the_question_closes(rooms):
    asked = rooms.ask("lecturer", "halving", CHOICE)
    assert (asked.number, asked.open, rooms.count(asked)) == (1, True, 0)
    assert rooms.vote_of(asked, "a") is None
    for device, answer in (("a", 0), ("b", 1), ("a", 1), ("a", 1)):
        assert rooms.vote(asked, device, [answer]) == [answer]
    assert (rooms.count(asked), sorted(rooms.votes(asked)), rooms.vote_of(asked, "a")) == (2, [[1], [1]], [1])
    rooms.stop(asked)
    for device in ("a", "c"):
        with pytest.raises(Refused, match="closed"):
            rooms.vote(asked, device, [0])
    assert rooms.votes(asked) == [[1], [1]]
    assert not rooms.now(asked.code).open


def test_a_room_goes_from_question_to_question_with_one_code(rooms):
    first = rooms.ask("lecturer", "halving", CHOICE)
    rooms.vote(first, "a", [0])
    other = rooms.ask("another", "halving", CHOICE)
    second = rooms.ask("lecturer", "bound", slopes("How?", "EM", "SO"))
    assert (second.code, second.number) == (first.code, 2)
    assert other.code != first.code
    with pytest.raises(Refused, match="another question"):
        rooms.vote(first, "a", [1])
    rooms.vote(second, "a", [0, 3])
    assert rooms.votes(rooms.mine("lecturer", "halving")) == [[0]]
    assert rooms.mine("lecturer") == rooms.now(first.code) == second
    assert rooms.mine("lecturer", "floor") is None
    assert rooms.mine("nobody") is None
    again = rooms.ask("lecturer", "halving", CHOICE)
    assert rooms.votes(rooms.mine("lecturer", "halving")) == [], "a question asked again begins anew"
    assert again.number == 3


def test_a_room_ends_after_two_hours_and_is_deleted_a_day_later(rooms):
    asked = rooms.ask("lecturer", "halving", CHOICE)
    rooms.vote(asked, "a", [0])
    rooms.clock.now += store.LASTS - 1
    rooms.vote(asked, "b", [0])
    rooms.clock.now += 2
    with pytest.raises(Refused):
        rooms.vote(asked, "c", [0])
    assert rooms.mine("lecturer") is None
    assert not rooms.now(asked.code).open
    assert rooms.count(asked) == 2
    rooms.clock.now += store.FORGOTTEN
    fresh = rooms.ask("lecturer", "halving", CHOICE)
    assert rooms.now(asked.code) is None or asked.code == fresh.code
    with sqlite3.connect(rooms.path) as db:
        assert db.execute("SELECT count(*) FROM votes").fetchone() == (0,)


def test_a_room_that_is_ended_takes_no_votes_and_frees_its_lecturer(rooms):
    asked = rooms.ask("lecturer", "halving", CHOICE)
    rooms.end(asked.code)
    assert rooms.mine("lecturer") is None
    with pytest.raises(Refused):
        rooms.vote(asked, "a", [0])
    assert rooms.ask("lecturer", "halving", CHOICE).number == 1


def test_limits(rooms, monkeypatch):
    monkeypatch.setattr(store, "MOST_ROOMS", 2)
    monkeypatch.setattr(store, "MOST_QUESTIONS", 2)
    rooms.ask("one", "x", CHOICE)
    rooms.ask("two", "x", CHOICE)
    with pytest.raises(BadInput, match="2 rooms"):
        rooms.ask("three", "x", CHOICE)
    rooms.ask("one", "x", CHOICE)
    with pytest.raises(BadInput, match="2 questions"):
        rooms.ask("one", "x", CHOICE)


def test_a_full_room_still_lets_its_devices_change_their_votes(rooms, monkeypatch):
    monkeypatch.setattr(store, "VOTE", store.VOTE.replace(str(store.MOST_VOTES), "2"))
    asked = rooms.ask("lecturer", "x", CHOICE)
    for device in "ab":
        rooms.vote(asked, device, [0])
    with pytest.raises(Refused, match="full"):
        rooms.vote(asked, "c", [0])
    rooms.vote(asked, "a", [1])
    assert sorted(rooms.votes(asked)) == [[0], [1]]


def test_nothing_that_a_phone_or_a_browser_sent_stands_in_the_file(rooms):
    asked = rooms.ask("token-of-the-lecturer", "x", CHOICE)
    other = rooms.ask("token-of-another", "x", CHOICE)
    for each in (asked, other):
        rooms.vote(each, "token-of-a-phone", [0])
    rooms.close()
    content = b"".join(path.read_bytes() for path in rooms.path.parent.iterdir())
    assert b"token" not in content
    with sqlite3.connect(rooms.path) as db:
        devices = [row[0] for row in db.execute("SELECT device FROM votes")]
    assert len(set(devices)) == 2, "a phone cannot be followed from room to room"


@pytest.mark.parametrize("answer", [None, [], [0, 1], [2], [-1], [0.5], ["0"], [True], [None], [[0]], {"0": 0}, "0", [1e400], [10**30]])
def test_what_is_no_answer_is_refused_in_one_sentence(rooms, answer):
    asked = rooms.ask("lecturer", "x", CHOICE)
    with pytest.raises(BadInput):
        rooms.vote(asked, "a", answer)
    assert rooms.count(asked) == 0


def test_a_folder_that_cannot_be_written_gives_one_sentence(tmp_path):
    (tmp_path / "rooms").write_text("a file in the place of the folder")
    broken = Store(tmp_path / "rooms" / "rooms.sqlite")
    with pytest.raises(Unkept, match="DLAB_CACHE"):
        broken.ask("lecturer", "x", CHOICE)
    assert broken.mine("lecturer") is None


def test_a_read_only_folder_gives_one_sentence(tmp_path, monkeypatch):
    def refused(*args, **how):  # as everybody but root finds it
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(Unkept, match="DLAB_CACHE"):
        Store(tmp_path / "rooms" / "rooms.sqlite").ask("lecturer", "x", CHOICE)


def test_a_cache_folder_that_is_deleted_under_a_server_is_made_anew(rooms):
    rooms.ask("lecturer", "x", CHOICE)
    shutil.rmtree(rooms.path.parent)
    assert rooms.mine("lecturer") is None
    asked = rooms.ask("lecturer", "x", CHOICE)
    rooms.vote(asked, "a", [0])
    assert Store(rooms.path, rooms.clock).votes(asked) == [[0]]


def test_a_torn_file_gives_one_sentence(rooms):
    rooms.path.parent.mkdir()
    rooms.path.write_bytes(b"no database " * 500)
    with pytest.raises(Unkept):
        rooms.ask("lecturer", "x", CHOICE)


WRITER = """
import sys
from pathlib import Path
from dlab.room.store import Store
path, code, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rooms = Store(Path(path))
for turn in range(3):
    for device in range(first, first + count):
        rooms.vote(rooms.now(code), f"device {device}", [(device + turn) % 2])
        print(device, turn, flush=True)
"""


def writer(rooms, asked, first, count):
    command = [sys.executable, "-c", WRITER, str(rooms.path), asked.code, str(first), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_several_processes_lose_no_vote_and_count_none_twice(tmp_path):
    rooms = Store(tmp_path / "rooms.sqlite")
    asked = rooms.ask("lecturer", "x", CHOICE)
    # Half of the devices of a process are those of the next one too, which say the same.
    writers = [writer(rooms, asked, first, 60) for first in (0, 30, 60)]
    assert [one.wait(120) for one in writers] == [0, 0, 0]
    assert rooms.count(asked) == 120
    assert Counter(answer for (answer,) in rooms.votes(asked)) == {0: 60, 1: 60}


def test_a_process_that_is_killed_loses_nothing_that_it_has_counted(tmp_path):
    rooms = Store(tmp_path / "rooms.sqlite")
    asked = rooms.ask("lecturer", "x", CHOICE)
    one = writer(rooms, asked, 0, 1000)
    told = [one.stdout.readline() for _ in range(200)]
    one.send_signal(signal.SIGKILL)
    told += one.stdout.readlines()
    one.wait(20)
    counted = [line for line in told if len(line.split()) == 2]
    assert len(counted) >= 200
    assert len({line.split()[0] for line in counted}) <= rooms.count(asked) <= len(counted) + 1
    rooms.vote(asked, "another", [0])


def test_a_code_is_short_and_cannot_be_misread():
    assert len(store.LETTERS) ** store.LENGTH > 500 * store.MOST_ROOMS
    assert not set(store.LETTERS) & set("AEIOUY0123456789")


# ---------------------------------------------------------------- questions


@pytest.mark.parametrize("question", [CHOICE, slopes("Which?", "EM", "SO"), parse("How many? | 0..20"), parse("p | -0.5..0.5")])
def test_a_question_survives_its_way_through_the_file(question):
    assert Question.from_json(json.loads(json.dumps(question.to_json()))) == question


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("Which? | EM|SO ", Part(options=("EM", "SO"))),
        ("Which slope? | slope", Part(options=tuple(SLOPES))),
        ("How many? | 0..20", Part(low=0, high=20, step=1)),
        ("How many? | 0..10000", Part(low=0, high=10000, step=100)),
        ("How much? | 0..1", Part(low=0, high=1, step=0.01)),
        ("How much? | -2.5..2.5", Part(low=-2.5, high=2.5, step=0.05)),
    ],
)
def test_a_lecturers_line_is_a_question(line, part):
    assert parse(line).parts == (part,)


@pytest.mark.parametrize(
    "line", ["Which?", "", " | a | b", "Which? | a", "Which? | 5..1", "Which? | a..b", "Which? | a | a", "Which? | a |", "n | 0..1e99",
             "Which? | " + "x" * 41 + " | y", "Which? | " + " | ".join("abcdefghi"), "n | 1..1", "n | nan..1"],
)  # fmt: skip
def test_a_line_that_is_no_question_gets_one_sentence(line):
    with pytest.raises(BadInput):
        parse(line)


def test_numbers_are_read_on_their_grid_and_counted_in_bins():
    question = parse("How many? | 0..100")
    assert [question.read([v]) for v in (0, 49.6, 100)] == [[0.0], [50.0], [100.0]]
    for wrong in (-1, 101, float("nan"), "5"):
        with pytest.raises(BadInput):
            question.read([wrong])
    assert tally(question, [[3.0], [3.0], [80.0]]) == [[("3", 2), ("80", 1)]]
    many = tally(question, [[float(i)] for i in range(101)])[0]
    assert sum(count for _, count in many) == 101
    assert [text for text, _ in many][:2] == ["0 to 12.5", "12.5 to 25"]
    assert middle(question.parts[0], [1.0, 9.0, 4.0]) == "4"
    assert middle(CHOICE.parts[0], [0, 1]) == ""


def test_options_are_counted_in_their_order_also_those_that_nobody_chose():
    question = slopes("Which?", "EM", "SO")
    assert tally(question, [[1, 3], [1, 0]]) == [[("½", 0), ("1", 2), ("1½", 0), ("2", 0)], [("½", 1), ("1", 0), ("1½", 0), ("2", 1)]]
    assert tally(question, [])[0][0] == ("½", 0)


def test_two_hundred_votes_take_well_below_a_second_of_the_store(tmp_path):
    rooms = Store(tmp_path / "rooms.sqlite")
    asked = rooms.ask("lecturer", "x", CHOICE)
    begun = time.process_time()
    for device in range(200):
        rooms.vote(asked, str(device), [0])
    assert time.process_time() - begun < 0.5
