"""A chart for print, by matplotlib: light ground, no pyplot, no browser."""

import io
import os
import sys
import textwrap
import threading
from contextlib import contextmanager

import numpy as np

try:
    import matplotlib
except ValueError:  # a user's matplotlibrc that is no text, or an MPLBACKEND that is none; no figure here needs either
    os.environ |= {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
    for name in [name for name in sys.modules if name.startswith("matplotlib.")]:
        del sys.modules[name]
    import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from dlab.figures.chart import BAND_OPACITY, INK, LESS, MORE, NEUTRAL, Chart, Map, Sheet, apart, largest_font, whiskers
from dlab.figures.numbers import chosen
from dlab.look import DASHES, MARKERS, readable

# rcParams are global to the process: whoever draws or saves holds this lock.
_LOCK = threading.RLock()
CANVAS = {"svg": FigureCanvasSVG, "pdf": FigureCanvasPdf, "png": FigureCanvasAgg}
MM = 1 / 25.4


@contextmanager
def settings(font_pt: float = 9):
    """The rcParams of a print figure, whatever a user's matplotlibrc says: embedded outlines in PDF, text as paths in SVG (no font
    needed, any reader shows the same), a fixed salt so that the same chart gives the same bytes."""
    plain = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}
    ours = {
        "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": font_pt,
        "axes.linewidth": 0.6, "axes.edgecolor": "#444444", "axes.unicode_minus": True,
        "xtick.major.width": 0.6, "ytick.major.width": 0.6, "legend.frameon": False, "legend.handlelength": 2.8,
        "pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "dlab",
    }  # fmt: skip
    with _LOCK, matplotlib.rc_context(plain | ours):
        yield


def to_matplotlib(chart: Chart | Sheet, width_mm: float = 160, font_pt: float = 9, *, grey=False, legend=True) -> Figure:
    """The chart as a matplotlib figure that belongs to no pyplot state.

    width_mm of the whole figure, font_pt of all its text; grey: told apart by marker and dash alone, maps by lightness;
    legend: the key below the picture, or the colour bars of maps. Decades are equally long on both axes as far as a
    page allows. The parts of a Sheet stand side by side where the page is wide enough for their text. ValueError for text
    too large for the width.
    """
    if font_pt > largest_font(width_mm):
        raise ValueError(f"font_pt = {font_pt:g} is too large for a figure {width_mm:.4g} mm wide; give at most "
                         f"{largest_font(width_mm):.3g} or a wider figure")
    with settings(font_pt):
        parts = chart.parts if isinstance(chart, Sheet) else (chart,)
        if all(isinstance(part, Map) for part in parts):
            return _maps(parts, width_mm, font_pt, grey, legend)
        return _charts(parts, width_mm, font_pt, grey, legend)


def to_bytes(chart: Chart | Sheet, fmt: str, *, dpi: int = 300, **options) -> bytes:
    """The figure of `to_matplotlib` as an SVG, PDF or PNG file, with title and alt text in its metadata."""
    about = {
        "svg": {"Title": chart.title, "Description": chart.alt, "Creator": "dlab", "Date": None},
        "pdf": {"Title": chart.title, "Subject": chart.alt, "Creator": "dlab", "CreationDate": None},
        "png": {"Title": chart.title, "Description": chart.alt, "Software": "dlab"},
    }[fmt]
    file = io.BytesIO()
    with settings(options.get("font_pt", 9)):
        figure = to_matplotlib(chart, **options)
        CANVAS[fmt](figure).print_figure(file, format=fmt, dpi=dpi, metadata=about)
    return file.getvalue()


