"""The guided tour: what is shown and said at each step. The frame draws its bar."""

from dataclasses import dataclass

from dlab import words


@dataclass(frozen=True)
class Step:
    """A page and the settings that it shows (address-bar keys that differ from the defaults)."""

    number: int
    page: str
    settings: dict

    @property
    def words(self) -> str:
        """What is said."""
        return words.text("tour", str(self.number))


_MOVES = {"target": "skew", "panels": "EM", "moving": "500", "play": "1"}
_CURVE = {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.015625"}

STEPS = (
    Step(1, "home", {}),
    Step(2, "particles", _MOVES | {"step": "1"}),
    Step(3, "particles", _MOVES | {"step": "0.5"}),
    Step(4, "convergence", _CURVE | {"bounds": "0"}),
    Step(5, "convergence", _CURVE | {"schemes": "EM", "estimator": "plugin", "h": "0.5..0.03125", "bounds": "0"}),
    Step(6, "convergence", _CURVE | {"error": "constant", "e_level": "0.1", "h": "0.5..0.0078125", "bounds": "0"}),
    Step(7, "convergence", _CURVE | {"schemes": "EM"}),
)
