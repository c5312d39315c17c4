"""A result in words and tables: the same sentences that the figure says on hover, and the numbers behind it.

`result` is the result file's object (README, “From the shell”) everywhere; optional keys may be missing.
"""

import itertools
import math
import re

from dlab import measure
from dlab.figures.numbers import (
    NONE,
    Z95,
    about,
    estimate,
    listed,
    number,
    order,
    place,
    ratio,
    size,
    size_text,
    step_size,
    typeset,
)
from dlab.figures.slopes import LEAST, shown

NOTES = {m.name: m.note for m in measure.METHODS.values() if m.note}
LOWER = tuple(m.name for m in measure.METHODS.values() if m.lower)
OUTSIDE = "outside the asymptotic range, not fitted"
BY_HAND = "outside the window set by hand, not fitted"
EQUAL = "equal up to rounding"  # in the flag of an exact law without any error
LOST = {"diverged": "diverged", "infinite": "an infinite W₂", "no value": "no value"}
AT_ORDER = "C, true order"  # a column of the table
LEVEL = 0.15  # the slope of the last octave below which a curve has levelled off: a tenth of the value


def rows_of(result, scheme: str) -> list[dict]:
    """The scheme's rows, coarsest first."""
    return sorted((r for r in result.get("rows") or () if r["scheme"] == scheme), key=lambda r: -size(r))


def resolved_rows(result, scheme: str) -> list[dict]:
    """Those of the scheme's rows that have a value of their own, coarsest first."""
    return [r for r in rows_of(result, scheme) if resolved(r)]


def resolved(row) -> bool:
    """Whether a sentence may say the row's value: it is neither a bound alone nor lost in its own noise."""
    return not diverged(row) and row.get("resolved", True) and row["w2"] > 0


def schemes_of(result) -> list[str]:
    """Schemes that have rows, in the study's order."""
    present = dict.fromkeys(r["scheme"] for r in result.get("rows") or ())
    asked = (result.get("study") or {}).get("schemes") or ()
    return [s for s in dict.fromkeys([*asked, *present]) if s in present]


def fit_of(result, scheme: str) -> dict:
    """The scheme's fit as it is shown, see `slopes`: {} where there is none."""
    fit = next((f for f in result.get("fits") or () if f["scheme"] == scheme), {})
    return shown(fit, [(size(r), r["w2"], r.get("stderr") or 0.0) for r in rows_of(result, scheme) if _used(r, fit) and r.get("w2")])


def at_equal_cost(result) -> tuple[int, dict[str, dict]]:
    """The most evaluations at which every scheme has a resolved point, and these rows; (0, {}) where there is no such number."""
    rows = {s: {r["score_evals"] + r["hessian_evals"]: r for r in resolved_rows(result, s)} for s in schemes_of(result)}
    shared = set.intersection(*map(set, rows.values())) if rows else set()
    return (max(shared), {s: by[max(shared)] for s, by in rows.items()}) if shared else (0, {})


def has_slope(fit) -> bool:
    """Whether a slope may be shown: none from fewer than four points."""
    return fit.get("slope") is not None and ("used" not in fit or len(fit["used"]) >= LEAST)


def slope_text(fit) -> str:
    """The slope of a fit or trend with its interval; a dash where none is shown."""
    return about(fit["slope"], fit.get("slope_low"), fit.get("slope_high")) if has_slope(fit) else NONE


def value_text(row) -> str:
    """W2 with its 95 % interval, or why there is none."""
    return no_value(row) if diverged(row) else estimate(row)


def hover(row, of: str = "") -> list[str]:
    """What a measured point says under the pointer; of: whose it is, the row's scheme where nothing is said."""
    return [f"{of or row['scheme']}, {place(row)}", f"W₂ {value_text(row)}"]


def method_text(row) -> str:
    """The method of a row, in words where its value is not W2 itself."""
    return NOTES.get(row.get("method"), row.get("method", NONE))


def fitted(row, fit) -> bool:
    return has_slope(fit) and _used(row, fit)


def _used(row, fit) -> bool:
    return any(math.isclose(size(row), h, rel_tol=1e-9) for h in fit.get("used") or ())


def diverged(row) -> bool:
    return bool(row.get("diverged")) or row.get("w2") is None


def no_value(row) -> str:
    """What a table shows instead of a number that is missing."""
    if any(f.startswith("W₂ is infinite") for f in row.get("flags") or ()):
        return "infinite"
    return "diverged" if row.get("diverged") else "no value"


