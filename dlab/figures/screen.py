"""A chart in the browser, as the plain JSON that Plotly draws. Nothing here imports Plotly but `standalone`.

The figure brings its own colours: show it with `theme=None` in Streamlit, and pass `CONFIG`.
"""

import base64
import html
import math
import textwrap
from functools import cache, lru_cache

import numpy as np

from dlab.cache import dumps
from dlab.figures.chart import BAND_OPACITY, INK, LESS, MORE, NEUTRAL, Axis, Chart, Map, Sheet, apart
from dlab.look import luminance, readable

# plotly.js 4 shows an upload button unless told not to.
CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,
    "responsive": True,
    "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
    "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "convergence"},
}
FONT = '"Source Sans", "Source Sans 3", "Helvetica Neue", Arial, sans-serif'
THEMES = {
    "light": {"text": "#1f2328", "ground": "#ffffff", "grid": "#e4e7eb", "line": "#767d87"},
    "dark": {"text": "#f0f2f5", "ground": "#0e1117", "grid": "#2a2f38", "line": "#8b949e"},
}
STRIP = 30  # px above every chart: the title of its vertical axis on the left, on the right the mode bar while the pointer is there
LEADING = 1.2  # of a line of type, in units of its size
LETTER, CAPITAL = 0.53, 0.7  # mean widths of letters, likewise
HOVER_WIDTH = 42  # characters: a longer line runs off a telephone
CROWDED = 1.2  # times higher than the picture: names that are so many stand in two columns
MANY = 200  # numbers that are sent as bytes, which are shorter than their decimals
CLEAR = "rgba(0,0,0,0)"


def spec(chart: Chart | Map, theme: str, presentation: bool, height: int, title: bool = False) -> str:
    """`to_plotly` as JSON text; a chart's is kept, by the values of the arguments."""
    return (_json if isinstance(chart, Map) else _kept)(chart, theme, presentation, height, title)


def _json(chart, theme, presentation, height, title) -> str:
    figure = to_plotly(chart, theme, presentation=presentation, height=height, title=title)
    return dumps(figure, ensure_ascii=False, separators=(",", ":"))


_kept = lru_cache(maxsize=256)(_json)


def to_plotly(
    chart: Chart | Map,
    theme: str = "light",
    *,
    presentation: bool = False,
    height: int = 560,
    transparent: bool = True,
    title: bool = False,
) -> dict:
    """The chart as a Plotly figure in plain lists and dicts, readable from 390 px of width up.

    theme "light" or "dark" (ValueError otherwise); presentation: 20 px type, 3 px lines, 10 px markers;
    height in px; transparent: the page's ground shows through; title: it stands above the chart, as it always does above a map.
    """
    if theme not in THEMES:
        raise ValueError(f"theme = {theme!r} is unknown; choose one of {', '.join(THEMES)}")
    if isinstance(chart, Map):
        return to_heatmap(chart, theme, presentation=presentation, height=height)
    ink, shade = _ink(theme, presentation), list(THEMES).index(theme)
    size, width, marker = (20, 3, 10) if presentation else (16, 2, 8)
    small = size if presentation else size - 2
    heading = html.escape(chart.y.title).split("\n")
    top = 4 + max(STRIP, round(LEADING * size) * len(heading) + 6) + (round(1.5 * size) if title else 0)
    labels = _labels(chart, shade, small, height - top - round(4.2 * size) - (30 if chart.keys else 0))
    layout = {
        **_layout(theme, presentation), "height": height, "xaxis": _axis(chart.x, ink, size),
        "yaxis": {k: v for k, v in _axis(chart.y, ink, size).items() if k != "title"},
        "annotations": [*_heading(heading, size), *labels["names"], *_inside(chart, shade, small)],
        **({"shapes": labels["leaders"]} if labels["leaders"] else {}), "margin": {"l": 4, "r": labels["room"], "t": top, "b": 4, "pad": 0},
    }  # fmt: skip
    if not transparent:
        layout["paper_bgcolor"] = ink["ground"]
    if title:
        layout["title"] = {"text": html.escape(chart.title), "x": 0, "xref": "paper", "y": 1, "yref": "container", "yanchor": "top",
                           "pad": {"t": 6}, "font": {"size": size}}  # fmt: skip
    data = [
        *(_band(band, chart.y, shade) for band in chart.bands),
        *(_bar(bar, shade, size) for bar in chart.bars),
        *_triangles(chart.triangles, shade, width, small),
        *(_curve(curve, chart.y, curve.colours[shade], width, marker) for curve in chart.series),
        *(_key(key, key.colours[shade], width, marker) for key in chart.keys),
    ]
    return {"data": data, "layout": layout}


