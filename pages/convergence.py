"""Convergence: W2 against h with fitted slopes, beside the theorems."""

from dlab.figures import convergence, guess, tables, takeaway
from dlab.study import refitted
from dlab.ui import compare, law, methods, reveal, studies, theorems
from dlab.ui.page import Page, View, show
from dlab.ui.sections import measured, table, theorem


def windowed(found, scene):
    """The result, its slopes fitted to the window where one is set by hand."""
    return refitted(found[""], scene.window) if scene.by_hand else found[""]


def view(found, scene):
    result = windowed(found, scene)
    brackets = scene.brackets == "always" or (scene.brackets == "few" and len(scene.schemes) <= 2)
    axes = awaiting(scene) if result.get("done", 1.0) < 1 else None  # which stay while points fall in
    chart = convergence.chart(
        result, scene.x, brackets=brackets, hold=axes and axes.y.limits, **{key: scene[key] for key in ("fits", "bounds", "expansion")}
    )
    return View(
        chart, drawn=guess.drawn(chart, result, scene.x, scene["guesses"]), heights=(430,), bar=True, said=tables.sentence(result),
        takeaway=takeaway.convergence(result, scene.x, scene.bounds),
        caption=methods.level_met(result["study"]["score_error"], tables.levels_met(result)), table=tables.table(result),
        notes=tuple(result["notes"]), results={"": result}, picked=law.pick,
    )  # fmt: skip


def awaiting(scene):
    """Axes, bounds and slopes before the first point; the bounds where the target's constants are known already."""
    study = studies.curve(scene)
    if not study.even:
        return None
    return convergence.awaiting(study.schemes, study.h, theorems.bounds_known(study), x=scene.x, steps=study.steps)


show(Page(
    "convergence", view, lambda scene: {"": studies.curve(scene)}, awaiting=awaiting,
    prepare=lambda scene: {"guesses": reveal.guessed("convergence")},
    controls=("target", "schemes", "h", "grid", "score_error", "horizon", "sampling", "picture", "open_study"),
    sections=(
        table("points", lambda found, scene: tables.rows_table(windowed(found, scene))),
        measured(), compare.section(studies.curve), law.section(studies.curve, lambda scene: "law"), theorem(),
    ),
))  # fmt: skip
