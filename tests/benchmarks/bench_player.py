"""Speed of the particle player in Chromium: frames a second, time to the first frame, bytes sent.

    python tests/benchmarks/bench_player.py

The first frame counts from the click that makes the page mount the player (movie already encoded) to its drawing.
"""

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "ui"))
from test_player import CHROMIUM, FIND, serve

APP = '''
import numpy as np, streamlit as st
from dlab.figures.movie import Movie, Panel, encode
from dlab.ui.player import player

st.set_page_config(layout="wide")

@st.cache_resource
def movie(panels, n, F=100, K=24, G=64):
    rng = np.random.default_rng(0)
    def cloud(i):
        where = rng.normal(size=(n, 2)) * np.linspace(1.2, 0.5, F)[:, None, None] + rng.normal(size=(F, n, 2)) * 0.02
        return Panel(f"cloud {i}", "#0072B2", "#56B4E9", where, np.geomspace(1, 0.01, F), "W2 so far")
    x = np.linspace(-3, 3, G)
    width = np.linspace(0.25, 1.5, K)[:, None, None]
    density = np.logaddexp(-((x[:, None] - 1) ** 2 + x ** 2) / width, -((x[:, None] + 1) ** 2 + x ** 2) / width)
    return encode(Movie(tuple(cloud(i) for i in range(panels)), np.linspace(4, 0, F), np.arange(F),
                        (("Forward", 0), ("Reverse", 40)), (-3, 3, -3, 3), np.linspace(0, 4, K), density))

data = movie(int(st.query_params["panels"]), int(st.query_params["n"]))
if st.button("show"):
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


def measure(browser, address, panels, n):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    received = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    page.goto(f"{address}?panels={panels}&n={n}")
    page.get_by_text("ready").wait_for()
    page.wait_for_timeout(1000)
    before = sum(received)
    first = page.evaluate(FIRST_FRAME)
    page.wait_for_timeout(1000)
    sent = sum(received) - before
    page.get_by_label("Play", exact=True).click()
    page.wait_for_timeout(500)
    fps, slow = page.evaluate(COUNT, 5)
    print(f"{panels} × {n:5} particles × 100 frames: {fps:5.1f} fps, 95 % of the gaps below {slow:.0f} ms, "
          f"first frame {first / 1000:.2f} s, {sent / 1e6:.2f} MB sent", flush=True)
    page.close()


def main():
    with tempfile.TemporaryDirectory() as folder, serve(folder, APP) as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        print(f"{browser.browser_type.name} {browser.version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        for panels, n in ((1, 2000), (3, 700), (3, 2000), (1, 5000)):
            measure(browser, address, panels, n)


if __name__ == "__main__":
    main()
