"""One scheme measured in every way there is, on the same particles: why a point cloud's own W2 is not enough."""

from collections.abc import Iterator
from dataclasses import replace

from dlab import measure
from dlab.answers.base import Answer
from dlab.sample import diverged
from dlab.study.run import Tick, clouds
from dlab.study.spec import Study

AGREE = 0.05  # relative gap to the law's value that the projected estimate claims to stay below, beside its noise
DISAGREES = "disagrees with the value"


def compare(study: Study, scheme: str, tick: Tick = lambda done: None) -> Iterator[dict]:
    """{"study", "scheme", "rows"} with more and more rows {"method", "h", "steps", "w2", "stderr", "floor", "flags"}: every
    estimator of the registry that applies, at every step size, the law first: of several ways to carry it the
    registry's first. A point whose particles diverged has no row.

    tick(done) is called with the share of the work done and may raise to cancel.
    """
    study = study.prepared(lambda done: tick(0.0))
    rows = []
    case = {n: study.case(scheme, n) for n in study.steps}
    ways = [e for e in measure.REGISTRY.values() if e.sampled and e.applies(case[study.steps[0]]) is None]

    def answer():
        return {"study": study.to_json(), "scheme": scheme, "rows": list(rows)}

    def add(estimator, steps, pairs):
        found = estimator.estimate(case[steps], pairs)
        if found.value is not None:
            found = replace(found, flags=(*found.flags, *_disagreement(rows, steps, found)))
            rows.append({
                "method": estimator.name, "h": study.grid(steps).step, "steps": steps, "w2": found.value, "stderr": found.stderr,
                "floor": found.floor, "flags": list(found.flags),
            })  # fmt: skip

    if (law := study.law(scheme)) is not None:
        for steps in study.steps:
            add(law, steps, None)
            tick(0.0)
    yield answer()
    done = 0
    found = clouds(replace(study, schemes=(scheme,), estimator="coupled", accuracy=None, budget=None), lambda part: tick(0.5 * part))
    for steps in study.steps:
        pairs = found[scheme, steps]
        lost = diverged(pairs.x, study.built.facts).any()
        for way in ways:
            if not lost:
                add(way, steps, pairs)
            done += 1
            tick(0.5 + 0.5 * done / (len(ways) * len(study.steps)))
        yield answer()


def _disagreement(rows, steps, found) -> list[str]:
    """A sentence where the law and the projected estimate differ by more than their errors."""
    law = next((r for r in rows if r["steps"] == steps and not measure.REGISTRY[r["method"]].sampled), None)
    if found.method != "projected" or law is None:
        return []
    gap = abs(found.value - law["w2"])
    if gap <= max(AGREE * law["w2"], 3 * found.stderr):
        return []
    share = gap / max(law["w2"], 1e-300)
    return [f"{DISAGREES} of the law ({law['method']}) by {share:.0%}, more than {AGREE:.0%} and three standard errors"]


ANSWER = Answer(
    "estimators", "One scheme measured by every estimator on the same particles", compare,
    ("target", "h", "T", "start", "score_error", "particles", "seed", "growth"),
    memory=lambda study, scheme: replace(study, schemes=(scheme,), estimator="projected").memory, uses=tuple(measure.REGISTRY.values()),
)  # fmt: skip
