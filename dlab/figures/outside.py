"""The pictures, sentences and tables of the page outside the assumptions; nothing is computed here."""

from dataclasses import replace

from dlab import theory
from dlab.figures import along, convergence, tables
from dlab.figures.chart import Chart, Curve, Key, Sheet, evenly, look
from dlab.figures.numbers import NONE, Z95, constant, interval, listed, number, step_size, symbol
from dlab.figures.plot import beside, line, plot, scheme_look, step_axis
from dlab.figures.tables import (
    diverged,
    fit_of,
    has_slope,
    hover,
    method_text,
    reasons,
    rows_of,
    slope_text,
    value_text,
    without_slope,
)
from dlab.look import Style

# Of each wrong Hessian, in the order in which they come: none is a scheme or borrows its colour.
LOOKS = (
    Style("#1d2733", "#e8edf3", "square", "solid"),
    Style("#7A4B1E", "#D9A066", "cross", "dash"),
    Style("#AA4499", "#CC79A7", "triangle-up", "longdash"),
    Style("#5B4FB5", "#A79BF0", "diamond", "solid"),
    Style("#8a6d00", "#e3c34a", "triangle-down", "dash"),
    Style("#5f6772", "#a3adba", "x", "dot"),
)


def sheet(result: dict, varied: dict | None, h: float, label: str, symbol: str) -> Sheet:
    """W2 against h, and, where it is known, against the number that leads out of the assumptions, called `label`, at the step
    size h."""
    parts = [convergence.chart(result, brackets=False)]
    if varied and h in along.steps_of({"": varied}):
        beside = _with_end(along.chart({"": varied}, h), varied, label, symbol)
        parts.append(_without(beside, [s for s in tables.schemes_of(result) if s not in varied["study"]["schemes"]], label))
    told = " ".join([tables.sentence(result), *(p.caption for p in parts[1:])])
    return Sheet("Outside the assumptions", tuple(parts), f"Two pictures. {told}", told)


def _with_end(chart: Chart, varied: dict, label: str, symbol: str) -> Chart:
    """The chart with a line where the theorem's number ends."""
    key = varied["study"]["vary"]["axis"].removeprefix("target.")
    told = {part: getattr(chart, part).replace(f"{key} = ", f"{symbol} = ") for part in ("caption", "alt")}
    # The values stand unevenly, and a tick at each would crowd.
    chart = replace(chart, x=replace(chart.x, title=label, ticks=evenly(*chart.x.limits)), **told)
    values = sorted({r["value"] for r in varied["rows"]})
    known = [v for v in values if any(r["value"] == v and r["bound"] is not None for r in varied["rows"])]
    if not known:
        return replace(chart, keys=(*chart.keys, Key("no bound at any value", dash="longdash")))
    if len(known) == len(values):
        return chart
    above = known[0] == values[0]
    at = values.index(known[-1] if above else known[0])
    place = (values[at] + values[at + (1 if above else -1)]) / 2
    end = replace(line("where the bound ends", x=place, dash="longdash"), y=chart.y.limits)
    side = Key(f"{'right' if above else 'left'} of the line: no bound", dash="longdash")
    return replace(chart, series=(end, *chart.series), keys=(*chart.keys, side))


def _without(chart: Chart, missing: list, label: str) -> Chart:
    """The chart, which says which schemes it leaves out and why."""
    if not missing:
        return chart
    one = len(missing) == 1
    law = "whose law takes" if one else "whose laws take"
    why = f"Not drawn against the {label[0].lower()}{label[1:]}: {listed(missing)}, {law} long to carry at every value."
    keys = (*chart.keys, Key(f"not drawn: {listed(missing)}"))
    return replace(chart, keys=keys, caption=f"{chart.caption} {why}".strip(), alt=f"{chart.alt} {why}")


