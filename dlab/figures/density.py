"""The law of a scheme beside its target, and where they differ, from a `law.law_density` answer. Nothing is computed."""

import numpy as np

from dlab.figures.chart import Chart, Curve, Map, Sheet
from dlab.figures.numbers import NONE, number, step_size
from dlab.figures.plot import even_axis, plot, scheme_look

HOW = {
    "exact": "exact",
    "exact-moments": "distance of the first two moments, a lower bound",
    "exact-marginals": "exact along the axes, a lower bound",
    "density": "density on a grid",
}
BOTH = {
    "exact-moments": "With its random midpoint the law is a mixture of Gaussians over U; drawn is the Gaussian with its mean "
    "and covariance.",
    "exact-marginals": "The coordinates share the random midpoint U, so the law in the plane is no product of what is known: "
    "its marginals along the target's axes are drawn instead.",
}


def sheet(found: dict) -> Sheet | None:
    """Three maps, p_0, the law and their difference; two charts of marginals where these alone are known; None where the
    law fits on no grid."""
    if "map" in found:
        parts = _maps(found)
    elif "lines" in found:
        parts = _charts(found)
    else:
        return None
    what = f"law of {found['scheme']} at h = {step_size(found['h'])}"
    says = sentence(found)
    return Sheet(f"Target and {what}", parts, f"Target density, {what}, and their difference. {says}", says)


def sentence(found: dict) -> str:
    """What the picture shows, with the numbers in it."""
    head = f"With h = {step_size(found['h'])} the law of {found['scheme']}"
    if found["w2"] is None:
        return f"{head} is not finite or fits on no grid: the step is too large for this target."
    change = found["grid_change"]
    grid = f"; the last refinement of its grid changed it by {number(100 * change)} %" if change else ""
    parts = [f"{head} is W₂ = {number(found['w2'])} away from p₀ ({HOW[found['method']]}{grid})."]
    if "map" in found:
        law, target = (np.asarray(found["map"][k]) for k in ("law", "target"))
        parts.append(f"Its density differs from p₀ by at most {number(_share(law, target))} % of p₀'s maximum.")
    return " ".join([*parts, *filter(None, [BOTH.get(found["method"])]), *(f"{f[0].upper()}{f[1:]}." for f in found["flags"])])


def table(found: dict) -> list[dict]:
    """The highest value of each map or marginal and where it lies; of a difference the lowest too."""
    name = found["scheme"]
    if "map" in found:
        x, y = (np.asarray(found["map"][k]) for k in ("x", "y"))
        pieces = [("", found["map"], lambda i: f"({_at(x[i[1]])}, {_at(y[i[0]])})")]
    else:
        pieces = [
            (f" along axis {k}", line, lambda i, line=line: _at(line["x"][i[0]])) for k, line in enumerate(found.get("lines", ()), 1)
        ]
    return [_line(what + along, values, place) for along, piece, place in pieces for what, values in _densities(name, piece)]


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
    return f"{round(value, 2) + 0.0:.2f}"  # no minus before a zero


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
        part(f"Law of {name}", law, (0.0, top), "density", f"Density of {name}'s law, on the same colours."),
        part(f"{name} − p₀", gap, (-most, most), "blue: too little, orange: too much", f"{name}'s density less the target's.",
             "dark: too little, light: too much"),
    )


def _charts(found) -> tuple[Chart, ...]:
    name, lines = found["scheme"], {}
    for i, piece in enumerate(found["lines"], 1):
        lines.setdefault((tuple(piece["law"]), tuple(piece["target"])), (i, tuple(piece["x"])))  # equal coordinates are drawn once
    ends = [e for _, x in lines.values() for e in (x[0], x[-1])]
    across, own, pairs, gaps = even_axis("coordinate along the axis", min(ends), max(ends)), scheme_look(name)["colours"], [], []
    for ((law, target), (i, x)), dash, other in zip(lines.items(), ("solid", "dot"), ("dash", "longdash")):
        axis = f", axis {i}" if len(lines) > 1 else ""
        for curves, label, y, drawn in (
            (pairs, "p₀", target, {"group": f"p{i}", "dash": dash}),
            (pairs, name, law, {"colours": own, "group": f"q{i}", "dash": other}),
            (gaps, f"{name} − p₀", tuple(a - b for a, b in zip(law, target)), {"colours": own, "group": f"d{i}", "dash": dash}),
        ):
            curves.append(Curve(label + axis, x, y, key=label + axis, **drawn))
    top, most = 1.05 * max(max(c.y) for c in pairs), 1.1 * max(max(map(abs, c.y)) for c in gaps) or 1.0
    return (
        plot(f"Marginals of {name} and p₀", across, even_axis("density", 0.0, top), pairs, says="Densities along the target's axes."),
        plot(f"{name} − p₀", across, even_axis("difference", -most, most), gaps, says="Their difference."),
    )
