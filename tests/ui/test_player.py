"""The player in a real browser: it plays without Python, keeps its place, says what it must, and looks after itself."""

import pytest
from server import CHROMIUM, running

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

APP = '''
import numpy as np, streamlit as st
from dlab.figures.movie import Movie, Panel, encode
from dlab.ui.player import player

def movie(seed, panels):
    rng = np.random.default_rng(seed)
    F = 21
    def cloud(i):
        where = np.cumsum(rng.normal(size=(F, 200, 2)), axis=0) * 0.1
        if i == 0:
            where[12:, :3] = np.nan
            where[15:, 3:8] = 50
        return Panel(f"<b>cloud {i}</b>", "#0072B2", "#56B4E9", where, np.geomspace(1, 0.01, F), "W2 so far",
                     np.arange(F) % 2 == 0)
    grid = np.linspace(-3, 3, 32)
    density = np.array([-(grid[:, None] ** 2 + grid ** 2) / (1 + k) for k in range(3)])
    arrows = np.concatenate([rng.normal(size=(3, 25, 2)), -rng.normal(size=(3, 25, 2))], axis=2)
    return encode(Movie(tuple(cloud(i) for i in range(panels)), np.linspace(2, 0, F), np.arange(F),
                        (("First act", 0), ("Second act", 11)), (-3, 3, -3, 3), np.arange(3), density, arrows))

q = st.query_params
seed = st.number_input("seed", 0, 9, 0)
st.button("again")
st.toggle("player", True, key="shown")
if st.session_state.shown:
    player(movie(seed, int(q.get("panels", 1))), key="p", height=480, autoplay="auto" in q, alt="A test cloud")
st.caption(f"ran with {seed}")
'''


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("player")
    app = folder / "app.py"
    app.write_text(APP)
    with running(folder, app) as address:
        yield address


@pytest.fixture
def open_page(address, chromium):
    contexts, problems = [], []

    def go(query="", **context):
        contexts.append(chromium.new_context(**{"viewport": {"width": 1280, "height": 720}, **context}))
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        page.sent = []
        page.on("websocket", lambda ws: ws.on("framesent", lambda data: page.sent.append(data)))
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.goto(address + query)
        page.wait_for_function(f"({FIND})?.querySelector('.clock').textContent")
        return page

    yield go
    for context in contexts:
        context.close()
    assert not problems


# The player, through the shadow root that Streamlit puts it in.
FIND = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.player')).find(Boolean)"


def at(page):
    return float(page.locator(".player input[type=range]").input_value())


def words(page, part):
    return page.locator(f".player .{part}").first.inner_text()


def inked(page, canvas="dots"):
    """How many pixels of a canvas are not empty, and a checksum of them."""
    return page.locator(f".player canvas.{canvas}").first.evaluate(
        """c => { const px = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                  let n = 0, sum = 0;
                  for (let i = 3; i < px.length; i += 4) if (px[i]) { n++; sum = (sum * 31 + px[i] + i) % 1e9; }
                  return [n, sum]; }""")


def test_plays_in_the_browser_alone(open_page):
    page = open_page()
    assert words(page, "state") == "Paused"
    assert at(page) == 0
    count, before = inked(page)
    assert count > 200
    assert inked(page, "field")[0] > 200
    page.wait_for_timeout(600)
    sent = len(page.sent)
    page.get_by_label("Play", exact=True).click()
    page.wait_for_function(f"{FIND}.querySelector('input').value > 1.2")
    assert words(page, "state") == "Playing"
    page.get_by_label("Pause", exact=True).click()
    stopped = at(page)
    page.wait_for_timeout(200)
    assert at(page) == stopped
    assert words(page, "state") == "Paused"
    assert inked(page)[1] != before
    page.locator(".player input[type=range]").fill("7.25")
    assert words(page, "clock") == "t = 1.27"
    assert words(page, "count") == "step 7 of 10"
    assert len(page.sent) == sent, "playing or scrubbing spoke to the server"


def test_runs_to_the_end_and_loops(open_page):
    page = open_page()
    page.get_by_label("Speed").select_option("4")
    page.get_by_label("Play", exact=True).click()
    page.wait_for_function(f"!{FIND}.classList.contains('playing')")
    assert at(page) == 20
    page.get_by_label("Loop").click()
    page.get_by_label("Play", exact=True).click()
    assert at(page) < 20
    page.wait_for_function(f"{FIND}.querySelector('input').value > 19.9")
    page.wait_for_function(f"{FIND}.querySelector('input').value < 10")
    assert words(page, "state") == "Playing"


