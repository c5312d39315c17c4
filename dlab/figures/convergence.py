"""The convergence figure: W2 against step size, steps or evaluations, from a result.

It draws and computes nothing: values, slopes, bounds and reasons are the result's own.
"""

import math

from dlab import schemes
from dlab.figures.chart import NEUTRAL, Axis, Band, Chart, Curve, Key, Triangle, decades, octaves
from dlab.figures.numbers import Z95, listed, number, order, step_size
from dlab.figures.tables import (
    METHODS,
    diverged,
    fit_of,
    fitted,
    has_slope,
    no_value,
    reasons,
    rows_of,
    schemes_of,
    sentence,
    slope_text,
    value_text,
)

AXES = {
    "h": ("step size h", lambda row: row["h"]),
    "steps": ("number of steps N", lambda row: row["steps"]),
    "evals": ("score and Hessian evaluations a path", lambda row: row["score_evals"] + (row.get("hessian_evals") or 0)),
}
HEADROOM = 2000.0  # a bound further above the largest measured value would flatten the picture: it leaves the top
PLAIN = schemes.Style(light=NEUTRAL[0], dark=NEUTRAL[1], marker="circle", dash="solid")


def chart(
    result: dict, x: str = "h", *, bounds: bool = True, brackets: bool = True, fits: bool = True, expansion: bool = False
) -> Chart:
    """The picture of a result, log-log.

    x         "h", "steps" (N = T/h) or "evals" (score plus Hessian evaluations along one path)
    bounds    the theorems' bounds      brackets   lower to upper, as bands      fits   the fitted lines
    expansion   the leading term of W2 in h, where the target is a Gaussian and the scheme's is known
    A filled point is fitted (or, where nothing could be fitted, resolved); a hollow one says why on hover.
    Raises ValueError for any other x.
    """
    if x not in AXES:
        raise ValueError(f"x = {x!r} is not an axis of this figure; choose one of {', '.join(AXES)}")
    title, at = AXES[x]
    below = {}  # points that stand at the lower edge, counted at each x so that none hides another
    names = schemes_of(result)
    rows = [r for s in names for r in rows_of(result, s)]
    frame = _Frame(rows, at, bounds, brackets, rising=x == "h")
    series, bands, keys = [], _floors(rows, at, frame), []
    for rank, name in enumerate(names):
        style = schemes.REGISTRY[name].style if name in schemes.REGISTRY else PLAIN
        look = {"colours": (style.light, style.dark), "group": name}
        mine, fit = rows_of(result, name), fit_of(result, name)
        kept, lost = [r for r in mine if not diverged(r)], [r for r in mine if diverged(r)]
        if brackets:
            ends = [(at(r), r["lower"], r["upper"]) for r in kept if _bracketed(r)]
            bands += _band(f"{name} bracket", ends, frame, look)
        if bounds:
            series += _bound(name, [r for r in mine if r.get("bound")], at, look)
        if expansion and kept and fit.get("expansion"):
            curve = tuple(fit["expansion"] * r["h"] ** fit["law_order"] for r in mine)
            series.append(Curve(f"{name} as h → 0", tuple(map(at, mine)), curve, dash="dashdot", thin=True, group=name))
        line = [r for r in kept if fitted(r, fit)]
        if fits and line and fit.get("constant") is not None:
            curve = tuple(fit["constant"] * r["h"] ** fit["slope"] for r in line)
            series.append(Curve(f"{name} fit", tuple(map(at, line)), curve, dash=style.dash, **look))
        if kept:
            series.append(_measured(name, kept, fit, at, frame, below, style.marker, look))
        if lost:
            series.append(Curve(
                f"{name} diverged", tuple(map(at, lost)), (frame.level(0.97 - 0.05 * rank),) * len(lost),
                filled=(False,) * len(lost), hover=tuple(_hover(r, fit) for r in lost), marker="x", **look))
        keys.append(Key(_label(name, mine, fit), marker=style.marker, dash=style.dash if fits else "", **look))
    places = sorted(set(map(at, rows)))
    return Chart(
        title=_title(result, title),
        x=Axis(title, frame.x, octaves(*frame.x, places, step_size if x == "h" else "{:g}".format)),
        y=Axis(_quantity(rows), frame.y, decades(*frame.y)),
        series=tuple(series),
        bands=tuple(bands),
        triangles=frame.triangles(),
        keys=(*keys, *_reading_guide(rows, series, bands)),
        alt=f"W₂ against {title}, both logarithmic. {sentence(result)}",
        caption=_caption(result, rows, frame if bounds else None),
    )


