"""The guided tour: what is shown and said at each step. The frame draws its bar."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A page, the settings that it shows (address-bar keys that differ from the defaults) and what is said."""

    page: str
    settings: dict
    words: str


_MOVES = {"target": "skew", "panels": "EM", "moving": "500", "play": "1"}
_CURVE = {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.015625"}

STEPS = (
    Step(
        "home",
        _MOVES | {"step": "1"},
        "A diffusion model learns to undo noise. Data are noised until nothing but a Gaussian is left; sampling runs that process "
        "backwards, and the score, the gradient of $\\log p_t$, says which way back is. A computer can only take steps.",
    ),
    Step(
        "particles",
        _MOVES | {"step": "1"},
        "One step size: the data dissolve, then Euler–Maruyama comes back from $t = 4$ in four steps of size $h = 1$. The grey lines are "
        "where the particles should be. The score is exact, and still they end too wide.",
    ),
    Step(
        "particles",
        _MOVES | {"step": "0.5"},
        "The same Brownian path with $h$ halved: eight steps, and the cloud fits better. The distance $W_2$ so far says how much "
        "better; how that number falls with $h$ is all this lab is about.",
    ),
    Step(
        "convergence",
        _CURVE,
        "One point for every scheme and $h$, both axes logarithmic: a straight line of slope $p$ means $W_2 \\approx C h^p$. Halving $h$ "
        "halves EM's error and quarters SO's, the second-order scheme's. The laws are exact here; no sampling is involved.",
    ),
    Step(
        "convergence",
        _CURVE | {"schemes": "EM", "estimator": "plugin", "h": "0.5..0.03125", "bounds": "0"},
        "Why not just compare two clouds of points? This is the same EM measured so. Even two clouds of one and the same law are "
        "apart, by the grey floor: from there on the curve shows the size of the clouds and not the scheme.",
    ),
    Step(
        "convergence",
        _CURVE | {"error": "constant", "e_level": "0.1", "h": "0.5..0.0078125", "bounds": "0"},
        "A trained score is never exact. With an error of length 0.1 in every step both curves level off at one height: below it neither "
        "a smaller step nor a better scheme helps.",
    ),
    Step(
        "convergence",
        _CURVE | {"schemes": "EM"},
        "The dotted line is the theorem's bound. It lies far above what is measured and falls with slope ½ where the error falls with 1: "
        "true for every target with these constants, and far from sharp. Now change what you like.",
    ),
)
