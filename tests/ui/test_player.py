"""The player in a real browser: it plays without Python, keeps its place, says what it must, and looks after itself."""

import re
import time

import pytest
from cases import long
from server import running

from dlab.words import title

APP = '''
import numpy as np, streamlit as st
from dlab.figures.movie import Movie, Panel, encode
from dlab.ui.player import player

q = st.query_params

def movie(seed, panels):
    rng = np.random.default_rng(seed)
    F = 21
    def cloud(i):
        where = np.cumsum(rng.normal(size=(F, 200, 2)), axis=0) * 0.1
        if i == 0:
            where[12:, :3] = np.nan
            where[15:, 3:8] = 50
        return Panel(f"<b>cloud {i}</b>", "#0072B2", "#56B4E9", where, np.geomspace(1, 1e-12 if "tiny" in q else 0.01, F), "W2 so far",
                     np.arange(F) % 2 == 0)

    def rung(steps):
        """The same straight ways, drift to the right and noise upwards, in more or fewer steps."""
        F, h = steps + 1, 2 / steps
        begin = np.stack(np.meshgrid(np.linspace(-2, 0, 5), np.linspace(-2, 0, 5)), -1).reshape(-1, 2)
        where = begin + np.linspace(0, 2, F)[:, None, None] * np.array([1, 0.5])
        parts = {"drift": np.full((F, 4, 2), [h, 0]), "noise": np.full((F, 4, 2), [0, h / 2])}
        for part in parts.values():
            part[-1] = np.nan
        where = np.concatenate([begin[None].repeat(3, 0), where])
        parts = {n: np.concatenate([np.full((3, 4, 2), np.nan), p]) for n, p in parts.items()}
        clouds = [Panel(f"cloud {i}", "#0072B2", "#56B4E9", where + 0.3 * i, np.append([np.nan] * 3, np.full(F, h)), "W2", parts=parts)
                  for i in range(panels)]
        return Movie(tuple(clouds), np.append([0, 1, 1.5], np.linspace(2, 0, F)), np.append([0, 0, 0], np.arange(F)),
                     (("Noising", 0), ("Sampling", 3)), (-3, 3, -3, 3), h=h, ghost=where[3:, :4] - 0.1, ghost_times=np.linspace(2, 0, F))
    if "ladder" in st.query_params:
        # As a page does it: its own step size first, all of them in a second run.
        return encode(*map(rung, (2, 4, 8)), own=1, scene=str(seed)) if "more" in st.session_state else encode(rung(4), scene=str(seed))
    grid = np.linspace(-3, 3, 32)
    density = np.array([-(grid[:, None] ** 2 + grid ** 2) / (1 + k) for k in range(3)])
    arrows = np.concatenate([rng.normal(size=(3, 25, 2)), -rng.normal(size=(3, 25, 2))], axis=2)
    return encode(Movie(tuple(cloud(i) for i in range(panels)), np.linspace(2, 0, F), np.arange(F),
                        (("First act", 0), ("Second act", 11)), (-3, 3, -3, 3), np.arange(3), density, arrows))

seed = st.number_input("seed", 0, 9, 0)
st.button("again")
st.toggle("player", True, key="shown")
if st.session_state.shown:
    waiting = "others to come" if "ladder" in q and "more" not in st.session_state else ""
    player(movie(seed, int(q.get("panels", 1))), key="p", height=480, autoplay="auto" in q, alt="A test cloud",
           waiting=waiting, chosen=lambda h: st.session_state.update(chosen=h), above=300 if "above" in q else None,
           sizes=(1.0, 0.5, 0.25) if "ladder" in q else (), asked=(None, st.session_state.get("asks", 0)))
st.caption(f"ran with {seed}")
st.button("more", on_click=st.session_state.update, args=({"more": True},))
st.button("ask", on_click=st.session_state.update, args=({"asks": 1},))
if "chosen" in st.session_state:
    st.caption(f"chosen {st.session_state.chosen}")
'''


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("player")
    app = folder / "app.py"
    app.write_text(APP)
    with running(folder, app) as address:
        yield address


