"""Outside the assumptions: what is measured where the theorems say nothing, and SO with a wrong Hessian."""

import itertools

import streamlit as st

from dlab.answers.bounds import checklist
from dlab.answers.hessian_cost import derived
from dlab.figures import outside
from dlab.figures import theory as checklists
from dlab.figures.numbers import step_size
from dlab.params import BadInput
from dlab.ui import assumption_cases, controls, exports, frame, law, runs, tell, tell_outside

values = frame.begin(
    "outside",
    "What happens where the theorems say nothing?",
    "Each case leaves the assumptions in one way. Left, $W_2$ against $h$ with the order measured; right, against the number that "
    "leads out of them.",
)
picture, side = frame.stage()
case = assumption_cases.case_of(values)
with side:
    controls.own_choice("outside", "case", st)
    controls.own_choice("outside", case.name, st)
    controls.scheme_set()
    controls.step_range(values)
    controls.horizon()
drawing = itertools.count()  # a run draws several charts in one script, and each needs a key


def show(figure, height, place=st):
    frame.chart(figure, height, f"outside-{next(drawing)}", place, bar=False)


def draw(found, state):
    if not found.get("against h", {}).get("rows"):
        return None
    result, varied = found["against h"], found.get("along")
    listed = checklist(study, facts=result["facts"])
    sheet = outside.sheet(result, varied, min(varied["study"]["h"]) if varied else 0.0, case.label, case.symbol)
    with st.container(key="stale" if state == "stale" else None):
        for place, part in zip(st.columns(2), sheet.parts):
            show(part, 470, place)
        if state != "stale":
            st.markdown(f"**{outside.failing(listed)}** {outside.measured(result)}")
            if varied:
                st.markdown(sheet.parts[-1].caption)
        if state != "running":
            st.dataframe(outside.table(result), hide_index=True, width="stretch")
    return sheet


def modes(study):
    if study.built.regions is None:
        st.markdown("This target has one mode and no edge: there is nothing to lose.")
        return
    tell_outside.modes()
    h = st.columns((1, 3))[0].selectbox(
        "Step size h of the laws", sorted(study.h, reverse=True), format_func=step_size, key="modes-step",
        help="The laws of all schemes after T/h steps of this size.",
    )  # fmt: skip
    steps = study.steps[study.h.index(h)]
    found = runs.kept("modes", study, steps, doing="Carrying the law of each scheme.")
    if found is None:
        return
    st.markdown(frame.plain(outside.modes_sentence(found)))
    st.dataframe(outside.modes_table(found), hide_index=True, width="stretch")
    st.caption(f"In the shell: `python -m dlab make modes study.json {steps}`, with the study “against h” below.")


def hessians():
    tell_outside.hessians()
    left, right, _ = st.columns((1, 1, 1), vertical_alignment="bottom")
    controls.own_choice("outside", "on", left)
    controls.own_choice("outside", "drift", right)
    asked = assumption_cases.hessians(values)

    def drawn(found, state):
        sheet = outside.hessian_sheet({k: r for k, r in found.items() if r["rows"]})
        for place, part in zip(st.columns(2), sheet.parts):
            show(part, 430, place)
        st.markdown(sheet.caption)
        if state == "final":
            formula = {k: derived(study) for k, study in asked.items()}
            timed = st.checkbox(
                "With the time of a step on this machine",
                key="hessian-time",
                help="Measures each for a moment; a first run compiles.",
            )
            seconds = {k: next(iter(runs.timing(study).values())) for k, study in asked.items()} if timed else None
            st.dataframe(outside.hessian_table(found, formula, seconds), hide_index=True, width="stretch")
        return sheet

    found, state, sheet = runs.several("hessians", asked, drawn)
    if state == "final" and sheet:
        rows = [{"hessian": k, **row} for k, r in found.items() for row in r["rows"]]
        exports.named(sheet, {"rows": rows, "results": found}, f"hessians-{values['outside.on']}", "hessians")


with picture:
    try:
        study = assumption_cases.against_h(values)
        found, state, sheet = runs.several("outside", {"against h": study, "along": assumption_cases.along(values)}, draw)
    except BadInput as error:
        st.error(frame.plain(error))
        state = "none"
    if state in ("final", "partial") and sheet:
        st.markdown(case.words)
        st.markdown("**Which assumption fails?**")
        st.dataframe(
            checklists.assumptions(checklist(study, facts=found["against h"]["facts"])),
            hide_index=True,
            width="stretch",
        )
        frame.sections(
            ("Which modes are lost?", "modes-open", lambda: modes(study)),
            ("Where is the law off?", "outside-law-open", lambda: law.section(study, f"law-{case.name}")),
            ("What if SO's Hessian is wrong?", "hessians-open", hessians),
            ("How is this measured?", "outside-measured", lambda: tell.measuring(found["against h"])),
            ("What the theorem says", "outside-theorem", lambda: tell.theorems(found["against h"], frame.theme())),
        )
        for note in found["against h"]["notes"]:
            st.caption(frame.plain(note))
        exports.varied({f"outside-{case.name}": sheet}, found)
frame.end("outside")
