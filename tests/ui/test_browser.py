"""The pages in a real browser: links, the menu, Back, reload, runs and downloads, as a visitor meets them."""

import csv
import io
import json
import random
import re
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import numpy as np
import pytest
from apptest import EXACT, MIXTURE, MOVING
from cases import long
from PIL import Image
from test_links import hostile, random_scene

from dlab.ui import links, settings, share
from dlab.ui.menu import PLACES, place_of

WAIT = 120_000  # ms, for a machine that compiles for others too
POINTS = ".js-plotly-plot .scatterlayer .points path"
PLAYER = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.player')).find(Boolean)"


@pytest.fixture
def visit(window):
    """visit(address, page, query): a page at rest; fails where a script raised or asked something of another machine."""
    pages, problems = [], []

    def go(app, name="", query=None, viewport={"width": 1440, "height": 900}, **media):  # noqa: B006
        page = window(viewport, **media)
        pages.append(page)
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.requested = []
        page.on("request", lambda r: page.requested.append(r.url))
        page.goto(f"{app}{name}?{urlencode(query or {})}")
        rest(page)
        return page

    yield go
    for page in pages:
        if not page.is_closed():
            if page.locator("[data-testid='stException']").count():
                problems.append("a page shows an exception")
            problems += [url for url in page.requested if url.startswith("http") and urlsplit(url).hostname != "127.0.0.1"]
            page.close()
    assert not problems


def rest(page, ms=500):
    """Until the script has been still for a moment."""
    page.wait_for_selector("h1")
    quiet = "document.querySelector(\"[data-testid='stApp'][data-test-script-state='notRunning']\")"
    page.wait_for_timeout(400)  # a busy machine is late to begin
    page.wait_for_function(f"{quiet} && !document.querySelector(\"[data-stale='true']\")")
    page.wait_for_timeout(ms)
    page.wait_for_function(quiet)


def title(page):
    return page.locator("h1").inner_text()


def query(page):
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).query).items()}


def knob(page, label):
    """A slider among the controls; the player has one of its own."""
    return page.locator(".st-key-controls").get_by_role("slider", name=label)


def value(page, label):
    return knob(page, label).get_attribute("aria-valuetext")


def nudge(page, label, key="ArrowRight"):
    before = page.url
    knob(page, label).focus()
    page.keyboard.press(key)
    page.wait_for_function("before => location.href !== before", arg=before)
    rest(page)


def menu(page, name):
    """Go to home, or to the first page of a place of the menu."""
    page.locator(".st-key-menu").get_by_role("link", name=place_of(name) or "Convergence lab").click()
    page.wait_for_url(f"**/{name}?**" if name != "home" else "**/?**")
    rest(page)


def seen(page, text):
    page.get_by_text(text).first.wait_for()


def menu_is_whole(page):
    """A link home and one to every place. Streamlit loads the code of its links apart, so they may come after the script's end."""
    links_there = page.locator(".st-key-menu").get_by_role("link")
    row = 1 + len(PLACES)
    links_there.nth(row - 1).wait_for()
    assert links_there.count() == row


def whole(page):
    menu_is_whole(page)
    assert page.locator("h1").is_visible()
    assert page.locator(".st-key-controls").get_by_role("slider").count() >= 4
    assert page.locator(".st-key-controls").get_by_test_id("stSelectbox").count() >= 1
    assert page.locator("[data-testid='stException'], [data-testid='stAlert']").count() == 0
    assert page.get_by_test_id("stSidebarNav").count() == 0