def opened(page, address, problems):
    """The page at the address, with what it sends and what goes wrong, once its player is there."""
    page.set_default_timeout(60_000)
    page.sent, page.received = [], []
    page.on("websocket", lambda ws: ws.on("framesent", lambda data: page.sent.append(data)))
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: page.received.append(data)))
    page.on("pageerror", lambda e: problems.append(str(e)))
    page.goto(address)
    page.wait_for_function(f"({FIND})?.querySelector('.clock').textContent")
    return page


@pytest.fixture
def open_page(address, window, chromium):
    closed, problems = [], []

    def go(query="", viewport={"width": 1280, "height": 720}, has_touch=False, **media):  # noqa: B006
        context = chromium.new_context(viewport=viewport, has_touch=True) if has_touch else None
        closed.append(context or window(viewport, **media))
        return opened(context.new_page() if context else closed[-1], address + query, problems)

    yield go
    for each in closed:
        each.close()
    assert not problems


@pytest.fixture(scope="module")
def shared(address, window):
    problems = []
    yield opened(window({"width": 1280, "height": 720}), address, problems)
    assert not problems


@pytest.fixture
def page(shared):
    """The page of one cloud, which several tests share since a browser takes seconds to open it: paused at the first frame."""
    shared.evaluate("document.activeElement.blur()")
    if words(shared, "state") == "Playing":
        shared.get_by_label("Pause", exact=True).click()
    seek(shared, 0)
    return shared


# The player, through the shadow root that Streamlit puts it in.
FIND = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.player')).find(Boolean)"


LAST = 20  # frame of the test's movie, whose frames are equally far apart
LEAD, STEPS = 0.2, 4  # of a ladder: the share of noising, and the steps of the movie's own size


def seek(page, frame):
    page.locator(".player .scrub input").fill(str(frame / LAST))


def climbed(page, step):
    """Goes to a step of a ladder, of its own size."""
    page.locator(".player .scrub input").fill(str(LEAD + (1 - LEAD) * step / STEPS))


def at(page):
    return round(LAST * float(page.locator(".player .scrub input").input_value()), 3)


def words(page, part):
    return page.locator(f".player .{part}").first.inner_text()


def inked(page, canvas="dots"):
    """How many pixels of a canvas are not empty, and a checksum of them."""
    return page.locator(f".player canvas.{canvas}").first.evaluate(
        """c => { const px = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                  let n = 0, sum = 0;
                  for (let i = 3; i < px.length; i += 4) if (px[i]) { n++; sum = (sum * 31 + px[i] + i) % 1e9; }
                  return [n, sum]; }""")


def test_plays_in_the_browser_alone(page):
    assert words(page, "state") == "Paused"
    assert at(page) == 0
    count, before = inked(page)
    assert count > 200
    assert inked(page, "field")[0] > 200
    page.wait_for_timeout(600)
    sent = len(page.sent)
    page.get_by_label("Play", exact=True).click()
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value > 0.06")
    assert words(page, "state") == "Playing"
    page.get_by_label("Pause", exact=True).click()
    stopped = at(page)
    page.wait_for_timeout(200)
    assert at(page) == stopped
    assert words(page, "state") == "Paused"
    assert inked(page)[1] != before
    seek(page, 7.3)
    assert words(page, "clock") == "t = 1.27"
    assert words(page, "count") == "step 7 of 10"
    assert len(page.sent) == sent, "playing or scrubbing spoke to the server"


def test_runs_to_the_end_and_loops(page):
    page.get_by_label("Speed").select_option("4")
    page.get_by_label("Play", exact=True).click()
    page.wait_for_function(f"!{FIND}.classList.contains('playing')")
    assert at(page) == 20
    page.get_by_label("Loop").click()
    page.get_by_label("Play", exact=True).click()
    assert at(page) < 20
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value > 0.995")
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value < 0.5")
    assert words(page, "state") == "Playing"
    page.get_by_label("Loop").click()
    page.get_by_label("Speed").select_option("1")


