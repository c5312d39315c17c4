"""A chart in the browser, by plotly.

The figure brings its own colours: show it with `theme=None` in Streamlit, and pass `CONFIG`.
"""

import html
import textwrap

import numpy as np
import plotly.graph_objects as go

from dlab.figures.chart import BAND_OPACITY, INK, LESS, MORE, NEUTRAL, Chart, Map, Sheet

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
HOVER_WIDTH = 42  # characters: a longer line runs off a telephone


def to_plotly(
    chart: Chart,
    theme: str = "light",
    *,
    presentation: bool = False,
    height: int = 560,
    transparent: bool = True,
    title: bool = False,
) -> go.Figure:
    """The chart as a plotly figure, readable from 390 px of width up.

    theme "light" or "dark" (ValueError otherwise); presentation: 20 px type, 3 px lines, 10 px markers;
    height in px; transparent: the page's ground shows through.
    """
    if theme not in THEMES:
        raise ValueError(f"theme = {theme!r} is unknown; choose one of {', '.join(THEMES)}")
    ink, shade = _ink(theme, presentation), list(THEMES).index(theme)
    size, width, marker = (20, 3, 10) if presentation else (16, 2, 8)
    small = 0 if presentation else 2  # how much smaller the type beside the axes is: not in a lecture room
    figure = go.Figure()
    for band in chart.bands:
        figure.add_scatter(
            x=_array([*band.x, *reversed(band.x)]),
            y=_array([*band.upper, *reversed(band.lower)]),
            fill="toself", fillcolor=_rgba(band.colours[shade], BAND_OPACITY), mode="lines", line_width=0,
            **_silent(band))
    for b in chart.bars:
        figure.add_bar(
            x=[b.x1 - b.x0], base=[b.x0], y=[b.y], width=[b.height], orientation="h", name=html.escape(b.name), legendgroup=b.group,
            showlegend=False, marker={"color": b.colours[shade], "line": {"width": 0}}, text=[html.escape(b.text)],
            textposition="inside", insidetextanchor="middle", textangle=0, constraintext="none",
            insidetextfont={"color": _over(b.colours[shade]), "size": size}, hovertemplate=f"{_hover(b.hover)}<extra></extra>")
    for t in chart.triangles:
        figure.add_scatter(
            x=_array([t.x0, t.x1, t.x1, t.x0]), y=_array([t.y0, t.y0, t.y1, t.y0]),
            mode="lines", line={"color": NEUTRAL[shade], "width": width / 2}, name=f"slope {t.label}",
            showlegend=False, hoverinfo="skip")
    if chart.triangles:
        outward = "right" if chart.triangles[0].x1 > chart.triangles[0].x0 else "left"
        figure.add_scatter(
            x=_array(t.x1 for t in chart.triangles), y=_array(t.y1 for t in chart.triangles),
            text=[f" {t.label} " for t in chart.triangles], mode="text", textposition=f"middle {outward}",
            textfont={"size": size - small, "color": NEUTRAL[shade]}, name="slope labels",
            showlegend=False, hoverinfo="skip")
    for s in chart.series:
        colour = s.colours[shade]
        style = {"mode": "+".join([*(["lines"] if s.dash else []), *(["markers"] if s.marker else [])])}
        if s.dash:
            style["line"] = {"color": colour, "dash": s.dash, "width": 0.75 * width if s.thin else width}
        if s.marker:
            symbols = [s.marker + ("" if full else "-open") for full in s.filled] or s.marker
            edge = {"width": 2, "color": colour}
            style["marker"] = {"symbol": symbols, "color": colour, "size": marker, "line": edge}
        if s.high:
            style["error_y"] = {
                "array": _array(np.subtract(s.high, s.y)), "arrayminus": _array(np.subtract(s.y, s.low)),
                "type": "data", "symmetric": False, "thickness": width / 2, "width": 3, "color": colour}
        if s.hover:
            style |= {"text": [_hover(h) for h in s.hover], "hovertemplate": "%{text}<extra></extra>"}
        figure.add_scatter(
            x=_array(s.x), y=_array(s.y), name=html.escape(s.name), legendgroup=s.group, showlegend=False,
            **({} if s.hover else {"hoverinfo": "skip"}), **style)
    for key in chart.keys:
        _add_key(figure, key, key.colours[shade], width, marker)
    figure.update_layout(
        height=height,
        font={"family": FONT, "size": size, "color": ink["text"]},
        paper_bgcolor="rgba(0,0,0,0)" if transparent else ink["ground"],
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 4, "r": 12, "t": 4, "b": 4, "pad": 0},
        title={"text": html.escape(chart.title), "x": 0, "xref": "paper", "automargin": True, "font": {"size": size}} if title else None,
        # Schemes below, the reading guide above: neither covers data, and both wrap on a narrow screen.
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "itemwidth": 42,
                "tracegroupgap": 0},
        legend2={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemclick": False,
                 "itemdoubleclick": False, "font": {"size": size - small}},
        hovermode="closest",
        barmode="overlay",
        hoverlabel={"font": {"family": FONT, "size": size - small, "color": ink["text"]}, "bgcolor": ink["ground"],
                    "align": "left", "namelength": -1},
        dragmode=False,  # a finger that drags across the picture scrolls the page
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": NEUTRAL[shade], "activecolor": ink["text"]},
        uirevision="dlab",  # points that arrive later leave the visitor's zoom alone
    )
    figure.update_xaxes(**_axis(chart.x, ink, size))
    figure.update_yaxes(**_axis(chart.y, ink, size))
    return figure


