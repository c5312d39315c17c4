"""The folded section that shows where a law is off: one scheme's law beside its target, as maps or along the axes."""

import streamlit as st

from dlab import engine
from dlab.figures import density
from dlab.figures.numbers import step_size
from dlab.study import Study
from dlab.ui import exports, frame
from dlab.ui.runs import WAIT

AT_ONCE = 2.0  # seconds up to which a law is computed unasked


def section(study: Study, name: str) -> None:
    """The law of a scheme and step size of the study that the visitor picks; its files are called `name`."""
    st.markdown(
        "$W_2$ is one number; here is what it is the distance between: the target $p_0$, the law that the scheme produces at "
        "step $h$, and their difference, which integrates to zero. Blue is where the scheme puts too little, orange where too "
        "much. As $h$ halves the pattern stays and its colour scale shrinks with the order of the scheme."
    )
    if (found := _chosen(study)) is None:
        return
    if (sheet := density.sheet(found)) is None:
        st.markdown(density.sentence(found))
        return
    for i, (place, part) in enumerate(zip(st.columns(len(sheet.parts)), sheet.parts)):
        frame.chart(part, 380 if "map" in found else 400, f"law-{i}", place, bar=False, alt=f"{part.alt} {sheet.caption}")
    st.markdown(frame.plain(sheet.caption))
    st.dataframe(density.table(found), hide_index=True, width="stretch")
    exports.sheet(sheet, f"{name}-{found['scheme']}-{found['h']:g}", key="law")


def _chosen(study) -> dict | None:
    """The answer for what is picked: at once where it is known or quick, else by a button that says its price."""
    left, middle, right = st.columns((1, 1, 2), vertical_alignment="bottom")
    scheme = left.selectbox(
        "Scheme whose law is drawn", study.schemes, key="law-scheme", help="One of those that the curve shows."
    )
    coarse_first = sorted(study.h, reverse=True)
    h = middle.selectbox(
        "Step size h of its law", coarse_first, format_func=step_size, key="law-step",
        help="The scheme takes T/h steps of this size from noise to data.",
    )  # fmt: skip
    steps = study.steps[study.h.index(h)]
    if (way := study.law(scheme)) is None:
        st.caption(
            f"No law of {scheme} is known here without particles. Choose a scheme without random midpoint, and a score error that "
            "is not random."
        )
        return None
    found, price = engine.kept_answer("law", study, scheme, steps), engine.seconds(way.price(study.case(scheme, steps)))
    if found is not None:
        return found
    if price > AT_ONCE and not right.button(
        f"Compute this law (about {price:.0f} s)", key="law-button", help="Carries its density through the steps on a grid."
    ):
        return None
    bar = st.progress(0.0, text="Carrying the density through the steps.")
    found = engine.answer(
        "law", study, scheme, steps,
        tick=lambda: bar.progress(0.5, text=f"Carrying the density through {steps} steps, grid by grid."),
        waiting=lambda: bar.progress(0.0, text=WAIT),
    )  # fmt: skip
    bar.empty()
    return found
