"""Slopes that a viewer guessed, beside what was measured."""

from dataclasses import replace

from dlab.figures.chart import Chart, Curve, Key
from dlab.figures.convergence import AXES
from dlab.figures.numbers import order, size
from dlab.figures.plot import scheme_look
from dlab.figures.tables import diverged, fit_of, fitted, has_slope, rows_of, slope_text

DASH = "dashdot"


def drawn(chart: Chart, result: dict, x: str, guesses: dict[str, dict[float, float | None]]) -> Chart:
    """The convergence chart with a line of each guessed slope, through the scheme's coarsest fitted point.

    guesses   {scheme: {slope: share of the room's votes}}, or {scheme: {slope: None}} of one visitor
    """
    at, lines, own = AXES[x][1], [], any(None in slopes.values() for slopes in guesses.values())
    for name, slopes in guesses.items():
        kept = [r for r in rows_of(result, name) if not diverged(r)]
        start = next((r for r in kept if fitted(r, fit_of(result, name))), kept[0] if kept else None)
        if start is None:
            continue
        rest = [r for r in kept if size(r) <= size(start)]
        most = max(share or 0.0 for share in slopes.values())
        lines += [
            Curve.of(
                f"{name} as you guessed" if share is None else f"{name}, slope {order(slope)}: {share:.0%}", rest, at,
                value=lambda r, s=start, p=slope: s["w2"] * (size(r) / size(s)) ** p, thin=(share or 0.0) < most,
                **scheme_look(name, marker="", dash=DASH),
            )
            for slope, share in slopes.items()
        ]  # fmt: skip
    if not lines:
        return chart
    said = "your guess" if own else "the room's votes"
    return replace(chart, series=(*lines, *chart.series), keys=(*chart.keys, Key(said, dash=DASH)))


def sentence(result: dict, guesses: dict[str, float]) -> str:
    """What was guessed, measured and promised, a sentence a scheme."""
    return " ".join(_one(result, name, guess, len(guesses) > 1) for name, guess in guesses.items())


def _one(result, name, guess, several) -> str:
    fit = fit_of(result, name)
    measured = f"measured {slope_text(fit)}" if has_slope(fit) else "no slope was measured"
    promised = fit.get("theory_order")
    theory = "the theorem says nothing here" if promised is None else f"the theorem promises at least {order(promised)}"
    return f"You said {order(guess)}{f' for {name}' if several else ''}; {measured}, {theory}."
