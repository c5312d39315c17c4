"""The lesson file: what is in it, and how it behaves in a browser without any network."""

import json
import statistics
from importlib.resources import files

import pytest
from server import CHROMIUM

from dlab import __main__ as shell
from dlab import cache, lesson
from dlab.lesson.film import MOST
from dlab.params import BadInput
from dlab.study import Study, run
from dlab.ui import lesson_file, movies, studies
from dlab.ui.scenes import SCENES

browser = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
MIXED = "convergence?target=gaussian&schemes=EM,REM&h=0.5..0.125"
INKED = """[...document.querySelectorAll(".picture canvas")].every(
  c => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some(v => v))"""
STRANGE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def text():
    return lesson_file.made(lesson_file.asked())


@pytest.fixture(scope="module")
def data(text):
    return json.loads(text.split('<script type="application/json" id="data">')[1].split("</script>")[0])


@pytest.fixture(scope="module")
def file(text, tmp_path_factory):
    path = tmp_path_factory.mktemp("lesson") / "lesson.html"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def opened(chromium, tmp_path):
    """opened(file or text, viewport): a page without network, whose errors and requests the test ends with."""
    contexts, wrong = [], []

    def go(what, width=1280, height=720, fragment="", **media):
        if isinstance(what, str):
            path = tmp_path / "own.html"
            path.write_text(what, "utf-8")
            what = path
        context = chromium.new_context(viewport={"width": width, "height": height}, **media)
        contexts.append(context)
        context.set_offline(True)
        context.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
        page = context.new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("dialog", lambda d: wrong.append(d.message))
        page.on("request", lambda r: wrong.append(r.url) if r.url.split("#")[0] != what.as_uri() else None)
        page.goto(what.as_uri() + fragment)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not wrong


# ---------------------------------------------------------------- what is in the file


def test_the_nine_scenes_weigh_less_than_three_megabytes(text, data):
    print(f"{len(text.encode()) / 1e6:.2f} MB")
    assert len(text.encode()) < 3e6
    assert [s["name"] for s in data["scenes"]] == [s.name for s in SCENES]
    for scene in data["scenes"]:
        assert len(json.dumps(scene["film"])) <= MOST
        assert scene["question"]
        assert scene["text"]
        assert scene["answer"]
    assert [s["name"] for s in data["scenes"] if not s["guess"]] == [s.name for s in SCENES if not s.guess]


def test_it_names_no_address_and_forbids_all(text):
    assert "default-src 'none'" in text
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_its_numbers_are_those_of_the_prepared_results(data):
    for scene, entry in zip(data["scenes"], SCENES):
        if entry.page == "convergence":
            result = json.loads((cache.PREPARED / f"convergence-{entry.name}.json").read_text())
            mine = {(s["scheme"], p["N"]): p["y"] for s in scene["curve"]["series"] for p in s["points"]}
            assert mine == {(r["scheme"], r["steps"]): r["w2"] for r in result["rows"]}
            bounds = {(s["scheme"], p["N"]): p["bound"] for s in scene["curve"]["series"] for p in s["points"]}
            assert bounds == {(r["scheme"], r["steps"]): r["bound"] for r in result["rows"]}
        else:
            ((_, values),) = lesson_file.asked([entry.name])
            study = studies.moving_study(values)
            table = movies.known_movie(study, study.steps[-1], values.moving)[1]["table"]
            assert {s["scheme"]: s["y"] for s in scene["distances"]["series"]} == {k: v for k, v in table.items() if k not in ("n", "t")}


def test_scenes_on_gaussians_are_live(data):
    assert {s["name"] for s in data["scenes"] if s["live"]} == {"halving", "floor", "too-far"}


def test_links_are_read_as_the_app_reads_them():
    whole = "http://lab.example.org:8501/convergence?target=gaussian&schemes=EM,SO&title=Ours&v=1"
    said = []
    (one, other, third) = lesson_file.asked([whole, "?scene=watch", "target=skew&h=7&panels=EM"], said.append)
    assert one[0] == "convergence"
    assert one[1].title == "Ours"
    assert one[1].schemes == ("EM", "SO")
    assert other[0] == "particles"
    assert other[1].scene == "watch"
    assert third[0] == "particles"
    assert third[1].target == "skew"
    assert len(said) == 1
    assert "h" in said[0]


