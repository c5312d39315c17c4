"""Settings that one page alone has: their defaults, controls and place in a link follow from a line here.

A setting is a `Knob` (a number), a `Choice` (one of some words) or a `Rung` (one of some numbers). A scene holds it as
"<page>.<name>", and so does a link to its page.
"""

from dataclasses import dataclass

from dlab import params, schemes
from dlab.params import Knob
from dlab.ui.cases import CASES
from dlab.ui.studies import LEVELS


@dataclass(frozen=True)
class Choice:
    """One of some words, {value: what the control says}."""

    name: str
    label: str
    default: str
    options: dict[str, str]
    help: str

    def read(self, value) -> str:
        """The value as it is; BadInput where it is none of the options."""
        return params.choice(self.name, value, self.options)


@dataclass(frozen=True)
class Rung:
    """One of some numbers."""

    name: str
    label: str
    default: float
    options: tuple[float, ...]
    help: str

    def read(self, value) -> float:
        """The number from a number or from text; BadInput where it is none of the options."""
        number = params.typed(self.name, value) if isinstance(value, str) else value
        if number not in self.options:
            offered = ", ".join(f"{v:g}" for v in self.options)
            raise params.BadInput(f"{self.name} = {params.show(value)} is not offered; give one of {offered}.")
        return number


OWN: dict[str, tuple[Knob | Choice | Rung, ...]] = {
    "score_error": (
        Rung("which", "Level ε of the error", 0.5, LEVELS, "The size that the error is asked to have."),
        Choice(
            "models", "Scheme that meets them", "SO", {name: name for name in schemes.REGISTRY},
            "SO's own error is the smallest here, so that even fresh noise rises above it.",
        ),
        Rung("hessian", "Level ε⁽ᴸ⁾", 0.5, LEVELS, "L* = L + ε⁽ᴸ⁾vvᵀ, in operator and Frobenius norm."),
        Rung("drift", "Level ε⁽ᴹ⁾", 1.0, LEVELS, "M* = M + ε⁽ᴹ⁾v."),
        Rung("parts", "Level ε", 0.1, LEVELS, "The size of the score error in this picture."),
    ),
    "outside": (
        Choice("case", "Way out of the assumptions", "modes", {c.name: c.title for c in CASES}, "What is asked too much of the theorems."),
        *(Rung(c.name, c.label, c.default, c.values, c.help) for c in CASES),
        Choice(
            "on", "Target", "gaussian", {"gaussian": "Tilted Gaussian, exact law", "skew": "Tilted skew, mostly simulated"},
            "The Gaussian has the constant derived; the skew target shows that it is not special.",
        ),
        Choice(
            "drift", "The rate M", "rebuilt", {"rebuilt": "rebuilt from the wrong L", "exact": "of the exact score"},
            "M = x/4 − Lγ with the L at hand, as one would compute it, or one product with the true Hessian more.",
        ),
    ),
}  # fmt: skip

SETTINGS = {f"{page}.{setting.name}": setting for page, settings in OWN.items() for setting in settings}


def of(page: str) -> list[str]:
    """The names of a page's own settings in a scene."""
    return [f"{page}.{setting.name}" for setting in OWN.get(page, ())]
