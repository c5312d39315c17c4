"""The Score error page's pictures, sentences and tables, from results that vary the level and from `study.levels`; nothing is
computed here."""

from dataclasses import replace

from dlab import errors, schemes
from dlab.figures import along
from dlab.figures.chart import NEUTRAL, Axis, Band, Bar, Chart, Curve, Key, Sheet, decades, evenly, octaves
from dlab.figures.numbers import NONE, Z95, interval, listed, number, order, step_size
from dlab.figures.tables import METHODS, diverged, reasons, value_text

MARK = ("#1d2733", "#e8edf3")
SCORE = ("#A3478A", "#E08BC4")
PARTS = {"initialisation": "initialisation", "discretisation": "discretisation", "score": "score error"}
VARIANTS = {
    "iterates": ("along the sampler's own iterates, sup over steps", "Yu & Yu; Gao, Nguyen & Zhu"),
    "forward": ("along the true p_t, sup over steps", "Beyler & Bach"),
    "average": ("along the true p_t, averaged over time", "Chen, Lee & Lu; Benton et al."),
    "uniform": ("uniform in x and t (the largest seen, a lower bound of it)", "Arsenyan, Vardanyan & Dalalyan"),
    "bias": ("bias alone: the mean given (t, x), along p_t", "Arsenyan, Vardanyan & Dalalyan"),
    "fresh": ("fresh part alone: the noise about that mean, along p_t", "Arsenyan, Vardanyan & Dalalyan"),
}


def sheet(result: dict, scheme: str, h: float, bends: list[dict]) -> Sheet:
    """W2 against the level at the step size h, and against h for each level of one scheme with the places where it bends."""
    said = sentence(result, scheme, h, bends)
    parts = (against_level(result, h), against_step(result, scheme, bends))
    return Sheet("What the score error does to W₂", parts, f"Two pictures, all axes logarithmic. {said}", said)


def against_level(result: dict, h: float) -> Chart:
    """`along.chart` at h with the theorem's C2 eps in the place of the whole bound."""
    chart, lines = along.chart({"": result}, h, bounds=False), []
    for name in result["study"]["schemes"]:
        rows = [r for r in _at(result, name, h) if r["value"] > 0 and r["bound_parts"]]
        if rows:
            style = schemes.REGISTRY[name].style
            lines.append(Curve(
                f"{name} C₂·ε", tuple(r["value"] for r in rows), tuple(r["bound_parts"]["score"] for r in rows), dash="dot", thin=True,
                colours=(style.light, style.dark), group=name,
                hover=tuple(f"{name}, ε = {r['value']:g}\ntheorem's C₂·ε {number(r['bound_parts']['score'])}" for r in rows),
            ))  # fmt: skip
    level = [Key("level line: ε = 0", dash="solid")] if any(s.name.endswith(" = 0") for s in chart.series) else []
    tops = [y for line in lines for y in line.y]
    limits = chart.y.limits[0], max([chart.y.limits[1], *(1.3 * y for y in tops)])
    return replace(
        chart, y=Axis(chart.y.title, limits, decades(*limits)), series=(*lines, *chart.series),
        keys=(*chart.keys, *([Key("theorem's C₂·ε", dash="dot")] if lines else []), *level),
    )  # fmt: skip


