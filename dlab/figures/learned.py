"""The Learned score page's pictures, sentences and tables, from trainings, `study.learned` answers and results; nothing is computed."""

import numpy as np
from contourpy import contour_generator

from dlab import schemes
from dlab.figures.chart import MORE, NEUTRAL, Axis, Band, Chart, Curve, Key, Map, Sheet, decades, evenly, octaves
from dlab.figures.numbers import NONE, Z95, interval, listed, number, step_size
from dlab.figures.tables import diverged, reasons, value_text, void_reason

# Light, dark, marker, dash: a method is no scheme and borrows no scheme's colour.
LOOKS = {
    "denoising": ("#5B4FB5", "#A79BF0", "circle", "solid"),
    "sliced": ("#7A4B1E", "#D9A066", "diamond", "dash"),
}
KINDS = {
    "score": ("score s", "ε_sc", "score error"),
    "hessian": ("L = ½I + H, Frobenius norm", "ε⁽ᴸ⁾", "error of L"),
    "drift": ("M = x/4 − Lγ", "ε⁽ᴹ⁾", "error of M"),
    "defined": ("M by its definition (not used)", "ε⁽ᴹ⁾", "error of M by its definition"),
}
STILL = 0.9  # of the error with fewer samples: where more leave so much of it, they are not what it comes from
PALE = 1e-3  # of its largest value: where p_t is smaller nobody comes, and |e| is left blank


def losses_chart(method: str, rows: list, updates: int) -> Chart:
    """The loss while a network is trained, rows [update, on the samples (None or nan at 0), on fresh ones]; updates: where the axis
    ends."""
    light, dark, _, _ = LOOKS[method]
    series, keys, values = [], [], []
    for column, dash, what, colours in ((1, "dot", "on the samples", NEUTRAL), (2, "solid", "on fresh samples", (light, dark))):
        shown = [(r[0], r[column]) for r in rows if r[column] is not None and r[column] == r[column]]
        hover = tuple(f"{what}\nafter {k:,.0f} updates: {v:.4f}" for k, v in shown)
        series.append(Curve(what, *_columns(shown), thin=column == 1, hover=hover, colours=colours, group=what, dash=dash))
        keys.append(Key(what, colours=colours, group=what, dash=dash))
        values += [v for _, v in shown]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = max(0.1 * (high - low), 1e-3 * max(abs(high), abs(low)))
    x, y = (0.0, float(updates)), (low - room, high + room)
    last = rows[-1] if rows else None
    said = f"After {last[0]:,.0f} of {updates:,} updates the loss is {last[2]:.4f} on fresh samples." if last else ""
    return Chart(
        title="Loss while the network is trained", x=Axis("updates", x, evenly(*x), log=False), y=Axis("loss", y, evenly(*y), log=False),
        series=tuple(series), keys=tuple(keys), alt=f"Loss of {method} score matching against updates. {said}", caption=said,
    )  # fmt: skip


def excess_chart(found: dict) -> Chart:
    """How far the loss on fresh samples is above the exact score's on the same ones; of a `study.learned.trained` answer."""
    spec, rows = found["study"]["score_error"], [(k, fresh - found["least"]) for k, _, fresh in found["losses"]]
    method = spec.get("method", "denoising")
    light, dark, marker, _ = LOOKS[method]
    shown = [(k, v) for k, v in rows if v > 0]
    hover = tuple(f"after {k:,} updates\nloss less its least value {number(v)}" for k, v in shown)
    x, y = (0.0, float(rows[-1][0])), (min((v for _, v in shown), default=1e-4) / 1.5, max((v for _, v in shown), default=1e-1) * 1.5)
    said = excess_sentence(found)
    return Chart(
        title="What the network still has to learn", x=Axis("updates", x, evenly(*x), log=False),
        y=Axis("loss less its least value", y, decades(*y)),
        series=(Curve(f"{method}, fresh samples", *_columns(shown), hover=hover, colours=(light, dark), marker=marker, dash="solid"),),
        keys=(Key(f"{method}, on fresh samples", colours=(light, dark), marker=marker, dash="solid"),),
        alt=f"Loss less the exact score's against updates. {said}", caption=said,
    )  # fmt: skip


