"""Settings that one page alone has: their defaults, controls and place in a link follow from a line here.

A setting is a `Knob` (a number), a `Choice` (one of some words) or a `Rung` (one of some numbers). A scene holds it as
"<page>.<name>", and so does a link to its page.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dlab import params, pictures, schemes
from dlab.figures.numbers import step_size
from dlab.params import Knob
from dlab.ui.assumption_cases import CASES
from dlab.ui.studies import DISTANCES, IMAGE_STEPS, LADDER, LEVELS, METHODS, PENALTIES, SAMPLES


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
    """One of some numbers; said: how a control writes one."""

    name: str
    label: str
    default: float
    options: tuple[float, ...]
    help: str
    said: Callable[[float], str] = "{:g}".format

    def read(self, value) -> float:
        """The number from a number or from text; BadInput where it is none of the options."""
        number = params.typed(self.name, value) if isinstance(value, str) else value
        if number not in self.options:
            offered = ", ".join(f"{v:g}" for v in self.options)
            raise params.BadInput(f"{self.name} = {params.show(value)} is not offered; give one of {offered}.")
        return number


FIRST = "first"  # of the schemes that are shown, whichever it is
PLACES = tuple(map(float, range(params.MAX_STEP_SIZES)))  # among the step sizes that are shown, the finest first

OWN: dict[str, tuple[Knob | Choice | Rung, ...]] = {
    "score_error": (
        Choice(
            "curve", "Scheme, curve by curve", FIRST, {FIRST: "the first"} | {name: name for name in schemes.REGISTRY},
            "Its curve against h is drawn once for each level ε.",
        ),
        Rung("at", "Step size h shown", 0.0, PLACES, "W₂ against ε is drawn at this step size."),
        Choice(
            "every", "Kinds of error", "free", {"free": "those with an exact law", "all": "all four, some by simulation"},
            "Some have no closed law on this target: a run of some seconds.",
        ),
        Rung("which", "Level ε of the error", 0.5, LEVELS, "The size that the error is asked to have."),
        Choice(
            "models", "Scheme that meets them", "SO", {name: name for name in schemes.REGISTRY},
            "SO's own error is the smallest here, so that even fresh noise rises above it.",
        ),
        Rung("hessian", "Level ε⁽ᴸ⁾", 0.5, LEVELS, "L* = L + ε⁽ᴸ⁾vvᵀ, in operator and Frobenius norm."),
        Rung("drift", "Level ε⁽ᴹ⁾", 1.0, LEVELS, "M* = M + ε⁽ᴹ⁾v."),
        Rung("parts", "Level ε", 0.1, LEVELS, "The size of the score error in this picture."),
    ),
    "theory": (
        Rung(
            "epsilon", "Accuracy ϵ asked for, in W₂", 0.1, DISTANCES,
            "The distance that the theorem should promise; the table gives the steps that it asks for.",
        ),
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
    "images": (
        Choice(
            "data", "Data", "digits", {n: n for n in pictures.choices()} | {"digits": "Digits, 8 × 8", "mnist": "MNIST, 28 × 28"},
            "Digits come with scikit-learn; MNIST and folders of square grey images lie in the folder that DLAB_DATA names.",
        ),
        Choice(
            "score", "Score", "exact", {"exact": "exact, of the smoothed images", "network": "a small trained network"},
            "The network learns from samples of the smoothed images, by denoising: a perceptron of two layers, up to 32 × 32 pixels.",
        ),
        Rung("count", "Images K", 300.0, (100.0, 300.0, 1000.0), "Images that the law is made of; the others are kept out."),
        Rung("width", "Smoothing w", 0.2, (0.1, 0.2, 0.3, 0.5), "Noise about each image; grey values run from −1 to 1."),
        Rung("step", "Step size h", 0.2, IMAGE_STEPS, "Of the grids. The paper's MNIST pictures take h = 0.2 and T = 2."),
        Rung("T", "Horizon T", 2.0, (1.0, 2.0, 3.0, 4.0), "Time at which the reverse process starts."),
        Choice(
            "start", "Start", "paper", {"paper": "N(0, σ_T² I), as in the paper", "exact": "exact p_T"}, "The law of the noise at time T."
        ),
        Choice(
            "growth", "SO's steps", "2", {"2": "cut where hλ > 2", "1": "cut where hλ > 1", "off": "as asked"},
            "λ is the largest eigenvalue of L: over a step SO lets distances grow by exp(hλ).",
        ),
    ),
    "learned": (
        Choice(
            "method", "Score matching", "denoising", {name: name for name in METHODS},
            "Denoising learns the noise that was added to a sample; sliced the divergence of the score along random directions.",
        ),
        Rung("samples", "Training samples n", 20_000.0, SAMPLES, "Points drawn from the target: all that the network is told of it."),
        Rung("width", "Width of the network w", 64.0, (16.0, 32.0, 64.0, 128.0), "Units in each of its hidden layers."),
        Rung("depth", "Hidden layers ℓ", 2.0, (1.0, 2.0, 3.0), "Layers between input and output."),
        Rung("updates", "Updates k", 2000.0, (500.0, 1000.0, 2000.0, 4000.0, 8000.0), "Steps of the optimiser, 512 samples each."),
        Choice(
            "scheme", "Scheme that meets the error", "EM", {name: name for name in schemes.REGISTRY},
            "Along whose own iterates the error is measured, at the finest step size.",
        ),
        Rung("step", "Step size h of this picture", LADDER[6], LADDER, "W₂ is that of the scheme above at this step size.", step_size),
        Rung("t", "Time t of the picture", 0.2, (0.05, 0.1, 0.2, 0.5, 1.0, 2.0), "Where the error of the score is drawn."),
        Rung("seed", "Network seed", 0.0, (0.0, 1.0, 2.0, 3.0, 4.0), "Which samples, which first weights and which order."),
    ),
    "logistic": (
        Choice(
            "part", "What is shown", "paper",
            {"paper": "The paper's experiment, d = 20", "plane": "Two features", "csv": "Your own data"},
            "Two features can be drawn; twenty are the paper's; a CSV of yours may have up to 50.",
        ),
        Rung("penalty", "Penalty λ", 100.0, PENALTIES, "The paper's three: larger is stiffer and more nearly Gaussian."),
        Choice(
            "score", "Score of p_t", "kernel",
            {"kernel": "ratio of kernels, as in the paper", "local": "samples that follow the particle"},
            "The first is the exact score of finitely many posterior samples; the second is nearly that of the posterior, and dear.",
        ),
        Choice(
            "scheme", "Scheme that is drawn", "EM", {name: name for name in schemes.REGISTRY},
            "Whose particles stand beside samples of the posterior.",
        ),
        Rung("step", "Step size h of its particles", 0.5, LADDER, "The scheme takes T/h steps of this size.", step_size),
        Knob("ridge", "Penalty λ", 1.0, 0.6, 20.0, 0.1, "Strength of the Gaussian prior; m₀ = λ, and the theorems need more than ½."),
    ),
}  # fmt: skip

SETTINGS = {f"{page}.{setting.name}": setting for page, settings in OWN.items() for setting in settings}


def of(page: str) -> list[str]:
    """The names of a page's own settings in a scene."""
    return [f"{page}.{setting.name}" for setting in OWN.get(page, ())]
