"""The words beside the pictures: how a number was measured, what a theorem says, with today's numbers."""

import streamlit as st

from dlab import errors, measure, schemes, theory
from dlab.figures.numbers import number, step_size
from dlab.look import PARTS
from dlab.schemes.formula import coloured
from dlab.study import Study
from dlab.targets.gaussian import Gaussian

BEFORE = (
    "Hollow points are not fitted; the table says why. The slope is a weighted least-squares fit in log–log with a 95 % "
    "interval. A coarse point is left out while the slope to its finer neighbour differs from the slope of the rest by more "
    "than 0.15 plus two standard errors."
)


def measuring(result: dict) -> None:
    """How the numbers of this result were obtained."""
    for method in dict.fromkeys(row["method"] for row in result["rows"]):
        st.markdown(measure.method(method).explanation)
    st.markdown(BEFORE)


def horizon_rule() -> None:
    """Which horizons enter the rate."""
    st.markdown(
        "The rate is fitted to the horizons where $W_2$ is at least four times what the longest one leaves: there the scheme's own "
        "error and the score's are all that remains, and the points are hollow."
    )


def horizon() -> None:
    """What the theorems say about the horizon."""
    st.markdown(
        r"Every theorem's first term is $e^{-m_{\min}T}\,\|X_0\|_{L_2}$: the forward process at time $T$ still remembers "
        r"$e^{-T/2}X_0$, the start $N(0, \sigma_T^2 I)$ does not, and the way back shrinks the gap by at least "
        r"$e^{-(m_{\min}-1/2)T}$. What is measured falls like $e^{-T}$ in the end, whatever $m_{\min}$ is: from a Gaussian with "
        r"variance $v$ along a direction the mean $\mu$ leaves $e^{-T}\mu\,v/v_T$, with $v_T = 1 + (v-1)e^{-T}$, since the way back "
        r"multiplies by $e^{-T/2}v/v_T$; without a mean the variance leaves a term of order $e^{-2T}$. The rate at $T$ is "
        r"$1/v_T = m(T)$, which tends to 1. The theorem puts $m_{\min}$, the smallest rate of all, in its place; below 1 it is "
        r"the rate of the widest direction at $T = 0$ alone."
    )
    st.markdown(
        "With the exact start $p_T$ there is no such term, and the curve is level once $T$ is a few units: a longer horizon costs steps "
        "and gives nothing."
    )


def dimension() -> None:
    """What the theorems say about the dimension."""
    st.markdown(
        r"All discretisation terms grow like $\sqrt d$: $C_1\sqrt{dh}$ for EM and EI, $\sqrt{d}$ inside $C_1$ for REM, REI and SO. "
        r"EM, EI and SO move every coordinate on its own, so $W_2^2$ is the sum over coordinates, and with equal variances $W_2$ is "
        r"$\sqrt d$ times that of one coordinate: here the theorem's power of $d$ is the true one. The steps that reach $\varepsilon$ "
        r"follow: $\sqrt d/\varepsilon$ for EM and EI and $d^{1/4}/\sqrt\varepsilon$ for SO, where the theorems ask for "
        r"$d/\varepsilon^2$ and $\sqrt d/\varepsilon$."
    )
    st.markdown(
        r"**REM and REI** are another matter, since all coordinates of a particle share the random $U$ of a step. Given these $U$ the law "
        r"is a Gaussian whose variances are themselves random, by order $h^{3/2}$: whole particles are stretched or shrunk at once. Mean "
        r"and covariance do not see it, and their distance, of order $\sqrt d\,h^2$, is the lower bound drawn here. What it misses is of "
        r"order $d\,h^3$ (a Hermite expansion of the mixture gives the constant) and takes over once $\sqrt d\,h$ is about 1; there "
        r"the points are hollow. A $U$ of its own for each coordinate would avoid it."
    )


def clouds() -> None:
    """Why the curve does not come from the distance of two point clouds."""
    st.markdown(
        "A cloud of $N$ points stands about $N^{-1/2}$ (in two dimensions, up to a logarithm) away from its own law, so optimal "
        "transport between two clouds reads its sampling floor, not the scheme's error: the curve goes flat where the floor "
        "lies and a slope fitted to it would be the floor's. Sinkhorn divergence and sliced distance lower the floor and keep it. "
        "The exact law has none. Projected and coupled compare scheme and reference on the same Brownian paths, where the "
        "sampling noise is common to both and drops out; Gelbrich and coupled bracket the truth."
    )


