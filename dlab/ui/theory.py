"""The words and formulas of the theory page, with today's numbers."""

import streamlit as st

from dlab import schemes, theory
from dlab.figures.numbers import listed, number, order, step_size
from dlab.schemes.formula import digits
from dlab.study import Study
from dlab.ui import frame, tell


def setting(study: Study, theme: str) -> None:
    """The two processes, the scheme's task, and the five updates."""
    st.markdown(
        "Data $X_0 \\sim p_0$ dissolve into noise, $dX = -\\tfrac12 X\\,dt + dB$, so $X_t = e^{-t/2}X_0 + \\sigma_t Z$ with "
        "$\\sigma_t^2 = 1 - e^{-t}$. Run backwards from $t = T$ with the score $s = \\nabla\\log p_t$,"
    )
    st.markdown("$dY = \\gamma(t, Y)\\,d\\tau + dW,\\quad \\gamma(t, x) = \\tfrac12 x + s(t, x),\\quad t = T - \\tau$,")
    st.markdown(
        "it turns noise into data again. A scheme does so in $N = T/h$ steps, from $p_T$ or from the paper's "
        f"$\\mathcal N(0, \\sigma_T^2 I)$; here $T$ = {study.T:g}. How far is the law at the end from $p_0$, in $W_2$?"
    )
    with st.container(key="formulas"):
        for scheme in schemes.REGISTRY.values():
            tell.update(scheme, None, theme)
    st.markdown("**Symbols**\n" + "\n".join(f"- ${letter}$: {meaning}" for letter, meaning in tell.LETTERS))


def assumptions(items) -> None:
    """Each assumption in words and symbols, with the verdict and how its numbers were obtained."""
    for a in items:
        name = f"Assumption {a.number}" if a.number != "–" else "Between the lines"
        st.markdown(f"**{name}: {a.verdict}.** {a.words} ({', '.join(a.needed_by)})")
        st.markdown(f"${a.latex}$")
        values = "; ".join(
            f"{frame.plain(s)} = {number(v) if v is not None else '∞' if how.startswith('infinite') else 'unknown'} ({how})"
            for s, v, how in a.values
        )
        st.caption(" ".join(filter(None, [values + ".", frame.plain(a.why)])))
    st.markdown(
        "*Holds* means proven: by a closed form, or by a bound that covers every $x$ and $t$. *Holds where measured* means that the "
        "largest value over a grid of points and times was taken: it is a lower end of the constant and could refute the assumption, "
        "not prove it. The errors are levels in $L_2$ along the scheme's own iterates, as the paper has them."
    )


def theorems(study: Study, h: float) -> None:
    """Theorems 1, 3 and 4 with the numbers of this target at step h."""
    facts = study.built.facts
    if (facts.m0.value or 0) > 0 and facts.L0.value is not None:
        st.markdown(
            f"$m_{{\\min}} = \\min(1, m_0)$ = {number(min(1.0, facts.m0.value))}, $L_{{\\max}} = 1 + L_0$ = "
            f"{number(1 + facts.L0.value)}, $d$ = {facts.dim}, $\\|X_0\\|_{{L_2}}$ = {number(facts.second_moment**0.5)}."
        )
    void = {}
    first = r"e^{-m_{\min}T}\,\|X_0\|_{L_2} + " if study.start == "paper" else ""
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
        start = f"{digits(found.initialisation)} + " if study.start == "paper" else ""
        here = rf"{digits(k.c1)}\cdot {digits(k.h_factor)} + {digits(k.c2)}\,\varepsilon"
        if k.c2_hessian or k.c2_drift:
            here += rf" + {digits(k.c2_hessian)}\,\varepsilon_L + {digits(k.c2_drift)}\,\varepsilon_M"
        st.markdown(f"At $h$ = {step_size(h)}: ${start}{here}$, so **{number(found.total)}** with an exact score.")
    for why, names in void.items():
        st.markdown(f"**Void here** for {listed(names)}: {frame.plain(why)}")
    if study.start == "exact":
        st.caption("The exact start leaves out the theorems' first term, $e^{-m_{\\min}T}\\|X_0\\|$.")