def _charts(charts, width_mm, font_pt, grey, legend) -> Figure:
    em = font_pt * 0.35
    across = len(charts) if width_mm / len(charts) > 8 * font_pt else 1
    each = width_mm / across
    named = [() if isinstance(c, Map) else c.keys for c in charts]
    columns = [max(1, min(3, int(each / (em * (4.8 + 0.55 * max((len(k.name) for k in keys), default=1)))))) for keys in named]
    rows = [np.ceil(len(keys) / n) if legend else 0 for keys, n in zip(named, columns)]
    aspect = max(float(np.clip(_span(c.y) / _span(c.x), 0.55, 0.75)) for c in charts)
    heights = [aspect * max(each - 6.5 * em, 0.4 * each) + em * (5 + 1.6 * n + 1.5 * (len(charts) > 1)) for n in rows]
    total = max(heights) if across > 1 else sum(heights)
    figure = Figure(figsize=(width_mm * MM, total * MM), layout="constrained")
    parts = [figure]
    if len(charts) > 1:
        ratios = {"height_ratios": heights} if across == 1 else {}
        parts = np.ravel(figure.subfigures(len(charts) // across, across, **ratios))
    for part, chart, n in zip(parts, charts, columns):
        if isinstance(chart, Map):
            _one_map(part, part.add_subplot(), chart, _map_name(chart, grey, each, em), font_pt, grey, legend)
        else:
            _draw(part, chart, font_pt, grey, legend and n, aspect * max(each - 6.5 * em, 0.4 * each))
        # An axis title longer than its axis would be cut at the edge of the picture.
        room, ax = int(max(aspect * (each - 6.5 * em), 12 * em) / (0.6 * em)), part.axes[0]
        ax.set_ylabel("\n".join(textwrap.fill(line, room) for line in chart.y.title.split("\n")))
        if len(charts) > 1:
            part.axes[0].set_title(chart.title, fontsize="medium")
    return figure


def _draw(figure, chart, font_pt, grey, columns, tall):
    """The chart in a (sub)figure, its axes about `tall` mm high; no key where columns is False."""
    groups = list(dict.fromkeys(mark.group for mark in (*chart.labels, *chart.keys) if mark.group))

    def colour(mark):
        if not grey:
            return mark.colours[0]
        return str(round(0.55 * groups.index(mark.group) / max(1, len(groups) - 1), 2)) if mark.group in groups else "0.4"

    line, size = font_pt / 7, font_pt * 0.6
    ax = figure.add_subplot(facecolor="none")
    ax.grid(color="0.9", linewidth=0.5)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    for b in chart.bands:
        lower, upper = (list(map(chart.y.place, values)) for values in (b.lower, b.upper))
        ax.fill_between(b.x, lower, upper, color=colour(b), alpha=BAND_OPACITY, linewidth=0, label=b.name)
        if b.label:
            left = any(t.x1 > t.x0 for t in chart.triangles)
            ax.annotate(b.label, (0.0 if left else 1.0, max(upper)), (3 if left else -3, -0.4 * font_pt), xycoords=ax.get_yaxis_transform(),
                        textcoords="offset points", color=colour(b), ha="left" if left else "right", va="top", fontsize=font_pt - 1)
    for b in chart.bars:
        ax.barh(b.y, b.x1 - b.x0, b.height, b.x0, color=colour(b), linewidth=0, label=b.name)
        ax.text((b.x0 + b.x1) / 2, b.y, b.text, color="white", ha="center", va="center")
    for t in chart.triangles:
        ax.plot([t.x0, t.x1, t.x1, t.x0], [t.y0, t.y0, t.y1, t.y0], color=NEUTRAL[0], linewidth=0.5)
        side = 1 if t.x1 > t.x0 else -1
        ax.annotate(t.label, (t.x1, t.y1), (3 * side, 0), textcoords="offset points", color=NEUTRAL[0],
                    ha="left" if side > 0 else "right", va="center", fontsize=font_pt - 1)
    for s in chart.series:
        _curve(ax, s, chart.y, colour(s), line, size)
    _labels(ax, chart, colour, font_pt, tall, grey)
    for axis, which in ((chart.x, "x"), (chart.y, "y")):
        getattr(ax, f"set_{which}scale")("log" if axis.log else "linear")
        getattr(ax, f"set_{which}lim")(axis.limits)
        getattr(ax, f"set_{which}label")(axis.title)
        ticks = getattr(ax, f"{which}axis")
        ticks.set_major_locator(FixedLocator([v for v, _ in axis.ticks]))
        ticks.set_major_formatter(FixedFormatter([t for _, t in axis.ticks]))
        ticks.set_minor_locator(NullLocator())
    if columns and chart.keys:
        handles = [_handle(k, colour(k), line, size) for k in chart.keys]
        figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def _labels(ax, chart, colour, font_pt, tall, grey):
    """The names of the curves beside the axes, none over another, with thin leaders to them."""
    line = 1.25 * font_pt * 0.353  # mm
    heights = [len(label.lines) * line / tall for label in chart.labels]
    size = font_pt * min(1.0, 1 / sum(heights)) if heights else font_pt
    for label, share in zip(chart.labels, apart([chart.y.share(label.y) for label in chart.labels], heights)):
        place = chart.y.at(share)
        ax.plot((label.x, chart.x.limits[1]), (label.y, place), color=colour(label), linewidth=0.4, alpha=0.6, zorder=1)
        ax.annotate("\n".join(label.lines), (1.0, place), (3, 0), xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                    color="black" if grey else readable(colour(label), "#ffffff"), ha="left", va="center", fontsize=size,
                    linespacing=1.0)  # fmt: skip


def _maps(parts, width_mm, font_pt, grey, legend) -> Figure:
    em = font_pt * 0.35
    across = len(parts) if width_mm / len(parts) > 4.6 * font_pt else 1
    each = width_mm / across
    names = [_map_name(p, grey, each, em) for p in parts]
    lines = max(name.count("\n") for name in names) + 1
    tall = 1.0 if parts[0].equal else 0.6
    height = (len(parts) // across) * (tall * (each - 3 * em) + em * (6 + (3.5 + 1.3 * lines + 1.6 * bool(parts[0].keys)) * legend))
    figure = Figure(figsize=(width_mm * MM, height * MM), layout="compressed")
    axes = np.ravel(figure.subplots(len(parts) // across, across, sharey=True))
    for ax, part, name in zip(axes, parts, names):
        _one_map(figure, ax, part, name, font_pt, grey, legend)
    for ax in axes[::across]:
        ax.set_ylabel(parts[0].y.title)
    if legend and parts[0].keys:
        handles = [_handle(k, _map_line(k, grey), font_pt / 7, font_pt * 0.6) for k in parts[0].keys]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _map_line(mark, grey) -> str:
    return mark.colours[0] if not grey else "0.4" if mark.dash == "solid" else "0"


def _map_name(part, grey, each, em) -> str:
    return textwrap.fill(part.grey_name if grey and part.grey_name else part.name, int(each / (0.6 * em)))


def _one_map(figure, ax, part, name, font_pt, grey, legend):
    """A map with its colour bar in a (sub)figure's axes."""
    # Of a signed scale in greys the middle is zero.
    signed, plain = (["black", "0.6", "white"], ["white", "black"]) if grey else ([LESS[0], "white", MORE[0]], ["white", INK[0]])
    low, high = part.limits
    extent = [end for places in part.places for end in (places[0], places[-1])]
    colours = LinearSegmentedColormap.from_list("dlab", signed if part.signed else plain)
    look = {} if part.equal else {"aspect": "auto", "alpha": part.opacity}
    drawn = ax.imshow(part.values, origin="lower", extent=extent, interpolation="bilinear", vmin=low, vmax=high, cmap=colours, **look)
    for s in part.over:
        ax.plot(s.x, s.y, linestyle=DASHES[s.dash], color=_map_line(s, grey), linewidth=font_pt / 14)
    ax.set(title=part.title, xlim=part.x.limits, ylim=part.y.limits)
    ax.title.set_fontsize("medium")
    ax.set_xlabel(part.x.title)
    for which, axis in (("x", part.x), ("y", part.y)):
        getattr(ax, f"set_{which}ticks")(*zip(*axis.ticks))
    if legend:
        bar = figure.colorbar(drawn, ax=ax, location="bottom", fraction=0.06, format=lambda v, _: chosen(float(f"{v:.3g}")))
        bar.set_label(name, fontsize="small")
        bar.ax.locator_params(nbins=3)


def _curve(ax, s, axis, colour, line, size):
    y = np.array([axis.place(v) for v in s.y])
    if s.dash:
        ax.plot(s.x, y, linestyle=DASHES[s.dash], color=colour, linewidth=line * (0.7 if s.thin else 1), label=s.name)
    if s.high:
        low, high, *open_ends = map(np.array, zip(*whiskers(s, axis)))
        ax.vlines(s.x, low, high, colors=colour, linewidth=line * 0.6)
        for ends, is_open in zip((low, high), open_ends):
            ax.plot(np.array(s.x)[~is_open], ends[~is_open], linestyle="none", marker="_", color=colour, markersize=size * 0.7,
                    markeredgewidth=line * 0.6)
    if not s.marker:
        return
    filled = np.array(s.filled or [True] * len(s.x))
    for full in (True, False):
        if np.any(filled == full):
            ax.plot(np.array(s.x)[filled == full], y[filled == full], linestyle="none",
                    label=f"{s.name} ({'filled' if full else 'hollow'})", clip_on=False, zorder=3,
                    **_marker(s.marker, colour, size, full))


def _marker(marker, colour, size, full) -> dict:
    return {"marker": MARKERS[marker], "color": colour, "markersize": size, "markeredgewidth": size / 6,
            "markerfacecolor": colour if full else "white"}


def _handle(key, colour, line, size):
    if key.band:
        return Patch(facecolor=colour, alpha=2 * BAND_OPACITY, linewidth=0, label=key.name)
    mark = _marker(key.marker, colour, size, key.filled) if key.marker else {"color": colour}
    return Line2D([], [], linestyle=DASHES[key.dash] if key.dash else "none", linewidth=line, label=key.name, **mark)


def _span(axis) -> float:
    low, high = axis.limits
    return float(np.log10(high / low)) if axis.log else 1.0