def _heading(lines, size) -> list[dict]:
    """The title of the vertical axis, level above it, not turned: it is read at once and takes no width."""
    text = "<br>".join(lines)
    return [{**_SILENT, "text": text, "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 6,
             "font": {"size": size}}] if text else []  # fmt: skip


_SILENT = {"showarrow": False, "align": "left"}


def _labels(chart, shade, size, tall) -> dict:
    """The names of the curves beside the picture, none over another and in two columns where they are many, thin leaders to them, and
    the room that they take in px; tall: the picture's height in px."""
    labels, gap, ground = chart.labels, 0.12 * size, list(THEMES.values())[shade]["ground"]
    need = sum(len(label.lines) * LEADING * size + gap for label in labels)
    columns = 2 if need > CROWDED * tall else 1
    size = max(9.0, size * min(0.86 if columns > 1 else 1.0, columns * tall / need)) if need else size
    # Of two columns each label has half its height of the first one's stack: where the other column has a gap.
    heights = [(len(label.lines) * LEADING * size + gap) / tall / columns for label in labels]
    places = apart([chart.y.share(label.y) for label in labels], heights)
    column = {i: rank % columns for rank, i in enumerate(sorted(range(len(labels)), key=places.__getitem__))}
    wide = [0] * columns
    for i, label in enumerate(labels):
        across = max(sum(CAPITAL if c.isupper() else LETTER for c in line) for line in label.lines)
        wide[column[i]] = max(wide[column[i]], round(size * across))
    names, leaders = [], []
    for i, (label, share) in enumerate(zip(labels, places)):
        place, colour, edge = chart.y.at(share), label.colours[shade], chart.x.limits[1]
        at, shift = math.log10(place) if chart.y.log else place, 5 + column[i] * (wide[0] + 10)
        names.append({
            **_SILENT, "text": "<br>".join(map(html.escape, label.lines)), "name": html.escape(label.text), "xref": "paper", "x": 1,
            "xanchor": "left", "xshift": shift, "yref": "y", "y": float(f"{at:.7g}"), "yanchor": "middle",
            "font": {"size": round(size, 1), "color": readable(colour, ground)}})  # fmt: skip
        ((x0, x1), (y0, y1)), line = (_numbers(ends) for ends in ((label.x, edge), (label.y, place))), {"color": colour, "width": 1}
        leaders.append({"type": "line", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line, "opacity": 0.6})
        if column[i]:
            across = {"xref": "paper", "xsizemode": "pixel", "xanchor": 1, "x0": 0, "x1": shift - 2}
            leaders.append({"type": "line", **across, "y0": y1, "y1": y1, "line": line, "opacity": 0.35})
    return {"names": names, "leaders": leaders, "room": 14 + sum(wide) + 10 * (columns - 1)}


def _inside(chart, shade, size) -> list[dict]:
    """The names of bands, below their upper edges, in the corner that no triangle has."""
    left = any(t.x1 > t.x0 for t in chart.triangles)
    found = []
    for band in chart.bands:
        if band.label:
            top = chart.y.place(max(band.upper))
            found.append({
                **_SILENT, "text": html.escape(band.label), "xref": "paper", "x": 0 if left else 1, "xanchor": "left" if left else "right",
                "xshift": 8 if left else -8, "yref": "y", "y": math.log10(top) if chart.y.log else top, "yanchor": "top",
                "yshift": -round(0.4 * size),
                "font": {"size": size, "color": readable(band.colours[shade], list(THEMES.values())[shade]["ground"])}})  # fmt: skip
    return found


