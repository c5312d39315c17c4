"""Bounds made of terms, of the answers `all_at_once` and `generic_bound`: the terms as stacked bars in units of the measured W2, and the
bound, the coupled distance and W2 against N."""

from dlab import grid as grids
from dlab.figures.chart import INK, NEUTRAL, Axis, Bar, Chart, Curve, Key, Sheet, evenly
from dlab.figures.numbers import NONE, Z95, interval, listed, number
from dlab.figures.plot import beside, line, log_axis, plot, scheme_look, step_axis

NAME = "DDPM"
# Titles and colours of the terms, light and dark ground; they stay apart for the colour-blind.
TERMS = {
    "initialisation": ("start", NEUTRAL),
    "discretisation": ("steps", ("#A3478A", "#E08BC4")),
    "bias": ("score error", ("#0072B2", "#56B4E9")),
    "fresh": ("fresh score noise", ("#007A5A", "#2FC79B")),
    "stop": ("stop before 0", ("#B36B00", "#E9A13B")),
}
STEPS = {  # of the bound from single steps
    "initialisation": ("start", NEUTRAL),
    "mean": ("mean errors", ("#5B4FB5", "#A79BF0")),
    "fluctuation": ("fluctuations", ("#A3478A", "#E08BC4")),
    "bias": ("score error", ("#0072B2", "#56B4E9")),
    "fresh": ("fresh score noise", ("#007A5A", "#2FC79B")),
    "stop": ("stop before 0", ("#B36B00", "#E9A13B")),
}
FURTHEST = 1e4  # times W2: a bound beyond is no bar beside it
EXCESS = 1e-3  # share of a distance up to which two are said to be equal
READABLE = 0.12  # share of the picture's width that a number needs inside its bar


def sheet(found: dict) -> Sheet | None:
    """Both pictures of an answer `all_at_once`; None where nothing of it is known yet."""
    rows = [r for r in found["rows"] if r["bound"] is not None or r["w2"] is not None]
    if not rows:
        return None
    parts = [against_steps(rows)]
    if stacked := bars([r for r in rows if r["bound"]]):
        parts.append(stacked)
    if dial := knob(found):
        parts.append(dial)
    said = sentence(found)
    return beside(f"All errors of {NAME} at once", parts, f"{' '.join(p.alt for p in parts)}", said)


def knob(found: dict) -> Chart | None:
    """The bound, and on a Gaussian the truth, against the noise of DDPM; None where there is no bound."""
    rows = [r for r in found["knob"] if r["noise"] > 0]
    if not rows:
        return None
    look, none = scheme_look(NAME, marker="", dash="solid"), next(r for r in found["knob"] if not r["noise"])

    def at(r):
        return r["noise"]

    curves = [
        Curve.of("bound", rows, at, value=lambda r: r["bound"], colours=look["colours"], dash="dot", label="bound"),
        Curve.of("coupled", rows, at, value=lambda r: r["coupled"], colours=INK, dash="dash", label="coupled L₂"),
        Curve.of("W₂", rows, at, value=lambda r: r["w2"], **look, label="W₂"),
        line("at 0", y=none["bound"], colours=NEUTRAL, label="bound at v̂ = 0"),
    ]  # fmt: skip
    best = min(rows, key=lambda r: r["bound"])
    steps = max(r["steps"] for r in found["rows"])
    least = f"{number(best['bound'])}, at v̂ = {number(best['noise'])}"
    said = f"At N = {steps} the bound is {number(none['bound'])} at v̂ = 0 and smallest, {least}."
    axis = log_axis("noise v̂: the variance for which it is exact", map(at, rows), (1.0, 1.0))
    return plot(f"The noise v̂, {steps} steps", axis, "distance to the target", [c for c in curves if c.y], says=said)


def _steps(row):
    return float(row["steps"])


