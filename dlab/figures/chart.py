"""What a figure shows, in plain values. `screen` and `paper` draw it; nothing here knows either.

Colours come in pairs, for light and dark ground. Lines are labelled at their ends (`Curve.label`, `Chart.labels`); `Key`s explain
ways of drawing.
"""

import math
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from dlab.figures.numbers import Z95, power_of_ten, signed
from dlab.look import Style

NEUTRAL = ("#5f6772", "#a3adba")  # light, dark: whatever belongs to no scheme
BAND_OPACITY = 0.13
LESS, MORE = ("#0072B2", "#56B4E9"), ("#D55E00", "#E98A3C")  # the two ends of a signed scale
INK = ("#243b53", "#e6edf5")  # where a density is largest
BELOW_LINES = 0.32  # opacity of the ink of a map that is a background
LINE = 13  # characters of a line of a label: more would eat the picture on a telephone


def look(style: Style, **changes) -> dict:
    """A record's colours, marker and dash as a curve or a key takes them; changes: of these, or further fields."""
    return {"colours": (style.light, style.dark), "marker": style.marker, "dash": style.dash, **changes}


@dataclass(frozen=True)
class Curve:
    """A drawn series: points, a line, or both.

    x, y (n,)      values as they are stated, also where the axis does not hold them (see `place`)
    low, high (n,) ends of the 95 % intervals as they are stated (see `whiskers`), or empty
    filled (n,)    False draws the marker hollow; empty means all filled
    hover (n,)     what a point says under the pointer, lines parted by \\n; empty for silence
    picks (n,)     what a click on a point says, plain values such as (scheme, h, steps); empty for none
    marker, dash   names of dlab.look; "" draws none
    label          its name, written at its end on the right; "" for none
    key            what it is, in the key below the picture: for what has no such end; "" for none
    sizes          whether its values choose the limits of the axes
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colours: tuple[str, str] = NEUTRAL
    group: str = ""
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    filled: tuple[bool, ...] = ()
    hover: tuple[str, ...] = ()
    picks: tuple[tuple, ...] = ()
    marker: str = ""
    dash: str = ""
    thin: bool = False
    label: str = ""
    key: str = ""
    sizes: bool = True

    @classmethod
    def of(
        cls, name: str, rows: Iterable[dict], at: Callable = lambda r: r["h"], *, value: Callable | None = None,
        half: Callable | None = None, ends: Callable | None = None, why: Callable = lambda r: (), says: Callable | None = None,
        picks: Callable | None = None, **drawn,
    ) -> "Curve":  # fmt: skip
        """The curve of rows from left to right; a row without value (diverged) is left out.

        at, value, half: a row's x, y and half 95 % interval, by default h and W2 with its own; another value has none by default
        ends: of the bar, where it is no such interval; why: the reasons that make a point hollow; says: what the pointer says,
        in lines, before the reasons; picks: what a click says; drawn: the other fields
        """
        half = half or ((lambda r: 0.0) if value else (lambda r: Z95 * (r.get("stderr") or 0.0)))
        value = value or (lambda r: r["w2"])
        rows = sorted((r for r in rows if value(r) is not None), key=at)
        if ends or any(map(half, rows)):
            ends = ends or (lambda r: (value(r) - half(r), value(r) + half(r)))
            drawn["low"], drawn["high"] = zip(*map(ends, rows)) if rows else ((), ())
        if says:
            drawn["hover"] = tuple("\n".join([*says(r), *(f"hollow: {reason}" for reason in why(r))]) for r in rows)
        if picks:
            drawn["picks"] = tuple(map(picks, rows))
        return cls(name, tuple(map(at, rows)), tuple(map(value, rows)), filled=tuple(not why(r) for r in rows), **drawn)


@dataclass(frozen=True)
class Band:
    """The region between two curves; x, lower, upper (n,); label: what it is, written inside it, below its upper edge."""

    name: str
    x: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    colours: tuple[str, str] = NEUTRAL
    group: str = ""
    label: str = ""


@dataclass(frozen=True)
class Bar:
    """A piece of a horizontal bar: from x0 to x1 about y, `height` tall in units of the y axis, text inside."""

    name: str
    y: float
    x0: float
    x1: float
    colours: tuple[str, str] = NEUTRAL
    group: str = ""
    text: str = ""
    hover: str = ""
    height: float = 0.6


@dataclass(frozen=True)
class Triangle:
    """A reference slope: from (x0, y0) along y = y0 (x / x0)^slope to x1, closed by its two legs."""

    x0: float
    x1: float
    y0: float
    slope: float
    label: str

    @property
    def y1(self) -> float:
        return self.y0 * (self.x1 / self.x0) ** self.slope


@dataclass(frozen=True)
class Axis:
    """limits (low, high) in data units; ticks are (value, label)."""

    title: str
    limits: tuple[float, float]
    ticks: tuple[tuple[float, str], ...]
    log: bool = True

    def place(self, value: float) -> float:
        """Where a value stands: one below the axis, zero and less on a logarithmic one, at its lower end."""
        return max(value, self.limits[0])

    def share(self, value: float) -> float:
        """How far along the axis a place is, 0 at its first limit and 1 at its second."""
        low, high, value = map(math.log, (*self.limits, value)) if self.log else (*self.limits, value)
        return (value - low) / (high - low)

    def at(self, share: float) -> float:
        """The place at a share of the axis."""
        low, high = map(math.log, self.limits) if self.log else self.limits
        value = low + share * (high - low)
        return math.exp(value) if self.log else value


@dataclass(frozen=True)
class Label:
    """The name of a curve, at its end (x, y) on the right; lines: as it is broken."""

    text: str
    x: float
    y: float
    colours: tuple[str, str]
    group: str = ""
    lines: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "lines", tuple(textwrap.wrap(self.text, LINE, break_long_words=False)))


def apart(places: list[float], heights: list[float]) -> list[float]:
    """Where labels stand whose middles should be at `places`: in the same order, none overlapping, within [0, 1] and moved as
    little as can be in least squares. Where all together are higher than 1 they overlap evenly."""
    if not places:
        return []
    shrink = min(1.0, 1.0 / sum(heights))
    order = sorted(range(len(places)), key=lambda i: (places[i], i))
    # A block: labels that touch, as (sum of wanted foot of the block, members, height).
    blocks = []
    for i in order:
        height = heights[i] * shrink
        blocks.append([places[i] - height / 2, 1, height])
        while True:
            total, count, high = blocks[-1]
            foot = min(max(total / count, 0.0), 1.0 - high)
            if len(blocks) == 1 or _foot(blocks[-2]) + blocks[-2][2] <= foot + 1e-12:
                break
            below = blocks[-2]
            blocks[-2:] = [[below[0] + total - count * below[2], below[1] + count, below[2] + high]]
    found, left = [0.0] * len(places), iter(order)
    for block in blocks:
        foot = _foot(block)
        for i in (next(left) for _ in range(block[1])):
            found[i] = foot + heights[i] * shrink / 2
            foot += heights[i] * shrink
    return found


def _foot(block) -> float:
    total, count, high = block
    return min(max(total / count, 0.0), 1.0 - high)


def whiskers(curve: Curve, axis: Axis) -> tuple[tuple[float, float, bool, bool], ...]:
    """The error bars along y as they are drawn: (from, to, open below, open above), one a point.

    An end that the axis does not hold (beyond its limits; zero and less where it is logarithmic) is open: the bar runs to
    the edge of the picture and has no cap there. Every other end is the stated one, so no bar is shorter than its interval.
    """
    bottom, top = axis.limits
    return tuple((max(a, bottom), min(b, top), a < bottom, b > top) for a, b in zip(curve.low, curve.high))


@dataclass(frozen=True)
class Key:
    """An entry of the key below the picture: what a way of drawing means."""

    name: str
    colours: tuple[str, str] = NEUTRAL
    group: str = ""
    marker: str = ""
    dash: str = ""
    filled: bool = True
    band: bool = False


@dataclass(frozen=True)
class Chart:
    """A figure: title for files and metadata, alt for those who cannot see it, caption in one paragraph."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Curve, ...] = ()
    bands: tuple[Band, ...] = ()
    bars: tuple[Bar, ...] = ()
    triangles: tuple[Triangle, ...] = ()
    keys: tuple[Key, ...] = ()
    alt: str = ""
    caption: str = ""

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """Of the curves that have one, at that of their points in the picture that is furthest to the right."""
        found = []
        for c in self.series:
            if c.label and c.x:
                low, top = self.y.limits
                inside = [p for p in zip(c.x, c.y) if low <= p[1] <= top] or zip(c.x, c.y)
                x, y = max(inside, key=lambda p: self.x.share(p[0]))
                found.append(Label(c.label, x, min(max(y, low), top), c.colours, c.group))
        return tuple(found)


