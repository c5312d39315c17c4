"""Walks the lecturers' tasks of tasks.md in a browser and prints clicks, seconds and words of each.

    python tests/ui/walk_tasks.py

Needs Chromium and Playwright, and takes two minutes. Each task has a fresh context of the browser, on a server that has shown the page
where it starts.
"""

import math
import re
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from server import ARGUMENTS, CHROMIUM, running

DESK, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
WAIT = 120_000  # ms
CLICKS = 3
IN_CLICKS = 2  # an answer
# Whether a canvas has shown three pictures since it was first looked at; components live in shadow trees.
MOVES = """selector => {
  const find = root => root.querySelector(selector)
    ?? [...root.querySelectorAll("*")].map(e => e.shadowRoot && find(e.shadowRoot)).find(Boolean);
  const canvas = find(document);
  if (!canvas?.width) return false;
  (window.seen ??= new Set()).add(canvas.toDataURL("image/webp", 0.1));
  return window.seen.size >= 3;
}"""
# Words of two letters or more whose text stands in the window, but for names of icons and formulas said a second time.
WORDS = """() => {
  let words = 0;
  const count = root => {
    for (const walk = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT); walk.nextNode();) {
      const node = walk.currentNode;
      if (node.shadowRoot) count(node.shadowRoot);
      const box = node.nodeType === Node.TEXT_NODE && node.data.trim() && node.parentElement;
      if (!box || box.closest("style, script, [data-testid='stIconMaterial'], .katex-mathml, [aria-hidden='true']")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const { top, bottom, left, right, width } = range.getBoundingClientRect();
      if (width && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth && box.checkVisibility({ visibilityProperty: true }))
        words += node.data.match(/\\p{L}{2,}/gu)?.length ?? 0;
    }
  };
  count(document.body);
  return words;
}"""


@dataclass
class Walk:
    """A visitor's window on a server, and what it took: clicks, screens scrolled, seconds, words in the window at the end."""

    browser: object
    address: str
    clicks: int = 0
    screens: int = 0
    seconds: float = 0.0
    words: int = 0
    page: object = None
    begun: float | None = None
    contexts: list = field(default_factory=list)

    def window(self, size=DESK, **media):
        """A new visitor's window."""
        context = self.browser.new_context(viewport=size, **media)
        self.contexts.append(context)
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT)
        return self.page

    def at(self, page: str = ""):
        """Begin on a page, at rest."""
        self.window().goto(self.address + page)
        self.rest()
        return self.page

    def rest(self):
        """Until the script has been still for a moment."""
        quiet = "document.querySelector(\"[data-testid='stApp'][data-test-script-state='notRunning']\")"
        self.page.wait_for_selector("h1")
        self.page.wait_for_timeout(400)
        self.page.wait_for_function(f"{quiet} && !document.querySelector(\"[data-stale='true']\")")

    def _act(self):
        self.clicks += 1
        self.begun = self.begun or time.monotonic()

    def click(self, what):
        """Click on a locator, after the scrolling that it takes."""
        what = what.first
        what.wait_for()
        height, box = self.page.viewport_size["height"], what.bounding_box()
        away = max(0, box["y"] + box["height"] - height, -box["y"])
        self.screens += math.ceil(away / height)
        self._act()
        what.click()

    def press(self, key: str):
        self._act()
        self.page.keyboard.press(key)

    def slide(self, what):
        """Move a slider in the browser to another place; returns once it is there."""
        what.wait_for()
        self._act()
        what.fill(str(1 + int(what.input_value())) if what.input_value() != what.get_attribute("max") else "0")

    def sees(self, *what):
        """Wait for what the goal asks for."""
        for one in what:
            one.first.wait_for()

    def moves(self, canvas: str):
        self.page.wait_for_function(MOVES, arg=canvas, polling=100)

    def arrived(self):
        """The goal is reached."""
        self.seconds = time.monotonic() - self.begun
        self.words = self.page.evaluate(WORDS)

    def close(self):
        for context in self.contexts:
            context.close()


@dataclass(frozen=True)
class Task:
    """A task of tasks.md: where it starts, how it is walked, and the most clicks it may take."""

    name: str
    start: str
    now: Callable[[Walk], None]
    most: int = IN_CLICKS


# ---- what is on the pages ----


def place(w: Walk, name: str):
    return w.page.locator(".st-key-menu").get_by_role("link", name=name, exact=True)


def tab(w: Walk, name: str):
    return w.page.locator(".st-key-tabs").get_by_role("link", name=name)


def named(w: Walk, text: str):
    """A button."""
    return w.page.get_by_role("button", name=text)


def curves(w: Walk):
    return w.page.locator(".js-plotly-plot .scatterlayer .trace")


def answer(w: Walk):
    return w.page.locator(".st-key-answer").get_by_text("Answer.")


