"""The theory page's pictures, tables and sentences, from the answers of `answers.bounds`: bounds, a run, one step, signs.

Nothing is computed here.
"""

import math
from dataclasses import replace

from dlab import schemes, theory
from dlab.figures.chart import INK, LESS, MORE, NEUTRAL, Axis, Chart, Curve, Sheet, decades
from dlab.figures.numbers import NONE, Z95, about, constant, estimate, listed, number, order, step_size, symbol
from dlab.figures.plot import beside, even_axis, line, plot, scheme_look, step_axis
from dlab.figures.tables import diverged, fit_of, has_slope, hover, reasons, resolved, rows_of, value_text

EM = scheme_look("EM")
# Bounds on EM and how each is drawn; a theorem's leading term is dotted in its scheme's colour on every page.
BOUNDS = {
    "theorem": ("Theorem 1, leading term", EM["colours"], "dot"),
    "recursion": ("the recursion behind it", MORE, "dashdot"),
    "sharp": ("bound of order h", INK, "longdash"),
}
HEADROOM = 30.0  # how far above the theorem's term the picture goes; the recursion leaves it there
LEADING = "closed form as h → 0"
LARGEST = "largest step at which the recursion contracts"
ROUNDING = 1e-9
LETTERS = {"A": "without", "B": "right", "C": "wrong"}
SIGNS = {
    "right": "M = x/4 − Lγ",
    "wrong": "the printed sign, + H s",
    "without": "M left out",
}
LOOKS = {"A": (LESS, "circle", "solid"), "B": (MORE, "square", "dash"), "C": (NEUTRAL, "diamond", "longdash")}


def bounds(found: dict, result: dict | None) -> Chart | None:
    """W2 of EM against h: the bounds of `answers.bounds`, and the measured points of a result that has EM, None where it has not
    been measured. None where there is nothing to draw."""
    rows, measured, fit = found["rows"], _measured(result), fit_of(result or {}, "EM")
    lines = {
        name: Curve.of(
            title, [r for r in rows if r[name] is not None and math.isfinite(r[name])], value=lambda r, n=name: r[n], colours=colours,
            group=name, dash=dash, label=title, says=lambda r, n=name, t=title: [f"{t}, h = {step_size(r['h'])}", number(r[n])])
        for name, (title, colours, dash) in BOUNDS.items()
    }  # fmt: skip
    closed = Curve.of(LEADING, _closed(rows, measured, fit), value=lambda r: r["value"], dash="dot", thin=True, key=LEADING)
    points = Curve.of(
        "EM measured", measured, why=lambda r: reasons(r, fit), **EM, label="EM measured",
        says=hover)  # fmt: skip
    values = [v for c in (lines["theorem"], lines["sharp"], points, closed) for v in c.y if v > 0]
    if not values:
        return None
    top = min(HEADROOM * max(values), 1.5 * max([*values, *lines["recursion"].y]))
    y = Axis("W₂ of EM, measured and bounded" if measured else "bounds on W₂ of EM", (min(values) / 3, top), decades(min(values) / 3, top))
    x = step_axis([*(r["h"] for r in rows if any(r[name] is not None for name in BOUNDS)), *points.x], room=(1.15, 1.4))
    largest = found["largest_step"]
    inside = largest and lines["recursion"].x and x.limits[0] < largest < x.limits[1]
    says = sentence(found, result)
    return plot(
        "Bounds on EM against the step size", x, y,
        [*lines.values(), points, closed, *([line(LARGEST, x=largest, key=LARGEST)] if inside else [])],
        slopes=(0.5, 1.0), says=says,
        caption=" ".join([says, *_cut([(r["h"], r["recursion"]) for r in rows if r["recursion"] is not None], top)]),
    )  # fmt: skip


def _closed(rows, measured, fit) -> list[dict]:
    """The closed form from the coarsest measured step down to the finest of the picture; empty where there is none."""
    if not measured or not fit.get("expansion"):
        return []
    coarsest = max(r["h"] for r in measured)
    return [{"h": r["h"], "value": fit["expansion"] * r["h"] ** fit["law_order"]} for r in rows if r["h"] <= coarsest]


def _measured(result) -> list[dict]:
    return [r for r in rows_of(result or {}, "EM") if not diverged(r)]


def at_finest(found: dict, result: dict | None) -> tuple[dict | None, float | None, dict]:
    """EM's finest resolved row, or None; its step size, else the finest of the bounds; the bounds there, or {}."""
    finest = next((r for r in reversed(_measured(result)) if resolved(r)), None)
    h = finest["h"] if finest else min((r["h"] for r in found["rows"]), default=None)
    return finest, h, next((r for r in found["rows"] if h and math.isclose(r["h"], h)), {})


