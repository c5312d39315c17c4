"""One score error under every assumption, and fresh noise, from the answers `score_assumptions` and `fresh_noise`."""

from dlab.figures.chart import INK, LESS, MORE, NEUTRAL, Axis, Chart, Curve, Key, Sheet
from dlab.figures.numbers import NONE, Z95, interval, listed, number
from dlab.figures.plot import beside, log_axis, plot, step_axis

# Name, what its number is, what the second one is, and what training controls of it.
ASSUMPTIONS = {
    "iterates": ("iterates, worst", "sup of ‖s* − s‖ along the sampler's iterates", "", "no: training never sees the iterates"),
    "average": ("iterates, mean", "the same, averaged over time", "", "no: training never sees the iterates"),
    "split": ("bias, fresh part", "sup of the bias along the iterates", "sup of the fresh part",
              "no, and a fixed network has no fresh part"),
    "relative": ("relative", "largest |s* − s|/|s|", "", "no: it asks for every point"),
    "forward": ("under pₜ, worst", "sup of ‖s* − s‖ under pₜ", "largest Lipschitz constant of a step with s*",
                "the error, if every time has its own loss; not the Lipschitz constant"),
    "loss": ("under pₜ, mean", "‖s* − s‖ under pₜ, averaged over time", "largest Lipschitz constant of a step with s*",
             "the error: it is the loss; not the Lipschitz constant"),
    "one-sided": ("one-sided", "sup of ‖s* − s‖ under pₜ", "largest eigenvalue of the symmetrised Jacobian of s*",
                  "the error; not the eigenvalue"),
}  # fmt: skip
TRAINED = ("forward", "loss", "one-sided")


def sheet(found: dict, fresh: dict, picked: str | None = None) -> Sheet | None:
    """The bounds of all assumptions and what fresh noise does; None where there is no bound."""
    if found["void"]:
        return None
    parts = (bounds(found, picked), slopes(fresh))
    return beside("Score errors and their assumptions", parts, " ".join(p.alt for p in parts), sentence(found, picked))


def bounds(found: dict, picked: str | None = None) -> Chart:
    """What each assumption's bound makes of the score error, a dot each, beside how far the error moves the run."""
    rows = [r for r in found["rows"] if r["bound"]]
    places = {r["name"]: float(len(rows) - i) for i, r in enumerate(rows)}
    moved = found["moved"]
    axis = log_axis("bound on its share of W₂", [moved, *(r["bound"] for r in rows)], (1.4, 1.4))
    curves = []
    for r in rows:
        trained = r["name"] in TRAINED
        colours, y = LESS if trained else NEUTRAL, places[r["name"]]
        curves.append(Curve(f"{r['name']} stem", (axis.limits[0], r["bound"]), (y, y), colours, dash="solid", thin=r["name"] != picked))
        hover = f"{ASSUMPTIONS[r['name']][0]}\n{ASSUMPTIONS[r['name']][1]}: {number(r['number'])}\nbound {number(r['bound'])}"
        curves.append(Curve(r["name"], (r["bound"],), (y,), colours, marker="circle" if trained else "square", hover=(hover,)))
    height = (0.4, len(rows) + 0.6)
    curves.append(Curve("moved", (moved, moved), height, INK, dash="dash"))
    ticks = tuple((places[r["name"]], ASSUMPTIONS[r["name"]][0]) for r in reversed(rows))
    keys = [
        Key("training controls the error", LESS, marker="circle"), Key("it does not", NEUTRAL, marker="square"),
        Key("how far the run moves (L₂)", INK, dash="dash"),
    ]  # fmt: skip
    each = ", ".join(f"{ASSUMPTIONS[r['name']][0]} {number(r['bound'])}" for r in rows)
    return plot("What each bound says", axis, Axis("", height, ticks, log=False), curves, keys=keys, says=f"Bounds: {each}.")


def slopes(fresh: dict) -> Chart:
    """Coupled distance and W2 of the law against N under fresh noise, and the coupled distance without it."""
    def at(r):
        return float(r["steps"])

    known = fresh["slopes"]
    curves = [
        Curve.of("coupled", fresh["rows"], at, value=lambda r: r["coupled"], colours=MORE, marker="triangle-down", dash="dash",
                 label="coupled L₂", says=lambda r: [f"N = {r['steps']}", f"coupled {number(r['coupled'])}"]),
        Curve.of("law", fresh["rows"], at, value=lambda r: r["law"], colours=LESS, marker="circle", dash="solid",
                 label="W₂ of the law", says=lambda r: [f"N = {r['steps']}", f"W₂ {number(r['law'])}"]),
        Curve.of("own", fresh["rows"], at, value=lambda r: r["own"], colours=NEUTRAL, dash="dot", thin=True, label="coupled, exact score"),
    ]  # fmt: skip
    axis = step_axis(map(at, fresh["rows"]), "number of steps N", (1.2, 1.2), "{:g}".format)
    return plot("Fresh noise: ½ and 1", axis, "distance (exact)", curves, slopes=(0.5, 1.0), corner="left",
                says=f"Orders {known['coupled']:.2f} in the coupling and {known['law']:.2f} in the law.")  # fmt: skip


def sentence(found: dict, picked: str | None = None) -> str:
    """The picked assumption's number and bound, and the least of all bounds."""
    if found["void"]:
        return f"There is no bound here: {found['void']}"
    rows = {r["name"]: r for r in found["rows"]}
    moved = interval(found["moved"], Z95 * found["moved_stderr"])
    said = [f"The error moves the run by {moved} in L₂."]
    if mine := rows.get(picked):
        title, what, second, training = ASSUMPTIONS[picked]
        if mine["bound"] is None:
            said.append(f"“{title}” does not hold here: where the score vanishes the error does not.")
        else:
            more = f", {second} {number(mine['second'])}" if second else ""
            times = mine["bound"] / found["moved"] if found["moved"] else None
            said.append(f"“{title}”: {what} {number(mine['number'])}{more}; bound {number(mine['bound'])}, {number(times)} times as much. "
                        f"Does training control it? {training[0].upper()}{training[1:]}.")  # fmt: skip
    known = [r for r in found["rows"] if r["bound"]]
    best = min(known, key=lambda r: r["bound"])
    lost = [ASSUMPTIONS[r["name"]][0] for r in found["rows"] if r["bound"] is None]
    said.append(f"The least bound is that of “{ASSUMPTIONS[best['name']][0]}”, {number(best['bound'])}.")
    return " ".join([*said, *([f"Void here: {listed(lost)}."] if lost and picked not in rows else [])])


def table(found: dict) -> list[dict]:
    """One line an assumption."""
    rows = []
    for r in found["rows"]:
        title, what, second, training = ASSUMPTIONS[r["name"]]
        times = r["bound"] / found["moved"] if r["bound"] and found["moved"] else None
        rows.append({
            "assumption": title, "its number": f"{number(r['number'])}: {what}",
            "and": f"{number(r['second'])}: {second}" if second and r["second"] is not None else NONE,
            "bound": number(r["bound"]), "÷ how far the run moves": number(times), "does training control it": training,
        })  # fmt: skip
    return rows
