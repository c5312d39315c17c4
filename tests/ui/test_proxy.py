"""Several web processes behind a proxy, as the README says it: they share workers and answers, and a visitor stays with one."""

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest
import websockets

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

from bench_rerun import CURVE, Visitor  # noqa: E402
from server import running  # noqa: E402

pytestmark = [pytest.mark.long, pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")]
VISITORS = 8


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(address, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return urllib.request.urlopen(f"{address}_stcore/health", timeout=2).read()
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"nothing answers at {address}")


@pytest.fixture
def proxy(tmp_path, monkeypatch):
    """The address of an nginx in front of two servers on one set of workers, and the two servers' ports."""
    scheduler = free_port()
    command = [sys.executable, "-m", "dlab", "workers", "--workers", "1", "--port", str(scheduler)]
    workers = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    monkeypatch.setenv("DLAB_SCHEDULER", f"tcp://127.0.0.1:{scheduler}")
    block = re.search(r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    with running(tmp_path) as one, running(tmp_path) as two:
        ports = [int(address.rstrip("/").rsplit(":", 1)[1]) for address in (one, two)]
        listens = free_port()
        for old, new in (("127.0.0.1:8501", f"127.0.0.1:{ports[0]}"), ("127.0.0.1:8502", f"127.0.0.1:{ports[1]}"),
                         ("listen 80;", f"listen 127.0.0.1:{listens};")):  # fmt: skip
            assert old in block
            block = block.replace(old, new)
        whole = f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}} http {{ access_log off; {block} }}"
        (tmp_path / "nginx.conf").write_text(whole)
        nginx = subprocess.Popen(["nginx", "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off;"])
        try:
            address = f"http://127.0.0.1:{listens}/"
            answers(address)
            yield address, ports
        finally:
            for process in (nginx, workers):
                process.terminate()
                process.wait(timeout=20)


async def visit(address, number, met):
    headers = {"Cookie": f"_streamlit_xsrf=2|{number:08x}|visitor"}
    url = address.replace("http", "ws") + "_stcore/stream"
    async with websockets.connect(
        url, subprotocols=["streamlit"], max_size=None, origin=address.rstrip("/"), additional_headers=headers
    ) as socket:
        visitor = Visitor(socket, "convergence", urlencode(CURVE))
        sizes = [await visitor.rerun() for _ in range(3)]
        met.append(sizes)
        while len(met) < VISITORS:  # until all are there
            await asyncio.sleep(0.1)


def test_two_servers_behind_the_proxy_of_the_readme_serve_visitors_who_stay(proxy):
    address, ports = proxy
    met, held = [], {}

    async def all_of_them():
        visits = [asyncio.create_task(visit(address, number, met)) for number in range(VISITORS)]
        while len(met) < VISITORS:
            open_now = [c.raddr.port for c in psutil.net_connections("tcp4") if c.raddr and c.status == "ESTABLISHED"]
            for port in ports:
                held[port] = max(held.get(port, 0), open_now.count(port))
            if any(v.done() and v.exception() for v in visits):
                break
            await asyncio.sleep(0.2)
        await asyncio.gather(*visits)

    asyncio.run(all_of_them())
    assert len(met) == VISITORS
    assert all(size > 1000 for sizes in met for size in sizes)
    assert all(held.values()), held
