"""What phones ask for, against a real server that nobody has opened a page of: votes, refusals, a restart."""

import http.client
import itertools
import json
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from server import COLD, ROOT, running

from dlab.room import http as routes
from dlab.room.question import Question, choices, parse, slopes
from dlab.room.store import LASTS, Store

HOSTILE = "</script><script>alert(1)</script><b>&amp;"
TOKEN = "a" * 22
_numbers = itertools.count()


def token():
    """That of a phone which has not voted before."""
    return f"t{next(_numbers):021d}"


def fetch(app, path, data=None, cookie=TOKEN, method=None, **headers):
    """Status, headers and body of a request; data: sent as it is, or as JSON."""
    to = urlsplit(app)
    connection = http.client.HTTPConnection(to.hostname, to.port, timeout=60)
    body = data if isinstance(data, (bytes, type(None))) else json.dumps(data).encode()
    given = {"Content-Type": "application/json"} if body is not None else {}
    given |= {"Cookie": f"{routes.COOKIE}={cookie}"} if cookie else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, body, given)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def state(text):
    return json.loads(re.search(r'<script type="application/json" id="state">(.*?)</script>', text)[1])


@pytest.fixture
def server(app):
    return app.rstrip("/")


@pytest.fixture
def rooms(cache):
    """The store as a second server has it."""
    made = Store(cache / "rooms" / "rooms.sqlite")
    yield made
    made.close()


@pytest.fixture
def asked(rooms, request):
    return rooms.ask(request.node.name, "x", slopes("Which slope?", "EM", "SO"))


def test_streamlit_serves_the_app_with_our_routes_from_its_start():
    """Where this fails, Streamlit has changed how an app brings routes of its own: dlab/ui/serving.py."""
    from streamlit.web.server.app_discovery import discover_asgi_app

    found = discover_asgi_app(ROOT / "app.py")
    assert (found.is_asgi_app, found.import_string) == (True, "app:app")


def test_routes_of_streamlit_and_ours_stand_beside_each_other(server):
    assert fetch(server, "/_stcore/health")[0] == 200
    status, headers, text = fetch(server, "/")
    assert status == 200
    assert "streamlit" in text.lower()
    assert "Content-Security-Policy" not in headers
    for path in ("/room/", "/room"):
        status, headers, text = fetch(server, path)
        assert (status, state(text)) == (200, {"said": "", "root": "/room"})


def test_a_phone_gets_the_question_alone_and_a_token(server, asked, rooms):
    rooms.vote(asked, "another phone", [3, 0])
    for path in (f"/room/{asked.code}", f"/room/{asked.code.lower()}"):
        status, headers, text = fetch(server, path, cookie=None)
        told = state(text)
        assert status == 200
        assert told == {"code": asked.code, "number": 1, "open": True, "question": asked.question.to_json(), "vote": None, "root": "/room"}
        cookie = headers["Set-Cookie"]
        assert routes.TOKEN.fullmatch(re.match(rf"{routes.COOKIE}=([^;]+)", cookie)[1])
        assert {"httponly", "path=/room", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "Set-Cookie" not in fetch(server, path)[1], "a device keeps its token"


def test_the_policy_of_the_page_lets_its_own_script_run_and_nothing_else(server, asked):
    _, headers, text = fetch(server, f"/room/{asked.code}")
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert len(text.encode()) < 15_000
    assert not re.search(r"https?://|//cdn|innerHTML|\son\w+=", text), "nothing of another machine, nothing made of text"


def test_a_question_is_data_and_no_html(server, rooms):
    asked = rooms.ask("hostile", "x", Question(HOSTILE, choices("", {HOSTILE: (HOSTILE, "b")}).parts))
    _, _, text = fetch(server, f"/room/{asked.code}")
    assert state(text)["question"]["text"] == HOSTILE
    assert text.count("<script") == 2
    assert "alert(1)</" not in text


def test_a_vote_is_counted_changed_and_told_back(server, asked, rooms):
    where = f"/room/{asked.code}/vote"
    for answer in ([0, 0], [1, 3]):
        status, _, text = fetch(server, where, {"number": 1, "answer": answer})
        assert (status, json.loads(text)["vote"]) == (200, answer)
    assert fetch(server, where, {"number": 1, "answer": [2, 2]}, cookie="b" * 22)[0] == 200
    assert sorted(rooms.votes(asked)) == [[1, 3], [2, 2]]
    assert json.loads(fetch(server, f"/room/{asked.code}/now")[2])["vote"] == [1, 3]
    assert state(fetch(server, f"/room/{asked.code}")[2])["vote"] == [1, 3]
    assert "votes" not in fetch(server, f"/room/{asked.code}/now", cookie="c" * 22)[2]
    rooms.stop(asked)
    status, _, text = fetch(server, where, {"number": 1, "answer": [0, 0]})
    assert (status, json.loads(text)["said"]) == (409, "The vote is closed.")
    assert not json.loads(fetch(server, f"/room/{asked.code}/now")[2])["open"]
    after = rooms.ask("test_a_vote_is_counted_changed_and_told_back", "y", parse("How many? | 0..20"))
    assert after.code == asked.code
    status, _, text = fetch(server, where, {"number": 1, "answer": [0, 0]})
    assert (status, "another question" in text) == (409, True)
    assert fetch(server, where, {"number": 2, "answer": [7]})[0] == 200
    assert rooms.votes(after) == [[7.0]]


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (400, {"data": b""}), (400, {"data": b"{"}), (400, {"data": b"[]"}), (400, {"data": b"\xff\xfe"}), (400, {"data": b"[" * 900}),
        (400, {"data": {"number": 1, "answer": [9, 9]}}), (400, {"data": {"number": 1, "answer": "<b>"}}), (400, {"data": {"number": 1}}),
        (400, {"data": b'{"number": 1, "answer": [NaN, 1e999]}'}), (409, {"data": {"number": "1", "answer": [0, 0]}}),
        (409, {"data": {"number": {}, "answer": [0, 0]}}), (413, {"data": b" " * 5000}),
        (413, {"data": {"number": 1, "answer": [0] * 999}}),
        (415, {"Content_Type": "text/plain"}), (415, {"Content_Type": "application/x-www-form-urlencoded"}),
        (403, {"Origin": "https://evil.example"}), (403, {"Origin": "null"}), (403, {"Origin": "http://[x"}),
        (403, {"Sec_Fetch_Site": "cross-site"}), (403, {"Sec_Fetch_Site": "same-site"}),
        (400, {"cookie": None}), (400, {"cookie": "short"}), (400, {"cookie": "<" * 22}), (400, {"cookie": "a" * 23}),
    ],
)  # fmt: skip
def test_what_is_no_vote_of_the_rooms_own_page_gets_one_sentence(server, asked, rooms, status, change):
    got, headers, text = fetch(server, f"/room/{asked.code}/vote", **{"data": {"number": 1, "answer": [0, 0]}, "cookie": token(), **change})
    said = json.loads(text)["said"]
    assert got == status, said
    assert 10 < len(said) < 250
    assert said.endswith((".", ";"))
    assert headers["Content-Type"] == "application/json"
    assert "Access-Control-Allow-Origin" not in headers
    assert rooms.count(asked) == 0