def against_steps(rows: list[dict], scheme: str = NAME, label: str = "bound") -> Chart:
    """Bound, coupled distance where it is known, and W2 against N."""
    look = scheme_look(scheme)
    methods = " and ".join(dict.fromkeys(r["method"] for r in rows if r["w2"] is not None))
    title = f"distance to the target (W₂ {methods})" if methods else "distance to the target"
    curves = [
        Curve.of("bound", rows, _steps, value=lambda r: r["bound"], colours=look["colours"], dash="dot", thin=True, label=label,
                 says=lambda r: [f"N = {r['steps']}", f"{label} {number(r['bound'])}"]),
        Curve.of("coupled", rows, _steps, value=lambda r: r.get("coupled"), half=lambda r: Z95 * (r["coupled_stderr"] or 0.0),
                 why=lambda r: r["coupled_flags"], colours=INK, marker="triangle-down", dash="dash", label="coupled L₂",
                 says=lambda r: [f"N = {r['steps']}", f"coupled L₂ {_coupled(r)}"]),
        Curve.of("W₂", rows, _steps, why=lambda r: r["flags"], **look, label="W₂",
                 says=lambda r: [f"N = {r['steps']}", f"W₂ {_w2(r)} ({r['method']})"]),
    ]  # fmt: skip
    axis = step_axis(map(_steps, rows), "number of steps N", (1.25, 1.25), "{:g}".format)
    return plot("Bound and truth", axis, title, curves, slopes=(0.5, 1.0), corner="left", says=_ratios(rows))


def bars(rows: list[dict], terms: dict = TERMS) -> Chart | None:
    """The terms of the bound at each N end to end, in units of the measured W2; of the bound itself where none is measured."""
    if not rows:
        return None
    measured = all(r["w2"] and r["bound"] < FURTHEST * r["w2"] for r in rows)
    shown = [name for name in terms if any(r[name] for r in rows)]
    if not shown:
        return None
    unit = (lambda r: r["w2"]) if measured else (lambda r: r["bound"])
    end = 1.05 * max([*(r["bound"] / unit(r) for r in rows), *(r["coupled"] / unit(r) for r in rows if _paired(r)), 1.0])
    pieces, ticks = [], []
    for place, row in enumerate(reversed(rows)):
        at = 0.0
        for name in shown:
            title, colours = terms[name]
            length = row[name] / unit(row)
            said = f"N = {row['steps']}, {title}: {number(row[name])}\n{row[name] / row['bound']:.0%} of the bound"
            middle = at + length / 2
            clear = length > READABLE * end and not (measured and abs(middle - 1) < READABLE / 2 * end)
            text = number(row[name]) if clear else ""
            pieces.append(Bar(f"{title} {row['steps']}", float(place), at, at + length, colours, title, text, said))
            at += length
        ticks.append((float(place), f"N = {row['steps']}"))
    height = (-0.6, len(rows) - 0.4)
    series, keys = [], [Key(terms[name][0], terms[name][1], terms[name][0], marker="square") for name in shown]
    if measured:
        one = line("W₂", x=1.0, dash="solid", thin=False, colours=INK)
        series.append(Curve("W₂", (1.0, 1.0), height, INK, dash=one.dash))
        keys.append(Key("W₂ measured", INK, dash="solid"))
        given = [(r["coupled"] / r["w2"], float(i), r) for i, r in enumerate(reversed(rows)) if _paired(r)]
        if given:
            x, y, its = zip(*given)
            hover = tuple(f"N = {r['steps']}, coupled L₂ {_coupled(r)}\n{number(a)} times W₂" for a, r in zip(x, its))
            series.append(Curve("coupled L₂", x, y, INK, marker="triangle-down", hover=hover))
            keys.append(Key("coupled L₂", INK, marker="triangle-down"))
    unit_said = "times the measured W₂" if measured else "share of the bound"
    said = f"Bars of the terms, {listed(terms[name][0] for name in shown)}, in {unit_said}."
    return Chart(
        "What the bound is made of", Axis(unit_said, (0.0, end), evenly(0.0, end), log=False),
        Axis("", height, tuple(ticks), log=False), series=tuple(series), bars=tuple(pieces), keys=tuple(keys), alt=said,
        caption="The terms add up to the bound.",
    )  # fmt: skip


def _paired(row) -> bool:
    """Whether a coupled distance is known of the row and resolved."""
    return bool(row.get("coupled")) and not row["coupled_flags"]


def _w2(row):
    return interval(row["w2"], Z95 * (row["stderr"] or 0.0))


def _coupled(row):
    return interval(row["coupled"], Z95 * (row["coupled_stderr"] or 0.0))


def _ratio(row) -> float | None:
    return row["bound"] / row["w2"] if row["bound"] is not None and row["w2"] else None


def _ratios(rows) -> str:
    known = [(r["steps"], _ratio(r)) for r in rows if _ratio(r)]
    if not known:
        return ""
    if len(known) == 1:
        return f"At N = {known[0][0]} the bound is {number(known[0][1])} times W₂."
    return f"The bound is {number(known[0][1])} times W₂ at N = {known[0][0]} and {number(known[-1][1])} times at N = {known[-1][0]}."


