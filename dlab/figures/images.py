"""The Images page's pictures, sentences and tables, from the answers of `study.images`; nothing is computed here."""

from dlab import schemes
from dlab.answers.images import FINEST
from dlab.figures.chart import Axis, Band, Chart, Curve, decades
from dlab.figures.numbers import NONE, Z95, estimate, listed, number, step_size
from dlab.figures.plot import even_axis, log_axis, plot, scheme_look
from dlab.linop.products import TOLERANCE

TITLES = {"frechet": "Fréchet, full", "frechet-diagonal": "Fréchet, diagonal", "sliced": "sliced W₂"}
COSTS = {"h": "step size h", "evals": "evaluations"}
AXES = {"h": "step size h", "evals": "scores and Hessian-vector products of an image"}
DRAWN_GROWTH = 4


def size_text(h: float) -> str:
    """A step size as the page offers it: tenths, not powers of two."""
    return f"{h:.3g}"


def grid_notes(found: dict) -> dict[str, str]:
    """What stands under each scheme's grid."""
    notes = {}
    for name, gone in found["refused"].items():
        spent, lost = found["spent"].get(name), sum(f >= 0 for f in gone)
        said = [f"{lost} of {found['count']} not drawn"] if lost else []
        if spent:
            said.append(f"{sum(spent['products']) / len(spent['products']):.1f} products a step")
        notes[name] = ", ".join(said)
    return notes


def grid_alt(found: dict) -> str:
    names = listed(found["frames"])
    return (
        f"{found['count']} images of each of {names}, from noise at t = {number(found['times'][0])} to the end, from the same noise. "
        f"{grid_sentence(found)}"
    )


def grid_sentence(found: dict) -> str:
    """What the grids show now."""
    steps = round(found["study"]["T"] / found["h"])
    size = f"h\u00a0=\u00a0{size_text(found['h'])}"
    said = [f"All schemes start from the same noise, in {steps} steps of {size}."]
    for name, spent in found["spent"].items():
        pieces, top = sum(spent["pieces"]), max(spent["growth"])
        limit = found["study"].get("growth")
        said.append(f"{name} needed {sum(spent['products']) / steps:.1f} Hessian-vector products a step.")
        if limit and pieces > steps:
            said.append(
                f"{_cut(found, spent)}, {pieces:.0f} pieces in all, each with products of its own: there the data cluster, L has large "
                f"positive eigenvalues λ, and no piece lets distances grow by more than exp({limit:g})."
            )
        elif top > 2:
            said.append(
                f"At {_time(found, spent['growth'].index(top))} some image met hλ\u00a0=\u00a0{number(top)}: L's largest eigenvalue λ is "
                f"positive where data cluster, and SO's step then lets distances and noise grow by up to exp({number(top)}), far beyond "
                f"where L can be taken as constant."
            )
    for name, gone in found["refused"].items():
        if lost := sum(f >= 0 for f in gone):
            why = f"their step let distances grow by more than exp({DRAWN_GROWTH})" if name in found["spent"] else "their values overflowed"
            said.append(f"{lost} of {found['count']} images of {name} are crossed out: {why}.")
    return " ".join(said)


def _time(found, step: int) -> str:
    return f"t\u00a0=\u00a0{number(found['study']['T'] - found['h'] * step)}"


def _cut(found, spent) -> str:
    """Which steps were taken in pieces."""
    cut = [_time(found, i) for i, pieces in enumerate(spent["pieces"]) if pieces > 1]
    return f"Its step at {cut[0]} was cut" if len(cut) == 1 else f"Between {cut[0]} and {cut[-1]} its steps were cut"


def difference_notes(found: dict) -> dict[str, str]:
    """What stands beside each row of differences; under "" of the finest run."""
    notes = {"": f"{FINEST}, h = {step_size(found['finest'])}"}
    for name, rms in found["rms"].items():
        lost = found["refused"][name].count(0)
        notes[name] = "no image left" if rms is None else f"{number(rms)} a pixel"
        notes[name] += f", {lost} of {found['count']} left out" if lost else ""
    return notes


def difference_sentence(found: dict) -> str:
    """How far the schemes' images are from those of the finest run."""
    rms = {name: value for name, value in found["rms"].items() if value is not None}
    if not rms:
        return "No scheme's images could be compared."
    near, far = min(rms, key=rms.get), max(rms, key=rms.get)
    size = f"h\u00a0=\u00a0{size_text(found['h'])}"
    text = f"With steps of {size} the images of {near} come closest to those of the finest run: they differ by {number(rms[near])} a pixel"
    text += f", those of {far} by {number(rms[far])}" if near != far else ""
    lost = [name for name, gone in found["refused"].items() if 0 in gone]
    return f"{text} (root mean square)." + (f" Of {listed(lost)} those are crossed out that met hλ > {DRAWN_GROWTH}." if lost else "")