def excess_sentence(found: dict) -> str:
    first, last, least = found["losses"][0], found["losses"][-1], found["least"]
    gap = [row[2] - least for row in (first, last)]
    end = f"{number(gap[1])} above it" if gap[1] > 0 else "below it by chance, nearer than these samples can tell"
    hidden = sum(row[2] <= least for row in found["losses"])
    missing = f" {hidden} points where chance puts it below are not drawn." if hidden > 1 else ""
    return (
        f"On fresh samples the exact score has a loss of {least:.4f}, which nothing can beat by more than chance. The Gaussian "
        f"fitted to the samples, where the training starts, is {number(gap[0])} above it; after {last[0]:,} updates the network is "
        f"{end}.{missing} That gap is the squared error under p_t, weighted by σ_t² and averaged over the times of the training."
    )


def _columns(pairs) -> tuple[tuple, tuple]:
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


def errors_chart(met: dict, kinds=("score",)) -> Chart:
    """The L2 error of a kind against t, along the iterates and along p_t; several kinds make a chart each, see `derivatives`."""
    (kind,) = kinds
    style, (title, symbol, name) = schemes.REGISTRY[met["scheme"]].style, KINDS[kind]
    lines = {
        "iterates": (style.light, style.dark, "solid", f"along {met['scheme']}'s iterates"), "forward": (*NEUTRAL, "dash", "along p_t"),
    }  # fmt: skip
    series, bands, keys, tops, lows = [], [], [], [], []
    for along, (light, dark, dash, label) in lines.items():
        value, half = met[along][kind]["value"], [Z95 * e for e in met[along][kind]["stderr"]]
        low, high = (tuple(max(v + s * e, v / 3) for v, e in zip(value, half)) for s in (-1, 1))
        look = {"colours": (light, dark), "group": along}
        hover = tuple(f"{label}, t = {number(t)}\n{name} {interval(v, e)}" for t, v, e in zip(met["t"], value, half))
        series.append(Curve(label, tuple(met["t"]), tuple(value), dash=dash, hover=hover, **look))
        bands.append(Band(f"{label}, 95 %", tuple(met["t"]), low, high, **look))
        keys.append(Key(label, dash=dash, **look))
        tops += high
        lows += low
    x, y = (min(met["t"]) / 1.1, max(met["t"]) * 1.1), (min(lows) / 1.2, max(tops) * 1.3)
    return Chart(
        title=f"{name[0].upper()}{name[1:]} against time", x=Axis("time t (data at 0)", x, decades(*x)),
        y=Axis(f"{symbol}(t), L₂ norm", y, decades(*y)), series=tuple(series), bands=tuple(bands), keys=tuple(keys),
        alt=f"{symbol} of the {title} against t. {errors_sentence(met)}", caption=errors_sentence(met),
    )  # fmt: skip


def derivatives(met: dict) -> Sheet:
    """ε^(L) and ε^(M) against t, side by side."""
    its = met["iterates"]
    own, other = its["drift"], its["defined"]
    better = "smaller" if own["average"] < other["average"] else "larger"
    said = (
        f"Along {met['scheme']}'s iterates ε⁽ᴸ⁾ is {interval(its['hessian']['average'], Z95 * its['hessian']['average_stderr'])} and ε⁽ᴹ⁾ "
        f"{interval(own['average'], Z95 * own['average_stderr'])} on average over t, with M* = x/4 − L*γ*. By the definition of M, with "
        f"second derivatives in x and one in t of the network, it would be {interval(other['average'], Z95 * other['average_stderr'])}: "
        f"the one that SO uses here is {better}."
    )
    parts = tuple(errors_chart(met, (kind,)) for kind in ("hessian", "drift"))
    return Sheet("Errors of L and M", parts, f"Two pictures against time, both axes logarithmic. {said}", said)


def errors_sentence(met: dict) -> str:
    """What the sampler meets, beside what the training controls."""
    own, true = met["iterates"]["score"], met["forward"]["score"]
    apart = abs(own["average"] - true["average"]) > 2 * Z95 * np.hypot(own["average_stderr"], true["average_stderr"])
    same = "They differ by more than their errors." if apart else "Here the two agree within their errors."
    return (
        f"Along {met['scheme']}'s own iterates, where the theorem assumes it, ε_sc is "
        f"{interval(own['average'], Z95 * own['average_stderr'])} "
        f"averaged over t and {number(own['top'])} at most, at t = {number(own['top_t'])}; under p_t, which is all that training controls, "
        f"{interval(true['average'], Z95 * true['average_stderr'])} and {number(true['top'])}. {same}"
    )


