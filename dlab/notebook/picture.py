"""Player and curve of a study in a notebook's output."""

import base64
import html
from dataclasses import replace
from functools import cached_property

from dlab import export
from dlab.answers import trajectory
from dlab.figures import particles, takeaway
from dlab.figures.figure import figure
from dlab.figures.movie import packet
from dlab.notebook.given import Given, study_of
from dlab.notebook.runs import known, ran
from dlab.params import MAX_PARTICLES, BadInput, integer
from dlab.study import Study

PANELS = 3
HEIGHT = 460  # px of the player
WIDTH = 620  # px of the curve at most
WITHOUT = "The particles move where the package anywidget is installed: pip install anywidget, then restart the kernel."


def show(given: Given, *, particles: int = 1000):
    """The curve of a study or of a result and, of a target in the plane, its first three schemes moving `particles` particles in the
    coarsest steps; the slider of h computes the others. particles = 0 draws the curve alone; of more, as many as can be followed (48) are
    the least.

    given: a study, a result, their JSON objects or the path of a file of either. A study is run here where its result is not known:
    `arun` does that without making other cells wait. Returns a widget whose `h` is the step size on its slider, or a still picture
    where anywidget is not installed. BadInput for what is neither.
    """
    study, data = study_of(given)
    if 0 < integer("particles", particles, 0, MAX_PARTICLES) < trajectory.FOLLOW:
        raise BadInput(f"particles = {particles} are too few to follow; give 0 for the curve alone, or at least {trajectory.FOLLOW}.")
    if data is None:
        data = (known(study) or ran(study)).to_json()
    curve, motions = Curve(data), Motions(study, particles) if particles and in_plane(study) else None
    try:
        from dlab.notebook.widget import Widget
    except ImportError:
        return Picture(curve, WITHOUT if motions else "")
    return Widget(curve, motions)


def in_plane(study: Study) -> bool:
    """Whether there are particles to be drawn: one target, of two dimensions."""
    return not study.vary and study.built.dim == 2


class Curve:
    """The picture of a result file's object, with a sentence where W2 is drawn against the step size."""

    def __init__(self, data: dict):
        self.chart = figure(data)
        plain = not (data["study"].get("vary") or data["study"].get("reach"))
        found = takeaway.convergence(data) if plain else None
        self.sentence = found.text if found else ""

    def __repr__(self) -> str:
        return self.sentence or self.chart.title

    @cached_property
    def svg(self) -> str:
        text = export.figure_bytes(self.chart, "svg", width_mm=150).decode()
        return text[text.index("<svg") :]

    @cached_property
    def html(self) -> str:
        # As an image: the names inside of an SVG are not those of another one in the same page.
        data = base64.b64encode(self.svg.encode()).decode()
        return (
            f'<figure style="margin: 0; max-width: {WIDTH}px">'
            f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(self.chart.alt)}" style="width: 100%; background: #fff">'
            f"<figcaption>{html.escape(self.sentence)}</figcaption></figure>"
        )


class Picture:
    """What stands in the place of a widget: the curve, and a sentence that says why nothing moves."""

    def __init__(self, curve: Curve, why: str):
        self.curve, self.why = curve, why

    def __repr__(self) -> str:
        return " ".join(filter(None, (repr(self.curve), self.why)))

    def _repr_svg_(self) -> str:
        return self.curve.svg

    def _repr_html_(self) -> str:
        return self.curve.html + (f"<p><small>{html.escape(self.why)}</small></p>" if self.why else "")


class Motions:
    """Particles of a study in the plane as the player takes them: in the coarsest steps, and in all that its slider offers once they are
    asked for."""

    def __init__(self, study: Study, count: int):
        self.study, self.count, self.steps = replace(study, schemes=study.schemes[:PANELS]), count, min(study.steps)
        counts = trajectory.rungs(self.study, self.steps, count)
        self.sizes = tuple(study.T / n for n in counts) if study.even and len(counts) > 1 else ()

    def first(self) -> bytes:
        """The player's bytes at the coarsest step."""
        return self._packet(trajectory.motion(self.study, self.study.schemes, self.steps, self.count))

    def ladder(self) -> bytes:
        """The player's bytes at all of `sizes`."""
        return self._packet(*trajectory.ladder(self.study, self.steps, self.count))

    def _packet(self, *motions) -> bytes:
        own = next(m for m in motions if m.count == self.steps)
        movie = particles.encoded(motions, f"{self.study.key}-{self.count}")
        return packet(movie, height=HEIGHT, alt=particles.sentence(own), live=bool(self.sizes), sizes=self.sizes)
