"""What a picture shows now, in one sentence and up to four key figures; everything else is in its table.

A sentence has at most 25 words (`MOST`, which a test holds it to); its numbers are those of the table.
"""

import math
from dataclasses import dataclass

from dlab import schemes, theory
from dlab.figures import along, budget, samplers, schedules, score
from dlab.figures import theory as bounds_of
from dlab.figures.numbers import about, estimate, fixed, listed, number, place, size, step_size, symbol
from dlab.figures.slopes import LEAST
from dlab.figures.tables import (
    at_equal_cost,
    fit_of,
    has_slope,
    levelled,
    local_slopes,
    resolved,
    resolved_rows,
    rows_of,
    schemes_of,
    slope_text,
    value_text,
)

MOST = 25  # words of a sentence
ROUNDING = 1e-9  # W2 below which two laws are equal up to rounding
FEW = 4  # key figures
EQUAL = 1.05  # times an error that count as the same
ALIKE = 0.25  # of two slopes that may be the same


@dataclass(frozen=True)
class Takeaway:
    """text: one sentence, plain; figures: (what it is, its value with the interval), FEW at most."""

    text: str
    figures: tuple[tuple[str, str], ...] = ()


def _begun(result, text: str) -> str:
    return f"So far: {text}" if result.get("done", 1.0) < 1 else text


def _who(names) -> str:
    """The schemes, or how many they are."""
    return listed(names) if len(names) <= FEW else f"{len(names)} schemes"


def _finest(rows):
    return next((r for r in reversed(rows) if resolved(r)), None)


def _thousands(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.0f}" if 1000 <= value < 1e6 else number(value)


def _factor(fit) -> str:
    """By how much the error falls when the step is halved."""
    return f"{2 ** fit['slope']:.2g}"


def convergence(result: dict, x: str = "h", bounds: bool = True) -> Takeaway | None:
    """W2 against x, the step size or "evals"; bounds: whether the theorems' are drawn."""
    names = schemes_of(result)
    if not names:
        return None
    rows, fits = {s: rows_of(result, s) for s in names}, {s: fit_of(result, s) for s in names}
    finest = {s: r for s in names if (r := _finest(rows[s]))}
    sloped = sorted((s for s in names if has_slope(fits[s])), key=lambda s: -fits[s]["slope"])
    if x == "evals" and len(names) > 1 and not levelled(result) and (found := _at_equal_cost(result)):
        return found
    if len(names) == 1 and names[0] in finest:
        text, figures = _of_one(result, finest[names[0]], fits[names[0]], bounds)
    else:
        text, figures = _over_steps(result, finest, fits, sloped), _numbers(rows, finest, fits, sloped, bounds)
    whole = result.get("done", 1.0) == 1
    if whole and sloped and not levelled(result) and (m0 := _outside(result)) is not None:
        text = f"No theorem applies here, yet {text[0].lower()}{text[1:]}"
        figures = (*figures[: FEW - 1], ("m₀, must exceed ½", number(m0)))
    return Takeaway(_begun(result, text), figures[:FEW])


def _outside(result) -> float | None:
    """m0, where it is too small for the theorems of all schemes that have one."""
    facts = result.get("facts") or {}
    proved = any(schemes.REGISTRY[s].theorem for s in schemes_of(result) if s in schemes.REGISTRY)
    return facts.get("m0") if proved and (facts.get("m_min") or 1.0) <= 0.5 else None


def _at_equal_cost(result) -> Takeaway | None:
    """Several schemes with the same number of evaluations."""
    most, rows = at_equal_cost(result)
    if not rows:
        return None
    ranked = sorted(rows, key=lambda s: rows[s]["w2"])
    near, far = ranked[0], ranked[-1]
    text = f"With {most} evaluations {near} comes closest, and {far} ends "
    text += f"{number(rows[far]['w2'] / rows[near]['w2'])} times as far from the target."
    shown = ranked if len(ranked) <= FEW else (near, far)
    return Takeaway(_begun(result, text), tuple((f"W₂ of {s}", value_text(rows[s])) for s in shown))