def against_step(result: dict, scheme: str, bends: list[dict]) -> Chart:
    """W2 against h, a line for each level, darker for a larger one; a cross where the scheme's own error equals the floor."""
    style, series, keys = schemes.REGISTRY[scheme].style, [], []
    mine = [r for r in result["rows"] if r["scheme"] == scheme]
    values, sizes = sorted({r["value"] for r in mine}), [r["w2"] for r in mine if not diverged(r) and r["w2"] > 0] or [0.01, 0.1]
    steps = sorted({r["h"] for r in mine}) or [0.1, 1.0]
    x, y = (steps[0] / 1.3, steps[-1] * 1.3), (min(sizes) / 1.5, max(sizes) * 1.5)
    for i, value in enumerate(values):
        rows = sorted((r for r in mine if r["value"] == value and not diverged(r) and r["w2"] > 0), key=lambda r: r["h"])
        group = f"ε = {value:g}"
        look = {"colours": _shade(style, i / max(1, len(values) - 1)), "group": group}
        series.append(Curve(
            f"{scheme} {group}", tuple(r["h"] for r in rows), tuple(r["w2"] for r in rows),
            low=tuple(max(r["w2"] - Z95 * (r["stderr"] or 0), y[0]) for r in rows),
            high=tuple(r["w2"] + Z95 * (r["stderr"] or 0) for r in rows), filled=tuple(not reasons(r, {}) for r in rows),
            hover=tuple("\n".join([f"{scheme}, {group}, h = {step_size(r['h'])}", f"W₂ {value_text(r)}", *reasons(r, {})]) for r in rows),
            marker=style.marker, dash="solid" if value else "dash", **look,
        ))  # fmt: skip
        keys.append(Key(group, marker=style.marker, dash="solid" if value else "dash", **look))
    if bent := [b for b in bends if b["h"]]:
        series.append(Curve(
            "bends", tuple(b["h"] for b in bent), tuple(b["floor"] for b in bent), colours=MARK, marker="cross",
            hover=tuple(f"ε = {b['value']:g} bends at h = {number(b['h'])}\nfloor as h → 0: {number(b['floor'])}" for b in bent),
        ))  # fmt: skip
        keys.append(Key("bends: scheme's own error = floor", MARK, marker="cross"))
    return Chart(
        title=f"W₂ of {scheme} against h",
        x=Axis("step size h", x, octaves(*x, steps, step_size)),
        y=Axis(f"W₂ of {scheme}", y, decades(*y)),
        series=tuple(series), keys=tuple(keys), alt=f"W₂ of {scheme} against h, one line for each ε. {_bending(scheme, bends)}",
    )  # fmt: skip


def _shade(style, share) -> tuple[str, str]:
    """Grey without error; else the scheme's colour, further from the ground the larger the error."""
    if not share:
        return NEUTRAL

    def mixed(colour, end):
        at = [round((1 - 0.65 * share) * int(colour[i : i + 2], 16) + 0.65 * share * end) for i in (1, 3, 5)]
        return "#" + "".join(f"{v:02x}" for v in at)

    return mixed(style.light, 0), mixed(style.dark, 255)


def sentence(result: dict, scheme: str, h: float, bends: list[dict]) -> str:
    """What both panels show now."""
    said, rows = [along.sentence({"": result}, h)], []
    for name in result["study"]["schemes"]:
        used = along.trend(result, name, h).get("used", ())
        rows += [r for r in _at(result, name, h) if r["value"] in used][-1:]
    if rows := [r for r in rows if r["bound_parts"]]:
        each = (f"{number(r['w2'] / r['value'])} ({r['scheme']}, C₂ = {number(_c2(r))})" for r in rows)
        said.append(f"Measured W₂/ε beside the theorem's C₂: {listed(each)}.")
    return " ".join([*said, _bending(scheme, bends)])


def _c2(row) -> float | None:
    parts, met = row["bound_parts"], row["error_level_met"]
    return parts["score"] / met if parts and met else None


def _bending(scheme, bends) -> str:
    bent = [b for b in bends if b["h"]]
    if bent:
        each = (f"h = {number(b['h'])} for ε = {b['value']:g}" for b in bent)
        return f"{scheme}'s curve bends into its floor at {listed(each)}: below, smaller steps buy nothing."
    whys = list(dict.fromkeys(b["why"] for b in bends))
    return f"No bend of {scheme} lies within these steps: each curve {' or '.join(whys)}." if whys else ""


def table(result: dict, h: float, bends: dict[str, list[dict]]) -> list[dict]:
    """One line a scheme and level at h; bends {scheme: its bends}."""
    out = []
    for r in (r for name in bends for r in result["rows"] if r["scheme"] == name and r["h"] == h):
        bend = next((b for b in bends[r["scheme"]] if b["value"] == r["value"]), None)
        measured = not diverged(r) and r["value"] > 0
        out.append({
            "scheme": r["scheme"],
            "ε": f"{r['value']:g}",
            "level met": number(r["error_level_met"]),
            "W₂ ± 95 %": value_text(r),
            "W₂ ÷ ε": number(r["w2"] / r["value"]) if measured else NONE,
            "C₂": number(_c2(r)),
            "C₂·ε": number(r["bound_parts"]["score"]) if r["bound_parts"] else "void",
            "floor, h → 0": number(bend["floor"]) if bend else NONE,
            "bends at h": (number(bend["h"]) if bend["h"] else bend["why"]) if bend else NONE,
            "method": METHODS.get(r["method"], r["method"]),
            "why hollow": "; ".join(reasons(r, {})),
        })  # fmt: skip
    return out