def without_slope(fit) -> list[str]:
    """Why a fit has no slope that may be shown; empty where it has one."""
    return [] if has_slope(fit) else [fit.get("unsaid") or f"a slope needs {LEAST} resolved points"]


def reasons(row, fit={}) -> list[str]:  # noqa: B006, never changed
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
    kept = has_slope(fit) or fit.get("window")  # a window keeps its points apart even where they are too few for a slope
    return flags or ([outside] if kept and not _used(row, fit) else [])


def doubts(answer) -> list[str]:
    """What is said against the W2 of an answer of `study.reach`, without what concerns the steps before it."""
    return [f for f in answer["flags"] if "fewer" not in f and "diverged" not in f]


def void_reason(result, scheme: str) -> str:
    """Why the theorem gives this scheme no number, from the notes."""
    for note in result.get("notes") or ():
        head, _, reason = note.partition(": ")
        if "void" in head and re.search(rf"\b{re.escape(scheme)}\b", head):
            return typeset(reason).rstrip(".")
    return next((n for n in result.get("notes") or () if "void" in n), "the theorem's conditions do not hold")


def _void(result, scheme: str) -> bool:
    fit, rows = fit_of(result, scheme), rows_of(result, scheme)
    return bool(fit) and fit.get("theory_order") is None and all(r.get("bound") is None for r in rows)


def table(result) -> list[dict]:
    """Theorem and measurement side by side, one formatted dict a scheme.

    "bound ÷ W₂" is taken at the finest resolved h, both from that row.
    """
    closed = any(fit.get("expansion") for fit in result.get("fits") or ())
    return [_line(result, scheme, closed) for scheme in schemes_of(result)]


def _line(result, scheme, closed) -> dict:
    rows, fit = rows_of(result, scheme), fit_of(result, scheme)
    void = "void" if _void(result, scheme) else None
    finest = next((r for r in reversed(rows) if r.get("resolved") and not diverged(r) and r["w2"] > 0), None)
    times = f"{_ratio(finest)} at {size_text(finest)}" if finest and finest.get("bound") else NONE
    promised = fit.get("theory_order")
    used = [r for r in rows if fitted(r, fit)]
    by_reason = {}
    for r in rows:
        for reason in reasons(r, fit):
            by_reason.setdefault(reason, []).append(r)
    why = [f"bound: {void_reason(result, scheme)}"] if void else []
    why += [f"W₂: {m}" for m in dict.fromkeys(NOTES.get(r.get("method")) for r in rows) if m]
    why += [f"{place(*its)}: {reason}" for reason, its in by_reason.items()]
    why += without_slope(fit) if rows else []
    bends = fit.get("unsaid", "").startswith("bends")
    at_order = about(*(None if bends else fit.get(f"constant_at_order{end}") for end in ("", "_low", "_high")))
    return {
        "scheme": scheme,
        "proven": void or (NONE if promised is None else order(promised)),
        "slope": slope_text(fit),
        "fitted N" if _uneven(rows) else "fitted h": _stretch(rows, used),
        "C₁": void or number(fit.get("theory_c1")),
        "C₂": void or number(fit.get("theory_c2")),
        "C": number(fit.get("constant")),
        AT_ORDER: _times_power(at_order, fit, _uneven(rows)),
        **({"C, derived": _times_power(number(fit.get("expansion") or None), fit)} if closed else {}),
        "bound ÷ W₂": void or times,
        "why": "; ".join(why),
    }


def _stretch(rows, used) -> str:
    """The places of the rows that are used, "1/2 … 1/64" where they are neighbours."""
    if len(used) > 2 and rows[(first := rows.index(used[0])) : first + len(used)] == used:
        return f"{size_text(used[0])} … {size_text(used[-1])}"
    return ", ".join(map(size_text, used)) or NONE


def _ratio(row) -> str:
    """The theorem's bound over the measured value."""
    return NONE if diverged(row) else ratio(row.get("bound"), max(row["w2"], 0.0))


def _uneven(rows) -> bool:
    return any(r["h"] is None for r in rows)


def _times_power(constant: str, fit, uneven=False) -> str:
    """C · h, C · h², C · h^1½, or C / N²: a constant and the power of the step that the law has."""
    p = fit.get("law_order")
    power = {1: "", 2: "²", 0.5: "^½", 1.5: "^(3/2)"}.get(p, f"^{order(p or 0)}")
    return NONE if constant == NONE else f"{constant} / N{power}" if uneven else f"{constant} · h{power}"


