"""The registry of score errors: one file each, one line here."""

import jax.numpy as jnp

from dlab import params
from dlab.errors import constant, field, hessian, learned, noise, none, relative
from dlab.errors.base import ErrorEntry, ScoreError, perturb
from dlab.params import Knob

REGISTRY: dict[str, ErrorEntry] = {
    e.name: e for e in (none.ENTRY, constant.ENTRY, field.ENTRY, noise.ENTRY, relative.ENTRY, learned.ENTRY)
}
# Those that every page has controls for.
OFFERED = {name: entry for name, entry in REGISTRY.items() if not entry.page}
# And of these, those whose level can be varied.
LEVELED = {name: entry for name, entry in OFFERED.items() if entry.leveled}

# Errors of SO's L and M, offered beside every model of the score's own error.
SECOND_ORDER = (
    Knob(
        "hessian_level",
        "Hessian error ε⁽ᴸ⁾ (SO)",
        0.0,
        0.0,
        1.0,
        0.01,
        "L* = L + ε⁽ᴸ⁾vvᵀ, in operator and Frobenius norm.",
    ),
    Knob("drift_level", "Drift-rate error ε⁽ᴹ⁾ (SO)", 0.0, 0.0, 2.0, 0.02, "M* = M + ε⁽ᴹ⁾v."),
)


def build(spec: dict, target=None, of: dict | None = None) -> ScoreError:
    """The error of a study file's `score_error` object; BadInput names what is wrong in it.

    target: the Target, and `of` its own object in the file or None; some errors depend on them.
    """
    entry = params.entry("score_error", spec, REGISTRY)
    extra = [k.name for k in SECOND_ORDER]
    params.only_keys("score_error", spec, ("name", *entry.keys, *extra, "hessian"))
    params.require("score_error", spec, () if entry.of_target else entry.keys[:1])
    levels = [params.number(f"score_error.{k}", spec.get(k, 0.0), 0.0, 1e3) for k in extra]
    more = (target, of) if entry.of_target else ()
    error = entry.from_spec(spec, *map(jnp.asarray, levels), *more)
    if entry.of_target and spec.get("hessian") is not None:
        raise params.BadInput(
            f"score_error.hessian does not go with score_error.name = '{entry.name}', which has its own Hessian; leave one of them out."
        )
    return error if spec.get("hessian") is None else hessian.wrapped(error, spec["hessian"])


NONE = build({"name": "none"})

__all__ = ["LEVELED", "NONE", "OFFERED", "REGISTRY", "SECOND_ORDER", "ErrorEntry", "ScoreError", "build", "perturb"]
