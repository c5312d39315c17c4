"""The logistic page's pictures, tables and sentences: two features, the paper's experiment, and what its figure shows.

From results of studies and the answers of `study.boundary`, `study.readings` and `study.first_coordinate`; nothing is computed.
"""

import itertools
import math

from dlab import schemes
from dlab.figures.chart import (
    INK,
    LESS,
    MORE,
    NEUTRAL,
    Axis,
    Band,
    Chart,
    Curve,
    Key,
    Map,
    Sheet,
    Triangle,
    decades,
    evenly,
)
from dlab.figures.numbers import NONE, Z95, interval, listed, number, order, step_size
from dlab.figures.tables import diverged, no_value, reasons, rows_of, schemes_of, value_text

# W2 at h = 0.1 and 0.39 as read off the printed figure for lambda = 100 ([YY] Fig. 1a), to about READ either way.
PAPER = {"EM": (0.19, 0.435), "EI": (0.20, 0.48), "REM": (0.19, 0.435), "REI": (0.20, 0.47), "SO": (0.14, 0.32)}
ENDS, READ, PAPER_LAM = (0.1, 0.39), 0.012, 100.0
MARGIN = 1.12
NEAR = 0.2  # of the posterior's standard deviation, up to which the surrogate stands for it
UNSURE = 0.5  # half an interval beyond which a slope says nothing
NAMES = {
    "laplace": "exact score of the Laplace surrogate",
    "posterior": "score of the posterior (local form)",
    "guarded": "1,000 posterior samples, plain sums guarded against 0/0",
    "frozen": "exact score, the midpoint's taken at the step's start",
}
# Beside a picture there is no room for these.
SHORT = {
    "laplace": "exact, surrogate", "posterior": "exact, nearly (local)", "guarded": "1,000, guarded", "smooth 1000": "mean of ∇log p₀",
    "frozen": "midpoint held",
}  # fmt: skip
LOOKS = {
    "laplace": (NEUTRAL, "circle", "solid"), "posterior": (INK, "square", "dash"), "kernel 100": (MORE, "triangle-up", "dot"),
    "kernel 1000": (MORE, "diamond", "dash"), "kernel 10000": (MORE, "triangle-down", "solid"),
    "guarded": (LESS, "diamond", "dot"), "smooth 1000": (LESS, "square", "solid"), "frozen": (LESS, "circle", "dash"),
}  # fmt: skip


def _style(name):
    style = schemes.REGISTRY[name].style
    return (style.light, style.dark), style


def _said(reading: str) -> str:
    if reading in NAMES:
        return NAMES[reading]
    kind, atoms = reading.split()
    return f"{int(atoms):,} posterior samples, " + ("ratio of kernels" if kind == "kernel" else "mean of ∇log p₀")