def steps_table(found: dict) -> list[dict]:
    """SO's products, pieces and growth at each step."""
    rows = []
    for name, spent in found["spent"].items():
        for i, (products, pieces, growth) in enumerate(zip(spent["products"], spent["pieces"], spent["growth"])):
            rows.append({
                "scheme": name, "step": i + 1, "t": number(found["study"]["T"] - i * found["h"]), "products": round(products),
                "pieces": round(pieces), "largest hλ": number(growth),
            })  # fmt: skip
    return rows


def _cost(row, cost):
    return row["h"] if cost == "h" else row["score_evals"] + row["products"]


def chart(found: dict, method: str, cost: str = "h") -> Chart:
    """A distance against h or against evaluations, with its floor."""
    rows = [r for r in found["rows"] if r["method"] == method]
    curves = _by_scheme(
        rows, cost, why=lambda r: r["flags"],
        says=lambda r: [f"{r['scheme']}, h = {size_text(r['h'])}", f"{estimate(r)}, floor {number(r['floor'])}"])  # fmt: skip
    x = _across(rows, cost)
    floor = max((r["floor"] for r in rows), default=0.0)
    return plot(
        f"{TITLES[method]} against {COSTS[cost]}", x, f"{TITLES[method]} ({found['study']['particles']} images)", curves,
        bands=[Band("floor", x.limits, (0.0,) * 2, (floor,) * 2)] if rows else [], guide={"band": "sampling floor"},
        says=sentence(found, method),
    )  # fmt: skip


def _by_scheme(rows, cost, **how) -> list[Curve]:
    """A curve a scheme."""
    return [
        Curve.of(name, [r for r in rows if r["scheme"] == name], lambda r: _cost(r, cost), **scheme_look(name), **{**how, "label": name})
        for name in dict.fromkeys(r["scheme"] for r in rows)
    ]


def _across(rows, cost) -> Axis:
    places = sorted({_cost(r, cost) for r in rows})
    return log_axis(AXES[cost], places, ticks=(lambda *_: tuple((v, size_text(v)) for v in places)) if cost == "h" and places else decades)


def _products(row) -> str:
    return f", {row['products']:.0f} products" if row["products"] else ""


def sentence(found: dict, method: str) -> str:
    """What the distances say at the finest step, with what they cost."""
    rows = [r for r in found["rows"] if r["method"] == method]
    if not rows:
        return "Every scheme diverged at every step size."
    finest = min(r["h"] for r in rows)
    mine = [r for r in rows if r["h"] == finest]
    each = listed(
        f"{r['scheme']} {estimate(r)} ({r['score_evals']} scores{_products(r)})" for r in mine
    )
    hollow = sum(bool(r["flags"]) for r in rows)
    said = f"{TITLES[method][0].upper()}{TITLES[method][1:]} at h = {size_text(finest)}: {each}; the floor is {number(mine[0]['floor'])}."
    cut = [f"{r['pieces']:.0f} for {r['steps']}" for r in rows if r["pieces"] > 1.01 * r["steps"]]
    said += f" Steps of SO were cut where the data cluster, so its h is the one asked for: pieces taken {listed(cut)}." if cut else ""
    missed = [f"{size_text(r['h'])} ({number(r['missed'])})" for r in found["near"] if (r["missed"] or 0) > TOLERANCE]
    if missed:
        said += f" SO's products stopped short of their tolerance at h = {listed(missed)}; in brackets the error per step noise."
    lost = [f"{r['scheme']} at h = {size_text(r['h'])}" for r in found["near"] if r["diverged"]]
    said += f" Hollow: {hollow} of {len(rows)} points, which lie below twice the floor." if hollow else ""
    return said + (f" Diverged, so not shown: {listed(lost)}." if lost else "")


