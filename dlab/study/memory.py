"""What a study takes of memory, told before it runs, and the most that is allowed: arrays counted as the code makes them, beside what a
started program has. Measured in `tests/study/test_memory.py`.
"""

import math
import os

from dlab import schemes
from dlab.laws.mixture import MIDPOINTS
from dlab.linop.products import MOST
from dlab.noise import MOMENTS
from dlab.params import BadInput
from dlab.sample import CHUNK
from dlab.targets.gaussian import Gaussian
from dlab.targets.spectrum import Spectrum

LIMIT = 2.0  # GiB, where the environment variable DLAB_MEMORY names no other number
BASE = 150e6  # bytes of compiling and of all that does not grow
GIB = 2**30
MATRICES = 3.2  # matrices of a particle in a step of SO at once
GRIDS = 2 * 150e6  # bytes of laws on a grid, of which two are made at once


def limit() -> float:
    """Bytes that a study or an answer may take."""
    text = os.environ.get("DLAB_MEMORY") or LIMIT
    try:
        return float(text) * GIB
    except ValueError:
        raise BadInput(f"DLAB_MEMORY = {text!r} is not a number; give the GiB that a study may take.") from None


def allowed(what: str, parts: dict[str, float]) -> int:
    """The bytes of all parts, {what would lower them: bytes}, and of BASE; BadInput above the limit."""
    total = BASE + sum(parts.values())
    if total > (most := limit()):
        advice = max(parts, key=parts.get)
        raise BadInput(
            f"{what} would take about {total / GIB:.2g} GiB of memory and the limit is {most / GIB:g} GiB; {advice}, or raise the "
            "environment variable DLAB_MEMORY."
        )
    return math.ceil(total)


def simulated(study, names, n: int) -> float:
    """Bytes of n particles in CHUNK steps of the dearest of the schemes `names`."""
    noise = max(schemes.REGISTRY[name].normals() for name in names) + MOMENTS * study.paired
    # In single precision, and once more as XLA has them.
    return step(study, names, n) + 8.0 * n * CHUNK * noise * study.built.dim


def step(study, names, n: int) -> float:
    """Bytes of n particles in one step of the dearest of the schemes `names`."""
    target, most = study.built, 0.0
    for scheme in map(schemes.REGISTRY.get, names):
        words = target.words + 8 * target.dim
        if scheme.hessian_evals and not target.paired:  # the field tells that it knows products alone, but may take seconds to make
            words += 2 * (MOST + 1) * target.dim
        elif scheme.hessian_evals and target.along_axes is None:
            words += MATRICES * target.dim**2
        most = max(most, 8.0 * n * words)
    return most


def of_study(study, batch: int) -> dict[str, float]:
    """Bytes of a plain study's run, {what would lower them: bytes}; batch: the paths simulated together."""
    d, laws = study.built.dim, [s for s in study.schemes if not study.sampled(s)]
    sampled = [s for s in study.schemes if s not in laws]
    found = {"give a target with fewer dimensions": max((_law(study, s) for s in laws), default=0.0)}
    if not sampled:
        return found
    workers, batches, points = (2 if d <= 2 else 1), math.ceil(study.particles / batch), len(sampled) * len(study.steps)
    run, paths = [*sampled, *(["SO"] if study.paired else [])], 0.0
    if study.paired:
        grids = study.shared_paths
        sizes = [sum({g.steps, *g.members, *(n for r in g.references for n in (r.steps, r.steps // 2))}) for g in grids]
        paths = 4.0 * MOMENTS * batch * d * (sum(sizes) + (max(sizes) if batches > 1 else 0))
        points += 2 * sum(len(g.references) for g in grids)
    found["give a target with fewer dimensions"] += workers * simulated(study, run, batch)
    found["leave out the smallest h"] = paths
    # What the runs keep, and once more as the result's clouds.
    kept = 2.0 * 8 * batches * batch * d * (points + (len(sampled) * len(study.steps) if study.paired else 0))
    found["lower particles"] = kept + 8.0 * study.particles * max(study.estimator_for(s).words(study.particles, d) for s in sampled)
    return found


def most_batches(study, batch: int) -> int:
    """Batches of paths for which the limit has room, where an accuracy asks for more than there are particles."""
    parts = of_study(study, batch)
    paths = parts.pop("lower particles") / study.particles
    return max(1, int((limit() - BASE - sum(parts.values())) / (paths * batch)))


def _law(study, name) -> float:
    """Bytes of a scheme's law, carried without particles."""
    target, scheme = study.built, schemes.REGISTRY[name]
    if isinstance(target, Spectrum):
        return 0.0
    if not isinstance(target, Gaussian):
        return GRIDS
    d, rules = target.dim, MIDPOINTS if scheme.randomised else 1
    batch = 1 + d * (1 + scheme.normals() + study.error.draws)
    return 8.0 * (2 * rules * batch * (batch + 2 * d) + (2 * max(study.steps) + CHUNK) * d**2 + 3 * max(study.steps) * rules * d)