def boundary(found: dict) -> Sheet:
    """Two features: the data with the posterior's boundary, the posterior's density, and particles beside its samples."""
    (low, high), (c_low, c_high) = found["box"], found["plane"]
    data = []
    for label, colours, marker in ((1, MORE, "circle"), (-1, LESS, "square")):
        points = [x for x, y in zip(found["x"], found["y"]) if y == label]
        data.append(Curve(f"y = {label:+d}".replace("-", "−"), *_columns(points), colours, f"y{label}", marker=marker))
    lines = [_line(theta, low, high, "some draws of θ", "draws", thin=True) for theta in found["draws"]]
    lines.append(_line(found["mean"], low, high, "boundary of the posterior mean", "mean", colours=INK))
    lines = [s for s in lines if s.x]
    feature = [Axis(f"feature x{k}", (low, high), evenly(low, high, 4), log=False) for k in "₁₂"]
    place = [
        Axis(f"θ{k}", (c_low[i], c_high[i]), evenly(c_low[i], c_high[i], 4), log=False) for i, k in enumerate("₁₂")
    ]
    colours, style = _style(found["scheme"])
    clouds = (
        Curve(
            "samples of the posterior",
            *_columns(found["samples"]),
            NEUTRAL,
            "target",
            marker="circle",
            filled=(False,) * len(found["samples"]),
        ),
        Curve(
            f"{found['scheme']}, h = {step_size(found['h'])}",
            *_columns(found["particles"]),
            colours,
            "own",
            marker=style.marker,
        ),
    )
    keys = [Key(s.name, s.colours, s.group, s.marker) for s in data]
    keys += [Key(s.name, s.colours, s.group, dash=s.dash) for s in {s.group: s for s in lines}.values()]
    says = boundary_sentence(found)
    return Sheet(
        "Logistic regression with two features",
        (
            Chart("Data and boundary", *feature, (*data, *lines), keys=tuple(keys), alt="Observations and decision boundaries."),
            Map("The posterior", *place, tuple(found["grid"]), found["density"], (0.0, max(map(max, found["density"]))), "density",
                "Density of θ."),
            Chart(
                "Particles on it", *place, clouds,
                keys=tuple(Key(s.name, s.colours, s.group, s.marker, filled=not s.filled) for s in clouds),
                alt="Final particles and samples of the posterior.",
            ),
        ),
        f"Data, posterior and particles. {says}", says,
    )  # fmt: skip


def _columns(points):
    return (tuple(p[0] for p in points), tuple(p[1] for p in points)) if points else ((), ())


def _line(theta, low, high, name, group, colours=NEUTRAL, thin=False) -> Curve:
    """The piece of theta . x = 0 inside the square."""
    size = max(abs(theta[0]), abs(theta[1]))
    if size == 0:
        return Curve(name, (), ())
    # Along the line, so far that it leaves the square.
    way = (-theta[1] / size, theta[0] / size)
    reach = [edge / w for w in way if w for edge in (low, high)]
    far, near = min(r for r in reach if r > 0), max(r for r in reach if r < 0)
    return Curve(
        name,
        (near * way[0], far * way[0]),
        (near * way[1], far * way[1]),
        colours,
        group,
        dash="dot" if thin else "solid",
        thin=thin,
    )


def boundary_sentence(found: dict) -> str:
    """What the two-feature picture shows now."""
    mean = ", ".join(f"{v:.2f}".replace("-", "−") for v in found["mean"])
    return (
        f"{len(found['x'])} observations put the mean of θ at ({mean}); its boundary puts {found['right']} of them on the side of "
        f"their label. {found['scheme']} with h = {step_size(found['h'])} leaves its particles with standard deviations "
        f"{_pair(found['spread'])} where the posterior has {_pair(found['target_spread'])}."
    )


def _pair(values):
    return " and ".join(map(number, values))


