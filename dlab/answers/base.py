"""What an answer is to the lab: one record for each kind, with its function, its check and its price."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dlab.params import BadInput
from dlab.study import Study, memory


@dataclass(frozen=True)
class Answer:
    """What is asked about a study that is no W2 curve.

    compute(study, *which, tick) -> JSON object, or a generator of better and better ones; tick() or tick(done) may raise to cancel
    reads     keys of the study file that enter it
    title     what it is, in a few words
    cost(study, *which) -> particle-steps; None where it takes no more than a few seconds
    applies(study, *which) -> None, or the sentence why it cannot be given: asked before any work
    memory(study, *which) -> bytes beside those of `memory.BASE`
    alias     another name that the shell takes
    uniform   it is given for equal steps from T to 0 alone
    uses      records, besides those of the study, whose code it runs without importing it
    """

    name: str
    title: str
    compute: Callable
    reads: tuple[str, ...]
    cost: Callable | None = None
    applies: Callable = lambda study, *which: None
    memory: Callable = lambda study, *which: 0
    alias: str = ""
    uses: tuple = ()
    uniform: bool = False

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """What it asks for beside the study."""
        return tuple(name for name in inspect.signature(self.compute).parameters if name not in ("study", "tick"))

    def check(self, study: Study, *which) -> int:
        """The bytes that it takes; BadInput where it cannot be given."""
        if self.uniform and not study.printed:
            raise BadInput(f"{self.name}: it needs equal steps from T to 0; leave out grid, stop and start = 'vp'.")
        if why := self.applies(study, *which):
            raise BadInput(f"{self.name}: {why}")
        return memory.allowed(f"The answer {self.name}", {"give a target with fewer dimensions": self.memory(study, *which)})

    def stream(self, study: Study, *which, tick=lambda *done: None) -> Iterator[dict]:
        """Better and better answers, the last one final. BadInput, before any work, where there is none or it takes too much memory."""
        self.check(study, *which)
        found = self.compute(study, *which, tick=tick)
        if inspect.isgenerator(found):
            yield from found
        else:
            yield found
