"""Speed of the particle player in Chromium: frames a second, with a particle followed too, time to the first frame, bytes
that the page gets, for one step size and for a ladder, and messages sent while it plays, is scrubbed and changes its step size.

    python tests/benchmarks/bench_player.py [--quick]

The first frame counts from the click that makes the page mount the player (movie already encoded) to its drawing.
"""

import tempfile
from pathlib import Path

import bench
from playwright.sync_api import sync_playwright
from server import ARGUMENTS, CHROMIUM, running
from test_player import FIND

APP = '''
import numpy as np, streamlit as st
from dlab.figures.movie import Movie, Panel, encode
from dlab.ui.player import player

st.set_page_config(layout="wide")

@st.cache_resource
def movie(panels, n, rungs, F=100, K=24, G=64, lead=40, k=48):
    rng = np.random.default_rng(0)
    first = rng.normal(size=(lead, n, 2))
    def cloud(i, F):
        where = rng.normal(size=(n, 2)) * np.linspace(1.2, 0.5, F)[:, None, None] + rng.normal(size=(F, n, 2)) * 0.02
        parts = {name: np.full((lead + F, k, 2), np.nan) for name in ("drift", "second order", "noise")}
        for part in parts.values():
            part[lead:-1] = np.diff(where[:, :k], axis=0) / 3
        distance = np.append(np.full(lead, np.nan), np.geomspace(1, 0.01, F))
        return Panel(f"cloud {i}", "#0072B2", "#56B4E9", np.concatenate([first, where]), distance, "W2 so far", parts=parts)
    x = np.linspace(-3, 3, G)
    width = np.linspace(0.25, 1.5, K)[:, None, None]
    density = np.logaddexp(-((x[:, None] - 1) ** 2 + x ** 2) / width, -((x[:, None] + 1) ** 2 + x ** 2) / width)
    def rung(F):
        return Movie(tuple(cloud(i, F) for i in range(panels)), np.append(np.linspace(0, 4, lead), np.linspace(4, 0, F)),
                     np.append(np.zeros(lead), np.arange(F)), (("Forward", 0), ("Reverse", lead)), (-3, 3, -3, 3), np.linspace(0, 4, K),
                     density, h=4 / F, ghost=rng.normal(size=(129, k, 2)), ghost_times=np.linspace(4, 0, 129))
    return encode(*(rung(f) for f in ([4, 8, 15, 30, 60] if rungs else [F - lead])), own=0)

data = movie(int(st.query_params["panels"]), int(st.query_params["n"]), "ladder" in st.query_params)
st.button("show", on_click=lambda: st.session_state.update(shown=True))
if st.session_state.get("shown"):  # a slider of the player that speaks runs the page again
    player(data, key="p", height=640)
st.write("ready", len(data))
'''

FIRST_FRAME = f"""() => new Promise(done => {{
  const start = performance.now(), look = () => ({FIND})?.querySelector(".clock").textContent
    ? requestAnimationFrame(() => done(performance.now() - start)) : requestAnimationFrame(look);
  [...document.querySelectorAll("button")].find(b => b.textContent === "show").click();
  look();
}})"""

COUNT = """seconds => new Promise(done => {
  const stamps = [], tick = now => { stamps.push(now);
    if (now - stamps[0] < 1000 * seconds) return requestAnimationFrame(tick);
    const gaps = stamps.slice(1).map((t, i) => t - stamps[i]).sort((a, b) => a - b);
    done([gaps.length / (stamps.at(-1) - stamps[0]) * 1000, gaps[Math.floor(0.95 * gaps.length)]]); };
  requestAnimationFrame(tick);
})"""


def measure(browser, address, panels, n, ladder, seconds):
    """Prints what it measures over so many seconds; returns the bytes that the page got."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    received, spoken = [], []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    page.on("websocket", lambda ws: ws.on("framesent", lambda data: spoken.append(data)))
    page.goto(f"{address}?panels={panels}&n={n}{'&ladder' if ladder else ''}")
    page.get_by_text("ready").wait_for()
    page.wait_for_timeout(1000)
    before = sum(received)
    first = page.evaluate(FIRST_FRAME)
    page.wait_for_timeout(1000)
    sent = sum(received) - before
    said = len(spoken)
    if ladder:
        page.locator(".player .sizes input").fill("4")
    page.get_by_label("Play", exact=True).click()
    page.wait_for_timeout(500)
    fps, slow = page.evaluate(COUNT, seconds)
    page.locator(".player").press("p")
    with_one, _ = page.evaluate(COUNT, seconds)
    for value in range(10):
        page.locator(".player .scrub input").fill(str(value / 10))
        if ladder:
            page.locator(".player .sizes input").fill(str(value % 5))
    print(f"{panels} × {n:5} particles × 100 frames{', five step sizes' if ladder else ''}: {fps:.1f} fps, 95 % of the gaps below "
          f"{slow:.0f} ms, {with_one:.1f} fps with one followed, first frame {first / 1000:.2f} s, {sent / 1e6:.2f} MB received, "
          f"{len(spoken) - said} messages sent", flush=True)
    page.close()
    return sent


def main():
    quick = bench.parser(__doc__, "one cloud of 2000 particles, one second each").parse_args().quick
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        app = Path(folder) / "app.py"
        app.write_text(APP)
        browser = p.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        print(f"{browser.browser_type.name} {browser.version}, {bench.load()}")
        with running(Path(folder), app) as address:
            for panels, n in ((1, 2000),) if quick else ((1, 2000), (2, 2000), (3, 2000), (1, 5000)):
                sizes = [measure(browser, address, panels, n, ladder, 1 if quick else 5) for ladder in (False, True)]
                bench.ratio("  bytes of five step sizes over one", sizes[1], sizes[0])


if __name__ == "__main__":
    main()
