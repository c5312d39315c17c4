"""The words of the Score error page, with today's numbers."""

import streamlit as st

from dlab import errors, theory
from dlab.figures.numbers import number, step_size


def which() -> None:
    """Why one error has several sizes."""
    st.markdown(
        "Every theorem asks for a score error of at most $\\varepsilon$, and they do not mean the same number. [YY] takes the "
        "$L_2$ norm **along the sampler's own iterates**, a law that depends on the error itself; denoising score matching "
        "controls it **along the true $p_t$**; others average over time, ask for it everywhere, or treat bias and variance apart. "
        "Here is one and the same error by each of them, from simulated particles."
    )


def models() -> None:
    """Why errors of one size cost so differently."""
    st.markdown(
        "Each error has the same $L_2$ size and only its shape differs. "
        + " ".join(entry.explanation for entry in errors.LEVELED.values() if entry.explanation)
        + " All start from $p_T$ exactly, so that nothing else errs but the scheme."
    )


def second_order() -> None:
    """What the theorem of SO says about errors of L and M."""
    st.markdown(
        "SO also needs the Jacobian $L$ and the rate $M$ of the drift. Theorem 4 of [YY] adds to $\\varepsilon_{sc}$ the terms "
        "$\\tfrac23\\sqrt{hd}\\,\\varepsilon^{(L)}$ and $\\tfrac12 h\\,\\varepsilon^{(M)}$, times $C_2$. The second is what the law "
        "sees: $M$ enters a step as $\\tfrac12 h^2M$, so its error moves the drift by $\\tfrac12 h\\varepsilon^{(M)}$, all in one "
        "direction. The first is too cautious by $\\sqrt h$: it bounds the noise $h\\,\\varepsilon^{(L)}\\,dW$ of one step and adds "
        "steps by the triangle inequality, while that noise has mean zero and only shifts the covariance, by $h^2$ in a step. The "
        "law's cost is of order $h\\,\\varepsilon^{(L)}$. Measured from the exact start, with the exact score."
    )


def contributions() -> None:
    """How each part is measured."""
    st.markdown(
        "Each part is measured by switching the other two off: **initialisation** with the paper's start, the exact score and a "
        "fine step; **discretisation** with the exact start, the exact score and the step $h$; **score** with the exact start, "
        "the error and a fine step. Then everything on at once."
    )


def theorem(values: dict, result: dict, costs, h: float) -> None:
    """C2 and what lies behind it; values: {"m0", "T"}, costs: theory.Costs of a Gaussian target or None."""
    m0 = result["facts"]["m0"]
    for paragraph in (SUM, CONSTANT, NOISE, COUPLING):
        st.markdown(paragraph)
    said = []
    if costs:
        said.append(
            f"On this Gaussian target a constant error costs {number(costs.constant)}·ε and fresh noise {number(costs.noise)}·h·ε², "
            f"{number(costs.noise * h)}·ε² at h = {step_size(h)}."
        )
    if m0 is not None and (coupled := theory.coupled_noise(m0, h)) is not None:
        c2 = number(1 / (min(1.0, m0) - 0.5))
        said.append(f"With m₀ = {number(m0)} the theorem says {c2}·ε for both, and the coupling {number(coupled)}·ε for the noise.")
    elif m0 is not None:
        said.append(f"With m₀ = {number(m0)} ≤ ½ the theorem promises nothing, for no error however small.")
    if said:
        st.markdown(" ".join(said))


SUM = r"""**Where $C_2$ comes from.** Two copies of the process driven by the same noise contract by $e^{-(m_{\min}-\frac12)h}$ a step,
and an error $\varepsilon$ of the score moves them apart by $h\varepsilon$. Summed by the triangle inequality,
$\sum_n e^{-(m_{\min}-\frac12)nh}\,h\,\varepsilon \to C_2\,\varepsilon$ with $C_2 = 1/(m_{\min}-\frac12)$, for EM, EI and, up to
$e^{(L_{\max}-\frac12)h}$, SO. REM and REI ask for the score twice a step and their proofs count its error three times, so their $C_2$
is three times that. The law does not see the factor: as $h\to0$ all five schemes follow the same wrong drift."""
CONSTANT = r"""**A constant error, as the law sees it.** On a Gaussian with variance $v$ along the error, $v_t = 1+(v-1)e^{-t}$, what
is done at time $t$ reaches the end multiplied by $\Phi(t) = (v/v_t)\,e^{-t/2}$, and the mean moves by $\varepsilon\int_0^T\Phi\,dt$:
slope 1 in $\varepsilon$, and it stays as $h\to0$. For $v = 1$ that is $2(1-e^{-T/2})\,\varepsilon$ beside $C_2 = 2$: the theorem is
sharp there as $T\to\infty$. For other $v$ it is less, because $m(t)$ is $m_{\min}$ only at one end of time."""
NOISE = r"""**Fresh noise, as the law sees it.** A step adds $h\,\varepsilon\,\zeta/\sqrt d$, independent of everything before: nothing
to the mean, $h^2\varepsilon^2/d$ to every variance. Summed, the variance $v_i$ moves by
$\delta_i = \frac{h\,\varepsilon^2}{d}\int_0^T\Phi_i^2\,dt$, and $W_2 \approx \big(\sum_i \delta_i^2/(4v_i)\big)^{1/2} \propto
h\,\varepsilon^2$: slope 2 in $\varepsilon$, slope 1 in $h$, and nothing is left as $h\to0$. It adds to the scheme's own error of the
variance, so it shows where that is of higher order in $h$ (SO, REM, REI); under EM and EI, of order $h$ themselves, a small one stays
hidden at every $h$."""
COUPLING = r"""**Fresh noise, as a coupling sees it.** Particle by particle the noise moves two copies apart by $h\varepsilon$ a step in a
direction independent of the past, so squares add: $e_{n+1}^2 = e^{-(2m_{\min}-1)h}e_n^2 + h^2\varepsilon^2$, with the fixed point
$\varepsilon\sqrt{h/(2m_{\min}-1)}$. That is $\sqrt h\,\varepsilon$ already and not $\varepsilon$; the law is closer still, because noise
that moves each particle hardly moves their law."""