def experiment(result: dict, sigma: float, lam: float) -> Chart:
    """The paper's picture: W2 of the first coordinate against h, linear axes, 95 % intervals. sigma: the target's standard
    deviation there; the paper's own curves beside it where lam is theirs."""
    series, keys, bands = [], [], []
    kept = {s: [r for r in rows_of(result, s) if not diverged(r) and r["w2"] is not None] for s in schemes_of(result)}
    read = [v for pair in PAPER.values() for v in pair] if lam == PAPER_LAM else []
    calm = [r["w2"] for s, rows in kept.items() if not schemes.REGISTRY[s].randomised for r in rows]
    top = MARGIN * max([*calm, *read, 0.1])
    for name, rows in kept.items():
        colours, style = _style(name)
        shown = [r for r in rows if r["w2"] <= top]
        if shown:
            series.append(Curve(
                name, tuple(r["h"] for r in shown), tuple(r["w2"] for r in shown), colours, name,
                low=tuple(max(0.0, r["w2"] - Z95 * r["stderr"]) for r in shown),
                high=tuple(min(top, r["w2"] + Z95 * r["stderr"]) for r in shown),
                filled=tuple(r["resolved"] for r in shown), marker=style.marker, dash=style.dash,
                hover=tuple("\n".join([f"{name}, h = {step_size(r['h'])}", f"W₂ {interval(r['w2'], Z95 * r['stderr'])}", *r["flags"]])
                            for r in shown),
            ))  # fmt: skip
            keys.append(Key(name, colours, name, style.marker, style.dash))
    if read:
        for name in ("EM", "EI", "SO"):
            colours, _ = _style(name)
            low, high = PAPER[name]
            bands.append(
                Band(
                    f"{name} in the paper",
                    ENDS,
                    (low - READ, high - READ),
                    (low + READ, high + READ),
                    colours,
                    f"paper {name}",
                )
            )
        keys.append(Key("band: the paper's EM, EI, SO, read off its figure", NEUTRAL, band=True))
    steps = sorted({r["h"] for rows in kept.values() for r in rows} or {*ENDS})
    line = [steps[0] + (steps[-1] - steps[0]) * k / 40 for k in range(41)]
    last = "√h − σ₀"
    series.append(
        Curve(
            last, tuple(line), tuple(max(0.0, math.sqrt(h) - sigma) for h in line), NEUTRAL, last, dash="dot", thin=True
        )
    )
    keys.append(Key(f"{last}: the last step's own noise", NEUTRAL, last, dash="dot"))
    ends = 0.95 * steps[0], 1.03 * steps[-1]
    says = experiment_sentence(result, sigma, lam)
    return Chart(
        f"The paper's experiment, λ = {lam:g}", Axis("step size h", ends, evenly(*ends, 6), log=False),
        Axis("W₂ of the first coordinate (quantiles)", (0.0, top), evenly(0.0, top, 6), log=False), tuple(series), tuple(bands),
        keys=tuple(keys), alt=f"W₂ of the first coordinate against h, linear axes. {says}", caption=says,
    )  # fmt: skip


def experiment_sentence(result: dict, sigma: float, lam: float) -> str:
    """What the picture shows now, with the numbers in it."""
    said, gone = [], []
    for name in schemes_of(result):
        rows = sorted(rows_of(result, name), key=lambda r: r["h"])
        good = [r for r in rows if r["w2"] is not None and not diverged(r)]
        if schemes.REGISTRY[name].randomised and len(good) < len(rows):
            gone.append(name)
        elif len(good) > 1:
            ends = (f"{interval(r['w2'], Z95 * r['stderr'])}" for r in (good[0], good[-1]))
            printed = (
                f" (the paper: about {PAPER[name][0]:g} and {PAPER[name][1]:g})"
                if lam == PAPER_LAM and name in ("EM", "EI", "SO")
                else ""
            )
            said.append(f"{name} goes from {' to '.join(ends)}{printed}")
    hs = sorted({r["h"] for r in result["rows"]})
    head = f"From h = {step_size(hs[0])} to {step_size(hs[-1])}, {'; '.join(said)}." if said else ""
    if lam == PAPER_LAM:
        shares = {n: _share(result, n) for n in ("EM", "EI", "SO") if n in schemes_of(result)}
        head += f" On average that is {listed(f'{n} {v:.0%}' for n, v in shares.items() if v)} of the paper's lines."
    lost = ""
    if gone:
        endless = all(no_value(r) == "infinite" for n in gone for r in rows_of(result, n) if diverged(r))
        one, many = ("has an infinite W₂", "have an infinite W₂") if endless else ("throws particles away", "throw particles away")
        lost = f" {listed(gone)} {many if len(gone) > 1 else one} with this score: see below why."
    floor = (
        f" EM's last step adds noise of variance h to whatever the score has done, so no score brings its W₂ below √h − σ₀, here with "
        f"σ₀ = {number(sigma)}."
    )
    return head + floor + lost + _thrown(result)


