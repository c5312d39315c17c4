"""A result in words and tables: the same sentences that the figure says on hover, and the numbers behind it.

`result` is the result file's object (README, “From the shell”) everywhere; optional keys may be missing.
"""

import math
import re

from dlab import measure
from dlab.figures.numbers import NONE, Z95, interval, listed, number, order, step_size

METHODS = {m.name: m.note for m in measure.METHODS.values() if m.note}
LOWER = tuple(m.name for m in measure.METHODS.values() if m.lower)
OUTSIDE = "outside the asymptotic range, not fitted"
BY_HAND = "outside the window set by hand, not fitted"
EQUAL = "equal up to rounding"  # in the flag of an exact law without any error
LOST = {"diverged": "diverged", "infinite": "an infinite W₂"}
AT_ORDER = "constant at the true order"  # a column of the table
LEVEL = 0.15  # the slope of the last octave below which a curve has levelled off: a tenth of the value


def rows_of(result, scheme: str) -> list[dict]:
    """The scheme's rows, coarsest first."""
    return sorted((r for r in result.get("rows") or () if r["scheme"] == scheme), key=lambda r: -r["h"])


def schemes_of(result) -> list[str]:
    """Schemes that have rows, in the study's order."""
    present = dict.fromkeys(r["scheme"] for r in result.get("rows") or ())
    asked = (result.get("study") or {}).get("schemes") or ()
    return [s for s in dict.fromkeys([*asked, *present]) if s in present]


def fit_of(result, scheme: str) -> dict:
    return next((f for f in result.get("fits") or () if f["scheme"] == scheme), {})


def has_slope(fit) -> bool:
    return fit.get("slope") is not None


def slope_text(fit) -> str:
    low, high = fit.get("slope_low"), fit.get("slope_high")
    return interval(fit["slope"], None if low is None or high is None else (high - low) / 2)


def value_text(row) -> str:
    """W2 with its 95 % interval, or why there is none."""
    if diverged(row):
        return no_value(row)
    return interval(row.get("w2"), Z95 * (row.get("stderr") or 0.0))


def method_text(row) -> str:
    """The method of a row, in words where its value is not W2 itself."""
    return METHODS.get(row.get("method"), row.get("method", NONE))


def fitted(row, fit) -> bool:
    return has_slope(fit) and any(math.isclose(row["h"], h, rel_tol=1e-9) for h in fit.get("used") or ())


def diverged(row) -> bool:
    return bool(row.get("diverged")) or row.get("w2") is None


def no_value(row) -> str:
    """What stands in the place of a number that is not there."""
    return "infinite" if any(f.startswith("W₂ is infinite") for f in row.get("flags") or ()) else "diverged"


def reasons(row, fit) -> list[str]:
    """Every sentence that keeps a point from being drawn filled; empty for a filled point."""
    flags = list(row.get("flags") or ())
    if diverged(row):
        return flags or [f"{row.get('diverged', 0)} of {row.get('particles', 0)} particles diverged"]
    floor = row.get("floor")
    if floor and row["w2"] <= floor and not any("floor" in f for f in flags):
        flags.append(f"below the sampling floor of {number(floor)}")
    if not row.get("resolved", True):
        return flags or ["not resolved"]
    outside = BY_HAND if fit.get("window") else OUTSIDE
    return flags or ([outside] if has_slope(fit) and not fitted(row, fit) else [])


def doubts(answer) -> list[str]:
    """What is said against the W2 of an answer of `study.reach`, without what concerns the steps before it."""
    return [f for f in answer["flags"] if "fewer" not in f and "diverged" not in f]


def void_reason(result, scheme: str) -> str:
    """Why the theorem gives this scheme no number, from the notes."""
    for note in result.get("notes") or ():
        head, _, reason = note.partition(": ")
        if "void" in head and re.search(rf"\b{re.escape(scheme)}\b", head):
            return reason.rstrip(".")
    return next((n for n in result.get("notes") or () if "void" in n), "the theorem's conditions do not hold")


def _void(result, scheme: str) -> bool:
    fit, rows = fit_of(result, scheme), rows_of(result, scheme)
    return bool(fit) and fit.get("theory_order") is None and all(r.get("bound") is None for r in rows)


