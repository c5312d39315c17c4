"""The theory page's pictures, tables and sentences, from the answers of `study.bounds`, `along`, `one_step` and `signs`.

Nothing is computed here.
"""

import math

from dlab import schemes, theory
from dlab.figures.chart import (
    INK,
    LESS,
    MORE,
    NEUTRAL,
    Axis,
    Chart,
    Curve,
    Key,
    Sheet,
    Triangle,
    decades,
    evenly,
    octaves,
)
from dlab.figures.numbers import NONE, Z95, interval, listed, number, order, step_size
from dlab.figures.tables import diverged, fit_of, reasons, rows_of, slope_text, value_text

EM = schemes.REGISTRY["EM"].style
# Bounds on EM and how each is drawn; a theorem's leading term is dotted in its scheme's colour on every page.
BOUNDS = {
    "theorem": ("Theorem 1, leading term", (EM.light, EM.dark), "dot"),
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
    """W2 of EM against h: the bounds of `study.bounds`, and the measured points of a result that has EM, None where it has not
    been measured. None where there is nothing to draw."""
    rows, measured = found["rows"], _measured(result)
    shown = {name: [(r["h"], r[name]) for r in rows if r[name] is not None] for name in BOUNDS}
    finite = {name: [v for _, v in points if math.isfinite(v)] for name, points in shown.items()}
    closed = _closed(rows, measured, result)
    values = [*finite["theorem"], *finite["sharp"], *(r["w2"] for r in measured if r["w2"] > 0), *(v for _, v in closed)]
    if not values:
        return None
    top = min(HEADROOM * max(values), max([1.5 * max(values), *(1.5 * v for v in finite["recursion"])]))
    low = min(values) / 3
    places = [h for points in shown.values() for h, _ in points] or [r["h"] for r in measured]
    limits = min(places) / 1.15, max(places) * 1.4
    series = [
        Curve(title, *zip(*[(h, v) for h, v in shown[name] if math.isfinite(v)]), colours, name, dash=dash,
               hover=tuple(f"{title}, h = {step_size(h)}\n{number(v)}" for h, v in shown[name] if math.isfinite(v)))
        for name, (title, colours, dash) in BOUNDS.items()
        if finite[name]
    ]  # fmt: skip
    keys = [Key(title, colours, name, dash=dash) for name, (title, colours, dash) in BOUNDS.items() if finite[name]]
    if measured:
        fit = fit_of(result, "EM")
        series.append(Curve(
            "EM measured", tuple(r["h"] for r in measured), tuple(r["w2"] for r in measured), (EM.light, EM.dark), "EM",
            low=tuple(max(low, r["w2"] - Z95 * (r["stderr"] or 0)) for r in measured),
            high=tuple(r["w2"] + Z95 * (r["stderr"] or 0) for r in measured),
            filled=tuple(not reasons(r, fit) for r in measured), marker=EM.marker, dash=EM.dash,
            hover=tuple("\n".join([f"EM, h = {step_size(r['h'])}", f"W₂ {value_text(r)}", *reasons(r, fit)]) for r in measured),
        ))  # fmt: skip
        if closed:
            series.append(Curve(LEADING, *zip(*closed), NEUTRAL, dash="dot", thin=True))
            keys.append(Key(LEADING, NEUTRAL, dash="dot"))
        slope = f"  slope {slope_text(fit)}" if fit.get("slope") is not None else ""
        keys.append(Key(f"EM measured{slope}", (EM.light, EM.dark), "EM", EM.marker, EM.dash))
    if (largest := found["largest_step"]) and limits[0] < largest < limits[1] and finite["recursion"]:
        series.append(Curve(LARGEST, (largest, largest), (low, top), NEUTRAL, dash="dash", thin=True))
        keys.append(Key(LARGEST, NEUTRAL, dash="dash"))
    says = sentence(found, result)
    return Chart(
        "Bounds on EM against the step size", Axis("step size h", limits, octaves(*limits, (), step_size)),
        Axis("W₂ of EM, measured and bounded" if measured else "bounds on W₂ of EM", (low, top), decades(low, top)), tuple(series),
        triangles=tuple(_triangles(limits[1] / 1.4, low * 1.15, top, (0.5, 1.0))), keys=tuple(keys),
        alt=f"W₂ of EM against step size h, both logarithmic. {says}", caption=" ".join([says, *_cut(shown["recursion"], top)]),
    )  # fmt: skip


def _closed(rows, measured, result) -> list[tuple[float, float]]:
    """The closed form (h, W2) from the coarsest measured step down to the finest of the picture; empty where there is none."""
    fit = fit_of(result or {}, "EM")
    if not measured or not fit.get("expansion"):
        return []
    coarsest = max(r["h"] for r in measured)
    return [(h, fit["expansion"] * h ** fit["law_order"]) for h in sorted(r["h"] for r in rows) if h <= coarsest]


def _measured(result) -> list[dict]:
    return [r for r in rows_of(result or {}, "EM") if not diverged(r)]


def _triangles(right, low, top, slopes):
    """Reference slopes in the lower right corner, where they fit: of two octaves, or more where their labels would touch."""
    wide = max(4.0, (top / low) ** 0.15)
    return [Triangle(right / wide, right, low, s, order(s)) for s in slopes if low * wide**s < top]


def _cut(points, top) -> list[str]:
    """The sentence about a curve that leaves the picture at its top."""
    above = [(h, v) for h, v in points if v > top]
    if not above:
        return []
    h, v = above[-1] if math.isfinite(above[-1][1]) else min(above, key=lambda p: p[1])
    said = f"{number(v)} at h = {step_size(h)}" if math.isfinite(v) else "more than every number"
    return [f"The recursion leaves the picture at its top, W₂ = {number(top)}: it says {said}."]


def sentence(found: dict, result: dict | None) -> str:
    """What the picture shows now."""
    if result is None and not any(r[name] for r in found["rows"] for name in BOUNDS):
        return " ".join(_void(found))
    by_step = {r["h"]: r for r in found["rows"]}
    finest = next((r for r in reversed(_measured(result)) if r.get("resolved", True) and r["w2"] > 0), None)
    h = finest["h"] if finest else min((r["h"] for r in found["rows"]), default=None)
    row = next((r for k, r in by_step.items() if h and math.isclose(k, h)), {})
    parts = []
    labels = {"theorem": "Theorem 1's leading term", "recursion": "the recursion behind it", "sharp": "the bound of order h"}
    for name, label in labels.items():
        if (value := row.get(name)) is None:
            continue
        said = number(value) if math.isfinite(value) else "more than every number"
        times = f" ({number(value / finest['w2'])} times)" if finest and math.isfinite(value) else ""
        parts.append(f"{label} says {said}{times}")
    said = []
    if finest:
        said = [f"At h = {step_size(h)} EM's law is W₂ = {value_text(finest)} from the target" + (f"; {listed(parts)}." if parts else ".")]
    elif parts:
        said = [f"At h = {step_size(h)} {listed(parts)}."]
    if (largest := found["largest_step"]) and row.get("recursion") is not None:
        said.append(f"The recursion contracts for h below {number(largest)} alone; far above it blows up.")
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
    return number(value) if value is not None and math.isfinite(value) else "exceeds every number"


def _known(name, value, how) -> str:
    if value is not None:
        return f"{name} = {number(value)}"
    return f"{name} = ∞" if how.startswith("infinite") else f"{name} unknown"


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
        who, has = f"Theorem{'s' * many} {listed(names)}", "have" if many else "has"
        said.append({
            theory.HOLDS: f"{who} {has} all that is assumed, proven.",
            theory.MEASURED: f"{who} {has} all that is assumed as far as it was measured; {lacks} {_are(lacks)} not proven.",
            theory.UNKNOWN: f"{who} cannot be judged: {lacks} {_are(lacks)} not known to hold.",
            theory.FAILS: f"{who} {'do' if many else 'does'} not apply: {lacks} {'fail' if _are(lacks) == 'are' else 'fails'}.",
        }[verdict])  # fmt: skip
    return " ".join(said)


def _are(lacks) -> str:
    return "are" if " and " in lacks else "is"


def run(found: dict) -> Sheet:
    """The recursion along one run: its errors, its factors and its C1(n), from `study.along`."""
    t, h = found["t"], step_size(found["h"])
    lines = [("e", *BOUNDS["recursion"]), ("sharp", *BOUNDS["sharp"])]
    curves = [
        (title, colours, dash, [(a, v) for a, v in zip(t, found[key]) if v and v > 0])
        for key, title, colours, dash in lines
        if found[key]
    ]
    if found["w2"]:
        way = [(t[n], v) for n, v in zip(found["at"], found["w2"]) if v]
        curves.append(("EM measured, exact law", (EM.light, EM.dark), EM.dash, way))
    # The exact start is equal to p_T up to rounding: such a point would flatten the rest.
    curves = [(*look, [(a, v) for a, v in points if v > ROUNDING]) for *look, points in curves]
    values = [v for *_, points in curves for _, v in points]
    low, top = min(values, default=0.1) / 1.5, max(values, default=1.0) * 1.5
    across = Axis("time t, from noise to data", (t[0], 0.0), evenly(0.0, t[0]), log=False)
    says = run_sentence(found)
    parts = [Chart(
        "Error so far", across, Axis("W₂ to pₜ", (low, top), decades(low, top)),
        tuple(Curve(name, *map(tuple, zip(*points)), colours, name, dash=dash) for name, colours, dash, points in curves if points),
        keys=tuple(Key(name, colours, name, dash=dash) for name, colours, dash, points in curves if points),
        alt=f"Error bounds against time. {says}",
    )]  # fmt: skip
    if found["factor"]:
        high = BOUNDS["recursion"][1]
        for title, label, key in (("One-step factor", "rₙ", "factor"), ("The step's Lipschitz constant", "C₁(n)", "C1")):
            y = found[key]
            ends = (min([*y, 1.0]), max([*y, 1.0])) if key == "factor" else (0.0, max(y))
            room = 0.08 * (ends[1] - ends[0] or 1.0)
            axis = Axis(label, (ends[0] - room, ends[1] + room), evenly(ends[0], ends[1] + room), log=False)
            marked = [Curve("1", (t[0], 0.0), (1.0, 1.0), NEUTRAL, dash="dash", thin=True)] if key == "factor" else []
            keys = [Key(label, high, dash="solid"), *([Key("1: above it the error grows", NEUTRAL, dash="dash")] if marked else [])]
            hover = tuple(f"step {n + 1}, from t = {number(a)}\n{label} = {number(v)}" for n, (a, v) in enumerate(zip(t, y)))
            many = "" if len(y) > 40 else "circle"
            line = Curve(label, tuple(t[:-1]), tuple(y), high, hover=hover, marker=many, dash="solid")
            said = f"{label} runs from {number(y[0])} at t = {number(t[0])} to {number(y[-1])} at the last step."
            parts.append(Chart(title, across, axis, (*marked, line), keys=tuple(keys), alt=f"{label} against time. {said}"))
    return Sheet(f"The recursion along EM's run at h = {h}", tuple(parts), f"The recursion along a run of EM at h = {h}.", says)


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
            said.append(f"Of that the start makes {number(found['initialisation'])}.")
    if found["sharp"]:
        said.append(f"The bound of order h ends at {_size(found['sharp'][-1])}.")
    if found["w2"] and found["w2"][-1] is not None:
        said.append(f"EM's exact law ends at W₂ = {number(found['w2'][-1])}.")
    elif found["w2"] is None:
        said.append("No exact law is known here, so nothing is measured on the way.")
    return " ".join([*said, *_void(found)])


PARTS = {"mean": ("Mean error of one step", "mean error"), "fluctuation": ("Fluctuation of one step", "fluctuation")}


def one_step(found: dict) -> Sheet:
    """Both one-step errors of every scheme against h, from `study.one_step`."""
    charts = []
    for part, (title, label) in PARTS.items():
        series, keys = [], []
        rows = [r for r in found["rows"] if r[part] > 0]
        for scheme in dict.fromkeys(r["scheme"] for r in rows):
            style, fit = schemes.REGISTRY[scheme].style, _part(found, scheme, part)
            mine = [r for r in rows if r["scheme"] == scheme]
            look = {"colours": (style.light, style.dark), "group": scheme}
            ends = [(r[part] - Z95 * r[f"{part}_stderr"], r[part] + Z95 * r[f"{part}_stderr"]) for r in mine]
            series.append(Curve(
                scheme, tuple(r["h"] for r in mine), tuple(r[part] for r in mine), low=tuple(max(e, 1e-300) for e, _ in ends),
                high=tuple(e for _, e in ends), marker=style.marker, dash=style.dash,
                filled=tuple(r["h"] in fit["used"] for r in mine),
                hover=tuple(f"{scheme}, h = {step_size(r['h'])}\n{label} {_with_error(r, part)}" for r in mine), **look,
            ))  # fmt: skip
            keys.append(Key(f"{scheme}  slope {slope_of(fit)}", marker=style.marker, dash=style.dash, **look))
        low, top = min(r[part] for r in rows) / 8, max(r[part] for r in rows) * 1.6
        limits = min(r["h"] for r in rows) / 1.25, max(r["h"] for r in rows) * 1.6
        slopes = (2.0, 3.0) if part == "mean" else (1.5, 2.5)
        said = f"Slopes: {', '.join(key.name.replace('  slope', '') for key in keys)}."
        charts.append(Chart(
            title, Axis("step size h", limits, octaves(*limits, (), step_size)), Axis(f"{label} (L₂)", (low, top), decades(low, top)),
            tuple(series), triangles=tuple(_triangles(limits[1] / 1.6, low * 1.2, top, slopes)), keys=tuple(keys),
            alt=f"{title} against h, both logarithmic. {said}",
        ))  # fmt: skip
    return Sheet("One-step errors", tuple(charts), "Mean error and fluctuation of one step.", one_step_sentence(found))


def _with_error(row, part) -> str:
    return interval(row[part], Z95 * row[f"{part}_stderr"])


def _part(found, scheme, part) -> dict:
    return next(f[part] for f in found["fits"] if f["scheme"] == scheme)


def slope_of(fit) -> str:
    """A slope with its interval; a dash where none was fitted."""
    if fit["slope"] is None:
        return NONE
    return interval(fit["slope"], None if fit["low"] is None else (fit["high"] - fit["low"]) / 2)


def one_step_sentence(found: dict) -> str:
    em, so = ({part: slope_of(_part(found, s, part)) for part in PARTS} for s in ("EM", "SO"))
    return (
        f"From t = {found['t']:g}, EM's mean error falls like h to the power {em['mean']} and its fluctuation like h to the power "
        f"{em['fluctuation']}; SO's like {so['mean']} and {so['fluctuation']}."
    )


def one_step_table(found: dict) -> list[dict]:
    """Slopes and sizes of both errors, one line a scheme, with what follows from them when they are summed."""
    finest = min(r["h"] for r in found["rows"])
    out = []
    for fit in found["fits"]:
        row = next(r for r in found["rows"] if r["scheme"] == fit["scheme"] and r["h"] == finest)
        out.append({
            "scheme": fit["scheme"],
            **{f"slope of the {part}": slope_of(fit[part]) for part in PARTS},
            **{f"{part} at h = {step_size(finest)}": _with_error(row, part) for part in PARTS},
            "strong order": order(schemes.REGISTRY[fit["scheme"]].strong_order),
        })  # fmt: skip
    return out


def signs(found: dict, revealed: bool) -> Chart | None:
    """The three curves of `study.signs`, by letter; with what each is and its slope once revealed. None without any point."""
    series, keys = [], []
    so = schemes.REGISTRY["SO"].style
    for letter, variant in LETTERS.items():
        colours, marker, dash = LOOKS[letter]
        if revealed and variant == "right":
            colours, marker, dash = (so.light, so.dark), so.marker, so.dash
        elif revealed and letter == "C":
            marker = "square"  # the diamond is SO's
        fit = sign_fit(found, variant)
        points = [(r["h"], r["w2"], r["stderr"]) for r in found["rows"] if r["variant"] == variant and r["w2"]]
        if not points:
            continue
        h, y, e = zip(*points)
        name = f"{letter}  {SIGNS[variant]}, slope {slope_of(fit)}" if revealed else letter
        series.append(Curve(
            name, h, y, colours, letter, low=tuple(max(v - Z95 * s, v / 10) for v, s in zip(y, e)),
            high=tuple(v + Z95 * s for v, s in zip(y, e)), marker=marker, dash=dash,
            hover=tuple(f"{letter}, h = {step_size(a)}\nW₂ {interval(v, Z95 * s)}" for a, v, s in zip(h, y, e)),
        ))  # fmt: skip
        keys.append(Key(name, colours, letter, marker, dash))
    if not series:
        return None
    h, y = ([v for s in series for v in getattr(s, axis)] for axis in ("x", "y"))
    limits, low, top = (min(h) / 1.25, max(h) * 1.6), min(y) / 4, max(y) * 1.6
    says = "Three versions of SO, A, B and C." if not revealed else signs_sentence(found, None)
    return Chart(
        "Spot the sign", Axis("step size h", limits, octaves(*limits, (), step_size)),
        Axis(f"W₂ ({found['method']})", (low, top), decades(low, top)), tuple(series),
        triangles=tuple(_triangles(limits[1] / 1.6, low * 1.2, top, (1.0, 2.0))), keys=tuple(keys),
        alt=f"W₂ against h for three versions of SO, both logarithmic. {says}", caption=says,
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
