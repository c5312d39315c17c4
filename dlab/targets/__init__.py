"""The registry of targets: one file each, one line here."""

from dlab import params
from dlab.targets import gaussian, logistic, mixture, skew
from dlab.targets.base import Fact, Facts, Target, TargetEntry
from dlab.targets.custom import target

REGISTRY: dict[str, TargetEntry] = {e.name: e for e in (gaussian.ENTRY, mixture.ENTRY, skew.ENTRY, logistic.ENTRY)}


def build(spec: dict) -> Target:
    """The target of a study file's `target` object; BadInput names what is wrong in it."""
    if not isinstance(spec, dict):
        raise params.BadInput(f"target = {params.show(spec)} is not an object; give one with the key 'name'.")
    params.require("target", spec, ("name",))
    return REGISTRY[params.choice("target.name", spec["name"], REGISTRY)].from_spec(spec)


__all__ = ["REGISTRY", "Fact", "Facts", "Target", "TargetEntry", "build", "target"]