def _grouped(pairs) -> list[str]:
    """(h, sentence) pairs, the same sentence said once for all its step sizes."""
    by_sentence = {}
    for h, sentence in pairs:
        by_sentence.setdefault(sentence, []).append(step_size(h))
    return [f"h = {', '.join(hs)}: {sentence}" for sentence, hs in by_sentence.items()]


def table(result) -> list[dict]:
    """Theorem and measurement side by side, one formatted dict a scheme.

    "bound ÷ measured" is taken at the finest resolved h, both from that row.
    """
    out, closed = [], any(fit.get("expansion") for fit in result.get("fits") or ())
    for scheme in schemes_of(result):
        rows, fit = rows_of(result, scheme), fit_of(result, scheme)
        void = _void(result, scheme)
        finest = next((r for r in reversed(rows) if r.get("resolved") and not diverged(r) and r["w2"] > 0), None)
        ratio = NONE
        if finest and _ratio(finest):
            ratio = f"{number(_ratio(finest))} at h = {step_size(finest['h'])}"
        why = [f"bound: {void_reason(result, scheme)}"] if void else []
        methods = dict.fromkeys(METHODS.get(r.get("method")) for r in rows)
        why += [f"W₂: {m}" for m in methods if m]
        why += _grouped((r["h"], reason) for r in rows for reason in reasons(r, fit))
        if rows and not has_slope(fit):
            why.append("a slope needs two usable points")
        theory = {k: "void" if void else number(fit.get(k)) for k in ("theory_c1", "theory_c2")}
        promised = fit.get("theory_order")
        used = sorted(fit.get("used") or (), reverse=True) if has_slope(fit) else ()
        out.append({
            "scheme": scheme,
            "theorem's order": "void" if void else NONE if promised is None else order(promised),
            "measured slope": slope_text(fit) if has_slope(fit) else NONE,
            "h used": ", ".join(map(step_size, used)) or NONE,
            "C1": theory["theory_c1"],
            "C2": theory["theory_c2"],
            "measured constant": number(fit.get("constant")),
            AT_ORDER: _at_order(fit),
            **({"closed form as h → 0": _closed(fit)} if closed else {}),
            "bound ÷ measured": "void" if void else ratio,
            "why": "; ".join(why),
        })
    return out


def _ratio(row) -> float | None:
    """The theorem's bound over the measured value."""
    return row["bound"] / row["w2"] if row.get("bound") and not diverged(row) and row["w2"] > 0 else None


def _closed(fit) -> str:
    """The leading term of W2 in h on a Gaussian target."""
    return f"{number(fit['expansion'])} · {_power(fit['law_order'])}" if fit.get("expansion") else NONE


def _at_order(fit) -> str:
    """C of W2 = C h^order, the order of the law taken as known."""
    value, low, high = (fit.get(f"constant_at_order{end}") for end in ("", "_low", "_high"))
    if value is None:
        return NONE
    return f"{interval(value, None if low is None else (high - low) / 2)} · {_power(fit['law_order'])}"


def _power(p: float) -> str:
    """h to the power p: h, h², h^1½."""
    return {1: "h", 2: "h²"}.get(p, f"h^{order(p)}")


def rows_table(result) -> list[dict]:
    """Every row with all that the figure says under the pointer; `export.rows_csv` has the bare numbers."""
    out = []
    for scheme in schemes_of(result):
        fit = fit_of(result, scheme)
        for row in rows_of(result, scheme):
            lower, upper = number(row.get("lower")), number(row.get("upper"))
            out.append({
                "scheme": scheme,
                "h": step_size(row["h"]),
                "steps": row.get("steps"),
                "score evaluations": row.get("score_evals"),
                "Hessian evaluations": row.get("hessian_evals"),
                "particles": row.get("particles"),
                "W₂ ± 95 %": value_text(row),
                "bracket": NONE if lower == upper == NONE else f"{lower} to {upper}",
                "floor": number(row.get("floor")),
                "method": METHODS.get(row.get("method"), row.get("method", NONE)),
                "bound": "void" if _void(result, scheme) else number(row.get("bound")),
                "bound ÷ measured": number(_ratio(row)),
                "score error met": number(row.get("error_level_met")),
                "fitted": "yes" if fitted(row, fit) else "no",
                "why": "; ".join(reasons(row, fit)),
            })
    return out