def test_keys_go_from_real_step_to_real_step(page):
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


def test_keys_are_the_players_where_nothing_has_the_focus(page):
    for focus in (lambda: None, lambda: page.locator(".stMain").click(position={"x": 4, "y": 300})):
        focus()
        page.keyboard.press("Space")
        assert words(page, "state") == "Playing"
        page.keyboard.press("Space")
        assert words(page, "state") == "Paused"
        page.keyboard.press("End")
        assert at(page) == 20
        page.keyboard.press("Home")
        assert at(page) == 0
    page.get_by_label("seed").focus()
    page.keyboard.press("End")
    assert at(page) == 0, "a field keeps its keys"
    page.evaluate("document.activeElement.blur()")
    page.locator(".player").evaluate("p => { p.style.marginTop = '-2000px'; }")
    page.keyboard.press("End")
    assert at(page) == 0, "a player out of sight hears nothing"
    page.locator(".player").evaluate("p => { p.style.marginTop = ''; }")


def test_takes_what_a_tall_window_leaves(open_page):
    page = open_page("?above", viewport={"width": 1280, "height": 1000})
    assert 520 < page.locator(".player").bounding_box()["height"] <= 702
    page.set_viewport_size({"width": 1280, "height": 600})
    page.wait_for_function(f"{FIND}.offsetHeight < 490")


def test_says_what_is_lost_and_where_acts_begin(page):
    page.get_by_role("button", name="Second act").click()
    assert at(page) == 11
    assert words(page, "act") == "Second act"
    assert words(page, "lost") == ""
    seek(page, 16)
    assert words(page, "lost") == "3 of 200 particles diverged, 5 outside the view"
    assert words(page, "name") == "<b>cloud 0</b>"
    assert words(page, "value") == "W₂ = 0.0251"
    assert "only the steps are real" in words(page, "note")
    assert page.get_by_role("img", name="A test cloud: <b>cloud 0</b>").count() == 1


def test_no_cloud_glides_into_another_act(page):
    pictures = []
    for frame in (10, 10.9, 11):
        seek(page, frame)
        pictures.append(inked(page)[1])
    assert pictures[0] == pictures[1] != pictures[2]


def test_arrows_come_on_request(page):
    before = inked(page, "field")
    button = page.get_by_role("button", name="Score arrows")
    button.click()
    assert inked(page, "field") != before
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert inked(page, "field") == before


def test_a_rerun_keeps_the_place_and_a_new_movie_starts_anew(open_page):
    page = open_page()
    seek(page, 7.5)
    page.locator(".player").evaluate("p => { p.mark = 1; }")
    page.get_by_role("button", name="again").click()
    page.wait_for_timeout(800)
    assert at(page) == 7.5
    assert page.locator(".player").evaluate("p => p.mark") == 1
    old = inked(page)[1]
    page.get_by_label("seed").fill("1")
    page.get_by_label("seed").press("Enter")
    page.get_by_text("ran with 1").wait_for()
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value == 0")
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
    moving.wait_for_function(f"{FIND}.querySelector('.scrub input').value > 0.02")


@pytest.mark.parametrize(("width", "panels"), [long(390, 1), (390, 3), long(1280, 3), (1440, 2)])
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


def test_follows_the_theme(page):
    seek(page, 3)
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
    page.emulate_media(color_scheme="light")


def followed(page):
    """Pixels of the colours of the parts and of the grey of the exact path in each panel's overlay."""
    return page.locator(".player canvas.over").evaluate_all("""all => all.map(c => {
        const px = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const near = hex => { const want = [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)); let n = 0;
            for (let i = 0; i < px.length; i += 4)
                if (px[i + 3] > 250 && want.every((v, j) => Math.abs(px[i + j] - v) < 12)) n++;
            return n; };
        return {drift: near('#1f2328'), noise: near('#A3478A'), exact: near('#5b6570'), own: near('#0072B2')}; })""")