def _curve(s, axis, colour, width, size) -> dict:
    trace = {**_trace(s), "x": _numbers(s.x), "y": _numbers(map(axis.place, s.y)),
             "mode": "+".join([*(["lines"] if s.dash else []), *(["markers"] if s.marker else [])]) or "none"}  # fmt: skip
    if s.dash:
        trace["line"] = {"color": colour, "dash": s.dash, "width": 0.75 * width if s.thin else width}
    if s.marker:
        hollow = s.marker + "-open"
        symbols = s.marker if all(s.filled) else hollow if not any(s.filled) else [s.marker if full else hollow for full in s.filled]
        trace["marker"] = {"symbol": symbols, "color": colour, "size": size, "line": {"width": 2, "color": colour}}
    if s.high:
        # Plotly clips a bar at the edge of the axis and draws no cap there, whatever the visitor's zoom: `chart.whiskers`.
        least = 0.0 if axis.log else -math.inf
        trace["error_y"] = {
            "type": "data", "symmetric": False, "thickness": width / 2, "width": 3, "color": colour,
            "array": _numbers(b - axis.place(y) for y, b in zip(s.y, s.high)),
            "arrayminus": _numbers(axis.place(y) - max(a, least) for y, a in zip(s.y, s.low))}  # fmt: skip
    if s.picks:
        trace["customdata"] = [list(pick) for pick in s.picks]
    if s.hover:
        del trace["hoverinfo"]
        trace |= {"text": [_hover(h) for h in s.hover], "hovertemplate": "%{text}<extra></extra>"}
    return trace


def _band(band, axis, shade) -> dict:
    lower, upper = ([axis.place(v) for v in values] for values in (band.lower, band.upper))
    return {**_trace(band), "x": _numbers([*band.x, *reversed(band.x)]), "y": _numbers([*upper, *reversed(lower)]),
            "fill": "toself", "fillcolor": _rgba(band.colours[shade], BAND_OPACITY), "mode": "lines", "line": {"width": 0}}  # fmt: skip


def _bar(b, shade, size) -> dict:
    colour = b.colours[shade]
    return {
        "type": "bar", "orientation": "h", "name": html.escape(b.name), "legendgroup": b.group, "showlegend": False,
        "x": _numbers([b.x1 - b.x0]), "base": _numbers([b.x0]), "y": _numbers([b.y]), "width": [b.height],
        "marker": {"color": colour, "line": {"width": 0}}, "text": [html.escape(b.text)], "textposition": "inside",
        "insidetextanchor": "middle", "textangle": 0, "constraintext": "none",
        "insidetextfont": {"color": _over(colour), "size": size}, "hovertemplate": f"{_hover(b.hover)}<extra></extra>"}  # fmt: skip


def _triangles(triangles, shade, width, size) -> list[dict]:
    if not triangles:
        return []
    silent = {"type": "scatter", "showlegend": False, "hoverinfo": "skip"}
    outward = "right" if triangles[0].x1 > triangles[0].x0 else "left"
    sides = [
        {**silent, "x": _numbers([t.x0, t.x1, t.x1, t.x0]), "y": _numbers([t.y0, t.y0, t.y1, t.y0]), "mode": "lines",
         "line": {"color": NEUTRAL[shade], "width": width / 2}, "name": f"slope {t.label}"}
        for t in triangles
    ]  # fmt: skip
    return [*sides, {
        **silent, "x": _numbers(t.x1 for t in triangles), "y": _numbers(t.y1 for t in triangles), "name": "slope labels",
        "mode": "text", "text": [f" {t.label} " for t in triangles], "textposition": f"middle {outward}",
        "textfont": {"size": size, "color": NEUTRAL[shade]}}]  # fmt: skip


def _key(key, colour, width, size) -> dict:
    mode = "+".join([*(["lines"] if key.dash else []), *(["markers"] if key.marker or key.band else [])])
    symbol = "square" if key.band else key.marker + ("" if key.filled else "-open")
    return {
        "type": "scatter", "x": [None], "y": [None], "name": html.escape(key.name), "mode": mode or "none", "showlegend": True,
        "hoverinfo": "skip", "line": {"color": colour, "dash": key.dash or "solid", "width": width},
        "marker": {"symbol": symbol if key.marker or key.band else "circle", "color": _rgba(colour, 0.3) if key.band else colour,
                   "size": size + 4 if key.band else size, "line": {"width": 0 if key.band else 2, "color": colour}}}  # fmt: skip