def _clean(result) -> bool:
    """Whether nothing but the step size makes an error: a wrong score or start leaves a term that no h removes."""
    study = result.get("study") or {}
    return study.get("start", "exact") == "exact" and (study.get("score_error") or {}).get("name", "none") == "none"


def _promise(result, schemes) -> str:
    """What the theorems say about these schemes' orders."""
    orders, void = {}, []
    for s in schemes:
        promised = fit_of(result, s).get("theory_order")
        if promised is not None:
            orders.setdefault(promised, []).append(s)
        elif _void(result, s):
            void.append(s)
    several = len(schemes) > 1
    text = listed(order(p) + (f" for {listed(names)}" if several else "") for p, names in sorted(orders.items()))
    verb = "promises at least" if _clean(result) else "has an h-term of order"
    parts = [f"the theorem {verb} {text}"] if text else []
    if void:
        parts.append("the bound is void" + (f" for {listed(void)}" if several else ""))
    return ", and ".join(parts)


def sentence(result) -> str:
    """What the picture shows now, in one or a few sentences."""
    names = schemes_of(result)
    if not names:
        return "Nothing has been measured yet."
    one = len({r["h"] for r in result["rows"]}) == 1
    said = _at_one_step(result, names) if one else _over_steps(result, names)
    asked = (result.get("study") or {}).get("schemes") or ()
    if missing := [s for s in asked if s not in names]:
        said += f" {listed(missing)} {_verb(missing, 'has', 'have')} no point yet."
    if _partial(result):
        # A scheme's name keeps its capitals.
        said = f"So far: {said[0].lower() if said[1].islower() else said[0]}{said[1:]}"
    return said


def _partial(result) -> bool:
    return result.get("done", 1.0) < 1 or any(n.startswith("Provisional") for n in result.get("notes") or ())


def _verb(who, one, several) -> str:
    return one if len(who) == 1 else several


def _slope(fit) -> str:
    """The slope with its interval, or with the reason why it has none."""
    known = fit.get("slope_low") is not None and fit.get("slope_high") is not None
    return slope_text(fit) + ("" if known else f" ({len(fit.get('used') or ())} points, no interval)")


def _over_steps(result, names) -> str:
    fits = {s: fit_of(result, s) for s in names}
    sloped = [s for s in names if has_slope(fits[s])]
    ways = {}
    for s in sloped:
        low, high = (fits[s].get(k) for k in ("slope_low", "slope_high"))
        ends = [v for v in (low, fits[s]["slope"], high) if v is not None]
        way = "falls" if min(ends) > 0 else "grows" if max(ends) < 0 else "unclear"
        ways.setdefault(way, []).append(s)
    parts = []
    if falls := ways.get("falls"):
        # "EM falls with measured slope 1.02 ± 0.02", then the others by name and number.
        first, *others = falls
        more = [f"{s} {_slope(fits[s])}" for s in others]
        parts.append(listed([f"{first} falls with measured slope {_slope(fits[first])}", *more]))
    parts += [f"{s} has no clear slope (measured {_slope(fits[s])})" for s in ways.get("unclear", ())]
    parts += [f"{s} grows as h falls (measured slope {_slope(fits[s])})" for s in ways.get("grows", ())]
    promise = _promise(result, sloped or names)
    said = ["; ".join(filter(None, [*(parts or ["No scheme has a measured slope"]), promise])) + "."]
    window = next((fits[s]["window"] for s in sloped if fits[s].get("window")), None)
    if window:
        said.append(f"The fits take h = {step_size(max(window))} to {step_size(min(window))}, set by hand.")
    said += _below(result, fits, sloped) + _above(result, names) + _levels_off(result, names)
    if rest := _without(result, fits, names, sloped):
        said.append(f"{'; '.join(rest)}.")
    return " ".join(said)


def _below(result, fits, sloped) -> list[str]:
    """Slopes less than the theorem's order, where that order is all there is to compare with."""
    if not _clean(result):
        return []
    said = []
    for s in sloped:
        fit, promised = fits[s], fits[s].get("theory_order")
        if promised is None or fit["slope"] > promised - 0.005:  # as printed
            continue
        high = fit.get("slope_high")
        if high is None:
            said.append(f"{s}'s slope is below the promised {order(promised)} and has no interval to judge it by.")
        elif high >= promised:
            said.append(f"{s}'s slope is below the promised {order(promised)}, which its interval still holds.")
        else:
            said.append(
                f"{s}'s slope contradicts the promised {order(promised)} at these step sizes: its whole interval lies below."
            )
    return said


