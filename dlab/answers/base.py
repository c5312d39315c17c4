"""The record that an answer is."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dlab.study import Study


@dataclass(frozen=True)
class Answer:
    """What is asked about a study that is no W2 curve.

    compute(study, *which, tick) -> JSON object, or a generator of better and better ones; tick() or tick(done) may raise to cancel
    reads     keys of the study file that enter it
    title     what it is, in a few words
    cost(study, *which) -> particle-steps; None where it takes no more than a few seconds
    alias     another name that the shell takes
    uses      records, besides those of the study, whose code it runs without importing it
    """

    name: str
    title: str
    compute: Callable
    reads: tuple[str, ...]
    cost: Callable | None = None
    alias: str = ""
    uses: tuple = ()

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """What it asks for beside the study."""
        return tuple(name for name in inspect.signature(self.compute).parameters if name not in ("study", "tick"))

    def stream(self, study: Study, *which, tick=lambda *done: None) -> Iterator[dict]:
        """Better and better answers, the last one final."""
        found = self.compute(study, *which, tick=tick)
        if inspect.isgenerator(found):
            yield from found
        else:
            yield found
