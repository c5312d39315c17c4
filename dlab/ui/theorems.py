"""Theorems and formulas with the numbers of a target: tables of constants and bounds, and the updates of the schemes."""

import streamlit as st

from dlab import schemes, theory, words
from dlab.figures.numbers import constant, in_markdown, listed, number, order, step_size, typeset
from dlab.look import PARTS
from dlab.schemes.formula import coloured, digits
from dlab.study import Study
from dlab.ui import frame
from dlab.ui.view import tabulate

SYMBOLS = (("m0", "m₀"), ("L0", "L₀"), ("L_F", "$L_F$"), ("M1", "M₁"))
PART_NAMES = {"drift": "drift", "second order": "second order", "noise": "noise", "midpoint": "random midpoint"}


def of_result(result: dict) -> None:
    """The bound of each scheme's theorem with the constants of this target, its contributions apart."""
    facts, study = result["facts"], Study.from_json(result["study"])
    known = ", ".join(f"{symbol} = {number(facts[k])} ({facts['how'][k]})" for k, symbol in SYMBOLS if facts[k] is not None)
    st.markdown(words.text("convergence", "theorem", facts=known))
    lines = []
    for name in study.schemes:
        scheme = schemes.REGISTRY[name]
        row = min((r for r in result["rows"] if r["scheme"] == name), key=lambda r: r["h"])
        bound = theory.bound(scheme, study.built.facts, T=study.T, h=row["h"], start=study.start)
        line, parts = {"scheme": name, "theorem": scheme.theorem_name}, row["bound_parts"]
        if bound.void or parts is None:
            lines.append({**line, "bound": f"void: {typeset(bound.void or row.get('bound_withdrawn'))}"})
            continue
        lines.append({
            **line, "h": step_size(row["h"]), "C₁": number(bound.constants.c1), "C₂": number(bound.constants.c2),
            **{part: number(parts[part]) for part in ("initialisation", "discretisation", "score")}, "bound": number(row["bound"]),
        })  # fmt: skip
    tabulate(lines)
    orders = ", ".join(f"{n} {schemes.REGISTRY[n].law_order:g}" for n in study.schemes)
    st.markdown(words.text("convergence", "theorem-loss", orders=orders))
    updates(study.schemes)
    symbols("constants", "letters")


def bounds_known(study: Study) -> dict[str, dict[float, float]]:
    """{scheme: {h: bound}} of a study that has not run; empty where the target's constants would have to be computed first."""
    if (facts := vars(study.built).get("facts")) is None:
        return {}
    found = {}
    for name in study.schemes:
        each = {h: theory.bound(schemes.REGISTRY[name], facts, T=study.T, h=h, start=study.start) for h in study.h}
        found[name] = {h: bound.total for h, bound in each.items() if not bound.void}
    return found


def planned(study: Study, epsilon: float, *, parts: bool) -> list[dict]:
    """A line for each scheme: the horizon, step and number of steps for which its theorem promises epsilon; parts: with the
    constants and contributions at that step."""
    lines = []
    for name in study.schemes if parts else schemes.PAPER:
        scheme, at = schemes.REGISTRY[name], {"start": study.start, "T": study.T}
        plan = theory.plan(scheme, study.built.facts, epsilon, **at)
        line = {"scheme": name, "theorem": scheme.theorem_name}
        if plan.void:
            lines.append({**line, "N": f"void: {typeset(plan.void)}" if parts else "void"})
            continue
        size, count = {"T": number(plan.T), "h": number(plan.h)}, {"N": f"{plan.steps:,}"}
        if not parts:
            lines.append({**line, **size, **count, "score evaluations": f"{plan.steps * scheme.score_evals:,}"})
            continue
        bound = theory.bound(scheme, study.built.facts, T=plan.T, h=plan.h, start=study.start)
        if study.start == "paper":
            count["N with s = ½"] = f"{theory.plan(scheme, study.built.facts, epsilon, **at, share=0.5).steps:,}"
        lines.append({
            **line, "C₁": number(bound.constants.c1), "s": number(plan.share), **size,
            "initialisation": number(bound.initialisation), "discretisation": number(bound.discretisation), **count,
        })  # fmt: skip
    return lines


