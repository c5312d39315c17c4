"""Kinds of settings: how the text of an address is read and written, and which control shows the value.

No streamlit here: `draw` is given the container that draws. Every reader raises BadInput with one sentence.
"""

import base64
import json
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from dlab import params
from dlab.cache import dumps
from dlab.params import BadInput, Knob

LONGEST_TEXT = 200  # characters of a lesson's title, and of its question


def only(*pages: str) -> Callable[[str], bool]:
    """Read by these pages and by no other."""
    return pages.__contains__


def but(*pages: str) -> Callable[[str], bool]:
    """Read by all pages but these."""
    return lambda page: page not in pages


@dataclass(frozen=True, eq=False)
class Setting:
    """One setting of a scene.

    name      its key in a scene; "<page>.<name>" of a setting of one page, "<target>.<name>" of a knob
    default   its value, or a function that gives it
    group     the group of controls that a lesson hides or fixes, one of settings.GROUPS; "" where a lesson leaves it alone
    study     what it means in the study file: a key, or values -> {key: value}; None where only a page asks for it
    key       its key in an address: None for its name, or values -> key; "" where it stands in none, or not with these values
    written   (values, value) -> whether an address carries it
    page      the page whose address alone carries it; "" for all
    pages     page -> whether it reads it: `only(...)` or `but(...)` some pages
    view      it changes how a scene is shown and none of its numbers
    varies    the axis of a study's `vary` whose values it gives, or "reach"
    when      values -> whether its control is drawn among others
    look      Streamlit's name of the control
    """

    name: str
    label: str
    default: Any
    _: KW_ONLY
    help: str | Callable[[], str] = ""
    group: str = ""
    study: str | Callable[[Mapping], dict] | None = None
    key: Callable[[Mapping], str] | str | None = None
    written: Callable[[Mapping, Any], bool] = lambda values, value: True
    page: str = ""
    pages: Callable[[str], bool] = lambda page: True
    view: bool = False
    varies: str = ""
    when: Callable[[Mapping], bool] = lambda values: True
    look: str = "selectbox"

    def reads(self, page: str) -> bool:
        """Whether a page shows or computes something with it; home does nothing with any but a lesson's."""
        if page == "home":
            return not self.group
        return self.pages(page) and self.page in ("", page)

    @property
    def short(self) -> str:
        """The name in messages: without its page or target."""
        return self.name.rpartition(".")[2]

    @property
    def initial(self):
        """The value where nothing is said."""
        return self.default() if callable(self.default) else self.default

    def address_key(self, values: Mapping) -> str:
        """The key in the address of a scene with these values."""
        return self.name if self.key is None else self.key(values) if callable(self.key) else self.key

    def in_study(self, values: Mapping) -> dict:
        """Its part of the study file's object."""
        if callable(self.study):
            return self.study(values)
        value = values[self.name]
        return {self.study: list(value) if isinstance(value, tuple) else value} if self.study else {}

    def read(self, text):
        """The value that a text spells."""
        return text

    def taken(self, text) -> dict:
        """The settings that a text sets."""
        return {self.name: self.read(text)}

    def write(self, value) -> str:
        """The text of a value."""
        return str(value)

    def text(self, values: Mapping) -> str:
        """The text of its value among these."""
        return self.write(values[self.name])

    def arguments(self) -> dict:
        """What its control is told beside label, help and key."""
        return {}

    def draw(self, place, key: str, value, off: bool = False, **more):
        """Its control in a container, under a key of the session that has this value; off: shown and fixed; more: other arguments of the
        control.

        The control is told the value too. Streamlit sends what the session sets in one message alone, and a script that starts anew at
        once, as it does for a dark theme, throws away what has not been sent: the browser would show the least value.
        """
        tip = self.help() if callable(self.help) else self.help
        given = {"label": self.label, "help": tip, "key": key, "disabled": off, **self.arguments(), **more}
        options = given.get("options")
        if options is None or set(value if isinstance(value, tuple) else (value,)) <= set(options):
            lists = dict.fromkeys(("multiselect", "pills", "segmented_control"), "default")
            name = {"selectbox": "index", **lists}.get(self.look, "value")  # as Streamlit calls the value
            given[name] = options.index(value) if name == "index" else value
        return getattr(place, self.look)(**given)


@dataclass(frozen=True, eq=False)
class Choice(Setting):
    """One of some words. options: {value: what the control says}, or a function that gives it."""

    options: Mapping[str, str] | Callable[[], Mapping[str, str]]

    @property
    def offered(self) -> Mapping[str, str]:
        return self.options() if callable(self.options) else self.options

    def read(self, text):
        return params.choice(self.short, text, self.offered)

    def arguments(self):
        offered = self.offered
        required = {"required": True} if self.look == "segmented_control" else {}
        return {"options": list(offered), "format_func": lambda value: offered.get(value, value), **required}


@dataclass(frozen=True, eq=False, kw_only=True)
class Several(Choice):
    """Some of the words, in the order in which they were chosen. noun: what one of them is called in messages; most: at most so many."""

    noun: str = ""
    most: int | None = None

    def read(self, text):
        names = tuple(dict.fromkeys(params.choice(self.noun, n.strip(), self.offered) for n in str(text).split(",")))
        if self.most and len(names) > self.most:
            raise BadInput(f"{self.short} lists {len(names)} entries, too many; give at most {self.most}.")
        return names

    def write(self, value):
        return ",".join(value)

    def arguments(self):
        return super().arguments() | ({"selection_mode": "multi"} if self.look == "pills" else {})


