"""The budget figures: steps against accuracy, found and promised, and W2 against what it costs, from a result with `reach`.

They draw and compute nothing: numbers of steps, trends and reasons are the result's own. `seconds` {scheme: of a
particle-step} comes from this machine and is no part of a result.
"""

import math

from dlab import schemes
from dlab.figures import slopes
from dlab.figures.chart import Chart, Curve, Key, decades
from dlab.figures.numbers import NONE, Z95, chosen, estimate, listed, number, order, ratio, step_size
from dlab.figures.plot import line, log_axis, lost, plot, scheme_look
from dlab.figures.tables import diverged, doubts, has_slope, rows_of, slope_text, void_reason

SAMPLES = 1000  # whose time is said: that of one particle is too short to have a meaning
COSTS = {
    "steps": "steps N",
    "evals": "score and Hessian evaluations a path",
    "time": f"time for {SAMPLES:,} samples in s, measured on this machine",
}
LEVEL = 1.3  # ratio of evaluations up to which two schemes are about level
FAR = 0.1  # a trend further than this from its limit says so
LIMITS = {1.0: "1/ε", 0.5: "1/√ε"}


def answers_of(result, scheme: str | None = None, epsilon: float | None = None) -> list[dict]:
    """Answers of `reach`, the largest distance first; of one scheme or one distance where it is given."""
    return [
        a for a in result.get("reach") or ()
        if scheme in (None, a["scheme"]) and (epsilon is None or math.isclose(a["epsilon"], epsilon, rel_tol=1e-9))
    ]  # fmt: skip


def trend_of(result, scheme: str) -> dict:
    """The scheme's trend as it is shown, see `slopes`: {} where there is none."""
    found = next((t for t in result.get("reach_trends") or () if t["scheme"] == scheme), {})
    mine = [a for a in answers_of(result, scheme) if a.get("crossing")]
    used = [a for a in mine if any(math.isclose(a["epsilon"], e) for e in found.get("used", ()))]
    return slopes.shown(found, [(a["epsilon"], a["crossing"], a["crossing_stderr"] or 0.0) for a in used])


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
    outside = has_slope(trend) and not any(math.isclose(answer["epsilon"], e, rel_tol=1e-9) for e in used)
    return ["too coarse for the slope of the finer ones, not fitted"] if outside else []


def chart(result: dict, cost: str = "steps", *, epsilon: float | None = None, seconds=None, bounds: bool = True) -> Chart:
    """What an accuracy costs, log-log: found as markers, the theorem's demand dotted, a line at the chosen epsilon.

    cost "steps", "evals" or "time" (needs seconds); ValueError for another. bounds: with the theorem's.
    """
    _checked(cost, seconds)
    answers, title, curves = answers_of(result), _capital(COSTS[cost]), []
    accuracies = sorted({a["epsilon"] for a in answers})
    sloped = len(accuracies) > 1
    if epsilon is not None and sloped:
        curves.append(line("chosen accuracy", x=epsilon))
    for name in _schemes(result):
        look, trend, each, mine = scheme_look(name), trend_of(result, name), _each(name, cost, seconds), answers_of(result, name)
        curves += [
            Curve.of(f"{name} theorem's N", [a for a in mine if bounds and a["planned"]], _accuracy, says=_promised,
                     value=lambda a, k=each: a["planned"]["steps"] * k, **{**look, "marker": "", "dash": "dot", "thin": True}),
            Curve.of(f"{name} fit", [{"epsilon": e} for e in trend.get("used") or () if trend.get("constant") is not None], _accuracy,
                     value=lambda r, t=trend, k=each: k * t["constant"] * r["epsilon"] ** -t["slope"],
                     **{**look, "marker": ""}),
            Curve.of(f"{name} joined", [a for a in mine if a["steps"] and not has_slope(trend)], _accuracy,
                     value=lambda a, k=each: a["steps"] * k, **{**look, "marker": "", "thin": True}),
            Curve.of(f"{name} found", mine, _accuracy, value=lambda a, k=each: a["steps"] and a["steps"] * k,
                     half=lambda a, k=each: Z95 * (a["crossing_stderr"] or 0.0) * k, why=lambda a, t=trend: not_fitted(a, t), says=_says,
                     label=name, **{**look, "dash": ""}),
            lost(f"{name} not reached", [a for a in mine if a["steps"] is None], _accuracy,
                 lambda a: [f"{a['scheme']}, ε = {chosen(a['epsilon'])}", "not reached", a["why"]], **look),
        ]  # fmt: skip
    room = (1.5, 1.25) if sloped else (2.0, 2.0)
    return plot(
        f"{title} against accuracy, {result['study']['target']['name']} target",
        log_axis("accuracy ε: W₂ < ε", accuracies or [0.01, 0.1], room, lambda *ends: _places(accuracies) or decades(*ends)),
        title.replace(" in s, ", " in s,\n"), curves, slopes=(0.5, 1.0, 2.0) if sloped else (), corner="top", headroom=math.inf,
        keys=[Key("found", marker="circle")] if any(a["steps"] for a in answers) else [],
        guide={"hollow": "not fitted", "dot": "the theorem asks for", "dash": "chosen ε"},
        room=(1.7, 4 if any(a["steps"] is None for a in answers) else 1.7),
        says=sentence(result, epsilon), caption=_caption(result),
    )  # fmt: skip


