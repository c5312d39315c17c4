"""The registry of estimators: one file each (the cloud distances share one, the Fréchet distances another), one line here."""

from dlab.measure import clouds, coupled, density, exact, frechet, gelbrich, marginal, projected
from dlab.measure.base import Case, Estimator, Method, Pairs

REGISTRY: dict[str, Estimator] = {
    e.name: e
    for e in (
        exact.ENTRY, density.ENTRY, projected.ENTRY, coupled.ENTRY, gelbrich.ENTRY, marginal.ENTRY, *frechet.ENTRIES, *clouds.ENTRIES,
    )
}  # fmt: skip
METHODS: dict[str, Method] = {m.name: m for e in REGISTRY.values() for m in e.methods}


def method(name: str) -> Method:
    """The words of a row's method; of one that no estimator names, its name."""
    return METHODS.get(name) or Method(name, name, name)


def choose(name: str, case: Case) -> tuple[Estimator | None, str | None]:
    """The estimator for a case, or None and the sentence why it does not apply.

    "auto" is the first that applies of those that are `automatic`: exact, else projected, else coupled, else frechet.
    """
    if name != "auto":
        reason = REGISTRY[name].applies(case)
        return (None, reason) if reason else (REGISTRY[name], None)
    return next(e for e in REGISTRY.values() if e.automatic and e.applies(case) is None), None


__all__ = ["METHODS", "REGISTRY", "Case", "Estimator", "Method", "Pairs", "choose", "method"]
