"""W2 along an axis that a study varies: level of the score error, horizon, dimension. It draws and computes nothing.

`results` is {name: result file's object of a study with `vary`}; several results (two starts) share a picture, the first
drawn with filled markers, the others hollow and named in the legend.
"""

import math
from dataclasses import dataclass, replace

from dlab.figures import slopes
from dlab.figures.chart import Axis, Chart, Curve, Key
from dlab.figures.numbers import chosen, listed, number, place, ratio, size, step_size
from dlab.figures.plot import LARGE, line, log_axis, lost, plot, scheme_look
from dlab.figures.tables import LOWER, diverged, doubts, fit_of, has_slope, method_text, reasons, slope_text, value_text


@dataclass(frozen=True)
class VariedAxis:
    """How an axis is drawn and spoken of.

    title; symbol; log: whether it is logarithmic; slopes: of the triangles beside the points
    trend: what W2 does along it, before the number; flat: why there is no such number; apart: why a value is not in the trend
    """

    title: str
    symbol: str
    log: bool
    slopes: tuple[float, ...] = ()
    trend: str = ""
    flat: str = ""
    apart: str = ""


AXES = {
    "score_error.level": VariedAxis(
        "score error ε", "ε", True, (1.0, 2.0), "grows with the score error like ε to the power", "the score error has too little effect",
        "near the error without a score error, not fitted"),
    "T": VariedAxis(
        "horizon T", "T", False, (), "falls with the horizon like exp(−rT), r =", "the horizon has too little effect",
        "near the error that no horizon removes, not fitted"),
    "d": VariedAxis("dimension d", "d", True, (0.5, 1.0), "grows with the dimension like d to the power", "too few points"),
}  # fmt: skip


def varied_axis(axis: str) -> VariedAxis:
    """How an axis is drawn; a number of the target is drawn evenly, since it may be 0 or negative."""
    key = axis.removeprefix("target.")
    return AXES.get(axis) or VariedAxis(f"target's {key}", key, False)


def axis_of(results) -> str:
    return next(iter(results.values()))["study"]["vary"]["axis"]


def steps_of(results) -> list[float]:
    """The step sizes (1/N where steps differ) that are in every result, coarsest first."""
    found = [{size(r) for r in result["rows"]} for result in results.values() if result["rows"]]
    return sorted(set.intersection(*found), reverse=True) if found else []


def chart(results: dict[str, dict], h: float, *, bounds: bool = True) -> Chart:
    """W2 against the axis at the step size h, for each scheme; ValueError where no result has rows at h."""
    if h not in steps_of(results):
        raise ValueError(f"h = {h:g} is in no result; choose one of {', '.join(map(step_size, steps_of(results)))}")
    axis, curves, hollow = varied_axis(axis_of(results)), [], []
    rows = {name: [r for r in result["rows"] if size(r) == h] for name, result in results.items()}
    for rank, (name, result) in enumerate(results.items()):
        for s in dict.fromkeys(r["scheme"] for r in rows[name]):
            curves += _curves(result, s, h, [r for r in rows[name] if r["scheme"] == s], axis, rank, bounds)
        hollow += [Key(f"hollow: {name}", marker="circle", filled=False)] if rank else []
    if not axis.log:
        curves.append(_initial(next(iter(rows.values()))))
    return plot(
        f"W₂ against {axis.title} at h = {step_size(h)}", _across(axis, [r["value"] for each in rows.values() for r in each]),
        f"W₂ at h = {step_size(h)}", curves, keys=hollow, slopes=axis.slopes,
        guide={"dot": "theorem's bound", **({} if hollow else {"hollow": "not fitted"})},
        says=sentence(results, h),
    )  # fmt: skip


def _across(axis, values) -> Axis:
    values = sorted({v for v in values if v > 0 or not axis.log})
    ticks = tuple((v, f"{v:g}") for v in values[:: math.ceil(len(values) / 9) or 1])
    if axis.log:
        return log_axis(axis.title, values, (1.4, 2.2), lambda *_: ticks)
    values = values or [0.1, 1.0]
    room = min(0.4, 0.06 * (values[-1] - values[0]) or 0.4)
    return Axis(axis.title, (values[0] - room, values[-1] + room), ticks, log=False)


def _initial(rows) -> Curve:
    """The theorem's initialisation term, which is the same for all schemes."""
    term = {r["value"]: r["bound_parts"]["initialisation"] for r in rows if r.get("bound_parts")}
    name, x = "theorem's exp(−mₘᵢₙT) ‖X₀‖", tuple(sorted(term)) if any(term.values()) else ()
    return Curve(name, x, tuple(term[v] for v in x), dash="longdash", thin=True, key=name)


