"""Both multilevel methods, from the answers `multilevel`, `network_levels` and `step_levels`; nothing is computed here."""

from dlab.figures.chart import NEUTRAL, Axis, Bar, Chart, Curve, Key, Sheet, decades, evenly, look
from dlab.figures.numbers import Z95, about, estimate, interval, listed, number
from dlab.figures.plot import beside, log_axis, plot, scheme_look, step_axis
from dlab.look import Style

NAMES = {"em": "EM", "coupled": "multilevel, coupled", "law": "multilevel, law"}
# Ways to call scores are no schemes and borrow no scheme's colour; EM has its own.
LOOKS = {"coupled": Style("#AA4499", "#CC79A7", "square", "solid"), "law": Style("#1d2733", "#e8edf3", "diamond", "solid")}
COUNTED = ("coupled", "law")


def _look(name, **changes):
    return scheme_look("EM", **changes) if name == "em" else look(LOOKS[name], group=name, **changes)


def chart(found: dict) -> Chart:
    """Cost against error, log-log, with the slopes of the theory as triangles."""
    curves = [
        Curve.of(title, [r for r in found["rows"] if r["method"] == name], _error, value=_cost, says=_says, label=title, **_look(name))
        for name, title in NAMES.items()
    ]  # fmt: skip
    em = [r for r in found["rows"] if r["method"] == "em"]
    law = _look("em", marker="", dash="dash", thin=True)
    curves.append(Curve.of("EM, law", em, lambda r: r["law"], value=_cost, label="EM, law", **law))
    # The triangles stand in the empty corner on the right.
    axis = log_axis("error: coupled L₂, or the law’s (exact)", [v for c in curves for v in c.x], (1.3, 12.0))
    slopes = sorted({v["theory"] for v in found["slopes"].values()})
    return plot(f"Cost against error, g = {found['g']:g}", axis, "cost of a path, in calls of level 0", curves, slopes=tuple(slopes),
                corner="top", says=sentence(found))  # fmt: skip


def _error(r):
    return r["law"] if r["method"] == "law" else r["error"]


def _cost(r):
    return r["cost"]


def _says(r):
    return [
        f"{NAMES[r['method']]}, level {r['level']}, {r['steps']} steps", f"coupled L₂ {number(r['error'])}",
        f"law (moments) {number(r['law'])}", f"cost {number(r['cost'])}", f"best level called {number(r['calls'][-1])} times a path",
    ]  # fmt: skip


def shown(found: dict) -> list[dict]:
    """The rows at the level of the path, EM first."""
    return [r for r in found["rows"] if r["level"] == found["path"]["level"]]


def calls_chart(found: dict) -> Chart:
    """Mean calls of each level in a path, a bar a level and method, on a logarithmic axis."""
    rows, K = shown(found), found["path"]["level"]
    values = [v for r in rows for v in r["calls"] if v > 0]
    low, top = min([0.5, *values]) / 2, max(values) * 1.5
    wide = 0.8 / len(rows)
    bars = []
    for i, r in enumerate(rows):
        for k, value in enumerate(r["calls"]):
            if value > 0:
                spent = f"{value * 2 ** (found['g'] * k) / r['cost']:.0%} of its cost"
                name, at = f"{NAMES[r['method']]}, level {k}", k + (i - (len(rows) - 1) / 2) * wide
                hover = f"{name}\n{number(value)} calls a path\n{spent}"
                colours = _look(r["method"])["colours"]
                bars.append(Bar(name, at, low, value, colours, r["method"], hover=hover, height=wide * 0.9))
    keys = tuple(Key(NAMES[r["method"]], _look(r["method"])["colours"], r["method"], marker="square") for r in rows)
    return Chart(
        "Calls of each level", Axis("mean calls in a path", (low, top), decades(low, top)),
        Axis("", (-0.6, K + 0.6), tuple((float(k), f"level {k}") for k in range(K + 1)), log=False), bars=tuple(bars), keys=keys,
        alt=f"Bars: the mean calls of levels 0 to {K} in a path, on a logarithmic axis. {calls_sentence(found)}",
        caption=calls_sentence(found),
    )  # fmt: skip


def calls_sentence(found: dict) -> str:
    rows = {r["method"]: r for r in shown(found)}
    K, steps = found["path"]["level"], found["path"]["steps"]
    coupled, law = (number(rows[m]["calls"][-1]) for m in COUNTED)
    return f"In a path of {steps} steps EM calls level {K} in all, multilevel in {coupled} on average, and in {law} for the law."


