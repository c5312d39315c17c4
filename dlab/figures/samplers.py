"""Work and precision of all schemes, and the churned flow, from the answers `samplers` and `dial`. It draws and computes no law."""

import math

from dlab import schemes
from dlab.figures.chart import LESS, MORE, Chart, Curve
from dlab.figures.numbers import estimate, fixed, listed, number, order
from dlab.figures.plot import even_axis, log_axis, lost, plot, scheme_look, step_axis

SHOWN = {
    "all": "All schemes", "paper": "Of the paper", "SDE": "Of the SDE", "ODE": "Of the ODE", "multistep": "Multistep",
    "Hessian": "With a Hessian",
}  # fmt: skip
AT = 48  # evaluations that the sentence is about


def chosen(shown: str) -> list[str]:
    """The names of the schemes that a key of SHOWN stands for."""
    tests = {"all": lambda s: True, "multistep": lambda s: s.history > 0, "Hessian": lambda s: s.hessian_evals > 0}
    test = tests.get(shown, lambda s: s.family == shown)
    return [name for name, scheme in schemes.REGISTRY.items() if test(scheme)]


def chart(rows: list[dict], says: str, picked: str | None = None) -> Chart:
    """W2 against evaluations, log-log, one curve a scheme, of the rows of a `samplers` answer; the one that is picked is drawn over
    the others, which are thin and without markers, where it has values of its own."""
    names = list(dict.fromkeys(r["scheme"] for r in rows))
    if not any(r["scheme"] == picked and not r["flags"] for r in rows):  # nothing of it to be compared with
        picked = None
    curves = []
    for name in sorted(names, key=lambda n: n == picked):
        mine, look = [r for r in rows if r["scheme"] == name], scheme_look(name)
        if picked not in (None, name):
            mine, look = [r for r in mine if not r["flags"]], {**look, "marker": "", "thin": True}
        curves.append(Curve.of(name, mine, _at, why=lambda r: r["flags"], says=_says, label=name, **look))
        gone = [r for r in mine if r["w2"] is None]
        curves.append(lost(f"{name} without a value", gone, _at, _says, **{**look, "marker": "x"}))
    axis = step_axis(map(_at, rows), "evaluations a path", (1.15, 1.15), "{:g}".format)
    return plot(
        "W₂ against evaluations of score and Hessian", axis, _quantity(rows), curves,
        guide={"hollow": "equal up to rounding, or rough", "x": "not finite"}, slopes=(1.0, 2.0, 3.0), corner="left",
        headroom=math.inf, says=says,
    )  # fmt: skip


def _at(row):
    return row["evaluations"]


def _says(row) -> list[str]:
    value = f"W₂ {estimate(row)}" if row["w2"] is not None else "no finite value"
    return [f"{schemes.REGISTRY[row['scheme']].title}", f"{row['evaluations']} evaluations, {row['steps']} steps", value]


def _quantity(rows) -> str:
    methods = list(dict.fromkeys(r["method"] for r in rows if r["w2"] is not None))
    text = f"W₂ ({', '.join(methods)})" if methods else "W₂"
    return text if len(text) <= 30 else text.replace(" (", "\n(", 1)


def ranked_at(rows: list[dict], evaluations: int = AT) -> list[dict]:
    """Rows of so many evaluations that have a value of their own, the least first."""
    return sorted((r for r in rows if r["evaluations"] == evaluations and r["w2"] is not None and not r["flags"]), key=lambda r: r["w2"])


def sentence(rows: list[dict], picked: str | None = None) -> str:
    """What the picture shows at AT evaluations: the least and the largest W2, or the picked scheme's rank."""
    ranked = ranked_at(rows)
    if not ranked:
        return f"No scheme has a resolved value at {AT} evaluations."
    best = ranked[0]
    mine = next((r for r in rows if r["scheme"] == picked and r["evaluations"] == AT), None)
    if mine in ranked:
        place = ranked.index(mine) + 1
        least = f"number {place} of {len(ranked)}; the smallest is {number(best['w2'])} ({best['scheme']})"
        rank = "the smallest of all" if place == 1 else least
        return f"With {AT} evaluations {picked} reaches W₂ = {number(mine['w2'])}, {rank}."
    if mine:
        why = mine["flags"][0] if mine["flags"] else "its law is not finite"
        return f"With {AT} evaluations {picked} has no resolved value: {why}."
    worst = ranked[-1]
    return f"With {AT} evaluations W₂ runs from {number(best['w2'])} ({best['scheme']}) to {number(worst['w2'])} ({worst['scheme']})."


