"""A room of visitors: how long they wait for a picture, over websockets, no browser, from a server started as the README says.

    python tests/benchmarks/bench_room.py                  # three rooms, a minute each
    python tests/benchmarks/bench_room.py --against DIR    # the same rooms on the tree of another checkout too
    python tests/benchmarks/bench_room.py --quick          # four visitors for some seconds: whether it works, not what it costs

"runs" is a room of 40 who move a slider of an exact curve every 3 s, while 10 more press Run, each for particles of their own; "kept" one
of 80 who do so on kept curves every 3 s; "hall" one of 200, every 10 s. The wait of a move counts from the moment at which it
was due, so that a server which falls behind is not asked less. Offered load: moves a second times the CPU of one, by a visitor alone
before the room fills; above 1 a single process cannot follow. The last line is one JSON object.
"""

import asyncio
import itertools
import json
import random
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import bench
import websockets
from bench_rerun import CURVE, EXACT, Visitor, idle
from processes import server_seconds, tree, tree_seconds
from server import ROOT, running

RUN = {"v": "1", "target": "skew", "schemes": "EM,SO", "h": "0.5..0.0625", "estimator": "projected"}
ALONE = 6  # moves of the visitor who comes first


@dataclass(frozen=True)
class Room:
    """visitors who move something every so many seconds, from `query`; runs: so many more who press Run."""

    visitors: int
    every: float
    query: dict
    moves: object
    runs: int = 0


def kept(number):
    """Moves between curves that are known."""
    return ({"s:schemes": names} for names in itertools.cycle((["EM"], ["EM", "SO"], ["SO"])))


def exact(number):
    """A target that nobody has asked for, every time."""
    return ({"s:gaussian.k1": [2.0 + 0.05 * ((31 * number + 7 * i) % 100)]} for i in itertools.count())


ROOMS = {
    "runs": Room(40, 3.0, EXACT, exact, runs=10),
    "kept": Room(80, 3.0, CURVE, kept),
    "hall": Room(200, 10.0, CURVE, kept),
}
QUICK = {"runs": Room(3, 3.0, CURVE, kept, runs=1)}


class Log:
    """What the visitors of a room met."""

    def __init__(self):
        self.waits, self.errors, self.runs = [], [], []


async def enter(stack, address, query) -> Visitor:
    url = address.replace("http", "ws") + "_stcore/stream"
    socket = await stack.enter_async_context(
        websockets.connect(url, subprotocols=["streamlit"], max_size=None, origin=address.rstrip("/"), open_timeout=120, ping_timeout=None)
    )
    visitor = Visitor(socket, "convergence", urlencode(query))
    for _ in range(2):  # the first may open the page alone
        await visitor.rerun()
    return visitor


async def moving(visitor, number, room, end, log):
    moves, chance = room.moves(number), random.Random(number)
    due = time.monotonic() + chance.uniform(0, room.every)
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        try:
            await visitor.rerun(**next(moves))
        except Exception as error:
            log.errors.append(f"{type(error).__name__}: {error}"[:200])
            return
        log.waits.append(time.monotonic() - due)
        due += room.every


async def running_studies(visitor, end, log):
    """Press Run where a run is wanted, and again with the next seed when it is over."""
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            await asyncio.wait_for(visitor.rerun(press="run-button"), max(180.0, 4 * (end - begun)))
        except Exception as error:
            log.errors.append(f"run: {type(error).__name__}: {error}"[:200])
            return
        log.runs.append(time.monotonic() - begun)
        return


async def fill(address, room, seconds) -> dict:
    port, log = address.rstrip("/").rsplit(":", 1)[-1], Log()
    async with AsyncExitStack() as stack:
        first = await enter(stack, address, room.query)
        moves, alone, begun = room.moves(10**6), [], server_seconds(port)
        for _ in range(ALONE):
            sent = time.monotonic()
            await first.rerun(**next(moves))
            alone.append(time.monotonic() - sent)
        cpu = (server_seconds(port) - begun) / ALONE
        visitors = [await enter(stack, address, room.query) for _ in range(room.visitors)]
        runners = [await enter(stack, address, {**RUN, "seed": str(1000 + i)}) for i in range(room.runs)]
        spent, server, begun = tree_seconds(port), server_seconds(port), time.monotonic()
        end = begun + seconds
        await asyncio.gather(
            *(moving(v, i, room, end, log) for i, v in enumerate(visitors)), *(running_studies(v, end, log) for v in runners)
        )
        took = time.monotonic() - begun
        waits = sorted(log.waits) or [float("nan")]
        return {
            "visitors": room.visitors, "moves": len(log.waits), "seconds": round(took, 1), "cpu_ms_a_move": round(1000 * cpu, 1),
            "offered_load": round(room.visitors / room.every * cpu, 2), "alone_s": round(statistics.median(alone), 3),
            "p50_s": round(waits[len(waits) // 2], 3), "p95_s": round(waits[int(0.95 * (len(waits) - 1))], 3),
            "most_s": round(waits[-1], 3), "errors": len(log.errors), "first_errors": log.errors[:3],
            "runs": len(log.runs), "runs_s": [round(x, 1) for x in sorted(log.runs)],
            "server_cpu_s": round(server_seconds(port) - server, 1), "all_cpu_s": round(tree_seconds(port) - spent, 1),
            "processes": len(tree(port)),
        }  # fmt: skip


def one_tree(app: Path, rooms: dict, seconds: float, quick: bool) -> dict:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), app, warm=not quick) as address:
        if not quick:
            idle(address)
        found = {}
        for name, room in rooms.items():
            one = found[name] = asyncio.run(fill(address, room, seconds))
            print(
                f"{name:5} {one['visitors']:3} visitors: p50 {one['p50_s']:.2f} s, p95 {one['p95_s']:.2f} s, most {one['most_s']:.1f} s of "
                f"{one['moves']} moves; {one['cpu_ms_a_move']:.0f} ms of CPU a move, offered load {one['offered_load']:.2f}; "
                f"{one['errors']} errors; server {one['server_cpu_s']:.0f} s, all processes {one['all_cpu_s']:.0f} s of CPU "
                f"in {one['seconds']:.0f} s" + (f"; runs took {one['runs_s']} s" if one["runs"] else ""),
                flush=True,
            )  # fmt: skip
        return found


if __name__ == "__main__":
    parser = bench.parser(__doc__, "one small room, which shows that it works and not what it costs")
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--seconds", type=float, default=60.0, help="for which each room is full")
    parser.add_argument("--rooms", default=",".join(ROOMS), help="which of them, with commas between")
    asked = parser.parse_args()
    rooms = QUICK if asked.quick else {name: ROOMS[name] for name in asked.rooms.split(",")}
    seconds = 5.0 if asked.quick else asked.seconds
    print(bench.load())
    answer = {"load": bench.load(), "this": one_tree(ROOT / "app.py", rooms, seconds, asked.quick)}
    if asked.against:
        print(f"{asked.against}:")
        answer["against"] = one_tree(asked.against.resolve() / "app.py", rooms, seconds, asked.quick)
        for name in rooms:
            bench.ratio(f"p95 of {name}, the other's over this", answer["against"][name]["p95_s"], max(answer["this"][name]["p95_s"], 1e-3))
    for name, one in answer["this"].items():
        bench.ratio(f"p95 of {name} over the wait of a visitor alone", one["p95_s"], max(one["alone_s"], 1e-3))
    print(json.dumps(answer))
