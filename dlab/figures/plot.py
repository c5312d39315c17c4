"""From curves to a chart: limits, ticks, reference slopes, reading guide, and the places of what the axes do not hold."""

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from dlab import schemes
from dlab.figures.chart import Axis, Band, Chart, Curve, Key, Sheet, Triangle, decades, evenly, look, octaves, whiskers
from dlab.figures.numbers import number, order, step_size
from dlab.look import PLAIN

BELOW = "drawn at the lower edge: its value lies below the picture"
OPEN = "An error bar without a cap goes on beyond the picture; its interval is in the table."
FOOT, APART = 0.03, 0.04  # shares of the picture's height: below the triangles; between marks at the same edge
ROUNDING = 1e-9  # of the largest value: a hollow point below says “equal”, and does not stretch the axis
BESIDE = 1.3  # times as far right or left as a triangle: a mark there would stand in its labels
NARROW = 1.6  # times as far right as it begins: a triangle that ends nearer is not drawn
EDGE, CLEAR = 0.06, 0.035  # shares of the picture: for the labels beside a triangle, and between it and the nearest mark
SMALLER = 1.0, 0.87, 0.75, 0.65  # powers of a triangle's largest width, down to where its labels still stand apart
LARGE = 1e4  # of the largest measured value: a bound above would flatten the picture, and leaves it at its top


def scheme_look(name: str, **changes) -> dict:
    """The look of a scheme; a plain one of a name that the registry does not know."""
    style = schemes.REGISTRY[name].style if name in schemes.REGISTRY else PLAIN
    return look(style, **{"group": name, **changes})


def log_axis(title: str, values: Iterable[float], room=(1.3, 1.3), ticks: Callable = decades) -> Axis:
    """A logarithmic axis about the positive values, room times wider at either end; ticks(low, high)."""
    values = [v for v in values if 0 < v < math.inf] or [0.1, 1.0]
    limits = min(values) / room[0], max(values) * room[1]
    return Axis(title, limits, ticks(*limits))


def even_axis(title: str, low: float, high: float, count: int = 5) -> Axis:
    return Axis(title, (low, high), evenly(low, high, count), log=False)


def step_axis(values: Iterable[float], title: str = "step size h", room=(1.3, 1.3), text: Callable = step_size) -> Axis:
    """Step sizes, with ticks at powers of two; at the values where too few fit."""
    places = sorted(set(values))
    return log_axis(title, places, room, lambda low, high: octaves(low, high, places, text))


def line(name: str, x: float | None = None, y: float | None = None, **drawn) -> Curve:
    """A thin straight line across the whole picture: upright at x, or level at y."""
    ends = (0.0, math.inf)
    x, y = (ends, (y, y)) if x is None else ((x, x), ends)
    return Curve(name, x, y, **{"dash": "dash", "thin": True, **drawn})


def lost(name: str, rows: list, at: Callable, says: Callable, **drawn) -> Curve:
    """Rows without a value, to be placed at the upper edge of the picture."""
    hover = tuple("\n".join(says(r)) for r in rows)
    drawn = {"marker": "x", **drawn, "dash": "", "key": ""}
    return Curve(name, tuple(map(at, rows)), (math.inf,) * len(rows), filled=(False,) * len(rows), hover=hover, **drawn)


def plot(
    title: str, x: Axis, y: str | Axis, curves: Iterable[Curve], *, bands: Iterable[Band] = (), keys: Iterable[Key] = (),
    guide: dict[str, str] | None = None, slopes: tuple = (), corner: str = "right", room=(1.5, 1.5), headroom: float = LARGE,
    least: tuple[float, float] | None = None, says: str = "", caption: str | None = None,
) -> Chart:  # fmt: skip
    """A chart of the curves and bands on the axis x.

    y        an axis, or the title of a logarithmic one about all that is drawn
    keys     after those of the curves; guide {"hollow", "band", "x" or a dash: label} adds those ways of drawing that occur
             without a key or label of their own
    slopes   of reference triangles in a lower corner, "left" where curves fall to the right, or in the "top" one; beside it where
             something is drawn there
    least    (low, high) that a vertical axis about what is drawn shows at least
    says     a sentence that ends the alternative text, and is the caption where no other is given
    """
    curves, bands = [_wide(c, 1.04) for c in curves if c.x], [_wide(b, 1.02) for b in bands]
    cut = False
    if isinstance(y, str):
        y, cut = _height(y, x, curves, bands, slopes, corner, room, headroom, least)
    curves = _placed(curves, x, y)
    guide = [key for how, label in (guide or {}).items() if (key := _guide(how, label, curves, bands))]
    chart = Chart(
        title, x, y, tuple(curves), tuple(bands), triangles=_triangles(x, y, slopes, corner, curves, bands),
        alt=" ".join(filter(None, [_axes(x, y), says])),
        keys=(*(Key(c.key, c.colours, c.group, c.marker, c.dash, not c.filled or any(c.filled)) for c in curves if c.key), *keys, *guide),
    )  # fmt: skip
    more = [f"Bounds above {number(y.limits[1])} lie outside the picture."] if cut else []
    return replace(chart, caption=" ".join(filter(None, [says if caption is None else caption, *more, open_ends(chart)])))