def _curves(result, name, h, rows, axis, rank, bounds) -> list[Curve]:
    """The measured points of a scheme, the line of its trend, its bound, and what it reads without a score error."""
    trend_line, look = trend(result, name, h), scheme_look(name)
    thin = {**look, "marker": "", "thin": True}
    shown = [r for r in rows if r["value"] > 0 or not axis.log]
    zero = [r for r in rows if r["value"] == 0 and axis.log and not diverged(r) and r["w2"] > 0]
    at = lambda r: max(r["value"], min((q["value"] for q in shown), default=1.0))  # noqa: E731
    measured = Curve.of(
        f"{name} measured", [r for r in shown if not diverged(r)], at, says=lambda r: _says(r, axis),
        why=lambda r: why(r, trend_line, axis), **look, label="" if rank else name)  # fmt: skip
    return [
        Curve.of(f"{name} theorem's bound", [r for r in shown if bounds and not rank and r.get("bound")], at, value=lambda r: r["bound"],
                 half=lambda r: 0.0, **{**thin, "dash": "dot"},
                 says=lambda r: [f"{name}, {axis.symbol} = {chosen(r['value'])}", f"theorem's bound {number(r['bound'])}"]),
        *(line(f"{name} at {axis.symbol} = 0", y=r["w2"], **thin) for r in zero[:1]),
        replace(measured, filled=tuple(not rank and full for full in measured.filled)),
        lost(f"{name} diverged", [r for r in rows if diverged(r)], at,
             lambda r: [f"{name}, {axis.symbol} = {chosen(r['value'])}", *reasons(r)], **{**look, "marker": "x"}),
    ]  # fmt: skip


def steps_chart(result: dict, epsilon: float) -> Chart:
    """The number of steps that reaches W2 < epsilon against the axis; the theorem's dotted."""
    axis, curves = varied_axis(axis_of({"": result})), []
    answers = [a for a in result["reach"] if a["epsilon"] == epsilon]
    for name in dict.fromkeys(a["scheme"] for a in answers):
        look, mine = scheme_look(name), [a for a in answers if a["scheme"] == name]
        curves.append(Curve.of(
            f"{name} theorem's steps", [a for a in mine if a["planned"]], lambda a: a["value"], value=lambda a: a["planned"]["steps"],
            **{**look, "marker": "", "dash": "dot", "thin": True},
            says=lambda a: [f"{a['scheme']}, {axis.symbol} = {chosen(a['value'])}", f"theorem: {a['planned']['steps']:,} steps"]))
        curves.append(Curve.of(
            f"{name} steps", [a for a in mine if a["steps"]], lambda a: a["value"], value=lambda a: a["steps"],
            why=doubts, says=lambda a: _found(a, axis), **look, label=name))  # fmt: skip
    chart = plot(
        f"Steps that reach W₂ < {chosen(epsilon)} against {axis.title}", _across(axis, [r["value"] for r in result["rows"]]),
        f"steps N for W₂ < {chosen(epsilon)}", curves, slopes=axis.slopes, headroom=LARGE**2,
        guide={"dot": "theorem's steps", "hollow": "more are needed"},
        says=steps_sentence(result, epsilon), caption="",
    )  # fmt: skip
    return replace(chart, y=replace(chart.y, ticks=tuple(t for t in chart.y.ticks if t[0] >= 1)))


def _found(a, axis) -> list[str]:
    return [f"{a['scheme']}, {axis.symbol} = {chosen(a['value'])}", f"{a['steps']} steps: W₂ {number(a['w2'])}"]


def steps_sentence(result: dict, epsilon: float) -> str:
    """What `steps_chart` shows, from its ends."""
    axis, parts, missing = varied_axis(axis_of({"": result})), [], []
    for scheme in result["study"]["schemes"]:
        mine = sorted((a for a in result["reach"] if a["scheme"] == scheme and a["epsilon"] == epsilon), key=lambda a: a["value"])
        kept = [a for a in mine if a["steps"]]
        missing += [f"{scheme} at {axis.symbol} = {chosen(a['value'])}" for a in mine if not a["steps"]]
        if kept:
            first, last = kept[0], kept[-1]
            begins, ends = (f"{a['steps']} at {axis.symbol} = {chosen(a['value'])}" for a in (first, last))
            parts.append(f"{scheme} {begins} and {ends}")
    said = f"Steps for W₂ < {chosen(epsilon)}: {'; '.join(parts)}." if parts else ""
    return " ".join(filter(None, [said, f"Not reached: {listed(missing)}." if missing else ""]))


def slopes_table(result: dict) -> list[dict]:
    """The slope in h at each value of the axis, a column a scheme."""
    axis, out = varied_axis(axis_of({"": result})), []
    for value in dict.fromkeys(f["value"] for f in result["fits"]):
        rows = [r for r in result["rows"] if r["value"] == value]
        at = {"rows": rows, "fits": [f for f in result["fits"] if f["value"] == value]}
        line = {f["scheme"]: slope_text(fit_of(at, f["scheme"])) for f in at["fits"]}
        out.append({axis.symbol: chosen(value), **line})
    return out


