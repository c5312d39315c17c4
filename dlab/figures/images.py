"""The Images page's pictures, sentences and tables, from the answers of `study.images`; nothing is computed here."""

from dlab import schemes
from dlab.figures.chart import NEUTRAL, Axis, Band, Chart, Curve, Key, decades, evenly
from dlab.figures.numbers import NONE, Z95, interval, listed, number
from dlab.linop.products import TOLERANCE

TITLES = {"frechet": "Fréchet, full", "frechet-diagonal": "Fréchet, diagonal", "sliced": "sliced W₂"}
COSTS = {"h": "step size h", "evals": "evaluations"}
AXES = {"h": "step size h", "evals": "scores and Hessian-vector products of an image"}
FULL, DIAGONAL = ("#1d2733", "#e8edf3"), ("#D55E00", "#D55E00")
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
    said = [f"All schemes start from the same noise and meet the same increments, in {steps} steps of {size}."]
    for name, spent in found["spent"].items():
        pieces, top = sum(spent["pieces"]), max(spent["growth"])
        limit = found["study"].get("growth")
        said.append(f"{name} took {sum(spent['products']) / steps:.1f} Hessian-vector products a step.")
        if limit and pieces > steps:
            said.append(
                f"{_cut(found, spent)}, {pieces:.0f} pieces in all, each with products of its own: there the data cluster, L has large "
                f"positive eigenvalues λ, and no piece lets distances grow by more than exp({limit:g})."
            )
        elif top > 2:
            said.append(
                f"At {_time(found, spent['growth'].index(top))} some image met hλ\u00a0=\u00a0{number(top)}: L's largest eigenvalue λ is "
                f"positive where data cluster, and SO's step then lets distances and noise grow by up to exp({number(top)}), far beyond "
                f"where a constant L is true."
            )
    for name, gone in found["refused"].items():
        if lost := sum(f >= 0 for f in gone):
            why = f"their step let distances grow by more than exp({DRAWN_GROWTH})" if name in found["spent"] else "they left the numbers"
            said.append(f"{lost} of {found['count']} images of {name} are crossed out: {why}.")
    return " ".join(said)


def _time(found, step: int) -> str:
    return f"t\u00a0=\u00a0{number(found['study']['T'] - found['h'] * step)}"


def _cut(found, spent) -> str:
    """Which steps were taken in pieces."""
    cut = [_time(found, i) for i, pieces in enumerate(spent["pieces"]) if pieces > 1]
    return f"Its step at {cut[0]} was cut" if len(cut) == 1 else f"Between {cut[0]} and {cut[-1]} its steps were cut"


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
    places, values = [_cost(r, cost) for r in rows] or [0.1, 1.0], [v for r in rows for v in (r["w2"], r["floor"])] or [0.1, 1.0]
    x, y = (min(places) / 1.3, max(places) * 1.3), (min(values) / 1.5, max(values) * 1.5)
    series, keys = [], []
    for name in dict.fromkeys(r["scheme"] for r in rows):
        style = schemes.REGISTRY[name].style
        mine = sorted((r for r in rows if r["scheme"] == name), key=lambda r: _cost(r, cost))
        look = {"colours": (style.light, style.dark), "group": name, "marker": style.marker, "dash": style.dash}
        series.append(Curve(
            name, tuple(_cost(r, cost) for r in mine), tuple(r["w2"] for r in mine),
            low=tuple(max(r["w2"] - Z95 * r["stderr"], y[0]) for r in mine), high=tuple(r["w2"] + Z95 * r["stderr"] for r in mine),
            filled=tuple(not r["flags"] for r in mine),
            hover=tuple(_hover(name, r) for r in mine), **look,
        ))  # fmt: skip
        keys.append(Key(name, **look))
    floor = max((r["floor"] for r in rows), default=y[0])
    return Chart(
        title=f"{TITLES[method]} against {COSTS[cost]}",
        x=Axis(AXES[cost], x, _ticks(places, x, cost)), y=Axis(f"{TITLES[method]} ({found['study']['particles']} images)", y, decades(*y)),
        series=tuple(series), bands=(Band("floor", x, (y[0],) * 2, (floor,) * 2),), keys=(*keys, Key("sampling floor", band=True)),
        alt=f"{TITLES[method]} against {AXES[cost]}, both axes logarithmic. {sentence(found, method)}",
        caption=sentence(found, method),
    )  # fmt: skip


def _ticks(places, limits, cost):
    return tuple((v, size_text(v)) for v in sorted(set(places))) if cost == "h" else decades(*limits)


def _products(row) -> str:
    return f", {row['products']:.0f} products" if row["products"] else ""


def _hover(name, row) -> str:
    return "\n".join([f"{name}, h = {size_text(row['h'])}", f"{_value(row)}, floor {number(row['floor'])}", *row["flags"]])


def _value(row) -> str:
    return interval(row["w2"], Z95 * row["stderr"])