def sentence(found: dict) -> str:
    """What the picture shows now: the ratio of bound and truth, and whether the coupled distance attains the bound."""
    rows = found["rows"]
    if found["void"]:
        return f"The bound is void here: {found['void']}"
    said = [_ratios(rows)] if _ratios(rows) else []
    if not said and rows[-1]["bound"] is not None:
        said = [f"At N = {rows[-1]['steps']} the bound is {number(rows[-1]['bound'])}."]
    close = [r for r in rows if r["coupled"] and r["bound"]]
    if close and all(r["coupled_stderr"] is None and abs(r["coupled"] / r["bound"] - 1) < EXCESS for r in close):
        said.append("It equals the coupled distance: on this target the proof loses nothing, and what remains is the cost of coupling.")
    if any(r["flags"] and r["w2"] is not None for r in rows):
        said.append("Hollow points are not resolved.")
    if found["grid"] == "uniform" and len(close) > 1 and _ratio(rows[-1]) and _ratio(rows[0]) and _ratio(rows[-1]) > 1.2 * _ratio(rows[0]):
        said.append("On equal steps in t the ratio grows with N: there the coupled distance has order ½, the law order 1.")
    if found["grid"] == "cubic" and found["noise"] == 0 and found["m0"] and rows[-1]["bound"] is not None:
        said.append(f"On this grid the steps' term is at most 3√(d/m₀)/N, at N = {rows[-1]['steps']} "
                    f"{number(3 * (found['dim'] / found['m0']) ** 0.5 / rows[-1]['steps'])}.")  # fmt: skip
    if dial := knob(found):
        said.append(dial.caption)
    return " ".join(said)


def table(found: dict) -> list[dict]:
    """One formatted dict a number of steps."""
    shown = [name for name in TERMS if any(r[name] for r in found["rows"])]
    return [
        {
            "N": str(r["steps"]), **{TERMS[name][0]: number(r[name]) for name in shown}, "bound": number(r["bound"]),
            "W₂": _w2(r), "method": r["method"] or NONE, "coupled L₂": _coupled(r), "bound ÷ W₂": number(_ratio(r)),
            "bound ÷ coupled": number(r["bound"] / r["coupled"] if r["bound"] is not None and r["coupled"] else None),
            "hollow because": "; ".join(dict.fromkeys([*r["flags"], *r["coupled_flags"]])),
        }
        for r in found["rows"]
    ]  # fmt: skip


def from_steps(found: dict, scheme: str) -> Sheet | None:
    """Both pictures of an answer `generic_bound` of one scheme; None where there is no bound."""
    rows = [r for r in found["rows"] if r["scheme"] == scheme]
    if not any(r["bound"] is not None for r in rows):
        return None
    parts = [against_steps(rows, scheme, "estimated bound"), bars(rows, STEPS)]
    parts = [part for part in parts if part]
    return beside(f"A bound on {scheme} from its steps", parts, " ".join(p.alt for p in parts), from_steps_sentence(found, scheme))


def from_steps_sentence(found: dict, scheme: str) -> str:
    """How far the estimated bound is from the truth, and what most of it comes from."""
    rows = [r for r in found["rows"] if r["scheme"] == scheme]
    if found["void"]:
        return f"The bound is void here: {found['void']}"
    last = rows[-1]
    most = max(STEPS, key=lambda name: last[name])
    said = [_ratios([r for r in rows if r["w2"] and r["bound"] < FURTHEST * r["w2"]]).replace("The bound", "The estimated bound")]
    said.append(f"At N = {last['steps']} it is {number(last['bound'])}, most of it {STEPS[most][0]} ({number(last[most])}).")
    return " ".join(filter(None, said))


def from_steps_table(found: dict, scheme: str) -> list[dict]:
    """One formatted dict a number of steps, with the constants of a step's errors."""
    rows = [r for r in found["rows"] if r["scheme"] == scheme]
    shown = [name for name in STEPS if any(r[name] for r in rows)]
    return [
        {
            "N": str(r["steps"]), **{STEPS[name][0]: number(r[name]) for name in shown}, "estimated bound": number(r["bound"]),
            "W₂": _w2(r), "method": r["method"] or NONE, "bound ÷ W₂": number(_ratio(r)), "K₁": number(r["K1"]), "K₂": number(r["K2"]),
            "hollow because": "; ".join(r["flags"]),
        }
        for r in rows
    ]  # fmt: skip


def grid_title(name: str) -> str:
    return grids.MAKERS[name].title
