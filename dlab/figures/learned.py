"""The Learned score page's pictures, sentences and tables, from trainings, `answers.learned_score` and results; nothing is computed."""

from dataclasses import replace

import numpy as np
from contourpy import contour_generator

from dlab.answers import denoiser
from dlab.answers.learned_score import FROM
from dlab.figures.chart import MORE, NEUTRAL, Band, Chart, Curve, Map, Sheet, look
from dlab.figures.numbers import NONE, Z95, estimate, fixed, interval, listed, number, step_size
from dlab.figures.plot import beside, even_axis, line, log_axis, plot, scheme_look, step_axis
from dlab.figures.score import DENOISER, WHERE, met_curves
from dlab.figures.tables import diverged, hover, reasons, value_text, void_reason
from dlab.look import Style

# A method of training is no scheme and borrows no scheme's colour.
LOOKS = {"denoising": Style("#5B4FB5", "#A79BF0", "circle", "solid"), "sliced": Style("#7A4B1E", "#D9A066", "diamond", "dash")}
KINDS = {
    "score": ("score s", "ε", "score error"),
    "hessian": ("L = ½I + H, Frobenius norm", "ε⁽ᴸ⁾", "error of L"),
    "drift": ("M = x/4 − Lγ", "ε⁽ᴹ⁾", "error of M"),
    "defined": ("M by its definition (not used)", "ε⁽ᴹ⁾", "error of M by its definition"),
}
STILL = 0.9  # of the error with fewer samples: where more leave so much of it, they are not what it comes from
PALE = 1e-3  # of its largest value: |e| is left blank where pₜ is smaller


def losses_chart(method: str, rows: list, updates: int) -> Chart:
    """The loss while a network is trained, rows [update, on the samples (None or nan at 0), on fresh ones]; updates: where the axis
    ends."""
    curves = []
    for column, dash, what, colours in (
        (1, "dot", "on the samples", NEUTRAL), (2, "solid", "on fresh samples", look(LOOKS[method])["colours"])):  # fmt: skip
        curves.append(Curve.of(
            what, [r for r in rows if r[column] == r[column]], lambda r: r[0], value=lambda r, k=column: r[k], colours=colours, dash=dash,
            group=what, label=what, thin=column == 1,
            says=lambda r, k=column, w=what: [w, f"after {r[0]:,.0f} updates: {r[k]:.4f}"]))  # fmt: skip
    values = [v for c in curves for v in c.y] or [0.0, 1.0]
    room = max(0.1 * (max(values) - min(values)), 1e-3 * max(map(abs, values)))
    told = f"After {rows[-1][0]:,.0f} of {updates:,} updates the loss is {rows[-1][2]:.4f} on fresh samples." if rows else ""
    return plot(
        "Loss while the network is trained", even_axis("updates", 0.0, float(updates)),
        even_axis("loss", min(values) - room, max(values) + room), curves,
        says=told,
    )  # fmt: skip


def excess_chart(found: dict) -> Chart:
    """How far the loss on fresh samples is above the exact score's on the same ones; of a `learned_score.trained` answer."""
    rows = [{"updates": k, "gap": fresh - found["least"]} for k, _, fresh in found["losses"]]
    method = found["study"]["score_error"].get("method", "denoising")
    curve = Curve.of(
        f"{method}, fresh samples", [r for r in rows if r["gap"] > 0], lambda r: r["updates"], value=lambda r: r["gap"],
        **look(LOOKS[method], dash="solid"), label="on fresh samples",
        says=lambda r: [f"after {r['updates']:,} updates", f"loss less its least value {number(r['gap'])}"])  # fmt: skip
    return plot(
        "What the network still has to learn", even_axis("updates", 0.0, float(rows[-1]["updates"])), "loss less its least value", [curve],
        says=excess_sentence(found),
    )  # fmt: skip


def excess_sentence(found: dict) -> str:
    first, last, least = found["losses"][0], found["losses"][-1], found["least"]
    gap = [row[2] - least for row in (first, last)]
    end = f"{number(gap[1])} above it" if gap[1] > 0 else "below it by chance, closer than these samples can tell"
    hidden = sum(row[2] <= least for row in found["losses"])
    missing = f" {hidden} points where chance puts it below are not drawn." if hidden > 1 else ""
    return (
        f"On fresh samples the exact score has a loss of {least:.4f}, which can be beaten only by chance. The Gaussian "
        f"fitted to the samples, where the training starts, is {number(gap[0])} above it; after {last[0]:,} updates the network is "
        f"{end}.{missing} That gap is the squared error under pₜ, weighted by σₜ² and averaged over the times of the training."
    )


