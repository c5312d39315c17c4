"""The registry of schemes: one file each, one line here."""

from dlab.look import Style
from dlab.schemes import (
    churn,
    ddim,
    ddpm,
    dpm,
    dpm2m,
    dpm2m_sde,
    edm_heun,
    ei,
    em,
    em_frozen,
    oc,
    pc,
    pf_euler,
    rei,
    rem,
    sea,
    seeds2,
    shark,
    sheun,
    so,
    sra1,
    sra3,
    taylor,
    unipc2,
    ve_em,
)  # fmt: skip
from dlab.schemes.base import History, Option, Scheme, Theorem

REGISTRY: dict[str, Scheme] = {s.name: s for s in (
    em.SCHEME, ei.SCHEME, rem.SCHEME, rei.SCHEME, so.SCHEME,
    ddpm.SCHEME, ve_em.SCHEME, em_frozen.SCHEME, sea.SCHEME, sheun.SCHEME, sra1.SCHEME, sra3.SCHEME, shark.SCHEME, taylor.SCHEME, oc.SCHEME,
    dpm2m_sde.SCHEME, seeds2.SCHEME, churn.SCHEME, pc.SCHEME,
    pf_euler.SCHEME, ddim.SCHEME, edm_heun.SCHEME, dpm.SECOND, dpm.THIRD, dpm2m.SCHEME, unipc2.SCHEME,
)}  # fmt: skip
PAPER = {name: s for name, s in REGISTRY.items() if s.family == "paper"}
FAMILIES = {"paper": "Of the paper", "SDE": "Of the reverse SDE", "ODE": "Of the probability flow"}
OPTIONS: dict[str, Option] = {s.option.key: s.option for s in REGISTRY.values() if s.option}

__all__ = ["FAMILIES", "OPTIONS", "PAPER", "REGISTRY", "History", "Option", "Scheme", "Style", "Theorem"]
