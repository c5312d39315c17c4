"""What a figure shows, in plain values. `screen` and `paper` draw it; nothing here knows either.

Colours come in pairs, for light and dark ground. Marks that share a `group` are switched on and off together.
"""

from dataclasses import dataclass

NEUTRAL = ("#5f6772", "#a3adba")  # light, dark: whatever belongs to no scheme
BAND_OPACITY = 0.13


@dataclass(frozen=True)
class Series:
    """Points, a line, or both.

    x, y (n,)      low, high (n,) ends of the error bars, or empty
    filled (n,)    False draws the marker hollow; empty means all filled
    hover (n,)     what a point says under the pointer, lines parted by \\n; empty for silence
    marker, dash   names as in plotly ("triangle-up", "longdash"); "" draws none
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
    marker: str = ""
    dash: str = ""
    thin: bool = False


@dataclass(frozen=True)
class Band:
    """The region between two curves; x, lower, upper (n,)."""

    name: str
    x: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    colours: tuple[str, str] = NEUTRAL
    group: str = ""


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


@dataclass(frozen=True)
class Key:
    """One legend entry. Without a group it explains a way of drawing and switches nothing."""

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
    series: tuple[Series, ...] = ()
    bands: tuple[Band, ...] = ()
    triangles: tuple[Triangle, ...] = ()
    keys: tuple[Key, ...] = ()
    alt: str = ""
    caption: str = ""