def _thrown(result) -> str:
    """A sentence where SO does worse at a finer step, which finitely many samples can do to its Hessian."""
    rows = [r for r in rows_of(result, "SO") if r["w2"] is not None and not diverged(r)]
    for coarse, fine in itertools.pairwise(rows):
        rise = fine["w2"] - coarse["w2"]
        if rise > Z95 * math.hypot(fine["stderr"], coarse["stderr"]):
            return (
                f" SO is worse at h = {step_size(fine['h'])} than at {step_size(coarse['h'])}: between two samples L = ½I + H has a large "
                "positive eigenvalue ℓ, and a step throws the particle that is there away by exp(hℓ)."
            )
    return ""


def _share(result, name) -> float | None:
    """Mean ratio of the measured points to the paper's line."""
    found = [r["w2"] / _printed(name, r["h"]) for r in rows_of(result, name) if r["w2"] is not None and not diverged(r)]
    return sum(found) / len(found) if found else None


def table(result: dict) -> list[dict]:
    """A row for each h: W2 of each scheme with its 95 % interval."""
    names = schemes_of(result)
    found = []
    for h in sorted({r["h"] for r in result["rows"]}):
        row = {"h": step_size(h), "N": next(str(r["steps"]) for r in result["rows"] if r["h"] == h)}
        for name in names:
            mine = next((r for r in rows_of(result, name) if r["h"] == h), None)
            row[name] = NONE if mine is None else value_text(mine)
        row["floor"] = number(next((r["floor"] for r in result["rows"] if r["h"] == h and r["floor"]), None))
        found.append(row)
    return found


def orders(first: dict, sampled: dict[str, dict]) -> Chart:
    """W2 of the first coordinate, log-log: the surrogate's exact law as lines, simulated points of {what: result} as markers, hollow where
    they are not resolved."""
    series, keys = [], []
    names = list(first["slopes"])
    points = [r["w2"] for r in first["rows"] if r["w2"] > 0]
    low, high = min(points) / 1.6, 1.6 * max(points)
    for name in names:
        colours, style = _style(name)
        rows = sorted((r for r in first["rows"] if r["scheme"] == name), key=lambda r: -r["h"])
        series.append(Curve(
            f"{name}, exact", tuple(r["h"] for r in rows), tuple(max(low, r["w2"]) for r in rows), colours, name, dash=style.dash,
            hover=tuple(f"{name}, surrogate, h = {step_size(r['h'])}\nW₂ {number(r['w2'])}" for r in rows),
        ))  # fmt: skip
        fit = first["fits"][name]
        slope = f"  slope {interval(fit['slope'], _half(fit))} below 1/L" if _sure(fit) else ""
        keys.append(Key(f"{name}{slope}", colours, name, dash=style.dash))
    for rank, (what, result) in enumerate(sampled.items()):
        for name in schemes_of(result):
            rows = [r for r in rows_of(result, name) if r["w2"] and not diverged(r) and low < r["w2"] < high]
            if rows:
                colours, style = _style(name)
                series.append(Curve(
                    f"{name}, {what}", tuple(r["h"] for r in rows), tuple(r["w2"] for r in rows), colours, f"{what} {name}",
                    low=tuple(max(low, r["w2"] - Z95 * r["stderr"]) for r in rows), high=tuple(r["w2"] + Z95 * r["stderr"] for r in rows),
                    filled=(rank > 0,) * len(rows), marker=style.marker if not rank else "x",
                    hover=tuple(
                        "\n".join(
                            [f"{name}, {what}, h = {step_size(r['h'])}", f"W₂ {interval(r['w2'], Z95 * r['stderr'])}", *reasons(r, {})]
                        )
                        for r in rows
                    ),
                ))  # fmt: skip
        keys.append(Key(what, NEUTRAL, marker="circle" if not rank else "x", filled=bool(rank)))
    hs = sorted({r["h"] for r in first["rows"]})
    limits = hs[0] / 1.2, 1.2 * max([*hs, *(r["h"] for result in sampled.values() for r in result["rows"])])
    says = orders_sentence(first)
    if limits[0] < 1 / first["L0"] < limits[1]:
        stiff = "h = 1/L"
        series.append(Curve(stiff, (1 / first["L0"],) * 2, (low, high), NEUTRAL, stiff, dash="dash", thin=True))
        keys.append(Key(stiff, NEUTRAL, stiff, dash="dash"))
    places = decades(*limits)
    triangles = tuple(
        Triangle(hs[-1] / 3, hs[-1], 2 * low, s, order(s)) for s in (0.5, 1.0, 2.0) if 2 * low * 3**s < high
    )
    return Chart(
        "Towards small steps", Axis("step size h", limits, places), Axis("W₂ of the first coordinate", (low, high), decades(low, high)),
        tuple(series), triangles=triangles, keys=tuple(keys), alt=f"W₂ against h, both logarithmic. {says}", caption=says,
    )  # fmt: skip