@pytest.mark.parametrize("code", ["BBBB", "AAAA", "x", "%3Cb%3E", "BBBBB", "..%2F..", "%00", "B" * 3000, "%F0%9F%98%80", "%C3%9F", "B/x/y"])
def test_a_code_of_no_room_gets_one_sentence(server, code):
    for path in (f"/room/{code}", f"/room/{code}/now"):
        status, _, text = fetch(server, path)
        assert status in (400, 404), path
        assert "Traceback" not in text
        assert "<b>" not in text
    assert fetch(server, f"/room/{code}/vote", {"number": 1, "answer": [0]}, token())[0] in (400, 404, 405)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(server, asked, method):
    status, headers, _ = fetch(server, f"/room/{asked.code}/vote", method=method)
    assert status in (404, 405)
    assert "Access-Control-Allow-Origin" not in headers


def test_a_device_that_votes_without_end_waits_and_no_other_does(server, asked, rooms):
    where, mine = f"/room/{asked.code}/vote", "q" * 22
    statuses = [fetch(server, where, {"number": 1, "answer": [i % 4, 0]}, cookie=mine)[0] for i in range(60)]
    assert set(statuses) == {200, 429}
    assert statuses[: routes.PER_DEVICE[1]] == [200] * routes.PER_DEVICE[1]
    assert fetch(server, where, {"number": 1, "answer": [0, 0]}, cookie="r" * 22)[0] == 200
    assert rooms.count(asked) == 2


def test_a_bucket_fills_again(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(routes.time, "monotonic", lambda: now[0])
    bucket = routes.Bucket(2.0, 3)
    assert [bucket.take() for _ in range(5)] == [True] * 3 + [False] * 2
    now[0] += 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    limits = routes.Limits()
    assert not all(limits.device("one") for _ in range(100))
    assert limits.device("other")


def test_many_phones_at_once(server, asked, rooms):
    where = f"/room/{asked.code}/vote"

    def one(i):
        return fetch(server, where, {"number": 1, "answer": [i % 4, i % 3]}, cookie=f"{i:022d}")[0]

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(one, range(120))) == {200}
    assert sorted(rooms.votes(asked)) == sorted([i % 4, i % 3] for i in range(120))


def test_a_restart_loses_no_vote_and_ends_as_it_should(tmp_path):
    rooms = Store(tmp_path / "rooms" / "rooms.sqlite")
    asked = rooms.ask("lecturer", "x", choices("Which?", {"": ("EM", "SO")}))
    where = f"/room/{asked.code}/vote"
    for turn in range(2):
        with running(tmp_path) as address:
            app = address.rstrip("/")
            told = json.loads(fetch(app, f"/room/{asked.code}/now")[2])
            assert (told["vote"], told["open"]) == ([0] if turn else None, True)
            for device in (TOKEN, str(turn) * 22):
                assert fetch(app, where, {"number": 1, "answer": [turn]}, cookie=device)[0] == 200
    assert sorted(rooms.votes(asked)) == [[0], [1], [1]]
    assert asked.ends - time.time() > LASTS - 600


def test_where_votes_cannot_be_kept_phones_are_told(tmp_path):
    (tmp_path / "rooms").write_text("no folder")
    with running(tmp_path) as address:
        for path in ("/room/BBBB", "/room/BBBB/now"):
            status, _, text = fetch(address.rstrip("/"), path)
            assert status in (404, 503)
            assert "Traceback" not in text
            assert str(tmp_path) not in text


def test_a_server_that_is_ended_ends_in_order(tmp_path):
    """Exit status 0: what was registered for the end of the process (workers, the compiler's thread) has run."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    told = tmp_path / "told"
    start = f"import atexit, pathlib; atexit.register(pathlib.Path({str(told)!r}).touch); {COLD}"
    command = [sys.executable, "-c", start, "run", str(ROOT / "app.py"), f"--server.port={port}", "--server.headless=true"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            fetch(f"http://127.0.0.1:{port}", "/room")
            break
        except OSError:
            time.sleep(0.2)
    server.terminate()
    assert server.wait(60) == 0
    assert Path(told).exists()
