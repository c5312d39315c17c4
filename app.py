"""Home: what this lab is, in a minute, and scenes that open at once."""

import streamlit as st

from dlab.ui import frame, menu, scenes

frame.begin(
    "home",
    "How fast does a diffusion sampler converge?",
    "Pick a target, a scheme and a step size; watch the particles, and read how far their law is from the target, in "
    "Wasserstein distance, beside what the theorems promise.",
)
menu.tour_link("Take the guided tour", icon=":material/route:")
with st.container(key="grid"):
    for number, scene in enumerate(scenes.SCENES, 1):
        with st.container(border=True, gap="xsmall"):
            menu.scene_link(scene, f"**{number}\u2002{scene.question}**")
            st.markdown(scene.text)
            st.caption(menu.PAGES[scene.page][1])

st.markdown(
    """
A diffusion model turns noise into samples by running a stochastic differential equation backwards in time. A computer
takes steps of size $h$, so the law it produces is not quite the target's. **How far off is it, and how does that fall when
$h$ halves?** The lab answers on targets whose score is known exactly, so that every number can be checked:

- **Particles** shows one, two or three schemes on the same Brownian path, with the distance to $p_t$ so far.
- **Convergence** draws $W_2$ against $h$, fits the slope with its interval, and puts the theorem's bound beside it.
- **Score error** makes the score wrong by $\\varepsilon$ and shows what that costs, beside $C_2\\varepsilon$ of the theorem.
- **Budget** finds the smallest number of steps that comes below an accuracy, beside the number that the theorem asks for.
- **Horizon** and **Dimension** vary the time at which the reverse process starts, and the number of coordinates, up to 4096.
- **Theory** checks what the theorems assume, evaluates them and the recursion behind them, and shows where they lose.
- **Studies** rebuild what the papers did and ask what they left open: **logistic regression** in twenty dimensions, a **learned
  score**, **images**, and life **outside the assumptions**.

Five schemes: Euler–Maruyama (EM), the exponential integrator (EI), the two randomised-midpoint schemes (REM, REI) and the
second-order Hessian scheme (SO), with the theorems of [Yu & Yu, NeurIPS 2025](https://arxiv.org/abs/2502.04849).
"""
)
frame.end("home")