@dataclass(frozen=True)
class Map:
    """Values over a piece of the plane as colours: places x (m,), y (n,), values (n, m), row = y; limits of the colours,
    (0, top) from the ground to the ink, or signed, (-top, top) from LESS through the ground to MORE; name of the values,
    grey_name where the colours are greys, "" where it is the same; over: lines drawn on it. NaN is left blank.

    equal: whether both axes have equal units; where not, it is a background: as wide as its place, and a third as dark; keys: of the
    legend, for the lines over it."""

    title: str
    x: Axis
    y: Axis
    places: tuple
    values: tuple
    limits: tuple[float, float]
    name: str
    alt: str = ""
    grey_name: str = ""
    over: tuple[Curve, ...] = ()
    equal: bool = True
    keys: tuple[Key, ...] = ()

    @property
    def signed(self) -> bool:
        return self.limits[0] < 0

    @property
    def opacity(self) -> float:
        """Of the ink where the values are largest."""
        return 1.0 if self.equal else BELOW_LINES


@dataclass(frozen=True)
class Sheet:
    """Maps or charts that are read together, side by side where there is room."""

    title: str
    parts: tuple
    alt: str
    caption: str


def largest_font(width_mm: float) -> float:
    """The largest font, in pt, whose labels fit a printed figure of the width."""
    return width_mm / 7.5


