"""The pictures of adaptive steps: from the answer `adaptive`; nothing is computed here."""

from dlab.figures.chart import Chart, Curve, Sheet, look
from dlab.figures.numbers import NONE, Z95, chosen, estimate, interval, number
from dlab.figures.plot import beside, even_axis, line, log_axis, plot
from dlab.look import Style

TARGET, LIMIT = "target", "redrawn, tolerance → 0 (derived)"
NAMES = {"redraw": "redrawn noise", "path": "one Brownian path", "flow": "probability flow"}
# Ways to treat noise are no schemes and borrow no scheme's colour.
LOOKS = {
    "redraw": Style("#AA4499", "#CC79A7", "square", "solid"),
    "path": Style("#1d2733", "#e8edf3", "circle", "solid"),
    "flow": Style("#7A4B1E", "#D9A066", "diamond", "dash"),
}


def chart(found: dict, d: int = 1) -> Chart:
    """The deviation of a coordinate against the tolerance in d dimensions, beside the target's and the derived limit."""
    rows = [r for r in found["rows"] if r["d"] == d and r["sd"] is not None]
    limits = [k["sd"] for k in found["limits"] if k["d"] == d]
    tolerances = sorted({r["tol"] for r in found["rows"]}) or [0.1]
    curves = [line("target", y=found["sd"], label=TARGET), *(line(LIMIT, y=v, **_derived()) for v in limits)]
    return plot(
        f"Adaptive steps, d = {d}", log_axis("tolerance", tolerances, ticks=lambda *_: tuple((v, f"{v:g}") for v in tolerances)),
        _axis(f"standard deviation, d = {d}", [found["sd"], *limits, *_ends(rows)]),
        [*curves, *_curves(rows, lambda r: r["tol"], lambda r: r["sd"])], says=sentence(found),
    )  # fmt: skip


def bias_chart(found: dict) -> Chart:
    """How much the deviation differs from the target's against the dimension, at the finest tolerance that all methods have there."""
    rows = [r for d in _dims(found) for r in _finest(found, d)]
    tolerances = {r["tol"] for r in rows}
    at = f", tolerance {chosen(tolerances.pop())}" if len(tolerances) == 1 else ""
    difference = lambda r: r["sd"] - found["sd"]  # noqa: E731
    limits = Curve.of(LIMIT, found["limits"], lambda r: r["d"], value=difference, **_derived())
    ticks = tuple((k["d"], f"{k['d']}") for k in found["limits"][::2])
    return plot(
        "Bias of adaptive steps against the dimension", log_axis(f"dimension d{at}", limits.x, (1.4, 1.4), lambda *_: ticks),
        _axis("deviation − target’s", [0.0, *limits.y, *(v - found["sd"] for v in _ends(rows))]),
        [line("target", y=0.0, label=TARGET), limits, *_curves(rows, lambda r: r["d"], difference, dash="")], says=sentence(found),
    )  # fmt: skip


def sheet(found: dict) -> Sheet:
    told = sentence(found)
    return beside("Adaptive steps", (chart(found), bias_chart(found)), f"Two pictures. {told}", told)


def _dims(found) -> list[int]:
    return sorted({r["d"] for r in found["rows"]})


def _finest(found, d) -> list[dict]:
    """The rows in d dimensions at the least tolerance that every method has there."""
    rows = [r for r in found["rows"] if r["d"] == d and r["sd"] is not None]
    shared = set.intersection(*({r["tol"] for r in rows if r["method"] == m} for m in NAMES))
    return [r for r in rows if shared and r["tol"] == min(shared)]


def _ends(rows) -> list[float]:
    """Of the bars."""
    return [r["sd"] + sign * Z95 * r["stderr"] for r in rows for sign in (-1, 1)]


def _axis(title, values):
    room = max(0.01, 0.12 * (max(values) - min(values)))
    return even_axis(title, min(values) - room, max(values) + room)


def _derived() -> dict:
    return {**look(LOOKS["redraw"], marker="", dash="dot"), "thin": True, "key": LIMIT}


def _curves(rows, at, value, **drawn) -> list[Curve]:
    return [
        Curve.of(
            NAMES[m], [r for r in rows if r["method"] == m], at, value=value, half=lambda r: Z95 * r["stderr"], says=_says,
            **{**look(style, group=m, label=NAMES[m]), **drawn})
        for m, style in LOOKS.items()
    ]  # fmt: skip


def _says(r) -> list[str]:
    return [
        f"{NAMES[r['method']]}, d = {r['d']}, tolerance {chosen(r['tol'])}",
        f"deviation {estimate(r, 'sd')}",
        f"{r['steps']:.1f} steps, {r['rejected']:.0%} of steps rejected",
    ]


def sentence(found: dict) -> str:
    """What the two kinds of noise give at the finest tolerance in the fewest dimensions."""
    for d in _dims(found):
        if rows := {r["method"]: r for r in _finest(found, d)}:
            redrawn, kept = (estimate(rows[m], "sd") for m in ("redraw", "path"))
            return (
                f"At tolerance {chosen(rows['path']['tol'])} and d = {d} the standard deviation is {redrawn} with redrawn noise and {kept} "
                f"on one path; the target's is {number(found['sd'])}."
            )
    return "Nothing has been measured yet."


def table(found: dict) -> list[dict]:
    """One line a method, dimension and tolerance."""
    return [
        {
            "noise": NAMES[r["method"]],
            "d": r["d"],
            "tolerance": chosen(r['tol']),
            "deviation ± 95 %": estimate(r, "sd"),
            "− target’s": NONE if r["sd"] is None else interval(r["sd"] - found["sd"], Z95 * r["stderr"]),
            "√d · |difference|": number(r["w2"]),
            "steps": f"{r['steps']:.1f}",
            "score evaluations": f"{r['evaluations']:.0f}",
            "rejected": f"{r['rejected']:.0%}",
        }
        for r in found["rows"]
    ]


def notes(found: dict) -> tuple[str, ...]:
    """What a reader must be told of particles that were given up."""
    lost, forgot = (sum(r[k] for r in found["rows"]) for k in ("lost", "forgotten"))
    return tuple(filter(None, (
        f"{lost} particles were given up because their steps became too small; they are not counted." if lost else "",
        f"On one path, {forgot} points of rejected steps did not fit into memory and were dropped." if forgot else "",
    )))  # fmt: skip