def level_met(spec: dict, met: dict) -> None:
    """The score error asked for (the study's `score_error`) beside the level that each scheme met."""
    if spec["name"] == "none":
        return
    each = ", ".join(f"{name} {number(level) if level is not None else 'not finite'}" for name, level in met.items())
    entry = errors.REGISTRY[spec["name"]]
    asked = f": {number(spec['level'])}{' of the score' * (entry.level_is == 'share')}" if "level" in spec else f": {entry.phrase}"
    st.caption(f"Score error asked for{asked}. Largest $L_2$ level met along the steps: {each}.")


def theorems(result: dict, theme: str) -> None:
    """The bound of each scheme's theorem with the constants of this target, its contributions apart."""
    facts, study = result["facts"], Study.from_json(result["study"])
    st.markdown(
        r"For an $m_0$-strongly log-concave target with $L_0$-Lipschitz score, $m_{\min} = \min(1, m_0)$, "
        r"$L_{\max} = 1 + L_0$:"
    )
    # Inline: it wraps on a telephone, where a displayed formula would scroll.
    st.markdown(r"$W_2 \lesssim e^{-m_{\min}T}\,\|X_0\|_{L_2} + C_1\,\eta(h) + C_2\,\varepsilon$")
    st.markdown(r"with $\eta(h) = \sqrt{dh}$ (EM, EI), $\sqrt h$ (REM, REI), $h$ (SO); with the exact start the first term is absent.")
    st.markdown(
        "Here "
        + ", ".join(
            f"{symbol} = {number(facts[k])} ({facts['how'][k]})" for k, symbol in SYMBOLS if facts[k] is not None
        )
        + "."
    )
    finest = {}
    for row in result["rows"]:
        if row["scheme"] not in finest or row["h"] < finest[row["scheme"]]["h"]:
            finest[row["scheme"]] = row
    lines = []
    for name in study.schemes:
        scheme, row = schemes.REGISTRY[name], finest[name]
        bound = theory.bound(scheme, study.built.facts, T=study.T, h=row["h"], start=study.start)
        parts = row["bound_parts"]
        if bound.void or parts is None:
            reason = bound.void or "the score error met is not finite"
            lines.append({"scheme": name, "theorem": scheme.theorem_name, "bound": f"void: {reason}"})
            continue
        lines.append(
            {
                "scheme": name,
                "theorem": scheme.theorem_name,
                "h": step_size(row["h"]),
                "C₁": number(bound.constants.c1),
                "C₂": number(bound.constants.c2),
                "initialisation": number(parts["initialisation"]),
                "discretisation": number(parts["discretisation"]),
                "score": number(parts["score"]),
                "bound": number(row["bound"]),
            }
        )
    st.dataframe(lines, hide_index=True, width="stretch")
    st.markdown(
        "The theorem is an upper bound and far from sharp: the proofs add one-step errors by the triangle inequality, which "
        "loses the cancellation that the laws enjoy. True orders of $W_2$ as $h \\to 0$: "
        + ", ".join(f"{n} {schemes.REGISTRY[n].law_order:g}" for n in study.schemes)
        + "."
    )
    with st.container(key="formulas"):
        for name in study.schemes:
            update(schemes.REGISTRY[name], None, theme)
    symbols((*CONSTANTS, *LETTERS))


def searching(result: dict, seconds: dict | None) -> None:
    """How the numbers of steps were found."""
    st.markdown(
        "For each $\\varepsilon$ the smallest $N$ with $W_2 < \\varepsilon$ is searched: doubled until $W_2$ is below, then the bracket "
        "is narrowed by interpolation, since $W_2$ is nearly a power of $N$, until $N$ and $N - 1$ stand on either side of "
        "$\\varepsilon$. Both values are in the table. Where an error is left that no step removes, the search ends when each of two "
        "doublings has gained less than 5 %. Where $W_2$ has a standard error, so has $N$: its bar in the picture; there the "
        "search may end a little early, at a point that chance has put below."
    )
    st.markdown(
        "The slope is that of $\\ln N$ against $\\ln(1/\\varepsilon)$ with a 95 % interval. Since $N$ is whole, and its rounding is large "
        "where it is small, the slope is fitted to the point between $N - 1$ and $N$ where $W_2$, interpolated as a power of $N$, "
        "equals $\\varepsilon$. The rule of the window is the Convergence page's: coarse points that bend away are hollow. If "
        "$W_2 \\sim h^p$, then $N \\sim \\varepsilon^{-1/p}$: as $\\varepsilon \\to 0$ the true slope is 1 for EM and EI, and ½ for REM, "
        "REI and SO."
    )
    for method in dict.fromkeys(row["method"] for row in result["rows"]):
        st.markdown(measure.method(method).explanation)
    if any(row["method"] in ("exact-moments", "exact-marginals") for row in result["rows"]):
        st.markdown("Where $W_2$ is a lower bound, the number of steps found with it is one too: the sentence says “at least”.")
    if seconds:
        each = ", ".join(f"{name} {number(1e9 * taken)} ns" for name, taken in seconds.items())
        st.markdown(
            f"Measured time, on this machine, of one step of one particle in a batch, after compiling: {each}. Only this is measured; "
            "times in picture and table are $N$ steps of it. Another machine has others, so a study file does not hold them."
        )


