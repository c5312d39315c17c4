"""The pictures, sentences and tables of the page outside the assumptions; nothing is computed here."""

import math
from dataclasses import replace

from dlab import schemes
from dlab.figures import along, convergence, tables
from dlab.figures.chart import Axis, Chart, Curve, Key, Sheet, decades, evenly, octaves
from dlab.figures.numbers import NONE, Z95, interval, listed, number, step_size
from dlab.figures.tables import METHODS, diverged, fit_of, has_slope, reasons, rows_of, slope_text, value_text

FAILS = "fails"
# Light, dark, marker, dash of each wrong Hessian, in the order in which they come: none is a scheme or borrows its colour.
LOOKS = (
    ("#1d2733", "#e8edf3", "square", "solid"),
    ("#7A4B1E", "#D9A066", "cross", "dash"),
    ("#AA4499", "#CC79A7", "triangle-up", "longdash"),
    ("#5B4FB5", "#A79BF0", "diamond", "solid"),
    ("#8a6d00", "#e3c34a", "triangle-down", "dash"),
    ("#5f6772", "#a3adba", "x", "dot"),
)


def sheet(result: dict, varied: dict | None, h: float, label: str, symbol: str) -> Sheet:
    """W2 against h, and, where it is known, against the number that leads out of the assumptions, called `label`, at the step
    size h."""
    parts = [convergence.chart(result, brackets=False)]
    if varied and h in along.steps_of({"": varied}):
        parts.append(_with_end(along.chart({"": varied}, h), varied, label, symbol))
    said = " ".join([tables.sentence(result), *(p.caption for p in parts[1:])])
    return Sheet("Outside the assumptions", tuple(parts), f"Two pictures. {said}", said)


def _with_end(chart: Chart, varied: dict, label: str, symbol: str) -> Chart:
    """The chart with a line where the theorem's number ends."""
    key = varied["study"]["vary"]["axis"].removeprefix("target.")
    said = {part: getattr(chart, part).replace(f"{key} = ", f"{symbol} = ") for part in ("caption", "alt")}
    # The values stand unevenly, and a tick at each would crowd.
    chart = replace(chart, x=replace(chart.x, title=label, ticks=evenly(*chart.x.limits)), **said)
    values = sorted({r["value"] for r in varied["rows"]})
    known = [v for v in values if any(r["value"] == v and r["bound"] is not None for r in varied["rows"])]
    if not known:
        return replace(chart, keys=(*chart.keys, Key("no bound at any value", dash="longdash")))
    if len(known) == len(values):
        return chart
    above = known[0] == values[0]
    at = values.index(known[-1] if above else known[0])
    place = (values[at] + values[at + (1 if above else -1)]) / 2
    line = Curve("where the bound ends", (place, place), chart.y.limits, dash="longdash", thin=True)
    return replace(
        chart,
        series=(line, *chart.series),
        keys=(*chart.keys, Key(f"{'right' if above else 'left'} of the line: no bound", dash="longdash")),
    )


def failing(listed_: list) -> str:
    """Which assumptions fail, with their numbers, and what is left of the theorems. listed_: `study.checklist`."""
    failed = [a for a in listed_ if a.verdict == FAILS]
    if not failed:
        return "No assumption is known to fail here, and m₀ > ½: the theorems apply, as far as their numbers were proven or measured."
    said = []
    for a in failed:
        name = f"Assumption {a.number}" if a.number != "–" else "m₀ > ½"
        facts = ", ".join(
            f"{s} = {number(v) if v is not None else '∞'}"
            for s, v, how in a.values
            if v is not None or how.startswith("infinite")
        )
        said.append(f"{name} ({a.title if a.number != '–' else 'listed nowhere'}; {facts})")
    hit = sorted({t for a in failed for t in a.needed_by})
    return (
        f"Here {listed(said)} {'fails' if len(said) == 1 else 'fail'}. {listed(hit)} {'needs' if len(hit) == 1 else 'need'} "
        f"{'it' if len(said) == 1 else 'them'} and {'says' if len(hit) == 1 else 'say'} nothing here: not a large bound, none."
    )