@pytest.mark.long
def test_the_scene_follows_the_menu_the_reload_and_back(app, visit):
    page = visit(app, "convergence", EXACT)
    nudge(page, "Curvature κ₁")
    assert value(page, "Curvature κ₁") == "2.10"
    assert query(page)["k1"] == "2.1"
    assert query(page)["v"] == "2"
    menu(page, "particles")
    page.wait_for_function(f"({PLAYER})?.querySelector('.clock').textContent")
    assert value(page, "Curvature κ₁") == "2.10"
    nudge(page, "Curvature κ₁")
    nudge(page, "Step size h", "ArrowLeft")  # the player's, of which the page hears when it rests
    page.wait_for_function("location.search.includes('step=0.5')")
    assert (query(page)["k1"], query(page)["step"]) == ("2.2", "0.5")
    menu(page, "convergence")
    assert value(page, "Curvature κ₁") == "2.20"
    assert query(page)["step"] == "0.5"
    before = query(page)
    page.reload()
    rest(page)
    assert query(page) == before
    assert value(page, "Curvature κ₁") == "2.20"
    states = []
    for _ in range(6):
        page.go_back()
        if page.url == "about:blank":  # a busy machine took two changes of the address as one
            break
        rest(page, 900)
        # What the controls show is what the address says, on every stop of the way back.
        if page.get_by_role("slider", name="Curvature κ₁").count():
            shown = float(value(page, "Curvature κ₁"))
            assert float(query(page)["k1"]) == shown, page.url
            states.append(shown)
    assert states[0] == 2.2
    assert 2.0 in states, states
    assert title(page) == "How fast does the error fall when the steps are halved?"
    page.go_forward()
    rest(page)
    assert float(query(page)["k1"]) == float(value(page, "Curvature κ₁"))


def playing(page):
    page.wait_for_function(f"({PLAYER})?.classList.contains('playing')")


def picture(page):
    return page.locator(".player canvas.dots").first.evaluate(
        "c => { const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let s = 0;"
        " for (let i = 3; i < p.length; i += 4) if (p[i]) s = (s * 31 + p[i] + i) % 1e9; return s; }"
    )


def save(page, label):
    button = page.locator("[class*='st-key-export-']").get_by_role("button", name=label, exact=True)
    if not button.count():
        page.locator(".st-key-menu").get_by_role("button", name="Download").click()
    with page.expect_download() as got:
        button.first.click()
    assert got.value.failure() is None
    return got.value.suggested_filename, open(got.value.path(), "rb").read()


def test_the_main_job(app, visit, tmp_path, chromium):
    """Home, a scene that moves, another target, its curve, and every file to take away."""
    page = visit(app)
    page.get_by_role("link", name="What does a sampler do?").click()
    playing(page)
    # The page is whole, and a movie waits for that.
    page.wait_for_function("location.search.includes('target=') && !document.querySelector('[data-testid=stSkeleton]')")
    first = picture(page)
    page.wait_for_timeout(700)
    assert picture(page) != first
    # A visitor does not wait for what is computed meanwhile, and the lab gives it up.
    page.get_by_test_id("stSelectbox").first.click()
    page.get_by_role("option", name="Gaussian", exact=True).click()
    page.wait_for_function("!location.search.includes('target=')")  # the default
    menu(page, "convergence")
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    assert "target" not in query(page)
    for scheme in ("EM", "EI", "REM", "REI", "SO"):
        page.wait_for_function(f"document.querySelector('.js-plotly-plot')?.innerText.match(/\\b{scheme}\\b/)")
    check_files(page, chromium, tmp_path)


def check_files(page, chromium, tmp_path):
    """They arrive; what is in them is read in test_downloads.py."""
    for label, begins in (("SVG", b"<?xml"), ("PDF", b"%PDF"), ("PNG", b"\x89PNG"), ("CSV", b"scheme,")):
        name, data = save(page, label)
        assert name.endswith(f".{label.lower()}")
        assert data.removeprefix(b"\xef\xbb\xbf").startswith(begins)
    result = json.loads(save(page, "JSON")[1])
    steepest = re.search(r"steepest slope, (\w+)\s+(\S+)", page.locator(".key-figures").inner_text())
    fit = next(f for f in result["fits"] if f["scheme"] == steepest[1])
    assert float(steepest[2]) == pytest.approx(fit["slope"], rel=0.06)
    assert json.loads(save(page, "Study")[1]) == result["study"]
    name, data = save(page, "HTML")
    file = tmp_path / name
    file.write_bytes(data)
    context = chromium.new_context(offline=True)
    alone = context.new_page()
    asked = []
    alone.on("request", lambda r: asked.append(r.url))
    alone.goto(file.as_uri())
    alone.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    assert alone.locator(".js-plotly-plot").bounding_box()["height"] > 300
    alone.locator(".js-plotly-plot").hover()
    assert alone.locator(".modebar-btn").count() > 0
    assert alone.locator("[data-title*='loud'], [data-title*='Chart Studio'], .plotlyjsicon").count() == 0
    assert [u for u in asked if not u.startswith(("file:", "data:", "blob:"))] == []
    context.close()


