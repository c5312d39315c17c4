"""The pages for those who do not see them, or do not use a pointer: axe-core, alternative texts, the keyboard."""

from importlib.resources import files

import pytest
from cases import long
from test_browser import EXACT, MIXTURE, MOVING, PLAYER, menu, menu_is_whole, rest, visit

from dlab.ui.menu import PLACES

__all__ = ["visit"]  # a fixture

SCENES = {"": {}, "particles": MOVING, "convergence": EXACT, "theory": EXACT, "horizon": EXACT, "dimension": EXACT,
          "budget": EXACT, "score_error": EXACT,
          **{page: {} for page in (*PLACES["Studies"], *PLACES["Theory"][1:], *PLACES["Measure"][-2:])}}  # fmt: skip
ACCENT = "() => getComputedStyle(document.documentElement).getPropertyValue('--st-primary-color')"
CLOSED = "details:not([open]) > summary"


def axe(page) -> list[str]:
    """The serious and critical findings on the page as it stands, Streamlit's own included."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{v['id']} ({v['impact']}): {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]


def still(page):
    """Until nothing is faded: Streamlit greys what a run has not yet drawn anew, and lets it come back slowly."""
    rest(page, 300)
    page.wait_for_function("!document.getAnimations().some(a => a instanceof CSSTransition && a.playState === 'running')")


def open_sections(page):
    """Open every section, sections in sections too."""
    for _ in range(4):
        if not page.locator(CLOSED).count():
            return
        page.evaluate(f"document.querySelectorAll('{CLOSED}').forEach(e => e.click())")
        rest(page, 300)
    raise AssertionError("sections do not stay open")


# Presentation mode differs in size and in black or white words. Each takes half a minute of two cores: CI sees one.
SEEN = [("convergence", "")]
CASES = [*SEEN, *(long(*case) for case in [*((name, "") for name in SCENES), ("convergence", "1")] if case not in SEEN)]


def turned(page, ground):
    """The page after the system has turned dark or light: colours of the page are the browser's, those of charts the server's."""
    before = page.evaluate(ACCENT)
    page.emulate_media(color_scheme=ground)
    page.wait_for_function(f"before => ({ACCENT})() !== before", arg=before)
    rest(page)


@pytest.mark.parametrize(("name", "present"), CASES, ids=lambda value: value or None)
def test_axe_finds_nothing_serious_on_either_ground(app, visit, name, present):
    page = visit(app, name, SCENES[name] | ({"present": present} if present else {}), color_scheme="light")
    if present and name:
        page.get_by_role("button", name="Show controls").click()
        rest(page)
    if name == "particles":
        page.wait_for_function(f"({PLAYER})?.querySelector('.clock').textContent")

    open_sections(page)
    page.mouse.move(1, 1)
    still(page)
    assert axe(page) == []
    turned(page, "dark")
    page.get_by_role("button", name="Share").click()
    open_sections(page)
    still(page)
    assert axe(page) == []
    if name == "convergence":
        page.keyboard.press("Escape")
        rest(page)
        page.locator(".st-key-menu").get_by_role("button", name="Download").click()
        page.get_by_text("Size, font and palette of pictures").click()
        page.mouse.move(1, 1)
        still(page)
        page.wait_for_timeout(500)  # the colour of what was pressed fades
        assert axe(page) == []


@pytest.mark.long
def test_every_picture_says_what_it_shows(app, visit):
    page = visit(app, "convergence", EXACT)
    open_sections(page)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length >= 4")
    said = page.evaluate(
        """[...document.querySelectorAll('.js-plotly-plot')].map(e => {
          const named = e.closest('[aria-label], [role=img]') ?? e.parentElement.closest('[aria-label]');
          return named?.getAttribute('aria-label') ?? ''; })"""
    )
    assert "EM falls with measured slope" in said[0]
    assert all(len(text) > 40 for text in said), said
    menu(page, "particles")
    page.wait_for_function(f"({PLAYER})?.querySelector('.clock').textContent")
    assert page.evaluate(f"({PLAYER}).querySelectorAll('[role=img][aria-label*=\"W₂\"], [role=img][aria-label*=\"h =\"]').length") >= 1


FOCUSED = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  const box = e.getBoundingClientRect(), own = getComputedStyle(e);
  const marks = s => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none';
  let seen = false;
  for (let p = e, i = 0; p && i < 4; p = p.parentElement, i++) seen ||= marks(getComputedStyle(p));
  for (const c of e.querySelectorAll?.('*') ?? []) seen ||= marks(getComputedStyle(c));
  const label = e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || e.title || '';
  return {tag: e.tagName, role: e.getAttribute('role') ?? '', label: label.trim(), seen, border: own.borderColor,
          inside: !!e.closest?.('.st-key-controls'), size: box.width * box.height};
}"""


def walk(page, most=120):
    """What Tab reaches from the top of the page, until it comes round."""
    page.evaluate("document.activeElement.blur()")
    found = []
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        if here["tag"] == "BODY":
            break
        found.append(here)
    return found


def test_the_keyboard_reaches_every_control_and_runs(app, visit):
    page = visit(app, "convergence", {**MIXTURE, "seed": "919"})
    menu_is_whole(page)
    found = walk(page)
    labels = [f["label"] for f in found]

    def place(text):
        assert any(text in label for label in labels), (text, labels)
        return next(i for i, label in enumerate(labels) if text in label)

    order = [place(t) for t in ("Convergence lab", "Watch", "Share", "Target p₀", "Separation δ", "EM", "Step sizes h", "Score error")]
    assert order == sorted(order), labels
    assert place("Run (")
    assert not [f["label"] or f["tag"] for f in found if not f["seen"] and f["size"] > 4]
    assert all(f["label"] or f["tag"] in ("INPUT", "CANVAS") for f in found), [f for f in found if not f["label"]]
    for _ in range(len(found) + 1):  # round the page once more
        page.keyboard.press("Tab")
        if (here := page.evaluate(FOCUSED)["label"]).startswith("Run ("):
            break
    assert here.startswith("Run (")
    page.keyboard.press("Enter")
    page.locator(".js-plotly-plot .scatterlayer .trace").first.wait_for(state="attached")
    rest(page)
    assert page.locator(".takeaway").count() == 1
