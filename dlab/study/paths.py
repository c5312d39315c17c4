"""Which step counts share a Brownian path, and with how many steps the reference runs for them."""

from dataclasses import dataclass

REFINE = 4  # the reference takes this many steps for one of the finest scheme step
FINE = 512  # or twice as many steps as that, once it takes these
COARSEST = 128  # and never fewer than these
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


def shared_paths(steps: tuple[int, ...]) -> list[SharedPath]:
    """Group step counts so that each divides its group's path; the group of the coarsest one first."""
    left, found = sorted(set(steps), reverse=True), []
    while left:
        fine = _wanted(left[0])
        members = [n for n in left if fine % n == 0]
        left = [n for n in left if n not in members]
        found.append(SharedPath(fine, tuple(_references(fine, members)[::-1])))
    return sorted(found, key=lambda g: g.references[0].members[0])


def _wanted(n: int) -> int:
    """Steps of a reference whose finest member takes n."""
    steps = min(REFINE * n, max(FINE, 2 * n))
    while steps < COARSEST:
        steps *= 2
    return 2 * n * -(-steps // (2 * n))


def _references(fine, members):
    """Of one path, members from the finest on."""
    found, members = [], list(members)
    while members:
        near = [n for n in members if n * SPAN >= members[0]]
        members = members[len(near) :]
        steps = min(r for r in range(min(_wanted(near[0]), fine), fine + 1) if fine % r == 0 and r % 2 == 0)
        found.append(Reference(steps, tuple(reversed(near))))
    return found
