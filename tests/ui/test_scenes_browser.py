"""Scenes, guesses and the tour in a real browser: by keyboard, from a link, on a projector and on a phone."""

import pytest
from cases import long
from test_browser import PLAYER, WAIT, menu, nudge, playing, query, rest, title, visit  # noqa: F401

from dlab.ui import links, scenes, tour

CURVE = ".js-plotly-plot .scatterlayer .trace"
PROJECTOR = {"width": 1280, "height": 720}


def press(page, key, question):
    page.wait_for_selector(f".st-key-key-{key} button", state="attached")  # whose part of Streamlit may come after the heading
    page.keyboard.press(key)
    page.wait_for_function("q => document.querySelector('h1')?.innerText === q", arg=question)


def test_digits_open_scenes_but_not_in_a_text_field(app, visit):  # noqa: F811
    page = visit(app, "", {"present": "1"})
    press(page, "6", scenes.BY_NAME["evaluations"].question)
    rest(page)
    page.keyboard.press("a")
    page.wait_for_selector(CURVE)
    rest(page)
    assert {**query(page), "play": "1"} == {**links.address(scenes.BY_NAME["evaluations"]), "present": "1", "play": "1"}
    press(page, "1", scenes.SCENES[0].question)
    playing(page)  # before its other step sizes are there: it plays once
    press(page, "3", scenes.BY_NAME["bound"].question)
    rest(page)
    page.keyboard.press("a")
    page.wait_for_selector(CURVE)
    rest(page)
    assert query(page)["scene"] == "bound"
    page.locator(".st-key-answer").wait_for()
    assert page.get_by_role("button", name="Run (").or_(page.get_by_role("button", name="Cancel")).count() == 0, "it is prepared"
    assert page.locator(".st-key-keys").bounding_box() is None
    page.get_by_role("button", name="Share").click()
    page.get_by_text("Make a lesson link").click()
    field = page.get_by_label("Title", exact=True)
    field.click()
    page.keyboard.type("4 of 5")
    page.keyboard.press("Enter")
    rest(page)
    assert title(page) == scenes.BY_NAME["bound"].question
    assert field.input_value() == "4 of 5"


def test_home_keeps_presentation_mode_on_the_way_to_a_scene(app, visit):  # noqa: F811
    page = visit(app, "", {"present": "1"}, viewport=PROJECTOR)
    scene = scenes.BY_NAME["exponential"]
    page.locator("[class*='st-key-card-']").get_by_role("link", name=scene.question).click()
    page.wait_for_function("q => document.querySelector('h1')?.innerText === q", arg=scene.question)
    page.get_by_role("button", name="Show without guessing").click()
    page.wait_for_selector(CURVE)
    rest(page)
    assert query(page)["present"] == "1"


@pytest.mark.long
def test_the_menu_of_scenes_goes_from_one_to_the_next(app, visit):  # noqa: F811
    page = visit(app, "convergence", links.address(scenes.BY_NAME["floor"]))
    for name in ("void", "too-far"):
        scene = scenes.BY_NAME[name]
        page.get_by_role("button", name="Scenes").click()
        page.get_by_role("link", name=scene.question).click()
        page.wait_for_function("q => document.querySelector('h1')?.innerText === q", arg=scene.question)
        rest(page)
        assert page.get_by_role("link", name=scene.question).count() == 0, "the list has closed"


def test_a_guess_by_keyboard_on_a_projector(app, visit):  # noqa: F811
    page = visit(app, "convergence", {"scene": "halving", "present": "1"}, viewport=PROJECTOR)
    em = page.get_by_role("radiogroup", name="Slope of EM").get_by_role("radio").first
    em.wait_for()
    assert page.locator(".js-plotly-plot, table, [data-testid='stDataFrame']").count() == 0
    assert "1.95" not in page.content()
    em.focus()
    page.keyboard.press("Space")
    rest(page)
    page.keyboard.press("Tab")
    so = page.get_by_role("radiogroup", name="Slope of SO")
    so.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    rest(page)
    show = page.get_by_role("button", name="Show", exact=True)
    show.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(CURVE)
    rest(page)
    answer = page.locator(".st-key-answer")
    assert all(part in answer.inner_text() for part in ("1.03 ± 0.09", "2.0 ± 0.2"))
    for seen in (answer.get_by_text("Answer."), page.locator(".js-plotly-plot").first):
        box = seen.bounding_box()
        assert box["y"] + box["height"] <= 720
    names = page.evaluate("document.querySelector('.js-plotly-plot').data.map(t => t.name)")
    assert {"EM as you guessed", "SO as you guessed"} <= set(names)


@pytest.mark.parametrize("name", ["watch", long("too-far")])
def test_projected_particles_and_their_answer_are_whole_and_the_answer_comes_by_a_key(app, window, name):
    page = window(PROJECTOR)  # other step sizes may be on their way for minutes, so the page is not at rest
    page.set_default_timeout(WAIT)
    page.goto(f"{app}particles?scene={name}&present=1")
    page.locator(".st-key-answer-show, .st-key-guess-skip").get_by_role("button").wait_for()
    assert page.locator(".st-key-answer, .takeaway, .st-key-numbers-open, table").count() == 0
    page.keyboard.press("a")
    page.locator(".st-key-answer").get_by_text("Answer.").wait_for()
    page.wait_for_function(
        f"""() => {{ const player = {PLAYER}?.getBoundingClientRect(), answer = document.querySelector(".st-key-answer");
             return player?.height > 300 && answer.getBoundingClientRect().bottom <= player.top + 1
               && player.bottom <= innerHeight + 1; }}"""
    )
    page.close()


@pytest.mark.parametrize("size", [PROJECTOR, long({"width": 390, "height": 844})], ids=["projector", "phone"])
def test_the_tour_to_its_end(app, visit, size):  # noqa: F811
    page = visit(app, "", {"present": "1"} if size == PROJECTOR else {}, viewport=size)
    page.get_by_role("link", name="guided tour").click()
    for number, step in enumerate(tour.STEPS, 1):
        page.get_by_text(f"Tour {number} of {len(tour.STEPS)}", exact=True).wait_for()
        rest(page)
        assert query(page)["tour"] == str(number)
        if step.page == "convergence":
            page.wait_for_selector(CURVE)
        if step.page == "particles":
            page.wait_for_function(f"({PLAYER})?.querySelector('.clock').textContent")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        if size == PROJECTOR:
            shown = page.locator(".player, .js-plotly-plot, .opening").first.bounding_box()
            assert number == 1 or shown["y"] + shown["height"] <= size["height"] + 1
        bar = page.locator(".st-key-tour").bounding_box()
        assert bar["height"] < (280 if size["width"] < 600 else 150)
        if number < len(tour.STEPS):
            page.keyboard.press("n")
    page.keyboard.press("b")
    page.get_by_text(f"Tour {len(tour.STEPS) - 1} of {len(tour.STEPS)}", exact=True).wait_for()
    rest(page)
    page.get_by_role("button", name="Leave").click()
    page.locator(".st-key-tour").wait_for(state="detached")
    rest(page)
    assert "tour" not in query(page)
    assert query(page)["error"] == "constant"