def orders_sentence(first: dict) -> str:
    """What the surrogate's exact law says."""
    steps = sorted({r["h"] for r in first["rows"]}, reverse=True)
    coarse = {name: slopes[0] for name, slopes in first["slopes"].items() if not schemes.REGISTRY[name].randomised}
    said = ", ".join(f"{name} {number(v)}" for name, v in coarse.items())
    fine = ", ".join(f"{name} {interval(f['slope'], _half(f))}" for name, f in first["fits"].items() if _sure(f))
    unsure = [name for name, f in first["fits"].items() if not _sure(f)]
    none = f" {listed(unsure)} {'have' if len(unsure) > 1 else 'has'} no one slope there." if unsure else ""
    near = first["near"]
    return (
        f"At h = {step_size(steps[0])} hL is {number(steps[0] * first['L0'])}, and the surrogate's exact curves rise "
        f"with slopes {said} there"
        f"{': stiffness, no rate' if steps[0] * first['L0'] > 1 else ''}. "
        + (f"Where h < 1/L the slopes are {fine}." if fine else "")
        + f"{none} The surrogate's first coordinate is W₂ = "
        f"{interval(near['w2'], Z95 * near['stderr'])} from the posterior's (standard deviation {number(near['surrogate_sigma'])} against "
        f"{number(near['sigma'])}; {number(near['floor'])} is what as many independent draws read)."
        + (" That is no near-Gaussian posterior: points need not lie on the lines." if near["w2"] > NEAR * near["sigma"] else "")
    )


def _half(fit) -> float | None:
    return None if fit["low"] is None else (fit["high"] - fit["low"]) / 2


def _sure(fit) -> bool:
    """Whether a slope is one: a curve that crosses zero has none."""
    return fit["slope"] is not None and _half(fit) is not None and _half(fit) < UNSURE


def slopes_table(first: dict) -> list[dict]:
    """A row for each pair of neighbouring step sizes: the slope of each scheme's exact curve between them."""
    hs = sorted({r["h"] for r in first["rows"]}, reverse=True)
    return [
        {"h from": step_size(a), "to": step_size(b), "hL": number(a * first["L0"])}
        | {n: f"{s[k]:.2f}" for n, s in first["slopes"].items()}
        for k, (a, b) in enumerate(itertools.pairwise(hs))
    ]


