"""Several web processes behind a proxy, as the README says it: they share workers, answers and votes, and a visitor stays with one."""

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
import websockets

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

from bench_rerun import CURVE, Visitor  # noqa: E402
from server import running  # noqa: E402

from dlab.room.question import slopes  # noqa: E402
from dlab.room.store import Store  # noqa: E402

pytestmark = [pytest.mark.long, pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")]
VISITORS, PHONES = 8, 12
PATIENCE = 180  # seconds, on a machine that others use too


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(address):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            return urllib.request.urlopen(f"{address}_stcore/health", timeout=5).read()
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"nothing answers at {address}")


@contextmanager
def ended(process):
    """A process that ends with the block."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    """The address of an nginx in front of two servers on one set of workers, and the folder of their cache. It says of each answer
    which of them gave it."""
    folder, scheduler = tmp_path_factory.mktemp("proxy"), free_port()
    command = [sys.executable, "-m", "dlab", "workers", "--workers", "1", "--port", str(scheduler)]
    block = re.search(r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    # The workers end last: a server that loses them says so in its log.
    with pytest.MonkeyPatch.context() as patch, ended(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)):
        patch.setenv("DLAB_SCHEDULER", f"tcp://127.0.0.1:{scheduler}")
        with running(folder) as one, running(folder) as two:
            ports = [address.rstrip("/").rsplit(":", 1)[1] for address in (one, two)]
            listens = free_port()
            for old, new in (("127.0.0.1:8501", f"127.0.0.1:{ports[0]}"), ("127.0.0.1:8502", f"127.0.0.1:{ports[1]}"),
                             ("listen 80;", f"listen 127.0.0.1:{listens};"),
                             ("proxy_pass http://lab;", "proxy_pass http://lab; add_header X-By $upstream_addr always;")):  # fmt: skip
                assert old in block
                block = block.replace(old, new)
            whole = f"pid {folder}/pid; error_log {folder}/log; events {{}} http {{ access_log off; {block} }}"
            (folder / "nginx.conf").write_text(whole)
            with ended(subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"])):
                address = f"http://127.0.0.1:{listens}/"
                answers(address)
                yield address, folder


class Browser:
    """What keeps cookies and asks with them; `by` are the servers that answered."""

    def __init__(self, address):
        self.address, self.jar, self.by = address, CookieJar(), []
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path, body=None) -> tuple[int, str]:
        headers = {} if body is None else {"Content-Type": "application/json", "Origin": self.address.rstrip("/")}
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._opener.open(urllib.request.Request(self.address + path, data, headers), timeout=PATIENCE)
        except HTTPError as error:
            answer = error
        self.by.append(answer.headers["X-By"])
        return answer.status, answer.read().decode()

    @property
    def cookies(self) -> str:
        return "; ".join(f"{one.name}={one.value}" for one in self.jar)


async def visit(browser, met):
    """A session that computes and stays open until all are there."""
    async with websockets.connect(
        browser.address.replace("http", "ws") + "_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE,
        origin=browser.address.rstrip("/"), additional_headers={"Cookie": browser.cookies},
    ) as socket:  # fmt: skip
        browser.by.append(socket.response.headers["X-By"])
        visitor = Visitor(socket, "convergence", urlencode(CURVE))
        met.append([await visitor.rerun() for _ in range(2)])
        while len(met) < VISITORS:
            await asyncio.sleep(0.1)


def test_visitors_are_spread_over_the_servers_and_stay_with_one(proxy):
    address, _ = proxy
    browsers, met = [Browser(address) for _ in range(VISITORS)], []
    for browser in browsers:
        # As Streamlit's page does whenever it connects: each of these renews Streamlit's own cookie.
        for path in ("", "_stcore/health", "_stcore/health", "_stcore/health"):
            assert browser.get(path)[0] == 200

    async def all_of_them():
        await asyncio.gather(*(visit(browser, met) for browser in browsers))

    asyncio.run(all_of_them())
    assert len(met) == VISITORS
    assert all(size > 1000 for sizes in met for size in sizes)
    for browser in browsers:
        browser.get("_stcore/health")
        assert len(set(browser.by[1:])) == 1, "from the first answer on, which gives the cookie"
    assert len({browser.by[-1] for browser in browsers}) == 2


def test_who_sends_no_cookies_stays_with_one_server_too(proxy):
    met = set()
    for _ in range(4):
        browser = Browser(proxy[0])
        browser.get("_stcore/health")
        met.update(browser.by)
    assert len(met) == 1


def test_phones_vote_at_either_server(proxy):
    address, folder = proxy
    rooms = Store(folder / "rooms" / "rooms.sqlite")
    asked, phones = rooms.ask("lecturer", "halving", slopes("Which slope?", "EM", "SO")), [Browser(address) for _ in range(PHONES)]
    room, told = f"room/{asked.code}", []
    for i, phone in enumerate(phones):
        assert phone.get(room)[0] == 200
        for answer in ([0, 1], [i % 4, 2]):  # the vote, and another one in its place
            status, text = phone.get(f"{room}/vote", {"number": 1, "answer": answer})
            assert (status, json.loads(text).get("vote")) == (200, answer), text
        told.append([i % 4, 2])
    assert len({by for phone in phones for by in phone.by}) == 2
    assert sorted(rooms.votes(asked)) == sorted(told)
    rooms.stop(asked)
    assert not any(json.loads(phone.get(f"{room}/now")[1])["open"] for phone in phones)
    assert {phone.get(f"{room}/vote", {"number": 1, "answer": [0, 0]})[0] for phone in phones} == {409}
    assert sorted(rooms.votes(asked)) == sorted(told)
    rooms.close()
