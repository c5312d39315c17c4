"""The picture of one scheme measured by every method: where the point clouds see no more.

Hues are the schemes'. A method has a marker and a dash of its own, in ink, or in grey where it sees a sampling floor or brackets W2.
"""

from dlab import measure
from dlab.answers.estimators import DISAGREES
from dlab.figures.chart import NEUTRAL, Band, Chart, Curve, look
from dlab.figures.numbers import estimate, number, place, size, size_text
from dlab.figures.plot import plot, step_axis

INK = ("#1d2733", "#e8edf3")
BRACKET = ("coupled", "gelbrich")  # thin: they say between what the value lies


def chart(found: dict) -> Chart:
    """W2 against h, or N where steps differ, log-log: one curve a method of a `study.compare` answer, sampling floors as bands."""
    rows, curves, bands = found["rows"], [], []
    uneven = any(r["h"] is None for r in rows)
    at = (lambda r: r["steps"]) if uneven else size
    axis = step_axis(map(at, rows), "number of steps N", text="{:g}".format) if uneven else step_axis(map(at, rows))
    for name, estimator in measure.REGISTRY.items():
        mine = sorted((r for r in rows if r["method"] == name), key=at)
        floors = [(at(r), 0.0, r["floor"]) for r in mine if r["floor"]]
        style = look(estimator.style, group=name, colours=NEUTRAL if floors or name in BRACKET else INK)
        curves.append(Curve.of(
            estimator.title, mine, at, why=lambda r: r["flags"], says=_says, thin=name in BRACKET, label=name,
            **style))  # fmt: skip
        if floors:
            bands.append(Band(f"{name} floor", *zip(*floors), colours=style["colours"], group=name))
    title = f"{found['scheme']} measured by every method, on the same particles"
    return plot(
        title, axis, "W₂", curves, bands=bands, guide={"band": "sampling floor"}, says=sentence(found),
    )  # fmt: skip


def sentence(found: dict) -> str:
    """What the picture shows at the finest step, with the numbers in it."""
    rows = found["rows"]
    if not rows:
        return "Nothing has been measured yet."
    finest = min(rows, key=size)
    here = {r["method"]: r for r in rows if size(r) == size(finest)}
    doubts = "".join(
        f" At {place(r)} the {r['method']} value {flag}."
        for r in rows for flag in r["flags"] if flag.startswith(DISAGREES)
    )  # fmt: skip
    best = here.get("exact") or here.get("density") or here.get("projected")
    plug = here.get("plugin")
    if best is None or plug is None or not best["w2"] > 0:
        return f"At {place(finest)}: " + "; ".join(f"{m} {number(r['w2'])}" for m, r in here.items()) + f".{doubts}"
    times = plug["w2"] / best["w2"]
    return (
        f"At {place(finest)} the distance is {number(best['w2'])} ({best['method']}); optimal transport between two "
        f"clouds gives {number(plug['w2'])}, {times:.0f} times as much, because two clouds of the same law are already "
        f"{number(plug['floor'])} apart.{doubts}"
    )


def table(found: dict) -> list[dict]:
    """What the picture says under the pointer: one formatted dict a method and step size, coarsest first."""
    return [
        {
            "method": measure.REGISTRY[r["method"]].title,
            "N" if r["h"] is None else "h": size_text(r),
            "W₂ ± 95 %": estimate(r),
            "floor": number(r["floor"]),
            "why it is hollow": "; ".join(r["flags"]),
        }
        for name in measure.REGISTRY
        for r in sorted(found["rows"], key=size, reverse=True)
        if r["method"] == name
    ]


def _says(row) -> list[str]:
    floor = [f"floor {number(row['floor'])}"] if row["floor"] else []
    return [f"{measure.REGISTRY[row['method']].title}, {place(row)}", f"W₂ {estimate(row)}", *floor]