def corollaries(result: dict, epsilon: float) -> None:
    """Corollaries 2 and 5: T, h and N of the theorems for one accuracy, with this target's constants."""
    study, facts = Study.from_json({**result["study"], "reach": None}), result["facts"]
    start = words.text("budget", "start-paper") if study.start == "paper" else words.text("budget", "start-exact", T=number(study.T))
    st.markdown(words.text("budget", "theorem", start=start, epsilon=f"{epsilon:g}"))
    tabulate(planned(study, epsilon, parts=True))
    shown = (*SYMBOLS[:3], ("m_min", "mₘᵢₙ"), ("L_max", "Lₘₐₓ"))
    known = [f"{symbol} = {number(facts[k])}" for k, symbol in shown if facts[k] is not None]
    known += [f"$\\|X_0\\|_{{L_2}}$ = {number(facts['second_moment'] ** 0.5)} and d = {len(facts['mean'])}"]
    st.markdown(words.text("budget", "theorem-loss", facts=", ".join(known)))


def with_numbers(study: Study, h: float) -> None:
    """Every theorem as it is printed, and with the numbers of this target at step h."""
    facts = study.built.facts
    if (facts.m0.value or 0) > 0 and facts.L0.value is not None:
        st.markdown(words.text(
            "theory", "theorems", m_min=number(min(1.0, facts.m0.value)), L_max=number(1 + facts.L0.value), d=facts.dim,
            size=number(facts.second_moment**0.5),
        ))  # fmt: skip
    void, paper = {}, study.start == "paper"
    first = r"e^{-m_{\min}T}\,\|X_0\|_{L_2} + " if paper else ""
    for name, scheme in schemes.REGISTRY.items():
        found = theory.bound(scheme, facts, T=study.T, h=h, start=study.start)
        if (theorem := scheme.theorem) is not None:
            c1, factor, c2 = theorem.printed
            st.markdown(f"**{theorem.name}, {name}** (order {order(theorem.order)})")
            st.markdown(f"$W_2 \\lesssim {first}{c1}\\,{factor} + {c2}\\,{theorem.error}$")
        if found.void:
            void.setdefault(found.void, []).append(name)
            continue
        k = found.constants
        here = rf"{digits(k.c1)}\cdot {digits(k.h_factor)} + {digits(k.c2)}\,\varepsilon"
        if k.c2_hessian or k.c2_drift:
            here += rf" + {digits(k.c2_hessian)}\,\varepsilon_L + {digits(k.c2_drift)}\,\varepsilon_M"
        start = f"{digits(found.initialisation)} + " if paper else ""
        st.markdown(f"At $h$ = {step_size(h)}: ${start}{here}$, so **{number(found.total)}** with an exact score.")
    for why, names in void.items():
        st.markdown(f"**Void here** for {listed(names)}: {frame.plain(why)}")
    if not paper:
        st.caption("The exact start leaves out the theorems' first term, $e^{-m_{\\min}T}\\|X_0\\|$.")


def assumptions(items) -> None:
    """Each assumption in words and symbols, with the verdict and how its numbers were obtained."""
    for a in items:
        name = f"Assumption {a.number}" if a.number != "–" else "Between the lines"
        st.markdown(f"**{name}: {a.verdict}.** {in_markdown(a.words)} ({', '.join(a.needed_by)})\n\n${a.latex}$")
        values = "; ".join(
            f"{in_markdown(frame.plain(s))} = {constant(v, how) or 'unknown'} ({how})" for s, v, how in a.values
        )
        st.caption(" ".join(filter(None, [values + ".", in_markdown(frame.plain(a.why))])))


def updates(names, h: float | None = None) -> None:
    """One step of each scheme in symbols, its parts in the colours of the player's arrows, and with the numbers of a step size
    where one is given."""
    shown, theme = [schemes.REGISTRY[name] for name in names], frame.theme()
    with st.container(key="formulas"):
        for scheme in shown:
            lines = [f"**{scheme.name}**, {scheme.title}", *(f"${line}$" for line in scheme.formula.latex(theme=theme))]
            st.markdown("\n\n".join(lines))
            if h is not None and any("«" in line for line in scheme.formula.lines):
                st.caption(f"With $h$ = {step_size(h)}:")
                st.markdown("\n\n".join(f"${line}$" for line in scheme.formula.latex(h, theme)))
        if h is not None:
            present = [part for part in PARTS if any(part in s.formula.parts() for s in shown)]
            legend = ", ".join(rf"${coloured(part, theme)}\textbf{{{PART_NAMES.get(part, part)}}}}}$" for part in present)
            st.markdown(f"Colours: {legend}.")


def symbols(*lists: str) -> None:
    """The letters of the formulas, folded."""
    with st.expander("Symbols"):
        st.markdown("\n".join(words.text("symbols", name) for name in lists))
