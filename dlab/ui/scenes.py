"""The addresses of scenes and of the tour's steps."""

from dlab.ui import links, tour
from dlab.ui.questions import BY_NAME, SCENES, Scene

__all__ = ["BY_NAME", "SCENES", "Scene", "address", "step_address"]


def address(scene: Scene) -> dict[str, str]:
    """The whole address of a scene: every setting in force, so that changed defaults change no scene."""
    return _address(scene, {"scene": scene.name})


def step_address(number: int) -> dict[str, str]:
    """The whole address of a step of the tour, counted from 1."""
    return _address(tour.STEPS[number - 1], {"tour": str(number)})


def _address(entry, name) -> dict[str, str]:
    # An address bar forgets that a scene plays, once it does; its link says so.
    play = {key: value for key, value in entry.settings.items() if key == "play"}
    return links.written(entry) | name | play
