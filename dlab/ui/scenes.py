"""The addresses of scenes and of the tour's steps, and the files that let them open at once.

python -m dlab.ui.scenes      writes the files in dlab/prepared
"""

import json

from dlab import jobs
from dlab.study import learned
from dlab.ui import links, runs, studies, tour
from dlab.ui.questions import BY_NAME, SCENES, Scene

LEARNED = ({}, {"target": "skew"})  # settings of the Learned score page that open at once

__all__ = ["BY_NAME", "SCENES", "Scene", "address", "files", "step_address"]


def address(scene: Scene) -> dict[str, str]:
    """The whole address of a scene: every setting in force, so that changed defaults change no scene."""
    return _address(scene, {"scene": scene.name})


def step_address(number: int) -> dict[str, str]:
    """The whole address of a step of the tour, counted from 1."""
    return _address(tour.STEPS[number - 1], {"tour": str(number)})


def _address(entry, name) -> dict[str, str]:
    # An address bar forgets that a scene plays, once it does; its link says so.
    play = {key: value for key, value in entry.settings.items() if key == "play"}
    return links.written(entry) | name | play


def files() -> dict[str, tuple]:
    """What is prepared: the name of each file, and the entry and the study that it answers."""
    found = {}
    for entry in (*SCENES, *tour.STEPS):
        values, _ = links.read(entry.settings)
        if entry.page == "particles":
            study = studies.moving_study(values)
            name = runs.movie_key(study, study.steps[-1], values["moving"]) + ".movie"
        elif entry.page == "convergence":
            study = studies.study(values)
            name = study.key + ".json"
        else:
            continue
        found.setdefault(name, (entry, study))
    for settings in LEARNED:
        found |= _learned(links.read(settings)[0])
    return found | _images(links.read({})[0])


def _images(values) -> dict[str, tuple]:
    """The grids and the distances that the Images page opens with."""
    study = studies.images_study(values)
    answers = (("grid", round(study.T / values["images.step"]), studies.IMAGE_GRID), ("images",))
    return {jobs.file_name(kind, study, *which): ((kind, *which), study) for kind, *which in answers}


def _learned(values) -> dict[str, tuple]:
    """The network of the settings, its curves, and the answers that its page opens with; for these an entry is the kind and what else
    `jobs.make` asks for."""
    both = studies.learned_studies(values)
    study = both["learned"]
    found = {learned.training(study).name: (("net",), study)}
    found |= {s.key + ".json": (("curves",), s) for s in both.values()}
    answers = (("learned", study.schemes[0], max(study.steps)), ("error_field", values["learned.t"]))
    return found | {jobs.file_name(kind, study, *which): ((kind, *which), study) for kind, *which in answers}


def make(name: str, entry, study) -> bytes:
    """The content of a prepared file, computed anew unless this machine has just done so."""
    if name.endswith(".npz"):
        learned.training(study).train()
        return learned.training(study).read()
    if isinstance(entry, tuple) and entry[0] in jobs.MADE:
        return json.dumps(jobs.make(entry[0], study, *entry[1:])).encode()
    if name.endswith(".movie"):
        runs.make_movie(study, study.steps[-1], links.read(entry.settings)[0]["moving"])
        return jobs.load(name)
    *_, result = jobs.results(study)
    return json.dumps(result).encode()


def main() -> None:
    jobs.PREPARED.mkdir(exist_ok=True)
    for old in (old for kind in ("movie", "json", "npz") for old in jobs.PREPARED.glob(f"*.{kind}")):
        old.unlink()
    for name, (entry, study) in files().items():
        content = make(name, entry, study)
        (jobs.PREPARED / name).write_bytes(content)
        print(f"{len(content) / 1000:8.1f} kB  {name}  {getattr(entry, 'question', 'a step of the tour, or of the page Learned score')}", flush=True)


if __name__ == "__main__":
    main()