def to_heatmap(chart: Map, theme: str = "light", *, presentation: bool = False, height: int = 380) -> dict:
    """A map as a Plotly figure, its colour bar below, or beside one that is a background; presentation: larger type."""
    ink, shade, size = _ink(theme, presentation), list(THEMES).index(theme), 20 if presentation else 14
    # The low end is transparent: whatever ground the page has shows through.
    scale = [(0.0, LESS, 1.0), (0.5, LESS, 0.0), (0.5, MORE, 0.0), (1.0, MORE, 1.0)]
    scale = scale if chart.signed else [(0.0, INK, 0.0), (1.0, INK, chart.opacity)]
    low, high = map(float, chart.limits)
    bar = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.2, "yanchor": "top", "thickness": 10, "len": 1.0,
           "title": {"text": html.escape(chart.name), "side": "bottom", "font": {"size": size}}, "outlinewidth": 0, "nticks": 5,
           "tickfont": {"size": size - 1}}  # fmt: skip
    if not chart.equal:
        bar |= {"orientation": "v", "x": 1.01, "xanchor": "left", "y": 0.5, "yanchor": "middle",
                "title": {**bar["title"], "side": "right"}}  # fmt: skip
    heat = {
        "type": "heatmap", "x": _numbers(chart.places[0]), "y": _numbers(chart.places[1]), "z": _bytes(chart.values), "zmin": low,
        "zmax": high, "colorscale": [[at, _rgba(colours[shade], opacity)] for at, colours, opacity in scale], "colorbar": bar,
        "zsmooth": "best", "hovertemplate": "(%{x:.2f}, %{y:.2f})<br>%{z:.3g}<extra></extra>"}  # fmt: skip
    lines = [
        {**_trace(s), "x": _numbers(s.x), "y": _numbers(s.y), "mode": "lines",
         "line": {"color": s.colours[shade], "dash": s.dash, "width": (1 if s.thin else 2) * (1.5 if presentation else 1)}}
        for s in chart.over
    ]  # fmt: skip
    lines += [_key(key, key.colours[shade], 3 if presentation else 2, 8) for key in chart.keys]
    scaled = {"constrain": "domain"} if chart.equal else {}
    layout = {
        "height": height, "font": {"family": FONT, "size": size, "color": ink["text"]}, "paper_bgcolor": CLEAR, "plot_bgcolor": CLEAR,
        "margin": {"l": 4, "r": 8, "t": 30, "b": 4}, "dragmode": False,
        "title": {"text": html.escape(chart.title), "x": 0.5, "xanchor": "center", "xref": "paper", "y": 0.99, "yanchor": "top",
                  "font": {"size": size + 1}},
        "hoverlabel": {"font": {"family": FONT, "size": size, "color": ink["text"]}, "bgcolor": ink["ground"]},
        **({"legend": _layout(theme, presentation)["legend"]} if chart.keys else {}),
        "xaxis": {**_axis(chart.x, ink, size), **scaled, "showgrid": False},
        "yaxis": {**_axis(chart.y, ink, size), **scaled, "showgrid": False, **({"scaleanchor": "x"} if chart.equal else {})}}  # fmt: skip
    return {"data": [heat, *lines], "layout": layout}