def table(rows: list[dict]) -> list[dict]:
    """One formatted dict a scheme: what a step costs, W2 at each number of evaluations, slope between the last two, true orders."""
    counts = sorted({r["evaluations"] for r in rows})
    found = []
    for name in dict.fromkeys(r["scheme"] for r in rows):
        scheme, mine = schemes.REGISTRY[name], {r["evaluations"]: r for r in rows if r["scheme"] == name}
        cost = [f"{scheme.score_evals} score{'s' * (scheme.score_evals > 1)}"]
        cost += [f"{scheme.hessian_evals} Hessian"] if scheme.hessian_evals else []
        flags = dict.fromkeys(flag for r in mine.values() for flag in r["flags"])
        found.append({
            "scheme": name, "a step costs": ", ".join(cost), **{f"W₂ at {n}": estimate(mine[n]) if n in mine else "" for n in counts},
            "slope at the end": _slope(mine, counts), "law order": order(scheme.law_order), "strong order": order(scheme.strong_order),
            "hollow because": "; ".join(flags),
        })  # fmt: skip
    return found


def _slope(mine, counts) -> str:
    two = [mine.get(n) for n in counts[-2:]]
    if len(two) < 2 or any(r is None or not r["w2"] or r["flags"] for r in two):
        return number(None)
    return fixed(math.log(two[0]["w2"] / two[1]["w2"]) / math.log(counts[-1] / counts[-2]))


def missing(reasons: dict[str, str]) -> str:
    """Which schemes cannot be run here, and why."""
    groups = {}
    for name, reason in reasons.items():
        groups.setdefault(reason, []).append(name)
    return " ".join(f"Not here: {listed(names)}. {reason}" for reason, names in groups.items())


# ---------------------------------------------------------------- the dial

GRIDS = {"log": "equal steps of log σ", "own": "the best grid for each e"}
SHORT = {"log": "log σ", "own": "best grid"}


def dial(found: dict) -> Chart:
    """W2 against the churn e at the N of a `dial` answer, on both grids, and what N W2 tends to on the second one, over N."""
    rows, n = found["rows"], found["steps"]
    curves = [
        Curve.of(title, rows, _churn, value=lambda r, k=name: r[k], dash="solid" if name == "log" else "dash", label=title,
                 colours=LESS if name == "log" else MORE)
        for name, title in GRIDS.items()
    ]  # fmt: skip
    limit = {"dash": "dot", "thin": True, "key": "its leading term as N grows"}
    curves.append(Curve.of("limit", rows, _churn, value=lambda r: r["limit"] / n, **limit))
    values = [v for r in rows for v in (r["log"], r["own"], r["limit"] / n) if v]
    axis = log_axis("W₂ (exact), in units of √v", values, (1.3, 1.3))
    return plot(f"W₂ against the churn e, {n} steps", even_axis("churn e: 0 the flow, 1 the reverse SDE", 0.0, 4.0), axis, curves,
                says=dial_sentence(found))  # fmt: skip


def _churn(row):
    return row["churn"]


def dial_sentence(found: dict) -> str:
    """Where W2 is least on the best grid, and what it is for the flow and the SDE there."""
    rows = [r for r in found["rows"] if r["own"] is not None]
    least, by = min(rows, key=lambda r: r["own"]), {r["churn"]: r for r in rows}
    return (
        f"With {found['steps']} steps on the best grid W₂ is {number(by[0.0]['own'])} for the flow, {number(by[1.0]['own'])} for the "
        f"SDE and least, {number(least['own'])}, at e = {least['churn']:g}."
    )


def dial_table(found: dict) -> list[dict]:
    """At whole and half e: W2, its slope from N to 2N and N W2 on both grids, and what the last tends to on the second."""
    n = found["steps"]
    return [
        {
            "e": f"{r['churn']:g}",
            **{f"{what}, {SHORT[k]}": value for k in GRIDS for what, value in (
                ("W₂", number(r[k])), ("order", fixed(r[f"{k}_order"])),
                ("N W₂", number(r[k] and n * r[k])))},
            "limit of N W₂": number(r["limit"]),
        }
        for r in found["rows"] if r["churn"] % 0.5 < 1e-9
    ]  # fmt: skip
