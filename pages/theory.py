"""Theory: what the theorems assume and promise for this target, what lies behind them, and what is true."""

from dataclasses import replace

import streamlit as st

from dlab import engine, schemes, theory, words
from dlab.answers.bounds import bounds, checklist
from dlab.figures import tables, takeaway
from dlab.figures import theory as figures
from dlab.figures.numbers import number
from dlab.ui import all_at_once, frame, runs, theorems, theory_sections
from dlab.ui.page import Ask, Block, Page, View, show
from dlab.ui.sections import prose, table
from dlab.ui.view import tabulate


def study(scene):
    return (scene | {"schemes": ("EM",), "estimator": "auto", "accuracy": 0}).study()


def prepare(scene):
    """EM's measured curve where there is one; the bounds stand without it."""
    return {"measured": runs.measured(study(scene))}


def known(result, scene):
    """The four curves and the assumptions, with the level of the score error that was met."""
    met = tables.levels_met(result) if result else None
    return bounds(study(scene), met), checklist(study(scene), met)


def view(found, scene):
    result = scene["measured"]
    lines, items = known(result, scene)
    chart, target = figures.bounds(lines, result), study(scene).target["name"]
    return View(
        chart or (), chart and f"bounds-{target}", takeaway=takeaway.bounds(lines, result),
        said=None if chart else frame.plain(figures.sentence(lines, result)),
        caption="" if lines["level_known"] else words.text("theory", "level-unknown"), data=lines["rows"],
        table=figures.assumptions(items), more=lambda: st.markdown(frame.plain(figures.promise(items))), heights=(430,), bar=True,
    )  # fmt: skip


def setting(found, scene):
    st.markdown(words.text("theory", "setting", T=f"{scene['T']:g}"))
    theorems.updates(schemes.PAPER)
    st.markdown(f"**{words.title('symbols')}**\n\n{words.text('symbols', 'letters')}")


def with_numbers(found, scene):
    theorems.with_numbers(study(scene), min(study(scene).h))
    st.markdown(words.text("theory", "corollaries"))
    tabulate(theorems.planned(study(scene), scene["theory.epsilon"], parts=False))
    at = "at the horizon chosen here" if scene.start == "exact" else "with the horizon chosen so that N is smallest"
    st.caption(f"The leading term taken at its word, with an exact score, {at}.")


def recursion(found, scene):
    sheet, limit = figures.run(found), theory.sharp_limit(study(scene).built.facts, T=scene["T"])

    def sharp():
        said = [words.text("theory", "sharp"), *([f"Here that is {number(limit)}·h."] if limit is not None else [])]
        st.markdown("\n\n".join(said))

    return View(
        sheet, "recursion", table=figures.run_table(found, 9), data=figures.run_table(found), more=sharp,
        rows=(1, len(sheet.parts) - 1), heights=(400, 320), bar=True,
    )  # fmt: skip


def along(scene):
    steps = round(scene["T"] / scene.step)
    return Ask("recursion", study(scene), (steps,), "Computing EM's exact law along the run.")


def bounds_table(found, scene):
    result = engine.result(study(scene))
    return figures.bounds_table(known(result, scene)[0], result)


def every_scheme(scene):
    return Ask("one_step", replace(study(scene), schemes=tuple(schemes.PAPER)), (), "Measuring single steps of every scheme.")


def one_step(found, scene):
    def summed():
        st.markdown(words.text("theory", "summed"))
        st.caption(words.text("theory", "onestep-method", t=f"{found['t']:g}"))

    table = figures.one_step_table(found)
    return View(figures.one_step(found), "one-step", table=table, data=found["rows"], more=summed, heights=(400,), titles=True)


def guess(scene):
    return {"guess": st.segmented_control(
        "Which line is the right M?", list(figures.LETTERS), key="theory-guess", help="The slope tells: SO's law has order 2."
    )}  # fmt: skip


def signs(found, scene):
    chart = figures.signs(found, scene["guess"] is not None)
    if chart is None:
        return View(caption=words.text("theory", "too-stiff"))
    said = frame.plain(figures.signs_sentence(found, scene["guess"])) if scene["guess"] else ""
    return View(chart, said=said, heights=(420,), bar=True)


show(Page(
    "theory", view, prepare=prepare, controls=("target", "h", "score_error", "horizon"),
    sections=(
        Block("setting", draw=setting),
        Block("assumptions", draw=lambda found, scene: theorems.assumptions(known(engine.result(study(scene)), scene)[1])),
        Block("theorems", draw=with_numbers, controls=("theory.epsilon",)),
        Block("recursion", recursion, answer=along, controls=("step",)),
        all_at_once.section(study),
        all_at_once.from_steps(study),
        theory_sections.constant(study),
        theory_sections.martingale(study),
        theory_sections.assumptions(study),
        Block("onestep", one_step, answer=every_scheme),
        Block("signs", signs, picks=guess, answer=lambda scene: Ask(
            "drift_sign", study(scene), (), "Running SO with three versions of M.")),
        table("table", bounds_table),
        prose("footnotes"),
    ),
))  # fmt: skip
