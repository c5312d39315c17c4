"""What a notebook's functions take: a study, a result, their JSON objects, or the path of a file of either."""

import json
from dataclasses import MISSING, fields
from numbers import Real
from pathlib import Path

from dlab import params
from dlab.params import BadInput, show
from dlab.study import Result, Row, Study
from dlab.study.vary import Varied

Given = Study | Result | Varied | dict | str | Path
TOLD = [f.name for f in fields(Row) if f.default is MISSING and f.name != "bound_withdrawn"]  # what every row has
NUMBERS = [f.name for f in fields(Row) if f.type in (int, float | None, int | float)]
NEXT = "give the result as it was written, or its study alone"


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
        given = _plain(given)
        study = Study.from_json(given)
    else:
        raise BadInput(f"{show(given)} is neither a study nor a result; give one, its JSON object, or the path of its file.")
    return study, _checked(given, study) if {"study", "rows"} <= given.keys() else None


def _plain(value):
    """The object with Python's own numbers and lists, which alone a study file can hold, for those of NumPy, JAX and others."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return float(value) if isinstance(value, Real) and not isinstance(value, (int, float)) else value


def _checked(result: dict, study: Study) -> dict:
    """A result's object; BadInput names what in it is not as a run writes it."""
    for key, kind in (("rows", dict), ("fits", dict), ("notes", str)):
        if not isinstance(found := result.get(key), list) or not all(isinstance(one, kind) for one in found):
            what = "objects" if kind is dict else "sentences"
            raise BadInput(f"The result's {key} = {show(found)} is not a list of {what}; {NEXT}.")
    for key, told, numbers in (("rows", TOLD, NUMBERS), ("fits", ("scheme", "slope"), ("slope", "slope_low", "slope_high", "constant"))):
        for i, one in enumerate(result[key]):
            if missing := [name for name in (*told, *(("value",) if study.vary else ())) if name not in one]:
                raise BadInput(f"The result's {key}[{i}] lacks {show(missing[0])}; {NEXT}.")
            params.choice(f"{key}[{i}].scheme", one["scheme"], study.schemes)
            for name in numbers:
                if one.get(name) is not None:
                    params.number(f"{key}[{i}].{name}", one[name])
    return result


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:  # a path with NUL is a ValueError, and so is text that is not UTF-8
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"{show(str(path), 200)} cannot be read ({reason}); give the path of a study or a result file.") from None


def result_of(study: Study, data: dict) -> Result:
    """A result file's object of a study that does not vary, as the `Result` that was written."""
    rows = ({"bound_withdrawn": "", **row, "flags": tuple(row["flags"])} for row in data["rows"])
    return Result(study, tuple(Row(**row) for row in rows), reach=tuple(data.get("reach", ())))