def to_heatmap(chart: Map, theme: str = "light", *, presentation: bool = False, height: int = 380) -> go.Figure:
    """A map as a plotly figure with equal units on both axes and its colour bar below; presentation: larger type."""
    ink, shade, size = _ink(theme, presentation), list(THEMES).index(theme), 20 if presentation else 14
    # The low end is transparent: whatever ground the page has shows through.
    scale = [(0.0, LESS, 1.0), (0.5, LESS, 0.0), (0.5, MORE, 0.0), (1.0, MORE, 1.0)]
    scale = scale if chart.signed else [(0.0, INK, 0.0), (1.0, INK, 1.0)]
    low, high = chart.limits
    bar = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.2, "yanchor": "top", "thickness": 10, "len": 1.0,
           "title": {"text": html.escape(chart.name), "side": "bottom", "font": {"size": size}}, "outlinewidth": 0, "nticks": 5,
           "tickfont": {"size": size - 1}}  # fmt: skip
    figure = go.Figure(go.Heatmap(
        x=_array(chart.places[0]), y=_array(chart.places[1]), z=np.asarray(chart.values, np.float32), zmin=low, zmax=high,
        colorscale=[[at, _rgba(colours[shade], opacity)] for at, colours, opacity in scale], colorbar=bar, zsmooth="best",
        hovertemplate="(%{x:.2f}, %{y:.2f})<br>%{z:.3g}<extra></extra>"))
    for s in chart.over:
        figure.add_scatter(
            x=_array(s.x), y=_array(s.y), mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": s.colours[shade], "dash": s.dash, "width": 1 if s.thin else 2})
    figure.update_layout(
        height=height, font={"family": FONT, "size": size, "color": ink["text"]}, paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)", margin={"l": 4, "r": 8, "t": 30, "b": 4}, dragmode=False,
        title={"text": html.escape(chart.title), "x": 0.5, "xanchor": "center", "xref": "paper", "y": 0.99, "yanchor": "top",
               "font": {"size": size + 1}},
        hoverlabel={"font": {"family": FONT, "size": size, "color": ink["text"]}, "bgcolor": ink["ground"]})
    figure.update_xaxes(**_axis(chart.x, ink, size), constrain="domain")
    figure.update_yaxes(**_axis(chart.y, ink, size), constrain="domain", scaleanchor="x")
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False)
    return figure