def budget(result: dict, epsilon: float) -> None:
    """Corollaries 2 and 5: T, h and N of the theorems for one accuracy, with this target's constants."""
    study, facts = Study.from_json({**result["study"], "reach": None}), result["facts"]
    paper = study.start == "paper"
    st.markdown(
        r"Take the theorem's leading term at its word, $W_2 \le e^{-m_{\min}T}\|X_0\|_{L_2} + C_1\,\eta(h)$, with an exact score, and "
        r"ask for $\varepsilon$ (Corollary 2 for EM and EI, 5 for SO; the same step for REM and REI):"
    )
    if paper:
        st.markdown(
            r"1. The initialisation gets a share $s$: $e^{-m_{\min}T}\|X_0\|_{L_2} = s\,\varepsilon$, so "
            r"$T = \ln(\|X_0\|_{L_2}/(s\,\varepsilon))/m_{\min}$. "
            "The corollaries halve $\\varepsilon$; here $s$ is chosen for the fewest steps."
        )
    else:
        st.markdown(f"1. With the exact start the first term is absent: $T$ = {number(study.T)} stays, and $s = 0$.")
    st.markdown(
        r"2. The step gets the rest, $C_1\,\eta(h) = (1-s)\,\varepsilon$: $h = ((1-s)\varepsilon/C_1)^2/d$ for EM and EI, "
        r"$h = ((1-s)\varepsilon/C_1)^2$ for REM and REI, $h = (1-s)\varepsilon/C_1$ for SO, whose $C_1$ depends on $h$ itself."
    )
    st.markdown(
        r"3. $N = T/h$, rounded up. For EM, EI, REM and REI it grows like $d/\varepsilon^2$ and for SO like $\sqrt d/\varepsilon$, "
        r"constants and $\ln(1/\varepsilon)$ aside."
    )
    lines = []
    for name in study.schemes:
        scheme = schemes.REGISTRY[name]
        plan = theory.plan(scheme, study.built.facts, epsilon, start=study.start, T=study.T)
        if plan.void:
            lines.append({"scheme": name, "theorem": scheme.theorem_name, "N": f"void: {plan.void}"})
            continue
        bound = theory.bound(scheme, study.built.facts, T=plan.T, h=plan.h, start=study.start)
        halved = {}
        if paper:
            half = theory.plan(scheme, study.built.facts, epsilon, start="paper", T=study.T, share=0.5)
            halved = {"N with s = ½": f"{half.steps:,}"}
        lines.append({
            "scheme": name, "theorem": scheme.theorem_name, "C₁": number(bound.constants.c1), "s": number(plan.share), "T": number(plan.T),
            "h": number(plan.h), "initialisation": number(bound.initialisation), "discretisation": number(bound.discretisation),
            "N": f"{plan.steps:,}", **halved,
        })  # fmt: skip
    st.markdown(f"For $\\varepsilon$ = {epsilon:g}:")
    st.dataframe(lines, hide_index=True, width="stretch")
    shown = (*SYMBOLS[:3], ("m_min", "m_min"), ("L_max", "L_max"))
    known = [f"{symbol} = {number(facts[k])}" for k, symbol in shown if facts[k] is not None]
    size = number(facts["second_moment"] ** 0.5)
    st.markdown(f"Here {', '.join(known)}, $\\|X_0\\|_{{L_2}}$ = {size} and d = {len(facts['mean'])}.")
    st.markdown(
        "The proofs compare particle by particle and add one-step errors by the triangle inequality. That leaves order ½ where the "
        "laws of EM and EI have 1 and those of REM and REI have 2, and 1 where SO's has 2. So in $\\varepsilon$ the theorem asks for "
        "$N \\sim 1/\\varepsilon^2$ where EM and EI need $1/\\varepsilon$ and REM and REI $1/\\sqrt\\varepsilon$, and for "
        "$1/\\varepsilon$ where SO needs $1/\\sqrt\\varepsilon$: SO alone looks fast. REM takes two scores a step and SO a score and a "
        "Hessian: where both are near $1/\\sqrt\\varepsilon$ they are about level per evaluation."
    )


