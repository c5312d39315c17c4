"""What a block shows of its numbers, and how it is drawn."""

import html
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pyarrow
import streamlit as st

from dlab.figures.numbers import NONE, in_markdown
from dlab.figures.takeaway import Takeaway
from dlab.ui import frame

EMPTY = (None, "", NONE)


def columns(rows: list[dict]) -> pyarrow.Table:
    """Rows as a table that is sent: a column of numbers and words is one of words, one in which nothing stands is left out, and what
    Markdown would read as its own is text."""
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        column = [row.get(name) for row in rows]
        if any(isinstance(v, str) for v in column):
            column = [None if v is None else re.sub(r"([\\`*_\[\]<>$|~])", r"\\\1", str(v)) for v in column]
        if any(v not in EMPTY for v in column):
            found[name] = column
    return pyarrow.table(found)


def tabulate(rows: list[dict] | pyarrow.Table) -> None:
    """A table as wide as its place: what is long is broken into lines, and nothing is cut off."""
    st.table(rows if isinstance(rows, pyarrow.Table) else columns(rows), hide_index=True, border="horizontal")


@dataclass(frozen=True)
class View:
    """What a block shows of its numbers, from top to bottom, and what it offers for download.

    figure     a Chart or Map, several, or a Sheet of them; rows says how many stand side by side, share of what width, heights
               in px of each, the last one of those that follow; titles above them; bar of buttons; alt is added to theirs;
               picked: called with what a clicked point carries
    said       Markdown: all that the picture shows, the figure's caption where None; caption: small print below it. Of a page's own
               picture they are folded away with the table
    table      rows of a table; left out, as what more draws below it, while a run goes on
    notes      what a reader must be told
    takeaway   of a page's own picture, above it: one sentence and some key figures; left out while the picture is of other settings
    file       the name of the files of the figure, without what follows the dot (of several figures, names with spaces
               between); data: rows of a CSV, and answer: an object for a JSON file, where the numbers are no results of
               studies; label: the column that tells results apart in one CSV; results: {name: result}, where they are not
               those found; drawn: the figure on the screen, where it is another
    """

    figure: object = ()
    file: str = ""
    said: str | None = None
    caption: str = ""
    table: list | None = None
    top: Callable[[], None] | None = None
    more: Callable[[], None] | None = None
    notes: tuple[str, ...] = ()
    data: list | None = None
    answer: dict | None = None
    label: str = ""
    results: dict | None = None
    drawn: object = None
    takeaway: Takeaway | None = None
    heights: tuple[int, ...] = (480,)
    rows: tuple[int, ...] = ()
    share: float = 1.0
    titles: bool = False
    bar: bool = False
    alt: str = ""
    picked: Callable[[list], None] | None = None

    @property
    def charts(self) -> tuple:
        shown = self.drawn or self.figure
        return shown if isinstance(shown, tuple) else getattr(shown, "parts", (shown,))

    @cached_property
    def columns(self) -> pyarrow.Table:
        """The table as it is sent."""
        return columns(self.table)

    @property
    def prose(self) -> str:
        """What is said, or the figure's caption as plain text."""
        return frame.plain(getattr(self.figure, "caption", "")) if self.said is None else self.said

    def say(self) -> None:
        """One sentence, and the key figures below it: one message, however many they are."""
        each = []
        for what, text in self.takeaway.figures:
            value, sign, half = html.escape(text).partition(" ± ")
            each.append(f"<div><span>{html.escape(what)}</span><b>{value}{f' <small>± {half}</small>' if sign else ''}</b></div>")
        figures = f'<div class="key-figures">{"".join(each)}</div>' if each else ""
        text = html.escape(self.takeaway.text).replace(" = ", "&nbsp;=&nbsp;")
        st.html(f'<p class="takeaway">{text}</p>{figures}')

    def draw(self, name: str, final: bool = True) -> None:
        """The pictures; name: the beginning of their keys. A point can be picked where the numbers are final."""
        picked = self.picked if final else None
        charts = [chart for chart in self.charts if chart is not None]
        numbered, heights = iter(enumerate(charts)), itertools.chain(self.heights, itertools.repeat(self.heights[-1]))
        for count in self.rows or ((len(charts),) if charts else ()):
            alone = count == 1 and self.share == 1
            places = [None] if alone else st.columns((1,) * count + ((count / self.share - count,) if self.share < 1 else ()))
            row = list(itertools.islice(numbered, count))
            below = not alone and any(chart.keys for _, chart in row)  # one for all: the pictures keep one height
            for place, (i, chart), height in zip(places, row, heights):
                alt = f"{chart.alt} {self.alt}" if self.alt else ""
                frame.chart(
                    chart, height, f"{name}-{i}", place, self.bar, alt=alt, title=self.titles, picked=picked, key_below=below
                )

    def tell(self) -> None:
        """Everything about a page's own picture that is no picture."""
        for text, show in ((self.prose, st.markdown), (self.caption, st.caption)):
            if text:
                show(text)
        if self.table:
            tabulate(self.columns)
        if self.more:
            self.more()

    def note(self) -> None:
        """What a reader must be told."""
        if self.notes:
            st.caption("\n\n".join(in_markdown(frame.plain(note)) for note in self.notes))