def test_a_costly_run(app, visit, tmp_path):
    """It waits for Run and says its cost; points appear; a moved control greys it; its files; its study reopens."""
    page = visit(app, "convergence", {**MIXTURE, "seed": "5"})
    run = page.get_by_role("button", name="Run (")
    assert re.search(r"Run \(.*(second|s\b|minute)", run.inner_text())
    assert page.locator(POINTS).count() == 0  # axes alone
    seen(page, "Nothing has been measured")
    run.click()
    page.get_by_role("button", name="Cancel").wait_for()
    page.get_by_test_id("stProgress").wait_for()
    page.wait_for_selector(POINTS)
    page.get_by_role("button", name="Cancel").wait_for(state="detached")
    rest(page)
    assert page.get_by_role("button", name="Run (").count() == 0
    page.locator(".takeaway").wait_for()
    data = np.load(io.BytesIO(save(page, "Particles")[1]))
    assert {"EM_8", "EM_16"} <= set(data.files)
    assert any(n.startswith("reference") for n in data.files)
    assert data["EM_8"].shape == (512, 2)
    assert np.isfinite(data["EM_8"]).all()
    study = save(page, "Study")[1]
    rows = list(csv.DictReader(io.StringIO(save(page, "CSV")[1].decode())))
    assert [r["h"] for r in rows] in (["0.5", "0.25"], ["0.25", "0.5"])
    before = query(page)
    nudge(page, "Separation δ")
    assert page.locator("[class*='st-key-stale-'] .js-plotly-plot").count() == 1
    assert float(page.locator("[class*='st-key-stale-']").evaluate("e => getComputedStyle(e).opacity")) < 0.8
    seen(page, "other settings")
    assert page.get_by_role("button", name="Run (").count() == 1
    # Its study opens the scene again, result and all.
    page.get_by_role("button", name="Open a study file").click()
    file = tmp_path / "study.json"
    file.write_bytes(study)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.locator("[class*='st-key-stale-']").wait_for(state="detached")
    rest(page)
    assert page.locator(".js-plotly-plot").count() == 1
    again = query(page)
    told = ("T", "h", "seed", "particles", "schemes")
    assert {k: again.get(k) for k in told} == {k: before.get(k) for k in told}
    shared = visit(app, "convergence", again)
    shared.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    assert shared.locator(".js-plotly-plot").count() == 1
    assert shared.get_by_role("button", name="Run (").count() == 0


def long_run(app, visit, seed):
    """The page on which a long run has given its first points."""
    page = visit(app, "convergence", {**MIXTURE, "particles": "65536", "seed": seed, "h": "0.5..0.125"})
    page.get_by_role("button", name="Run (").click()
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    return page


