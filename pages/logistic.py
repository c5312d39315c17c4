"""Logistic regression: the papers' own experiment rebuilt, two features that can be seen, and a table of one's own."""

import streamlit as st

from dlab import engine, words
from dlab.figures import convergence, logistic, tables, takeaway
from dlab.figures.numbers import number, step_size
from dlab.targets import sampled
from dlab.ui import runs, settings, studies
from dlab.ui.page import Ask, Block, Page, View, show

LARGEST = settings.PENALTIES[-1]


def atoms(target):
    """How many posterior samples the score of a target object is made of."""
    return target.get("atoms", sampled.FORMS[target.get("score", "kernel")])


def experiment(scene):
    return {"": studies.experiment(scene["logistic.penalty"])}


def experiment_view(found, scene):
    result = found[""]
    if not result["rows"]:
        return None
    chart = logistic.experiment(result, result["facts"]["cov"][0][0] ** 0.5, result["study"]["target"]["lam"])
    lines, notes = logistic.table(result), tuple(result["notes"])
    return View(chart, takeaway=takeaway.experiment(result), table=lines, notes=notes, heights=(430,), bar=True)


def small(scene):
    study = studies.experiment_small(scene["logistic.penalty"])
    return Ask("first_coordinate", study, (), "Computing the exact law of the Laplace approximation.")


def few(scene):
    """EM's curve with few posterior samples, which the largest penalty shows."""
    study = studies.experiment_atoms(LARGEST)
    asked = scene["logistic.penalty"] == LARGEST and engine.kept_answer("first_coordinate", small(scene).study) is not None
    return {"few": runs.measured(study) if asked else None}


def small_view(found, scene):
    lam, few, result = scene["logistic.penalty"], scene["few"], engine.result(experiment(scene)[""])
    curves = {f"simulated, score of {atoms(result['study']['target']):,} samples": result} if result else {}
    if few is not None:
        curves[f"simulated, score of {atoms(few['study']['target'])} samples"] = few
    chart = logistic.orders(found, curves)
    said = [words.text("logistic", "small", T=f"{studies.SMALL_T:g}"), *([logistic.atoms_sentence(found, few)] if few is not None else [])]
    said = "\n\n".join([chart.caption, *said])
    return View(
        chart, f"small-steps-{lam:g}", said, table=logistic.slopes_table(found), data=found["rows"], answer={"answer": found},
        heights=(430,), bar=True,
    )  # fmt: skip


def readings(found, scene):
    em, rem, result = logistic.readings(found, "EM"), logistic.readings(found, "REM"), engine.result(experiment(scene)[""])
    said = "\n\n".join([rem.caption, *([logistic.floor_sentence(found, result)] if result else [])])
    answer = {"data": found["rows"], "answer": {"answer": found}}
    return View(rem, "readings", said, table=logistic.readings_table(found), drawn=(em, rem), **answer, heights=(430,), bar=True)


def measured(found, scene):
    study = experiment(scene)[""]
    st.markdown(words.text("logistic", "measured", atoms=f"{atoms(study.target):,}", particles=f"{study.particles:,}"))


def theorem(found, scene):
    result = found[""]
    facts, row = result["facts"], min((r for r in result["rows"] if r["scheme"] == "EM"), key=lambda r: r["h"])
    said = [words.text("logistic", "theorem", m0=number(facts["m0"]), L0=number(facts["L0"]))]
    if row["bound"] is not None:
        values = {"bound": number(row["bound"]), "w2": number(row["w2"])}
        said.append(words.text("logistic", "theorem-bound", h=step_size(row["h"]), d=len(facts["mean"]), **values))
    st.markdown("\n\n".join(said))


PAPER = Page(
    "logistic", experiment_view, experiment,
    controls=("logistic.part", "logistic.penalty", ("remark", {"text": words.text("logistic", "setting")})),
    sections=(
        Block("small", small_view, answer=small, prepare=few),
        Block("readings", readings, answer=lambda scene: Ask(
            "readings", studies.experiment_readings(LARGEST), (), "Running EM and REM with each score.")),
        Block("measured", draw=measured), Block("theorem", draw=theorem),
    ),
)  # fmt: skip


def boundary(scene):
    study = studies.plane(scene)
    which = scene["logistic.scheme"], round(study.T / scene["logistic.step"])
    return Ask("boundary", study, which, doing="Drawing the posterior and moving the particles.")


def boundary_view(found, scene):
    return View(logistic.boundary(found), "two-features", takeaway=takeaway.two_features(found), heights=(400,), titles=True)


def curve(of) -> Block:
    """The W2 curve of a study, of(scene)."""

    def view(found, scene):
        result = found[""]
        chart = convergence.chart(result, "h", bounds=scene.bounds, brackets=False)
        said, lines, notes = tables.sentence(result), tables.table(result), tuple(result["notes"])
        return View(chart, said=said, takeaway=takeaway.convergence(result), table=lines, notes=notes, bar=True)

    return Block("curve", view, lambda scene: {"": of(scene)})


PLANE = Page(
    "logistic", boundary_view, answer=boundary,
    controls=("logistic.part", "observed", "logistic.scheme", "logistic.step", "schemes", "h", "horizon", "sampling"),
    below=(curve(studies.plane),),
)  # fmt: skip


def given(scene):
    """The study of the visitor's own observations."""
    return studies.observed(scene, *st.session_state["observations"])


def ready(scene):
    uploaded = st.session_state.get("observations")
    if uploaded is None:
        st.markdown(words.text("logistic", "csv"))
        return None
    st.caption(words.text("logistic", "observed", rows=len(uploaded[0]), features=len(uploaded[0][0])))
    return {}


def laplace(found, scene):
    answer = {"data": found["rows"], "answer": {"answer": found}}
    return View(logistic.orders(found, {}), "laplace-check", **answer, heights=(460,), bar=True)


CSV = Page(
    "logistic", curve(given).view, curve(given).studies, prepare=ready,
    controls=("logistic.part", "upload", "logistic.ridge", "logistic.score", "schemes", "h", "horizon", "sampling"),
    below=(Block("laplace", laplace, answer=lambda scene: Ask(
        "first_coordinate", given(scene), (), "Computing the exact law of the Laplace approximation.")),),
)  # fmt: skip

show(Page("logistic", turn=lambda scene: {"paper": PAPER, "plane": PLANE, "csv": CSV}[scene["logistic.part"]]))
