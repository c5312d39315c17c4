"""The cards of Home: prepared scenes and pages under three headings, each a picture and a question.

`python tests/screenshots.py --readme` draws the pictures anew, as it does the README's.
"""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dlab import schemes, words
from dlab.ui import scenes

INK = "#31333f", "#fafafa"  # of words on light and on dark ground
FOLDER = Path(__file__).with_name("cards")
# A name is that of a scene, of a page, or "tour": the one place that says what stands where.
GROUPS = {
    "Start here": ("tour", "watch", "halving", "too-far"),
    "In class": ("bound", "exponential", "floor", "void"),
    "Research": ("bend", "evaluations", "outside", "logistic", "learned", "images", "dimension", "budget"),
}


@dataclass(frozen=True)
class Card:
    """name: of its picture, and of what it opens: the tour, a prepared scene or a page."""

    name: str

    @property
    def scene(self) -> scenes.PreparedScene | None:
        return scenes.BY_NAME.get(self.name)

    @property
    def question(self) -> str:
        if self.scene:
            return self.scene.question
        return words.text("home", "tour") if self.name == "tour" else words.title(self.name)

    def picture(self, dark: bool) -> str:
        """Its picture as HTML, on light or on dark ground."""
        return _picture(self.name, dark)


def groups() -> dict[str, list[Card]]:
    """Headings and what stands under them."""
    return {heading: [Card(name) for name in names] for heading, names in GROUPS.items()}


@cache
def _picture(name, dark) -> str:
    drawn = (FOLDER / f"{name}.svg").read_text("utf-8").replace("<svg ", f'<svg color="{INK[dark]}" ', 1)
    whole = drawn.replace(">", f"><style>{_look(dark)}</style>", 1)
    return f'<img alt="" class="picture" src="data:image/svg+xml;base64,{b64encode(whole.encode()).decode()}">'


@cache
def _look(dark) -> str:
    colours = (
        f".{name}{{--own:{scheme.style.dark if dark else scheme.style.light}}}"
        for name, scheme in schemes.PAPER.items()  # the pictures have no others
    )
    return Path(__file__).with_name("pictures.css").read_text("utf-8") + "".join(colours)


@cache
def style() -> str:
    """What the cards look like."""
    return f"<style>{Path(__file__).with_suffix('.css').read_text('utf-8')}</style>"