def table(found: dict) -> list[dict]:
    """A line for each scheme and step size."""
    lines = []
    for near in sorted(found["near"], key=lambda r: (list(schemes.REGISTRY).index(r["scheme"]), -r["h"])):
        mine = {r["method"]: r for r in found["rows"] if (r["scheme"], r["steps"]) == (near["scheme"], near["steps"])}
        lines.append({
            "scheme": near["scheme"], "h": size_text(near["h"]), "scores": near["score_evals"], "products": round(near["products"]),
            "products a step": f"{near['products'] / near['steps']:.1f}" if near["products"] else NONE,
            **{label: estimate(mine[m]) if m in mine else "diverged" for m, label in (
                ("frechet", "Fréchet, full"), ("frechet-diagonal", "Fréchet, diagonal"), ("sliced", "sliced W₂"))},
            "copies": "diverged" if near["diverged"] else f"{near['copies']:.0%}",
            "distance to the data": "diverged" if near["diverged"] else number(near["distance"]),
            "largest hλ": number(near["growth"]),
        })  # fmt: skip
    return lines


def near_chart(found: dict, cost: str = "h") -> Chart:
    """Distance to the nearest image against h or against evaluations: medians with quartiles, beside held-out images and the data's own
    samples."""
    rows, others = [r for r in found["near"] if not r["diverged"]], found["others"]
    x = _across(rows, cost)
    curves = _by_scheme(
        rows, cost, value=lambda r: r["distance"], ends=lambda r: (r["low"], r["high"]),
        says=lambda r: [f"{r['scheme']}, h = {size_text(r['h'])}", f"median {number(r['distance'])}", f"copies {r['copies']:.0%}"],
    )  # fmt: skip
    top, bands = max([0.8, *(r["high"] for r in [*rows, *others.values()])]), []
    for label, dash, key in (("held out", "dash", "held-out images"), ("data", "solid", "samples of p₀")):
        if at := others.get(label):
            bands.append(Band(label, x.limits, (at["low"],) * 2, (at["high"],) * 2))
            curves.append(Curve(label, x.limits, (at["distance"],) * 2, dash=dash, thin=True, label=key))
    y = Axis("distance to the nearest image, in w√d", (0.7, 1.15 * top), decades(0.7, 1.15 * top))
    return plot(
        "Distance to the nearest image", x, y, curves, bands=bands, says=near_sentence(found),
    )  # fmt: skip


def near_sentence(found: dict) -> str:
    rows = [r for r in found["near"] if not r["diverged"]]
    others, finest = found["others"], min((r["h"] for r in rows), default=None)
    if finest is None:
        return "Every scheme diverged."
    each = listed(f"{r['scheme']} {r['copies']:.0%} ± {Z95 * r['stderr']:.0%}" for r in rows if r["h"] == finest)
    said = f"Copies of the data at h = {size_text(finest)}, nearer than 1.5 w√d to one of its {found['images']} images: {each}."
    if "held out" in others:
        said += f" Of the held-out images, with the same noise, {others['held out']['copies']:.0%} are this close."
    return said + (
        " The exact score of a finite data set knows only its images, so the better the sampler, the more it copies; the noise that "
        "coarse steps leave hides this."
        if found["study"]["score_error"]["name"] == "none"
        else " The network has seen only samples of the smoothed images; where it smooths over what lies between them, it copies less."
    )


def lesson_chart(rows: list[dict]) -> Chart:
    """Full and diagonal distance between two Gaussians turned by opposite angles."""
    top = max(r["full"] for r in rows)
    curves = [
        Curve.of(f"{kind} covariance", rows, lambda r: r["angle"], value=lambda r, k=kind: r[k], label=f"{kind} covariance",
                 group=kind, colours=colours, marker=marker, dash=dash,
                 says=lambda r, k=kind: [f"{k} covariance, angle ±{r['angle']}°", number(r[k])])
        for kind, colours, marker, dash in (
            ("full", ("#1d2733", "#e8edf3"), "circle", "solid"), ("diagonal", ("#D55E00", "#D55E00"), "square", "dash"))
    ]  # fmt: skip
    y = even_axis("W₂ of the Gaussians, exact", -0.06 * top, 1.15 * top)
    x = Axis("angle", (-3.0, 93.0), tuple((float(v), f"{v}°") for v in range(0, 91, 30)), log=False)
    return plot("What a diagonal covariance misses", x, y, curves, says=lesson_sentence(rows))


def lesson_sentence(rows: list[dict]) -> str:
    most = max(rows, key=lambda r: r["full"])
    return (
        f"Two Gaussians with variances 1 and 0.1, one turned by +{most['angle']}°, the other by −{most['angle']}°, are "
        f"{number(most['full'])} apart; with diagonal covariances the distance reads {number(most['diagonal'])}, here and at every angle: "
        "turning by opposite angles leaves the variances of the coordinates equal, and only the correlation tells the two apart."
    )
