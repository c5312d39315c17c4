"""What a room is asked, what may be answered, and how the answers are counted. Plain values, nothing of a screen."""

import math
import statistics
from collections import Counter
from dataclasses import dataclass

from dlab import params
from dlab.params import BadInput

SLOPES = {"½": 0.5, "1": 1.0, "1½": 1.5, "2": 2.0}  # what a slope is chosen from
MOST_OPTIONS = 8
LONGEST_OPTION = 40  # characters
LARGEST = 1e9  # absolute value of an end of a range
HELP = """A question before the picture, and its answers: Which is smaller? | EM | SO. For a number: How many? | 0..20. For a slope:
Which slope? | slope. A room can vote on it."""
FEW = 8  # different numbers that are counted one by one
BINS = 8  # in which more of them are counted


@dataclass(frozen=True)
class Part:
    """One thing to answer: one of some options, or where there are none a number from low to high in steps."""

    label: str = ""
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    step: float = 1.0

    def read(self, value) -> int | float:
        """The number of the option, or the number; BadInput otherwise."""
        if self.options:
            return params.integer("answer", value, 0, len(self.options) - 1)
        number = params.number("answer", value, self.low, self.high)
        whole = round((number - self.low) / self.step)
        return float(f"{min(self.low + whole * self.step, self.high):.10g}")

    def said(self, value) -> str:
        return self.options[value] if self.options else f"{value:g}".replace("-", "−")


@dataclass(frozen=True)
class Question:
    """A text and what is to be answered; an answer is a list with one value for each part."""

    text: str
    parts: tuple[Part, ...]

    @classmethod
    def from_json(cls, data: dict) -> "Question":
        """What `to_json` gave."""
        return cls(data["text"], tuple(Part(**{**part, "options": tuple(part.get("options", ()))}) for part in data["parts"]))

    def to_json(self) -> dict:
        return {
            "text": self.text,
            "parts": [
                {"label": p.label, **({"options": list(p.options)} if p.options else {"low": p.low, "high": p.high, "step": p.step})}
                for p in self.parts
            ],
        }

    def read(self, answer) -> list:
        """An answer as it is kept; BadInput where it is none."""
        if not isinstance(answer, list) or len(answer) != len(self.parts):
            raise BadInput(f"answer = {params.show(answer)} does not fit the question; give a list of {len(self.parts)}.")
        return [part.read(value) for part, value in zip(self.parts, answer)]


def choices(text: str, labels_and_options: dict[str, tuple[str, ...]]) -> Question:
    """A question with a choice under each label."""
    return Question(text, tuple(Part(label, tuple(options)) for label, options in labels_and_options.items()))


def slopes(text: str, *names: str) -> Question:
    """A question for the slope of each curve."""
    return choices(text, {name: tuple(SLOPES) for name in names or ("",)})


def parse(line: str) -> Question:
    """A lecturer's own question in a line: "text | option | option …", "text | 0..20" for a number or "text | slope"; BadInput
    otherwise."""
    text, *rest = (part.strip() for part in line.split("|"))
    if not text or not rest:
        raise BadInput(f"ask = {params.show(line)} has no answers; write the question | one | another, | 0..20 or | slope.")
    if rest == ["slope"]:
        return slopes(text)
    if len(rest) == 1:
        return Question(text, (_range(rest[0]),))
    if len(rest) > MOST_OPTIONS or len(set(rest)) < len(rest) or not all(0 < len(option) <= LONGEST_OPTION for option in rest):
        raise BadInput(f"ask cannot offer these answers; give 2 to {MOST_OPTIONS} different ones of at most {LONGEST_OPTION} characters.")
    return choices(text, {"": tuple(rest)})


def _range(text) -> Part:
    low, dots, high = text.partition("..")
    if not dots:
        raise BadInput(f"ask has only the answer {params.show(text)}; give several, separated by |, or a range of numbers such as 0..20.")
    low, high = (params.number("ask", params.typed("ask", end), -LARGEST, LARGEST) for end in (low, high))
    if low >= high:
        raise BadInput(f"ask has the range {params.show(text)}, with its ends in the wrong order; give the smaller one first.")
    whole = low == int(low) and high == int(high) and high - low > 1
    return Part(low=low, high=high, step=_round((high - low) / 100, whole))


def _round(step: float, whole: bool) -> float:
    """The step as 1, 2 or 5 times a power of ten, and whole where the ends are."""
    power = 10.0 ** math.floor(math.log10(step) + 1e-9)
    nice = next(m * power for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9))
    if whole:
        return 1.0 if 100 * step <= 200 else float(nice)
    return float(f"{nice:.10g}")


def tally(question: Question, answers: list[list]) -> list[list[tuple[str, int]]]:
    """For each part, what was said and how often, in the order in which it is offered."""
    return [_counted(part, [answer[i] for answer in answers]) for i, part in enumerate(question.parts)]


def _counted(part, values) -> list[tuple[str, int]]:
    counts = Counter(values)
    if part.options:
        return [(option, counts[i]) for i, option in enumerate(part.options)]
    if len(counts) <= FEW:
        return [(part.said(value), counts[value]) for value in sorted(counts)]
    width = (part.high - part.low) / BINS
    bins = Counter(min(int((value - part.low) / width), BINS - 1) for value in values)
    ends = [part.said(float(f"{part.low + i * width:.4g}")) for i in range(BINS + 1)]
    return [(f"{ends[i]} to {ends[i + 1]}", bins[i]) for i in range(BINS)]


def middle(part: Part, values: list[float]) -> str:
    """The median of numbers as it is said; "" for options and for no votes."""
    return part.said(float(f"{statistics.median(values):.4g}")) if values and not part.options else ""
