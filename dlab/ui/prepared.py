"""The files that let scenes and pages open at once.

python -m dlab.ui.prepared      writes them in dlab/prepared
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from dlab.answers import learned_score
from dlab.engine import jobs
from dlab.study import Study
from dlab.ui import links, runs, settings, studies, tour
from dlab.ui.scenes import SCENES


@dataclass(frozen=True)
class File:
    """for_: where it is shown; make() gives its content, computed anew unless this machine has just done so."""

    for_: str
    make: Callable[[], bytes]


def files() -> dict[str, File]:
    """What is prepared, by the name of its file."""
    found = {}
    for entry in (*SCENES, *tour.STEPS):
        values, _ = links.read(entry.settings)
        said = getattr(entry, "question", "a step of the tour")
        if entry.page == "particles":
            found = _movie(said, studies.moving_study(values), values["moving"]) | found
        elif entry.page == "convergence":
            found = _curve(said, studies.study(values)) | found
    for study in studies.case_studies(settings.defaults()):
        found |= _curve("Outside the assumptions", study)
    for kind, study, which in studies.case_answers(settings.defaults()):
        found |= _answer("Outside the assumptions", kind, study, *which)
    for query in ({}, {"target": "skew"}, {"target": "mixture"}):
        found |= _learned(links.read(query)[0])
    return found | _logistic(links.read({})[0]) | _images(links.read({})[0])


def _curve(said: str, study: Study) -> dict[str, File]:
    def make():
        *_, result = jobs.results(study)
        return json.dumps(result).encode()

    return {study.key + ".json": File(said, make)}


def _movie(said: str, study: Study, count: int) -> dict[str, File]:
    steps = study.steps[-1]
    name = runs.movie_key(study, steps, count) + ".movie"

    def make():
        runs.make_movie(study, steps, count)
        return jobs.load(name)

    return {name: File(said, make)}


LONG = 100_000  # bytes of an answer beyond which its file is compressed


def _answer(said: str, kind: str, study: Study, *which) -> dict[str, File]:
    def make():
        plain = json.dumps(jobs.make(kind, study, *which)).encode()
        return zlib.compress(plain, 9) if len(plain) > LONG else plain

    return {jobs.file_name(kind, study, *which): File(said, make)}


def _network(said: str, study: Study) -> dict[str, File]:
    training = learned_score.training(study)

    def make():
        training.train()
        return training.read()

    return {training.name: File(said, make)}


def _images(values) -> dict[str, File]:
    study = studies.images_study(values)
    grids = _answer("Images", "grid", study, round(study.T / values["images.step"]), studies.IMAGE_GRID)
    return grids | _answer("Images", "images", study)


def _learned(values) -> dict[str, File]:
    said, both = "Learned score", studies.learned_studies(values)
    study, found = both["learned"], {}
    for one in (*both.values(), *studies.samples_studies(values).values()):
        found |= _curve(said, one)
    found |= _answer(said, "learned", study, values["learned.scheme"], max(study.steps)) | _answer(said, "trained", study)
    return found | _network(said, study) | _answer(said, "error_field", study, values["learned.t"])


def _logistic(values) -> dict[str, File]:
    said, largest, plane = "Logistic regression", settings.PENALTIES[-1], studies.plane(values)
    found = _curve(said, plane) | _answer(
        said, "boundary", plane, values["logistic.scheme"], round(plane.T / values["logistic.step"])
    )  # fmt: skip
    found |= _curve(said, studies.experiment_atoms(largest)) | _answer(said, "readings", studies.experiment_readings(largest))
    for lam in settings.PENALTIES:
        found |= _curve(said, studies.experiment(lam)) | _answer(said, "first", studies.experiment_small(lam))
    return found


def main() -> None:
    jobs.PREPARED.mkdir(exist_ok=True)
    for old in (old for kind in ("movie", "json", "npz") for old in jobs.PREPARED.glob(f"*.{kind}")):
        old.unlink()
    for name, file in files().items():
        content = file.make()
        (jobs.PREPARED / name).write_bytes(content)
        print(f"{len(content) / 1000:8.1f} kB  {name}  {file.for_}", flush=True)


if __name__ == "__main__":
    main()