@dataclass(frozen=True, eq=False)
class Rung(Setting):
    """One of some numbers. form: how the control writes one."""

    options: tuple[float, ...]
    _: KW_ONLY
    form: Callable[[float], str] = "{:g}".format

    def read(self, text):
        number = params.typed(self.short, text) if isinstance(text, str) else text
        if number not in self.options:
            offered = ", ".join(f"{v:g}" for v in self.options)
            raise BadInput(f"{self.short} = {params.show(text)} is not offered; give one of {offered}.")
        return self.options[self.options.index(number)]

    def write(self, value):
        return f"{value:.12g}"

    def arguments(self):
        return {"options": list(self.options), "format_func": self.form}


@dataclass(frozen=True, eq=False, kw_only=True)
class Stretch(Rung):
    """Two of some numbers, in their order, for all between them."""

    look: str = "select_slider"

    def read(self, text):
        text, rungs = str(text), self.options
        ends = tuple(params.typed(self.short, part) for part in text.split("..", 1)) if ".." in text else (None, None)
        if not set(ends) <= set(rungs) or rungs.index(ends[0]) > rungs.index(ends[1]):
            offered = ", ".join(f"{v:g}" for v in rungs)
            raise BadInput(f"{self.short} = {params.show(text)} is not a range of {offered}; give two of them in this order, as a..b.")
        return ends

    def write(self, value):
        return "..".join(f"{v:.12g}" for v in value)

    def between(self, ends) -> list[float]:
        """The numbers from one end to the other."""
        return list(self.options[self.options.index(ends[0]) : self.options.index(ends[1]) + 1])


@dataclass(frozen=True, eq=False)
class StepSizes(Stretch):
    """Step sizes: a stretch of the ladder, or those of a study file, which are no stretch of it and stand in "hs"."""

    def taken(self, text):
        if ".." in str(text):
            return {self.name: self.read(text), "hs": None}
        sizes = (params.typed(self.short, part) for part in str(text).split(","))
        return {"hs": tuple(params.number(self.short, size, above=0.0, high=params.MAX_T) for size in sizes)}

    def text(self, values):
        return ",".join(f"{h:.12g}" for h in values["hs"]) if values["hs"] else super().text(values)


@dataclass(frozen=True, eq=False)
class Number(Setting):
    """A number from low to high; step: of its slider, an integer where the number is whole."""

    low: float
    high: float
    step: float
    _: KW_ONLY
    look: str = "slider"
    unit: str = ""  # how the control writes the number, "%g°"

    @classmethod
    def of(cls, knob: Knob, name: str, **more) -> "Number":
        """The setting of a knob of a target or a score error."""
        if knob.label.endswith(" (degrees)"):
            more["unit"] = "%g°"
        return cls(name, knob.label.removesuffix(" (degrees)"), knob.default, knob.low, knob.high, knob.step, help=knob.help, **more)

    def read(self, text):
        number = params.typed(self.short, text) if isinstance(text, str) else text
        return (params.integer if isinstance(self.step, int) else params.number)(self.short, number, self.low, self.high)

    def write(self, value):
        return f"{value:.12g}"

    def arguments(self):
        kind = int if isinstance(self.step, int) else float
        shown = {"format": self.unit} if self.unit else {}
        return {"min_value": kind(self.low), "max_value": kind(self.high), "step": self.step, **shown}


@dataclass(frozen=True, eq=False)
class Whole(Number):
    """A whole number."""

    step: int = 1

    def write(self, value):
        return str(value)


@dataclass(frozen=True, eq=False, kw_only=True)
class Flag(Setting):
    """Yes or no."""

    look: str = "checkbox"

    def read(self, text):
        return params.choice(self.short, text, ("0", "1")) == "1"

    def write(self, value):
        return str(int(value))


# Marks that join letters or turn the direction of one word are part of some scripts; the other invisible ones can only
# break the page or disguise what is written.
_JOINERS = "\u00ad\u200c\u200d\u200e\u200f"


@dataclass(frozen=True, eq=False, kw_only=True)
class Text(Setting):
    """One line of plain text, its spaces tidied."""

    look: str = "text_input"

    def read(self, text):
        tidy = " ".join(str(text).split())
        if len(tidy) > LONGEST_TEXT:
            raise BadInput(f"{self.short} has {len(tidy)} characters; give at most {LONGEST_TEXT}.")
        if any(unicodedata.category(c) in ("Cc", "Cs", "Cf") and c not in _JOINERS for c in tidy):
            raise BadInput(f"{self.short} holds characters that cannot be shown; give letters, digits and signs.")
        return tidy

    def arguments(self):
        return {"max_chars": LONGEST_TEXT}


@dataclass(frozen=True, eq=False, kw_only=True)
class Line(Text):
    """One line of text that a reader understands, or nothing. check: raises BadInput where it does not."""

    check: Callable[[str], Any]

    def read(self, text):
        if tidy := super().read(text):
            self.check(tidy)
        return tidy


@dataclass(frozen=True, eq=False)
class Data(Setting):
    """What a visitor's file holds, packed into the address where it fits. check: the data of a link -> the value, or BadInput."""

    check: Callable[[Any], Any]

    def read(self, text):
        return self.check(unpack(text))

    def write(self, value):
        return pack(value)


def pack(value) -> str:
    """JSON as text for an address."""
    raw = dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


def unpack(text: str):
    """The JSON of `pack`; BadInput where the text is damaged."""
    try:
        packed = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        # A small bomb must not become a large one: stop well above any study that the lab accepts.
        raw = zlib.decompressobj().decompress(packed, 2_000_000)
        value = json.loads(raw)
        dumps(value)
    except (ValueError, zlib.error, RecursionError):
        raise BadInput("the data in the link are damaged; open the study file instead.") from None
    return value
