"""How schemes, score errors and estimators look, the same in curves, particles, formulas and exports."""

from dataclasses import dataclass

from dlab.params import BadInput

# The parts of a step in their order and their colours for light and dark ground, the same in formulas and on a followed
# particle. All but the midpoint, a place, are displacements.
PARTS = {
    "drift": ("#1f2328", "#f0f2f5"),
    "second order": ("#7A4B1E", "#D9A066"),
    "noise": ("#A3478A", "#E08BC4"),
    "midpoint": ("#5b6570", "#aab4be"),
}
# Every marker and dash that a curve may have, as Plotly names it: what Matplotlib draws for it, hence what SVG and PDF show.
MARKERS = {
    "circle": "o", "square": "s", "triangle-up": "^", "triangle-down": "v", "triangle-left": "<", "triangle-right": ">", "diamond": "D",
    "pentagon": "p", "hexagon": "h", "star": "*", "x": "x", "cross": "P",
}  # fmt: skip
DASHES = {"solid": "-", "dash": (0, (5, 2.5)), "longdash": (0, (9, 3)), "dot": (0, (1, 1.8)), "dashdot": (0, (6, 2, 1, 2))}


@dataclass(frozen=True)
class Style:
    """Colours "#rrggbb" for light and dark ground, a marker of MARKERS and a dash of DASHES, "" for none;
    BadInput for others."""

    light: str
    dark: str
    marker: str
    dash: str = "solid"

    def __post_init__(self):
        for kind, name, known in (("marker", self.marker, MARKERS), ("dash", self.dash, DASHES)):
            if name and name not in known:
                raise BadInput(f"{kind} = {name!r} cannot be drawn in every figure; choose one of {', '.join(known)}.")
        for colour in (self.light, self.dark):
            if len(colour) != 7 or colour[0] != "#" or set(colour[1:]) - set("0123456789abcdefABCDEF"):
                raise BadInput(f"colour = {colour!r} is not of the form '#rrggbb'; give six hexadecimal digits.")


PLAIN = Style("#5f6772", "#a3adba", "circle", "dash")
