"""Pictures of every page: on a desktop, a projector in presentation mode and a phone, on light and on dark ground.

    python tests/screenshots.py [FOLDER]      a temporary folder unless one is given; its name is printed
    python tests/screenshots.py --readme      the pictures of the README, in docs/, and those of Home's cards, in dlab/ui/cards/

Needs Chromium and Playwright; on a server of its own, so the first pages take a minute. Exit status 1 where a page shows an
error or a warning, or is wider than its screen; its picture is made all the same.
"""

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cards
from PIL import Image
from playwright.sync_api import sync_playwright
from server import ARGUMENTS, CHROMIUM, ROOT, running

from dlab.ui.menu import PAGES

SCREENS = {
    "desktop": ((1440, 900), {}),
    "projector": ((1280, 720), {"present": "1"}),
    "phone": ((390, 844), {}),
}
# What a page shows in its pictures; a page that is not here shows its defaults.
SCENES = {
    "particles": {"target": "skew", "panels": "EM,SO", "step": "0.25", "moving": "1000"},
    "convergence": {"target": "gaussian"},
}
# Drawn by the browser after the script has come to rest.
DRAWN = dict.fromkeys(PAGES, ".js-plotly-plot .trace") | {"particles": ".player canvas.dots", "home": ".opening canvas.dots"}
README = {
    "home": ("home", "desktop"), "particles": ("particles", "desktop"), "convergence": ("convergence", "desktop"),
    "presentation": ("convergence", "projector"),
}  # fmt: skip
WAIT = 300_000  # ms


def settled(page, name):
    """Wait until the script rests and two pictures in a row are the same; returns the last."""
    page.wait_for_selector("h1")
    if name in DRAWN:
        page.wait_for_selector(DRAWN[name], state="attached")  # a level line has no height, which counts as hidden
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    page.wait_for_selector("[data-stale='true']", state="detached")
    if name == "particles":
        # A frame of the way back, where both laws are still on the move.
        page.locator(".player .scrub input").evaluate(
            "e => { e.value = 0.92; e.dispatchEvent(new Event('input', {bubbles: true})); }"
        )
    if name == "home":
        # The curve as it is after some halvings; what plays comes to its end.
        for place in (5, 4, 3, 2):
            page.locator(".opening input").fill(str(place))
        page.locator(".opening input").blur()
    page.mouse.move(1, page.viewport_size["height"] - 1)
    last, end = None, time.monotonic() + 60
    while (now := page.screenshot()) != last:
        if time.monotonic() > end:
            raise SystemExit(f"{name}: the page does not come to rest")
        last = now
        page.wait_for_timeout(500)
    return now


def picture(browser, address, name, screen, theme):
    """(PNG, what is wrong with the page) of a page on a screen."""
    (width, height), extra = SCREENS[screen]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(f"{address}{'' if name == 'home' else name}?{urlencode(SCENES.get(name, {}) | extra)}")
    data, wrong = settled(page, name), []
    if page.locator("[data-testid='stException'], [data-testid='stAlert']").count():
        wrong.append("shows an error or a warning")
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
        wrong.append(f"is {wide} pixels wide")
    context.close()
    return data, wrong


def write(path, data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where the pictures go")
    parser.add_argument("--readme", action="store_true", help="the pictures of the README and of Home's cards alone")
    chosen = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed; on Debian: apt-get install chromium fonts-dejavu-core")
    if chosen.readme:
        folder = ROOT / "docs"
        wanted = [(file, page, screen, "light") for file, (page, screen) in README.items()]
        for path in cards.write():
            print(f"{path}  {path.stat().st_size / 1000:.1f} kB", flush=True)
    else:
        folder = chosen.folder or Path(tempfile.mkdtemp(prefix="dlab-screens-"))
        wanted = [(f"{page}-{screen}-{theme}", page, screen, theme)
                  for page in PAGES for screen in SCREENS for theme in ("light", "dark")]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    print(f"pictures in {folder}", flush=True)
    problems = []
    with tempfile.TemporaryDirectory() as cache, running(Path(cache)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for file, *what in wanted:
            data, wrong = picture(browser, address, *what)
            write(folder / f"{file}.png", data)
            problems += [f"{file}: the page {said}" for said in wrong]
        browser.close()
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
