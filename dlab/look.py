"""How schemes, score errors and estimators look, the same in curves, particles, formulas and exports."""

from dataclasses import dataclass
from functools import cache

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


def luminance(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2), 0 for black and 1 for white."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@cache
def readable(colour: str, ground: str, least: float = 4.5) -> str:
    """The colour as words on the ground: mixed with black or white, whichever is further from the ground, as little as gives WCAG's
    contrast for text."""
    below, end = luminance(ground), 255 * (luminance(ground) < 0.179)
    for share in range(0, 101, 4):
        mixed = "#" + "".join(f"{round(int(colour[i : i + 2], 16) * (1 - share / 100) + end * share / 100):02x}" for i in (1, 3, 5))
        low, high = sorted((luminance(mixed), below))
        if (high + 0.05) / (low + 0.05) >= least:
            return mixed
    return mixed
