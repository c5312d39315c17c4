"""The picture of one scheme measured in every way: where the point clouds stop to see."""

import math

from dlab import measure
from dlab.answers.estimators import DISAGREES
from dlab.figures.chart import Axis, Band, Chart, Curve, Key, decades, octaves
from dlab.figures.numbers import Z95, interval, number, step_size


def chart(found: dict) -> Chart:
    """W2 against h, log-log: one curve a method of a `study.compare` answer, sampling floors as bands."""
    rows = found["rows"]
    steps = sorted({r["h"] for r in rows}) or [0.1, 1.0]
    values = [v for r in rows for v in (r["w2"], r["floor"]) if v]
    low, high = (min(values) / 2, max(values) * 1.6) if values else (0.01, 1.0)
    x_limits = (steps[0] / 1.3, steps[-1] * 1.3)
    series, bands, keys = [], [], []
    for name, estimator in measure.REGISTRY.items():
        mine = sorted((r for r in rows if r["method"] == name), key=lambda r: r["h"])
        if not mine:
            continue
        style = estimator.style
        look = {"colours": (style.light, style.dark), "group": name}
        at = tuple(r["h"] for r in mine)
        place = tuple(max(r["w2"], low) for r in mine)
        errors = [Z95 * (r["stderr"] or 0.0) for r in mine]
        series.append(Curve(
            estimator.title, at, place, low=tuple(max(p - e, low) for p, e in zip(place, errors)),
            high=tuple(p + e for p, e in zip(place, errors)), filled=tuple(not r["flags"] for r in mine),
            hover=tuple(_hover(r) for r in mine), marker=style.marker, dash=style.dash, thin=name in ("coupled", "gelbrich"), **look))
        floors = [(r["h"], r["floor"]) for r in mine if r["floor"]]
        if floors:
            places, tops = zip(*floors)
            bands.append(Band(f"{name} floor", places, (low,) * len(places), tops, **look))
        keys.append(Key(estimator.title, marker=style.marker, dash=style.dash, **look))
    title = f"{found['scheme']} measured in every way, on the same particles"
    return Chart(
        title=title,
        x=Axis("step size h", x_limits, octaves(*x_limits, steps, step_size)),
        y=Axis("W₂", (low, high), decades(low, high)),
        series=tuple(series),
        bands=tuple(bands),
        keys=(*keys, Key("sampling floor", band=True)) if bands else tuple(keys),
        alt=f"{title}. {sentence(found)}",
        caption=sentence(found),
    )


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
            "W₂ ± 95 %": _value(r),
            "floor": number(r["floor"]),
            "why it is hollow": "; ".join(r["flags"]),
        }
        for name in measure.REGISTRY
        for r in sorted(found["rows"], key=lambda r: -r["h"])
        if r["method"] == name
    ]


def _value(row) -> str:
    return interval(row["w2"], Z95 * row["stderr"] if row["stderr"] and math.isfinite(row["stderr"]) else None)


def _hover(row) -> str:
    lines = [f"{measure.REGISTRY[row['method']].title}, h = {step_size(row['h'])}", f"W₂ {_value(row)}"]
    if row["floor"]:
        lines.append(f"floor {number(row['floor'])}")
    return "\n".join([*lines, *row["flags"]])
