"""Hours of visitors who walk through all pages: whether the memory, the threads and the open files of server and workers stay flat.

    python tests/benchmarks/bench_soak.py --hours 2    # a line every minute, and at the end whether they are flat within 10 %
    python tests/benchmarks/bench_soak.py --quick      # some visits: whether it works, not whether anything is flat

Each visitor comes, opens pages one after the other in an order of its own, moves controls of what it meets, and leaves; another comes in
its place. Flat: the median of the last quarter of an hour-long walk is at most 1.1 times that of the second; what is compiled and read at
first is in the first. The last line is one JSON object.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import bench
import websockets
from bench_rerun import Visitor, idle
from processes import held, server, tree
from server import ROOT, running

from dlab.ui import scenes
from dlab.ui.menu import PAGES

FLAT = 1.1
VISITORS = 6
STAY = 8  # pages that a visitor opens
THINK = 2.0  # seconds between two of them
TARGETS = ("gaussian", "skew", "mixture", "logistic")
WORST = 60.0  # seconds for which a visitor waits for a page at most: one that computes is left, as in a room


def visits(chance) -> list[tuple[str, dict]]:
    """(page, query) of a visitor: scenes, and pages with settings of its own."""
    found = []
    for _ in range(STAY):
        page = chance.choice(list(PAGES))
        query = {"v": "1", "target": chance.choice(TARGETS), "schemes": "EM,SO", "seed": str(chance.randrange(50))}
        if chance.random() < 0.3:
            scene = chance.choice(scenes.SCENES)
            page, query = scene.page, {"v": "1", "scene": scene.name, **scene.settings}
        found.append((page, query))
    return found


async def walk(address, number, end, log):
    """Visitors one after the other until the end."""
    chance, url = random.Random(number), address.replace("http", "ws") + "_stcore/stream"
    while time.monotonic() < end:
        with suppress(websockets.ConnectionClosed, OSError):
            async with websockets.connect(
                url, subprotocols=["streamlit"], max_size=None, origin=address.rstrip("/"), open_timeout=60, ping_timeout=None
            ) as socket:
                for page, query in visits(chance):
                    visitor = Visitor(socket, "" if page == "home" else page, urlencode(query))
                    try:
                        await asyncio.wait_for(visitor.rerun(), WORST)
                        log["pages"] += 1
                        if "s:bounds" in visitor.widgets:
                            await asyncio.wait_for(visitor.rerun(**{"s:bounds": chance.random() < 0.5}), WORST)
                    except TimeoutError:
                        log["left"] += 1
                        break
                    except RuntimeError as error:
                        log["errors"].append(f"{page}: {error}"[:200])
                    if time.monotonic() > end:
                        return
                    await asyncio.sleep(THINK * chance.random())
        log["visitors"] += 1


def look(port) -> dict:
    """The server's numbers, and those of all other processes together."""
    pid, found = server(port), {"server": held(server(port))}
    others = []
    for other in tree(port):
        if other != pid:
            with suppress(OSError, KeyError):
                others.append(held(other))
    found["workers"] = {name: sum(each[name] for each in others) for name in found["server"]}
    return found


async def watch(port, end, every, log):
    begun = time.monotonic()
    while time.monotonic() < end:
        log["looks"].append(one := look(port))
        print(
            f"{(time.monotonic() - begun) / 60:6.1f} min, {log['pages']:5} pages: "
            + "; ".join(f"{who} {its['bytes'] / 1e6:.0f} MB, {its['threads']} threads, {its['files']} files" for who, its in one.items()),
            flush=True,
        )  # fmt: skip
        await asyncio.sleep(min(every, max(0.1, end - time.monotonic())))


def grown(looks) -> dict[str, float]:
    """How many times the second quarter's median the last quarter's is, {what: times}; 0 of what is not there."""
    quarter = max(1, len(looks) // 4)
    second, last = looks[quarter : 2 * quarter] or looks[:1], looks[-quarter:]
    found = {}
    for who in ("server", "workers"):
        for what in ("bytes", "threads", "files"):
            before = statistics.median(one[who][what] for one in second)
            after = statistics.median(one[who][what] for one in last)
            found[f"{who} {what}"] = round(after / before, 3) if before else 0.0
    return found


async def soak(address, seconds, every, visitors) -> dict:
    port, end = address.rstrip("/").rsplit(":", 1)[-1], time.monotonic() + seconds
    log = {"pages": 0, "visitors": 0, "left": 0, "errors": [], "looks": []}
    await asyncio.gather(watch(port, end, every, log), *(walk(address, i, end, log) for i in range(visitors)))
    return log


if __name__ == "__main__":
    parser = bench.parser(__doc__, "two visitors for some seconds")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--visitors", type=int, default=VISITORS)
    asked = parser.parse_args()
    seconds, every, visitors = (15.0, 3.0, 2) if asked.quick else (3600 * asked.hours, 60.0, asked.visitors)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), ROOT / "app.py", warm=not asked.quick) as address:
        if not asked.quick:
            idle(address)
        log = asyncio.run(soak(address, seconds, every, visitors))
        times = grown(log["looks"])
        print(f"{log['pages']} pages of {log['visitors']} visitors, {log['left']} left while they waited, {len(log['errors'])} errors")
        for what, grew in times.items():
            bench.ratio(f"{what}, {'flat' if grew <= FLAT else 'NOT FLAT'}: last quarter over the second", grew, 1.0)
        print(json.dumps({"load": bench.load(), "grown": times, **{k: log[k] for k in ("pages", "visitors", "left", "errors")}}))