def standalone(chart: Chart | Sheet) -> str:
    """One HTML page with plotly.js inside: works offline, light ground, caption and alternative text included."""
    parts = chart.parts if isinstance(chart, Sheet) else (chart,)
    drawn = "\n".join(_alone(part, i, len(parts)) for i, part in enumerate(parts))
    title, alt, caption = map(html.escape, (chart.title, chart.alt, chart.caption))
    below = caption if caption in alt else f"{alt} {caption}"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>body{{margin:1rem auto;max-width:72rem;padding:0 1rem;font:16px/1.5 {FONT};color:#1f2328}}"
        ".row{display:flex;flex-wrap:wrap}.row>div{flex:1 1 20rem;min-width:0}</style>\n"
        f'</head>\n<body>\n<figure style="margin:0">\n<div class="row" role="img" aria-label="{alt}">\n{drawn}\n</div>\n'
        # The first was drawn before the others stood beside it.
        "<script>for (const e of document.querySelectorAll('.js-plotly-plot')) Plotly.Plots.resize(e)</script>\n"
        f"<figcaption>{below}</figcaption>\n</figure>\n</body>\n</html>\n"
    )


def _alone(part, i, parts) -> str:
    """A part of a page of its own; the first brings plotly.js."""
    from plotly import io  # takes a while, and nothing else needs it

    height = 420 if isinstance(part, Map) else 640 if parts == 1 else 460
    drawn = io.to_html(
        to_plotly(part, transparent=False, title=True, height=height), full_html=False, include_plotlyjs=i == 0, config=CONFIG,
        div_id="figure" if parts == 1 else f"figure-{i + 1}", default_height=f"{height}px", validate=False,
    )  # fmt: skip
    return f"<div>{drawn}</div>"


@cache
def _ink(theme, presentation) -> dict:
    # A projector washes grey out: words and axes take the full contrast.
    ink = THEMES[theme]
    full = "#000000" if theme == "light" else "#ffffff"
    return ink | {"text": full, "line": full} if presentation else ink


@cache
def _layout(theme, presentation) -> dict:
    """What all charts of a theme share."""
    ink, size = _ink(theme, presentation), 20 if presentation else 16
    small = {"size": size if presentation else size - 2}  # of the type beside the axes: as large in a lecture room
    return {
        "font": {"family": FONT, "size": size, "color": ink["text"]},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        # The key below covers no data, wraps on a narrow screen and switches nothing: what is shown is chosen beside the picture.
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "itemwidth": 42, "tracegroupgap": 0,
                   "maxheight": 0.5, "itemclick": False, "itemdoubleclick": False, "font": small},
        "hovermode": "closest",
        "barmode": "overlay",
        "hoverlabel": {
            "font": {"family": FONT, "color": ink["text"], **small}, "bgcolor": ink["ground"], "align": "left", "namelength": -1,
        },
        "dragmode": False,  # a finger that drags across the picture scrolls the page
        "modebar": {"orientation": "h", "bgcolor": CLEAR, "color": NEUTRAL[list(THEMES).index(theme)], "activecolor": ink["text"]},
        "uirevision": "dlab",  # points that arrive later leave the visitor's zoom alone
    }


def _axis(axis: Axis, ink, size) -> dict:
    apart = 8 if size < 20 else 14  # of title and ticks, as large type's subscripts hang lower
    limits = map(math.log10, axis.limits) if axis.log else axis.limits
    return {
        "type": "log" if axis.log else "linear", "range": _numbers(limits), "automargin": True,
        "title": {"text": html.escape(axis.title).replace("\n", "<br>"), "standoff": apart, "font": {"size": size}},
        "tickvals": [float(v) for v, _ in axis.ticks], "ticktext": [t for _, t in axis.ticks],
        "ticks": "outside", "ticklen": 5, "tickcolor": ink["line"], "showline": True, "linecolor": ink["line"],
        "gridcolor": ink["grid"], "zeroline": False}  # fmt: skip


def _trace(mark) -> dict:
    return {"type": "scatter", "name": html.escape(mark.name), "showlegend": False, "hoverinfo": "skip"}


def _hover(text: str) -> str:
    lines = [part for line in text.split("\n") for part in (textwrap.wrap(line, HOVER_WIDTH) if len(line) > HOVER_WIDTH else [line])]
    return "<br>".join(map(html.escape, lines))


def _numbers(values) -> list | dict:
    """Numbers in single precision, None for what is not finite."""
    values = list(map(float, values))
    if len(values) >= MANY:
        return _bytes(values)
    return [float(f"{v:.7g}") if math.isfinite(v) else None for v in values]


def _bytes(values) -> dict:
    """An array as Plotly's typed array: single precision, little-endian, base64."""
    array = np.asarray(values, "<f4")
    shape = {"shape": ", ".join(map(str, array.shape))} if array.ndim > 1 else {}
    return {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode(), **shape}


def _over(colour: str) -> str:
    """Black or white, whichever stands out more on the colour."""
    return "#ffffff" if luminance(colour) < 0.179 else "#000000"


def _rgba(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