def errors_chart(met: dict, kinds=("score",)) -> Chart:
    """The L2 error of a kind against t, along the iterates and along pₜ; several kinds make a chart each, see `derivatives`."""
    (kind,) = kinds
    _, symbol, name = KINDS[kind]
    lines = {along: (met[along][kind]["value"], met[along][kind]["stderr"]) for along in ("iterates", "forward")}
    curves, bands = met_curves(lines, met["scheme"], tuple(met["t"]), name)
    return plot(
        f"{name[0].upper()}{name[1:]} against time", log_axis("time t (data at 0)", met["t"], (1.1, 1.1)), f"{symbol}(t), L₂ norm", curves,
        bands=bands, says=errors_sentence(met),
    )  # fmt: skip


def _average(error, name="average") -> str:
    return estimate(error, name, f"{name}_stderr")


def denoised(met: dict) -> dict:
    """The error of the denoised point, `denoiser.levels` along the iterates and along pₜ at the times that the curves keep."""
    return {along: denoiser.levels(met["t"], met[along]["score"]["value"], met[along]["score"]["stderr"], FROM) for along in WHERE}


def derivatives(met: dict) -> Sheet:
    """ε^(L) and ε^(M) against t, side by side."""
    hessian, drift, other = (met["iterates"][kind] for kind in ("hessian", "drift", "defined"))
    told = (
        f"Along {met['scheme']}'s iterates ε⁽ᴸ⁾ is {_average(hessian)} and ε⁽ᴹ⁾ {_average(drift)} on average over t, with "
        f"M* = x/4 − L*γ*. By the definition of M, with second derivatives in x and one in t of the network, it would be "
        f"{_average(other)}: the one that SO uses here is {'smaller' if drift['average'] < other['average'] else 'larger'}."
    )
    parts = (errors_chart(met, (kind,)) for kind in ("hessian", "drift"))
    return beside("Errors of L and M", parts, f"Two pictures against time, both axes logarithmic. {told}", told)


def errors_sentence(met: dict) -> str:
    """What the sampler meets, beside what the training controls."""
    own, true = met["iterates"]["score"], met["forward"]["score"]
    apart = abs(own["average"] - true["average"]) > 2 * Z95 * np.hypot(own["average_stderr"], true["average_stderr"])
    same = "They differ by more than their errors." if apart else "Here the two agree within their errors."
    return (
        f"Along {met['scheme']}'s own iterates, where the theorem assumes it, ε is {_average(own)} averaged over t and "
        f"{number(own['top'])} at most, at t = {number(own['top_t'])}; under pₜ, which is all that training controls, {_average(true)} "
        f"and {number(true['top'])}. {same}"
    )


def errors_table(met: dict) -> list[dict]:
    """One line a kind of error, and one for that of the denoised point, which follows from the score's."""
    places, derived = {f"along {met['scheme']}": "iterates", "along pₜ": "forward"}, denoised(met)
    lines = [(*KINDS[kind][:2], {along: met[along][kind] for along in WHERE}) for kind in KINDS]
    lines.insert(1, ("denoised point x₀", f"{DENOISER} = ταε", derived))
    return [
        {"error of": title, "symbol": symbol}
        | {f"{label}, average over t": _average(errors[along]) for label, along in places.items()}
        | {f"{label}, largest": f"{_average(errors[along], 'top')} at t = {number(errors[along]['top_t'])}"
           for label, along in places.items()}
        for title, symbol, errors in lines
    ]  # fmt: skip


