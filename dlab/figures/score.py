"""The Score error page's pictures, sentences and tables, from results that vary the level and from `answers.score_error`; nothing
is computed here."""

from dataclasses import replace

from dlab import errors
from dlab.answers import denoiser
from dlab.figures import along
from dlab.figures.chart import NEUTRAL, Axis, Band, Bar, Chart, Curve, Key, Sheet, decades, look
from dlab.figures.numbers import NONE, Z95, chosen, estimate, fixed, interval, listed, number, order, ratio, step_size
from dlab.figures.plot import beside, even_axis, line, log_axis, plot, scheme_look, step_axis
from dlab.figures.tables import diverged, hover, method_text, reasons, slope_text, value_text
from dlab.look import readable

MARK = ("#1d2733", "#e8edf3")
SCORE = ("#A3478A", "#E08BC4")
MIXED = 0.6  # of a shade, at most, is the ground or the ink
NEAR = "near the scheme's own error"
PARTS = {"initialisation": "initialisation", "discretisation": "discretisation", "score": "score error"}
VARIANTS = {
    "iterates": ("along the sampler's own iterates, sup over steps", "Yu & Yu; Gao, Nguyen & Zhu"),
    "forward": ("along the true pₜ, sup over steps", "Beyler & Bach"),
    "average": ("along the true pₜ, averaged over time", "Chen, Lee & Lu; Benton et al."),
    "uniform": ("uniform in x and t (the largest seen, a lower bound of it)", "Arsenyan, Vardanyan & Dalalyan"),
    "bias": ("bias alone: the mean given (t, x), along pₜ", "Arsenyan, Vardanyan & Dalalyan"),
    "fresh": ("fresh part alone: the noise about that mean, along pₜ", "Arsenyan, Vardanyan & Dalalyan"),
}
WHERE = ("iterates", "forward")
DENOISER = "ε⁽ˣ⁰⁾"  # of the denoised point


def sheet(result: dict, scheme: str, h: float, bends: list[dict]) -> Sheet:
    """W2 against the level at the step size h, and against h for each level of one scheme with the places where it bends."""
    told = sentence(result, scheme, h, bends)
    parts = (against_level(result, h), against_step(result, scheme, bends))
    return beside("What the score error does to W₂", parts, f"Two pictures, all axes logarithmic. {told}", told)


def against_level(result: dict, h: float) -> Chart:
    """`along.chart` at h with the theorem's C2 eps instead of the whole bound."""
    chart = along.chart({"": result}, h, bounds=False)
    lines = [
        Curve.of(
            f"{name} C₂·ε", [r for r in _at(result, name, h) if r["value"] > 0 and r["bound_parts"]], _level,
            value=lambda r: r["bound_parts"]["score"], **scheme_look(name, marker="", dash="dot"), thin=True,
            says=lambda r: [f"{r['scheme']}, ε = {chosen(r['value'])}", f"theorem's C₂·ε {number(r['bound_parts']['score'])}"])
        for name in result["study"]["schemes"]
    ]  # fmt: skip
    lines = [curve for curve in lines if curve.x]
    keys = [Key("theorem's C₂·ε", dash="dot")] if lines else []
    keys += [Key("level line: ε = 0", dash="solid")] if any(c.name.endswith(" = 0") for c in chart.series) else []
    limits = chart.y.limits[0], max([chart.y.limits[1], *(1.3 * y for curve in lines for y in curve.y)])
    y = Axis(chart.y.title, limits, decades(*limits))
    return replace(chart, y=y, series=(*lines, *chart.series), keys=(*chart.keys, *keys))


def _level(row) -> float:
    return row["value"]


