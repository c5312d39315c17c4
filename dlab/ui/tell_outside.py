"""The words of the page outside the assumptions."""

import streamlit as st


def modes() -> None:
    """What the masses say."""
    st.markdown(
        "The mass that each scheme's final law gives to each mode (or inside and outside of the support), beside the target's own. It "
        "comes from the law's density, to about five digits, where that is known, else from particles with binomial errors. A mode is "
        "lost when its mass is missing, not when its shape is off."
    )


def hessians() -> None:
    """How SO meets a wrong Hessian."""
    st.markdown(
        "SO takes $L = \\tfrac12 I + H$. Here $H$ is wrong as it is in practice: **scaled**, of **low rank**, its **diagonal** alone, or "
        "**stale**, renewed every $k$ steps and held in between. With $E = H^* - H$ one step errs by $h^2E$ in the "
        "covariance of its noise, "
        "and by $\\tfrac12h^2E\\gamma$ in the mean if $M$ is that of the exact score. If $M = \\tfrac x4 - L^*\\gamma$ is rebuilt from "
        "the wrong $L^*$, the drift becomes $h\\gamma + \\tfrac14h^2\\varphi_2(hL^*)x$ and the mean error is gone. Summed over "
        "$T/h$ steps a lasting $E$ costs $W_2 \\approx K h$: order 1 is left, with either $M$, and $K$ is proportional to $E$. A stale "
        "Hessian is off by what moved in at most $k - 1$ steps, $O(kh)$ in the mean, so order 2 stays and only the constant grows. "
        "“None” is $H^* = 0$."
    )
    st.markdown(
        "**Cost** is counted in evaluations a path: a score is 1, a Hessian is 1, and $d$ products with a vector make a Hessian. The "
        "diagonal counts $d$ of $d(d+1)/2$ entries, $\\tfrac23$ in the plane; one eigen direction counts one product "
        "of $d$, the least that "
        "finds it; a stale Hessian counts when it is renewed. The $M$ of the exact score takes one product with the true Hessian more."
    )
