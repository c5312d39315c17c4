"""The budget figures: steps against accuracy, found and promised, and W2 against what it costs, from a result with `reach`.

They draw and compute nothing: numbers of steps, trends and reasons are the result's own. `seconds` {scheme: of a
particle-step} comes from this machine and is no part of a result.
"""

import math

from dlab import schemes
from dlab.figures.chart import Axis, Chart, Curve, Key, Triangle, decades
from dlab.figures.numbers import NONE, Z95, interval, listed, number, order, step_size
from dlab.figures.tables import LOWER, METHODS, diverged, doubts, rows_of, slope_text, void_reason

SAMPLES = 1000  # whose time is said: that of one particle is too short to have a meaning
COSTS = {
    "steps": "steps N",
    "evals": "score and Hessian evaluations a path",
    "time": f"time for {SAMPLES:,} samples in s, measured on this machine",
}
LEVEL = 1.3  # ratio of evaluations up to which two schemes are about level
FAR = 0.1  # a trend further than this from its limit says so
NARROW = 1.6  # times as far right as it begins: a triangle that ends nearer is not drawn
LIMITS = {1.0: "1/ε", 0.5: "1/√ε"}


def answers_of(result, scheme: str | None = None, epsilon: float | None = None) -> list[dict]:
    """Answers of `reach`, the largest distance first; of one scheme or one distance where it is given."""
    return [
        a for a in result.get("reach") or ()
        if scheme in (None, a["scheme"]) and (epsilon is None or math.isclose(a["epsilon"], epsilon, rel_tol=1e-9))
    ]  # fmt: skip


def trend_of(result, scheme: str) -> dict:
    return next((t for t in result.get("reach_trends") or () if t["scheme"] == scheme), {})


def _schemes(result) -> list[str]:
    present = {a["scheme"] for a in answers_of(result)}
    return [s for s in result["study"]["schemes"] if s in present]


def _each(scheme: str, cost: str, seconds) -> float:
    """What a step costs."""
    entry = schemes.REGISTRY[scheme]
    if cost == "time":
        return SAMPLES * seconds[scheme]
    return entry.score_evals + entry.hessian_evals if cost == "evals" else 1


def _checked(cost, seconds) -> None:
    if cost not in COSTS or (cost == "time" and not seconds):
        raise ValueError(f"cost = {cost!r} cannot be drawn; choose one of {', '.join(COSTS)}, and give seconds for time")


def not_fitted(answer, trend) -> list[str]:
    """Why a found number of steps is hollow: it does not enter the slope."""
    if answer["flags"] or answer["steps"] is None:
        return list(answer["flags"]) or [answer["why"]]
    used = trend.get("used") or ()
    outside = trend.get("slope") is not None and not any(math.isclose(answer["epsilon"], e, rel_tol=1e-9) for e in used)
    return ["too coarse for the slope of the finer ones, not fitted"] if outside else []


