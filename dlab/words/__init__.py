"""The prose of the lab: one Markdown file a page, to read, correct or translate without touching Python.

A file begins with the page's question (`# …`) and the text below it. Each `## Title {#key}` opens another text; a title
may be missing. {name} is a field, filled with a number of the moment; inside $…$ braces are LaTeX's and stay as they are.
Sentences that are made from the rows of a result are code, beside the figure that shows them.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HEADING = re.compile(r"^#{1,2} ?(?P<title>.*?) ?(?:\{#(?P<key>[\w-]+)\})?$", re.MULTILINE)
_PIECE = re.compile(r"(\$[^$]*\$)|\{(\w+)\}")


@dataclass(frozen=True)
class Text:
    """A title and its Markdown, with fields that are not filled yet."""

    title: str
    body: str

    @property
    def fields(self) -> set[str]:
        """The names of the fields in the body."""
        return {name for _, name in _PIECE.findall(self.body) if name}

    def fill(self, **fields) -> str:
        """The body with every field filled; KeyError where a field is missing or unknown."""
        if self.fields != set(fields):
            raise KeyError(f"the text has the fields {sorted(self.fields)}; given: {sorted(fields)}")
        return _PIECE.sub(lambda m: m[1] or str(fields[m[2]]), self.body)


@cache
def texts(page: str) -> dict[str, Text]:
    """The texts of a page's file by key; "" is the page's own question and what stands below it."""
    content = Path(__file__).with_name(page + ".md").read_text("utf-8")
    heads = list(_HEADING.finditer(content))
    ends = [m.start() for m in heads[1:]] + [len(content)]
    return {m["key"] or "": Text(m["title"], content[m.end() : end].strip()) for m, end in zip(heads, ends)}


def text(page: str, key: str = "", **fields) -> str:
    """One text of a page with its fields filled; KeyError where the key or a field is missing."""
    return _at(page, key).fill(**fields)


def title(page: str, key: str = "") -> str:
    """The title of one of a page's texts."""
    return _at(page, key).title


def has(page: str, key: str) -> bool:
    """Whether a page has a text of this key."""
    return key in texts(page)


def pages() -> list[str]:
    """The names of all files."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.md"))


def _at(page, key) -> Text:
    try:
        return texts(page)[key]
    except KeyError:
        raise KeyError(f"dlab/words/{page}.md has no text {key!r}; it has {sorted(texts(page))}") from None
