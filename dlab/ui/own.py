"""Settings that one page alone has: their defaults, controls and place in a link follow from a line here.

A setting is a `Knob` (a number) or a `Choice` (one of some words). A scene holds it as "<page>.<name>", and so does a link,
where it differs from its default: a link without it means the default of that time, so a default that changes needs a new
`links.VERSION`.
"""

from dataclasses import dataclass

from dlab import params
from dlab.params import Knob


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


OWN: dict[str, tuple[Knob | Choice, ...]] = {}

SETTINGS = {f"{page}.{setting.name}": setting for page, settings in OWN.items() for setting in settings}