def evenly(low, high, count=5) -> tuple:
    """About `count` ticks at multiples of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min((m for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9)), default=10)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((k * step, signed(f"{k * step:.6g}")) for k in range(first, last + 1))


def octaves(low, high, places, text) -> tuple:
    """Ticks at powers of two, every second or third where they would crowd; at the places where too few fit."""
    powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    values = [2.0**p for p in powers] if len(powers) > 1 or not places else places
    return tuple((v, text(v)) for v in values[:: math.ceil(len(values) / 7) or 1])


def decades(low, high) -> tuple:
    """Ticks at powers of ten; at 1, 2, 5 too where the picture spans less than a decade and a half or holds one power. All as
    numbers, or where one would be below 0.01 or above 10 000 all as powers."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    few = math.log10(high / low) < 1.5 or sum(low <= 10.0**p <= high for p in range(first, last + 1)) < 2
    ticks = [(m, p) for p in range(first, last + 1) for m in ((1, 2, 5) if few else (1,)) if low <= m * 10.0**p <= high]
    powers = any(not 1e-2 / 1.01 < m * 10.0**p < 1.01e4 for m, p in ticks)
    text = (lambda m, p: f"{m}·" * (m > 1) + power_of_ten(p)) if powers else lambda m, p: f"{m * 10.0**p:g}"
    return tuple((m * 10.0**p, text(m, p)) for m, p in ticks)
