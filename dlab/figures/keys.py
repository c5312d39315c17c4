"""The key of a chart as HTML, where several charts stand side by side: below the pictures, which then keep one height, it breaks into lines
as text does."""

import html
import itertools

# Markers of `look.MARKERS` as characters, filled and hollow.
GLYPHS = {
    "circle": "●○", "square": "■□", "triangle-up": "▲△", "triangle-down": "▼▽", "triangle-left": "◀◁", "triangle-right": "▶▷",
    "diamond": "◆◇", "pentagon": "⬟⬠", "hexagon": "⬢⬡", "star": "★☆", "x": "✕✕", "cross": "✚✚",
}  # fmt: skip
LONGEST = 40  # px of a line
# Ends in px of its strokes and gaps, in turn, from its beginning to its repetition.
DASHES = {"solid": (LONGEST,), "dash": (8, 13), "longdash": (13, 19), "dot": (2, 5), "dashdot": (8, 12, 14, 18)}


def to_html(keys, shade: int) -> str:
    """The entries of a key, `chart.Key`, in one block; shade: 0 on light ground, 1 on dark."""
    entries = (f"<span>{_mark(key, key.colours[shade])}{html.escape(key.name)}</span>" for key in keys)
    return f'<div class="chart-key">{"".join(entries)}</div>'


def _mark(key, colour) -> str:
    glyph = GLYPHS[key.marker][not key.filled] if key.marker else ""
    if key.band:
        return f'<i class="band" style="background:{colour}"></i>'
    if not key.dash:
        return f'<i style="color:{colour}" aria-hidden="true">{glyph}</i>' if glyph else ""
    ends = (0, *DASHES[key.dash])
    gap = ends[-1] - ends[-2] if len(ends) > 2 else 0
    wide = (LONGEST + gap) // ends[-1] * ends[-1] - gap  # it ends with a whole stroke
    strokes = ",".join(f"{'#0000' if k % 2 else colour} {a}px {b}px" for k, (a, b) in enumerate(itertools.pairwise(ends)))
    look = f"min-width:{wide}px;color:{colour};background-image:repeating-linear-gradient(90deg,{strokes})"
    return f'<i class="line" style="{look}" aria-hidden="true">{glyph}</i>'