def _above(result, names) -> list[str]:
    """Points above their bound by more than their interval."""
    found = {}
    for s in names:
        for r in rows_of(result, s):
            sure = r.get("bound") and r.get("resolved", True) and not diverged(r) and not r.get("floor")
            if sure and r["w2"] - Z95 * (r.get("stderr") or 0.0) > r["bound"]:
                found.setdefault(s, []).append(step_size(r["h"]))
    return [f"{s} lies above the bound's leading term at h = {', '.join(hs)}." for s, hs in found.items()]


def _levels_off(result, names) -> list[str]:
    """Schemes whose two finest points differ by no more than a tenth an octave, where a term without h is to be seen."""
    flat = {}
    for s in [] if _clean(result) else names:
        rows = [r for r in rows_of(result, s) if not diverged(r) and r.get("resolved", True) and r["w2"] > 0]
        if len(rows) > 1:
            fine, next_to = rows[-1], rows[-2]
            local = math.log(next_to["w2"] / fine["w2"]) / math.log(next_to["h"] / fine["h"])
            if abs(local) < LEVEL:
                flat[s] = number(fine["w2"])
    if not flat:
        return []
    return [f"{listed(flat)} {_verb(flat, 'levels', 'level')} off near W₂ = {listed(dict.fromkeys(flat.values()))}."]


def _without(result, fits, names, sloped) -> list[str]:
    """What keeps points or whole schemes from a slope: the schemes of which it is true, and what it is."""
    found = {}
    for s in names:
        rows = rows_of(result, s)
        lost = [r for r in rows if diverged(r)]
        kept = [r for r in rows if not diverged(r)]
        hollow = [r for r in kept if not r.get("resolved", True)]
        for word in dict.fromkeys(map(no_value, lost)):
            at = ", ".join(step_size(r["h"]) for r in lost if no_value(r) == word)
            found.setdefault(f"{LOST[word]} at h = {at}", []).append(s)
        if s in sloped or not kept:
            continue
        if all(EQUAL in " ".join(reasons(r, fits[s])) for r in kept):
            found.setdefault("no error but rounding", []).append(s)
            continue
        why = "too few usable points"
        if hollow:
            why = f"{len(hollow)} of the {len(rows)} points {_verb(hollow, 'is', 'are')} not resolved"
        if len(hollow) == len(rows):
            why = "no point is resolved"
        elif fits[s].get("window"):
            why = "the window set by hand holds fewer than two usable points"
        found.setdefault(f"without a slope: {why}", []).append(s)
    return [_of(who, what) for what, who in found.items()]


def _of(who, what) -> str:
    """ "EM and EI are without a slope": what begins with the word that its verb goes with."""
    verbs = {"without": ("is ", "are "), "no": ("has ", "have "), "an": ("has ", "have "), "diverged": ("", "")}
    return f"{listed(who)} {_verb(who, *verbs[what.split()[0]])}{what}"


def _at_one_step(result, names) -> str:
    rows = {s: rows_of(result, s)[0] for s in names}
    values = [
        f"{value_text(r)} for {s}" + ("" if r.get("resolved", True) else " (not resolved)")
        for s, r in rows.items()
        if not diverged(r)
    ]
    lost = [s for s, r in rows.items() if diverged(r)]
    parts = [f"the measured W₂ is {listed(values)}"] if values else []
    for word in dict.fromkeys(no_value(rows[s]) for s in lost):
        who = [s for s in lost if no_value(rows[s]) == word]
        parts.append(_of(who, LOST[word]))
    return f"At h = {step_size(rows[names[0]]['h'])} {' and '.join(parts)}. One step size shows no slope."


def levels_met(result: dict) -> dict[str, float | None]:
    """The largest L2 level of the score error that each scheme met; None where one of its runs left the numbers."""
    met = {name: [row["error_level_met"] for row in rows_of(result, name)] for name in schemes_of(result)}
    return {name: None if None in levels else max(levels) for name, levels in met.items() if levels}
