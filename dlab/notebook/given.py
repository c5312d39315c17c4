"""What a notebook's functions take: a study, a result, their JSON objects, or the path of a file of either."""

import json
from pathlib import Path

from dlab.params import BadInput, show
from dlab.study import Result, Row, Study
from dlab.study.vary import Varied

Given = Study | Result | Varied | dict | str | Path


def study_of(given: Given) -> tuple[Study, dict | None]:
    """The study, and the result file's object where a result is given. BadInput for anything else."""
    if isinstance(given, Study):
        return given, None
    if isinstance(given, (Result, Varied)):
        return given.study, given.to_json()
    if isinstance(given, (str, Path)):
        text = _read(Path(given))
        study, given = Study.from_json(text), json.loads(text)  # the first says what is wrong with a file
    elif isinstance(given, dict):
        study = Study.from_json(given)
    else:
        raise BadInput(f"{show(given)} is neither a study nor a result; give one, its JSON object, or the path of its file.")
    return study, given if {"study", "rows"} <= given.keys() else None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"{show(str(path), 200)} cannot be read ({reason}); give the path of a study or a result file.") from None


def result_of(study: Study, data: dict) -> Result:
    """A result file's object of a study that does not vary, as the `Result` that was written."""
    rows = ({"bound_withdrawn": "", **row, "flags": tuple(row["flags"])} for row in data["rows"])
    return Result(study, tuple(Row(**row) for row in rows), reach=tuple(data.get("reach", ())))