def _of_one(result, finest, fit, bounds) -> tuple[str, tuple]:
    """The sentence and the figures of one scheme."""
    s, at = finest["scheme"], place(finest)
    good = resolved_rows(result, s)
    value, bound = (f"W₂ of {s} at {at}", value_text(finest)), finest.get("bound") if bounds else None
    if not has_slope(fit) and len(good) >= LEAST and not levelled(result):
        ends = [local_slopes(good)[k] for k in (0, -1)]
        figures = tuple((f"slope at the {end} end", fixed(p)) for end, p in zip(("coarse", "fine"), ends))
        coarse, fine = (f"{2**p:.2g}" for p in ends)
        return f"At coarse steps a halving divides the error of {s} by {coarse}, at fine ones by {fine}.", (*figures, value)
    text = _over_steps(result, {s: finest}, {s: fit}, [s] if has_slope(fit) else [])
    figures = (*([(f"slope of {s}", slope_text(fit))] if has_slope(fit) else []), value)
    if bound:
        times = _thousands(bound / finest["w2"])
        figures += ((f"its bound at {at}", number(bound)), ("bound ÷ W₂", times))
        if has_slope(fit) and fit["slope"] > 0 and not levelled(result):
            text = f"{text.rstrip('.')}; at {at} the bound is {times} times the error."
    return text, figures


def _over_steps(result, finest, fits, sloped) -> str:
    best = min(finest, key=lambda s: finest[s]["w2"], default=None)
    if best is None:
        return "No point is resolved: all lie within their own noise, or have diverged."
    if len({size(r) for r in result["rows"]}) == 1:
        return f"At {place(finest[best])} the law of {best} is W₂ = {number(finest[best]['w2'])} from the target."
    if flat := levelled(result):
        verb, ends = "level" if len(flat) > 1 else "levels", list(dict.fromkeys(map(number, sorted(flat.values()))))
        near = listed(ends) if len(ends) <= FEW else f"{ends[0]} to {ends[-1]}"
        return f"{_who(flat)} {verb} off near W₂ = {near}: no smaller step gets below it."
    if not sloped:
        return f"No slope fits these points; {best} comes closest, with W₂ = {number(finest[best]['w2'])}."
    first, last = sloped[0], sloped[-1]
    grows = [s for s in sloped if (fits[s].get("slope_high") or fits[s]["slope"]) < 0]
    if grows:
        return f"The error of {_who(grows)} grows as the steps become smaller."
    if first == last:
        return f"Halving the step divides the error of {first} by {_factor(fits[first])}."
    if len(sloped) == len(finest) == 2 and _alike(*(fits[s] for s in sloped)):
        near, far = sorted(sloped, key=lambda s: finest[s]["w2"])
        text = f"The errors of {listed(s for s in finest)} fall alike"
        times = finest[far]["w2"] / finest[near]["w2"]
        if size(finest[near]) == size(finest[far]) and times >= EQUAL:
            return f"{text}; at {place(finest[far])} that of {far} is {number(times)} times as large."
        return f"{text} as the step is halved, by {_factor(fits[near])} and {_factor(fits[far])}."
    if _factor(fits[first]) == _factor(fits[last]):
        return f"Halving the step divides the error of {listed(sloped) if len(sloped) < 4 else 'every scheme'} by {_factor(fits[first])}."
    return f"Halving the step divides the error of {first} by {_factor(fits[first])}, and that of {last} by {_factor(fits[last])}."


def _alike(one, other) -> bool:
    """Whether two slopes are the same as far as one can tell, and tell much."""
    if abs(one["slope"] - other["slope"]) > ALIKE:
        return False
    low, high = ([fit.get(end) or fit["slope"] for fit in (one, other)] for end in ("slope_low", "slope_high"))
    return max(low) <= min(high)


def _numbers(rows, finest, fits, sloped, bounds) -> tuple:
    """For two schemes slope and W2 of each; for more, the ends of what is seen."""
    if len(rows) <= 2:
        slopes = [(f"slope of {s}", slope_text(fits[s])) for s in rows if s in sloped]
        return (*slopes, *((f"W₂ of {s} at {place(r)}", value_text(r)) for s, r in finest.items()))
    if not finest:
        return ()
    best = min(finest, key=lambda s: finest[s]["w2"])
    found = [(f"least W₂, {best} at {place(finest[best])}", value_text(finest[best]))]
    ends = dict.fromkeys((*sloped[:1], *sloped[-1:]))
    found += [(f"{word} slope, {s}", slope_text(fits[s])) for word, s in zip(("steepest", "smallest"), ends)]
    times = {s: r["bound"] / r["w2"] for s, r in finest.items() if r.get("bound")} if bounds else {}
    if times:
        loose = max(times, key=times.get)
        found.append((f"bound ÷ measured, {loose}", _thousands(times[loose])))
    return tuple(found)


