"""The files that let scenes and pages open at once, in dlab/prepared, with an index that says what each is.

python -m dlab.ui.prepared             writes those that are missing or of other numerics, and the index
python -m dlab.ui.prepared NAME ...    writes these anew, of which --list tells the names
python -m dlab.ui.prepared --all       writes every one anew
python -m dlab.ui.prepared --check     names what is missing, stale or left over; exit status 1 where something is
"""

import argparse
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlab import answers, cache, engine, fingerprint
from dlab.answers import learned_score
from dlab.cache import Cache
from dlab.errors import learned
from dlab.ui import lesson_file, links, movies, opening, settings, studies, tour
from dlab.ui.scenes import SCENES

LONG = 100_000  # bytes of JSON beyond which a file is compressed


@dataclass(frozen=True)
class File:
    """key: what the contents are kept under, in `kept`; page, shown: where they are; kind: what they are; compute() has them kept."""

    key: str
    page: str
    shown: str
    kind: str
    compute: Callable
    kept: Cache = engine.CACHE


def files() -> dict[str, File]:
    """What is prepared, by the name of its file without its ending; of two names for the same contents the first."""
    found, defaults = {}, settings.defaults()

    def add(name, file):
        if file.key not in {f.key for f in found.values()}:
            found[name] = file

    def result(name, page, shown, study):
        add(name, File(study.key + ".json", page, shown, "result", lambda: list(engine.stream(study))))

    def answer(name, page, shown, kind, study, *which):
        key, kind = engine.answer_name(kind, study, *which), answers.find(kind).name
        add(name, File(key, page, shown, f"answer {kind}", lambda: engine.answer(kind, study, *which)))

    add("opening", File(opening.name(), "home", "its opening", "movie", opening.make))
    entries = [(scene, scene.name, f"scene {scene.name}") for scene in SCENES]
    entries += [(step, f"tour-{n}", f"step {n} of the tour") for n, step in enumerate(tour.STEPS, 1)]
    for entry, name, shown in entries:
        values, _ = links.read(entry.settings)
        if entry.page == "particles":
            study, count = studies.moving_study(values), values["moving"]
            key = movies.movie_key(study, study.steps[-1], count) + ".movie"
            make = lambda study=study, count=count: movies.make_movie(study, study.steps[-1], count)  # noqa: E731
            add(f"particles-{name}", File(key, "particles", shown, "movie", make))
        elif entry.page == "convergence":
            result(f"convergence-{name}", "convergence", shown, studies.study(values))
    for name, key, make in lesson_file.films():
        add(f"lesson-{name}", File(key, "lesson", f"scene {name}", "film", make))
    for name, study in studies.case_studies(defaults).items():
        result(f"outside-{name}", "outside", name, study)
    for name, kind, study, which in studies.case_answers(defaults):
        answer(f"outside-{name}", "outside", name, kind, study, *which)
    for target in ("gaussian", "skew", "mixture"):
        values, page, head = links.read({"target": target})[0], "learned", f"learned-{target}"
        both, shown = studies.learned_studies(values), f"target {target}"
        for name, study in (both | {f"samples-{m}": s for m, s in studies.samples_studies(values).items()}).items():
            result(f"{head}-{name}", page, shown, study)
        study = both["learned"]
        network = learned_score.training(study)
        add(f"{head}-network", File(network.name, page, shown, "network", network.train, learned.CACHE))
        answer(f"{head}-errors", page, shown, "learned_errors", study, values["learned.scheme"], max(study.steps))
        answer(f"{head}-training", page, shown, "training", study)
        answer(f"{head}-error-field", page, shown, "error_field", study, values["learned.t"])
    answer("score_error-networks", "score_error", "multilevel with trained networks", "network_levels", studies.study(defaults))
    plane, largest, page = studies.plane(defaults), settings.PENALTIES[-1], "logistic"
    result("logistic-plane", page, "two features", plane)
    which = defaults["logistic.scheme"], round(plane.T / defaults["logistic.step"])
    answer("logistic-boundary", page, "two features", "boundary", plane, *which)
    result("logistic-atoms", page, "few posterior samples", studies.experiment_atoms(largest))
    answer("logistic-readings", page, "readings of the experiment", "readings", studies.experiment_readings(largest))
    for lam in settings.PENALTIES:
        result(f"logistic-experiment-{lam:g}", page, f"experiment, λ = {lam:g}", studies.experiment(lam))
        answer(f"logistic-first-{lam:g}", page, f"experiment, λ = {lam:g}", "first_coordinate", studies.experiment_small(lam))
    study = studies.images_study(defaults)
    which = round(study.T / defaults["images.step"]), studies.IMAGE_GRID
    answer("images-grid", "images", "grids", "image_grid", study, *which)
    answer("images-differences", "images", "differences", "image_differences", study, *which)
    answer("images-distances", "images", "distances", "image_distances", study)
    return found


