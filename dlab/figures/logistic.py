"""The logistic page's pictures, tables and sentences: two features, the paper's experiment, and what its figure shows.

From results of studies and the answers `boundary`, `readings` and `first_coordinate`; nothing is computed.
"""

import itertools
import math
from dataclasses import replace

from dlab import schemes
from dlab.figures.chart import INK, LESS, MORE, NEUTRAL, Axis, Band, Chart, Curve, Key, Map, Sheet, decades
from dlab.figures.numbers import NONE, Z95, about, estimate, fixed, listed, number, step_size
from dlab.figures.plot import even_axis, line, log_axis, plot, scheme_look
from dlab.figures.tables import diverged, has_slope, hover, no_value, reasons, rows_of, schemes_of, value_text

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


def _title(reading: str) -> str:
    if reading in NAMES:
        return NAMES[reading]
    kind, atoms = reading.split()
    return f"{int(atoms):,} posterior samples, " + ("ratio of kernels" if kind == "kernel" else "mean of ∇log p₀")


def boundary(found: dict) -> Sheet:
    """Two features: the data with the posterior's boundary, the posterior's density, and particles beside its samples."""
    (low, high), corners, scheme = found["box"], found["plane"], found["scheme"]
    data = [
        _cloud(f"y = {'+' if label > 0 else '−'}1", [x for x, y in zip(found["x"], found["y"]) if y == label], f"y{label}",
               colours=colours, marker=marker)
        for label, colours, marker in ((1, MORE, "circle"), (-1, LESS, "square"))
    ]  # fmt: skip
    draws = {"name": "some draws of θ", "group": "draws", "dash": "dot", "thin": True}
    mean = {"name": "boundary of the posterior mean", "group": "mean", "dash": "solid", "colours": INK}
    data += [_boundary_line(theta, low, high, **draws, key="" if i else draws["name"]) for i, theta in enumerate(found["draws"])]
    data.append(_boundary_line(found["mean"], low, high, **mean, key=mean["name"]))
    clouds = (
        replace(_cloud("samples of the posterior", found["samples"], "target", marker="circle"), filled=(False,) * len(found["samples"])),
        _cloud(f"{scheme}, h = {step_size(found['h'])}", found["particles"], **scheme_look(scheme, dash="", group="own")),
    )
    feature = [even_axis(f"feature x{k}", low, high, 4) for k in "₁₂"]
    place = [even_axis(f"θ{k}", a, b, 4) for k, a, b in zip("₁₂", *corners)]
    density, says = found["density"], boundary_sentence(found)
    return Sheet(
        "Logistic regression with two features",
        (
            plot("Data and boundary", *feature, data, says="Observations and decision boundaries."),
            Map("The posterior", *place, tuple(found["grid"]), density, (0.0, max(map(max, density))), "density", "Density of θ."),
            plot("Particles on it", *place, clouds, says="Final particles and samples of the posterior."),
        ),
        f"Data, posterior and particles. {says}", says,
    )  # fmt: skip


def _cloud(name, points, group, **drawn) -> Curve:
    return Curve(name, tuple(p[0] for p in points), tuple(p[1] for p in points), group=group, key=name, **drawn)


def _boundary_line(theta, low, high, **drawn) -> Curve:
    """The piece of theta . x = 0 inside the square; nothing for theta = 0."""
    size = max(abs(theta[0]), abs(theta[1]))
    if size == 0:
        return Curve(x=(), y=(), **drawn)
    # Along the line, so far that it leaves the square.
    step = (-theta[1] / size, theta[0] / size)
    reach = [edge / w for w in step if w for edge in (low, high)]
    ends = max(r for r in reach if r < 0), min(r for r in reach if r > 0)
    return Curve(x=tuple(r * step[0] for r in ends), y=tuple(r * step[1] for r in ends), **drawn)