def levels_chart(found: dict) -> Chart:
    """The L2 level of the error against t along the iterates and along p_t; of a `levels.met` answer."""
    curve, style = found["curve"], schemes.REGISTRY[found["scheme"]].style
    lines = {
        "iterates": (style.light, style.dark, "solid", f"along {found['scheme']}'s iterates"), "forward": (*NEUTRAL, "dash", "along p_t"),
    }  # fmt: skip
    series, bands, keys, top = [], [], [], 0.0
    for name, (light, dark, dash, label) in lines.items():
        half = [Z95 * e for e in curve[f"{name}_stderr"]]
        low, high = (tuple(v + s * e for v, e in zip(curve[name], half)) for s in (-1, 1))
        look = {"colours": (light, dark), "group": name}
        hover = tuple(f"{label}, t = {number(t)}\nL₂ level {interval(v, e)}" for t, v, e in zip(curve["t"], curve[name], half))
        series.append(Curve(label, tuple(curve["t"]), tuple(curve[name]), dash=dash, hover=hover, **look))
        if max(half) > 0:
            bands.append(Band(f"{label}, 95 %", tuple(curve["t"]), low, high, **look))
        keys.append(Key(label, dash=dash, **look))
        top = max(top, *high)
    x, y = (0.0, max(curve["t"])), (0.0, 1.15 * top or 1.0)
    return Chart(
        title=f"The same error, met along {found['scheme']} and along p_t", x=Axis("time t (data at 0)", x, evenly(*x), log=False),
        y=Axis("L₂ level of the score error", y, evenly(*y), log=False), series=tuple(series), bands=tuple(bands), keys=tuple(keys),
        alt=f"L₂ level of the score error against t. {levels_sentence(found)}", caption=levels_sentence(found),
    )  # fmt: skip


def levels_sentence(found: dict) -> str:
    """Which of the variants differ for this error."""
    v = {name: variant["value"] for name, variant in found["variants"].items()}
    said = [f"At h = {step_size(found['h'])} {found['scheme']} meets ε = {number(v['iterates'])} along its iterates"]
    said[0] += f"; along p_t the same error is {number(v['forward'])} at most and {number(v['average'])} on average over time."
    if max(v["iterates"], v["forward"], v["average"]) < 1.01 * min(v["iterates"], v["forward"], v["average"]):
        said.append("Its size does not depend on place or time, so these three agree; a relative error tells them apart.")
    if v["fresh"] > 0.01 * v["forward"]:
        share = "All" if v["bias"] < 0.01 * v["forward"] else "Part"
        said.append(f"{share} of it is fresh noise: bias {number(v['bias'])}, fresh {number(v['fresh'])}.")
    else:
        said.append("All of it is bias.")
    return " ".join(said)


def levels_table(found: dict) -> list[dict]:
    out = []
    for name, (title, who) in VARIANTS.items():
        v = found["variants"][name]
        at = NONE if v["t"] is None else number(v["t"])
        size = interval(v["value"], Z95 * v["stderr"])
        out.append({"ε is the L₂ norm …": title, "ε ± 95 %": size, "largest at t": at, "assumed by": who})
    return out


