"""What one rerun of the Convergence page costs the server: CPU time of its process, over a websocket, no browser.

    python tests/benchmarks/bench_rerun.py                  # goals: 25 ms where a curve is kept, 40 ms where it is an exact law
    python tests/benchmarks/bench_rerun.py --against DIR    # the same of another checkout, and how many times less this one takes
    python tests/benchmarks/bench_rerun.py --quick          # a few reruns: whether it works, not what it costs

"kept" moves the list of schemes between settings whose curves are known; "exact" moves the target, so that every
rerun computes new exact laws; "look" changes what is drawn of one known curve. "bare" is a Streamlit app with one Plotly
chart of two points, the least that any page can cost. The last line is one JSON object.
"""

import asyncio
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import bench
import processes
import websockets
from server import ROOT, running
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

CURVE = {"v": "1", "target": "skew", "schemes": "EM,SO", "h": "0.5..0.015625"}
EXACT = {"v": "1", "target": "gaussian", "schemes": "EM,EI,REM,REI,SO", "h": "0.5..0.015625"}
BLOCK = 5  # reruns between two looks at the clock, which counts in hundredths of a second
BARE = "import plotly.graph_objects as go, streamlit as st\nst.plotly_chart(go.Figure(go.Scatter(x=[1, 2], y=[1, 2])))\n"


class Visitor:
    """A session of the app as its browser has it: the widgets met so far, and reruns with one of them changed."""

    def __init__(self, socket, page, query):
        self.socket, self.page, self.query, self.widgets, self.values, self.sent = socket, page, query, {}, {}, 0

    async def rerun(self, press: str = "", **changed) -> int:
        """Run the page with widgets (by user key) set and the button pressed that has `press` in its key, and wait for its end; the number
        of bytes that came."""
        self.values |= changed
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self.query, self.page
        state.context_info.timezone, state.context_info.locale, state.context_info.url = "UTC", "en", "http://localhost/"
        if press:
            one = state.widget_states.widgets.add()
            found = [name for name in self.widgets.values() if press in name]
            if not found:
                raise RuntimeError(f"the page has no button {press}, but {sorted(self.widgets)}")
            one.id, one.trigger_value = found[0], True
        for key, value in self.values.items():
            if key not in self.widgets:  # of another checkout, which has no such control
                continue
            one = state.widget_states.widgets.add()
            one.id = self.widgets[key]
            field = {bool: "bool_value", float: "double_value"}.get(type(value))
            if field:
                setattr(one, field, value)
            elif isinstance(value[0], str):
                one.string_array_value.data.extend(value)
            else:
                one.double_array_value.data.extend(value)
        await self.socket.send(message.SerializeToString())
        size = 0
        while True:
            data = await asyncio.wait_for(self.socket.recv(), 180)
            size += len(data)
            found = ForwardMsg.FromString(data)
            self._note(found)
            if found.WhichOneof("type") == "page_info_changed":
                self.query = found.page_info_changed.query_string
            # A run of a page that has computed something begins anew, to show it.
            if found.WhichOneof("type") == "script_finished" and found.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return size

    def _note(self, found):
        """Remember the ids of widgets, and of what opens, by their keys, which an id ends with."""
        sent = found.delta.WhichOneof("type") if found.WhichOneof("type") == "delta" else ""
        if sent not in ("new_element", "add_block"):
            return
        made = getattr(found.delta, sent)
        kind = made.WhichOneof("type")
        if name := getattr(getattr(made, kind or "", None), "id", ""):
            self.widgets[name.split("-", 2)[-1]] = name
        if kind == "exception":
            raise RuntimeError(made.exception.message)


async def measured(address, page, query, changes, count) -> dict:
    """CPU milliseconds and bytes of a rerun, over count reruns with the next of the changes each."""
    port = address.rstrip("/").rsplit(":", 1)[-1]
    url = address.replace("http", "ws") + "_stcore/stream"
    async with websockets.connect(url, subprotocols=["streamlit"], max_size=None, origin=address.rstrip("/")) as socket:
        visitor = Visitor(socket, page, urlencode(query))
        for _ in range(3):
            await visitor.rerun()
        for changed, _ in zip(changes(), range(4)):
            await visitor.rerun(**changed)
        blocks, size, moving = [], 0, changes()
        for _ in range(max(1, count // BLOCK)):
            begun = processes.server_seconds(port)
            for changed, _ in zip(moving, range(BLOCK)):
                size += await visitor.rerun(**changed)
            blocks.append(1000 * (processes.server_seconds(port) - begun) / BLOCK)
        # The process also collects garbage every few seconds: in some blocks, and not in most.
        return {"ms": round(statistics.median(blocks), 1), "kB": round(size / len(blocks) / BLOCK / 1000, 1)}


def idle(address, most: float = 300.0):
    """Wait until the warm-up of a fresh process is over: three seconds with hardly any work."""
    port, end = address.rstrip("/").rsplit(":", 1)[-1], time.monotonic() + most
    before = -1.0
    while time.monotonic() < end and processes.server_seconds(port) - before > 0.5:
        before = processes.server_seconds(port)
        time.sleep(3)


def one_tree(app: Path, cases: dict, count: int) -> dict:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), app, warm=not QUICK) as address:
        found = {}
        for page, query, changes in cases.values():
            asyncio.run(measured(address, page, query, changes, 2))  # compiles, and fills the caches
        if not QUICK:
            idle(address)
        for name, (page, query, changes) in cases.items():
            found[name] = asyncio.run(measured(address, page, query, changes, count))
        return found


def _each(*values, key):
    return lambda: ({key: v} for v in itertools.cycle(values))


def _new():
    """A target that nobody has asked for, every time."""
    return ({"s:gaussian.k1": [2.0 + 0.05 * (next(_TARGET) % 100)]} for _ in itertools.count())


_TARGET = itertools.count(1)
CASES = {
    "kept": ("convergence", CURVE, _each(["EM", "SO"], ["EM"], ["SO"], key="s:schemes")),
    "look": ("convergence", CURVE, lambda: itertools.chain([{"fold-picture": True}], _each(True, False, key="s:bounds")())),
    "exact": ("convergence", EXACT, _new),
}

if __name__ == "__main__":
    parser = bench.parser(__doc__, "a few reruns of a kept curve, which show that it works and not what it costs")
    parser.add_argument("--against", type=Path)
    asked = parser.parse_args()
    QUICK = asked.quick
    count = 3 if QUICK else 40
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        answer = {"bare": one_tree(bare, {"bare": ("", {}, lambda: ({} for _ in itertools.count()))}, count)["bare"]}
    answer["this"] = one_tree(ROOT / "app.py", {"kept": CASES["kept"]} if QUICK else CASES, count)
    if asked.against:
        answer["before"] = one_tree(asked.against / "app.py", CASES, count)
        answer["ratio"] = {name: round(answer["before"][name]["ms"] / answer["this"][name]["ms"], 2) for name in CASES}
    for name, one in answer["this"].items():
        goal = {"kept": ", goal 25 ms", "exact": ", goal 40 ms"}.get(name, "")
        print(f"{name:8} {one['ms']:6.1f} ms of CPU a rerun{goal}, {one['kB']:.0f} kB")
    bench.ratio("CPU of a rerun with a kept curve over that of the bare app", answer["this"]["kept"]["ms"], max(answer["bare"]["ms"], 0.1))
    print(json.dumps(answer))