def against_step(result: dict, scheme: str, bends: list[dict]) -> Chart:
    """W2 against h, a line for each level, darker for a larger one; a cross where the scheme's own error equals the floor."""
    mine = [r for r in result["rows"] if r["scheme"] == scheme]
    values, bent = sorted({r["value"] for r in mine}), [b for b in bends if b["h"]]
    curves = [
        Curve.of(
            f"{scheme} ε = {chosen(value)}", [r for r in mine if r["value"] == value], why=reasons, label=f"ε = {chosen(value)}",
            says=lambda r: [f"{scheme}, ε = {chosen(r['value'])}, h = {step_size(r['h'])}", f"W₂ {value_text(r)}"],
            **scheme_look(scheme, colours=_shade(scheme, i / max(1, len(values) - 1)), group=f"ε = {chosen(value)}",
                          dash="solid" if value else "dash"))
        for i, value in enumerate(values)
    ]  # fmt: skip
    curves.append(Curve.of(
        "bends", bent, value=lambda b: b["floor"], colours=MARK, marker="cross",
        key="bends: scheme's own error = floor",
        says=lambda b: [f"ε = {chosen(b['value'])} bends at h = {number(b['h'])}", f"floor as h → 0: {number(b['floor'])}"]))  # fmt: skip
    return plot(
        f"W₂ of {scheme} against h", step_axis(r["h"] for r in mine), f"W₂ of {scheme}", curves,
        says=_bending(scheme, bends), caption="",
    )  # fmt: skip


def _shade(scheme, share) -> tuple[str, str]:
    """Grey without error; else the scheme's colour, further from the ground the larger the error."""
    if not share:
        return NEUTRAL

    def mixed(colour, ground):
        end, part = (ground, 1 - 2 * share) if share < 0.5 else (255 - ground, 2 * share - 1)
        at = [round((1 - MIXED * part) * int(colour[i : i + 2], 16) + MIXED * part * end) for i in (1, 3, 5)]
        return "#" + "".join(f"{v:02x}" for v in at)

    return tuple(readable(mixed(c, g), f"#{g:02x}{g:02x}{g:02x}", 3.0) for c, g in zip(scheme_look(scheme)["colours"], (255, 0)))


def sentence(result: dict, scheme: str, h: float, bends: list[dict]) -> str:
    """What both panels show now."""
    said, rows = [along.sentence({"": result}, h)], []
    for name in result["study"]["schemes"]:
        used = along.trend(result, name, h).get("used", ())
        rows += [r for r in _at(result, name, h) if r["value"] in used][-1:]
    if rows := [r for r in rows if r["bound_parts"]]:
        each = (f"{number(r['w2'] / r['value'])} ({r['scheme']}, C₂ = {number(theorem_c2(r))})" for r in rows)
        said.append(f"Measured W₂/ε beside the theorem's C₂: {listed(each)}.")
    return " ".join([*said, _bending(scheme, bends)])


def theorem_c2(row) -> float | None:
    """C2 of the scheme's theorem, from the row's bound; None where it is void."""
    parts, met = row["bound_parts"], row["error_level_met"]
    return parts["score"] / met if parts and met else None


def _bending(scheme, bends) -> str:
    bent = [b for b in bends if b["h"]]
    if bent:
        each = (f"h = {number(b['h'])} for ε = {chosen(b['value'])}" for b in bent)
        return f"{scheme}'s curve bends into its floor at {listed(each)}: smaller steps hardly reduce W₂."
    whys = list(dict.fromkeys(b["why"] for b in bends))
    return f"No bend of {scheme} lies within these steps: each curve {' or '.join(whys)}." if whys else ""


def table(result: dict, h: float, bends: dict[str, list[dict]]) -> list[dict]:
    """One line a scheme and level at h; bends {scheme: its bends}."""
    rows = [(r, next((b for b in bends[name] if b["value"] == r["value"]), None))
            for name in bends for r in result["rows"] if r["scheme"] == name and r["h"] == h]  # fmt: skip
    return [
        {
            "scheme": r["scheme"],
            "ε": chosen(r['value']),
            "level met": number(r["error_level_met"]),
            "W₂ ± 95 %": value_text(r),
            "W₂ ÷ ε": NONE if diverged(r) else ratio(r["w2"], r["value"]),
            "C₂": number(theorem_c2(r)),
            "C₂·ε": number(r["bound_parts"]["score"]) if r["bound_parts"] else "void",
            "floor, h → 0": number(bend["floor"]) if bend else NONE,
            "bends at h": (number(bend["h"]) if bend["h"] else bend["why"]) if bend else NONE,
            "method": method_text(r),
            "why hollow": "; ".join(reasons(r)),
        }
        for r, bend in rows
    ]


