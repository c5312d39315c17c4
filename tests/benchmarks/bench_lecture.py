"""What a lecturer waits for, on a warm server: prepared scenes, bytes, films, and memory of many visitors.

    python tests/benchmarks/bench_lecture.py [--quick]

Goals: moving particles and the whole curve of a prepared scene 1 s after its link, nothing said to the server while the
player plays or is scrubbed, a film in 20 s. A visit comes from a browser that has seen nothing yet, or ("again") from one
that has Streamlit's files in its cache. "bare" is a Streamlit app of one line with one Plotly chart of two points: what no
page of this lab can undercut.
"""

import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import bench
from playwright.sync_api import sync_playwright
from processes import held, server
from server import ARGUMENTS, CHROMIUM, running
from test_player import FIND

from dlab import export
from dlab.ui import links, scenes

WAIT = 300_000  # ms
VISITS = 5
SESSIONS = 30
WATCH = f"""() => {{
  window.seen = {{}};
  const note = name => {{ window.seen[name] ??= performance.now(); }};
  const look = () => {{
    const player = {FIND}, plot = document.querySelector(".js-plotly-plot");
    if (player?.querySelector(".clock").textContent) note("first frame");
    if (player?.querySelector("input[type=range]").value > 0) note("moving");
    if (plot?.querySelector(".scatterlayer .trace")) note("first points");
    const slopes = plot?.textContent.match(/slope/g)?.length ?? 0;
    if (slopes >= (window.slopes ?? Infinity)) note("whole curve");
  }};
  setInterval(look, 20);  // every frame would slow down what is timed
}}"""


class Visitor:
    """A fresh browser context, and what goes over its websocket."""

    def __init__(self, browser, slopes=None):
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT)
        self.page.add_init_script(f"window.slopes = {slopes or 'undefined'}; ({WATCH})();")
        self.received, self.sent = [], []
        self.page.on("websocket", self._listen)

    def _listen(self, socket):
        socket.on("framereceived", lambda data: self.received.append(len(data)))
        socket.on("framesent", lambda data: self.sent.append(len(data)))

    def until(self, name):
        """Milliseconds since the page was asked for, or since `restart`."""
        return self.page.wait_for_function("name => window.seen[name]", arg=name).json_value()

    def restart(self):
        self.page.evaluate("() => { window.seen = {}; }")
        return self.page.evaluate("performance.now()")

    def rest(self):
        self.page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


def report(name, values, goal=None):
    """Print milliseconds as seconds and return their median."""
    values = [v / 1000 for v in values]
    print(f"{name:58} {statistics.median(values):6.2f} s (worst {max(values):.2f})" + (f", goal {goal}" if goal else ""), flush=True)
    return statistics.median(values)


def times(browser, link, marks, visits, slopes=None, again=False):
    """Milliseconds to each mark over so many visits; again: of a browser that has been there before."""
    found = {m: [] for m in marks}
    with Visitor(browser, slopes) as first:
        first.page.goto(link)
        first.until(marks[-1])
        for _ in range(visits):
            if again:
                first.page.goto("about:blank")
                first.page.goto(link)
                for mark in marks:
                    found[mark].append(first.until(mark))
                continue
            with Visitor(browser, slopes) as visitor:
                visitor.page.goto(link)
                for mark in marks:
                    found[mark].append(visitor.until(mark))
    return found


def scene(browser, address, one, marks, visits, slopes=None):
    """Times to the marks of a prepared scene, by its link and, in more than one visit, again and by its card on the home page; seconds
    by the last link."""
    link = f"{address}{one.page}?{urlencode(links.address(one))}"
    for again in (False, True)[:visits]:
        for mark, taken in times(browser, link, marks, visits, slopes, again).items():
            shown = report(f"{one.name}: link to {mark}{', again' if again else ''}", taken, "1 s" if mark == marks[-1] else None)
    if visits == 1:
        return shown
    by_click = {m: [] for m in marks}
    for _ in range(visits):
        with Visitor(browser, slopes) as visitor:
            visitor.page.goto(address)
            card = visitor.page.locator("[class*='st-key-card-']").get_by_role("link", name=one.question)
            card.wait_for()
            visitor.rest()
            start = visitor.restart()
            card.click()
            for mark in marks:
                by_click[mark].append(visitor.until(mark) - start)
            visitor.rest()
            size = sum(visitor.received)
    for mark in marks:
        report(f"{one.name}: click on the home page to {mark}", by_click[mark], "1 s" if mark == marks[-1] else None)
    print(f"{one.name}: {size / 1e6:.2f} MB over the websocket, the home page included", flush=True)
    return shown


