"""Home in a real browser: it moves at once and by itself, builds its curve, gives the slider to whoever takes it, and leads on."""

import fractions
import re
import zlib

import pytest
from cases import long
from server import ROOT

from dlab import words
from dlab.figures.movie import decode
from dlab.ui import cards, menu, opening, scenes

OPENING = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.opening')).find(Boolean)"
SIZES = ["1", "1/2", "1/4", "1/8", "1/16", "1/32"]


@pytest.fixture
def home(app, window):
    """home(viewport, ...): Home, once its picture is there; the server and the browser have shown it before."""
    shown, problems = [], []

    def go(viewport=(1280, 720), query="", **media):
        page = window(dict(zip(("width", "height"), viewport)), **media)
        shown.append(page)
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{app}{query}")
        page.wait_for_function(f"({OPENING})?.querySelector('.number')?.textContent")
        return page

    yield go
    for page in shown:
        page.close()
    assert not problems


def drawn(page):
    """A checksum of the first panel's particles."""
    return page.locator(".opening canvas.dots").first.evaluate(
        "c => { const px = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let sum = 0; for (let i = 3; i < px.length; i += 4) if (px[i]) sum = (sum * 31 + px[i] + i) % 1e9; return sum; }"
    )


def numbers(page):
    return [float(text.replace("×10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
            for text in page.locator(".opening .number").all_inner_texts()]  # fmt: skip


def points(page):
    return page.locator(".opening .point").count()


def playing(page):
    return page.locator(".opening.playing").count() == 1


def take(page, size):
    page.locator(".opening input").fill(str(SIZES[::-1].index(size)))


# Runs in the page from its first moment: when its particles were first seen to have moved, in ms since the address was asked for.
WATCH = """() => { let before = null; const look = () => {
    const canvas = OPENING?.querySelector('canvas.dots'), ctx = canvas?.width && canvas.getContext('2d');
    if (ctx) { const px = ctx.getImageData(0, 0, canvas.width, canvas.height).data; let sum = 0;
        for (let i = 3; i < px.length; i += 4) if (px[i]) sum = (sum * 31 + px[i] + i) % 1e9;
        if (sum && before !== null && sum !== before) { window.movedAt = performance.now(); return; }
        before = sum || before; }
    setTimeout(look, 30); }; look(); }""".replace("OPENING", f"({OPENING})")


def test_moves_by_itself(home, app, window):
    """Told, not judged, is after how many ms: a machine has other things to do."""
    home()
    page = window({"width": 1280, "height": 720})
    page.add_init_script(f"({WATCH})()")
    page.goto(app, wait_until="commit")
    page.wait_for_function("window.movedAt", timeout=60_000)
    print("moved after", page.evaluate("window.movedAt"))
    page.close()


def test_its_numbers_are_those_of_the_lab(home):
    page = home(reduced_motion="reduce")
    movie = decode(zlib.decompress(opening.make()))
    for i, size in enumerate(SIZES):
        take(page, size)
        assert page.locator(".opening .size").inner_text() == f"h = {size}"
        rung = movie["rungs"][i]
        assert fractions.Fraction(rung["h"]) == fractions.Fraction(size)
        assert numbers(page) == pytest.approx([p["distance"][-1] for p in rung["panels"]], rel=0.006)
    assert "exact" in page.locator(".opening .axis").first.text_content()
    em, so = (p["distance"][-1] for p in movie["rungs"][0]["panels"])
    assert em > 3 * so, "at h = 1 the difference is plain"


def test_the_slider_changes_both_numbers_and_adds_points(home):
    page = home(reduced_motion="reduce")
    assert points(page) == 2
    assert "Still picture" in page.locator(".opening .now").first.inner_text()
    before, seen = numbers(page), drawn(page)
    page.locator(".opening input").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".opening .size").inner_text() == "h = 1/2"
    assert all(b < a for a, b in zip(before, numbers(page), strict=True))
    assert points(page) == 4
    assert drawn(page) != seen
    take(page, "1/16")
    assert points(page) == 6
    take(page, "1/2")
    assert points(page) == 6, "no point comes twice"
    assert page.locator(".opening .end").all_text_contents() == ["EM", "SO"]


def test_reduced_motion_shows_a_still_until_play_is_pressed(home):
    page = home(reduced_motion="reduce")
    before = drawn(page)
    page.wait_for_timeout(700)
    assert drawn(page) == before
    assert not playing(page)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_timeout(700)
    assert playing(page)
    assert drawn(page) != before
    assert page.locator(".opening .size").inner_text() == "h = 1"


def test_it_halves_h_by_itself_until_somebody_takes_the_slider(home):
    page = home()
    page.get_by_role("button", name="Pause", exact=True).click()
    assert not playing(page)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"({OPENING}).querySelectorAll('.point').length === 2")
    page.wait_for_function(f"({OPENING}).querySelector('.size').textContent === 'h = 1/2'")
    assert playing(page)
    take(page, "1/4")
    assert points(page) == 4
    page.wait_for_function(f"!({OPENING}).classList.contains('playing')")
    assert page.locator(".opening .size").inner_text() == "h = 1/4", "nothing moves on by itself"


