"""Logistic regression: the papers' own experiment rebuilt, two features that can be seen, and a table of one's own."""

import itertools

import streamlit as st

from dlab import engine
from dlab.figures import convergence, logistic, tables
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, runs, studies, tell_logistic

values = frame.begin(
    "logistic",
    "What does the papers' logistic regression really show?",
    "The target is the posterior of a penalised logistic regression, the one experiment behind the theorems' figure.",
)
part, lam = values["logistic.part"], values["logistic.penalty"]
picture, side = frame.stage()
drawing = itertools.count()  # a run draws several charts in one script, and each needs a key
with side:
    controls.own_choice("logistic", "part", st)
    if part == "paper":
        controls.own_choice("logistic", "penalty", st)
        controls.own_remark("d = 20, 100 observations, features N(0, 100), T = 10, start N(0, σ_T² I): as the paper has them.")
    elif part == "plane":
        controls.observed(values)
        controls.scheme_set()
        controls.step_range(values)
        controls.horizon()
        controls.sampling(values)
    else:
        controls.upload()
        controls.own_knob("logistic", "ridge")
        controls.own_choice("logistic", "score", st)
        controls.scheme_set()
        controls.step_range(values)
        controls.horizon()
        controls.sampling(values)


def show(figure, height, place=st):
    frame.chart(figure, height, f"logistic-{next(drawing)}", place)


def rows(table):
    st.dataframe(table, hide_index=True, width="stretch")


def experiment():
    study = studies.experiment(lam)

    def draw(found, state):
        result = found[""]
        if not result["rows"]:
            return None
        figure = logistic.experiment(result, tell_logistic.sigma(result), result["study"]["target"]["lam"])
        with st.container(key="stale" if state == "stale" else None):
            show(figure, 500)
            if state != "stale":
                st.markdown(figure.caption)
            if state != "running":
                rows(logistic.table(result))
        return figure

    found, state, figure = runs.several("experiment", {"": study}, draw)
    if state in ("final", "partial") and figure:
        small(found[""])
        why(found[""])
        for note in found[""]["notes"]:
            st.caption(frame.plain(note))
        with st.expander("How is this measured?"):
            tell_logistic.experiment(study)
        with st.expander("What the theorem says"):
            tell_logistic.theorem(found[""])
        exports.row(study, found[""], figure)


def small(result):
    st.markdown("### Is that a rate?")
    asked = studies.experiment_small(lam)
    first = runs.kept("first_coordinate", asked, doing="Carrying the surrogate's exact law.")
    if first is None:
        return
    few = studies.experiment_atoms(studies.PENALTIES[-1])
    known = engine.result(few) if lam == studies.PENALTIES[-1] else None
    sampled = {f"simulated, score of {tell_logistic.atoms(result['study']['target']):,} samples": result}
    if known is not None:
        sampled[f"simulated, score of {tell_logistic.atoms(few.target)} samples"] = known
    figure = logistic.orders(first, sampled)
    show(figure, 520)
    st.markdown(figure.caption)
    tell_logistic.surrogate(asked)
    if known is not None:
        st.markdown(logistic.atoms_sentence(first, known))
    elif lam == studies.PENALTIES[-1]:
        runs.measured(few)
    with st.expander("Slopes between neighbouring step sizes"):
        rows(logistic.slopes_table(first))
    exports.named(figure, {"rows": first["rows"], "answer": first}, f"small-steps-{lam:g}", "small")


def why(result):
    st.markdown("### Why are the paper's REM and REI so near EM and EI?")
    tell_logistic.hypothesis()
    asked = studies.experiment_readings(studies.PENALTIES[-1])
    found = runs.kept("readings", asked, doing="Running EM and REM with each score.")
    if found is None:
        return
    left, right = st.columns(2)
    figures = {name: logistic.readings(found, name) for name in ("EM", "REM")}
    for place, figure in zip((left, right), figures.values()):
        show(figure, 520, place)
    st.markdown(figures["REM"].caption)
    st.markdown(logistic.floor_sentence(found, result))
    with st.expander("Every reading, in W₂ and W₁"):
        rows(logistic.readings_table(found))
    exports.named(figures["REM"], {"rows": found["rows"], "answer": found}, "readings", "why")


def two_features():
    study = studies.plane(values)
    left, middle, _ = st.columns((1, 1, 2))
    controls.own_choice("logistic", "scheme", left)
    controls.own_choice("logistic", "step", middle)
    which = values["logistic.scheme"], round(study.T / values["logistic.step"])
    found = runs.kept("boundary", study, *which, doing="Drawing the posterior and moving the particles.")
    sheet = logistic.boundary(found)
    for place, piece in zip(st.columns(3), sheet.parts):
        frame.chart(piece, 400, f"logistic-{next(drawing)}", place, bar=False, title=True)
    st.markdown(sheet.caption)
    exports.sheet(sheet, "two-features", key="two")
    curve(study)


def curve(study):
    def draw(result, state):
        figure = convergence.chart(result, "h", bounds=values["bounds"], brackets=False)
        with st.container(key="stale" if state == "stale" else None):
            show(figure, 480)
            if state != "stale":
                st.markdown(tables.sentence(result))
            if state != "running":
                rows(tables.table(result))
        return figure

    result, state, figure = runs.curve(study, draw)
    if state in ("final", "partial"):
        for note in result["notes"]:
            st.caption(frame.plain(note))
        exports.row(study, result, figure)


def own_data():
    given = st.session_state.get("observations")
    if given is None:
        tell_logistic.csv()
        return
    study = studies.observed(values, *given)
    st.caption(
        f"{len(given[0])} observations of {len(given[0][0])} features, each standardised to mean 0 and standard deviation 1. A link "
        "leaves your data out; the study file below holds them."
    )
    curve(study)
    first = runs.kept("first_coordinate", study, doing="Carrying the Laplace surrogate's exact law.")
    if first is not None:
        st.markdown("### The Laplace check")
        figure = logistic.orders(first, {})
        show(figure, 460)
        st.markdown(figure.caption)
        exports.named(figure, {"rows": first["rows"], "answer": first}, "laplace-check", "laplace")


with picture:
    try:
        {"paper": experiment, "plane": two_features, "csv": own_data}[part]()
    except BadInput as error:
        st.error(frame.plain(error))
frame.end("logistic")
