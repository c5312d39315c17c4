"""Learned score: a network trained on samples of the target, what it gets wrong, and what that leaves of W2."""

import itertools

import streamlit as st

from dlab.answers import learned_score
from dlab.figures import learned as figures
from dlab.figures.chart import Sheet
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, reveal, runs, studies, tell_learned

values = frame.begin(
    "learned",
    "What does a score learned from samples cost?",
    "A small network learns the score from $n$ samples. Left, $W_2$ with it and with the exact score; right, its error where the sampler "
    "comes by and under $p_t$.",
)
scheme = values["learned.scheme"]
picture, side = reveal.stage("learned")
with side:
    controls.target(values)
    for name in ("method", "samples"):
        controls.own_choice("learned", name, st)
    controls.own_folded("learned", "Network", ("width", "depth", "updates", "seed"))
    controls.scheme_set()
    controls.step_range(values)
    controls.own_choice("learned", "scheme", st)
    controls.horizon()
    controls.sampling(values)
    controls.open_study()

drawing = itertools.count()  # a run draws several charts in one script, and each needs a key


def show(figure, height, place=st):
    frame.chart(figure, height, f"learned-{next(drawing)}", place, bar=False)


def losses(rows):
    figure = figures.losses_chart(values["learned.method"], rows, int(values["learned.updates"]))
    show(figure, 420)
    st.markdown(figure.caption)


def read(found):
    """Floors and the theorem's terms of the schemes, from the curves and what the chosen scheme met."""
    names = found["learned"]["study"]["schemes"] if "learned" in found else []
    floors = {n: learned_score.floor(found["learned"], found["exact"], n) for n in names} if len(found) == 2 else {}
    return floors, {n: learned_score.promise(found["learned"], n, met) for n in names}


def draw(found, state):
    if "learned" not in found:
        return None
    floors, promises = read(found)
    curves, errors = figures.curves_chart(found, floors, promises), figures.errors_chart(met)
    with st.container(key="stale" if state == "stale" else None):
        for place, part in zip(st.columns(2), (curves, errors)):
            show(part, 500, place)
        if state != "stale":
            st.markdown(frame.plain(f"{curves.caption} {errors.caption}"))
        if state == "final":
            st.dataframe(figures.curves_table(found, floors, promises), hide_index=True, width="stretch")
    return Sheet("A learned score", (curves, errors), f"Two pictures. {curves.alt} {errors.alt}", f"{curves.caption} {errors.caption}")


def derivatives():
    tell_learned.derivatives()
    sheet = figures.derivatives(met)
    for place, part in zip(st.columns(2), sheet.parts):
        show(part, 380, place)
    st.markdown(frame.plain(sheet.caption))
    st.dataframe(figures.errors_table(met), hide_index=True, width="stretch")
    exports.sheet(sheet, f"errors-of-L-and-M-{scheme}", figures.errors_table(met), key="derivatives")


def plane():
    tell_learned.plane()
    controls.own_choice("learned", "t", st.columns((1, 3))[0])
    found = runs.kept("error_field", asked["learned"], values["learned.t"], doing="Asking for the error over the plane.")
    drawn = figures.field_map(found)
    left, _ = st.columns((3, 2))
    frame.chart(drawn, 560, "error-field", left)
    said = figures.field_sentence(found)
    st.markdown(frame.plain(said))
    exports.sheet(Sheet(drawn.title, (drawn,), drawn.alt, said), "error-field", key="plane")


def samples():
    tell_learned.samples()
    controls.own_choice("learned", "step", st.columns((1, 3))[0])
    h = values["learned.step"]

    def drawn(found, state):
        figure = figures.against_samples(found, scheme, h)
        show(figure, 460)
        st.markdown(frame.plain(figure.caption))
        if state != "running":
            st.dataframe(figures.samples_table(found, scheme, h), hide_index=True, width="stretch")
        return figure

    found, state, figure = runs.several("samples", studies.samples_studies(values), drawn)
    if state == "final":
        rows = [{"method": n, **row} for n, result in found.items() for row in result["rows"]]
        exports.named(figure, {"rows": rows, "results": found}, f"training-samples-{scheme}", "samples")


def loss():
    if found := runs.kept("training", study, doing="Asking for the loss of the exact score."):
        figure = figures.excess_chart(found)
        show(figure, 420)
        st.markdown(frame.plain(figure.caption))
        rows = [dict(zip(("update", "on_samples", "on_fresh"), row)) for row in found["losses"]]
        exports.named(figure, {**found, "rows": rows}, "loss", "loss")


with picture:
    try:
        asked, met = studies.learned_studies(values), None
        study = asked["learned"]
        if runs.training(study, losses):
            met = runs.kept("learned_errors", study, scheme, max(study.steps), doing="Asking for the error along the run.")
        if met is not None:
            found, state, sheet = runs.several("learned", asked, draw)
            frame.sections(
                ("Where is the score wrong?", "plane-open", plane),
                ("Errors of its derivatives, which SO uses", "derivatives-open", derivatives),
                ("Denoising or sliced, and how many samples?", "samples-open", samples),
                ("The loss while it was trained", "loss-open", loss),
                ("How is this measured?", "measured-open", tell_learned.measuring),
                ("What the theorem says", "theorem-open", tell_learned.theorem),
            )
            if state == "final":
                exports.varied({"learned-score": sheet}, found)
    except BadInput as error:
        st.error(frame.plain(error))
frame.end("learned")