def numbers(text: str) -> list[float]:
    return [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", text)]


def chosen(w: Walk, target: str):
    """Choose another target."""
    w.click(w.page.locator(".st-key-s-target [role='combobox'], .st-key-s-target [data-baseweb='select']"))
    w.click(w.page.get_by_role("option", name=target))
    w.page.wait_for_function("location.search.includes('target=')")


# ---- the walks ----


def moving(w):
    page = w.window()
    w.begun = time.monotonic()
    page.goto(w.address)
    w.moves(".opening canvas.dots")
    w.arrived()


def faster(w):
    w.at()
    w.click(place(w, "Measure"))
    w.sees(w.page.locator(".takeaway"), w.page.locator(".key-figures"), curves(w))
    w.arrived()
    so, em = numbers(w.page.locator(".takeaway").inner_text())
    assert so > 1.5 * em > 1.5


def asked(w):
    w.at()
    w.click(w.page.locator(".st-key-card-halving").get_by_role("link"))
    w.sees(w.page.locator(".st-key-guess"), named(w, "Show without guessing"))
    assert not w.page.locator(".js-plotly-plot, .takeaway, .key-figures, .st-key-answer").count(), (
        "the answer is given away"
    )
    w.press("a")
    w.sees(answer(w), curves(w))
    w.arrived()


def floor(w):
    w.at()
    w.press("5")
    w.sees(w.page.locator(".st-key-guess"))
    w.press("a")
    w.sees(answer(w), curves(w))
    w.arrived()
    assert "error=constant" in w.page.url


def target(w):
    w.at("particles")
    chosen(w, "Skew")
    w.moves(".player canvas.dots")
    w.arrived()
    assert "target=skew" in w.page.url


def bound(w):
    w.at()
    w.click(place(w, "Theory"))
    w.sees(w.page.locator(".takeaway"), curves(w))
    w.arrived()
    measured, promised = (numbers(t)[0] for t in w.page.locator(".key-figures b").all_inner_texts()[:2])
    assert promised > 10 * measured


def shared(w):
    page = w.at("particles")
    w.click(named(w, "Share"))
    w.sees(page.locator("img.qr"))
    shown = page.get_by_role("textbox", name="Link of this scene")
    while not (link := shown.input_value()):  # its component fills it once it is there
        page.wait_for_timeout(50)
    said = page.evaluate(WORDS)
    phone = w.window(PHONE, has_touch=True, is_mobile=True)
    phone.goto(link)
    size = phone.locator(".player .size")
    size.wait_for()
    # The step sizes beside the page's own come one after the other.
    slider = phone.locator(".player .sizes input")
    slider.wait_for()
    before = size.inner_text()
    w.slide(slider)
    w.sees(size.filter(has_not_text=before))
    w.arrived()
    w.words = said


def saved(w, *doors):
    """Open what leads to the SVG, and download it."""
    for door in doors:
        w.click(door)
    button = named(w, "SVG").and_(w.page.locator(".st-key-export-svg button"))
    button.wait_for()
    with w.page.expect_download() as waiting:
        w.click(button)
    assert ET.parse(waiting.value.path()).getroot().tag.endswith("svg")
    w.arrived()


def picture(w):
    page = w.at("convergence")
    saved(w, named(w, "Download").and_(page.locator(".st-key-downloads button")))


def samplers(w):
    w.at()
    w.click(place(w, "Measure"))
    w.click(tab(w, "samplers"))
    w.page.wait_for_url("**/samplers**")
    w.sees(w.page.get_by_text("evaluations comes nearest").or_(w.page.locator(".takeaway")))
    w.page.wait_for_function("document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length > 20")
    w.arrived()


def steps(w):
    w.at()
    w.click(w.page.locator(".st-key-card-budget").get_by_role("link"))
    w.page.wait_for_url("**/budget**")
    w.sees(w.page.locator(".key-figures"), curves(w))
    w.arrived()
    few, *_, many, _ = (numbers(t)[0] for t in w.page.locator(".key-figures b").all_inner_texts())
    assert 1 <= few < many


TASKS = (
    Task("show a moving picture", "", moving, 0),
    Task("show that SO falls faster than EM", "", faster),
    Task("ask the room, then reveal", "", asked),
    Task("show the floor of a score error", "", floor),
    Task("change the target, watch again", "particles", target, CLICKS),
    Task("show the bound beside the error", "", bound),
    Task("share it, move it on a phone", "particles", shared, CLICKS),
    Task("download the picture as SVG", "convergence", picture),
    Task("compare samplers at equal cost", "", samplers),
    Task("find the steps of an accuracy", "", steps),
)


def walked(browser, address: str, task: Task, walk: Callable) -> Walk:
    """A task, walked."""
    w = Walk(browser, address)
    try:
        walk(w)
    finally:
        w.close()
    return w


def warm(browser, address: str) -> None:
    """Show every page where a task starts once."""
    for start in dict.fromkeys(task.start for task in TASKS):
        w = Walk(browser, address)
        w.at(start)
        w.close()


def main() -> None:
    from playwright.sync_api import Error, sync_playwright

    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed; on Debian: apt-get install chromium fonts-dejavu-core")
    print(f"{'':2}  {'task':36}{'clicks':>6}{'screens':>9}{'seconds':>9}{'words':>7}")
    with (
        tempfile.TemporaryDirectory() as cache,
        running(Path(cache)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        warm(browser, address)
        for number, task in enumerate(TASKS, 1):
            try:
                w = walked(browser, address, task, task.now)
                said = f"{w.clicks:6}{w.screens:9}{w.seconds:9.1f}{w.words:7}"
            except (Error, AssertionError) as error:
                said = f"   failed: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
            print(f"{number:2}  {task.name:36}{said}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