def moving(table: dict, lower=()) -> Takeaway:
    """Particles: the distances at the end of the run, which stand above the panels; table as `figures.particles.distances` takes it,
    lower: the schemes of which it has a lower bound alone."""
    ends = {s: table[s][-1] for s in table if s not in ("n", "t")}
    known = {s: v for s, v in ends.items() if v is not None and math.isfinite(v)}
    lost = [s for s in ends if s not in known]
    steps = f"After {table['n'][-1]} steps"
    if lost:
        return Takeaway(f"{steps} of this size {listed(lost)} has no finite distance: the step is too large.")
    if bounds := [s for s in known if s in lower]:
        least = listed(f"{number(known[s])} for {s}" for s in bounds)
        rest = "".join(f", and {number(known[s])} for {s}" for s in known if s not in lower)
        return Takeaway(f"{steps} W₂ is at least {least}{rest}.")
    if len(known) == 1:
        one = next(iter(known))
        return Takeaway(f"{steps} the law of {one} is W₂ = {number(known[one])} from the target.")
    near, far = min(known, key=known.get), max(known, key=known.get)
    if known[near] <= 0 or known[far] / known[near] < EQUAL:
        return Takeaway(f"{steps} {listed(known)} are about equally far from the target.")
    return Takeaway(f"{steps} {far} ends {number(known[far] / known[near])} times as far from the target as {near}.")


def score_error(result: dict, scheme: str, h: float, bends) -> Takeaway | None:
    """W2 against the level of a score error."""
    rows = [r for r in result["rows"] if r["scheme"] == scheme and r["h"] == h and r["value"] > 0 and resolved(r)]
    if not rows:
        return None
    most, trend = max(rows, key=lambda r: r["value"]), along.trend(result, scheme, h)
    text = f"At h = {step_size(h)} a score error of ε = {most['value']:g} leaves {scheme} at W₂ = {number(most['w2'])}."
    bent = next((b for b in bends if b["value"] == most["value"] and b["h"]), None)
    c2 = score.theorem_c2(most)
    figures = [
        ("W₂ ÷ ε", number(most["w2"] / most["value"])), *([("C₂ of the theorem", number(c2))] if c2 else []),
        *([("slope in ε", slope_text(trend))] if has_slope(trend) else []),
        *([("its floor, h → 0", number(bent["floor"]))] if bent else []),
    ]  # fmt: skip
    return Takeaway(_begun(result, text), tuple(figures[:FEW]))


def steps(result: dict, epsilon: float) -> Takeaway | None:
    """The smallest numbers of steps for an accuracy."""
    mine = budget.answers_of(result, epsilon=epsilon)
    reached = sorted((a for a in mine if a["steps"]), key=lambda a: a["steps"])
    if not mine:
        return None
    if not reached:
        return Takeaway(f"No scheme reaches W₂ < {epsilon:g} with the numbers of steps tried.")
    few, many = reached[0], reached[-1]
    text = f"W₂ < {epsilon:g} takes {few['scheme']} {few['steps']:,} step{'s' * (few['steps'] > 1)}"
    text += f" and {many['scheme']} {many['steps']:,}." if few is not many else "."
    asked = [a for a in reached if a["planned"]]
    figures = [(f"steps of {a['scheme']}", f"{a['steps']:,}") for a in (few, many)[: 1 + (few is not many)]]
    if asked:
        most = max(asked, key=lambda a: a["planned"]["steps"])
        figures.append((f"steps that {most['scheme']}'s theorem asks for", f"{most['planned']['steps']:,}"))
    cheap = min(reached, key=lambda a: a["score_evals"] + a["hessian_evals"])
    figures.append((f"fewest evaluations, {cheap['scheme']}", f"{cheap['score_evals'] + cheap['hessian_evals']:,}"))
    return Takeaway(_begun(result, text), tuple(figures[:FEW]))


