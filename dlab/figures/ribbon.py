"""pₜ over time as colours, with paths of schemes over it, from an `answers.ribbon` answer; nothing is computed here."""

import itertools
import math

import numpy as np

from dlab import schemes
from dlab.figures.chart import Axis, Curve, Key, Map, Sheet
from dlab.figures.numbers import NONE, listed, number
from dlab.figures.plot import even_axis, scheme_look

DASHED = "dash"  # paths of the flow; those with noise are solid
LABELS = 7  # of the steps' times, at most


def sheet(found: dict) -> Sheet:
    """The picture; time runs from T to the end, as sampling does, and its ticks are the steps' times."""
    t, x, density = (np.asarray(found[k]) for k in ("t", "x", "density"))
    names, said = listed(p["scheme"] for p in found["paths"]), sentence(found)
    title = f"pₜ and paths of {names} in {found['steps']} steps" if names else "pₜ"
    what = "x₁" if found["coordinate"] == "coordinate" else "x along the first axis"
    drawn = [_drawn(p) for p in found["paths"]]
    part = Map(
        title, _time(found), even_axis(what, float(x[0]), float(x[-1])), (t, x), density, (0.0, float(density.max())), "pₜ(x)",
        f"The density of pₜ against time, from t = {number(float(t[-1]))} to {number(float(t[0]))}, with paths over it. {said}",
        over=tuple(drawn), equal=False, keys=tuple(Key(c.key, c.colours, c.group, dash=c.dash) for c in drawn),
    )  # fmt: skip
    return Sheet(title, (part,), part.alt, said)


def _time(found) -> Axis:
    """A tick at each step; a label where there is room."""
    times = found["times"]
    end, apart, ticks, last = times[-1], (times[0] - times[-1]) / LABELS, [], math.inf
    for v in times:
        room = last - v >= apart and (v == end or v - end >= apart)
        ticks.append((v, f"{v:.3g}" if room else ""))
        last = v if room else last
    return Axis("time t", (times[0], end), tuple(ticks), log=False)


def _drawn(path) -> Curve:
    """All paths of a scheme as one line with gaps."""
    flow, count = path["dynamics"] == "ODE", len(path["x"])
    t = (*path["t"], math.nan) * count
    x = tuple(itertools.chain.from_iterable((*(math.nan if v is None else v for v in one), math.nan) for one in path["x"]))
    look = scheme_look(path["scheme"], marker="", dash=DASHED if flow else "solid")
    return Curve(path["scheme"], t, x, thin=True, key=f"{path['scheme']} ({'ODE' if flow else 'SDE'})", **look)


def sentence(found: dict) -> str:
    """Who keeps the order of the paths, and how near the flow's ends are to the quantiles of the target."""
    if not found["paths"]:
        return ""
    count = len(found["levels"])
    pairs, said = count * (count - 1) // 2, []
    for p in found["paths"]:
        if p["exchanged"] is None:
            said.append(f"{p['scheme']} loses paths: the step is too large.")
        elif p["dynamics"] == "ODE":
            kept = "keeps the order of all" if not p["exchanged"] else f"exchanges {p['exchanged']} of {pairs} pairs of"
            off = number(p["off"])
            said.append(f"{p['scheme']} {kept} its paths; they carry quantiles, and end {off} away from those of the target.")
        else:
            said.append(f"{p['scheme']} exchanges {p['exchanged']} of {pairs} pairs of its {count} paths.")
    return " ".join(said)


def table(found: dict) -> list[dict]:
    """One line a scheme."""
    count = len(found["levels"])
    return [
        {
            "scheme": p["scheme"], "dynamics": schemes.REGISTRY[p["scheme"]].dynamics, "steps": found["steps"],
            f"pairs exchanged, of {count * (count - 1) // 2}": NONE if p["exchanged"] is None else f"{p['exchanged']}",
            "ends − quantiles of the target, r.m.s.": number(p["off"]) if p["dynamics"] == "ODE" else NONE,
        }
        for p in found["paths"]
    ]  # fmt: skip


def rows(found: dict) -> list[dict]:
    """For a file: one line a scheme, path and step that is drawn."""
    return [
        {"scheme": p["scheme"], "path": i + 1, "level": level, "t": t, "x": x}
        for p in found["paths"] for i, (level, path) in enumerate(zip(found["levels"], p["x"])) for t, x in zip(p["t"], path)
    ]  # fmt: skip