SPARE = ("Hessians", "paths", "bracket", "floor", "bound", "bound ÷ W₂", "ε met")  # columns that many results have nothing of


def rows_table(result) -> list[dict]:
    """Every row with all that the figure says under the pointer, without columns of which it has nothing; `export.rows_csv` has the
    bare numbers."""
    lines = [
        {
            "scheme": scheme,
            "h": NONE if row["h"] is None else step_size(row["h"]),
            "N": row.get("steps"),
            "scores": row.get("score_evals"),
            "Hessians": row.get("hessian_evals"),
            "paths": row.get("particles"),
            "W₂ ± 95 %": value_text(row),
            "bracket": NONE if row.get("lower") == row.get("upper") else f"{number(row.get('lower'))} to {number(row.get('upper'))}",
            "floor": number(row.get("floor")),
            "method": method_text(row),
            "bound": "void" if _void(result, scheme) else number(row.get("bound")),
            "bound ÷ W₂": _ratio(row),
            "ε met": number(row.get("error_level_met")),
            "fitted": "yes" if fitted(row, fit_of(result, scheme)) else "no",
            "why": "; ".join(reasons(row, fit_of(result, scheme))),
        }
        for scheme in schemes_of(result)
        for row in rows_of(result, scheme)
    ]
    spare = {name for name in SPARE if all(line[name] in (0, None, "0", NONE) for line in lines)}
    return [{name: cell for name, cell in line.items() if name not in spare} for line in lines]


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
    text = (_at_one_step if len({size(r) for r in result["rows"]}) == 1 else _over_steps)(result, names)
    asked = (result.get("study") or {}).get("schemes") or ()
    if missing := [s for s in asked if s not in names]:
        text += f" {listed(missing)} {_verb(missing, 'has', 'have')} no point yet."
    if result.get("done", 1.0) < 1 or any(n.startswith("Provisional") for n in result.get("notes") or ()):
        # A scheme's name keeps its capitals.
        text = f"So far: {text[0].lower() if text[1].islower() else text[0]}{text[1:]}"
    return text


def _verb(who, one, several) -> str:
    return one if len(who) == 1 else several


def _over_steps(result, names) -> str:
    fits = {s: fit_of(result, s) for s in names}
    sloped = [s for s in names if has_slope(fits[s])]
    trends = {"falls": [], "unclear": [], "grows": []}
    for s in sloped:
        ends = [v for k in ("slope_low", "slope", "slope_high") if (v := fits[s].get(k)) is not None]
        trends["falls" if min(ends) > 0 else "grows" if max(ends) < 0 else "unclear"].append((s, slope_text(fits[s])))
    # "EM falls with measured slope 1.02 ± 0.02", then the others by name and number.
    falls = [f"{s} falls with measured slope {v}" if i == 0 else f"{s} {v}" for i, (s, v) in enumerate(trends["falls"])]
    parts = [listed(falls)] if falls else []
    parts += [f"{s} has no clear slope (measured {v})" for s, v in trends["unclear"]]
    parts += [f"{s} grows as steps become smaller (measured slope {v})" for s, v in trends["grows"]]
    said = ["; ".join(filter(None, [*(parts or ["No scheme has a measured slope"]), _promise(result, sloped or names)])) + "."]
    if window := next((fits[s]["window"] for s in sloped if fits[s].get("window")), None):
        said.append(f"The fits take h = {step_size(max(window))} to {step_size(min(window))}, set by hand.")
    said += _below(result, fits, sloped) + _above(result, names) + _levels_off(result)
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
            said.append(f"{s}'s slope is below the promised {order(promised)} and has no interval to judge by.")
        elif high >= promised:
            said.append(f"{s}'s slope is below the promised {order(promised)}, which its interval still contains.")
        else:
            said.append(
                f"{s}'s slope contradicts the promised {order(promised)} at these step sizes: its whole interval lies below it."
            )
    return said


def _above(result, names) -> list[str]:
    """Points above their bound by more than their interval."""
    found = {}
    for s in names:
        for r in rows_of(result, s):
            sure = r.get("bound") and r.get("resolved", True) and not diverged(r) and not r.get("floor")
            if sure and r["w2"] - Z95 * (r.get("stderr") or 0.0) > r["bound"]:
                found.setdefault(s, []).append(r)
    return [f"{s} lies above the bound's leading term at {place(*its)}." for s, its in found.items()]