def boundary_sentence(found: dict) -> str:
    """What the two-feature picture shows now."""
    mean = ", ".join(map(fixed, found["mean"]))
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
    kept = {s: [r for r in rows_of(result, s) if _measured(r)] for s in schemes_of(result)}
    read = [v for pair in PAPER.values() for v in pair] if lam == PAPER_LAM else []
    top = MARGIN * max([*(r["w2"] for s, rows in kept.items() if not schemes.REGISTRY[s].randomised for r in rows), *read, 0.1])
    shown = {name: [r for r in rows if r["w2"] <= top] for name, rows in kept.items()}
    curves = [
        Curve.of(
            name, rows, why=lambda r: () if r["resolved"] else r["flags"] or ["not resolved"], says=hover, **scheme_look(name, label=name))
        for name, rows in shown.items()
    ]  # fmt: skip
    bands = [_printed_band(name, f"paper {name}") for name in ("EM", "EI", "SO") if read]
    steps = sorted({r["h"] for rows in kept.values() for r in rows} or {*ENDS})
    places = [steps[0] + (steps[-1] - steps[0]) * k / 40 for k in range(41)]
    last = "√h − σ₀"
    curves.append(Curve(
        last, tuple(places), tuple(max(0.0, math.sqrt(h) - sigma) for h in places), NEUTRAL, last, dash="dot", thin=True,
        key=f"{last}: the last step's own noise"))  # fmt: skip
    return plot(
        f"The paper's experiment, λ = {lam:g}", even_axis("step size h", 0.95 * steps[0], 1.03 * steps[-1], 6),
        even_axis("W₂ of the first coordinate (quantiles)", 0.0, top, 6), curves, bands=bands,
        guide={"band": "the paper's EM, EI, SO, read off its figure"},
        says=experiment_sentence(result, sigma, lam),
    )  # fmt: skip


def _measured(row) -> bool:
    return row["w2"] is not None and not diverged(row)


def _printed_band(scheme, group) -> Band:
    low, high = PAPER[scheme]
    return Band(f"{scheme} in the paper", ENDS, (low - READ, high - READ), (low + READ, high + READ), scheme_look(scheme)["colours"], group)


def experiment_sentence(result: dict, sigma: float, lam: float) -> str:
    """What the picture shows now, with the numbers in it."""
    each, gone = [], []
    for name in schemes_of(result):
        rows = sorted(rows_of(result, name), key=lambda r: r["h"])
        good = [r for r in rows if _measured(r)]
        if schemes.REGISTRY[name].randomised and len(good) < len(rows):
            gone.append(name)
        elif len(good) > 1:
            shown = lam == PAPER_LAM and name in ("EM", "EI", "SO")
            printed = f" (the paper: about {PAPER[name][0]:g} and {PAPER[name][1]:g})" if shown else ""
            each.append(f"{name} goes from {estimate(good[0])} to {estimate(good[-1])}{printed}")
    hs = sorted({r["h"] for r in result["rows"]})
    said = [f"From h = {step_size(hs[0])} to {step_size(hs[-1])}, {'; '.join(each)}."] if each else []
    if lam == PAPER_LAM:
        shares = {n: _share(result, n) for n in ("EM", "EI", "SO") if n in schemes_of(result)}
        said.append(f"On average that is {listed(f'{n} {v:.0%}' for n, v in shares.items() if v)} of the paper's lines.")
    said.append(
        f"EM's last step adds noise of variance h to whatever the score has done, so no score brings its W₂ below √h − σ₀, here with "
        f"σ₀ = {number(sigma)}."
    )
    if gone:
        endless = all(no_value(r) == "infinite" for n in gone for r in rows_of(result, n) if diverged(r))
        one, many = ("has an infinite W₂", "have an infinite W₂") if endless else ("throws particles away", "throw particles away")
        said.append(f"{listed(gone)} {many if len(gone) > 1 else one} with this score; the reason is given below.")
    return " ".join([*said, *_thrown(result)])


def _thrown(result) -> list[str]:
    """A sentence where SO does worse at a finer step, which finitely many samples can do to its Hessian."""
    for coarse, fine in itertools.pairwise([r for r in rows_of(result, "SO") if _measured(r)]):
        if fine["w2"] - coarse["w2"] > Z95 * math.hypot(fine["stderr"], coarse["stderr"]):
            return [
                f"SO is worse at h = {step_size(fine['h'])} than at {step_size(coarse['h'])}: between two samples L = ½I + H has a large "
                "positive eigenvalue ℓ, and a step throws the particle that is there away by exp(hℓ)."
            ]
    return []