def readings(found: dict, scheme: str) -> Chart:
    """W2 of a scheme with each score, log, against h, beside the paper's line for the scheme."""
    series, keys = [], []
    mine = [r for r in found["rows"] if r["scheme"] == scheme and r["w2"]]
    values = [r["w2"] for r in mine] + list(PAPER[scheme])
    low, high = min(values) / 1.5, 1.5 * max(values)
    for reading in dict.fromkeys(r["reading"] for r in mine):
        rows = sorted((r for r in mine if r["reading"] == reading), key=lambda r: r["h"])
        colours, marker, dash = LOOKS[reading]
        series.append(Curve(
            _said(reading), tuple(r["h"] for r in rows), tuple(r["w2"] for r in rows), colours, reading, marker=marker, dash=dash,
            low=tuple(max(low, r["w2"] - Z95 * r["w2_stderr"]) for r in rows),
            high=tuple(min(high, r["w2"] + Z95 * r["w2_stderr"]) for r in rows),
            hover=tuple(
                f"{_said(reading)}, h = {step_size(r['h'])}\nW₂ {interval(r['w2'], Z95 * r['w2_stderr'])}\nW₁ "
                f"{interval(r['w1'], Z95 * r['w1_stderr'])}"
                for r in rows
            ),
        ))  # fmt: skip
        short = SHORT.get(reading) or f"{int(reading.split()[1]):,} samples"
        keys.append(Key(short, colours, reading, marker, dash))
    a, b = PAPER[scheme]
    colours, _ = _style(scheme)
    band = Band(f"{scheme} in the paper", ENDS, (a - READ, b - READ), (a + READ, b + READ), colours, "paper")
    keys.append(Key("the paper's figure", colours, "paper", band=True))
    hs = sorted({r["h"] for r in mine})
    limits = 0.95 * hs[0], 1.03 * hs[-1]
    says = readings_sentence(found, scheme)
    return Chart(
        f"{scheme} under each reading", Axis("step size h", limits, evenly(*limits, 6), log=False),
        Axis(f"W₂ of {scheme}, first coordinate", (low, high), decades(low, high)), tuple(series), (band,), keys=tuple(keys),
        alt=f"W₂ of {scheme} against h for each score. {says}", caption=says,
    )  # fmt: skip


def readings_sentence(found: dict, scheme: str) -> str:
    """Whether a Monte Carlo score caps the scheme's error, with the numbers at the smallest h."""
    rows = {
        r["reading"]: r for r in found["rows"] if r["scheme"] == scheme and r["h"] == min(q["h"] for q in found["rows"])
    }
    exact, said = rows["laplace"], []
    kernels = [rows[r] for r in rows if r.startswith("kernel") and rows[r]["w2"]]
    h = step_size(exact["h"])
    if kernels:
        values = [f"{number(r['w2'])} with {int(r['reading'].split()[1]):,}" for r in kernels]
        raised = all(r["w2"] > 2 * exact["w2"] for r in kernels)
        verdict = (
            "A score of finitely many samples does not cap the error, it raises it" if raised
            else "A score of finitely many samples changes the error"
        )  # fmt: skip
        said.append(
            f"{verdict}: at h = {h} an exact score gives {scheme} W₂ = {number(exact['w2'])}, the ratio of kernels "
            f"{', '.join(values)} samples."
        )
        if raised:
            said.append(
                "Near t = 0 it pulls with weight 1/t to the nearest sample, and a midpoint may lie there. 1/t has no mean, so "
                f"{scheme}'s W₂ is infinite, and what {found['particles']} particles read of it only grows with their number."
            )
    if (guarded := rows.get("guarded")) and guarded["w2"]:
        said.append(_guarded_sentence(found, scheme))
    if (smooth := rows.get("smooth 1000")) and smooth["w2"]:
        said.append(f"The mean of ∇log p₀ is bounded and gives {number(smooth['w2'])}.")
    if (frozen := rows.get("frozen")) and frozen["w2"]:
        said.append(
            f"With the midpoint's score taken at the time of the step's start it is {number(frozen['w2'])}; the paper's figure has about "
            f"{PAPER[scheme][0]:g}. What the paper ran is not known."
        )
    return " ".join(said)