def _cut(points, top) -> list[str]:
    """The sentence about a curve that leaves the picture at its top."""
    above = [(h, v) for h, v in points if v > top]
    if not above:
        return []
    h, v = above[-1] if math.isfinite(above[-1][1]) else min(above, key=lambda p: p[1])
    return [f"The recursion leaves the picture at its top, W₂ = {number(top)}: at h = {step_size(h)} it is {_size(v)}."]


def sentence(found: dict, result: dict | None) -> str:
    """What the picture shows now."""
    if result is None and not any(r[name] for r in found["rows"] for name in BOUNDS):
        return " ".join(_void(found))
    finest, h, row = at_finest(found, result)
    parts = []
    labels = {"theorem": "Theorem 1's leading term", "recursion": "the recursion behind it", "sharp": "the bound of order h"}
    for name, label in labels.items():
        if (value := row.get(name)) is None:
            continue
        times = f" ({number(value / finest['w2'])} times)" if finest and math.isfinite(value) else ""
        parts.append(f"{label} is {_size(value)}{times}")
    said = []
    if finest:
        said = [f"At h = {step_size(h)} EM's law is W₂ = {value_text(finest)} from the target" + (f"; {listed(parts)}." if parts else ".")]
    elif parts:
        said = [f"At h = {step_size(h)} {listed(parts)}."]
    if (largest := found["largest_step"]) and row.get("recursion") is not None:
        said.append(f"The recursion contracts only for h < {number(largest)}; far above that it blows up.")
    return " ".join([*said, *_void(found)])


def _void(found) -> list[str]:
    names = {"theorem": "Theorem 1", "recursion": "The recursion", "sharp": "The bound of order h"}
    by_why = {}
    for name, why in found["void"].items():
        by_why.setdefault(why, []).append(names[name])
    said = []
    for why, who in by_why.items():
        rest = [w if i == 0 else w[0].lower() + w[1:] if w.startswith("The ") else w for i, w in enumerate(who)]
        said.append(f"{listed(rest)} {'is' if len(who) == 1 else 'are'} void here: {why}")
    return said


def bounds_table(found: dict, result: dict | None) -> list[dict]:
    """One line a step size, coarse first."""
    measured = {r["h"]: r for r in _measured(result)}
    out = []
    for row in sorted(found["rows"], key=lambda r: -r["h"]):
        mine = next((r for h, r in measured.items() if math.isclose(h, row["h"])), None)
        out.append({
            "h": step_size(row["h"]), "EM measured": value_text(mine) if mine else NONE,
            **{title: "void" if row[name] is None else _size(row[name]) for name, (title, _, _) in BOUNDS.items()},
        })  # fmt: skip
    return out


def _size(value) -> str:
    return "> 1e308" if value is None or not math.isfinite(value) else number(value)


def _known(name, value, how) -> str:
    name, shown = symbol(name), constant(value, how)
    return f"{name} unknown" if shown is None else f"{name} = {shown}"


def assumptions(items) -> list[dict]:
    """The checklist as a table, from `study.checklist`."""
    return [
        {
            "": a.number, "assumption": a.title, "here": a.verdict,
            "number": ", ".join(_known(*value) for value in a.values),
            "how": "; ".join(dict.fromkeys(how for _, _, how in a.values)),
            "theorems": ", ".join(t.removeprefix("Theorem ") for t in a.needed_by),
        }
        for a in items
    ]  # fmt: skip


def promise(items) -> str:
    """Which theorems apply, in a sentence or two."""
    worst = [theory.HOLDS, theory.MEASURED, theory.UNKNOWN, theory.FAILS]
    by_state = {}
    for name in dict.fromkeys(t for a in items for t in a.needed_by):
        mine = [a for a in items if name in a.needed_by]
        verdict = max((a.verdict for a in mine), key=worst.index)
        numbers = [a.number for a in mine if a.verdict == verdict and a.number != "–"]
        lacks = [f"Assumption{'s' * (len(numbers) > 1)} {listed(numbers)}"] if numbers else []
        if any(a.verdict == verdict and a.number == "–" for a in mine):
            lacks.append("the condition m₀ > ½")
        by_state.setdefault((verdict, "" if verdict == theory.HOLDS else listed(lacks)), []).append(name.removeprefix("Theorem "))
    said = []
    for (verdict, lacks), names in sorted(by_state.items(), key=lambda item: worst.index(item[0][0])):
        many = len(names) > 1
        who, applies = f"Theorem{'s' * many} {listed(names)}", "apply" if many else "applies"
        said.append({
            theory.HOLDS: f"{who} {applies}: every assumption is proven.",
            theory.MEASURED: f"{who} {applies} as far as was measured; {lacks} {_are(lacks)} not proven.",
            theory.UNKNOWN: f"{who} cannot be judged: {lacks} {_are(lacks)} not known to hold.",
            theory.FAILS: f"{who} {'do' if many else 'does'} not apply: {lacks} {'fail' if _are(lacks) == 'are' else 'fails'}.",
        }[verdict])  # fmt: skip
    return " ".join(said)