def standalone(chart: Chart | Sheet) -> str:
    """One HTML page with plotly.js inside: works offline, light ground, caption and alternative text included."""
    parts = chart.parts if isinstance(chart, Sheet) else (chart,)
    drawn = "\n".join(_alone(part, i, len(parts)) for i, part in enumerate(parts))
    title, alt, caption = map(html.escape, (chart.title, chart.alt, chart.caption))
    said = caption if caption in alt else f"{alt} {caption}"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>body{{margin:1rem auto;max-width:72rem;padding:0 1rem;font:16px/1.5 {FONT};color:#1f2328}}"
        ".row{display:flex;flex-wrap:wrap}.row>div{flex:1 1 20rem;min-width:0}</style>\n"
        f'</head>\n<body>\n<figure style="margin:0">\n<div class="row" role="img" aria-label="{alt}">\n{drawn}\n</div>\n'
        f"<figcaption>{said}</figcaption>\n</figure>\n</body>\n</html>\n"
    )


def _alone(part, i, parts) -> str:
    """A part of a page of its own; the first brings plotly.js."""
    if isinstance(part, Map):
        figure, height = to_heatmap(part), 420
    else:
        height = 640 if parts == 1 else 460
        figure = to_plotly(part, transparent=False, title=True, height=height)
    name = "figure" if parts == 1 else f"figure-{i + 1}"
    return "<div>" + figure.to_html(
        full_html=False, include_plotlyjs=i == 0, config=CONFIG, div_id=name, default_height=f"{height}px") + "</div>"


def _add_key(figure, key, colour, width, size):
    mode = "+".join([*(["lines"] if key.dash else []), *(["markers"] if key.marker or key.band else [])])
    symbol = "square" if key.band else key.marker + ("" if key.filled else "-open")
    figure.add_scatter(
        x=[None], y=[None], name=html.escape(key.name), mode=mode, showlegend=True, hoverinfo="skip",
        line={"color": colour, "dash": key.dash or "solid", "width": width},
        marker={"symbol": symbol or "circle", "color": _rgba(colour, 0.3) if key.band else colour,
                "size": size + 4 if key.band else size, "line": {"width": 0 if key.band else 2, "color": colour}},
        **({"legendgroup": key.group} if key.group else {"legend": "legend2"}))


def _ink(theme, presentation) -> dict:
    # A projector washes grey out: words and axes take the full contrast.
    ink = THEMES[theme]
    full = "#000000" if theme == "light" else "#ffffff"
    return ink | {"text": full, "line": full} if presentation else ink


def _axis(axis, ink, size) -> dict:
    apart = 8 if size < 20 else 14  # of title and ticks, as large type's subscripts hang lower
    low, high = np.log10(axis.limits) if axis.log else axis.limits
    return {
        "type": "log" if axis.log else "linear", "range": [float(low), float(high)], "automargin": True,
        "title": {"text": html.escape(axis.title).replace("\n", "<br>"), "standoff": apart, "font": {"size": size}},
        "tickvals": [float(v) for v, _ in axis.ticks], "ticktext": [t for _, t in axis.ticks],
        "ticks": "outside", "ticklen": 5, "tickcolor": ink["line"], "showline": True, "linecolor": ink["line"],
        "gridcolor": ink["grid"], "zeroline": False}


def _silent(mark) -> dict:
    return {"name": html.escape(mark.name), "legendgroup": mark.group, "showlegend": False, "hoverinfo": "skip"}


def _hover(text: str) -> str:
    lines = [part for line in text.split("\n") for part in textwrap.wrap(line, HOVER_WIDTH)]
    return "<br>".join(map(html.escape, lines))


def _array(values) -> np.ndarray:
    return np.asarray(list(values), np.float32)


def _over(colour: str) -> str:
    """Black or white, whichever stands out more on the colour (WCAG's relative luminance)."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return "#ffffff" if linear @ [0.2126, 0.7152, 0.0722] < 0.179 else "#000000"


def _rgba(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
