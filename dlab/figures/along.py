"""W2 along an axis that a study varies: level of the score error, horizon, dimension. It draws and computes nothing.

`results` is {name: result file's object of a study with `vary`}; several results (two starts) share a picture, the first
drawn with filled markers, the others hollow and named in the legend.
"""

import math
from dataclasses import dataclass

from dlab import schemes
from dlab.figures.chart import Axis, Chart, Curve, Key, Triangle, decades
from dlab.figures.numbers import NONE, Z95, interval, listed, number, order, step_size
from dlab.figures.tables import LOWER, METHODS, diverged, doubts, reasons, value_text


@dataclass(frozen=True)
class Way:
    """How an axis is drawn and spoken of. title; symbol; log: whether it is logarithmic; apart: why a value is not in the trend;
    slopes: of the triangles that stand beside the points"""

    title: str
    symbol: str
    log: bool
    apart: str
    slopes: tuple[float, ...] = ()


WAYS = {
    "score_error.level": Way("score error ε", "ε", True, "near what the scheme errs without a score error, not fitted", (1.0, 2.0)),
    "T": Way("horizon T", "T", False, "near what no horizon removes, not fitted"),
    "d": Way("dimension d", "d", True, "", (0.5, 1.0)),
}


def way_of(axis: str) -> Way:
    """How an axis is drawn; a number of the target is drawn evenly, since it may be 0 or negative."""
    key = axis.removeprefix("target.")
    return WAYS.get(axis) or Way(f"target's {key}", key, False, "")


FOOT = 0.03  # share of the picture's height below the triangles
RANGE = 1e4  # bounds further above the largest measured value leave the picture


def axis_of(results) -> str:
    return next(iter(results.values()))["study"]["vary"]["axis"]


def steps_of(results) -> list[float]:
    """The step sizes that are in every result, coarsest first."""
    found = [{r["h"] for r in result["rows"]} for result in results.values() if result["rows"]]
    return sorted(set.intersection(*found), reverse=True) if found else []


def chart(results: dict[str, dict], h: float, *, bounds: bool = True) -> Chart:
    """W2 against the axis at the step size h, for each scheme; ValueError where no result has rows at h."""
    if h not in steps_of(results):
        raise ValueError(f"h = {h:g} is in no result; choose one of {', '.join(map(step_size, steps_of(results)))}")
    way, series, keys = way_of(axis_of(results)), [], []
    rows = {name: [r for r in result["rows"] if r["h"] == h] for name, result in results.items()}
    x, y, cut = _limits(rows.values(), way, bounds)
    for rank, (name, result) in enumerate(results.items()):
        for scheme in dict.fromkeys(r["scheme"] for r in rows[name]):
            mine = sorted((r for r in rows[name] if r["scheme"] == scheme), key=lambda r: r["value"])
            series += _lines(result, scheme, h, mine, way, x, y, rank, bounds)
            if not rank:
                style = schemes.REGISTRY[scheme].style
                keys.append(Key(_label(result, scheme, h), (style.light, style.dark), scheme, style.marker, style.dash))
        if rank:
            keys.append(Key(f"hollow: {name}", marker="circle", filled=False))
    if any(s.dash == "dot" for s in series):
        keys.append(Key("theorem's bound", dash="dot"))
    if len(results) == 1 and any(not all(s.filled) for s in series):
        keys.append(Key("not fitted", marker="circle", filled=False))
    if way.log is False and (left := _initial(next(iter(rows.values())))):
        series.append(left)
        keys.append(Key(left.name, dash=left.dash))
    said = sentence(results, h)
    return Chart(
        title=f"W₂ against {way.title} at h = {step_size(h)}",
        x=Axis(way.title, x, _ticks(rows.values(), way), log=way.log),
        y=Axis(f"W₂ at h = {step_size(h)}", y, decades(*y)),
        series=tuple(series),
        triangles=_triangles(way, x, y),
        keys=tuple(keys),
        alt=f"W₂ against {way.title}, {'both axes' if way.log else 'the vertical axis'} logarithmic. {said}",
        caption=" ".join([said, *([f"Bounds above {number(y[1])} leave the picture."] if cut else [])]),
    )


def _initial(rows) -> Curve | None:
    """The theorem's initialisation term, which is the same for all schemes."""
    term = {r["value"]: r["bound_parts"]["initialisation"] for r in rows if r.get("bound_parts")}
    if not any(term.values()):
        return None
    return Curve("theorem's e^(−m_min T) ‖X₀‖", tuple(sorted(term)), tuple(term[v] for v in sorted(term)), dash="longdash", thin=True)