def _are(lacks) -> str:
    return "are" if " and " in lacks else "is"


def run(found: dict) -> Sheet:
    """The recursion along one run: its errors, its factors and its C1(n), from `answers.bounds.along`."""
    t, h = found["t"], step_size(found["h"])
    lines = [("recursion", zip(t, found["e"] or ())), ("sharp", zip(t, found["sharp"] or ()))]
    # The exact start is equal to p_T up to rounding: such a point would flatten the rest.
    drawn = [(BOUNDS[name], [(a, v) for a, v in points if v and v > ROUNDING]) for name, points in lines]
    measured = [(t[n], v) for n, v in zip(found["at"], found["w2"]) if v and v > ROUNDING] if found["w2"] else []
    drawn.append((("EM measured, exact law", EM["colours"], EM["dash"]), measured))
    curves = [
        Curve(name, *zip(*points), colours, name, dash=dash, label=name) for (name, colours, dash), points in drawn if points
    ]
    across = replace(even_axis("time t, from noise to data", 0.0, t[0]), limits=(t[0], 0.0))
    says = run_sentence(found)
    parts = [plot("Error so far", across, "W₂ to pₜ", curves, says=says)]
    if found["factor"]:
        one = Curve("1", (t[0], 0.0), (1.0, 1.0), dash="dash", thin=True, label="above 1 the error grows")
        parts += [_along(found, across, "One-step factor", "rₙ", "factor", [one]),
                  _along(found, across, "The step's Lipschitz constant", "C₁(n)", "C1", [])]  # fmt: skip
    return beside(f"The recursion along EM's run at h = {h}", parts, f"The recursion along a run of EM at h = {h}.", says)


def _along(found, across, title, label, key, lines) -> Chart:
    """A number of the recursion at each step of the run, from 0 or about the lines."""
    t, values = found["t"], found[key]
    ends = [*values, *(lines[0].y if lines else (0.0,))]
    room = 0.08 * (max(ends) - min(ends) or 1.0)
    hover = tuple(f"step {n + 1}, from t = {number(a)}\n{label} = {number(v)}" for n, (a, v) in enumerate(zip(t, values)))
    marker = "" if len(values) > 40 else "circle"
    curve = Curve(label, tuple(t[:-1]), tuple(values), MORE, hover=hover, marker=marker, dash="solid")
    told = f"{number(values[0])} at t = {number(t[0])}, {number(values[-1])} at the last step."
    y = even_axis(label, min(ends) - room, max(ends) + room)
    return plot(title, across, y, [*lines, curve], says=told)


def run_table(found: dict, most: int | None = None) -> list[dict]:
    """What the recursion is made of, one line a step; at most so many of them, first and last among them, where it is given."""
    if not found["factor"]:
        return []
    count = len(found["factor"])
    few = sorted({round(i * (count - 1) / max(1, most - 1)) for i in range(most)}) if most and most < count else range(count)
    columns = {"C₁(n)": "C1", "C₂(n)": "C2", "C₃(n)": "C3", "Cₙ": "C", "rₙ": "factor"}
    return [
        {"step": str(n + 1), "from t": number(found["t"][n]), **{title: _size(found[key][n]) for title, key in columns.items()},
         "bound after it": _size(found["e"][n + 1])}
        for n in few
    ]  # fmt: skip


def run_sentence(found: dict) -> str:
    h, said = step_size(found["h"]), []
    if found["factor"]:
        above, steps = sum(r > 1 for r in found["factor"]), len(found["factor"])
        grows = f"exceeds 1 at {above} of the {steps} steps" if above else f"stays below 1 at all {steps} steps"
        said.append(f"At h = {h} the factor rₙ {grows}, its maximum is {number(max(found['factor']))}.")
        said.append(f"With C₄ = {number(found['C4'])} the recursion ends at {_size(found['e'][-1])}.")
        if found["initialisation"]:
            said.append(f"Of this, the start contributes {number(found['initialisation'])}.")
    if found["sharp"]:
        said.append(f"The bound of order h ends at {_size(found['sharp'][-1])}.")
    if found["w2"] and found["w2"][-1] is not None:
        said.append(f"EM's exact law ends at W₂ = {number(found['w2'][-1])}.")
    elif found["w2"] is None:
        said.append("No exact law is known here, so nothing is measured along the run.")
    return " ".join([*said, *_void(found)])


PARTS = {"mean": ("Mean error of one step", "mean error"), "fluctuation": ("Fluctuation of one step", "fluctuation")}