def pick(page, x, y, panel=0):
    """Click at a place of the plane in a panel of the box (-3, 3)²."""
    stage = page.locator(".player .stage").nth(panel)
    box = stage.bounding_box()
    stage.click(position={"x": (x + 3) / 6 * box["width"], "y": (3 - y) / 6 * box["height"]})
    page.mouse.move(2, 2)  # over a stage it would show whom a click can pick


def quiet(page):
    """Messages so far, once the page has come to rest."""
    page.wait_for_timeout(800)
    return len(page.sent)


def test_a_particle_is_picked_and_let_go_in_every_panel(open_page):
    page = open_page("?ladder&panels=2", color_scheme="light")
    sent = quiet(page)
    climbed(page, 2)
    none = followed(page)
    page.locator(".player .stage").first.hover()
    assert followed(page)[0]["exact"] > 20
    assert followed(page)[1] == none[1]
    page.mouse.move(2, 2)
    assert all(not any(counts.values()) for counts in none)
    # At step 2 of 4 particle 1 of the first panel stands at (-0.5, -1.5).
    pick(page, -0.5, -1.5)
    for counts in followed(page):
        assert all(n > 3 for n in counts.values()), counts
    assert "Following particle 2 of 4" in page.locator(".player .spoken").text_content()
    assert words(page, "state") == "Paused"
    pick(page, -0.2, -1.2, panel=1)
    assert followed(page) == none, "the same particle again lets go"
    pick(page, -0.5, -1.5)
    pick(page, 2.5, 2.5)
    assert followed(page) == none, "so does an empty place"
    assert words(page, "state") == "Paused"
    page.locator(".player").focus()
    for key, name in (("p", 1), ("p", 2), ("Shift+P", 1), ("Shift+P", 4)):
        page.keyboard.press(key)
        assert f"Following particle {name} of 4" in page.locator(".player .spoken").text_content()
    page.keyboard.press("Escape")
    assert followed(page) == none
    assert len(page.sent) == sent


def test_arrows_of_a_step_stay_until_the_next(open_page):
    page = open_page("?ladder", color_scheme="light")
    page.locator(".player").press("p")
    seen = []
    for step in (1, 1.6, 2, -0.5):
        climbed(page, step)
        seen.append(followed(page)[0])
    assert abs(seen[0]["noise"] - seen[1]["noise"]) < 40
    assert seen[2]["noise"] > 3
    assert seen[3]["noise"] == seen[3]["drift"] == seen[3]["exact"] == 0, "no step is taken while noise is added"


def test_the_step_size_is_live_and_keeps_the_time(open_page):
    page = open_page("?ladder", color_scheme="light")
    slider = page.locator(".player .sizes input")
    assert (words(page, "size"), words(page, "why")) == ("h = 1/2", "others to come")
    climbed(page, 2.5)
    clock = words(page, "clock")
    page.get_by_role("button", name="more").click()
    page.wait_for_function(f"!{FIND}.querySelector('.why').textContent")
    assert (words(page, "clock"), words(page, "size"), words(page, "count")) == (clock, "h = 1/2", "step 2 of 4")
    place, said = at(page), []
    for at_rung in ("2", "0"):
        before = inked(page)[0]
        slider.fill(at_rung)
        assert words(page, "clock") == clock
        assert at(page) == place, "the bar stays where it is"
        said.append((words(page, "size"), words(page, "count"), words(page, "value")))
        assert inked(page)[0] == pytest.approx(before, rel=0.02), "straight ways are the same at every step size"
    assert said == [("h = 1/4", "step 5 of 8", "W₂ = 0.250"), ("h = 1", "step 1 of 2", "W₂ = 1.00")]
    page.locator(".player").press("ArrowRight")
    assert words(page, "clock") == "t = 0.00"
    page.locator(".player").press("Home")
    page.get_by_label("Play", exact=True).click()
    slider.fill("2")
    assert words(page, "state") == "Playing"
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value > 0.05")
    page.get_by_label("Pause", exact=True).click()