@pytest.mark.long
def test_cancel_keeps_the_points_so_far(app, visit):
    page = long_run(app, visit, "6")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Run (").wait_for()
    rest(page)
    assert page.locator(".js-plotly-plot .scatterlayer .trace").count() > 0
    assert page.locator("[class*='st-key-stale-']").count() == 0
    seen(page, "cancelled")
    assert page.get_by_test_id("stProgress").count() == 0


@pytest.mark.long
def test_a_moved_control_cancels_a_run(app, visit):
    page = long_run(app, visit, "7")
    page.get_by_role("slider", name="Variance v").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Run (").wait_for()
    rest(page)
    assert page.locator("[class*='st-key-stale-'] .js-plotly-plot").count() == 1
    seen(page, "other settings")


@pytest.mark.parametrize("name", [long(""), long("particles"), "convergence"])
def test_on_a_phone_the_picture_comes_first(app, visit, name):
    page = visit(app, name, {**EXACT, **MOVING}, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    if name:
        shown = page.locator(".js-plotly-plot" if name == "convergence" else ".player").first
        shown.wait_for()
        assert not page.locator(".st-key-controls").is_visible()
        assert shown.bounding_box()["width"] <= 390
        assert shown.bounding_box()["y"] < 400


@pytest.mark.long
def test_bad_uploads_say_one_sentence(app, visit, tmp_path):
    page = visit(app, "convergence", {**EXACT, "k1": "3.3"})
    page.get_by_role("button", name="Open a study file").click()
    for i, (text, says) in enumerate((("{", "JSON"), ('{"target": {"name": "gauss"}}', "gauss"), ("", "JSON"))):
        file = tmp_path / f"study{i}.json"
        file.write_text(text)
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
        page.get_by_test_id("stAlert").filter(has_text=says).wait_for()
        rest(page)
    assert query(page)["k1"] == "3.3"
    assert page.locator(".js-plotly-plot").count() == 1


EVIL = "<img src=http://evil.example/i onerror=alert(1)><script>alert(2)</script>[a](http://evil.example) WWW.evil.example"

# Links of the page to the host that hostile text names; the menu's own carry that text as text.
LED_AWAY = "[...document.links].filter(a => a.hostname.endsWith('.example')).length"


def test_a_lesson_stands_on_top_and_can_be_left(app, visit):
    lesson = {"title": EVIL, "question": ":material/delete: $x$ -> http://evil.example", "hide": "error,sampling", "fix": "target,h"}
    page = visit(app, "convergence", {**EXACT, **lesson})
    dialogs = []
    page.on("dialog", lambda d: (dialogs.append(d), d.dismiss()))
    page.get_by_role("button", name="Open everything").wait_for()
    assert title(page).replace("\u2060", "") == EVIL
    assert page.locator(".st-key-question").inner_text().replace("\u2060", "") == lesson["question"]
    assert page.evaluate(LED_AWAY) == 0
    assert page.locator(".st-key-head img, .st-key-question :is([role='img'], .katex)").count() == 0
    controls = page.locator(".st-key-controls")
    assert controls.get_by_text("Score error").count() == 0
    assert controls.get_by_text("Sampling and measuring").count() == 0
    assert controls.get_by_role("slider", name="Curvature κ₁").is_disabled()
    assert controls.get_by_role("slider", name="Step sizes h").first.is_disabled()
    assert query(page)["fix"] == "target,h"
    page.get_by_role("button", name="Open everything").click()
    controls.get_by_text("Score error").first.wait_for()
    rest(page)
    assert title(page) == "How fast does the error fall when the steps are halved?"
    assert not controls.get_by_role("slider", name="Curvature κ₁").is_disabled()
    assert not {"title", "question", "hide", "fix"} & set(query(page))
    assert not dialogs


def test_f_presents_and_comes_back(app, visit):
    page = visit(app, "convergence", EXACT | MOVING, viewport={"width": 1280, "height": 720})
    page.locator(".js-plotly-plot .scatterlayer .trace").first.wait_for()
    page.keyboard.press("f")
    page.locator(".st-key-controls").wait_for(state="detached")
    rest(page)
    assert query(page)["present"] == "1"
    look = page.evaluate(
        "() => { const g = document.querySelector('.js-plotly-plot'), s = e => getComputedStyle(document.querySelector(e));"
        " return {font: g._fullLayout.font.size, lines: g._fullData.filter(t => t.mode.includes('lines') && t.line?.width)"
        ".map(t => t.line.width), text: parseFloat(s('.stMarkdown p').fontSize), ink: s('h1').color,"
        " bottom: g.getBoundingClientRect().bottom, wide: g.getBoundingClientRect().width}; }"
    )
    assert look["font"] >= 20
    assert max(look["lines"]) >= 3
    assert look["text"] >= 20
    assert look["ink"] == "rgb(0, 0, 0)"
    assert look["bottom"] <= 720
    assert look["wide"] > 1100
    page.get_by_role("button", name="Show controls").click()
    page.locator(".st-key-controls").get_by_role("slider").first.wait_for()
    menu(page, "particles")
    page.wait_for_function(f"({PLAYER})?.classList.contains('presentation')")
    page.get_by_role("button", name="Hide controls").click()
    page.locator(".st-key-controls").wait_for(state="detached")
    page.locator(".player").focus()
    page.keyboard.press("f")
    page.locator(".st-key-controls").wait_for()
    rest(page)
    assert "present" not in query(page)


def scanned(code):
    """The squares of a QR code as they stand on the screen, in their white margin of four."""
    picture = np.asarray(Image.open(io.BytesIO(code.screenshot())).convert("L"))
    count = code.evaluate("e => e.naturalWidth") // 4 - 8  # it is drawn with four pixels a square
    at = ((np.arange(count + 8) + 0.5) * picture.shape[0] / (count + 8)).astype(int)
    dark = picture[np.ix_(at, at)] < 128
    assert not dark[:4].any()
    assert not dark[:, :4].any()
    return dark[4:-4, 4:-4]


def test_share_copies_the_link_without_https(app, visit):
    """A room reaches the lab by a plain address, where browsers lend no clipboard."""
    page = visit(app, "convergence", {**EXACT, "k1": "3"})
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', {get: () => undefined})")
    page.reload()
    rest(page)
    page.get_by_role("button", name="Share").click()
    page.locator("img.qr").wait_for()
    rest(page)
    link = page.get_by_label("Link of this scene").input_value()
    assert {k: v[0] for k, v in parse_qs(urlsplit(link).query).items()} == query(page)
    assert urlsplit(link).path == "/convergence"
    assert page.locator(".st-key-sharing").get_by_text("this machine only").count() == 1
    assert (scanned(page.locator("img.qr")) == np.array(share.qr(link).matrix)).all()
    page.evaluate("document.addEventListener('copy', () => { window.copied = true; })")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("window.copied")
    with page.expect_download() as got:
        page.get_by_role("button", name="QR code (SVG)").click()
    assert ET.parse(got.value.path()).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    page.get_by_text("Make a lesson link").click()
    page.get_by_label("Title", exact=True).fill("Which falls faster? f")
    page.keyboard.press("Enter")
    field = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.copy input')).find(Boolean)"
    page.wait_for_function(f"{field}.value.includes('title=')")
    made = page.get_by_label("Link of this scene").input_value()
    assert "present" not in query(page), "F in a text field is a letter"
    assert visit(made.split("convergence")[0], "convergence", dict(parse_qsl(urlsplit(made).query))).locator("h1").inner_text() == (
        "Which falls faster? f"
    )


@pytest.mark.parametrize("seed", [0, *map(long, range(1, 10))])
def test_a_random_scene_comes_through_the_controls_unchanged(app, visit, seed):
    """The address is written anew from what the controls hold, so a value that one of them bends shows there."""
    values = random_scene(random.Random(4000 + seed)) | {"ask": "", "estimator": "projected", "h": (0.5, 0.25), "hs": None, "T": 2}
    wanted = links.write(values, "convergence")
    page = visit(app, "convergence", wanted)
    page.locator(".js-plotly-plot, .st-key-run-button-convergence").first.wait_for()
    assert query(page) == wanted
    assert page.locator(".st-key-notes").count() == 0
    assert bool(page.locator(".st-key-controls").count()) == (not values["present"] and set(settings.GROUPS) > set(values["hide"]))


@pytest.mark.parametrize("seed", [0, *map(long, range(1, 10))])
def test_hostile_query_strings_in_a_browser(app, visit, seed):
    name = ("convergence", "particles", "")[seed % 3]
    page = visit(app, name, EXACT | MOVING)
    dialogs = []
    page.on("dialog", lambda d: (dialogs.append(d), d.dismiss()))
    page.requested.clear()
    page.goto(f"{app}{name}?title={quote(EVIL)}&{hostile(random.Random(seed))}")
    page.locator(".st-key-notes [data-testid='stAlert']").wait_for()
    rest(page)
    menu_is_whole(page)
    assert page.locator("h1").is_visible()
    assert page.get_by_text("Traceback").count() == 0
    assert page.evaluate(LED_AWAY) == 0
    assert page.locator("img[src*='example']").count() == 0
    if name == "convergence":
        page.locator(".js-plotly-plot, .st-key-run-button-convergence").first.wait_for()
    assert not dialogs