def _lines(result, scheme, h, rows, way, x, y, rank, bounds) -> list[Curve]:
    """The measured points of a scheme, the line of its trend, its bound, and what it reads without a score error."""
    style, line = schemes.REGISTRY[scheme].style, trend(result, scheme, h)
    look = {"colours": (style.light, style.dark), "group": scheme}
    kept = [r for r in rows if not diverged(r) and r["w2"] > 0 and (r["value"] > 0 or not way.log)]
    found = []
    if bounds and not rank and (bound := [r for r in rows if r.get("bound") and (r["value"] > 0 or not way.log)]):
        found.append(Curve(
            f"{scheme} theorem's bound", tuple(r["value"] for r in bound), tuple(r["bound"] for r in bound), dash="dot", thin=True,
            hover=tuple(f"{scheme}, {way.symbol} = {r['value']:g}\ntheorem's bound {number(r['bound'])}" for r in bound), **look,
        ))  # fmt: skip
    zero = next((r for r in rows if r["value"] == 0 and way.log and not diverged(r)), None)
    if zero and zero["w2"] > 0:
        found.append(Curve(f"{scheme} at {way.symbol} = 0", x, (max(zero["w2"], y[0]),) * 2, dash=style.dash, thin=True, **look))
    if kept:
        found.append(Curve(
            f"{scheme} measured", tuple(r["value"] for r in kept), tuple(max(r["w2"], y[0]) for r in kept),
            low=tuple(max(r["w2"] - Z95 * (r["stderr"] or 0), y[0]) for r in kept),
            high=tuple(r["w2"] + Z95 * (r["stderr"] or 0) for r in kept),
            filled=tuple(not rank and not why(r, line, way) for r in kept), dash=style.dash, marker=style.marker,
            hover=tuple(_hover(r, line, way) for r in kept), **look,
        ))  # fmt: skip
    if lost := [r for r in rows if diverged(r)]:
        found.append(Curve(
            f"{scheme} diverged", tuple(max(r["value"], x[0]) for r in lost), (y[1] / 1.2,) * len(lost), filled=(False,) * len(lost),
            hover=tuple("\n".join([f"{scheme}, {way.symbol} = {r['value']:g}", *reasons(r, {})]) for r in lost), marker="x", **look,
        ))  # fmt: skip
    return found


def steps_chart(result: dict, epsilon: float) -> Chart:
    """The number of steps that reaches W2 < epsilon against the axis; the theorem's dotted."""
    way, series, keys = way_of(axis_of({"": result})), [], []
    answers = [a for a in result["reach"] if a["epsilon"] == epsilon]
    found = [a["steps"] for a in answers if a["steps"]] or [1, 10]
    planned = [a["planned"]["steps"] for a in answers if a["planned"] and a["planned"]["steps"] < RANGE**2 * max(found)]
    x, _, _ = _limits([result["rows"]], way, False)
    y = (min(found) / 1.6, 1.6 * max([*found, *planned]))
    if way.log:  # the triangles stand below the points above them, or they would lie on them
        wide = _width(x, y)
        above = [a["steps"] for a in answers if a["steps"] and a["value"] > x[1] / 2.2 / wide / 2] or found
        y = (min(y[0], (min(above) / wide / 4 / y[1] ** FOOT) ** (1 / (1 - FOOT))), y[1])
    for scheme in dict.fromkeys(a["scheme"] for a in answers):
        style = schemes.REGISTRY[scheme].style
        look = {"colours": (style.light, style.dark), "group": scheme}
        mine = sorted((a for a in answers if a["scheme"] == scheme), key=lambda a: a["value"])
        if promised := [a for a in mine if a["planned"]]:
            hover = tuple(f"{scheme}, {way.symbol} = {a['value']:g}\ntheorem: {a['planned']['steps']:,} steps" for a in promised)
            series.append(Curve(
                f"{scheme} theorem's steps", tuple(a["value"] for a in promised), tuple(a["planned"]["steps"] for a in promised),
                dash="dot", thin=True, hover=hover, **look,
            ))  # fmt: skip
        if kept := [a for a in mine if a["steps"]]:
            series.append(Curve(
                f"{scheme} steps", tuple(a["value"] for a in kept), tuple(a["steps"] for a in kept),
                filled=tuple(not doubts(a) for a in kept), dash=style.dash, marker=style.marker,
                hover=tuple(_found(a, way) for a in kept), **look,
            ))  # fmt: skip
        keys.append(Key(scheme, (style.light, style.dark), scheme, style.marker, style.dash))
    if any(s.dash == "dot" for s in series):
        keys.append(Key("theorem's steps", dash="dot"))
    if any(not all(s.filled) for s in series):
        keys.append(Key("more are needed", marker="circle", filled=False))
    said = steps_sentence(result, epsilon)
    return Chart(
        title=f"Steps that reach W₂ < {epsilon:g} against {way.title}",
        x=Axis(way.title, x, _ticks([result["rows"]], way), log=way.log),
        y=Axis(f"steps N for W₂ < {epsilon:g}", y, tuple(tick for tick in decades(*y) if tick[0] >= 1)),
        series=tuple(series),
        triangles=_triangles(way, x, y),
        keys=tuple(keys),
        alt=f"Number of steps against {way.title}, both axes logarithmic. {said}",
    )


