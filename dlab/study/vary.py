"""A study along an axis: the same question at several levels of score error, numbers of training samples, horizons or dimensions."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dlab.measure import fit
from dlab.study.result import Result
from dlab.study.spec import Study

CLEAR = 4  # times what the axis does not change; of two independent parts the smaller then adds 3 % at most


@dataclass(frozen=True)
class Varied:
    """What was found so far: (value of the axis, Result) for each part. `done` as of a Result."""

    study: Study
    parts: tuple[tuple[float, Result], ...]
    done: float = 1.0

    @property
    def clouds(self) -> dict:
        return {}

    def to_json(self) -> dict:
        """A result file whose rows and fits carry the `value` of the axis, with `trends` for each scheme and h: the slope of
        log W2 in the log of the axis, for T in T itself, over the values `used`, those that are `above` the rest."""
        parts = [(value, result.to_json()) for value, result in self.parts]
        rows = [{"value": value, **row} for value, part in parts for row in part["rows"]]
        notes = dict.fromkeys(note for _, part in parts for note in part["notes"] if not note.startswith("Provisional"))
        provisional = [] if self.done == 1 else [f"Provisional: {self.done:.0%} of the work is done."]
        kinds = ("reach", "reach_trends") if self.study.reach else ()
        reach = {kind: [{"value": value, **found} for value, part in parts for found in part[kind]] for kind in kinds}
        return {
            **parts[-1][1],
            **reach,
            "study": self.study.to_json(),
            "rows": rows,
            "fits": [{"value": value, **line} for value, part in parts for line in part["fits"]],
            "trends": _trends(self.study, rows),
            "notes": [*provisional, *notes],
        }


def stream(study: Study, of) -> Iterator[Varied]:
    """Results of a study that varies; of(part, share) -> Results of a plain study, share(done) its part of the whole."""
    found, paid, total = [], 0, max(study.price, 1)
    for k, (value, part) in enumerate(study.parts):
        weight = part.price / total if study.price else 1 / len(study.parts)
        for result in of(part, lambda done, at=paid, w=weight: at + w * done):
            last = k == len(study.parts) - 1 and result.done == 1
            yield Varied(study, (*found, (value, result)), 1.0 if last else min(paid + weight * result.done, 0.99))
        found.append((value, replace(result, clouds={})))
        paid += weight


def _trends(study, rows) -> list[dict]:
    found, axis = [], study.vary["axis"]
    if axis.startswith("target."):  # its numbers have no common scale, and no power law is expected in them
        return []
    for name in study.schemes:
        # Curves of one step size or, where steps differ, of one number of steps.
        size = "h" if study.even else "steps"
        for at in sorted({r[size] for r in rows if r["scheme"] == name}, reverse=study.even):
            mine = [r for r in rows if r["scheme"] == name and r[size] == at]
            line = [r for r in mine if r["value"] > 0]
            # In T the error falls exponentially, along the others like a power.
            x = [math.exp(r["value"]) if axis == "T" else r["value"] for r in line]
            usable = [r["resolved"] and above(r, mine, axis) for r in line]
            got = fit.fit(x, [r["w2"] for r in line], [r["stderr"] or 0.0 for r in line], usable, window=(0.0, math.inf))
            used = [r["value"] for r, u in zip(line, usable) if u and r["w2"]]
            found.append({
                "scheme": name, "h": mine[0]["h"], **({} if study.even else {"steps": at}),
                "slope": got.slope, "slope_low": got.low, "slope_high": got.high,
                "constant": got.constant, "used": used,
            })  # fmt: skip
    return found


def above(row, rows, axis) -> bool:
    """Whether a row is out of what the axis does not change: without score error, or with all initialisation error gone."""
    if axis in ("d", "score_error.samples"):
        return True
    base = min(rows, key=lambda r: r["value"]) if axis == "score_error.level" else max(rows, key=lambda r: r["value"])
    if axis == "score_error.level" and base["value"] > 0:
        return True
    return None not in (row["w2"], base["w2"]) and row["w2"] > CLEAR * base["w2"]