def corollaries() -> None:
    """Corollaries 2 and 5 in words."""
    st.markdown(
        "**Corollary 2.** EM and EI reach $W_2 < \\epsilon$ after "
        "$N = O\\big(\\tfrac{d}{\\epsilon^2}\\log\\tfrac{\\sqrt d}{\\epsilon}\\big)$ "
        "steps, with $T = O(\\log\\tfrac{\\sqrt d}{\\epsilon})$, $h = O(\\tfrac{\\epsilon^2}{d})$ and a score error of order $\\epsilon$."
    )
    st.markdown(
        "**Corollary 5.** SO does after $N = O\\big(\\tfrac{\\sqrt d}{\\epsilon}\\log\\tfrac{\\sqrt d}{\\epsilon}\\big)$ steps, with the "
        "same $T$ and $h = O(\\tfrac{\\epsilon}{\\sqrt d})$."
    )


def corollaries_table(study: Study, epsilon: float) -> None:
    """What every theorem asks for to promise an accuracy."""
    lines = []
    for name, scheme in schemes.REGISTRY.items():
        found = theory.plan(scheme, study.built.facts, epsilon, start=study.start, T=study.T)
        if found.void:
            lines.append({"scheme": name, "theorem": scheme.theorem_name, "N": "void"})
            continue
        lines.append({
            "scheme": name, "theorem": scheme.theorem_name, "T": number(found.T), "h": number(found.h), "N": f"{found.steps:,}",
            "score evaluations": f"{found.steps * scheme.score_evals:,}",
        })  # fmt: skip
    st.dataframe(lines, hide_index=True, width="stretch")
    at = "at the horizon chosen here" if study.start == "exact" else "with the horizon chosen so that N is smallest"
    st.caption(f"The leading term taken at its word, with its constants and an exact score, {at}.")


def recursion() -> None:
    """The recursion in formulas."""
    st.markdown(
        "Theorem 1 is the leading term of a recursion over the steps (Proposition 9 of the paper, for EM). With $e_0 = 0$ and all "
        "integrals over the $n$-th step in reverse time,"
    )
    st.markdown(r"$e_{n+1} \le r_n e_n + h^2 C_n + h^{3/2}\sqrt d\,C_1(n) + h\,\varepsilon$,")
    st.markdown(r"$r_n = \exp\!\big(-\!\int (m(T-t) - \tfrac12)\,dt\big) + h^2\,(C_1(n)^2 + M_1)$,")
    st.markdown(
        r"- $C_1(n) = \tfrac12 + \tfrac1h\int L(T-t)\,dt$"
        "\n"
        r"- $C_2(n) = \exp\!\big(-\!\int_0^{nh}(m(T-t) - \tfrac12)\,dt\big)\,\|Y_0 - X_T\|$, nothing for the exact start"
        "\n"
        r"- $C_3(n) = \tfrac1h\int (d\,L(T-t))^{1/2}\,dt$ and $C_4 = \sup_t\|X_t\|$"
        "\n"
        r"- $C_n = C_1\,(C_1C_2 + \tfrac12 C_4 + C_3) + M_1\,(1 + C_2 + C_4)$"
        "\n"
        r"- $L(t) = \min\big(\tfrac{1}{1-e^{-t}},\ e^tL_0\big)$ and $m(t) = \tfrac{1}{e^{-t}/m_0 + 1 - e^{-t}}$, between which "
        r"$-\nabla^2\log p_t$ lies"
    )
    st.markdown(
        r"The printed theorem replaces $L(t)$ by $L_{\max}$ and $m(t)$ by $m_{\min}$, lets the run go on for ever and drops every $h^2$. "
        "The recursion drops nothing, so it can be checked: EM may never lie above it. (Its proof takes $m(t) \\ge \\tfrac12$ within a "
        "step; where $m_0$ is smaller it is drawn without that proof.) The factor $r_n$ is below 1 only for "
        r"$h \lesssim (m_{\min}-\tfrac12)/(C_1^2 + M_1)$; for larger steps errors multiply and the bound blows up although EM does not."
    )


