"""The registry of targets: one file each, one line here."""

import json
from functools import lru_cache

from dlab import params
from dlab.targets import box, gaussian, images, kink, logistic, mixture, skew, spectrum, wells
from dlab.targets.base import Fact, Facts, Target, TargetEntry
from dlab.targets.custom import target

REGISTRY: dict[str, TargetEntry] = {
    e.name: e
    for e in (
        gaussian.ENTRY, mixture.ENTRY, skew.ENTRY, logistic.ENTRY, spectrum.ENTRY, wells.ENTRY, kink.ENTRY, box.ENTRY, images.ENTRY,
    )
}  # fmt: skip
PLANAR = {name: entry for name, entry in REGISTRY.items() if entry.planar}


def build(spec: dict) -> Target:
    """The target of a study file's `target` object; BadInput names what is wrong in it.

    The same object gives the same Target for a while, so its table and facts are computed once.
    """
    entry = params.entry("target", spec, REGISTRY)
    params.only_keys("target", spec, ("name", *entry.keys))
    try:
        text = json.dumps(spec, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # not of JSON: from_spec says what is wrong
        return entry.from_spec(spec)
    return _built(entry, text)


@lru_cache(maxsize=16)
def _built(entry: TargetEntry, text: str) -> Target:
    return entry.from_spec(json.loads(text))


__all__ = ["PLANAR", "REGISTRY", "Fact", "Facts", "Target", "TargetEntry", "build", "target"]