def levels_sheet(found: dict) -> Sheet:
    """The L2 level of the error against t along the iterates and along pₜ, as one of the score and as one of the denoiser; of a
    `score_error.met` answer."""
    curve, t = found["curve"], tuple(found["curve"]["t"])
    met = {along: (curve[along], curve[f"{along}_stderr"]) for along in WHERE}
    denoised = {along: (v["value"], v["stderr"]) for along, v in denoiser_levels(found).items()}
    told = levels_sentence(found)
    parts = (
        _levels_chart(found["scheme"], t, met, "score error"),
        _levels_chart(found["scheme"], t, denoised, f"denoiser error {DENOISER}"),
    )
    return beside(f"The same error, met along {found['scheme']} and along pₜ", parts, f"Two pictures against time. {told}", told)


def _levels_chart(scheme, t, met, what) -> Chart:
    curves, bands = met_curves(met, scheme, t, "L₂ level")
    top = max(v for b in bands for v in b.upper)
    title, bands = f"L₂ level of the {what}", [b for b in bands if b.lower != b.upper]
    return plot(title, even_axis("time t (data at 0)", 0.0, max(t)), even_axis(title, 0.0, 1.15 * top or 1.0), curves, bands=bands)


def denoiser_levels(found: dict) -> dict:
    """`denoiser.levels` along the iterates and along pₜ, at the times of a `score_error.met` answer's curve."""
    curve = found["curve"]
    return {along: denoiser.levels(curve["t"], curve[along], curve[f"{along}_stderr"]) for along in WHERE}


def met_curves(met: dict, scheme: str, t: tuple, what: str) -> tuple[list[Curve], list[Band]]:
    """Lines with bands of 95 % of an error that was met, {"iterates", "forward": (values, standard errors)}, at the times t."""
    looks = {"iterates": {**scheme_look(scheme), "marker": "", "dash": "solid"}, "forward": {"colours": NEUTRAL, "dash": "dash"}}
    curves, bands = [], []
    for along_, (values, stderr) in met.items():
        label = f"along {scheme}'s iterates" if along_ == "iterates" else "along pₜ"
        drawn = {**looks[along_], "group": along_}
        half = [Z95 * e for e in stderr]
        hover = tuple(f"{label}, t = {number(a)}\n{what} {interval(v, e)}" for a, v, e in zip(t, values, half))
        curves.append(Curve(label, t, tuple(values), hover=hover, label=label, **drawn))
        low, high = (tuple(v + sign * e for v, e in zip(values, half)) for sign in (-1, 1))
        bands.append(Band(f"{label}, 95 %", t, low, high, drawn["colours"], along_))
    return curves, bands


def levels_sentence(found: dict) -> str:
    """Which of the variants differ for this error."""
    v = {name: variant["value"] for name, variant in found["variants"].items()}
    said = [f"At h = {step_size(found['h'])} {found['scheme']} meets ε = {number(v['iterates'])} along its iterates"]
    said[0] += f"; along pₜ the same error is {number(v['forward'])} at most and {number(v['average'])} on average over time."
    if max(v["iterates"], v["forward"], v["average"]) < 1.01 * min(v["iterates"], v["forward"], v["average"]):
        said.append("Its size does not depend on place or time, so these three agree; a relative error tells them apart.")
    if v["fresh"] > 0.01 * v["forward"]:
        share = "All" if v["bias"] < 0.01 * v["forward"] else "Part"
        said.append(f"{share} of it is fresh noise: bias {number(v['bias'])}, fresh {number(v['fresh'])}.")
    else:
        said.append("All of it is bias.")
    own = denoiser_levels(found)["iterates"]
    said.append(
        f"As an error of the denoised point, {DENOISER} = ταε, it is {estimate(own, 'top', 'top_stderr')} at most along the iterates, at "
        f"t = {number(own['top_t'])}."
    )
    return " ".join(said)