def path_chart(found: dict) -> Chart:
    """How far one path is from the exact one, and below it a tick for each call of a level that is called by chance."""
    path = found["path"]
    T, N, top = path["t"][0], path["steps"], max(path["distance"]) or 1.0
    rare = [k for k, calls in enumerate(path["calls"]) if k and path["p"][k] < 1]
    colours, row = _look("coupled")["colours"], 0.13 * top
    places = {k: -row * (i + 0.9) for i, k in enumerate(rare)}
    bars = [
        Bar(f"level {k}", places[k], _past(path, n), _past(path, n) + T / N, colours, "calls", height=0.7 * row,
            hover=f"level {k}, step {n + 1} of {N}\ncalled with probability {number(path['p'][k])}")
        for k in rare for n in path["calls"][k]
    ]  # fmt: skip
    curve = Curve("distance", tuple(T - t for t in path["t"]), tuple(path["distance"]), colours, marker="", dash="solid",
                  key="distance to the exact path")  # fmt: skip
    low = min([0.0, *places.values()]) - row
    ticks = (*((places[k], f"level {k}") for k in rare), *evenly(0.0, top, 4))
    return Chart(
        "One path", Axis("time from the start, T − t", (0.0, T), evenly(0.0, T), log=False),
        Axis("|x − y|", (low, 1.08 * top), ticks, log=False), series=(curve,), bars=tuple(bars),
        keys=(Key("distance to the exact path", colours, dash="solid"), Key("a call of the level", colours, "calls", marker="square")),
        alt=f"The distance of one path to the exact one, and a tick for each call of a level called by chance. {path_sentence(found)}",
        caption=path_sentence(found),
    )  # fmt: skip


def _past(path, n):
    return path["t"][0] - path["t"][n]


def path_sentence(found: dict) -> str:
    path = found["path"]
    return f"The path drawn calls it in {len(path['calls'][path['level']])}."


def sheet(found: dict) -> Sheet:
    """All three pictures."""
    parts = chart(found), calls_chart(found), path_chart(found)
    said = f"{sentence(found)} {calls_sentence(found)} {path_sentence(found)}"
    return beside("Multilevel Euler–Maruyama", parts, said, said)


def sentence(found: dict) -> str:
    """The slopes, and what multilevel saves at the smallest error."""
    slopes, times = found["slopes"], {k: number(v) for k, v in found["speedup"].items()}
    em, coupled, law = (f"{slopes[k]['slope']:.2f}" for k in NAMES)
    theory = listed(f"{slopes[k]['theory']:g}" for k in NAMES)
    return (
        f"Cost grows as the error to the power −{em} (EM), −{coupled} (multilevel, coupled) and −{law} (in the law); theory: {theory}. "
        f"At multilevel's smallest error EM costs {times['coupled']} times as much, in the law {times['law']} times."
    )


def table(found: dict) -> list[dict]:
    """One line a method and error."""
    return [
        {
            "method": NAMES[r["method"]], "best level K": r["level"], "steps": r["steps"], "error asked for": number(r["target"]),
            "coupled L₂": number(r["error"]), "law (moments)": number(r["law"]), "cost of a path": number(r["cost"]),
            "calls of level K": number(r["calls"][-1]),
        }
        for r in found["rows"]
    ]  # fmt: skip


# ---------------------------------------------------------------- trained networks

WIDTH_LOOKS = ({"dash": "dot", "marker": "circle"}, {"dash": "dash", "marker": "triangle-up"}, {"dash": "solid", "marker": "triangle-down"})


def networks_chart(found: dict) -> Chart:
    """Cost against error of EM with each network, and of multilevel with all."""
    curves = []
    for width, shape in zip(found["widths"], WIDTH_LOOKS):
        name = f"EM, width {width}"
        curves.append(Curve.of(name, _of(found, width), lambda r: r["error"], value=_cost, says=_network_says, label=name,
                               **scheme_look("EM", **shape, group=name)))  # fmt: skip
    many = look(LOOKS["coupled"], group="multilevel", dash="")
    curves.append(Curve.of("multilevel", _of(found, "multilevel"), lambda r: r["error"], value=_cost, says=_network_says,
                           label="multilevel", **many))  # fmt: skip
    axis = log_axis("coupled L₂ error", [v for c in curves for v in c.x])
    return plot("Cost against error with trained networks", axis, "multiplications a path", curves, says=networks_sentence(found))


def _of(found, method):
    return [r for r in found["rows"] if r["method"] == method]


def _network_says(r):
    return [f"{r['method']}, {r['steps']} steps", f"error {estimate(r, 'error')}", f"{number(r['cost'])} multiplications a path"]


def _times(r) -> str:
    return number(None) if r["speedup"] is None else f"{r['speedup']:.1f} ({r['low']:.1f} to {r['high']:.1f})"


