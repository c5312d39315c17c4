"""The frame of every page in a real browser: how much there is to read, Back and Forward, a phone's sheet, a run's two buttons."""

import pytest
from cases import long
from server import CHROMIUM
from test_browser import MIXTURE, rest, title, visit  # noqa: F401
from test_scenes_browser import press

from dlab.ui import scenes
from dlab.ui.menu import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

PHONE = {"width": 390, "height": 844}
MOST = 200  # words of a page before something is opened
SEEN = ("", "convergence", "images")  # the others are asked by hand, or before a release
EVERY = [name if name in SEEN else long(name) for name in ("", *(name for name in PAGES if name != "home"))]
WORDS = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  const skipped = [...main.querySelectorAll('.js-plotly-plot, .st-key-keys, style, script')];
  const shown = skipped.map(e => e.style.display);
  skipped.forEach(e => e.style.display = 'none');
  const words = main.innerText.split(/\\s+/).filter(x => /[A-Za-z]{2,}/.test(x)).length;
  skipped.forEach((e, i) => e.style.display = shown[i]);
  return words; }"""


def drawn(page, name):
    """Until the page's own picture is there."""
    if name not in ("", "images"):
        page.locator(".js-plotly-plot" if name != "particles" else ".player").first.wait_for()
    rest(page)


@pytest.mark.parametrize("name", EVERY)
def test_a_page_has_few_words_before_something_is_opened(app, visit, name):  # noqa: F811
    page = visit(app, name)
    drawn(page, name)
    assert 20 < page.evaluate(WORDS) <= MOST
    assert page.get_by_test_id("stException").count() == 0


def here(page):
    return page.evaluate("[history.length, location.pathname + location.search]")


def arrived(page, before):
    """A page other than the one before, at rest."""
    page.wait_for_function("before => location.pathname + location.search !== before", arg=before)
    rest(page, 900)
    return here(page)


def test_every_move_is_one_step_of_back_and_forward(app, visit):  # noqa: F811
    page = visit(app, "", {"v": "2"})
    page.set_default_timeout(60_000)
    card = page.locator("[class*='st-key-card-']").get_by_role("link").nth(1)
    moves = [
        ("a card", card.click),
        ("a place of the menu", lambda: page.locator(".st-key-menu").get_by_role("link", name="Theory").click()),
        ("a digit", lambda: press(page, "2", scenes.SCENES[1].question)),
        ("another place", lambda: page.locator(".st-key-menu").get_by_role("link", name="Studies").click()),
        ("a tab", lambda: page.locator(".st-key-tabs").get_by_role("link", name="Images").click()),
        ("home", lambda: page.locator(".st-key-menu").get_by_role("link", name="Convergence lab").click()),
    ]
    card.wait_for()
    rest(page, 900)
    stops = [(*here(page), title(page))]
    for what, move in moves:
        move()
        length, address = arrived(page, stops[-1][1])
        assert length == stops[-1][0] + 1, what
        stops.append((length, address, title(page)))
    for _, address, heading in reversed(stops[:-1]):
        page.go_back()
        page.wait_for_function("heading => document.querySelector('h1')?.innerText === heading", arg=heading)
        rest(page, 900)
        assert here(page) == [stops[-1][0], address]
    for _, address, heading in stops[1:]:
        page.go_forward()
        page.wait_for_function("heading => document.querySelector('h1')?.innerText === heading", arg=heading)
        rest(page, 900)
        assert here(page) == [stops[-1][0], address]


@pytest.mark.parametrize("name", EVERY)
def test_on_a_phone_controls_wait_in_a_sheet(app, visit, name):  # noqa: F811
    page = visit(app, name, viewport=PHONE)
    drawn(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate("document.querySelector('[data-testid=\"stMain\"]').scrollHeight") < 4000
    button, controls = page.locator("#dlab-sheet"), page.locator(".st-key-controls")
    if not controls.count():
        assert not button.is_visible()
        return
    assert controls.evaluate("e => getComputedStyle(e).position") == "fixed", "it is out of the page's flow"
    assert not controls.is_visible()
    button.click()
    page.wait_for_timeout(400)
    box = controls.bounding_box()
    assert controls.is_visible()
    assert box["y"] >= 0.25 * PHONE["height"]
    assert box["y"] + box["height"] <= PHONE["height"] + 1
    assert box["width"] <= PHONE["width"]
    first = controls.locator("input, button, [role='slider'], [role='combobox']").first
    assert first.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    button.click()
    page.wait_for_timeout(400)
    assert not controls.is_visible()
    button.click()
    page.keyboard.press("Escape")
    page.wait_for_timeout(400)
    assert not controls.is_visible()
    assert button.get_attribute("aria-expanded") == "false"


def test_a_run_shows_no_mark_of_streamlit_and_cancel_stands_apart(app, visit):  # noqa: F811
    page = visit(app, "convergence", {**MIXTURE, "particles": "65536", "seed": "16", "h": "0.5..0.125"})
    run = page.locator(".st-key-run-button-convergence button:visible").first
    before = run.bounding_box()
    run.click()
    cancel = page.locator(".st-key-cancel-button-convergence button:visible").first
    cancel.wait_for()
    assert run.is_disabled()
    one, other = run.bounding_box(), cancel.bounding_box()
    for box in (one, before):
        assert other["x"] > box["x"] + box["width"] + 100 or other["y"] > box["y"] + box["height"]
    assert not page.get_by_test_id("stStatusWidget").is_visible()
    assert page.get_by_test_id("stProgress").is_visible()
    cancel.click()
    page.get_by_role("button", name="Go on (").or_(page.get_by_role("button", name="Run (")).wait_for()
    rest(page)
    assert cancel.count() == 0
    assert not page.get_by_test_id("stStatusWidget").is_visible()
