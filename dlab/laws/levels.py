"""Which of the laws on finer and finer grids is taken, and how far its W2 is off, from how much each refinement changed it."""

import math
from typing import Any

SETTLED = 5e-3  # relative change of W2 from one level to the next at which the law is taken
LUCK = 10  # a single change of a rough value may be so many times too small: the values go up and down, and two may meet
SHRINK = 4  # a change is at most so many times what the next refinement leaves


class Levels:
    """Takes the first law that a refinement changed by less than SETTLED. Where its changes so far do not make that its error too,
    the next level is a check: it says how far the law is off, and its own is not taken.

    rough: the first change measures nothing, as where a density jumps or a midpoint is random.
    """

    def __init__(self, rough: bool):
        self.rough, self.changes, self.before, self.taken = rough, [], None, None

    def done(self, law: Any, value: float, sound: bool = True) -> bool:
        """Whether no further level is needed after this one and its W2; sound: the law may be taken."""
        before, self.before = self.before, value
        if before is not None:
            self.changes.append(abs(value - before) / max(value, 1e-300))
        if self.taken is not None:
            return True
        if self.changes and self.changes[-1] < SETTLED and sound:
            self.taken, self.at = law, len(self.changes)
            return self.error < SETTLED
        return False

    @property
    def error(self) -> float:
        """Relative error of the W2 of the law taken, or of the last; infinite where no two levels hold it."""
        seen = self.changes
        if not seen:
            return math.inf
        if self.taken is not None and len(seen) > self.at:
            return float(max(seen[-1], seen[-2]))
        if len(seen) == 1:
            return float(LUCK * seen[0] if self.rough else seen[0])
        return float(max(seen[-1], seen[-2] / SHRINK))