def test_keys_go_from_real_step_to_real_step(open_page):
    page = open_page()
    page.locator(".player").focus()
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowLeft", "Home"):
        page.keyboard.press(key)
        seen.append(at(page))
    assert seen == [2, 4, 2, 20, 18, 0]
    page.keyboard.press("Space")
    assert words(page, "state") == "Playing"
    page.keyboard.press("Space")
    assert words(page, "state") == "Paused"


def test_says_what_is_lost_and_where_acts_begin(open_page):
    page = open_page()
    page.get_by_role("button", name="Second act").click()
    assert at(page) == 11
    assert words(page, "act") == "Second act"
    assert words(page, "lost") == ""
    page.locator(".player input[type=range]").fill("16")
    assert words(page, "lost") == "3 of 200 particles diverged, 5 outside the view"
    assert words(page, "name") == "<b>cloud 0</b>"
    assert words(page, "value") == "0.0251"
    assert "only the steps are real" in words(page, "note")
    assert page.get_by_role("img", name="A test cloud: <b>cloud 0</b>").count() == 1


def test_no_cloud_glides_into_another_act(open_page):
    page = open_page()
    scrub = page.locator(".player input[type=range]")
    pictures = []
    for value in ("10", "10.9", "11"):
        scrub.fill(value)
        pictures.append(inked(page)[1])
    assert pictures[0] == pictures[1] != pictures[2]


def test_arrows_come_on_request(open_page):
    page = open_page()
    before = inked(page, "field")
    button = page.get_by_role("button", name="Score arrows")
    button.click()
    assert inked(page, "field") != before
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert inked(page, "field") == before


def test_a_rerun_keeps_the_place_and_a_new_movie_starts_anew(open_page):
    page = open_page()
    page.locator(".player input[type=range]").fill("7.5")
    page.locator(".player").evaluate("p => { p.mark = 1; }")
    page.get_by_role("button", name="again").click()
    page.wait_for_timeout(800)
    assert at(page) == 7.5
    assert page.locator(".player").evaluate("p => p.mark") == 1
    old = inked(page)[1]
    page.get_by_label("seed").fill("1")
    page.get_by_label("seed").press("Enter")
    page.get_by_text("ran with 1").wait_for()
    page.wait_for_function(f"{FIND}.querySelector('input').value == 0")
    assert inked(page)[1] != old


def test_a_player_taken_down_stops(open_page):
    page = open_page("?auto")
    page.wait_for_function(f"{FIND}?.classList.contains('playing')")
    page.get_by_text("player", exact=True).click()
    page.wait_for_function(f"!({FIND})")
    page.get_by_text("player", exact=True).click()
    page.wait_for_function(f"({FIND})?.querySelector('.clock').textContent")
    assert inked(page)[0] > 200


def test_autoplay_yields_to_reduced_motion(open_page):
    page = open_page("?auto", reduced_motion="reduce")
    page.wait_for_timeout(300)
    assert words(page, "state") == "Paused"
    assert at(page) == 0
    moving = open_page("?auto", reduced_motion="no-preference")
    moving.wait_for_function(f"{FIND}.querySelector('input').value > 0.5")


@pytest.mark.parametrize(("width", "panels"), [(390, 1), (390, 3), (1280, 3), (1440, 2)])
def test_fits_its_width(open_page, width, panels):
    page = open_page(f"?panels={panels}", viewport={"width": width, "height": 844})
    assert page.locator(".player .panel").count() == panels
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator(".player").bounding_box()
    for part in (".panel", ".bar", ".status", "canvas.dots", "button:visible"):
        for e in page.locator(f".player {part}").all():
            inner = e.bounding_box()
            assert inner["x"] >= box["x"] - 1, part
            assert inner["x"] + inner["width"] <= box["x"] + box["width"] + 1, part
    if width > 600:
        assert box["height"] <= 482


def test_follows_the_theme(open_page):
    page = open_page(color_scheme="light")
    page.locator(".player input[type=range]").fill("3")
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(800)
        colours.append(page.locator(".player canvas.dots").first.evaluate(
            "c => { const px = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " let at = 3; for (let i = 3; i < px.length; i += 4) if (px[i] > px[at]) at = i;"
            " return [...px.slice(at - 3, at)]; }"))
    assert all(abs(a - b) <= 3 for a, b in zip(colours[0], (0, 0x72, 0xB2), strict=True)), colours
    assert at(page) == 3
    assert all(abs(a - b) <= 3 for a, b in zip(colours[1], (0x56, 0xB4, 0xE9), strict=True)), colours


def test_wrong_bytes_are_refused():
    from dlab.ui.player import player

    with pytest.raises(ValueError, match="expected a movie"):
        player(b"GIF8", key="x")
    with pytest.raises(ValueError, match="at least 240"):
        player(b"DLM1", key="x", height=10)