def stale(name: str, file: File, folder: Path | None = None) -> bool:
    """Whether the file of that name is missing or of other numerics."""
    folder = folder or cache.PREPARED
    entry = cache.index(folder).get(file.key)
    return not entry or not (folder / entry["file"]).exists() or entry["fingerprint"] != fingerprint.of(entry["modules"])


def write(names: list[str], among: dict[str, File], folder: Path | None = None) -> None:
    """Compute the contents of the files of these names and write them with the index, which drops what is not `among`."""
    folder = folder or cache.PREPARED
    folder.mkdir(exist_ok=True)
    entries = {name: entry for name, file in among.items() if (entry := cache.index(folder).get(file.key))}
    for number, name in enumerate(names, 1):
        file, begun = among[name], time.monotonic()
        file.compute()
        data, head = file.kept.load(file.key), file.kept.head(file.key)
        ending = "".join(Path(file.key).suffixes[-1:])
        if ending == ".json" and len(data) > LONG:
            ending, data = ".json.z", zlib.compress(data, 9)
        (folder / (name + ending)).write_bytes(data)
        entries[name] = {
            "file": name + ending, "name": file.key, "page": file.page, "shown": file.shown, "kind": file.kind,
            "command": f"python -m dlab.ui.prepared {name}", **head,
        }  # fmt: skip
        _write_index(folder, [entries[n] for n in among if n in entries])
        elapsed = time.monotonic() - begun
        print(f"{number:3} of {len(names)}  {elapsed:6.1f} s  {len(data) / 1000:7.1f} kB  {name + ending}", flush=True)
    _write_index(folder, [entries[n] for n in among if n in entries])
    for old in left_over(folder):
        old.unlink()


def _write_index(folder, entries):
    text = ",\n".join(cache.dumps(entry, ensure_ascii=False) for entry in entries)
    (folder / cache.INDEX).write_text(f'{{"files": [\n{text}\n]}}\n', encoding="utf-8")
    cache.index.cache_clear()


def left_over(folder: Path | None = None) -> list[Path]:
    """Files of the folder that its index does not name."""
    folder = folder or cache.PREPARED
    named = {cache.INDEX, *(entry["file"] for entry in cache.index(folder).values())}
    return [path for path in sorted(folder.iterdir()) if path.name not in named]


def main(argv=None) -> int:
    """The command line above; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dlab.ui.prepared", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    for flag, said in (("--all", "write every file anew"), ("--check", "say what is stale"), ("--list", "list the names")):
        parser.add_argument(flag, action="store_true", help=said)
    args, among = parser.parse_args(argv), files()
    if unknown := set(args.names) - set(among):
        parser.error(f"{', '.join(sorted(unknown))}: no such file; --list tells the names")
    if args.list:
        print(*(f"{name:40} {file.kind:26} {file.page}: {file.shown}" for name, file in among.items()), sep="\n")
        return 0
    old = [name for name, file in among.items() if stale(name, file)]
    if args.check:
        wrong = [f"stale or missing: {name}" for name in old] + [f"left over: {path.name}" for path in left_over()]
        print(*wrong or [f"all {len(among)} files are of these numerics"], sep="\n")
        return bool(wrong)
    names = list(among) if args.all else args.names or old
    if not (args.all or args.names):
        write(names, among)
        return 0
    # What is asked for anew may come neither from the files themselves nor from this machine's cache.
    for name in names:
        cache.index(cache.PREPARED).pop(among[name].key, None)
    with tempfile.TemporaryDirectory() as empty:
        os.environ["DLAB_CACHE"] = empty
        write(names, among)
    return 0


if __name__ == "__main__":
    sys.exit(main())
