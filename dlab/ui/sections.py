"""Folded sections that several pages have."""

from dlab.ui import methods, theorems
from dlab.ui.page import Block, View


def _first(found):
    return next(iter(found.values()))


def prose(name: str) -> Block:
    """Words alone."""
    return Block(name, draw=lambda found, scene: None)


def measured(name: str = "measured") -> Block:
    """How the numbers of the page's first result were obtained, below the page's own words about it."""
    return Block(name, draw=lambda found, scene: methods.of_result(_first(found)))


def theorem(name: str = "theorem") -> Block:
    """What each scheme's theorem says of the page's first result."""
    return Block(name, draw=lambda found, scene: theorems.of_result(_first(found)))


def table(name: str, rows, of: str = "") -> Block:
    """A table: rows(found, scene) of what the page found, or the block `of` it."""
    return Block(name, lambda found, scene: View(table=rows(found, scene)), of=of)