def test_the_page_hears_the_step_size_and_sends_no_movie_again(open_page):
    page = open_page("?ladder")
    page.get_by_role("button", name="more").click()
    page.wait_for_function(f"!{FIND}.querySelector('.why').textContent")
    sent = quiet(page)
    page.get_by_label("Play", exact=True).click()
    received = len(page.received)
    for each in ("0", "1", "2"):
        page.locator(".player .sizes input").fill(each)
    page.get_by_text("chosen 0.25").wait_for()
    assert words(page, "state") == "Playing"
    assert words(page, "size") == "h = 1/4"
    quiet(page)
    assert 1 <= len(page.sent) - sent <= 4, "one message, and what Streamlit sends beside it"
    assert sum(map(len, page.received[received:])) < 30_000
    page.get_by_label("Pause", exact=True).click()
    where = at(page)
    page.get_by_role("button", name="ask").click()
    page.wait_for_function(f"{FIND}.querySelector('.size').textContent === 'h = 1/2'")
    assert at(page) == where, "the page asks for its own again"


def test_a_step_size_that_is_not_there_is_asked_for(open_page):
    page = open_page("?ladder")
    clock = words(page, "clock")
    page.locator(".player .sizes input").fill("0")
    assert (words(page, "size"), words(page, "why")) == ("h = 1", "computing h = 1")
    page.get_by_text("chosen 1.0").wait_for()
    page.get_by_role("button", name="more").click()
    page.wait_for_function(f"!{FIND}.querySelector('.why').textContent")
    assert (words(page, "size"), words(page, "count"), words(page, "clock")) == ("h = 1", "", clock)


def read_off(y, ticks, log):
    """The value at a height of an axis, from its first and last tick (value, height)."""
    (low, y0), (high, y1) = ticks[0], ticks[-1]
    share = (y - y0) / (y1 - y0)
    return low * (high / low) ** share if log else low + (high - low) * share


