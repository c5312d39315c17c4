"""A chart for print, by matplotlib: light ground, no pyplot, no browser."""

import io
import threading

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from dlab.figures.chart import BAND_OPACITY, INK, LESS, MORE, NEUTRAL, Chart, Sheet

# rcParams are global to the process: whoever draws or saves holds this lock.
LOCK = threading.RLock()
MARKERS = {"circle": "o", "square": "s", "triangle-up": "^", "triangle-down": "v", "diamond": "D", "x": "x"}
DASHES = {"solid": "-", "dash": (0, (5, 2.5)), "longdash": (0, (9, 3)), "dot": (0, (1, 1.8))}
CANVAS = {"svg": FigureCanvasSVG, "pdf": FigureCanvasPdf, "png": FigureCanvasAgg}
MM = 1 / 25.4


def settings(font_pt: float = 9) -> dict:
    """rcParams of a print figure: embedded outlines in PDF, text as paths in SVG (no font needed, any reader
    shows the same), a fixed salt so that the same chart gives the same bytes."""
    return {
        "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": font_pt,
        "axes.linewidth": 0.6, "axes.edgecolor": "#444444", "axes.unicode_minus": True,
        "xtick.major.width": 0.6, "ytick.major.width": 0.6, "legend.frameon": False, "legend.handlelength": 2.8,
        "pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "dlab",
    }  # fmt: skip


def to_matplotlib(chart: Chart | Sheet, width_mm: float = 160, font_pt: float = 9, *, grey=False, legend=True) -> Figure:
    """The chart as a matplotlib figure that belongs to no pyplot state.

    width_mm of the whole figure, font_pt of all its text; grey: told apart by marker and dash alone.
    Decades are equally long on both axes as far as a page allows. A Sheet must consist of maps; they stand side by side.
    """
    with LOCK, matplotlib.rc_context(settings(font_pt)):
        if isinstance(chart, Sheet):
            return _maps(chart, width_mm)
        return _draw(chart, width_mm, font_pt, grey, legend)


def to_bytes(chart: Chart | Sheet, fmt: str, *, dpi: int = 300, **options) -> bytes:
    """The figure of `to_matplotlib` as an SVG, PDF or PNG file, with title and alt text in its metadata."""
    about = {
        "svg": {"Title": chart.title, "Description": chart.alt, "Creator": "dlab", "Date": None},
        "pdf": {"Title": chart.title, "Subject": chart.alt, "Creator": "dlab", "CreationDate": None},
        "png": {"Title": chart.title, "Description": chart.alt, "Software": "dlab"},
    }[fmt]
    file = io.BytesIO()
    with LOCK, matplotlib.rc_context(settings(options.get("font_pt", 9))):
        figure = to_matplotlib(chart, **options)
        CANVAS[fmt](figure).print_figure(file, format=fmt, dpi=dpi, metadata=about)
    return file.getvalue()


def _draw(chart, width_mm, font_pt, grey, legend) -> Figure:
    groups = list(dict.fromkeys(k.group for k in chart.keys if k.group))

    def colour(mark):
        if not grey:
            return mark.colours[0]
        return str(round(0.55 * groups.index(mark.group) / max(1, len(groups) - 1), 2)) if mark.group else "0.4"

    line, size = font_pt / 7, font_pt * 0.6
    handles = [_handle(k, colour(k), line, size) for k in chart.keys] if legend else []
    columns = max(1, min(3, int(width_mm / (5.2 * font_pt)))) if handles else 1
    aspect = float(np.clip(_span(chart.y) / _span(chart.x), 0.55, 0.75))
    inside = width_mm - 6.5 * font_pt * 0.35
    height = aspect * inside + font_pt * 0.35 * (5 + 1.6 * np.ceil(len(handles) / columns))
    figure = Figure(figsize=(width_mm * MM, height * MM), layout="constrained")
    ax = figure.add_subplot(facecolor="none")
    ax.grid(color="0.9", linewidth=0.5)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    for b in chart.bands:
        ax.fill_between(b.x, b.lower, b.upper, color=colour(b), alpha=BAND_OPACITY, linewidth=0, label=b.name)
    for t in chart.triangles:
        ax.plot([t.x0, t.x1, t.x1, t.x0], [t.y0, t.y0, t.y1, t.y0], color=NEUTRAL[0], linewidth=0.5)
        side = 1 if t.x1 > t.x0 else -1
        ax.annotate(t.label, (t.x1, t.y1), (3 * side, 0), textcoords="offset points", color=NEUTRAL[0],
                    ha="left" if side > 0 else "right", va="center", fontsize=font_pt - 1)
    for s in chart.series:
        _series(ax, s, colour(s), line, size)
    for axis, which in ((chart.x, "x"), (chart.y, "y")):
        getattr(ax, f"set_{which}scale")("log" if axis.log else "linear")
        getattr(ax, f"set_{which}lim")(axis.limits)
        getattr(ax, f"set_{which}label")(axis.title)
        ticks = getattr(ax, f"{which}axis")
        ticks.set_major_locator(FixedLocator([v for v, _ in axis.ticks]))
        ticks.set_major_formatter(FixedFormatter([t for _, t in axis.ticks]))
        ticks.set_minor_locator(NullLocator())
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=columns)
    return figure


def _maps(sheet, width_mm) -> Figure:
    figure = Figure(figsize=(width_mm * MM, 0.48 * width_mm * MM), layout="constrained")
    axes = figure.subplots(1, len(sheet.parts), sharey=True)
    for ax, part in zip(axes, sheet.parts):
        ends = [LESS[0], "white", MORE[0]] if part.signed else ["white", INK[0]]
        low, high = part.limits
        extent = [end for places in part.places for end in (places[0], places[-1])]
        drawn = ax.imshow(part.values, origin="lower", extent=extent, interpolation="bilinear", vmin=low, vmax=high,
                          cmap=LinearSegmentedColormap.from_list("dlab", ends))
        ax.set_title(part.title, fontsize="medium")
        ax.set_xlabel(part.x.title)
        for which, axis in (("x", part.x), ("y", part.y)):
            getattr(ax, f"set_{which}ticks")(*zip(*axis.ticks))
        figure.colorbar(drawn, ax=ax, location="bottom", label=part.name, fraction=0.06)
    axes[0].set_ylabel(sheet.parts[0].y.title)
    return figure


def _series(ax, s, colour, line, size):
    if s.dash:
        ax.plot(s.x, s.y, linestyle=DASHES[s.dash], color=colour, linewidth=line * (0.7 if s.thin else 1), label=s.name)
    if s.high:
        ends = np.array([np.subtract(s.y, s.low), np.subtract(s.high, s.y)])
        ax.errorbar(s.x, s.y, yerr=ends, fmt="none", ecolor=colour, elinewidth=line * 0.6, capsize=size * 0.35)
    if not s.marker:
        return
    filled = np.array(s.filled or [True] * len(s.x))
    for full in (True, False):
        if np.any(filled == full):
            ax.plot(np.array(s.x)[filled == full], np.array(s.y)[filled == full], linestyle="none",
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
