"""The pictures of the README, made anew: docs/home.png, docs/particles.png, docs/convergence.png.

    python tests/screenshots.py

Needs Chromium and Playwright. Every picture is 1440 x 900, light theme, on a server of its own.
"""

import io
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import sync_playwright
from server import running

ROOT = Path(__file__).resolve().parents[1]
SIZE = {"width": 1440, "height": 900}
PARTICLES = {"target": "skew", "panels": "EM,SO", "step": "0.25", "moving": "1000"}
CONVERGENCE = {"target": "gaussian"}


def settled(page, *marks):
    """Wait until the marks are there and the script has come to rest."""
    for mark in marks:
        page.wait_for_selector(mark, timeout=300_000)
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']", timeout=300_000)
    page.wait_for_selector("[data-stale='true']", state="detached", timeout=60_000)
    page.wait_for_timeout(1500)  # fonts, and Plotly's own drawing


def save(page, name):
    page.mouse.move(1, 899)
    if page.locator("[data-testid='stException'], [data-testid='stAlert']").count():
        raise SystemExit(f"{name}: the page shows an error or a warning")
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = ROOT / "docs" / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is not installed; on Debian: apt-get install chromium fonts-dejavu-core")
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with TemporaryDirectory() as folder, running(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(address)
        settled(page, "h1")
        save(page, "home")
        page.goto(f"{address}particles?{urlencode(PARTICLES)}")
        settled(page, ".player canvas")
        # A frame of the way back, where both laws are still on the move.
        page.locator(".player .scrub input").evaluate(
            "e => { e.value = 0.92 * e.max; e.dispatchEvent(new Event('input', {bubbles: true})); }"
        )
        page.wait_for_timeout(800)
        save(page, "particles")
        page.goto(f"{address}convergence?{urlencode(CONVERGENCE)}")
        settled(page, ".js-plotly-plot .scatterlayer", "[data-testid='stDataFrame']")
        save(page, "convergence")
        browser.close()


if __name__ == "__main__":
    main()