def _bracketed(row) -> bool:
    low, high = row.get("lower"), row.get("upper")
    return low is not None and high is not None and high > low


def _reach(row) -> float:
    """The upper end of what the row says; for an unresolved value the only end with a meaning."""
    return row["w2"] + Z95 * (row.get("stderr") or 0.0)


class _Frame:
    """Limits of both axes, chosen so that measured values fill the picture."""

    def __init__(self, rows, at, bounds, brackets, rising):
        kept = [r for r in rows if not diverged(r)]
        places = [at(r) for r in rows] or [0.1, 1.0]
        self.low_x, self.high_x, self.rising = min(places), max(places), rising
        self.sloped = bool(rows) and self.low_x < self.high_x
        # More room on the side of the triangles' labels.
        before, after = (1.25, 1.4) if rising else (1.4, 1.25)
        if not self.sloped:
            before = after = 1.4
        self.x = (self.low_x / before, self.high_x * after)
        # An exact value at rounding level says "equal"; it stands at the edge and does not stretch the axis.
        sized = [r for r in kept if r.get("resolved", True) or r.get("stderr")]
        sizes = [v for v in (r["w2"] if r.get("resolved", True) else _reach(r) for r in sized) if v > 0] or [0.01, 0.1]
        tops = [*map(_reach, kept), *(r["floor"] for r in kept if r.get("floor")), *sizes]
        tops += [r["upper"] for r in kept if brackets and _bracketed(r)]
        bound = [r["bound"] for r in rows if bounds and r.get("bound")]
        limit = HEADROOM * max(sizes)
        self.cut = bool(bound) and max(bound) > limit
        top = 1.5 * max([*tops, *(min(b, limit) for b in bound)])
        # Triangles of two octaves where the sweep is that wide and the picture that high; in the corner
        # under the coarsest points.
        self.octaves = 4.0 if self.high_x >= 4 * self.low_x and top > 100 * min(sizes) else 2.0
        coarse = max((r["h"] for r in kept), default=None)
        corner = min((v for r in sized if r["h"] == coarse and (v := r["w2"]) > 0), default=max(sizes))
        self.y = (min(min(sizes) / 1.6, corner / (2.2 * self.octaves**2)), top)

    def level(self, share: float) -> float:
        """The y at a share of the height, 0 at the bottom."""
        low, high = map(math.log, self.y)
        return math.exp(low + share * (high - low))

    def triangles(self) -> tuple[Triangle, ...]:
        if not self.sloped:
            return ()
        ends = (self.high_x / self.octaves, self.high_x) if self.rising else (self.low_x * self.octaves, self.low_x)
        sign = 1 if self.rising else -1
        return tuple(Triangle(*ends, self.level(0.03), sign * s, order(s)) for s in (0.5, 1.0, 2.0))


def _measured(name, rows, fit, at, frame, below, marker, look) -> Curve:
    """All points of a scheme that have a value; one below the picture stands at its lower edge."""
    y, low, high, hover = [], [], [], []
    for r in rows:
        value, error = r["w2"], Z95 * (r.get("stderr") or 0.0)
        text = _hover(r, fit)
        if value < frame.y[0]:
            rank = below[at(r)] = below.get(at(r), -1) + 1
            place = frame.level(0.02 + 0.035 * rank)
            text += "\ndrawn at the lower edge: its value lies below the picture"
        else:
            place = value
        y.append(place)
        low.append(max(min(place, value - error), frame.y[0]))
        high.append(max(place, value + error))
        hover.append(text)
    return Curve(
        f"{name} measured", tuple(map(at, rows)), tuple(y), low=tuple(low), high=tuple(high),
        filled=tuple(not reasons(r, fit) for r in rows), hover=tuple(hover), marker=marker, **look)


def _bound(name, rows, at, look) -> list[Curve]:
    if not rows:
        return []
    ends = [(at(r), r) for r in rows] if len(rows) > 1 else [(at(rows[0]) * f, rows[0]) for f in (0.96, 1, 1.04)]
    hover = tuple(f"{name}, h = {step_size(r['h'])}\ntheorem's bound {number(r['bound'])}" for _, r in ends)
    x, y = tuple(x for x, _ in ends), tuple(r["bound"] for _, r in ends)
    return [Curve(f"{name} theorem's bound", x, y, hover=hover, dash="dot", thin=True, **look)]