def _accuracy(a) -> float:
    return a["epsilon"]


def _capital(text) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _places(x) -> tuple:
    """A tick at each accuracy, or at every second or third where they would crowd."""
    return tuple((e, f"{e:g}") for e in x[:: math.ceil(len(x) / 7) or 1])


def _promised(a) -> list[str]:
    p = a["planned"]
    asks = f"the theorem asks for N = {_count(p['steps'])}"
    return [f"{a['scheme']}, ε = {chosen(a['epsilon'])}", asks, f"T = {number(p['T'])}, h = {number(p['h'])}"]


def _says(a) -> list[str]:
    return [
        f"{a['scheme']}, ε = {chosen(a['epsilon'])}", f"found N = {_count(a['steps'])}, h = {number(a['h'])}",
        f"W₂ {estimate(a)}, with one step fewer {_fewer(a)}", *([a["why"]] if a["why"] and not a["flags"] else []),
    ]  # fmt: skip


def work_precision(result: dict, cost: str = "evals", *, epsilon: float | None = None, seconds=None) -> Chart:
    """W2 against what it costs, log-log, all schemes: the result's rows and the points that the search looked for.

    Points at the study's horizon are joined; those of another horizon (the theorem's, with the paper's start) stand alone.
    """
    _checked(cost, seconds)
    title, curves = COSTS[cost], [] if epsilon is None else [line("chosen accuracy", y=epsilon)]
    for name in _schemes(result):
        points, look = _points(result, name, _each(name, cost, seconds)), scheme_look(name)
        joined = [p for p in points if p["joined"] and not p["flags"]]
        style = {"at": lambda p: p["cost"], "half": lambda p: 0.0}
        curves.append(Curve.of(f"{name} line", joined if len(joined) > 1 else [], **style, **{**look, "marker": ""}))
        curves.append(Curve.of(
            f"{name} measured", points, **style, why=lambda p: p["flags"], says=lambda p: p["says"], label=name,
            **{**look, "dash": ""}))  # fmt: skip
    across = log_axis(title, [x for c in curves for x in c.x if x], (1.4, 1.4))
    return plot(
        f"W₂ against {title}, {result['study']['target']['name']} target", across, "W₂ reached", curves,
        guide={"hollow": "not resolved", "dash": "chosen ε"},
        slopes=(0.5, 1.0, 2.0) if across.limits[1] > 4 * across.limits[0] else (), corner="left",
        says=sentence(result, epsilon), caption=_caption(result, "Lower left is better"),
    )  # fmt: skip


def _points(result, scheme, each) -> list[dict]:
    """Cost and W2 of a scheme, each number of steps once for a horizon."""
    T, found = result["study"]["T"], {}
    for r in rows_of(result, scheme):
        if not diverged(r) and r["w2"] > 0:
            found[T, r["steps"]] = r["w2"], r.get("stderr"), list(r.get("flags") or ())
    for a in answers_of(result, scheme):
        if a["steps"] and a["w2"] > 0:
            found.setdefault((a["T"], a["steps"]), (a["w2"], a["stderr"], doubts(a)))
    return [
        {"cost": steps * each, "w2": w2, "flags": flags, "joined": math.isclose(horizon, T, rel_tol=1e-9),
         "says": [f"{scheme}, {_count(steps)} steps, h = {step_size(horizon / steps)}", f"W₂ {estimate({'w2': w2, 'stderr': stderr})}"]}
        for (horizon, steps), (w2, stderr, flags) in found.items()
    ]  # fmt: skip


def _fewer(a) -> str:
    if a["w2_fewer"] is None:
        return NONE if a["steps"] in (None, 1) else "diverged"
    return number(a["w2_fewer"])


def _count(n) -> str:
    return NONE if n is None else f"{n:,}"


def table(result: dict, epsilon: float, seconds=None) -> list[dict]:
    """Theorem and search side by side at one epsilon, a formatted dict a scheme; seconds adds the time on this machine."""
    return [_line(a, trend_of(result, a["scheme"]), seconds) for a in answers_of(result, epsilon=epsilon)]