def _found(a, way) -> str:
    least = "at least " * (a["method"] in LOWER)
    said = [f"{a['scheme']}, {way.symbol} = {a['value']:g}", f"{least}{a['steps']} steps: W₂ {number(a['w2'])}"]
    return "\n".join([*said, *(f"hollow: {doubt}" for doubt in doubts(a))])


def steps_sentence(result: dict, epsilon: float) -> str:
    """What `steps_chart` shows, from its ends."""
    way, parts, missing = way_of(axis_of({"": result})), [], []
    for scheme in result["study"]["schemes"]:
        mine = sorted((a for a in result["reach"] if a["scheme"] == scheme and a["epsilon"] == epsilon), key=lambda a: a["value"])
        kept = [a for a in mine if a["steps"]]
        missing += [f"{scheme} at {way.symbol} = {a['value']:g}" for a in mine if not a["steps"]]
        if kept:
            first, last = kept[0], kept[-1]
            least = "at least " * (last["method"] in LOWER)
            parts.append(f"{scheme} {least}{first['steps']} at {way.symbol} = {first['value']:g} and {last['steps']} at {last['value']:g}")
    said = f"To come below W₂ = {epsilon:g} it takes, in steps, {'; '.join(parts)}." if parts else ""
    return " ".join(filter(None, [said, f"Not reached: {listed(missing)}." if missing else ""]))


def slopes_table(result: dict) -> list[dict]:
    """The slope in h at each value of the axis, a column a scheme."""
    way, out = way_of(axis_of({"": result})), []
    for value in dict.fromkeys(f["value"] for f in result["fits"]):
        line = {f["scheme"]: slope_text(f) for f in result["fits"] if f["value"] == value}
        out.append({way.symbol: f"{value:g}", **line})
    return out


def trend(result, scheme, h) -> dict:
    return next((t for t in result.get("trends") or () if t["scheme"] == scheme and t["h"] == h), {})


def why(row, line, way) -> list[str]:
    """What keeps a point hollow."""
    if found := reasons(row, {}):
        return found
    return [way.apart] if way.apart and line.get("slope") is not None and row["value"] not in line["used"] else []


def _hover(row, line, way) -> str:
    head = f"{row['scheme']}, {way.symbol} = {row['value']:g}, h = {step_size(row['h'])}"
    method = METHODS.get(row["method"], row["method"])
    said = [head, f"W₂ {value_text(row)} ({method})"]
    if row.get("bound"):
        said.append(f"theorem's bound {number(row['bound'])}")
    return "\n".join([*said, *(f"hollow: {w}" for w in why(row, line, way))])


def _label(result, scheme, h) -> str:
    line = trend(result, scheme, h)
    return f"{scheme} {slope_said(line, way_of(axis_of({'': result})))}" if line.get("slope") is not None else scheme


def slope_said(line, way) -> str:
    """The slope of a trend; along T the rate at which W2 falls."""
    # Only the interval's width is shown, and that has no sign.
    return slope_text({**line, "slope": -line["slope"]} if way.symbol == "T" else line)


def slope_text(line) -> str:
    """The slope of a trend with its interval."""
    if line.get("slope") is None:
        return NONE
    half = (line["slope_high"] - line["slope_low"]) / 2 if line["slope_low"] is not None else 0.0
    return interval(line["slope"], half if half > 1e-6 else None)  # a smaller one is rounding


def _limits(groups, way, bounds):
    rows = [r for rows in groups for r in rows if not diverged(r)]
    places = sorted({r["value"] for rows in groups for r in rows if r["value"] > 0 or not way.log}) or [0.1, 1.0]
    # More room on the side of the triangles' labels.
    room = min(0.4, 0.06 * (places[-1] - places[0]) or 0.4)
    x = (places[0] / 1.4, places[-1] * 2.2) if way.log else (places[0] - room, places[-1] + room)
    sizes = [r["w2"] for r in rows if r["w2"] > 0 and r.get("resolved", True)] or [r["w2"] for r in rows if r["w2"] > 0] or [0.01, 0.1]
    limit = RANGE * max(sizes)
    bound = [r["bound"] for r in rows if bounds and r.get("bound")]
    if not way.log:
        bound += [r["bound_parts"]["initialisation"] for r in rows if r.get("bound_parts")]
    top = max([*sizes, *(b for b in bound if b <= limit)])
    return x, (min(sizes) / 2, 1.6 * top), any(b > limit for b in bound)


