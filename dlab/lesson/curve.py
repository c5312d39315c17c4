"""A result as a scene of the lesson shows it: picture, key figures, takeaway, tables, notes. Nothing is computed."""

import math

from dlab.figures import tables
from dlab.figures.convergence import AXES
from dlab.figures.numbers import listed, number, order, place, ratio, size, step_size
from dlab.figures.tables import (
    diverged,
    fit_of,
    has_slope,
    no_value,
    reasons,
    rows_of,
    schemes_of,
    slope_text,
    value_text,
)
from dlab.lesson.text import pretty

MOST_KEYS = 4
MOST_WORDS = 30


def shown(result: dict, x: str = "h", *, bounds=True, brackets=True) -> dict:
    """What a scene has of a result, as `figures.convergence.chart` takes it: {"curve", "keys", "takeaway", "tables", "notes"}."""
    return {
        "curve": picture(result, x, bounds=bounds, brackets=brackets),
        "keys": keys(result),
        "takeaway": pretty(takeaway(result)),
        "tables": [
            {"title": "Slopes and constants", **table(tables.table(result))},
            {"title": "Every point", **table(tables.rows_table(result))},
        ],
        "notes": [pretty(note) for note in result["notes"]],
    }


def picture(result: dict, x: str, *, bounds=True, brackets=True) -> dict:
    """The curves of the schemes, each with its points from left to right; y null where there is no value."""
    names = schemes_of(result)
    rows = [r for s in names for r in rows_of(result, s)]
    x = "steps" if x == "h" and any(r["h"] is None for r in rows) else x
    return {
        "x": x,
        "xTitle": AXES[x][0],
        "yTitle": _quantity(rows),
        "bounds": bounds,
        "series": [_series(result, name, AXES[x][1], brackets) for name in names],
    }


def _series(result, name, at, brackets) -> dict:
    rows, fit = rows_of(result, name), fit_of(result, name)
    points = [
        {
            "x": at(r), "y": None if diverged(r) else r["w2"], "N": r["steps"], "h": r["h"], "bound": r.get("bound"),
            "half": 1.96 * (r.get("stderr") or 0.0), "filled": not reasons(r, fit), "says": pretty(_says(r, fit)),
            **({"lower": r["lower"], "upper": r["upper"]} if brackets and r.get("lower") != r.get("upper") else {}),
        }
        for r in rows
    ]  # fmt: skip
    return {
        "scheme": name,
        "label": f"slope {pretty(slope_text(fit))}" if has_slope(fit) else "",
        "points": sorted(points, key=lambda p: p["x"]),
    }


def _says(row, fit) -> str:
    head = f"{row['scheme']}, {place(row)}: W₂ {value_text(row)}"
    bound = f"; theorem's bound {number(row['bound'])}" if row.get("bound") else ""
    return "\n".join([head + bound, *(f"hollow: {reason}" for reason in reasons(row, fit))])


def _quantity(rows) -> str:
    methods = dict.fromkeys(r["method"] for r in rows if r.get("method"))
    paths = max((r.get("particles") or 0 for r in rows), default=0)
    return f"W₂ ({', '.join([*methods, *([f'{paths} paths'] if paths else [])])})"


def takeaway(result: dict) -> str:
    """What the picture shows, in about 25 words; the lab's own sentence where no scheme has a slope."""
    falls, flat, promised, void = [], {}, {}, []
    for name in schemes_of(result):
        fit = fit_of(result, name)
        if levels_off(result, name):
            flat[name] = number(rows_of(result, name)[-1]["w2"])
        elif has_slope(fit):
            falls.append(f"{name} with slope {slope_text(fit)}")
            if fit.get("theory_order"):
                promised.setdefault(order(fit["theory_order"]), []).append(name)
            else:
                void.append(name)
    if flat:
        return f"{listed(flat)} {'level' if len(flat) > 1 else 'levels'} off near W₂ = {listed(dict.fromkeys(flat.values()))}."
    if not falls:
        return tables.sentence(result)
    said = f"The error falls for {listed(falls)}" if len(falls) > 1 else f"The error of {falls[0].replace(' with', ' falls with')}"
    theorem = listed(power + (f" for {listed(names)}" if len(falls) > 1 else "") for power, names in promised.items())
    whole = f"{said}; the theorem promises {theorem}." if theorem else f"{said}; no theorem gives a bound here." if void else f"{said}."
    return whole if len(whole.split()) <= MOST_WORDS else f"{said}."


def levels_off(result: dict, scheme: str) -> bool:
    """Whether the last octave of a scheme's curve is flat."""
    rows = [r for r in rows_of(result, scheme) if not diverged(r) and r["w2"] > 0]
    return len(rows) > 1 and abs(math.log(rows[-2]["w2"] / rows[-1]["w2"]) / math.log(size(rows[-2]) / size(rows[-1]))) < tables.LEVEL


def keys(result: dict) -> list[dict]:
    """Up to four numbers that the picture is about, {"value", "label"}: slopes, and errors at the finest step where there is room."""
    names = schemes_of(result)[:MOST_KEYS]
    found = []
    for name in names:
        rows, fit = rows_of(result, name), fit_of(result, name)
        if has_slope(fit) and not levels_off(result, name):
            found.append({"value": pretty(slope_text(fit)), "label": f"slope of {name}"})
        last = rows[-1]
        if len(names) <= MOST_KEYS // 2:
            value = no_value(last) if diverged(last) else number(last["w2"])
            found.append({"value": pretty(value), "label": f"{name} at {place(last)}"})
        if len(names) == 1 and last.get("bound"):
            found.append({"value": pretty(number(last["bound"])), "label": f"its bound at {place(last)}"})
            found.append({"value": pretty(ratio(last["bound"], last["w2"])), "label": "bound ÷ measured"})
    return found[:MOST_KEYS]


def moving(study, meta: dict) -> dict:
    """As `shown`, of the words and distances of a movie."""
    table_ = meta["table"]
    names = [s for s in table_ if s not in ("n", "t")]
    steps = table_["n"][-1]
    h = study.grid(steps).step
    where = f"{steps} steps" if h is None else f"h = {step_size(h)}"
    return {
        "keys": [{"value": pretty(number(table_[s][-1])), "label": f"W₂ of {s}, {where}"} for s in names],
        "takeaway": pretty(meta["sentence"]),
        "distances": {"n": table_["n"], "t": table_["t"], "series": [{"scheme": s, "y": table_[s]} for s in names]},
        "tables": [{"title": "Distance so far", **table([
            {"step n": n, "t": number(t), **{f"W₂ of {s}": "" if table_[s][i] is None else number(table_[s][i]) for s in names}}
            for i, (n, t) in enumerate(zip(table_["n"], table_["t"]))
        ])}],
        "notes": [pretty(note) for note in meta["notes"]],
    }  # fmt: skip


def table(lines: list[dict]) -> dict:
    """{"columns", "rows"} of formatted lines, without columns that are empty throughout."""
    columns = [c for c in (lines[0] if lines else ()) if any(line.get(c) not in ("", None) for line in lines)]
    return {"columns": columns, "rows": [[pretty(str(line.get(c, ""))) for c in columns] for line in lines]}
