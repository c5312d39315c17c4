"""Which step counts share a Brownian path, and with how many steps the reference runs for them."""

import math
from dataclasses import dataclass

REFINE = 4  # the reference takes this many steps for one of the finest scheme step
FINE = 512  # or twice as many steps as that, once it takes these
COARSEST = 128  # and never fewer than these
LONGEST = 0.2  # step of the reference, in units of 1 / the target's steepness: beyond, it is off by a share of the value, see `run.COARSE`
MOST = 4096  # steps that this may take in the plane, and in all coordinates together twice as many
SPAN = 8  # step counts further apart than this have a reference each: the coarse ones need not wait for the fine


@dataclass(frozen=True)
class Reference:
    """SO with `steps` and with half as many steps, the reference of the step counts `members`, coarsest first."""

    steps: int
    members: tuple[int, ...]

    @property
    def work(self) -> int:
        return self.steps + self.steps // 2


@dataclass(frozen=True)
class SharedPath:
    """Step counts on one Brownian path of `steps` intervals, with their references, the coarsest first."""

    steps: int
    references: tuple[Reference, ...]

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(n for r in self.references for n in r.members)


def asked_for(target, T: float) -> float:
    """The steps that a reference needs on a target."""
    return min(T * (target.steepness or 0.0) / LONGEST, MOST * min(1.0, 2 / target.dim))


def shared_paths(steps: tuple[int, ...], least: float = 0.0) -> list[SharedPath]:
    """Group step counts so that each divides its group's path, the group of the coarsest one first; least: see `asked_for`."""
    left, found = sorted(set(steps), reverse=True), []
    while left:
        fine = _wanted(left[0], least)
        members = [n for n in left if fine % n == 0]
        left = [n for n in left if n not in members]
        found.append(SharedPath(fine, tuple(_references(fine, members, least)[::-1])))
    return sorted(found, key=lambda g: g.references[0].members[0])


def _wanted(n: int, least: float) -> int:
    """Steps of a reference whose finest member takes n."""
    steps = min(REFINE * n, max(FINE, 2 * n))
    while steps < COARSEST:
        steps *= 2
    return 2 * n * math.ceil(max(steps, least) / (2 * n))


def _references(fine, members, least):
    """Of one path, members from the finest on."""
    found, members = [], list(members)
    while members:
        near = [n for n in members if n * SPAN >= members[0]]
        members = members[len(near) :]
        steps = min(r for r in range(min(_wanted(near[0], least), fine), fine + 1) if fine % r == 0 and r % 2 == 0)
        found.append(Reference(steps, tuple(reversed(near))))
    return found