def levels_table(found: dict) -> list[dict]:
    out, denoised = [], denoiser_levels(found)
    denoised["average"] = {"top": denoised["forward"]["average"], "top_stderr": 0.0}
    for name, (title, who) in VARIANTS.items():
        v = found["variants"][name]
        at = NONE if v["t"] is None else number(v["t"])
        same = estimate(denoised[name], "top", "top_stderr") if name in denoised else NONE
        out.append({
            "ε is the L₂ norm …": title, "ε ± 95 %": estimate(v, "value"), "largest at t": at, f"{DENOISER} likewise": same,
            "assumed by": who,
        })  # fmt: skip
    return out


def models_chart(results: dict[str, dict], scheme: str, h: float) -> Chart:
    """W2 against the largest L2 level met along the steps, a line for each model {name: varied result}, at one h."""
    curves, base = [], _base(results, scheme, h)
    if base:
        curves.append(line("without score error", y=base, label="no score error"))
    for name, result in results.items():
        entry, trend = errors.REGISTRY[name], along.trend(result, scheme, h)
        title = entry.title.lower()
        curves.append(Curve.of(
            title, [r for r in _at(result, scheme, h) if r["value"] > 0 and r["error_level_met"]], lambda r: r["error_level_met"],
            why=lambda r, t=trend: () if r["value"] in t.get("used", ()) else [NEAR], label=title,
            says=lambda r, n=title: [f"{n}, level asked for {r['value']:.3g}, met {number(r['error_level_met'])}", f"W₂ {value_text(r)}"],
            **look(entry.style, group=name)))  # fmt: skip
    shares = listed(errors.REGISTRY[n].phrase for n in results if errors.REGISTRY[n].level_is == "share")
    return plot(
        f"Kinds of score error of the same size, {scheme} at h = {step_size(h)}",
        log_axis("L₂ level met along the steps", [x for c in curves if c.marker for x in c.x], (1.4, 1.4)),
        f"W₂ of {scheme} at h = {step_size(h)}", curves, guide={"hollow": NEAR},
        says=models_sentence(results, scheme, h),
        caption=f"The level of {shares} is a share of the score, scaled to meet about the same L₂ level." if shares else "",
    )  # fmt: skip


def _at(result, scheme, h) -> list[dict]:
    return sorted((r for r in result["rows"] if r["scheme"] == scheme and r["h"] == h), key=lambda r: r["value"])


def _base(results, scheme, h) -> float | None:
    rows = [r for result in results.values() for r in _at(result, scheme, h)[:1] if r["value"] == 0 and not diverged(r)]
    return rows[0]["w2"] or None if rows else None


def models_table(results: dict[str, dict], octaves: dict[str, float | None], scheme: str, h: float) -> list[dict]:
    """octaves: the slope in h over the two finest steps at the largest level, of each model."""
    tops = {name: rows[-1] for name, result in results.items() if (rows := _at(result, scheme, h))}
    return [
        {
            "error": errors.REGISTRY[name].title.lower(), "level asked for": number(top["value"]),
            "L₂ level met": number(top["error_level_met"]), "W₂ ± 95 %": value_text(top),
            "W₂ ÷ level met": NONE if diverged(top) else ratio(top["w2"], top["error_level_met"]), "C₂": number(theorem_c2(top)),
            "slope in ε": slope_text(along.trend(results[name], scheme, h)), "slope in h": fixed(octaves[name]),
        }
        for name, top in tops.items()
    ]  # fmt: skip