def sharp(study: Study) -> None:
    """The bound of order h with its proof, and its leading term for this target."""
    st.markdown(
        r"**A bound of order $h$, proved.** Let $Y$ be the exact reverse process from $p_T$ on the same Brownian path and $e_n$ the $L_2$ "
        r"distance of EM's iterate to it. Below, $m$ and $L$ are those of $m(t) \le \lambda \le L(t)$, between which the eigenvalues "
        r"$\lambda$ of $-\nabla^2\log p_t$ lie, and each $\sup$ is over one step."
    )
    st.markdown(
        r"1. Since $M = \tfrac14x - L\gamma$, Itô's formula leaves $d\gamma = \tfrac14Y\,d\tau + L\,dW$ with $L = \tfrac12I + H$. In one "
        r"step EM misses $R = \int_0^h (h-u)\,(\tfrac14Y_u\,du + L\,dW_u)$."
        "\n"
        r"2. The mean of $R$ given the past is at most $\int_0^h\tfrac{h-u}4\|Y_u\|\,du \le \tfrac{h^2}8\sup\|Y\|$."
        "\n"
        r"3. Its fluctuation has two parts. That of $dW$ is at most $\sqrt{h^3/3}\,\sup\|L\|_F$, with "
        r"$\|L\|_F \le \sqrt d\,\max|\lambda-\tfrac12|$. That of $Y_u$: two copies that part at the step's start show a variance of at "
        r"most $d\,u\,g^2$, $g = e^{h\max(0,\frac12-m)}$, so this part is at most "
        r"$\tfrac{g\sqrt d}4\int_0^h(h-u)\sqrt u\,du = \tfrac{g\sqrt d}{15}h^{5/2}$."
        "\n"
        r"4. EM's step, without noise $x \mapsto x + h\gamma$, contracts by $\rho_n = \max|1 - h(\lambda-\tfrac12)|$, $\lambda$ from "
        r"$m(t_n)$ to $L(t_n)$."
        "\n"
        r"5. The fluctuation is orthogonal to all that was known before the step, so its square adds:"
    )
    st.markdown(
        r"$e_{n+1}^2 \le \big(\rho_n e_n + \tfrac{h^2}{8}\sup\|Y\| + h\,\varepsilon\big)^2 + \big(\sqrt{h^3/3}\,\sup\|L\|_F + "
        r"\tfrac{g\sqrt d}{15}h^{5/2}\big)^2$,"
    )
    st.markdown(
        r"from $e_0 = 0$, or $e^{-T/2}\|X_0\|$ with the paper's start; an error drawn afresh adds $h^2\varepsilon^2$ in the place of "
        r"$h\,\varepsilon$. $W_2 \le e_N$ for every $h$ and every $m_0 > 0$. For $m_0 > \tfrac12$ and $h \to 0$, without score error,"
    )
    st.markdown(
        r"$e_N \lesssim h\,\Big(\frac{\sqrt d\,(L_{\max}-\frac12)}{\sqrt{6\,(m_{\min}-\frac12)}} + "
        r"\frac{\sup\|Y\|}{8\,(m_{\min}-\frac12)}\Big)$."
    )
    if (limit := theory.sharp_limit(study.built.facts, T=study.T)) is not None:
        st.markdown(f"Here that is {number(limit)}·h.")


def one_step() -> None:
    """Mean error and fluctuation, and what follows when they are summed."""
    st.markdown(
        "Scheme and exact reverse process start one step at the same $x \\sim p_t$ and see the same Brownian path. Their difference has "
        "a **mean** given $x$ and a **fluctuation** around it, which later steps cannot predict. The exact mean is known in closed form "
        "(Tweedie's formula for the noise of one step):"
    )
    st.markdown(r"$\mathbb E[Y_h \mid x] = \cosh(\tfrac h2)\,x + 2\sinh(\tfrac h2)\,\gamma(t, x)$.")


def summed(found: dict) -> None:
    """Why the triangle inequality costs the root of h."""
    st.markdown(
        "**What adding does.** There are $N = T/h$ steps. The triangle inequality adds sizes: $N$ errors of size $h^{3/2}$ make "
        "$N\\,h^{3/2} = T\\,h^{1/2}$, the theorem's order ½. But fluctuations with mean zero given the past are orthogonal, so their "
        "*squares* add: $\\sqrt{N h^3} = \\sqrt T\\,h$. The means do add up: $N\\,h^2 = T\\,h$. Both parts are of order $h$, "
        "and so is EM."
    )
    st.markdown(
        "REM and REI have a mean error of order $h^3$ but keep a fluctuation of order $h^{3/2}$, from $U$ and from the path: "
        "their strong "
        "order stays 1, while their *law*, which sees a fluctuation only through its square, has order 2. For SO the noise is "
        "additive, so "
        "what its frozen $L$ misses is $\\int (h-u)\\,(L(Y_u) - L)\\,dW_u$: of order $h^2$, about "
        "$h^2\\|\\nabla^3\\log p_t\\|_F/\\sqrt{12}$, where $L$ changes with $x$, and of order $h^{5/2}$ on a Gaussian target, "
        "where it changes with time alone. Then "
        "$\\sqrt{N}\\,h^2 = \\sqrt T\\,h^{3/2}$: strong order 1½ against the theorem's 1."
    )
    st.caption(
        f"Measured from t = {found['t']:g} with the exact score. REM's and REI's means are quadratures over U and the midpoint's "
        "noise; the fluctuation comes from pairs on one Brownian path with SO in fine steps as reference. Intervals are 95 %."
    )