def models_chart(results: dict[str, dict], scheme: str, h: float) -> Chart:
    """W2 against the largest L2 level met along the steps, a line for each model {name: varied result}, at one h."""
    series, keys, xs, ys = [], [], [], []
    for name, result in results.items():
        rows = [r for r in _at(result, scheme, h) if r["value"] > 0 and not diverged(r) and r["w2"] > 0 and r["error_level_met"]]
        entry = errors.REGISTRY[name]
        title, style = entry.title.lower(), entry.style
        look = {"colours": (style.light, style.dark), "group": name, "marker": style.marker, "dash": style.dash}
        line = along.trend(result, scheme, h)
        series.append(Curve(
            title, tuple(r["error_level_met"] for r in rows), tuple(r["w2"] for r in rows),
            low=tuple(max(r["w2"] - Z95 * (r["stderr"] or 0), r["w2"] / 3) for r in rows),
            high=tuple(r["w2"] + Z95 * (r["stderr"] or 0) for r in rows),
            filled=tuple(r["value"] in line.get("used", ()) for r in rows),
            hover=tuple(
                f"{title}, level asked for {r['value']:.3g}, met {number(r['error_level_met'])}\nW₂ {value_text(r)}" for r in rows
            ), **look,
        ))  # fmt: skip
        slope = along.slope_text(line)
        keys.append(Key(f"{title} {slope}" if slope != NONE else title, **look))
        xs += [r["error_level_met"] for r in rows]
        ys += [r["w2"] for r in rows]
    base = _base(results, scheme, h)
    x = (min(xs) / 1.4, max(xs) * 1.4) if xs else (0.01, 1.0)
    if base:
        series.insert(0, Curve("without score error", x, (base, base), dash="dash", thin=True))
        keys.append(Key("without score error", dash="dash"))
        ys.append(base)
    if any(not all(s.filled) for s in series):
        keys.append(Key("near what the scheme errs without", marker="circle", filled=False))
    y = (min(ys) / 1.6, max(ys) * 1.6) if ys else (0.01, 1.0)
    shares = listed(errors.REGISTRY[n].phrase for n in results if errors.REGISTRY[n].level_is == "share")
    return Chart(
        title=f"Kinds of score error of the same size, {scheme} at h = {step_size(h)}",
        x=Axis("L₂ level met along the steps", x, decades(*x)), y=Axis(f"W₂ of {scheme} at h = {step_size(h)}", y, decades(*y)),
        series=tuple(series), keys=tuple(keys), alt=f"W₂ against the L₂ level met, log–log. {models_sentence(results, scheme, h)}",
        caption=f"The level of {shares} is a share of the score, scaled to meet about the same L₂ level." if shares else "",
    )  # fmt: skip


def _at(result, scheme, h) -> list[dict]:
    return sorted((r for r in result["rows"] if r["scheme"] == scheme and r["h"] == h), key=lambda r: r["value"])


def _base(results, scheme, h) -> float | None:
    rows = [r for result in results.values() for r in _at(result, scheme, h)[:1] if r["value"] == 0 and not diverged(r)]
    return rows[0]["w2"] or None if rows else None


def models_table(results: dict[str, dict], octaves: dict[str, float | None], scheme: str, h: float) -> list[dict]:
    """octaves: the slope in h over the two finest steps at the largest level, of each model."""
    out = []
    for name, result in results.items():
        rows = _at(result, scheme, h)
        if not rows:
            continue
        top = rows[-1]
        out.append({
            "error": errors.REGISTRY[name].title.lower(), "level asked for": number(top["value"]),
            "L₂ level met": number(top["error_level_met"]),
            "W₂ ± 95 %": value_text(top), "W₂ ÷ level met": _per_level(top),
            "C₂": number(_c2(top)), "slope in ε": along.slope_text(along.trend(result, scheme, h)), "slope in h": _octave(octaves[name]),
        })  # fmt: skip
    return out


def _octave(slope) -> str:
    return NONE if slope is None else f"{round(slope, 2) + 0.0:.2f}".replace("-", "−")


def _per_level(row) -> str:
    return NONE if diverged(row) or not row["error_level_met"] else number(row["w2"] / row["error_level_met"])


def models_sentence(results: dict[str, dict], scheme: str, h: float) -> str:
    """What the same level costs for each model, from the largest of each."""
    tops = {name: rows[-1] for name, result in results.items() if (rows := _at(result, scheme, h)) and not diverged(rows[-1])}
    base, per = _base(results, scheme, h), {n: r["w2"] / r["error_level_met"] for n, r in tops.items() if r["error_level_met"]}
    if not per:
        return "Nothing has been measured yet."
    each = (f"{number(v)} with {errors.REGISTRY[n].phrase}" for n, v in per.items())
    said = [f"At h = {step_size(h)} and the largest level, {scheme}'s W₂ ÷ ε is {listed(each)}."]
    if "noise" in per and "constant" in per:
        ratio = f"{per['constant'] / per['noise']:.3g} times less"
        said.append(f"W₂ with fresh noise is {ratio} than with a constant direction of the same L₂ level.")
    buried = [n for n, result in results.items() if n in per and not along.trend(result, scheme, h).get("used")]
    if buried and base:
        who = listed(errors.REGISTRY[n].title for n in buried)
        said.append(f"{who}: never clear of the {number(base)} that {scheme} errs without a score error.")
    return " ".join(said)