def models_sentence(results: dict[str, dict], scheme: str, h: float) -> str:
    """What the same level costs for each model, from the largest of each."""
    tops = {name: rows[-1] for name, result in results.items() if (rows := _at(result, scheme, h)) and not diverged(rows[-1])}
    base, per = _base(results, scheme, h), {n: r["w2"] / r["error_level_met"] for n, r in tops.items() if r["error_level_met"]}
    if not per:
        return "Nothing has been measured yet."
    each = (f"{number(v)} with {errors.REGISTRY[n].phrase}" for n, v in per.items())
    said = [f"At h = {step_size(h)} and the largest level, {scheme}'s W₂ ÷ ε is {listed(each)}."]
    if "noise" in per and "constant" in per:
        times = f"{per['constant'] / per['noise']:.3g} times smaller"
        said.append(f"W₂ with fresh noise is {times} than with a constant direction of the same L₂ level.")
    buried = [n for n, result in results.items() if n in per and not along.trend(result, scheme, h).get("used")]
    if buried and base:
        who = listed(errors.REGISTRY[n].title for n in buried)
        said.append(f"{who}: never clear of {scheme}'s own error, {number(base)}.")
    return " ".join(said)


def second_order_chart(results: dict[str, dict], theorem: dict[str, dict]) -> Chart:
    """W2 of SO against h without error, with an error of L alone and with one of M alone {label: result}; theorem {label:
    {"factor": in words, "term": {h: its term of the bound}}} dotted."""
    looks = [
        {"colours": NEUTRAL, "marker": "circle", "dash": "dash"}, scheme_look("SO", dash="solid"),
        {"colours": SCORE, "marker": "square", "dash": "longdash"},
    ]  # fmt: skip
    curves = []
    for (label, result), style in zip(results.items(), looks):
        style = {**style, "group": label}
        curves.append(Curve.of(
            label, result["rows"], why=reasons, label=label, **style,
            says=lambda r, n=label: hover(r, n)))  # fmt: skip
        if label in theorem:
            term = sorted(theorem[label]["term"].items())
            drawn = {**style, "marker": "", "dash": "dot", "thin": True}
            curves.append(Curve(f"theorem's {theorem[label]['factor']}", *zip(*term), **drawn))
    return plot(
        "Errors of SO's Hessian and drift rate", step_axis(r["h"] for result in results.values() for r in result["rows"]), "W₂ of SO",
        curves, guide={"dot": "theorem's term"},
    )  # fmt: skip


def second_order_table(rows: list[dict]) -> list[dict]:
    """rows: as `levels.second_order` gives them."""
    return [
        {
            "error": r["label"], "slope in h": fixed(r["slope"]), "theorem's order": order(r["order"]), "theorem's factor": r["factor"],
            "W₂ at the finest h": number(r["w2"]), "theorem's term": number(r["term"]),
            "term ÷ measured": ratio(r["term"], r["w2"]),
            "W₂ ÷ (h·ε)": number(r["cost"]), "the same, derived": number(r["derived"]),
        }
        for r in rows
    ]  # fmt: skip


def second_order_sentence(rows: list[dict]) -> str:
    slopes = listed(f"{fixed(r['slope'])} for {r['label']} (theorem {order(r['order'])})" for r in rows if r["slope"] is not None)
    ratios = listed(f"{r['term'] / r['w2']:.3g} times the measured W₂ for {r['label']}" for r in rows if r["term"] and r["w2"])
    said = [f"Slopes in h over the two finest steps: {slopes}."] if slopes else []
    return " ".join([*said, *([f"At the finest step the theorem's term is {ratios}."] if ratios else [])])


