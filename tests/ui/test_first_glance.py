"""What is seen without scrolling, and where Back and a click lead, in a browser."""

import pytest
from cases import long
from test_browser import rest, visit

from dlab.ui.menu import PLACES

__all__ = ["visit"]  # a fixture

PROJECTOR, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
CURVES = PLACES["Measure"][:6]  # the last one has a line for each of its many grids


@pytest.mark.parametrize(
    ("name", "query"),
    [("convergence", {}), ("convergence", {"scene": "evaluations", "present": "1"})]
    + [long(name, query) for name in CURVES for query in ({}, {"present": "1"})],
    ids=str,
)
def test_a_picture_and_its_numbers_are_whole_on_a_projector(app, visit, name, query):
    page = visit(app, name, query, viewport=PROJECTOR)
    if "scene" in query:
        page.keyboard.press("a")
    chart = page.locator(".js-plotly-plot").first
    chart.locator(".trace").first.wait_for(state="attached")
    rest(page)
    top = page.locator(".key-figures").bounding_box()
    axis = chart.locator(".xtitle").bounding_box()
    assert top["y"] + top["height"] < axis["y"]
    assert axis["y"] + axis["height"] <= PROJECTOR["height"]


@pytest.mark.parametrize("name", ["outside", *map(long, ("learned", "score_error"))])
def test_charts_side_by_side_share_their_lower_edge_and_their_keys_are_whole_on_a_projector(app, visit, name):
    page = visit(app, name, {"present": "1"}, viewport=PROJECTOR)
    page.locator(".js-plotly-plot .trace").first.wait_for(state="attached")
    rest(page)
    frames, keys = ([e.bounding_box() for e in page.locator(kind).all()[:2]] for kind in (".js-plotly-plot .nsewdrag", ".chart-key"))
    ends = [box["y"] + box["height"] for box in frames]
    assert frames[0]["x"] + frames[0]["width"] < frames[1]["x"]
    assert ends[0] == pytest.approx(ends[1], abs=2)
    assert keys
    assert all(max(ends) < key["y"] and key["y"] + key["height"] <= PROJECTOR["height"] for key in keys)


def test_a_phone_shows_all_four_places(app, visit):
    page = visit(app, "convergence", viewport=PHONE)
    last = page.locator(".st-key-menu").get_by_role("link", name=[*PLACES][-1])
    box = last.bounding_box()
    assert box["x"] + box["width"] <= PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("name", ["samplers", *map(long, PLACES["Measure"][:6])])
def test_a_phone_shows_the_tab_that_is_open(app, visit, name):
    page = visit(app, name, viewport=PHONE)
    tab = page.locator("[class*='st-key-here-tab']")
    page.wait_for_function(
        "wide => { const box = document.querySelector(\"[class*='st-key-here-tab']\").getBoundingClientRect();"
        " return box.left >= 0 && box.right <= wide; }", arg=PHONE["width"])  # fmt: skip
    assert tab.inner_text().strip()


TABLES = """[...document.querySelectorAll("[data-testid='stTable']")].map(e => [e.clientWidth, e.querySelector("table").scrollWidth])"""


@pytest.mark.parametrize("name", ["convergence", *map(long, ("score_error", "budget", "horizon"))])
def test_a_table_fits_its_width_on_a_projector(app, visit, name):
    page = visit(app, name, viewport=PROJECTOR)
    page.locator(".js-plotly-plot .trace").first.wait_for(state="attached")
    for title in ("All numbers", *["Every point, and why some are hollow"] * (name == "convergence")):
        page.get_by_text(title, exact=True).click()
        page.get_by_test_id("stTable").last.wait_for()
        rest(page)
    found = page.evaluate(TABLES)
    assert len(found) == 1 + (name == "convergence")
    assert all(inner <= outer for outer, inner in found), found


@pytest.mark.parametrize("query", ["", "?target=nope", "?target=gaussian&schemes=EM,SO&T=4"])
def test_back_from_an_address_that_the_page_writes_anew_leaves_the_lab(app, window, query):
    page = window(PROJECTOR)
    page.goto("data:text/html,before")
    page.goto(f"{app}convergence{query}")
    rest(page)
    page.wait_for_function("given => location.search && location.search !== given", arg=query)
    page.go_back()
    page.wait_for_url("data:text/html,before")
    page.close()


def test_a_clicked_point_brings_its_maps_into_view(app, visit):
    page = visit(app, "convergence", {"schemes": "EM"})
    point = page.locator(".js-plotly-plot .trace .point").nth(2)
    point.wait_for()
    box = point.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".st-key-law-open .js-plotly-plot").first.wait_for()
    page.wait_for_function(
        """() => { const box = document.querySelector(".st-key-law-open .js-plotly-plot").getBoundingClientRect();
             return box.top > 0 && box.bottom < innerHeight; }"""
    )


def test_a_frame_shows_one_picture_with_its_controls_and_nothing_else(app, visit):
    page = visit(app, "convergence", {"schemes": "EM,SO", "embed": "1"}, viewport={"width": 480, "height": 360})
    chart = page.locator(".js-plotly-plot").first
    chart.locator(".trace").first.wait_for(state="attached")
    rest(page)
    box = chart.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 360
    assert page.locator(".st-key-menu, .takeaway, .key-figures").count() == 0
    page.locator("#dlab-sheet").click()
    page.locator(".st-key-controls").get_by_role("slider").first.wait_for(state="visible")
    assert page.evaluate("document.documentElement.scrollWidth") <= 480
