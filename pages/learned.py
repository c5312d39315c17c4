"""Learned score: a network trained on samples of the target, what it gets wrong, and what that leaves of W2."""

import streamlit as st

from dlab.answers import learned_score, score_constants
from dlab.figures import learned as figures
from dlab.figures import takeaway
from dlab.figures.chart import Sheet
from dlab.ui import frame, runs, studies
from dlab.ui.page import Ask, Block, Page, View, show
from dlab.ui.sections import prose


def learned(scene):
    return studies.learned_studies(scene)["learned"]


def met(scene):
    """The error of the network along the run of one scheme."""
    study = learned(scene)
    return Ask("learned_errors", study, (scene["learned.scheme"], max(study.steps)), "Measuring the error along the run.")


def prepare(scene):
    """The trained network, and its errors along the run of one scheme."""
    def losses(rows):
        chart = figures.losses_chart(scene["learned.method"], rows, int(scene["learned.updates"]))
        frame.chart(chart, 420, f"learned-losses-{len(rows)}", bar=False)
        st.markdown(chart.caption)

    if not runs.training(learned(scene), losses) or (found := runs.kept(met(scene))) is None:
        return None
    return {"met": found}


def view(found, scene):
    if "learned" not in found:
        return None
    met, names = scene["met"], found["learned"]["study"]["schemes"]
    floors = {n: learned_score.floor(found["learned"], found["exact"], n) for n in names} if len(found) == 2 else {}
    promises = {n: learned_score.promise(found["learned"], n, met) for n in names}
    sharp = score_constants.learned(found["learned"], met)
    curves, errors = figures.curves_chart(found, floors, promises, sharp), figures.errors_chart(met)
    caption = f"{curves.caption} {errors.caption}"
    sheet = Sheet("A learned score", (curves, errors), f"Two pictures. {curves.alt} {errors.alt}", caption)
    table = figures.curves_table(found, floors, promises)
    return View(sheet, "learned-score", takeaway=takeaway.learned(found, floors), table=table, heights=(430,))


def plane(found, scene):
    chart = figures.field_map(found)
    sheet = Sheet(chart.title, (chart,), chart.alt, figures.field_sentence(found))
    return View(sheet, "error-field", share=0.6, heights=(560,))


def derivatives(found, scene):
    sheet, rows, name = figures.derivatives(found), figures.errors_table(found), f"errors-of-L-and-M-{scene['learned.scheme']}"
    return View(sheet, name, table=rows, data=rows, heights=(380,))


def samples(found, scene):
    scheme, h = scene["learned.scheme"], scene["learned.step"]
    chart = figures.against_samples(found, scheme, h)
    table = figures.samples_table(found, scheme, h)
    return View(chart, f"training-samples-{scheme}", table=table, label="method", heights=(460,))


def loss(found, scene):
    rows = [dict(zip(("update", "on_samples", "on_fresh"), row)) for row in found["losses"]]
    return View(figures.excess_chart(found), "loss", data=rows, answer=found, heights=(420,))


show(Page(
    "learned", view, studies.learned_studies, prepare=prepare, early=True,
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
        Block("loss", loss, answer=lambda scene: Ask("training", learned(scene), doing="Measuring the loss of the exact score.")),
        prose("measured"), prose("theorem"),
    ),
))  # fmt: skip
