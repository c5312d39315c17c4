"""The convergence figure: W2 against step size, steps or evaluations, from a result.

It draws and computes nothing: values, slopes, bounds and reasons are the result's own.
"""

import math
from dataclasses import replace

from dlab import schemes
from dlab.figures.chart import NEUTRAL, Band, Chart, Curve, Key
from dlab.figures.numbers import listed, number, place, size, step_size
from dlab.figures.plot import lost, plot, scheme_look, step_axis
from dlab.figures.tables import (
    LOWER,
    NOTES,
    diverged,
    fit_of,
    fitted,
    floor_of,
    levelled,
    no_value,
    reasons,
    rows_of,
    schemes_of,
    sentence,
    value_text,
)

AXES = {
    "h": ("step size h", lambda row: row["h"]),
    "steps": ("number of steps N", lambda row: row["steps"]),
    "evals": ("score and Hessian evaluations a path", lambda row: row["score_evals"] + (row.get("hessian_evals") or 0)),
}
HEADROOM = 2000.0  # a bound further above the largest measured value would flatten the picture: it leaves the top
USUAL = 0.1, 0.5  # of W2 over h to the scheme's order, between: where axes stand before anything is measured
BELOW_FLOOR = 3.0  # times lower than a floor the picture goes, so that the floor is seen from the back row
SLOPES = (0.5, 1.0, 2.0)


def chart(
    result: dict, x: str = "h", *, bounds: bool = True, brackets: bool = True, fits: bool = True, expansion: bool = False,
    revealed: bool = True, hold: tuple[float, float] | None = None,
) -> Chart:  # fmt: skip
    """The picture of a result, log-log.

    x         "h" (the number of steps where they differ), "steps" or "evals" (score plus Hessian evaluations along one path)
    bounds    the theorems' bounds      brackets   lower to upper, as bands      fits   the fitted lines
    expansion   the leading term of W2 in h, where the target is a Gaussian and the scheme's is known
    revealed   False draws the measured points, their bounds and brackets alone: no line, reference slope or number that answers
    hold      the least that the vertical axis shows, as of `awaiting`: points fall into a picture that stands
    A filled point is fitted (or, where nothing could be fitted, resolved); a hollow one says why on hover. A click on a point says
    [scheme, h or None, number of steps]. Raises ValueError for any other x.
    """
    if x not in AXES:
        raise ValueError(f"x = {x!r} is not an axis of this figure; choose one of {', '.join(AXES)}")
    names = schemes_of(result)
    rows = [r for s in names for r in rows_of(result, s)]
    if any(r["h"] is None for r in rows) and x == "h":
        x = "steps"
    title, at = AXES[x]
    curves, bands, floors = [], [], _floors(rows, at)
    for name in names:
        look, mine, fit = scheme_look(name), rows_of(result, name), fit_of(result, name)
        unmarked = {**look, "marker": ""}
        kept, gone = [r for r in mine if not diverged(r)], [r for r in mine if diverged(r)]
        if brackets:
            ends = [(at(r), r["lower"], r["upper"]) for r in kept if _bracketed(r)]
            bands += [Band(f"{name} bracket", *zip(*ends), colours=look["colours"], group=name)] if ends else []
        if bounds:
            curves.append(_bound(name, [r for r in mine if r.get("bound")], at))
        if revealed and expansion and kept and fit.get("expansion"):
            curves.append(Curve.of(
                f"{name} as h → 0", mine, at, value=lambda r, f=fit: f["expansion"] * r["h"] ** f["law_order"],
                group=name, dash="dashdot", thin=True))  # fmt: skip
        if revealed and fits and fit.get("constant") is not None:
            line = [r for r in kept if fitted(r, fit)]
            curves.append(Curve.of(
                f"{name} fit", line, at, value=lambda r, f=fit: f["constant"] * size(r) ** f["slope"], **unmarked))
        elif revealed and fits and len(kept) > 2:  # a guide for the eye
            curves.append(Curve.of(f"{name} joined", kept, at, half=lambda r: 0.0, **{**unmarked, "thin": True}))
        curves.append(Curve.of(
            f"{name} measured", kept, at, why=lambda r, f=fit: reasons(r, f), says=_says, picks=_picked, label=name,
            **{**look, "dash": ""}))  # fmt: skip
        lost_label = "" if kept else f"{name} {no_value(gone[0])}" if gone else ""
        curves.append(replace(
            lost(f"{name} diverged", gone, at, lambda r, f=fit: [_head(r), *reasons(r, f)], **{**look, "marker": "x"}),
            label=lost_label))  # fmt: skip
    places = {at(r) for r in rows}
    planned = (result.get("study") or {}).get("h") if x == "h" and rows else None
    own = list(dict.fromkeys(b.colours for b in bands if b.name.endswith("bracket")))
    across = _across(x, {*places, *(planned or ())})
    floors += _levels(result, across) if revealed else []
    return plot(
        _title(result, title), across, _quantity(rows), curves, bands=[*floors, *bands],
        keys=[Key("bracket", own[0] if len(own) == 1 else NEUTRAL, band=True)] if own else [],
        guide={"hollow": "not fitted", "x": " or ".join(dict.fromkeys(no_value(r) for r in rows if diverged(r))),
               "dot": "theorem's bound", "dashdot": "closed form as h → 0"},
        slopes=SLOPES if revealed and len(places) > 1 else (), corner="right" if x == "h" else "left", headroom=HEADROOM,
        least=_least(hold, floors), says=sentence(result) if revealed else "", caption=_caption(result, rows),
    )  # fmt: skip


