"""The update of a scheme in LaTeX, in symbols or with the numbers of a step size, from one template."""

import math
import re
from dataclasses import dataclass, field

from dlab.look import PARTS

_MACROS = {part: "\\" + part.split()[0] for part in PARTS}


@dataclass(frozen=True)
class Formula:
    r"""One template gives both readings, so that they cannot differ.

    lines     LaTeX, one equation a line. «symbol» is what turns into a number once h is known; \drift{…}, \second{…},
              \noise{…} and \midpoint{…} hold the parts of a step, coloured as in `look.PARTS`.
    numbers   symbol -> function of h: a number, or LaTeX where the random U or a matrix stays in it. «h» needs no entry.
    """

    lines: tuple[str, ...]
    numbers: dict = field(default_factory=dict, hash=False)

    def latex(self, h: float | None = None, theme: str | None = None) -> list[str]:
        """The lines in symbols, or with the numbers of a step size; coloured for the theme "light" or "dark"."""
        return [self._line(line, h, theme) for line in self.lines]

    def parts(self) -> list[str]:
        """The parts of `look.PARTS` that the update has, in their order there."""
        return [part for part, macro in _MACROS.items() if any(macro + "{" in line for line in self.lines)]

    def _line(self, line, h, theme):
        def slot(match):
            symbol = match[1]
            if h is None:
                return symbol
            value = h if symbol == "h" else self.numbers[symbol](h)
            return value if isinstance(value, str) else digits(value)

        line = re.sub("«([^»]*)»", slot, line)
        for part, macro in _MACROS.items():
            line = line.replace(macro + "{", coloured(part, theme) if theme else "{")
        return line


def coloured(part: str, theme: str) -> str:
    """The opening of a LaTeX group in the colour of a part."""
    return rf"\textcolor{{{PARTS[part][theme == 'dark']}}}{{"


def digits(value: float) -> str:
    """Three significant digits in LaTeX, a power of ten below a thousandth; next to 1, two of the departure from it."""
    if 0 < abs(value) < 1e-3:
        power = math.floor(math.log10(abs(value)))
        return rf"{value / 10**power:.3g}\cdot 10^{{{power}}}"
    off = abs(value - 1)
    return f"{value:.{1 - math.floor(math.log10(off))}f}" if 0 < off < 0.05 else f"{value:.3g}"
