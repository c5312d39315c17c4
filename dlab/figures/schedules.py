"""The pictures of time grids: one scheme on all of them, the grids themselves, where along each the error is made, and the best one."""

import math
from itertools import pairwise

from dlab import grid as grids
from dlab.figures.chart import NEUTRAL, Axis, Band, Chart, Curve, Sheet, decades
from dlab.figures.numbers import NONE, listed, number, ratio
from dlab.figures.plot import beside, even_axis, line, log_axis, plot, scheme_look

# Titles that leave room for the picture; a grid that is not here has its own.
SHORT = {
    "uniform": "Uniform in t", "quadratic": "Quadratic", "log-snr": "Log-SNR", "karras": "Karras", "vp-linear": "Linear VP",
    "vp-cosine": "Cosine VP", "flow": "Flow matching", "geometric": "Geometric (AVD)", "inverse-root": "Inverse root",
    "times": "Your times",
}  # fmt: skip
# Hues that stay apart for the colour-blind, each with its own marker and dash: light and dark ground.
_HUES = (
    ("#0072B2", "#56B4E9"), ("#C75300", "#FF9955"), ("#007A5A", "#2FC79B"), ("#A3478A", "#E08BC4"), ("#6B5B00", "#D9C33C"),
    ("#4C5561", "#AEB8C4"),
)  # fmt: skip
_MARKS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "star")
_DASHES = ("solid", "dash", "dashdot", "dot")
OPTIMUM = {"colours": ("#1d2733", "#e8edf3"), "marker": "star", "dash": "solid"}
LIFTED, PEAK = 0.06, 1.12  # shares of the height that the picture leaves below the least and above the largest value


def title(name: str) -> str:
    return SHORT.get(name, grids.MAKERS[name].title)


