"""Learned score: a network trained on samples of the target, what it gets wrong, and what that leaves of W2."""

import streamlit as st

from dlab.answers import learned_score
from dlab.engine import jobs
from dlab.figures import learned as figures
from dlab.figures.chart import Sheet
from dlab.ui import exports, frame, runs, studies
from dlab.ui.page import Ask, Block, Page, View, show
from dlab.ui.sections import prose


def prepare(scene):
    """The trained network, and its errors along the run of one scheme."""
    study, scheme, steps = studies.learned_studies(scene)["learned"], scene["learned.scheme"], None

    def losses(rows):
        chart = figures.losses_chart(scene["learned.method"], rows, int(scene["learned.updates"]))
        frame.chart(chart, 420, f"learned-losses-{len(rows)}", bar=False)
        st.markdown(chart.caption)

    if not runs.training(study, losses):
        return None
    steps = max(study.steps)
    cost = jobs.seconds(learned_score.work(steps))
    met = runs.kept("learned", study, scheme, steps, price=cost, doing="Measuring the error along the run.")
    return None if met is None else {"met": met}


def view(found, scene):
    if "learned" not in found:
        return None
    met, names = scene["met"], found["learned"]["study"]["schemes"]
    floors = {n: learned_score.floor(found["learned"], found["exact"], n) for n in names} if len(found) == 2 else {}
    promises = {n: learned_score.promise(found["learned"], n, met) for n in names}
    curves, errors = figures.curves_chart(found, floors, promises), figures.errors_chart(met)
    caption = f"{curves.caption} {errors.caption}"
    sheet = Sheet("A learned score", (curves, errors), f"Two pictures. {curves.alt} {errors.alt}", caption)
    return View(
        sheet.parts, heights=(500,), takeaway=frame.plain(caption), table=figures.curves_table(found, floors, promises),
        files=lambda: exports.results({"learned-score": sheet}, found),
    )  # fmt: skip


def plane(found, scene):
    chart, sentence = figures.field_map(found), figures.field_sentence(found)
    sheet = Sheet(chart.title, (chart,), chart.alt, sentence)
    return View(
        (chart,), share=0.6, heights=(560,), takeaway=frame.plain(sentence),
        files=lambda: exports.picture(sheet, "error-field", "plane"),
    )  # fmt: skip


def derivatives(found, scene):
    sheet, rows, name = figures.derivatives(found), figures.errors_table(found), f"errors-of-L-and-M-{scene['learned.scheme']}"
    return View(
        sheet.parts, heights=(380,), takeaway=frame.plain(sheet.caption), table=rows,
        files=lambda: exports.picture(sheet, name, "derivatives", rows),
    )  # fmt: skip


def samples(found, scene):
    scheme, h = scene["learned.scheme"], scene["learned.step"]
    chart = figures.against_samples(found, scheme, h)
    rows = [{"method": n, **row} for n, result in found.items() for row in result["rows"]]
    return View(
        (chart,), heights=(460,), takeaway=frame.plain(chart.caption), table=figures.samples_table(found, scheme, h),
        files=lambda: exports.picture(chart, f"training-samples-{scheme}", "samples", rows, {"results": found}),
    )  # fmt: skip


def loss(found, scene):
    chart = figures.excess_chart(found)
    rows = [dict(zip(("update", "on_samples", "on_fresh"), row)) for row in found["losses"]]
    return View(
        (chart,), heights=(420,), takeaway=frame.plain(chart.caption), files=lambda: exports.picture(chart, "loss", "loss", rows, found),
    )  # fmt: skip


def learned(scene):
    return studies.learned_studies(scene)["learned"]


def met(scene):
    return Ask("learned", learned(scene), (scene["learned.scheme"], max(learned(scene).steps)))


show(Page(
    "learned", view, studies.learned_studies, prepare=prepare,
    controls=(
        "target", "learned.method", "learned.samples",
        ("folded", {"title": "Network", "names": ("width", "depth", "updates", "seed")}),
        "schemes", "h", "learned.scheme", "horizon", "sampling", "open_study",
    ),
    sections=(
        Block("plane", plane, controls=("learned.t",), answer=lambda scene: Ask(
            "error_field", learned(scene), (scene["learned.t"],), doing="Measuring the error over the plane.")),
        Block("derivatives", derivatives, answer=met),
        Block("samples", samples, studies.samples_studies, controls=("learned.step",)),
        Block("loss", loss, answer=lambda scene: Ask("trained", learned(scene), doing="Measuring the loss of the exact score.")),
        prose("measured"), prose("theorem"),
    ),
))  # fmt: skip