def one_step(found: dict) -> Sheet:
    """Both one-step errors of every scheme against h, from `answers.one_step`."""
    charts = []
    for part, (title, label) in PARTS.items():
        rows = [r for r in found["rows"] if r[part] > 0]
        slopes = {s: _part(found, s, part) for s in dict.fromkeys(r["scheme"] for r in rows)}
        curves = [
            Curve.of(
                name, [r for r in rows if r["scheme"] == name], value=lambda r, p=part: r[p], half=lambda r, p=part: Z95 * r[f"{p}_stderr"],
                why=lambda r, f=fit: () if r["h"] in f["used"] else ["not fitted"], label=name,
                **scheme_look(name),
                says=lambda r, p=part, w=label: [f"{r['scheme']}, h = {step_size(r['h'])}", f"{w} {estimate(r, p, f'{p}_stderr')}"])
            for name, fit in slopes.items()
        ]  # fmt: skip
        each = ", ".join(f"{name} {slope_of(fit)}" for name, fit in slopes.items())
        charts.append(plot(
            title, step_axis((r["h"] for r in rows), room=(1.25, 1.6)), f"{label} (L₂)", curves,
            slopes=(2.0, 3.0) if part == "mean" else (1.5, 2.5), says=f"Slopes: {each}."))  # fmt: skip
    return beside("One-step errors", charts, "Mean error and fluctuation of one step.", one_step_sentence(found))


def _part(found, scheme, part) -> dict:
    return next(f[part] for f in found["fits"] if f["scheme"] == scheme)


def slope_of(fit) -> str:
    """A slope with its interval; a dash where none was fitted."""
    return about(fit["slope"], fit["low"], fit["high"]) if has_slope(fit) else NONE


def one_step_sentence(found: dict) -> str:
    em, so = ({part: slope_of(_part(found, s, part)) for part in PARTS} for s in ("EM", "SO"))
    return (
        f"From t = {found['t']:g}, EM's mean error falls like h to the power {em['mean']} and its fluctuation like h to the power "
        f"{em['fluctuation']}; SO's like {so['mean']} and {so['fluctuation']}."
    )


def one_step_table(found: dict) -> list[dict]:
    """Slopes and sizes of both errors, one line a scheme, with what follows from them when they are summed."""
    finest = min(r["h"] for r in found["rows"])
    rows = {r["scheme"]: r for r in found["rows"] if r["h"] == finest}
    return [
        {
            "scheme": fit["scheme"],
            **{f"slope of the {part}": slope_of(fit[part]) for part in PARTS},
            **{f"{part} at h = {step_size(finest)}": estimate(rows[fit["scheme"]], part, f"{part}_stderr") for part in PARTS},
            "strong order": order(schemes.REGISTRY[fit["scheme"]].strong_order),
        }
        for fit in found["fits"]
    ]


def signs(found: dict, revealed: bool) -> Chart | None:
    """The three curves of `answers.signs`, by letter; with what each is and its slope once revealed. None without any point."""
    curves = []
    for letter, variant in LETTERS.items():
        style = dict(zip(("colours", "marker", "dash"), LOOKS[letter]))
        if revealed and variant == "right":
            style = scheme_look("SO")
        elif revealed and letter == "C":
            style["marker"] = "square"  # the diamond is SO's
        name = f"{letter}: {SIGNS[variant]}" if revealed else letter
        curves.append(Curve.of(
            name, [r for r in found["rows"] if r["variant"] == variant and r["w2"]], label=name, **{**style, "group": letter},
            says=lambda r, k=letter: hover(r, k)))  # fmt: skip
    if not any(c.x for c in curves):
        return None
    return plot(
        "Spot the sign", step_axis((x for c in curves for x in c.x), room=(1.25, 1.6)), f"W₂ ({found['method']})", curves,
        slopes=(1.0, 2.0), says=signs_sentence(found, None) if revealed else "Three versions of SO, A, B and C.",
    )  # fmt: skip


def sign_fit(found: dict, variant: str) -> dict:
    return next(f for f in found["fits"] if f["variant"] == variant)


def signs_sentence(found: dict, guess: str | None) -> str:
    """The answer, with the measured slopes."""
    slopes = {v: slope_of(sign_fit(found, v)) for v in SIGNS}
    letters = {v: k for k, v in LETTERS.items()}
    said = "" if guess is None else "Yes. " if LETTERS[guess] == "right" else f"Not {guess}: that is {SIGNS[LETTERS[guess]]}. "
    return (
        f"{said}{letters['right']} has {SIGNS['right']} and slope {slopes['right']}; {letters['wrong']} has {SIGNS['wrong']}, slope "
        f"{slopes['wrong']}; {letters['without']} has {SIGNS['without']}, slope {slopes['without']}. A wrong M costs SO its second order."
    )