def horizon(results: dict[str, dict], h: float) -> Takeaway | None:
    """W2 against the horizon, for both starts."""
    found = {}
    for name, result in results.items():
        for s in result["study"]["schemes"]:
            rows = sorted((r for r in result["rows"] if r["scheme"] == s and size(r) == h and resolved(r)), key=lambda r: r["value"])
            if rows:
                found[name, s] = rows
    if not found:
        return None
    names = list(dict.fromkeys(s for _, s in found))
    start = next(iter(results))
    s = names[0]
    mine = {name: rows for (name, who), rows in found.items() if who == s}
    figures = [(f"{name}, {s} at T = {rows[-1]['value']:g}", value_text(rows[-1])) for name, rows in mine.items()]
    for result in results.values():
        if has_slope(line := along.trend(result, s, h)):
            rate = about(-line["slope"], line.get("slope_low"), line.get("slope_high"))
            figures.append((f"measured rate of {s}", rate))
    if m := results[start]["facts"].get("m_min"):
        figures.append((f"rate of the theorem, {symbol('m_min')}", number(m)))
    paper = next((rows for name, rows in mine.items() if "paper" in name), None)
    exact = next((rows for name, rows in mine.items() if "exact" in name), None)
    if paper and exact:
        own = {r["value"]: r["w2"] for r in exact}
        enough = next((r["value"] for r in paper if r["w2"] <= 1.1 * own.get(r["value"], 0.0)), None)
        if enough is not None:
            text = f"From T = {enough:g} on, a longer run gains {s} nothing: only its own error is left."
        else:
            text = f"Up to T = {paper[-1]['value']:g} the error of the paper's start dominates that of {s}."
    else:
        text = f"At T = {next(iter(mine.values()))[-1]['value']:g} {s} ends at W₂ = {number(next(iter(mine.values()))[-1]['w2'])}."
    return Takeaway(text, tuple(figures[:FEW]))


def dimension(result: dict, h: float) -> Takeaway | None:
    """W2 against the number of coordinates."""
    lines = {s: along.trend(result, s, h) for s in result["study"]["schemes"]}
    lines = {s: t for s, t in lines.items() if has_slope(t)}
    if not lines:
        return None
    least, most = (f(lines, key=lambda s: lines[s]["slope"]) for f in (min, max))
    times = {s: f"{4 ** lines[s]['slope']:.2g}" for s in (least, most)}
    text = f"Four times the dimension multiplies the error of {least} by {times[least]}"
    text += "." if times[least] == times[most] else f", and that of {most} by {times[most]}."
    return Takeaway(_begun(result, text), tuple((f"power of d, {s}", slope_text(t)) for s, t in lines.items())[:FEW])


def bounds(found: dict, result: dict | None) -> Takeaway:
    """EM's theorem, the recursion behind it, a sharper bound, and the truth, at the finest step that was measured."""
    finest, h, row = bounds_of.at_finest(found, result)
    labels = {"theorem": "Theorem 1", "recursion": "its recursion", "sharp": "bound of order h"}
    figures = [("W₂ of EM, measured", value_text(finest))] if finest else []
    figures += [(label, number(row[name])) for name, label in labels.items() if row.get(name) is not None and math.isfinite(row[name])]
    if not any(row.get(name) for name in labels):
        return Takeaway("The theorems promise nothing here: every bound is void.", tuple(figures))
    if finest and row.get("theorem"):
        times = _thousands(row["theorem"] / finest["w2"])
        return Takeaway(f"At h = {step_size(h)} Theorem 1 allows EM {times} times the error that it makes.", tuple(figures[:FEW]))
    return Takeaway(f"Bounds for EM at h = {step_size(h)}; the measured curve joins them once it has been run.", tuple(figures[:FEW]))


def departure(result: dict, checklist: list) -> Takeaway:
    """Outside the assumptions: which fail, and what is measured all the same."""
    failed = [a for a in checklist if a.verdict == theory.FAILS]
    each, numbered = [("m₀ > ½" if a.number == "–" else a.number) for a in failed], sum(a.number != "–" for a in failed)
    named = f"Assumption{'s' * (numbered > 1)} " if numbered else ""
    head = f"{named}{listed(each)} {'fails' if len(each) == 1 else 'fail'}" if each else "No assumption is known to fail"
    fits = {s: f for s in schemes_of(result) if has_slope(f := fit_of(result, s))}
    if not fits:
        return Takeaway(f"{head}; no slope could be measured.")
    best = max(fits, key=lambda s: fits[s]["slope"])
    text = f"{head}, {'yet' if each else 'and'} halving the step divides the error of {best} by {_factor(fits[best])}."
    return Takeaway(text, tuple((f"slope of {s}", slope_text(f)) for s, f in fits.items())[:FEW])