def errors_table(met: dict) -> list[dict]:
    """One line a kind of error."""
    out = []
    for kind, (title, symbol, _) in KINDS.items():
        line = {"error of": title, "symbol": symbol}
        for along, label in (("iterates", f"along {met['scheme']}"), ("forward", "along p_t")):
            one = met[along][kind]
            line |= {
                f"{label}, average over t": interval(one["average"], Z95 * one["average_stderr"]),
                f"{label}, largest": f"{interval(one['top'], Z95 * one['top_stderr'])} at t = {number(one['top_t'])}",
            }  # fmt: skip
        out.append(line)
    return out


def curves_chart(results: dict[str, dict], floors: dict[str, dict], promises: dict[str, dict]) -> Chart:
    """W2 against h with the learned score and with the exact one ({"learned", "exact"}: results), the floor of each scheme {scheme:
    {"value", "stderr"} or None} with its interval, and C2 eps_sc {scheme: {"value", ...}}."""
    series, bands, keys, sizes, steps = [], [], [], [], []
    tops = [p["value"] for p in promises.values() if p["value"]]
    for name in results["learned"]["study"]["schemes"]:
        style = schemes.REGISTRY[name].style
        look = {"colours": (style.light, style.dark), "group": name}
        for which in ("exact", "learned"):
            rows = [r for r in results.get(which, {"rows": []})["rows"] if r["scheme"] == name and not diverged(r) and r["w2"] > 0]
            rows.sort(key=lambda r: r["h"])
            if not rows:
                continue
            full = which == "learned"
            series.append(Curve(
                f"{name}, {which} score", tuple(r["h"] for r in rows), tuple(r["w2"] for r in rows),
                low=tuple(max(r["w2"] - Z95 * (r["stderr"] or 0), r["w2"] / 3) for r in rows) if full else (),
                high=tuple(r["w2"] + Z95 * (r["stderr"] or 0) for r in rows) if full else (),
                filled=tuple(not reasons(r, {}) for r in rows) if full else (),
                hover=tuple(
                    "\n".join([f"{name}, {which} score, h = {step_size(r['h'])}", f"W₂ {value_text(r)}", *reasons(r, {})]) for r in rows
                ),
                marker=style.marker if full else "", dash=style.dash if full else "dashdot", thin=not full, **look,
            ))  # fmt: skip
            sizes += [r["w2"] for r in rows]
            steps += [r["h"] for r in rows]
        keys.append(Key(name, marker=style.marker, dash=style.dash, **look))
    if not sizes:
        sizes, steps = [0.01, 0.1], [0.1, 1.0]
    x = (min(steps) / 1.3, max(steps) * 1.3)
    for name, found in floors.items():
        if found:
            style, half = schemes.REGISTRY[name].style, Z95 * found["stderr"]
            ends = max(found["value"] - half, found["value"] / 3), found["value"] + half
            bands.append(Band(f"{name}: floor as h → 0", x, (ends[0],) * 2, (ends[1],) * 2, (style.light, style.dark), name))
            sizes += ends
    for value in sorted(set(tops)):
        names = listed(n for n, p in promises.items() if p["value"] == value)
        label = f"C₂·ε_sc of {names}"
        series.append(Curve(label, x, (value, value), dash="dot", thin=True, hover=(f"{label}: {number(value)}",) * 2))
    y = (min(sizes) / 1.5, max([*sizes, *tops]) * 1.4)
    keys.append(Key("exact score", dash="dashdot"))
    keys += [Key("floor, 95 %", band=True)] if bands else []
    keys += [Key("theorem's C₂·ε_sc", dash="dot")] if tops else []
    return Chart(
        title="W₂ with a learned score and with the exact one", x=Axis("step size h", x, octaves(*x, sorted(set(steps)), step_size)),
        y=Axis("W₂", y, decades(*y)), series=tuple(series), bands=tuple(bands), keys=tuple(keys),
        alt=f"W₂ against h, log–log. {curves_sentence(results, floors, promises)}", caption=curves_sentence(results, floors, promises),
    )  # fmt: skip