def local_slopes(rows) -> list[float]:
    """The slopes between neighbouring rows with positive values, the coarsest first."""
    return [math.log(a["w2"] / b["w2"]) / math.log(size(a) / size(b)) for a, b in itertools.pairwise(rows)]


def levelled(result) -> dict[str, float]:
    """{scheme: W2 at its finest h} of those whose two finest points differ by no more than a tenth an octave, where a wrong score or
    start leaves a term that no h removes."""
    flat = {}
    for s in [] if _clean(result) else schemes_of(result):
        rows = resolved_rows(result, s)
        if len(rows) > 1 and abs(local_slopes(rows)[-1]) < LEVEL:
            flat[s] = rows[-1]["w2"]
    return flat


def floor_of(result) -> str:
    """What leaves a term that no h removes."""
    study = result.get("study") or {}
    wrong = [*(["score error"] if (study.get("score_error") or {}).get("name", "none") != "none" else []),
             *(["start"] if study.get("start", "exact") != "exact" else [])]  # fmt: skip
    return f"floor of the {listed(wrong)}"


def _levels_off(result) -> list[str]:
    flat = levelled(result)
    if not flat:
        return []
    return [f"{listed(flat)} {_verb(flat, 'levels', 'level')} off near W₂ = {listed(dict.fromkeys(map(number, flat.values())))}."]


def _without(result, fits, names, sloped) -> list[str]:
    """What keeps points or whole schemes from a slope: the schemes of which it is true, and what it is."""
    found = {}
    for s in names:
        rows = rows_of(result, s)
        lost = [r for r in rows if diverged(r)]
        kept = [r for r in rows if not diverged(r)]
        hollow = [r for r in kept if not r.get("resolved", True)]
        for word in dict.fromkeys(map(no_value, lost)):
            at = place(*(r for r in lost if no_value(r) == word))
            found.setdefault(f"{LOST[word]} at {at}", []).append(s)
        if s in sloped or not kept:
            continue
        if all(EQUAL in " ".join(reasons(r, fits[s])) for r in kept):
            found.setdefault("no error but rounding", []).append(s)
            continue
        why = f"fewer than {LEAST} usable points"
        # Enough are resolved, and yet they lie on no line: it bends, or the fit's window has left some out.
        if len(kept) - len(hollow) >= LEAST:
            why = "the points bend"
        elif hollow:
            why = f"{len(hollow)} of the {len(rows)} points {_verb(hollow, 'is', 'are')} not resolved"
        if len(hollow) == len(rows):
            why = "no point is resolved"
        elif fits[s].get("window"):
            why = f"the window set by hand holds fewer than {LEAST} usable points"
        found.setdefault(f"no slope: {why}", []).append(s)
    return [_of(who, what) for what, who in found.items()]


def _of(who, what) -> str:
    """ "EM and EI have no slope": what begins with the word that its verb goes with."""
    verbs = {"no": ("has ", "have "), "an": ("has ", "have "), "diverged": ("", "")}
    return f"{listed(who)} {_verb(who, *verbs[what.split()[0]])}{what}"


def _at_one_step(result, names) -> str:
    rows = {s: rows_of(result, s)[0] for s in names}
    kept = {s: r for s, r in rows.items() if not diverged(r)}
    values = [f"{value_text(r)} for {s}" + ("" if r.get("resolved", True) else " (not resolved)") for s, r in kept.items()]
    parts = [f"the measured W₂ is {listed(values)}"] if values else []
    for word in dict.fromkeys(no_value(r) for s, r in rows.items() if s not in kept):
        parts.append(_of([s for s, r in rows.items() if s not in kept and no_value(r) == word], LOST[word]))
    first = rows[names[0]]
    one = "number of steps" if first["h"] is None else "step size"
    return f"At {place(first)} {' and '.join(parts)}. One {one} gives no slope."


def levels_met(result: dict) -> dict[str, float | None]:
    """The largest L2 level of the score error that each scheme met; None where one of its runs diverged."""
    met = {name: [row["error_level_met"] for row in rows_of(result, name)] for name in schemes_of(result)}
    return {name: None if None in levels else max(levels) for name, levels in met.items() if levels}