def _ticks(groups, way) -> tuple:
    values = sorted({r["value"] for rows in groups for r in rows if r["value"] > 0 or not way.log})
    return tuple((v, f"{v:g}") for v in values[:: math.ceil(len(values) / 9) or 1])


def _width(x, y) -> float:
    """How many times as far right the triangles end as they begin: wide enough for their labels to stand apart."""
    return min((x[1] / x[0]) ** 0.4, max(4.0, (y[1] / y[0]) ** 0.16))


def _triangles(way, x, y) -> tuple[Triangle, ...]:
    if not way.slopes:  # a linear axis, which may begin below 0
        return ()
    end, low, wide = x[1] / 2.2, y[0] * (y[1] / y[0]) ** FOOT, _width(x, y)
    return tuple(Triangle(end / wide, end, low, s, order(s)) for s in way.slopes if low * wide**s < y[1])


def sentence(results: dict[str, dict], h: float) -> str:
    """What the picture shows now."""
    axis, parts = axis_of(results), []
    way, result = way_of(axis), next(iter(results.values()))
    sloped, flat = [], []
    if axis.startswith("target."):
        parts += filter(None, (_ends(result, s, h, way) for s in result["study"]["schemes"]))
    for scheme in () if axis.startswith("target.") else result["study"]["schemes"]:
        line = trend(result, scheme, h)
        (sloped if line.get("slope") is not None else flat).append((scheme, line))
    if sloped:
        what = {
            "score_error.level": "grows with the score error like ε to the power",
            "d": "grows with the dimension like d to the power",
            "T": "falls with the horizon like exp(−rT), r =",
        }[axis]
        parts.append(f"At h = {step_size(h)} W₂ {what} {listed(f'{slope_said(t, way)} ({s})' for s, t in sloped)}.")
        m_min = result["facts"]["m_min"]
        if axis == "T" and m_min is not None and m_min > 0:
            parts.append(f"The theorem's term falls with m_min = {number(m_min)}.")
    if flat:
        reason = {"score_error.level": "the score error shows too little", "T": "the horizon shows too little"}.get(axis, "too few points")
        parts.append(f"No slope for {listed(s for s, _ in flat)}: {reason}.")
    low = dict.fromkeys(r["scheme"] for r in result["rows"] if r["h"] == h and r["method"] in LOWER)
    if low:
        far = any("far below" in flag for r in result["rows"] if r["h"] == h for flag in r["flags"])
        far = ", far below it where hollow" if far else ""
        parts.append(f"{listed(low)}: {'lower bounds' if len(low) > 1 else 'a lower bound'} of W₂{far}.")
    lost = [f"{r['scheme']} at {way.symbol} = {r['value']:g}" for r in result["rows"] if r["h"] == h and diverged(r)]
    if lost:
        parts.append(f"Diverged: {listed(lost)}.")
    if result.get("done", 1.0) < 1:
        parts.insert(0, "So far:")
    return " ".join(parts) or "Nothing has been measured yet."


def _ends(result, scheme, h, way) -> str:
    """W2 of a scheme at both ends of an axis that has no slope, and where it is largest."""
    rows = sorted((r for r in result["rows"] if r["scheme"] == scheme and r["h"] == h and not diverged(r)), key=lambda r: r["value"])
    if len(rows) < 2:
        return ""
    first, last, top = rows[0], rows[-1], max(rows, key=lambda r: r["w2"])
    peak = f", largest at {top['value']:g} with {number(top['w2'])}" if top not in (first, last) else ""
    return (
        f"At h = {step_size(h)} W₂ of {scheme} is {number(first['w2'])} at {way.symbol} = {first['value']:g} and {number(last['w2'])} at "
        f"{last['value']:g}{peak}."
    )


def table(results: dict[str, dict], h: float) -> list[dict]:
    """Every point of the picture, formatted."""
    way, out = way_of(axis_of(results)), []
    for name, result in results.items():
        for r in sorted((r for r in result["rows"] if r["h"] == h), key=lambda r: r["value"]):
            line = trend(result, r["scheme"], h)
            bound = r.get("bound")
            out.append({
                **({"start": name} if len(results) > 1 else {}),
                "scheme": r["scheme"],
                way.symbol: f"{r['value']:g}",
                "W₂ ± 95 %": value_text(r),
                "bound": number(bound),
                "bound ÷ measured": number(bound / r["w2"]) if bound and r["w2"] else NONE,
                "method": METHODS.get(r["method"], r["method"]),
                "why": "; ".join(why(r, line, way)),
            })  # fmt: skip
    return out
