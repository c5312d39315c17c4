"""The cards of Home: prepared scenes and pages under three headings, each a picture and a question.

`python tests/screenshots.py --readme` draws the pictures anew, as it does the README's.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dlab import schemes, words
from dlab.ui import scenes

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

    @property
    def picture(self) -> str:
        """Its SVG, as text."""
        return _read(self.name)


def groups() -> dict[str, list[Card]]:
    """Headings and what stands under them."""
    return {heading: [Card(name) for name in names] for heading, names in GROUPS.items()}


@cache
def _read(name) -> str:
    return (FOLDER / f"{name}.svg").read_text("utf-8")


def style(dark: bool) -> str:
    """What the cards look like, with each scheme's colour on this ground."""
    colours = (
        f".picture .{name} {{ --own: {scheme.style.dark if dark else scheme.style.light}; }}"
        for name, scheme in schemes.REGISTRY.items()
        if name.isidentifier()  # the pictures have no others
    )
    return f"<style>{Path(__file__).with_suffix('.css').read_text('utf-8')}{''.join(colours)}</style>"
