"""Score error: what a wrong score costs, against its level and against h, beside C2 of the theorems."""

import itertools

import streamlit as st

from dlab import errors
from dlab.answers import score_error
from dlab.figures import score
from dlab.params import BadInput
from dlab.study.result import OUTSIDE
from dlab.ui import controls, exports, frame, reveal, runs, studies, tell, tell_score, vocabulary

values = frame.begin(
    "score_error",
    "What does a wrong score cost?",
    "Left, the error $\\varepsilon$ grows at one step size; right, $h$ halves at each $\\varepsilon$, and the curve bends where the "
    "score's error, which no step size removes, takes over.",
)
picture, side = reveal.stage("score_error")
with side:
    controls.target(values)
    controls.scheme_set()
    controls.step_range(values)
    controls.error_levels(values)
    scheme, h = controls.one_curve(values)
    controls.horizon()
    controls.sampling(values)
    controls.open_study()

drawing = itertools.count()  # a run draws several charts in one script, and each needs a key
sizes = studies.between(studies.LEVELS, values["levels"])
finest = min(studies.step_sizes(values))


def show(figure, height, place=st):
    frame.chart(figure, height, f"score-{next(drawing)}", place, bar=False)


def draw(found, state):
    result = found[""]
    if not result["rows"] or h not in {r["h"] for r in result["rows"]}:
        return None
    bends = {name: score_error.bends(result, name) for name in result["study"]["schemes"]}
    sheet = score.sheet(result, scheme if scheme in bends else next(iter(bends)), h, bends.get(scheme, []))
    with st.container(key="stale" if state == "stale" else None):
        for place, part in zip(st.columns(2), sheet.parts):
            show(part, 500, place)
        if state != "stale":
            st.markdown(sheet.caption)
        if state != "running":
            st.dataframe(score.table(result, h, bends), hide_index=True, width="stretch")
    return sheet


def which():
    tell_score.which()
    controls.own_choice("score_error", "which", st.columns((1, 3))[0])
    level = values["score_error.which"]
    one = studies.study(values, schemes=[scheme], h=[h], score_error=studies.model_spec(values, level=level))
    found = runs.kept("error_levels", one, scheme, one.steps[0], doing="Asking for the error along the particles.")
    figure = score.levels_chart(found)
    show(figure, 340)
    st.markdown(figure.caption)
    st.dataframe(score.levels_table(found), hide_index=True, width="stretch")
    rows = [{"meaning": name, **each} for name, each in found["variants"].items()]
    exports.named(figure, {"rows": rows, "answer": found}, f"which-epsilon-{scheme}", "which")


def models():
    tell_score.models()
    left, right, _ = st.columns((1, 1, 2))
    controls.own_choice("score_error", "models", left)
    one = values["score_error.models"]
    few = sizes[-4:]
    two = sorted({finest, *studies.step_sizes(values)})[:2]
    size = score_error.score_size(studies.study(values).built)
    asked = {n: studies.study(
        values, schemes=[one], h=two, start="exact", score_error=studies.model_spec(values, name=n),
        vary=studies.along_levels([float(f"{v / size:.3g}") for v in few] if errors.REGISTRY[n].level_is == "share" else few),
    ) for n in vocabulary.MODELS}  # fmt: skip
    free = {n: s for n, s in asked.items() if s.price == 0}
    if 0 < len(free) < len(asked):
        controls.own_choice("score_error", "every", right)
        if values["score_error.every"] == "free":
            asked = free

    def drawn(found, state):
        figure = score.models_chart(found, one, finest)
        show(figure, 440)
        st.markdown(f"{score.models_sentence(found, one, finest)} {figure.caption}")
        if state != "running":
            octaves = {n: score_error.octave(score_error.rows_of(r, one, max(r["study"]["vary"]["values"]))) for n, r in found.items()}
            st.dataframe(score.models_table(found, octaves, one, finest), hide_index=True, width="stretch")
        return figure

    found, state, figure = runs.several("models", asked, drawn)
    if state == "final":
        rows = [{"model": n, **row} for n, result in found.items() for row in result["rows"]]
        exports.named(figure, {"rows": rows, "results": found}, f"kinds-of-error-{one}", "models")


