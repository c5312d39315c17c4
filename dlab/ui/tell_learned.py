"""The words of the Learned score page."""

import streamlit as st


def plane() -> None:
    st.markdown(
        "Colour is the length of the error $e(t,x) = s^*(t,x) - s(t,x)$, arrows its direction, and grey lines are contours of $p_t$ at 50, 10 "
        "and 1 % of its largest value. Where $p_t$ is smaller than a thousandth of it, nothing is drawn."
    )


def derivatives() -> None:
    st.markdown(
        "SO needs $L = \\tfrac12 I + \\nabla s$ and $M$ besides the score. A small error of $s$ says nothing about its derivatives, so "
        "Theorem 4 assumes their errors $\\varepsilon^{(L)}$ and $\\varepsilon^{(M)}$ small as well. Here $L^*$ is the network's Jacobian "
        "made symmetric, and $M^* = x/4 - L^*\\gamma^*$, which needs no further derivative."
    )


def samples() -> None:
    st.markdown(
        "Denoising score matching predicts the noise that was added to a sample. Sliced score matching asks for the derivative of the score "
        "along a random direction instead. Both have the same minimiser: the score of the smoothed samples, which is the target's own only "
        "where there are many."
    )


def measuring() -> None:
    st.markdown(
        "- **The network** adds to the score of the Gaussian fitted to the samples what that Gaussian misses; it has a few hidden layers and "
        "trains in single precision. It never sees the target's formula.\n"
        "- **Times** are drawn log-uniformly from 0.001 to 10, and each sample gives the pair $a_tX_0 \\pm \\sigma_tZ$: their noise cancels to "
        "first order as $t \\to 0$. Below 0.001 the network is held still.\n"
        "- **The loss** of both methods has one scale; it exceeds its least value by "
        "$\\mathbb E\\,\\sigma_t^2\\,|s^* - s|^2$. Fresh samples show whether the network learns its samples by heart.\n"
        "- **The error** is exact, $e = s^* - s$, since the target's score is known. Its $L_2$ norm is a mean over 2048 particles, along the "
        "scheme's own run or under $p_t$; averages over time run from $t = 0.05$ to $T$ and are root mean squares.\n"
        "- **The floor** is what the curve tends to as $h \\to 0$, extrapolated from its two finest steps and the scheme's own error there, "
        "which the exact score shows. Its interval counts the four values as independent.\n"
        "- A training that was cancelled goes on from its checkpoint and ends, on one machine, with the same network bit by bit. Another "
        "processor rounds differently, and its network differs."
    )


def theorem() -> None:
    st.markdown(
        "The theorems ask for $\\|s^*(t_n, \\vartheta_n) - s(t_n, \\vartheta_n)\\|_{L_2} \\le \\varepsilon_{sc}$ at every step, along the "
        "sampler's **own iterates** $\\vartheta_n$: a law that depends on the network itself. Training controls the same norm under the true "
        "$p_t$. The two are close while the sampler's law is close to $p_t$; nothing in training forces it where the sampler strays."
    )
    st.markdown(
        "Such an error adds $C_2\\,\\varepsilon_{sc}$ to the bound on $W_2$, with $C_2 = 1/(m_{\\min} - \\tfrac12)$ for EM, EI and SO as $h \\to 0$ "
        "and three times that for REM and REI. It lets every error push in the same direction at every step; a network errs in all "
        "directions, so the floor is far below."
    )
