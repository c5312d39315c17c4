"""The app without a browser, in Streamlit's AppTest: a page opened, moved and read."""

from server import ROOT
from streamlit.testing.v1 import AppTest

from dlab.ui import scenes

WAIT = 120
EXACT = {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.25"}
MIXTURE = {"target": "mixture", "schemes": "EM", "h": "0.5..0.25", "particles": "512", "estimator": "projected"}
MOVING = {"target": "gaussian", "panels": "EM", "step": "0.5", "T": "2", "moving": "500"}


class App(AppTest):
    """The app, none of whose runs may raise."""

    def __init__(self, wait=WAIT):
        super().__init__(ROOT / "app.py", default_timeout=wait)

    def _run(self, *given, **more):
        at = super()._run(*given, **more)
        assert not at.exception, at.exception
        return at


def visit(page, query, unfold=("numbers", "notes")):
    """A page with what is folded under its own picture open."""
    at = App()
    at.query_params.update(query)
    at.run()
    if page:
        at.switch_page(f"pages/{page}.py")
        for name in unfold:
            at.session_state[f"{name}-open"] = True
        at.query_params.update(query)
        at.run()
    return at


def opened(at, *keys):
    """The page with the sections of these keys open."""
    for key in keys:
        at.session_state[key] = True
    return at.run()


def moved(at, label, value):
    widgets = [*at.slider, *at.select_slider, *at.selectbox, *at.number_input]
    return next(w for w in widgets if w.label == label).set_value(value).run()


def pressed(at, key):
    return at.button(key=key).click().run()


def buttons(at, *begins):
    """The buttons whose labels begin so."""
    return [b for b in at.button if b.label.startswith(begins)]


def charts(at):
    return len(at.get("plotly_chart"))


def spec(at, number=0):
    """The figure of a chart, as text."""
    return at.get("plotly_chart")[number].proto.spec


def tables(at, column):
    """Those that have this column."""
    return [d.value for d in (*at.table, *at.dataframe) if column in d.value]


def address(at) -> dict:
    return {k: v[-1] if isinstance(v, list) else v for k, v in at.query_params.items()}


def words(at) -> str:
    kinds = (at.markdown, at.caption, at.warning, at.error)
    return "\n".join(e.value for kind in kinds for e in kind)


def plain(at) -> str:
    """The words without Markdown's escapes."""
    return words(at).replace("\\", "")


# A tip on a button that opens something would lie over what it opens, which explains itself.
OPENS = {"Scenes", "Download", "Share", "Open a study file", "Make a lesson link"}
# Buttons that nobody sees, for the digits to press.
KEYS = {scene.question for scene in scenes.SCENES}
# The kind of file, under the word “Download”.
FILES = {"SVG", "PDF", "PNG", "HTML", "CSV", "JSON"}
CONTROLS = ("button", "button_group", "checkbox", "download_button", "file_uploader", "multiselect", "number_input", "popover",
            "selectbox", "slider", "text_input", "select_slider", "pills", "segmented_control")  # fmt: skip


def controls(node):
    """(label, help) of every control below a node of AppTest's tree."""
    kind, proto = getattr(node, "type", ""), getattr(node, "proto", None)
    if kind in CONTROLS and proto is not None:
        proto = getattr(proto, "popover", proto) if kind == "popover" else proto
        yield proto.label, proto.help
    for child in getattr(node, "children", {}).values():
        yield from controls(child)


def silent(at) -> set:
    """Labels of the controls that have no help."""
    found = list(controls(at._tree))
    assert found
    # "Caption, exact start": of several studies.
    return {label for label, said in found if not said.strip() and label.split(",")[0] not in OPENS | FILES} - KEYS
