"""Folded sections of the Theory page: the constant without m0 > 1/2, and the martingales."""

import streamlit as st

from dlab import targets, words
from dlab.figures import martingale as walks
from dlab.figures import score_constants as constants
from dlab.study import Study
from dlab.ui import frame
from dlab.ui.page import Ask, Block, View

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
        said = "On a Gaussian all of this is linear; an asymmetric target shows more."
        name = place.selectbox("Target", list(names), first, format_func=names.get, key="martingale-target", help=said)
        study = of(scene)
        if name != "page":
            study = Study.from_json({"target": targets.REGISTRY[name].example, "seed": study.seed})
        return {"walk": study}

    def view(found, scene):
        return View(walks.sheet(found), "martingale", frame.plain(walks.sentence(found)), table=walks.table(found), data=found["rows"],
                    more=_more("martingale-proof"), heights=(400,), titles=True)  # fmt: skip

    return Block("martingale", view, picks=picks, answer=lambda scene: Ask("martingale", scene.walk, (), "Drawing paths."))