@pytest.mark.parametrize("entry", ["nothing", "http://x/theory?h=0.5", "a=b://[", "wat ch"])
def test_what_is_no_scene_is_one_sentence(entry, capsys, tmp_path):
    assert shell.main(["lesson", entry, "--out", str(tmp_path / "x.html")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("dlab: scene = ")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_path_that_cannot_be_written_is_said_before_anything_is_computed(capsys, tmp_path):
    assert shell.main(["lesson", "halving", "--out", str(tmp_path / "no" / "x.html")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(BadInput):
        lesson_file.asked(["halving"] * 41)


def test_the_command_writes_a_file(capsys, tmp_path):
    out = tmp_path / "one.html"
    assert shell.main(["lesson", "halving", "halving", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().err
    names = [s["name"] for s in json.loads(out.read_text().split('id="data">')[1].split("</script>")[0])["scenes"]]
    assert names == ["halving", "halving-2"]


def test_markdown_and_numbers_become_html():
    html = lesson.text.of_markdown(r"**A** <b> $m_{\min} - ½$, $C_2\varepsilon$, $x/2$" + "\n\nand $h$.")
    assert html == (
        "<p><b>A</b> &lt;b&gt; <i>m</i><sub>min</sub> − ½, <i>C</i><sub>2</sub><i>ε</i>, <i>x</i>/2</p><p>and <i>h</i>.</p>"
    )
    assert lesson.text.pretty("(1.7 ± 0.3)e-4 and -2.5e-12, EDM-HEUN") == "(1.7\u00a0±\u00a00.3)×10⁻⁴ and −2.5×10⁻¹², EDM-HEUN"


# ---------------------------------------------------------------- in a browser


def axe(page) -> list[str]:
    """The serious and critical findings of axe-core on the page as it stands."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    worse = [v for v in found if v["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {n['html'][:160]} {n.get('failureSummary', '')}" for v in worse for n in v["nodes"]]


def walk(page, data, narrow=False):
    """Through all scenes and their stages by the keyboard alone."""
    for i, scene in enumerate(data["scenes"]):
        page.keyboard.press(str(i + 1)) if i % 2 == 0 else page.keyboard.press("ArrowRight")
        assert page.locator("h1").text_content() == scene["question"]
        assert page.locator("main").get_attribute("data-stage") == str(int(not scene["guess"]))
        assert not any(key["value"] in page.locator("main").inner_text() for key in scene["keys"])
        if scene["guess"]:
            assert page.locator(".answer, .keys, main svg, main canvas").count() == 0
            page.keyboard.press(" ")
        page.locator("main[data-stage='1'] .picture").wait_for()
        if not scene["live"]:
            assert page.locator(".keys b").all_text_contents() == [k["value"] for k in scene["keys"]]
            assert page.locator(".takeaway").text_content() == scene["takeaway"]
        if scene["page"] == "convergence":
            drawn = page.evaluate("Lesson.view.latestSeries.map(s => [s.scheme, s.points.map(p => p.y)])")
            assert drawn == [[s["scheme"], [p["y"] for p in s["points"]]] for s in scene["curve"]["series"]]
            assert page.locator(".picture svg .mark").count() == sum(len(s["points"]) for s in scene["curve"]["series"])
        else:
            page.wait_for_function("Lesson.view.player.film")
            assert page.evaluate(INKED)
        assert page.locator(".answer p").count() == 0
        page.keyboard.press(" ")
        page.locator("main[data-stage='2'] .answer p").first.wait_for()
        if narrow:
            assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], scene["name"]


@pytest.mark.usefixtures("file")
class TestBrowser:
    pytestmark = browser

    def test_nine_scenes_by_keyboard(self, opened, file, data):
        page = opened(file)
        walk(page, data)
        page.keyboard.press("p")
        assert page.locator("html.present").count() == 1
        page.keyboard.press("Escape")
        page.keyboard.press("l")
        assert page.locator("html").get_attribute("data-theme") == "dark"

    def test_a_phone_scrolls_one_way(self, opened, file, data):
        walk(opened(file, 390, 844, color_scheme="dark", is_mobile=True, has_touch=True), data, narrow=True)

    def test_in_a_frame_of_a_slide(self, opened, file, data, tmp_path):
        outer = tmp_path / "slide.html"
        outer.write_text(f'<iframe src="{file.as_uri()}#floor" width="960" height="540" sandbox="allow-scripts"></iframe>')
        context_page = opened(file)  # for its checks of errors
        page = context_page.context.new_page()
        errors = []
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(outer.as_uri())
        frame = page.frame_locator("iframe")
        frame.locator("h1").click()
        assert frame.locator("main").get_attribute("data-scene") == "floor"
        page.keyboard.press(" ")
        frame.locator("main[data-stage='1'] svg .mark").first.wait_for()
        page.keyboard.press("ArrowRight")
        assert frame.locator("main").get_attribute("data-scene") == "evaluations"
        assert not errors

    @pytest.mark.parametrize("width, height", [(1440, 900), (1280, 720)])
    def test_an_answer_is_seen_whole_with_its_picture(self, opened, file, data, width, height):
        page = opened(file, width, height)
        for i, scene in enumerate(data["scenes"]):
            page.keyboard.press(str(i + 1))
            for _ in range(2):
                page.keyboard.press(" ")
            page.locator("main[data-stage='2'] .answer p").first.wait_for()
            top, bottom = page.evaluate("[scrollY, document.querySelector('.answer').getBoundingClientRect().bottom]")
            assert top == 0, scene["name"]
            assert bottom <= height, scene["name"]

    def test_a_frame_that_is_hidden_draws_when_it_is_shown(self, opened, file):
        page = opened(file, fragment="#halving")
        page.evaluate("document.body.style.display = 'none'")
        page.keyboard.press(" ")
        page.wait_for_timeout(200)
        assert page.locator(".picture svg .mark").count() == 0
        page.evaluate("document.body.style.display = ''")
        page.locator(".picture svg .mark").first.wait_for()

    def test_a_guess_is_drawn_and_said(self, opened, file):
        page = opened(file, fragment="#halving")
        page.locator(".ask").first.get_by_text("½", exact=True).click()
        page.keyboard.press(" ")
        assert "½" in " ".join(page.locator(".picture svg .end").all_text_contents())
        page.locator("#reveal").click()
        assert "½ for EM" in page.locator(".said").text_content()

    def test_a_choice_is_right_or_what_it_is_is_said(self, opened, file, data):
        (scene,) = (s for s in data["scenes"] if s["name"] == "evaluations")
        page = opened(file, fragment="#evaluations")
        wrong = next(o for o in scene["guess"]["options"] if o != scene["guess"]["right"])
        page.get_by_role("button", name=wrong, exact=True).click()
        page.keyboard.press(" ")
        page.keyboard.press(" ")
        assert {wrong, scene["guess"]["right"]} <= set(page.locator(".said").text_content().replace(":", "").replace(".", "").split())

    def test_moved_settings_have_the_numbers_of_the_lab(self, opened, file, data):
        page = opened(file, fragment="#halving")
        page.keyboard.press(" ")
        for name, value in (("k1", 5), ("T", 3), ("level", 0.2)):
            page.locator(f"[data-name={name}] input").fill(str(value))
        page.locator("[data-name=kind] select").select_option("relative")
        page.locator("[data-name=start] select").select_option("paper")
        found = page.evaluate("Lesson.view.latestSeries.flatMap(s => s.points.map(p => [s.scheme, p.N, p.y, p.bound]))")
        ((_, values),) = lesson_file.asked(["halving"])
        moved = {"gaussian.k1": 5.0, "T": 3.0, "start": "paper", "error": "relative", "relative.level": 0.2}
        rows = run(studies.curve(values | moved)).to_json()["rows"]
        assert len(found) == len(rows)
        theirs = {(r["scheme"], r["steps"]): (r["w2"], r["bound"]) for r in rows}
        for scheme, N, y, bound in found:
            w2, promised = theirs[scheme, N]
            assert y == pytest.approx(w2, rel=1e-9)
            assert bound == pytest.approx(promised, rel=1e-9)
        assert page.locator(".moved").is_visible()
        page.locator("[data-name=grid] select").select_option("karras")
        found = page.evaluate("Lesson.view.latestSeries.flatMap(s => s.points.map(p => [s.scheme, p.N, p.y, p.x]))")
        karras = {"grid": {"name": "karras"}, "steps": sorted({n for _, n, *_ in found})}
        study = studies.curve(values | moved).to_json()
        del study["h"], study["T"]
        theirs = {(r["scheme"], r["steps"]): r["w2"] for r in run(Study.from_json(study | karras)).to_json()["rows"]}
        assert all(x == N and y == pytest.approx(theirs[s, N], rel=1e-9) for s, N, y, x in found)
        page.get_by_text("Back to the lesson").click()
        assert page.locator(".moved").is_hidden()

    def test_a_redraw_is_quick(self, opened, file):
        page = opened(file, 1440, 900, fragment="#halving")
        page.keyboard.press(" ")
        page.evaluate("""async () => {
          const input = document.querySelector("[data-name=k1] input");
          for (let i = 0; i < 60; i++) {
            input.value = 1 + i / 10;
            input.dispatchEvent(new Event("input"));
            await new Promise(requestAnimationFrame);
          }
        }""")
        times = page.evaluate("Lesson.redraws")
        print(f"median of 60 redraws: {statistics.median(times):.2f} ms")
        assert min(times) <= 10, "ms, where this machine was not doing something else"

    def test_random_midpoints_hide_when_a_setting_moves(self, opened):
        page = opened(lesson_file.made(lesson_file.asked([MIXED])))
        page.keyboard.press(" ")
        schemes = "Lesson.view.latestSeries.map(s => s.scheme)"
        assert page.evaluate(schemes) == ["EM", "REM"]
        for name, value in (("k1", "3"), ("k2", "2.5"), ("T", "5"), ("level", "0.1"), ("grid", "karras"), ("start", "paper")):
            control = page.locator(f"[data-name={name}] :is(input, select)")
            before = control.input_value()
            move = control.select_option if name in ("grid", "start") else control.fill
            move(value)
            assert page.evaluate(schemes) == ["EM"], name
            assert "REM" in page.locator(".moved").text_content()
            move(before)
            assert page.evaluate(schemes) == ["EM", "REM"], name
        page.locator("[data-name=at] input").fill("1")  # of the particles alone
        assert page.evaluate(schemes) == ["EM", "REM"]

    @pytest.mark.parametrize(
        "ground, fragment", [("light", "#halving"), ("dark", "#halving"), ("dark", "#watch"), ("light", "#void+present")]
    )
    def test_it_is_accessible(self, opened, file, ground, fragment):
        page = opened(file, fragment=fragment, color_scheme=ground, reduced_motion="reduce")
        assert axe(page) == []
        page.keyboard.press(" ")
        page.keyboard.press(" ")
        page.locator("details:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
        assert axe(page) == []

    def test_what_a_lesson_fixes_has_no_control(self, opened):
        link = "particles?target=gaussian&panels=EM,OC&step=0.5&hide=target,schemes&fix=error"
        page = opened(lesson_file.made(lesson_file.asked([link])))
        page.keyboard.press(" ")
        names = page.locator(".controls label").evaluate_all("labels => labels.map(l => l.dataset.name)")
        assert names == ["at", "grid", "T", "start"]
        assert page.locator(".chips").count() == 0
        page.locator("[data-name=at] input").fill("0")
        assert "1 (4 steps)" in page.locator(".takeaway").text_content()

    def test_a_strangers_words_are_text(self, opened):
        ((page_, values),) = lesson_file.asked([MIXED])
        text = lesson_file.made([(page_, values | {"title": STRANGE, "question": STRANGE})])
        page = opened(text)
        assert page.locator("h1").text_content() == STRANGE == page.locator(".lead").text_content()
        assert page.locator("main img, main script").count() == 0
