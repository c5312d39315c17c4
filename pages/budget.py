"""Budget: how many steps an accuracy takes, found by search, beside the number that the theorem asks for."""

import streamlit as st

from dlab import engine, words
from dlab.figures import budget, takeaway
from dlab.figures.numbers import number
from dlab.ui import frame, methods, runs, studies, theorems
from dlab.ui.page import Block, Page, View, show
from dlab.ui.sections import table


def prepare(scene):
    """Seconds of a step, measured when nothing else runs, where one of the pictures counts them."""
    study = studies.reaching_study(scene)
    return {"seconds": runs.timing(study) if "time" in (scene.cost, scene.work) else engine.seconds_a_step(study)}


def counted(cost, seconds, result):
    """What a picture counts, and the seconds of each scheme in it: steps where an older picture has schemes without a time."""
    known = seconds and set(result["study"]["schemes"]) <= set(seconds)
    return ("steps" if cost == "time" and not known else cost), (seconds if known else None)


def view(found, scene):
    result, epsilon = found[""], studies.epsilon(scene)
    cost, seconds = counted(scene.cost, scene["seconds"], result)
    chart = budget.chart(result, cost, epsilon=epsilon, seconds=seconds, bounds=scene.bounds)
    lines, notes = budget.table(result, epsilon, seconds), tuple(budget.notes(result))
    return View(
        chart, takeaway=takeaway.steps(result, epsilon), said=budget.sentence(result, epsilon), table=lines, notes=notes, heights=(430,),
        bar=True,
    )  # fmt: skip


def work(found, scene):
    cost, seconds = counted(scene.work, engine.seconds_a_step(studies.reaching_study(scene)), found[""])
    chart = budget.work_precision(found[""], cost, epsilon=studies.epsilon(scene), seconds=seconds)
    return View(chart, "work-precision", said="", caption=frame.plain(chart.caption), heights=(460,), bar=True)


def measured(found, scene):
    result = found[""]
    methods.of_result(result, rule=False)
    if seconds := engine.seconds_a_step(studies.reaching_study(scene)):
        st.markdown(words.text("budget", "timed", each=", ".join(f"{n} {number(1e9 * s)} ns" for n, s in seconds.items())))


show(Page(
    "budget", view, lambda scene: {"": studies.reaching_study(scene)}, prepare=prepare,
    controls=("target", "schemes", "distances", "cost", "score_error", "horizon", "sampling", "open_study"),
    below=(Block("work", work, controls=("work",)),),
    sections=(
        table("every", lambda found, scene: budget.every_answer(found[""])), Block("measured", draw=measured),
        Block("theorem", draw=lambda found, scene: theorems.corollaries(found[""], studies.epsilon(scene))),
    ),
))  # fmt: skip
