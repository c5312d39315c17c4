"""The registry of estimators: one file each (the cloud distances share one, the Fréchet distances another), one line here."""

from dlab.measure import clouds, coupled, density, exact, frechet, gelbrich, marginal, projected
from dlab.measure.base import Case, Estimator, Pairs

REGISTRY: dict[str, Estimator] = {
    e.name: e
    for e in (
        exact.ENTRY, density.ENTRY, projected.ENTRY, coupled.ENTRY, gelbrich.ENTRY, marginal.ENTRY, *frechet.ENTRIES, *clouds.ENTRIES,
    )
}  # fmt: skip


def choose(name: str, case: Case) -> tuple[Estimator | None, str | None]:
    """The estimator for a case, or None and the sentence why it does not apply.

    "auto" is the first of the hierarchy that applies: exact, else projected, else coupled, else frechet.
    """
    if name != "auto":
        reason = REGISTRY[name].applies(case)
        return (None, reason) if reason else (REGISTRY[name], None)
    return next(e for e in map(REGISTRY.get, ("exact", "projected", "coupled", "frechet")) if e.applies(case) is None), None


__all__ = ["REGISTRY", "Case", "Estimator", "Pairs", "choose"]