def _share(result, name) -> float | None:
    """Mean ratio of the measured points to the paper's line."""
    found = [r["w2"] / _printed(name, r["h"]) for r in rows_of(result, name) if _measured(r)]
    return sum(found) / len(found) if found else None


def table(result: dict) -> list[dict]:
    """A row for each h: W2 of each scheme with its 95 % interval."""
    by_step = {h: [r for r in result["rows"] if r["h"] == h] for h in sorted({r["h"] for r in result["rows"]})}
    return [
        {
            "h": step_size(h), "N": str(rows[0]["steps"]),
            **{name: next((value_text(r) for r in rows if r["scheme"] == name), NONE) for name in schemes_of(result)},
            "floor": number(next((r["floor"] for r in rows if r["floor"]), None)),
        }
        for h, rows in by_step.items()
    ]  # fmt: skip


def orders(first: dict, sampled: dict[str, dict]) -> Chart:
    """W2 of the first coordinate, log-log: the surrogate's exact law as lines, simulated points of {what: result} as markers, hollow where
    they are not resolved."""
    curves, keys, hs = [], [], {r["h"] for r in first["rows"]}
    for name in first["fits"]:
        curves.append(Curve.of(
            f"{name}, exact", [r for r in first["rows"] if r["scheme"] == name], label=name, **scheme_look(name, marker=""),
            says=lambda r: [f"{r['scheme']}, surrogate, h = {step_size(r['h'])}", f"W₂ {number(r['w2'])}"]))  # fmt: skip
    values = [v for c in curves for v in c.y if v > 0]
    low, high = min(values) / 1.6, 1.6 * max(values)
    for rank, (what, result) in enumerate(sampled.items()):
        marked = {"marker": "x"} if rank else {}
        for name in schemes_of(result):
            rows = [r for r in rows_of(result, name) if r["w2"] and not diverged(r) and r["w2"] < high]
            curve = Curve.of(f"{name}, {what}", rows, why=reasons, says=lambda r, w=what: hover(r, f"{r['scheme']}, {w}"),
                             **scheme_look(name, dash="", group=f"{what} {name}", **marked))  # fmt: skip
            curves.append(replace(curve, filled=(bool(rank),) * len(curve.x)))
        keys.append(Key(what, NEUTRAL, marker="x" if rank else "circle", filled=bool(rank)))
        hs |= {r["h"] for r in result["rows"]}
    x = log_axis("step size h", hs, (1.2, 1.2))
    if x.limits[0] < 1 / first["L0"] < x.limits[1]:
        curves.append(line("h = 1/L", x=1 / first["L0"], key="h = 1/L"))
    return plot(
        "Towards small steps", x, Axis("W₂ of the first coordinate", (low, high), decades(low, high)), curves, keys=keys,
        slopes=(0.5, 1.0, 2.0), says=orders_sentence(first),
    )  # fmt: skip


def orders_sentence(first: dict) -> str:
    """What the surrogate's exact law says."""
    steps = sorted({r["h"] for r in first["rows"]}, reverse=True)
    coarse = {name: slopes[0] for name, slopes in first["slopes"].items() if not schemes.REGISTRY[name].randomised}
    said = ", ".join(f"{name} {number(v)}" for name, v in coarse.items())
    fine = ", ".join(f"{name} {about(f['slope'], f['low'], f['high'])}" for name, f in first["fits"].items() if _sure(f))
    unsure = [name for name, f in first["fits"].items() if not _sure(f)]
    none = f" {listed(unsure)} {'have' if len(unsure) > 1 else 'has'} no one slope there." if unsure else ""
    near = first["near"]
    return (
        f"At h = {step_size(steps[0])} hL is {number(steps[0] * first['L0'])}, and the surrogate's exact curves rise "
        f"with slopes {said} there"
        f"{': stiffness, no rate' if steps[0] * first['L0'] > 1 else ''}. "
        + (f"Where h < 1/L the slopes are {fine}." if fine else "")
        + f"{none} The surrogate's first coordinate is W₂ = "
        f"{estimate(near)} from the posterior's (standard deviation {number(near['surrogate_sigma'])} against "
        f"{number(near['sigma'])}; {number(near['floor'])} is the distance of as many independent draws)."
        + (" This posterior is not close to Gaussian: points need not lie on the lines." if near["w2"] > NEAR * near["sigma"] else "")
    )