BARE = """
import plotly.graph_objects as go
import streamlit as st

st.plotly_chart(go.Figure(go.Scatter(x=[0, 1], y=[0, 1])))
"""


def bare(browser, folder, visits):
    """What Streamlit and Plotly take for themselves; seconds, again, to the points of a chart."""
    app = folder / "bare.py"
    app.write_text(BARE)
    with running(folder, app) as address:
        for again in (False, True)[:visits]:
            for mark, taken in times(browser, address, ("first points",), visits, again=again).items():
                shown = report(f"bare: address to {mark}{', again' if again else ''}", taken)
    return shown


def silence(browser, address, one):
    """Messages over the websocket while the player plays and is scrubbed; of a step size the page hears when it rests."""
    with Visitor(browser) as visitor:
        page = visitor.page
        page.goto(f"{address}{one.page}?{urlencode(links.address(one))}")
        visitor.until("moving")
        page.wait_for_function(f"!({FIND}).querySelector('.why').textContent")
        visitor.rest()
        page.wait_for_timeout(2000)
        before = len(visitor.sent), len(visitor.received)
        bar = page.locator(".player .scrub input")
        page.wait_for_timeout(3000)
        for k in range(30):
            bar.fill(str(k % 10 / 10))
        page.wait_for_timeout(1000)
        found = len(visitor.sent) - before[0], len(visitor.received) - before[1]
        print(f"{one.name}: {found[0]} messages sent, {found[1]} received while playing and scrubbing, goal 0", flush=True)


def films(browser, address, one):
    """Seconds from the button to the file, for a film that nobody has made yet."""
    for fmt, label in (("mp4", "MP4"), ("gif", "GIF"), ("html", "HTML player")):
        if reason := export.missing(fmt):
            print(reason)
            continue
        with Visitor(browser) as visitor:
            visitor.page.goto(f"{address}{one.page}?{urlencode(links.address(one))}")
            button = visitor.page.get_by_role("button", name=label, exact=True)
            button.wait_for()
            visitor.rest()
            begun = time.monotonic()
            with visitor.page.expect_download() as got:
                button.click()
            size = Path(got.value.path()).stat().st_size
            report(f"{one.name}: {label} ({size / 1e6:.1f} MB)", [1000 * (time.monotonic() - begun)], "20 s")


def growth(browser, address, seen, slopes):
    """Memory that a session leaves behind: a visitor who looks at each of these scenes until its mark and goes."""
    port = urlsplit(address).port

    def visit():
        with Visitor(browser, slopes) as visitor:
            for one, mark in seen:
                visitor.page.goto(f"{address}{one.page}?{urlencode(links.address(one))}")
                visitor.until(mark)
                visitor.rest()

    for _ in range(5):
        visit()
    before = held(server(port))["bytes"]
    for _ in range(SESSIONS):
        visit()
    after = held(server(port))["bytes"]
    print(f"memory: {before / 1e6:.0f} MB before {SESSIONS} sessions, {(after - before) / SESSIONS / 1e6:.2f} MB more for each", flush=True)


def main():
    quick = bench.parser(__doc__, "one visit to a bare app and to one scene").parse_args().quick
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), warm=not quick) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        print(f"Chromium {browser.version}, {bench.load()}", flush=True)
        moving = next(s for s in scenes.SCENES if s.page == "particles")
        # Others hold their curve back until the viewer has guessed.
        curve = next(s for s in scenes.SCENES if s.page == "convergence" and not s.asked)
        slopes = len(links.read(curve.settings)[0]["schemes"])
        visits = 1 if quick else VISITS
        least = bare(browser, Path(folder), visits)
        shown = scene(browser, address, moving, ("first frame", "moving"), visits)
        bench.ratio(f"{moving.name}: seconds to its moving particles over those of a bare chart", shown, least)
        if quick:
            return
        scene(browser, address, curve, ("first points", "whole curve"), visits, slopes)
        silence(browser, address, moving)
        films(browser, address, moving)
        growth(browser, address, ((moving, "moving"), (curve, "whole curve")), slopes)


if __name__ == "__main__":
    main()