def _axes(x, y) -> str:
    log = {(True, True): ", both axes logarithmic", (False, True): ", the vertical axis logarithmic"}.get((x.log, y.log), "")
    return f"{y.title} against {x.title}{log}.".replace("\n", " ")


def beside(title: str, parts: Iterable[Chart], alt: str, caption: str) -> Sheet:
    """Charts that are read together, with what is to be said of their error bars."""
    parts = tuple(parts)
    return Sheet(title, parts, alt, " ".join(filter(None, [caption, next(filter(None, map(open_ends, parts)), "")])))


def open_ends(chart) -> str:
    """A sentence where an error bar of the chart is open; see `chart.whiskers`."""
    bars = (whiskers(c, chart.y) for c in getattr(chart, "series", ()))
    return OPEN if any(below or above for each in bars for _, _, below, above in each) else ""


def _wide(mark, by):
    """A line or band of one point, which has no width of its own, so much to either side."""
    if len(mark.x) > 1 or getattr(mark, "marker", ""):
        return mark
    spread = {name: tuple(getattr(mark, name)) * 3 for name in ("y", "lower", "upper", "hover") if hasattr(mark, name)}
    return replace(mark, x=(mark.x[0] / by, mark.x[0], mark.x[0] * by), **spread)


def _height(title, x, curves, bands, slopes, corner, room, headroom, least=None) -> tuple[Axis, bool]:
    """The y axis, and whether a line leaves the picture at its top."""
    points = [(a, *p) for c in curves if c.marker and c.sizes for a, *p in _points(c)]
    largest = max((v for _, v, _, _ in points), default=0.0)
    points = [p for p in points if p[3] or p[1] > ROUNDING * largest]
    lines = [v for c in curves if not c.marker and c.sizes for v in c.y if 0 < v < math.inf]
    ends = [v for b in bands for v in (*b.lower, *b.upper) if v > 0]
    limit = headroom * largest if points else math.inf
    sizes = [v for v in [*(v for _, v, _, _ in points), *lines, *ends] if v <= limit] or [0.01, 0.1]
    low, top = min(sizes) / room[0], max([*sizes, *(high for *_, high, _ in points)]) * room[1]
    low, top = (low, top) if least is None else (min(low, least[0]), max(top, least[1]))
    for _ in range(3 if corner != "top" else 0):  # the triangles grow with the picture, which makes room for them below the points
        for t in _triangles(x, Axis(title, (low, top), ()), slopes[-1:], corner):
            over = [v / (a / t.x0) ** t.slope for a, v, *_ in points if min(t.x0, t.x1) <= a * BESIDE and a <= BESIDE * max(t.x0, t.x1)]
            low = min(low, (min(over, default=top) / 1.6 / top**FOOT) ** (1 / (1 - FOOT)))
    return Axis(title, (low, top), decades(low, top)), any(limit < v for v in lines)


def _points(c):
    """(x, size, upper end, filled) of the points of a curve that have a size; of a hollow one whose interval holds zero that is the
    upper end."""
    for i, (a, v) in enumerate(zip(c.x, c.y)):
        full, high = not c.filled or c.filled[i], c.high[i] if c.high else v
        size = high if c.low and c.low[i] <= 0 and not full else v
        if 0 < size < math.inf:
            yield a, size, high, full


def _placed(curves, x, y) -> list[Curve]:
    """Curves with every mark inside the picture: what lies below stands at the lower edge, what has no value at the upper one, side by
    side, and a straight line ends at the edges."""
    taken, out = {}, []
    low, top = y.limits
    for c in curves:
        places, hover = list(c.y), list(c.hover)
        for i, (a, v) in enumerate(zip(c.x, c.y)):
            if not c.marker:
                places[i] = top if v == math.inf else max(v, low) if y.log else v
            elif v == math.inf or v < low:
                edge = v == math.inf
                rank = taken[a, edge] = taken.get((a, edge), -1) + 1
                places[i] = y.at(0.97 - APART * rank if edge else 0.02 + APART * rank)
                if hover and not edge:
                    hover[i] += f"\n{BELOW}"
        left, right = sorted(x.limits)
        across = c.x if c.marker else tuple(min(max(a, left), right) for a in c.x)
        out.append(replace(c, x=across, y=tuple(places), hover=tuple(hover)))
    return out


