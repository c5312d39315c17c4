"""The registry of schemes: one file each, one line here."""

from dlab.look import Style
from dlab.schemes import ei, em, rei, rem, so
from dlab.schemes.base import Scheme, Theorem

REGISTRY: dict[str, Scheme] = {s.name: s for s in (em.SCHEME, ei.SCHEME, rem.SCHEME, rei.SCHEME, so.SCHEME)}

__all__ = ["REGISTRY", "Scheme", "Style", "Theorem"]
