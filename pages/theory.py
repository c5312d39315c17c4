"""Theory: what the theorems assume and promise for this target, what lies behind them, and what is true."""

import itertools
from dataclasses import replace

import streamlit as st

from dlab import schemes
from dlab.answers.bounds import bounds, checklist
from dlab.figures import tables
from dlab.figures import theory as figures
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, reveal, runs, studies, theory

values = frame.begin(
    "theory",
    "What do the theorems promise, and do they apply here?",
    "Four curves for one scheme, Euler–Maruyama: what Theorem 1 says, the recursion it comes from, a sharper bound, and the truth.",
)
picture, side = reveal.stage("theory")
with side:
    controls.target(values)
    controls.step_range(values)
    controls.score_error(values)
    controls.horizon()
drawing = itertools.count()  # a section may draw several charts, and each needs a key


def show(chart, height):
    frame.chart(chart, height, f"theory-{next(drawing)}")


def sheet(drawn, name, rows=None):
    for column, part in zip(st.columns(len(drawn.parts)), drawn.parts):
        with column:
            st.markdown(f"**{part.title}**")
            show(part, 400)
    st.markdown(frame.plain(drawn.caption))
    exports.sheet(drawn, name, rows, key=name)


def theorems(study):
    theory.theorems(study, min(study.h))
    theory.corollaries()
    controls.own_choice("theory", "epsilon", st.columns((1, 3))[0])
    theory.corollaries_table(study, values["theory.epsilon"])


def recursion(study, met):
    theory.recursion()
    controls.step()
    steps = round(study.T / values["step"])
    if found := runs.kept("recursion", study, steps, doing="Carrying EM's exact law along the run."):
        drawn = figures.run(found)
        first, *rest = drawn.parts
        show(first, 400)
        for column, part in zip(st.columns(2), rest):
            with column:
                show(part, 320)
        st.markdown(frame.plain(drawn.caption))
        if lines := figures.run_table(found, 9):
            st.dataframe(lines, hide_index=True, width="stretch")
        exports.sheet(drawn, "recursion", figures.run_table(found), key="recursion")
    theory.sharp(study)


def one_step(study):
    theory.one_step()
    if found := runs.kept("one_step", replace(study, schemes=tuple(schemes.REGISTRY)), doing="Taking single steps of every scheme."):
        sheet(figures.one_step(found), "one-step", found["rows"])
        st.dataframe(figures.one_step_table(found), hide_index=True, width="stretch")
        theory.summed(found)


def signs(study):
    theory.derivation()
    theory.game()
    if found := runs.kept("drift_sign", study, doing="Running SO with three versions of M."):
        guess = st.segmented_control(
            "Which line is the right M?", list(figures.LETTERS), key="theory-guess", help="The slope tells: SO's law has order 2."
        )
        if (drawn := figures.signs(found, guess is not None)) is None:
            st.caption("All three leave every grid at these step sizes: the target is too stiff for them.")
            return
        show(drawn, 420)
        if guess:
            st.markdown(frame.plain(figures.signs_sentence(found, guess)))


with picture:
    try:
        study = studies.study({**values, "schemes": ("EM",), "estimator": "auto", "accuracy": 0})
        place = st.container()
        result = runs.measured(study)
        met = tables.levels_met(result) if result else None
        found, listed = bounds(study, met), checklist(study, met)
        figure = figures.bounds(found, result)
        with place:
            if figure is None:
                st.markdown(frame.plain(figures.sentence(found, result)))
            else:
                show(figure, 470)
                st.markdown(frame.plain(figure.caption))
            if not found["level_known"]:
                st.caption("The level of this score error is known once EM has been measured; the bounds leave it out until then.")
        st.dataframe(figures.assumptions(listed), hide_index=True, width="stretch")
        st.markdown(frame.plain(figures.promise(listed)))
        frame.sections(
            ("The setting and the five schemes", "theory-setting", lambda: theory.setting(study, frame.theme())),
            ("The assumptions, one by one", "theory-assumptions", lambda: theory.assumptions(listed)),
            ("The theorems with today's numbers", "theory-theorems", lambda: theorems(study)),
            ("The recursion behind Theorem 1, and where it blows up", "theory-recursion", lambda: recursion(study, met)),
            ("Why the triangle inequality costs √h", "theory-onestep", lambda: one_step(study)),
            ("Where SO's M comes from, and spot the sign", "theory-signs", lambda: signs(study)),
            ("Every step size in numbers", "theory-table",
             lambda: st.dataframe(figures.bounds_table(found, result), hide_index=True, width="stretch")),
            ("Footnotes: where a printed formula needs care", "theory-footnotes", theory.footnotes),
        )  # fmt: skip
        if figure is not None:
            st.markdown("**Download**")
            exports.sheet(figure, f"bounds-{study.target['name']}", found["rows"], key="bounds")
    except BadInput as error:
        st.error(frame.plain(error))
frame.end("theory")