def chart(result: dict, cost: str = "steps", *, epsilon: float | None = None, seconds=None, bounds: bool = True) -> Chart:
    """What an accuracy costs, log-log: found as markers, the theorem's demand dotted, a line at the chosen epsilon.

    cost "steps", "evals" or "time" (needs seconds); ValueError for another. bounds: with the theorem's.
    """
    _checked(cost, seconds)
    names, all_of_it = _schemes(result), answers_of(result)
    each = {s: _each(s, cost, seconds) for s in names}
    found = [a["steps"] * each[a["scheme"]] for a in all_of_it if a["steps"]]
    planned = [a["planned"]["steps"] * each[a["scheme"]] for a in all_of_it if bounds and a["planned"]]
    x = sorted({a["epsilon"] for a in all_of_it}) or [0.01, 0.1]
    sloped = x[0] < x[-1]
    ends_x = (x[0] / (1.5 if sloped else 2), x[-1] * (1.25 if sloped else 2))
    sizes = [*found, *planned] or [1.0, 10.0]
    lost = [a["epsilon"] for a in all_of_it if a["steps"] is None]
    ends_y = (min(sizes) / 1.7, max(sizes) * (4 if lost else 1.7))
    level = lambda share: math.exp(math.log(ends_y[0]) + share * math.log(ends_y[1] / ends_y[0]))  # noqa: E731
    series, keys = [], []
    if epsilon is not None and sloped:
        series.append(Curve("chosen accuracy", (epsilon, epsilon), ends_y, dash="dash", thin=True))
    for rank, name in enumerate(names):
        style, trend, mine = schemes.REGISTRY[name].style, trend_of(result, name), answers_of(result, name)
        look = {"colours": (style.light, style.dark), "group": name}
        asked = [a for a in mine if bounds and a["planned"]]
        if asked:
            series.append(_line(f"{name} theorem's N", [(a["epsilon"], a["planned"]["steps"] * each[name]) for a in asked],
                                tuple(_promised(a) for a in asked), look))  # fmt: skip
        if trend.get("constant") is not None:
            used = tuple(sorted(trend["used"]))
            curve = tuple(each[name] * trend["constant"] * e ** -trend["slope"] for e in used)
            series.append(Curve(f"{name} fit", used, curve, dash=style.dash, **look))
        reached, above = [a for a in mine if a["steps"]], [a for a in mine if a["steps"] is None]
        if reached:
            series.append(_found(name, reached, trend, each[name], style.marker, look))
        if above:
            series.append(Curve(
                f"{name} not reached", tuple(a["epsilon"] for a in above), (level(0.97 - 0.04 * rank),) * len(above),
                filled=(False,) * len(above), hover=tuple(f"{name}, ε = {a['epsilon']:g}\nnot reached\n{a['why']}" for a in above),
                marker=style.marker, **look,
            ))  # fmt: skip
        label = f"{name}  slope {_slope(trend)}" if trend.get("slope") is not None else name
        keys.append(Key(label, marker=style.marker, dash=style.dash if trend.get("slope") is not None else "", **look))
    guide = {
        Key("found", marker="circle"): any(s.name.endswith("found") for s in series),
        Key("not fitted", marker="circle", filled=False): any(not all(s.filled) for s in series if s.filled),
        Key("the theorem asks for", dash="dot"): bool(planned),
        Key("chosen ε", dash="dash"): any(s.name == "chosen accuracy" for s in series),
    }
    title = COSTS[cost]
    return Chart(
        title=f"{title[0].upper()}{title[1:]} against accuracy, {result['study']['target']['name']} target",
        x=Axis("accuracy ε: W₂ < ε", ends_x, _places(x) if all_of_it else decades(*ends_x)),
        y=Axis(f"{title[0].upper()}{title[1:]}".replace(" in s, ", " in s,\n"), ends_y, _ticks(*ends_y)),
        series=tuple(series),
        triangles=_triangles(x, level, ends_y, max(lost, default=None)) if sloped else (),
        keys=(*keys, *(key for key, present in guide.items() if present)),
        alt=f"{title} against the accuracy ε, both logarithmic. {sentence(result, epsilon)}",
        caption=_caption(result),
    )


def _places(x) -> tuple:
    """A tick at each accuracy, or at every second or third where they would crowd."""
    return tuple((e, f"{e:g}") for e in x[:: math.ceil(len(x) / 7)])


def _ticks(low, high) -> tuple:
    """Ticks at powers of ten, every second or third where they would crowd."""
    ticks = decades(low, high)
    return ticks[:: math.ceil(len(ticks) / 7)] if len(ticks) > 7 and high / low > 1e5 else ticks


def _triangles(x, level, ends_y, lost) -> tuple:
    """Slopes of 1/√ε, 1/ε and 1/ε² in the upper right corner, which is empty as N falls where ε grows: but for the markers of
    distances that were not reached, the largest of them lost, or None."""
    wide = min((x[-1] / x[0]) ** 0.42, (ends_y[1] / ends_y[0]) ** 0.15, x[-1] / (1.3 * lost) if lost else math.inf)
    if wide < NARROW:
        return ()
    return tuple(Triangle(x[-1] * 1.1, x[-1] * 1.1 / wide, level(0.96) / wide**2, -s, order(s)) for s in (0.5, 1.0, 2.0))


def _line(name, points, hover, look) -> Curve:
    if len(points) == 1:  # one point has no width of its own
        (at, y), hover = points[0], hover * 3
        points = [(at / 1.1, y), (at, y), (at * 1.1, y)]
    xs, ys = zip(*points)
    return Curve(name, xs, ys, hover=hover, dash="dot", thin=True, **look)


def _promised(a) -> str:
    p = a["planned"]
    return f"{a['scheme']}, ε = {a['epsilon']:g}\nthe theorem asks for N = {_count(p['steps'])}\nT = {number(p['T'])}, h = {number(p['h'])}"


