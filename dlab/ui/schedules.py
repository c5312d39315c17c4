"""The page about time grids: one scheme on all of them, where along each its error is made, and the best one."""

import math

import streamlit as st

from dlab import answers, export, schemes, words
from dlab import grid as grids
from dlab.figures import schedules, takeaway
from dlab.figures.numbers import number
from dlab.study import Study
from dlab.ui import studies
from dlab.ui.page import Ask, Block, View

COUNTS = (4, 8, 16, 32, 64)
LARGEST = (10.0, 80.0)  # largest noises besides the page's own
THREE = {"name": "spectrum", "values": [1.0, 0.1, 0.01]}  # variances of the search besides the target's
ENTERS = ("target", "T", "start", "score_error", "seed", "grid", "stop")


def answer(scene) -> Ask:
    """W2 of the scheme on every grid; None, with a word why, where its law is not known."""
    study, scheme, steps = scene["schedules"]
    if study.law(scheme) is None:
        st.caption(words.text("convergence", "law-unknown", scheme=scheme))
        return None
    return Ask("schedules", study, (scheme, steps), "Computing the law on every grid.")


def _picks(key, more):
    """Draws the widgets of a picture: the scheme, its number of steps, the largest noise, and one more."""

    def pick(scene):
        page = studies.curve(scene)
        places = st.columns(4, vertical_alignment="bottom")
        names = [*page.schemes, *(name for name in schemes.REGISTRY if name not in page.schemes)]
        scheme = places[0].selectbox("Scheme", names, key=f"{key}-scheme", help="Those of the Measure pages come first.")
        study = _from(page, scheme, places[1:3], key)
        return {"schedules": study} | more(places[3], study[0])

    return pick


def _from(page, scheme, places, key) -> tuple[Study, str, int]:
    """The study of a scheme alone, in a number of steps and from a largest noise that the visitor picks."""
    listed = page.laid is not None and page.laid["name"] == "times"
    counts = page.steps if listed else COUNTS
    first = 0 if listed else COUNTS.index(16)
    steps = places[0].selectbox("Number of steps N", counts, first, key=f"{key}-steps", help="The same on all grids.")
    own = float(grids.sigma_of(page.T))
    found = places[1].selectbox(
        "Largest noise σ", [own, *(v for v in LARGEST if abs(v - own) > 1e-6 * v)], key=f"{key}-largest",
        help="The noise at which all grids begin; the first value is this page's.",
        format_func=lambda sigma: f"{number(sigma)}  (T = {math.log1p(sigma**2):.3g})",
    )  # fmt: skip
    data = page.to_json()
    option = schemes.REGISTRY[scheme].option
    asked = {k: data[k] for k in (*ENTERS, *([option.key] if option else [])) if k in data} | {"schemes": [scheme], "steps": [steps]}
    if found != own:
        asked |= {"grid": {"name": "log-snr", "sigma_max": found}}
        del asked["T"]
    return Study.from_json(asked), scheme, steps


def _names(study) -> list[str]:
    own = study.laid["name"] if study.laid else "uniform"
    return [own, *(name for name in grids.MAKERS if name not in (own, "times"))]


def _drawn(place, study) -> dict:
    first = ["uniform", "log-snr", "karras", "inverse-root"]
    return {"drawn": place.multiselect(
        "Grids drawn", _names(study), first, format_func=schedules.title, key="schedules-drawn",
        help="Drawn as σ against n, and as steps in log-SNR.",
    )}  # fmt: skip


def _two(place, study) -> dict:
    names = _names(study)
    two = [names[0], "inverse-root" if names[0] != "inverse-root" else "uniform"]
    return {"two": place.multiselect(
        "Two grids", names, two, format_func=schedules.title, max_selections=2, key="where-two", help="Side by side, on the same axes."
    )}  # fmt: skip


def compared(found, scene) -> View:
    """The grids by their W2, and some of them drawn."""
    first, sheet = schedules.compare(found), schedules.drawn(found, scene["drawn"])
    charts = (first, *(sheet.parts if sheet else ()))
    names = "schedules schedules-sigma schedules-steps" if sheet else "schedules"
    said = "  \n".join([schedules.sentence(found), *([sheet.caption] if sheet else [])])

    def copy():
        laid = {r["grid"]: r["sigmas"] for r in found["rows"] if r["sigmas"]}
        name = st.selectbox(
            "Grid to copy", list(laid), format_func=schedules.title, key="schedules-copy", help="In the form that other libraries take."
        )
        _copy(laid[name])

    rows = (1, 2) if sheet else (1,)
    return View(
        charts, names, said, takeaway=takeaway.on_grids(found), table=schedules.table(found), more=copy, rows=rows,
        heights=(60 + 30 * len(schedules.ranked(found)), 380),
        data=_plain(found), answer=found, titles=False,
    )  # fmt: skip


def _plain(found) -> list[dict]:
    return [{"grid": r["grid"], "w2": r["w2"], "method": r["method"]} for r in found["rows"]]


def _where(found, scene):
    if (sheet := schedules.where(found, scene["two"])) is None:
        return View(said=words.text("schedules", "where-unknown"))
    return View(sheet, f"where-{found['scheme']}-{found['steps']}", heights=(380,), titles=True, answer=found)


def _variances(place, study) -> dict:
    both = ["target", "three"] if study.built.along_axes is not None else ["three"]
    label = {"target": "of the target", "three": "1, 0.1, 0.01"}
    tip = "The variances that the search sees."
    return {"fitted": place.selectbox("Variances fitted", both, format_func=label.get, key="best-variances", help=tip)}


def _search(scene):
    study, scheme, steps = scene["schedules"]
    data = study.to_json() | {"score_error": {"name": "none"}} | ({"target": THREE} if scene["fitted"] == "three" else {})
    data = {k: v for k, v in data.items() if k != "h"} | {"steps": [steps]}
    study = Study.from_json(data)
    if why := _refused(study, scheme, steps):
        st.caption(why)
        return None
    return Ask("best_grid", study, (scheme, steps), "Searching, with the exact law.")


def _refused(study, scheme, steps) -> str | None:
    why = answers.find("best_grid").applies(study, scheme, steps)
    return why and why[0].upper() + why[1:]


def _best(found, scene):
    def copy():
        st.markdown(words.text("schedules", "best-copy"))
        _copy(found["sigmas"])

    name = f"best-grid-{found['scheme']}-{found['steps']}"
    return View(schedules.best(found), name, table=schedules.best_table(found), more=copy, heights=(400,), titles=True, answer=found)


def _copy(sigmas) -> None:
    """The grid as other libraries take it, to copy."""
    laid = grids.of_times([float(grids.time_of(v)) for v in sigmas])
    st.code(export.sigmas_text(laid), language="python", wrap_lines=True)
    st.code(export.timesteps_text(laid), language="python", wrap_lines=True)
    st.caption(words.text("schedules", "copy-meaning"))


picks = _picks("schedules", _drawn)
SECTIONS = (
    Block("where", _where, answer=answer, picks=_picks("where", _two)),
    Block("best", _best, answer=_search, picks=_picks("best", _variances)),
)
