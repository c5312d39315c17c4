"""What is kept of a run that is not finished: its batches and its costly laws, so that a run which dies goes on from what it had.

A file holds the arrays of a unit and is found by what the unit is a function of: study, function and arguments. It is no pickle: what
lies in a folder is read as numbers or not at all.
"""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from dlab.cache import Cache, dumps
from dlab.engine.keep import modules
from dlab.sample import Run
from dlab.sample.growth import Spent
from dlab.study import Row, Study, run
from dlab.study.run import law_rows, simulated
from dlab.study.sweep import Beside

CACHE = Cache("units", memory=0, files=4000, size=1e9)
ARRAYS = ("x", "error_square", "fluctuation")  # of a Run that a unit gives
SPENT = ("products", "pieces", "growth", "missed")


def _runs_packed(found: dict) -> bytes:
    arrays, parts = {}, []
    for i, (part, one) in enumerate(found.items()):
        parts.append(["", part.kind, part.path, part.steps] if isinstance(part, Beside) else [*part])
        arrays |= {f"{i}.{name}": value for name in ARRAYS if (value := getattr(one, name)) is not None}
        if one.spent is not None:
            arrays |= {f"{i}.{name}": np.asarray(getattr(one.spent, name)) for name in SPENT}
    buffer = io.BytesIO()
    np.savez(buffer, parts=np.frombuffer(dumps(parts).encode(), np.uint8), **arrays)
    return buffer.getvalue()


def _runs_read(data: bytes) -> dict:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        found = {}
        for i, part in enumerate(json.loads(arrays["parts"].tobytes())):
            its = {name: arrays.get(f"{i}.{name}") for name in (*ARRAYS, *SPENT)}
            spent = None if its["products"] is None else Spent(*(its[name] for name in SPENT))
            key = Beside(*part[1:]) if part[0] == "" else tuple(part)
            found[key] = Run(its["x"], its["error_square"], fluctuation=its["fluctuation"], spent=spent)
    return found


def _rows_packed(found: dict) -> bytes:
    return dumps([[*key, asdict(row)] for key, row in found.items()]).encode()


def _rows_read(data: bytes) -> dict:
    return {(name, n): Row(**{**row, "flags": tuple(row["flags"])}) for name, n, row in json.loads(data)}


FORMATS: dict[Callable, tuple[Callable, Callable]] = {simulated: (_runs_packed, _runs_read), law_rows: (_rows_packed, _rows_read)}


def remembered(function: Callable, study: Study, *args, tick):
    """A unit, from the journal where it is there; see `study.place.called`."""
    if function not in FORMATS or (function is law_rows and not any(study.estimator_for(s).price(study.case(s, n)) for s, n in args[0])):
        return function(study, *args, tick=tick)
    packed, read = FORMATS[function]
    name = _name(function, study, args)
    if (data := CACHE.load(name)) is not None:
        try:
            return read(data)
        except Exception as error:  # zipfile and numpy have many for bytes that are not theirs
            CACHE.drop(name, error)
    found = function(study, *args, tick=tick)
    CACHE.keep(name, packed(found), modules(study, run))
    return found


def _name(function, study, args) -> str:
    # More particles, or a finer accuracy, go on from the batches of fewer.
    asked = {k: v for k, v in study.to_json().items() if k not in ("particles", "accuracy", "budget", "reach")}
    text = dumps([function.__name__, asked, repr(args)], sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.{function.__name__}"