def curves_sentence(results: dict[str, dict], floors: dict[str, dict], promises: dict[str, dict]) -> str:
    """The floor of each scheme beside the theorem's term, and those that have none yet."""
    known, said = {n: f for n, f in floors.items() if f}, []
    promised = {n: p["value"] for n, p in promises.items() if p["value"]}
    if known:
        each = listed(f"{interval(f['value'], Z95 * f['stderr'])} ({n})" for n, f in known.items())
        said.append(f"As h → 0 the curves with the learned score level off at W₂ = {each}, which no step size removes.")
    if promised:
        each = listed(f"{number(v)} for {listed(n for n in promised if promised[n] == v)}" for v in dict.fromkeys(promised.values()))
        factors = sorted(promised[n] / known[n]["value"] for n in known if n in promised)
        times = f", {number(factors[0])} to {number(factors[-1])} times as much" if len(factors) > 1 else ""
        along = next(p["along"] for p in promises.values())
        said.append(f"The theorem's C₂·ε_sc, with the largest ε_sc along {along}'s iterates, is {each}{times}.")
    if known and known.keys() <= promised.keys():
        halves = {n: Z95 * f["stderr"] for n, f in known.items()}
        if all(f["value"] + halves[n] < promised[n] for n, f in known.items()):
            clear = all(f["value"] > halves[n] for n, f in known.items())
            said.append(f"Each floor is below that{' and above zero' if clear else ''} by more than its interval.")
    void = {n: void_reason(results["learned"], n) for n in promises if n not in promised}
    said += [f"No C₂·ε_sc for {listed(n for n in void if void[n] == why)}: {why}" for why in dict.fromkeys(void.values())]
    if unknown := [n for n, f in floors.items() if not f]:
        said.append(f"{listed(unknown)}: no floor yet, since at the finest h the scheme's own error is still a large part.")
    return " ".join(said)


def curves_table(results: dict[str, dict], floors: dict[str, dict], promises: dict[str, dict]) -> list[dict]:
    """One line a scheme and h."""
    out = []
    exact = {(r["scheme"], r["h"]): r for r in results.get("exact", {"rows": []})["rows"]}
    for r in results["learned"]["rows"]:
        base, found, promise = exact.get((r["scheme"], r["h"])), floors.get(r["scheme"]), promises.get(r["scheme"], {})
        out.append({
            "scheme": r["scheme"], "h": step_size(r["h"]), "W₂ learned ± 95 %": value_text(r),
            "W₂ exact ± 95 %": NONE if base is None else value_text(base),
            "ε_sc met": number(r["error_level_met"]), "floor, h → 0": interval(found["value"], Z95 * found["stderr"]) if found else NONE,
            "C₂": number(promise.get("c2")), "C₂·ε_sc": number(promise["value"]) if promise.get("value") else "void",
            "why hollow": "; ".join(reasons(r, {})),
        })  # fmt: skip
    return out


def field_map(plane: dict) -> Map:
    """|e(t, x)| as a colour where p_t has mass, e as arrows, and contours of p_t."""
    length, density = np.array(plane["length"]), np.array(plane["density"])
    seen = np.where(density > PALE, length, np.nan)
    top = float(np.nanmax(seen)) or 1.0
    x, y = np.array(plane["x"]), np.array(plane["y"])
    axes = [Axis(t, (v[0], v[-1]), evenly(v[0], v[-1], 4), log=False) for t, v in (("x₁", x), ("x₂", y))]
    over = [
        Curve(f"p_t at {share:.0%} of its largest value", *map(tuple, line.T), dash="solid", thin=True)
        for share in (0.5, 0.1, 0.01) for line in _contour(x, y, density, share)
    ]  # fmt: skip
    arrows = np.array(plane["arrows"])
    near = np.array([density[np.argmin(np.abs(y - a[1])), np.argmin(np.abs(x - a[0]))] for a in arrows]) > PALE
    longest = np.linalg.norm(arrows[near, 2:], axis=1).max() if near.any() else 1.0
    room = 0.9 * (x[-1] - x[0]) / np.sqrt(len(arrows))
    over += [_arrow(a[:2], a[2:] * room / (longest or 1.0)) for a in arrows[near]]
    return Map(
        f"Error of the score at t = {number(plane['t'])}", *axes, (x, y), seen, (0.0, top),
        f"|e(t, x)|; the longest arrow is {number(longest)}",
        f"Where the learned score is wrong. {field_sentence(plane)}", over=tuple(over),
    )  # fmt: skip


def field_sentence(plane: dict) -> str:
    length, density = np.array(plane["length"]), np.array(plane["density"])
    i = np.unravel_index(np.argmax(np.where(density > PALE, length, -1)), length.shape)
    rare = np.where((density > PALE) & (density < 0.1), length, np.nan)
    core = np.where(density >= 0.1, length, np.nan)
    inner, outer = float(np.nanmean(core)), float(np.nanmean(rare))
    why = " Few samples come there, so training hardly looks." if outer > inner else ""
    place = f"({plane['x'][i[1]]:.2f}, {plane['y'][i[0]]:.2f})".replace("-", "−")
    return (
        f"At t = {number(plane['t'])} the learned score is wrong by {number(plane['level'])} in L₂ under p_t. In the picture it "
        f"is wrong the most, by {number(float(length[i]))}, at {place}, where p_t is {number(float(density[i]))} of its largest value. "
        f"The mean of |e| is {number(inner)} inside the contour of 10 % and {number(outer)} outside it.{why}"
    )