SYMBOLS = (("m0", "m₀"), ("L0", "L₀"), ("L_F", "L_F"), ("M1", "M₁"))


LETTERS = (
    (r"x,\ x^+", "a particle before and after the step"),
    (r"h,\ t_n", "the step size, and the time before step $n$: $t_n = T - nh$"),
    (r"s(t, x)", r"the score $\nabla\log p_t(x)$"),
    (r"\gamma(t, x)", "the drift of the reverse process, $x/2 + s(t, x)$"),
    (r"U,\ y", "a random point of the step, uniform on $[0, 1]$, and the particle there"),
    (r"H,\ L", r"the Hessian $\nabla^2\log p_t(x)$, and the Jacobian of the drift, $L = \tfrac12 I + H$"),
    (r"M", r"what else changes the drift: $M = \tfrac12\sum_j\partial^2_{jj}s - \partial_t s$, for this process $x/4 - L\gamma$"),
    (r"\varphi_1,\ \varphi_2", r"$\varphi_1(z) = (e^z-1)/z$ and $\varphi_2(z) = (e^z-1-z)/z^2$, of a matrix as of a number"),
    (r"I(A, u)", r"the noise $\int_0^{uh} e^{A(uh-v)}\,dW_v$ of a Brownian motion $W$ over the step, Gaussian with mean zero"),
    (r"Z,\ Z_1,\ Z_2", "standard normal vectors; $Z_1$ and $Z_2$ are independent"),
)
CONSTANTS = (
    (r"m_0", "strength of log-concavity: the target's $-\\nabla^2\\log p_0$ is at least $m_0 I$"),
    (r"L_0", "Lipschitz constant of the target's score"),
    (r"L_F,\ M_1", "Lipschitz constant of $H$ in the Frobenius norm, and growth of $\\partial_t s$"),
    (r"T,\ d", "the horizon, and the dimension, here 2"),
    (r"\|X_0\|_{L_2}", "root mean square size of the target's samples"),
    (r"\varepsilon", "size of the score error, in $L_2$ along the steps"),
    (r"C_1,\ C_2", "the theorem's constants, in the table above"),
)
PART_NAMES = {"drift": "drift", "second order": "second order", "noise": "noise", "midpoint": "random midpoint"}


def update(scheme, h: float | None, theme: str) -> None:
    """One step of a scheme, in symbols, and with the numbers of a step size where one is given."""
    st.markdown(f"**{scheme.name}**, {scheme.title}")
    for line in scheme.formula.latex(theme=theme):
        st.markdown(f"${line}$")
    if h is not None:
        st.caption(f"With $h$ = {step_size(h)}:")
        for line in scheme.formula.latex(h, theme):
            st.markdown(f"${line}$")


def updates(names, h: float | None, theme: str) -> None:
    """One step of each scheme with today's numbers, its parts in the colours of the player's arrows."""
    shown = [schemes.REGISTRY[name] for name in names]
    with st.container(key="formulas"):
        for scheme in shown:
            update(scheme, h, theme)
        present = [part for part in PARTS if any(part in s.formula.parts() for s in shown)]
        legend = ", ".join(rf"${coloured(part, theme)}\textbf{{{PART_NAMES[part]}}}}}$" for part in present)
        st.markdown(f"Colours: {legend}.")
    symbols(LETTERS)


def symbols(letters) -> None:
    """The letters of the formulas, folded."""
    with st.expander("Symbols"):
        st.markdown("\n".join(f"- ${letter}$: {meaning}" for letter, meaning in letters))


def distances(table: dict) -> list[dict]:
    """The distance-so-far table of the player, one line a frame."""
    names = [k for k in table if k not in ("n", "t")]
    return [
        {
            "step n": n,
            "t": number(t),
            **{f"W₂ of {k}": number(table[k][i]) if table[k][i] is not None else "" for k in names},
        }
        for i, (n, t) in enumerate(zip(table["n"], table["t"]))
    ]


def distance_method(study: Study) -> None:
    """How the distance so far is measured in this scene."""
    if any(not study.sampled(n) for n in study.schemes):
        st.markdown(measure.method("exact").explanation)
    if any(not study.sampled(n) and schemes.REGISTRY[n].randomised for n in study.schemes):
        name = "exact-moments" if isinstance(study.built, Gaussian) else "exact-marginals"
        st.markdown(measure.method(name).explanation)
    if any(study.sampled(n) for n in study.schemes):
        st.markdown(
            "**Projected**, from these particles alone and the smallest basis: scheme and a fine reference on the same "
            "Brownian path, their mean displacement projected onto gradient fields. The Convergence page measures with more."
        )