def _found(name, mine, trend, each, marker, look) -> Curve:
    y = [a["steps"] * each for a in mine]
    half = [Z95 * (a["crossing_stderr"] or 0.0) * each for a in mine]
    ends = {}
    if any(half):
        ends = {"low": tuple(max(v - e, v / 10) for v, e in zip(y, half)), "high": tuple(v + e for v, e in zip(y, half))}
    hover = []
    for a in mine:
        lines = [f"{name}, ε = {a['epsilon']:g}", f"found N = {_count(a['steps'])}, h = {number(a['h'])}"]
        lines.append(f"W₂ {_value(a)}, with one step fewer {_fewer(a)}")
        lines += [f"N is a lower bound: W₂ is {METHODS[a['method']]}"] if a["method"] in LOWER else []
        lines += [f"hollow: {reason}" for reason in not_fitted(a, trend)]
        hover.append("\n".join([*lines, *([a["why"]] if a["why"] else [])]))
    return Curve(f"{name} found", tuple(a["epsilon"] for a in mine), tuple(y), filled=tuple(not not_fitted(a, trend) for a in mine),
                  hover=tuple(hover), marker=marker, **ends, **look)  # fmt: skip


def work_precision(result: dict, cost: str = "evals", *, epsilon: float | None = None, seconds=None) -> Chart:
    """W2 against what it costs, log-log, all schemes: the result's rows and the points that the search looked for.

    Points at the study's horizon are joined; those of another horizon (the theorem's, with the paper's start) stand alone.
    """
    _checked(cost, seconds)
    names = _schemes(result)
    points = {s: _points(result, s, _each(s, cost, seconds)) for s in names}
    kept = [p for mine in points.values() for p in mine]
    costs, values = ([p[i] for p in kept] or [1.0, 10.0] for i in (0, 1))
    ends_x, ends_y = (min(costs) / 1.4, max(costs) * 1.4), (min(values) / 1.6, max(values) * 1.6)
    series, keys = [], []
    if epsilon is not None:
        series.append(Curve("chosen accuracy", ends_x, (epsilon, epsilon), dash="dash", thin=True))
    for name in names:
        style = schemes.REGISTRY[name].style
        look = {"colours": (style.light, style.dark), "group": name}
        line = [(c, v) for c, v, full, _, joined in points[name] if joined and full]
        if len(line) > 1:
            series.append(Curve(f"{name} line", *map(tuple, zip(*line)), dash=style.dash, **look))
        if points[name]:
            at, w2, full, hover, _ = map(tuple, zip(*points[name]))
            series.append(Curve(f"{name} measured", at, w2, filled=full, hover=hover, marker=style.marker, **look))
        keys.append(Key(name, marker=style.marker, dash=style.dash, **look))
    low = lambda share: math.exp(math.log(ends_y[0]) + share * math.log(ends_y[1] / ends_y[0]))  # noqa: E731
    triangles = ()
    if ends_x[1] > 4 * ends_x[0]:
        wide = min(4.0, (ends_y[1] / ends_y[0]) ** 0.2)
        triangles = tuple(Triangle(ends_x[0] * 1.2 * wide, ends_x[0] * 1.2, low(0.03), -s, order(s)) for s in (0.5, 1.0, 2.0))
    guide = [Key("not resolved", marker="circle", filled=False)] if any(not p[2] for p in kept) else []
    guide += [Key("chosen ε", dash="dash")] if epsilon is not None else []
    title = COSTS[cost]
    return Chart(
        title=f"W₂ against {title}, {result['study']['target']['name']} target",
        x=Axis(title, ends_x, decades(*ends_x)),
        y=Axis("W₂ reached", ends_y, decades(*ends_y)),
        series=tuple(series),
        triangles=triangles,
        keys=(*keys, *guide),
        alt=f"W₂ against {title}, both logarithmic; lower left is better. {sentence(result, epsilon)}",
        caption=_caption(result, "Lower left is better"),
    )


def _points(result, scheme, each) -> list[tuple]:
    """(cost, W2, filled, hover, joined) of a scheme, cheapest first, each number of steps once for a horizon."""
    T, found = result["study"]["T"], {}
    for r in rows_of(result, scheme):
        if not diverged(r) and r["w2"] > 0:
            found[T, r["steps"]] = r["w2"], r.get("stderr"), list(r.get("flags") or ())
    for a in answers_of(result, scheme):
        if a["steps"] and a["w2"] > 0:
            found.setdefault((a["T"], a["steps"]), (a["w2"], a["stderr"], doubts(a)))
    out = []
    for (horizon, steps), (w2, stderr, flags) in sorted(found.items(), key=lambda item: item[0][1]):
        lines = [f"{scheme}, {_count(steps)} steps, h = {step_size(horizon / steps)}", f"W₂ {_value({'w2': w2, 'stderr': stderr})}"]
        hover = "\n".join([*lines, *(f"hollow: {f}" for f in flags)])
        out.append((steps * each, w2, not flags, hover, math.isclose(horizon, T, rel_tol=1e-9)))
    return out


