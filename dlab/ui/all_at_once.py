"""The folded sections with bounds made of terms, on a grid that the visitor chooses: DDPM's, and that from single steps."""

import streamlit as st

from dlab import answers, schemes, words
from dlab.answers.generic_bound import why_not
from dlab.figures import all_at_once as figures
from dlab.figures.numbers import listed
from dlab.study import Study
from dlab.theory.all_at_once import missing
from dlab.ui import frame, knobs
from dlab.ui.page import Ask, Block, View

GRIDS = ("log-snr", "karras", "cubic", "tangent", "uniform", "quadratic", "vp-linear", "vp-cosine", "inverse-root")
GRID_HELP = "The times of the steps. Cubic, tangent and inverse square root take the target's m₀ for their scale."
LADDERS = {"8 to 32": (8, 16, 32), "8 to 64": (8, 16, 32, 64), "8 to 256": (8, 16, 32, 64, 128, 256)}
ENTERS = ("target", "start", "score_error", "seed")
OPTION = schemes.REGISTRY["DDPM"].option


def study_on(page: Study, grid: str, steps, noise: float = 0.0, scheme: str = "DDPM", **more) -> Study:
    """A scheme on the page's target, on a grid whose scale is the target's, where it has one."""
    data, m0 = page.to_json(), page.built.facts.m0.value
    asked = {k: data[k] for k in ENTERS} | {"schemes": [scheme], "steps": list(steps)}
    laid = {"name": grid}
    scale = m0 if m0 and m0 > 0 else 1.0
    laid |= {"m0": scale} if grid == "cubic" else {"v": 1 / scale} if grid in ("tangent", "inverse-root") else {}
    asked |= {"grid": laid} if grid != "uniform" else {}
    asked |= {"T": page.T} if grid in ("uniform", "quadratic") else {}
    asked |= {OPTION.key: knobs.in_file(noise)} if noise else {}
    return Study.from_json(asked | more)


def section(of) -> Block:
    """The section of a page; of(scene) -> its study."""

    def picks(scene):
        one, two, three = st.columns(3, vertical_alignment="bottom")
        grid = one.selectbox("Grid", GRIDS, format_func=figures.grid_title, key="once-grid", help=GRID_HELP)
        ladder = two.selectbox("Steps N", list(LADDERS), 2, key="once-steps", help="Numbers of steps; each is twice the one before.")
        noise = three.select_slider(OPTION.label, OPTION.offered, OPTION.default, format_func="{:g}".format, key="once-noise",
                                    help=OPTION.help)  # fmt: skip
        page = of(scene)
        if void := missing(page.built.facts):
            st.caption(void)
            st.markdown(words.text("theory", "once-proof"))
            return None
        return {"once": study_on(page, grid, LADDERS[ladder], noise)}

    def view(found, scene):
        sheet = figures.sheet(found)
        if sheet is None:
            return View(said=frame.plain(figures.sentence(found)))
        return View(sheet, f"all-at-once-{found['grid']}", frame.plain(figures.sentence(found)), table=figures.table(found),
                    data=found["rows"], answer=found, more=lambda: st.markdown(words.text("theory", "once-proof")), heights=(420, 420, 320),
                    rows=(2, len(sheet.parts) - 2) if len(sheet.parts) > 2 else (), titles=True)  # fmt: skip

    return Block("once", view, picks=picks, answer=lambda scene: Ask("all_at_once", scene.once, (), "Measuring DDPM."))


def from_steps(of) -> Block:
    """The bound from single steps, of one scheme; of(scene) -> the page's study."""
    offered = [name for name in schemes.REGISTRY if why_not(name) is None]

    def picks(scene):
        one, two, three = st.columns(3, vertical_alignment="bottom")
        name = one.selectbox("Scheme", offered, key="generic-scheme", help="The one-step schemes of the reverse SDE.")
        grid = two.selectbox("Grid", GRIDS, GRIDS.index("uniform"), format_func=figures.grid_title, key="generic-grid", help=GRID_HELP)
        ladder = three.selectbox("Steps N", list(LADDERS)[:2], key="generic-steps", help="Numbers of steps; each is twice the one before.")
        return {"steps-bound": (study_on(of(scene), grid, LADDERS[ladder], scheme=name), name)}

    def view(found, scene):
        _, name = scene["steps-bound"]
        sheet = figures.from_steps(found, name)
        said = frame.plain(figures.from_steps_sentence(found, name))
        if sheet is None:
            return View(said=said, more=proof)
        return View(sheet, f"steps-bound-{name}", said, table=figures.from_steps_table(found, name), data=found["rows"], answer=found,
                    more=proof, heights=(380,), titles=True)  # fmt: skip

    def proof():
        st.markdown(words.text("theory", "generic-proof"))
        reasons = {}
        for name in schemes.REGISTRY:
            if why := why_not(name):
                reasons.setdefault(why, []).append(name)
        st.caption("  \n".join(f"Not here: {listed(names)}, which {why}." for why, names in reasons.items())
                   + " Adaptive steps depend on the noise they have met, so none of their errors is centred.")  # fmt: skip

    def answer(scene):
        study, _ = scene["steps-bound"]
        if why := answers.find("generic_bound").applies(study):
            st.caption(why[0].upper() + why[1:])
            return None
        return Ask("generic_bound", study, (), "Measuring single steps along the run.")

    return Block("generic", view, picks=picks, answer=answer)
