"""What a visitor takes away, as it arrives in a browser: options, films, texts, and the player on a page of its own."""

import io

import numpy as np
import pytest
from PIL import Image
from test_browser import EXACT, MOVING, PLAYER, menu, rest, save, visit  # noqa: F401

from dlab import export
from dlab.export import film
from dlab.figures.movie import Movie, Panel, encode


def png(page):
    return Image.open(io.BytesIO(save(page, "PNG")[1])).convert("RGB")


def until(page, condition):
    """As wait_for_function, which evaluates its words again and again: the page's policy forbids that."""
    page.evaluate(f"() => new Promise(done => {{ const look = () => {condition} ? done() : requestAnimationFrame(look); look(); }})")


def coloured(picture):
    return np.ptp(np.asarray(picture).astype(int), axis=2).max() > 60


@pytest.mark.long
def test_figure_options_reach_the_file_and_stay(app, visit):  # noqa: F811
    page = visit(app, "convergence", EXACT)
    first = png(page)
    assert first.size[0] == pytest.approx(160 / 25.4 * 300, abs=1)
    assert coloured(first)
    page.get_by_text("Size, font and palette of pictures").click()
    page.get_by_role("radio", name="px", exact=True).or_(page.get_by_role("button", name="px", exact=True)).click()
    rest(page)
    width = page.get_by_label("Width (px)", exact=True)
    width.fill("700")
    width.press("Enter")
    rest(page)
    page.get_by_role("radio", name="Grey", exact=True).or_(page.get_by_role("button", name="Grey", exact=True)).click()
    rest(page)
    assert "700" not in page.url
    page.keyboard.press("Escape")
    menu(page, "home")
    menu(page, "convergence")
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace")
    second = png(page)
    assert second.size[0] == 700
    assert not coloured(second)
    for label, begins in (("LaTeX", b"% needs"), ("Python", b"# The numbers"), ("BibTeX", b"@inproceedings")):
        assert save(page, label)[1].startswith(begins), label
    page.get_by_text("Caption", exact=True).click()
    page.get_by_text("W₂ distance between the law of EM and SO").wait_for()


def test_films(app, visit):  # noqa: F811
    page = visit(app, "particles", MOVING)
    page.wait_for_function(f"({PLAYER})?.querySelector('.clock').textContent")
    name, data = save(page, "GIF")
    assert name == "particles-gaussian-EM.gif"
    assert Image.open(io.BytesIO(data)).n_frames > 6 * film.GIF_FPS  # no movie is shorter than 6 s of steps
    if export.missing("mp4") is None:
        data = save(page, "MP4")[1]
        assert data[4:8] == b"ftyp"
    assert save(page, "HTML player")[1].startswith(b"<!doctype html>")
    assert save(page, "CSV")[1].startswith(b"n,t,EM")


def test_the_player_s_page_plays_without_a_network(chromium, tmp_path):
    rng, x = np.random.default_rng(0), np.linspace(-3, 3, 16)
    data = encode(Movie(
        (Panel("EM", "#0072B2", "#56B4E9", rng.normal(size=(9, 200, 2)), np.geomspace(1, 0.1, 9), "W₂ so far"),),
        np.linspace(2, 0, 9), np.arange(9), (("Sampling", 0),), (-3, 3, -3, 3), np.array([0.0]),
        -(x[:, None] ** 2 + x**2)[None],
    ))  # fmt: skip
    file = tmp_path / "player.html"
    file.write_bytes(export.film_bytes(data, "html", title="EM alone", caption="EM ends <here>"))
    for scheme, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(14, 17, 23)")):
        context = chromium.new_context(offline=True, color_scheme=scheme, viewport={"width": 1280, "height": 800})
        page, asked, said = context.new_page(), [], []
        page.on("request", lambda r, asked=asked: asked.append(r.url))
        page.on("console", lambda m, said=said: said.append(m.text))
        page.on("pageerror", lambda e, said=said: said.append(str(e)))
        page.goto(file.as_uri())
        until(page, "document.querySelector('.clock').textContent")
        page.get_by_label("Play", exact=True).click()
        until(page, "document.querySelector('.player .scrub input').value > 0.1")
        page.locator(".player").press("End")
        assert page.locator(".player .count").inner_text() == "step 8 of 8"
        inked = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)"
        assert page.locator("canvas.dots").evaluate(inked)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == colour
        assert page.get_by_text("EM ends <here>").count() == 1
        assert asked == [file.as_uri()]
        assert said == []
        context.close()
