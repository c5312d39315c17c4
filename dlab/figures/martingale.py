"""The martingales of the reverse process, from the answer `martingale`: groups of particles on their way, and mean rates of change."""

import math

from dlab.figures.chart import INK, LESS, MORE, NEUTRAL, Axis, Curve, Sheet, decades
from dlab.figures.numbers import Z95, estimate, interval, number
from dlab.figures.plot import beside, even_axis, line, plot

GREEN = ("#007A5A", "#2FC79B")
HUES = (LESS, INK, MORE)  # of the thirds
RATES = {
    "x0": ("x₀", LESS, "circle"), "grown": ("exp(u/2) s", GREEN, "square"), "score": ("s itself", MORE, "diamond"),
}  # fmt: skip


def _axis(found) -> Axis:
    times = [g["t"] for g in found["groups"]]
    return Axis("time t, from noise to data", (max(times) * 1.1, min(times) / 1.1), decades(min(times), max(times)))


def sheet(found: dict) -> Sheet:
    """Thirds of the particles, x0 and x, and the mean rates of x0, the grown score and the score."""
    parts = (groups(found), rates(found))
    said = sentence(found)
    return beside("Martingales of the reverse process", parts, " ".join(p.alt for p in parts), said)


def groups(found: dict):
    """Means of x0 and of x over thirds of the particles."""
    across, curves = _axis(found), []
    for i, hue in enumerate(HUES):
        for q, name, marker, dash in (("x0", "x₀", "circle", "solid"), ("x", "x", "x", "")):
            rows = [{"t": g["t"], "v": g[q][i], "e": g[f"{q}_stderr"][i]} for g in found["groups"]]
            curves.append(Curve.of(
                f"{name}, third {i + 1}", rows, lambda r: r["t"], value=lambda r: r["v"], half=lambda r: Z95 * r["e"], colours=hue,
                marker=marker, dash=dash, key=f"mean of {name}" if i == 1 else "",
                says=lambda r, n=name, k=i: [f"t = {number(r['t'])}, third {k + 1}", f"mean of {n}: {interval(r['v'], Z95 * r['e'])}"],
            ))  # fmt: skip
        exact = [(g["t"], g["x_exact"][i]) for g in reversed(found["groups"])]
        curves.append(Curve(f"formula, third {i + 1}", *zip(*exact), hue, dash="dot", thin=True,
                            key="E[x] by the formula" if i == 1 else ""))  # fmt: skip
    values = [v for c in curves for v in c.y]
    room = 0.08 * (max(values) - min(values))
    y = even_axis("mean of the first principal coordinate", min(values) - room, max(values) + room)
    return plot("Thirds of the particles", across, y, curves, says="The means of x₀ stay level; those of x move.")


def rates(found: dict):
    """Mean rate of change as a share of the quantity, per unit of time."""
    curves = []
    for i, (name, (title, hue, marker)) in enumerate(RATES.items()):
        rows = [{**r, "at": math.sqrt(r["t"] * r["t_next"]) * 1.05 ** (i - 1)} for r in found["rows"]]
        curves.append(Curve.of(
            title, rows, lambda r: r["at"], value=lambda r, n=name: r[n], half=lambda r, n=name: Z95 * r[f"{n}_stderr"], colours=hue,
            marker=marker, label=title,
            says=lambda r, n=name, t=title: [f"t from {number(r['t'])} to {number(r['t_next'])}", f"{t}: {estimate(r, n, f'{n}_stderr')}"],
        ))  # fmt: skip
    curves += [line("none", y=0.0, colours=NEUTRAL, key="0 and −½"), line("half", y=-0.5, colours=NEUTRAL)]
    ends = [r[n] + sign * Z95 * r[f"{n}_stderr"] for r in found["rows"] for n in RATES for sign in (-1, 1)]
    return plot("Mean rate of change", _axis(found), even_axis("share per unit of time", max(min(ends), -1.5), min(max(ends), 1.0)),
                curves, says="Zero for x₀ and the scaled score, −½ for the score itself.")  # fmt: skip


def pooled(found: dict, name: str) -> tuple[float, float]:
    """The weighted mean of a rate over all segments, with its standard error."""
    weights = [r[f"{name}_stderr"] ** -2 for r in found["rows"]]
    return sum(w * r[name] for w, r in zip(weights, found["rows"])) / sum(weights), sum(weights) ** -0.5


def sentence(found: dict) -> str:
    """The pooled rates with their intervals."""
    def said(name):
        value, error = pooled(found, name)
        return interval(value, Z95 * error)

    return (
        f"On {found['particles']} particles the mean rate of change of x₀ is {said('x0')} of it per unit of time, that of the scaled score "
        f"{said('grown')}, of the score itself {said('score')}. A step's mean differs from DDPM's by {said('mean')} of the way."
    )


def table(found: dict) -> list[dict]:
    """One line a segment."""
    return [
        {
            "from t": number(r["t"]), "to t": number(r["t_next"]),
            **{title: estimate(r, name, f"{name}_stderr") for name, (title, _, _) in RATES.items()},
            "s, exact": number(r["score_exact"]), "mean − DDPM's, as a share": estimate(r, "mean", "mean_stderr"),
        }
        for r in found["rows"]
    ]  # fmt: skip