def _guarded_sentence(found, scheme) -> str:
    """What the arithmetic alone does, beside EM with the same score, at both ends."""
    own, em = (
        sorted((r for r in found["rows"] if r["reading"] == "guarded" and r["scheme"] == name), key=lambda r: r["h"])
        for name in (scheme, "EM")
    )
    ends = own[0], own[-1]
    values = " and ".join(f"{number(r['w2'])} at h = {step_size(r['h'])}" for r in ends)
    beside = f", where EM has {number(em[0]['w2'])} and {number(em[-1]['w2'])}" if scheme != "EM" else ""
    return (
        "What can cap it is the arithmetic: written as plain sums the ratio is 0/0 where all kernels vanish, and guarded by the rounding "
        f"of double precision, 2⁻⁵², in its denominator it is 0 there. {scheme} then has {values}{beside}."
    )


def readings_table(found: dict) -> list[dict]:
    """Every row: W2 and W1 of the first coordinate and the farthest particle."""
    return [
        {
            "scheme": r["scheme"], "score": _said(r["reading"]), "h": step_size(r["h"]),
            "W₂": interval(r["w2"], Z95 * r["w2_stderr"]) if r["w2"] is not None else NONE,
            "W₁": interval(r["w1"], Z95 * r["w1_stderr"]) if r["w1"] is not None else NONE,
            "farthest |θ₁|": number(r["farthest"]), "the paper": number(_printed(r["scheme"], r["h"])),
        }
        for r in found["rows"]
    ]  # fmt: skip


def _printed(scheme, h):
    """The paper's line at h."""
    low, high = PAPER[scheme]
    return low + (high - low) * (h - ENDS[0]) / (ENDS[1] - ENDS[0])


def atoms_sentence(first: dict, few: dict) -> str:
    """That a score of finitely many samples levels off, with the numbers at the two smallest steps that are four apart."""
    rows = sorted((r for r in few["rows"] if r["scheme"] == "EM" and r["w2"]), key=lambda r: r["h"])
    exact = {r["steps"]: r["w2"] for r in first["rows"] if r["scheme"] == "EM"}
    fine, coarse = rows[0], rows[2]
    return (
        "The score of finitely many samples is the exact score of these samples, so as h falls a scheme finds them and not the posterior: "
        f"with {few['study']['target']['atoms']} of them EM stands at {interval(coarse['w2'], Z95 * coarse['stderr'])} with h = "
        f"{step_size(coarse['h'])} and at {interval(fine['w2'], Z95 * fine['stderr'])} with {step_size(fine['h'])}, while the surrogate's "
        f"exact law falls from {number(exact[coarse['steps']])} to {number(exact[fine['steps']])} (two clouds of the target read "
        f"{number(fine['floor'])}). It cannot show an order."
    )


def floor_sentence(found: dict, result: dict) -> str:
    """That EM's printed curve is below what any score allows, and what another distance would make of it."""
    rows = sorted(
        (r for r in found["rows"] if r["scheme"] == "EM" and r["reading"] == "kernel 1000" and r["w2"]),
        key=lambda r: r["h"],
    )
    if not rows:
        return ""
    said = [
        f"at h = {step_size(r['h'])} the figure has {number(_printed('EM', r['h']))}, √h − σ₀ is "
        f"{number(math.sqrt(r['h']) - found['sigma'])}, "
        f"and with 1,000 samples W₂ = {interval(r['w2'], Z95 * r['w2_stderr'])} and W₁ = {interval(r['w1'], Z95 * r['w1_stderr'])}"
        for r in (rows[0], rows[-1])
    ]
    share = _share(result, "SO")
    other = (
        f" No one reading fits every curve, though: in W₂ SO's points lie at {share:.0%} of the paper's line."
        if share
        else ""
    )
    return (
        f"EM's printed curve asks a question too: {'; '.join(said)}. A W₂ of EM's law below √h − σ₀ is impossible, and with other data as "
        f"well, since σ₀ ≤ 1/√λ = {number(found['m0'] ** -0.5)} for any. W₁, which scipy's `wasserstein_distance` returns, allows "
        f"it.{other}"
    )
