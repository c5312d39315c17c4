"""The prepared scenes: what the home page offers and what opens at once.

python -m dlab.ui.scenes      writes the small result files in dlab/prepared/
"""

from dataclasses import dataclass, field

from dlab import jobs
from dlab.ui import links, runs


@dataclass(frozen=True)
class Scene:
    """A question, where it opens, and the settings that differ from the defaults (address-bar keys)."""

    name: str
    question: str
    text: str
    page: str
    settings: dict = field(default_factory=dict)


SCENES = (
    Scene(
        "watch",
        "What does a sampler do?",
        "Noise flows back into a skewed target: Euler–Maruyama beside the second-order scheme, on the same Brownian path.",
        "particles",
        {"target": "skew", "panels": "EM,SO", "step": "0.25", "moving": "1000", "play": "1"},
    ),
    Scene(
        "halving",
        "How fast does the error fall when h halves?",
        "Five schemes on a tilted Gaussian, by exact law: slopes 1 and 2, where the theorems promise ½ and 1.",
        "convergence",
        {"target": "gaussian"},
    ),
    Scene(
        "blunt",
        "What does a wrong score cost?",
        "The same error ε = 0.2 in every step: the curves stop falling and level off at a floor that no step size removes.",
        "convergence",
        {"target": "gaussian", "error": "constant", "e_level": "0.2"},
    ),
    Scene(
        "too-far",
        "What if the step is too large?",
        "A stiff target and a coarse step: Euler–Maruyama ends too wide across the narrow side, the second-order scheme less so.",
        "particles",
        {"target": "gaussian", "k1": "8", "k2": "0.8", "panels": "EM,SO", "step": "0.5", "moving": "1000", "play": "1"},
    ),
)


def address(scene: Scene) -> dict[str, str]:
    """The whole address of a scene: every setting in force, so that changed defaults change no scene."""
    values, _ = links.read(scene.settings)
    return links.write(values) | ({"play": "1"} if values["play"] else {})


def main() -> None:
    jobs.PREPARED.mkdir(exist_ok=True)
    for old in jobs.PREPARED.glob("*.movie"):
        old.unlink()
    for scene in SCENES:
        if scene.page == "particles":
            values, _ = links.read(scene.settings)
            study = links.moving_study(values)
            steps = study.steps[-1]
            runs.make_movie(study, steps, values["moving"])
            name = runs.movie_key(study, steps, values["moving"]) + ".movie"
            (jobs.PREPARED / name).write_bytes(jobs.load(name))
            print(scene.name, name)


if __name__ == "__main__":
    main()