def parts_chart(found: dict) -> Chart:
    """The three contributions of a `levels.contributions` answer: a bar each for theorem and measurement, in shares of its sum."""
    bars, series = [], []
    colours = {"initialisation": NEUTRAL, "discretisation": scheme_look(found["scheme"])["colours"], "score": SCORE}
    shown = [(name, found[name]) for name in ("theorem", "measured") if found[name] and _sum(found[name])]
    for y, (name, parts) in enumerate(shown):
        at = 0.0
        for part, title in PARTS.items():
            share = (parts[part] or 0.0) / _sum(parts)
            said = f"{name}, {title}: {number(parts[part])}\n{share:.0%} of the sum"
            text = number(parts[part]) if share > 0.2 else ""
            bars.append(Bar(f"{name} {title}", y, at, at + share, colours[part], part, text, said))
            at += share
        if name == "measured" and parts["total"] is not None:
            whole = parts["total"] / _sum(parts)
            hover = f"W₂ with everything on: {number(parts['total'])}\n{whole:.0%} of the sum of the parts"
            series.append(Curve("everything on", (whole,), (y + 0.38,), MARK, hover=(hover,), marker="triangle-down"))
    end = max([1.0, *(s.x[0] for s in series)]) * 1.04
    ticks = tuple((k / 2, f"{k * 50} %") for k in range(int(end * 2) + 1))
    names = tuple((float(i), f"{name} {number(_sum(parts))}") for i, (name, parts) in enumerate(shown))
    keys = [Key(title, colours[part], part, marker="square") for part, title in PARTS.items()]
    return Chart(
        title=f"The three contributions, {found['scheme']} at h = {step_size(found['h'])}",
        x=Axis("share of the sum", (0.0, end), ticks, log=False),
        y=Axis("", (-0.45, len(shown) - 0.35), names, log=False), bars=tuple(bars), series=tuple(series),
        keys=(*keys, *([Key("measured W₂ with everything on", MARK, marker="triangle-down")] if series else [])),
        alt=f"Two bars, each divided into its three parts. {parts_sentence(found)}",
        caption="Each bar is its own sum, 100 %: the theorem's is many times the measured, and lengths on a logarithmic axis do not "
        "add. The numbers are written in the bars; the sums beside them.",
    )  # fmt: skip


def _sum(parts) -> float:
    return sum(parts[p] or 0.0 for p in PARTS)


def parts_sentence(found: dict) -> str:
    parts = found["measured"]
    if not _sum(parts) or None in parts.values():
        return "Not every part could be measured: particles diverged."
    each = listed(f"{title} {number(parts[p])}" for p, title in PARTS.items())
    ratio = parts["total"] / _sum(parts)
    whole = f"W₂ with everything on is {number(parts['total'])}, {ratio:.0%} of it"
    said = [f"Measured: {each}; together {number(_sum(parts))}, while {whole}."]
    if ratio < 0.98:
        said.append("Distances do not add: the three move the law in different directions, and their sum only bounds the whole.")
    elif ratio > 1.02:
        said.append("More than the sum: a part measured alone is not quite what it is among the others.")
    if (theorem := found["theorem"]) is None:
        return " ".join([*said, "The theorem is void here and has no parts."])
    worst = PARTS[max(PARTS, key=theorem.get)]
    times = f"{theorem['total'] / parts['total']:.3g} times the measured"
    return " ".join([*said, f"The theorem adds its parts to {number(theorem['total'])}, {times}; most of it is {worst}."])


def parts_table(found: dict) -> list[dict]:
    out = []
    for part, title in (*PARTS.items(), ("total", "everything on / bound")):
        theorem = found["theorem"][part] if found["theorem"] else None
        measured, by = found["measured"][part], found["finest"].get(part)
        how = f"{by[0]} at h = {step_size(by[1])}" if by else f"{found['scheme']} at h = {step_size(found['h'])}"
        out.append({
            "contribution": title, "measured": number(measured), "by": how,
            "theorem": number(theorem) if found["theorem"] else "void",
            "theorem ÷ measured": ratio(theorem, measured),
        })  # fmt: skip
    return out