def _hover(row, fit) -> str:
    head = f"{row['scheme']}, h = {step_size(row['h'])}"
    if row.get("steps"):
        head += f", {row['steps']} steps"
    if diverged(row):
        return "\n".join([head, *reasons(row, fit)])
    method = METHODS.get(row.get("method"), row.get("method", "measured"))
    # The level is said because a flag may quote the standard error of the same number.
    lines = [head, f"W₂ {value_text(row)} ({'95 %, ' if row.get('stderr') else ''}{method})"]
    if _bracketed(row):
        lines.append(f"bracket {number(row['lower'])} to {number(row['upper'])}")
    if row.get("bound"):
        ratio = f", {number(row['bound'] / row['w2'])} times the measured" if row["w2"] > 0 else ""
        lines.append(f"theorem's bound {number(row['bound'])}{ratio}")
    return "\n".join([*lines, *(f"hollow: {r}" for r in reasons(row, fit))])


def _floors(rows, at, frame) -> list[Band]:
    """One neutral band a method: the floor depends on method and cloud size, not on the scheme."""
    bands = []
    for method in dict.fromkeys(r.get("method") for r in rows if r.get("floor")):
        tops = {}
        for r in rows:
            if r.get("method") == method and r.get("floor"):
                tops[at(r)] = max(r["floor"], tops.get(at(r), 0.0))
        bands += _band(f"{method} sampling floor", [(x, 0.0, top) for x, top in sorted(tops.items())], frame, {})
    return bands


def _band(name, ends, frame, look) -> list[Band]:
    """ends (x, lower, upper), cut at the lower edge of the picture."""
    if not ends:
        return []
    if len(ends) == 1:  # one point has no width of its own
        x, low, high = ends[0]
        ends = [(x / 1.02, low, high), (x * 1.02, low, high)]
    x, low, high = zip(*ends)
    cut = frame.y[0]
    return [Band(name, x, tuple(max(v, cut) for v in low), tuple(max(v, cut) for v in high), **look)]


def _label(name, rows, fit) -> str:
    if has_slope(fit):
        return f"{name}  slope {slope_text(fit)}"
    if rows and all(map(diverged, rows)):
        return f"{name}  {no_value(rows[0])}"
    return f"{name}  no slope" if len(rows) > 1 else name


def _reading_guide(rows, series, bands) -> list[Key]:
    """Entries for the ways of drawing that this picture uses."""
    points = [s for s in series if s.name.endswith("measured")]
    lost = dict.fromkeys(no_value(r) for r in rows if diverged(r))
    own = list(dict.fromkeys(b.colours for b in bands if b.name.endswith("bracket")))
    found = {
        Key("not fitted", marker="circle", filled=False): any(not all(s.filled) for s in points),
        Key(" or ".join(lost), marker="x", filled=False): bool(lost),
        Key("theorem's bound", dash="dot"): any(s.dash == "dot" for s in series),
        Key("closed form as h → 0", dash="dashdot"): any(s.dash == "dashdot" for s in series),
        Key("bracket", own[0] if len(own) == 1 else NEUTRAL, band=True): bool(own),
        Key("sampling floor", band=True): any(b.name.endswith("floor") for b in bands),
    }
    return [key for key, present in found.items() if present]


def _quantity(rows) -> str:
    """W₂ with the methods present and the number of paths behind them."""
    methods = tuple(dict.fromkeys(r["method"] for r in rows if r.get("method")))
    paths = max((r.get("particles") or 0 for r in rows), default=0)
    inside = [*methods, *([f"{paths} paths"] if paths else [])]
    text = f"W₂ ({', '.join(inside)})" if inside else "W₂"
    return text if len(text) <= 30 else text.replace(" (", "\n(", 1)


def _title(result, against) -> str:
    target = ((result.get("study") or {}).get("target") or {}).get("name")
    return f"W₂ error against {against}" + (f", {target} target" if target else "")


def _caption(result, rows, frame) -> str:
    study = result.get("study") or {}
    parts = [f"Target {study['target']['name']}"] if (study.get("target") or {}).get("name") else []
    parts += [f"T = {study['T']:g}"] if study.get("T") else []
    parts += [f"start {study['start']}"] if study.get("start") else []
    error = study.get("score_error") or {}
    if error:
        level = f" {error['level']:g}" if isinstance(error.get("level"), (int, float)) else ""
        parts.append(f"score error {error.get('name', 'none')}{level}")
    said = [", ".join(parts)] if parts else []
    if any(r.get("stderr") for r in rows):
        said.append("Error bars and ± are 95 % intervals")
    bent = [r["scheme"] for r in rows if r.get("method") in METHODS]
    if bent:
        said.append(f"For {listed(dict.fromkeys(bent))} the value is a lower bound of W₂")
    if frame and frame.cut:
        said.append(f"Bounds above {number(frame.y[1])} leave the picture")
    return ". ".join(said) + "." if said else ""