def second_order():
    tell_score.second_order()
    left, right, _ = st.columns((1, 1, 2))
    controls.own_choice("score_error", "hessian", left)
    controls.own_choice("score_error", "drift", right)
    of_l, of_m = values["score_error.hessian"], values["score_error.drift"]
    given = {f"ε⁽ᴸ⁾ = {of_l:g}": {"hessian_level": of_l}, f"ε⁽ᴹ⁾ = {of_m:g}": {"drift_level": of_m}}
    asked = {
        label: studies.study(values, schemes=["SO"], start="exact", score_error={"name": "none", **error})
        for label, error in ({"exact L and M": {}} | given).items()
    }

    def drawn(found, state):
        if len(found) < len(asked):
            return None
        costs = score_error.costs(next(iter(asked.values())))
        terms, rows = score_error.second_order(found, {k: max(v.values()) for k, v in given.items()}, costs)
        figure = score.second_order_chart(found, terms)
        show(figure, 420)
        st.markdown(score.second_order_sentence(rows))
        st.dataframe(score.second_order_table(rows), hide_index=True, width="stretch")
        return figure

    found, state, figure = runs.several("second-order", asked, drawn)
    if state == "final" and figure:
        exports.named(
            figure, {"rows": [{"error": n, **row} for n, r in found.items() for row in r["rows"]], "results": found}, "so-errors", "so"
        )


def contributions():
    tell_score.contributions()
    controls.own_choice("score_error", "parts", st.columns((1, 3))[0])
    level = values["score_error.parts"]
    error, none = studies.model_spec(values, level=level), {"name": "none"}
    exact = studies.study(values, schemes=["SO"], h=[finest], score_error=error).price == 0
    fine = {"schemes": ["SO"], "h": [min(finest, 1 / 256) if exact else finest]}
    asked = {
        "all": studies.study(values, schemes=[scheme], h=[h], start="paper", score_error=error),
        "initialisation": studies.study(values, **fine, start="paper", score_error=none),
        "discretisation": studies.study(values, schemes=[scheme], h=[h], start="exact", score_error=none),
        "score": studies.study(values, **fine, start="exact", score_error=error),
    }

    def drawn(found, state):
        if len(found) < len(asked):
            return None
        parts = score_error.contributions(found, scheme)
        figure = score.parts_chart(parts)
        show(figure, 300)
        st.markdown(f"{score.parts_sentence(parts)} {figure.caption}")
        st.dataframe(score.parts_table(parts), hide_index=True, width="stretch")
        return figure

    found, state, figure = runs.several("parts", asked, drawn)
    if state == "final" and figure:
        exports.named(
            figure, {"rows": [{"part": n, **row} for n, r in found.items() for row in r["rows"]], "results": found},
            f"contributions-{scheme}", "parts",
        )  # fmt: skip


with picture:
    try:
        study = studies.level_study(values)
        found, state, sheet = runs.several("score", {"": study}, draw)
    except BadInput as error:
        st.error(frame.plain(error))
        state = "none"
    if state in ("final", "partial") and sheet:
        result = found[""]
        largest = {**result, "rows": [r for r in result["rows"] if r["value"] == max(r["value"] for r in result["rows"])]}

        def theorem():
            tell_score.theorem(values, result, score_error.costs(study), h)
            tell.theorems(largest, frame.theme())

        frame.sections(
            ("Which ε?", "which-open", which),
            ("The same level, another kind of error", "models-open", models),
            ("Errors of SO's Hessian and drift rate", "second-open", second_order),
            ("The three contributions", "parts-open", contributions),
            ("How is this measured?", "measured-open", lambda: tell.measuring(result)),
            ("What the theorem says", "theorem-open", theorem),
        )
        # What is left out of fits in h matters to other pages.
        for note in (n for n in result["notes"] if OUTSIDE not in n):
            st.caption(frame.plain(note))
        exports.varied({f"score-error-{values['model']}": sheet}, {"": result})
frame.end("score_error")