def measured(result: dict) -> str:
    """The measured orders and constants in one sentence, and every scheme without one with its reason."""
    said, without = [], {}
    for name in tables.schemes_of(result):
        fit = fit_of(result, name)
        if has_slope(fit):
            said.append(f"{name} C = {number(fit['constant'])}, p = {slope_text(fit)}")
        else:
            rows = rows_of(result, name)
            why = next((reason for r in rows for reason in reasons(r, fit)), "too few resolved points")
            without.setdefault(why.rstrip("."), []).append(name)
    head = f"Measured all the same, W₂ ≈ C·hᵖ: {'; '.join(said)}." if said else "No order could be measured."
    return " ".join([head, *(f"{listed(names)}: {why}." for why, names in without.items())])


def table(result: dict) -> list[dict]:
    """A line for each scheme, without the constant at the order that its law has where the assumptions hold: an edge or a kink may
    leave less."""
    return [{k: v for k, v in line.items() if k != tables.AT_ORDER} for line in tables.table(result)]


def modes_table(found: dict) -> list[dict]:
    """One line a scheme and region."""
    out = []
    for row in found["rows"]:
        if row["masses"] is None:
            out.append(
                {
                    "scheme": row["scheme"],
                    "region": NONE,
                    "target": NONE,
                    "law of the scheme": NONE,
                    "difference": NONE,
                    "how": row["why"],
                }
            )
            continue
        for name, own, mass, error in zip(found["regions"], found["target"], row["masses"], row["stderr"]):
            out.append({
                "scheme": row["scheme"], "region": name, "target": number(own), "law of the scheme": interval(mass, Z95 * error or None),
                "difference": interval(mass - own, Z95 * error or None),
                "how": "density of the law" if row["method"] == "law" else "particles, ± 95 %",
            })  # fmt: skip
    return out


def modes_sentence(found: dict) -> str:
    """Which region each scheme misses most."""
    said = []
    for row in found["rows"]:
        if row["masses"] is None:
            said.append(f"{row['scheme']}: {row['why'].rstrip('.')}.")
            continue
        gaps = [m - t for m, t in zip(row["masses"], found["target"])]
        i = max(range(len(gaps)), key=lambda k: abs(gaps[k]))
        error = Z95 * row["stderr"][i]
        if abs(gaps[i]) <= max(error, 5e-6):
            said.append(f"{row['scheme']} has the target's masses as far as can be told.")
        else:
            share = (
                f", {abs(100 * gaps[i] / found['target'][i]):.2g} % {'more' if gaps[i] > 0 else 'less'}"
                if found["target"][i] > 0
                else ""
            )
            said.append(
                f"{row['scheme']} gives “{found['regions'][i]}” {interval(row['masses'][i], error or None)} of the mass where the target "
                f"has {number(found['target'][i])}{share}."
            )
    return f"At h = {step_size(found['h'])}: {' '.join(said)}"


def _cost(row) -> float:
    return row["score_evals"] + row["hessian_evals"]


def hessian_sheet(found: dict[str, dict]) -> Sheet:
    """W2 of SO with each Hessian and of EM, against h and against evaluations a path."""
    said = hessian_sentence(found)
    parts = (
        _hessian_chart(found, "step size h", lambda r: r["h"], step_size),
        _hessian_chart(found, "score and Hessian evaluations a path", _cost, "{:g}".format),
    )
    return Sheet("SO with a wrong Hessian", parts, f"Two pictures, all axes logarithmic. {said}", said)


def _look(found, label):
    if label in ("EM", "SO, exact"):
        style = schemes.REGISTRY[label[:2]].style
        return (style.light, style.dark), style.marker, style.dash
    rank = [k for k in found if k not in ("EM", "SO, exact")].index(label)
    light, dark, marker, dash = LOOKS[rank % len(LOOKS)]
    return (light, dark), marker, dash


