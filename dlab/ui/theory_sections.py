"""Folded sections of the Theory page: the constant without m0 > 1/2, the martingales, and the assumptions on the score."""

import streamlit as st

from dlab import answers, errors, targets, words
from dlab.figures import martingale as walks
from dlab.figures import score_assumptions as assumed
from dlab.figures import score_constants as constants
from dlab.figures.all_at_once import grid_title
from dlab.study import Study
from dlab.ui import frame, runs
from dlab.ui.all_at_once import GRID_HELP, GRIDS, study_on
from dlab.ui.page import Ask, Block, View

STEPS = 32  # of the run that a score error is followed along
OTHERS = {"skew": "skew, asymmetric", "mixture": "mixture of Gaussians"}  # beside the page's own target


def _more(*names):
    return lambda: st.markdown("\n\n".join(words.text("theory", name) for name in names))


def constant(of) -> Block:
    """C2 for every m0; of(scene) -> the page's study."""

    def view(found, scene):
        return View(constants.sheet(found), "score-constant", frame.plain(constants.sentence(found)), table=constants.table(found),
                    data=found["curve"], more=_more("constant-proof"), heights=(380,), titles=True)  # fmt: skip

    return Block("constant", view, answer=lambda scene: Ask("score_constants", of(scene)))


def martingale(of) -> Block:
    """Mean rates of change, on the page's target or on one that is no Gaussian."""

    def picks(scene):
        names = {"page": "this page's", **OTHERS}
        place, _ = st.columns((1, 2))
        first = list(names).index("skew") if of(scene).built.along_axes is not None else 0
        said = "On a Gaussian all of this is linear; a skewed target shows more."
        name = place.selectbox("Target", list(names), first, format_func=names.get, key="martingale-target", help=said)
        study = of(scene)
        if name != "page":
            study = Study.from_json({"target": targets.REGISTRY[name].example, "seed": study.seed})
        return {"walk": study}

    def view(found, scene):
        return View(walks.sheet(found), "martingale", frame.plain(walks.sentence(found)), table=walks.table(found), data=found["rows"],
                    more=_more("martingale-proof"), heights=(400,), titles=True)  # fmt: skip

    return Block("martingale", view, picks=picks, answer=lambda scene: Ask("martingale", scene.walk, (), "Drawing paths."))


def assumptions(of) -> Block:
    """One score error under every assumption; of(scene) -> the page's study."""
    kinds = {"constant": 0.1, "noise": 0.1, "relative": 0.1, "field": 0.1}

    def picks(scene):
        page = of(scene)
        mine = page.score_error["name"] != "none"
        names = {**({"page": "this page's"} if mine else {}), **{k: errors.REGISTRY[k].title for k in kinds}}
        one, two, three = st.columns(3, vertical_alignment="bottom")
        said = "All of size ε = 0.1, except this page's own."
        kind = one.selectbox("Score error", list(names), format_func=names.get, key="assumed-error", help=said)
        grid = two.selectbox("Grid", GRIDS, format_func=grid_title, key="assumed-grid", help=GRID_HELP)
        titles = {k: v[0] for k, v in assumed.ASSUMPTIONS.items()}
        said = "What is assumed about the error."
        picked = three.selectbox("Assumption", list(titles), format_func=titles.get, key="assumed-name", help=said)
        error = page.score_error if kind == "page" else {"name": kind, "level": kinds[kind]}
        return {"assumed": (study_on(page, grid, (STEPS,), score_error=error), picked)}

    def get(scene):
        study, _ = scene.assumed
        if why := answers.find("score_assumptions").applies(study, STEPS):
            st.caption(why[0].upper() + why[1:])
            return None
        found = runs.kept(Ask("score_assumptions", study, (STEPS,), "Measuring the error along the run."))
        fresh = found and runs.kept(Ask("fresh_noise", study, (), "Computing variances."))
        return fresh and {"found": found, "fresh": fresh}

    def view(got, scene):
        found, fresh, (_, picked) = got["found"], got["fresh"], scene.assumed
        chart, said = assumed.sheet(found, fresh, picked), frame.plain(assumed.sentence(found, picked))
        if chart is None:
            return View(said=said)
        return View(chart, "score-assumptions", said, table=assumed.table(found), data=found["rows"], more=_more("assumed-proof"),
                    heights=(400,), titles=True)  # fmt: skip

    return Block("assumed", view, picks=picks, get=get)