def failing(checklist: list) -> str:
    """Which assumptions fail, with their numbers, and what is left of the theorems; of `theory.checklist`."""
    failed = [a for a in checklist if a.verdict == theory.FAILS]
    if not failed:
        return "No assumption is known to fail here, and m₀ > ½: the theorems apply, as far as their numbers were proven or measured."
    each = []
    for a in failed:
        facts = ", ".join(f"{symbol(s)} = {shown}" for s, v, how in a.values if (shown := constant(v, how)))
        listed_nowhere = a.number == NONE
        name = "m₀ > ½" if listed_nowhere else f"Assumption {a.number}"
        each.append(f"{name} ({'listed nowhere' if listed_nowhere else a.title}; {facts})")
    hit = sorted({t for a in failed for t in a.needed_by})
    one, one_hit = len(each) == 1, len(hit) == 1
    return (
        f"Here {listed(each)} {'fails' if one else 'fail'}. {listed(hit)} {'needs' if one_hit else 'need'} {'it' if one else 'them'} and "
        f"{'gives' if one_hit else 'give'} no bound here."
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
            why = next((reason for r in rows for reason in reasons(r, fit)), *without_slope(fit))
            without.setdefault(why.rstrip("."), []).append(name)
    head = f"Measured all the same, W₂ ≈ C·hᵖ: {'; '.join(said)}." if said else "No order could be measured."
    return " ".join([head, *(f"{listed(names)}: {why}." for why, names in without.items())])


def table(result: dict) -> list[dict]:
    """A line for each scheme, without the constant at the order that its law has where the assumptions hold: an edge or a kink may
    leave less."""
    return [{k: v for k, v in line.items() if k != tables.AT_ORDER} for line in tables.table(result)]


def modes_table(found: dict) -> list[dict]:
    """One line a scheme and region."""
    lines = []
    for row in found["rows"]:
        how = "density of the law" if row["method"] == "law" else "particles, ± 95 %"
        each = zip(found["regions"], found["target"], row["masses"] or (), row["stderr"] or ())
        if row["masses"] is None:
            how, each = row["why"], [(NONE, None, None, 0.0)]
        lines += [
            {"scheme": row["scheme"], "region": name, "target": number(mass), "law of the scheme": interval(law, Z95 * error or None),
             "difference": NONE if law is None else interval(law - mass, Z95 * error or None), "how": how}
            for name, mass, law, error in each
        ]  # fmt: skip
    return lines


def modes_sentence(found: dict) -> str:
    """Which region each scheme misses most."""
    each = []
    for row in found["rows"]:
        name = row["scheme"]
        if row["masses"] is None:
            each.append(f"{name}: {row['why'].rstrip('.')}.")
            continue
        gaps = [m - t for m, t in zip(row["masses"], found["target"])]
        i = max(range(len(gaps)), key=lambda k: abs(gaps[k]))
        gap, mass, error = gaps[i], found["target"][i], Z95 * row["stderr"][i]
        if abs(gap) <= max(error, 5e-6):
            each.append(f"{name} has the target's masses to within the error of measurement.")
            continue
        share = f", {abs(100 * gap / mass):.2g} % {'more' if gap > 0 else 'less'}" if mass > 0 else ""
        region = f"“{found['regions'][i]}” {interval(row['masses'][i], error or None)} of the mass"
        each.append(f"{name} gives {region} where the target has {number(mass)}{share}.")
    return f"At h = {step_size(found['h'])}: {' '.join(each)}"


def _cost(row) -> float:
    return row["score_evals"] + row["hessian_evals"]


def hessian_sheet(found: dict[str, dict]) -> Sheet:
    """W2 of SO with each Hessian and of EM, against h and against evaluations a path."""
    told = hessian_sentence(found)
    parts = _hessian_chart(found), _hessian_chart(found, "score and Hessian evaluations a path", _cost, "{:g}".format)
    return beside("SO with a wrong Hessian", parts, f"Two pictures, all axes logarithmic. {told}", told)


def _hessian_chart(found, title="step size h", at=lambda r: r["h"], text=step_size) -> Chart:
    curves, others = [], [label for label in found if label not in ("EM", "SO, exact")]
    for label, result in found.items():
        fit = result["fits"][0]
        style = look(LOOKS[others.index(label) % len(LOOKS)]) if label in others else scheme_look(label[:2])
        curves.append(Curve.of(
            label, result["rows"], at, why=lambda r, f=fit: reasons(r, f), **{**style, "group": label},
            label=label,
            says=lambda r, n=label: [*hover(r, n), f"{r['score_evals']} scores, {r['hessian_evals']:g} Hessians"]))  # fmt: skip
    return plot(f"W₂ against {title}", step_axis([x for c in curves for x in c.x], title, text=text), "W₂", curves)


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
            said.append(f"At h = {step_size(exact['h'])} the error, relative to that with the exact Hessian, is {listed(each)}.")
    em = fine["EM"]["w2"] if "EM" in fine else None
    if em and (worse := [k for k, r in fine.items() if k != "EM" and not diverged(r) and r["w2"] > em]):
        said.append(f"Worse than EM, which needs no Hessian: {listed(worse)}.")
    return " ".join(said) or "Nothing has been measured yet."


def hessian_table(found: dict[str, dict], derived: dict[str, float | None], seconds: dict[str, float] | None = None) -> list[dict]:
    """One line a Hessian at the finest h; derived {label: W2/h as h -> 0 by the formula} where there is one."""
    fine = {label: (result["fits"][0], min(result["rows"], key=lambda r: r["h"])) for label, result in found.items()}
    return [
        {
            "Hessian": label,
            "slope in h": slope_text(fit) if has_slope(fit) else NONE,
            f"W₂ at h = {step_size(row['h'])}": value_text(row),
            "W₂/h": NONE if diverged(row) else number(row["w2"] / row["h"]),
            "W₂/h derived, h → 0": number(derived.get(label)),
            "scores": f"{row['score_evals']:,}",
            "Hessians": number(row["hessian_evals"]) if row["hessian_evals"] % 1 else f"{row['hessian_evals']:,.0f}",
            **({"time of a step": f"{number(1e9 * seconds[label])} ns"} if seconds else {}),
            "method": method_text(row),
            "why": "; ".join(dict.fromkeys([*(w for r in found[label]["rows"] for w in reasons(r, fit)), *without_slope(fit)])),
        }
        for label, (fit, row) in fine.items()
    ]
