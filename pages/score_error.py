"""Score error: what a wrong score costs, against its level and against h, beside C2 of the theorems."""

import streamlit as st

from dlab import errors, theory, words
from dlab.answers import score_error
from dlab.figures import score, takeaway
from dlab.figures.numbers import number, step_size
from dlab.study.result import OUTSIDE
from dlab.ui import controls, multilevel, settings, studies, theorems
from dlab.ui.page import Ask, Block, Page, View, show
from dlab.ui.sections import measured
from dlab.ui.settings import FIRST


def shown(scene):
    """The scheme and the step size that the panels single out."""
    curve, sizes = scene["score_error.curve"], sorted(studies.step_sizes(scene))
    return (scene.schemes[0] if curve == FIRST else curve), sizes[int(scene["score_error.at"])]


def error(scene, setting, **changed):
    """The page's score error at the level that a setting of the page holds."""
    return studies.model_spec(scene, level=scene[f"score_error.{setting}"], **changed)


def view(found, scene):
    (scheme, h), result = shown(scene), found[""]
    if not result["rows"] or h not in {r["h"] for r in result["rows"]}:
        return None
    bends = {name: score_error.bends(result, name) for name in result["study"]["schemes"]}
    sheet = score.sheet(result, scheme if scheme in bends else next(iter(bends)), h, bends.get(scheme, []))
    notes = tuple(n for n in result["notes"] if OUTSIDE not in n)  # what is left out of fits in h matters to other pages
    shown_first = takeaway.score_error(result, scheme, h, bends.get(scheme, []))
    return View(sheet, f"score-error-{scene.model}", takeaway=shown_first, table=score.table(result, h, bends), notes=notes, heights=(430,))


def met(scene):
    scheme, h = shown(scene)
    study = scene.study(schemes=[scheme], h=[h], score_error=error(scene, "which"))
    return Ask("error_levels", study, (scheme, study.steps[0]), doing="Measuring the error along the particles.")


def levels(found, scene):
    sheet = score.levels_sheet(found)
    rows = [{"meaning": name, **each} for name, each in found["variants"].items()]
    file, lines = f"which-epsilon-{shown(scene)[0]}", score.levels_table(found)
    denoised = {"denoiser": score.denoiser_levels(found)}
    return View(sheet, file, table=lines, data=rows, answer={"answer": found | denoised}, heights=(340,))


def kinds(scene):
    return {"kinds": " ".join(entry.explanation for entry in errors.LEVELED.values() if entry.explanation)}


def models(scene):
    """The studies of the kinds of error, and those of them that have an exact law."""
    few, two = scene.stretch("levels")[-4:], sorted({*studies.step_sizes(scene)})[:2]
    size = score_error.score_size(scene.study().built)
    asked = {n: scene.study(
        schemes=[scene["score_error.models"]], h=two, start="exact", score_error=studies.model_spec(scene, name=n),
        vary=studies.along_levels([float(f"{v / size:.3g}") for v in few] if errors.REGISTRY[n].level_is == "share" else few),
    ) for n in settings.models()}  # fmt: skip
    return asked, {n: s for n, s in asked.items() if s.price == 0}


def pick_models(scene):
    asked, free = models(scene)
    if 0 < len(free) < len(asked):
        controls.draw("score_error.every", scene, "score_error")
    return {}


def models_asked(scene):
    asked, free = models(scene)
    return free if 0 < len(free) < len(asked) and scene["score_error.every"] == "free" else asked


def models_view(found, scene):
    one, finest = scene["score_error.models"], min(studies.step_sizes(scene))
    chart = score.models_chart(found, one, finest)
    octaves = {n: score_error.octave(score_error.rows_of(r, one, max(r["study"]["vary"]["values"]))) for n, r in found.items()}
    said, lines = f"{score.models_sentence(found, one, finest)} {chart.caption}", score.models_table(found, octaves, one, finest)
    return View(chart, f"kinds-of-error-{one}", said=said, table=lines, label="model", heights=(440,))


def wrong(scene):
    """SO's errors of L and M, by the label of each curve."""
    of_l, of_m = scene["score_error.hessian"], scene["score_error.drift"]
    return {"exact L and M": {}, f"ε⁽ᴸ⁾ = {of_l:g}": {"hessian_level": of_l}, f"ε⁽ᴹ⁾ = {of_m:g}": {"drift_level": of_m}}


def wrong_asked(scene):
    return {k: scene.study(schemes=["SO"], start="exact", score_error={"name": "none", **v}) for k, v in wrong(scene).items()}


def wrong_view(found, scene):
    if len(found) < len(wrong(scene)):
        return None
    costs = score_error.costs(next(iter(wrong_asked(scene).values())))
    terms, lines = score_error.second_order(found, {k: max(v.values()) for k, v in wrong(scene).items() if v}, costs)
    chart = score.second_order_chart(found, terms)
    said, table = score.second_order_sentence(lines), score.second_order_table(lines)
    return View(chart, "so-errors", said=said, table=table, label="error", heights=(420,))


def parts(scene):
    (scheme, h), finest, given = shown(scene), min(studies.step_sizes(scene)), error(scene, "parts")
    exact = scene.study(schemes=["SO"], h=[finest], score_error=given).price == 0
    fine = {"schemes": ["SO"], "h": [min(finest, 1 / 256) if exact else finest]}
    one, none = {"schemes": [scheme], "h": [h]}, {"name": "none"}
    return {
        "all": scene.study(**one, start="paper", score_error=given),
        "initialisation": scene.study(**fine, start="paper", score_error=none),
        "discretisation": scene.study(**one, start="exact", score_error=none),
        "score": scene.study(**fine, start="exact", score_error=given),
    }


def parts_view(found, scene):
    if len(found) < 4:
        return None
    scheme = shown(scene)[0]
    each = score_error.contributions(found, scheme)
    chart = score.parts_chart(each)
    said = f"{score.parts_sentence(each)} {chart.caption}"
    return View(chart, f"contributions-{scheme}", said=said, table=score.parts_table(each), label="part", heights=(300,))


def theorem(found, scene):
    result, h, said = found[""], shown(scene)[1], []
    m0, costs = result["facts"]["m0"], score_error.costs(studies.level_study(scene))
    if costs:
        noise = {"noise": number(costs.noise), "here": number(costs.noise * h), "h": step_size(h)}
        said.append(words.text("score_error", "theorem-gaussian", constant=number(costs.constant), **noise))
    if m0 is not None and (coupled := theory.coupled_noise(m0, h)) is not None:
        c2 = number(1 / (min(1.0, m0) - 0.5))
        said.append(words.text("score_error", "theorem-coupled", m0=number(m0), c2=c2, coupled=number(coupled)))
    elif m0 is not None:
        said.append(words.text("score_error", "theorem-void", m0=number(m0)))
    st.markdown(" ".join(said))
    theorems.of_result({**result, "rows": [r for r in result["rows"] if r["value"] == max(r["value"] for r in result["rows"])]})


show(Page(
    "score_error", view, lambda scene: {"": studies.level_study(scene)},
    controls=("target", "schemes", "h", "error_levels", "one_curve", "horizon", "sampling", "open_study"),
    sections=(
        Block("which", levels, answer=met, controls=("score_error.which",)),
        Block("models", models_view, models_asked, controls=("score_error.models",), picks=pick_models, fields=kinds),
        Block("hessian", wrong_view, wrong_asked, controls=("score_error.hessian", "score_error.drift")),
        Block("parts", parts_view, parts, controls=("score_error.parts",)),
        *multilevel.SECTIONS, measured(), Block("theorem", draw=theorem),
    ),
))  # fmt: skip