def _hessian_chart(found, title, at, text) -> Chart:
    series, keys, places, sizes = [], [], [], []
    for label, result in found.items():
        colours, marker, dash = _look(found, label)
        rows = [r for r in result["rows"] if not diverged(r) and r["w2"] > 0]
        fit = result["fits"][0]
        places += map(at, rows)
        sizes += [r["w2"] for r in rows]
        series.append(Curve(
            label, tuple(map(at, rows)), tuple(r["w2"] for r in rows), colours, label,
            low=tuple(max(r["w2"] - Z95 * (r["stderr"] or 0), r["w2"] / 10) for r in rows),
            high=tuple(r["w2"] + Z95 * (r["stderr"] or 0) for r in rows), filled=tuple(not reasons(r, fit) for r in rows),
            hover=tuple("\n".join([
                f"{label}, h = {step_size(r['h'])}", f"W₂ {value_text(r)}", f"{r['score_evals']} scores, {r['hessian_evals']:g} Hessians",
                *(f"hollow: {w}" for w in reasons(r, fit)),
            ]) for r in rows), marker=marker, dash=dash,
        ))  # fmt: skip
        slope = (
            f" {slope_text(fit)}" if has_slope(fit) and at({"h": 1, "score_evals": 0, "hessian_evals": 0}) == 1 else ""
        )
        keys.append(Key(label + slope, colours, label, marker, dash))
    x = (min(places, default=0.1) / 1.3, max(places, default=1.0) * 1.3)
    y = (min(sizes, default=0.01) / 1.6, max(sizes, default=0.1) * 1.6)
    return Chart(
        title=f"W₂ against {title}", x=Axis(title, x, octaves(*x, sorted(set(places)), text)), y=Axis("W₂", y, decades(*y)),
        series=tuple(series), keys=tuple(keys), alt=f"W₂ against {title} for EM and for SO with each Hessian.",
    )  # fmt: skip


def hessian_sentence(found: dict[str, dict]) -> str:
    """Which Hessians keep the order, which lose it, and what each costs at the finest h."""
    said = []
    sloped = {k: r["fits"][0] for k, r in found.items() if k != "EM" and has_slope(r["fits"][0])}
    if sloped:
        said.append(f"Measured slopes: {listed(f'{slope_text(f)} ({k})' for k, f in sloped.items())}.")
    missing = [k for k, r in found.items() if not has_slope(r["fits"][0])]
    if missing:
        said.append(f"No slope for {listed(missing)}: too few resolved points.")
    fine = {k: min(r["rows"], key=lambda row: row["h"]) for k, r in found.items()}
    exact = fine.get("SO, exact")
    if exact and not diverged(exact) and exact["w2"] > 0:
        each = [
            f"{number(r['w2'] / exact['w2'])} times at {_cost(r) / _cost(exact):.0%} of the evaluations ({k})"
            for k, r in fine.items() if k not in ("SO, exact", "EM") and not diverged(r)
        ]  # fmt: skip
        if each:
            said.append(f"At h = {step_size(exact['h'])} the error is, beside the exact Hessian's, {listed(each)}.")
    worse = [
        k
        for k, r in fine.items()
        if k != "EM" and "EM" in fine and not diverged(r) and r["w2"] > (fine["EM"]["w2"] or math.inf)
    ]
    if worse:
        said.append(f"Worse than EM, which needs no Hessian: {listed(worse)}.")
    return " ".join(said) or "Nothing has been measured yet."


def hessian_table(
    found: dict[str, dict], derived: dict[str, float | None], seconds: dict[str, float] | None = None
) -> list[dict]:
    """One line a Hessian at the finest h; derived {label: W2/h as h -> 0 by the formula} where there is one."""
    out = []
    for label, result in found.items():
        fit, row = result["fits"][0], min(result["rows"], key=lambda r: r["h"])
        out.append({
            "Hessian": label,
            "slope in h": slope_text(fit) if has_slope(fit) else NONE,
            f"W₂ at h = {step_size(row['h'])}": value_text(row),
            "W₂/h": NONE if diverged(row) else number(row["w2"] / row["h"]),
            "W₂/h derived, h → 0": number(derived.get(label)),
            "scores": row["score_evals"],
            "Hessians": f"{row['hessian_evals']:g}",
            **({"time of a step": f"{number(1e9 * seconds[label])} ns"} if seconds else {}),
            "method": METHODS.get(row["method"], row["method"]),
            "why": "; ".join(dict.fromkeys(w for r in result["rows"] for w in reasons(r, fit))),
        })  # fmt: skip
    return out
