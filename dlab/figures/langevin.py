"""Langevin beside diffusion, from the answers `langevin` and `small_error`; nothing is computed here but lines of known slope."""

import math

from dlab.figures.chart import Chart, Curve, look
from dlab.figures.numbers import NONE, number
from dlab.figures.plot import log_axis, plot, step_axis
from dlab.look import Style

TITLES = {"langevin": "Langevin", "diffusion": "diffusion"}
# They are no schemes of the registry and borrow no scheme's colour.
LOOKS = {
    "langevin": Style("#AA4499", "#CC79A7", "square", "solid"),
    "diffusion": Style("#1d2733", "#e8edf3", "circle", "solid"),
}


def chart(found: dict) -> Chart:
    """W2 against evaluations of the score, log-log, each with the line that it tends to."""
    rows, curves = found["rows"], []
    for name, style in LOOKS.items():
        kept = [r for r in rows if r[name] is not None]
        constant, limit = found["constants"][name], f"{TITLES[name]}: limit {number(found['constants'][name])} · log N / N"
        curves.append(Curve.of(
            limit, kept, _steps, value=lambda r, c=constant: c * math.log(r["steps"]) / r["steps"],
            says=lambda r, said=limit: [said], **look(style, marker="", dash="dot", group=name), thin=True))  # fmt: skip
        curves.append(Curve.of(TITLES[name], kept, _steps, value=lambda r, n=name: r[n], says=_says(name), label=TITLES[name],
                               **look(style, group=name)))  # fmt: skip
    return plot(
        "Langevin and diffusion at equal cost", step_axis(map(_steps, rows), "evaluations of the score N", (1.15, 1.15), "{:g}".format),
        "W₂ (exact laws)", curves, slopes=(1.0,), corner="left", says=sentence(found),
        guide={"dot": "limit, C · log N / N"},
    )  # fmt: skip


def _steps(row):
    return row["steps"]


def _says(name):
    return lambda r: [f"{TITLES[name]}, N = {r['steps']}", f"W₂ {number(r[name])}"]


def sentence(found: dict) -> str:
    """The two at the largest N, and from where Langevin can be run at all."""
    last, runs = found["rows"][-1], [r["steps"] for r in found["rows"] if r["langevin"] is not None]
    if not runs:
        return f"At condition number {found['condition']:g} Langevin explodes at every N shown."
    first = f" Below N = {runs[0]} Langevin explodes." if runs[0] > found["rows"][0]["steps"] else ""
    times = last["langevin"] / last["diffusion"]
    which = f"{number(times)} times" if times >= 1 else f"1/{number(1 / times)} of"
    return (
        f"At condition number {found['condition']:g} and N = {last['steps']}, Langevin's W₂ is {which} the diffusion's: "
        f"{number(last['langevin'])} beside {number(last['diffusion'])}.{first}"
    )


def table(found: dict) -> list[dict]:
    return [
        {
            "N": r["steps"], "Langevin": number(r["langevin"]), "its step η": number(r["step"]), "diffusion": number(r["diffusion"]),
            "its largest τ": number(r["horizon"]), "its smallest τ": number(r["stop"]), "proven for the diffusion": number(r["promised"]),
            "why there is no value": NONE if r["langevin"] is not None else "η is more than twice the smallest variance",
        }
        for r in found["rows"]
    ]  # fmt: skip


def error_chart(found: dict) -> Chart:
    """W2 of both against the L2 size of the score error, log-log."""
    curves = [
        Curve.of(TITLES[name], found["rows"], _error, value=lambda r, n=name: r[n], label=TITLES[name], **look(style, group=name),
                 says=lambda r, n=name: [f"{TITLES[n]}, ε = {number(r['error'])}", f"wrong beyond {r['edge']:g}", f"W₂ {number(r[n])}"])
        for name, style in LOOKS.items()
    ]  # fmt: skip
    axis = log_axis("L₂ error of the score under the target, ε", list(map(_error, found["rows"])), (1.2, 1.2))
    says = error_sentence(found)
    return plot("A score that is wrong where the target has little mass", axis, "W₂ (densities)", curves, slopes=(1.0,), says=says)


def _error(row):
    return row["error"]


def error_sentence(found: dict) -> str:
    last = min(found["rows"], key=_error)
    return (
        f"With an error of {number(last['error'])} in L₂ the diffusion ends {number(last['diffusion'])} from the target and Langevin "
        f"{number(last['langevin'])}: {last['share']:.0%} of its start lies where the score is wrong."
    )


def error_table(found: dict) -> list[dict]:
    return [
        {
            "wrong beyond": f"{r['edge']:g}", "ε in L₂": number(r["error"]), "of Langevin's start there": f"{r['share']:.0%}",
            "W₂ Langevin": number(r["langevin"]), "W₂ diffusion": number(r["diffusion"]),
        }
        for r in found["rows"]
    ]  # fmt: skip