def _value(a) -> str:
    return interval(a["w2"], Z95 * (a.get("stderr") or 0.0))


def _fewer(a) -> str:
    if a["w2_fewer"] is None:
        return NONE if a["steps"] in (None, 1) else "diverged"
    return number(a["w2_fewer"])


def _count(n) -> str:
    return NONE if n is None else f"{n:,}"


def _slope(trend) -> str:
    return NONE if trend.get("slope") is None else slope_text(trend)


def _ratio(a) -> float | None:
    return a["planned"]["steps"] / a["steps"] if a["planned"] and a["steps"] else None


def table(result: dict, epsilon: float, seconds=None) -> list[dict]:
    """Theorem and search side by side at one epsilon, a formatted dict a scheme; seconds adds the time on this machine."""
    out = []
    for a in answers_of(result, epsilon=epsilon):
        name, plan, trend = a["scheme"], a["planned"] or {}, trend_of(result, a["scheme"])
        void = "void" if not plan else None
        evals = None if a["steps"] is None else a["score_evals"] + a["hessian_evals"]
        least = "≥ " * (a["method"] in LOWER)
        time = {}
        if seconds:
            taken = None if a["steps"] is None else SAMPLES * seconds[name] * a["steps"]
            time = {f"seconds for {SAMPLES:,} samples, on this machine": number(taken)}
        theory = trend.get("theory_slope")
        out.append({
            "scheme": name,
            "theorem's N": void or _count(plan["steps"]),
            "found N": "not reached" if a["steps"] is None else least + _count(a["steps"]),
            "theorem ÷ found": void or ("≤ " * bool(least) + number(_ratio(a))),
            "evaluations": least + _count(evals),
            **time,
            "W₂ at N": _value(a) if a["steps"] else NONE,
            "W₂ at N − 1": _fewer(a),
            "T": number(a["T"]),
            "h": number(a["h"]),
            "theorem's T": void or number(plan["T"]),
            "theorem's h": void or number(plan["h"]),
            "slope of N": _slope(trend),
            "theorem's slope": void or (NONE if theory is None else order(theory)),
            "why": "; ".join(_why(a, trend)),
        })  # fmt: skip
    return out


def _why(a, trend) -> list[str]:
    said = [a["why"]] if a["why"] else []
    said += [f"N is a lower bound: W₂ is {METHODS[a['method']]}"] if a["method"] in LOWER else []
    return said + [f"not fitted: {reason}" for reason in not_fitted(a, trend) if reason != a["why"]]


def notes(result: dict) -> list[str]:
    """The result's notes, less those on fits in h, which these figures do not show."""
    return [note for note in result["notes"] if not note.endswith("not fitted.")]


def every_answer(result: dict) -> list[dict]:
    """The table of every epsilon."""
    distances = dict.fromkeys(a["epsilon"] for a in answers_of(result))
    return [{"ε": f"{e:g}", **line} for e in distances for line in table(result, e)]


def sentence(result: dict, epsilon: float | None = None) -> str:
    """What the picture shows now: steps at the chosen epsilon (by default the smallest), the cheapest scheme per evaluation,
    and how N grows as epsilon falls."""
    distances = [a["epsilon"] for a in answers_of(result)]
    if not distances:
        return "No number of steps has been found yet."
    epsilon = min(distances) if epsilon is None else epsilon
    mine = answers_of(result, epsilon=epsilon)
    if not mine:
        return f"No number of steps has been found yet for W₂ < {epsilon:g}."
    said = [*_needs(mine, epsilon), *_voids(result, mine), *_cheapest(mine), *_trends(result)]
    return " ".join(said)