def _sure(fit) -> bool:
    """Whether a slope is one: a curve that crosses zero has none, nor have three points."""
    return has_slope(fit) and fit["low"] is not None and (fit["high"] - fit["low"]) / 2 < UNSURE


def slopes_table(first: dict) -> list[dict]:
    """A row for each pair of neighbouring step sizes: the slope of each scheme's exact curve between them."""
    hs = sorted({r["h"] for r in first["rows"]}, reverse=True)
    return [
        {"h from": step_size(a), "to": step_size(b), "hL": number(a * first["L0"])}
        | {n: fixed(s[k]) for n, s in first["slopes"].items()}
        for k, (a, b) in enumerate(itertools.pairwise(hs))
    ]


def readings(found: dict, scheme: str) -> Chart:
    """W2 of a scheme with each score, log, against h, beside the paper's line for the scheme."""
    mine = [r for r in found["rows"] if r["scheme"] == scheme and r["w2"]]
    curves = []
    for reading in dict.fromkeys(r["reading"] for r in mine):
        colours, marker, dash = LOOKS[reading]
        curves.append(Curve.of(
            _title(reading), [r for r in mine if r["reading"] == reading], value=lambda r: r["w2"], half=lambda r: Z95 * r["w2_stderr"],
            colours=colours, group=reading, marker=marker, dash=dash, label=SHORT.get(reading) or f"{int(reading.split()[1]):,} samples",
            says=lambda r: [f"{_title(r['reading'])}, h = {step_size(r['h'])}", f"W₂ {estimate(r, 'w2', 'w2_stderr')}",
                            f"W₁ {estimate(r, 'w1', 'w1_stderr')}"]))  # fmt: skip
    hs, band = [r["h"] for r in mine], _printed_band(scheme, "paper")
    return plot(
        f"{scheme} under each reading", even_axis("step size h", 0.95 * min(hs), 1.03 * max(hs), 6), f"W₂ of {scheme}, first coordinate",
        curves, bands=[band], keys=[Key("the paper's figure", band.colours, "paper", band=True)],
        says=readings_sentence(found, scheme),
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
            "scheme": r["scheme"], "score": _title(r["reading"]), "h": step_size(r["h"]),
            "W₂": estimate(r, "w2", "w2_stderr"), "W₁": estimate(r, "w1", "w1_stderr"),
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
        f"with {few['study']['target']['atoms']} of them EM stands at {estimate(coarse)} with h = "
        f"{step_size(coarse['h'])} and at {estimate(fine)} with {step_size(fine['h'])}, while the surrogate's "
        f"exact law falls from {number(exact[coarse['steps']])} to {number(exact[fine['steps']])} (two clouds of the target read "
        f"{number(fine['floor'])}). It cannot show an order."
    )


def floor_sentence(found: dict, result: dict) -> str:
    """That EM's printed curve is below what any score allows, and what another distance would make of it."""
    rows = [r for r in found["rows"] if r["scheme"] == "EM" and r["reading"] == "kernel 1000" and r["w2"]]
    if not rows:
        return ""
    rows.sort(key=lambda r: r["h"])
    each = "; ".join(
        f"at h = {step_size(r['h'])} the figure has {number(_printed('EM', r['h']))}, √h − σ₀ is "
        f"{number(math.sqrt(r['h']) - found['sigma'])}, and with 1,000 samples W₂ = {estimate(r, 'w2', 'w2_stderr')} and "
        f"W₁ = {estimate(r, 'w1', 'w1_stderr')}"
        for r in (rows[0], rows[-1])
    )
    share = _share(result, "SO")
    other = f" No one reading fits every curve, though: in W₂ SO's points lie at {share:.0%} of the paper's line." if share else ""
    return (
        f"EM's printed curve asks a question too: {each}. A W₂ of EM's law below √h − σ₀ is impossible, and with other data as "
        f"well, since σ₀ ≤ 1/√λ = {number(found['m0'] ** -0.5)} for any. W₁, which scipy's `wasserstein_distance` returns, allows "
        f"it.{other}"
    )