def derivation() -> None:
    """M = x/4 - L gamma, twice."""
    st.markdown(
        r"SO follows the drift through a step: $d\gamma = L\,dY + M\,d\tau$ with $L = \nabla\gamma = \tfrac12 I + H$ and, by "
        r"Itô's formula, "
        r"$M = \tfrac12\sum_j\partial^2_{jj}s - \partial_t s$. That asks for third derivatives of $\log p_t$. It need not:"
    )
    st.markdown(
        "1. The Fokker–Planck equation of $dX = -\\tfrac12X\\,dt + dB$ gives "
        "$\\partial_t\\log p_t = \\tfrac d2 + \\tfrac12 x\\cdot s + \\tfrac12\\operatorname{tr}H + \\tfrac12|s|^2$.\n"
        "2. Its gradient is $\\partial_t s = \\tfrac12 s + \\tfrac12 Hx + \\tfrac12\\nabla\\operatorname{tr}H + Hs$.\n"
        "3. $\\sum_j\\partial^2_{jj}s = \\nabla\\operatorname{tr}H$, so the third derivatives cancel: $M = -\\tfrac12 s - "
        "H(\\tfrac12 x + s)$.\n"
        "4. With $\\gamma = \\tfrac12x + s$ that is $M = \\tfrac14x - L\\gamma$."
    )
    st.markdown(
        r"A check that uses none of this: by Tweedie's formula $\mathbb E[Y_h\mid x] = \cosh(\tfrac h2)\,x + 2\sinh(\tfrac "
        r"h2)\,\gamma$, whose "
        r"second derivative in $h$ at 0 is $\tfrac14x$. So the drift's mean rate of change is $\tfrac14 x$; $L\,dY$ accounts "
        r"for $L\gamma$ "
        r"of it, and $M$ is the rest. It is true of this forward process alone; another one has another $M$."
    )


def game() -> None:
    st.markdown(
        "**Spot the sign.** Three runs of SO: one has the right $M$, one the sign that the paper's Appendix C prints, one no $M$ at all."
    )


FOOTNOTES = (
    "**REM's constant.** The printed $\\tfrac{1}{2\\sqrt3}$ lacks a factor $\\sqrt d$: its proof bounds a $d$-dimensional "
    "Brownian term by "
    "$h/3$ where $dh/3$ is due. Consistent would be $\\sqrt{d/3}\\,(L_{\\max}+\\tfrac12)/(m_{\\min}-\\tfrac12)$. The lab shows "
    "the printed one.",
    "**$m_0 > \\tfrac12$** is listed as no assumption, though every constant divides by $m_{\\min} - \\tfrac12$. The paper "
    "names the condition "
    "in a remark. Where it fails the bound is void, not negative or infinite.",
    "**“≲”** hides more than a constant factor: the $O(h^2)$ terms, $M_1$ (and $M_2$ for SO), and a condition on the step "
    "size. The number "
    "is a leading term; the recursion is what can be checked.",
    "**Appendix C** prints $M$ with $+\\,H s$ as its last term; the sign should be $-$. The paper's own code formula (Appendix "
    "G) is right.",
    "**$\\xi_n$ in Section 3.2.** The midpoint of REM is written with $\\xi_n$, the noise of the whole step; the noise up to $U$ "
    "($\\xi'_n$) is meant.",
    "**Assumption 3** is about $s^*$ along the scheme's own iterates, not under $p_t$, which is what training controls.",
)


def footnotes() -> None:
    for i, note in enumerate(FOOTNOTES, 1):
        st.markdown(f"{i}. {note}")