def sentence(found: dict, method: str) -> str:
    """What the distances say at the finest step, with what they cost."""
    rows = [r for r in found["rows"] if r["method"] == method]
    if not rows:
        return "Every scheme diverged at every step size."
    finest = min(r["h"] for r in rows)
    mine = [r for r in rows if r["h"] == finest]
    each = listed(
        f"{r['scheme']} {_value(r)} ({r['score_evals']} scores{_products(r)})" for r in mine
    )
    hollow = sum(bool(r["flags"]) for r in rows)
    said = f"{TITLES[method][0].upper()}{TITLES[method][1:]} at h = {size_text(finest)}: {each}; the floor is {number(mine[0]['floor'])}."
    cut = [f"{r['pieces']:.0f} for {r['steps']}" for r in rows if r["pieces"] > 1.01 * r["steps"]]
    said += f" Steps of SO were cut where the data cluster, so its h is the one asked for: pieces taken {listed(cut)}." if cut else ""
    missed = [f"{size_text(r['h'])} ({number(r['missed'])})" for r in found["near"] if (r["missed"] or 0) > TOLERANCE]
    if missed:
        said += f" SO's products ended before their tolerance at h = {listed(missed)}: in brackets the error beside the step's noise."
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
            **{label: _value(mine[m]) if m in mine else "diverged" for m, label in (
                ("frechet", "Fréchet, full"), ("frechet-diagonal", "Fréchet, diagonal"), ("sliced", "sliced W₂"))},
            "copies": "diverged" if near["diverged"] else f"{near['copies']:.0%}",
            "distance to the data": "diverged" if near["diverged"] else number(near["distance"]),
            "largest hλ": number(near["growth"]),
        })  # fmt: skip
    return lines


def near_chart(found: dict, cost: str = "h") -> Chart:
    """Distance to the nearest image against h or against evaluations: medians with quartiles, beside held-out images and the data's own
    samples."""
    rows = [r for r in found["near"] if not r["diverged"]]
    places = sorted({_cost(r, cost) for r in rows}) or [0.1, 1.0]
    x, top = (places[0] / 1.3, places[-1] * 1.3), max([r["high"] for r in rows] + [o["high"] for o in found["others"].values()])
    y, series, keys = (0.7, 1.15 * top), [], []
    for name in dict.fromkeys(r["scheme"] for r in rows):
        style = schemes.REGISTRY[name].style
        mine = sorted((r for r in rows if r["scheme"] == name), key=lambda r: _cost(r, cost))
        look = {"colours": (style.light, style.dark), "group": name, "marker": style.marker, "dash": style.dash}
        series.append(Curve(
            name, tuple(_cost(r, cost) for r in mine), tuple(r["distance"] for r in mine), low=tuple(r["low"] for r in mine),
            high=tuple(r["high"] for r in mine),
            hover=tuple(f"{name}, h = {size_text(r['h'])}\nmedian {number(r['distance'])}\ncopies {r['copies']:.0%}" for r in mine), **look,
        ))  # fmt: skip
        keys.append(Key(name, **look))
    bands = []
    for label, dash in (("held out", "dash"), ("data", "solid")):
        if label in found["others"]:
            at = found["others"][label]
            bands.append(Band(label, x, (at["low"],) * 2, (at["high"],) * 2))
            series.append(Curve(label, x, (at["distance"],) * 2, dash=dash, thin=True))
            keys.append(Key("held-out images" if label == "held out" else "samples of p₀", NEUTRAL, dash=dash))
    return Chart(
        title="Distance to the nearest image", x=Axis(AXES[cost], x, _ticks(places, x, cost)),
        y=Axis("distance to the nearest image, in w√d", y, decades(*y)), series=tuple(series), bands=tuple(bands), keys=tuple(keys),
        alt=f"Median distance to the nearest image of the data against {AXES[cost]}, with quartiles. {near_sentence(found)}",
        caption=near_sentence(found),
    )  # fmt: skip


def near_sentence(found: dict) -> str:
    rows = [r for r in found["near"] if not r["diverged"]]
    others, finest = found["others"], min((r["h"] for r in rows), default=None)
    if finest is None:
        return "Every scheme diverged."
    each = listed(f"{r['scheme']} {r['copies']:.0%} ± {Z95 * r['stderr']:.0%}" for r in rows if r["h"] == finest)
    said = f"Copies of the data at h = {size_text(finest)}, nearer than 1.5 w√d to one of its {found['images']} images: {each}."
    if "held out" in others:
        said += f" Of images kept out of the data, with the same noise, {others['held out']['copies']:.0%} are so near."
    return said + (
        " The exact score of a finite data set knows nothing but its images, so the better the sampler, the more it copies; what a coarse "
        "step leaves of noise hides it."
        if found["study"]["score_error"]["name"] == "none"
        else " The network has seen samples of the smoothed images alone; where it smooths over what lies between them, it copies less."
    )


def lesson_chart(rows: list[dict]) -> Chart:
    """Full and diagonal distance between two Gaussians turned by opposite angles."""
    angles = tuple(r["angle"] for r in rows)
    top = max(r["full"] for r in rows)
    series = tuple(
        Curve(name, angles, tuple(r[key] for r in rows), colours=colours, marker=marker, dash=dash,
               hover=tuple(f"{name}, angle ±{r['angle']}°\n{number(r[key])}" for r in rows))
        for key, name, colours, marker, dash in (
            ("full", "full covariance", FULL, "circle", "solid"), ("diagonal", "diagonal covariance", DIAGONAL, "square", "dash"))
    )  # fmt: skip
    said = lesson_sentence(rows)
    return Chart(
        title="What a diagonal covariance misses", x=Axis("angle, in degrees", (-3, 93), evenly(0, 90, 6), log=False),
        y=Axis("W₂ of the Gaussians, exact", (-0.06 * top, 1.15 * top), evenly(0, 1.1 * top), log=False), series=series,
        keys=tuple(Key(s.name, s.colours, s.name, s.marker, s.dash) for s in series), alt=said, caption=said,
    )  # fmt: skip


def lesson_sentence(rows: list[dict]) -> str:
    most = max(rows, key=lambda r: r["full"])
    return (
        f"Two Gaussians with variances 1 and 0.1, one turned by +{most['angle']}°, the other by −{most['angle']}°, are "
        f"{number(most['full'])} apart; with diagonal covariances the distance reads {number(most['diagonal'])}, here and at every angle: "
        "turning by opposite angles leaves the variances of the coordinates equal, and only the correlation tells the two apart."
    )
