"""The folded section that shows where a law is off: one scheme's law beside its target, as maps."""

import streamlit as st

from dlab import words
from dlab.figures import density
from dlab.figures.numbers import place
from dlab.ui import links, settings, state
from dlab.ui.page import Ask, Block, View

SHOW = "law-picked"  # the session key of a point that was clicked just now
# At first the section is short and the page cannot scroll to it: again as what stands in it comes, until the visitor scrolls.
SCROLL = """<script>{
  const section = document.querySelector(".st-key-law-open"), done = new AbortController();
  const grown = new ResizeObserver(() => section.scrollIntoView({ behavior: "smooth" }));
  if (section) grown.observe(section);
  done.signal.addEventListener("abort", () => grown.disconnect());
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(kind, () => done.abort(), { signal: done.signal });
  setTimeout(() => done.abort(), 5000);
}</script>"""


def pick(point) -> None:
    """Open the section on the scheme and the number of steps of a point that was clicked."""
    scheme, _, steps = point
    st.session_state.update({"law-open": True, "law-scheme": scheme, "law-step": steps, SHOW: True})


def _watch(scheme, h) -> None:
    """A link to the particles of the same point."""
    if h in settings.LADDER:
        query = links.write(state.scene() | {"panels": (scheme,), "step": h}, settings.MOVIE)
        st.page_link("pages/particles.py", label="Watch its particles", icon=":material/play_circle:", query_params=query | {"play": "1"})


def section(of, file) -> Block:
    """of(scene) -> the study of which the visitor picks a scheme and a step size; file(scene) -> the name of its files."""

    def picks(scene):
        study = of(scene)
        if st.session_state.pop(SHOW, False):  # the section may lie below the screen
            st.html(SCROLL, unsafe_allow_javascript=True)
        st.markdown(words.text("convergence", "law-meaning"))
        left, right, _ = st.columns((1, 1, 2), vertical_alignment="bottom")
        scheme = left.selectbox("Scheme whose law is drawn", study.schemes, key="law-scheme", help="One of the schemes in the picture.")
        steps = right.selectbox(
            "Steps of its law", sorted(study.steps), format_func=lambda n: place({"h": study.grid(n).step, "steps": n}), key="law-step",
            help="The step size, or the number of steps where they are not equal.",
        )  # fmt: skip
        if study.law(scheme) is None:
            st.caption(words.text("convergence", "law-unknown", scheme=scheme))
            return None
        return {"law": (scheme, steps)}

    def answer(scene):
        (scheme, steps), study = scene["law"], of(scene)
        return Ask("law", study, (scheme, steps), "Computing the density step by step.")

    def view(found, scene):
        if (sheet := density.sheet(found)) is None:
            return View(said=density.sentence(found))
        name = f"{file(scene)}-{found['scheme']}-{found['h'] or found['steps']:g}"
        watch = lambda: _watch(found["scheme"], found["h"])  # noqa: E731
        return View(sheet, name, table=density.table(found), heights=(380,), alt=sheet.caption, more=watch)

    return Block("law", view, answer=answer, picks=picks)