def _guide(how, label, curves, bands) -> Key | None:
    marked = [c for c in curves if c.marker]
    if how == "hollow":
        return Key(label, marker="circle", filled=False) if any(not all(c.filled) and c.marker != "x" for c in marked) else None
    if how == "x":
        return Key(label, marker="x", filled=False) if any(c.marker == "x" and not any(c.filled) for c in marked) else None
    if how == "band":
        return Key(label, band=True) if bands else None
    return Key(label, dash=how) if any(c.dash == how and not c.key and not c.label and not c.marker for c in curves) else None


def _triangles(x, y, slopes, corner, curves=(), bands=()) -> tuple[Triangle, ...]:
    """Reference slopes, wide enough for their labels to stand apart, in their corner or as near to it as no curve is in their way;
    none where the picture is too narrow or too low, or has no such place."""
    if not (slopes and x.log and y.log):
        return ()
    (left, right), height = x.limits, y.limits[1] / y.limits[0]
    largest = min((right / left) ** 0.45, max(4.0 if height > 100 else 2.0, height**0.16))
    if corner == "top":
        largest = min(largest, height**0.15)
    sign, marks = 1 if corner == "right" else -1, _marks(x, y, curves, bands, corner)
    for smaller in SMALLER:
        wide = largest**smaller
        if wide < NARROW:
            break
        mine = [s for s in slopes if math.log(wide) * s < (1 - FOOT) * math.log(height)]
        if not mine:
            continue
        across, tall = (math.log(wide) / math.log(end) for end in (right / left, height))
        if (at := _free(across, [tall * s for s in mine], sign, corner, marks)) is not None:
            first, last, foot = x.at(at[0]), x.at(at[0] + across), y.at(at[1])
            ends = (first, last) if sign > 0 else (last, first)
            return tuple(Triangle(*ends, foot, sign * s, order(s)) for s in mine)
    return ()


def _free(across, rises, sign, corner, marks) -> tuple[float, float] | None:
    """The place of triangles next to their corner, with no mark in them or their labels: (left end, foot). All are shares of the
    picture: their width, their heights, and marks (n, 2)."""
    steep, room = max(rises), 1 - 2 * EDGE - across
    home = (EDGE if corner == "left" else 1 - EDGE - across), (0.96 - steep if corner == "top" else FOOT)

    def clear(places):
        starts, foot = np.array(places).T[:, :, None]
        along = marks[:, 0] - starts if sign > 0 else starts + across - marks[:, 0]  # from where the slopes meet
        over = marks[:, 1] - foot
        inside = (along > -CLEAR) & (along < across + CLEAR) & (over > -CLEAR) & (over < steep * along / across + CLEAR)
        beside = (along >= across) & (along < across + EDGE + CLEAR) & (over > -CLEAR) & (over < steep + CLEAR)
        return ~(inside | beside).any(axis=1)

    if not len(marks) or clear([home])[0]:  # mostly, and a hundredth of the time of the search
        return home
    places = [(EDGE + room * i / 24, FOOT + (0.96 - FOOT - steep) * j / 48) for i in range(25) for j in range(49)]
    places.sort(key=lambda p: math.dist(p, home))
    free = clear(places)
    return places[int(free.argmax())] if free.any() else None


def _marks(x, y, curves, bands, corner) -> np.ndarray:
    """Where a picture is not empty, as shares of it, (n, 2): along lines and leaders, at markers and on error bars, at the edges of
    bands and under their names."""
    found = []

    def trace(xs, ys):
        low, top = y.limits
        points = [(x.share(a), y.share(min(max(b, low), top))) for a, b in zip(xs, ys)]
        for (u, v), (w, z) in itertools.pairwise(points):
            count = 2 + int(100 * math.dist((u, v), (w, z)))
            found.extend(zip(np.linspace(u, w, count), np.linspace(v, z, count)))
        found.extend(points)

    names = sum(bool(c.label) for c in curves)
    for c in curves:
        if c.label and c.x:  # a leader to its name, which may stand as far up or down as there are names
            end = max(zip(c.x, c.y), key=lambda p: x.share(p[0]))
            for away in (-1, 0, 1):
                trace((end[0], x.limits[1]), (end[1], y.at(y.share(end[1]) + 0.035 * names * away)))
        if c.dash:
            trace(c.x, c.y)
        else:
            found += [(x.share(a), y.share(min(max(b, y.limits[0]), y.limits[1]))) for a, b in zip(c.x, c.y)]
        for a, (low, high, *_) in zip(c.x, whiskers(c, y)):
            trace((a, a), (low, high))
    for b in bands:
        for edge in (b.lower, b.upper):
            trace(b.x, edge)
        if b.label:  # its name, in the corner that the triangles leave
            name = (0.0, 0.5) if corner == "right" else (0.5, 1.0)
            for down in (0.03, 0.06, 0.09):
                trace([x.at(share) for share in name], [y.at(y.share(y.place(max(b.upper))) - down)] * 2)
    return np.array(found)