def trend(result, scheme, h) -> dict:
    """The scheme's trend at h as it is shown, see `slopes`: {} where there is none."""
    found = next((t for t in result.get("trends") or () if t["scheme"] == scheme and size(t) == h), {})
    if not varied_axis(axis_of({"": result})).log:  # no power law
        return found
    mine = (r for r in result["rows"] if r["scheme"] == scheme and size(r) == h and r["w2"] and r["value"] in found.get("used", ()))
    return slopes.shown(found, [(r["value"], r["w2"], r.get("stderr") or 0.0) for r in mine])


def why(row, line, axis) -> list[str]:
    """What keeps a point hollow."""
    if found := reasons(row):
        return found
    return [axis.apart] if axis.apart and has_slope(line) and row["value"] not in line["used"] else []


def _says(row, axis) -> list[str]:
    bound = [f"theorem's bound {number(row['bound'])}"] if row.get("bound") else []
    head = f"{row['scheme']}, {axis.symbol} = {chosen(row['value'])}, {place(row)}"
    return [head, f"W₂ {value_text(row)} ({method_text(row)})", *bound]


def slope_said(line, axis) -> str:
    """The slope of a trend; along T the rate at which W2 falls."""
    # Only the interval's width is shown, and that has no sign.
    return slope_text({**line, "slope": -line["slope"]} if axis.symbol == "T" else line)


def sentence(results: dict[str, dict], h: float) -> str:
    """What the picture shows now."""
    axis, result = varied_axis(axis_of(results)), next(iter(results.values()))
    names, rows = result["study"]["schemes"], [r for r in result["rows"] if size(r) == h]
    parts = ["So far:"] if result.get("done", 1.0) < 1 else []
    if not axis.trend:
        parts += filter(None, (_ends([r for r in rows if r["scheme"] == s], s, axis) for s in names))
    else:
        lines = {s: trend(result, s, h) for s in names}
        sloped = [f"{slope_said(t, axis)} ({s})" for s, t in lines.items() if has_slope(t)]
        m_min = result["facts"]["m_min"]
        parts += [f"At {place(rows[0])} W₂ {axis.trend} {listed(sloped)}."] if sloped else []
        parts += [f"The theorem's term falls with mₘᵢₙ = {number(m_min)}."] if sloped and axis.symbol == "T" and (m_min or 0) > 0 else []
        flat = {}
        for s, t in lines.items():
            if not has_slope(t):
                flat.setdefault(_flat(t, axis), []).append(s)
        parts += [f"No slope for {listed(who)}: {why}." for why, who in flat.items()]
    if low := dict.fromkeys(r["scheme"] for r in rows if r["method"] in LOWER):
        parts.append(f"{listed(low)}: {'lower bounds' if len(low) > 1 else 'a lower bound'} of W₂.")
    if gone := [f"{r['scheme']} at {axis.symbol} = {chosen(r['value'])}" for r in rows if diverged(r)]:
        parts.append(f"Diverged: {listed(gone)}.")
    return " ".join(parts) or "Nothing has been measured yet."


def _flat(line, axis) -> str:
    """Why a trend has no slope."""
    if 0 < len(line.get("used") or ()) < slopes.LEAST:
        return f"fewer than {slopes.LEAST} points are clear of the rest"
    return "the points bend" if line.get("unsaid") else axis.flat


def _ends(rows, name, axis) -> str:
    """W2 of a scheme at both ends of an axis that has no slope, and where it is largest."""
    rows = sorted((r for r in rows if not diverged(r)), key=lambda r: r["value"])
    if len(rows) < 2:
        return ""
    first, last, top = rows[0], rows[-1], max(rows, key=lambda r: r["w2"])
    peak = f", largest at {chosen(top['value'])} with {number(top['w2'])}" if top not in (first, last) else ""
    return (
        f"At {place(first)} W₂ of {name} is {number(first['w2'])} at {axis.symbol} = {chosen(first['value'])} and "
        f"{number(last['w2'])} at {chosen(last['value'])}{peak}."
    )


def table(results: dict[str, dict], h: float) -> list[dict]:
    """Every point of the picture, formatted."""
    axis = varied_axis(axis_of(results))
    return [
        {
            **({"start": name} if len(results) > 1 else {}),
            "scheme": r["scheme"],
            axis.symbol: chosen(r['value']),
            "W₂ ± 95 %": value_text(r),
            "bound": number(r.get("bound")),
            "bound ÷ W₂": ratio(r.get("bound"), r["w2"]),
            "method": method_text(r),
            "why": "; ".join(why(r, trend(result, r["scheme"], h), axis)),
        }
        for name, result in results.items()
        for r in sorted((r for r in result["rows"] if size(r) == h), key=lambda r: r["value"])
    ]