def _needs(mine, epsilon) -> list[str]:
    parts, first = [], True
    for a in mine:
        if a["steps"] is None:
            continue
        steps = f"{'at least ' * (a['method'] in LOWER)}{_count(a['steps'])} step{'s' * (a['steps'] != 1)}"
        if first:
            asks = f" where its theorem asks for {_count(a['planned']['steps'])}" if a["planned"] else ""
            parts.append(f"{a['scheme']} needs {steps}{asks}")
        else:
            asks = f" ({_count(a['planned']['steps'])})" if a["planned"] else ""
            parts.append(f"{a['scheme']} {steps.rsplit(' ', 1)[0]}{asks}")
        first = False
    lost = [a["scheme"] for a in mine if a["steps"] is None]
    said = [f"To come below W₂ = {epsilon:g}, {listed(parts)}."] if parts else []
    if lost:
        head = "" if parts else f" W₂ = {epsilon:g}"
        limit = listed(dict.fromkeys(a["why"].split("N = ")[-1].split(",")[0] for a in mine if a["steps"] is None))
        verb = "does" if len(lost) == 1 else "do"
        level = ", where W₂ has levelled off" if all("levelled off" in a["why"] for a in mine if a["steps"] is None) else ""
        said.append(f"{listed(lost)} {verb} not come below{head or ' it'} with up to {limit} steps{level}.")
    return said


def _voids(result, mine) -> list[str]:
    void = [a["scheme"] for a in mine if not a["planned"]]
    if not void:
        return []
    who = "every scheme" if len(void) == len(mine) > 1 else listed(void)
    return [f"The theorem asks for nothing that could be compared: it is void for {who} ({void_reason(result, void[0])})."]


def _evals(a) -> int:
    return a["score_evals"] + a["hessian_evals"]


def _cheapest(mine) -> list[str]:
    reached = sorted((a for a in mine if a["steps"]), key=_evals)
    if len(reached) < 2:
        return []
    least = [a["scheme"] for a in reached if _evals(a) == _evals(reached[0])]
    verb = "is" if len(least) == 1 else "are"
    bounded = "at least " * any(a["method"] in LOWER for a in reached if a["scheme"] in least)
    said = f"Per evaluation {listed(least)} {verb} cheapest, with {bounded}{_count(_evals(reached[0]))}"
    both = {a["scheme"]: _evals(a) for a in reached if a["scheme"] in ("REM", "SO")}
    if len(both) == 2 and max(both.values()) <= LEVEL * min(both.values()):
        said += f"; REM and SO are about level ({_count(both['REM'])} and {_count(both['SO'])})"
    return [said + "."]


def _trends(result) -> list[str]:
    found = {s: t for s in _schemes(result) if (t := trend_of(result, s)).get("slope") is not None}
    if not found:
        return ["One accuracy shows no slope."] if len({a["epsilon"] for a in answers_of(result)}) == 1 else []
    promised = {}
    for s, t in found.items():
        if t.get("theory_slope") is not None:
            promised.setdefault(t["theory_slope"], []).append(s)
    text = listed(f"{order(p)}" + (f" for {listed(who)}" if len(found) > 1 else "") for p, who in sorted(promised.items(), reverse=True))
    each = [
        f"{slope_text(t)} for {s}" + ("" if t.get("slope_low") is not None else f" ({len(t['used'])} points, no interval)")
        for s, t in found.items()
    ]
    said = [f"As ε falls, N grows like ε⁻ᵖ with p = {listed(each)}" + (f"; the theorem has p = {text}." if text else ".")]
    far = {}
    for s, t in found.items():
        low, high = t.get("slope_low"), t.get("slope_high")
        clear = low is not None and not low - FAR <= t["law_slope"] <= high + FAR
        if clear and t.get("law_slope") is not None:
            far.setdefault(t["law_slope"], []).append(s)
    if far and result["study"]["start"] == "paper":
        return [*said, "With this start T grows like ln(1/ε), which makes the slopes steeper than their limits."]
    for limit, who in far.items():
        verb, whose = ("is", "its") if len(who) == 1 else ("are", "their")
        said.append(f"{listed(who)} {verb} not near {whose} limit {LIMITS.get(limit, order(limit))} yet: the steps are still large.")
    return said


def _caption(result, diagram: str = "") -> str:
    study = result["study"]
    error = study["score_error"]
    parts = [f"Target {study['target']['name']}, T = {study['T']:g}, start {study['start']}, score error {error['name']}"]
    if diagram:
        alone = f". Joined points have T = {study['T']:g}, the others the theorem's" if study["start"] == "paper" else ""
        return f"{diagram}{alone}."
    if study["start"] == "paper":
        parts = [parts[0].replace(f"T = {study['T']:g}", "T as the theorem chooses it for each ε")]
    if any(a["planned"] for a in answers_of(result)):
        parts.append("Dotted: the number of steps that the leading term of the theorem asks for" + (
            "" if error["name"] == "none" else ", with an exact score"))  # fmt: skip
    if any(a["crossing_stderr"] for a in answers_of(result)):
        parts.append("Error bars and ± are 95 % intervals")
    return ". ".join(parts) + "."
