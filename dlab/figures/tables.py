"""A result in words and tables: the same sentences that the figure says on hover, and the numbers behind it.

`result` is the result file's object (README, “From the shell”) everywhere; optional keys may be missing.
"""

import math
import re

from dlab.figures.numbers import NONE, Z95, interval, listed, number, order, step_size

METHODS = {
    "exact-moments": "exact for the first two moments, so a lower bound of W₂",
    "exact-marginals": "exact along the axes, which is a lower bound of W₂",
    "density": "of the density on a grid, to first order in the displacement",
}
OUTSIDE = "outside the asymptotic range, not fitted"
BY_HAND = "outside the window set by hand, not fitted"


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
    """W2 with its 95 % interval."""
    return interval(row.get("w2"), Z95 * (row.get("stderr") or 0.0))


def fitted(row, fit) -> bool:
    return has_slope(fit) and any(math.isclose(row["h"], h, rel_tol=1e-9) for h in fit.get("used") or ())


def diverged(row) -> bool:
    return bool(row.get("diverged")) or row.get("w2") is None


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
    out = []
    for scheme in schemes_of(result):
        rows, fit = rows_of(result, scheme), fit_of(result, scheme)
        void = _void(result, scheme)
        finest = next((r for r in reversed(rows) if r.get("resolved") and not diverged(r) and r["w2"] > 0), None)
        ratio = NONE
        if finest and finest.get("bound") is not None:
            ratio = f"{number(finest['bound'] / finest['w2'])} at h = {step_size(finest['h'])}"
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
            "constant at the true order": _at_order(fit),
            "bound ÷ measured": "void" if void else ratio,
            "why": "; ".join(why),
        })
    return out


def _at_order(fit) -> str:
    """C of W2 = C h^order, the order of the law taken as known."""
    value, low, high = (fit.get(f"constant_at_order{end}") for end in ("", "_low", "_high"))
    if value is None:
        return NONE
    return f"{interval(value, None if low is None else (high - low) / 2)} · h^{order(fit['law_order'])}"


def rows_table(result) -> list[dict]:
    """Every row, formatted for reading; `export.rows_csv` has the bare numbers."""
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
                "W₂ ± 95 %": "diverged" if diverged(row) else value_text(row),
                "bracket": NONE if lower == upper == NONE else f"{lower} to {upper}",
                "floor": number(row.get("floor")),
                "method": row.get("method", NONE),
                "bound": "void" if _void(result, scheme) else number(row.get("bound")),
                "score error met": number(row.get("error_level_met")),
                "fitted": "yes" if fitted(row, fit) else "no",
                "why": "; ".join(reasons(row, fit)),
            })
    return out


def _promise(result, schemes) -> str:
    """What the theorems say about these schemes' orders."""
    study = result.get("study") or {}
    clean = study.get("start", "exact") == "exact" and (study.get("score_error") or {}).get("name", "none") == "none"
    orders, void = {}, []
    for s in schemes:
        promised = fit_of(result, s).get("theory_order")
        if promised is not None:
            orders.setdefault(promised, []).append(s)
        elif _void(result, s):
            void.append(s)
    several = len(schemes) > 1
    text = listed(order(p) + (f" for {listed(names)}" if several else "") for p, names in sorted(orders.items()))
    # A wrong score or start leaves a term that no h removes: then only the h-term has an order.
    verb = "promises at least" if clean else "has an h-term of order"
    parts = [f"the theorem {verb} {text}"] if text else []
    if void:
        parts.append("the bound is void" + (f" for {listed(void)}" if several else ""))
    return ", and ".join(parts)


def sentence(result) -> str:
    """One or two sentences that say what the picture shows now."""
    names = schemes_of(result)
    if not names:
        return "Nothing has been measured yet."
    if len({r["h"] for r in result["rows"]}) == 1:
        return _at_one_step(result, names)
    sloped = [s for s in names if has_slope(fit_of(result, s))]

    def falls(s):
        low = fit_of(result, s).get("slope_low")
        return fit_of(result, s)["slope"] > 0 and (low is None or low > 0)

    said = [f"{s} {slope_text(fit_of(result, s))}" for s in sloped if falls(s)]
    parts = []
    if said:
        # "EM falls with measured slope 1.02 ± 0.02", then the others by name and number.
        name, _, slope = said[0].partition(" ")
        parts.append(listed([f"{name} falls with measured slope {slope}", *said[1:]]))
    parts += [
        f"{s} has no clear slope (measured {slope_text(fit_of(result, s))})" for s in sloped if not falls(s)
    ]
    promise = _promise(result, sloped or names)
    if parts:
        first = "; ".join([*parts, promise] if promise else parts) + "."
    else:
        first = "No scheme has a measured slope" + (f"; {promise}." if promise else ".")
    rest = {}  # what is to be said -> the schemes of which it is true
    for s in names:
        rows = rows_of(result, s)
        lost = [r for r in rows if diverged(r)]
        hollow = [r for r in rows if not diverged(r) and not r.get("resolved", True)]
        if lost:
            rest.setdefault(f"diverged at h = {', '.join(step_size(r['h']) for r in lost)}", []).append(s)
        if s not in sloped and len(lost) < len(rows):
            count = f"{len(hollow)} of the {len(rows)} points {'is' if len(hollow) == 1 else 'are'} not resolved"
            if len(hollow) == len(rows):
                count = "no point is resolved"
            rest.setdefault(f"without a slope: {count if hollow else 'too few usable points'}", []).append(s)
    said = []
    for what, who in rest.items():
        verb = "" if what.startswith("diverged") else "is " if len(who) == 1 else "are "
        said.append(f"{listed(who)} {verb}{what}")
    return first + (f" {'; '.join(said)}." if said else "")


def _at_one_step(result, names) -> str:
    rows = {s: rows_of(result, s)[0] for s in names}
    values = [
        f"{value_text(r)} for {s}" + ("" if r.get("resolved", True) else " (not resolved)")
        for s, r in rows.items()
        if not diverged(r)
    ]
    lost = [s for s, r in rows.items() if diverged(r)]
    parts = [f"the measured W₂ is {listed(values)}"] if values else []
    parts += [f"{listed(lost)} diverged"] if lost else []
    return f"At h = {step_size(rows[names[0]]['h'])} {' and '.join(parts)}. One step size shows no slope."


def levels_met(result: dict) -> dict[str, float | None]:
    """The largest L2 level of the score error that each scheme met; None where one of its runs left the numbers."""
    met = {name: [row["error_level_met"] for row in rows_of(result, name)] for name in schemes_of(result)}
    return {name: None if None in levels else max(levels) for name, levels in met.items() if levels}
