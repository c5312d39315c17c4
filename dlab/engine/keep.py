"""What has been computed, kept under the key of what entered it, so that a scene's link opens at once wherever it was computed before."""

import hashlib
import json

from dlab import answers, errors, fingerprint, measure, schemes, targets
from dlab import study as studies
from dlab.cache import Cache, dumps
from dlab.study import Study

KEEP_FILES = 400
TIMES = ("grid", "stop")  # keys of a study file
CACHE = Cache("results", memory=64, files=KEEP_FILES)


def modules(study: Study, *things) -> set[str]:
    """Where the numbers of a study come from: the modules of its target, score error, schemes, estimators up to those that measure it,
    of the reference, and of `things`."""
    if not isinstance(study.target, dict):  # its file says "custom", whatever it is
        return {"custom"}
    entry, used = errors.REGISTRY[study.score_error["name"]], [schemes.REGISTRY["SO"], *things]
    for _, part in study.parts:
        ways = {part.estimator_for(name).name for name in part.schemes}
        consulted = list(measure.REGISTRY)[: 1 + max(list(measure.REGISTRY).index(way) for way in ways)]
        used += [measure.REGISTRY[name] for name in (consulted if study.estimator == "auto" else ways)]
        used += [type(part.built), part.error]
    used += [targets.REGISTRY[study.target["name"]], entry, *(schemes.REGISTRY[name] for name in study.schemes)]
    return fingerprint.modules_of(*used)


def numerics() -> str:
    """The fingerprint of all that can change a number: what two processes must share to work on one run."""
    registries = (targets.REGISTRY, schemes.REGISTRY, errors.REGISTRY, measure.REGISTRY, answers.REGISTRY)
    ours = {name for entries in registries for entry in entries.values() for name in fingerprint.modules_of(entry)}
    return fingerprint.of({name for name in ours if name.startswith("dlab.")} | {"dlab.study.run"})


def kept(study: Study) -> dict | None:
    """The final result of a study where it is kept, as JSON, else None."""
    return read(study.key + ".json")


def keep_result(study: Study, result: dict, disk: bool = True) -> None:
    CACHE.keep(study.key + ".json", dumps(result).encode(), modules(study, studies.run), disk)


def particles(study: Study) -> bytes | None:
    """The raw particles of a finished study as npz bytes, where they are kept: prepared results come without."""
    return CACHE.load(study.key + ".npz")


def keep_particles(study: Study, packed: bytes) -> None:
    CACHE.keep(study.key + ".npz", packed, modules(study, studies.run))


def kept_answer(name: str, study: Study, *which) -> dict | None:
    """An answer of `answers.REGISTRY` where it is kept."""
    return read(answer_name(name, study, *which))


def keep_answer(name: str, study: Study, *which, found: dict, disk: bool = True) -> None:
    entry = answers.find(name)
    CACHE.keep(answer_name(name, study, *which), dumps(found).encode(), modules(study, entry.compute, *entry.uses), disk)


def answer_name(name: str, study: Study, *which) -> str:
    """What an answer is kept under: what of the study enters it, and nothing else."""
    entry = answers.find(name)
    asked = study.to_json()
    # The times of a run and the options of its schemes enter every answer: named where they are given.
    given = [*TIMES, *schemes.OPTIONS, *(["steps"] if "h" in entry.reads else [])]
    reads = (*entry.reads, *(k for k in given if k in asked))
    text = dumps([{k: asked.get(k) for k in reads}, *which], sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.{entry.name}.json"


def read(name: str) -> dict | None:
    """Something kept as JSON, read."""
    found = CACHE.load(name)
    return None if found is None else json.loads(found)