def test_presentation_mode_keeps_the_curve(home):
    page = home(reduced_motion="reduce")
    take(page, "1/4")
    seen = numbers(page)
    page.locator(".stMain").click(position={"x": 4, "y": 300})
    page.keyboard.press("f")
    page.wait_for_function(f"({OPENING})?.classList.contains('presentation')")
    assert (points(page), numbers(page)) == (4, seen)
    assert page.locator(".opening .size").inner_text() == "h = 1/4"
    box = page.locator(".opening input").bounding_box()
    assert box["y"] + box["height"] <= 720


@pytest.mark.parametrize("viewport", [(1280, 720), (390, 844), long((1440, 900))])
@pytest.mark.parametrize("theme", ["light", long("dark")])
def test_the_first_screen_holds_the_whole_picture(home, viewport, theme):
    page = home(viewport, color_scheme=theme, reduced_motion="reduce")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport[0]
    for part in (".panel", ".curve", "input", ".play"):
        for each in page.locator(f".opening {part}").all():
            box = each.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= viewport[0] + 1, part
            assert box["y"] + box["height"] <= viewport[1], part
    first, second = (p.bounding_box() for p in page.locator(".opening .panel").all())
    assert first["y"] == second["y"], "beside each other"
    assert first["width"] > (330 if viewport[0] > 600 else 165)


def test_every_scene_has_a_card_with_a_picture(home):
    page = home(reduced_motion="reduce")
    names = [card.name for group in cards.groups().values() for card in group]
    assert len(names) == len(set(names))
    assert {s.name for s in scenes.SCENES} < set(names)
    assert set(names) - {s.name for s in scenes.SCENES} - {"tour"} <= set(menu.PAGES)
    assert list(cards.groups()) == ["Start here", "In class", "Research"]
    for name in names:
        image = page.locator(f".st-key-card-{name} img")
        image.wait_for()
        assert image.evaluate("i => i.complete && i.naturalWidth > 0")
    said = page.locator("main, .stMain").first.inner_text()
    assert len(said.split()) <= 200, "words before anything is opened"
    target = page.locator(".st-key-card-outside")
    target.scroll_into_view_if_needed()
    target.click(position={"x": 30, "y": 30})  # on the picture
    page.wait_for_function("q => document.querySelector('h1')?.innerText === q", arg=words.title("outside"))


def test_pictures_of_cards_are_small_and_say_no_answer():
    for group in cards.groups().values():
        for card in group:
            path = cards.FOLDER / f"{card.name}.svg"
            assert path.stat().st_size <= 15_000, path
            said = " ".join(re.findall(r">([^<>]+)</text>", path.read_text("utf-8")))
            assert not re.search(r"\d", said), f"{path.name} says {said}"
    assert (ROOT / "dlab" / "prepared" / "opening.movie").stat().st_size <= 600_000
