"""Spot the sign: SO with the right M, with the sign of [YY]'s Appendix C, and without M.

M = x/4 - L gamma = -s/2 - H (x/2 + s). The display in Appendix C ends in + H s, which is M + 2 H s. The three are SO's record
with another `parts` and stand in no registry.
"""

import math
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp

from dlab import errors, noise, schemes
from dlab.answers.base import Answer
from dlab.measure import Case, Pairs, exact, fit, projected
from dlab.params import BadInput
from dlab.sample import diverged, simulate, starts
from dlab.study import memory
from dlab.types import Estimate

SIZES = tuple(2.0**-k for k in range(1, 7))
SAMPLED = 10_000_000  # particle-steps that it takes as long as where no law is known
FEWER, PATHS, REFINE = 5, 1024, 4  # where no law is known: step sizes, Brownian paths, steps of the reference to one of the finest
NONE = errors.build({"name": "none"})
SO = schemes.REGISTRY["SO"]


@dataclass(frozen=True)
class _Changed:
    """A field whose M has been replaced: change(s, L, M) -> M."""

    field: object
    change: object

    def score(self, t, x):
        return self.field.score(t, x)

    def local(self, t, x):
        s, L, M = self.field.local(t, x)
        return s, L, self.change(s, L, M)


def _variant(name, change):
    return replace(SO, name=name, parts=lambda field, *rest: SO.parts(_Changed(field, change), *rest), expansion=None, law_order=1.0)


CHANGES = {
    "wrong": lambda s, L, M: M + 2 * L.apply(s) - s,  # H s = L s - s/2
    "without": lambda s, L, M: jnp.zeros_like(M),
}
VARIANTS = {"right": SO, **{name: _variant(f"SO, M {name}", change) for name, change in CHANGES.items()}}


def signs(study, tick=lambda: None) -> dict:
    """W2 of the three against h on the study's target, exact start and score, T as the study has it:

    {"T", "method", "rows": [{"variant", "h", "w2", "stderr"}], "fits": [{"variant", "slope", "low", "high", "constant"}]}; method
    is "exact" where the law is known, else "projected". tick() may raise to cancel.
    """
    T, target = study.T, study.built
    case = Case(target, SO, NONE, study.grid(1), "exact")
    known = exact.applies(case) is None
    if not known and projected.applies(case):
        raise BadInput("This target has neither an exact law nor a reference on the same paths to compare with; choose another target.")
    counts = [math.ceil(T / h - 1e-9) for h in SIZES[: None if known else FEWER]]
    found = (_by_law if known else _sampled)(study, counts, tick)
    rows = [
        {"variant": v, "h": study.grid(n).step, "w2": e.value, "stderr": e.stderr}
        for (v, n), e in found.items()
    ]
    return {"T": T, "method": "exact" if known else "projected", "rows": rows, "fits": [_fit(rows, v) for v in VARIANTS]}


def _by_law(study, counts, tick) -> dict:
    found = {}
    for name, scheme in VARIANTS.items():
        for n in counts:
            tick()
            (found[name, n],), _ = exact.follow(Case(study.built, scheme, NONE, study.grid(n), "exact"), [n])
    return found


def _sampled(study, counts, tick) -> dict:
    T, target, fine = study.T, study.built, REFINE * max(counts)
    start_key, path_key, own = jax.random.split(jax.random.key(study.seed), 3)
    _, x = starts(target, start_key, PATHS, T, "exact")
    path = noise.path(path_key, study.grid(fine).h, PATHS, target.dim)

    def run(scheme, n, path):
        tick()
        return simulate(scheme, target.fast_field, NONE, x, grid=study.grid(n), key=own, path=path).x

    y, half, found = run(SO, fine, path), run(SO, fine // 2, noise.merge(path, 2)), {}
    for n in counts:
        coarse = noise.merge(path, fine // n)
        for name, scheme in VARIANTS.items():
            case, end = Case(target, scheme, NONE, study.grid(n), "exact", study.seed), run(scheme, n, coarse)
            lost = diverged(end, target.facts).any()
            found[name, n] = Estimate(None, None, "projected") if lost else projected.estimate(case, Pairs(end, y, half))
    return found


def _fit(rows, variant) -> dict:
    mine = [r for r in rows if r["variant"] == variant]
    h, w2, stderr = ([r[k] for r in mine] for k in ("h", "w2", "stderr"))
    usable = [v is not None and v > 3 * e for v, e in zip(w2, stderr)]
    law = fit.fit(h, w2, stderr, usable)
    return {"variant": variant, "slope": law.slope, "low": law.low, "high": law.high, "constant": law.constant, "used": list(law.used)}


def applies(study) -> str | None:
    if study.built.field.by_products:
        return f"M can be changed only where SO knows L as a matrix, unlike on '{study.target['name']}'; choose another target."
    if study.built.dim > projected.MOST_DIM and exact.applies(Case(study.built, SO, NONE, study.grid(1), "exact")):
        return f"W₂ is measured in up to {projected.MOST_DIM} dimensions; this target has d = {study.built.dim}."
    return None


def cost(study) -> float:
    plain = replace(study, schemes=("SO",), score_error={"name": "none"}, start="exact")
    way = plain.law("SO")
    if way is None or way.name != "exact":
        return SAMPLED
    return len(VARIANTS) * sum(way.price(plain.case("SO", math.ceil(study.T / h - 1e-9))) for h in SIZES)


ANSWER = Answer(
    "drift_sign", "SO with M, with the sign of M as printed once, and without M", signs, ("target", "T", "seed"), cost, applies,
    lambda study: memory.simulated(study, ["SO"], PATHS), "signs", uniform=True,
)
