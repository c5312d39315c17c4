"""A whole vote in Chromium: a lecturer's screen and phones, by touch and by keyboard."""

from urllib.parse import urlencode

import pytest
from server import CHROMIUM

from dlab.room.question import SLOPES

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
OWN = "How many *steps* <b> do you need? | 0..100"
WAIT = 180_000  # ms, for a machine that compiles for others too


@pytest.fixture
def visit(chromium):
    """visit(address, width, height): a page of a browser context of its own; what goes wrong on it fails the test."""
    contexts, problems = [], []

    def go(address, width=390, height=844, **media):
        context = chromium.new_context(viewport={"width": width, "height": height}, **media)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" and "/room" in page.url else None)
        page.goto(address)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not problems


def rest(page):
    """Until the script has been still for a moment."""
    page.wait_for_timeout(700)
    page.wait_for_function("document.querySelector(\"[data-testid='stApp'][data-test-script-state='notRunning']\")")
    page.wait_for_timeout(300)


def code_of(page) -> str:
    page.wait_for_selector(".room-code")
    return page.locator(".room-code p").get_attribute("aria-label").split()[-1]


def test_a_lecturer_and_two_phones(app, visit):
    screen = visit(f"{app}convergence?scene=halving&present=1", 1280, 720)
    screen.get_by_role("button", name="Open a room").click()
    code = code_of(screen)
    assert screen.locator(".room-qr").get_attribute("alt").endswith(f"/room/{code}")

    one, two = visit(f"{app}room/{code}", color_scheme="dark"), visit(f"{app}room")
    two.get_by_label("The code on the screen").fill(code.lower())
    two.keyboard.press("Enter")
    for page, (em, so) in ((one, ("1", "2")), (two, ("½", "1"))):
        for label, slope in (("EM", em), ("SO", so)):
            page.get_by_role("group", name=label).get_by_role("button", name=slope, exact=True).click()
        page.get_by_text(f"Your vote: {em} for EM, {so} for SO.").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        heights = page.evaluate("[...document.querySelectorAll('fieldset button')].map(b => b.getBoundingClientRect().height)")
        assert min(heights) >= 44
    screen.locator(".room-count", has_text="2 votes").wait_for()  # by itself

    one.get_by_role("group", name="EM").get_by_role("button", name="2", exact=True).click()
    one.get_by_text("Your vote: 2 for EM, 2 for SO.").wait_for()
    one.reload()
    assert one.get_by_role("group", name="EM").get_by_role("button", name="2", exact=True).get_attribute("aria-pressed") == "true"

    screen.get_by_role("button", name="Show the votes").click()
    screen.wait_for_selector(".room-bars")
    rest(screen)
    lines = screen.locator(".room-bars th").evaluate_all("all => all.map(th => Math.round(th.getBoundingClientRect().height))")
    assert len(set(lines)) == 1, "½ and 1½ stand on one line each"
    answer = screen.get_by_role("button", name="Show the answer")
    box = answer.bounding_box()
    assert box["y"] + box["height"] <= 720, "nobody has to scroll for it"
    assert screen.locator(".js-plotly-plot").count() == 0

    screen.reload()
    assert code_of(screen) == code, "the room is the browser's, not the session's"
    rest(screen)
    answer.click()
    screen.wait_for_selector(".js-plotly-plot")
    rest(screen)
    assert screen.locator(".st-key-answer .room-bars tr").count() == len(SLOPES) * 2
    one.get_by_text("The vote is closed").wait_for()
    assert one.locator("fieldset button:enabled").count() == 0
    screen.get_by_role("button", name="Close the room").click()
    rest(screen)
    assert screen.get_by_role("button", name="Close the room").count() == 0


def test_a_number_is_voted_with_a_slider_and_by_keyboard(app, visit):
    screen = visit(f"{app}convergence?{urlencode({'target': 'gaussian', 'schemes': 'EM', 'h': '0.5..0.25', 'ask': OWN})}", 1280, 720)
    screen.get_by_role("button", name="Open a room").click()
    page = visit(f"{app}room/{code_of(screen)}")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("output").inner_text() == "51"
    page.get_by_role("button", name="Vote").click()
    page.get_by_text("Your vote: 51.").wait_for()
    assert page.locator("h1").inner_text() == "How many *steps* <b> do you need?"
    screen.locator(".room-count", has_text="1 vote").wait_for()
