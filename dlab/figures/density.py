"""The law of a scheme beside its target, and where they differ, from a `law.law_density` answer. Nothing is computed."""

import numpy as np

from dlab.figures.chart import Map, Sheet
from dlab.figures.numbers import NONE, fixed, number, place
from dlab.figures.plot import even_axis

HOW = {
    "exact": "exact",
    "joint": "of the joint law",
    "lower": "a lower bound",
    "density": "density on a grid",
}

def sheet(found: dict) -> Sheet | None:
    """Three maps, p_0, the law and their difference; None where the law fits on no grid."""
    if "map" not in found:
        return None
    what = f"law of {found['scheme']} at {place(found)}"
    says = sentence(found)
    return Sheet(f"Target and {what}", _maps(found), f"Target density, {what}, and their difference. {says}", says)


def sentence(found: dict) -> str:
    """What the picture shows, with the numbers in it."""
    head = f"With {place(found)} the law of {found['scheme']}"
    if found["w2"] is None:
        return f"{head} is not finite or does not fit on a grid: the step is too large for this target."
    change = found["grid_change"]
    grid = f"; by the refinements of its grid it is off by about {number(100 * change)} %" if change else ""
    parts = [f"{head} is W₂ = {number(found['w2'])} away from p₀ ({HOW[found['method']]}{grid})."]
    if "map" in found:
        law, target = (np.asarray(found["map"][k]) for k in ("law", "target"))
        parts.append(f"Its density differs from p₀ by at most {number(_share(law, target))} % of p₀'s maximum.")
    return " ".join([*parts, *(f"{f[0].upper()}{f[1:]}." for f in found["flags"])])


def table(found: dict) -> list[dict]:
    """The highest value of each map and where it lies; of the difference the lowest too."""
    if "map" not in found:
        return []
    x, y = (np.asarray(found["map"][k]) for k in ("x", "y"))
    pieces = _densities(found["scheme"], found["map"])
    return [_line(what, values, lambda i: f"({_at(x[i[1]])}, {_at(y[i[0]])})") for what, values in pieces]


def _densities(name, piece) -> list[tuple]:
    law, target = (np.asarray(piece[k]) for k in ("law", "target"))
    return [("p₀", target), (name, law), (f"{name} − p₀", law - target)]


def _line(what, values, place) -> dict:
    high, low = (np.unravel_index(at, values.shape) for at in (values.argmax(), values.argmin()))
    signed = " − " in what
    return {
        "density": what,
        "highest": number(float(values[high])),
        "at": place(high),
        "lowest": number(float(values[low])) if signed else NONE,
        "lowest at": place(low) if signed else NONE,
    }


def _at(value) -> str:
    return fixed(value)


def _share(law, target):
    return 100 * float(np.abs(law - target).max() / target.max())


def _maps(found) -> tuple[Map, ...]:
    x, y, law, target = (np.asarray(found["map"][k]) for k in ("x", "y", "law", "target"))
    gap, name = law - target, found["scheme"]
    top, most = max(law.max(), target.max()), np.abs(gap).max() or 1.0
    axes = [even_axis(t, v[0], v[-1], 4) for t, v in (("x₁", x), ("x₂", y))]

    def part(title, values, limits, what, alt, grey=""):
        return Map(title, *axes, (x, y), values, limits, what, alt, grey)

    return (
        part("Target p₀", target, (0.0, top), "density", "Density of the target."),
        part(f"Law of {name}", law, (0.0, top), "density", f"Density of {name}'s law, with the same colours."),
        part(f"{name} − p₀", gap, (-most, most), "blue: too little, orange: too much", f"The density of {name} minus the target's.",
             "dark: too little, light: too much"),
    )