def curves_chart(results: dict[str, dict], floors: dict[str, dict], promises: dict[str, dict], sharp: dict | None = None) -> Chart:
    """W2 against h with the learned score and with the exact one ({"learned", "exact"}: results), the floor of each scheme {scheme:
    {"value", "stderr"} or None} with its interval, and C2 eps_sc {scheme: {"value", ...}};
    sharp: the same with the constant integrated over t, {"c2", "value"}."""
    names = results["learned"]["study"]["schemes"]
    rows = {which: results[which]["rows"] for which in ("exact", "learned") if which in results}
    x = step_axis(r["h"] for each in rows.values() for r in each)
    curves = [
        Curve.of(
            f"{name}, {which} score", [r for r in each if r["scheme"] == name], why=reasons,
            **scheme_look(name, **({"label": name} if which == "learned" else {"marker": "", "dash": "dashdot", "thin": True})),
            says=lambda r, w=which: hover(r, f"{r['scheme']}, {w} score"))
        for name in names for which, each in rows.items()
    ]  # fmt: skip
    bands = [
        Band(f"{name}: floor as h → 0", x.limits, (found["value"] - Z95 * found["stderr"],) * 2,
             (found["value"] + Z95 * found["stderr"],) * 2, scheme_look(name)["colours"], name)
        for name, found in floors.items() if found
    ]  # fmt: skip
    for value in sorted({p["value"] for p in promises.values() if p["value"]}):
        its = [name for name, p in promises.items() if p["value"] == value]
        label = f"C₂·ε of {listed(its)}"
        curves.append(line(label, y=value, dash="dot", hover=(f"{label}: {number(value)}",) * 2, colours=scheme_look(its[0])["colours"]))
    if sharp:
        label = "C₂·ε, C₂ integrated over t"
        curves.append(line(label, y=sharp["value"], dash="longdash", key=label, hover=(f"{label}: {number(sharp['value'])}",) * 2))
    return plot(
        "W₂ with a learned score and with the exact one", x, "W₂", curves, bands=bands,
        guide={"dashdot": "exact score", "band": "floor, 95 %", "dot": "theorem's C₂·ε"},
        says=curves_sentence(results, floors, promises, sharp),
    )  # fmt: skip


def curves_sentence(results: dict[str, dict], floors: dict[str, dict], promises: dict[str, dict], sharp: dict | None = None) -> str:
    """The floor of each scheme beside the theorem's term, and those that have none yet."""
    known, said = {n: f for n, f in floors.items() if f}, []
    promised = {n: p["value"] for n, p in promises.items() if p["value"]}
    if known:
        each = listed(f"{estimate(f, 'value')} ({n})" for n, f in known.items())
        said.append(f"As h → 0 the curves with the learned score level off at W₂ = {each}, which no step size removes.")
    if promised:
        each = listed(f"{number(v)} for {listed(n for n in promised if promised[n] == v)}" for v in dict.fromkeys(promised.values()))
        factors = sorted(promised[n] / known[n]["value"] for n in known if n in promised)
        times = f", {number(factors[0])} to {number(factors[-1])} times as much" if len(factors) > 1 else ""
        along = next(p["along"] for p in promises.values())
        said.append(f"The theorem's C₂·ε, with the largest ε along {along}'s iterates, is {each}{times}.")
    if known and known.keys() <= promised.keys():
        halves = {n: Z95 * f["stderr"] for n, f in known.items()}
        if all(f["value"] + halves[n] < promised[n] for n, f in known.items()):
            clear = all(f["value"] > halves[n] for n, f in known.items())
            said.append(f"Each floor is below that{' and above zero' if clear else ''} by more than its interval.")
    if sharp:
        said.append(f"With C₂ integrated over t, {number(sharp['c2'])}, it is {number(sharp['value'])}.")
    void = {n: void_reason(results["learned"], n) for n in promises if n not in promised}
    said += [f"No C₂·ε for {listed(n for n in void if void[n] == why)}: {why}." for why in dict.fromkeys(void.values())]
    if unknown := [n for n, f in floors.items() if not f]:
        said.append(f"{listed(unknown)}: no floor yet, since at the finest h the scheme's own error is still a large part.")
    return " ".join(said)


def curves_table(results: dict[str, dict], floors: dict[str, dict], promises: dict[str, dict]) -> list[dict]:
    """One line a scheme and h."""
    exact = {(r["scheme"], r["h"]): r for r in results.get("exact", {"rows": []})["rows"]}

    def each(r, base, floor, promise):
        return {
            "scheme": r["scheme"], "h": step_size(r["h"]), "W₂ learned ± 95 %": value_text(r),
            "W₂ exact ± 95 %": NONE if base is None else value_text(base),
            "ε met": number(r["error_level_met"]), "floor, h → 0": estimate(floor, "value") if floor else NONE,
            "C₂": number(promise.get("c2")), "C₂·ε": number(promise["value"]) if promise.get("value") else "void",
            "why hollow": "; ".join(reasons(r)),
        }  # fmt: skip

    return [
        each(r, exact.get((r["scheme"], r["h"])), floors.get(r["scheme"]), promises.get(r["scheme"], {}))
        for r in results["learned"]["rows"]
    ]


