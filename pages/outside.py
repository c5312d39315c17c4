"""Outside the assumptions: what is measured where the theorems say nothing, and SO with a wrong Hessian."""

import streamlit as st

from dlab import words
from dlab.answers.bounds import checklist
from dlab.answers.hessian_cost import derived
from dlab.figures import outside, takeaway
from dlab.figures import theory as checklists
from dlab.figures.numbers import step_size
from dlab.ui import frame, law, runs, studies
from dlab.ui.page import Ask, Block, Page, View, show
from dlab.ui.sections import measured, theorem
from dlab.ui.view import tabulate


def asked(scene):
    return {"against h": studies.case_study(scene), "along": studies.case_along(scene)}


def view(found, scene):
    if not found.get("against h", {}).get("rows"):
        return None
    case, result, varied = studies.case_of(scene), found["against h"], found.get("along")
    items = checklist(studies.case_study(scene), facts=result["facts"])
    sheet = outside.sheet(result, varied, min(varied["study"]["h"]) if varied else 0.0, case.label, case.symbol)

    def more():
        st.markdown(words.text("outside", f"case-{case.name}"))
        st.markdown(f"**{words.title('outside', 'checklist')}**")
        tabulate(checklists.assumptions(items))

    failing = f"**{outside.failing(items)}** {outside.measured(result)}"
    said = "\n\n".join([failing, *([sheet.parts[-1].caption] if varied else [])])
    lines, notes = outside.table(result), tuple(result["notes"])
    return View(
        sheet, f"outside-{case.name}", takeaway=takeaway.departure(result, items), said=said, table=lines, more=more, notes=notes,
        heights=(430,),
    )  # fmt: skip


def pick_modes(scene):
    study = studies.case_study(scene)
    if study.built.regions is None:
        st.markdown(words.text("outside", "no-modes"))
        return None
    h = st.selectbox(
        "Step size h of the laws", sorted(study.h, reverse=True), format_func=step_size, key="modes-step",
        help="The laws of all schemes after T/h steps of this size.",
    )  # fmt: skip
    return {"steps": study.steps[study.h.index(h)]}


def modes(scene):
    study, steps = studies.case_study(scene), scene["steps"]
    return Ask("modes", study, (steps,), "Computing the law of each scheme.")


def modes_view(found, scene):
    return View(
        said=frame.plain(outside.modes_sentence(found)), table=outside.modes_table(found),
        more=lambda: st.caption(words.text("outside", "modes-shell", steps=scene["steps"])),
    )  # fmt: skip


def hessians(found, scene):
    sheet, asked = outside.hessian_sheet({k: r for k, r in found.items() if r["rows"]}), studies.hessian_studies(scene)

    def table():
        if len(found) < len(asked):
            return
        timed = st.checkbox(
            "Show the time of a step on this machine", key="hessian-time", help="Times each for a moment; the first time takes longer."
        )
        seconds = {k: next(iter(runs.timing(study).values())) for k, study in asked.items()} if timed else None
        formula = {k: derived(study) for k, study in asked.items()}
        tabulate(outside.hessian_table(found, formula, seconds))

    return View(sheet, f"hessians-{scene['outside.on']}", more=table, label="hessian", heights=(430,))


def turn(scene):
    case = studies.case_of(scene)
    return Page(
        "outside", view, asked,
        controls=("outside.case", f"outside.{case.name}", "schemes", "h", "horizon"),
        sections=(
            Block("modes", modes_view, answer=modes, picks=pick_modes),
            law.section(studies.case_study, lambda scene: f"law-{scene['outside.case']}"),
            Block("hessians", hessians, studies.hessian_studies, controls=("outside.on", "outside.drift")),
            measured(), theorem(),
        ),
    )  # fmt: skip


show(Page("outside", turn=turn))