def networks_sentence(found: dict) -> str:
    """What EM costs at the least error of multilevel."""
    row = min(_of(found, "multilevel"), key=lambda r: r["error"])
    if row["speedup"] is None:
        return "EM does not reach the least error of multilevel with any of the networks."
    return (
        f"At multilevel's least error, {estimate(row, 'error')}, EM costs {row['speedup']:.1f} times as much, by the best of the networks "
        f"(95 % interval {row['low']:.1f} to {row['high']:.1f})."
    )


def networks_table(found: dict) -> list[dict]:
    """One line a method and number of steps."""
    return [
        {
            "method": f"EM, width {r['method']}" if r["method"] != "multilevel" else "multilevel", "steps": r["steps"],
            "coupled L₂ error": estimate(r, "error"), "multiplications a path": number(r["cost"]),
            **{f"calls of width {width}": number(v) for width, v in zip(found["widths"], r["calls"])},
            "EM's cost ÷ this (95 %)": _times(r),
        }
        for r in found["rows"]
    ]  # fmt: skip


# ---------------------------------------------------------------- levels of the step

FALLS = {"variance": "variance of the difference", "mean": "size of its mean"}
COSTS = {"multilevel": "multilevel Monte Carlo", "plain": "plain Monte Carlo"}


def levels_chart(found: dict) -> Chart:
    """Variance and mean of each level's difference against h."""
    rows = found["rows"][1:]
    shapes = {"variance": ("variance_stderr", LOOKS["coupled"]), "mean": ("stderr", LOOKS["law"])}
    curves = [
        Curve.of(title, rows, value=lambda r, k=name: abs(r[k]), half=lambda r, e=error: Z95 * r[e], label=title, says=_level_says,
                 **look(style, group=name))
        for name, title in FALLS.items() for error, style in [shapes[name]]
    ]  # fmt: skip
    return plot("Levels of the step", step_axis([r["h"] for r in rows]), "|X|² with h minus |X|² with 2h", curves, slopes=(1.0, 2.0),
                says=levels_sentence(found))  # fmt: skip


def _level_says(r):
    return [f"level {r['level']}", f"mean {estimate(r, 'mean')}", f"variance {estimate(r, 'variance', 'variance_stderr')}"]


def cost_chart(found: dict) -> Chart:
    """Score evaluations against the accuracy of the mean."""
    looks = {"multilevel": look(LOOKS["coupled"], group="multilevel"), "plain": look(Style(*NEUTRAL, "circle", "solid"), group="plain")}
    curves = [
        Curve.of(title, found["costs"], lambda c: c["eps"], value=lambda c, k=name: c[k], label=title, **looks[name],
                 says=_cost_says)
        for name, title in COSTS.items()
    ]  # fmt: skip
    return plot("Cost of a mean", log_axis("root mean square error ε of the mean", [c["eps"] for c in found["costs"]]), "score evaluations",
                curves, slopes=(2.0, 3.0), corner="left", says=levels_sentence(found))  # fmt: skip


def _cost_says(c):
    return [f"ε = {number(c['eps'])}, {c['level'] + 1} levels", *(f"{title}: {number(c[name])}" for name, title in COSTS.items())]


def levels_sheet(found: dict) -> Sheet:
    said, parts = levels_sentence(found), [levels_chart(found), *([cost_chart(found)] if found["costs"] else [])]
    return beside("Multilevel Monte Carlo", parts, said, said)


def levels_sentence(found: dict) -> str:
    fits, slopes = found["fits"], found["slopes"]
    variance = about(*(fits["variance"][k] for k in ("slope", "low", "high")))
    said = f"The variance of a level falls as h to the power {variance}"
    if slopes:
        last = found["costs"][-1]
        said += (
            f"; cost grows as ε to the power −{slopes['multilevel']:.2f} for multilevel and −{slopes['plain']:.2f} for plain Monte Carlo, "
            f"which takes {number(last['plain'] / last['multilevel'])} times as much at ε = {number(last['eps'])}"
        )
    return f"{said}. All levels together: {interval(found['estimate'], Z95 * found['stderr'])}; the target’s is {number(found['truth'])}."


def levels_table(found: dict) -> list[dict]:
    """One line a level: what was measured, and the particles that the finest accuracy takes."""
    n = found["costs"][-1]["n"] if found["costs"] else []
    return [
        {
            "level": r["level"], "steps": r["steps"], "mean of the difference": estimate(r, "mean"),
            "variance of the difference": estimate(r, "variance", "variance_stderr"), "variance of |X|²": number(r["plain"]),
            "particles at the finest ε": f"{n[r['level']]}" if r["level"] < len(n) else number(None),
        }
        for r in found["rows"]
    ]  # fmt: skip