def field_map(plane: dict) -> Map:
    """|e(t, x)| as a colour where pₜ has mass, e as arrows, and contours of pₜ."""
    length, density = np.array(plane["length"]), np.array(plane["density"])
    seen = np.where(density > PALE, length, np.nan)
    top = float(np.nanmax(seen)) or 1.0
    x, y = np.array(plane["x"]), np.array(plane["y"])
    axes = [even_axis(t, v[0], v[-1], 4) for t, v in (("x₁", x), ("x₂", y))]
    over = [
        Curve(f"pₜ at {share:.0%} of its largest value", *map(tuple, line.T), dash="solid", thin=True)
        for share in (0.5, 0.1, 0.01) for line in contour_generator(x, y, density).lines(share)
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
    place = f"({fixed(plane['x'][i[1]])}, {fixed(plane['y'][i[0]])})"
    return (
        f"At t = {number(plane['t'])} the learned score is wrong by {number(plane['level'])} in L₂ under pₜ. In the picture it "
        f"is wrong the most, by {number(float(length[i]))}, at {place}, where pₜ is {number(float(density[i]))} of its largest value. "
        f"The mean of |e| is {number(inner)} inside the contour of 10 % and {number(outer)} outside it.{why}"
    )


def _arrow(foot, shift) -> Curve:
    """An arrow as one line: shaft and two barbs."""
    tip, side = foot + shift, np.array([-shift[1], shift[0]])
    points = [foot, tip, tip - 0.3 * shift + 0.18 * side, tip, tip - 0.3 * shift - 0.18 * side]
    return Curve("e", *map(tuple, zip(*points)), colours=MORE, dash="solid", thin=True)


def against_samples(results: dict[str, dict], scheme: str, h: float) -> Chart:
    """ε met and W2 at h against the number of training samples, {method: varied result}."""
    curves = []
    for method, result in results.items():
        for key, label in (("w2", "W₂"), ("error_level_met", "ε met")):
            full, name = key == "w2", f"{label}, {method}"
            half = (lambda r: Z95 * (r["stderr"] or 0)) if full else lambda r: 0.0
            curve = Curve.of(
                name, _at(result, scheme, h), lambda r: r["value"], value=lambda r, k=key: r[k], half=half, label=name,
                **look(LOOKS[method], group=name, **({} if full else {"dash": "dot"})),
                says=lambda r, n=name, k=key, e=half: [f"{n}, n = {r['value']:,.0f}", interval(r[k], e(r))])  # fmt: skip
            curves.append(replace(curve, filled=(full,) * len(curve.x)))
    return plot(
        "The number of training samples", log_axis("training samples n", [x for c in curves for x in c.x], (1.4, 1.4)),
        f"W₂ of {scheme} at h = {step_size(h)}, and ε", curves,
        says=samples_sentence(results, scheme, h),
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
                f"With {method} score matching, from {few['value']:,.0f} samples to {many['value']:,.0f}, the largest ε along "
                f"{scheme}'s iterates "
                f"goes from {number(few['error_level_met'])} to {number(many['error_level_met'])} and W₂ from {value_text(few)} to "
                f"{value_text(many)}."
            )
            if (still := rows[-2])["error_level_met"] * STILL < many["error_level_met"]:
                said.append(f"From {still['value']:,.0f} on ε hardly falls: what is left comes from the network and its training.")
    return " ".join(said)


def samples_table(results: dict[str, dict], scheme: str, h: float) -> list[dict]:
    return [
        {
            "method": method, "samples n": f"{r['value']:,.0f}", "ε met, largest": number(r["error_level_met"]),
            f"W₂ of {scheme} ± 95 %": value_text(r),
            "C₂·ε": number(r["bound_parts"]["score"]) if r["bound_parts"] else "void",
        }
        for method, result in results.items() for r in result["rows"] if r["scheme"] == scheme and r["h"] == h
    ]  # fmt: skip