def look(name: str, **changes) -> dict:
    """Colours, marker and dash of a grid."""
    at = list(grids.MAKERS).index(name)
    return {
        "colours": _HUES[at % len(_HUES)], "marker": _MARKS[at % len(_MARKS)], "dash": _DASHES[at // len(_HUES) % len(_DASHES)],
        "group": name, **changes,
    }  # fmt: skip


def ranked(found: dict) -> list[dict]:
    """The rows of an answer `schedules` that have a value, the best first."""
    return sorted((r for r in found["rows"] if r["w2"] is not None), key=lambda r: r["w2"])


# ---------------------------------------------------------------- all grids


def compare(found: dict) -> Chart:
    """W2 of the scheme on each grid as a dot, the best grid on top."""
    rows = ranked(found)
    own = found["study"].get("grid", {"name": "uniform"})["name"]
    places = {r["grid"]: len(rows) - i for i, r in enumerate(rows)}
    ticks = tuple((float(places[r["grid"]]), f"{title(r['grid'])}  {number(r['w2'])}") for r in reversed(rows))
    values = [r["w2"] for r in rows]
    style = scheme_look(found["scheme"], dash="", group="")
    dots = Curve(
        f"{found['scheme']} on each grid", tuple(values), tuple(float(places[r["grid"]]) for r in rows), **style,
        filled=tuple(not r["flags"] for r in rows),
        hover=tuple("\n".join([grids.MAKERS[r["grid"]].title, f"W₂ {number(r['w2'])} ({r['method']})", *r["flags"]]) for r in rows),
    )  # fmt: skip
    least = min(values, default=0.1) / 1.15
    stems = [
        Curve(f"{r['grid']} line", (least, r["w2"]), (float(places[r["grid"]]),) * 2, style["colours"] if r["grid"] == own else NEUTRAL,
              dash="solid", thin=r["grid"] != own)
        for r in rows
    ]  # fmt: skip
    method = "exact law" if all(r["method"] == "exact" for r in rows) else "from the law"
    return plot(
        f"{found['scheme']} in {found['steps']} steps on every grid", log_axis(f"W₂ ({method})", values, (1.15, 1.3)),
        Axis("", (0.4, len(rows) + 0.6), ticks, log=False), [*stems, dots], says=sentence(found),
    )  # fmt: skip


def sentence(found: dict) -> str:
    """What the picture of all grids shows, with its numbers."""
    rows, own = ranked(found), found["study"].get("grid", {"name": "uniform"})["name"]
    if not rows:
        return "No grid has a value here."
    begin = next(r["sigmas"][0] for r in rows)
    best, last, mine = rows[0], rows[-1], next((r for r in rows if r["grid"] == own), None)
    begun = f"{found['scheme']} in {found['steps']} steps from σ = {number(begin)}"
    if last["w2"] < 1e-9:
        return f"{begun}: on every grid the law is exact up to rounding."
    said = (
        f"{begun}: {title(best['grid'])} is best with W₂ {number(best['w2'])}; "
        f"{title(last['grid'])}, the worst, is {ratio(last['w2'], best['w2'])} times as far away."
    )
    if mine and mine is not best and mine is not last:
        said += f" {title(own)}, the grid of this page: {ratio(mine['w2'], best['w2'])} times."
    return said


def table(found: dict) -> list[dict]:
    """One formatted dict a grid, the best first, then those that cannot be laid."""
    rows = ranked(found)
    return [
        {
            "grid": grids.MAKERS[r["grid"]].title, "W₂": number(r["w2"]), "to the best": ratio(r["w2"], rows[0]["w2"]),
            "last σ before the end": number(r["sigmas"][-2]), "notes": "; ".join(r["flags"]),
        }
        for r in rows
    ] + [
        {"grid": grids.MAKERS[r["grid"]].title, "W₂": NONE, "to the best": NONE, "last σ before the end": NONE,
         "notes": "; ".join(r["flags"]) or "its law overflows"}
        for r in found["rows"] if r["w2"] is None
    ]  # fmt: skip


# ---------------------------------------------------------------- the grids drawn


def drawn(found: dict, names) -> Sheet | None:
    """sigma against n, and the steps in log-SNR, of the grids with these names; None where none of them was laid."""
    rows = [r for r in found["rows"] if r["grid"] in names and r["sigmas"]]
    if not rows:
        return None
    lines = [(title(r["grid"]), r["sigmas"], look(r["grid"])) for r in rows]
    parts = _levels(lines, found["steps"]), _steps(lines, found["steps"])
    smallest = {r["grid"]: r["sigmas"][-2] for r in rows}
    said = "The last σ before the end is " + listed(f"{number(v)} ({title(name)})" for name, v in smallest.items()) + "."
    return beside("Time grids", parts, " ".join(p.alt for p in parts), said)


def _levels(lines, steps) -> Chart:
    """sigma against n; a last one of 0 has no place on the axis."""
    curves = [
        Curve(name, *zip(*((float(n), v) for n, v in enumerate(sigmas) if v > 0)), label=name, **_thinned(style, steps))
        for name, sigmas, style in lines
    ]  # fmt: skip
    return plot("σ along the run", even_axis("step n", 0.0, float(steps)), "σ/α at the start of step n", curves)


def _steps(lines, steps) -> Chart:
    """Change of log-SNR in each step but one down to 0, where it is infinite."""
    curves = []
    for name, sigmas, style in lines:
        sizes = [(float(n), 2 * math.log(a / b)) for n, (a, b) in enumerate(pairwise(sigmas)) if b > 0]
        curves += [Curve(name, *zip(*sizes), label=name, **_thinned(style, steps))] if sizes else []
    return plot("Steps in log-SNR", even_axis("step n", 0.0, float(steps)), "change of log-SNR in step n", curves)


def _thinned(style, steps) -> dict:
    """Markers stand apart up to some number of steps."""
    return style if steps <= 32 else {**style, "marker": ""}


# ---------------------------------------------------------------- where the error is made


def where(found: dict, names) -> Sheet | None:
    """What each step adds to W2 along sigma, a chart for each grid with the same axes; None where nothing is known of them."""
    rows = [r for name in dict.fromkeys(names) for r in found["rows"] if r["grid"] == name and r["parts"]]
    if not rows:
        return None
    lowest = min(r["sigmas"][-2] for r in rows) / 3
    highest = max(r["sigmas"][0] for r in rows)
    x = Axis("σ/α, from noise to data", (highest * 1.2, lowest), decades(lowest, highest))
    shares = [v for r in rows for v in r["parts"]["steps"]]
    top, bottom = max([*shares, 0.0]), min([*shares, 0.0])
    room = (top - bottom) or 1e-12
    y = even_axis("share of W₂", bottom - LIFTED * room, top + (PEAK - 1) * room)
    style, parts = scheme_look(found["scheme"]), []
    for r in rows:
        edges = [*r["sigmas"][:-1], max(r["sigmas"][-1], lowest)]
        xs = tuple(v for a, b in pairwise(edges) for v in (a, b))
        ys = tuple(v for v in r["parts"]["steps"] for _ in (0, 1))
        says = tuple(
            f"step {n + 1}, σ from {number(a)} to {number(b)}\nadds {number(v)} to W₂"
            for n, (a, b, v) in enumerate(zip(r["sigmas"][:-1], r["sigmas"][1:], r["parts"]["steps"]))
        )
        middles = tuple(math.sqrt(a * b) for a, b in pairwise(edges))
        parts.append(plot(
            title(r["grid"]), x, y,
            [
                line("zero", y=0.0, colours=NEUTRAL, dash="solid"),
                Curve("shares", xs, ys, style["colours"], dash="solid", thin=True),
                Curve("steps", middles, tuple(r["parts"]["steps"]), style["colours"], marker=style["marker"], hover=says),
            ],
            bands=[Band("share", xs, tuple(min(v, 0.0) for v in ys), tuple(max(v, 0.0) for v in ys), style["colours"])],
            says=_made(r),
        ))  # fmt: skip
    return Sheet(f"Where {found['scheme']} goes wrong", tuple(parts), " ".join(p.alt for p in parts), "  \n".join(map(_made, rows)))


def _made(row) -> str:
    parts = row["parts"]
    largest = max(range(len(parts["steps"])), key=lambda n: abs(parts["steps"][n]))
    ends = row["sigmas"][largest : largest + 2]
    more = [f"the start {number(parts['start'])}"] if abs(parts["start"]) > 1e-3 * row["w2"] else []
    more += [f"the stop before 0 {number(parts['stop'])}"] if abs(parts["stop"]) > 1e-3 * row["w2"] else []
    said = f"{title(row['grid'])}: W₂ {number(row['w2'])}, most of it from step {largest + 1} of {len(parts['steps'])}, "
    said += f"σ from {number(ends[0])} to {number(ends[1])}: {number(parts['steps'][largest])}."
    return said + (f" Besides the steps, {listed(more)}." if more else "")


# ---------------------------------------------------------------- the best grid


def best(found: dict) -> Sheet:
    """W2 along the search on the variances that it sees and on others, and the grids it began and ended with."""
    track, known = found["track"], _known(found)
    at = lambda r: float(r["iteration"])  # noqa: E731
    style = scheme_look(found["scheme"], group="")
    curves = [
        Curve.of("fitted", [r for r in track if r["fitted"]], at, value=lambda r: r["fitted"], label="fitted variances",
                 **{**style, "marker": "", "dash": "solid"}),
        Curve.of("held out", [r for r in track if r["held_out"]], at, value=lambda r: r["held_out"], label="held out",
                 **{**style, "marker": "", "dash": "dash"}),
    ]  # fmt: skip
    if other := known or next((g for g in found["grids"] if g["fitted"]), None):
        curves.append(line("a grid of the list", y=other["fitted"], dash="dot", label=title(other["grid"])))
    ends = even_axis("iteration", 0.0, max(1.0, float(track[-1]["iteration"])))
    lines = [("begun with", found["begun"], {"colours": NEUTRAL, "marker": "circle", "dash": "dash"}), ("found", found["sigmas"], OPTIMUM)]
    if other:
        lines.insert(1, (title(other["grid"]), other["sigmas"], look(other["grid"], group="")))
    first = plot(f"{found['scheme']}, {found['steps']} steps", ends, "W₂ (exact law)", curves)
    parts = first, _levels(lines, found["steps"])
    said = best_sentence(found)
    return beside("The best grid", parts, f"{' '.join(p.alt for p in parts)} {said}", said)


def _known(found):
    name = (found["known"] or {}).get("grid")
    return next((g for g in found["grids"] if g["grid"] == name and g["fitted"]), None)


def best_sentence(found: dict) -> str:
    """What the search has gained, on what it saw and on what it did not."""
    first, last = found["track"][0], found["track"][-1]
    if last["iteration"] == 0:
        return f"{found['scheme']} is exact on this grid; there is nothing to gain."
    said = (
        f"On the fitted variances W₂ falls from {number(first['fitted'])} to {number(last['fitted'])}, on those held out from "
        f"{number(first['held_out'])} to {number(last['held_out'])}."
    )
    if first["fitted"] and last["fitted"] and first["held_out"] and last["held_out"]:
        gained, kept = first["fitted"] / last["fitted"], first["held_out"] / last["held_out"]
        if gained > 1.5 and kept < math.sqrt(gained):
            said += " Most of the gain is only for these variances: the search has overfitted."
    if (known := _known(found)) and last["fitted"]:
        said += f" {title(known['grid'])}, the optimum for one variance as N grows, has {number(known['fitted'])}."
    return said if found["settled"] else f"{said} The search stopped at its limit of iterations."


def best_table(found: dict) -> list[dict]:
    """W2 of the grid found and of those of the list, on what was fitted and held out."""
    last = found["track"][-1]
    rows = [{"grid": "found", "fitted": last["fitted"], "held_out": last["held_out"]}, *found["grids"]]
    return [
        {
            "grid": "Found by the search" if r["grid"] == "found" else grids.MAKERS[r["grid"]].title,
            "W₂, fitted variances": number(r["fitted"]), "W₂, held out": number(r["held_out"]),
        }
        for r in rows
    ]  # fmt: skip