def second_order_chart(results: dict[str, dict], theorem: dict[str, dict]) -> Chart:
    """W2 of SO against h without error, with an error of L alone and with one of M alone {label: result}; theorem {label:
    {"factor": in words, "term": {h: its term of the bound}}} dotted."""
    style, series, keys, ys = schemes.REGISTRY["SO"].style, [], [], []
    looks = [(*NEUTRAL, "circle", "dash"), (style.light, style.dark, "diamond", "solid"), (*SCORE, "square", "longdash")]
    steps = sorted({r["h"] for result in results.values() for r in result["rows"]}) or [0.1, 1.0]
    for (label, result), (light, dark, marker, dash) in zip(results.items(), looks):
        rows = sorted((r for r in result["rows"] if not diverged(r) and r["w2"] > 0), key=lambda r: r["h"])
        look = {"colours": (light, dark), "group": label}
        series.append(Curve(
            label, tuple(r["h"] for r in rows), tuple(r["w2"] for r in rows), marker=marker, dash=dash,
            low=tuple(max(r["w2"] - Z95 * (r["stderr"] or 0), r["w2"] / 3) for r in rows),
            high=tuple(r["w2"] + Z95 * (r["stderr"] or 0) for r in rows), filled=tuple(not reasons(r, {}) for r in rows),
            hover=tuple("\n".join([f"{label}, h = {step_size(r['h'])}", f"W₂ {value_text(r)}", *reasons(r, {})]) for r in rows), **look,
        ))  # fmt: skip
        keys.append(Key(label, marker=marker, dash=dash, **look))
        ys += [r["w2"] for r in rows]
        if label in theorem:
            term = sorted(theorem[label]["term"].items())
            series.append(Curve(f"theorem's {theorem[label]['factor']}", *zip(*term), dash="dot", thin=True, **look))
            ys += [v for _, v in term]
    if theorem:
        keys.append(Key("theorem's term", dash="dot"))
    x, y = (steps[0] / 1.3, steps[-1] * 1.3), (min(ys) / 1.5, max(ys) * 1.5) if ys else (0.01, 1.0)
    return Chart(
        title="Errors of SO's Hessian and drift rate", x=Axis("step size h", x, octaves(*x, steps, step_size)),
        y=Axis("W₂ of SO", y, decades(*y)), series=tuple(series), keys=tuple(keys),
        alt="W₂ of SO against h, log–log, with and without errors of L and M.",
    )  # fmt: skip


def second_order_table(rows: list[dict]) -> list[dict]:
    """rows: as `levels.second_order` gives them."""
    return [
        {
            "error": r["label"], "slope in h": _octave(r["slope"]), "theorem's order": order(r["order"]), "theorem's factor": r["factor"],
            "W₂ at the finest h": number(r["w2"]), "theorem's term": number(r["term"]),
            "term ÷ measured": number(r["term"] / r["w2"]) if r["term"] and r["w2"] else NONE,
            "W₂ ÷ (h·ε)": number(r["cost"]), "the same, derived": number(r["derived"]),
        }
        for r in rows
    ]  # fmt: skip


def second_order_sentence(rows: list[dict]) -> str:
    slopes = listed(f"{_octave(r['slope'])} for {r['label']} (theorem {order(r['order'])})" for r in rows if r["slope"] is not None)
    ratios = listed(f"{r['term'] / r['w2']:.3g} times the measured W₂ for {r['label']}" for r in rows if r["term"] and r["w2"])
    said = [f"Slopes in h over the two finest steps: {slopes}."] if slopes else []
    return " ".join([*said, *([f"At the finest step the theorem's term is {ratios}."] if ratios else [])])


def parts_chart(found: dict) -> Chart:
    """The three contributions of a `levels.contributions` answer: a bar each for theorem and measurement, in shares of its sum."""
    style, bars, series = schemes.REGISTRY[found["scheme"]].style, [], []
    colours = {"initialisation": NEUTRAL, "discretisation": (style.light, style.dark), "score": SCORE}
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
        said.append("More than the sum: a part alone is not quite what it is beside the others.")
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
            "theorem ÷ measured": number(theorem / measured) if theorem and measured else NONE,
        })  # fmt: skip
    return out