def test_number_and_dot_agree_at_every_place(open_page):
    """The dot's height, read off the axis, is the number; below the axis it is hollow at its foot, and the number says below what."""
    for query in ("", "?tiny", "?ladder&panels=2"):
        page = open_page(query)
        if "ladder" in query:
            page.get_by_role("button", name="more").click()
            page.wait_for_function(f"!{FIND}.querySelector('.why').textContent")
        for place in range(41):
            page.locator(".player .scrub input").fill(str(place / 40))
            shown = page.locator(".player").evaluate("""p => ({
                ticks: [...p.querySelectorAll('.tick')].map(t => [+t.dataset.value, +t.getAttribute('y')]),
                foot: +p.querySelector('.trace .axis').getAttribute('y1'),
                log: p.querySelector('.caption').textContent.includes('log'),
                dots: [...p.querySelectorAll('.here')].map(d => [getComputedStyle(d).display !== 'none', +d.getAttribute('cy'),
                    d.classList.contains('below')]),
                said: [...p.querySelectorAll('.value')].map(v => v.textContent.trim()) })""")
            for (seen, y, below), words_said in zip(shown["dots"], shown["said"], strict=True):
                assert seen == bool(words_said), (place, shown)
                if not seen:
                    continue
                sign, number = re.fullmatch(r"W₂ ([=<]) (.+)", words_said).groups()
                told = float(number.replace("×10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
                assert read_off(y, shown["ticks"], shown["log"]) == pytest.approx(told, rel=0.02)
                assert below == (sign == "<")
                assert not below or y == pytest.approx(shown["foot"], abs=0.5)


def test_a_movie_lasts_as_its_clock_says(page):
    """A coarse step takes a second and more: this movie of 20 frames 16.8 s."""
    page.get_by_label("Play", exact=True).click()
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value > 0.01")
    begun, first = time.monotonic(), at(page)
    page.wait_for_timeout(1500)
    went, took = at(page) - first, time.monotonic() - begun
    page.get_by_label("Pause", exact=True).click()
    assert went / took == pytest.approx(20 / 16.84, rel=0.25)


def test_a_movie_waits_while_parts_of_its_page_still_come(open_page):
    """It would move with them, and keep a slow machine from drawing them; for ten seconds at most."""
    page = open_page()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<i data-testid=stSkeleton></i>')")
    page.get_by_label("Play", exact=True).click()
    page.wait_for_timeout(700)
    assert at(page) == 0
    page.evaluate("document.querySelector('body > [data-testid=stSkeleton]').remove()")
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value > 0.005")


def test_the_step_size_can_be_dragged_on_a_phone(open_page):
    page = open_page("?ladder&panels=3", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="more").click()
    page.wait_for_function(f"!{FIND}.querySelector('.why').textContent")
    box = page.locator(".player .sizes input").bounding_box()
    assert box["width"] >= 200
    assert box["height"] >= 40
    page.touchscreen.tap(box["x"] + box["width"] - 5, box["y"] + 20)
    assert words(page, "size") == "h = 1/4"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_scene_plays_in_wide_panels_and_its_address_follows_the_slider(app, window):
    page = window({"width": 1280, "height": 720})
    page.set_default_timeout(120_000)
    page.goto(f"{app}particles?scene=watch")
    page.wait_for_function(f"({FIND})?.querySelector('.scrub input').value > 0.01")
    for panel in page.locator(".player .stage").all():
        box = panel.bounding_box()
        assert box["width"] >= 310
        assert box["y"] + box["height"] < 720
    assert page.locator(".st-key-controls").get_by_text("Step size h").count() == 0, "one slider of h"
    page.wait_for_function(f"!{FIND}.querySelector('.why').textContent")
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value > 0.1")
    page.locator(".player .sizes input").fill("1")
    page.wait_for_function("location.search.includes('step=0.5')")
    page.wait_for_timeout(500)
    assert at(page) > 0.1 * LAST, "it goes on where it was"
    assert words(page, "state") == "Playing" or at(page) > 0.99 * LAST
    assert words(page, "size") == "h = 1/2"
    page.locator(".st-key-menu").get_by_role("link", name="Theory").click()
    page.wait_for_function("q => document.querySelector('h1')?.innerText === q", arg=title("theory"))
    page.wait_for_timeout(3500)  # after which a player is forgotten
    page.locator(".st-key-menu").get_by_role("link", name="Watch").click()
    page.wait_for_function(f"({FIND})?.querySelector('.scrub input').value > 0.005")
    assert words(page, "size") == "h = 1/2", "the page's"
    page.close()


def test_another_target_starts_anew_by_itself(app, window):
    page = window({"width": 1280, "height": 720})
    page.set_default_timeout(120_000)
    page.goto(f"{app}particles?target=gaussian&panels=EM&moving=500&step=0.5")
    page.wait_for_function(f"({FIND})?.querySelector('.scrub input').value > 0.1 && !{FIND}.querySelector('.why').textContent")
    page.get_by_role("slider", name="Mean μ₁, horizontal").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value < 0.05")
    page.wait_for_function(f"{FIND}.classList.contains('playing') && {FIND}.querySelector('.scrub input').value > 0.01")
    page.wait_for_function(f"{FIND}.querySelector('.scrub input').value > 0.3 && {FIND}.querySelector('.value').textContent.includes('=')")
    page.close()


def test_wrong_bytes_are_refused():
    from dlab.ui.player import player

    with pytest.raises(ValueError, match="expected a movie"):
        player(b"GIF8", key="x")
    with pytest.raises(ValueError, match="at least 240"):
        player(b"DLM2", key="x", height=10)
