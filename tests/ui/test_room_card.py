"""The card of a question while a room votes on it: its code, the count, the votes, the answer. Without a browser."""

import json
import re

import pytest
from apptest import address, charts, pressed, spec, visit, words
from test_scene_pages import keys, open_scene

from dlab.room import homework as codes
from dlab.room import store
from dlab.room.question import choices, parse, slopes
from dlab.ui import homework, links, room, scenes

HALVING, BOUND = scenes.BY_NAME["halving"], scenes.BY_NAME["bound"]
OWN = "How many *steps* <b> do you need? | 0..100"


@pytest.fixture(autouse=True)
def own_rooms(monkeypatch, tmp_path):
    """Rooms of this test alone."""
    made = store.Store(tmp_path / "rooms.sqlite")
    monkeypatch.setattr(store, "shared", lambda: made)
    yield made
    made.close()


def html(at) -> str:
    return "\n".join(e.proto.body for e in at.get("html"))


def bars(at) -> list[tuple[str, int]]:
    return [(text, int(count)) for text, count in re.findall(r'<th scope="row">(.*?)</th>.*?<td>(\d+)</td>', html(at))]


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda s: s.name)
def test_a_phone_can_ask_what_the_card_asks(scene):
    asked = room.question(scene)
    assert (asked is None) == (scene.guess is None)
    if asked:
        assert not set("$\\*_{}`") & set(asked.text)
        assert asked.text.endswith(("?", "."))
        assert len(asked.text) < 200
        assert 1 <= len(asked.parts) <= 2
        assert all(2 <= len(part.options) <= 8 for part in asked.parts)


def test_a_room_votes_and_then_sees_the_votes_and_then_the_answer(own_rooms):
    at = open_scene(HALVING)
    assert own_rooms.path.exists() is False, "a page that nobody votes on keeps nothing"
    pressed(at, "room-open")
    asked = own_rooms.mine(at.session_state["room-owner"])
    assert asked.question == slopes(room.unwritten(HALVING.asks), "EM", "SO")
    assert f"Code {asked.code}" in html(at)
    assert f"/room/{asked.code}" in html(at)
    assert {"room-votes", "guess-skip", "room-end"} <= keys(at)
    assert not {"guess-show", "room-again"} & keys(at)
    for device, answer in enumerate(([1, 3], [1, 1], [0, 3], [1, 3])):
        own_rooms.vote(asked, str(device), answer)
    at.run()
    assert "<b>4</b> votes" in html(at)
    assert (bars(at), charts(at)) == ([], 0)
    pressed(at, "room-votes")
    assert bars(at) == [("½", 1), ("1", 3), ("1½", 0), ("2", 0), ("½", 0), ("1", 1), ("1½", 0), ("2", 3)]
    assert charts(at) == 0
    assert "Answer" not in words(at)
    pressed(at, "guess-skip")
    assert not own_rooms.now(asked.code).open, "nobody votes on what is seen"
    assert "**Answer.**" in words(at)
    assert len(bars(at)) == 8
    assert {"EM, slope 1: 75%", "EM, slope ½: 25%", "SO, slope 2: 75%"} <= {trace.get("name") for trace in json.loads(spec(at))["data"]}
    pressed(at, "guess-again")
    assert {"room-again", "guess-skip"} <= keys(at)
    pressed(at, "room-again")
    assert own_rooms.now(asked.code).number == 2
    assert "<b>0</b> votes" in html(at)
    pressed(at, "room-end")
    assert own_rooms.mine(at.session_state["room-owner"]) is None
    assert {"guess-show", "room-open"} <= keys(at)


def test_one_code_for_all_scenes_of_a_lecture(own_rooms):
    at = open_scene(HALVING)
    pressed(at, "room-open")
    first = own_rooms.mine(at.session_state["room-owner"])
    at.query_params.clear()
    at.query_params.update(links.address(BOUND))
    at.run()
    assert "Code" not in html(at), "the room was not asked this"
    pressed(at, "room-open")
    now = own_rooms.now(first.code)
    assert (now.number, now.subject) == (2, "bound")
    own_rooms.vote(now, "a", [2])
    pressed(at, "guess-skip")
    assert ("10", 1) in bars(at)
    assert 'class="right"' in html(at), "the true option is marked"


def test_another_visitor_has_no_part_in_the_room(own_rooms):
    pressed(open_scene(HALVING), "room-open")
    at = open_scene(HALVING)
    assert "room-votes" not in keys(at)
    assert "Code" not in html(at)


def test_the_lecturer_finds_the_room_again_by_the_browsers_cookie(monkeypatch):
    token = bytes(range(16))

    def masked(mask):
        return {room.BROWSER: f"2|{mask.hex()}|{bytes(b ^ mask[i % 4] for i, b in enumerate(token)).hex()}|1700000000"}

    class Context:
        cookies = masked(b"abcd")

    monkeypatch.setattr(room.st, "context", Context)
    first = room.owner()
    Context.cookies = masked(b"wxyz")
    assert room.owner() == first == token.hex()
    for wrong in ("", "2|x|y|z", "2||ab|1", "a|b", "2|6162"):
        Context.cookies = {room.BROWSER: wrong}
        monkeypatch.setattr(room.st, "session_state", {})
        assert len(room.owner()) == 32
        assert room.owner() != first


def test_a_folder_that_cannot_be_written_is_said(own_rooms):
    own_rooms.path.mkdir()
    at = open_scene(HALVING)
    at.button(key="room-open").click().run()
    assert "DLAB_CACHE" in at.error[0].value.replace("\\", "")
    assert "guess-show" in keys(at)


def test_a_lecturers_own_question_waits_before_the_picture(own_rooms):
    at = visit("convergence", {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.125", "ask": OWN})
    assert charts(at) == 0
    assert "How many \\*steps\\* \\<b\\> do you need?" in words(at).replace("\u2060", "")
    assert at.slider(key="guess-option").value == 50
    pressed(at, "room-open")
    asked = own_rooms.mine(at.session_state["room-owner"])
    assert asked.question == parse(OWN)
    own_rooms.vote(asked, "a", [30])
    own_rooms.vote(asked, "b", [40])
    pressed(at, "guess-skip")
    assert charts(at) == 1
    assert bars(at) == [("30", 1), ("40", 1)]
    assert "median 35" in html(at)
    assert "Answer" not in words(at)
    assert links.read(address(at))[0]["ask"] == OWN


def test_a_line_that_is_no_question_is_named():
    values, notes = links.read({"ask": "What? | only one"})
    assert (values["ask"], len(notes)) == ("", 1)
    assert "link's ask was ignored" in notes[0]


def test_what_strangers_wrote_is_no_html():
    hostile = "<img src=x onerror=alert(1)>"
    shown = room.bars(choices("?", {hostile: (hostile, "b")}), [[0]], hostile)
    assert "<img" not in shown
    assert shown.count("&lt;img") == 2


def test_a_students_answers_become_a_code_under_the_picture():
    values = homework.values_of("secret", "halving", 7)
    at = visit("convergence", links.write(values, "convergence"))
    assert charts(at) == 1
    assert not at.get("code")
    for name, slope in (("EM", 1.03), ("SO", 1.9)):
        at.number_input(key=f"homework-{name}").set_value(slope).run()
    assert codes.opened("secret", at.get("code")[0].value) == (codes.read(values["homework"]), ["1.03", "1.90"])