def _line(a, trend, seconds) -> dict:
    plan, void = a["planned"] or {}, None if a["planned"] else "void"
    reached, theory = a["steps"] is not None, trend.get("theory_slope")
    time = {f"seconds for {SAMPLES:,} samples, on this machine": number(SAMPLES * seconds[a["scheme"]] * a["steps"] if reached else None)
            } if seconds else {}  # fmt: skip
    return {
        "scheme": a["scheme"],
        "theorem's N": void or _count(plan["steps"]),
        "found N": _count(a["steps"]) if reached else "not reached",
        "theorem ÷ found": void or ratio(plan["steps"], a["steps"]),
        "evaluations": _count(_evals(a) if reached else None),
        **time,
        "W₂ at N": estimate(a) if a["steps"] else NONE,
        "W₂ at N − 1": _fewer(a),
        "T": number(a["T"]),
        "h": number(a["h"]),
        "theorem's T": void or number(plan["T"]),
        "theorem's h": void or number(plan["h"]),
        "slope of N": slope_text(trend),
        "theorem's slope": void or (NONE if theory is None else order(theory)),
        "why": "; ".join(_why(a, trend)),
    }


def _why(a, trend) -> list[str]:
    said = [a["why"]] if a["why"] else []
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
        return f"No number of steps has been found yet for W₂ < {chosen(epsilon)}."
    said = [*_needs(mine, epsilon), *_voids(result, mine), *_cheapest(mine), *_trends(result)]
    return " ".join(said)


def _needs(mine, epsilon) -> list[str]:
    parts, first = [], True
    for a in mine:
        if a["steps"] is None:
            continue
        steps = f"{_count(a['steps'])} step{'s' * (a['steps'] != 1)}"
        if first:
            asks = f" where its theorem asks for {_count(a['planned']['steps'])}" if a["planned"] else ""
            parts.append(f"{a['scheme']} needs {steps}{asks}")
        else:
            asks = f" ({_count(a['planned']['steps'])})" if a["planned"] else ""
            parts.append(f"{a['scheme']} {steps.rsplit(' ', 1)[0]}{asks}")
        first = False
    lost = [a["scheme"] for a in mine if a["steps"] is None]
    said = [f"For W₂ < {chosen(epsilon)}, {listed(parts)}."] if parts else []
    if lost:
        head = "" if parts else f" W₂ < {chosen(epsilon)}"
        limit = listed(dict.fromkeys(a["why"].split("N = ")[-1].split(",")[0] for a in mine if a["steps"] is None))
        verb = "does" if len(lost) == 1 else "do"
        level = ", where W₂ has levelled off" if all("levelled off" in a["why"] for a in mine if a["steps"] is None) else ""
        said.append(f"{listed(lost)} {verb} not reach{head or ' it'} with up to {limit} steps{level}.")
    return said


def _voids(result, mine) -> list[str]:
    void = [a["scheme"] for a in mine if not a["planned"]]
    if not void:
        return []
    who = "every scheme" if len(void) == len(mine) > 1 else listed(void)
    return [f"There is no theorem to compare with: it is void for {who} ({void_reason(result, void[0])})."]


def _evals(a) -> int:
    return a["score_evals"] + a["hessian_evals"]


def _cheapest(mine) -> list[str]:
    reached = sorted((a for a in mine if a["steps"]), key=_evals)
    if len(reached) < 2:
        return []
    least = [a["scheme"] for a in reached if _evals(a) == _evals(reached[0])]
    verb = "is" if len(least) == 1 else "are"
    said = f"Per evaluation {listed(least)} {verb} cheapest, with {_count(_evals(reached[0]))}"
    both = {a["scheme"]: _evals(a) for a in reached if a["scheme"] in ("REM", "SO")}
    if len(both) == 2 and max(both.values()) <= LEVEL * min(both.values()):
        said += f"; REM and SO are about equal ({_count(both['REM'])} and {_count(both['SO'])})"
    return [said + "."]


def _trends(result) -> list[str]:
    found = {s: t for s in _schemes(result) if has_slope(t := trend_of(result, s))}
    if not found:
        few = len({a["epsilon"] for a in answers_of(result)}) < slopes.LEAST
        return [f"Fewer than {slopes.LEAST} accuracies show no slope."] if few else []
    promised = {}
    for s, t in found.items():
        if t.get("theory_slope") is not None:
            promised.setdefault(t["theory_slope"], []).append(s)
    text = listed(f"{order(p)}" + (f" for {listed(who)}" if len(found) > 1 else "") for p, who in sorted(promised.items(), reverse=True))
    each = [f"{slope_text(t)} for {s}" for s, t in found.items()]
    said = [f"As ε falls, N grows like ε⁻ᵖ with p = {listed(each)}" + (f"; the theorem has p = {text}." if text else ".")]
    far = {}
    for s, t in found.items():
        low, high = t.get("slope_low"), t.get("slope_high")
        clear = low is not None and not low - FAR <= t["law_slope"] <= high + FAR
        if clear and t.get("law_slope") is not None:
            far.setdefault(t["law_slope"], []).append(s)
    if result["study"]["start"] == "paper":
        return [*said, "With this start T grows like ln(1/ε), which makes the slopes steeper than their limits."]
    for limit, who in far.items():
        verb, whose = ("is", "its") if len(who) == 1 else ("are", "their")
        said.append(f"{listed(who)} {verb} not yet close to {whose} limit {LIMITS.get(limit, order(limit))}: the steps are still large.")
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