def _contour(x, y, values, level) -> list[np.ndarray]:
    return contour_generator(x, y, values).lines(level)


def _arrow(foot, way) -> Curve:
    """An arrow as one line: shaft and two barbs."""
    tip, side = foot + way, np.array([-way[1], way[0]])
    points = [foot, tip, tip - 0.3 * way + 0.18 * side, tip, tip - 0.3 * way - 0.18 * side]
    return Curve("e", tuple(p[0] for p in points), tuple(p[1] for p in points), colours=MORE, dash="solid", thin=True)


def against_samples(results: dict[str, dict], scheme: str, h: float) -> Chart:
    """ε_sc met and W2 at h against the number of training samples, {method: varied result}."""
    series, keys, xs, ys = [], [], [], []
    for method, result in results.items():
        light, dark, marker, dash = LOOKS[method]
        rows = _at(result, scheme, h)
        for key, label, filled in (("w2", "W₂", True), ("error_level_met", "ε_sc met", False)):
            name = f"{label}, {method}"
            look = {"colours": (light, dark), "group": name, "marker": marker, "dash": dash if filled else "dot"}
            half = [Z95 * (r["stderr"] or 0) if filled else 0.0 for r in rows]
            series.append(Curve(
                name, tuple(r["value"] for r in rows), tuple(r[key] for r in rows), filled=(filled,) * len(rows),
                low=tuple(max(r[key] - e, r[key] / 3) for r, e in zip(rows, half)) if filled else (),
                high=tuple(r[key] + e for r, e in zip(rows, half)) if filled else (),
                hover=tuple(f"{name}, n = {r['value']:,.0f}\n{interval(r[key], e)}" for r, e in zip(rows, half)), **look,
            ))  # fmt: skip
            keys.append(Key(name, filled=filled, **look))
            ys += [r[key] for r in rows]
        xs += [r["value"] for r in rows]
    x = (min(xs) / 1.4, max(xs) * 1.4) if xs else (10.0, 1000.0)
    y = (min(ys) / 1.5, max(ys) * 1.5) if ys else (0.01, 1.0)
    said = samples_sentence(results, scheme, h)
    return Chart(
        title="The number of training samples", x=Axis("training samples n", x, decades(*x)),
        y=Axis(f"W₂ of {scheme} at h = {step_size(h)}, and ε_sc", y, decades(*y)), series=tuple(series), keys=tuple(keys),
        alt=f"W₂ and ε_sc against the number of training samples, log–log. {said}", caption=said,
    )  # fmt: skip


def _at(result, scheme, h) -> list[dict]:
    rows = (r for r in result["rows"] if r["scheme"] == scheme and r["h"] == h and not diverged(r))
    return sorted(rows, key=lambda r: r["value"])


def samples_sentence(results: dict[str, dict], scheme: str, h: float) -> str:
    said = []
    for method, result in results.items():
        rows = _at(result, scheme, h)
        if len(rows) > 1:
            few, many = rows[0], rows[-1]
            said.append(
                f"With {method} score matching, from {few['value']:,.0f} samples to {many['value']:,.0f}, the largest ε_sc along "
                f"{scheme}'s iterates "
                f"goes from {number(few['error_level_met'])} to {number(many['error_level_met'])} and W₂ from {value_text(few)} to "
                f"{value_text(many)}."
            )
            if (still := rows[-2])["error_level_met"] * STILL < many["error_level_met"]:
                said.append(f"From {still['value']:,.0f} on ε_sc hardly falls: what is left comes from the network and its training.")
    return " ".join(said)


def samples_table(results: dict[str, dict], scheme: str, h: float) -> list[dict]:
    return [
        {
            "method": method, "samples n": f"{r['value']:,.0f}", "ε_sc met, largest": number(r["error_level_met"]),
            f"W₂ of {scheme} ± 95 %": value_text(r),
            "C₂·ε_sc": number(r["bound_parts"]["score"]) if r["bound_parts"] else "void",
        }
        for method, result in results.items() for r in result["rows"] if r["scheme"] == scheme and r["h"] == h
    ]  # fmt: skip
