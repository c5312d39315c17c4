"""What pages, the shell and the prepared files ask for: results, answers and jobs, each computed at most once and then kept.

`tick` is called with the share of the work done and `waiting` with (runs before this one, seconds), about ten times a second; both may
raise to stop following. `session` names who asks: see `runs`.
"""

from collections.abc import Callable, Iterator

from dlab import answers
from dlab import study as studies
from dlab.engine import cost, keep, parts, places, tasks
from dlab.engine.lost import Lost
from dlab.engine.runs import ALONE
from dlab.study import Study

TRIES = 4  # places that a run tries, where one after the other is lost


def exact(study: Study) -> dict:
    """The result of a study whose cost is 0: milliseconds, so it waits for no run and stays in memory alone."""
    place = places.place()
    found = tasks.exact_result(study) if place.near else place.quick(tasks.exact_result, study)
    found = {**found, "done": 1.0}
    keep.keep_result(study, found, disk=False)
    return found


def result(study: Study) -> dict | None:
    """The final result of a study where it is kept, whole or scheme by scheme, or costs next to nothing, else None."""
    found = keep.kept(study)
    if found is None:
        found = exact(study) if study.price == 0 else parts.assembled(study)
    return found


def stream(study: Study, tick=lambda done: None, waiting=lambda *queue: None, session: str = ALONE) -> Iterator[dict]:
    """Results of a study, better and better; the last one is final and kept. Schemes whose rows are known are not run again."""
    others = parts.known(study)
    if others and (rest := parts.rest(study)) is not study:
        for found in stream(rest, tick, waiting, session):
            yield parts.joined(study, [*others.values(), found], found["done"])
        return

    def start(tick) -> Iterator[dict]:
        if (known := keep.kept(study)) is not None:  # somebody else asked for the same while this one waited
            yield known
            return
        for found in _steadily(lambda place: studies.stream(study, tick, place), study, study.price, tick):
            last = found.done == 1
            data = {**found.to_json(), "done": found.done}
            if last:
                # A study that varies has no particles.
                if packed := getattr(found, "packed", b"") or (found.clouds and studies.pack(found.clouds)):
                    keep.keep_particles(study, packed)
                keep.keep_result(study, data)
                parts.keep_each(study, data)
            yield data

    yield from _follow(study.key, start, study.price, session, tick, waiting)


def particles(study: Study, tick=lambda done: None, waiting=lambda *queue: None, session: str = ALONE) -> bytes:
    """The raw particles of a study as npz bytes, from a run of its own where they are not kept; they are from then on."""
    if (known := keep.particles(study)) is None:
        known = job(study.key + ".npz", tasks.particles, study, price=study.price, tick=tick, waiting=waiting, session=session)
        keep.keep_particles(study, known)
    return known


def answer(name: str, study: Study, *which, tick=lambda *done: None, waiting=lambda *queue: None, session: str = ALONE) -> dict | None:
    """An answer of `answers.REGISTRY`, computed where it is not kept, and kept; tick() or tick(done)."""
    *_, last = answers_of(name, study, *which, tick=tick, waiting=waiting, session=session)
    return last


def answers_of(
    name: str, study: Study, *which, tick=lambda *done: None, waiting=lambda *queue: None, session: str = ALONE
) -> Iterator[dict]:
    """As `answer`, with what there is on the way for an answer that becomes better and better."""
    if (last := keep.kept_answer(name, study, *which)) is not None:
        yield last
        return
    entry = answers.find(name)
    entry.check(study, *which)
    price = entry.cost(study, *which) if entry.cost else 0.0
    for last in jobs(
        keep.answer_name(name, study, *which), tasks.answered, study, entry.name, *which,
        price=price, tick=tick, waiting=waiting, session=session,
    ):  # fmt: skip
        yield last
    keep.keep_answer(name, study, *which, found=last)


def at_once(name: str, study: Study, *which) -> dict:
    """An answer of some milliseconds: it waits for no run, and stays in memory alone."""
    if (found := keep.kept_answer(name, study, *which)) is None:
        place = places.place()
        found = tasks.answered(study, name, *which) if place.near else place.quick(tasks.answered, study, name, *which)
        keep.keep_answer(name, study, *which, found=found, disk=False)
    return found


def job(name: str, function: Callable, study: Study, *args, **how):
    """The value of function(study, *args, tick=...), a pure function of the lab, computed where this process computes; see `jobs`."""
    *_, last = jobs(name, function, study, *args, **how)
    return last


def jobs(
    name: str, function: Callable, study: Study, *args, price: float = 0.0, tick=lambda done: None, waiting=lambda *queue: None,
    session: str = ALONE,
) -> Iterator:  # fmt: skip
    """As `job`, with what the function gives on the way. Two sessions that ask for one name share its run."""

    def run(place, tick) -> Iterator:
        with place.open(study) as work:
            future = work.submit(function, *args, price=price or 1.0)
            while not future.done():
                tick(work.spent / (price or 1.0))
                work.wait()
                while work.given:
                    yield work.given.popleft()
            yield future.result()

    def start(tick) -> Iterator:
        return _steadily(lambda place: run(place, tick), study, price, tick)

    yield from _follow(name, start, price, session, tick, waiting)


def train(task, study: Study, again: bool, tick=lambda done: None, waiting=lambda *queue: None, session: str = ALONE) -> Iterator[list]:
    """The losses of a `Training` of a study so far, until its network is trained and kept; where it is left, a checkpoint is kept."""
    last = None
    for last in jobs(task.name, tasks.trained, study, again, price=task.price, tick=tick, waiting=waiting, session=session):
        if isinstance(last, list):
            yield last
    task.adopt(last)


def time_steps(study: Study, tick=lambda done: None, waiting=lambda *queue: None, session: str = ALONE) -> dict[str, float]:
    """`cost.seconds_a_step`, measured where it is not known."""
    if (known := cost.seconds_a_step(study)) is None:
        known = job(f"{study.key}.timing", tasks.step_seconds, study, tick=tick, waiting=waiting, session=session)
        cost.note(study, known)
    return known


def under_way(study: Study) -> bool:
    """Whether a run of the study is going on or waits in the queue."""
    return any(run.name == study.key and not run.abandoned for run in places.runs().under_way())


def cancel(session: str) -> None:
    """Cancel the runs that this session alone follows."""
    places.runs().cancel(session)


def seconds(price: float, target: str = "") -> float:
    """Expected duration of what costs so many particle-steps and is asked for now, beside the runs under way."""
    return cost.seconds(price, target, len(places.runs().under_way()))


def _follow(name, start, price, session, tick, waiting):
    runs = places.runs()

    def queued():
        ahead = runs.ahead_of(name)
        waiting(sum(r.state == "waiting" for r in ahead), sum(cost.seconds(r.price * (1 - r.done)) for r in ahead))

    yield from runs.follow(name, start, price, session, tick, queued)


def _steadily(of, study, price, tick) -> Iterator:
    """What of(place) gives; where that place is lost on the way, of another one, which goes on from the journal."""
    for again in range(TRIES):
        place = _Metered(places.place())
        try:
            yield from of(place)
        except Lost:
            if again == TRIES - 1:
                raise
            places.mend(place.place, tick)
        else:
            place.learn(study, price)
            return


class _Metered:
    """A place, with what its units took."""

    def __init__(self, place):
        self.place, self.near, self.works = place, place.near, []

    def open(self, study):
        self.works.append(self.place.open(study))
        return self.works[-1]

    def learn(self, study, price) -> None:
        name = study.target["name"] if isinstance(study.target, dict) else ""
        cost.learn(name, price, sum(work.busy for work in self.works))
