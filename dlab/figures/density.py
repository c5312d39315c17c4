"""The law of a scheme beside its target, and where they differ, from a `study.law_density` answer. Nothing is computed."""

import numpy as np

from dlab import schemes
from dlab.figures.chart import NEUTRAL, Axis, Chart, Curve, Key, Map, Sheet, evenly
from dlab.figures.numbers import NONE, number, step_size

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
    out = []
    for along, piece, place in pieces:
        law, target = (np.asarray(piece[k]) for k in ("law", "target"))
        for what, values in ((f"p₀{along}", target), (f"{name}{along}", law), (f"{name} − p₀{along}", law - target)):
            high, low = (np.unravel_index(at, values.shape) for at in (values.argmax(), values.argmin()))
            signed = what.startswith(f"{name} −")
            out.append({
                "density": what,
                "highest": number(float(values[high])),
                "at": place(high),
                "lowest": number(float(values[low])) if signed else NONE,
                "lowest at": place(low) if signed else NONE,
            })
    return out


def _at(value) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # no minus before a zero


def _share(law, target):
    return 100 * float(np.abs(law - target).max() / target.max())


def _maps(found) -> tuple[Map, ...]:
    x, y, law, target = (np.asarray(found["map"][k]) for k in ("x", "y", "law", "target"))
    gap, name = law - target, found["scheme"]
    top, most = max(law.max(), target.max()), np.abs(gap).max() or 1.0
    axes = [Axis(t, (v[0], v[-1]), evenly(v[0], v[-1], 4), log=False) for t, v in (("x₁", x), ("x₂", y))]

    def part(title, values, limits, what, alt, grey=""):
        return Map(title, *axes, (x, y), values, limits, what, alt, grey)

    return (
        part("Target p₀", target, (0.0, top), "density", "Density of the target."),
        part(f"Law of {name}", law, (0.0, top), "density", f"Density of {name}'s law, on the same colours."),
        part(f"{name} − p₀", gap, (-most, most), "blue: too little, orange: too much", f"{name}'s density less the target's.",
             "dark: too little, light: too much"),
    )


def _charts(found) -> tuple[Chart, ...]:
    name, style = found["scheme"], schemes.REGISTRY[found["scheme"]].style
    own = (style.light, style.dark)
    lines, seen = [], []
    for i, line in enumerate(found["lines"], 1):
        if (line["law"], line["target"]) not in seen:  # equal coordinates are drawn once
            seen.append((line["law"], line["target"]))
            lines.append((i, line))
    ends = [e for _, line in lines for e in (line["x"][0], line["x"][-1])]
    along = Axis("coordinate along the axis", (min(ends), max(ends)), evenly(min(ends), max(ends)), log=False)
    label = {i: f", axis {i}" if len(lines) > 1 else "" for i, _ in lines}
    pairs, gaps, keys, more = [], [], [], []
    for (i, line), dash in zip(lines, ("solid", "dot")):
        x, law, target = (tuple(line[k]) for k in ("x", "law", "target"))
        gap = tuple(a - b for a, b in zip(law, target))
        pairs += [Curve(f"p₀{label[i]}", x, target, NEUTRAL, f"p{i}", dash=dash)]
        pairs += [Curve(f"{name}{label[i]}", x, law, own, f"q{i}", dash="dash" if dash == "solid" else "longdash")]
        gaps += [Curve(f"{name} − p₀{label[i]}", x, gap, own, f"d{i}", dash=dash)]
        keys += [Key(s.name, s.colours, s.group, dash=s.dash) for s in pairs[-2:]]
        more += [Key(s.name, s.colours, s.group, dash=s.dash) for s in gaps[-1:]]
    top, most = max(max(s.y) for s in pairs), max(max(map(abs, s.y)) for s in gaps) or 1.0
    height = Axis("density", (0.0, 1.05 * top), evenly(0.0, 1.05 * top), log=False)
    apart = Axis("difference", (-1.1 * most, 1.1 * most), evenly(-1.1 * most, 1.1 * most), log=False)
    return (
        Chart(f"Marginals of {name} and p₀", along, height, tuple(pairs), keys=tuple(keys), alt="Densities along the target's axes."),
        Chart(f"{name} − p₀", along, apart, tuple(gaps), keys=tuple(more), alt="Their difference."),
    )
