"""The picture of one scheme measured by every method: where the point clouds see no more."""


from dlab import measure
from dlab.answers.estimators import DISAGREES
from dlab.figures.chart import Band, Chart, Curve, look
from dlab.figures.numbers import estimate, number, step_size
from dlab.figures.plot import plot, step_axis

BRACKET = ("coupled", "gelbrich")  # thin: they say between what the value lies


def chart(found: dict) -> Chart:
    """W2 against h, log-log: one curve a method of a `study.compare` answer, sampling floors as bands."""
    curves, bands = [], []
    for name, estimator in measure.REGISTRY.items():
        mine = sorted((r for r in found["rows"] if r["method"] == name), key=lambda r: r["h"])
        style = look(estimator.style, group=name)
        curves.append(Curve.of(
            estimator.title, mine, lambda r: r["h"], why=lambda r: r["flags"], says=_says, thin=name in BRACKET, key=estimator.title,
            **style))  # fmt: skip
        if floors := [(r["h"], 0.0, r["floor"]) for r in mine if r["floor"]]:
            bands.append(Band(f"{name} floor", *zip(*floors), colours=style["colours"], group=name))
    title = f"{found['scheme']} measured by every method, on the same particles"
    return plot(
        title, step_axis(r["h"] for r in found["rows"]), "W₂", curves, bands=bands, guide={"band": "sampling floor"},
        says=sentence(found),
    )  # fmt: skip


def sentence(found: dict) -> str:
    """What the picture shows at the finest step, with the numbers in it."""
    rows = found["rows"]
    if not rows:
        return "Nothing has been measured yet."
    finest = min(r["h"] for r in rows)
    here = {r["method"]: r for r in rows if r["h"] == finest}
    doubts = "".join(
        f" At h = {step_size(r['h'])} the {r['method']} value {flag}."
        for r in rows for flag in r["flags"] if flag.startswith(DISAGREES)
    )  # fmt: skip
    best = here.get("exact") or here.get("density") or here.get("projected")
    plug = here.get("plugin")
    if best is None or plug is None or not best["w2"] > 0:
        return f"At h = {step_size(finest)}: " + "; ".join(f"{m} {number(r['w2'])}" for m, r in here.items()) + f".{doubts}"
    times = plug["w2"] / best["w2"]
    return (
        f"At h = {step_size(finest)} the distance is {number(best['w2'])} ({best['method']}); optimal transport between two "
        f"clouds reads {number(plug['w2'])}, {times:.0f} times as much, because two clouds of one and the same law already "
        f"read {number(plug['floor'])}.{doubts}"
    )


def table(found: dict) -> list[dict]:
    """What the picture says under the pointer: one formatted dict a method and step size, coarsest first."""
    return [
        {
            "method": measure.REGISTRY[r["method"]].title,
            "h": step_size(r["h"]),
            "W₂ ± 95 %": estimate(r),
            "floor": number(r["floor"]),
            "why it is hollow": "; ".join(r["flags"]),
        }
        for name in measure.REGISTRY
        for r in sorted(found["rows"], key=lambda r: -r["h"])
        if r["method"] == name
    ]


def _says(row) -> list[str]:
    floor = [f"floor {number(row['floor'])}"] if row["floor"] else []
    return [f"{measure.REGISTRY[row['method']].title}, h = {step_size(row['h'])}", f"W₂ {estimate(row)}", *floor]