def awaiting(
    names: list[str], h: list[float], bounds: dict[str, dict[float, float]] | None = None, *, x: str = "h", steps: list[int] = (),
    method: str = "", slopes: bool = True,
) -> Chart:  # fmt: skip
    """The picture before anything is measured: axes, bounds and reference slopes, from plain values.

    names, h  of the study; steps: their numbers of steps, for another x (of "evals" with one score a step)
    bounds    {scheme: {h: the theorem's bound}}, as far as they are known; a scheme without one has no line
    Its limits along y are those to `hold` in `chart`.
    """
    at = dict(zip(h, steps if x != "h" and steps else h))
    title, curves = AXES[x][0], []
    for name in names:
        known = [{"scheme": name, "h": k, "bound": v} for k, v in sorted(((bounds or {}).get(name) or {}).items()) if k in at]
        curves.append(replace(_bound(name, known, lambda r: at[r["h"]]), label=name))
    # Where points may be expected, so that the axes hold them later.
    usual = [
        Curve("", tuple(at.values()), tuple(size_ * k**schemes.REGISTRY[name].law_order for k in at), marker="circle")
        for name in names if name in schemes.REGISTRY for size_ in USUAL
    ]  # fmt: skip
    drawn = plot(
        f"W₂ error against {title}", _across(x, set(at.values())), f"W₂ ({method})" if method else "W₂", [*curves, *usual],
        guide={"dot": "theorem's bound"}, slopes=SLOPES if slopes and len(h) > 1 else (), corner="right" if x == "h" else "left",
        headroom=HEADROOM, says="Nothing has been measured yet.", caption="",
    )  # fmt: skip
    return replace(drawn, series=tuple(c for c in drawn.series if c.name))


def _across(x, places):
    text, room = (step_size, (1.25, 1.25)) if x == "h" else ("{:g}".format, (1.4, 1.25))
    return step_axis(places, AXES[x][0], room, text)


def _bound(name, rows, at) -> Curve:
    return Curve.of(
        f"{name} theorem's bound", rows, at, value=lambda r: r["bound"],
        says=lambda r: [f"{r['scheme']}, {place(r)}", f"theorem's bound {number(r['bound'])}"],
        **scheme_look(name, marker="", dash="dot", thin=True))  # fmt: skip


def _picked(row) -> tuple:
    return row["scheme"], row["h"], row.get("steps")


def _levels(result, across) -> list[Band]:
    """Where the curves level off, a band from below up to the lowest of them; one for each process that schemes converge to."""
    found = {}
    for name, value in levelled(result).items():
        kind = schemes.REGISTRY[name].dynamics if name in schemes.REGISTRY else ""
        found[kind] = min(value, found.get(kind, math.inf))
    text = floor_of(result)
    return [
        Band(f"{text}{f', {kind}' if len(found) > 1 else ''}", across.limits, (0.0,) * 2, (value,) * 2,
             label=f"{text}{f' ({kind})' if len(found) > 1 else ''}, {number(value)}")
        for kind, value in found.items()
    ]  # fmt: skip


def _least(hold, floors) -> tuple[float, float] | None:
    """What the vertical axis shows at least: what is held, and room below a floor."""
    low = min([*(max(b.upper) / BELOW_FLOOR for b in floors if "sampling" not in b.name), *(hold or ())[:1]], default=None)
    return None if low is None else (low, hold[1] if hold else low)


def _bracketed(row) -> bool:
    low, high = row.get("lower"), row.get("upper")
    return low is not None and high is not None and high > low


def _head(row) -> str:
    steps = f", {row['steps']} steps" if row["h"] is not None and row.get("steps") else ""
    return f"{row['scheme']}, {place(row)}{steps}"


def _says(row) -> list[str]:
    method = NOTES.get(row.get("method"), row.get("method", "measured"))
    # The level is said because a flag may quote the standard error of the same number.
    lines = [_head(row), f"W₂ {value_text(row)} ({'95 %, ' if row.get('stderr') else ''}{method})"]
    if _bracketed(row):
        lines.append(f"bracket {number(row['lower'])} to {number(row['upper'])}")
    if row.get("bound"):
        ratio = f", {number(row['bound'] / row['w2'])} times the measured" if row["w2"] > 0 else ""
        lines.append(f"theorem's bound {number(row['bound'])}{ratio}")
    return lines


def _floors(rows, at) -> list[Band]:
    """One neutral band a method: the floor depends on method and cloud size, not on the scheme."""
    bands = []
    for method in dict.fromkeys(r.get("method") for r in rows if r.get("floor")):
        tops = {}
        for r in rows:
            if r.get("method") == method and r.get("floor"):
                tops[at(r)] = max(r["floor"], tops.get(at(r), 0.0))
        ends = zip(*((x, 0.0, top) for x, top in sorted(tops.items())))
        bands.append(Band(f"{method} sampling floor", *ends, label="sampling floor"))
    return bands


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


def _caption(result, rows) -> str:
    study = result.get("study") or {}
    parts = [f"Target {study['target']['name']}"] if (study.get("target") or {}).get("name") else []
    parts += [f"grid {study['grid']['name']}"] if study.get("grid") else []
    parts += [f"T = {study['T']:.4g}"] if study.get("T") else []
    parts += [f"to t = {study['stop']:g}"] if study.get("stop") else []
    parts += [f"start {study['start']}"] if study.get("start") else []
    error = study.get("score_error") or {}
    if error:
        level = f" {error['level']:g}" if isinstance(error.get("level"), (int, float)) else ""
        parts.append(f"score error {error.get('name', 'none')}{level}")
    said = [", ".join(parts)] if parts else []
    if any(r.get("stderr") for r in rows):
        said.append("Error bars and ± are 95 % intervals")
    bent = [r["scheme"] for r in rows if r.get("method") in LOWER]
    if bent:
        said.append(f"For {listed(dict.fromkeys(bent))} the value is a lower bound of W₂")
    return ". ".join(said) + "." if said else ""
