"""Reading values that people typed: one error class, one sentence each, and the limits of the lab."""

import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

# The limits of one study, named by every message that enforces them.
MAX_PARTICLES = 65_536
MAX_STEPS = 4_096
MAX_STEP_SIZES = 24
MAX_WORK = 1_000_000_000  # particle-steps of one study
MAX_DATA_ROWS = 2_000
MAX_COMPONENTS = 64
MAX_T = 50.0
MAX_ENTRY = 1e6  # absolute value of an entry of a list of numbers


class BadInput(ValueError):
    """What was wrong, what was expected, what to do: one sentence fit for the screen."""


@dataclass(frozen=True)
class Knob:
    """A scalar that a person turns: a slider in the app, a key in the address bar."""

    name: str
    label: str
    default: float
    low: float
    high: float
    step: float
    help: str

    def read(self, value) -> float:
        """The knob's value from a number or from text; BadInput where it is out of range."""
        value = typed(self.name, value) if isinstance(value, str) else value
        return (integer if isinstance(self.step, int) else number)(self.name, value, self.low, self.high)


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf, *, above=None) -> float:
    """A finite float in [low, high], and > `above` where given; BadInput otherwise."""
    try:
        if isinstance(value, (bool, str)):
            raise TypeError
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{name} = {show(value)} is not a number; give {_range(low, high, above)}.") from None
    if not math.isfinite(result) or not low <= result <= high or (above is not None and result <= above):
        raise BadInput(f"{name} = {show(value)} is out of range; give {_range(low, high, above)}.")
    return result


def plain(value: Any) -> Any:
    """The value with its arrays as lists and its numbers as Python's int and float, so that it can be written as JSON."""
    if hasattr(value, "tolist"):  # of NumPy, JAX and their likes
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return float(value) if isinstance(value, numbers.Real) and not isinstance(value, (int, float)) else value


def typed(name: str, text: str) -> float:
    """The number that a text spells; BadInput otherwise."""
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{name} = {show(text)} is not a number; give one.") from None


def integer(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> int:
    result = number(name, value, low, high)
    if result != int(result):
        raise BadInput(f"{name} = {show(value)} is not whole; give a whole number {_range(low, high)[9:]}.")
    return int(result)


def choice(name: str, value: Any, options: Iterable[str]) -> str:
    options = list(options)
    if value not in options:
        raise BadInput(f"{name} = {show(value)} is unknown{_near(value, options)}; choose one of {', '.join(options)}.")
    return value


def array(name: str, value: Any, shape: tuple) -> list:
    """A nested list of floats up to MAX_ENTRY; -1 in `shape` stands for any positive length, the same in
    all rows."""
    if not shape:
        return number(name, value, -MAX_ENTRY, MAX_ENTRY)
    described = " × ".join("n" if s < 0 else str(s) for s in shape)
    if not isinstance(value, (list, tuple)) or not len(value) or (shape[0] >= 0 and len(value) != shape[0]):
        raise BadInput(f"{name} = {show(value)} has the wrong shape; give a list of numbers of shape {described}.")
    rows = [array(f"{name}[{i}]", v, shape[1:]) for i, v in enumerate(value)]
    if len(shape) > 1 and len({len(row) for row in rows}) > 1:
        raise BadInput(f"{name} = {show(value)} has rows of different lengths; give {described} numbers.")
    return rows


def entry(where: str, given: Any, registry: dict):
    """The entry of a registry that an object of a study file names."""
    if not isinstance(given, dict):
        raise BadInput(f"{where} = {show(given)} is not an object; give one with the key 'name'.")
    require(where, given, ("name",))
    return registry[choice(f"{where}.name", given["name"], registry)]


def only_keys(where: str, given: Any, known: Iterable[str]) -> None:
    """BadInput naming the first key of `given` that is not in `known`."""
    known = list(known)
    if not isinstance(given, dict):
        raise BadInput(f"{where} = {show(given)} is not an object; give one with keys {', '.join(known)}.")
    for key in given:
        if key not in known:
            raise BadInput(
                f"{where} has the unknown key {show(key)}{_near(key, known)}; known keys are {', '.join(known)}."
            )


def require(where: str, given: dict, keys: Iterable[str]) -> None:
    for key in keys:
        if key not in given:
            raise BadInput(f"{where} lacks the key '{key}'; add it.")


def show(value: Any, most: int = 60) -> str:
    """The value as the person wrote it, short enough for a sentence."""
    try:
        return shortened(repr(value), most)
    except ValueError:  # Python refuses to spell integers of thousands of digits
        return "a number of thousands of digits"
    except RecursionError:
        return "a value nested hundreds of levels deep"


def shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "…"


def _near(value, options) -> str:
    close = get_close_matches(value[:60], options, 1) if isinstance(value, str) else ()
    return f" (did you mean '{close[0]}'?)" if close else ""


def _range(low, high, above=None) -> str:
    if above is not None:
        return f"a number above {above:g}" + ("" if math.isinf(high) else f" and at most {high:g}")
    if math.isinf(low) and math.isinf(high):
        return "a number that is finite"
    if math.isinf(high):
        return f"a number of at least {low:g}"
    return f"a number from {low:g} to {high:g}"
