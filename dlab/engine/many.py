"""Many studies as one command: the product of values of axes over a study file, their runs, and one table of all their rows."""

import json
import queue
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from dlab import params
from dlab import study as studies
from dlab.cache import Cache, dumps
from dlab.engine import ask, keep, places
from dlab.params import BadInput
from dlab.study import Study
from dlab.study.place import Left

MOST_AXES = 2
CACHE = Cache("many", memory=0, files=10_000, size=1e9)  # finished studies: there may be more of one command than `keep.CACHE` holds


@dataclass(frozen=True)
class Asked:
    """One study of many. name: that of its folder; at: its value of each axis, {"T": 2.0}."""

    name: str
    at: dict[str, float]
    study: Study


def axis(text: str) -> tuple[str, list[float]]:
    """AXIS=V1,V2,… as the axis' name and its values, which are numbers; BadInput otherwise. `product` checks the name."""
    name, sign, values = text.partition("=")
    if not sign or not name.strip() or not values.strip(", "):
        raise BadInput(f"--vary {params.show(text)} is no axis with its values; give AXIS=V1,V2, for instance T=2,4,8.")
    return name.strip(), [params.typed(f"--vary {name.strip()}", value) for value in values.split(",")]


def product(name: str, study: Study, axes: list[tuple[str, list[float]]]) -> list[Asked]:
    """A study at every combination of values of up to two axes, those that the key `vary` of a study file takes; a `vary` of its own is
    kept. BadInput names the axis and the value."""
    names = [axis for axis, _ in axes]
    if len(names) > MOST_AXES or len(set(names)) < len(names):
        raise BadInput(f"--vary {', '.join(names)}: give one axis or two, each once.")
    own = study.vary
    if own and own["axis"] in names:
        raise BadInput(f"--vary {own['axis']}: the study file varies it too; leave one of them out.")
    found = [Asked(name, {}, study)]
    for axis, values in axes:
        found = [Asked(f"{one.name}_{axis}={value:.12g}", {**one.at, axis: value}, part)
                 for one in found for value, part in _along(one.study, axis, values)]  # fmt: skip
    return found


def _along(study: Study, axis: str, values) -> list[tuple[float, Study]]:
    plain = study.to_json()
    own = plain.pop("vary", None)
    if axis == "h":
        plain.pop("steps", None)
        parts = [(value, Study.from_json({**plain, "h": [value]})) for value in sorted(set(values))]
    else:
        parts = Study.from_json({**plain, "vary": {"axis": axis, "values": values}}).parts
    return [(value, Study.from_json({**part.to_json(), "vary": own}) if own else part) for value, part in parts]


def rows(asked: Asked, result: dict) -> list[dict]:
    """The rows of a study's result, each with the study's name and its value of each axis before its own keys."""
    return [{"study": asked.name, **asked.at, **row} for row in result["rows"]]


def weight(study: Study) -> int:
    """What a study counts in the share of the work done: particle-steps."""
    return max(study.price, 1)


_sessions = count()


def results(asked: list[Asked]) -> Iterator[tuple[int, float, dict | Exception | None]]:
    """(number of the study, its share done, its result so far) as they come; None where there is no newer one, an exception where the
    study failed, and the others go on. The last one of each study is final and kept: see `ask.stream`.

    Here one study goes after the other; on workers several share them in turn, so that none waits for the last unit of another. Closing
    the iterator ends what is under way.
    """
    place = places.place()
    left, events, stop = deque(enumerate(asked)), queue.SimpleQueue(), threading.Event()
    sessions = [f"shell {next(_sessions)}" for _ in range(1 if place.near else min(len(asked), place.at_once))]

    def work(session):
        while left and not stop.is_set():
            try:
                number, one = left.popleft()
            except IndexError:
                break
            try:
                _follow(number, one.study, session)
            except Left:
                break
            except BaseException as error:
                events.put((number, 1.0, error))
        events.put(None)

    def _follow(number, study, session):
        def tick(done=0.0, *_):
            if stop.is_set():
                raise Left
            events.put((number, float(done), None))

        name = f"{study.key}.json"
        if study.price == 0:
            events.put((number, 1.0, ask.exact(study)))
        elif len(asked) > 1 and (known := CACHE.load(name)) is not None:
            events.put((number, 1.0, json.loads(known)))
        else:
            for found in ask.stream(study, tick, lambda *_: tick(), session):
                events.put((number, found.get("done", 1.0), found))
            if len(asked) > 1:
                CACHE.keep(name, dumps(found).encode(), keep.modules(study, studies.run))

    threads = [threading.Thread(target=work, args=(session,), daemon=True, name="dlab-study") for session in sessions]
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            yield from iter(events.get, None)
    finally:
        stop.set()
        for session in sessions:
            ask.cancel(session)
        for thread in threads:
            thread.join(timeout=10)
