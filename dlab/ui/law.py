"""The folded section that shows where a law is off: one scheme's law beside its target, as maps."""

import streamlit as st

from dlab import words
from dlab.figures import density
from dlab.figures.numbers import place
from dlab.ui.page import Ask, Block, View


def section(of, file) -> Block:
    """of(scene) -> the study of which the visitor picks a scheme and a step size; file(scene) -> the name of its files."""

    def picks(scene):
        study = of(scene)
        st.markdown(words.text("convergence", "law-meaning"))
        left, right, _ = st.columns((1, 1, 2), vertical_alignment="bottom")
        scheme = left.selectbox("Scheme whose law is drawn", study.schemes, key="law-scheme", help="One of those that the curve shows.")
        steps = right.selectbox(
            "Steps of its law", sorted(study.steps), format_func=lambda n: place({"h": study.grid(n).step, "steps": n}), key="law-step",
            help="The step size of equal steps, else their number.",
        )  # fmt: skip
        if study.law(scheme) is None:
            st.caption(words.text("convergence", "law-unknown", scheme=scheme))
            return None
        return {"law": (scheme, steps)}

    def answer(scene):
        (scheme, steps), study = scene["law"], of(scene)
        return Ask("law", study, (scheme, steps), "Carrying the density through the steps.")

    def view(found, scene):
        if (sheet := density.sheet(found)) is None:
            return View(said=density.sentence(found))
        name = f"{file(scene)}-{found['scheme']}-{found['h'] or found['steps']:g}"
        return View(sheet, name, table=density.table(found), heights=(380,), alt=sheet.caption)

    return Block("law", view, answer=answer, picks=picks)