def learned(results: dict[str, dict], floors: dict[str, dict]) -> Takeaway | None:
    """A learned score beside the exact one."""
    result = results.get("learned")
    rows = {s: r for s in schemes_of(result or {}) if (r := _finest(rows_of(result, s)))}
    if not rows:
        return None
    s = next(iter(rows))
    exact = _finest([r for r in rows_of(results["exact"], s) if r["steps"] == rows[s]["steps"]]) if "exact" in results else None
    figures = [(f"{s} with the network", value_text(rows[s]))]
    if exact:
        figures.append((f"{s} with the exact score", value_text(exact)))
        times = rows[s]["w2"] / exact["w2"]
        text = f"At {place(rows[s])} the learned score leaves {s} {number(times)} times as far from the target as the exact one does."
    else:
        text = f"With the learned score {s} ends at W₂ = {number(rows[s]['w2'])}."
    if floor := (floors or {}).get(s):
        figures.append(("its floor, h → 0", estimate(floor, "value")))
    return Takeaway(text, tuple(figures[:FEW]))


def images(found: dict) -> Takeaway:
    """Grids of images from the same noise."""
    steps = round(found["study"]["T"] / found["h"])
    text = f"All schemes start from the same noise and take {steps} steps of h = {step_size(found['h'])}."
    cost = {name: sum(spent["products"]) / steps for name, spent in found["spent"].items()}
    return Takeaway(text, tuple((f"Hessian products a step, {name}", f"{each:.1f}") for name, each in cost.items())[:FEW])


def experiment(result: dict) -> Takeaway | None:
    """The papers' logistic regression: first coordinates at the steps of the paper's figure."""
    rows = {s: _finest(rows_of(result, s)) for s in schemes_of(result)}
    rows = {s: r for s, r in rows.items() if r}
    if not rows:
        return None
    near, far = min(rows, key=lambda s: rows[s]["w2"]), max(rows, key=lambda s: rows[s]["w2"])
    text = f"At {place(rows[near])} {near} is closest to the target, {far} {number(rows[far]['w2'] / rows[near]['w2'])} times as far away."
    return Takeaway(text, tuple((f"W₂ of {s}", value_text(r)) for s, r in rows.items())[:FEW])


def two_features(found: dict) -> Takeaway:
    """The posterior of a logistic regression with two features, and one scheme's particles."""
    text = f"The boundary of the posterior mean puts {found['right']} of {len(found['x'])} observations on the correct side."
    pairs = {f"spread of {found['scheme']}": found["spread"], "of the posterior": found["target_spread"]}
    return Takeaway(text, tuple((f"{who}, θ{k}", number(v)) for who, values in pairs.items() for k, v in zip("₁₂", values)))


def of_samplers(rows: list[dict], picked: str | None = None) -> Takeaway:
    """The samplers with the same number of evaluations, see `figures.samplers.sentence`."""
    ranked = samplers.ranked_at(rows)
    if not ranked:
        return Takeaway(samplers.sentence(rows, picked))
    best, worst = ranked[0], ranked[-1]
    without = [r["scheme"] for r in rows if r["evaluations"] == samplers.AT and r["w2"] is not None and r["w2"] < ROUNDING]
    text = f"{listed(without)} {'makes' if len(without) == 1 else 'make'} no error here; with" if without else "With"
    if best is worst:
        text += f" {samplers.AT} evaluations the law of {best['scheme']} is W₂ = {number(best['w2'])} from the target."
    else:
        text += f" {samplers.AT} evaluations {best['scheme']} comes {'next' if without else 'closest'}, and {worst['scheme']} ends "
        text += f"{number(worst['w2'] / best['w2'])} times as far from the target."
    figures = [(f"W₂ of {r['scheme']}", number(r["w2"])) for r in ranked[:: max(len(ranked) - 1, 1)]]
    mine = next((r for r in ranked if r["scheme"] == picked), None)
    return Takeaway(text, (*figures, *([(f"place of {picked}", f"{ranked.index(mine) + 1} of {len(ranked)}")] if mine else [])))


def on_grids(found: dict) -> Takeaway:
    """One scheme on every grid, the best and the worst."""
    rows, own = schedules.ranked(found), found["study"].get("grid", {"name": "uniform"})["name"]
    if not rows or rows[-1]["w2"] < ROUNDING:
        return Takeaway(schedules.sentence(found))
    best, last, mine = rows[0], rows[-1], next((r for r in rows if r["grid"] == own), None)
    text = f"In {found['steps']} steps {found['scheme']} does best on the grid “{schedules.title(best['grid'])}”; "
    text += f"the worst grid has {number(last['w2'] / best['w2'])} times its error."
    each = dict.fromkeys((best["grid"], *([own] if mine else []), last["grid"]))
    return Takeaway(text, tuple((f"W₂, {schedules.title(g)}", number(next(r["w2"] for r in rows if r["grid"] == g))) for g in each)[:FEW])
